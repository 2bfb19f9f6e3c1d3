"""Bound data: parameters that have their values before the call."""

from __future__ import annotations

import functools
import types
from typing import Any

from . import _ringback
from .callback import Callback, check_array, native_signature, scalar
from .capture import Array, kind_of, plan_of
from .compile import Data, bind_function, no_data, plain, refuse_variadic
from .signature import Signature
from .snapshot import Reading


class Bound:
    """A function with some of its parameters bound to data; compiled when a signature is asked for.

    Arrays are bound by reference: changed in place, the next call sees it.
    """

    def __init__(self, function: Any, leading: tuple[Any, ...], data: dict[str, Any]) -> None:
        self._function = function
        self._leading = leading
        self._data = data

    def bind(self, **data: Any) -> Bound:
        """The same function, with these data in place of or beside those bound before."""
        _check_names(plain(self._function)[0], data)
        return Bound(self._function, self._leading, {**self._data, **data})

    def low_level_callable(self, signature: str) -> Any:
        """A `scipy.LowLevelCallable` of a C signature: see `rb.low_level_callable`."""
        from .giveback import low_level_callable

        return low_level_callable(self, signature)

    def __repr__(self) -> str:
        name = getattr(self._function, "__name__", self._function)
        return f"<ringback bound {name}: {', '.join([*map(repr, self._leading), *self._data])}>"

    def __call__(self, *args: Any) -> Any:
        """Calls the Python function itself, in the interpreter, with the data bound to it."""
        return plain(self._function)[0](*self._leading, *args, **self._data)


def bind(function: Any, **data: Any) -> Any:
    """Bind data to parameters of a function.

    `rb.bind(logp, data=observations)` may be passed wherever a callback of the remaining parameters is asked for. Other
    data do not recompile: `g.bind(data=other)` shares its code.

    Raises
    ------
    TypeError
        If the function has no such parameter, or is no function that can be compiled.
    """
    if isinstance(function, (Callback, Bound)):
        return function.bind(**data)
    if isinstance(function, functools.partial):
        return Bound(function.func, function.args, {**function.keywords, **data})
    _check_names(plain(function)[0], data)
    return Bound(function, (), data)


def _check_names(function: types.FunctionType, data: dict[str, Any]) -> None:
    parameters = plan_of(function.__code__).parameters
    for name in data:
        if name not in parameters:
            raise TypeError(
                f"{function.__name__} has no parameter {name!r} to bind: its parameters are {', '.join(parameters)}"
            )


def compile_bound(
    function: Any, leading: tuple[Any, ...], data: dict[str, Any], trailing: tuple[Any, ...], signature: Signature, options: dict[str, Any]
) -> Callback:  # fmt: skip
    """The callback of a function with values bound to its first parameters, by name, and behind the free ones."""
    inner, own = plain(function)
    if not leading and not data and not trailing:
        return bind_function(inner, signature, {**options, **own}, {})
    reading = Reading(inner)
    refuse_variadic(reading)
    names = reading.plan.parameters
    if len(leading) > len(names):
        raise TypeError(f"{inner.__name__} takes {len(names)} arguments, found {len(leading)} bound to it")
    values = dict(zip(names, leading, strict=False))
    for name, value in data.items():
        if name in values:
            raise TypeError(f"{inner.__name__} got two values for its parameter {name!r}")
        values[name] = value
    if trailing:
        free = [name for name in names if name not in values]
        behind = free[len(signature.parameters) :]
        if len(behind) < len(trailing):
            raise TypeError(
                f"{inner.__name__} takes {len(names)} parameters ({', '.join(names)}): {len(signature.parameters)} of them "
                f"are passed by the signature {signature}, and args has {len(trailing)} values for the other {len(behind)}"
            )
        values.update(zip(behind, trailing, strict=False))
    bound = {}
    for name, value in values.items():
        kind = kind_of(value, name)
        if kind is None:
            raise TypeError(f"parameter {name!r} of {inner.__name__} is bound to {no_data(value)}")
        bound[name] = Data(value, kind, False)
    return bind_function(inner, signature, {**options, **own}, bound, reading=reading)


def bind_declared(callback: Callback, data: dict[str, Any]) -> Callback:
    """Binds parameters whose types a signature has declared."""
    function = callback._function
    if callback._shim is None or function is None:
        raise TypeError(
            f"{callback!r} runs in the interpreter: bind the data to the function, rb.interpreted(partial(f, …))"
        )
    signature = native_signature(callback)
    # The free parameters of the function, in the order of the signature.
    free = [name for name in plan_of(function.__code__).parameters if name not in callback._bound]
    bound: dict[str, Data] = dict(callback._bound)
    left: list[str] = []
    for name, parameter in zip(free, signature.parameters, strict=False):
        if name not in data:
            left.append(parameter.text)
            continue
        what = f"parameter {name!r} of {function.__name__}"
        if parameter.kind == "pointer":
            raise TypeError(f"{what} is the bare pointer {parameter.text}: bind an array to an array parameter instead")
        if parameter.kind == "array":
            value: Any = check_array(parameter, data[name], what)
            assert parameter.layout is not None
            bound[name] = Data(value, Array(parameter.element, parameter.ndim, parameter.layout), parameter.mutable)
        else:
            bound[name] = Data(scalar(parameter.element, data[name], what), parameter.element, False)
    unknown = [name for name in data if name not in free[: len(signature.parameters)]]
    if unknown:
        raise TypeError(f"{callback!r} has no free parameter {unknown[0]!r}: free are {', '.join(free)}")
    result = signature.text[: signature.text.index("(")]
    remaining = _ringback.Signature(f"{result}({', '.join(left)})")
    # A length tied to that of a bound array is no longer told by the remaining signature.
    whole = tuple(tuple((free[i], axis) for i, axis in group) for group in signature.ties)
    ties = callback._ties + tuple(group for group in whole if any(name in data for name, _ in group))
    return bind_function(function, remaining, callback._options, bound, ties)
