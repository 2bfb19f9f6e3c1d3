"""`python -m ringback` is the command `ringback`."""

import sys

from .cli import main

sys.exit(main())
