"""tests/foreign.c as a library, and its functions in the clothes that C functions have in Python."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
COMPILER = shutil.which(os.environ.get("CC", "cc"))

_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
# A capsule does not copy its name.
_names: list[bytes] = []


def build(folder: Path) -> Path:
    """Compiles the library."""
    assert COMPILER is not None
    path = folder / "foreign.so"
    flags = ["-std=c11", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([COMPILER, *flags, "-o", str(path), str(HERE / "foreign.c")], check=True)
    return path


def as_ctypes(path: Path, name: str, result: Any, *parameters: Any) -> Any:
    """A function of the library for ctypes."""
    return ctypes.CFUNCTYPE(result, *parameters)((name, ctypes.CDLL(str(path))))


def as_capsule(path: Path, name: str, text: str) -> Any:
    """A capsule as Cython and SciPy have it: the name is the type."""
    address = ctypes.cast(getattr(ctypes.CDLL(str(path)), name), ctypes.c_void_p).value
    assert address is not None
    return capsule(address, text)


def capsule(address: int, name: str) -> Any:
    """A capsule with any address and any name."""
    _names.append(name.encode())
    return _new_capsule(address, _names[-1], None)
