"""What does an integral cost in a loop in Rust: with the compiled Python function, and with the integrand inlined?"""

from __future__ import annotations

import ringback as rb
import ringback_peers
from common import Table, judged, report
from integrands import PROBLEMS, Problem


def compare(problem: Problem) -> Table:
    compiled = rb.cfunc("float64(float64)", error_model="numpy")(problem.function)
    exact = rb.cfunc("float64(float64)")(problem.function)
    a, b = problem.a, problem.b
    rust, _ = ringback_peers.time_quad_rust(problem.name, a, b, 100)
    n = max(10, int(3e7 / rust))
    # In turn, so that a busy moment of the machine meets each.
    runs = [
        (
            ringback_peers.time_quad_rust(problem.name, a, b, n),
            ringback_peers.time_quad(compiled, a, b, n),
            ringback_peers.time_quad(exact, a, b, n),
        )
        for _ in range(9)
    ]
    names = (
        "integrand written in Rust, inlined",
        "compiled Python function through the handle",
        "the same with `error_model='python'` (a division by zero raises)",
    )
    table = Table(problem.title, "µs")
    for name, results in zip(names, zip(*runs, strict=True), strict=True):
        table.add(name, min(time for time, _ in results) / 1e3, judged(results[0][1], problem.truth))
    return table


if __name__ == "__main__":
    report([compare(problem) for problem in PROBLEMS])
