"""`quad` of complex functions against SciPy."""

from __future__ import annotations

import cmath
import math
import warnings

import numpy as np
import pytest
import ringback as rb
import scipy.integrate
from ringback.integrate import ComplexQuadResult, IntegrationWarning, QuadResult, quad

# SciPy's QUADPACK was Fortran once, and decided otherwise here and there.
of_now = pytest.mark.skipif(
    tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15), reason="compares with SciPy 1.15 or later"
)


def spiral(x):
    return cmath.exp((2j - 0.5) * x)


def gone(x):
    return complex(math.exp(-x), 1 / (1 + x * x))


def root(x):
    return complex(math.sqrt(abs(x - 0.3)), math.log(1e-3 + x * x))


@of_now
@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        (0, 1, {}),
        (1, 0, {}),
        (0, np.inf, {}),
        (np.inf, 0, {}),
        (0, 2, {"points": [0.3, 1.0]}),
        (0, 2, {"weight": "cos", "wvar": 30.0}),
        (0, 2, {"weight": "alg-loga", "wvar": (-0.5, 0.5)}),
        (0, 2, {"weight": "cauchy", "wvar": 0.7}),
        (0, np.inf, {"weight": "sin", "wvar": 1.5}),
        (0, 1, {"epsabs": 0, "epsrel": 1e-12, "limit": 7}),
        (1, 1, {}),
    ],
)
@pytest.mark.parametrize("f", [spiral, root])
def test_same_as_scipy(f, a, b, options):
    if f is root and np.inf in (a, b):  # its integral does not exist
        f = gone
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = quad(rb.compile(f, "c128(f64)"), a, b, complex_func=True, **options)
        value, error = scipy.integrate.quad(f, a, b, complex_func=True, **options)
        *_, info = scipy.integrate.quad(f, a, b, complex_func=True, full_output=True, **options)
    if b < a:
        # SciPy swaps the limits of a complex function and forgets the sign.
        value = -value
    assert result.value == pytest.approx(value, rel=1e-12, abs=1e-14)
    assert result.error.real == pytest.approx(error.real, rel=1e-2, abs=1e-13)
    assert result.error.imag == pytest.approx(error.imag, rel=1e-2, abs=1e-13)
    if a != b:
        # With the singularity at an end, extrapolation soon finds the limit to the last digit, and rounding decides when.
        slack = 84 if f is root and "points" in options else 0
        assert abs(result.real.neval - info["real"][0]["neval"]) <= slack
        assert result.imag.neval == info["imag"][0]["neval"]
        assert result.neval == result.real.neval + result.imag.neval
        assert [result.real.success, result.imag.success] == [len(info[part]) == 1 for part in ("real", "imag")]
    assert result.status == max(result.real.status, result.imag.status)


def test_result_reads_well_and_is_frozen():
    result = quad(lambda x: np.exp(1j * x), 0, np.pi, complex_func=True)
    assert isinstance(result, ComplexQuadResult)
    assert isinstance(result.real, QuadResult)
    value, error = result
    assert (value, error) == (result.value, result.error) == (result[0], result[1]) == (result[-2], result[-1])
    assert value == pytest.approx(2j)
    assert value == complex(result.real.value, result.imag.value)
    assert error == complex(result.real.error, result.imag.error)
    assert len(result) == 2
    assert result.success
    assert (result.neval, result.intervals) == (42, 1)
    assert result == quad(lambda x: np.exp(1j * x), 0, np.pi, complex_func=True)
    assert repr(result).startswith("ComplexQuadResult(value=(")
    assert repr(result).endswith("neval=42, intervals=1, status=0: " + result.message + ")")
    with pytest.raises(AttributeError):
        result.value = 1.0


def test_each_part_warns_for_itself():
    with pytest.warns(IntegrationWarning) as caught:
        result = quad(lambda x: complex(abs(x - 0.7) ** -0.5, 1 / x), 0, 1, limit=3, complex_func=True)
    assert [str(w.message) for w in caught] == [
        f"real part: {result.real.message}",
        f"imaginary part: {result.imag.message}",
    ]
    assert {w.filename for w in caught} == {__file__}
    with pytest.warns(IntegrationWarning) as caught:
        result = quad(lambda x: complex(x, np.nan if x > 0.5 else 0.0), 0, 1, complex_func=True)
    assert len(caught) == 1
    assert (result.status, result.real.status) == (7, 0)
    assert result.value.real == 0.5
    assert math.isnan(result.value.imag)
    assert result.message == f"imaginary part: {result.imag.message}" == str(caught[0].message)
    assert not result.success


def test_what_is_taken_and_what_is_not():
    assert quad(lambda x: 2 * x, 0, 1, complex_func=True).value == 1.0
    assert quad(rb.interpreted(spiral), 0, 1, complex_func=True).value == pytest.approx(
        quad(spiral, 0, 1, complex_func=True).value
    )
    assert quad(lambda x, w: np.exp(1j * w * x), 0, 1, args=(2.0,), complex_func=True).value == pytest.approx(
        (np.exp(2j) - 1) / 2j
    )
    with pytest.raises(rb.CompileError, match="the result is to be float64: it returns complex128"):
        quad(spiral, 0, 1)
    with pytest.raises(TypeError) as caught:
        quad(rb.compile(lambda x: x, "f64(f64)"), 0, 1, complex_func=True)
    assert str(caught.value) == (
        "expected a callback c128(f64), found f64(f64): the result is f64, not c128 (another kind of number)"
    )


def test_exceptions_come_out_as_themselves():
    def f(x):
        if x > 0.5:
            raise ValueError("too far", x)
        return 1j * x

    with pytest.raises(ValueError, match="too far") as caught:
        quad(f, 0, 1, complex_func=True)
    assert caught.value.args[1] > 0.5
