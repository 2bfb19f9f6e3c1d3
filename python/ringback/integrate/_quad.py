"""`quad`: adaptive quadrature with QUADPACK's semantics."""

from __future__ import annotations

from .._ringback import ComplexQuadResult, QuadResult, quad

__all__ = ["ComplexQuadResult", "IntegrationWarning", "QuadResult", "quad"]


class IntegrationWarning(UserWarning):
    """The result of an integration is not as accurate as requested; its message says why."""
