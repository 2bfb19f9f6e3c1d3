"""Ratios between things run in the same process; prints a table, and writes it to docs/benchmarks.md when asked.

Usage: run.py [--write]. Each figure is the best of several repetitions.
"""

from __future__ import annotations

import math
import platform
import sys
import timeit
from pathlib import Path

import numba
import numpy as np
import ringback as rb
import ringback_demo
import ringback_testing
import scipy
import scipy.integrate
from ringback.integrate import cubature, monte_carlo, quad, quad_many

OUT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def best(statement, number: int = 2000) -> float:
    """Microseconds for one call."""
    return min(timeit.repeat(statement, number=number, repeat=7)) / number * 1e6


def integrand_math(t):
    """For the interpreter: the fastest way to write it."""
    return math.exp(-t) / t**2


def integrand_numpy(t):
    """For the interpreter, written with NumPy, as for Numba."""
    return np.exp(-t) / t**2


def line(x):
    """The work of one call in the comparison of calls."""
    return x * 0.5 + 1.0


def calls() -> list[tuple[str, float, str]]:
    """One call."""
    compiled = rb.compile(line, "f64(f64)")
    jitted = numba.njit(line)
    jitted(1.0)
    n = 5_000_000
    pairs = [ringback_testing.time_handle(compiled, n) for _ in range(5)]
    handle, bare = min(p[0] for p in pairs), min(p[1] for p in pairs)
    python = min(ringback_testing.time_python(line, 200_000) for _ in range(5))
    through_jit = min(ringback_testing.time_python(jitted, 200_000) for _ in range(5))
    return [
        ("handle: one call", handle, "ns"),
        ('bare `extern "C"` pointer, the same work in Rust', bare, "ns"),
        ("PyO3 calls the Python function", python, "ns"),
        ("PyO3 calls the `numba.njit` function", through_jit, "ns"),
    ]


def integrals() -> list[tuple[str, float, str]]:
    """∫₁^∞ e^(-t)/t² dt from Python."""
    compiled = rb.cfunc("float64(float64)", error_model="numpy")(integrand_numpy)
    low_level = compiled.low_level_callable()
    inf = math.inf
    return [
        ("`ringback.integrate.quad`, `rb.cfunc`", best(lambda: quad(compiled, 1, inf)), "µs"),
        ("`ringback.integrate.quad`, plain Python function", best(lambda: quad(integrand_numpy, 1, inf)), "µs"),
        (
            "`scipy.integrate.quad`, Python function (`math.exp`)",
            best(lambda: scipy.integrate.quad(integrand_math, 1, inf)),
            "µs",
        ),
        (
            "`scipy.integrate.quad`, Python function (`np.exp`)",
            best(lambda: scipy.integrate.quad(integrand_numpy, 1, inf), 500),
            "µs",
        ),
        ("`scipy.integrate.quad`, `LowLevelCallable`", best(lambda: scipy.integrate.quad(low_level, 1, inf)), "µs"),
    ]


def in_rust() -> list[tuple[str, float, str]]:
    """The same integral, by a loop in Rust."""
    compiled = rb.cfunc("float64(float64)", error_model="numpy")(integrand_numpy)
    n = 50_000
    ours = min(ringback_demo.time_quad(compiled, 1, math.inf, n) for _ in range(5)) / 1e3
    rust = min(ringback_demo.time_quad_rust(1, math.inf, n) for _ in range(5)) / 1e3
    return [
        ("compiled Python function through the handle", ours, "µs"),
        ("integrand written in Rust, inlined", rust, "µs"),
    ]


def decay(t, k):
    """An integrand with a parameter."""
    return np.exp(-k * t) / t**2


def many() -> list[tuple[str, float, str]]:
    """∫₁^∞ e^(-kt)/t² dt for 10⁵ values of k; time for one integral."""
    ks, inf = np.linspace(0.5, 3.0, 100_000), math.inf
    low_level = rb.compile(decay, "f64(f64, f64)", error_model="numpy").low_level_callable()
    few = ks[::20].tolist()
    quad_many(decay, 1, inf, (ks[:1],))
    return [
        ("`quad_many`, one worker", best(lambda: quad_many(decay, 1, inf, (ks,), 1), 1) / ks.size, "µs"),
        ("`quad_many`, two workers", best(lambda: quad_many(decay, 1, inf, (ks,), 2), 1) / ks.size, "µs"),
        (
            "integrand written in Rust, inlined, one thread",
            min(ringback_demo.time_quad_many_rust(ks, 1, inf) for _ in range(7)) / 1e3,
            "µs",
        ),
        (
            "a loop over `scipy.integrate.quad`, `LowLevelCallable`",
            best(lambda: [scipy.integrate.quad(low_level, 1, inf, args=(k,)) for k in few], 1) / len(few),
            "µs",
        ),
    ]


def blocks() -> list[list[tuple[str, float, str]]]:
    """Calls for blocks of 1000 points against calls one by one."""
    tables = []
    for name, function in (("1 + t(2 + t(3 + t(4 + t)))", polynomial), ("e^(-t)/t²", integrand_numpy)):
        compiled = rb.compile(function, "f64(f64)", error_model="numpy")
        block, single = ringback_testing.time_blocks(compiled, 1000, 200)
        tables.append([(f"{name}: a point in a block", block, "ns"), (f"{name}: a call", single, "ns")])
    return tables


def wave3(x, y, z):
    """Smooth, in three dimensions."""
    return np.cos(x * y) * np.exp(-z * x)


def wave5(x, y, z, u, v):
    """Smooth, in five dimensions."""
    return np.cos(x + y * z) * np.exp(-u * v)


def boxes() -> list[tuple[str, list[tuple[str, float, str]]]]:
    """Integrals over the unit cube: the same rule, SciPy's default rule, and nested integrals."""
    tables = []
    for f, dims, rtol in ((wave3, 3, 1e-8), (wave5, 5, 1e-5)):
        box = [0.0] * dims, [1.0] * dims

        def on_arrays(x, f=f):
            return f(*x.T)

        once = {"number": 1}
        rows = [
            ("`cubature`, one worker", best(lambda: cubature(f, *box, rtol=rtol, workers=1), 50), "µs"),  # noqa: B023
            ("`cubature`, all cores", best(lambda: cubature(f, *box, rtol=rtol), 50), "µs"),  # noqa: B023
            (
                '`scipy.integrate.cubature`, `rule="genz-malik"`, NumPy',
                best(lambda: scipy.integrate.cubature(on_arrays, *box, rule="genz-malik", rtol=rtol), **once),  # noqa: B023
                "µs",
            ),
        ]
        if dims == 3:
            rows.append(
                (
                    "`scipy.integrate.cubature`, its default rule (21³ points), NumPy",
                    best(lambda: scipy.integrate.cubature(on_arrays, *box, rtol=rtol), **once),  # noqa: B023
                    "µs",
                )
            )
        low_level = rb.compile(f, f"f64({', '.join(['f64'] * dims)})", error_model="numpy").low_level_callable()
        tolerance = {"epsrel": rtol, "epsabs": 0.0}
        # 21⁵ points at least: once is enough.
        repeat = 7 if dims == 3 else 1
        nested = min(
            timeit.repeat(
                lambda: scipy.integrate.nquad(low_level, [[0, 1]] * dims, opts=tolerance),  # noqa: B023
                number=1,
                repeat=repeat,
            )
        )
        rows.append(("`scipy.integrate.nquad`, `LowLevelCallable`", nested * 1e6, "µs"))
        tables.append((f"Over the unit cube in {dims} dimensions, rtol {rtol:.0e}", rows))
    return tables


def samples() -> list[tuple[str, float, str]]:
    """A million and a half points of VEGAS+ in three dimensions."""
    box = [0.0] * 3, [1.0] * 3
    return [
        ("`monte_carlo`, one worker", best(lambda: monte_carlo(wave3, *box, workers=1), 1) / 1e3, "ms"),
        ("`monte_carlo`, all cores", best(lambda: monte_carlo(wave3, *box), 1) / 1e3, "ms"),
    ]


def polynomial(t):
    """Four products and four sums."""
    return 1.0 + t * (2.0 + t * (3.0 + t * (4.0 + t)))


def capture() -> list[tuple[str, float, str]]:
    """Functions that capture another number each."""

    def one() -> None:
        k = next(numbers)
        quad(lambda t: np.exp(-k * t), 0, math.inf)

    numbers = iter(np.linspace(1, 2, 100_000).tolist())
    one()
    return [("`quad` of a lambda with another captured float each time", best(one), "µs")]


def table(title: str, rows: list[tuple[str, float, str]]) -> str:
    """A Markdown table; ratios to the first row."""
    lines = [f"### {title}", "", "| | time | ratio |", "|---|---:|---:|"]
    lines += [f"| {name} | {value:.2f} {unit} | {value / rows[0][1]:.2f} |" for name, value, unit in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """All tables."""
    machine = next((x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x), "?") if Path("/proc/cpuinfo").exists() else platform.processor()  # fmt: skip
    about = (
        f"Measured on {machine}, CPython {platform.python_version()}, Numba {numba.__version__}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}; `make bench` does it again.\n"
    )
    text = "\n".join(
        [
            "# Benchmarks\n",
            about,
            table("One call (x * 0.5 + 1.0)", calls()),
            table("∫₁^∞ e^(-t)/t² dt, called from Python, 105 evaluations", integrals()),
            table("The same integral, in a loop in Rust", in_rust()),
            table("10⁵ integrals of e^(-kt)/t² over (1, ∞), time for one", many()),
            *(table(f"Blocks of 1000 points: {rows[1][0].split(':')[0]}", rows) for rows in blocks()),
            table("Captured values", capture()),
            *(table(title, rows) for title, rows in boxes()),
            table("1.5 million points of VEGAS+ in 3 dimensions", samples()),
        ]
    )
    print(text)
    if "--write" in sys.argv[1:]:
        OUT.write_text(text)


if __name__ == "__main__":
    main()
