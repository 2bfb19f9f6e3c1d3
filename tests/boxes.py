"""Integrals over boxes for the comparison with SciPy: name, integrand, limits, relative tolerance, exact value.

The integrands are written with NumPy, so that the same source is compiled for us and evaluated on arrays by SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

inf = math.inf
pi = math.pi


class Box(NamedTuple):
    """One integral."""

    name: str
    f: Callable[..., float]
    a: Sequence[float]
    b: Sequence[float]
    rtol: float
    exact: float


def _sinc_square(n: int) -> float:
    """∫ cos(x₁ + ... + xₙ) over the unit cube: the real part of a power."""
    return (((np.exp(1j) - 1) / 1j) ** n).real


BOXES = [
    Box("bilinear", lambda x, y: x * y, [0, 0], [1, 1], 1e-8, 0.25),
    Box("cubic", lambda x, y, z: x**3 * y**2 * z, [0, 0, 0], [1, 2, 3], 1e-8, 1 / 4 * 8 / 3 * 9 / 2),
    Box("exp 2", lambda x, y: np.exp(x + y), [0, 0], [1, 1], 1e-8, (math.e - 1) ** 2),
    Box("exp 3", lambda x, y, z: np.exp(x - y + 2 * z), [0, 0, 0], [1, 1, 1], 1e-7, (math.e - 1) * (1 - 1 / math.e) * (math.e**2 - 1) / 2),
    Box("oscillatory 2", lambda x, y: np.cos(10 * x + 5 * y), [0, 0], [1, 1], 1e-7, (((np.exp(10j) - 1) / 10j) * ((np.exp(5j) - 1) / 5j)).real),
    Box("oscillatory 4", lambda x, y, z, w: np.cos(x + y + z + w), [0] * 4, [1] * 4, 1e-6, _sinc_square(4)),
    Box("oscillatory 6", lambda x, y, z, u, v, w: np.cos(x + y + z + u + v + w), [0] * 6, [1] * 6, 1e-5, _sinc_square(6)),
    Box("product peak 2", lambda x, y: 1 / ((0.01 + (x - 0.3) ** 2) * (0.01 + (y - 0.6) ** 2)), [0, 0], [1, 1], 1e-6, 100 * (math.atan(7) + math.atan(3)) * (math.atan(4) + math.atan(6))),
    Box("product peak 3", lambda x, y, z: 1 / ((0.25 + (x - 0.3) ** 2) * (0.25 + (y - 0.6) ** 2) * (0.25 + z**2)), [0] * 3, [1] * 3, 1e-6, 8 * (math.atan(1.4) + math.atan(0.6)) * (math.atan(0.8) + math.atan(1.2)) * math.atan(2)),
    Box("corner peak 2", lambda x, y: (1 + 3 * x + 2 * y) ** -3.0, [0, 0], [1, 1], 1e-7, (1 - 1 / 4 - 1 / 3 + 1 / 6) / 12),
    Box("corner peak 3", lambda x, y, z: (1 + x + y + z) ** -4.0, [0] * 3, [1] * 3, 1e-6, (1 - 3 / 2 + 3 / 3 - 1 / 4) / 6),
    Box("gaussian 2", lambda x, y: np.exp(-25 * (x - 0.5) ** 2 - 25 * (y - 0.5) ** 2), [0, 0], [1, 1], 1e-7, pi / 25 * math.erf(2.5) ** 2),
    Box("gaussian 4", lambda x, y, z, w: np.exp(-4 * ((x - 0.5) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2 + (w - 0.5) ** 2)), [0] * 4, [1] * 4, 1e-5, (math.sqrt(pi) / 2 * math.erf(1)) ** 4),
    Box("kinks 2", lambda x, y: np.exp(-5 * np.abs(x - 0.3) - 2 * np.abs(y - 0.6)), [0, 0], [1, 1], 1e-5, (2 - math.exp(-1.5) - math.exp(-3.5)) / 5 * (2 - math.exp(-1.2) - math.exp(-0.8)) / 2),
    Box("jump 2", lambda x, y: np.where((x < 0.3) & (y < 0.7), np.exp(x + y), 0.0) + 0.0, [0, 0], [1, 1], 1e-3, (math.exp(0.3) - 1) * (math.exp(0.7) - 1)),
    Box("disc", lambda x, y: np.where(x * x + y * y < 1, 1.0, 0.0) + 0.0, [-1, -1], [1, 1], 1e-3, pi),
    Box("ball", lambda x, y, z: np.sqrt(np.maximum(0.0, 1 - x * x - y * y)) * (z + 1), [-1, -1, 0], [1, 1, 1], 1e-3, 2 / 3 * pi * 1.5),
    Box("root corner", lambda x, y: 1 / np.sqrt(x * y), [0, 0], [1, 1], 1e-4, 4.0),
    Box("log corner", lambda x, y: np.log(x * x + y * y), [0, 0], [1, 1], 1e-6, math.log(2) - 3 + pi / 2),
    Box("bell over the plane", lambda x, y: np.exp(-x * x - y * y), [-inf, -inf], [inf, inf], 1e-6, pi),
    Box("bell over space", lambda x, y, z: np.exp(-x * x - y * y - z * z), [-inf] * 3, [inf] * 3, 1e-4, pi**1.5),
    Box("quadrant", lambda x, y: np.exp(-x - 2 * y), [0, 0], [inf, inf], 1e-6, 0.5),
    Box("strip", lambda x, y: np.exp(x) * y / (1 + y * y) ** 2, [-inf, 0], [0, inf], 1e-5, 0.5),
    Box("half of it finite", lambda x, y, z: np.exp(-x) * y * np.cos(z), [0, 0, 0], [inf, 2, 1], 1e-5, 2 * math.sin(1)),
    Box("backwards", lambda x, y: np.exp(-x) * y, [3, 0], [0, 2], 1e-8, 2 * (math.exp(-3) - 1)),
]  # fmt: skip
