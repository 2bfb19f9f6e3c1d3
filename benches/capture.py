"""What does `quad` cost when the data of the function differ from call to call?"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import ringback as rb
from common import Table, best, report
from ringback.integrate import quad
from scipy.integrate import quad as scipy_quad


def captured() -> Table:
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
    return table


def ways() -> Table:
    numbers = itertools.cycle(np.linspace(1, 2, 1000).tolist())
    arrays = itertools.cycle(np.linspace(1, 2, 300).reshape(100, 3))

    def line(t: float, k: float) -> float:
        return k * t

    def weighed(t: float, w: Any) -> float:
        return w[0] * t + w[1]

    def captured() -> None:
        w = next(arrays)
        quad(lambda t: w[0] * t + w[1], 0, 1)

    asked: dict[str, Callable[[], Any]] = {
        "`args`, a float": lambda: quad(line, 0, 1, args=(next(numbers),)),
        "`functools.partial`, a float": lambda: quad(functools.partial(line, k=next(numbers)), 0, 1),
        "`rb.bind`, a float": lambda: quad(rb.bind(line, k=next(numbers)), 0, 1),
        "`args`, an array": lambda: quad(weighed, 0, 1, args=(next(arrays),)),
        "`rb.bind`, an array": lambda: quad(rb.bind(weighed, w=next(arrays)), 0, 1),
        "a captured array": captured,
        "`scipy.integrate.quad`, Python function, `args`, a float": lambda: scipy_quad(
            line, 0, 1, args=(next(numbers),)
        ),
    }
    table = Table("Ways to pass other data each time, ∫₀¹ of a line (21 evaluations)", "µs")
    for name, statement in asked.items():
        table.add(name, best(statement))
    return table


if __name__ == "__main__":
    report([captured(), ways()])
