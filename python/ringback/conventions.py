"""C signatures that a callback can be given: those of SciPy, and the plain one that follows from its own."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .callback import _CTYPES
from .signature import Signature

C_ADDRESS = 8 * ctypes.sizeof(ctypes.c_void_p)


class CParameter(NamedTuple):
    """A parameter in C: a number, or a pointer to such."""

    element: str
    pointer: bool = False


class Convention(NamedTuple):
    """A C signature, and how the arguments of a callback are found in it.

    `text` is without the user data; `has_status` says that the result is 1 for success and 0 for failure.
    """

    text: str
    style: str
    result: str | None
    parameters: tuple[CParameter, ...]
    has_status: bool = False


_DOUBLE, _INT, _LONG = CParameter("f64"), CParameter("i32"), CParameter("i64")
_DOUBLES, _LONGS = CParameter("f64", True), CParameter("i64", True)

# The text with user data, what the callback must be, and whether SciPy has the same without user data.
_SCIPY: tuple[tuple[Convention, str, bool], ...] = (
    (Convention("double (double)", "plain", "f64", (_DOUBLE,)), "f64(f64)", True),
    (Convention("double (int, double *)", "point", "f64", (_INT, _DOUBLES)), "f64(f64, f64, …) or f64([f64])", True),
    (
        Convention("int (double *, npy_intp, double *)", "filter", "i32", (_DOUBLES, _LONG, _DOUBLES), True),
        "f64([f64])", False,
    ),
    (
        Convention(
            "int (double *, npy_intp, double *, npy_intp)", "lines", "i32", (_DOUBLES, _LONG, _DOUBLES, _LONG), True
        ),
        "void([f64], mut [f64])", False,
    ),
    (
        Convention("int (npy_intp *, double *, int, int)", "coordinates", "i32", (_LONGS, _DOUBLES, _INT, _INT), True),
        "void([i64], mut [f64])", False,
    ),
)  # fmt: skip

_FITS: dict[str, Callable[[Signature], bool]] = {
    "plain": lambda s: s.text == "f64(f64)",
    "point": lambda s: s.text == "f64([f64])" or _numbers_only(s),
    "filter": lambda s: s.text == "f64([f64])",
    "lines": lambda s: s.text == "void([f64], mut [f64])",
    "coordinates": lambda s: s.text == "void([i64], mut [f64])",
}


def _numbers_only(signature: Signature) -> bool:
    return signature.text == f"f64({', '.join(['f64'] * len(signature.parameters))})" and bool(signature.parameters)


def with_data(text: str) -> str:
    """The C text with user data behind the other parameters."""
    return text[:-1] + ", void *)"


def _canonical(text: str) -> str:
    text = re.sub(r"\s*([(),*])\s*", r"\1", text.strip())
    text = re.sub(r"\b(intptr_t|ssize_t|Py_ssize_t|ptrdiff_t)\b", "npy_intp", text)
    # SciPy writes the width's own name too.
    wide = "long" if ctypes.sizeof(ctypes.c_long) == C_ADDRESS // 8 else "long long"
    return re.sub(rf"(?<=[(,]){wide}(?=[,*)])", "npy_intp", text)


def scipy_convention(text: str) -> tuple[Convention, bool]:
    """The convention of a C signature as SciPy writes it, and whether it has user data.

    Raises
    ------
    TypeError
        If it is none of those that SciPy's functions ask for.
    """
    wanted = _canonical(text)
    for convention, _, both in _SCIPY:
        if wanted == _canonical(with_data(convention.text)):
            return convention, True
        if both and wanted == _canonical(convention.text):
            return convention, False
    known = ", ".join(repr(t) for c, _, both in _SCIPY for t in ([c.text] if both else []) + [with_data(c.text)])
    raise TypeError(f"{text!r} is no C signature that SciPy asks for; known are {known}")


def check_fits(convention: Convention, text: str, signature: Signature, shown: Any) -> None:
    """Refuses a callback that cannot stand behind a C signature."""
    if not _FITS[convention.style](signature):
        (needs,) = [needs for known, needs, _ in _SCIPY if known is convention]
        raise TypeError(f"{shown!r} cannot be called as {text!r}, which needs a callback {needs}")


def default_convention(signature: Signature, shown: Any) -> Convention:
    """The convention that SciPy has for functions of this signature."""
    for style in ("plain", "filter", "lines", "coordinates", "point"):
        if _FITS[style](signature):
            return next(convention for convention, _, _ in _SCIPY if convention.style == style)
    fitting = "; ".join(f"{needs} as {with_data(c.text)!r}" for c, needs, _ in _SCIPY)
    raise TypeError(f"{shown!r} has no signature that SciPy knows how to call. It calls {fitting}")


def signature_for(convention: Convention, text: str) -> str:
    """The signature to compile a function for that has none of its own."""
    (needs,) = [needs for known, needs, _ in _SCIPY if known is convention]
    if convention.style == "point":
        raise TypeError(
            f"{text!r} may stand for {needs}: say which, with rb.compile(f, 'f64(f64, f64)') or rb.compile(f, 'f64([f64])')"
        )
    return needs


_NAMES = {
    "bool": "bool", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t",
    "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "f32": "float", "f64": "double",
    "void": "void",
}  # fmt: skip


def plain_convention(signature: Signature, shown: Any) -> Convention:
    """The C signature that a callback has by itself: numbers by value, arrays as a pointer and their lengths.

    Raises
    ------
    TypeError
        If it has none.
    """

    def refuse(what: str, remedy: str) -> TypeError:
        return TypeError(f"{shown!r} has no plain C function: {what}; {remedy}")

    parameters: list[CParameter] = []
    texts: list[str] = []
    remedy = "pass the callback itself to what takes callback records (include/ringback.h)"
    for number, p in enumerate(signature.parameters, 1):
        if p.element[0] == "c":
            raise refuse(
                f"argument {number} is {p.text}, and C compilers differ in how they pass complex numbers", remedy
            )
        if p.kind == "array":
            if p.layout == "any" and p.ndim > 0:
                raise refuse(f"argument {number} is {p.text}, whose strides a pointer and lengths do not tell", remedy)
            parameters += [CParameter(p.element, True), *[_LONG] * p.ndim]
            const = "" if p.mutable else "const "
            texts += [f"{const}{_NAMES[p.element]} *", *["intptr_t"] * p.ndim]
        elif p.kind == "pointer":
            parameters.append(CParameter(p.element, True))
            texts.append(f"{_NAMES[p.element]} *")
        else:
            parameters.append(CParameter(p.element))
            texts.append(_NAMES[p.element])
    result = signature.result
    if result.kind == "array":
        raise refuse(f"the result is {signature.text[: signature.text.index('(')]}, and C has one result", remedy)
    if result.element is not None and result.element[0] == "c":
        raise refuse("the result is complex, and C compilers differ in how they return complex numbers", remedy)
    text = f"{_NAMES[result.element or 'void']} ({', '.join(texts) or 'void'})"
    return Convention(text, "plain", result.element, tuple(parameters))


def ctypes_of(convention: Convention) -> tuple[Any, list[Any]]:
    """Result and parameters as ctypes has them."""

    def one(p: CParameter) -> Any:
        number = ctypes.c_bool if p.element == "bool" else _CTYPES.get(p.element)
        if not p.pointer:
            return number
        return ctypes.c_void_p if number is None else ctypes.POINTER(number)

    result = None if convention.result is None else one(CParameter(convention.result))
    return result, [one(p) for p in convention.parameters]
