"""What do bounds checks cost in explicit loops over arrays of 1000 elements?"""

from __future__ import annotations

import numpy as np
import ringback as rb
import ringback_peers
from common import Table, report

SIZE = 1000


def standard(x, data):
    total = 0.0
    for i in range(x.shape[0]):
        total -= 0.5 * x[i] * x[i]
    return total


def against_data(x, data):
    total = 0.0
    for i in range(x.shape[0]):
        r = x[i] - data[i]
        total -= 0.5 * r * r
    return total


def by_len(x, data):
    total = 0.0
    for i in range(len(data)):
        r = x[i] - data[i]
        total -= 0.5 * r * r
    return total


def chain(x, data):
    total = 0.0
    for i in range(1, x.shape[0]):
        r = x[i] - data[0] * x[i - 1]
        total -= 0.5 * r * r
    return total


def student(x, data):
    total = 0.0
    for i in range(x.shape[0]):
        r = x[i] - data[i]
        total -= 2.5 * np.log1p(r * r / 4.0)
    return total


def gradient(x, grad):
    total = 0.0
    for i in range(x.shape[0]):
        grad[i] = -x[i]
        total -= 0.5 * x[i] * x[i]
    return total


def unrolled(x, data):
    a = b = c = d = 0.0
    for i in range(0, x.shape[0] - 3, 4):
        a += x[i] * data[i]
        b += x[i + 1] * data[i + 1]
        c += x[i + 2] * data[i + 2]
        d += x[i + 3] * data[i + 3]
    return -0.5 * (a + b + c + d)


def compare(title: str, function) -> Table:
    x, data = np.linspace(-1, 1, SIZE).tolist(), np.linspace(0.5, 0.7, SIZE).tolist()
    signature = "f64([f64], mut [f64])" if function is gradient else "f64([f64], [f64])"

    def time(callback) -> tuple[float, float]:
        if function is gradient:
            return ringback_peers.time_gradient(callback, x, 2000)
        return ringback_peers.time_density(callback, x, data, 2000)

    unchecked = rb.compile(function, signature, boundscheck=False)
    checked = rb.compile(function, signature)
    pairs = [(time(unchecked), time(checked)) for _ in range(25)]
    # Other code may add up in another order.
    truth, value = pairs[0][0][1], pairs[0][1][1]
    table = Table(f"Bounds checks: {title}", "ns")
    table.add("`boundscheck=False`", min(pair[0][0] for pair in pairs))
    wrong = "" if abs(value - truth) < 1e-9 * abs(truth) else f"off by {value - truth}"
    table.add("`boundscheck=True`, the default", min(pair[1][0] for pair in pairs), wrong)
    return table


QUESTIONS = {
    "log density of one array": standard,
    "log density of two arrays, loop over `x.shape[0]`": against_data,
    "log density of two arrays, loop over `len(data)`": by_len,
    "an autoregressive chain, `x[i - 1]`": chain,
    "a heavy-tailed log density, `np.log1p`": student,
    "four sums, unrolled by hand: `range(0, n - 3, 4)`": unrolled,
    "log density that writes its gradient": gradient,
}

if __name__ == "__main__":
    report([compare(title, function) for title, function in QUESTIONS.items()])
