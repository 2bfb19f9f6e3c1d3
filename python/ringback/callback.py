"""The handle that Python holds: compiled code with its bound data."""

from __future__ import annotations

import ctypes
import operator
from typing import Any

import numpy as np

from . import _ringback
from .capture import ADDRESS, base_array
from .signature import Parameter, Signature

_CTYPES: dict[str, Any] = {
    "bool": ctypes.c_uint8, "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
    "f32": ctypes.c_float, "f64": ctypes.c_double, "c64": ctypes.c_float * 2, "c128": ctypes.c_double * 2,
}  # fmt: skip
DTYPES = {
    "bool": np.dtype(np.bool_), "i8": np.dtype(np.int8), "i16": np.dtype(np.int16), "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64), "u8": np.dtype(np.uint8), "u16": np.dtype(np.uint16), "u32": np.dtype(np.uint32),
    "u64": np.dtype(np.uint64), "f32": np.dtype(np.float32), "f64": np.dtype(np.float64),
    "c64": np.dtype(np.complex64), "c128": np.dtype(np.complex128),
}  # fmt: skip


# Groups of (parameter's name, axis) whose lengths must be equal, where one of the parameters is bound.
Ties = tuple[tuple[tuple[str, int], ...], ...]


# Of the native class itself: a class derived from it may call something else by these names.
_native_code = _ringback.Callback.code.__get__  # type: ignore[attr-defined]
_native_entry = _ringback.Callback.entry.__get__  # type: ignore[attr-defined]
_native_env = _ringback.Callback.env.__get__  # type: ignore[attr-defined]


def native_signature(callback: _ringback.Callback) -> Signature:
    """The signature of any callback as an object (`Callback.signature` is its text)."""
    return _native_code(callback).signature


class Callback(_ringback.Callback):
    """A compiled function, with the data bound to it.

    Made by `rb.compile`, `rb.cfunc`, `rb.interpreted` and wherever a plain function is passed as a callback. Calling it runs
    the compiled code; an exception raised in it is raised as itself. It may be passed to any Rust function that takes
    a callback of its signature.
    """

    _function: Any
    _shim: Any
    _options: dict[str, Any]
    _bound: dict[str, Any]
    _values: tuple[Any, ...]
    _ties: Ties

    def __new__(cls, *_: Any, **__: Any) -> Callback:
        """Refuses: bound data come with addresses, which only the package's own modules may give."""
        raise TypeError("callbacks are made by rb.compile, rb.cfunc, rb.bind and rb.interpreted")

    @classmethod
    def _of(
        cls,
        code: _ringback.Code,
        values: tuple[Any, ...],
        function: Any,
        shim: Any,
        options: dict[str, Any],
        bound: dict[str, Any],
        ties: Ties = (),
    ) -> Callback:
        self: Any = _ringback.Callback.__new__(cls, code, values)
        self._values = values
        self._function = function
        self._shim = shim
        self._options = options
        self._bound = bound
        self._ties = ties
        return self

    @property
    def signature(self) -> str:  # type: ignore[override]
        """Canonical text, such as `"f64([f64], mut [f64])"`; bound parameters are not part of it."""
        return self.code.signature.text

    @property
    def __name__(self) -> str:
        return getattr(self._function, "__name__", "callback")

    @property
    def __wrapped__(self) -> Any:
        """The Python function."""
        return self._function

    def __repr__(self) -> str:
        names = [name for name, data in self._bound.items() if data.kind != ADDRESS]
        bound = f", bound: {', '.join(names)}" if names else ""
        return f"<ringback callback {self.__name__}: {self.signature}{bound}>"

    def __reduce__(self) -> Any:
        raise TypeError("compiled callbacks cannot be pickled: pickle the Python function, and compile it there")

    def inspect_llvm(self) -> str:
        """The optimised LLVM text of the code."""
        return self._code_of("inspect_llvm").llvm()

    def inspect_asm(self) -> str:
        """The assembly text of the code."""
        return self._code_of("inspect_asm").asm()

    def _code_of(self, what: str) -> Any:
        if self._shim is None:
            raise TypeError(f"{self!r} runs in the interpreter: there is no compiled code for {what} to show")
        return self._shim

    def export(self, path: Any, **options: Any) -> Any:
        """Writes the callback to a library for programs without Python: see `rb.export`."""
        from .exports import export

        return export(self, path, **options)

    def bind(self, **data: Any) -> Callback:
        """A callback with fewer parameters: those named are bound to data, by reference for arrays.

        Values must be of the types that the signature declares. Other data do not recompile.
        """
        from .bind import bind_declared

        return bind_declared(self, data)

    @property
    def _numba_type_(self) -> Any:
        """Numba asks for this when a jitted function is given the callback."""
        from .firstclass import type_of

        return type_of(self)

    @property
    def _plain_c(self) -> Any:
        made = self.__dict__.get("_made_plain_c")
        if made is None:
            from .giveback import PlainC

            made = self.__dict__["_made_plain_c"] = PlainC(self)
        return made

    @property
    def address(self) -> int:
        """Address of a plain C function, such as `double (*)(double)`; valid as long as the callback lives.

        Numbers are passed by value, arrays as a pointer and their lengths. It is compiled when it is first asked for.
        An exception has no place in such a convention: see docs/interchange.md.
        """
        return self._plain_c.address

    @property
    def ctypes(self) -> Any:
        """The plain C function as a ctypes function; it raises what the callback raises."""
        return self._plain_c.ctypes(self)

    @property
    def cffi(self) -> Any:
        """The plain C function as a cffi function pointer."""
        return self._plain_c.cffi

    def low_level_callable(self, signature: str | None = None) -> Any:
        """A `scipy.LowLevelCallable`, for `quad`, `nquad` and `scipy.ndimage`: see `rb.low_level_callable`."""
        from .giveback import low_level_callable

        return low_level_callable(self, signature)

    @property
    def _caller(self) -> Any:
        caller = self.__dict__.get("_made_caller")
        if caller is None:
            caller = self.__dict__["_made_caller"] = _prototype(native_signature(self))(_native_entry(self))
        return caller

    def __call__(self, *args: Any) -> Any:
        """Runs the compiled code."""
        signature = native_signature(self)
        parameters = signature.parameters
        if len(args) != len(parameters):
            raise TypeError(f"{self!r} takes {len(parameters)} arguments, found {len(args)}")
        keep: list[Any] = []
        passed = [_argument(p, i, value, keep) for i, (p, value) in enumerate(zip(parameters, args, strict=True), 1)]
        result = _result_buffer(signature)
        error = ctypes.c_void_p()
        status = self._caller(ctypes.byref(result), ctypes.byref(error), *passed, _native_env(self))
        if status:
            raise self._raise(status, error.value or 0)
        return _result(signature, result)


def _prototype(signature: Signature) -> Any:
    types_ = [passed_ctype(p) for p in signature.parameters]
    return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *types_, ctypes.c_void_p)


def passed_ctype(parameter: Parameter) -> Any:
    """The ctypes type in which the calling convention passes a parameter."""
    by_value = parameter.kind == "scalar" and parameter.element[0] != "c"
    return _CTYPES[parameter.element] if by_value else ctypes.c_void_p


def _result_buffer(signature: Signature) -> Any:
    if signature.result.element is None:
        return ctypes.c_uint64()
    return (_CTYPES[signature.result.element] * signature.result.length)()


def _result(signature: Signature, buffer: Any) -> Any:
    element = signature.result.element
    if element is None:
        return None
    values = tuple(from_c(element, item) for item in buffer)
    return values[0] if signature.result.kind == "scalar" else values


def from_c(element: str, value: Any) -> Any:
    """A Python value from a ctypes one."""
    if element == "bool":
        return bool(value)
    return complex(*value) if element[0] == "c" else value


def scalar(element: str, value: Any, what: str) -> Any:
    """A Python number as the declared scalar type; a TypeError or OverflowError if it is not one."""
    try:
        if element == "bool":
            if not isinstance(value, (bool, np.bool_)):
                raise TypeError
            return bool(value)
        if element[0] in "iu":
            number = operator.index(value)
            bits = int(element[1:])
            low, high = (-(1 << bits - 1), 1 << bits - 1) if element[0] == "i" else (0, 1 << bits)
            if not low <= number < high:
                raise OverflowError(f"{what}: {number} does not fit into {element}")
            return number
        # Python would read a number from text, and NumPy drop the imaginary part.
        if isinstance(value, (str, bytes, bytearray)) or (element[0] == "f" and isinstance(value, np.complexfloating)):
            raise TypeError
        return complex(value) if element[0] == "c" else float(value)
    except TypeError:
        raise TypeError(f"{what}: {element} expected, found {type(value).__name__} {value!r}") from None


def check_array(parameter: Parameter, value: Any, what: str) -> np.ndarray:
    """An array that is just what the parameter asks for."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{what}: an array {parameter.text} expected, found {type(value).__name__}")
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{what}: {parameter.text} expected, found a masked array: use .filled() or .compressed()")
    value = base_array(value)
    wanted = DTYPES[parameter.element]
    if value.dtype != wanted:
        raise TypeError(f"{what}: {parameter.text} expected, found an array of {value.dtype}: convert it with .astype")
    if value.ndim != parameter.ndim:
        raise TypeError(f"{what}: {parameter.text} expected, found an array of {value.ndim} dimensions")
    flags = value.flags
    if (parameter.layout == "C" and not flags.c_contiguous) or (parameter.layout == "F" and not flags.f_contiguous):
        order = "np.ascontiguousarray" if parameter.layout == "C" else "np.asfortranarray"
        raise TypeError(f"{what}: {parameter.text} expected, found an array of another layout: use {order}")
    if not flags.aligned:
        raise TypeError(f"{what}: {parameter.text} expected, found an array that is not aligned: make a copy")
    if parameter.mutable and not flags.writeable:
        raise TypeError(f"{what}: {parameter.text} expected, found a read-only array")
    return value


def _argument(parameter: Parameter, number: int, value: Any, keep: list[Any]) -> Any:
    what = f"argument {number}"
    if parameter.kind == "scalar":
        number_ = scalar(parameter.element, value, what)
        if parameter.element[0] != "c":
            return number_
        parts = _CTYPES[parameter.element](number_.real, number_.imag)
        keep.append(parts)
        return ctypes.addressof(parts)
    if parameter.kind == "array":
        array = check_array(parameter, value, what)
        n = array.ndim
        view = (ctypes.c_ssize_t * (1 + 2 * n))(array.__array_interface__["data"][0], *array.shape, *array.strides)
        keep += [view, array]
        return ctypes.addressof(view)
    return _pointer(parameter, value, what, keep)


def _pointer(parameter: Parameter, value: Any, what: str, keep: list[Any]) -> Any:
    """A pointer to memory that is alive during the call: an address alone is only taken for `*void`."""
    keep.append(value)
    if value is None and parameter.element == "void":
        return None
    if isinstance(value, np.ndarray):
        value = base_array(value)
        keep.append(value)
        if parameter.element != "void" and value.dtype != DTYPES[parameter.element]:
            raise TypeError(f"{what}: {parameter.text} expected, found an array of {value.dtype}")
        return value.__array_interface__["data"][0]
    if isinstance(value, (ctypes._Pointer, ctypes.Array)):  # type: ignore[attr-defined]
        if parameter.element != "void" and value._type_ is not _CTYPES[parameter.element]:
            raise TypeError(f"{what}: {parameter.text} expected, found {type(value).__name__}")
        return ctypes.cast(value, ctypes.c_void_p).value
    if isinstance(value, ctypes.c_void_p) and parameter.element == "void":
        return value.value
    raise TypeError(
        f"{what}: {parameter.text} expected (an array or a ctypes pointer to its type), found {type(value).__name__}"
    )
