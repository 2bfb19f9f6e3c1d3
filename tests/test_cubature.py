"""`cubature` against SciPy and against exact values: value, error estimate, evaluations, forms of functions, failures."""

from __future__ import annotations

import ctypes
import functools
import math
import subprocess
import sys
import threading
import time
import types
import warnings
from typing import ClassVar

import numba
import numpy as np
import pytest
import ringback as rb
import scipy.integrate
from boxes import BOXES
from ringback.integrate import CubatureResult, IntegrationWarning, cubature, monte_carlo


def ours(f, a, b, **options) -> CubatureResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        return cubature(f, a, b, **options)


def scipys(*arguments, **options):
    if not hasattr(scipy.integrate, "cubature"):
        pytest.skip("nothing to compare with: SciPy has cubature from 1.15 on")
    return scipy.integrate.cubature(*arguments, **options)


def scipy_cubature(box):
    """SciPy's result with the same rule, and how many points it evaluated."""
    points = 0

    def f(x):
        nonlocal points
        points += len(x)
        return box.f(*x.T)

    with np.errstate(all="ignore"):
        result = scipys(f, box.a, box.b, rule="genz-malik", rtol=box.rtol, max_subdivisions=100)
    return result, points


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.name)
def test_against_scipy_and_the_exact_value(box):
    result = cubature(box.f, box.a, box.b, rtol=box.rtol)
    assert result.status == 0
    assert abs(result.value - box.exact) <= result.error + 1e-14 * abs(box.exact)
    assert result.error <= box.rtol * abs(result.value)
    expected, points = scipy_cubature(box)
    # SciPy says "converged" of nan too.
    if expected.status == "converged" and np.isfinite(expected.error):
        assert abs(result.value - expected.estimate) <= result.error + expected.error + 1e-14 * abs(box.exact)
        assert result.neval <= 1.5 * points


def test_fewer_evaluations_than_scipy_altogether():
    used = [(cubature(box.f, box.a, box.b, rtol=box.rtol).neval, *scipy_cubature(box)) for box in BOXES]
    ratios = [neval / points for neval, result, points in used if result.status == "converged" and points > 1000]
    assert len(ratios) >= 8
    assert np.exp(np.mean(np.log(ratios))) < 0.6


def test_against_nquad():
    def f(x, y, z):
        return np.cos(x * y) * np.exp(-z * x) + y

    expected, bound = scipy.integrate.nquad(rb.compile(f, "f64(f64, f64, f64)"), [[0, 1], [0, 2], [-1, 1]])
    result = cubature(f, [0, 0, -1], [1, 2, 1])
    assert abs(result.value - expected) <= result.error + bound
    assert cubature(f, np.array([0, 0, -1]), np.array([1.0, 2.0, 1.0])) == result


def test_result_reads_well_and_is_frozen():
    result = cubature(lambda x, y: x * y, [0, 0], [1, 2])
    value, error = result
    assert (value, error) == (result.value, result.error) == (result[0], result[1])
    assert type(value) is float
    assert len(result) == 2
    assert (result.estimate, result.neval, result.subdivisions) == (value, 17, 0)
    assert (result.rtol, result.atol, result.status, result.success) == (1e-8, 0.0, 0, True)
    assert repr(result).startswith("CubatureResult(value=1.0, error=")
    with pytest.raises(AttributeError):
        result.value = 1.0


def test_all_forms_of_functions_give_the_same():
    def separate(x, y, k):
        return np.exp(-k * x) * y

    def array(x, k):
        return np.exp(-k * x[0]) * x[1]

    def written(x, out, k):
        out[0] = np.exp(-k * x[0]) * x[1]

    box = ([0, 0], [1, 2])
    exact = (1 - math.exp(-2)) * 1.0
    k = 2.0
    functions = [
        lambda x, y: np.exp(-k * x) * y,
        lambda x: np.exp(-k * x[0]) * x[1],
        functools.partial(separate, k=2.0),
        rb.bind(separate, k=2.0),
        rb.bind(array, k=2.0),
        functools.partial(array, k=2.0),
        numba.njit(lambda x, y: np.exp(-2.0 * x) * y),
        rb.cfunc("float64(float64, float64)")(lambda x, y: np.exp(-2.0 * x) * y),
        rb.compile(array, "f64([f64], f64)").bind(k=2.0),
        rb.interpreted(lambda x, y: math.exp(-2.0 * x) * y),
        rb.interpreted(lambda x: math.exp(-2.0 * x[0]) * x[1]),
        rb.interpreted(lambda *x: math.exp(-2.0 * x[0]) * x[1]),
    ]
    for f in functions:
        result = cubature(f, *box, rtol=1e-6)
        assert abs(result.value - exact) <= result.error
    for f, options in [(separate, {}), (array, {}), (written, {"outputs": 1}), (rb.interpreted(array), {})]:
        for args in [(2.0,), 2.0]:
            result = cubature(f, *box, rtol=1e-6, args=args, **options)
            assert abs(float(np.squeeze(result.value)) - exact) <= float(np.squeeze(result.error))


def test_c_functions():
    """What SciPy's `nquad` takes, and more."""
    both = rb.compile(lambda x, y: np.exp(-2.0 * x) * y, "f64(f64, f64)")
    exact = 1 - math.exp(-2)

    @numba.cfunc("float64(int32, CPointer(float64))")
    def point(n, x):
        return np.exp(-2.0 * x[0]) * x[1] * (n - 1)

    plain = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(lambda x, y: math.exp(-2 * x) * y)
    functions = [both.low_level_callable(), point, scipy.LowLevelCallable(point.ctypes), plain]
    for f in functions:
        result = cubature(f, [0, 0], [1, 2], rtol=1e-6)
        assert abs(result.value - exact) <= result.error
    threads = set()

    @ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
    def remembers(x, y):
        threads.add(threading.get_ident())
        return abs(x - y)

    cubature(remembers, [0, 0], [1, 1], rtol=1e-4)
    assert threads == {threading.get_ident()}
    three = cubature(scipy.LowLevelCallable(point.ctypes), [0] * 3, [1] * 3, rtol=1e-6)
    assert abs(three.value - exact / 2) <= three.error


def test_args_and_captured_values_do_not_recompile():
    from ringback.compile import _compiled

    def f(x, y, k, c):
        return c * np.exp(-k * (x + y))

    cubature(f, [0, 0], [np.inf, np.inf], args=(1.0, 2.0), rtol=1e-4)
    before = len(_compiled)
    for k in (0.5, 2.0, 3.0):
        assert cubature(f, [0, 0], [np.inf, np.inf], args=(k, 4.0), rtol=1e-4).value == pytest.approx(
            4 / k**2, rel=1e-4
        )
    assert len(_compiled) == before


def test_several_results():
    def f(x, out, k):
        out[0] = x.sum()
        out[1] = np.exp(k * x[0])
        out[2] = 1e6 * x[1] * x[2]

    result = cubature(f, [0] * 3, [1] * 3, args=(2.0,), outputs=3)
    exact = np.array([1.5, (math.e**2 - 1) / 2, 2.5e5])
    assert isinstance(result.value, np.ndarray)
    assert result.value.shape == result.error.shape == (3,)
    assert np.all(np.abs(result.value - exact) <= result.error + 1e-14 * exact)
    assert np.all(result.error <= 1e-8 * exact)
    value, error = result
    assert np.array_equal(value, result.estimate)
    assert np.array_equal(error, result.error)
    assert repr(result).startswith("CubatureResult(value=[1.")
    expected = scipys(
        lambda x: np.stack([x.sum(axis=1), np.exp(2 * x[:, 0]), 1e6 * x[:, 1] * x[:, 2]], axis=1),
        [0] * 3,
        [1] * 3,
        rule="genz-malik",
    )
    assert np.all(np.abs(result.value - expected.estimate) <= result.error + expected.error + 1e-14 * exact)


def several(x, out, k, w):
    r = x @ x
    out[0] = np.exp(-k * r)
    out[1] = w[0] * np.exp(-r) * x[0] ** 2
    out[2] = w[1] * np.exp(-2 * r)


@pytest.mark.parametrize("form", ["args", "bind", "partial", "compiled", "jitted", "interpreted"])
def test_several_results_over_infinite_ranges_with_args_and_bound_data(form):
    w = np.array([2.0, 3.0])
    f, args = {
        "args": (several, (1.0, w)),
        "bind": (rb.bind(several, w=w), (1.0,)),
        "partial": (functools.partial(several, k=1.0, w=w), ()),
        "compiled": (rb.compile(several, "void([f64], mut [f64], f64, [f64])").bind(w=w), (1.0,)),
        "jitted": (numba.njit(several), (1.0, w)),
        "interpreted": (rb.interpreted(several), (1.0, w)),
    }[form]
    rtol = 1e-3 if form == "interpreted" else 1e-6
    exact = np.array([math.pi, math.pi, 1.5 * math.pi])
    result = cubature(f, [-math.inf, -math.inf], [math.inf, math.inf], outputs=3, args=args, rtol=rtol)
    assert np.all(np.abs(result.value - exact) <= result.error)
    assert np.all(result.error <= rtol * exact)
    # The map, the sign and break points as for one result.
    half = cubature(f, [math.inf, 0], [0, math.inf], outputs=3, args=args, rtol=rtol, points=[[1.0, 1.0], [-1.0, 2.0]])
    assert np.all(np.abs(half.value + exact / 4) <= half.error)


def test_a_result_that_is_not_written_is_no_number():
    def forgets(x, out):
        out[0] = x[0]

    result = ours(forgets, [0, 0], [1, 1], outputs=2)
    assert result.status == 7
    assert np.isnan(result.value).all()
    assert np.isinf(result.error).all()


def test_any_number_of_workers_gives_the_same_bits():
    def hard(x, y, z):
        return np.abs(x - 0.3) ** 0.7 * np.exp(-y * z) + np.sin(20 * x * z)

    def hard_array(x):
        return np.abs(x[0] - 0.3) ** 0.7 * np.exp(-x[1] * x[2]) + np.sin(20 * x[0] * x[2])

    for f in (hard, hard_array):
        results = [cubature(f, [0] * 3, [1] * 3, rtol=1e-7, workers=workers) for workers in (1, 2, 3, None)]
        assert results[0].subdivisions > 1000
        assert len({(r.value, r.error, r.neval, r.subdivisions, r.status) for r in results}) == 1


def test_threads_are_not_in_the_way_of_what_a_function_writes():
    def counts(x, y, calls):
        calls[0] += 1
        return abs(x - y)

    calls = np.zeros(1)
    f = rb.compile(counts, "f64(f64, f64, mut [f64])").bind(calls=calls)
    result = cubature(f, [0, 0], [1, 1], rtol=1e-6)
    assert calls[0] == result.neval
    assert cubature(f, [0, 0], [1, 1], rtol=1e-6, workers=1).value == result.value
    with pytest.raises(ValueError, match="^") as caught:
        cubature(f, [0, 0], [1, 1], workers=2)
    assert str(caught.value) == (
        'the function writes to the array bound to its parameter "calls", so that threads would be in each other\'s way: '
        "expected workers=1, found 2"
    )

    def calls_it(x, y):
        return f(x, y)

    with pytest.raises(ValueError, match='bound to its parameter "calls"'):
        cubature(calls_it, [0, 0], [1, 1], workers=2)

    seen = []

    def remembers(x, y):
        seen.append(x)
        return abs(x - y)

    result = cubature(rb.interpreted(remembers), [0, 0], [1, 1], rtol=1e-3)
    assert len(seen) == result.neval


def test_singular_points():
    def f(x, y):
        return np.log(x * x + y * y)

    exact = 4 * math.log(2) - 12 + 2 * math.pi
    with pytest.warns(IntegrationWarning, match=r"returned -inf at x = \[0.0, 0.0\]") as caught:
        result = cubature(f, [-1, -1], [1, 1], rtol=1e-6)
    assert caught[0].filename == __file__
    assert str(caught[0].message) == result.message
    assert (result.status, result.success) == (7, False)
    assert math.isnan(result.value)
    assert result.error == math.inf
    result = cubature(f, [-1, -1], [1, 1], rtol=1e-6, points=[[0, 0]])
    assert abs(result.value - exact) <= result.error


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("end", [1, math.inf])
def test_a_value_that_is_not_finite_is_never_passed_over(bad, end):
    result = ours(lambda x, y: bad if x > 0.4 else math.exp(-x * y), [0, 0], [end, end])
    assert result.status == 7
    assert math.isnan(result.value)
    assert result.error == math.inf


def test_what_is_not_reached_is_said():
    with pytest.warns(IntegrationWarning, match="max_subdivisions"):
        result = cubature(lambda x, y: abs(x - y / 3), [0, 0], [1, 1], rtol=1e-10, max_subdivisions=10)
    assert (result.status, result.subdivisions) == (1, 10)


@pytest.mark.parametrize("workers", [1, 3])
def test_exceptions_come_out_as_themselves(workers):
    def f(x, y):
        if x > 0.9:
            raise ValueError("too far", x)
        return abs(x - y)

    with pytest.raises(ValueError, match="too far") as caught:
        cubature(f, [0, 0], [1, 1], workers=workers)
    assert caught.value.args[1] > 0.9

    def g(x, y):
        if x > 0.9:
            raise KeyError("interpreted")
        return abs(x - y)

    with pytest.raises(KeyError, match="interpreted"):
        cubature(rb.interpreted(g), [0, 0], [1, 1], workers=workers)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"a": [0], "b": [1]}, "cubature is for boxes of 2 to 8 dimensions, found 1; use `quad` for one, and `monte_carlo` for more"),
        ({"a": [0, 0, 0]}, "expected as many lower as upper limits, found 3 in `a` and 2 in `b`; give both for every dimension"),
        ({"a": [0, math.nan]}, "expected limits of integration that are numbers or infinite, found a[1] = NaN, b[1] = 1; look where the NaN comes from"),
        ({"rtol": -1.0}, "expected tolerances of 0 or more, with atol > 0 or rtol >= 1.1102230246251565e-14 (50 times the rounding error), found rtol = -1.0, atol = 0.0; raise one of them"),
        ({"max_subdivisions": -1}, "expected `max_subdivisions` of at least 0, found -1"),
        ({"workers": 0}, "expected `workers` of at least 1, found 0"),
        ({"outputs": 0}, "expected `outputs` of at least 1, found 0"),
        ({"outputs": 10**12}, "expected a function of 1 to 1000 results, found 1000000000000; integrate fewer at once"),
        ({"points": [[0.5]]}, "expected points of 2 coordinates, found points[0] = [0.5]"),
        ({"points": [[0.5, math.nan]]}, "expected break points of 2 coordinates that are numbers, found points[0] = [0.5, NaN]; leave it out"),
    ],
)  # fmt: skip
def test_bad_input_says_what_is_wrong(arguments, text):
    arguments = {"a": [0, 0], "b": [1, 1], **arguments}
    with pytest.raises(ValueError, match="^") as caught:
        cubature(rb.interpreted(lambda *x: 0.0), **arguments)
    assert str(caught.value) == text


def test_what_is_no_integrand_is_refused():
    for bad in (None, 3, "f", math.sin, [1.0]):
        with pytest.raises(TypeError, match=r"expected a callback f64\(f64, f64\)"):
            cubature(bad, [0, 0], [1, 1])
    with pytest.raises(
        TypeError, match=r"expected a function of 3 numbers or of one array of 3, found .* with 2 parameters"
    ):
        cubature(lambda x, y: x, [0] * 3, [1] * 3)
    with pytest.raises(
        TypeError, match=r"expected a function of 2 numbers or of one array of 2 and the 1 in args, found"
    ):
        cubature(lambda x, y, z, w: x, [0] * 2, [1] * 2, args=(1.0,))
    with pytest.raises(TypeError, match=r"could take a point of 2 dimensions as one array, or as 2 numbers"):
        cubature(lambda x, k=1.0: k, [0, 0], [1, 1])
    with pytest.raises(TypeError, match=r"found i64\(i64, i64\)"):
        cubature(rb.compile(lambda x, y: x + y, "i64(i64, i64)"), [0, 0], [1, 1])
    with pytest.raises(rb.CompileError, match="the result is to be float64: it returns complex128"):
        cubature(lambda x, y: 1j * x, [0, 0], [1, 1])
    with pytest.raises(rb.CompileError):
        cubature(lambda x, y: (x, y), [0, 0], [1, 1])


COMPLEX = "\n  integrate the real and the imaginary part, as two results: f(x, out) with outputs=2"
SEVERAL = "\n  a function of several results writes them to an array: f(x, out) with `outputs`"


@pytest.mark.parametrize(
    ("f", "outputs", "hint"),
    [
        (lambda x, y: 1j * x, None, COMPLEX),
        (lambda x: np.exp(1j * x[0]), None, COMPLEX),
        (lambda x, y: (x, y), None, SEVERAL),
        (lambda x: np.array([x[0], x[1]]), None, SEVERAL),
        (lambda x: x, 2, "; with `outputs`, f(x, out) writes its results to the array out"),
        (
            lambda x: np.cos(x[:, 0] * x[:, 1]),
            None,
            "\n  f(x) is called with one point at a time, x[0], x[1], …, and not with an array of points",
        ),
    ],
)
def test_hints_for_who_knows_scipy(f, outputs, hint):
    with pytest.raises(rb.CompileError) as caught:
        cubature(f, [0, 0], [1, 1], outputs=outputs)
    assert str(caught.value).endswith(hint)


def test_limits_are_sequences_of_numbers():
    for bad, shown in [(0, "0"), ([0, 1j], "[0, 1j]"), ([[0, 0]], "[[0, 0]]"), (None, "None")]:
        for integrate in (cubature, monte_carlo):
            for name, limits in [("a", (bad, [1, 1])), ("b", ([0, 0], bad))]:
                with pytest.raises(TypeError) as caught:
                    integrate(lambda x, y: x, *limits)
                assert str(caught.value) == (
                    f"expected `{name}` as a sequence of real numbers, one for each dimension, found {shown}"
                )


def test_without_limit_of_subdivisions():
    result = cubature(lambda x, y: abs(x - y / 3), [0, 0], [1, 1], rtol=1e-8, max_subdivisions=None)
    assert result.success


def test_no_parameter_that_does_nothing():
    expected = r"unexpected keyword argument 'rule': there is one rule, SciPy's 'genz-malik', so leave it out"
    with pytest.raises(TypeError, match=expected):
        cubature(lambda x, y: x, [0, 0], [1, 1], rule="gk21")  # pyright: ignore[reportCallIssue]


class Bar:
    """What is told to tqdm, and on which thread."""

    made: ClassVar[list[Bar]] = []

    def __init__(self, total, unit, unit_scale):
        assert (unit, unit_scale) == (" points", True)
        self.total, self.n, self.told, self.closed = total, 0, [], False
        self.here = threading.get_ident()
        Bar.made.append(self)

    def set_postfix_str(self, text, refresh):
        assert refresh is False
        self.told.append(text)

    def update(self, points):
        assert threading.get_ident() == self.here
        assert points >= 0
        self.n += points

    def refresh(self):
        assert not self.closed

    def close(self):
        assert not self.closed
        self.closed = True


@pytest.fixture
def bars(monkeypatch):
    """The bars that are shown."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    monkeypatch.setattr(Bar, "made", [])
    return Bar.made


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_is_told_to_tqdm(bars, workers):
    def f(x, y):
        return abs(x - y / 3)

    result = cubature(f, [0, 0], [1, 1], rtol=1e-9, max_subdivisions=10**6, workers=workers, progress=True)
    (bar,) = bars
    assert (bar.total, bar.n, bar.closed) == (None, result.neval, True)
    assert bar.told[-1] == f"error {result.error:.1e}, to be {1e-9 * result.value:.1e}"
    assert result == cubature(f, [0, 0], [1, 1], rtol=1e-9, max_subdivisions=10**6, workers=workers)
    assert len(bars) == 1

    counts = []

    def slow(x):
        time.sleep(0.001)
        counts.append(bar.n if (bar := bars[-1]) else 0)
        return abs(x[0] - x[1])

    result = cubature(rb.interpreted(slow), [0, 0], [1, 1], rtol=1e-2, workers=workers, progress=True)
    assert bars[-1].n == result.neval == len(counts)
    # Told meanwhile, and never ahead of what was done.
    assert len(set(counts)) > 3
    assert all(told <= done for done, told in enumerate(counts, 1))


def test_progress_ends_with_the_integration(bars, monkeypatch):
    def f(x, y):
        if x > 0.5:
            raise ValueError("no")
        return x

    with pytest.raises(ValueError, match="no"):
        cubature(f, [0, 0], [1, 1], progress=True)
    with pytest.raises(ValueError, match="found 1"):
        cubature(lambda x: x, [0], [1], progress=True)
    assert [bar.closed for bar in bars] == [True, True]
    monkeypatch.setattr(Bar, "update", lambda self, points: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cubature(lambda x, y: abs(x - y / 3), [0, 0], [1, 1], rtol=1e-9, max_subdivisions=10**6, progress=True)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="progress=True needs the package tqdm: pip install tqdm, or leave it out"):
        cubature(lambda x, y: x, [0, 0], [1, 1], progress=True)


INTERRUPTED = """
import math, os, signal, sys, threading, time, types
import numpy as np
import ringback as rb
from ringback.integrate import cubature, monte_carlo

class Bar:
    n = 0
    def __init__(self, **_): pass
    def set_postfix_str(self, text, refresh): pass
    def update(self, points): pass
    def refresh(self): pass
    def close(self): pass

sys.modules["tqdm.auto"] = types.SimpleNamespace(tqdm=Bar)

def slow(x, y):
    total = 0.0
    for i in range(200_000):
        total += math.sin(i * x) * y
    return total

def slow_array(x):
    total = 0.0
    for i in range(200_000):
        total += math.sin(i * x[0]) * x[1]
    return total

def slow_written(x, out):
    # Its own loop is vectorised, that over the points is not.
    for i in range(len(out)):
        out[i] = slow_array(x + i)

def sleepy(x, y):
    time.sleep(0.02)
    return abs(x - y)

def quick(x, y):
    return np.abs(np.sin(50 * x * y))

def interrupted(what, run):
    sent = []
    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(0.4, send)
    try:
        timer.start()
        run()
        print(what, "not interrupted")
    except KeyboardInterrupt:
        print(what, time.perf_counter() - sent[0])

box = [0, 0], [1, 1]
cubature(slow, *box, max_subdivisions=0, atol=1e30)
cubature(slow_array, *box, max_subdivisions=0, atol=1e30)
cubature(slow_written, *box, max_subdivisions=0, atol=1e30, outputs=3)
cubature(quick, *box, max_subdivisions=0, atol=1e30)
for workers in (1, 3):
    options = {"rtol": 1e-13, "max_subdivisions": 10**7, "workers": workers}
    interrupted("slow", lambda: cubature(slow, *box, **options))
    interrupted("slow array", lambda: cubature(slow_array, *box, **options))
    interrupted("slow written", lambda: cubature(slow_written, *box, outputs=3, **options))
    interrupted("with a bar", lambda: cubature(slow_array, *box, progress=True, **options))
    interrupted("quick", lambda: cubature(quick, *box, **options))
    interrupted("sleepy", lambda: cubature(rb.interpreted(sleepy), *box, **options))
    interrupted("monte_carlo", lambda: monte_carlo(quick, *box, n=10**6, iterations=10**4, workers=workers))
    interrupted("monte_carlo sleepy", lambda: monte_carlo(rb.interpreted(sleepy), *box, workers=workers))
"""


def test_ctrl_c():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 16, done
    for line in lines:
        # The call that was running takes up to 0.02 s; the rest is for machines that are busy.
        assert float(line.rsplit(" ", 1)[1]) < 1.0, done.stdout
