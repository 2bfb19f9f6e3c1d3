"""Numerical integration, named as `scipy.integrate` names it."""

from ._quad import ComplexQuadResult, IntegrationWarning, QuadResult, quad

__all__ = ["ComplexQuadResult", "IntegrationWarning", "QuadResult", "quad"]
