"""Numerical integration, named as `scipy.integrate` names it."""

from ._quad import IntegrationWarning, QuadResult, quad
from ._quad_many import QuadManyResult, quad_many

__all__ = ["IntegrationWarning", "QuadManyResult", "QuadResult", "quad", "quad_many"]
