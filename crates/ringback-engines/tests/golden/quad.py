"""Writes quad.csv: what SciPy's `quad` says about a table of integrals.

Run it as ``python quad.py`` with SciPy installed. The families of integrands are defined a second time, in
the same order, in ``../families/mod.rs``; everything else about a problem is in the table only.

The numbers of evaluations and intervals depend on comparisons with rounding errors, so the elementary
functions here must be the C library's, as they are in Rust: the module `math`, not NumPy, and `math.pow`,
not ``**``.
"""

import csv
import math
import warnings
from collections.abc import Callable, Iterator
from math import inf, nan, pi
from pathlib import Path
from typing import NamedTuple

import scipy
from scipy.integrate import quad
from scipy.special import j0

FAMILIES: dict[str, Callable[[float, float], float]] = {
    "constant": lambda x, p: p,
    "power": lambda x, p: math.pow(x, p),
    "power_log": lambda x, p: math.pow(x, p) * math.log(1.0 / x),
    "lorentz": lambda x, p: math.pow(4.0, -p) / ((x - pi / 4.0) * (x - pi / 4.0) + math.pow(16.0, -p)),
    "bessel": lambda x, p: math.cos(math.pow(2.0, p) * math.sin(x)),
    "cusp_third": lambda x, p: math.pow(abs(x - 1.0 / 3.0), p),
    "cusp_pi": lambda x, p: math.pow(abs(x - pi / 4.0), p),
    "chebyshev": lambda x, p: 1.0 / math.sqrt(1.0 - x * x) / (x + 1.0 + math.pow(2.0, -p)),
    "sine_power": lambda x, p: math.pow(math.sin(x), p - 1.0),
    "log_power": lambda x, p: math.pow(math.log(1.0 / x), p - 1.0),
    "cosine_exp": lambda x, p: math.cos(math.pow(2.0, p) * x) * math.exp(20.0 * (x - 1.0)),
    "cosine_ends": lambda x, p: math.cos(math.pow(2.0, p) * x) / math.sqrt(x * (1.0 - x)),
    "gamma": lambda x, p: x * x * math.exp(-math.pow(2.0, -p) * x),
    "beta": lambda x, p: math.pow(x, p - 1.0) / ((1.0 + 10.0 * x) * (1.0 + 10.0 * x)),
    "log_inside": lambda x, p: x * x * x * math.log(abs((x * x - 1.0) * (x * x - 2.0))),
    "log_over": lambda x, p: math.log(x) / (1.0 + p * x * x),
    "step": lambda x, p: 1.0 if x >= p else 0.0,
    "stairs": lambda x, p: float(math.floor(p * x)),
    "exp": lambda x, p: math.exp(p * x),
    "exp_over_square": lambda x, p: math.exp(-x) / (x * x),
    "sine": lambda x, p: math.sin(p * x),
    "abs_sine": lambda x, p: abs(math.sin(p * x)),
    "sine_over": lambda x, p: math.sin(p * x) / x,
    "sine_of_inverse": lambda x, p: math.sin(p / x),
    "peak": lambda x, p: math.exp(-(p * (x - 0.4)) * (p * (x - 0.4))),
    "runge": lambda x, p: 1.0 / (1.0 + p * x * x),
    "quadpack_page_83": lambda x, p: x * math.sin(30.0 * x) / math.sqrt(1.0 - (x / (2.0 * pi)) * (x / (2.0 * pi))),
    "two_cusps": lambda x, p: math.sqrt(abs(x - 0.25)) + math.log(abs(x - p)),
    "exp_abs": lambda x, p: math.exp(-p * abs(x)),
    "damped_sine": lambda x, p: math.exp(-x) * math.sin(p * x),
    "root_exp": lambda x, p: math.exp(-x) / math.sqrt(x),
    "bose": lambda x, p: math.pow(x, p) * math.exp(-x) / (1.0 - math.exp(-x)),
    "bell": lambda x, p: math.exp(-(x - p) * (x - p)),
    "oscillating_bell": lambda x, p: math.exp(-x * x) * math.cos(p * x),
    "tanh": lambda x, p: math.tanh(p * x),
    "ripple": lambda x, p: 1.0 + p * math.sin(1e6 * x),
    "inverse_shifted": lambda x, p: 1.0 / (x - p),
    "cubic": lambda x, p: (x - p) * (x + p) * x,
    "log": lambda x, p: math.log(p * x),
}


class Problem(NamedTuple):
    """An integral, its options, and its exact value (NaN: unknown, does not exist, or known to be missed)."""

    family: str
    p: float
    a: float
    b: float
    exact: float
    points: tuple[float, ...] = ()
    epsabs: float = 1.49e-8
    epsrel: float = 1.49e-8
    limit: int = 50


TIGHT = {"epsabs": 0.0, "epsrel": 1e-12}
TIGHTEST = {"epsabs": 0.0, "epsrel": 1.2e-14}


def quadpack_families() -> Iterator[Problem]:
    """Yield the test families of the QUADPACK book, with easy, hard and hopeless parameters."""
    for p in (-0.99, -0.9, -0.5, 0.0, 1.3, 2.6):
        yield Problem("power_log", p, 0.0, 1.0, (1.0 + p) ** -2)
    for p in (0.0, 3.0, 6.0, 9.0, 15.0, 20.0):
        exact = math.atan((4.0 - pi) * 4.0 ** (p - 1.0)) + math.atan(pi * 4.0 ** (p - 1.0))
        yield Problem("lorentz", p, 0.0, 1.0, nan if p == 20.0 else exact, limit=200)
    for p in (0.0, 3.0, 6.0, 8.0, 10.0):
        yield Problem("bessel", p, 0.0, pi, pi * float(j0(2.0**p)))
    for p in (-0.8, -0.5, -0.2, 0.5, 1.6):
        exact = ((2.0 / 3.0) ** (p + 1.0) + (1.0 / 3.0) ** (p + 1.0)) / (p + 1.0)
        yield Problem("cusp_third", p, 0.0, 1.0, exact)
        yield Problem("cusp_third", p, 0.0, 1.0, exact, points=(1.0 / 3.0,))
    for p in (-0.5, 0.4, 1.1):
        exact = ((1.0 - pi / 4.0) ** (p + 1.0) + (pi / 4.0) ** (p + 1.0)) / (p + 1.0)
        yield Problem("cusp_pi", p, 0.0, 1.0, exact)
        yield Problem("cusp_pi", p, 0.0, 1.0, exact, points=(pi / 4.0,))
    for p in (1.0, 4.0, 10.0):
        yield Problem("chebyshev", p, -1.0, 1.0, pi / math.sqrt((1.0 + 2.0**-p) ** 2 - 1.0))
    for p in (0.1, 0.4, 1.5):
        exact = 2.0 ** (p - 2.0) * math.gamma(p / 2.0) ** 2 / math.gamma(p)
        yield Problem("sine_power", p, 0.0, pi / 2.0, exact)
    for p in (0.1, 0.5, 2.0):
        yield Problem("log_power", p, 0.0, 1.0, math.gamma(p))
    for p in (0.0, 4.0, 7.0, 9.0):
        w = 2.0**p
        exact = (20.0 * math.cos(w) + w * math.sin(w) - 20.0 * math.exp(-20.0)) / (400.0 + w * w)
        yield Problem("cosine_exp", p, 0.0, 1.0, exact)
    for p in (1.0, 4.0, 7.0):
        exact = pi * math.cos(2.0 ** (p - 1.0)) * float(j0(2.0 ** (p - 1.0)))
        yield Problem("cosine_ends", p, 0.0, 1.0, exact)
    for p in (0.0, 2.0, 5.0):
        yield Problem("gamma", p, 0.0, inf, 2.0 ** (3.0 * p + 1.0))
    for p in (0.1, 0.5, 1.0, 1.9):
        exact = 0.1 if p == 1.0 else (1.0 - p) * pi / (10.0**p * math.sin(pi * p))
        yield Problem("beta", p, 0.0, inf, exact)
    exact = 61.0 * math.log(2.0) + 77.0 / 4.0 * math.log(7.0) - 27.0
    yield Problem("log_inside", 0.0, 0.0, 3.0, exact)
    yield Problem("log_inside", 0.0, 0.0, 3.0, exact, points=(1.0, math.sqrt(2.0)))
    yield Problem("log_over", 100.0, 0.0, inf, -pi * math.log(10.0) / 20.0)
    yield Problem("quadpack_page_83", 0.0, 0.0, 2.0 * pi, -2.543259618893711)


def smooth_and_rough() -> Iterator[Problem]:
    """Yield finite ranges: polynomials, oscillation, peaks, jumps, kinks, with and without break points."""
    yield Problem("constant", 0.0, 0.0, 1.0, 0.0)
    yield Problem("constant", 3.5, -2.0, 5.0, 24.5)
    yield Problem("constant", 1e300, 0.0, 1e-300, 1.0)
    yield Problem("cubic", 1.0, -2.0, 2.0, 0.0)
    yield Problem("power", 20.0, 0.0, 1.0, 1.0 / 21.0)
    yield Problem("power", 0.5, 0.0, 1.0, 2.0 / 3.0)
    yield Problem("power", -0.5, 0.0, 4.0, 4.0)
    yield Problem("power", -0.9, 0.0, 1.0, 10.0)
    yield Problem("exp", 1.0, 0.0, 1.0, math.e - 1.0)
    yield Problem("exp", -50.0, 0.0, 10.0, -math.expm1(-500.0) / 50.0)
    yield Problem("log", 1.0, 0.0, 1.0, -1.0)
    yield Problem("log", 2.0, 0.0, 3.0, 3.0 * math.log(6.0) - 3.0)
    yield Problem("sine", 1.0, -pi, pi, 0.0)
    for p in (10.0, 100.0, 200.0, 1000.0):
        yield Problem("sine", p, 0.0, 1.0, (1.0 - math.cos(p)) / p)
    yield Problem("sine", 1000.0, 0.0, 1.0, (1.0 - math.cos(1000.0)) / 1000.0, limit=500)
    yield Problem("abs_sine", 1.0, 0.0, 2.0 * pi, 4.0)
    yield Problem("abs_sine", 1.0, 0.0, 2.0 * pi, 4.0, points=(pi,))
    yield Problem("abs_sine", 10.0, 0.0, pi, 2.0)
    yield Problem("sine_over", 1.0, 0.0, 10.0, 1.6583475942188740)
    yield Problem("sine_of_inverse", 1.0, 0.0, 1.0, 0.5040670619069284)
    yield Problem("sine_of_inverse", 1.0, 0.0, 1.0, 0.5040670619069284, limit=400)
    for p in (10.0, 1e2, 1e3):
        exact = math.sqrt(pi) / (2.0 * p) * (math.erf(0.6 * p) + math.erf(0.4 * p))
        yield Problem("peak", p, 0.0, 1.0, nan if p == 1e3 else exact)
        yield Problem("peak", p, 0.0, 1.0, exact, points=(0.4,))
    yield Problem("peak", 1e5, 0.0, 1.0, nan)
    yield Problem("runge", 25.0, -1.0, 1.0, 2.0 * math.atan(5.0) / 5.0)
    yield Problem("runge", 1e6, -1.0, 1.0, 2.0 * math.atan(1e3) / 1e3)
    yield Problem("step", 0.3, 0.0, 1.0, 0.7)
    yield Problem("step", 0.3, 0.0, 1.0, 0.7, points=(0.3,))
    yield Problem("step", 1.0 / 7.0, -3.0, 2.0, 13.0 / 7.0, limit=20)
    yield Problem("step", 0.0, -10000.0, 1.0, nan)
    yield Problem("stairs", 5.0, 0.0, 1.0, 2.0)
    yield Problem("stairs", 5.0, 0.0, 1.0, 2.0, points=(0.2, 0.4, 0.6, 0.8))
    exact = 0.25**1.5 / 1.5 + 0.75**1.5 / 1.5 + 0.7 * math.log(0.7) + 0.3 * math.log(0.3) - 1.0
    yield Problem("two_cusps", 0.7, 0.0, 1.0, exact)
    yield Problem("two_cusps", 0.7, 0.0, 1.0, exact, points=(0.7, 0.25))
    yield Problem("two_cusps", 0.7, 0.0, 1.0, exact, points=(0.25,))
    yield Problem("tanh", 50.0, -1.0, 3.0, (math.log(math.cosh(150.0)) - math.log(math.cosh(50.0))) / 50.0)


def infinite_ranges() -> Iterator[Problem]:
    """Yield half-lines and the whole line."""
    yield Problem("exp_over_square", 0.0, 1.0, inf, 0.14849550677592205)
    yield Problem("exp_over_square", 0.0, 1.0, inf, 0.14849550677592205, **TIGHT)
    yield Problem("exp", -1.0, 0.0, inf, 1.0)
    yield Problem("exp", 1.0, -inf, 0.0, 1.0)
    yield Problem("exp", 2.0, -inf, 3.0, math.exp(6.0) / 2.0)
    yield Problem("root_exp", 0.0, 0.0, inf, math.sqrt(pi))
    yield Problem("bose", 3.0, 0.0, inf, pi**4 / 15.0)
    yield Problem("bose", 1.0, 0.0, inf, pi**2 / 6.0)
    yield Problem("damped_sine", 1.0, 0.0, inf, 0.5)
    yield Problem("damped_sine", 30.0, 0.0, inf, 30.0 / 901.0)
    yield Problem("runge", 1.0, 0.0, inf, pi / 2.0)
    yield Problem("runge", 1.0, -inf, inf, pi)
    yield Problem("runge", 1e8, -inf, inf, pi / 1e4)
    yield Problem("power", -1.5, 1.0, inf, 2.0)
    yield Problem("power", -1.01, 1.0, inf, 100.0)
    yield Problem("power", -4.0, -inf, -2.0, 1.0 / 24.0)
    yield Problem("exp_abs", 1.0, -inf, inf, 2.0)
    yield Problem("bell", 0.0, -inf, inf, math.sqrt(pi))
    yield Problem("bell", 5.0, -inf, inf, math.sqrt(pi))
    yield Problem("bell", 40.0, -inf, inf, nan)
    yield Problem("bell", 0.0, 2.0, inf, math.sqrt(pi) / 2.0 * math.erfc(2.0))
    yield Problem("bell", 3.0, -inf, 1.0, math.sqrt(pi) / 2.0 * math.erfc(2.0))
    yield Problem("oscillating_bell", 4.0, -inf, inf, math.sqrt(pi) * math.exp(-4.0))
    yield Problem("oscillating_bell", 10.0, -inf, inf, math.sqrt(pi) * math.exp(-25.0), epsabs=1e-12)
    yield Problem("sine_over", 1.0, 0.0, inf, pi / 2.0)
    yield Problem("sine_over", 1.0, -inf, inf, pi)


def no_integral_at_all() -> Iterator[Problem]:
    """Yield integrals that do not exist."""
    yield Problem("power", -1.0, 0.0, 1.0, nan)
    yield Problem("power", -1.5, 0.0, 1.0, nan)
    yield Problem("power", -2.0, 0.0, 1.0, nan, limit=300)
    yield Problem("power", -1.0, 1.0, inf, nan)
    yield Problem("power", 0.5, 0.0, inf, nan)
    yield Problem("constant", 1.0, 0.0, inf, nan)
    yield Problem("constant", 1.0, -inf, inf, nan)
    yield Problem("sine", 1.0, 0.0, inf, nan)
    yield Problem("sine", 1.0, 0.0, inf, nan, limit=200)
    yield Problem("inverse_shifted", 1.0 / 3.0, 0.0, 1.0, nan)
    yield Problem("inverse_shifted", 1.0 / 3.0, 0.0, 1.0, nan, points=(1.0 / 3.0,))
    yield Problem("cusp_third", -1.2, 0.0, 1.0, nan)
    yield Problem("cusp_third", -1.2, 0.0, 1.0, nan, points=(1.0 / 3.0,))


def tolerances_limits_and_rounding() -> Iterator[Problem]:
    """Yield tolerances that are hard or out of reach, few intervals, many intervals."""
    yield Problem("exp", 1.0, 0.0, 1.0, math.e - 1.0, **TIGHTEST)
    yield Problem("power", 0.5, 0.0, 1.0, 2.0 / 3.0, **TIGHT)
    yield Problem("power", 0.5, 0.0, 1.0, 2.0 / 3.0, **TIGHTEST)
    yield Problem("log", 1.0, 0.0, 1.0, -1.0, **TIGHTEST)
    yield Problem("power_log", -0.5, 0.0, 1.0, 4.0, **TIGHTEST)
    yield Problem("sine", 10.0, 0.0, 1.0, (1.0 - math.cos(10.0)) / 10.0, **TIGHTEST)
    yield Problem("runge", 1.0, -inf, inf, pi, **TIGHTEST)
    yield Problem("bell", 0.0, -inf, inf, math.sqrt(pi), **TIGHTEST)
    yield Problem("cubic", 1.0, -2.0, 2.0, 0.0, **TIGHTEST)
    yield Problem("ripple", 1e-3, 0.0, 1.0, nan)
    yield Problem("ripple", 1e-9, 0.0, 1.0, nan, **TIGHT)
    yield Problem("ripple", 1e-12, 0.0, 1.0, nan, **TIGHT, limit=200)
    yield Problem("cusp_third", 0.5, 0.0, 1.0, nan, points=(0.5,), **TIGHTEST)
    yield Problem("power", -0.5, 0.0, 1.0, 2.0, epsabs=1e-300, epsrel=0.0)
    yield Problem("log", 1.0, 0.0, 1.0, -1.0, epsabs=1e-3, epsrel=1e-3)
    yield Problem("cusp_third", -0.5, 0.0, 1.0, nan, epsabs=1e-2, epsrel=0.0)
    yield Problem("lorentz", 9.0, 0.0, 1.0, nan, epsabs=-1.0, epsrel=1e-6)
    for limit in (1, 2, 3, 4, 5, 8, 13):
        yield Problem("cusp_pi", -0.5, 0.0, 1.0, nan, limit=limit)
    for limit in (2, 3, 4, 6, 9):
        yield Problem("two_cusps", 0.7, 0.0, 1.0, nan, points=(0.55,), limit=limit)
    for limit in (1, 2, 5, 11):
        yield Problem("log_over", 100.0, 0.0, inf, nan, limit=limit)
    yield Problem("exp", 1.0, 0.0, 1.0, math.e - 1.0, limit=1)
    yield Problem("power", -0.99, 0.0, 1.0, 100.0, limit=1000)
    yield Problem("bessel", 12.0, 0.0, pi, pi * float(j0(4096.0)), limit=3000)


def beyond_reach() -> Iterator[Problem]:
    """Yield singularities that bisection does not hit, followed down to the last bit."""
    for p in (-1.0, -0.99, -0.9, -0.5, 0.4):
        yield Problem("cusp_pi", p, 0.0, 1.0, nan, **TIGHTEST, limit=200)
        yield Problem("cusp_pi", p, 0.0, 1.0, nan, limit=200)
    yield Problem("cusp_third", -1.0, 0.0, 1.0, nan, limit=200)
    yield Problem("step", pi / 4.0, 0.0, 1.0, nan, **TIGHTEST, limit=200)
    yield Problem("two_cusps", pi / 4.0, 0.0, 1.0, nan, **TIGHTEST, limit=500)
    yield Problem("power", -1.0, 0.0, 1.0, nan, limit=1500)
    yield Problem("power", -1.0, 1.0, inf, nan, limit=1500)
    for family in ("log", "root_exp", "sine_of_inverse"):
        yield Problem(family, 1.0, 0.0, 1.0, nan, epsabs=1e-300, epsrel=0.0, limit=150)


def orders_and_points() -> Iterator[Problem]:
    """Yield ranges the wrong way round or empty; points in any order, repeated, outside."""
    yield Problem("log", 1.0, 1.0, 0.0, 1.0)
    yield Problem("exp", -1.0, inf, 0.0, -1.0)
    yield Problem("exp", 1.0, 0.0, -inf, -1.0)
    yield Problem("runge", 1.0, inf, -inf, -pi)
    yield Problem("step", 0.3, 1.0, 0.0, -0.7, points=(0.3,))
    yield Problem("log", 1.0, 2.0, 2.0, 0.0)
    yield Problem("exp", -1.0, inf, inf, 0.0)
    yield Problem("exp", 1.0, -inf, -inf, 0.0)
    yield Problem("stairs", 5.0, 0.0, 1.0, 2.0, points=(0.8, 0.2, 0.6, 0.4, 0.2))
    yield Problem("step", 0.3, 0.0, 1.0, 0.7, points=(-1.0, 0.3, 7.0))
    yield Problem("power", -0.5, 0.0, 1.0, 2.0, points=(0.0, 1.0))
    yield Problem("power", -0.5, 0.0, 1.0, 2.0, points=(5.0,))
    yield Problem("log", 1.0, 0.0, 1.0, -1.0, points=(0.5,))
    yield Problem("exp", 1.0, 0.0, 1.0, math.e - 1.0, points=(0.25, 0.5, 0.75))


MESSAGES = (
    "The maximum number",
    "The occurrence of",
    "Extremely bad",
    "The algorithm does",
    "The integral is",
)


def solve(problem: Problem) -> tuple[float, float, int, int, int]:
    """Return SciPy's value, error, number of evaluations, number of intervals and status."""
    value, error, info, *message = quad(
        FAMILIES[problem.family],
        problem.a,
        problem.b,
        args=(problem.p,),
        points=problem.points or None,
        epsabs=problem.epsabs,
        epsrel=problem.epsrel,
        limit=problem.limit,
        full_output=1,
    )
    status = 1 + [message[0].startswith(text) for text in MESSAGES].index(True) if message else 0
    return value, error, info["neval"], info["last"], status


def main() -> None:
    """Write the table."""
    groups = (
        quadpack_families,
        smooth_and_rough,
        infinite_ranges,
        no_integral_at_all,
        tolerances_limits_and_rounding,
        beyond_reach,
        orders_and_points,
    )
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        file.write(f"# Written by quad.py with SciPy {scipy.__version__}. Points are separated by spaces.\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*Problem._fields, "value", "error", "neval", "intervals", "status"])
        for group in groups:
            for problem in group():
                row = problem._replace(points=" ".join(map(repr, problem.points)))
                writer.writerow([repr(x) if isinstance(x, float) else x for x in (*row, *solve(problem))])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
