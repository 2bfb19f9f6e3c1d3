"""Objects that lie about themselves. Run by test_hostile.py, in a process that may crash."""

from __future__ import annotations

import functools
import types
from typing import Any
from unittest import mock

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad
from stranger import refused


class ClassLiar:
    def __init__(self, claimed: type) -> None:
        object.__setattr__(self, "claimed", claimed)

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return object.__getattribute__(self, "claimed")

    def __call__(self, *args: Any) -> Any:
        return 1.0


CLAIMS = [types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial, type, int, rb.Callback]
CLAIMS += [rb.CFunc, type(numba.njit(lambda x: x)), type(rb.bind(lambda x, k: x, k=1.0)), type(rb.interpreted(abs))]


@pytest.mark.parametrize("claimed", CLAIMS, ids=lambda c: c.__name__)
def test_objects_that_lie_about_their_class(claimed: type) -> None:
    for door in (rt.Handle, lambda c: quad(c, 0.0, 1.0), lambda c: quad(c, 0.0, 1.0, args=(1.0,))):
        with pytest.raises((TypeError, AttributeError)):
            door(ClassLiar(claimed))


class Everything:
    """Has every attribute."""

    def __init__(self, value: Any = None) -> None:
        self.__dict__["value"] = value

    def __getattr__(self, name: str) -> Any:
        return self if self.value is None else self.value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self


@pytest.mark.parametrize(
    "make",
    [Everything, lambda: Everything(7), lambda: Everything(lambda *a: None), mock.Mock, mock.MagicMock],
    ids=["itself", "numbers", "functions", "Mock", "MagicMock"],
)
def test_objects_that_have_every_attribute(make: Any) -> None:
    for door in (rt.Handle, lambda c: quad(c, 0.0, 1.0), lambda c: rb._callback_for(c, "f64(f64)")):
        with pytest.raises((TypeError, AttributeError)):
            door(make())


def test_objects_that_cannot_be_shown() -> None:
    class NoRepr:
        def __repr__(self) -> str:
            raise OSError("no")

    assert refused(NoRepr()).startswith(
        "expected a callback f64(f64), found NoRepr (whose repr raises OSError). Accepted"
    )

    class NoName(type):
        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise OSError("no")

    class Nameless(metaclass=NoName):
        def __ringback_callback__(self, signature: str | None = None) -> Any:
            return self

    assert refused(Nameless()).endswith("found an object of type unknown")


def test_callbacks_that_lie_about_their_signature() -> None:
    class Liar(rb.Callback):
        signature = "f64(f64)"  # type: ignore[assignment]
        entry = 64  # type: ignore[assignment]
        env = 64  # type: ignore[assignment]
        code = types.SimpleNamespace(signature=rb.Signature("f64(f64)"))  # type: ignore[assignment]

    made = rb.compile(lambda x: np.float32(x.sum()), "f32([f64])")
    made.__class__ = Liar
    assert made.signature == "f64(f64)"
    assert refused(made).startswith("expected a callback f64(f64), found f32([f64]): ")
    assert made(np.array([1.0, 2.0])) == 3.0
    with pytest.raises(TypeError):
        made(1.0)
    for name in ("signature", "entry", "env", "code", "__ringback_callback__"):
        with pytest.raises(AttributeError):
            setattr(rt.offer_scaled(1.0), name, 64)

    class Other:
        signature = "f64(f64)"
        __ringback_callback__ = staticmethod(lambda signature: made.__ringback_callback__(None))

    assert refused(Other()).startswith("expected a callback f64(f64), found f32([f64]): ")


@pytest.mark.parametrize("text", ["", "junk", "f64(f64", "\0", "f64(f64)\0", "\ud800", "x" * 1_000_000, 7, b"f64(f64)"])
def test_requests_that_are_none(text: Any) -> None:
    for producer in (rb.compile(lambda x: x, "f64(f64)"), rt.offer_scaled(1.0), rb.interpreted(abs)):
        with pytest.raises((TypeError, ValueError)):
            producer.__ringback_callback__(text)
