"""What do integrals over the unit cube cost: the same rule, SciPy's, nested integrals, sampling, and each form of function?"""

from __future__ import annotations

import time
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import ringback as rb
import scipy.integrate
from common import Table, report
from ringback.integrate import cubature, monte_carlo

ROUNDS = 40


def in_turn(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Microseconds for one call of each: the least of several, taken in turn, so that all have the same share of noise."""
    times = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            # More than once: the first is slow for what the one before left in the caches.
            for _ in range(3):
                start = time.perf_counter()
                run()
                times[name] = min(times[name], (time.perf_counter() - start) * 1e6)
    return times


def wave3(x, y, z):
    return np.cos(x * y) * np.exp(-z * x)


def wave5(x, y, z, u, v):
    return np.cos(x + y * z) * np.exp(-u * v)


def compare(f, dims: int, rtol: float) -> Table:
    box = [0.0] * dims, [1.0] * dims
    low_level = rb.compile(f, f"f64({', '.join(['f64'] * dims)})", error_model="numpy").low_level_callable()
    tolerance = {"epsrel": rtol, "epsabs": 0.0}

    def on_arrays(x):
        return f(*x.T)

    contenders = {
        "`cubature`, one worker": lambda: cubature(f, *box, rtol=rtol, workers=1).estimate,
        "`cubature`, all cores": lambda: cubature(f, *box, rtol=rtol).estimate,
        '`scipy.integrate.cubature`, `rule="genz-malik"`, NumPy': lambda: (
            scipy.integrate.cubature(on_arrays, *box, rule="genz-malik", rtol=rtol).estimate
        ),
    }
    if dims == 3:
        contenders["`scipy.integrate.cubature`, its default rule (21³ points), NumPy"] = lambda: (
            scipy.integrate.cubature(on_arrays, *box, rtol=rtol).estimate
        )
        contenders["`scipy.integrate.nquad`, `LowLevelCallable`"] = lambda: scipy.integrate.nquad(
            low_level, [[0, 1]] * dims, opts=tolerance
        )[0]
    nodes, weights = np.polynomial.legendre.leggauss(16)
    grid = np.meshgrid(*[(nodes + 1) / 2] * dims, indexing="ij")
    product = np.ones(())
    for _ in range(dims):
        product = np.multiply.outer(product, weights / 2)
    truth = float((f(*grid) * product).sum())
    table = Table(f"Over the unit cube in {dims} dimensions, rtol {rtol:.0e}", "µs")
    for name, taken in in_turn(contenders).items():
        miss = abs(float(contenders[name]()) - truth)
        table.add(name, taken, "" if miss <= rtol * abs(truth) else f"off by {miss:.1e}")
    return table


def samples() -> Table:
    box = [0.0] * 3, [1.0] * 3
    table = Table("1.5 million points of VEGAS+ in 3 dimensions", "µs")
    runs: dict[str, Callable[[], object]] = {
        "`monte_carlo`, one worker": lambda: monte_carlo(wave3, *box, workers=1),
        "`monte_carlo`, all cores": lambda: monte_carlo(wave3, *box),
    }
    for name, taken in in_turn(runs).items():
        table.add(name, taken)
    return table


def wave_array(x):
    return np.cos(x[0] * x[1]) * np.exp(-x[2] * x[0])


def norm_loop(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
    return np.exp(-total)


def norm_product(x):
    return np.exp(-(x @ x))


def written(x, out):
    out[0] = np.cos(x[0] * x[1]) * np.exp(-x[2] * x[0])
    out[1] = x[0] * x[1] * x[2]


def forms() -> Table:
    functions: dict[str, tuple[Callable[..., object], dict[str, int]]] = {
        "`f(x, y, z)`": (wave3, {}),
        "the same as `f(x)`": (wave_array, {}),
        "the same and a product, as `f(x, out)`": (written, {"outputs": 2}),
        "`f(x)` with a loop over `x`": (norm_loop, {}),
        "`f(x)` with `x @ x`": (norm_product, {}),
    }

    def integral(f: Callable[..., object], outputs: dict[str, int], block: bool) -> Callable[[], object]:
        def run() -> object:
            return cubature(f, [0.0] * 3, [1.0] * 3, rtol=1e-9, workers=1, **outputs)

        def point_by_point() -> object:
            # As it is where an array has no block.
            with patch("ringback.integrate._fields.point_block", lambda *_: None):
                return run()

        return run if block else point_by_point

    runs = {}
    for name, (f, outputs) in functions.items():
        runs[name] = integral(f, outputs, True)
        if f is not wave3:
            runs[f"{name}, point by point"] = integral(f, outputs, False)
    table = Table("Forms of functions: `cubature` in 3 dimensions, rtol 1e-09, one worker", "µs")
    for name, taken in in_turn(runs).items():
        table.add(name, taken)
    return table


if __name__ == "__main__":
    report([compare(wave3, 3, 1e-8), compare(wave5, 5, 1e-5), forms(), samples()])
