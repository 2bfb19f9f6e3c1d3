"""`quad`: adaptive quadrature with QUADPACK's semantics."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from .._ringback import QuadResult
from .._ringback import quad as _quad
from ..accept import callback_for

__all__ = ["IntegrationWarning", "QuadResult", "quad"]


class IntegrationWarning(UserWarning):
    """The result of an integration is not as accurate as requested; its message says why."""


def quad(
    func: Any,
    a: float,
    b: float,
    args: Any = (),
    *,
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
    points: Iterable[float] | None = None,
) -> QuadResult:
    """Integrate a function of one variable from `a` to `b`.

    The integrand runs as compiled code, in Rust, without the interpreter and without the GIL. The method is
    QUADPACK's (Piessens, de Doncker-Kapenga, Überhuber, Kahaner, *QUADPACK*, Springer 1983): QAGS on finite ranges,
    QAGI on infinite ones, QAGP with break points; results, error estimates, numbers of evaluations and status are
    those of `scipy.integrate.quad`.

    Parameters
    ----------
    func
        What is to be integrated: a plain Python function `func(t, *args)` of floats (compiled once, on demand; in it,
        division by zero gives inf or nan as in NumPy), or any other callback of signature `f64(f64)`: `rb.cfunc`,
        `rb.bind`, `functools.partial`, `numba.njit` functions, `rb.interpreted`.
    a, b
        Limits of the range; either may be `-np.inf` or `np.inf`.
    args
        Further arguments of `func`, as a tuple. Another value does not recompile.
    epsabs, epsrel
        Requested absolute and relative accuracy: the integration stops when the error estimate is below the larger.
    limit
        Upper bound on the number of subintervals.
    points
        Break points inside a finite range: where the integrand has singularities, jumps or kinks.

    Returns
    -------
    QuadResult
        Unpacks as `(value, error)`; also `.neval`, `.intervals`, `.status`, `.message`, `.success`. Where `.status` is not
        0, an `IntegrationWarning` is issued too.

    Raises
    ------
    ValueError
        If the tolerances cannot be met by any result, `limit` is too small, or break points are given with an infinite
        range.
    TypeError
        If `func` is no function of one float, or does not compile (`ringback.CompileError`).
    Exception
        Whatever the integrand raises is raised here, as itself.

    Notes
    -----
    An integrand that returns nan or inf anywhere stops the integration: status 7, value nan, error inf, and the
    message says where. It is never passed over.

    Examples
    --------
    >>> import numpy as np
    >>> from ringback.integrate import quad
    >>> value, error = quad(lambda t: np.exp(-t) / t**2, 1, np.inf)
    >>> round(value, 12)
    0.148495506776
    """
    if not isinstance(args, tuple):
        args = (args,)
    callback = callback_for(func, "f64(f64)", error_model="numpy", args=args)
    result = _quad(callback, a, b, epsabs, epsrel, limit, () if points is None else tuple(points))
    if result.status:
        warnings.warn(result.message, IntegrationWarning, stacklevel=2)
    return result
