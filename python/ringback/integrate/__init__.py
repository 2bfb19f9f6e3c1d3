"""Numerical integration, named as `scipy.integrate` names it."""

from ._quad import IntegrationWarning, QuadResult, quad

__all__ = ["IntegrationWarning", "QuadResult", "quad"]
