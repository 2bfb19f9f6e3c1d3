"""What does `quad` cost when each function captures another number?"""

from __future__ import annotations

import math

import numpy as np
from common import Table, best, report
from ringback.integrate import quad
from scipy.integrate import quad as scipy_quad


def tables() -> list[Table]:
    numbers = iter(np.linspace(1, 2, 10_000_000))

    def ours() -> None:
        k = float(next(numbers))
        quad(lambda t: np.exp(-k * t), 0, math.inf)

    def interpreted() -> None:
        k = float(next(numbers))
        scipy_quad(lambda t: math.exp(-k * t), 0, math.inf)

    table = Table("A lambda with another captured float each time, ∫₀^∞ e^(-kt) dt", "µs")
    table.add("`ringback.integrate.quad`", best(ours))
    table.add("`scipy.integrate.quad`, Python function (`math`)", best(interpreted))
    return [table]


if __name__ == "__main__":
    report(tables())
