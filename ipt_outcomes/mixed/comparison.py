"""Likelihood-ratio tests of nested mixed models, and what the statistic is distributed as."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from ipt_outcomes.errors import DesignError

if TYPE_CHECKING:
    from ipt_outcomes.mixed.design import Design
    from ipt_outcomes.mixed.fit import MixedFit

# A larger model may fall short of a smaller one by rounding only.
_ROUNDING = 1e-5


def compared(one: MixedFit, other: MixedFit) -> pd.DataFrame:
    """Return the likelihood-ratio test of two nested models.

    Parameters
    ----------
    one, other : MixedFit
        In either order.

    Returns
    -------
    pandas.DataFrame
        One row: ``lrt df p_value distribution p_value_chi2``.

    Raises
    ------
    DesignError
        They cannot be compared.

    References
    ----------
    Self and Liang (1987), J Am Stat Assoc 82(398):605-610, doi:10.1080/01621459.1987.10478472; Stram and Lee (1994),
    Biometrics 50(4):1171-1177, doi:10.2307/2533455.
    """
    _check(one, other)
    small, large = sorted((one, other), key=lambda fit: fit.n_parameters)
    df = large.n_parameters - small.n_parameters
    gain = 2 * (large.log_likelihood - small.log_likelihood)
    if gain < -_ROUNDING * max(1.0, abs(small.log_likelihood)):
        raise DesignError(
            "the model with more parameters has the smaller likelihood: neither model is within the other",
            hint="Compare models that are not nested by .aic, both fitted with reml=False.",
        )
    lrt = max(gain, 0.0)
    plain = float(stats.chi2.sf(lrt, df)) if df else float("nan")
    weights = _mixture(small, large)
    if not df or weights is None:
        kind, p_value = (f"chi-squared({df})" if df else "none: as many parameters"), plain
    else:
        p_value = float(
            sum(weight * (stats.chi2.sf(lrt, k) if k else float(lrt <= 0)) for k, weight in weights.items())
        )
        kind = "mixture: " + " + ".join(f"{weight:.4g} chi-squared({k})" for k, weight in weights.items())
    row = {"lrt": lrt, "df": df, "p_value": p_value, "distribution": kind, "p_value_chi2": plain}
    return pd.DataFrame([row])


def _check(one: MixedFit, other: MixedFit) -> None:
    same_rows = one.n_obs == other.n_obs and np.array_equal(one.design.rows, other.design.rows)
    if not same_rows or one.reml != other.reml or not np.array_equal(one.design.y, other.design.y):
        raise DesignError("two models are compared on the same rows and outcome, both by REML or both by ML")
    if type(one) is not type(other) or any(
        getattr(one, name, None) != getattr(other, name, None) for name in ("family", "quadrature")
    ):
        raise DesignError("two models are compared that are of one kind, with likelihoods computed in one way")
    if one.reml and sorted(one.fixed["term"]) != sorted(other.fixed["term"]):
        raise DesignError(
            "restricted likelihoods of models with different fixed parts cannot be compared",
            hint="Fit both with reml=False.",
        )


def _mixture(small: MixedFit, large: MixedFit) -> dict[int, float] | None:
    """Weights of chi-squared variables by their degrees of freedom; None where the plain one holds (or none is known).

    Known are: variances added that are independent of each other and of all other effects, and one effect added that
    is correlated with those there. Fixed effects added besides shift all degrees of freedom.
    """
    if not large.random.size or (small.random.size == 0 and not len(large.random)):
        return None
    before, after = _blocks(small.design), _blocks(large.design)
    fixed = len(large.fixed) - len(small.fixed)
    independent = correlated = covariances = 0
    for group, block in after:
        matches = [old for of, old in before if of == group and old <= block]
        inside = frozenset().union(*matches) if matches else frozenset()
        added = len(block) - len(inside)
        if not added:
            if len(matches) > 1:
                return None
            continue
        if len(block) == 1:
            independent += 1
        elif added == 1 and len(matches) == 1:
            correlated, covariances = correlated + 1, len(inside)
        else:
            return None
    if correlated + bool(independent) > 1 or not (correlated or independent):
        return None
    if correlated:
        return {fixed + covariances: 0.5, fixed + covariances + 1: 0.5}
    return {fixed + k: comb(independent, k) / 2**independent for k in range(independent + 1)}


def _blocks(design: Design) -> list[tuple[str, frozenset[str]]]:
    """Sets of correlated random effects, with their grouping factor."""
    found: dict[tuple[str, int], set[str]] = {}
    for factor in design.factors:
        for random in factor.columns:
            found.setdefault((factor.name, random.block), set()).add(random.column.name)
    return [(group, frozenset(names)) for (group, _), names in found.items()]
