"""Numerical integration, named as `scipy.integrate` names it."""

from ._cubature import CubatureResult, cubature
from ._monte_carlo import MonteCarloResult, monte_carlo
from ._quad import ComplexQuadResult, IntegrationWarning, QuadResult, quad
from ._quad_many import QuadManyResult, quad_many

__all__ = [
    "ComplexQuadResult",
    "CubatureResult",
    "IntegrationWarning",
    "MonteCarloResult",
    "QuadManyResult",
    "QuadResult",
    "cubature",
    "monte_carlo",
    "quad",
    "quad_many",
]
