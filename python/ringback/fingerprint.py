"""The key of compiled code on disk: a hash of everything that decides the code, or none at all.

In the process, identities stand for functions and modules (`compile.py`). In another process they mean nothing: here
code objects are told by their contents, functions of NumPy by their names. What this module does not know, somebody's own
class for instance, has no key, and its code stays in the process: better none than a stale one.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import random
import sys
import types
from typing import Any

import numpy as np

from .capture import Array, Function, Kind, Path, Plan, is_constant_module, kind_of
from .compile import Data
from .signature import Signature
from .snapshot import FROZEN_COPY, Reading, Snapshot, declared

# Modules whose functions Numba compiles by name.
_KNOWN_MODULES = frozenset({"numpy", "math", "cmath", "operator", "_operator", "builtins", "random"})


class _Unknown(Exception):
    """Something that this module has no words for."""


def key(
    reading: Reading,
    snapshot: Snapshot,
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Any,
) -> str | None:
    """The key of the code for a function, as hexadecimal digits; None where its code may not be kept on disk."""
    try:
        if not as_released():
            return None
        plan, captured = reading.plan, reading.values
        describe = _Describe(snapshot)
        parts = (
            _environment(),
            describe.identity(reading),
            [(path, *describe.captured(path, value, plan)) for path, value in captured],
            describe.attributes(plan, captured),
            signature.text,
            sorted((name, describe.option(value)) for name, value in options.items()),
            free,
            [(name, _kind(data.kind), data.mutable) for name, data in bound.items()],
            ties,
        )
    except (_Unknown, OSError):
        # Files of packages that are being exchanged, for instance.
        return None
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class _Describe:
    """Turns values into text, numbers and tuples of such, whose `repr` tells any two of them apart."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        # Functions by their identities: one may call itself.
        self._seen: dict[int, int] = {}

    def identity(self, reading: Reading) -> Any:
        function = reading.function
        return function.__module__, function.__name__, function.__qualname__, self.code(reading.code)

    def captured(self, path: Path, value: Any, plan: Plan) -> tuple[Any, ...]:
        """By its type, if the value is passed as data; else by value."""
        kind = None if path in plan.frozen else kind_of(value, ".".join(path))
        if kind is not None:
            return "lifted", _kind(kind)
        if isinstance(value, types.ModuleType):
            return self.module(value)
        return ("frozen", self.value(value))

    def attributes(self, plan: Plan, captured: list[tuple[Path, Any]]) -> list[Any]:
        """What is read from modules of NumPy's kind: somebody may have put another function there."""
        modules = {path[0]: value for path, value in captured if isinstance(value, types.ModuleType)}
        found = []
        for path in plan.paths:
            value = modules.get(path[0])
            if value is None:
                continue
            for depth, attribute in enumerate(path[1:], 2):
                value = getattr(value, attribute, None)
                if not isinstance(value, types.ModuleType):
                    found.append((path[:depth], self.value(value)))
                    break
                self.module(value)
            else:
                # The module itself goes somewhere: what is read from it there cannot be told.
                raise _Unknown
        return found

    def module(self, module: types.ModuleType) -> tuple[str, str]:
        name = module.__name__
        if not _is_known(name) or sys.modules.get(name) is not module:
            raise _Unknown
        return "module", name

    def option(self, value: Any) -> Any:
        if isinstance(value, (set, frozenset)):
            return "set", sorted(repr(self.option(item)) for item in value)
        if isinstance(value, dict) and not value:
            return ()
        if type(value) in (bool, str, int, type(None)):
            return type(value).__name__, value
        raise _Unknown

    def value(self, value: Any) -> Any:
        t: Any = type(value)
        if t is int:
            return "int", hex(value)
        if value is None or value is Ellipsis or t in (bool, str, bytes):
            return t.__name__, value
        if t is float:
            return "float", value.hex()
        if t is complex:
            return "complex", value.real.hex(), value.imag.hex()
        if t in (tuple, frozenset):
            items = [self.value(item) for item in value]
            return t.__name__, items if t is tuple else sorted(items, key=repr)
        if t is types.CodeType:
            return self.code(value)
        if issubclass(t, np.generic) and value.dtype.kind in "biufcSU":
            return t.__name__, value.dtype.str, value.tobytes()
        if t is np.ndarray and value.dtype.kind in "biufc" and value.nbytes <= FROZEN_COPY:
            flags = value.flags
            order = (flags.c_contiguous, flags.f_contiguous, flags.aligned, flags.writeable)
            return "array", value.dtype.str, value.shape, value.strides, order, value.tobytes()
        known = _known(value)
        if known is not None:
            return known
        if t is types.FunctionType:
            return self.helper(value, ())
        if t.__module__.partition(".")[0] == "numba" and t.__name__ == "CPUDispatcher":
            options = sorted((name, self.option(item)) for name, item in value.targetoptions.items())
            return self.helper(value, (options, repr(declared(value))))
        raise _Unknown

    def helper(self, value: Any, options: Any) -> Any:
        """A function that is called: all that it refers to is frozen."""
        seen = self._seen.get(id(value))
        if seen is not None:
            return "again", seen
        self._seen[id(value)] = len(self._seen)
        reading = self._snapshot.of(value)
        if reading is None:
            raise _Unknown
        return (
            "function",
            self.identity(reading),
            options,
            self.value(reading.defaults),
            [(name, self.value(item)) for name, item in sorted(reading.kwdefaults.items())],
            [
                (path, self.module(item) if isinstance(item, types.ModuleType) else self.value(item))
                for path, item in reading.values
            ],
            self.attributes(reading.plan, reading.values),
        )

    def code(self, code: types.CodeType) -> Any:
        """The bytecode with its constants; names and lines too, which exceptions carry."""
        return (
            "code", code.co_code, self.value(code.co_consts), code.co_names, code.co_varnames, code.co_freevars,
            code.co_cellvars, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags,
            code.co_stacksize, code.co_filename, code.co_name, getattr(code, "co_qualname", ""),
            code.co_firstlineno, list(code.co_lines()), getattr(code, "co_exceptiontable", b""),
        )  # fmt: skip


def _known(value: Any) -> Any:
    """A function, class or ufunc that other processes know by the same name; an exception class that can be imported."""
    try:
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        module = "numpy" if isinstance(value, np.ufunc) else getattr(value, "__module__", None)
        owner = getattr(value, "__self__", None)
    except Exception:
        # Somebody's `__getattr__`.
        return None
    if isinstance(owner, (np.random.RandomState, random.Random)):
        # A method of the generator behind a module's functions, or of somebody's own, which the module does not have.
        module = "numpy.random" if isinstance(owner, np.random.RandomState) else "random"
        name = value.__name__
    if not isinstance(name, str) or not isinstance(module, str):
        return None
    raised = isinstance(value, type) and issubclass(value, BaseException)
    # Classes of the script itself are written out by value into the code, as other classes than those of the next run.
    if not _is_known(module) and not (raised and module != "__main__"):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return ("known", module, name) if found is value else None


def _is_known(module: str) -> bool:
    """Whether a module is one of those, and not somebody's own of such a name."""
    top = module.partition(".")[0]
    found = sys.modules.get(module)
    if top not in _KNOWN_MODULES or found is None:
        return False
    if top == "numpy":
        return os.path.dirname(np.__file__) in (getattr(found, "__file__", None) or "")
    return is_constant_module(found)


def _kind(kind: Kind) -> Any:
    if isinstance(kind, str):
        return kind
    if isinstance(kind, (Array, Function)):
        return type(kind).__name__, *kind
    return [_kind(inner) for inner in kind]


def _environment() -> Any:
    """Versions, CPU, libraries and settings."""
    settings = sorted((name, value) for name, value in os.environ.items() if name.startswith("NUMBA_"))
    try:
        with open(".numba_config.yaml", "rb") as file:
            settings.append(("file", file.read().hex()))
    except OSError:
        pass
    return _versions(), _machine(), settings


@functools.cache
def _versions() -> Any:
    import llvmlite
    from llvmlite.binding import llvm_version_info

    package = os.path.dirname(os.path.abspath(__file__))
    # Not the version alone: one who works on the package changes it between releases.
    own = [
        (os.path.relpath(os.path.join(folder, name), package), entry.st_size, entry.st_mtime_ns)
        for folder, _, names in os.walk(package)
        # Where Python keeps bytecode, files come and go.
        if os.path.basename(folder) != "__pycache__"
        for name in names
        for entry in [os.stat(os.path.join(folder, name))]
    ]
    return (
        sys.implementation.name, sys.version, llvmlite.__version__, llvm_version_info, np.__version__,
        _file_of("numba", "_version.py"), _scipy(), sorted(own),
    )  # fmt: skip


def _scipy() -> Any:
    """Whose BLAS and LAPACK compiled code calls; None without one."""
    try:
        return _file_of("scipy", "version.py")
    except _Unknown:
        return None


def _file_of(package: str, name: str) -> Any:
    """The contents of a file of a package, which is not imported."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:
        # Somebody's own object stands for the package.
        raise _Unknown from None
    if spec is None or not spec.submodule_search_locations:
        raise _Unknown
    path = os.path.join(spec.submodule_search_locations[0], name)
    try:
        with open(path, "rb") as file:
            return path, file.read()
    except OSError:
        raise _Unknown from None


@functools.cache
def _machine() -> Any:
    import llvmlite.binding as llvm

    from .backend.machine import features, vector_library

    known = vector_library()
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()) else None
    return (
        llvm.get_default_triple(), platform.machine(), llvm.get_host_cpu_name(), features(), libc,
        None if known is None else (known.path, sorted(known.functions.items())),
    )  # fmt: skip


def as_released() -> bool:
    """Whether Numba, if it is here, compiles as it does in a process that has just imported it."""
    if "numba" not in sys.modules:
        return True
    from . import _pristine

    return _pristine.registrations() and _pristine.settings()
