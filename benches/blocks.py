"""What does a point cost in a block call of 1000 points, and in a call of its own?"""

from __future__ import annotations

import ringback as rb
import ringback_testing
from common import Table, report
from integrands import PROBLEMS, Problem


def compare(problem: Problem) -> Table:
    compiled = rb.compile(problem.function, "f64(f64)", error_model="numpy")
    block, single = ringback_testing.time_blocks(compiled, 1000, 50)
    table = Table(problem.title.split(" on ")[0], "ns")
    table.add("a point in a block", block)
    table.add("a call", single)
    if problem.name == "gaussian":
        table.note = "The points are on [1, 2], far outside the peak, where exp underflows: such numbers do not go to the vector library."
    return table


if __name__ == "__main__":
    report([compare(problem) for problem in PROBLEMS])
