"""What does one call cost, of x * 0.5 + 1.0?"""

from __future__ import annotations

import numba
import ringback as rb
import ringback_testing
from common import Table, report


def line(x):
    return x * 0.5 + 1.0


def tables() -> list[Table]:
    compiled = rb.compile(line, "f64(f64)")
    jitted = numba.njit(line)
    jitted(1.0)
    pairs = [ringback_testing.time_handle(compiled, 5_000_000) for _ in range(5)]
    table = Table("One call (x * 0.5 + 1.0)", "ns")
    table.add("handle: one call", min(handle for handle, _ in pairs))
    table.add('bare `extern "C"` pointer, the same work in Rust', min(bare for _, bare in pairs))
    table.add("PyO3 calls the Python function", min(ringback_testing.time_python(line, 200_000) for _ in range(5)))
    table.add(
        "PyO3 calls the `numba.njit` function", min(ringback_testing.time_python(jitted, 200_000) for _ in range(5))
    )
    return [table]


if __name__ == "__main__":
    report(tables())
