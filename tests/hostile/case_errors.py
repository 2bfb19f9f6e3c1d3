"""Errors of strange producers, and panics. Run by test_hostile.py, in a process that may crash."""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad
from stranger import Stranger, status

# Errors of strangers. (What is passed is kept until the exception was caught: a `release` in Python, as here, cannot run
# while one is on its way. In C it could.)


@pytest.mark.parametrize("code", [1, 2, 2**31 - 1, -1, -(2**31)])
def test_failures_without_an_error(code: int) -> None:
    for wrapped in (lambda s: s, rt.pass_on, rt.relay):
        stranger = Stranger(function=status(code))
        offered = wrapped(stranger)
        with pytest.raises(RuntimeError) as caught:
            rt.sum_over_threads(offered, 1, 1)
        del offered
        assert str(caught.value) == f"the callback failed with status {code} and did not say why"
        assert (stranger.raised, stranger.discarded, stranger.released) == (0, 0, 1)


_set_none = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyErr_SetNone", ctypes.pythonapi))


@numba.cfunc("void(voidptr, voidptr)")
def _raise_class(record: Any, error: Any) -> None:
    """The error of the record is the address of a class. (In Python an exception would not leave the function.)"""
    _set_none(error)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("code", [1, -1])
def test_errors_are_raised_as_themselves(error: type[BaseException], code: int) -> None:
    for wrapped in (lambda s: s, rt.pass_on, rt.relay):
        for door in (lambda c: rt.sum_over_threads(c, 1, 1), lambda c: quad(c, 0.0, 1.0)):
            stranger = Stranger(function=status(code, id(error)), raise_=_raise_class.address)
            offered = wrapped(stranger)
            with pytest.raises(error) as caught:
                door(offered)
            assert type(caught.value) is error
            del offered, caught
            assert (stranger.discarded, stranger.released) == (0, 1)


def test_a_raise_that_raises_nothing() -> None:
    for wrapped in (lambda s: s, rt.pass_on, rt.relay):
        stranger = Stranger(function=status(1, 64), raised=lambda _: None)
        offered = wrapped(stranger)
        with pytest.raises(RuntimeError, match="^a callback failed, but its producer raised no exception$"):
            rt.sum_over_threads(offered, 1, 1)
        del offered
        assert (stranger.raised, stranger.discarded, stranger.released) == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "said", "found"),
    [
        (b"LookupError: by hand", None, "LookupError: by hand"),
        (b"", None, ""),
        (b"\xff\xfe", None, "\ufffd\ufffd"),
        (b"x" * 600, None, "x" * 600),
        (b"y" * 100_000, None, "y" * 65_536),
        (b"short", 2**64 - 1, "short"),
        (b"longer", 3, "lon"),
    ],
)
def test_producers_without_python(text: bytes, said: int | None, found: str) -> None:
    for wrapped in (lambda s: s, rt.pass_on):
        stranger = Stranger(function=status(1, 64), text=text, said=said)
        offered = wrapped(stranger)
        with pytest.raises(RuntimeError) as caught:
            rt.sum_over_threads(offered, 1, 1)
        del offered
        assert str(caught.value).removeprefix("RuntimeError: ").rstrip("\0") == found
        assert (stranger.raised, stranger.discarded, stranger.released) == (0, 1, 1)


def test_errors_that_nobody_wants_are_discarded_once_each() -> None:
    stranger = Stranger(function=status(1, 64), raised=lambda _: None)
    assert rt.discard_many(stranger, 100) == 100
    assert (stranger.raised, stranger.discarded, stranger.released) == (0, 100, 1)


def panics(x: float) -> float:
    return rt.panics_in_engine(rb.compile(lambda x: x, "f64(f64)"))


def test_a_panic_of_rust_code_inside_a_callback_is_an_exception_on_every_way() -> None:
    for wrapped in (lambda c: c, rt.pass_on, rt.relay, lambda c: rt.relay(rt.pass_on(rt.relay(c)))):
        with pytest.raises(BaseException, match="the engine broke its own invariant") as caught:
            rt.sum_over_threads(wrapped(rb.interpreted(panics)), 1, 1)
        assert type(caught.value).__name__ == "PanicException"
        with pytest.raises(RuntimeError, match="^a callback in Rust panicked: no value at 0$"):
            rt.sum_over_threads(wrapped(rt.offer_panic()), 1, 1)


class Unmakeable(Exception):
    def __init__(self, *args: Any) -> None:
        panics(1.0)


def test_an_exception_class_whose_constructor_panics() -> None:
    def f(x: float) -> float:
        if x >= 0.0:
            raise Unmakeable("never seen")
        return x

    for wrapped in (lambda c: c, rt.pass_on, rt.relay):
        with pytest.raises(BaseException) as caught:  # noqa: PT011
            rt.sum_over_threads(wrapped(f), 1, 1)
        assert (type(caught.value).__name__, str(caught.value)) == (
            "PanicException",
            "the engine broke its own invariant",
        )
