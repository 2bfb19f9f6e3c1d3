"""The C header that is generated beside a library."""

from __future__ import annotations

import re

from .. import _ringback
from ..callback import Callback, native_signature
from .manifest import documentation, parameter_names, printable

_C = {
    "bool": "uint8_t", "f32": "float", "f64": "double", "c64": "float", "c128": "double", "void": "void",
    **{f"i{n}": f"int{n}_t" for n in (8, 16, 32, 64)}, **{f"u{n}": f"uint{n}_t" for n in (8, 16, 32, 64)},
}  # fmt: skip


_ERRORS = """\
/*
 * A function whose result is not 0 has failed, and left an error if `*error` is not NULL any more. `record->describe(record, error,
 * buffer, size)` writes it as one line: "ValueError: negative start, -0.5 (in logp, model.py:12)", which is the class, what was said
 * with the values of that call, and the function, the file and the line that raised. The class ends at the first ": ", the place
 * begins behind the last " (in ". Then `record->discard(record, error)` frees it, once.
 */"""


def header(callbacks: dict[str, Callback], library: str, symbol: str, static: bool, blas: list[str]) -> str:
    """A function type for each callback, its documentation, and the library's symbol; `blas` as in a manifest."""
    macros = [name.upper() for name in callbacks]
    same = [name for name in callbacks if macros.count(name.upper()) > 1]
    if same:
        raise ValueError(f"the names {', '.join(same)} give the same names in C: export them by other names")
    guard = f"RINGBACK_GENERATED_{library.upper()}_H"
    parts = [
        f"/* {library}.h: callbacks exported by Ringback; generated, do not edit. */",
        f"#ifndef {guard}\n#define {guard}\n\n#include \"ringback.h\"\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif",
    ]  # fmt: skip
    parts.append(_ERRORS)
    for index, (name, callback) in enumerate(callbacks.items()):
        parts.append(_function(name, callback, index))
    if blas not in ([], ["builtin"]):
        what = "link it too" if static else "it has to be where the library is loaded"
        parts.append(f"/* Linear algebra comes from {', '.join(blas)}: {what}. */")
    how = "linked" if static else "loaded: take its address by dlsym"
    parts.append(
        f"/* The table of the library, when it is {how}. The records stand in it in the order above. */\n"
        f"extern const struct ringback_library {symbol};"
    )
    parts.append(f"#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {guard} */")
    return "\n\n".join(parts) + "\n"


def _function(name: str, callback: Callback, index: int) -> str:
    signature = native_signature(callback)
    said = printable(documentation(callback)).replace("*/", "* /").replace("/*", "/ *")
    lines = [
        f" * {line}".rstrip() for line in [f"{name}: {signature.text}", *(["", *said.split("\n")] if said else [])]
    ]
    names = c_names(parameter_names(callback))
    passed = "".join(f"{_parameter(p)}{n}, " for p, n in zip(signature.parameters, names, strict=True))
    element = signature.result.element
    result = "void" if element is None else _C[element]
    comment = "\n".join(["/*", *lines, " */"])
    return (
        f"{comment}\n#define {name.upper()}_INDEX {index}\n#define {name.upper()}_SIGNATURE \"{signature.text}\"\n"
        f"typedef int32_t {name}_entry({result} *ret, void **error, {passed}const void *env);"
    )  # fmt: skip


def _parameter(parameter: _ringback.Parameter) -> str:
    if parameter.kind == "array":
        return f"const struct ringback_view{parameter.ndim} *"
    if parameter.kind == "pointer":
        return f"{_C[parameter.element]} *"
    return f"const {_C[parameter.element]} *" if parameter.element[0] == "c" else f"{_C[parameter.element]} "


def c_names(names: list[str]) -> list[str]:
    """Names of parameters that are names in C and C++ too, all different."""
    made: list[str] = []
    for index, name in enumerate(names):
        if not name.isascii():
            name = f"parameter{index}"
        while name in _TAKEN or _MACRO.fullmatch(name) or name in made:
            name += "_"
        made.append(name)
    return made


# Of the headers that ringback.h includes: types and macros.
_MACRO = re.compile(
    r"u?int(_least|_fast)?\d+_t|u?int(ptr|max)_t|(U?INT|PTRDIFF|SIG|SIZE|WCHAR|WINT)\w*_(MIN|MAX|C)|__\w+"
)
# What C or C++ has taken, further names of those headers, macros of compilers, and the convention's own parameters.
_TAKEN = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const const_cast constexpr
    continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if
    inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename typeof union unsigned using virtual void volatile wchar_t while xor
    xor_eq ret error env NULL offsetof size_t ptrdiff_t max_align_t linux unix i386 char8_t char16_t char32_t co_await co_return
    co_yield consteval constinit typeof_unqual _Alignas _Alignof _Atomic _BitInt _Bool _Complex _Decimal128 _Decimal32
    _Decimal64 _Generic _Imaginary _Noreturn _Static_assert _Thread_local
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)
