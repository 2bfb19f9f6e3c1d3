"""Ringback: Rust calls functions written in Python, compiled by Numba, at native speed.

`rb.cfunc`, `rb.compile` and `rb.bind` make callbacks; wherever a Rust function takes one, a plain Python function may be
passed too. `ringback.integrate` has engines that use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._ringback import Signature, SignatureError
from .accept import callback_for as _callback_for  # noqa: F401 - the door that Rust knocks at
from .bind import Bound, bind
from .callback import Callback
from .cfunc import CFunc, cfunc
from .compile import compile
from .errors import CompileError
from .giveback import low_level_callable
from .interpreted import interpreted

if TYPE_CHECKING:
    from . import integrate
    from .exports import ExportError, export

__all__ = [
    "Bound",
    "CFunc",
    "Callback",
    "CompileError",
    "ExportError",
    "Signature",
    "SignatureError",
    "bind",
    "cfunc",
    "compile",
    "export",
    "integrate",
    "interpreted",
    "low_level_callable",
]


def __getattr__(name: str) -> Any:
    """Loads the engines when they are first used."""
    if name == "integrate":
        import importlib

        return importlib.import_module(".integrate", __name__)
    if name in ("ExportError", "export"):
        from . import exports

        return getattr(exports, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("ringback")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
