"""Exceptions without Python: what Numba pickled becomes plain text, and so do the values that only a call knows.

Numba's error struct points to a pickle of class, arguments and place. In an exported library it points to one line of text
instead, with a byte 1 where the value of an argument goes. For such values Numba writes a function that makes Python
objects of them; here it makes texts, by functions of `ringback-runtime`. Both are done to LLVM's text, as it is one
constant and one small function a `raise`.
"""

from __future__ import annotations

import re
from typing import Any

from .. import excinfo

# Must be the runtime's `PLACEHOLDER`.
_PLACEHOLDER = "\x01"
_PICKLE = re.compile(
    r'^(@\.?const\.pickledata\.[0-9a-f]+(?:\.\d+)?) = ([^\n]*?)\[\d+ x i8\] c"((?:[^"\\]|\\[0-9A-Fa-f]{2}|\\\\)*)"',
    re.M,
)
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2}|\\)")

# What the runtime offers in the place of Python's functions: its name, its parameters.
_TEXTS = {
    "PyFloat_FromDouble": ("ringback_text_float", "double"),
    "PyLong_FromLong": ("ringback_text_signed", "i64"),
    "PyLong_FromLongLong": ("ringback_text_signed", "i64"),
    "PyLong_FromSsize_t": ("ringback_text_signed", "i64"),
    "PyLong_FromUnsignedLong": ("ringback_text_unsigned", "i64"),
    "PyLong_FromUnsignedLongLong": ("ringback_text_unsigned", "i64"),
    "PyLong_FromSize_t": ("ringback_text_unsigned", "i64"),
    "PyBool_FromLong": ("ringback_text_bool", "i64"),
    "PyComplex_FromDoubles": ("ringback_text_complex", "double, double"),
    "PyUnicode_FromKindAndData": ("ringback_text_unicode", "i32, ptr, i64"),
}
_DECLARED = (
    "".join(f"declare noalias ptr @{name}({parameters})\n" for name, parameters in sorted(set(_TEXTS.values())))
    + "declare noalias ptr @ringback_text_tuple(i64, ptr)\n"
    + "declare i64 @ringback_text_hash(ptr)\n"
    + "declare void @ringback_text_release(ptr, i32)\n"
)
_UNWRAP = re.compile(r"^define [^\n]*@(__excinfo_unwrap_args[0-9a-f]+(?:\.\d+)?)\([^\n]*\n.*?^}$", re.M | re.S)
_FREE = re.compile(r"^[^\n]*call void @NRT_Free\([^\n]*\n", re.M)
_HASH = "@PyObject_Hash("
# What an error was raised with is given back once, when it is discarded.
_RELEASE = re.compile(r"^([^\n]*call void )@NRT_decref\((ptr [^\n)]*)\)", re.M)
_PARAMETER = re.compile(r"\(ptr (?:[a-z]+(?:\([^)]*\))? )*(%[^\s)]+)\)")
_PACK = re.compile(r"^( *%\S+ = )[^\n]*@PyTuple_Pack\(i64 (\d+), ([^\n)]*)\)[^\n]*$", re.M)
# `PyErr_SetString` is for a missing environment, and goes away with the test for it.
_HARMLESS = ("ringback_text_", "llvm.", "PyErr_SetString")
_CALL = re.compile(r"@([\w.$]+)\(")


def errors_as_text(text: str, function: Any) -> tuple[str, frozenset[str]]:
    """LLVM text in which errors are plain text; `function` stands for the place where Numba does not say one.

    Also Numba's functions that make objects of other values than numbers and texts: they are as they were, and cannot be exported.
    """
    unspeakable: set[str] = set()

    def texts(match: re.Match[str]) -> str:
        made = _with_texts(match.group(0))
        if made is None:
            unspeakable.add(match.group(1))
        return made or match.group(0)

    text, found = _UNWRAP.subn(texts, _PICKLE.sub(lambda match: _line(match, function), text))
    return text + _DECLARED if found else text, frozenset(unspeakable)


def _line(match: re.Match[str], function: Any) -> str:
    name, qualifiers, escaped = match.groups()
    raw = escaped.encode("latin-1")
    pickle = _ESCAPE.sub(lambda m: b"\\" if m.group(1) == b"\\" else bytes([int(m.group(1), 16)]), raw)
    try:
        exception, arguments, place = excinfo.unpickle(pickle)
    except Exception:
        # A pickle of something else; what reads it needs Python, and is refused for that.
        return match.group(0)
    line = error_line(exception, arguments, place, function).encode("utf-8", "replace") + b"\0"
    return f'{name} = {qualifiers}[{len(line)} x i8] c"{"".join(f"{chr(92)}{byte:02X}" for byte in line)}"'


def error_line(exception: Any, arguments: Any, place: Any, function: Any) -> str:
    """`ValueError: negative start (in logp, model.py:12)`, with the placeholder for a value that a call will know."""
    code = function.__code__
    if not place or place[1].startswith("<ringback shim"):
        place = (code.co_name, code.co_filename, code.co_firstlineno)
    if isinstance(exception, BaseException):
        exception, arguments = type(exception), exception.args
    said = ", ".join(map(_argument, arguments or ()))
    line = f"{exception.__name__}: {said} (in {place[0]}, {place[1].rsplit('/', 1)[-1]}:{place[2]})"
    return re.sub(r"[\0\n]", " ", line)


def _argument(value: Any) -> str:
    if excinfo.is_runtime_value(value):
        return _PLACEHOLDER
    text = value if isinstance(value, str) else repr(value)
    return text.replace(_PLACEHOLDER, " ")


def _with_texts(function: str) -> str | None:
    """The function that makes texts; None for other values than numbers and texts.

    It may be called more than once, so it frees nothing, and gives back what the arguments hold only if its second parameter
    says so.
    """
    released = _RELEASE.sub(r"\1@ringback_text_release(\2, i32 %ringback.release)", _FREE.sub("", function))
    head, body = _PACK.sub(_pack, released.replace(_HASH, "@ringback_text_hash(")).split("\n", 1)
    head, found = _PARAMETER.subn(r"(ptr \1, i32 %ringback.release)", head, count=1)
    if not found:
        return None
    called = set(_CALL.findall(body))
    if any(name not in _TEXTS and not name.startswith(_HARMLESS) for name in called):
        return None
    return f"{head}\n{_CALL.sub(lambda call: f'@{_TEXTS.get(call.group(1), call.groups())[0]}(', body)}"


def _pack(match: re.Match[str]) -> str:
    target, count, items = match.group(1), int(match.group(2)), match.group(3)
    lines = [f"  %ringback.items = alloca [{count} x ptr]"]
    for i, item in enumerate(items.split(", ")):
        lines += [
            f"  %ringback.item{i} = getelementptr inbounds ptr, ptr %ringback.items, i64 {i}",
            f"  store {item}, ptr %ringback.item{i}",
        ]
    return "\n".join([*lines, f"{target}call ptr @ringback_text_tuple(i64 {count}, ptr %ringback.items)"])
