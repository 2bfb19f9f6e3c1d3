"""The functions that an object needs from elsewhere, made known to LLVM's linker without importing Numba.

Numba's own functions in C are in two extension modules, which can be loaded alone: they need NumPy and none of Numba's
Python. So an object runs with Numba's allocator whether Numba is imported or not, now or later: what one of the two
allocates, the other may free.
"""

from __future__ import annotations

import builtins
import ctypes
import functools
import importlib.machinery
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import llvmlite.binding as llvm

# Names of the C library, of the vector library and of Python's functions, which mean the same without Numba.
_PLAIN = re.compile(r"(?!numba)(?:[a-z][a-z0-9]*|__[a-z0-9]+|_ZGV\w+|Py(?!Exc)[A-Za-z]*_\w+|_Py_NoneStruct)")
# BLAS and LAPACK: Numba's functions look for SciPy's when they are first called, and end the process without them.
_LINEAR = re.compile(r"numba_(?:x|ez_)\w+")
# Where Numba finds what makes hashes of text differ from process to process: bytes from the start of Python's secret.
_SECRETS = {
    "_numba_hashsecret_siphash_k0": 0,
    "_numba_hashsecret_siphash_k1": 8,
    "_numba_hashsecret_djbx33a_suffix": 16,
}


def provide(names: Iterable[str]) -> bool:
    """Makes all of the names known to the linker that can be; False where an object with them must not be loaded here.

    Numba is imported where there is no other way. Whether a plain name is there, `objects.missing` asks.
    """
    names = [name for name in names if not _PLAIN.fullmatch(name)]
    if any(map(_LINEAR.fullmatch, names)) and not _scipy():
        return False
    found = {name: _address(name) for name in names}
    if None in found.values():
        _with_numba()
        return True
    for name, address in found.items():
        # Numba gives names of Python's (`PyExc_TypeError`) to other things than the interpreter does; so they are said again.
        if llvm.address_of_symbol(name) != address:
            llvm.add_symbol(name, address)
    return True


def _address(name: str) -> int | None:
    """What Numba gives that name to; None if only Numba knows."""
    if name.startswith("numba_"):
        return _helpers("numba._helperlib").get(name.removeprefix("numba_"))
    if name.startswith("NRT_"):
        return _helpers("numba.core.runtime._nrt_python").get(name.removeprefix("NRT_"))
    if name.startswith("PyExc_"):
        raised = getattr(builtins, name.removeprefix("PyExc_"), None)
        return None if raised is None else id(raised)
    if name in _SECRETS:
        return ctypes.addressof((ctypes.c_char * 24).in_dll(ctypes.pythonapi, "_Py_HashSecret")) + _SECRETS[name]
    return None


@functools.cache
def _helpers(name: str) -> dict[str, int]:
    """The addresses of the functions in one of Numba's extension modules, by their names; empty if it does not load alone."""
    try:
        module = _extension(name)
        if name.endswith("_nrt_python"):
            # As Numba does when it is imported.
            module.memsys_use_cpython_allocator()
        # Python never unloads its code, whatever becomes of the module.
        return dict(module.c_helpers)
    except Exception:
        return {}


def _extension(name: str) -> Any:
    if "numba" in sys.modules:
        return importlib.import_module(name)
    package = importlib.util.find_spec("numba")
    if package is None or not package.submodule_search_locations:
        raise ImportError("there is no package numba")
    place = os.path.join(package.submodule_search_locations[0], *name.split(".")[1:-1])
    spec = importlib.machinery.PathFinder.find_spec(name, [place])
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no {name} in {place}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # It is not there for Python: who imports Numba gets the package, and this module made known again as a part of it. (Where
    # a thread has begun to import Numba, that thread may be looking at it.)
    modules = sys.modules
    if "numba" not in modules:
        modules.pop(name, None)
    return module


def _scipy() -> bool:
    try:
        for name in ("scipy.linalg.cython_blas", "scipy.linalg.cython_lapack"):
            importlib.import_module(name)
    except Exception:
        return False
    return True


@functools.cache
def _with_numba() -> None:
    """Numba's functions under their names."""
    from .. import _numba

    _numba.provide_symbols()


@functools.cache
def deallocate() -> Callable[[int], None]:
    """`NRT_Free`, for what compiled code has allocated."""
    address = _address("NRT_Free")
    if address is None:
        _with_numba()
        address = llvm.address_of_symbol("NRT_Free")
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)
