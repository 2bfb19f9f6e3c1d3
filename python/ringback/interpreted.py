"""The explicit fallback: a function that runs in the interpreter, behind the same handle."""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _ringback
from .callback import _CTYPES, DTYPES, Callback, from_c, passed_ctype, scalar
from .compile import describe
from .signature import Parameter, Signature, to_signature

_errors: dict[int, BaseException] = {}
_numbers = itertools.count(1)
_lock = threading.Lock()


def _keep(error: int, raised: BaseException) -> None:
    """Leaves an exception at the address where a failed call says why."""
    with _lock:
        number = next(_numbers)
        _errors[number] = raised
    ctypes.c_size_t.from_address(error).value = number


# No function in Python stands between: a signal's handler could raise at its beginning.
_HOOKS = _ringback.Errors(_errors.pop, _errors.pop, None)


class Interpreted:
    """A function that is to run in the interpreter, wherever a callback is asked for."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._made: dict[str, Callback] = {}

    def __repr__(self) -> str:
        return f"<ringback interpreted {getattr(self._function, '__name__', self._function)}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function."""
        return self._function(*args, **kwargs)

    def __ringback_callback__(self, signature: str | None = None) -> Any:
        """The callback record for a signature."""
        if signature is None:
            raise TypeError(
                f"{self!r} has no signature of its own: ask for one, or make it rb.interpreted(f, 'f64(f64)')"
            )
        return self.callback(Signature(signature), ()).__ringback_callback__(signature)

    def callback(self, signature: Signature, args: tuple[Any, ...]) -> Callback:
        """The callback of a signature, with `args` passed behind the arguments of each call."""
        if args:
            return _make(lambda *free: self._function(*free, *args), signature, self._function)
        made = self._made.get(signature.text)
        if made is None:
            made = self._made[signature.text] = _make(self._function, signature, self._function)
        return made


def interpreted(function: Callable[..., Any], signature: Any = None) -> Any:
    """Run a function in the interpreter, through the same handle as compiled ones.

    For what Numba cannot compile. Each call takes the GIL, also from worker threads: a library that holds the GIL
    while it waits for its threads would wait for ever (Ringback's engines never hold it). Arrays are passed as copies,
    and copied back where the signature says `mut`, because the function might keep them longer than the call.

    Parameters
    ----------
    function
        Any Python callable.
    signature
        Its type, if it is to be a `Callback` at once; else it takes that of the place where it is used.
    """
    if not callable(function):
        raise TypeError(f"expected a function, found {describe(function)}")
    made = Interpreted(function)
    return made if signature is None else made.callback(to_signature(signature), ())


def with_slots(
    function: Callable[..., Any], signature: Signature, values: tuple[Any, ...], kinds: tuple[str, ...]
) -> Callback:
    """The callback of a function that is given, behind the arguments of each call, the numbers in its slots."""
    return _make(function, signature, function, values, kinds)


def _make(
    function: Callable[..., Any],
    signature: Signature,
    shown: Any,
    values: tuple[Any, ...] = (),
    kinds: tuple[str, ...] = (),
) -> Callback:
    parameters = signature.parameters
    if any(p.kind == "pointer" for p in parameters):
        raise TypeError(f"{signature} has bare pointers, which an interpreted function cannot take: use arrays")
    store = _store(signature)

    def run(result: int, error: int, *passed: Any) -> int:
        # Nothing should be raised here; what a signal's handler raises before `try` or after it, the guard keeps.
        try:
            copies: list[tuple[np.ndarray, np.ndarray]] = []
            arguments = [_argument(p, value, copies) for p, value in zip(parameters, passed, strict=False)]
            store(result, function(*arguments, *(_bound(kind, passed[-1] + 8 * i) for i, kind in enumerate(kinds))))
            for view, copy in copies:
                view[...] = copy
            return 0
        except BaseException as raised:
            _keep(error, raised)
            # Who goes on where the function raises must not go on after Ctrl-C.
            return 1 if isinstance(raised, Exception) else -1

    prototype = ctypes.CFUNCTYPE(
        ctypes.c_int32, ctypes.c_size_t, ctypes.c_size_t, *map(passed_ctype, parameters), ctypes.c_void_p
    )
    native = prototype(_ringback.Guard(run, _keep))
    # `ctypes.cast` would put the function into a cycle with itself, which only the garbage collector ends.
    address = ctypes.c_size_t.from_buffer(native).value
    code = _ringback.Code(signature, kinds, address, _HOOKS, {}, native)
    return Callback._of(code, values, shown, None, {}, {})


def _bound(kind: str, address: int) -> Any:
    """The number in a slot, as a NumPy scalar of its type; of a complex one the slot holds the address."""
    if kind[0] == "c":
        parts = _CTYPES[kind].from_address(ctypes.c_size_t.from_address(address).value)
        return DTYPES[kind].type(complex(*parts))
    return DTYPES[kind].type(from_c(kind, _CTYPES[kind].from_address(address).value))


def _argument(parameter: Parameter, value: Any, copies: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    if parameter.kind == "scalar":
        if parameter.element[0] == "c":
            return complex(*_CTYPES[parameter.element].from_address(value))
        return from_c(parameter.element, value)
    n = parameter.ndim
    data, *rest = (ctypes.c_ssize_t * (1 + 2 * n)).from_address(value)
    shape, strides = tuple(rest[:n]), tuple(rest[n:])
    if 0 in shape:
        return np.empty(shape, DTYPES[parameter.element])
    dtype = DTYPES[parameter.element]
    interface = {
        "data": (data, not parameter.mutable),
        "shape": shape,
        "strides": strides,
        "typestr": dtype.str,
        "version": 3,
    }
    view = np.asarray(type("_View", (), {"__array_interface__": interface})())
    copy = view.copy(order="F" if parameter.layout == "F" else "C")
    if parameter.mutable:
        copies.append((view, copy))
    else:
        copy.flags.writeable = False
    return copy


def _store(signature: Signature) -> Callable[[int, Any], None]:
    element, length = signature.result.element, signature.result.length
    if element is None:
        return lambda address, value: None
    what = "the result of an interpreted function"

    def one(address: int, value: Any) -> None:
        number = scalar(element, value, what)
        if element[0] == "c":
            _CTYPES[element].from_address(address)[:] = (number.real, number.imag)
        else:
            _CTYPES[element].from_address(address).value = number

    if signature.result.kind == "scalar":
        return one
    size = ctypes.sizeof(_CTYPES[element])

    def many(address: int, value: Any) -> None:
        values = tuple(value)
        if len(values) != length:
            raise TypeError(f"{what}: {length} values expected, found {len(values)}")
        for i, item in enumerate(values):
            one(address + i * size, item)

    return many
