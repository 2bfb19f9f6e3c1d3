"""What a call of a log density with gradient costs: compiled Python, Rust, and Python called through PyO3.

Prints a table; with --write, writes it to README.md. Each figure is the best of several repetitions, in one process, taken
in turn so that a busy machine hits all alike.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import ergodic
import numpy as np
import ringback as rb
from ergodic import _ergodic

README = Path(__file__).resolve().parent.parent / "README.md"
MARKS = ("<!-- measured -->\n", "<!-- /measured -->\n")


def loop(x, grad, mean, precision):
    """Independent normal distributions, element by element, as in src/normal.rs."""
    total = 0.0
    for i in range(x.size):
        away = x[i] - mean[i]
        pull = away * precision[i]
        total += away * pull
        grad[i] = -pull
    return -0.5 * total


def arrays(x, grad, mean, precision):
    """The same, as one writes it for the interpreter."""
    away = x - mean
    np.multiply(away, precision, grad)
    np.negative(grad, grad)
    return 0.5 * (away * grad).sum()


def row(dim: int) -> list[float]:
    """Nanoseconds a call: inlined Rust, `from_fn`, compiled, compiled from whole arrays, through PyO3."""
    rng = np.random.default_rng(dim)
    mean, precision, x = rng.normal(size=dim), rng.uniform(0.5, 2.0, size=dim), rng.normal(size=dim)
    m, p, at = mean.tolist(), precision.tolist(), x.tolist()
    signature = "f64([f64; n], mut [f64; n], [f64], [f64])"
    compiled = rb.compile(loop, signature).bind(mean=mean, precision=precision)
    whole = rb.compile(arrays, signature).bind(mean=mean, precision=precision)
    from_fn = ergodic.gaussian_with_gradient(m, p)
    n = 2_000_000 // (5 + dim)  # a few milliseconds: short turns find the quiet moments of a busy machine
    ways = [
        lambda: _ergodic.time_inlined(m, p, at, n),
        lambda: _ergodic.time_handle(from_fn, at, n),
        lambda: _ergodic.time_handle(compiled, at, n),
        lambda: _ergodic.time_handle(whole, at, n),
        lambda: _ergodic.time_python(lambda x, grad: arrays(x, grad, mean, precision), at, 500),
    ]
    best = [math.inf] * len(ways)
    for _ in range(100):
        best = [min(b, way()) for b, way in zip(best, ways, strict=True)]
    return best


def main() -> None:
    """The table."""
    names = [
        "numbers in `x`",
        "Rust, inlined",
        "Rust, `from_fn`",
        "compiled Python",
        "the same with whole arrays",
        "PyO3",
    ]
    lines = [f"| {' | '.join(names)} |", "|---:" * len(names) + "|"]
    for dim in (2, 10, 100, 1000):
        inlined, from_fn, *others = row(dim)
        cells = [f"{inlined:.1f} ns", f"{from_fn:.1f} ns"]
        cells += [f"{other:.1f} ns ({other / from_fn:.2f}; {other / inlined:.2f})" for other in others]
        lines.append(f"| {dim} | {' | '.join(cells)} |")
    table = "\n".join(lines) + "\n"
    print(table)
    if "--write" in sys.argv[1:]:
        before, rest = README.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        README.write_text(before + MARKS[0] + table + MARKS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main()
