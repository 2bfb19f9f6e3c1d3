"""Integrals for the comparison with SciPy: name, integrand, limits, options, exact value where it is known.

QUADPACK's own families (Piessens et al., *QUADPACK*, 1983, chapter 2; test functions after Kahaner 1971), end-point
singularities, oscillation, peaks, jumps, divergence and infinite ranges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

inf = math.inf


class Problem(NamedTuple):
    """One integral."""

    name: str
    f: Callable[[float], float]
    a: float
    b: float
    exact: float | None = None
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed


def _book() -> list[Problem]:
    """Families 1 to 15 of the QUADPACK book, each with several parameters."""
    out = []
    for alpha in (-0.9, -0.5, 0.0, 1.3, 2.6):
        out.append(
            Problem(f"x^{alpha} log(1/x)", (lambda a: lambda x: x**a * math.log(1 / x))(alpha), 0, 1, (1 + alpha) ** -2)
        )
    for alpha in (0.0, 3.0, 8.0):
        exact = math.atan((4 - math.pi) * 4 ** (alpha - 1)) + math.atan(math.pi * 4 ** (alpha - 1))
        f = (lambda c: lambda x: c / ((x - math.pi / 4) ** 2 + c * c))(4**-alpha)
        out.append(Problem(f"peak 4^-{alpha}", f, 0, 1, exact))
    for alpha in (0.0, 4.0):
        f = (lambda c: lambda x: math.cos(c * math.sin(x)))(2**alpha)
        out.append(Problem(f"cos(2^{alpha} sin x)", f, 0, math.pi))
    for alpha in (-0.8, 0.0, 1.1):
        exact = ((2 / 3) ** (alpha + 1) + (1 / 3) ** (alpha + 1)) / (alpha + 1)
        out.append(Problem(f"|x-1/3|^{alpha}", (lambda a: lambda x: abs(x - 1 / 3) ** a)(alpha), 0, 1, exact))
    for alpha in (0.8, 2.1):
        exact = ((1 - math.pi / 4) ** (alpha + 1) + (math.pi / 4) ** (alpha + 1)) / (alpha + 1)
        out.append(Problem(f"|x-pi/4|^{alpha}", (lambda a: lambda x: abs(x - math.pi / 4) ** a)(alpha), 0, 1, exact))
    for alpha in (1.0, 5.0):
        f = (lambda c: lambda x: 1 / math.sqrt(1 - x * x) / (1 + x + c))(2**-alpha)
        out.append(Problem(f"1/sqrt(1-x²)/(1+x+2^-{alpha})", f, -1, 1))
    for alpha in (0.5, 1.5):
        f = (lambda a: lambda x: math.sin(x) ** (a - 1))(alpha)
        out.append(Problem(f"sin^{alpha - 1}", f, 0, math.pi / 2))
        f = (lambda a: lambda x: math.log(1 / x) ** (a - 1))(alpha)
        out.append(Problem(f"log^{alpha - 1}", f, 0, 1, math.gamma(alpha)))
    for alpha in (0.0, 3.0):
        f = (lambda c: lambda x: math.exp(20 * (x - 1)) * math.sin(c * x))(2**alpha)
        out.append(Problem(f"exp(20(x-1)) sin(2^{alpha} x)", f, 0, 1))
        f = (lambda c: lambda x: math.cos(c * x) / math.sqrt(x * (1 - x)))(2**alpha)
        out.append(Problem(f"cos(2^{alpha} x)/sqrt(x(1-x))", f, 0, 1))
    for alpha in (0.0, 2.0):
        f = (lambda c: lambda x: x * x * math.exp(-c * x))(2**-alpha)
        out.append(Problem(f"x² exp(-2^-{alpha} x)", f, 0, inf, 2 ** (3 * alpha + 1)))
    for alpha in (0.3, 1.5):
        f = (lambda a: lambda x: x ** (a - 1) / (1 + 10 * x) ** 2)(alpha)
        exact = (1 - alpha) * math.pi / (10**alpha * math.sin(math.pi * alpha))
        out.append(Problem(f"x^{alpha - 1}/(1+10x)²", f, 0, inf, exact))
    return out


def _step(x: float) -> float:
    return 1.0 if x > 0.3 else 0.0


PROBLEMS = [
    *_book(),
    Problem("seed", lambda t: math.exp(-t) / t**2, 1, inf, 0.1484955067759220),
    Problem("polynomial", lambda x: 5 * x**4 - 3 * x**2 + 1, -1, 2, 27.0),
    Problem("sqrt", lambda x: math.sqrt(x), 0, 1, 2 / 3),
    Problem("1/sqrt", lambda x: 1 / math.sqrt(x), 0, 1, 2.0),
    Problem("log", lambda x: math.log(x), 0, 1, -1.0),
    Problem("log(x)/sqrt(x)", lambda x: math.log(x) / math.sqrt(x), 0, 1, -4.0),
    Problem("runge", lambda x: 1 / (1 + 25 * x * x), -1, 1, 0.4 * math.atan(5)),
    Problem("sin(50x)", lambda x: math.sin(50 * x), 0, 3, (1 - math.cos(150)) / 50),
    Problem("sin(1000x)", lambda x: math.sin(1000 * x), 0, 10),
    Problem("sin(1/x)", lambda x: math.sin(1 / x), 0, 1, 0.5040670619069283),
    Problem(
        "narrow gaussian", lambda x: math.exp(-((x - 0.37) ** 2) * 1e6), 0, 1
    ),  # missed by every sample: 0, as in SciPy
    Problem("jump", _step, 0, 1, 0.7),
    Problem("jump with its point", _step, 0, 1, 0.7, {"points": [0.3]}),
    Problem("two points", lambda x: abs(x - 0.2) ** 0.5 + abs(x - 0.7) ** -0.3, 0, 1, None, {"points": [0.7, 0.2]}),
    Problem("log at a point", lambda x: math.log(abs(x - 1)), 0, 3, 2 * math.log(2) - 3, {"points": [1.0]}),
    Problem("gaussian", lambda x: math.exp(-x * x), -inf, inf, math.sqrt(math.pi)),
    Problem("lorentzian", lambda x: 1 / (1 + x * x), -inf, inf, math.pi),
    Problem("left tail", lambda x: math.exp(x), -inf, 0, 1.0),
    Problem("1/(1+x²) from -inf", lambda x: 1 / (1 + x * x), -inf, 2),
    Problem("1/sqrt(x)/(1+x)", lambda x: 1 / math.sqrt(x) / (1 + x), 0, inf, math.pi),
    Problem("slow tail", lambda x: 1 / x**1.1, 1, inf, 10.0),
    Problem("backwards", lambda x: math.exp(-x), 3, 0, math.exp(-3) - 1),
    Problem("nothing", lambda x: math.exp(x), 1, 1, 0.0),
    Problem("tight", lambda x: math.exp(x) * math.cos(x), 0, 2, None, {"epsabs": 0, "epsrel": 1e-13}),
    Problem("loose", lambda x: math.exp(x) * math.cos(x), 0, 20, None, {"epsabs": 1e-2, "epsrel": 1e-2}),
    Problem("too tight", lambda x: math.sqrt(abs(x - 0.1)), 0, 1, None, {"epsabs": 0, "epsrel": 2e-14, "limit": 200}),
    Problem("limit 3", lambda x: 1 / (abs(x - 0.123) + 1e-6), 0, 1, None, {"limit": 3}),
    Problem("limit 1", lambda x: math.sin(100 * x), 0, 3, None, {"limit": 1}),
    Problem("1/x diverges", lambda x: 1 / x, 0, 1),
    Problem("x^-1.5 diverges", lambda x: x**-1.5, 0, 1),
    Problem("sin on a half-line", lambda x: math.sin(x), 0, inf),
    Problem("1/x tail diverges", lambda x: 1 / x, 1, inf),
    Problem("tan to its pole", lambda x: math.tan(x), 0, math.pi / 2),
]
