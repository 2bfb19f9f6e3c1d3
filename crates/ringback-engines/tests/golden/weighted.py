"""Writes weighted.csv: what SciPy's `quad` with a weight says about a table of integrals.

Run it as ``python weighted.py`` with SciPy installed. As for quad.py: the families are defined a second time in Rust, in
``../families/mod.rs`` and ``../weighted.rs``, and the elementary functions are the C library's.
"""

import csv
import math
import warnings
from collections.abc import Callable, Iterator
from math import inf, nan, pi
from pathlib import Path
from typing import NamedTuple

import scipy
from quad import FAMILIES, TIGHT, TIGHTEST
from scipy.integrate import quad
from scipy.special import beta, digamma, j0, sici

MORE: dict[str, Callable[[float, float], float]] = {
    # With a weight the ends are evaluated: what is infinite there is given another value.
    "log_or_zero": lambda x, p: math.log(p * x) if x > 0.0 else 0.0,
    "power_or_zero": lambda x, p: math.pow(x, p) if x > 0.0 else 0.0,
    "log_squared": lambda x, p: math.pow(p + math.log(x) * math.log(x), -2.0) if x > 0.0 else 0.0,
    "inverse_cubic": lambda x, p: 1.0 / (5.0 * x * x * x + p),
    "book_peak": lambda x, p: math.pow(2.0, -p) / ((x - 1.0) * (x - 1.0) + math.pow(4.0, -p)),
    "book_exp": lambda x, p: math.exp(20.0 * (x - 1.0)),
    "book_gamma": lambda x, p: x * x * math.exp(-math.pow(2.0, -p) * x),
    "reciprocal": lambda x, p: 1.0 / (x + p),
    "cosine": lambda x, p: math.cos(p * x),
}

ALL = FAMILIES | MORE


class Weighted(NamedTuple):
    """An integral with a weight, its options, and its exact value (NaN: unknown or does not exist)."""

    family: str
    p: float
    a: float
    b: float
    weight: str
    w1: float
    w2: float = 0.0
    exact: float = nan
    epsabs: float = 1.49e-8
    epsrel: float = 1.49e-8
    limit: int = 50
    maxp1: int = 50
    limlst: int = 50


def oscillating() -> Iterator[Weighted]:
    """Yield finite ranges with sine and cosine: smooth, singular, few and many oscillations."""
    for w in (0.0, 1e-3, 1.0, 3.9, 4.1, 10.0, 47.0, 49.0, 100.0, 1e3, 1e5, 1e8, 1e15):
        exact = (math.e * (math.cos(w) + w * math.sin(w)) - 1.0) / (1.0 + w * w)
        yield Weighted("exp", 1.0, 0.0, 1.0, "cos", w, exact=exact)
        exact = (math.e * (math.sin(w) - w * math.cos(w)) + w) / (1.0 + w * w)
        yield Weighted("exp", 1.0, 0.0, 1.0, "sin", w, exact=exact)
    yield Weighted("exp", 1.0, 0.0, 1.0, "sin", -10.0)
    yield Weighted("exp", 1.0, 0.0, 1.0, "cos", -10.0)
    yield Weighted("exp", 1.0, 1.0, 0.0, "sin", 10.0)
    yield Weighted("exp", 1.0, 2.0, 2.0, "sin", 10.0, exact=0.0)
    # The QUADPACK book, 4.4: log(x) sin(10 pi x), and exp(20 (x - 1)) sin(2^p x).
    w = 10.0 * pi
    exact = -(float(-sici(w)[1]) + math.log(w) + 0.5772156649015329) / w
    yield Weighted("log_or_zero", 1.0, 0.0, 1.0, "sin", w, exact=exact)
    yield Weighted("log_or_zero", 1.0, 0.0, 1.0, "sin", w, exact=exact, epsabs=0.0, epsrel=1e-10, limit=200)
    for p in range(10):
        w = 2.0**p
        exact = (20.0 * math.sin(w) - w * math.cos(w) + w * math.exp(-20.0)) / (400.0 + w * w)
        yield Weighted("book_exp", 0.0, 0.0, 1.0, "sin", w, exact=exact, **TIGHT)
    for w in (1.0, 30.0, 300.0):
        for p in (-0.5, -0.9, 0.5):
            yield Weighted("power_or_zero", p, 0.0, 1.0, "cos", w)
            yield Weighted("power_or_zero", p, 0.0, 1.0, "sin", w, limit=200)
    for w in (5.0, 80.0, 2000.0):
        yield Weighted("runge", 25.0, -1.0, 1.0, "cos", w)
        yield Weighted("runge", 1e4, -1.0, 3.0, "sin", w)
        yield Weighted("step", 0.3, 0.0, 1.0, "cos", w, exact=(math.sin(w) - math.sin(0.3 * w)) / w)
        yield Weighted("cusp_third", 0.5, 0.0, 1.0, "sin", w)
        yield Weighted("cusp_pi", -0.5, 0.0, 1.0, "cos", w, limit=100)
        yield Weighted("peak", 1e2, 0.0, 1.0, "cos", w)
    yield Weighted("power_or_zero", -1.0, 0.0, 1.0, "cos", 50.0)
    yield Weighted("power_or_zero", -1.5, 0.0, 1.0, "cos", 5.0, limit=300)
    yield Weighted("power_or_zero", -1.0, 0.0, 1.0, "cos", 1e3, limit=500)
    yield Weighted("inverse_shifted", 1.0 / 3.0, 0.0, 1.0, "sin", 20.0)
    yield Weighted("ripple", 1e-6, 0.0, 1.0, "cos", 3.0, **TIGHT)
    yield Weighted("ripple", 1e-3, 0.0, 1.0, "sin", 30.0, **TIGHT, limit=200)
    yield Weighted("exp", 1.0, 0.0, 1.0, "cos", 30.0, **TIGHTEST)
    yield Weighted("sine", 200.0, 0.0, 1.0, "sin", 200.0, exact=0.5 - math.sin(400.0) / 800.0)
    yield Weighted("sine", 1000.0, 0.0, 1.0, "cos", 3.0, limit=300)
    for limit in (1, 2, 3, 5, 9):
        yield Weighted("cusp_pi", -0.5, 0.0, 1.0, "cos", 40.0, limit=limit)
    yield Weighted("exp", 1.0, -1e4, 1.0, "cos", 2.0)
    yield Weighted("cusp_third", 0.5, 0.0, 1.0, "sin", 2000.0, maxp1=1)
    yield Weighted("exp", -50.0, 0.0, 10.0, "sin", 3.0, epsabs=0.0, epsrel=1e-9)


def fourier() -> Iterator[Weighted]:
    """Yield infinite ranges with sine and cosine."""
    for w in (0.5, 1.0, 3.0, 30.0, 1e3):
        yield Weighted("exp", -1.0, 0.0, inf, "cos", w, exact=1.0 / (1.0 + w * w))
        yield Weighted("exp", -1.0, 0.0, inf, "sin", w, exact=w / (1.0 + w * w))
        yield Weighted("exp", 1.0, -inf, 0.0, "sin", w, exact=-w / (1.0 + w * w))
        yield Weighted("exp", 2.0, -inf, 3.0, "cos", w)
        yield Weighted("runge", 1.0, 0.0, inf, "cos", w, exact=pi / 2.0 * math.exp(-w))
        yield Weighted("reciprocal", 1.0, 0.0, inf, "sin", w)
        yield Weighted("reciprocal", 0.0, 1.0, inf, "cos", w, exact=-float(sici(w)[1]))
        yield Weighted("bell", 2.0, -5.0, inf, "cos", w)
    # The QUADPACK book, 4.5.
    yield Weighted("power_or_zero", -0.5, 0.0, inf, "cos", pi / 2.0, exact=1.0)
    yield Weighted("power_or_zero", -0.5, 0.0, inf, "cos", pi / 2.0, exact=1.0, epsabs=1e-3)
    for p in (0.0, 2.0, 4.0):
        k = 2.0**-p
        for epsabs in (1e-3, 1e-8):
            exact = 2.0 * k * (k * k - 3.0) / (k * k + 1.0) ** 3
            yield Weighted("book_gamma", p, 0.0, inf, "cos", 1.0, exact=exact, epsabs=epsabs)
    yield Weighted("power_or_zero", -0.5, 0.0, inf, "sin", 1.0, exact=math.sqrt(pi / 2.0))
    yield Weighted("power_or_zero", -0.9, 0.0, inf, "cos", 2.0)
    yield Weighted("power_or_zero", -0.1, 0.0, inf, "sin", 2.0)
    yield Weighted("sine_over", 3.0, 1.0, inf, "cos", 1.0)
    yield Weighted("exp", -1.0, 0.0, inf, "cos", 0.0, exact=1.0)
    yield Weighted("exp", -1.0, 0.0, inf, "sin", 0.0, exact=0.0)
    yield Weighted("exp", -1.0, 0.0, inf, "sin", -2.0, exact=-0.4)
    yield Weighted("exp", -1.0, inf, 0.0, "sin", 2.0, exact=-0.4)
    yield Weighted("exp", 1.0, 0.0, -inf, "sin", 2.0, exact=0.4)
    yield Weighted("exp", -1.0, inf, inf, "cos", 2.0, exact=0.0)
    yield Weighted("exp", -1e-2, 0.0, inf, "cos", 1e-2, exact=50.0)
    yield Weighted("exp", -1e-3, 0.0, inf, "sin", 1.0, exact=1.0 / (1.0 + 1e-6))
    yield Weighted("constant", 1.0, 0.0, inf, "cos", 1.0)
    yield Weighted("constant", 1.0, 0.0, inf, "sin", 1.0, limlst=10)
    yield Weighted("power_or_zero", 0.5, 0.0, inf, "cos", 1.0)
    yield Weighted("power_or_zero", 1.5, 0.0, inf, "cos", 1.0, limlst=30)
    yield Weighted("step", 20.5, 0.0, inf, "cos", 1.0)
    yield Weighted("cusp_pi", -0.5, 0.0, inf, "cos", 3.0)
    yield Weighted("cusp_pi", -0.5, 0.0, inf, "cos", 3.0, limit=8, epsabs=1e-3)
    yield Weighted("inverse_shifted", 1.0, 0.0, inf, "sin", 1.3)
    for limlst in (3, 4, 6, 12):
        yield Weighted("reciprocal", 1.0, 0.0, inf, "sin", 1.0, limlst=limlst)
    yield Weighted("reciprocal", 1.0, 0.0, inf, "cos", 1.0, epsabs=1e-13)
    yield Weighted("reciprocal", 1.0, 0.0, inf, "cos", 2.0, maxp1=1)
    yield Weighted("sine", 1.0, 0.0, inf, "sin", 1.0)
    yield Weighted("ripple", 1e-3, 0.0, inf, "cos", 1.0, limit=5)


def algebraic() -> Iterator[Weighted]:
    """Yield algebraic weights, with and without logarithms."""
    for alpha, bet in (
        (-0.5, -0.5),
        (-0.99, 0.0),
        (0.0, -0.99),
        (-0.9, 2.5),
        (0.0, 0.0),
        (3.0, -0.1),
        (-0.999, -0.999),
    ):
        exact = float(beta(alpha + 1.0, bet + 1.0))
        in_a, in_b = float(digamma(alpha + 1.0)), float(digamma(bet + 1.0))
        both = float(digamma(alpha + bet + 2.0))
        yield Weighted("constant", 1.0, 0.0, 1.0, "alg", alpha, bet, exact=exact)
        yield Weighted("constant", 1.0, 0.0, 1.0, "alg-loga", alpha, bet, exact=exact * (in_a - both))
        yield Weighted("constant", 1.0, 0.0, 1.0, "alg-logb", alpha, bet, exact=exact * (in_b - both))
        yield Weighted("constant", 1.0, 0.0, 1.0, "alg-log", alpha, bet)
        yield Weighted("exp", -1.0, 0.5, 2.0, "alg", alpha, bet)
        yield Weighted("exp", 3.0, -2.0, 1.0, "alg-loga", alpha, bet)
        yield Weighted("runge", 25.0, -1.0, 1.0, "alg-logb", alpha, bet)
        yield Weighted("sine", 30.0, 0.0, 1.0, "alg-log", alpha, bet)
    # The QUADPACK book, 4.6, and Bessel's function.
    si, ci = (float(x) for x in sici(1.0))
    exact = 0.5 * (ci * math.sin(1.0) + (pi / 2.0 - si) * math.cos(1.0) - 1.0)
    yield Weighted("log_squared", 1.0, 0.0, 1.0, "alg-loga", 0.0, 0.0, exact=exact)
    yield Weighted("log_squared", 1.0, 0.0, 1.0, "alg-loga", 0.0, 0.0, exact=exact, epsabs=0.0, epsrel=1e-3)
    for p in (0.0, 2.0, 4.0, 6.0, 8.0):
        exact = pi * math.cos(2.0 ** (p - 1.0)) * float(j0(2.0 ** (p - 1.0)))
        yield Weighted("cosine", 2.0**p, 0.0, 1.0, "alg", -0.5, -0.5, exact=exact)
    for p in (2.0, 5.0, 8.0):
        yield Weighted("lorentz", p, 0.0, 1.0, "alg", -0.3, 0.7)
        yield Weighted("lorentz", p, 0.0, 1.0, "alg-log", -0.3, 0.7, limit=200)
    yield Weighted("step", 0.3, 0.0, 1.0, "alg", -0.5, 0.0)
    yield Weighted("cusp_third", -0.5, 0.0, 1.0, "alg-log", -0.5, -0.5)
    yield Weighted("cusp_third", -1.0, 0.0, 1.0, "alg", -0.5, -0.5, limit=300)
    yield Weighted("cusp_pi", -0.9, 0.0, 1.0, "alg", 0.5, 0.5, limit=300)
    yield Weighted("cusp_pi", 0.5, 0.0, 1.0, "alg", 0.5, 0.5, **TIGHTEST, limit=100)
    yield Weighted("exp", 1.0, 0.0, 1.0, "alg", -0.5, 0.3, **TIGHTEST)
    yield Weighted("ripple", 1e-6, 0.0, 1.0, "alg", -0.5, 0.3, **TIGHT, limit=100)
    yield Weighted("ripple", 1e-9, 0.0, 1.0, "alg", 0.0, 0.0, **TIGHT, limit=100)
    yield Weighted("exp", 1.0, 1.0, 0.0, "alg", -0.5, 0.5)
    yield Weighted("exp", 1.0, 1.0, 1.0, "alg", -0.5, 0.5, exact=0.0)
    for limit in (2, 3, 4, 7):
        yield Weighted("lorentz", 6.0, 0.0, 1.0, "alg", -0.3, 0.7, limit=limit)
    yield Weighted("constant", 1.0, 0.0, 1e-300, "alg", -0.5, 0.0, exact=2e-150, epsabs=0.0)


def cauchy() -> Iterator[Weighted]:
    """Yield principal values: poles anywhere."""
    # The QUADPACK book, 4.7.
    yield Weighted("inverse_cubic", 6.0, -1.0, 5.0, "cauchy", 0.0, exact=math.log(125.0 / 631.0) / 18.0)
    yield Weighted("inverse_cubic", 6.0, -1.0, 5.0, "cauchy", 0.0, epsabs=0.0, epsrel=1e-3)
    for p in range(0, 11, 2):
        yield Weighted("book_peak", p, 0.0, 5.0, "cauchy", 2.0, limit=100)
    for c in (0.5, 0.25, 0.1, 1e-3, 1.0 - 1e-9, 0.999, 1.0 / 3.0, -0.01, -0.06, -1.0, 1.04, 1.06, 3.0, 1e6):
        exact = math.log(abs((1.0 - c) / c))
        yield Weighted("constant", 1.0, 0.0, 1.0, "cauchy", c, exact=exact)
        yield Weighted("exp", 1.0, 0.0, 1.0, "cauchy", c)
    yield Weighted("cubic", 1.0, -1.0, 1.0, "cauchy", 0.0, exact=-4.0 / 3.0)
    yield Weighted("runge", 25.0, -1.0, 1.0, "cauchy", 0.2)
    yield Weighted("runge", 1e6, -1.0, 1.0, "cauchy", 0.2, limit=100)
    yield Weighted("step", 0.3, 0.0, 1.0, "cauchy", 0.7)
    yield Weighted("step", 0.3, 0.0, 1.0, "cauchy", 0.3)
    yield Weighted("cusp_third", 0.5, 0.0, 1.0, "cauchy", 0.6)
    yield Weighted("cusp_pi", -0.5, 0.0, 1.0, "cauchy", 0.2, limit=200)
    yield Weighted("cusp_pi", -1.0, 0.0, 1.0, "cauchy", 0.2, limit=200)
    yield Weighted("log_or_zero", 1.0, 0.0, 1.0, "cauchy", 0.2)
    yield Weighted("ripple", 1e-3, 0.0, 1.0, "cauchy", 0.3, **TIGHT, limit=100)
    yield Weighted("exp", 1.0, 0.0, 1.0, "cauchy", 0.3, **TIGHTEST)
    yield Weighted("sine", 30.0, 0.0, 1.0, "cauchy", 0.3, **TIGHT)
    yield Weighted("exp", 1.0, 1.0, 0.0, "cauchy", 0.3)
    yield Weighted("exp", 1.0, 1.0, 1.0, "cauchy", 0.3, exact=0.0)
    for limit in (1, 2, 3, 6):
        yield Weighted("runge", 1e6, -1.0, 1.0, "cauchy", 0.2, limit=limit)


#: How SciPy's messages begin, with the code that they stand for; those of cycles come first.
MESSAGES = (
    ("The maximum number of cycles", 1),
    ("The extrapolation table", 4),
    ("Bad integrand behavior occurs within", 8),
    ("The maximum number", 1),
    ("The occurrence of", 2),
    ("Extremely bad", 3),
    ("The algorithm does", 4),
    ("The integral is", 5),
    # SciPy says this of cycles only for a range up to infinity.
    ("Abnormal termination", 8),
)


def solve(problem: Weighted) -> tuple[float, float, int, int, int]:
    """Return SciPy's value, error, number of evaluations, number of intervals or cycles, and status."""
    algebraic = problem.weight.startswith("alg")
    value, error, info, *message = quad(
        ALL[problem.family],
        problem.a,
        problem.b,
        args=(problem.p,),
        weight=problem.weight,
        wvar=(problem.w1, problem.w2) if algebraic else problem.w1,
        epsabs=problem.epsabs,
        epsrel=problem.epsrel,
        limit=problem.limit,
        maxp1=problem.maxp1,
        limlst=problem.limlst,
        full_output=1,
    )
    status = next(code for text, code in MESSAGES if message[0].startswith(text)) if message else 0
    return value, error, info["neval"], info["lst"] if "lst" in info else info["last"], status


def main() -> None:
    """Write the table."""
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        file.write(f"# Written by weighted.py with SciPy {scipy.__version__}.\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*Weighted._fields, "value", "error", "neval", "intervals", "status"])
        for group in (oscillating, fourier, algebraic, cauchy):
            for problem in group():
                writer.writerow([repr(x) if isinstance(x, float) else x for x in (*problem, *solve(problem))])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
