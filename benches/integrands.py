"""The integrands, their ranges and the exact answers. Each is written once, for NumPy; `with_module` lends it another."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from spectrum import spectrum


def polynomial(t):
    return 1.0 + t * (2.0 + t * (3.0 + t * (4.0 + t)))


def exponential(t):
    return np.exp(-t) / t**2


def trigonometric(t):
    return np.sin(10.0 * t) * np.cos(3.0 * t)


def gaussian(t):
    u = (t - 0.3) / 0.01
    return np.exp(-0.5 * u * u)


def rational(t):
    return 1.0 / (1.0 + 25.0 * t * t)


class Problem(NamedTuple):
    """An integral and its value."""

    function: Callable[..., Any]
    title: str
    a: float
    b: float
    truth: float

    @property
    def name(self) -> str:
        """The name that the Rust side knows it by."""
        return self.function.__name__


PROBLEMS = [
    Problem(polynomial, "polynomial: 1 + t(2 + t(3 + t(4 + t))) on [0, 2]", 0.0, 2.0, 36.4),
    # E₂(1), https://dlmf.nist.gov/8.19
    Problem(exponential, "exp: e^(-t)/t² on [1, ∞)", 1.0, math.inf, 0.148495506775922),
    Problem(
        trigonometric,
        "trigonometric: sin(10t) cos(3t) on [0, 2]",
        0.0,
        2.0,
        (1 - math.cos(26)) / 26 + (1 - math.cos(14)) / 14,
    ),
    Problem(gaussian, "Gaussian peak: exp(-((t - 0.3)/0.01)²/2) on [0, 1]", 0.0, 1.0, 0.01 * math.sqrt(2 * math.pi)),
    Problem(rational, "rational: 1/(1 + 25t²) on [-1, 1]", -1.0, 1.0, 0.4 * math.atan(5.0)),
    # The truth by mpmath's Gauss-Legendre rule with 30 digits, in 60 pieces.
    Problem(spectrum, "spectrum: 200 lines, thirty absorption lines on [0.5, 8]", 0.5, 8.0, 0.0357233528408484),
]


def with_module(function: Callable[..., Any], module: ModuleType) -> Callable[..., Any]:
    """The same function with `np` standing for another module: `math` for the interpreter, `jax.numpy` for JAX."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, {"np": module}, function.__name__)
