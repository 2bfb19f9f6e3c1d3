"""What does one integral cost, called from Python, beside everybody else's? One table an integrand."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numba
import numpy as np
import quadax
import ringback as rb
import ringback_peers
import scipy.integrate
from common import TOLERANCE, Table, best, judged, report
from integrands import PROBLEMS, Problem, with_module
from ringback.integrate import quad

jax.config.update("jax_enable_x64", True)


def with_quadax(problem: Problem):
    """One integral by quadax, jitted, with the ends as arguments."""
    function = with_module(problem.function, jnp)
    # It returns (value, info).
    jitted = jax.jit(lambda ends: quadax.quadgk(function, ends, epsabs=TOLERANCE, epsrel=TOLERANCE, max_ninter=50)[0])
    ends = jnp.array([problem.a, problem.b])
    return lambda: jitted(ends).block_until_ready()


def compare(problem: Problem) -> Table:
    f, a, b = problem.function, problem.a, problem.b
    compiled = rb.cfunc("float64(float64)", error_model="numpy")(f)
    low_level = compiled.low_level_callable()
    jitted = numba.njit(error_model="numpy")(f)
    in_math = with_module(f, math)
    precise = {"atol": TOLERANCE, "rtol": TOLERANCE}
    contenders = {
        "`ringback.integrate.quad`, `rb.cfunc`": lambda: quad(compiled, a, b).value,
        "`ringback.integrate.quad`, plain Python function": lambda: quad(f, a, b).value,
        "hand-written Rust, called from Python": lambda: ringback_peers.quad_rust(problem.name, a, b),
        "`scipy.integrate.quad`, `LowLevelCallable`": lambda: scipy.integrate.quad(low_level, a, b)[0],
        "`scipy.integrate.quad`, `numba.njit` function": lambda: scipy.integrate.quad(jitted, a, b)[0],
        "`scipy.integrate.quad`, Python function (`math`)": lambda: scipy.integrate.quad(in_math, a, b)[0],
        "`scipy.integrate.quad`, Python function (NumPy)": lambda: scipy.integrate.quad(f, a, b)[0],
        "`scipy.integrate.quad_vec`, Python function (`math`)": lambda: scipy.integrate.quad_vec(
            in_math, a, b, epsabs=TOLERANCE, epsrel=TOLERANCE
        )[0],
        "`scipy.integrate.tanhsinh`, NumPy": lambda: scipy.integrate.tanhsinh(f, a, b, **precise).integral,
        "`scipy.integrate.cubature`, NumPy": lambda: (
            scipy.integrate.cubature(lambda x: f(x[:, 0]), [a], [b], **precise).estimate
        ),
        "`quadax.quadgk`, jitted": with_quadax(problem),
    }
    table = Table(problem.title, "µs")
    with np.errstate(all="ignore"):
        for name, run in contenders.items():
            table.add(name, best(run), judged(run(), problem.truth))
    return table


if __name__ == "__main__":
    report([compare(problem) for problem in PROBLEMS])
