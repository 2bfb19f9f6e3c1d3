"""Objects that are no callbacks, in all kinds of clothes. Run by test_hostile.py, in a process that may crash."""

from __future__ import annotations

import ctypes
import enum
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad
from stranger import ENTRY, NAME, Offers, Stranger, address, refused


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration, OSError])
def test_what_a_producer_raises_passes_as_itself(kind: type[BaseException]) -> None:
    error = kind("mine")
    for door in (lambda c: rt.sum_over_threads(c, 1, 1), lambda c: quad(c, 0.0, 1.0), rt.Handle):
        with pytest.raises(kind) as caught:
            door(Offers(error))
        assert caught.value is error


def test_attributes_that_raise() -> None:
    class Raises:
        def __init__(self, error: BaseException) -> None:
            self.__dict__["error"] = error

        def __getattr__(self, name: str) -> Any:
            raise self.error

    for error in (ZeroDivisionError("here"), KeyboardInterrupt("here")):
        assert refused(Raises(error), type(error)) == "here"
    # An attribute that is not there makes it any other object.
    assert refused(Raises(AttributeError("here"))).startswith("expected a callback f64(f64), found Raises <")

    class Property:
        @property
        def __ringback_callback__(self) -> Any:
            raise LookupError("computed")

    assert refused(Property(), LookupError) == "computed"


def test_junk_that_leads_nowhere() -> None:
    nested: Any = None
    for _ in range(1000):
        nested = Offers(nested)
    itself = Offers(None)
    itself.result = itself
    wanted = '__ringback_callback__ must return a PyCapsule named "ringback.callback.v1", found an object of type '
    assert refused(nested) == refused(itself) == wanted + "Offers"
    for junk in (b"bytes", (1,), {}, 1.5, np.float64(1.0), lambda x: x, rb.compile(lambda x: x, "f64(f64)"), NAME):
        assert refused(Offers(junk)) == wanted + type(junk).__name__


def test_a_producer_that_asks_for_itself() -> None:
    class Again:
        depth = 0

        def __ringback_callback__(self, signature: str | None = None) -> Any:
            self.depth += 1
            return rt.Handle(self)

    again = Again()
    with pytest.raises(RecursionError):
        rt.Handle(again)
    assert again.depth > 20


def test_methods_that_cannot_be_called_so() -> None:
    class NoMethod:
        __ringback_callback__: Any = None

    for found in (None, 7, "text", object()):
        NoMethod.__ringback_callback__ = found
        assert refused(NoMethod()) == (
            "expected a callback f64(f64), found an object of type NoMethod whose __ringback_callback__ is no method but "
            f"of type {type(found).__name__}"
        )

    class NoParameter:
        def __ringback_callback__(self) -> Any:
            return None

    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        rt.Handle(NoParameter())


def test_class_attributes() -> None:
    made = rb.compile(lambda x: 3.0 * x, "f64(f64)")

    class ByClass:
        __ringback_callback__ = made.__ringback_callback__

    assert rt.sum_over_threads(ByClass(), 3, 1) == 9.0
    assert refused(ByClass).startswith("expected a callback f64(f64), found type <class")

    class Meta(type):
        def __ringback_callback__(cls, signature: str | None = None) -> Any:
            return made.__ringback_callback__(signature)

    class OfMeta(metaclass=Meta):
        pass

    assert refused(OfMeta).startswith("expected a callback f64(f64), found ")


def test_another_signature_than_was_asked_for() -> None:
    for signature in (b"f64([f64], mut [f64])", b"void(f64)", b"f64(*void)", b"f64(f64, f64)", b"[f64; 2](f64)"):
        stranger = Stranger(signature)
        with pytest.raises(TypeError) as caught:
            rt.Handle(stranger)
        assert str(caught.value).startswith(f"expected a callback f64(f64), found {signature.decode()}: ")
        assert stranger.released == 1


class Number(enum.IntEnum):
    ONE = 1


class Index:
    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    __int__ = __index__


def test_addresses_are_never_taken() -> None:
    native = ENTRY(lambda ret, error, x, env: 0)
    where = address(native)
    numbers = [
        where,
        -1,
        2**70,
        True,
        Number.ONE,
        np.bool_(True),
        Index(where),
        float(where),
        complex(where),
        where.to_bytes(8, "little"),
    ]
    numbers += [kind(where & 0x7F) for kind in (np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64, np.intp)]
    numbers += [np.array(where), np.array([where]), ctypes.c_size_t(where), ctypes.c_void_p(where), str(where)]
    numbers += [numba.cfunc("float64(float64)")(lambda x: x).address, rb.compile(lambda x: x, "f64(f64)").entry]
    for number in numbers:
        text = refused(number)
        assert text.startswith("expected a callback f64(f64), found "), number
        if isinstance(number, int):
            assert f"the number {number}: an address has no type and is never taken" in text
    # Nor where a producer returns one, though it is the record's.
    stranger = Stranger()
    assert refused(Offers(ctypes.addressof(stranger.record))).endswith("found an object of type int")
