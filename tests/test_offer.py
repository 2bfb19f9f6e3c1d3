"""Callbacks that Rust offers: other extension modules, and the engines, take them as they take Python's."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad


def test_an_engine_of_another_extension_module_takes_it() -> None:
    offered = rt.offer_scaled(3.0)
    assert offered.signature == "f64(f64)"
    assert repr(offered) == "<ringback callback from Rust: f64(f64)>"
    result = quad(offered, 0.0, 2.0)
    assert (result.value, result.status) == (pytest.approx(6.0, rel=1e-14), 0)
    assert rt.sum_over_threads(offered, 100, 4) == rt.sum_over_threads(
        rb.compile(lambda x: 3.0 * x, "f64(f64)"), 100, 4
    )


def test_arrays() -> None:
    x = [0.5, -2.0, 1.0]

    def normal(x: np.ndarray, grad: np.ndarray) -> float:
        grad[:] = -x
        return -0.5 * (x**2).sum()

    assert rt.log_density(rt.offer_normal(), x) == rt.log_density(normal, x) == (-2.625, [-0.5, 2.0, -1.0])


def test_its_errors_arrive_as_exceptions() -> None:
    with pytest.raises(ValueError, match="^negative$"):
        quad(rt.offer_scaled(1.0), -1.0, 1.0)
    with pytest.raises(ValueError, match="^negative$"):
        rt.sum_over_threads(rt.pass_on(rt.pass_on(_negative(rt.offer_scaled(1.0)))), 10, 2)


def _negative(callback: Any) -> Any:
    """A Python function's errors, by way of Rust."""

    def f(x: float) -> float:
        if x >= 0.0:
            raise ValueError("negative")
        return x

    assert quad(callback, 0.0, 1.0).value == pytest.approx(0.5)
    return f


def test_passed_on_many_times_it_owns_what_it_needs() -> None:
    def made() -> Any:
        data = np.full(300_000, 2.0)

        def f(x: float) -> float:
            return x * data[7]

        return rt.pass_on(rt.pass_on(rt.pass_on(f)))

    offered = made()
    gc.collect()
    assert quad(offered, 0.0, 1.0).value == pytest.approx(1.0)
    capsules = [offered.__ringback_callback__("f64(f64)") for _ in range(100)]
    del offered
    del capsules
    gc.collect()


def test_other_signatures_are_refused() -> None:
    with pytest.raises(TypeError) as error:
        quad(rt.offer_normal(), 0.0, 1.0)
    assert "f64(f64)" in str(error.value)
    assert "f64([f64], mut [f64])" in str(error.value)
    with pytest.raises(TypeError, match="the requested signature 'junk'|the requested signature \"junk\""):
        rt.offer_scaled(1.0).__ringback_callback__("junk")
    with pytest.raises(TypeError):
        type(rt.offer_scaled(1.0))()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("KeyError", KeyError("what it said")),
        ("UnicodeDecodeError", RuntimeError("UnicodeDecodeError: what it said")),  # made of five arguments
        ("KeyboardInterrupt", RuntimeError("KeyboardInterrupt: what it said")),
        ("Nonsense", RuntimeError("Nonsense: what it said")),
    ],
)
def test_the_class_that_a_closure_names(name: str, expected: Exception) -> None:
    with pytest.raises(Exception, match="what it said") as caught:
        quad(rt.offer_raising(name), 0, 1)
    assert type(caught.value) is type(expected)
    assert caught.value.args == expected.args
