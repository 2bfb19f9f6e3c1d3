"""How to get the callback of a function again: what must be as it was, and which numbers go where.

Engines ask for it when a plain function has passed through the door once. The native side then follows it: a function
that differs in numbers only, as each of `lambda t: np.exp(-k * t)` in a loop over `k`, needs no interpreter at all.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import _ringback
from .callback import Callback, native_signature
from .capture import Function, Kind, Path, kind_of
from .compile import plan_of

# Where a value is found: ("arg", index), ("default", index), ("cell", index), ("global", name), ("builtin", name),
# ("attribute", name); each but the first of a function.
Root = tuple[str, Any]
# The function, None for the one that is asked about; the root; modules with the attribute read from each; and
# what is expected: ("same", object) or the kind of a number with its slot.
Read = tuple[Any, Root, list[tuple[Any, str]], tuple[str, Any]]

# Nothing in such objects changes while they stay the same objects, or nothing that decides on code.
_CONSTANT = (float, int, complex, bool, str, bytes, type(None), np.number, np.bool_, types.ModuleType, type)
_CONSTANT += (types.BuiltinFunctionType, np.ufunc)


class _NoRecipeError(Exception):
    """Something may change in place."""


def recipe(function: types.FunctionType, args: tuple[Any, ...], callback: Any) -> list[Read] | None:
    """The recipe for a callback that a function and further arguments have been compiled to.

    None if there is none: arrays may get other memory in place, so that they must be looked at each time.
    """
    if type(callback) is not Callback or callback._shim is None:
        return None
    plan = plan_of(function.__code__)
    if plan.keyword_only:
        return None
    names, first = plan.parameters, len(native_signature(callback).parameters)
    reads: list[Read] = []
    slot = 0
    try:
        for name, data in callback._bound.items():
            place = names.index(name) - first
            root = ("arg", place)
            if place >= len(args):
                root = ("default", names.index(name) - len(names) + len(function.__defaults__ or ()))
            reads.append((None, root, [], _expected(data.value, data.kind, slot)))
            slot += 1
        for path, value in plan.values(function):
            kind = None if path in plan.frozen else kind_of(value, ".".join(path))
            if kind is None:
                reads += _unchanged(function, None, path, value, frozenset({id(function.__code__)}))
            else:
                reads.append((None, *_way(function, path), _expected(value, kind, slot)))
                slot += 1
    except _NoRecipeError:
        return None
    # Another thread may have compiled the function in another way meanwhile.
    return reads if slot == callback.code.slot_count else None


def _expected(value: Any, kind: Kind, slot: int) -> tuple[str, Any]:
    """What a lifted value is to be: a number may change, anything else must be the same object."""
    if type(value) in (float, np.float64) and kind == "f64":
        return "f64", slot
    if type(value) is int and kind == "i64":
        return "i64", slot
    if isinstance(kind, (str, Function)) and isinstance(value, (*_CONSTANT, _ringback.Callback)):
        return "same", value
    raise _NoRecipeError


def _unchanged(
    function: types.FunctionType, owner: Any, path: Path, value: Any, seen: frozenset[int]
) -> Iterator[Read]:
    """What must be the same for a value that is compiled in, with all that a function refers to in its turn."""
    yield (owner, *_way(function, path), ("same", value))
    helper = value if type(value) is types.FunctionType else getattr(value, "py_func", None)
    if type(helper) is types.FunctionType:
        if id(helper.__code__) in seen:
            return
        yield helper, ("attribute", "__code__"), [], ("same", helper.__code__)
        for name in ("__defaults__", "__kwdefaults__"):
            constants = getattr(helper, name)
            for constant in constants or ():
                if not isinstance(constants[constant] if name == "__kwdefaults__" else constant, _CONSTANT):
                    raise _NoRecipeError
            if name == "__kwdefaults__" and constants:
                raise _NoRecipeError  # a dictionary can be changed in place
            yield helper, ("attribute", name), [], ("same", constants)
        for inner, item in plan_of(helper.__code__).values(helper):
            yield from _unchanged(helper, helper, inner, item, seen | {id(helper.__code__)})
    elif not isinstance(value, _CONSTANT):
        raise _NoRecipeError


def _way(function: types.FunctionType, path: Path) -> tuple[Root, list[tuple[Any, str]]]:
    """The root of a path, and the modules on the way to its end."""
    name = path[0]
    free = function.__code__.co_freevars
    if function.__closure__ is not None and name in free:
        root: Root = ("cell", free.index(name))
        value = function.__closure__[root[1]].cell_contents
    elif name in function.__globals__:
        root, value = ("global", name), function.__globals__[name]
    else:
        import builtins

        root, value = ("builtin", name), getattr(builtins, name)
    modules = []
    for attribute in path[1:]:
        modules.append((value, attribute))
        value = getattr(value, attribute)
    return root, modules
