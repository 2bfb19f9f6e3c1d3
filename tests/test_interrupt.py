"""Ctrl-C during one integral: the handler of the signal runs soon after the current call."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ringback as rb
from ringback.integrate import quad

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")


def heavy(t):
    """Some milliseconds."""
    s = 0.0
    for i in range(200_000):
        s += np.sin(t * i)
    return s


def heavy_complex(t):
    return heavy(t) + 1j


def quick(t):
    """Of no integral that converges: thousands of blocks."""
    return np.sin(1e9 * t) / (t + 1e-9)


def delay(run: Callable[[], Any]) -> float:
    """Seconds from the signal to the KeyboardInterrupt."""
    sent = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run()
        return time.perf_counter() - sent[0]
    finally:
        timer.join()


@pytest.mark.parametrize("weight", [{}, {"weight": "cos", "wvar": 3.0}])
def test_slow_calls(weight: dict[str, Any]) -> None:
    f = rb.compile(heavy, "f64(f64)")
    # The test allows more than is promised: machines are busy.
    assert delay(lambda: quad(f, 0, 1, limit=400, epsabs=0, epsrel=1e-12, **weight)) < 1.0


def test_slow_calls_of_a_complex_function() -> None:
    f = rb.compile(heavy_complex, "c128(f64)")
    assert delay(lambda: quad(f, 0, 1, limit=400, epsabs=0, epsrel=1e-12, complex_func=True)) < 1.0


@pytest.mark.filterwarnings("ignore::ringback.integrate.IntegrationWarning")
def test_many_quick_calls() -> None:
    """As one integral of a million blocks."""
    f = rb.compile(quick, "f64(f64)", error_model="numpy")
    quad(f, 0, 1, limit=50)
    assert delay(lambda: quad(f, 0, 1, limit=3_000_000, epsabs=0, epsrel=1e-13)) < 1.0


@pytest.mark.filterwarnings("ignore::ringback.integrate.IntegrationWarning")
def test_a_signal_that_is_handled_changes_nothing() -> None:
    f = rb.compile(heavy, "f64(f64)")
    expected = quad(f, 0, 1, limit=2)
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(time.perf_counter()))
    try:
        timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        result = quad(f, 0, 1, limit=2)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert result == expected
    assert len(seen) == 1
