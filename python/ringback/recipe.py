"""How to get the callback of a function again: what must be as it was, and which numbers go where.

Engines ask for it when a plain function has passed through the door once. The native side then follows it: a function
that differs in numbers only, as each of `lambda t: np.exp(-k * t)` in a loop over `k`, needs no interpreter at all.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from .callback import Callback, native_signature
from .capture import Function, Kind, Path, kind_of
from .compile import code_for, plan_of
from .errors import CompileError

# Where a value is found: ("arg", index), ("default", index from the end, from 1 on), ("cell", index), ("global", name),
# ("builtin", name), ("attribute", name); each but the first of a function.
Root = tuple[str, Any]
# The function, None for the one that is asked about; the root; modules with the attribute read from each; and
# what is expected: ("same", object) or the kind of a number with its slot.
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
    function: types.FunctionType, code: types.CodeType, args: tuple[Any, ...], callback: Any
) -> list[Read] | None:
    """The recipe for a callback that a function of this code and further arguments have been compiled to.

    None if there is none: arrays may get other memory in place, so that they must be looked at each time. None too if
    the callback is not what the function is compiled to by now: other threads may have changed what it refers to.
    """
    if type(callback) is not Callback or callback._shim is None:
        return None
    plan = plan_of(code)
    if plan.keyword_only:
        return None
    names, first = plan.parameters, len(native_signature(callback).parameters)
    reads: list[Read] = []
    slot = 0
    try:
        for name, data in callback._bound.items():
            place = names.index(name) - first
            root = ("arg", place) if place < len(args) else ("default", len(names) - names.index(name))
            reads.append((None, root, [], _expected(data.value, data.kind, slot)))
            slot += 1
        captured = plan.values(function)
        helpers: set[int] = set()
        for path, value in captured:
            kind = None if path in plan.frozen else kind_of(value, ".".join(path))
            if kind is None:
                reads += _unchanged(function, None, path, value, helpers)
            else:
                reads.append((None, *_way(function, path), _expected(value, kind, slot)))
                slot += 1
        # What was read above may not be what the callback was made of; its key tells.
        made = code_for(function, captured, callback)
    except (_NoRecipeError, CompileError, LookupError, AttributeError, ValueError):
        return None
    if made is None or made is not callback.code or function.__code__ is not code or slot != made.slot_count:
        return None
    return reads


def _expected(value: Any, kind: Kind, slot: int) -> tuple[str, Any]:
    """What a lifted value is to be: a number may change, anything else must be the same object."""
    if isinstance(kind, str) and type(value) in _NUMBERS.get(kind, ()):
        return kind, slot
    if isinstance(kind, str) and isinstance(value, _CONSTANT):
        return "same", value
    # A callback is kept alive by the recipe, and the arrays that it is bound to had better not be.
    if isinstance(kind, Function) and all(isinstance(leaf, (bool, int, float, complex)) for leaf in value._values):
        return "same", value
    raise _NoRecipeError


def _unchanged(function: types.FunctionType, owner: Any, path: Path, value: Any, helpers: set[int]) -> Iterator[Read]:
    """What must be the same for a value that is compiled in, with all that a function refers to in its turn.

    `helpers` are the functions that have been looked at.
    """
    yield (owner, *_way(function, path), ("same", value))
    helper = value
    if type(value) is not types.FunctionType and not isinstance(value, type):
        helper = getattr(value, "__dict__", {}).get("py_func")
        if type(helper) is types.FunctionType:
            yield value, ("attribute", "py_func"), [], ("same", helper)
    if type(helper) is types.FunctionType:
        if id(helper) in helpers:
            return
        helpers.add(id(helper))
        yield helper, ("attribute", "__code__"), [], ("same", helper.__code__)
        if helper.__kwdefaults__:
            raise _NoRecipeError  # a dictionary can be changed in place
        if not all(isinstance(constant, _CONSTANT) for constant in helper.__defaults__ or ()):
            raise _NoRecipeError
        for name in ("__defaults__", "__kwdefaults__"):
            yield helper, ("attribute", name), [], ("same", getattr(helper, name))
        for inner, item in plan_of(helper.__code__).values(helper):
            yield from _unchanged(helper, helper, inner, item, helpers)
    elif not isinstance(value, _CONSTANT):
        raise _NoRecipeError


def _way(function: types.FunctionType, path: Path) -> tuple[Root, list[tuple[Any, str]]]:
    """The root of a path, and the modules on the way to its end."""
    name = path[0]
    free = function.__code__.co_freevars
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
