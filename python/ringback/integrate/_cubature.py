"""`cubature`: adaptive integration over boxes of 2 to 8 dimensions."""

from __future__ import annotations

from .._ringback import CubatureResult, cubature

__all__ = ["CubatureResult", "cubature"]
