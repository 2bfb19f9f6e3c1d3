"""Numerical integration, named as `scipy.integrate` names it."""

from ._cubature import CubatureResult, cubature
from ._monte_carlo import MonteCarloResult, monte_carlo
from ._quad import ComplexQuadResult, IntegrationWarning, QuadResult, quad

__all__ = [
    "ComplexQuadResult",
    "CubatureResult",
    "IntegrationWarning",
    "MonteCarloResult",
    "QuadResult",
    "cubature",
    "monte_carlo",
    "quad",
]
