"""Standardised differences of two means: Hedges' g, Glass' delta, unequal SDs, change scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import read_rows, read_signs
from ipt_outcomes.effects.means import change_columns, checked, six_columns
from ipt_outcomes.effects.standardise import Arms, read_choice, standardise

Better = Literal["lower", "higher"]
SmdConvention = Literal["metafor", "metapsy"]
SmdVariance = Literal["LS", "LS2", "UB", "AV", "H0", "unequal"]
Standardizer = Literal["pooled", "average", "arm2"]

BETTER_SIGNS = {"lower": -1.0, "higher": 1.0}


def smd(
    mean_arm1: npt.ArrayLike,
    sd_arm1: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    mean_arm2: npt.ArrayLike,
    sd_arm2: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
    *,
    better: Better | Sequence[str] | npt.NDArray[np.str_],
    convention: SmdConvention = "metafor",
    variance: SmdVariance = "LS",
    standardizer: Standardizer = "pooled",
) -> EffectSizes:
    """Standardised mean difference (Hedges' g) of two arms, one per study.

    Parameters
    ----------
    mean_arm1, sd_arm1, mean_arm2, sd_arm2 : array_like, shape (k,)
        Mean and SD in instrument points.
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants with the outcome observed; need not be whole (cluster-adjusted).
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one, for all rows or row by row. g > 0 always favours arm 1.
    convention : {"metafor", "metapsy"}
        "metafor": exact J, variance as `variance` says.
        "metapsy": J = 1 - 3/(4 df - 1), variance 1/n1 + 1/n2 + d^2/(2N) with the uncorrected d.
    variance : {"LS", "LS2", "UB", "AV", "H0", "unequal"}
        With convention "metafor". LS: large sample, with g. LS2: large sample, with d, times J^2.
        UB: unbiased. AV: as LS with the mean of g over all rows, weighted by N. H0: under no effect.
        unequal: does not assume that the arms have one SD (metafor's SMDH, and SMD1H with "arm2").
    standardizer : {"pooled", "average", "arm2"}
        SD the difference is divided by: pooled over the arms; root of the mean of the two variances, which
        goes with variance "unequal" always; that of arm 2 (Glass' delta, with variance "LS" or "unequal").

    Returns
    -------
    EffectSizes
        ``yi`` and ``se`` in SD units, ``vi`` in SD units squared, shape (k,). A row with a missing
        ingredient is NaN in place and flagged.

    Raises
    ------
    DesignError
        n below 2 in an arm, an SD that is not above 0, a cell that is no number, lengths that differ;
        ``.rows`` lists all rows concerned.
    OptionError
        `better` is missing or unknown in a row, or another option is not one of the choices.

    Notes
    -----
    d is the difference over the SD, df = n1 + n2 - 2 (n2 - 1 with "arm2"), N = n1 + n2, g = J d. Variance H0
    does not exist at df = 2, J not at df = 1. With `variance="AV"` a row's variance depends on the other rows
    of the call.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107 (J, LS, Glass);
    Hedges (1983), Psychol Bull 93(2):388-395, doi:10.1037/0033-2909.93.2.388 (UB);
    Bonett (2008), Psychol Methods 13(2):99-109, doi:10.1037/1082-989X.13.2.99 (unequal);
    Viechtbauer (2010), J Stat Softw 36(3), doi:10.18637/jss.v036.i03 (names of the variances);
    Metapsy project, doi:10.5281/zenodo.7254845 (convention "metapsy").

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.smd(11.2, 6.1, 40, 15.0, 6.4, 38, better="lower").yi.round(3)
    array([0.602])
    """
    columns = six_columns(mean_arm1, sd_arm1, n_arm1, mean_arm2, sd_arm2, n_arm2)
    return _standardised(columns, better, (convention, variance, standardizer), change=False)


def smd_change(
    mean_change_arm1: npt.ArrayLike,
    sd_change_arm1: npt.ArrayLike,
    n_change_arm1: npt.ArrayLike,
    mean_change_arm2: npt.ArrayLike,
    sd_change_arm2: npt.ArrayLike,
    n_change_arm2: npt.ArrayLike,
    *,
    better: Better | Sequence[str] | npt.NDArray[np.str_],
    convention: SmdConvention = "metafor",
    variance: SmdVariance = "LS",
    standardizer: Standardizer = "pooled",
) -> EffectSizes:
    """Standardised difference of two arms' mean changes (Hedges' g), one per study.

    Parameters
    ----------
    mean_change_arm1, sd_change_arm1, mean_change_arm2, sd_change_arm2 : array_like, shape (k,)
        Mean and SD of the change, post minus pre, in instrument points.
    n_change_arm1, n_change_arm2 : array_like, shape (k,)
        Participants with the change observed.
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one: with "lower" the more negative change is the better
        one. g > 0 always favours arm 1.
    convention, variance, standardizer
        As in `smd`.

    Returns
    -------
    EffectSizes
        In SDs of the change (not of the outcome), shape (k,).

    Raises
    ------
    DesignError, OptionError
        As in `smd`.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.smd_change(-9.2, 9.9, 40, -3.4, 10.8, 40, better="lower").yi.round(3)
    array([0.554])
    """
    columns = six_columns(
        mean_change_arm1, sd_change_arm1, n_change_arm1, mean_change_arm2, sd_change_arm2, n_change_arm2
    )
    return _standardised(change_columns(columns), better, (convention, variance, standardizer), change=True)


def _standardised(
    columns: Mapping[str, npt.ArrayLike], better: object, options: tuple[str, str, str], *, change: bool
) -> EffectSizes:
    choice = read_choice(*options)
    signs = read_signs("better", better, BETTER_SIGNS)
    rows = read_rows(columns, lengths=signs.lengths)
    arms = Arms(*checked(rows))
    flags = rows.missing_flags()
    yi, vi = standardise(arms, signs.values, choice)
    if choice.variance == "H0":
        for row in np.flatnonzero(arms.n1 + arms.n2 <= 4):
            flags[row] = "no effect: variance H0 does not exist at 2 degrees of freedom"
    if choice.standardizer == "arm2":
        for row in np.flatnonzero(arms.n2 <= 2):
            flags[row] = "no effect: the correction J does not exist with two participants in arm 2"
    return build(
        yi,
        vi,
        flags,
        measure="SMDC" if change else "SMD",
        convention=choice.name,
        function="smd_change" if change else "smd",
        options={
            "better": signs.words,
            "convention": choice.convention,
            "variance": choice.variance,
            "standardizer": choice.standardizer,
            "formula": choice.formula,
        },
    )
