"""What a function does wrong, and Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time

import ergodic
import numpy as np
import pytest
import ringback as rb
from exact import exactly


class Lost(Exception):
    pass


def half_line(x):
    """An exponential distribution; other languages would say "undefined" left of zero."""
    if x[0] < 0.0:
        raise Lost("left of zero", x[0])
    return -x[0]


def test_an_exception_comes_through_as_itself() -> None:
    with pytest.raises(Lost) as caught:
        ergodic.metropolis(half_line, [1.0], seed=1)
    text, where = caught.value.args
    assert text == "left of zero"
    assert -10.0 < where < 0.0
    last = caught.traceback[-1]
    assert last.name == "half_line"
    assert last.path.name == "test_errors.py"


def test_the_exception_does_not_depend_on_threads() -> None:
    seen = set()
    for workers in (1, 2, 8, 8, 8):
        with pytest.raises(Lost) as caught:
            ergodic.metropolis(half_line, [3.0], chains=8, workers=workers, seed=2)
        seen.add(caught.value.args)
    assert len(seen) == 1


def test_a_step_may_be_rejected_where_the_function_raises() -> None:
    draws = ergodic.metropolis(half_line, [1.0], draws=20_000, step=1.5, on_error="reject", seed=3)
    assert draws.x.min() >= 0.0
    assert np.all(draws.raised > 100)
    assert abs(draws.x.mean() - 1.0) < 0.1
    # To raise there, and to say that the density is zero there, is then the same.
    zero = ergodic.metropolis(lambda x: -x[0] if x[0] >= 0.0 else -np.inf, [1.0], draws=20_000, step=1.5, seed=3)
    assert np.array_equal(draws.x, zero.x)
    assert zero.raised.tolist() == [0, 0, 0, 0]


def test_hmc_rejects_too() -> None:
    def density(x, grad):
        grad[0] = -1.0
        return half_line(x)

    draws = ergodic.hmc(density, [1.0], draws=2000, step=0.3, leapfrog=5, on_error="reject", seed=4)
    assert draws.x.min() >= 0.0
    assert draws.raised.sum() > 100
    with pytest.raises(Lost):
        ergodic.hmc(density, [1.0], draws=2000, step=0.3, leapfrog=5, seed=4)


def test_the_start_cannot_be_rejected() -> None:
    with pytest.raises(Lost) as caught:
        ergodic.metropolis(half_line, [-1.0], on_error="reject")
    assert caught.value.args == ("left of zero", -1.0)
    with pytest.raises(
        ValueError, match=exactly("the density at the start [-2.5] is zero: start where the log density is finite")
    ):
        ergodic.metropolis(lambda x: math.log(x[0]) if x[0] > 0.0 else -math.inf, [-2.5])


@pytest.mark.parametrize("on_error", ["raise", "reject"])
@pytest.mark.parametrize(("value", "shown"), [(math.nan, "NaN"), (math.inf, "inf")])
def test_nan_and_infinity_are_errors(value: float, shown: str, on_error: str) -> None:
    text = f"the log density at [1.0, 2.0] is {shown}: it must be a number, or -inf where the density is zero"
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.metropolis(lambda x: value, [1.0, 2.0], on_error=on_error)

    def later(x):
        return value if x[0] > 1.0 else 0.0

    with pytest.raises(ValueError, match=f"is {shown}: it must be a number"):
        ergodic.metropolis(later, [1.0], on_error=on_error)


def test_a_gradient_that_was_not_written_is_an_error() -> None:
    def forgot(x, grad):
        grad[0] = -x[0]
        return -0.5 * (x * x).sum()

    text = "the gradient at [1.0, 2.0] is [-1.0, NaN]: where the log density is finite, its gradient must be too"
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.hmc(forgot, [1.0, 2.0])


def test_a_trajectory_that_diverges_is_rejected() -> None:
    density = ergodic.gaussian_with_gradient([0.0], [1.0])
    draws = ergodic.hmc(density, [1.0], draws=100, warmup=0, step=50.0, leapfrog=1000)
    assert draws.accepted.tolist() == [0.0] * 4
    assert np.all(draws.x == 1.0)


def test_a_start_of_another_length() -> None:
    with pytest.raises(ValueError, match=exactly("a point of 2 numbers expected, found 1")):
        ergodic.metropolis(ergodic.gaussian([0.0, 0.0], [1.0, 1.0]), [0.0])


def test_functions_of_another_type_are_refused_with_both_signatures() -> None:
    other = rb.compile(lambda t: t, "f64(f64)")
    with pytest.raises(TypeError) as caught:
        ergodic.metropolis(other, [0.0])
    assert "expected a callback f64([f64]), found f64(f64)" in str(caught.value)
    with pytest.raises(TypeError) as caught:
        ergodic.hmc(ergodic.gaussian([0.0], [1.0]), [0.0])
    assert "expected a callback f64([f64; n0], mut [f64; n0]), found f64([f64])" in str(caught.value)


def test_a_function_of_too_many_parameters_is_refused() -> None:
    def gradient_too(x, grad):
        return 0.0

    with pytest.raises(rb.CompileError) as caught:
        ergodic.metropolis(gradient_too, [0.0])
    assert str(caught.value) == (
        "gradient_too cannot be called as f64([f64]): it takes 2 parameters (x, grad), and the signature passes 1; nothing "
        "gives a value for grad (as args, by rb.bind, or as a default)"
    )


def test_a_function_that_does_not_compile_is_shown_with_its_line() -> None:
    def stores(x):
        x[0] = 1.0
        return 0.0

    with pytest.raises(rb.CompileError) as caught:
        ergodic.metropolis(stores, [0.0])
    text = str(caught.value)
    assert "stores" in text
    assert "test_errors.py" in text
    assert "x[0] = 1.0" in text


def test_what_is_no_function() -> None:
    with pytest.raises(TypeError, match=r"^expected a callback f64\(\[f64\]\), found the number 140000000: an address"):
        ergodic.metropolis(140_000_000, [0.0])


@pytest.mark.parametrize("workers", [1, 4])
def test_ctrl_c_ends_a_run(workers: int) -> None:
    density = rb.compile(lambda x: -0.5 * (x * x).sum(), "f64([f64])")
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        ergodic.metropolis(density, [0.0], draws=1, warmup=10**12, workers=workers)
    assert time.perf_counter() - start < 5.0


def test_other_threads_run_meanwhile() -> None:
    density = rb.compile(lambda x: -0.5 * (x * x).sum(), "f64([f64])")
    turns = 0
    done = threading.Event()

    def count() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        ergodic.metropolis(density, [0.0], draws=1, warmup=1_000_000, workers=1)
    finally:
        done.set()
        counter.join()
    assert turns > 20
