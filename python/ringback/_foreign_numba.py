"""The intrinsic that calls a C function through its address. Touches Numba's internals."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as llvm
from numba.core import cgutils
from numba.extending import intrinsic

from ._numba import SCALARS, types
from .signature import Signature

_BYTE, _INT, _WORD = llvm.IntType(8), llvm.IntType(32), llvm.IntType(64)
_BYTES = _BYTE.as_pointer()

_EXTENDED = {"bool": "zeroext", "u8": "zeroext", "u16": "zeroext", "i8": "signext", "i16": "signext"}


def _by_value(kind: Any) -> str:
    return "" if kind.pointer else kind.element


def _number(element: str) -> Any:
    if element == "void":
        return llvm.VoidType()
    if element[0] == "f":
        return llvm.FloatType() if element == "f32" else llvm.DoubleType()
    return _BYTE if element == "bool" else llvm.IntType(int(element[1:]))


def caller(signature: Signature, plan: Any) -> Any:
    """An intrinsic that takes `(address, data, *arguments)` and returns the status (0 without one) and the value."""
    element = signature.result.element
    # A bool is handed on as the byte that C returned.
    value_type = types.uint8 if element == "bool" else SCALARS[element] if element else types.int64

    @intrinsic
    def call(typingctx, arguments):
        def codegen(context, builder, sig, args):
            address, data, *passed = cgutils.unpack_tuple(builder, args[0])
            kinds = list(sig.args[0])[2:]
            result = None
            values = []
            for step in plan.steps:
                if step.kind == "result":
                    result = cgutils.alloca_once_value(builder, cgutils.get_null_value(_number(step.type.element)))
                    values.append(builder.bitcast(result, _BYTES))
                elif step.kind == "data":
                    values.append(data)
                elif step.kind == "zero":
                    values.append(cgutils.get_null_value(_number(step.type.element)))
                elif step.kind == "count":
                    values.append(_INT(len(passed)))
                elif step.kind == "point":
                    values.append(_point(builder, passed))
                else:
                    values.append(_passed(context, builder, step, passed[step.argument], kinds[step.argument]))
            kind = llvm.FunctionType(_number(plan.result.element), [value.type for value in values])
            # Callers extend small integers; C compilers rely on it.
            extended = {i: (how,) for i, step in enumerate(plan.steps) if (how := _EXTENDED.get(_by_value(step.type)))}
            returned = builder.call(builder.bitcast(address, kind.as_pointer()), values, arg_attrs=extended)
            status: Any = _INT(0)
            value: Any = cgutils.get_null_value(context.get_data_type(value_type))
            if plan.status:
                status = returned
                if result is not None:
                    value = builder.load(result)
            elif plan.result.element != "void":
                value = returned
            return context.make_tuple(builder, sig.return_type, [status, value])

        return types.Tuple((types.int32, value_type))(arguments), codegen

    return call


def _point(builder: Any, passed: list[Any]) -> Any:
    """All numbers in a row, in memory of this call."""
    place = cgutils.alloca_once(builder, llvm.ArrayType(llvm.DoubleType(), len(passed)))
    for i, value in enumerate(passed):
        builder.store(value, builder.gep(place, [_INT(0), _INT(i)]))
    return builder.bitcast(place, _BYTES)


def _passed(context: Any, builder: Any, step: Any, value: Any, kind: Any) -> Any:
    if step.kind in ("pointer", "length"):
        array = context.make_array(kind)(context, builder, value=value)
        if step.kind == "pointer":
            return builder.bitcast(array.data, _BYTES)
        length = builder.extract_value(array.shape, step.axis)
        wanted = _number(step.type.element)
        return length if wanted.width == 64 else builder.trunc(length, wanted)
    if step.type.pointer:
        return builder.bitcast(value, _BYTES)
    return builder.zext(value, _BYTE) if step.type.element == "bool" else value
