"""Natural and B-splines of a column, in the coding of R's splines package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import qr

from ipt_outcomes.errors import DataError, DesignError, OptionError

MOST = 20


@dataclass(frozen=True, slots=True)
class Spline:
    """A spline basis without the intercept.

    Parameters
    ----------
    kind : {"ns", "bs"}
        Natural cubic (straight beyond the boundary knots) or B-spline.
    degree : int
    inner : tuple of float
        Inner knots.
    boundary : tuple of float
        The two boundary knots.
    """

    kind: str
    degree: int
    inner: tuple[float, ...]
    boundary: tuple[float, float]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.inner) + (1 if self.kind == "ns" else self.degree)

    def evaluate(self, values: np.ndarray, name: str) -> np.ndarray:
        """Return the basis, shape (n, width).

        Raises
        ------
        DataError
            A B-spline is asked for values beyond its boundary knots.
        """
        low, high = self.boundary
        below, above = values < low, values > high
        if self.kind == "bs" and (below.any() or above.any()):
            raise DataError(f"{name}: values beyond the boundary knots {low:.6g} and {high:.6g}", column=name)
        inside = self._design(np.clip(values, low, high), 0)
        if self.kind == "bs":
            return inside[:, 1:]
        for outside, edge in ((below, low), (above, high)):
            if outside.any():
                slope = self._design(np.array([edge]), 1)
                inside[outside] += (values[outside] - edge)[:, None] * slope
        # Two conditions (no curvature at the boundary) leave the orthogonal complement.
        curvature = self._design(np.array(self.boundary), 2)[:, 1:]
        rotation, _ = qr(curvature.T, mode="full")
        return np.asarray(inside[:, 1:] @ rotation[:, 2:])

    def _design(self, values: np.ndarray, derivative: int) -> np.ndarray:
        low, high = self.boundary
        knots = np.concatenate(([low] * (self.degree + 1), self.inner, [high] * (self.degree + 1)))
        spline = BSpline(knots, np.eye(knots.size - self.degree - 1), self.degree)
        return np.asarray((spline.derivative(derivative) if derivative else spline)(values))


def fit_spline(kind: str, values: np.ndarray, options: Mapping[str, tuple[float, ...]], name: str) -> Spline:
    """Learn the knots of a spline from the rows used.

    Parameters
    ----------
    kind : {"ns", "bs"}
    values : numpy.ndarray, shape (n,)
    options : mapping
        ``df``, ``knots``, ``Boundary.knots``, ``degree`` (B-splines) as in R.
    name : str
        The call, for messages.

    Returns
    -------
    Spline

    Raises
    ------
    OptionError
        Options that contradict each other or have no meaning.
    DesignError
        The column does not vary.
    """
    boundary = options.get("Boundary.knots", (float(values.min()), float(values.max())))
    if len(boundary) != 2 or not boundary[0] < boundary[1]:
        if "Boundary.knots" in options:
            raise OptionError(f"{name}: Boundary.knots are two numbers, the smaller first")
        raise DesignError(f"{name}: the values do not vary")
    degree = _whole(options.get("degree", (3.0,)), 1, 5, "degree", name)
    if "knots" in options:
        if "df" in options:
            raise OptionError(f"{name}: give df or knots, not both")
        inner = tuple(sorted(options["knots"]))
        if not all(boundary[0] < knot < boundary[1] for knot in inner) or len(set(inner)) != len(inner):
            raise OptionError(f"{name}: knots must differ and lie within {boundary[0]:.6g} and {boundary[1]:.6g}")
        return Spline(kind, degree, inner, (boundary[0], boundary[1]))
    fewest = 1 if kind == "ns" else degree
    df = _whole(options.get("df", (float(fewest),)), fewest, MOST, "df", name)
    within = values[(values >= boundary[0]) & (values <= boundary[1])]
    inner = tuple(float(q) for q in np.quantile(within, np.linspace(0, 1, df - fewest + 2)[1:-1]))
    if len(set(inner)) != len(inner) or not all(boundary[0] < knot < boundary[1] for knot in inner):
        raise DesignError(f"{name}: too few distinct values for df = {df}", hint="Name the knots: knots = c(...).")
    return Spline(kind, degree, inner, (boundary[0], boundary[1]))


def _whole(given: tuple[float, ...], low: int, high: int, option: str, name: str) -> int:
    if len(given) != 1 or not given[0].is_integer() or not low <= given[0] <= high:
        raise OptionError(f"{name}: {option} must be a whole number from {low} to {high}")
    return int(given[0])
