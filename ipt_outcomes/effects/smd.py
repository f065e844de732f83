"""Differences of two means, standardised (Hedges' g) and in raw points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows, read_signs
from ipt_outcomes.errors import OptionError, require_choice

Better = Literal["lower", "higher"]
SmdConvention = Literal["metafor", "metapsy"]
SmdVariance = Literal["LS", "LS2", "UB", "AV", "H0"]

BETTER_SIGNS = {"lower": -1.0, "higher": 1.0}
_CONVENTIONS = ("metafor", "metapsy")
_FORMULAS: dict[str, str] = {
    "LS": "1/n1 + 1/n2 + g²/(2N)",
    "LS2": "J² (1/n1 + 1/n2 + d²/(2N))",
    "UB": "1/n1 + 1/n2 + (1 − (df − 2)/(df J²)) g²",
    "AV": "1/n1 + 1/n2 + ḡ²/(2N), ḡ the mean of g weighted by N",
    "H0": "J² df/(df − 2) (1/n1 + 1/n2)",
}
_METAPSY_FORMULA = "J = 1 − 3/(4 df − 1); variance 1/n1 + 1/n2 + d²/(2N), d before J"


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
    variance : {"LS", "LS2", "UB", "AV", "H0"}
        With convention "metafor". LS: large sample, with g. LS2: large sample, with d, times J^2.
        UB: unbiased. AV: as LS with the mean of g over all rows, weighted by N. H0: under no effect.

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
    d is the difference over the pooled SD, df = n1 + n2 - 2, N = n1 + n2, g = J d. Variance H0 does
    not exist at df = 2. With `variance="AV"` a row's variance depends on the other rows of the call.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107 (J, LS);
    Hedges (1983), Psychol Bull 93(2):388-395, doi:10.1037/0033-2909.93.2.388 (UB);
    Viechtbauer (2010), J Stat Softw 36(3), doi:10.18637/jss.v036.i03 (names of the variances);
    Metapsy project, doi:10.5281/zenodo.7254845 (convention "metapsy").

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.smd(11.2, 6.1, 40, 15.0, 6.4, 38, better="lower").yi.round(3)
    array([0.602])
    """
    columns = {
        "mean_arm1": mean_arm1,
        "sd_arm1": sd_arm1,
        "n_arm1": n_arm1,
        "mean_arm2": mean_arm2,
        "sd_arm2": sd_arm2,
        "n_arm2": n_arm2,
    }
    return _standardised(columns, better, convention, variance, change=False)


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
    convention, variance
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
    columns = {
        "mean_change_arm1": mean_change_arm1,
        "sd_change_arm1": sd_change_arm1,
        "n_change_arm1": n_change_arm1,
        "mean_change_arm2": mean_change_arm2,
        "sd_change_arm2": sd_change_arm2,
        "n_change_arm2": n_change_arm2,
    }
    return _standardised(columns, better, convention, variance, change=True)


def mean_difference(
    mean_arm1: npt.ArrayLike,
    sd_arm1: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    mean_arm2: npt.ArrayLike,
    sd_arm2: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
    *,
    variance: Literal["separate", "pooled"] = "separate",
) -> EffectSizes:
    """Difference of two means in instrument points, arm 1 minus arm 2, one per study.

    Parameters
    ----------
    mean_arm1, sd_arm1, mean_arm2, sd_arm2 : array_like, shape (k,)
        Mean and SD in instrument points.
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants with the outcome observed; need not be whole.
    variance : {"separate", "pooled"}
        "separate": sd1^2/n1 + sd2^2/n2. "pooled": pooled SD squared times (1/n1 + 1/n2).

    Returns
    -------
    EffectSizes
        ``yi`` in points: the sign is that of the difference, not of who does better.

    Raises
    ------
    DesignError
        As in `smd`.
    OptionError
        `variance` is not one of the choices.

    References
    ----------
    Higgins, Li, Deeks (2019), Cochrane Handbook chapter 6, doi:10.1002/9781119536604.ch6.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.mean_difference(11.2, 6.1, 40, 15.0, 6.4, 38).yi.round(1)
    array([-3.8])
    """
    require_choice("variance", variance, ("separate", "pooled"))
    columns = {
        "mean_arm1": mean_arm1,
        "sd_arm1": sd_arm1,
        "n_arm1": n_arm1,
        "mean_arm2": mean_arm2,
        "sd_arm2": sd_arm2,
        "n_arm2": n_arm2,
    }
    rows = read_rows(columns)
    mean1, sd1, n1, mean2, sd2, n2 = _checked(rows, columns)
    with np.errstate(all="ignore"):
        if variance == "pooled":
            vi = _pooled_variance(sd1, n1, sd2, n2) * (1 / n1 + 1 / n2)
        else:
            vi = sd1**2 / n1 + sd2**2 / n2
    formula = "pooled SD² (1/n1 + 1/n2)" if variance == "pooled" else "SD1²/n1 + SD2²/n2"
    return build(
        mean1 - mean2,
        vi,
        rows.missing_flags(),
        measure="MD",
        convention=f"{variance} variance",
        function="mean_difference",
        options={"variance": variance, "formula": f"arm 1 minus arm 2; variance {formula}"},
    )


def small_sample_correction(df: npt.ArrayLike, exact: bool = True) -> FloatArray:
    """Hedges' small-sample correction J, which makes g from d.

    Parameters
    ----------
    df : array_like
        Degrees of freedom of the pooled SD, n1 + n2 - 2; above 1. NaN gives NaN.
    exact : bool
        The gamma ratio; otherwise the approximation 1 - 3/(4 df - 1).

    Returns
    -------
    numpy.ndarray
        Between 0 and 1, shape (k,); shape () for a single number.

    Raises
    ------
    DesignError
        df is 1 or below: d has no finite mean, so there is nothing to correct.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107.

    Examples
    --------
    >>> float(small_sample_correction(5).round(4)), float(small_sample_correction(5, exact=False).round(4))
    (0.8407, 0.8421)
    """
    rows = read_rows({"df": df})
    rows.require_at_least("df", 1, strict=True)
    rows.check()
    result = _correction(rows["df"], exact=exact)
    return result.reshape(np.shape(df)) if np.ndim(df) == 0 else result


def _correction(df: FloatArray, *, exact: bool) -> FloatArray:
    if not exact:
        return np.asarray(1 - 3 / (4 * df - 1))
    x = (df - 1) / 2
    # Gamma(x + 1/2) / Gamma(x): above x = 50 by its expansion, since the difference of two large
    # logarithms loses digits there (relative error 1e-9 at a million); both agree to 1e-14 at the seam
    series = 1 - 1 / (8 * x) + 1 / (128 * x**2) + 5 / (1024 * x**3) - 21 / (32768 * x**4) - 399 / (262144 * x**5)
    return np.where(x > 50, np.sqrt(2 * x / df) * series, np.exp(gammaln(df / 2) - gammaln(x)) / np.sqrt(df / 2))


def _checked(rows: Rows, columns: Mapping[str, npt.ArrayLike]) -> tuple[FloatArray, ...]:
    """Return the six columns after the row checks; columns are mean, SD and n of arm 1, then of arm 2."""
    for name in columns:
        if name.startswith("mean"):
            rows.require_finite(name)
        elif name.startswith("sd"):
            rows.require_at_least(name, 0, strict=True)
        else:
            rows.require_at_least(name, 2)
    rows.check()
    return tuple(rows[name] for name in columns)


def _pooled_variance(sd1: FloatArray, n1: FloatArray, sd2: FloatArray, n2: FloatArray) -> FloatArray:
    return ((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2)


def _standardised(
    columns: Mapping[str, npt.ArrayLike],
    better: object,
    convention: str,
    variance: str,
    *,
    change: bool,
) -> EffectSizes:
    require_choice("convention", convention, _CONVENTIONS)
    require_choice("variance", variance, _FORMULAS)
    metapsy = convention == "metapsy"
    if metapsy and variance != "LS":
        raise OptionError(
            f"convention='metapsy' fixes the variance: variance must be 'LS' (its default); got {variance!r}"
        )
    signs = read_signs("better", better, BETTER_SIGNS)
    rows = read_rows(columns, lengths=signs.lengths)
    mean1, sd1, n1, mean2, sd2, n2 = _checked(rows, columns)
    flags = rows.missing_flags()
    df = n1 + n2 - 2
    with np.errstate(all="ignore"):
        d = signs.values * (mean1 - mean2) / np.sqrt(_pooled_variance(sd1, n1, sd2, n2))
        j = _correction(df, exact=not metapsy)
        vi = _variance("metapsy" if metapsy else variance, d, j, n1, n2)
    if variance == "H0":
        for row in np.flatnonzero(df <= 2):
            flags[row] = "no effect: variance H0 does not exist at 2 degrees of freedom"
    formula = _METAPSY_FORMULA if metapsy else f"J exact; variance {_FORMULAS[variance]}"
    return build(
        j * d,
        vi,
        flags,
        measure="SMDC" if change else "SMD",
        convention=convention if variance == "LS" else f"{convention}, variance {variance}",
        function="smd_change" if change else "smd",
        options={"better": signs.words, "convention": convention, "variance": variance, "formula": formula},
    )


def _variance(kind: str, d: FloatArray, j: FloatArray, n1: FloatArray, n2: FloatArray) -> FloatArray:
    total, base, df, g = n1 + n2, 1 / n1 + 1 / n2, n1 + n2 - 2, j * d
    if kind == "metapsy":
        return np.asarray(base + d**2 / (2 * total))
    if kind == "LS2":
        return np.asarray(j**2 * (base + d**2 / (2 * total)))
    if kind == "UB":
        return np.asarray(base + (1 - (df - 2) / (df * j**2)) * g**2)
    if kind == "H0":
        return np.asarray(np.where(df > 2, j**2 * df / (df - 2) * base, np.nan))
    if kind == "AV":
        known = np.isfinite(g)
        weight = total[known].sum()
        mean = (total[known] * g[known]).sum() / weight if weight > 0 else np.nan
        return np.asarray(np.where(known, base + mean**2 / (2 * total), np.nan))
    return np.asarray(base + g**2 / (2 * total))
