"""Monte Carlo in Rust threads, of log densities written in Python.

`metropolis` and `hmc` draw from a density, `particle_filter` follows a hidden state. Each takes plain Python functions of
arrays, which Ringback compiles for it.
"""

from ._ergodic import Draws, Filtered, gaussian, gaussian_with_gradient, hmc, metropolis, particle_filter

__all__ = ["Draws", "Filtered", "gaussian", "gaussian_with_gradient", "hmc", "metropolis", "particle_filter"]
