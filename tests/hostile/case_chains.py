"""Callbacks behind callbacks, more of them than the stack has room for: none of what walks along them recurses."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad


def test_a_callback_handed_on_many_times() -> None:
    callback: Any = rb.compile(lambda x: 2.0 * x, "f64(f64)")
    for _ in range(300_000):
        callback = rt.pass_on(callback)
    assert quad(callback, 0, 1).value == 1.0
    with pytest.raises(TypeError, match=r"expected a callback f64\(\[f64\], mut \[f64\]\), found f64\(f64\)"):
        rt.log_density(callback, [1.0])
    del callback
    gc.collect()


def test_a_chain_of_callbacks_that_call_each_other() -> None:
    def after(inner: Any) -> Callable[[float], float]:
        return lambda x: inner(x) + 1.0

    callback = rb.compile(lambda x: x, "f64(f64)")
    for _ in range(200_000):
        callback = rb.compile(after(callback), "f64(f64)")
    capsule = callback.__ringback_callback__()
    # The capsule alone owns the chain now. What it owned goes when this thread next makes a callback.
    del callback
    gc.collect()
    del capsule
    assert rb.compile(lambda x: x, "f64(f64)")(1.0) == 1.0
