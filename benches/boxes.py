"""What do integrals over the unit cube cost: the same rule, SciPy's, nested integrals, sampling, and each form of function?"""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import ringback as rb
import scipy.integrate
from common import Table, best, report
from ringback.integrate import cubature, monte_carlo


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
    for name, run in contenders.items():
        miss = abs(float(run()) - truth)
        table.add(name, best(run, repeat=25), "" if miss <= rtol * abs(truth) else f"off by {miss:.1e}")
    return table


def samples() -> Table:
    box = [0.0] * 3, [1.0] * 3
    table = Table("1.5 million points of VEGAS+ in 3 dimensions", "µs")
    table.add("`monte_carlo`, one worker", best(lambda: monte_carlo(wave3, *box, workers=1), repeat=25))
    table.add("`monte_carlo`, all cores", best(lambda: monte_carlo(wave3, *box), repeat=25))
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


def point_by_point(run: Callable[[], object]) -> float:
    """The time if each point is a call of its own, as it is where an array has no block."""
    with patch("ringback.integrate._fields.point_block", lambda *_: None):
        return best(run, repeat=25)


def forms() -> Table:
    box = [0.0] * 3, [1.0] * 3
    table = Table("Forms of functions: `cubature` in 3 dimensions, rtol 1e-09, one worker", "µs")
    run = {"rtol": 1e-9, "workers": 1}
    table.add("`f(x, y, z)`", best(lambda: cubature(wave3, *box, **run), repeat=25))
    table.add("the same as `f(x)`", best(lambda: cubature(wave_array, *box, **run), repeat=25))
    table.add("the same, point by point", point_by_point(lambda: cubature(wave_array, *box, **run)))
    two = {**run, "outputs": 2}
    table.add("`f(x, out)`, the same and a product", best(lambda: cubature(written, *box, **two), repeat=25))
    table.add("the same, point by point", point_by_point(lambda: cubature(written, *box, **two)))
    for name, f in [("a loop over `x`", norm_loop), ("`x @ x`", norm_product)]:
        table.add(f"`f(x)` with {name}", best(lambda f=f: cubature(f, *box, **run), repeat=25))
        table.add("the same, point by point", point_by_point(lambda f=f: cubature(f, *box, **run)))
    return table


if __name__ == "__main__":
    report([compare(wave3, 3, 1e-8), compare(wave5, 5, 1e-5), forms(), samples()])
