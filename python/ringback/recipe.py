"""How to get the callback of a function again: what must be as it was, and which numbers and arrays go where.

Engines ask for it when a plain function has passed through the door once, or one in a partial, in `rb.bind`, or
decorated with `numba.njit`. The native side then follows it: a function that differs in numbers only, as each of
`lambda t: np.exp(-k * t)` in a loop over `k`, needs no interpreter at all.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import _ringback
from .callback import Callback, native_signature
from .capture import Array, Function, Kind, Path, frozen_key, kind_of, native
from .compile import DEFAULTS, code_for, own_options
from .errors import CompileError
from .snapshot import Reading, Snapshot

# Where a value is found: ("arg", index) of the further arguments; ("leading", index), ("keyword", name) of what is bound;
# and of a function ("default", index from the end, from 1 on), ("keyword default", name), ("cell", index), ("global", name),
# ("builtin", name), ("attribute", name).
Root = tuple[str, Any]
# The function, None for the one that is asked about; the root; modules with the attribute read from each; and what is expected:
# ("same", object), the kind of a number with its slot, ("array", (slot, class of the dtype, element, dimensions, layout)), ("tuple", [expected]).
Read = tuple[Any, Root, list[tuple[Any, str]], tuple[str, Any]]

# Nothing in such objects changes while they stay the same objects, or nothing that decides on code.
_CONSTANT = (float, int, complex, bool, str, bytes, type(None), np.number, np.bool_, types.ModuleType, type)
_CONSTANT += (types.BuiltinFunctionType, np.ufunc)

# The numbers that the native side reads, by what they are passed as.
_NUMBERS: dict[Kind, tuple[type, ...]] = {
    "f64": (float, np.float64),
    "i64": (int, np.int64),
    "bool": (bool,),
    "c128": (complex, np.complex128),
}


class _NoRecipeError(Exception):
    """Something may change in place, or is read by somebody's own code."""


def recipe(
    function: types.FunctionType,
    code: types.CodeType,
    leading: tuple[Any, ...],
    keywords: dict[str, Any],
    jitted: dict[str, Any] | None,
    args: tuple[Any, ...],
    error_model: str,
    callback: Any,
) -> tuple[_ringback.Callback, list[Read]] | None:
    """The recipe for the callback that a function of this code was compiled to, with a callback to make others of.

    `leading` and `keywords` are bound to its parameters before and `args` behind the free ones; `jitted` are the options of
    `numba.njit`. None if there is none: something may change in place that the native side does not read. None too if the
    callback is not what the function is compiled to by now: other threads may have changed what it refers to.
    """
    if type(callback) is not Callback or callback._shim is None:
        return None
    reading, snapshot = Reading(function), Snapshot()
    try:
        if reading.code is not code or callback._options != _options(jitted or {}, error_model):
            return None
        slots = _Slots(callback._values)
        reads: list[Read] = []
        roots = _bound(reading, leading, keywords, args, callback)
        for (name, data), root in zip(callback._bound.items(), roots, strict=True):
            if data.mutable:
                return None
            reads.append((None, root, [], slots.expected(data.value, data.kind, name)))
        seen: set[int] = set()
        for path, value in reading.values:
            name = ".".join(path)
            kind = None if path in reading.plan.frozen else kind_of(value, name)
            if kind is None:
                reads += _unchanged(reading, None, path, value, snapshot, seen)
            else:
                reads.append((None, *_way(reading, path), slots.expected(value, kind, name)))
        # What was read above may not be what the callback was made of; its key tells.
        made = code_for(reading, snapshot, callback)
    except (_NoRecipeError, CompileError, LookupError, AttributeError, ValueError):
        return None
    if made is None or made is not callback.code or len(slots.template) != made.slot_count:
        return None
    # Arrays had better not be kept alive by a recipe.
    return _ringback.Callback(made, tuple(slots.template)) if slots.arrays else callback, reads


def _options(jitted: dict[str, Any], error_model: str) -> dict[str, Any]:
    """The options that the door takes, if each of those given is what can be compared by identity."""
    if not all(type(k) is str and (v is None or type(v) in (bool, str)) for k, v in jitted.items()):
        raise _NoRecipeError
    return {**DEFAULTS, "error_model": error_model, **own_options(jitted)}


def _bound(
    reading: Reading, leading: tuple[Any, ...], keywords: dict[str, Any], args: tuple[Any, ...], callback: Callback
) -> list[Root]:
    """Where the values of the bound parameters are found, in their order, if these are just those that are given."""
    plan = reading.plan
    names = plan.parameters
    found: dict[str, Root] = {name: ("leading", i) for i, name in enumerate(names[: len(leading)])}
    found.update((name, ("keyword", name)) for name in keywords)
    free = [name for name in names if name not in found]
    behind = free[len(native_signature(callback).parameters) :]
    found.update((name, ("arg", i)) for i, name in enumerate(behind[: len(args)]))
    if len(found) != len(leading) + len(keywords) + len(args) or not found.keys() <= callback._bound.keys():
        raise _NoRecipeError
    for name in callback._bound.keys() - found.keys():
        if name in plan.keyword_only:
            found[name] = ("keyword default", name)
        else:
            found[name] = ("default", len(plan.positional) - plan.positional.index(name))
    return [found[name] for name in callback._bound]


class _Slots:
    """The slots of a callback, in order: what is expected to be there, and what a callback to make others of has there."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self._values = values
        self.template: list[Any] = []
        self.arrays = False

    def expected(self, value: Any, kind: Kind, name: str) -> tuple[str, Any]:
        """What a lifted value is to be: numbers and arrays of the same type may differ, anything else is the same object."""
        slot = len(self.template)
        if isinstance(kind, Array):
            if type(value) is not np.ndarray:
                raise _NoRecipeError
            self.arrays = True
            self.template.append(native(kind, np.empty((0,) * kind.ndim)))
            return "array", (slot, type(value.dtype), *kind)
        if isinstance(kind, tuple) and not isinstance(kind, Function):
            return "tuple", [self.expected(item, inner, name) for item, inner in zip(value, kind, strict=True)]
        self.template.append(self._values[slot])
        if isinstance(kind, str) and type(value) in _NUMBERS.get(kind, ()):
            return kind, slot
        # The callback may have been made of another one, which was there before.
        if frozen_key(native(kind, value)) != frozen_key(self._values[slot]):
            raise _NoRecipeError
        if isinstance(kind, str) and isinstance(value, _CONSTANT):
            return "same", value
        # A callback is kept alive by the recipe, and the arrays that it is bound to had better not be.
        if isinstance(kind, Function) and all(isinstance(leaf, (bool, int, float, complex)) for leaf in value._values):
            return "same", value
        raise _NoRecipeError


def _unchanged(
    reading: Reading, owner: Any, path: Path, value: Any, snapshot: Snapshot, seen: set[int]
) -> Iterator[Read]:
    """What must be the same for a value that is compiled in, with all that a function refers to in its turn.

    `seen` are the functions that have been looked at.
    """
    yield (owner, *_way(reading, path), ("same", value))
    helper = None if isinstance(value, type) else snapshot.of(value)
    if helper is None:
        # A plain function that is none of ours to compile is Numba's or NumPy's, known by its identity.
        if not isinstance(value, (*_CONSTANT, types.FunctionType)):
            raise _NoRecipeError
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    function = helper.function
    if helper.jitted is not None:
        if getattr(value, "__dict__", {}).get("py_func") is not function:
            raise _NoRecipeError
        yield value, ("attribute", "py_func"), [], ("same", function)
    yield function, ("attribute", "__code__"), [], ("same", helper.code)
    defaults = function.__defaults__
    if function.__kwdefaults__ is not None or (defaults or ()) is not helper.defaults:
        raise _NoRecipeError  # a dictionary can be changed in place
    if not all(isinstance(constant, _CONSTANT) for constant in helper.defaults):
        raise _NoRecipeError
    yield function, ("attribute", "__defaults__"), [], ("same", defaults)
    yield function, ("attribute", "__kwdefaults__"), [], ("same", None)
    for inner, item in helper.values:
        yield from _unchanged(helper, function, inner, item, snapshot, seen)


def _way(reading: Reading, path: Path) -> tuple[Root, list[tuple[Any, str]]]:
    """The root of a path, and the modules on the way to its end."""
    name, function = path[0], reading.function
    free = reading.code.co_freevars
    scope = function.__globals__
    if type(scope) is not dict:
        raise _NoRecipeError
    if function.__closure__ is not None and name in free:
        root: Root = ("cell", free.index(name))
        value = function.__closure__[root[1]].cell_contents
    elif name in scope:
        root, value = ("global", name), scope[name]
    else:
        root, value = ("builtin", name), getattr(builtins, name)
    modules = []
    for attribute in path[1:]:
        if type(value) is not types.ModuleType or attribute not in value.__dict__:
            raise _NoRecipeError  # a property, or `__getattr__` of a module
        modules.append((value, attribute))
        value = value.__dict__[attribute]
    return root, modules
