"""The demo: ∫₁^∞ e^(-t)/t² dt by a Rust integrator, with the integrand called in five ways; then a matrix callback."""

import math
import time
import warnings
from collections.abc import Callable

import numba
import numpy as np
import ringback as rb
import ringback_demo
import scipy.integrate
from ringback.integrate import quad

A, B = 1.0, np.inf
# E₂(1), the exponential integral, to 16 digits.
EXACT = 0.1484955067759220


def python_integrand(t):
    """As one writes it for the interpreter."""
    return math.exp(-t) / t**2


# Division by zero gives inf, as in NumPy, and `quad` says so; so it is for plain functions that are passed to `quad`. Where it
# raises instead (the default of cfunc), blocks of points are not vectorised.
@rb.cfunc("float64(float64)", error_model="numpy")
def integrand(t):
    """The same, compiled."""
    return np.exp(-t) / t**2


def seconds(run: Callable[[], object]) -> float:
    """The best of several timings of one call."""
    run()
    best = math.inf
    number = 1
    while True:
        start = time.perf_counter()
        for _ in range(number):
            run()
        elapsed = time.perf_counter() - start
        if elapsed > 0.02:
            break
        number *= 2
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(number):
            run()
        best = min(best, (time.perf_counter() - start) / number)
    return best


def integral() -> None:
    """One integral, five ways."""
    low_level = integrand.low_level_callable()
    rows: list[tuple[str, tuple[float, float, int], float]] = []

    def add(name: str, row: Callable[[], tuple[float, float, int]], call: Callable[[], object]) -> None:
        rows.append((name, row(), seconds(call)))

    def scipy_row(f: object) -> tuple[float, float, int]:
        value, error, info = scipy.integrate.quad(f, A, B, full_output=True)[:3]
        return value, error, info["neval"]

    def our_row() -> tuple[float, float, int]:
        result = quad(integrand, A, B)
        return result.value, result.error, result.neval

    add(
        "Rust integrator, Python function through PyO3",
        lambda: ringback_demo.quad_interpreter(python_integrand, A, B),
        lambda: ringback_demo.quad_interpreter(python_integrand, A, B),
    )
    add(
        "scipy.integrate.quad, Python function",
        lambda: scipy_row(python_integrand),
        lambda: scipy.integrate.quad(python_integrand, A, B),
    )
    add(
        "scipy.integrate.quad, LowLevelCallable",
        lambda: scipy_row(low_level),
        lambda: scipy.integrate.quad(low_level, A, B),
    )
    add("ringback.integrate.quad, rb.cfunc", our_row, lambda: quad(integrand, A, B))
    add(
        "Rust integrator, integrand written in Rust",
        lambda: ringback_demo.quad_rust(A, B),
        lambda: ringback_demo.quad_rust(A, B),
    )
    ours = rows[3][2]
    print("∫₁^∞ exp(-t)/t² dt\n")
    print(f"{'':46}{'value':>19}{'error':>10}{'evals':>7}{'µs':>9}{'ratio':>8}")
    for name, (value, error, neval), t in rows:
        print(f"{name:46}{value:19.15f}{error:10.1e}{neval:7d}{t * 1e6:9.2f}{t / ours:8.2f}")
        assert abs(value - EXACT) < max(error, 1e-13), name
    n = 20_000
    inside = ringback_demo.time_quad(integrand, A, B, n) / ringback_demo.time_quad_rust(A, B, n)
    print(
        f"\nIn a loop in Rust, one integral with the compiled Python function takes {inside:.2f} times as long as with the"
    )
    print("integrand written in Rust. (ratio: time from Python, divided by Ringback's)\n")


def matrix() -> None:
    """A callback on a matrix: pointers, then arrays."""

    @rb.cfunc("void(CPointer(float64), CPointer(float64), uintp, uintp)")
    def with_pointers(input_, output, m, n):
        source = numba.carray(input_, (m, n))
        target = numba.carray(output, (m, n))
        for i in range(m):
            target[i] = source[i] / source[i].sum()

    def with_arrays(source, target):
        for i in range(source.shape[0]):
            target[i] = source[i] / source[i].sum()

    a = np.arange(1.0, 7.0).reshape(2, 3)
    flat = a.ravel().tolist()
    expected = a / a.sum(axis=1, keepdims=True)
    print("rows of a matrix, normalised by a callback that Rust calls")
    for name, result in (
        ("(in, out, m, n) with raw pointers", ringback_demo.map_with_pointers(with_pointers, flat, 2, 3)),
        ("(in, out) with arrays", ringback_demo.map_with_arrays(with_arrays, flat, 2, 3)),
    ):
        found = np.reshape(result, (2, 3))
        assert np.allclose(found, expected, rtol=1e-15), name
        print(f"  {name:36}{np.array2string(found, precision=4).replace(chr(10), ',')}")

    def out_of_bounds(source, target):
        target[source.shape[0], 0] = 1.0

    try:
        ringback_demo.map_with_arrays(out_of_bounds, flat, 2, 3)
    except IndexError as error:
        print(f"  an index past the end                IndexError: {error}")


if __name__ == "__main__":
    warnings.simplefilter("error")
    integral()
    matrix()
