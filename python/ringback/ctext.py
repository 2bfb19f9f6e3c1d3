"""C types and C signatures, as text and as ctypes has them; what counts of a type is its kind and its width."""

from __future__ import annotations

import ctypes
import re
import sys
from typing import Any, NamedTuple


class CType(NamedTuple):
    """A number, a pointer to such, or void.

    `element` is the number's name in Ringback's signatures, or "void"; `const` says that what is pointed to is known to be
    only read. `name` is the parameter's, where the text gives one.
    """

    element: str
    pointer: bool = False
    const: bool = False
    name: str = ""

    @property
    def text(self) -> str:
        """The type in C."""
        base = f"{'const ' if self.const else ''}{NAMES[self.element]}"
        return f"{base} *" if self.pointer else base


class CSignature(NamedTuple):
    """The type of a C function."""

    result: CType
    parameters: tuple[CType, ...]

    @property
    def text(self) -> str:
        """The type in C."""
        return f"{self.result.text} ({', '.join(p.text for p in self.parameters) or 'void'})"


class NoCType(ValueError):
    """A type that Ringback does not pass; the message says which and why."""


NAMES = {
    "bool": "bool", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t",
    "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "f32": "float", "f64": "double",
    "void": "void",
}  # fmt: skip


def _integers() -> dict[str, str]:
    """The names of integers, which compare by width."""

    def both(name: str, kind: Any, *others: str) -> dict[str, str]:
        bits = 8 * ctypes.sizeof(kind)
        signed = dict.fromkeys((name, f"signed {name}", f"{name} int", *others), f"i{bits}")
        return {**signed, f"unsigned {name}": f"u{bits}", f"unsigned {name} int": f"u{bits}"}

    word = 8 * ctypes.sizeof(ctypes.c_void_p)
    known = {
        **both("short", ctypes.c_short), **both("int", ctypes.c_int, "signed"), **both("long", ctypes.c_long),
        **both("long long", ctypes.c_longlong),
        "signed char": "i8", "unsigned char": "u8", "unsigned": f"u{8 * ctypes.sizeof(ctypes.c_int)}",
        "byte": "i8", "ubyte": "u8", "ushort": "u16", "uint": "u32",
        "longlong": "i64", "ulonglong": "u64", "ulong": f"u{8 * ctypes.sizeof(ctypes.c_ulong)}",
    }  # fmt: skip
    for bits in (8, 16, 32, 64):
        for prefix, suffix in (("int", "_t"), ("npy_int", "")):
            known[f"{prefix}{bits}{suffix}"] = f"i{bits}"
            known[f"{prefix.replace('int', 'uint')}{bits}{suffix}"] = f"u{bits}"
    for name in ("ssize_t", "Py_ssize_t", "intptr_t", "ptrdiff_t", "npy_intp"):
        known[name] = f"i{word}"
    for name in ("size_t", "uintptr_t", "npy_uintp"):
        known[name] = f"u{word}"
    return known


_KNOWN = {
    "double": "f64", "npy_double": "f64", "npy_float64": "f64", "float": "f32", "npy_float": "f32", "npy_float32": "f32",
    "bool": "bool", "_Bool": "bool", "void": "void", **_integers(),
}  # fmt: skip
_WORDS = {"unsigned", "signed", "short", "int", "long", "char", "double", "float"}
_SIGNATURE = re.compile(r"\s*([^()]+?)\s*(?:\(\s*\*\s*\))?\s*\(([^()]*)\)\s*")
_NAME = re.compile(r"(?!_[A-Z_]|complex$|imaginary$)[A-Za-z_][A-Za-z_0-9]*|__pyx_\w+", re.ASCII)
_LONGEST = 4096
_NOT_PASSED = {
    "long double": "it has no counterpart in compiled Python",
    "char": "C does not say whether it is signed",
    "...": "functions with a variable number of arguments are called in another way",
}


def parse_type(text: str) -> CType:
    """A type from its text, with or without the name of a parameter.

    Raises
    ------
    NoCType
        If it is none that can be passed.
    """
    spaced = re.sub(r"\b(?:volatile|restrict|__restrict|register)\b", " ", text).replace("*", " * ")
    spaced = re.sub(r"\[[^\]]*\]", " * ", spaced)
    words = spaced.split()
    # Behind the star it is the pointer itself that is constant.
    const, stars = "const" in (words[: words.index("*")] if "*" in words else words), words.count("*")
    words = [word for word in words if word not in ("const", "*")]
    base, name = " ".join(words), ""
    # What the compiler keeps for itself is no name: `_Complex`, `__int128`.
    if base not in _KNOWN and len(words) > 1 and words[-1] not in _WORDS and _NAME.fullmatch(words[-1]):
        base, name = " ".join(words[:-1]), words[-1]
    # `long unsigned int` is `unsigned long int`.
    if base not in _KNOWN and set(words) <= _WORDS and "unsigned" in words:
        base = " ".join(["unsigned", *sorted((word for word in words if word != "unsigned"), reverse=True)])
    element = _KNOWN.get(base)
    if element is None or stars > 1:
        why = _NOT_PASSED.get(base, "pointers to pointers are not passed" if element else "no such number is known")
        raise NoCType(f"{text.strip()!r}: {why}")
    return CType(element, bool(stars), const and bool(stars), name)


def parse_signature(text: str) -> CSignature:
    """The type of a function from its text, such as `double (int, double *, void *)`.

    Raises
    ------
    NoCType
        If it is none, or has a type that cannot be passed.
    """
    if len(text) > _LONGEST:
        raise NoCType(f"the type of a function has at most {_LONGEST} characters, found {len(text)}")
    found = _SIGNATURE.fullmatch(" ".join(text.split()))
    if found is None:
        raise NoCType(f"{text!r} is not the type of a function in C, such as 'double (double)'")
    result, inside = found.groups()
    texts = [] if inside.strip() in ("", "void") else inside.split(",")
    parameters = tuple(map(parse_type, texts))
    returned = parse_type(result)
    for i, parameter in enumerate(parameters, 1):
        if parameter.element == "void" and not parameter.pointer:
            raise NoCType(f"argument {i} is void")
    if returned.pointer or returned.name:
        raise NoCType(f"{result!r}: results are numbers or nothing")
    return CSignature(returned, parameters)


_KINDS = {"?": "bool", "b": "i", "h": "i", "i": "i", "l": "i", "q": "i", "B": "u", "H": "u", "I": "u", "L": "u", "Q": "u", "f": "f", "d": "f"}  # fmt: skip


def from_ctypes(kind: Any) -> CType:
    """A type as ctypes has it.

    Raises
    ------
    NoCType
        If it is none that can be passed.
    """
    if kind is None:
        return CType("void")
    if kind is ctypes.c_void_p:
        return CType("void", True)
    dtype = getattr(kind, "_dtype_", None)
    if dtype is not None and hasattr(kind, "_ndim_"):
        # numpy.ctypeslib.ndpointer: its checks are Python code, and not run; the shape is that of the callback's array.
        from .callback import DTYPES

        element = next((name for name, known in DTYPES.items() if known == dtype), None)
        if element is None or element[0] == "c":
            raise NoCType(f"{kind.__name__}: no such number is known")
        flags = kind._flags_ or 0
        if flags & 2 and not flags & 1 and kind._ndim_ != 1:
            raise NoCType(f"{kind.__name__}: arrays are passed in C order only")
        return CType(element, True)
    inner = getattr(kind, "_type_", None)
    if isinstance(kind, type) and issubclass(kind, ctypes._Pointer) and isinstance(inner, type):
        pointed = from_ctypes(inner)
        if pointed.pointer:
            raise NoCType(f"{kind.__name__}: pointers to pointers are not passed")
        return CType(pointed.element, True)
    if isinstance(kind, type) and issubclass(kind, ctypes._SimpleCData) and inner in _KINDS:
        letter = _KINDS[inner]
        if getattr(kind, "__ctype_le__" if sys.byteorder == "little" else "__ctype_be__", kind) is not kind:
            raise NoCType(f"{kind.__name__} in another byte order than the machine's")
        return CType("bool" if letter == "bool" else f"{letter}{8 * ctypes.sizeof(kind)}")
    raise NoCType(f"{getattr(kind, '__name__', kind)}: only numbers and pointers to them are passed")
