"""Callbacks as values in Numba's compiled code: arguments and globals of jitted functions, bound data of callbacks.

A callback is `{entry, env}` there. A call follows Ringback's convention, which is Numba's own, so that an exception passes as
it does between jitted functions. That holds for code that Numba compiled, and for no other.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from llvmlite import ir as llvm
from numba.core import cgutils, errors
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typeconv.castgraph import Conversion
from numba.core.typing.templates import signature as typing_signature
from numba.extending import NativeValue, box, intrinsic, lower_builtin, register_model, unbox

from ._numba import SCALARS, array_type, pointer_type, types
from .signature import Parameter, Signature


class CallbackType(types.Callable):
    """The Numba type of compiled callbacks of one signature."""

    def __init__(self, text: str) -> None:
        signature = Signature(text)
        self.text = text
        self.parameters = signature.parameters
        self.arguments: tuple[Any, ...] = tuple(map(_value_type, signature.parameters))
        result = signature.result
        self.result: Any = types.none
        if result.element is not None:
            self.result = SCALARS[result.element]
            if result.kind == "array":
                self.result = types.UniTuple(self.result, result.length)
        super().__init__(name=f"ringback.Callback({text})")

    @property
    def key(self) -> Any:
        """What tells types apart."""
        return self.text

    def __reduce__(self) -> Any:
        return callback_type, (self.text,)

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Mapping[str, Any]) -> Any:
        """The signature of a call; a typing error if the arguments do not fit."""
        if kws:
            raise errors.TypingError(f"a ringback callback {self.text} takes no keyword arguments")
        if len(args) != len(self.arguments):
            raise errors.TypingError(
                f"a ringback callback {self.text} takes {len(self.arguments)} arguments, found {len(args)}"
            )
        for number, (found, wanted, parameter) in enumerate(zip(args, self.arguments, self.parameters, strict=True), 1):
            conversion = context.can_convert(found, wanted)
            if conversion is None or conversion > Conversion.safe:
                raise errors.TypingError(
                    f"argument {number} of a ringback callback {self.text}: {parameter.text} expected, found {found}"
                )
        return typing_signature(self.result, *self.arguments, recvr=self)

    def get_call_signatures(self) -> tuple[list[Any], bool]:
        """The one signature."""
        return [typing_signature(self.result, *self.arguments, recvr=self)], False

    def get_impl_key(self, sig: Any) -> Any:
        """Under which `call` below is known."""
        return CallbackType


class InterpretedType(types.Callable):
    """The Numba type of callbacks that run in the interpreter; none of them can be called."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        super().__init__(name=f"ringback.Callback({shown})")

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Mapping[str, Any]) -> Any:
        """Never: a typing error."""
        raise errors.TypingError(
            f"{self.shown} runs in the interpreter, which compiled functions do not enter: compile the function, or call it "
            f"outside of them"
        )

    def get_call_signatures(self) -> tuple[list[Any], bool]:
        """None."""
        return [], False

    def get_impl_key(self, sig: Any) -> Any:
        """Nothing is known under it."""
        return InterpretedType


def type_of(callback: Any) -> CallbackType | InterpretedType:
    """The Numba type of a callback.

    Nothing is raised here: Numba asks in C whether there is one, and CPython 3.13 prints what is raised then.
    """
    if callback._shim is None:
        return InterpretedType(repr(callback))
    return callback_type(callback.signature)


@functools.lru_cache(256)
def callback_type(text: str) -> CallbackType:
    """The Numba type of callbacks of a signature."""
    return CallbackType(text)


def _value_type(parameter: Parameter) -> Any:
    if parameter.kind == "array":
        return array_type(parameter.element, parameter.ndim, parameter.layout or "C", parameter.mutable)
    if parameter.kind == "pointer":
        return pointer_type(parameter.element)
    return SCALARS[parameter.element]


register_model(InterpretedType)(models.OpaqueModel)


@unbox(InterpretedType)
def _unbox_interpreted(typ: InterpretedType, obj: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())


@register_model(CallbackType)
class _Model(models.StructModel):
    """`owner` is the Python object, and alive as long as `meminfo`, which Numba counts references to."""

    def __init__(self, dmm: Any, fe_type: CallbackType) -> None:
        members = [
            ("entry", types.voidptr),
            ("env", types.voidptr),
            ("owner", types.voidptr),
            ("meminfo", types.MemInfoPointer(types.voidptr)),
        ]
        super().__init__(dmm, fe_type, members)


@unbox(CallbackType)
def _unbox(typ: CallbackType, obj: Any, c: Any) -> NativeValue:
    value = cgutils.create_struct_proxy(typ)(c.context, c.builder)
    for field in ("entry", "env"):
        number = c.pyapi.object_getattr_string(obj, field)
        setattr(value, field, c.pyapi.long_as_voidptr(number))
        c.pyapi.decref(number)
    value.owner = c.builder.bitcast(obj, cgutils.voidptr_t)
    # It may be kept, in a list for instance: so it holds a reference.
    value.meminfo = c.pyapi.nrt_meminfo_new_from_pyobject(cgutils.get_null_value(cgutils.voidptr_t), obj)
    return NativeValue(value._getvalue(), is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


@box(CallbackType)
def _box(typ: CallbackType, val: Any, c: Any) -> Any:
    value = cgutils.create_struct_proxy(typ)(c.context, c.builder, value=val)
    obj = c.builder.bitcast(value.owner, c.pyapi.pyobj)
    c.pyapi.incref(obj)
    c.context.nrt.decref(c.builder, typ, val)
    return obj


# Numba never unloads code: callbacks that are frozen into it live as long.
_frozen: dict[int, Any] = {}


@lower_constant(CallbackType)
def _constant(context: Any, builder: Any, ty: CallbackType, pyval: Any) -> Any:
    _frozen[id(pyval)] = pyval
    value = cgutils.create_struct_proxy(ty)(context, builder)
    # Dynamic addresses keep the code out of Numba's cache on disk, where they would mean nothing.
    value.entry = context.add_dynamic_addr(builder, pyval.entry, info=repr(pyval))
    value.env = context.add_dynamic_addr(builder, pyval.env, info=repr(pyval))
    value.owner = context.add_dynamic_addr(builder, id(pyval), info=repr(pyval))
    value.meminfo = cgutils.get_null_value(value.meminfo.type)
    return value._getvalue()


@functools.cache
def load_callback(text: str) -> Any:
    """An intrinsic that reads a callback from `{entry, env}` in the bound data of another; that one keeps it alive."""
    ty = callback_type(text)

    @intrinsic
    def load(typingctx, pointer):
        def codegen(context, builder, signature, args):
            fields = builder.bitcast(args[0], cgutils.voidptr_t.as_pointer())
            value = cgutils.create_struct_proxy(ty)(context, builder)
            value.entry = builder.load(fields)
            value.env = builder.load(builder.gep(fields, [llvm.IntType(32)(1)]))
            # Callbacks return numbers only, so it never has to be made an object again.
            value.owner = cgutils.get_null_value(cgutils.voidptr_t)
            value.meminfo = cgutils.get_null_value(value.meminfo.type)
            return value._getvalue()

        return ty(types.voidptr), codegen

    return load


@lower_builtin(CallbackType, CallbackType, types.VarArg(types.Any))
def _call(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    ty = sig.args[0]
    value = cgutils.create_struct_proxy(ty)(context, builder, value=args[0])
    passed = []
    flat = []
    for parameter, argument, kind in zip(ty.parameters, args[1:], sig.args[1:], strict=True):
        if parameter.kind == "array":
            passed.append(_view(context, builder, kind, argument))
            flat.append(types.voidptr)
        elif parameter.kind == "scalar" and parameter.element[0] == "c":
            place = cgutils.alloca_once_value(builder, argument)
            passed.append(builder.bitcast(place, cgutils.voidptr_t))
            flat.append(types.voidptr)
        else:
            passed.append(argument)
            flat.append(kind)
    flat.append(types.voidptr)
    # As the shim has it: a result of nothing is a number.
    result = types.int64 if ty.result is types.none else ty.result
    code = context.call_conv.get_function_type(result, flat).as_pointer()
    entry = builder.bitcast(value.entry, code)
    status, returned = context.call_conv.call_function(builder, entry, result, flat, [*passed, value.env])
    with cgutils.if_unlikely(builder, status.is_error):
        context.call_conv.return_status_propagate(builder, status)
    return context.get_dummy_value() if ty.result is types.none else returned


def _view(context: Any, builder: Any, aryty: Any, argument: Any) -> Any:
    """A pointer to `{data, shape[N], strides[N]}` of an array."""
    array = context.make_array(aryty)(context, builder, value=argument)
    word = llvm.IntType(64)
    place = cgutils.alloca_once(builder, llvm.ArrayType(word, 1 + 2 * aryty.ndim))
    words = [
        builder.ptrtoint(array.data, word),
        *cgutils.unpack_tuple(builder, array.shape),
        *cgutils.unpack_tuple(builder, array.strides),
    ]
    for i, item in enumerate(words):
        builder.store(item, builder.gep(place, [llvm.IntType(32)(0), llvm.IntType(32)(i)]))
    return builder.bitcast(place, cgutils.voidptr_t)
