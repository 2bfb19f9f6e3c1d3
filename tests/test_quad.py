"""`quad` against SciPy and against exact values: value, error estimate, evaluations, intervals, status."""

from __future__ import annotations

import decimal
import fractions
import functools
import math
import warnings

import numpy as np
import pytest
import ringback as rb
import scipy.integrate
from problems import PROBLEMS
from ringback.integrate import IntegrationWarning, QuadResult, quad

STATUS = {
    "converged": 0,
    "The maximum number of subdivisions": 1,
    "The occurrence of roundoff error": 2,
    "Extremely bad integrand behavior": 3,
    "The algorithm does not converge": 4,
    "The integral is probably divergent": 5,
}


@functools.cache
def compiled(f):
    # Bit for bit the same integrand for both: the plain C function of the very same source, the same exp and sin.
    return rb.cfunc("float64(float64)", error_model="numpy", vector_math=False)(f)


def scipy_quad(f, a, b, **options):
    value, error, info, *message = scipy.integrate.quad(f, a, b, full_output=True, **options)
    status = 0
    if message:
        status = next(code for start, code in STATUS.items() if message[0].startswith(start))
    return value, error, info["neval"], info.get("last", 1), status


def ours(f, a, b, **options) -> QuadResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        return quad(f, a, b, **options)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_same_as_scipy(problem):
    f = compiled(problem.f)
    result = ours(f, problem.a, problem.b, **problem.options)
    value, error, neval, last, status = scipy_quad(f.low_level_callable(), problem.a, problem.b, **problem.options)
    assert result.status == status
    if problem.a != problem.b:
        # For an empty range SciPy returns without asking QUADPACK, and reports what was in memory.
        assert (result.neval, result.intervals) == (neval, last)
    # The rule's sums are taken in another order than QUADPACK's: extrapolation makes more of their last digits.
    assert result.value == pytest.approx(
        value, rel=1e-13, abs=max(0.5 * error if status == 0 else 1e-3 * error, 1e-300)
    )
    assert result.error == pytest.approx(error, rel=0.05, abs=1e-9 * abs(value) + 1e-18)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_vector_maths_changes_no_decision(problem):
    exact = ours(compiled(problem.f), problem.a, problem.b, **problem.options)
    result = ours(problem.f, problem.a, problem.b, **problem.options)
    assert (result.status, result.neval, result.intervals) == (exact.status, exact.neval, exact.intervals)
    # Extrapolation makes more of the last digits of an integrand.
    assert result.value == pytest.approx(exact.value, rel=1e-10, abs=1e-15)
    assert result.error == pytest.approx(exact.error, rel=1e-2, abs=max(1e-13, 1e-10 * abs(exact.value)))


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.exact is not None], ids=lambda p: p.name)
def test_error_estimates_are_honest(problem):
    result = ours(compiled(problem.f), problem.a, problem.b, **problem.options)
    if result.status == 0:
        assert abs(result.value - problem.exact) <= result.error + 4 * math.ulp(problem.exact)


def test_the_table_is_large_enough():
    assert len(PROBLEMS) >= 40
    assert {ours(compiled(p.f), p.a, p.b, **p.options).status for p in PROBLEMS} >= {0, 1, 3, 5}


def test_result_reads_well_and_is_frozen():
    result = quad(lambda t: np.exp(-t) / t**2, 1, np.inf)
    value, error = result
    assert (value, error) == (result.value, result.error) == (result[0], result[1])
    assert len(result) == 2
    assert result.success
    assert result.status == 0
    assert repr(result).startswith("QuadResult(value=0.148495506775922")
    with pytest.raises(AttributeError):
        result.value = 1.0


def test_numbers_are_written_as_python_writes_them():
    result = ours(lambda x: math.nan, 0, 1)
    assert repr(result).startswith("QuadResult(value=nan, error=inf, neval=21,")
    assert repr(quad(lambda x: 1e-30 * x, 0, 1)).startswith("QuadResult(value=5e-31, error=5.551e-45,")
    assert repr(quad(lambda x: 0.0, 0, 1)).startswith("QuadResult(value=0.0, error=0.000e+00,")
    assert "error=(1.110e-14, 0.000e+00)" in repr(quad(lambda x: 1.0, 0, 1, complex_func=True))


def test_not_converged_warns_with_the_message():
    with pytest.warns(IntegrationWarning) as caught:
        result = quad(lambda x: 1 / x, 0, 1)
    assert str(caught[0].message) == result.message
    assert caught[0].filename == __file__
    assert not result.success


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("a", "b"), [(0, 1), (0, math.inf), (-math.inf, math.inf)])
def test_a_value_that_is_not_finite_is_never_passed_over(bad, a, b):
    result = ours(lambda x: bad if x > 0.4 else math.exp(-x * x), a, b)
    assert result.status == 7
    assert math.isnan(result.value)
    assert result.error == math.inf
    assert str(bad) in result.message.replace("NaN", "nan")


def test_a_pole_at_an_abscissa_is_reported_with_its_place():
    result = ours(lambda x: 1 / x, -1, 1)
    assert result.status == 7
    assert "at x = 0" in result.message


def test_exceptions_come_out_as_themselves():
    def f(x):
        if x > 0.5:
            raise ValueError("too far", x)
        return x

    with pytest.raises(ValueError, match="too far") as caught:
        quad(f, 0, 1)
    assert caught.value.args[1] > 0.5


def test_an_exception_that_does_not_depend_on_the_point_comes_out_as_itself():
    # LLVM asks once, before the loop over a block, which it can then vectorise.
    def f(x, k):
        if k < 0:
            raise ValueError("negative", k)
        return k * x

    assert quad(f, 0, 1, args=(3.0,)).value == 1.5
    with pytest.raises(ValueError, match="negative") as caught:
        quad(f, 0, 1, args=(-2.0,))
    assert caught.value.args == ("negative", -2.0)


def test_args_do_not_recompile():
    from ringback.compile import _compiled

    def f(t, k, c):
        return c * np.exp(-k * t)

    quad(f, 0, np.inf, args=(1.0, 2.0))
    before = len(_compiled)
    for k in (0.5, 2.0, 3.0):
        assert quad(f, 0, np.inf, args=(k, 4.0)).value == pytest.approx(4 / k)
    assert len(_compiled) == before
    assert quad(lambda t, k: k * t, 0, 1, args=3.0).value == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"epsabs": 0, "epsrel": 0}, "epsrel"),
        ({"epsabs": -1.0, "epsrel": 1e-30}, "epsrel"),
        ({"limit": 0}, "limit"),
        ({"limit": -3}, "expected `limit` of at least 1, found -3; 50 is the default"),
        ({"limit": 10**30}, "expected `limit` below 2\\*\\*63, found 10{30}; 50 is the default"),
        ({"limit": -(10**30)}, "expected `limit` of at least 1, found -10{30}; 50 is the default"),
        ({"points": [], "b": math.inf}, "break points need a finite range"),
        ({"epsabs": math.nan}, "epsabs"),
        ({"a": math.nan}, "nan"),
        ({"b": math.inf, "points": [1.0]}, "points"),
    ],
)
def test_bad_input_says_what_is_wrong(arguments, expected):
    arguments = {"a": 0.0, "b": 1.0, **arguments}
    with pytest.raises(ValueError, match=f"(?i){expected}"):
        quad(lambda x: x, **arguments)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"full_output": 1},
            "quad() got an unexpected keyword argument 'full_output': the result always has .neval, .intervals, .status and "
            ".message, so leave it out",
        ),
        (
            {"weight": "cos", "wvar": 1.0, "wopts": (1, [1.0])},
            "quad() got an unexpected keyword argument 'wopts': moments are computed anew in less than a microsecond, so "
            "leave it out",
        ),
        ({"epsbas": 1e-3}, "quad() got an unexpected keyword argument 'epsbas'"),
    ],
)
def test_other_names_are_refused(options, expected):
    with pytest.raises(TypeError) as error:
        quad(lambda t: t, 0, 1, **options)
    assert str(error.value) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("0", 1, "expected the limit `a` to be a real number, found '0'"),
        (None, 1, "expected the limit `a` to be a real number, found None"),
        (0, 1j, "expected the limit `b` to be a real number, found 1j"),
        ([0], 1, "expected the limit `a` to be a real number, found [0]; `quad_many` takes arrays of limits"),
        (0, np.ones(2), "expected the limit `b` to be a real number, found array([1., 1.]); `quad_many` takes arrays of limits"),
    ],
)  # fmt: skip
def test_limits_that_are_no_numbers(a, b, expected):
    with pytest.raises(TypeError) as error:
        quad(lambda t: t, a, b)
    assert str(error.value) == expected


def test_limits_of_other_types_are_numbers():
    for a, b in [(np.float32(0), np.array(1)), (fractions.Fraction(0), decimal.Decimal(1)), (False, True)]:
        assert quad(lambda t: t, a, b).value == 0.5
    with pytest.raises(OverflowError):
        quad(lambda t: t, 0, 10**400)


def test_what_is_no_integrand_is_refused():
    for bad in (None, 3, "f", math.sin, [1.0]):
        with pytest.raises(TypeError, match=r"expected a callback f64\(f64\)"):
            quad(bad, 0, 1)


def test_points_are_any_numbers():
    kinked = lambda x: abs(x - 0.3)  # noqa: E731
    expected = quad(kinked, 0, 1, points=[0.3])
    for points in (0.3, (0.3,), np.array([0.3]), {0.3}, iter([0.3]), np.float64(0.3)):
        assert quad(kinked, 0, 1, points=points) == expected
    for points in ("ab", [None], [[0.3]], 1j, object()):
        with pytest.raises(TypeError, match="expected points to be a number or several, found "):
            quad(kinked, 0, 1, points=points)


def test_no_points_are_not_the_same_as_none():
    # With points SciPy asks QAGP, also if there are none: it is less content with the first estimate.
    f = compiled(lambda x: abs(x - 0.3))
    for options in ({}, {"limit": 3}, {"epsabs": 1e-3}):
        result = ours(f, 0, 1, points=[], **options)
        expected = scipy_quad(f.low_level_callable(), 0, 1, points=[], **options)
        assert (result.neval, result.intervals, result.status) == expected[2:]
        assert result.value == pytest.approx(expected[0], rel=1e-15)
    assert ours(f, 0, 0, points=[]).value == 0.0
