"""Says clearly when the Python that make found is too old."""

import sys

if sys.version_info < (3, 10):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"Ringback needs CPython 3.10 or later, found {found}: make PYTHON=/path/to/python3 ...")
