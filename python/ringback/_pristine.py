"""Whether somebody has taught Numba something: implementations of functions, settings. Such code is not kept on disk.

One of the files that touch Numba's internals.
"""

from __future__ import annotations

import importlib.util
import types
from collections.abc import Iterator
from typing import Any

from numba.core import config, imputils
from numba.core import types as numba_types
from numba.core.typing import templates

_OURS = frozenset({"numba", "ringback", "llvmlite"})
_TEMPLATES = frozenset({templates.FunctionTemplate, templates.AttributeTemplate})
_counted: list[tuple[tuple[int, ...], bool]] = []


def registrations() -> bool:
    """Whether all implementations that Numba knows are Numba's and ours."""
    lists = [
        templates.builtin_registry.functions, templates.builtin_registry.attributes, templates.builtin_registry.globals,
        imputils.builtin_registry.functions, imputils.builtin_registry.getattrs, imputils.builtin_registry.setattrs,
        imputils.builtin_registry.casts, imputils.builtin_registry.constants,
    ]  # fmt: skip
    # They only grow.
    counts = tuple(map(len, lists))
    if not _counted or _counted[-1][0] != counts:
        _counted.append((counts, not any(_foreign(item) for one in lists for item in one)))
    return _counted[-1][1]


def _foreign(item: Any) -> bool:
    return any(module.partition(".")[0] not in _OURS for module in _modules(item, 0))


def _modules(item: Any, depth: int) -> Iterator[str]:
    """The modules of the functions and classes in a registration."""
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], numba_types.Function):
        # A function and the type that it has: the function may be anybody's, so what counts is what gives the type.
        yield from _modules(list(item[1].templates), depth)
    elif isinstance(item, (tuple, list)):
        for part in item:
            yield from _modules(part, depth)
    elif isinstance(item, types.FunctionType):
        # Where it was written, and not where it says that it belongs.
        yield item.__globals__.get("__name__") or "?"
        for cell in item.__closure__ or ():
            if depth < 4:
                yield from _modules(cell.cell_contents, depth + 1)
    # Not with issubclass: abstract classes ask all that derive from them, which takes seconds.
    elif isinstance(item, type) and not _TEMPLATES.isdisjoint(item.__mro__):
        # `key` is the function that is implemented, which may be anybody's.
        values = [value for name, value in vars(item).items() if name != "key"]
        values = [value.__func__ if isinstance(value, staticmethod | classmethod) else value for value in values]
        functions = [value for value in values if isinstance(value, types.FunctionType)]
        yield from _modules(functions, depth + 1)
        # Numba's decorators make classes that say they come from `abc`.
        if not functions or item.__module__ != "abc":
            yield item.__module__


def settings() -> bool:
    """Whether Numba's settings are what the environment says."""
    spec = importlib.util.find_spec("numba.core.config")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return all(
        getattr(config, name, None) == value
        for name, value in vars(fresh).items()
        if name.isupper() and (value is None or isinstance(value, (bool, int, float, str)))
    )
