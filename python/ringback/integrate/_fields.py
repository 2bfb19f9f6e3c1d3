"""Functions of several variables: which form a function has, and the callback for it."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any

from .. import _ringback, foreign
from ..accept import callback_for
from ..bind import Bound
from ..callback import Callback
from ..capture import ADDRESS, plan_of
from ..compile import describe, plain
from ..errors import CompileError
from ..interpreted import Interpreted
from ..pointblock import point_block
from ..signature import Signature

# Block calls, which make separate coordinates fast, take at most so many.
MOST_COORDINATES = 8
# The engines refuse more, and say so.
MOST_DIMS, MOST_OUTPUTS = 64, 1000


def field(
    f: Any, dims: int, outputs: int | None, args: Any
) -> tuple[Any, str, str, tuple[_ringback.Callback, bool] | None]:
    """An object with `__ringback_callback__`, its form, on which threads it may run, and what takes many points at once.

    The form is "coordinates" if it takes the coordinates of a point as separate numbers, "array" if as one array, and
    "written" if it also writes its results to a second array. The threads are "all", "one" if others should be asked for
    (functions in the interpreter often count or remember, and nobody knows what C functions do), or the name of the bound
    array that it writes to, if there must be one only. Separate numbers have a block form of their own; for arrays it is
    that of `point_block`, if the numbers make sense.

    Raises
    ------
    TypeError
        If the object is no function that could take a point of so many dimensions, or could in two ways.
    """
    if not isinstance(args, tuple):
        args = (args,)
    form = "written" if outputs is not None else _form(f, dims, len(args))
    try:
        callback = callback_for(f, _signature(form, dims), "numpy", args)
    except CompileError as error:
        raise _hinted(error, form) from None
    blocks = form != "coordinates" and 1 <= dims <= MOST_DIMS and (outputs or 1) <= MOST_OUTPUTS
    return callback, form, threads(callback), point_block(callback, dims, outputs) if blocks else None


_RETURNS = re.compile(r"the result is to be float64: it returns (complex|array|UniTuple|Tuple|list)")


def _hinted(error: CompileError, form: str) -> CompileError:
    """The error, with what those are likely to want who know SciPy's `cubature`."""
    text = str(error)
    found = _RETURNS.search(text)
    if found and found[1] == "complex":
        text += "\n  integrate the real and the imaginary part, as two results: f(x, out) with outputs=2"
    elif found:
        text += "\n  a function of several results writes them to an array: f(x, out) with `outputs`"
    elif form == "written" and "cannot be called as" in text:
        text += "; with `outputs`, f(x, out) writes its results to the array out"
    elif form == "array" and "getitem(readonly array(float64, 1d, C), Tuple(" in text:
        text += "\n  f(x) is called with one point at a time, x[0], x[1], …, and not with an array of points"
    else:
        return error
    return type(error)(text)


def threads(callback: Any) -> str:
    """On which threads a callback may run: see `field`."""
    if not isinstance(callback, Callback):
        return "all"
    if callback._shim is None or any(data.kind == ADDRESS for data in callback._bound.values()):
        return "one"
    written = next((name for name, data in callback._bound.items() if data.mutable), None)
    # Callbacks that it calls may write, too.
    called = [threads(value) for value in callback._values]
    return written or next((name for name in called if name not in ("all", "one")), "one" if "one" in called else "all")


@functools.cache
def _signature(form: str, dims: int) -> str:
    if form == "written":
        return "void([f64], mut [f64])"
    return "f64([f64])" if form == "array" else f"f64({', '.join(['f64'] * dims)})"


def _form(f: Any, dims: int, further: int) -> str:
    """How a function takes a point, told by the number of its parameters, `further` of which are `args`."""
    if dims == 0:
        # The engine says what is wrong.
        return "array"
    if hasattr(f, "_pyfunc") and hasattr(f, "_sig") and any(type(t).__name__ == "CPointer" for t in f._sig.args):
        f = f.ctypes
    found = foreign.find(f)
    if isinstance(found, foreign.CFunction):
        first = found.signature.parameters[:1]
        array = dims > MOST_COORDINATES or (first and first[0].pointer)
        return "array" if array else "coordinates"
    signature = getattr(f, "signature", None)
    if isinstance(signature, str) and hasattr(f, "__ringback_callback__"):
        parameters = Signature(signature).parameters
        return "array" if parameters and parameters[0].kind == "array" else _coordinates(f, dims)
    counts = _counts(f)
    if counts is None:
        return _coordinates(f, dims)
    least, most = counts
    array = least <= 1 + further <= most
    separate = dims <= MOST_COORDINATES and least <= dims + further <= most
    if dims > 1 and array and separate:
        raise TypeError(
            f"{describe(f)} could take a point of {dims} dimensions as one array, or as {dims} numbers, since some of its "
            f"parameters have defaults: bind those by name, with rb.bind"
        )
    if separate:
        return "coordinates"
    if array:
        return "array"
    numbers = f"{dims} numbers or of " if dims <= MOST_COORDINATES else ""
    given = f" and the {further} in args" if further else ""
    found = str(least) if least == most else f"{least} to {most}"
    raise TypeError(
        f"expected a function of {numbers}one array of {dims}{given}, found {describe(f)} with {found} parameters; one that "
        f"writes several results, f(x, out), needs `outputs`"
    )


def _coordinates(f: Any, dims: int) -> str:
    if dims > MOST_COORDINATES:
        raise TypeError(
            f"expected a function of one array of {dims} numbers, f64([f64]), found {describe(f)}: functions of separate "
            f"numbers have at most {MOST_COORDINATES}"
        )
    return "coordinates"


def _counts(f: Any) -> tuple[int, int] | None:
    """With how few and how many positional arguments a function can be called; None if it does not tell."""
    if isinstance(f, Interpreted):
        try:
            parameters = inspect.signature(f._function).parameters.values()
        except (TypeError, ValueError):
            return None
        by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return None
        return sum(p.default is p.empty for p in by_place), len(by_place)
    if hasattr(f, "_pyfunc") and hasattr(f, "_sig"):
        return len(f._sig.args), len(f._sig.args)
    leading, data = 0, {}
    if isinstance(f, functools.partial):
        f, leading, data = f.func, len(f.args), f.keywords
        if isinstance(f, Interpreted):
            return _counts(Interpreted(functools.partial(f._function, *([None] * leading), **data)))
    elif isinstance(f, Bound):
        f, leading, data = f._function, len(f._leading), f._data
    try:
        function = plain(f)[0]
    except TypeError:
        return None
    names = plan_of(function.__code__).positional
    defaults = set(names[len(names) - len(function.__defaults__ or ()) :])
    free = [name for name in names[leading:] if name not in data]
    return sum(name not in defaults for name in free), len(free)
