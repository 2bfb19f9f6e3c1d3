"""Exceptions raised in compiled code, restored as themselves; and errors of compilation, made readable."""

from __future__ import annotations

import ast
import functools
import os
import re
from typing import Any

from . import _ringback, excinfo, hints


class CompileError(TypeError):
    """A function cannot be compiled for the signature asked for.

    `original` is the exception of Numba, with its whole text.
    """

    def __init__(self, message: str, original: BaseException | None = None) -> None:
        super().__init__(message)
        self.original = original


def restore(code: Any, address: int) -> BaseException:
    """The exception that compiled code raised, from what it left; consumes that.

    Numba does not say where a division by zero or an index past the end was: the function's code then stands for the place.
    """
    exception, arguments, place = excinfo.take(address)
    error = make(exception, arguments)
    if place is None and code is not None:
        place = (code.co_name, code.co_filename, code.co_firstlineno)
        add_note = getattr(error, "add_note", None)  # from Python 3.11 on
        if add_note is not None:
            add_note(f"raised inside {code.co_name}, on a line that the compiled code does not record")
    return placed(error, place)


def discard(address: int) -> None:
    """Frees an error that nobody will raise."""
    excinfo.take(address)


def make(exception: Any, arguments: tuple[Any, ...]) -> BaseException:
    """An instance of the class; a class that refuses its arguments must not hide the error."""
    if isinstance(exception, BaseException):
        return exception
    try:
        return exception(*arguments)
    except Exception as refusal:
        text = f"{exception.__name__}{arguments!r} was raised in compiled code, but cannot be made: {refusal!r}"
        return RuntimeError(text)


def placed(error: BaseException, place: tuple[str | None, str, int] | None) -> BaseException:
    """The exception with the file, line and function that raised it as an entry of its traceback."""
    if not place:
        return error
    function, file, line = place
    tree = ast.parse("raise error")
    ast.increment_lineno(tree, line - 1)
    code = compile(tree, file, "exec")
    names: dict[str, Any] = {"co_name": function or "<compiled>"}
    if hasattr(code, "co_qualname"):
        names["co_qualname"] = names["co_name"]
    try:
        exec(code.replace(**names), {"error": error})
    except BaseException as raised:
        inner = raised.__traceback__
        return raised.with_traceback(inner.tb_next if inner else None)
    return error


def numba_errors(code: Any) -> _ringback.Errors:
    """The hooks for the errors of a compiled function.

    They live for ever, so they hold the function's code object and not the function, which holds what it closes over.
    Numba is not needed to read an error. That we read Numba's errors right was proved when the code was compiled
    (`self_test`).
    """
    return _ringback.Errors(functools.partial(restore, code), discard, excinfo.OFFSETS)


# As pyproject.toml has it. The LLVM of older ones (15) reads another kind of text: pointers have types in it.
OLDEST_NUMBA = (0, 62)


def too_old(numba: str) -> str | None:
    """What is wrong with a version of Numba, and what to do about it; None if nothing is, or if it is none that one can compare."""
    found = re.match(r"(\d+)\.(\d+)", numba)
    if found is None or (int(found[1]), int(found[2])) >= OLDEST_NUMBA:
        return None
    oldest = ".".join(map(str, OLDEST_NUMBA))
    return f"ringback needs Numba {oldest} or later, found {numba}: python -m pip install 'numba>={oldest}'"


@functools.cache
def self_test() -> None:
    """Raises in compiled code, with an argument known only at run time, and looks at what comes out."""
    import ctypes

    import numba

    # First: what is imported next need not be there in an older one.
    if reason := too_old(numba.__version__):
        raise RuntimeError(reason)
    from . import _numba

    def probe(x: float) -> float:
        if x > 0:
            raise ValueError("probe", x)
        if x < 0:
            raise KeyError("probe")
        return x

    names = {"inner": None}
    shim = _numba.compile_shim(
        probe, "def shim(x, env):\n    return inner(x)\n", names, [numba.float64, numba.types.voidptr], numba.float64,
        {}, _numba.lifting_compiler({}, set()),
    )  # fmt: skip
    call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double, ctypes.c_void_p)(
        shim.address
    )
    found = []
    for x in (2.5, -1.0):
        result, error = ctypes.c_double(), ctypes.c_void_p()
        status = call(ctypes.byref(result), ctypes.byref(error), x, None)
        found.append((status, *(excinfo.take(error.value) if error.value else (None, None))[:2]))
    expected = [(1, ValueError, ("probe", 2.5)), (1, KeyError, ("probe",))]
    if found != expected:
        message = f"Numba {numba.__version__} reports exceptions in a way that this version of ringback does not know: "
        raise RuntimeError(f"{message}expected {expected}, found {found}. Install another version of one of the two.")


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r'File "([^"]+)", line (\d+)|Raised from (\S+) \((\d+)\)')
_EXCERPT = re.compile(r'^\s*File "[^"]+", line \d+:[^\n]*\n(?:[^\n]*\S[^\n]*\n?)*', re.MULTILINE)
_NOISE = re.compile(
    r"^(Failed in |During: |File |\s*def |\s*<source|-{3,}|\^|This error |This is not usually|https?:|For more|"
    r"Invalid use of|>>>|\s*\*|\s*- |Overload |There are |Rejected|Traceback)"
)


def readable(function: Any, signature: str, error: BaseException) -> CompileError:
    """Numba's error with the function, the line and the reason, without the pipeline."""
    text = _COLOUR.sub("", str(error))
    if text == "'NoneType' object has no attribute 'args'":
        # What Numba 0.68 says instead of a typing error.
        text = "Cannot modify readonly array: an operation such as `x += y` changes it in place"
    code = function.__code__
    line = code.co_firstlineno
    for seen, at, other, there in _PLACE.findall(text):
        file, number = seen or other, at or there
        if os.path.basename(file) == os.path.basename(code.co_filename) and int(number) >= line:
            line = int(number)
            break
    # A line `File "f.py", line 3:` alone is followed by the source, to the next empty line.
    text_only = _EXCERPT.sub("", text)
    reasons = [part.strip() for part in text_only.splitlines() if part.strip() and not _NOISE.match(part)]
    reason = hints.plainer(" ".join(reasons[:2])[:400]) or f"Numba fails with {type(error).__name__}"
    result = _RESULT.search(text)
    hint = hints.for_result(result[1], signature) if result else hints.for_text(text)
    if result:
        found, wanted = result.groups()
        nothing = "it returns nothing, or only raises: some path must return a value of that type"
        reason = f"the result is to be {wanted}: " + (nothing if found == "none" else f"it returns {found}")
    import linecache

    if "OverloadSelector object" in reason:
        # What Numba 0.68 says of an instance of a jitclass, and of other things that it takes as arguments only.
        kind = re.search(r"instance\.jitclass\.(\w+)", reason) or re.search(r", \((\w+)", reason)
        reason = "Numba has no constants of such a type" + (f": {kind[1]}" if kind else "")
    source = linecache.getline(code.co_filename, line).strip()
    shown = f"\n  File {code.co_filename!r}, line {line}, in {function.__name__}"
    if source:
        shown += f"\n    {source}"
    message = f"cannot compile {function.__name__} for {signature}:{shown}\n  {reason}"
    return CompileError(message + (f"\n  Hint: {hint}" if hint else ""), error)


_RESULT = re.compile(r"No conversion from (.+?) to (.+?) for '\$[^']*(?:return_value|cast)[^']*'")
