"""Nothing is read from the user's cache, nor left in it."""

import os

os.environ["RINGBACK_CACHE"] = "0"
