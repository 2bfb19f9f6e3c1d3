"""`quad_many`: many integrals of one function, broadcast like a ufunc, on all cores."""

from __future__ import annotations

import dataclasses
import functools
import operator
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import _ringback, foreign
from ..accept import callback_for
from ..callback import DTYPES, Callback, native_signature
from ..capture import SCALAR_NAMES, base_array, leaves, plan_of
from ..compile import describe
from ..errors import CompileError
from ..foreigncall import callback_of
from ..interpreted import Interpreted, with_slots
from ..signature import Signature
from ._fields import threads
from ._progress import tqdm
from ._quad import IntegrationWarning

_MEANING = {
    0: "converged: the estimated error is within the tolerance",
    1: "the largest allowed number of intervals was reached before the tolerance; raise limit",
    2: "rounding errors keep the tolerance from being reached",
    3: "the integrand is too singular or too large at some point of the range",
    4: "extrapolation stopped converging because of rounding errors",
    5: "the integral is probably divergent, or converges very slowly",
    6: "the limits make no sense; .failures says why",
    7: "the integrand returned nan or inf somewhere; quad of that problem alone says where",
    9: "the integrand raised an exception; it stands in .failures",
}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class QuadManyResult:
    """The results of many integrations; unpacks as `(value, error)`.

    All arrays have the shape to which limits and args were broadcast; of numbers alone they are scalars of NumPy.
    """

    value: Any
    """The integrals (float64); nan where the status is 6, 7 or 9."""
    error: Any
    """Estimates of the absolute errors (float64); inf where the value is nan."""
    neval: Any
    """How often the integrand was evaluated (int64)."""
    intervals: Any
    """How many subintervals each range was cut into (int64)."""
    status: Any
    """0 if the requested accuracy was reached; 1 to 5 and 7 as that of `quad`; 6 and 9 with `on_error="record"` (int64)."""
    failures: Mapping[tuple[int, ...], BaseException]
    """The exceptions of the problems with status 6 or 9, by their index (a tuple)."""

    @property
    def success(self) -> Any:
        """Where the requested accuracy was reached."""
        return self.status == 0

    def message(self, *index: int) -> str:
        """What the status of a problem means, in a sentence: `result.message(3)`, for two axes `result.message(3, 0)`."""
        status = np.asarray(self.status)
        if len(index) != status.ndim:
            raise IndexError(f"expected an index for each of {status.ndim} axes, found {len(index)}")
        code = int(status[index])
        place = tuple(int(i) % n for i, n in zip(index, status.shape, strict=True))
        failure = self.failures.get(place)
        return _MEANING[code] if failure is None else f"{type(failure).__name__}: {failure}"

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[Any]:
        return iter((self.value, self.error))

    def __getitem__(self, index: Any) -> Any:
        return (self.value, self.error)[index]

    def __repr__(self) -> str:
        status = np.asarray(self.status)
        if status.ndim == 0:
            return f"QuadManyResult(value={float(self.value)!r}, error={float(self.error):.3e}, status={int(status)})"
        codes = ", ".join(f"{count} with status {code}" for code, count in _counts(status)) or "nothing"
        largest = f", largest error {np.max(self.error):.3e}" if status.size else ""
        return f"QuadManyResult(shape={status.shape}: {codes}{largest})"


def quad_many(
    func: Any,
    a: Any,
    b: Any,
    args: Any = (),
    workers: int | None = None,
    *,
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
    on_error: str = "raise",
    progress: bool = False,
) -> QuadManyResult:
    """Integrate a function from `a` to `b`, for many `a`, `b` and `args` at once.

    Each integral is that of `quad`, bit for bit, with any number of workers. The function is compiled once; threads run
    it without the GIL.

    Parameters
    ----------
    func
        What `quad` takes. With `args`, a function, `functools.partial`, `rb.bind`, `numba.njit` function or
        `rb.interpreted` (whose calls take the GIL), a C function, or a callback compiled for the further arguments too.
    a, b
        Limits of the ranges; numbers or arrays, infinite where you like.
    args
        Further arguments of `func`, as a tuple of numbers and arrays of numbers. They are broadcast with `a` and `b`, by
        NumPy's rules, and each keeps its type: bool, integer, float32, float64, complex. An array that the function is to
        have as a whole is captured, or bound with `rb.bind`.
    workers
        How many threads, at most one a problem. None: all cores that this process may use, but only one thread for
        `rb.interpreted`, for C functions and for callbacks that write to bound arrays (which take no others).
    epsabs, epsrel, limit
        As for `quad`, for all problems.
    on_error
        `"raise"`: if the integrand raises, or a limit is nan, that exception is raised, with a note that says the problem;
        of several that of the first problem, in the order of their indices. `"record"`: such a problem gets status 9 or 6,
        and its exception is in `.failures`.
    progress
        Whether to show a progress bar; needs the package tqdm.

    Returns
    -------
    QuadManyResult
        Unpacks as `(value, error)`; also `.neval`, `.intervals`, `.status`, `.failures`, `.success`, `.message(index)`.
        The results are float64, also for limits of other types, and scalars if all input is.

    Raises
    ------
    TypeError, ValueError
        If limits or args are no real numbers or cannot be broadcast, or as `quad` raises them.
    KeyboardInterrupt
        At Ctrl-C; the threads end at the end of the call of the integrand that they are in.

    Warns
    -----
    IntegrationWarning
        Once, if any status is not 0.
    """
    if on_error not in ("raise", "record"):
        raise ValueError(f"on_error is 'raise' or 'record', found {on_error!r}")
    if workers is not None:
        workers = operator.index(workers)
        if workers < 1:
            raise ValueError(f"expected at least 1 of workers, found {workers}; None takes all cores")
    accuracy = _tolerance("epsabs", epsabs), _tolerance("epsrel", epsrel), _intervals(limit)
    if not isinstance(args, tuple):
        args = (args,)
    low, high = _limit("a", a), _limit("b", b)
    arguments = [_numbers(f"args[{i}]", value) for i, value in enumerate(args)]
    try:
        callback, slots, arguments = _callback(func, arguments)
    except CompileError as error:
        # The way through this package says nothing that the message does not.
        raise error.with_traceback(None) from None
    operands = [low, high, *arguments]
    workers = _workers(callback, workers)
    shape = _shape([x.shape for x in operands])
    # Not `np.broadcast`, which takes 32 arrays at most, and no array is made.
    operands = [np.broadcast_to(x, shape) for x in operands]
    floats, counts = [np.empty(shape) for _ in range(2)], [np.empty(shape, np.int64) for _ in range(3)]
    results = [*floats, *counts]
    with _Bar(progress, results[0].size) as bar:
        failed = _ringback.quad_many(
            callback,
            slots,
            shape,
            [(x, _address(x), SCALAR_NAMES[x.dtype], x.strides) for x in operands],
            [(x, _address(x)) for x in results],
            accuracy,
            # The native code takes no numbers of any size.
            None if workers is None else min(workers, results[0].size),
            on_error == "record",
            bar.update if bar else None,
        )
    failures: dict[tuple[int, ...], BaseException] = {}
    for number, error in failed:
        index = tuple(map(int, np.unravel_index(number, shape)))
        # What ends a program is not to be recorded.
        if on_error == "raise" or not isinstance(error, Exception):
            _note(error, index, operands)
            raise error
        failures[index] = error
    status = counts[2]
    _warn(status)
    value, error, neval, intervals, status = (x[()] for x in results)
    return QuadManyResult(value, error, neval, intervals, status, failures)


def _shape(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        names = ["a", "b", *(f"args[{i}]" for i in range(len(shapes) - 2))]
        found = ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes, strict=True))
        raise ValueError(
            f"shape mismatch: the limits and args cannot be broadcast together, their shapes are {found}; for every pair of two "
            f"axes make one a column, x[:, None]"
        ) from None


def _tolerance(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"expected {name} to be a number, the same for all problems, found {describe(value)}") from None


def _intervals(limit: Any) -> int:
    try:
        number = operator.index(limit)
    except TypeError:
        raise TypeError(f"expected `limit` to be a whole number, found {describe(limit)}; 50 is the default") from None
    if not 1 <= number < 2**63:
        raise ValueError(f"expected `limit` of at least 1 and below 2**63, found {number}; 50 is the default")
    return number


def _workers(callback: Any, asked: int | None) -> int | None:
    """How many threads, where nobody may have said; None for all cores."""
    found = threads(callback)
    if found == "all":
        return asked
    if found != "one" and asked not in (None, 1):
        raise ValueError(
            f"the function writes to the array bound to its parameter {found!r}, so that threads would be in each other's "
            f"way: expected workers=1, found {asked}"
        )
    return asked or 1


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _numbers(what: str, value: Any) -> np.ndarray:
    """An array of numbers that may be read as it lies in memory."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array, whose mask would be ignored: use .filled() or .compressed()")
    array = base_array(np.asarray(value))
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in SCALAR_NAMES:
        raise TypeError(
            f"{what}: numbers or arrays of numbers expected (bool, integers, float32, float64, complex), found "
            f"{describe(value)}, of dtype {array.dtype}; what is no number is captured, or bound with rb.bind"
        )
    return array if array.flags.aligned else array.copy()


def _limit(what: str, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype not in SCALAR_NAMES and np.can_cast(array.dtype, np.float64, "safe") and array.dtype.kind == "f":
        return array.astype(np.float64)
    array = _numbers(what, value)
    if array.dtype.kind == "c":
        raise TypeError(f"{what}: real limits of integration expected, found an array of {array.dtype}")
    return array


_SIGNATURE = Signature("f64(f64)")


def _callback(func: Any, args: list[np.ndarray]) -> tuple[Any, list[tuple[int, str]], list[np.ndarray]]:
    """The callback, which of its slots the args go to, and the args in the types of these."""
    if not args:
        return callback_for(func, _SIGNATURE, "numpy"), [], args
    kinds = tuple(SCALAR_NAMES[x.dtype] for x in args)
    run = func.func if isinstance(func, functools.partial) else func
    if isinstance(run, Interpreted):
        inner = run._function
        if isinstance(func, functools.partial):
            inner = functools.partial(inner, *func.args, **func.keywords)
        zeros = tuple(np.zeros((), x.dtype).item() for x in args)
        return with_slots(inner, _SIGNATURE, zeros, kinds), list(enumerate(kinds)), args
    found = foreign.find(func)
    if isinstance(found, foreign.CFunction):
        # The further arguments of C functions are floats, as SciPy passes them.
        func = callback_of(found, Signature(f"f64({', '.join(['f64'] * (1 + len(args)))})"))
    elif found is not None:
        func = found
    if isinstance(func, Callback):
        args, samples = _declared(func, args)
        callback = callback_for(func, _SIGNATURE, "numpy", tuple(samples))
        bound = set(callback._bound) - set(func._bound)
        slots = [kind for name, kind in _slots(callback) if name in bound]
    else:
        # Each sample is an object of its own, so that it is found again among what is bound.
        samples = [np.zeros((), x.dtype) for x in args]
        callback = callback_for(func, _SIGNATURE, "numpy", tuple(samples))
        places = {id(callback._bound[name].value): kind for name, kind in _slots(callback)}
        slots = [places[id(sample)] for sample in samples]
    return callback, slots, args


def _slots(callback: Callback) -> Iterator[tuple[str, tuple[int, str]]]:
    """The bound parameters that are numbers, each with the number of its slot and its kind."""
    place = 0
    for name, data in callback._bound.items():
        if isinstance(data.kind, str):
            yield name, (place, data.kind)
        place += sum(1 for _ in leaves(data.kind, data.value))


def _declared(callback: Callback, args: list[np.ndarray]) -> tuple[list[np.ndarray], list[Any]]:
    """The args in the types that the signature of a callback declares, and a value of each."""
    declared = native_signature(callback).parameters[1:]
    function = callback._function
    if callback._shim is None or len(declared) != len(args):
        return args, [0.0] * len(args)
    names = [name for name in plan_of(function.__code__).parameters if name not in callback._bound][1:]
    cast = []
    for name, parameter, array in zip(names, declared, args, strict=True):
        wanted = DTYPES[parameter.element]
        if parameter.kind != "scalar" or not np.can_cast(array.dtype, wanted, "safe"):
            raise TypeError(
                f"parameter {name!r} of {function.__name__}: {parameter.text} expected, found numbers of {array.dtype}"
            )
        cast.append(array if array.dtype == wanted else array.astype(wanted))
    return cast, [np.zeros((), x.dtype)[()] for x in cast]


def _note(error: BaseException, index: tuple[int, ...], operands: list[np.ndarray]) -> None:
    """Adds to an exception which problem it is about; `__notes__`, which Python shows from 3.11 on."""
    a, b, *args = (x[index].item() for x in operands)
    note = f"in quad_many, problem {index}: a = {a!r}, b = {b!r}, args = {tuple(args)!r}"
    if sys.version_info >= (3, 11):
        error.add_note(note)
    else:
        error.__notes__ = [*getattr(error, "__notes__", ()), note]  # type: ignore[attr-defined]


def _counts(status: np.ndarray) -> list[tuple[int, int]]:
    return [(code, n) for code in _MEANING if (n := int(np.count_nonzero(status == code)))]


def _warn(status: np.ndarray) -> None:
    bad = [(code, n) for code, n in _counts(status) if code != 0]
    if not bad:
        return
    first = np.unravel_index(np.argmax(status != 0), status.shape)
    said = "; ".join(f"{n} with status {code} ({_MEANING[code]})" for code, n in bad)
    warnings.warn(
        f"{sum(n for _, n in bad)} of {status.size} integrals are not as accurate as requested: {said}; the first is "
        f"problem {tuple(map(int, first))}",
        IntegrationWarning,
        stacklevel=3,
    )


class _Bar:
    """A progress bar while the problems are solved, or none."""

    def __init__(self, wanted: bool, total: int) -> None:
        self._bar = tqdm(total=total) if wanted else None

    def __enter__(self) -> Any:
        return self._bar

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
