"""What a function refers to beyond its parameters: found once per code object, read anew at each bind.

Numbers and arrays (and tuples of them) are *lifted*: passed as bound data, so that another value needs no other code.
Everything else is *frozen*: part of the key under which compiled code is kept, by value if it cannot change, else by
identity.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import sys
import sysconfig
import types
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import _ringback
from .errors import CompileError

Path = tuple[str, ...]

SCALAR_NAMES = {
    np.dtype(name): short
    for name, short in (
        ("bool", "bool"), ("int8", "i8"), ("int16", "i16"), ("int32", "i32"), ("int64", "i64"),
        ("uint8", "u8"), ("uint16", "u16"), ("uint32", "u32"), ("uint64", "u64"),
        ("float32", "f32"), ("float64", "f64"), ("complex64", "c64"), ("complex128", "c128"),
    )
}  # fmt: skip

# Their attributes are functions and constants of nature, not somebody's present settings.
_CONSTANT_MODULES = frozenset({"numpy", "numba", "scipy"}) | (sys.stdlib_module_names - {"__main__"})
_STDLIB = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})


# What has been found out about modules, by their identities. They are not kept alive for that.
_constant: dict[int, tuple[weakref.ref[types.ModuleType], bool]] = {}


def is_constant_module(module: types.ModuleType) -> bool:
    """Whether a module's attributes may be compiled in: those of NumPy, SciPy, Numba and the standard library.

    By name and place: a user's own `profile.py` or `code.py` is no part of the standard library.
    """
    known = _constant.get(id(module))
    if known is None or known[0]() is not module:
        # An object of this identity may come and go while another one's reference tells of its end.
        gone = functools.partial(_forget_module, id(module))
        known = _constant[id(module)] = weakref.ref(module, gone), _is_constant(module)
    return known[1]


def _forget_module(identity: int, reference: weakref.ref[types.ModuleType]) -> None:
    known = _constant.get(identity)
    if known is not None and known[0] is reference:
        del _constant[identity]


def _is_constant(module: types.ModuleType) -> bool:
    top = module.__name__.partition(".")[0]
    if top not in _CONSTANT_MODULES:
        return False
    if top not in sys.stdlib_module_names:
        return True
    origin = getattr(getattr(module, "__spec__", None), "origin", None) or ""
    return origin in ("built-in", "frozen") or (origin.startswith(_STDLIB) and "site-packages" not in origin)


class Array(NamedTuple):
    """The type of a lifted array."""

    element: str
    ndim: int
    layout: str


class Function(NamedTuple):
    """The type of a lifted callback, which compiled code calls."""

    signature: str


# The type of a bound address of a C function or its data, with the object that keeps it alive. Never the type of a value that
# a function captures.
ADDRESS = "address"

# The type of a lifted value: the name of a scalar, the type of an array or a callback, or a tuple of such.
Kind = Any


def kind_of(value: Any, what: str) -> Kind | None:
    """The type as which a value is lifted; None if it is not liftable."""
    t = type(value)
    if t is float:
        return "f64"
    if t is int:
        if -(2**63) <= value < 2**63:
            return "i64"
        if 0 <= value < 2**64:
            return "u64"
        raise CompileError(f"{what} is {value}, which does not fit into 64 bits: make it a float")
    if t is bool:
        return "bool"
    if t is complex:
        return "c128"
    if isinstance(value, np.generic):
        return SCALAR_NAMES.get(value.dtype)
    if isinstance(value, np.ndarray):
        return array_kind(value, what)
    if isinstance(value, _ringback.Callback):
        if value._shim is None:  # type: ignore[attr-defined]
            raise CompileError(
                f"{what} is {value!r}, which runs in the interpreter: compiled functions call compiled callbacks only"
            )
        return Function(value.signature)
    if t is tuple and value:
        kinds = tuple(kind_of(item, f"{what}[{i}]") for i, item in enumerate(value))
        if None not in kinds:
            return kinds
    if isinstance(value, tuple) and any(isinstance(item, np.ndarray) for item in _items(value)):
        raise CompileError(
            f"{what} is a {t.__name__} that holds an array, which would be a frozen copy: use a plain tuple of numbers and "
            f"arrays, or the array by a name of its own"
        )
    return None


def _items(value: Any) -> Iterator[Any]:
    for item in value:
        if isinstance(item, tuple):
            yield from _items(item)
        else:
            yield item


def base_array(value: np.ndarray) -> np.ndarray:
    """The array itself: a subclass may say anything of its shape and its memory."""
    return value if type(value) is np.ndarray else np.asarray(value)


def array_kind(value: np.ndarray, what: str) -> Kind:
    """The type as which an array is lifted; a 0-dimensional one is a scalar, by its present value."""
    if isinstance(value, np.ma.MaskedArray):
        raise CompileError(
            f"{what} is a masked array, whose mask compiled code would ignore: use .filled() or .compressed()"
        )
    value = base_array(value)
    element = SCALAR_NAMES.get(value.dtype)
    if element is None or not value.dtype.isnative:
        raise CompileError(
            f"{what} is an array of {value.dtype.str!r}: elements must be bool, integers, floats or complex numbers in "
            f"the machine's byte order; convert it with .astype"
        )
    if value.ndim == 0:
        return element
    if value.ndim > 4:
        raise CompileError(f"{what} is an array of {value.ndim} dimensions: 1 to 4 are supported; reshape it")
    if not value.flags.aligned:
        raise CompileError(f"{what} is an array that is not aligned in memory: make a copy of it")
    flags = value.flags
    return Array(element, value.ndim, "C" if flags.c_contiguous else "F" if flags.f_contiguous else "any")


def leaves(kind: Kind, value: Any) -> Iterator[tuple[str | Array | Function, Any]]:
    """The scalars, arrays and callbacks of a lifted value."""
    if isinstance(kind, (str, Array, Function)):
        yield kind, value
    else:
        for inner, item in zip(kind, value, strict=True):
            yield from leaves(inner, item)


def native(kind: str | Array | Function, value: Any) -> Any:
    """A leaf as `_ringback.Callback` takes it."""
    if isinstance(kind, Function) or kind == ADDRESS:
        return value
    if isinstance(kind, str):
        return value.item() if isinstance(value, (np.generic, np.ndarray)) else value
    value = base_array(value)
    return value, value.__array_interface__["data"][0], value.shape, value.strides


def frozen_key(value: Any) -> tuple[Any, ...]:
    """What stands for a value that is compiled into code."""
    t = type(value)
    if t in (str, bytes, int, bool, type(None)):
        return (t, value)
    if t is float:
        return (t, value.hex())
    if t is complex:
        return (t, value.real.hex(), value.imag.hex())
    if isinstance(value, np.generic):
        # The same bytes are another value in another unit of time, or in fields of other names.
        return (t, repr(value.dtype), value.tobytes())
    if t is tuple:
        return (t, *map(frozen_key, value))
    # Kept alive by whoever keeps the key, so that the identity cannot be taken by another object.
    return ("is", id(value))


class Recent(NamedTuple):
    """A callback without bound parameters, and all that decided what it is."""

    values: list[tuple[Path, Any]]
    callback: Any

    def still_holds(self, values: list[tuple[Path, Any]]) -> bool:
        """Whether the very same objects are captured."""
        return len(self.values) == len(values) and all(
            a[1] is b[1] and a[0] == b[0] for a, b in zip(self.values, values, strict=True)
        )


class Plan:
    """What code objects refer to, and what of that has to be frozen."""

    def __init__(self, code: types.CodeType) -> None:
        self.code = code
        self.paths = list(dict.fromkeys(_paths(code, code.co_freevars)))
        self.frozen: set[Path] = set()
        positional, keyword = code.co_argcount, code.co_kwonlyargcount
        self.positional = code.co_varnames[:positional]
        self.keyword_only = code.co_varnames[positional : positional + keyword]
        # The names of all parameters, in order.
        self.parameters = (*self.positional, *self.keyword_only)
        self.variadic = bool(code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS))
        self.suspends = bool(code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))
        # The first name outside the function that is assigned to, and what it is.
        self.assigned = next(_assigned(code, code.co_freevars), None)
        # The first name that is one thing in the function and another in a function in it.
        self.ambiguous = next((name for name in code.co_freevars if name in set(_globals(code))), None)
        # Whether pytest has put its own code in place of an `assert`.
        self.rewritten = "@pytest_ar" in code.co_names
        # The last callback made without bound data, for each signature and error model.
        self.recent: dict[tuple[str, str | None], Recent] = {}

    def values(self, function: types.FunctionType) -> list[tuple[Path, Any]]:
        """The present value of everything that the function refers to."""
        if self.assigned is not None:
            # Numba would compile the first kind, and the assignment would be to a variable that nothing reads.
            name, what = self.assigned
            raise CompileError(
                f"{function.__name__} assigns to {name}, {what}: compiled code cannot; keep the value in an array, and bind "
                f"it to a parameter that the signature says is `mut [f64]`, or use rb.interpreted({function.__name__})"
            )
        if self.ambiguous is not None:
            raise CompileError(
                f"{function.__name__} reads {self.ambiguous} as a global variable and as a variable of the function around it: "
                f"give one of them another name"
            )
        if self.rewritten:
            raise CompileError(
                f"{function.__name__} has an `assert` that pytest has rewritten into what cannot be compiled: define the function "
                f"in a module that is no test, raise an exception in place of `assert`, or write PYTEST_DONT_REWRITE into the "
                f"docstring of the test's module"
            )
        # Several paths may end at the same object: `table.size` and `table[0]`.
        found: dict[Path, Any] = {}
        # Each name is read once: another thread may give it another value meanwhile, even one of another kind.
        read: dict[Path, Any] = {}
        for path in self.paths:
            root = path[:1]
            value = read[root] if root in read else read.setdefault(root, self._lookup(function, path[0]))
            if len(path) == 1 or (type(value) is types.ModuleType and is_constant_module(value)):
                path = path[:1]
                _refuse_bare_module(function, path, value)
                found[path] = value
                continue
            for depth, attribute in enumerate(path[1:], 1):
                if not isinstance(value, types.ModuleType) or is_constant_module(value):
                    path = path[:depth]
                    break
                way = path[: depth + 1]
                try:
                    value = read[way] if way in read else read.setdefault(way, getattr(value, attribute))
                except AttributeError:
                    raise CompileError(
                        f"{function.__name__} refers to {'.'.join(path[: depth + 1])}, which does not exist"
                    ) from None
            _refuse_bare_module(function, path, value)
            found[path] = value
        return list(found.items())

    def _lookup(self, function: types.FunctionType, name: str) -> Any:
        closure = function.__closure__
        if closure is not None and name in (free := self.code.co_freevars):
            try:
                return closure[free.index(name)].cell_contents
            except ValueError:
                raise CompileError(
                    f"{function.__name__} refers to {name}, which has no value yet: define it before"
                ) from None
        try:
            return function.__globals__[name]
        except KeyError:
            pass
        try:
            return getattr(builtins, name)
        except AttributeError:
            raise CompileError(f"{function.__name__} refers to {name}, which is not defined") from None


def _refuse_bare_module(function: types.FunctionType, path: Path, value: Any) -> None:
    """Behind another name, attributes of a module would be compiled in, and stale when they change."""
    if isinstance(value, types.ModuleType) and not is_constant_module(value):
        name = ".".join(path)
        raise CompileError(
            f"{function.__name__} uses the module {name} as a value: write {name}.attribute where it is read"
        )


def _paths(code: types.CodeType, free: tuple[str, ...]) -> Iterator[Path]:
    """Names read from globals and closures, with the attributes read from them at once."""
    path: list[str] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname == "EXTENDED_ARG":
            continue
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and path:
            path.append(instruction.argval)
            continue
        if path:
            yield tuple(path)
        path = []
        is_global = instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
        is_free = instruction.opname in ("LOAD_DEREF", "LOAD_CLOSURE") and instruction.argval in free
        if is_global or is_free:
            path = [instruction.argval]
    if path:
        yield tuple(path)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            # A name that is free there and not here belongs to a variable of this function.
            yield from _paths(constant, tuple(name for name in constant.co_freevars if name in free))


def _globals(code: types.CodeType) -> Iterator[str]:
    """Names of global variables that a function, or a function in it, reads."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals(constant)


def _assigned(code: types.CodeType, free: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Names of the module, or of the functions around this one, that it, or a function in it, assigns to or deletes."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in free:
            yield instruction.argval, "a variable of the function around it"
        elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield instruction.argval, "a global variable"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _assigned(constant, tuple(name for name in constant.co_freevars if name in free))


_plans: dict[int, Plan] = {}


def plan_of(code: types.CodeType) -> Plan:
    """The plan of a code object, made once; it keeps the code object, and so its identity, alive."""
    known = _plans.get(id(code))
    if known is None:
        known = _plans.setdefault(id(code), Plan(code))
    return known
