"""Functions that pass the door again by the short way: never a stale answer, whatever has changed."""

from __future__ import annotations

import math
import threading
import types

import numpy as np
import pytest
import ringback as rb
from ringback import accept
from ringback import recipe as recipes
from ringback.integrate import quad

scale = 2.0
settings = types.ModuleType("settings")
settings.k = 3.0


@pytest.fixture
def doors(monkeypatch):
    """Counts how often the door is passed. The native side holds on to the door, so what the door asks is counted."""
    passed = []
    plan_of = accept.plan_of

    def counted(code):
        passed.append(code)
        return plan_of(code)

    monkeypatch.setattr(accept, "plan_of", counted)
    return passed


def value(f, *args):
    return quad(f, 0.0, 1.0, args=args or None).value


def test_other_numbers_do_not_pass_the_door(doors):
    def of(k):
        return value(lambda t: k * t)

    assert of(2.0) == pytest.approx(1.0)
    seen = len(doors)
    assert seen > 0
    for k in (3.0, np.float64(4.0), -0.0, 1e-300, 2.0):
        assert of(k) == pytest.approx(k / 2)
    assert len(doors) == seen


def test_args_and_defaults(doors):
    f = lambda t, k, n: k * t + n  # noqa: E731
    assert value(f, 2.0, 1.0) == pytest.approx(2.0)
    seen = len(doors)
    assert [value(f, float(k), 0.5) for k in range(5)] == pytest.approx([k / 2 + 0.5 for k in range(5)])
    assert len(doors) == seen
    # A whole number is another type of argument, and so is another count of them.
    assert value(f, 2, 1) == pytest.approx(2.0)
    with pytest.raises(TypeError):
        value(f, 2.0)
    assert [value(lambda t, k=k: k * t) for k in (1.0, 2.0, 3.0)] == pytest.approx([0.5, 1.0, 1.5])
    assert quad(lambda t, k: k * t, 0, 1, args=4.0).value == pytest.approx(2.0)


def test_types_that_change_give_what_they_should():
    def of(k):
        return value(lambda t: t + k)

    for k in (1.0, 2, True, np.float32(1.5), np.int16(3), 2**40, 4.0, np.float64(0.5), False, 7, 2.5):
        assert of(k) == pytest.approx(0.5 + float(k)), repr(k)
    # Division of whole numbers, powers of them: other code than for floats.
    assert [value(lambda t, n=n: n // 2 + 0 * t) for n in (5, 5.0, 7, 2**62)] == pytest.approx([2, 2, 3, 2.0**61])
    with pytest.raises(rb.CompileError):
        of(2**70)
    assert of(1.0) == pytest.approx(1.5)


def test_globals_attributes_and_builtins(monkeypatch):
    f = lambda t: scale * t  # noqa: E731
    g = lambda t: settings.k * t  # noqa: E731
    h = lambda t: abs(t - 0.5)  # noqa: E731
    assert (value(f), value(g), value(h)) == pytest.approx((1.0, 1.5, 0.25))
    for number in (5.0, 6, 7.0):
        monkeypatch.setitem(globals(), "scale", number)
        monkeypatch.setattr(settings, "k", number)
        assert (value(f), value(g)) == pytest.approx((number / 2, number / 2))
    other = types.ModuleType("other")
    other.k = 11.0
    monkeypatch.setitem(globals(), "settings", other)
    assert value(g) == pytest.approx(5.5)
    monkeypatch.setitem(globals(), "abs", _one)
    assert value(h) == pytest.approx(1.0)
    monkeypatch.delitem(globals(), "abs")
    assert value(h) == pytest.approx(0.25)
    monkeypatch.delitem(globals(), "scale")
    with pytest.raises(rb.CompileError, match="scale"):
        value(f)
    del other.k
    with pytest.raises(rb.CompileError, match=r"settings\.k"):
        value(g)


def _one(x):
    return 1.0


factor = 3.0


def _helper(t, by=2.0):
    return by * factor * t


def test_helpers_and_what_they_refer_to(monkeypatch, doors):
    f = lambda t: _helper(t)  # noqa: E731
    assert value(f) == pytest.approx(3.0)
    seen = len(doors)
    assert value(f) == pytest.approx(3.0)
    assert len(doors) == seen
    monkeypatch.setitem(globals(), "factor", 4.0)
    assert value(f) == pytest.approx(4.0)
    monkeypatch.setattr(_helper, "__defaults__", (1.0,))
    assert value(f) == pytest.approx(2.0)
    monkeypatch.setattr(_helper, "__code__", (lambda t, by: by * t).__code__)
    assert value(f) == pytest.approx(0.5)
    monkeypatch.setitem(globals(), "_helper", lambda t: 8.0 * t)
    assert value(f) == pytest.approx(4.0)


def test_the_code_of_a_function_may_be_replaced():
    def f(t):
        return t

    assert value(f) == pytest.approx(0.5)
    f.__code__ = (lambda t: 3.0 * t).__code__
    assert value(f) == pytest.approx(1.5)


def test_variables_that_are_gone_are_named():
    def make():
        k = 2.0

        def f(t):
            return k * t

        def forget():
            nonlocal k
            del k

        return f, forget

    f, forget = make()
    assert value(f) == pytest.approx(1.0)
    forget()
    with pytest.raises(rb.CompileError, match="k, which has no value yet"):
        value(f)


def test_arrays_and_tuples_are_looked_at_each_time(doors):
    table = np.array([1.0, 2.0])
    pair = (1.0, 2.0)
    f = lambda t: table[0] * t + pair[1]  # noqa: E731
    assert value(f) == pytest.approx(2.5)
    seen = len(doors)
    table[0] = 3.0
    assert value(f) == pytest.approx(3.5)
    pair = (1.0, 4.0)
    assert value(f) == pytest.approx(5.5)
    table = np.array([5.0], dtype=np.float32)
    assert value(f) == pytest.approx(6.5)
    assert len(doors) > seen
    assert recipes.recipe(f, (), rb.compile(f, "f64(f64)", error_model="numpy")) is None


def test_what_changes_too_often_is_given_up():
    # An object of its own each time, of a type whose numbers the native side does not read.
    for k in np.linspace(1, 2, 40, dtype=np.float32):
        assert value(lambda t, k=k: k * t) == pytest.approx(float(k) / 2)


def test_keyword_only_parameters():
    def f(t, *, k=2.0):
        return k * t

    assert value(f) == pytest.approx(1.0)
    f.__kwdefaults__["k"] = 3.0
    assert value(f) == pytest.approx(1.5)


def test_an_exception_and_then_a_result():
    def of(limit):
        def f(t):
            if t > limit:
                raise ValueError("too far")
            return t

        return value(f)

    assert of(2.0) == pytest.approx(0.5)
    for _ in range(3):
        with pytest.raises(ValueError, match="too far"):
            of(0.5)
        assert of(1.0) == pytest.approx(0.5)


def test_threads_do_not_see_each_other():
    wrong = []

    def work(k):
        for i in range(300):
            number = k + i / 1000
            found = quad(lambda t: number * math.exp(-t), 0.0, math.inf).value
            if abs(found - number) > 1e-6 * number:
                wrong.append((number, found))

    threads = [threading.Thread(target=work, args=(10.0**k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_same_bits_as_a_callback():
    for k in np.random.default_rng(1).uniform(0.1, 5, 50):
        f = lambda t: np.exp(-k * t) / (1 + t * t)  # noqa: E731
        short = quad(f, 0, np.inf)
        compiled = quad(rb.compile(f, "f64(f64)", error_model="numpy"), 0, np.inf)
        assert short == compiled
