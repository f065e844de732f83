"""Random effects of a fit: their variances, their predictions, and fitted values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.engine.evaluate import Point
from ipt_outcomes.mixed.engine.problem import Problem, Scaling
from ipt_outcomes.mixed.engine.slopes import level_products


def variance_table(design: Design, factors: Sequence[np.ndarray], sigma: float) -> pd.DataFrame:
    """Return variances and covariances of the random effects.

    Parameters
    ----------
    design : Design
    factors : sequence of numpy.ndarray, shape (q, q)
        Roots of the relative covariances, of each grouping factor.
    sigma : float
        Residual standard deviation.

    Returns
    -------
    pandas.DataFrame
        ``group term1 term2 variance_or_cov sd_or_corr``: a row per variance, with an empty ``term2``, then one per
        pair of correlated effects. Variances of 0 are rows, too; a correlation with such an effect is missing.
    """
    rows: list[tuple[str, str, str, float, float]] = []
    for group, root in zip(design.factors, factors, strict=True):
        covariance = sigma**2 * root @ root.T
        sd = np.sqrt(np.diag(covariance))
        names = [random.column.name for random in group.columns]
        rows += [(group.name, name, "", float(covariance[i, i]), float(sd[i])) for i, name in enumerate(names)]
        for i, one in enumerate(group.columns):
            for j in range(i + 1, len(names)):
                if one.block == group.columns[j].block:
                    product = sd[i] * sd[j]
                    correlation = float(covariance[i, j] / product) if product > 0 else float("nan")
                    rows.append((group.name, names[i], names[j], float(covariance[i, j]), correlation))
    return pd.DataFrame(rows, columns=["group", "term1", "term2", "variance_or_cov", "sd_or_corr"])


def conditional(
    problem: Problem, at: Point, factors: Sequence[np.ndarray], scaling: Scaling, sigma: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Predict the random effects of every level.

    Parameters
    ----------
    problem : Problem
    at : Point
    factors : sequence of numpy.ndarray, shape (q, q)
        Roots of the relative covariances as `at` was computed.
    scaling : Scaling
    sigma : float
        Residual standard deviation, in the outcome's own unit.

    Returns
    -------
    list of tuple of numpy.ndarray, shape (l, q)
        Of each factor, conditional means (best linear unbiased predictions) and conditional standard deviations, the
        coefficients taken as known; levels in the order of the design, those without rows of their own left out.
    """
    found = []
    for number, (k, h) in enumerate(level_products(problem, at)):
        root, back = factors[number], scaling.random_back[number]
        relative = back @ root @ root.T
        effects = scaling.scale * h @ relative.T
        # A conditional covariance cannot be negative; of a variance of 0 rounding may say so.
        spread = np.diag(relative @ back.T) - np.einsum("ia,lab,ib->li", relative, k, relative, optimize=True)
        places = scaling.order.places if number == 0 else scaling.order.levels[number - 1]
        found.append((effects[places], sigma * np.sqrt(np.maximum(spread, 0.0))[places]))
    return found


def random_effects(design: Design, predicted: Sequence[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return predicted effects as a table: ``group level term estimate sd``."""
    tables = []
    for group, (effects, sds) in zip(design.factors, predicted, strict=True):
        names = [random.column.name for random in group.columns]
        known = len(group.levels)
        table = {
            "group": group.name,
            "level": np.repeat(np.asarray(group.levels, dtype=object), len(names)),
            "term": np.tile(names, known),
            "estimate": effects[:known].ravel(),
            "sd": sds[:known].ravel(),
        }
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def fitted(design: Design, beta: np.ndarray, effects: Sequence[np.ndarray] | None) -> np.ndarray:
    """Return the value the model gives each row used, shape (n,).

    Parameters
    ----------
    design : Design
    beta : numpy.ndarray, shape (p,)
    effects : sequence of numpy.ndarray, shape (l, q), or None
        Effects of the levels of each factor; a row without a level has none.
    """
    found = np.zeros(design.n_rows)
    for weight, column in zip(beta, design.fixed, strict=True):
        found += weight * design.row_values(column)
    if effects is not None:
        for group, own in zip(design.factors, effects, strict=True):
            has_group = group.codes >= 0
            for place, random in enumerate(group.columns):
                values = np.where(has_group, own[np.maximum(group.codes, 0), place], 0.0)
                found += values * design.row_values(random.column)
    return found
