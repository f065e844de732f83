"""Many minimisations of neighbouring functions of few parameters, each beginning with the curvature of the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

_MOST_STEPS = 200
# Where a step promises less than this, the function is at its least (it is a deviance: 1e-9 of it is nothing).
_SMALL = 1e-10
_SHORTEST = 1e-10
# Parameters are scaled to a size of about 1.
_LONGEST = 0.5

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(slots=True)
class Descent:
    """Quasi-Newton steps (BFGS) within bounds; the curvature found is kept for the next function.

    Parameters
    ----------
    low, high : numpy.ndarray, shape (t,)
        Bounds.

    References
    ----------
    Nocedal and Wright (2006), Numerical Optimization, chapter 6, doi:10.1007/978-0-387-40065-5.
    """

    low: np.ndarray
    high: np.ndarray
    _inverse: np.ndarray | None = field(default=None, repr=False)

    def __call__(self, function: Function, start: np.ndarray) -> tuple[np.ndarray, float]:
        """Return where a function is least, and its value there.

        Parameters
        ----------
        function : callable
            Returns value and gradient.
        start : numpy.ndarray, shape (t,)

        Returns
        -------
        numpy.ndarray, shape (t,)
        float
        """
        at = np.clip(start, self.low, self.high)
        value, slope = function(at)
        fresh = self._inverse is None
        if self._inverse is None:
            self._inverse = np.eye(at.size) / max(1.0, float(np.abs(slope).max(initial=0.0)))
        for _ in range(_MOST_STEPS):
            held = ((at <= self.low) & (slope > 0)) | ((at >= self.high) & (slope < 0))
            step = np.where(held, 0.0, -self._inverse @ np.where(held, 0.0, slope))
            promised = float(-slope @ step)
            if promised < _SMALL:
                if fresh:
                    break
                # Curvature of a function before this one may promise nothing where there is much to gain.
                step = np.where(held, 0.0, -slope / max(1.0, float(np.abs(slope).max())))
                promised, fresh = float(-slope @ step), True
                if promised < _SMALL:
                    break
                self._inverse = np.eye(at.size) / max(1.0, float(np.abs(slope).max()))
            # Far from where it was learned, curvature says nothing.
            longest = float(np.abs(step).max()) / _LONGEST
            if longest > 1:
                step, promised = step / longest, promised / longest
            moved = self._moved(function, at, value, step, promised)
            if moved is None:
                break
            new, new_value, new_slope = moved
            self._learn(new - at, new_slope - slope)
            at, value, slope = new, new_value, new_slope
        return at, value

    def _moved(
        self, function: Function, at: np.ndarray, value: float, step: np.ndarray, promised: float
    ) -> tuple[np.ndarray, float, np.ndarray] | None:
        """Go along a step as far as the function falls; None where it does not."""
        length = 1.0
        while length > _SHORTEST:
            new = np.clip(at + length * step, self.low, self.high)
            new_value, new_slope = function(new)
            if np.isfinite(new_value) and new_value <= value - 1e-4 * length * promised:
                return new, new_value, new_slope
            length /= 3
        return None

    def _learn(self, step: np.ndarray, change: np.ndarray) -> None:
        assert self._inverse is not None  # noqa: S101  set before the first step
        curvature = float(step @ change)
        if curvature <= 1e-12 * float(np.linalg.norm(step) * np.linalg.norm(change)):
            return
        turned = self._inverse @ change
        self._inverse = (
            self._inverse
            - (np.multiply.outer(step, turned) + np.multiply.outer(turned, step)) / curvature
            + np.multiply.outer(step, step) * (curvature + float(change @ turned)) / curvature**2
        )
