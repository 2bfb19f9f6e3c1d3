"""The manifest: what is in a library and what it needs, as lines of text that can be read before it is loaded.

A line is a key, a space, and a value in which line ends and backslashes are escaped. Keys that a reader does not know it passes
over. docs/export.md is the reference.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from importlib.metadata import version
from typing import Any

import llvmlite.binding as llvm

from ..backend.target import Target
from ..callback import Callback, native_signature
from ..capture import plan_of


def parameter_names(callback: Callback) -> list[str]:
    """The names of the parameters that the signature passes, in order."""
    count = len(native_signature(callback).parameters)
    return [p for p in plan_of(callback._function.__code__).positional if p not in callback._bound][:count]


def documentation(callback: Callback) -> str:
    """The docstring, without its indentation."""
    return inspect.cleandoc(callback._function.__doc__ or "")


def printable(text: str) -> str:
    """Text for a comment in C and in Rust: without what compilers refuse there or warn of."""
    return _UNPRINTABLE.sub("\ufffd", re.sub(r"\r\n?", "\n", text))


# Control characters, marks that change the direction of writing, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def write(callbacks: dict[str, Callback], target: Target, digest: str, blas: list[str]) -> str:
    """The manifest of a library; `blas` has the names of the libraries that linear algebra comes from.

    `digest` is a hash of its code and data: a loader tells versions of a file by it.
    """
    lines: list[tuple[str, str]] = [
        ("ringback", version("ringback")),
        ("numba", version("numba")),
        ("llvm", ".".join(map(str, llvm.llvm_version_info))),
        ("target", llvm.get_default_triple()),
        ("content", f"sha256:{digest}"),
        ("cpu", target.name),
        ("features", " ".join(target.needs)),
        *([("blas", " ".join(blas))] if blas else []),
    ]
    for name, callback in callbacks.items():
        code = callback._function.__code__
        lines += [
            ("function", name),
            ("signature", native_signature(callback).text),
            ("parameters", " ".join(parameter_names(callback))),
            ("bound", " ".join(callback._bound)),
            ("doc", documentation(callback)),
            ("place", f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}"),
            ("source", _source_hash(callback._function)),
        ]
    return "".join(f"{key} {_escaped(value)}\n" for key, value in lines)


def _escaped(text: str) -> str:
    # Surrogates cannot be written; a docstring may have some.
    text = text.encode("utf-8", "replace").decode()
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\0", " ")


def _source_hash(function: Any) -> str:
    """SHA-256 of the source text, or of the bytecode where there is no source."""
    try:
        return f"sha256:{hashlib.sha256(inspect.getsource(function).encode()).hexdigest()}"
    except (OSError, TypeError):
        return f"bytecode-sha256:{hashlib.sha256(function.__code__.co_code).hexdigest()}"
