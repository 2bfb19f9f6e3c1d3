"""Writes the functions of the program for `cargo run`: python model.py [FOLDER]."""

import sys
from pathlib import Path

import numpy as np
import ringback as rb

OBSERVED = np.array([4.1, 5.3, 6.2, 4.9, 5.5, 5.0, 4.4, 5.8, 5.1, 4.7])


def integrand(t):
    """The integrand exp(-t) / t**2."""
    return np.exp(-t) / t**2


def logp(x, grad, data):
    """Log density of mean x[0] and log standard deviation x[1] of normal observations; writes its gradient."""
    if not abs(x[1]) < 20.0:
        raise ValueError("the log standard deviation is out of range:", x[1])
    mean, precision = x[0], np.exp(-2.0 * x[1])
    squares = 0.0
    difference = 0.0
    for value in data:
        squares += (value - mean) ** 2
        difference += value - mean
    grad[0] = precision * difference
    grad[1] = precision * squares - len(data)
    return -0.5 * precision * squares - len(data) * x[1]


def main() -> None:
    """One shared library to load, and one static library to link."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "exported")
    callbacks = [
        rb.compile(integrand, "f64(f64)", error_model="numpy"),
        rb.compile(logp, "f64([f64; n], mut [f64; n], [f64])").bind(data=OBSERVED),
    ]
    for name in ("loaded/model.so", "linked/libmodel.a"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        print(rb.export(callbacks, path).library)


if __name__ == "__main__":
    main()
