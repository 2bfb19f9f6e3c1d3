"""From Ringback's calling convention to that of a C function: which argument goes where, and the code that calls."""

from __future__ import annotations

import functools
import types
from typing import Any, NamedTuple

from .capture import ADDRESS
from .compile import Data, bind_function
from .ctext import CSignature, CType
from .foreign import VOID_POINTER, CFunction
from .signature import Parameter, Signature


class Step(NamedTuple):
    """One argument of the C function, and where it comes from.

    `kind` is "value", "pointer" (to the elements of an array), "length" (of an array along an axis), "point" (all numbers, as
    an array), "count" (of them), "data", "result" or "zero"; `argument` is a number among the callback's arguments.
    """

    kind: str
    type: CType
    argument: int = 0
    axis: int = 0


class Plan(NamedTuple):
    """How a C function is called for a signature. `status` is "", "zero" or "one": what an int says that stands for success."""

    steps: tuple[Step, ...]
    result: CType
    status: str


class Misfit(Exception):
    """Why a C function cannot stand for a callback."""


def callback_of(found: CFunction, signature: Signature) -> Any:
    """A callback of that signature which calls the C function.

    Raises
    ------
    TypeError
        If the C function does not fit: both types are named.
    """
    try:
        plan = plan_for(signature, found.signature, found.one_is_success)
    except Misfit as why:
        raise TypeError(
            f"expected a callback {signature}, found the C function {found.signature.text!r}: {why}"
        ) from None
    function = _function(signature.text, plan, found.signature.text)
    data = {
        "address": Data((found.address, found.owner), ADDRESS, False),
        "data": Data((found.data, found.owner), ADDRESS, False),
    }
    return bind_function(function, signature, {"boundscheck": False}, data)


def plan_for(signature: Signature, c: CSignature, one_is_success: bool = False) -> Plan:
    """Which argument goes where.

    Raises
    ------
    Misfit
        If there is no plain way to call the one as the other.
    """
    parameters = list(c.parameters)
    tail: list[Step] = []
    if parameters and parameters[-1].name == "__pyx_skip_dispatch":
        # Cython asks whether a method that Python overrides is to be looked up; 0 is what its own calls pass.
        tail.insert(0, Step("zero", parameters.pop()))
    wanted = signature.parameters
    pointers = sum(p.kind == "pointer" for p in wanted)
    if parameters and parameters[-1] == VOID_POINTER._replace(name=parameters[-1].name) and not pointers:
        tail.insert(0, Step("data", parameters.pop()))
    result, status = _result(signature, c, parameters, tail, "one" if one_is_success else "zero")
    steps = _point(signature, parameters)
    if steps is None:
        steps = _arguments(wanted, parameters)
    return Plan((*steps, *tail), result, status)


def _result(
    signature: Signature, c: CSignature, parameters: list[CType], tail: list[Step], success: str
) -> tuple[CType, str]:
    """What the C function returns, and what that means; takes a pointer to the result off the parameters."""
    wanted = signature.result
    if wanted.kind == "array" or (wanted.element or "")[:1] == "c":
        raise Misfit("C functions return one real number, or nothing")
    if c.result.element == (wanted.element or "void"):
        # A pointer to the result behind the arguments says that an integer is a status after all.
        behind = len(parameters) == len(signature.parameters) + 1 and parameters[-1].pointer
        if not (behind and c.result.element == "i32" and parameters[-1].element == "i32"):
            return c.result, ""
    if c.result.element == "i32" and wanted.element is None:
        return c.result, success
    last = parameters[-1] if parameters else None
    if c.result.element == "i32" and last is not None and last.pointer and last.element == wanted.element:
        if last.const:
            raise Misfit(f"its last argument {last.text!r} would be the result, and is const")
        tail.insert(0, Step("result", parameters.pop()))
        return c.result, success
    if c.result.element == "i32":
        raise Misfit(
            f"it returns int where {wanted.element or 'nothing'} is expected, and no pointer to a result stands behind its "
            f"arguments (int is what ctypes takes for granted where no restype is set)"
        )
    raise Misfit(f"it returns {c.result.text} where {wanted.element or 'nothing'} is expected")


def _point(signature: Signature, parameters: list[CType]) -> list[Step] | None:
    """SciPy's way to pass several numbers: `(int n, double *x)`."""
    wanted = signature.parameters
    if len(parameters) != 2 or not wanted or any(p.kind != "scalar" or p.element != "f64" for p in wanted):
        return None
    count, point = parameters
    if count.pointer or count.element != "i32" or not point.pointer or point.element != "f64":
        return None
    return [Step("count", count), Step("point", point)]


def _arguments(wanted: tuple[Parameter, ...], parameters: list[CType]) -> list[Step]:
    steps: list[Step] = []
    rest = list(parameters)

    def take(number: int, expected: str) -> CType:
        if not rest:
            raise Misfit(f"it takes {len(parameters)} arguments, and has none for argument {number} ({expected})")
        return rest.pop(0)

    for i, parameter in enumerate(wanted):
        number = i + 1
        if parameter.element[0] == "c":
            raise Misfit(f"argument {number} is {parameter.text}: C compilers differ in how they pass complex numbers")
        if parameter.kind == "array":
            steps += _array(number, parameter, functools.partial(take, number, parameter.text))
            continue
        found = take(number, parameter.text)
        pointer = parameter.kind == "pointer"
        if found.pointer != pointer or found.element != parameter.element:
            raise Misfit(f"argument {number} is {parameter.text}, its own {found.text}")
        steps.append(Step("value", found, i))
    if rest:
        raise Misfit(
            f"it takes {len(parameters)} arguments, {len(rest)} of them ({', '.join(p.text for p in rest)}) too many"
        )
    return steps


def _array(number: int, parameter: Parameter, take: Any) -> list[Step]:
    """A pointer and a length for each axis, or a length and a pointer."""
    if parameter.layout != "C":
        raise Misfit(f"argument {number} is {parameter.text}: a pointer and lengths tell of C order only")
    place = number - 1
    first = take()
    lengths_first = not first.pointer
    pointer = first
    lengths = [first] if lengths_first else []
    while len(lengths) < parameter.ndim:
        lengths.append(take())
    if lengths_first:
        pointer = take()
    if not pointer.pointer or pointer.element != parameter.element:
        raise Misfit(f"argument {number} is {parameter.text}, its own {pointer.text}")
    for length in lengths:
        if length.pointer or length.element[0] not in "iu" or length.element in ("i8", "u8", "i16", "u16"):
            raise Misfit(f"argument {number} is {parameter.text}: a length was expected, found {length.text}")
    if parameter.mutable and pointer.const:
        raise Misfit(
            f"argument {number} is {parameter.text}, which the function is to write to, its own {pointer.text}"
        )
    made = [Step("length", length, place, axis) for axis, length in enumerate(lengths)]
    made.insert(len(made) if lengths_first else 0, Step("pointer", pointer, place))
    return made


@functools.lru_cache(256)
def _function(signature_text: str, plan: Plan, text: str) -> types.FunctionType:
    """The Python function that Numba compiles: one for each signature and plan, whatever the address."""
    from ._foreign_numba import caller

    signature = Signature(signature_text)
    names = [f"a{i}" for i in range(len(signature.parameters))]
    lines = [f"def function({''.join(f'{name}, ' for name in names)}address, data):"]
    for step in plan.steps:
        if step.kind == "length" and step.type.element in ("i32", "u32"):
            bits = 31 if step.type.element == "i32" else 32
            place = f"{names[step.argument]}.shape[{step.axis}]"
            lines += [
                f"    if {place} >= {1 << bits}:",
                f"        raise OverflowError('the C function takes lengths below 2**{bits}; found', {place})",
            ]
    lines.append(f"    status, value = call((address, data, {''.join(f'{name}, ' for name in names)}))")
    if plan.status:
        good = "status == 0" if plan.status == "zero" else "status != 0"
        lines += [f"    if not ({good}):", "        raise RuntimeError('the C function failed with status', status)"]
    if signature.result.element is not None:
        lines.append("    return value" if signature.result.element != "bool" else "    return value != 0")
    scope: dict[str, Any] = {"call": caller(signature, plan)}
    exec(compile("\n".join(lines) + "\n", f"<ringback C function {text}>", "exec"), scope)
    made: types.FunctionType = scope["function"]
    made.__name__ = made.__qualname__ = f"C function {text}"
    return made
