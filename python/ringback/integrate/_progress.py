"""Progress bars."""

from __future__ import annotations

from typing import Any


def tqdm(**options: Any) -> Any:
    """A bar of tqdm, or an error that says what is missing."""
    try:
        from tqdm.auto import tqdm as make
    except ImportError:
        raise ImportError("progress=True needs the package tqdm: pip install tqdm, or leave it out") from None
    return make(**options)


class Bar:
    """For one long integration: counts evaluations of the integrand, and shows which error is reached by now, and which one was asked for."""

    def __init__(self, total: int | None) -> None:
        self._bar = tqdm(total=total, unit=" points", unit_scale=True)

    def update(self, points: int, error: float, tolerance: float) -> None:
        """So many points more; the error is nan while nothing is known of it, the tolerance 0 if none was asked for."""
        if error == error:
            wanted = f", to be {tolerance:.1e}" if tolerance > 0 else ""
            self._bar.set_postfix_str(f"error {error:.1e}{wanted}", refresh=False)
        self._bar.update(points)

    def close(self, points: int | None) -> None:
        """The end: with so many points altogether, if that is known."""
        if points is not None:
            self._bar.n = points
            self._bar.refresh()
        self._bar.close()
