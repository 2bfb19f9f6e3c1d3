"""Functions that pass the door again by the short way: never a stale answer, whatever has changed."""

from __future__ import annotations

import gc
import math
import sys
import threading
import types
import weakref

import numba
import numpy as np
import pytest
import ringback as rb
from ringback import accept, snapshot
from ringback import recipe as recipes
from ringback.integrate import quad

scale = 2.0
settings = types.ModuleType("settings")
settings.k = 3.0


@pytest.fixture
def doors(monkeypatch):
    """Counts how often the door is passed. The native side holds on to the door, so what the door asks is counted."""
    passed = []
    compiled = snapshot.Reading

    def counted(*of):
        passed.append(of)
        return compiled(*of)

    for module in (accept, sys.modules["ringback.bind"], sys.modules["ringback.compile"]):
        monkeypatch.setattr(module, "Reading", counted)
    return passed


def written(f, code, made):
    return recipes.recipe(f, code, (), {}, None, (), "numpy", made)


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


def test_bools_complex_numbers_and_int64_do_not_pass_the_door(doors):
    def of(k):
        return value(lambda t: abs(k * (1.0 + 0.0 * t)) if k else -1.0)

    kinds = [[True, False], [2, np.int64(-3), 0], [3 + 4j, np.complex128(-5j), 0j]]
    for numbers in kinds:
        of(numbers[0])
    seen = len(doors)
    for numbers in kinds:
        for k in numbers:
            assert of(k) == pytest.approx(float(abs(k)) if k else -1.0)
    assert len(doors) == seen


def test_defaults_are_those_of_the_last_parameters():
    f = lambda t, a=1.0, b=2.0: a * t + b  # noqa: E731
    assert [value(f), value(f)] == pytest.approx([2.5, 2.5])
    f.__defaults__ = (7.0, 3.0, 4.0)
    assert value(f) == pytest.approx(5.5)
    for defaults in (None, (1.0,)):
        f.__defaults__ = defaults
        with pytest.raises(rb.CompileError, match="nothing gives a value for a"):
            value(f)
    f.__defaults__ = (1.0, 4.0)
    assert value(f) == pytest.approx(4.5)


def test_functions_of_one_code_that_call_each_other():
    def make(k, inner):
        def f(t):
            return k * t + inner(t)

        def become(number):
            nonlocal k
            k = number

        return f, become

    first, become = make(2.0, lambda t: 0.0)
    second, _ = make(4.0, first)
    third, _ = make(8.0, second)
    assert [value(f) for f in (second, second, third, third)] == pytest.approx([3.0, 3.0, 7.0, 7.0])
    become(6.0)
    assert [value(second), value(third)] == pytest.approx([5.0, 9.0])


def test_what_runs_code_to_give_a_value_passes_the_door_each_time():
    class Scope(dict):
        def __getitem__(self, name):
            return number if name == "k" else dict.__getitem__(self, name)

    class Module(types.ModuleType):
        k = property(lambda _: number)

    def missing(name):
        if name != "k":
            raise AttributeError(name)
        return number

    dynamic = types.ModuleType("dynamic")
    dynamic.__getattr__ = missing
    strange = Module("strange")
    scope = Scope(k=None)
    exec("f = lambda t: k * t", scope)
    functions = [scope["f"], lambda t: strange.k * t, lambda t: dynamic.k * t]
    for number in (2.0, 4.0, 6.0):
        assert [value(f) for f in functions] == pytest.approx([number / 2] * 3)
    plain = types.ModuleType("plain")
    plain.k = 2.0
    f = lambda t: plain.k * t  # noqa: E731
    assert [value(f), value(f)] == pytest.approx([1.0, 1.0])
    plain.__class__ = Module
    assert value(f) == pytest.approx(3.0)


def test_the_function_behind_a_jitted_one_may_be_replaced():
    jitted = numba.njit(lambda t: t)
    f = lambda t: jitted(t)  # noqa: E731
    assert [value(f), value(f)] == pytest.approx([0.5, 0.5])
    jitted.py_func = lambda t: 3.0 * t
    assert value(f) == pytest.approx(1.5)


def test_a_callback_that_is_no_longer_what_the_function_is_compiled_to_has_no_recipe():
    helper = one = lambda t: t
    f = lambda t: helper(t)  # noqa: E731
    g = lambda t: -t  # noqa: E731
    made = rb.compile(f, "f64(f64)", error_model="numpy")
    assert written(f, f.__code__, made)
    # As another thread might do it after the door has looked.
    helper = lambda t: 2.0 * t  # noqa: E731
    assert written(f, f.__code__, made) is None
    assert value(f) == pytest.approx(1.0)
    assert written(f, f.__code__, made) is None
    helper = one
    assert written(f, f.__code__, made)
    assert written(f, g.__code__, made) is None
    code, f.__code__ = f.__code__, (lambda t: helper(t) + 0.0).__code__
    assert written(f, code, made) is None


def test_what_another_thread_changes_during_a_compilation_is_not_stale(monkeypatch):
    helper = one = lambda t: t
    f = lambda t: helper(t)  # noqa: E731
    compiler = sys.modules["ringback.compile"]
    build = compiler._build

    def late(*args):
        nonlocal helper
        helper = lambda t: 3.0 * t  # noqa: E731
        return build(*args)

    monkeypatch.setattr(compiler, "_build", late)
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    assert value(f) == pytest.approx(0.5)
    monkeypatch.undo()
    assert [value(f), value(f)] == pytest.approx([1.5, 1.5])
    helper = one
    assert [value(f), value(f)] == pytest.approx([0.5, 0.5])


def test_what_a_callback_is_bound_to_is_not_kept_alive():
    data = np.ones(3)
    gone = weakref.ref(data)
    of_data = rb.compile(lambda t, x: t + x[0], "f64(f64, [f64])")
    bound = of_data.bind(x=data)
    of = lambda inner: value(lambda t: inner(t))  # noqa: E731
    assert [of(bound), of(bound)] == pytest.approx([1.5, 1.5])
    del bound, data
    assert of(rb.compile(lambda t: t, "f64(f64)")) == pytest.approx(0.5)
    gc.collect()
    assert gone() is None


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


def test_arrays_and_tuples_do_not_pass_the_door(doors):
    table = np.array([1.0, 2.0])
    pair = (1.0, 2.0)
    f = lambda t: table[0] * t + pair[1]  # noqa: E731
    assert value(f) == pytest.approx(2.5)
    seen = len(doors)
    table[0] = 3.0
    assert value(f) == pytest.approx(3.5)
    pair = (1.0, 4.0)
    assert value(f) == pytest.approx(5.5)
    table = np.array([4.0, 5.0, 6.0])[::1]
    assert value(f) == pytest.approx(6.0)
    assert len(doors) == seen
    table = np.array([5.0], dtype=np.float32)
    pair = (1, 4.0)
    assert value(f) == pytest.approx(6.5)
    assert len(doors) > seen


def test_what_changes_too_often_is_given_up():
    # An object of its own each time, of a type whose numbers the native side does not read.
    for k in np.linspace(1, 2, 40, dtype=np.float32):
        assert value(lambda t, k=k: k * t) == pytest.approx(float(k) / 2)


def test_keyword_only_parameters(doors):
    def f(t, *, k=2.0, n=1.0):
        return k * t + n

    assert value(f) == pytest.approx(2.0)
    seen = len(doors)
    f.__kwdefaults__["k"] = 3.0
    assert value(f) == pytest.approx(2.5)
    f.__kwdefaults__ = {"n": 0.0, "k": 4.0, "other": None}
    assert value(f) == pytest.approx(2.0)
    assert len(doors) == seen
    f.__kwdefaults__["k"] = 5
    assert value(f) == pytest.approx(2.5)
    del f.__kwdefaults__["n"]
    with pytest.raises(rb.CompileError, match="nothing gives a value for n"):
        value(f)


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


def test_threads_that_start_together_leave_a_recipe(doors):
    start = threading.Barrier(32)
    found = []

    def work(k):
        f = lambda t: k * t  # noqa: E731
        start.wait()
        found.append(value(f) == pytest.approx(k / 2))

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 32
    seen = len(doors)
    work_again = types.FunctionType(work.__code__.co_consts[1], {}, closure=(types.CellType(3.0),))
    assert value(work_again) == pytest.approx(1.5)
    assert len(doors) == seen


def test_an_integrand_that_integrates_itself():
    def of(k):
        return value(lambda t: k * t)

    assert of(1.0) == pytest.approx(0.5)
    outer = rb.interpreted(lambda t: of(4.0 * t))
    assert quad(outer, 0, 1).value == pytest.approx(1.0)


def test_exceptions_keep_what_they_were_raised_with():
    def of(limit):
        def f(t):
            if t > limit:
                raise ValueError("too far", limit)
            return t

        return value(f)

    kept = []
    for limit in (0.25, 0.5, 0.75):
        with pytest.raises(ValueError, match="too far") as error:
            of(limit)
        kept.append(error.value)
        assert of(2.0) == pytest.approx(0.5)
    assert [error.args[1] for error in kept] == [0.25, 0.5, 0.75]


def test_the_same_bits_as_a_callback():
    for k in np.random.default_rng(1).uniform(0.1, 5, 50):
        f = lambda t: np.exp(-k * t) / (1 + t * t)  # noqa: E731
        short = quad(f, 0, np.inf)
        compiled = quad(rb.compile(f, "f64(f64)", error_model="numpy"), 0, np.inf)
        assert short == compiled
