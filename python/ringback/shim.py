"""The shim: from Ringback's calling convention to the function's own parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _numba, firstclass
from .callback import Ties
from .capture import ADDRESS, Array, Function, Kind
from .signature import Parameter, Signature


def shim_source(
    signature: Signature,
    parameters: list[str],
    free: list[str],
    bound: dict[str, tuple[Kind, bool]],
    captured: list[Kind],
    ties: Ties = (),
) -> tuple[str, dict[str, Any], list[Any], Any, list[str]]:
    """Source of the shim, the names it uses, its parameter types and result type, and the kinds of its slots."""
    scope: dict[str, Any] = {}
    types: list[Any] = []
    values: dict[str, str] = {}
    lines: list[str] = []

    def helper(prefix: str, value: Any) -> str:
        name = f"{prefix}_{len(scope)}"
        scope[name] = value
        return name

    for i, (name, parameter) in enumerate(zip(free, signature.parameters, strict=True)):
        types.append(_passed_type(parameter))
        values[name] = f"v{i}"
        lines.append(f"    v{i} = {_argument(parameter, f'a{i}', helper)}")
    slots: list[str] = []
    for name, (kind, mutable) in bound.items():
        values[name] = f"b{len(slots)}"
        lines.append(f"    b{len(slots)} = {_bound(kind, mutable, slots, helper)}")
    own = tuple(tuple((free[i], axis) for i, axis in group) for group in signature.ties)
    lines += _ties(own + ties, values)
    extra = [_bound(kind, False, slots, helper) for kind in captured]
    call = f"inner({', '.join([*(values[name] for name in parameters), *extra])})"
    arguments = "".join(f"a{i}, " for i in range(len(free)))
    result: Any
    if signature.result.kind == "void":
        # A result of nothing is reported as status -2 by Numba; a number is not.
        lines += [f"    {call}", "    return 0"]
        result = _numba.types.int64
    else:
        lines.append(f"    return {call}")
        element = _numba.SCALARS[signature.result.element or ""]
        one = signature.result.kind == "scalar"
        result = element if one else _numba.types.UniTuple(element, signature.result.length)
    source = f"def shim({arguments}env):\n" + "\n".join(lines) + "\n"
    return source, scope, [*types, _numba.types.voidptr], result, slots


def _passed_type(parameter: Parameter) -> Any:
    if parameter.kind == "pointer":
        return _numba.pointer_type(parameter.element)
    if parameter.kind == "array" or parameter.element[0] == "c":
        return _numba.types.voidptr
    return _numba.SCALARS[parameter.element]


def _argument(parameter: Parameter, name: str, helper: Callable[[str, Any], str]) -> str:
    if parameter.kind == "array":
        assert parameter.layout is not None
        aryty = _numba.array_type(parameter.element, parameter.ndim, parameter.layout, parameter.mutable)
        return f"{helper('view', _numba.view(aryty))}({name})"
    if parameter.kind == "scalar" and parameter.element[0] == "c":
        return f"{helper('load', _numba.load(_numba.SCALARS[parameter.element]))}({name})"
    return name


def _bound(kind: Kind, mutable: bool, slots: list[str], helper: Callable[[str, Any], str]) -> str:
    """An expression for a bound value; fills in the kinds of its slots."""
    if isinstance(kind, Array):
        place = helper("slot", _numba.slot(len(slots), True))
        slots.append(f"array{kind.ndim}")
        aryty = _numba.array_type(kind.element, kind.ndim, kind.layout, mutable)
        return f"{helper('view', _numba.view(aryty))}({place}(env))"
    if isinstance(kind, Function):
        place = helper("slot", _numba.slot(len(slots), True))
        slots.append("function")
        return f"{helper('callback', firstclass.load_callback(kind.signature))}({place}(env))"
    if kind == ADDRESS:
        place = helper("slot", _numba.slot(len(slots), True))
        slots.append(kind)
        return f"{place}(env)"
    if isinstance(kind, str):
        place = helper("slot", _numba.slot(len(slots), kind[0] == "c"))
        slots.append(kind)
        return f"{helper('load', _numba.load(_numba.SCALARS[kind]))}({place}(env))"
    return f"({', '.join(_bound(inner, mutable, slots, helper) for inner in kind)},)"


def _ties(ties: Ties, values: dict[str, str]) -> list[str]:
    lines = []
    for (first, axis), *others in ties:
        for other, other_axis in others:
            said = (
                f"the length of {other} along axis {other_axis} must be that of {first} along axis {axis}; "
                f"found, expected:"
            )
            here, there = f"{values[other]}.shape[{other_axis}]", f"{values[first]}.shape[{axis}]"
            lines += [f"    if {here} != {there}:", f"        raise ValueError({said!r}, {here}, {there})"]
    return lines
