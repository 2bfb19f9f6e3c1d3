"""What a function refers to, and those that it calls, read once: the key of code and the code itself are made of the same.

Numba takes a second to compile, in which other threads may change what names stand for. So it is not given the functions
themselves but copies, whose globals and cells hold what was read.
"""

from __future__ import annotations

import re
import types
from typing import Any

import numpy as np

from .callback import Callback
from .capture import Path, Plan, frozen_key, plan_of
from .errors import CompileError

# Numba copies constant arrays up to this size, in bytes, into the code.
FROZEN_COPY = 10**6

# What Numba calls the types of numbers.
_NUMBER = re.compile(r"bool|u?int\d+|float\d+|complex\d+")


class Reading:
    """A function as it was when it was looked at."""

    __slots__ = ("_values", "code", "defaults", "function", "jitted", "kwdefaults", "plan")

    def __init__(self, function: types.FunctionType, jitted: Any = None) -> None:
        self.function = function
        # The decorated function, if it was found by that.
        self.jitted = jitted
        self.code = function.__code__
        self.plan: Plan = plan_of(self.code)
        self.defaults: tuple[Any, ...] = function.__defaults__ or ()
        # A dictionary may change in place.
        self.kwdefaults: dict[str, Any] = dict(function.__kwdefaults__ or {})
        self._values: list[tuple[Path, Any]] | None = None

    @property
    def values(self) -> list[tuple[Path, Any]]:
        """Everything that the function refers to, read when it is first asked for."""
        if self._values is None:
            values = self.plan.values(self.function)
            # Numba copies the content of an array, and it is the content that is in the key.
            self._values = values if self.jitted is None else [(path, _copied(value)) for path, value in values]
        return self._values

    def copy(self) -> types.FunctionType:
        """A function that refers to what was read, whatever changes meanwhile. To be cleared after use (`clear`)."""
        roots: dict[str, Any] = {}
        for path, value in self.values:
            *way, last = path
            names = roots
            for name in way:
                # Of a module there is just what was read.
                names = names.setdefault(name, _Part(name)).__dict__
            names[last] = value
        cells = tuple(types.CellType(roots.pop(n)) if n in roots else types.CellType() for n in self.code.co_freevars)
        scope = {"__name__": self.function.__module__, **roots}
        copy = types.FunctionType(self.code, scope, self.function.__name__, self.defaults or None, cells or None)
        copy.__kwdefaults__ = self.kwdefaults or None
        copy.__module__ = self.function.__module__
        copy.__qualname__ = self.function.__qualname__
        return copy


class _Part(types.ModuleType):
    """What was read of a module."""


def clear(copy: types.FunctionType) -> None:
    """Lets go of what a copy refers to: Numba keeps the functions that it has compiled, and modules, for ever."""
    for cell in copy.__closure__ or ():
        try:
            _clear_part(cell.cell_contents)
        except ValueError:
            continue  # an empty cell
        del cell.cell_contents
    for value in copy.__globals__.values():
        _clear_part(value)
    copy.__globals__.clear()
    copy.__defaults__ = copy.__kwdefaults__ = None


def _clear_part(value: Any) -> None:
    if isinstance(value, _Part):
        for inner in value.__dict__.values():
            _clear_part(inner)
        value.__dict__.clear()


def declared(jitted: Any) -> tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]:
    """The signatures that a jitted function was given, if it has no others, and the types of its variables.

    Signatures with arrays do not count: an array that is bound or captured is read-only, and would fit none of them.
    """
    if not hasattr(jitted, "nopython_signatures"):
        return (), ()
    variables = tuple(sorted(jitted.locals.items()))
    if jitted._can_compile:
        return (), variables
    signatures = tuple(jitted.nopython_signatures)
    simple = all(_NUMBER.fullmatch(str(argument)) for signature in signatures for argument in signature.args)
    return signatures if simple else (), variables


def _copied(value: Any) -> Any:
    if type(value) is not np.ndarray or value.nbytes > FROZEN_COPY or value.dtype.hasobject:
        return value
    copy = np.array(value)
    copy.flags.writeable = value.flags.writeable
    return copy


class Snapshot:
    """Readings of the functions that a function calls, each made once."""

    def __init__(self) -> None:
        self._readings: dict[int, Reading] = {}

    def of(self, value: Any) -> Reading | None:
        """The reading of a plain or jitted function; None for all else, and for what comes with Numba and NumPy."""
        known = self._readings.get(id(value))
        if known is not None:
            return known
        if isinstance(value, types.FunctionType):
            if str(value.__module__).partition(".")[0] in ("numba", "numpy"):
                return None  # Numba has code of its own for it
            reading = Reading(value)
        else:
            function = getattr(value, "py_func", None)
            if not isinstance(function, types.FunctionType):
                return None
            reading = Reading(function, value)
        # It keeps the value alive, and so its identity.
        return self._readings.setdefault(id(value), reading)

    def key(self, value: Any, seen: dict[int, int]) -> tuple[Any, ...]:
        """For a function that is called: its code, and by value all that is frozen into it. Nothing for other values.

        `seen` numbers the functions that the whole key has: one may call itself, and many may call the same. Functions of
        one code may differ in what they capture, so it is not the code that tells them.
        """
        if isinstance(value, tuple) and _has_functions(value):
            raise CompileError("a tuple of functions cannot be compiled in: call the functions by their names")
        reading = self.of(value)
        if reading is None:
            return ()
        if id(value) in seen:
            return ("again", seen[id(value)])
        seen[id(value)] = len(seen)
        parts: list[Any] = [id(reading.code), repr(declared(value))]
        defaults = [*reading.defaults, *(item for _, item in sorted(reading.kwdefaults.items()))]
        for path, item in (*reading.values, *((("default", str(i)), item) for i, item in enumerate(defaults))):
            if isinstance(item, np.ndarray):
                if reading.jitted is None:
                    raise CompileError(
                        f"{reading.function.__name__} reads the array {'.'.join(path)}, which would be frozen into the "
                        f"code of the function that calls it: pass it to {reading.function.__name__} as an argument"
                    )
                parts.append((path, *_array_key(item)))
            else:
                parts.append((path, *frozen_key(item), *self.key(item, seen)))
        return tuple(parts)


def _has_functions(items: tuple[Any, ...]) -> bool:
    return any(
        _has_functions(item) if isinstance(item, tuple) else callable(item) and not isinstance(item, (Callback, type))
        for item in items
    )


def _array_key(array: np.ndarray) -> tuple[Any, ...]:
    """Numba copies small arrays into the code, and of large ones the place: the code keeps those alive."""
    what = repr(array.dtype), array.shape
    if array.nbytes <= FROZEN_COPY:
        return *what, array.tobytes()
    return *what, id(array), array.__array_interface__["data"][0], array.strides
