"""`monte_carlo`: integration over boxes of more dimensions, by VEGAS+."""

from __future__ import annotations

from .._ringback import MonteCarloResult, monte_carlo

__all__ = ["MonteCarloResult", "monte_carlo"]
