"""`quad` with a weight against SciPy and against exact values; what is refused, word for word."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
import pytest
import ringback as rb
import scipy.integrate
from ringback.integrate import IntegrationWarning, QuadResult, quad

inf = math.inf

# SciPy's QUADPACK was Fortran once, and decided otherwise here and there.
of_now = pytest.mark.skipif(
    tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15), reason="compares with SciPy 1.15 or later"
)

#: How SciPy's messages begin, with the code that they stand for; those of cycles come first.
STATUS = {
    "The maximum number of cycles": 1,
    "The extrapolation table": 4,
    "Bad integrand behavior occurs within": 8,
    "The maximum number of subdivisions": 1,
    "The occurrence of roundoff error": 2,
    "Extremely bad integrand behavior": 3,
    "The algorithm does not converge": 4,
    "The integral is probably divergent": 5,
}


def decay(x):
    return math.exp(-abs(x))


def bump(x):
    return 1 / (1 + 25 * x * x)


def kink(x):
    return math.sqrt(abs(x - 0.3))


def spike(x):
    return (abs(x - 0.786) + 1e-30) ** -0.9


def one(x):
    return 1.0


def growth(x):
    return math.exp(x) * math.cos(7 * x)


def slow(x):
    return 1 / math.sqrt(1 + abs(x))


FUNCTIONS = (decay, bump, kink, spike, one, growth, slow)

WEIGHTS = [
    *[(name, w) for name in ("cos", "sin") for w in (0.0, 1e-3, 2.0, -7.5, 60.0, 3e4, 1e12)],
    *[(f"alg{log}", ab) for log in ("", "-loga", "-logb", "-log") for ab in ((-0.9, 0.5), (0.0, 0.0), (2.5, -0.999))],
    *[("cauchy", c) for c in (0.5, -0.2, 1e-4, 0.9999, 2.0)],
]

TIGHT = {"epsabs": 0.0, "epsrel": 1e-11, "limit": 200}


@functools.cache
def compiled(f):
    # Bit for bit the same integrand for both: the plain C function of the very same source, the same exp and sin.
    return rb.cfunc("float64(float64)", error_model="numpy", vector_math=False)(f)


def scipy_quad(f, a, b, **options):
    value, error, info, *message = scipy.integrate.quad(f, a, b, full_output=True, **options)
    status = 0
    if message:
        status = next(code for start, code in STATUS.items() if message[0].startswith(start))
    # QAWO does not count an interval that is never divided.
    last = info["lst"] if "lst" in info else max(info["last"], min(info["neval"], 1))
    return value, error, info["neval"], last, status


def ours(f, a, b, **options) -> QuadResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        return quad(f, a, b, **options)


def same_as_scipy(f, a, b, **options):
    result = ours(compiled(f), a, b, **options)
    # What SciPy reflects it calls from Python.
    g = compiled(f) if -inf in (a, b) else compiled(f).low_level_callable()
    value, error, neval, last, status = scipy_quad(g, a, b, **options)
    if options["weight"] in ("cos", "sin") and status == 3 and result.intervals > last:
        # SciPy 1.17 takes intervals around zero for too narrow that are not, and gives up with an error that is too large.
        assert result.error <= error
        return
    assert (result.status, result.neval, result.intervals) == (status, neval, last)
    assert result.value == pytest.approx(value, rel=1e-12, abs=max(1e-3 * error, 1e-15))
    # SciPy's sum of errors has lost digits where the first were very much larger.
    assert result.error == pytest.approx(error, rel=1e-2, abs=1e-14 * abs(value) + 1e-18)


@of_now
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_same_as_scipy_over_finite_ranges(f):
    for weight, wvar in WEIGHTS:
        for a, b in ((0, 1), (1, 0), (-1.5, 2.25)):
            if weight == "cauchy" and wvar in (a, b):
                continue
            same_as_scipy(f, a, b, weight=weight, wvar=wvar)
        same_as_scipy(f, 0, 1, weight=weight, wvar=wvar, **TIGHT)
        same_as_scipy(f, 0, 1, weight=weight, wvar=wvar, limit=4)


@pytest.mark.parametrize("f", [decay, bump, kink, slow], ids=lambda f: f.__name__)
def test_same_as_scipy_over_infinite_ranges(f):
    for weight in ("cos", "sin"):
        for w in (0.3, 1.0, -2.0, 40.0):
            for a, b in ((0, inf), (2, inf), (inf, 0.5), (-inf, -1), (1, -inf)):
                same_as_scipy(f, a, b, weight=weight, wvar=w)
            same_as_scipy(f, 0, inf, weight=weight, wvar=w, epsabs=1e-4)
            same_as_scipy(f, 0, inf, weight=weight, wvar=w, limlst=5)
            same_as_scipy(f, 0, inf, weight=weight, wvar=w, limit=2)


def test_empty_ranges():
    for weight, wvar in WEIGHTS:
        result = quad(one, 3.0, 3.0, weight=weight, wvar=wvar)
        # SciPy 1.17 says the same; 1.15 refuses some of them.
        assert tuple(result) == (0.0, 0.0)
        assert (result.neval, result.intervals, result.status) == (0, 0, 0)


def test_vector_maths_and_args_work_with_weights():
    for k in (0.5, 1.0, 4.0):
        result = quad(lambda x, k: np.exp(-k * x), 0, inf, args=(k,), weight="cos", wvar=2.0)
        assert result.value == pytest.approx(k / (k * k + 4), abs=1e-9)
    result = quad(lambda x: np.exp(x), 0, 1, weight="sin", wvar=np.float64(1000.0))
    exact = (math.e * (math.sin(1000) - 1000 * math.cos(1000)) + 1000) / (1 + 1e6)
    assert result.value == pytest.approx(exact, abs=1e-13)
    assert quad(lambda x: 1.0, 0, 1, weight="alg", wvar=np.array([0.0, -0.5])).value == pytest.approx(2.0)


@of_now
def test_where_scipy_is_wrong():
    # No wave at all: SciPy starts at 0 instead of a.
    assert quad(decay, 2, inf, weight="cos", wvar=0.0).value == pytest.approx(math.exp(-2))
    assert scipy.integrate.quad(decay, 2, inf, weight="cos", wvar=0.0)[0] == pytest.approx(1.0)
    # A pole next to an end.
    exact = math.log((1 - 1e-9) / 1e-9)
    assert quad(one, 0, 1, weight="cauchy", wvar=1e-9).value == pytest.approx(exact, rel=1e-15)
    assert abs(scipy.integrate.quad(one, 0, 1, weight="cauchy", wvar=1e-9)[0] - exact) > 1e-8
    # A series that has converged to the last bit before it is given up: the largest number there is.
    w = 0.07229247182904573
    result = ours(decay, 0, inf, weight="cos", wvar=w, limlst=3)
    assert (result.value, result.status) == (pytest.approx(1 / (1 + w * w), abs=1e-9), 1)
    assert scipy_quad(decay, 0, inf, weight="cos", wvar=w, limlst=3)[0] > 1e308
    # More levels of bisection than moments are kept for.
    many = quad(kink, 0, 1, weight="cos", wvar=2e3, limit=200)
    few = quad(kink, 0, 1, weight="cos", wvar=2e3, limit=200, maxp1=2)
    assert many.value == pytest.approx(few.value, rel=1e-12)
    assert (many.neval, many.status) == (few.neval, few.status)
    wrong, error = scipy.integrate.quad(kink, 0, 1, weight="cos", wvar=2e3, limit=200, maxp1=2)
    assert abs(wrong - many.value) > 1e5 * error


def test_not_converged_warns_with_the_message():
    with pytest.warns(IntegrationWarning) as caught:
        result = quad(slow, 0, inf, weight="sin", wvar=1.0, limlst=3)
    assert (
        str(caught[0].message)
        == result.message
        == (
            "the largest allowed number of cycles was reached before the tolerance; raise `limlst`, or ask for less accuracy"
        )
    )
    assert caught[0].filename == __file__
    assert result.status == 1
    with pytest.warns(IntegrationWarning, match="divide the range where the integrand is singular"):
        assert quad(spike, 0, 1, weight="cos", wvar=3.0, limit=3).status == 1
    with pytest.warns(IntegrationWarning, match=r"the integral over the cycle from 0\.0 to 9\.4247"):
        assert quad(spike, 0, inf, weight="cos", wvar=1.0, limit=3).status == 8


@pytest.mark.parametrize("bad", [math.nan, inf, -inf])
def test_a_value_that_is_not_finite_is_never_passed_over(bad):
    for weight, wvar, b in (("cos", 50.0, 1), ("sin", 1.0, inf), ("alg-log", (0.5, 0.5), 1), ("cauchy", 0.3, 1)):
        result = ours(lambda x: bad if x > 0.4 else 1.0, 0, b, weight=weight, wvar=wvar)
        assert result.status == 7
        assert math.isnan(result.value)
        assert result.error == inf
        assert str(bad) in result.message.replace("NaN", "nan")
    result = ours(lambda x: 1 / x, 0, 1, weight="cos", wvar=50.0)
    assert result.message == (
        "the integrand returned inf at x = 0.0, and the integration was stopped there; make the integrand finite there: "
        "with a weight, it is evaluated at the ends of the range too"
    )
    assert result.message in repr(result)


def test_exceptions_come_out_as_themselves():
    def f(x):
        if x > 0.5:
            raise ValueError("too far", x)
        return x

    with pytest.raises(ValueError, match="too far") as caught:
        quad(f, 0, 1, weight="alg", wvar=(0.5, 0.5))
    assert caught.value.args[1] > 0.5


NAMES = "'cos', 'sin', 'alg', 'alg-loga', 'alg-logb', 'alg-log', 'cauchy'"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"weight": "cosine", "wvar": 1}, ValueError, f"expected weight to be one of {NAMES}, found 'cosine'"),
        ({"weight": 3, "wvar": 1}, ValueError, f"expected weight to be one of {NAMES}, found 3"),
        (
            {"wvar": 1},
            ValueError,
            f"wvar is the parameter of a weight, and there is none; give weight too, one of {NAMES}",
        ),
        ({"weight": "cos"}, ValueError, "the weight 'cos' needs its frequency: give wvar=w"),
        ({"weight": "sin"}, ValueError, "the weight 'sin' needs its frequency: give wvar=w"),
        ({"weight": "alg-log"}, ValueError, "the weight 'alg-log' needs its exponents: give wvar=(alpha, beta)"),
        ({"weight": "cauchy"}, ValueError, "the weight 'cauchy' needs its pole: give wvar=c"),
        (
            {"weight": "sin", "wvar": (1, 2)},
            TypeError,
            "expected wvar to be a number, the frequency of the weight 'sin', found (1, 2)",
        ),
        (
            {"weight": "alg", "wvar": 2.5},
            TypeError,
            "expected wvar to be two numbers, the exponents (alpha, beta) of the weight 'alg', found 2.5",
        ),
        (
            {"weight": "alg", "wvar": (1, 2, 3)},
            TypeError,
            "expected wvar to be two numbers, the exponents (alpha, beta) of the weight 'alg', found (1, 2, 3)",
        ),
        (
            {"weight": "cos", "wvar": 1, "points": [0.5]},
            ValueError,
            "break points cannot be used with a weight; divide the range at them, and add the integrals",
        ),
        (
            {"weight": "cos", "wvar": math.nan},
            ValueError,
            "expected a finite frequency for the weight, found NaN; look where it comes from",
        ),
        (
            {"weight": "cos", "wvar": 1, "a": -inf, "b": inf},
            ValueError,
            "expected at least one finite limit with the weight sin or cos, found a range from -inf to inf; integrate both "
            "halves and add the results",
        ),
        (
            {"weight": "cos", "wvar": 1, "b": inf, "epsabs": 0},
            ValueError,
            "expected epsabs > 0 with the weight sin or cos and an infinite range, where epsrel is not used, found epsabs "
            "= 0.0; give an absolute tolerance",
        ),
        (
            {"weight": "cos", "wvar": 1, "b": inf, "limlst": 2},
            ValueError,
            "expected `limlst` of at least 3, found 2; 50 is the default",
        ),
        (
            {"weight": "cos", "wvar": 1, "maxp1": 0},
            ValueError,
            "expected `maxp1` of at least 1, found 0; 50 is the default",
        ),
        (
            {"weight": "cos", "wvar": 1, "limit": 0},
            ValueError,
            "expected `limit` of at least 1, found 0; 50 is the default",
        ),
        (
            {"weight": "alg", "wvar": (-1, 0)},
            ValueError,
            "expected finite exponents alpha > -1 and beta > -1 for the weight, found alpha = -1.0, beta = 0.0; with "
            "smaller ones the integral does not exist",
        ),
        (
            {"weight": "alg", "wvar": (0, 0), "limit": 1},
            ValueError,
            "expected `limit` of at least 2 with an algebraic weight, found 1; 50 is the default",
        ),
        (
            {"weight": "cauchy", "wvar": 1},
            ValueError,
            "expected a finite pole that is no end of the range, found c = 1.0 with a = 0.0, b = 1.0; the principal value "
            "does not exist otherwise",
        ),
        (
            {"weight": "cauchy", "wvar": 0.5, "b": inf},
            ValueError,
            "this weight needs a finite range, found a = 0, b = inf; integrate a finite part with the weight and the rest "
            "with it written into the integrand",
        ),
    ],
)
def test_bad_input_says_what_is_wrong(arguments, error, text):
    with pytest.raises(error) as caught:
        quad(one, **{"a": 0.0, "b": 1.0, **arguments})
    assert str(caught.value) == text
