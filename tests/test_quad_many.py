"""`quad_many` against loops over `quad` and SciPy's: results, broadcasting, errors, threads, interruption."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
import types
import warnings

import numba
import numpy as np
import pytest
import ringback as rb
import scipy
import scipy.integrate
from ringback.integrate import IntegrationWarning, quad, quad_many


def decay(t, k):
    return np.exp(-k * t) / t**2


def loop(f, a, b, *args):
    """Our `quad` in a loop."""
    a, b, *args = np.broadcast_arrays(a, b, *args)
    out = [np.empty(a.shape) for _ in range(5)]
    for i in np.ndindex(a.shape):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IntegrationWarning)
            q = quad(f, a[i], b[i], args=tuple(x[i] for x in args))
        for array, x in zip(out, (q.value, q.error, q.neval, q.intervals, q.status), strict=True):
            array[i] = x
    return out


def same(result, expected):
    for found, wanted in zip(
        (result.value, result.error, result.neval, result.intervals, result.status), expected, strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


KS = np.linspace(0.5, 3.0, 101)


def test_same_bits_as_quad_and_the_numbers_of_scipy():
    result = quad_many(decay, 1, np.inf, args=(KS,))
    same(result, loop(decay, 1, np.inf, KS))
    for k, value in zip(KS[::10], result.value[::10], strict=True):
        assert value == pytest.approx(scipy.integrate.quad(decay, 1, np.inf, args=(k,))[0], rel=1e-12)
    value, error = result
    assert value is result.value
    assert error is result[1]
    assert len(result) == 2
    assert result.success.all()


@pytest.mark.parametrize(
    ("a", "b", "k"),
    [
        ((), (), ()),
        ((3,), (), ()),
        ((), (4,), (4,)),
        ((3, 1), (4,), ()),
        ((2, 1, 1), (3, 1), (2, 1, 4)),
        ((0,), (), ()),
        ((3, 0), (1,), (3, 1)),
        ((1,), (1, 1), (5, 1, 1)),
    ],
)
def test_broadcasts_as_numpy(a, b, k):
    rng = np.random.default_rng(1)
    a, b, k = rng.uniform(0, 1, a), rng.uniform(1, 2, b), rng.uniform(1, 2, k)
    result = quad_many(lambda t, k: np.exp(-k * t), a, b, args=(k,))
    assert np.shape(result.value) == np.broadcast(a, b, k).shape
    same(result, loop(lambda t, k: np.exp(-k * t), a, b, k))
    # As a ufunc: no arrays of no dimensions.
    assert isinstance(result.value, np.float64 if np.broadcast(a, b, k).ndim == 0 else np.ndarray)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(
        ValueError, match=r"cannot be broadcast together, their shapes are a \(3,\), b \(2,\), args\[0\] \(\);"
    ):
        quad_many(decay, np.ones(3), np.ones(2), args=(1.0,))


def test_odd_strides_and_byte_orders():
    big = np.arange(1.0, 25.0).reshape(4, 6)
    packed = np.zeros(4, dtype=[("x", "u1"), ("k", "f8")])
    packed["k"] = big[:, 0]
    for k in (big.T, big[::-1, ::2], np.asfortranarray(big), big.astype(">f8"), packed["k"], big[1:2].repeat(3, 0)):
        same(quad_many(decay, 1, np.inf, args=(k,)), loop(decay, 1, np.inf, np.array(k, float)))


@pytest.mark.parametrize("kind", ["i1", "u2", "i4", "i8", "u8", "f4", "?", "f2"])
def test_limits_of_all_real_types(kind):
    b = np.array([0, 1, 1, 0]).astype(kind)
    result = quad_many(lambda t: t * t + 1, -1, b)
    assert result.value.dtype == np.float64
    same(result, loop(lambda t: t * t + 1, -1, b.astype(float)))
    if kind in ("i1", "i4", "i8", "f4", "f2"):
        same(quad_many(lambda t: t * t, -b, b), loop(lambda t: t * t, -b.astype(float), b.astype(float)))


@pytest.mark.parametrize("kind", ["i1", "u2", "i4", "i8", "u8", "f4", "f8", "?", "c8", "c16"])
@pytest.mark.parametrize("how", [lambda f: f, rb.interpreted], ids=["compiled", "interpreted"])
def test_args_keep_their_types(kind, how):
    k = np.array([1, 0, 3, 2]).astype(kind)
    if kind[0] == "c":
        k = k + k.dtype.type(0.5j)

    def f(t, c, k):
        return c * t * (k * k).imag if isinstance(k, complex) else c * t + abs(k) / (1 + t)

    def g(t, c, k):
        return c * abs(k + k) * t

    same(quad_many(how(g), 0, 1, args=(2.5, k)), loop(how(g), 0, 1, 2.5, k))


def test_negative_whole_numbers_and_extremes():
    k = np.array([-(2**63), -1, 2**63 - 1])
    same(quad_many(lambda t, k: t * k, 0, 1, args=(k,)), loop(lambda t, k: t * k, 0, 1, k))
    k = np.array([2**64 - 1, 0], np.uint64)
    same(quad_many(lambda t, k: t * k, 0, 1, args=(k,)), loop(lambda t, k: t * k, 0, 1, k))


def test_args_beside_other_bound_data():
    table = np.arange(5.0)
    scale = 3.0

    def f(t, p, data, k, q=0.25):
        return scale * t**p * data[2] * k + q + table[1]

    bound = rb.bind(f, data=np.arange(10.0, 14.0))
    expected = [36 * k / 3 + 0.25 + 1 for k in KS]
    np.testing.assert_allclose(quad_many(bound, 0, 1, args=(2, KS)).value, expected)
    partial = functools.partial(f, data=np.arange(10.0, 14.0))
    np.testing.assert_allclose(quad_many(partial, 0, 1, args=(2, KS, 0.25)).value, expected)


def test_callbacks_compiled_for_the_args():
    compiled = rb.compile(decay, "f64(f64, f64)", error_model="numpy")
    same(quad_many(compiled, 1, np.inf, args=(KS,)), loop(compiled, 1, np.inf, KS))
    same(quad_many(compiled, 1, np.inf, args=(np.arange(1, 4),)), loop(compiled, 1, np.inf, np.arange(1.0, 4.0)))
    whole = rb.compile(lambda t, n: t * n, "f64(f64, i32)")
    assert quad_many(whole, 0, 1, args=(np.arange(4, dtype=np.int16),)).value.tolist() == [0, 0.5, 1, 1.5]
    with pytest.raises(TypeError, match="parameter 'n' of <lambda>: i32 expected, found numbers of float64"):
        quad_many(whole, 0, 1, args=(1.5,))


def test_foreign_callbacks_take_no_args():
    low = np.linspace(0, 1, 5)
    compiled = rb.compile(lambda t: t * t, "f64(f64)")
    foreign = types.SimpleNamespace(__ringback_callback__=compiled.__ringback_callback__)
    same(quad_many(foreign, low, 2), loop(compiled, low, 2))
    with pytest.raises(TypeError, match="cannot take args: bind them where it is made"):
        quad_many(foreign, 0, 1, args=(1.0,))
    with pytest.raises(TypeError, match="expected a callback f64"):
        quad_many(math.sin, 0, 1)


def test_c_functions_take_args_as_floats():
    power = ctypes.CDLL(None).pow
    power.restype, power.argtypes = ctypes.c_double, [ctypes.c_double, ctypes.c_double]
    point = numba.cfunc("float64(intc, CPointer(float64))")(lambda n, x: x[0] ** x[1])
    exponents = np.arange(4)
    for function in (power, point.ctypes, scipy.LowLevelCallable(point.ctypes)):
        result = quad_many(function, 0, [[1], [2]], args=(exponents,))
        same(result, loop(function, 0, [[1], [2]], exponents.astype(float)))
        np.testing.assert_allclose(result.value[0], 1 / (exponents + 1))
    with pytest.raises(TypeError, match="expected a callback f64\\(f64, f64, f64\\), found the C function"):
        quad_many(power, 0, 1, args=(1.0, 2.0))
    with pytest.raises(TypeError, match="f64 expected, found numbers of complex128"):
        quad_many(power, 0, 1, args=(1j,))


def test_functions_that_may_be_in_their_own_way_get_one_thread():
    seen = set()

    def where(t, k):
        seen.add(threading.get_ident())
        time.sleep(1e-4)
        return k * t

    quad_many(rb.interpreted(where), 0, 1, (np.arange(20.0),))
    assert len(seen) == 1
    seen.clear()
    quad_many(rb.interpreted(where), 0, 1, (np.arange(20.0),), 2)
    assert len(seen) == 2

    def counting(t, k, count):
        count[0] += 1
        return k * t

    count = np.zeros(1, np.int64)
    bound = rb.compile(counting, "f64(f64, f64, mut [i64])").bind(count=count)
    result = quad_many(bound, 0, 1, (np.arange(1000.0),))
    assert count[0] == result.neval.sum()
    with pytest.raises(ValueError, match="the function writes to the array bound to its parameter 'count', so that"):
        quad_many(bound, 0, 1, (np.arange(10.0),), 2)


def test_one_compilation():
    from ringback.compile import _compiled

    def f(t, k):
        return k * t

    quad_many(f, 0, 1, args=(KS,))
    before = len(_compiled)
    quad_many(f, 0, [1, 2, 3], args=(2.0,))
    assert len(_compiled) == before


@pytest.mark.parametrize("record", [True, False])
def test_the_same_bits_with_any_number_of_workers(record):
    def f(t, k):
        if k < 0:
            raise ValueError("negative", k)
        return 1 / np.sqrt(abs(t - k))

    rng = np.random.default_rng(2)
    ks = rng.uniform(0.1, 2, 700)
    if record:
        ks[rng.integers(0, 700, 30)] *= -1

    def run(workers):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IntegrationWarning)
            return quad_many(f, 0, 1, (ks,), workers, on_error="record")

    first = run(1)
    for workers in (2, 3, 5):
        other = run(workers)
        same(other, (first.value, first.error, first.neval, first.intervals, first.status))
        assert [*other.failures] == [*first.failures]
        assert [e.args for e in other.failures.values()] == [e.args for e in first.failures.values()]


@pytest.mark.parametrize("how", [lambda f: f, rb.interpreted], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_first_problem_that_fails_is_raised_as_itself(how, workers):
    def f(t, k):
        if k in (40.0, 41.0, 900.0):
            raise ValueError("no", k)
        return k * t

    ks = np.arange(1000.0).reshape(20, 50)
    for _ in range(5):
        with pytest.raises(ValueError, match="no") as caught:
            quad_many(how(f), 0, 1, (ks,), workers)
        assert caught.value.args == ("no", 40.0)
        assert caught.value.__notes__ == ["in quad_many, problem (0, 40): a = 0, b = 1, args = (40.0,)"]


def test_failures_are_recorded():
    def f(t, k):
        if k == 2:
            raise KeyError(k)
        return 1 / t if k == 3 else math.nan if k == 4 else 0.0 * t

    b = [1.0, 1.0, 1.0, 1.0, 1.0, math.nan]
    with pytest.warns(IntegrationWarning) as caught:
        result = quad_many(f, 0, b, (np.arange(6),), on_error="record")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "4 of 6 integrals are not as accurate as requested" in str(caught[0].message)
    assert str(caught[0].message).endswith("the first is problem (2,)")
    assert result.status.tolist()[:3] == [0, 0, 9]
    assert result.status.tolist()[4:] == [7, 6]
    assert np.isnan(result.value[[2, 4, 5]]).all()
    assert [*result.failures] == [(2,), (5,)]
    assert isinstance(result.failures[2,], KeyError)
    assert result.message(2) == "KeyError: 2"
    assert result.message(-1).startswith("ValueError: expected limits of integration that are numbers or infinite")
    assert result.message(0).startswith("converged")
    with pytest.raises(IndexError, match="expected an index for each of 1 axes, found 2"):
        result.message(1, 1)


def test_a_limit_that_is_nan_is_raised_with_its_place():
    with pytest.raises(ValueError, match="expected limits of integration") as caught:
        quad_many(lambda t: t, [0, math.nan], 1)
    assert caught.value.__notes__ == ["in quad_many, problem (1,): a = nan, b = 1, args = ()"]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"workers": 0}, ValueError, "expected at least 1 of workers, found 0; None takes all cores"),
        ({"workers": 1.5}, TypeError, "'float' object cannot be interpreted as an integer"),
        ({"on_error": "warn"}, ValueError, "on_error is 'raise' or 'record', found 'warn'"),
        ({"epsabs": 0, "epsrel": 0}, ValueError, "expected epsabs > 0 or epsrel >="),
        ({"limit": 0}, ValueError, r"expected `limit` of at least 1 and below 2\*\*63, found 0; 50 is the default"),
        (
            {"limit": 10**30},
            ValueError,
            r"expected `limit` of at least 1 and below 2\*\*63, found 10{30}; 50 is the default",
        ),
        ({"limit": 5.0}, TypeError, "expected `limit` to be a whole number, found float 5.0; 50 is the default"),
        ({"epsabs": [1, 2]}, TypeError, "expected epsabs to be a number, the same for all problems, found list"),
        ({"epsrel": None}, TypeError, "expected epsrel to be a number, the same for all problems, found NoneType None"),
        ({"a": 1j}, TypeError, "a: real limits of integration expected, found an array of complex128"),
        ({"a": "x"}, TypeError, "a: numbers or arrays of numbers expected"),
        ({"args": (None,)}, TypeError, r"args\[0\]: numbers or arrays of numbers expected"),
        ({"args": (np.ma.array([1.0]),)}, TypeError, r"args\[0\] is a masked array"),
        ({"args": (1.0, 2.0)}, TypeError, "args has 2 values for the other 1"),
    ],
)
def test_bad_input_says_what_is_wrong(arguments, error, text):
    for empty in (False, True):
        if empty and "a" in arguments:
            continue
        given = {"a": [] if empty else 0.0, "b": 1.0, "args": (2.0,), **arguments}
        with pytest.raises(error, match=text):
            quad_many(lambda t, k: t * k, **given)


def test_no_more_threads_than_problems():
    for workers in (3, 2**31, 10**30):
        assert quad_many(lambda t: t, 0, [1, 2], workers=workers).value.tolist() == [0.5, 2.0]


def test_the_result_is_frozen_and_reads_well():
    result = quad_many(lambda t, k: t * k, 0, 1, (np.arange(6.0).reshape(2, 3),))
    assert repr(result).startswith("QuadManyResult(shape=(2, 3): 6 with status 0, largest error ")
    assert repr(quad_many(lambda t: t, 0, 1)).startswith("QuadManyResult(value=0.5, error=5.551e-15, status=0)")
    assert repr(quad_many(lambda t: t, 0, [])) == "QuadManyResult(shape=(0,): nothing)"
    with pytest.raises(AttributeError):
        result.value = 1.0


@pytest.mark.filterwarnings("ignore::ringback.integrate.IntegrationWarning")
def test_progress_is_told_to_tqdm(monkeypatch):
    told, here = [], threading.get_ident()

    class Bar:
        def __init__(self, total):
            told.append(("total", total))

        def update(self, n):
            assert threading.get_ident() == here
            told.append(n)

        def close(self):
            told.append("closed")

    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace())
    quad_many(lambda t, k: np.sin(k * t) + 2, 0, 100, (np.linspace(1, 30, 5000),), limit=1000, progress=True)
    assert told[0] == ("total", 5000)
    assert told[-1] == "closed"
    assert len(told) > 3
    assert sum(told[1:-1]) == 5000

    monkeypatch.setattr(Bar, "update", lambda self, n: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        quad_many(lambda t: t, 0, np.ones(1000), progress=True)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="progress=True needs the package tqdm: pip install tqdm, or leave it out"):
        quad_many(lambda t: t, 0, 1, progress=True)


def test_other_threads_run_meanwhile():
    counts, over = [0], threading.Event()

    def count():
        while not over.is_set():
            counts[0] += 1
            time.sleep(0.001)

    def work(t, n):
        s = 0.0
        for i in range(n):
            s += math.sin(t + i)
        return s

    quad_many(work, 0, 1, (np.array([1]),))
    thread = threading.Thread(target=count)
    thread.start()
    quad_many(work, 0, 1, (np.full(40, 200_000),), 1)
    over.set()
    thread.join()
    assert counts[0] >= 20


def test_no_memory_beyond_the_results():
    def peak(n):
        ks = np.linspace(1, 2, 1000)[:, None]
        tracemalloc.start()
        result = quad_many(lambda t, k, c: c * t + k, np.zeros(n), 1, (ks, 1.0))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result.value.size == 1000 * n
        return peak

    peak(1)
    # Five numbers of 8 bytes, and for a moment a bool, while the status is looked at.
    assert peak(300) - peak(100) < 42 * 200_000


NATIVE_MEMORY = """
import resource
import numpy as np
from ringback.integrate import quad_many

ks = np.broadcast_to(np.linspace(1, 2, 1000)[:, None], (1000, 1000))
run = lambda n: quad_many(lambda t, k: k * t, 0, 1, (ks[:n],))
run(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(1000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_a_million_problems_take_the_room_of_their_results():
    out = subprocess.run([sys.executable, "-c", NATIVE_MEMORY], capture_output=True, text=True, check=True)
    assert int(out.stdout) < 48_000


INTERRUPTED = """
import sys, time
import math
import numpy as np
import ringback as rb
from ringback.integrate import quad_many

{define}
quad_many(f, 0, 1, (np.array([1]),), on_error="{on_error}")
print("go", flush=True)
try:
    quad_many(f, 0, 1, ({values},), {workers}, on_error="{on_error}", limit=100000, epsabs=0, epsrel=1e-13)
except KeyboardInterrupt:
    print(time.time())
"""

MANY = """
def f(t, n):
    return math.sin(n * t)
"""
# One problem that takes minutes, in calls that are short.
LONG = """
def f(t, n):
    return math.sin(n / t) * math.sin(1 / (t * t * t))
"""
INTERPRETED = """
def f(t, n):
    return math.sin(n * t)
f = rb.interpreted(f)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize(
    ("define", "values", "workers", "on_error"),
    [
        (MANY, "np.broadcast_to(50, 10**7)", 2, "raise"),
        (LONG, "np.full(2, 10**6)", 2, "record"),
        (INTERPRETED, "np.broadcast_to(50, 10**6)", 2, "record"),
    ],
    ids=["many", "long", "interpreted"],
)
def test_ctrl_c(define, values, workers, on_error):
    code = INTERRUPTED.format(define=textwrap.dedent(define), values=values, workers=workers, on_error=on_error)
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(0.6)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        answer, _ = process.communicate(timeout=20)
    assert float(answer) - sent < 0.5


def test_a_signal_is_seen_between_calls_made_one_by_one():
    class Alarm(Exception):
        pass

    def stop(*_):
        raise Alarm

    calls = []

    @rb.interpreted
    def slow(t, k):
        calls.append(t)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGALRM)
        time.sleep(0.05)
        return k

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(Alarm):
            quad_many(slow, 0, 1, (np.arange(4.0),), 1)
    finally:
        signal.signal(signal.SIGALRM, before)
    # The first application of the rule alone is 21 calls.
    assert 3 <= len(calls) < 15
