"""Random effects of a fit: their variances, their predictions, and fitted values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.likelihood import Evaluation, Scaling


def variance_table(design: Design, factor: np.ndarray, sigma: float) -> pd.DataFrame:
    """Return variances and covariances of the random effects.

    Parameters
    ----------
    design : Design
    factor : numpy.ndarray, shape (q, q)
    sigma : float
        Residual standard deviation.

    Returns
    -------
    pandas.DataFrame
        ``group term1 term2 variance_or_cov sd_or_corr``: a row per variance, with an empty ``term2``, then one per
        pair of correlated effects. Variances of 0 are rows, too; a correlation with such an effect is missing.
    """
    covariance = sigma**2 * factor @ factor.T
    sd = np.sqrt(np.diag(covariance))
    names = [random.column.name for random in design.random]
    rows: list[tuple[str, str, str, float, float]] = [
        (design.group, name, "", float(covariance[i, i]), float(sd[i])) for i, name in enumerate(names)
    ]
    for i, one in enumerate(design.random):
        for j in range(i + 1, len(names)):
            if one.block == design.random[j].block:
                product = sd[i] * sd[j]
                correlation = float(covariance[i, j] / product) if product > 0 else float("nan")
                rows.append((design.group, names[i], names[j], float(covariance[i, j]), correlation))
    return pd.DataFrame(rows, columns=["group", "term1", "term2", "variance_or_cov", "sd_or_corr"])


def conditional(at: Evaluation, factor: np.ndarray, scaling: Scaling, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Predict the random effects of every group.

    Parameters
    ----------
    at : Evaluation
    factor : numpy.ndarray, shape (q, q)
    scaling : Scaling
        Of outcome and columns, as `at` was computed.
    sigma : float
        Residual standard deviation, in the outcome's own unit.

    Returns
    -------
    tuple of numpy.ndarray, shape (g, q)
        Conditional means (best linear unbiased predictions), and conditional standard deviations.
    """
    back = scaling.random_back
    effects = scaling.scale * at.k_r @ (factor @ factor.T) @ back.T
    spread = (back @ factor) @ at.inverse @ (back @ factor).T
    sds = sigma * np.sqrt(np.einsum("gaa->ga", spread))
    return effects[scaling.places], sds[scaling.places]


def random_effects(design: Design, effects: np.ndarray, sds: np.ndarray) -> pd.DataFrame:
    """Return predicted effects as a table: ``group level term estimate sd``."""
    names = [random.column.name for random in design.random]
    known = len(design.group_levels)
    return pd.DataFrame(
        {
            "group": design.group,
            "level": np.repeat(np.asarray(design.group_levels, dtype=object), len(names)),
            "term": np.tile(names, known),
            "estimate": effects[:known].ravel(),
            "sd": sds[:known].ravel(),
        }
    )


def fitted(design: Design, beta: np.ndarray, effects: np.ndarray | None) -> np.ndarray:
    """Return the value the model gives each row used, shape (n,).

    Parameters
    ----------
    design : Design
    beta : numpy.ndarray, shape (p,)
    effects : numpy.ndarray, shape (g, q), or None
        Effects of the groups; a row without a group has none.
    """
    values = {name: variable.values for name, variable in design.variables.items()}
    n = design.n_rows
    found = np.zeros(n)
    for weight, column in zip(beta, design.fixed, strict=True):
        found += weight * column.evaluate(design.variables, values, n)
    if effects is not None:
        has_group = design.codes >= 0
        for place, random in enumerate(design.random):
            own = np.where(has_group, effects[np.maximum(design.codes, 0), place], 0.0)
            found += own * random.column.evaluate(design.variables, values, n)
    return found
