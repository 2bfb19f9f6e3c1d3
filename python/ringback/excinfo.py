"""Numba's `excinfo`: what `*error` points to after a call that raised. Read without Numba."""

from __future__ import annotations

import ctypes
import pickle
import sys
from typing import Any


class ExcInfo(ctypes.Structure):
    """The struct as Numba 0.62 to 0.68 lay it out; `errors.self_test` proves that the installed Numba still does."""

    _fields_ = (
        ("pickle", ctypes.c_void_p),
        ("size", ctypes.c_int32),
        ("arguments", ctypes.c_void_p),
        ("unwrap", ctypes.c_void_p),
        ("dynamic", ctypes.c_int32),
    )


OFFSETS = (ExcInfo.pickle.offset, ExcInfo.size.offset, ExcInfo.dynamic.offset)

_UNWRAP = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p)


def take(address: int) -> tuple[Any, tuple[Any, ...], tuple[str, str, int] | None]:
    """Class, arguments and `(function, file, line)` of an error, which is freed."""
    info = ExcInfo.from_address(address)
    data = ctypes.string_at(info.pickle, info.size)
    values = iter(())
    if info.dynamic > 0:
        from .backend.symbols import deallocate

        # `unwrap` frees the native arguments.
        values = iter(_UNWRAP(info.unwrap)(info.arguments))
        deallocate()(address)
    exception, arguments, place = unpickle(data)
    arguments = [next(values) if is_runtime_value(argument) else argument for argument in arguments or ()]
    return exception, tuple(arguments), place


def unpickle(data: bytes) -> tuple[Any, Any, Any]:
    """Class, arguments and place of an exception. The pickle is a constant of code that was loaded to be run."""
    return pickle.loads(data)


def is_runtime_value(argument: Any) -> bool:
    """Whether an argument of a pickled exception only stands for one that a call will know."""
    # What nobody has imported, no argument can be of.
    values = sys.modules.get("llvmlite.ir.values")
    return values is not None and isinstance(argument, values.Value)
