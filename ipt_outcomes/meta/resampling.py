"""What chance and choice of studies could have given: permutation test and all subsets (GOSH)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta.batch import fit_subsets, subset_frame
from ipt_outcomes.meta.inference import resolve_test
from ipt_outcomes.meta.inputs import Effects, Tau2Method, Test, there_are, unpack
from ipt_outcomes.meta.pool import check_options
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.meta.regression import MetaRegression, fit_design
from ipt_outcomes.results import Provenance, ResultObject, format_number, p_in_words

# Statistics that differ by rounding only count as equal: a permutation that is the data themselves among them.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest(ResultObject):
    """Tests of coefficients by what permuted data give.

    Parameters
    ----------
    coefficients : pandas.DataFrame
        ``term statistic p_value p_value_asymptotic``.
    exact : bool
        Whether all permutations were done.
    draws : int
        Permutations done.
    k : int
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    coefficients: pd.DataFrame
    exact: bool
    draws: int
    k: int
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.permutation_test"))

    def to_frame(self) -> pd.DataFrame:
        """Return `coefficients`."""
        return self.coefficients

    def summary(self, digits: int = 2) -> str:
        """Return the tests in plain text; `digits` is not used, statistics have two decimals."""
        lines = [
            f"{row['term']}: statistic {format_number(row['statistic'])}, permutation {p_in_words(row['p_value'])}, "
            f"before {p_in_words(row['p_value_asymptotic'])}"
            for row in self.coefficients.to_dict(orient="records")
        ]
        return "\n".join([*lines, self.method, *self.notes])


def permutation_test(
    fit: PooledEffect | MetaRegression, *, draws: int = 1000, rng: np.random.Generator | None = None
) -> PermutationTest:
    """Test a pooled effect or the coefficients of a regression by permutation.

    Parameters
    ----------
    fit : PooledEffect or MetaRegression
        The model: each permutation is fitted the same way (estimator of tau2, test). Of a pooled effect the signs
        of the effects are turned; of a regression the rows of moderators change places.
    draws : int
        Up to so many permutations all are done (exact test); else so many are drawn, the data themselves first.
    rng : numpy.random.Generator, optional
        Needed where permutations are drawn.

    Returns
    -------
    PermutationTest
        Two-sided p values: the share of permutations whose statistic is at least as far from 0.

    Raises
    ------
    OptionError
        `draws` is no whole number of 100 or more, or there is no generator though permutations are drawn.
    DesignError
        Fewer than 2 studies.

    Notes
    -----
    With few studies an exact p value cannot be small: 1/2^(k-1) is the smallest for a pooled effect.

    References
    ----------
    Follmann, Proschan (1999), Biometrics 55(3):732-737, doi:10.1111/j.0006-341X.1999.00732.x;
    Higgins, Thompson (2004), Stat Med 23(11):1663-1682, doi:10.1002/sim.1752.

    Examples
    --------
    >>> from ipt_outcomes.meta import permutation_test, pool
    >>> fit = pool([0.4, 0.5, 0.2, 0.6, 0.3], [0.04, 0.05, 0.03, 0.06, 0.04])
    >>> float(permutation_test(fit).coefficients.p_value[0])
    0.0625
    """
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 100:
        raise OptionError(f"draws must be a whole number, 100 or more; got {draws!r}")
    y, v, design, terms = _model(fit)
    k = int(y.size)
    if k < 2:
        raise DesignError("a permutation test needs at least 2 studies; there is 1")
    pooled = design.shape[1] == 1
    count = 2**k if pooled else factorial(k)
    exact = count <= draws
    if not exact and not isinstance(rng, np.random.Generator):
        raise OptionError(
            f"there are {count:,} permutations, so {draws:,} are drawn: give a generator",
            hint="rng=numpy.random.default_rng(1) gives the same p value each time.",
        )
    own, before = _statistics(y, v, design, fit.tau2_method, fit.test)
    beyond, done = np.zeros(own.size), 0
    for arranged, model in _arrangements(y, design, pooled, exact, int(draws), rng):
        found, _ = _statistics(arranged, v, model, fit.tau2_method, fit.test)
        beyond += np.abs(found) >= np.abs(own) * (1 - _SLACK)
        done += 1
    what = "signs of the effects turned" if pooled else "moderators moved between studies"
    how = f"all {format_number(done, 'integer')}" if exact else f"{format_number(done, 'integer')} drawn of {count:,}"
    frame = pd.DataFrame({"term": terms, "statistic": own, "p_value": beyond / done, "p_value_asymptotic": before})
    few = f"The smallest p value that {k} studies can give is {1 / 2 ** (k - 1):.3g}." if pooled and k < 7 else ""
    return PermutationTest(
        coefficients=frame if pooled else frame.iloc[1:].reset_index(drop=True),
        exact=exact,
        draws=done,
        k=k,
        method=f"Permutation test, {what}: {how}; tau2 by {fit.tau2_method}, {fit.test} statistic.",
        notes=(few,) if few else (),
        provenance=Provenance(function="meta.permutation_test", options={"draws": int(draws)}),
    )


def _model(fit: PooledEffect | MetaRegression) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    if isinstance(fit, MetaRegression):
        return fit.yi, fit.vi, fit.design.matrix, list(fit.design.terms)
    y, v = fit.yi[fit.positions], fit.vi[fit.positions]
    return y, v, np.ones((y.size, 1)), ["(Intercept)"]


def _statistics(
    y: np.ndarray, v: np.ndarray, design: np.ndarray, tau2: Tau2Method, test: Test
) -> tuple[np.ndarray, np.ndarray]:
    """Z or t of every coefficient, and its p value."""
    from scipy.special import ndtr, stdtr

    result, _ = fit_design(y, v, design, tau2)
    used, factor, _ = resolve_test(test, result.scale, result.df, common=tau2 == "common")
    statistic = result.coefficients / np.sqrt(np.diag(result.covariance) * factor)
    tail = ndtr(-np.abs(statistic)) if used == "z" else stdtr(result.df, -np.abs(statistic))
    return statistic, 2 * tail


def _arrangements(
    y: np.ndarray, design: np.ndarray, pooled: bool, exact: bool, draws: int, rng: np.random.Generator | None
) -> Any:
    k = y.size
    if exact and pooled:
        for number in range(2**k):
            yield y * np.where((number >> np.arange(k)) & 1, -1.0, 1.0), design
    elif exact:
        for order in permutations(range(k)):
            yield y, design[list(order)]
    else:
        assert rng is not None  # noqa: S101 - asked for above
        yield y, design
        for _ in range(draws - 1):
            yield (y * rng.choice([-1.0, 1.0], k), design) if pooled else (y, design[rng.permutation(k)])


def gosh(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    tau2: Tau2Method = "REML",
    test: Test = "z",
    draws: int = 10_000,
    smallest: int = 2,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Pool the subsets of the studies: graphical display of study heterogeneity.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects, one per study.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    tau2, test
        As in `pool`.
    draws : int
        Up to so many subsets all are done; else so many are drawn, each size as likely as its number of subsets.
    smallest : int
        Fewest studies in a subset, 2 or more.
    rng : numpy.random.Generator, optional
        Needed where subsets are drawn.

    Returns
    -------
    pandas.DataFrame
        The numbers of `PooledEffect.to_frame` for each subset, then a column of truth values per study used, named
        by its row ("row 0"): colouring the points by one of them shows what that study does.

    Raises
    ------
    DesignError
        Fewer than 3 studies, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices, or there is no generator though subsets are drawn.

    References
    ----------
    Olkin, Dahabreh, Trikalinos (2012), Res Synth Methods 3(3):214-223, doi:10.1002/jrsm.1053.

    Examples
    --------
    >>> from ipt_outcomes.meta import gosh
    >>> len(gosh([0.4, 0.5, 0.2, 1.6], [0.04, 0.05, 0.03, 0.06]))
    11
    """
    check_options(tau2, test, 0.95)
    rows = unpack(yi, vi)
    k = int(rows.used.size)
    if k < 3:
        raise DesignError(f"subsets need at least 3 studies; {there_are(k)}")
    for name, value, least in (("draws", draws, 100), ("smallest", smallest, 2)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise OptionError(f"{name} must be a whole number, {least} or more; got {value!r}")
    if smallest > k:
        raise OptionError(f"smallest must not be above the number of studies, {k}; got {smallest}")
    if k <= 20 and 2**k <= draws:
        members = ((np.arange(2**k)[:, None] >> np.arange(k)) & 1).astype(bool)
        members = members[members.sum(axis=1) >= smallest]
    else:
        members = _draw(k, int(draws), int(smallest), rng)
    measure = None if rows.effects is None else rows.effects.measure
    frame = subset_frame(fit_subsets(rows.y, rows.v, members, tau2), tau2, test, 0.95, measure)
    return frame.assign(**{f"row {row}": members[:, i] for i, row in enumerate(rows.used)})


def _draw(k: int, draws: int, smallest: int, rng: np.random.Generator | None) -> np.ndarray:
    if not isinstance(rng, np.random.Generator):
        raise OptionError(
            f"{k} studies have more subsets than {draws:,}, so that many are drawn: give a generator",
            hint="rng=numpy.random.default_rng(1) gives the same subsets each time.",
        )
    kept = np.empty((0, k), dtype=bool)
    while kept.shape[0] < draws:
        new = rng.random((draws, k)) < 0.5
        kept = np.concatenate([kept, new[new.sum(axis=1) >= smallest]])
    return kept[:draws]
