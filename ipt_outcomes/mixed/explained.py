"""How the variance of the outcome divides: intraclass correlations and explained variance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipt_outcomes.mixed.design import Design


def shares(design: Design, covariances: Sequence[np.ndarray], residual: float) -> pd.DataFrame:
    """Return intraclass correlations.

    Parameters
    ----------
    design : Design
    covariances : sequence of numpy.ndarray, shape (q, q)
        Of the random effects of each factor of `design.factors`.
    residual : float
        Residual variance.

    Returns
    -------
    pandas.DataFrame
        ``group variance icc``, a row per grouping factor and one for the residual: the variance that its random
        effects give the outcome, averaged over the rows used, and its share of all.

    References
    ----------
    Nakagawa, Johnson and Schielzeth (2017), J R Soc Interface 14(134):20170213, doi:10.1098/rsif.2017.0213; Johnson
    (2014), Methods Ecol Evol 5(9):944-946, doi:10.1111/2041-210X.12225 (random slopes).
    """
    names = [factor.name for factor in design.factors]
    variances = [
        float(np.einsum("na,ab,nb->", z, covariance, z) / design.n_rows)
        for z, covariance in zip((design.random_matrix(k) for k in range(len(names))), covariances, strict=True)
    ]
    values = np.array([*variances, residual])
    return pd.DataFrame({"group": [*names, "residual"], "variance": values, "icc": values / values.sum()})


def explained(fixed: np.ndarray, parts: pd.DataFrame) -> pd.DataFrame:
    """Return marginal and conditional R squared, in percent.

    Parameters
    ----------
    fixed : numpy.ndarray, shape (n,)
        What the fixed part gives every row.
    parts : pandas.DataFrame
        As `shares` returns it.

    Returns
    -------
    pandas.DataFrame
        One row: ``marginal conditional``: what the fixed part explains, and what fixed and random parts do.

    References
    ----------
    Nakagawa and Schielzeth (2013), Methods Ecol Evol 4(2):133-142, doi:10.1111/j.2041-210x.2012.00261.x; Johnson
    (2014), doi:10.1111/2041-210X.12225.
    """
    if fixed.size < 2:
        raise DesignError("explained variance needs at least 2 rows")
    own = float(np.var(fixed, ddof=1))
    random = float(parts["variance"].iloc[:-1].sum())
    total = own + float(parts["variance"].sum())
    return pd.DataFrame({"marginal": [100 * own / total], "conditional": [100 * (own + random) / total]})
