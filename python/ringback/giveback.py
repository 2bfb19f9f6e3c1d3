"""Callbacks for those who take C functions: SciPy's low-level callables, ctypes, cffi."""

from __future__ import annotations

import ctypes
import functools
import weakref
from typing import Any

from . import _ringback
from .callback import Callback, native_signature
from .conventions import (
    Convention,
    check_fits,
    ctypes_of,
    default_convention,
    plain_convention,
    scipy_convention,
    signature_for,
    with_data,
)
from .signature import Signature


def low_level_callable(function: Any, signature: str | None = None) -> Any:
    """A `scipy.LowLevelCallable`, for `quad`, `nquad` and `scipy.ndimage`.

    Data that are bound are its user data; it keeps them, and the code, alive. An exception that is raised in a call is
    raised by SciPy's function: as itself by those of `scipy.ndimage`, and by `quad` as the cause of a `SystemError`,
    because `quad` has no other way to notice it.

    Parameters
    ----------
    function
        A callback; or with a `signature`, whatever Ringback takes as a function, which is then compiled for it.
    signature
        The C signature, as SciPy writes it. Without one it is `"double (double, void *)"` for `f64(f64)`,
        `"double (int, double *, void *)"` for more numbers, and those of `generic_filter`, `generic_filter1d` and
        `geometric_transform` for `f64([f64])`, `void([f64], mut [f64])` and `void([i64], mut [f64])`.

    Raises
    ------
    TypeError
        If SciPy knows no such C signature, or the callback does not fit it: both are named.
    ImportError
        If there is no SciPy: the class is SciPy's.
    """
    LowLevelCallable = scipys_class()
    own = _signature_of(function)
    if signature is None:
        if own is None:
            raise TypeError(
                f"{function!r} has no signature of its own: name the C signature, such as "
                f"low_level_callable(f, 'double (double, void *)')"
            )
        convention, has_data = default_convention(own, function), True
        signature = with_data(convention.text)
    else:
        convention, has_data = scipy_convention(signature)
        if own is None:
            from .accept import callback_for

            own = Signature(signature_for(convention, signature))
            function = callback_for(function, own)
    check_fits(convention, signature, own, function)
    if has_data:
        return LowLevelCallable(_with_data(convention, own.text), _lend(function, own, function).user_data())
    # Here SciPy does not look at the user data, but it keeps them alive all the same.
    return LowLevelCallable(*_without_data(function, convention, own))


def scipys_class() -> Any:
    """`scipy.LowLevelCallable`, or an error that says what is missing."""
    try:
        from scipy import LowLevelCallable
    except ImportError:
        raise ImportError(
            "low_level_callable() makes an object of SciPy's, which is not installed: pip install scipy"
        ) from None
    return LowLevelCallable


@functools.cache
def _with_data(convention: Convention, signature: str) -> object:
    from .adapters import adapter

    return _ringback.c_function(adapter(convention, signature).address, with_data(convention.text))


def _without_data(function: Any, convention: Convention, signature: Signature) -> tuple[object, object]:
    """The C function for one callback alone, and what keeps that alive."""
    from .adapters import baked

    # The code is never unloaded: it is made once.
    known: dict[str, tuple[object, object]] = getattr(function, "__dict__", {}).setdefault("_made_without_data", {})
    made = known.get(convention.text)
    if made is None:
        lent = _lend(function, signature)
        address = baked(convention, signature.text, lent.address).address
        made = known[convention.text] = _ringback.c_function(address, convention.text), lent.user_data()
    return made


def _signature_of(function: Any) -> Signature | None:
    if isinstance(function, _ringback.Callback):
        return native_signature(function)
    # Callbacks of other producers say theirs as text.
    text = getattr(function, "signature", None)
    if hasattr(function, "__ringback_callback__") and isinstance(text, str):
        return Signature(text)
    return None


def _lend(function: Any, signature: Signature, origin: Any = None) -> _ringback.Lent:
    capsule = function.__ringback_callback__(signature.text)
    return _ringback.Lent(capsule, repr(function), _thread_state(), origin)


# Whose plain C function stands at an address; the code is never unloaded, so no other ever does.
lent_at: weakref.WeakValueDictionary[int, _ringback.Lent] = weakref.WeakValueDictionary()


@functools.cache
def _thread_state() -> int:
    """The address of a function that tells whether this thread holds the GIL; its name depends on Python's version."""
    for name in ("PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet"):
        found = getattr(ctypes.pythonapi, name, None)
        if found is not None:
            return ctypes.cast(found, ctypes.c_void_p).value or 0
    return 0


class PlainC:
    """The plain C function of one callback, with the callback's address in its code, which is never unloaded."""

    def __init__(self, callback: Callback) -> None:
        from .adapters import baked

        signature = native_signature(callback)
        self.convention: Convention = plain_convention(signature, callback)
        self.lent = _lend(callback, signature)
        self.address: int = baked(self.convention, signature.text, self.lent.address).address
        lent_at[self.address] = self.lent

    def ctypes(self, callback: Callback) -> Any:
        """The function for ctypes. It keeps the callback, which who takes callbacks uses in its place."""
        result, parameters = ctypes_of(self.convention)
        # ctypes then keeps the GIL and looks for exceptions after the call.
        made: Any = ctypes.PYFUNCTYPE(result, *parameters)(self.address)
        made._ringback_callback = callback
        return made

    @functools.cached_property
    def cffi(self) -> Any:
        """The function for cffi."""
        import cffi

        ffi = cffi.FFI()
        pointer = ffi.cast(self.convention.text.replace("(", "(*)(", 1), self.address)
        # A pointer that was cast owns nothing; one with a destructor owns at least that.
        return ffi.gc(pointer, functools.partial(_nothing, self.lent))


def _nothing(owner: Any, pointer: Any) -> None:
    """The destructor of a pointer to what `owner` owns."""
