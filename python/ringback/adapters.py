"""Plain C functions that call a callback: compiled once for each C convention and each signature."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as llvm
from numba import cfunc
from numba.core import cgutils
from numba.extending import intrinsic

from . import _ringback
from ._numba import pointer_type, types
from .conventions import C_ADDRESS, Convention, CParameter
from .signature import Signature

_BYTE = llvm.IntType(8)
_BYTES = _BYTE.as_pointer()
_INT = llvm.IntType(32)
_WORD = llvm.IntType(64)

_C_TYPES = {
    "bool": types.uint8, "i8": types.int8, "i16": types.int16, "i32": types.int32, "i64": types.int64,
    "u8": types.uint8, "u16": types.uint16, "u32": types.uint32, "u64": types.uint64,
    "f32": types.float32, "f64": types.float64,
}  # fmt: skip
_NUMBERS = {"f32": llvm.FloatType(), "f64": llvm.DoubleType(), "bool": _BYTE}


def _number(element: str) -> Any:
    return _NUMBERS.get(element) or llvm.IntType(int(element[1:]))


def _c_type(parameter: CParameter) -> Any:
    if parameter.pointer:
        return pointer_type("u8" if parameter.element == "bool" else parameter.element)
    return _C_TYPES[parameter.element]


def adapter(convention: Convention, signature_text: str) -> Any:
    """A compiled C function whose last argument is the address of a `Lent`; it is never unloaded."""
    return _compile(convention, signature_text, None)


def baked(convention: Convention, signature_text: str, address: int) -> Any:
    """A compiled C function for one callback, whose address is part of the code."""
    return _compile(convention, signature_text, address)


def _compile(convention: Convention, signature_text: str, address: int | None) -> Any:
    passed = [_c_type(p) for p in convention.parameters]
    if address is None:
        passed.append(types.voidptr)
    result = types.void if convention.result is None else _C_TYPES[convention.result]
    names = [f"a{i}" for i in range(len(passed))]
    source = f"def adapter({', '.join(names)}):\n    return call(({''.join(name + ', ' for name in names)}))\n"
    scope: dict[str, Any] = {"call": _call(convention, Signature(signature_text), result, address)}
    exec(compile(source, f"<ringback C function {convention.text}>", "exec"), scope)
    return cfunc(result(*passed))(scope["adapter"])


def _call(convention: Convention, signature: Signature, result: Any, address: int | None) -> Any:
    """An intrinsic: from the C arguments to one call by Ringback's convention, and to the C result."""

    @intrinsic
    def call(typingctx, arguments):
        def codegen(context, builder, sig, args):
            passed = cgutils.unpack_tuple(builder, args[0])
            loan = llvm.Constant(_WORD, address).inttoptr(_BYTES) if address is not None else passed.pop()
            return _Body(builder, convention, signature, loan).call(passed)

        return result(arguments), codegen

    return call


class _Body:
    """The code of one C function."""

    def __init__(self, builder: Any, convention: Convention, signature: Signature, loan: Any) -> None:
        self.builder = builder
        self.convention = convention
        self.signature = signature
        self.loan = loan

    def call(self, passed: list[Any]) -> Any:
        builder, style = self.builder, self.convention.style
        element = self.signature.result.element
        kind = _WORD if element is None else _number(element)
        outcome = None
        if self.convention.result is not None:
            outcome = cgutils.alloca_once_value(builder, self.failure())
        # Reserved in the first block of the function, so that a loop round it does not grow the stack.
        ret = passed[2] if style == "filter" else cgutils.alloca_once(builder, kind)
        error = cgutils.alloca_once(builder, _BYTES)
        null = cgutils.is_null(builder, self.loan)
        with builder.if_else(null, likely=False) as (without, with_loan):
            with without:
                self.hook(0, [_INT(-1), llvm.Constant(_BYTES, None)])
            with with_loan, builder.if_then(self.may_call(passed), likely=True):
                arguments = self.arguments(passed)
                builder.store(llvm.Constant(_BYTES, None), error)
                status = self.enter(ret, error, arguments)
                good = builder.icmp_signed("==", status, _INT(0))
                with builder.if_else(good, likely=True) as (success, failure):
                    with success:
                        if outcome is not None:
                            builder.store(self.success(ret), outcome)
                    with failure:
                        self.hook(0, [status, builder.load(error)])
        # Numba returns a pointer to nothing from functions of no result.
        return llvm.Constant(_BYTES, None) if outcome is None else builder.load(outcome)

    def failure(self) -> Any:
        """What the C function returns if the call failed: 0 as a status or an integer, else NaN."""
        kind = _number(self.convention.result or "")
        return kind(float("nan") if isinstance(kind, (llvm.FloatType, llvm.DoubleType)) else 0)

    def success(self, ret: Any) -> Any:
        if self.convention.has_status:
            return _INT(1)
        value = self.builder.load(ret)
        if self.signature.result.element == "bool":
            return self.builder.zext(self.builder.icmp_unsigned("!=", value, _BYTE(0)), _BYTE)
        return value

    def hook(self, which: int, arguments: list[Any], result: Any = None) -> Any:
        """Calls one of the functions in `lent.rs`."""
        type_ = llvm.FunctionType(result or llvm.VoidType(), [_BYTES, *(a.type for a in arguments)])
        address = llvm.Constant(_WORD, _ringback.Lent.hooks()[which])
        return self.builder.call(self.builder.inttoptr(address, type_.as_pointer()), [self.loan, *arguments])

    def may_call(self, passed: list[Any]) -> Any:
        """Whether no exception is current, and C passes as many coordinates as the function takes."""
        builder, parameters = self.builder, self.signature.parameters
        go = cgutils.alloca_once_value(builder, cgutils.true_bit)
        flag = builder.gep(self.loan, [_WORD(16)])
        raised = builder.load_atomic(flag, "monotonic", 1)
        with builder.if_then(builder.icmp_unsigned("!=", raised, _BYTE(0)), likely=False):
            builder.store(builder.icmp_signed("==", self.hook(2, [], _INT), _INT(0)), go)
        if self.convention.style == "point" and parameters[0].kind != "array":
            differs = builder.icmp_signed("!=", passed[0], _INT(len(parameters)))
            with builder.if_then(builder.and_(differs, builder.load(go)), likely=False):
                self.hook(1, [_WORD(len(parameters)), builder.sext(passed[0], _WORD)])
                builder.store(cgutils.false_bit, go)
        return builder.load(go)

    def arguments(self, passed: list[Any]) -> list[Any]:
        builder, parameters = self.builder, self.signature.parameters
        match self.convention.style:
            case "point" if parameters[0].kind == "array":
                return [self.view(passed[1], [passed[0]], 8)]
            case "point":
                return [builder.load(builder.gep(passed[1], [_WORD(i)])) for i in range(len(parameters))]
            case "filter":
                return [self.view(passed[0], [passed[1]], 8)]
            case "lines":
                return [self.view(passed[0], [passed[1]], 8), self.view(passed[2], [passed[3]], 8)]
            case "coordinates":
                return [self.view(passed[0], [passed[2]], 8), self.view(passed[1], [passed[3]], 8)]
        arguments, rest = [], iter(passed)
        for parameter in parameters:
            value = next(rest)
            if parameter.kind == "array":
                size = 1 if parameter.element == "bool" else int(parameter.element.lstrip("iufc")) // 8
                shape = [next(rest) for _ in range(parameter.ndim)]
                arguments.append(self.view(value, shape, size, parameter.layout == "F"))
            elif parameter.kind == "scalar" and parameter.element == "bool":
                # Any byte but 0 is true in C, and here it is 1.
                arguments.append(builder.zext(builder.icmp_unsigned("!=", value, _BYTE(0)), _BYTE))
            else:
                arguments.append(value)
        return arguments

    def view(self, data: Any, shape: list[Any], size: int, fortran: bool = False) -> Any:
        """A pointer to `{data, shape[N], strides[N]}` of a contiguous array."""
        builder, n = self.builder, len(shape)
        place = cgutils.alloca_once(builder, llvm.ArrayType(_WORD, 1 + 2 * n))
        lengths = [length if length.type == _WORD else builder.sext(length, _WORD) for length in shape]
        strides: list[Any] = [None] * n
        step: Any = _WORD(size)
        for i in range(n) if fortran else reversed(range(n)):
            strides[i] = step
            step = builder.mul(step, lengths[i])
        for i, word in enumerate([builder.ptrtoint(data, _WORD), *lengths, *strides]):
            builder.store(word, builder.gep(place, [_INT(0), _INT(i)]))
        return builder.bitcast(place, _BYTES)

    def enter(self, ret: Any, error: Any, arguments: list[Any]) -> Any:
        builder = self.builder
        fields = builder.bitcast(self.loan, _BYTES.as_pointer())
        entry, env = (builder.load(builder.gep(fields, [_INT(i)])) for i in range(2))
        passed = [ret, error, *arguments, env]
        type_ = llvm.FunctionType(_INT, [value.type for value in passed])
        return builder.call(builder.bitcast(entry, type_.as_pointer()), passed)


assert C_ADDRESS == 64, "Numba supports 64-bit platforms"
