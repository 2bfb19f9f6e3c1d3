"""What every question shares: the rows of its tables, how a time is taken, and how a value is checked."""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

# What SciPy's `quad` asks for by default, asked of everybody.
TOLERANCE = 1.49e-8


@dataclass
class Row:
    """One thing that was timed: its name, the time, and what is wrong with its answer, if anything."""

    name: str
    time: float
    wrong: str = ""


@dataclass
class Table:
    """Times in one unit; ratios are to the first row."""

    title: str
    unit: str
    rows: list[Row] = field(default_factory=list)
    note: str = ""

    def add(self, name: str, time: float, wrong: str = "") -> None:
        """One row more."""
        self.rows.append(Row(name, time, wrong))


def best(statement: Callable[[], Any], seconds: float = 0.4, repeat: int = 9) -> float:
    """Microseconds for one call: the least of several repetitions, which together take about `seconds`."""
    statement()
    once = max(timeit.timeit(statement, number=3) / 3, 1e-7)
    number = max(1, int(seconds / repeat / once))
    return min(timeit.repeat(statement, number=number, repeat=repeat)) / number * 1e6


def judged(value: float, truth: float) -> str:
    """Nothing if the value is as near to the truth as was asked for, else how far it is."""
    miss = abs(float(value) - truth)
    return "" if miss <= TOLERANCE * max(1.0, abs(truth)) else f"off by {miss:.1e}"


def report(tables: list[Table]) -> None:
    """What a question's process prints: its tables, as JSON."""
    print(json.dumps([asdict(table) for table in tables]))
