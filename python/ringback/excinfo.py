"""Numba's `excinfo`: what `*error` points to after a call that raised."""

from __future__ import annotations

import ctypes


class ExcInfo(ctypes.Structure):
    """The struct as Numba 0.57 to 0.68 lay it out; `errors.self_test` proves that the installed Numba still does."""

    _fields_ = (
        ("pickle", ctypes.c_void_p),
        ("size", ctypes.c_int32),
        ("arguments", ctypes.c_void_p),
        ("unwrap", ctypes.c_void_p),
        ("dynamic", ctypes.c_int32),
    )


OFFSETS = (ExcInfo.pickle.offset, ExcInfo.size.offset, ExcInfo.dynamic.offset)
