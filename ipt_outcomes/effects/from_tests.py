"""Hedges' g from a printed test, correlation or interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.correction import correction
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows, read_signs
from ipt_outcomes.effects.proportions import check_level
from ipt_outcomes.effects.smd import BETTER_SIGNS, Better
from ipt_outcomes.errors import OptionError

Favours = Literal["arm1", "arm2"]
FAVOURS_SIGNS = {"arm1": 1.0, "arm2": -1.0}
_LS = "g = J d, J exact; variance 1/n1 + 1/n2 + g²/(2N)"


def smd_from_t(
    t: npt.ArrayLike, n_arm1: npt.ArrayLike, n_arm2: npt.ArrayLike, *, better: Better | Sequence[str]
) -> EffectSizes:
    """Hedges' g from the t statistic of two independent groups.

    Parameters
    ----------
    t : array_like, shape (k,)
        Student's t of arm 1 minus arm 2 (equal variances).
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants in the test; the arms need not be equal.
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one. g > 0 favours arm 1.

    Returns
    -------
    EffectSizes
        d = t sqrt(1/n1 + 1/n2), g = J d with exact J.

    Raises
    ------
    DesignError
        n below 2, a t that is no number; ``.rows`` lists all rows.
    OptionError
        `better` is missing or unknown in a row.

    References
    ----------
    Borenstein et al (2009), Introduction to Meta-Analysis, chapter 4, doi:10.1002/9780470743386.

    Examples
    --------
    >>> smd_from_t(2.1, 20, 22, better="higher").yi.round(3)
    array([0.637])
    """

    def d(rows: Rows) -> FloatArray:
        return np.asarray(rows["t"] * np.sqrt(1 / rows["n_arm1"] + 1 / rows["n_arm2"]))

    columns = {"t": t, "n_arm1": n_arm1, "n_arm2": n_arm2}
    return _from("smd_from_t", columns, ("better", better, BETTER_SIGNS), d, "d = t √(1/n1 + 1/n2)")


def smd_from_d(
    d: npt.ArrayLike, n_arm1: npt.ArrayLike, n_arm2: npt.ArrayLike, *, better: Better | Sequence[str]
) -> EffectSizes:
    """Hedges' g from a printed Cohen's d (pooled SD, no small-sample correction).

    Parameters
    ----------
    d : array_like, shape (k,)
        Mean of arm 1 minus mean of arm 2, over the pooled SD.
    n_arm1, n_arm2, better
        As in `smd_from_t`.

    Returns
    -------
    EffectSizes

    Raises
    ------
    DesignError, OptionError
        As in `smd_from_t`.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107.

    Examples
    --------
    >>> smd_from_d(0.55, 20, 22, better="higher").yi.round(3)
    array([0.54])
    """
    columns = {"d": d, "n_arm1": n_arm1, "n_arm2": n_arm2}
    return _from("smd_from_d", columns, ("better", better, BETTER_SIGNS), lambda rows: rows["d"], "d as given")


def smd_from_p(
    p: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
    *,
    favours: Favours | Sequence[str],
    tails: Literal[1, 2] = 2,
) -> EffectSizes:
    """Hedges' g from the p value of a t test of two independent groups.

    Parameters
    ----------
    p : array_like, shape (k,)
        p value, above 0 and at most 1. "p < 0.05" is no p value: the effect from 0.05 is a lower bound.
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants in the test.
    favours : {"arm1", "arm2"} or sequence of these, shape (k,)
        Which arm did better: a p value has no sign.
    tails : {2, 1}
        Two-sided or one-sided test (one-sided: in the direction of `favours`).

    Returns
    -------
    EffectSizes

    Raises
    ------
    DesignError
        n below 2, a p value outside (0, 1]; ``.rows`` lists all rows.
    OptionError
        `favours` is missing or unknown in a row, or `tails` is not 1 or 2.

    References
    ----------
    Borenstein et al (2009), Introduction to Meta-Analysis, chapter 4, doi:10.1002/9780470743386.

    Examples
    --------
    >>> smd_from_p(0.04, 20, 22, favours="arm1").yi.round(3)
    array([0.643])
    """
    if tails not in {1, 2}:
        raise OptionError(f"tails must be 1 or 2; got {tails!r}")

    def d(rows: Rows) -> FloatArray:
        n1, n2 = rows["n_arm1"], rows["n_arm2"]
        t = -stdtrit(n1 + n2 - 2, rows["p"] / tails)
        return np.asarray(t * np.sqrt(1 / n1 + 1 / n2))

    columns = {"p": p, "n_arm1": n_arm1, "n_arm2": n_arm2}
    words = f"t from the {'two' if tails == 2 else 'one'}-sided p value; d = t √(1/n1 + 1/n2)"
    return _from("smd_from_p", columns, ("favours", favours, FAVOURS_SIGNS), d, words)


def smd_from_f(
    f: npt.ArrayLike, n_arm1: npt.ArrayLike, n_arm2: npt.ArrayLike, *, favours: Favours | Sequence[str]
) -> EffectSizes:
    """Hedges' g from the F statistic of a one-way analysis of variance of two groups.

    Parameters
    ----------
    f : array_like, shape (k,)
        F with 1 numerator degree of freedom and no covariates, 0 or more. An F with covariates is of an
        adjusted difference in smaller SDs: g from it is too large.
    n_arm1, n_arm2, favours
        As in `smd_from_p`.

    Returns
    -------
    EffectSizes

    Raises
    ------
    DesignError, OptionError
        As in `smd_from_p`.

    References
    ----------
    Borenstein et al (2009), Introduction to Meta-Analysis, chapter 4, doi:10.1002/9780470743386.

    Examples
    --------
    >>> smd_from_f(4.41, 20, 22, favours="arm1").yi.round(3)
    array([0.637])
    """

    def d(rows: Rows) -> FloatArray:
        return np.asarray(np.sqrt(rows["f"] * (1 / rows["n_arm1"] + 1 / rows["n_arm2"])))

    columns = {"f": f, "n_arm1": n_arm1, "n_arm2": n_arm2}
    return _from("smd_from_f", columns, ("favours", favours, FAVOURS_SIGNS), d, "d = √F √(1/n1 + 1/n2)")


def smd_from_ci(
    mean_difference: npt.ArrayLike,
    ci_low: npt.ArrayLike,
    ci_high: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
    *,
    better: Better | Sequence[str],
    level: float = 0.95,
) -> EffectSizes:
    """Hedges' g from a mean difference in points and its confidence interval.

    Parameters
    ----------
    mean_difference, ci_low, ci_high : array_like, shape (k,)
        Arm 1 minus arm 2 and its limits, from a t test without covariates.
    n_arm1, n_arm2, better
        As in `smd_from_t`.
    level : float
        Confidence level of the interval.

    Returns
    -------
    EffectSizes
        The pooled SD behind the interval is its width over 2 t sqrt(1/n1 + 1/n2).

    Raises
    ------
    DesignError
        n below 2, limits that do not enclose the difference, an interval without width; ``.rows`` lists all.
    OptionError
        `better` is missing or unknown in a row, or `level` is not between 0 and 1.

    References
    ----------
    Higgins, Li, Deeks (2019), Cochrane Handbook chapter 6, doi:10.1002/9781119536604.ch6.

    Examples
    --------
    >>> smd_from_ci(-3.8, -6.62, -0.98, 40, 38, better="lower").yi.round(2)
    array([0.6])
    """
    check_level(level)

    def d(rows: Rows) -> FloatArray:
        quantile = stdtrit(rows["n_arm1"] + rows["n_arm2"] - 2, 0.5 + level / 2)
        t = rows["mean_difference"] * 2 * quantile / (rows["ci_high"] - rows["ci_low"])
        return np.asarray(t * np.sqrt(1 / rows["n_arm1"] + 1 / rows["n_arm2"]))

    columns = {"mean_difference": mean_difference, "ci_low": ci_low, "ci_high": ci_high}
    columns |= {"n_arm1": n_arm1, "n_arm2": n_arm2}
    words = "SD = width of the interval/(2 t √(1/n1 + 1/n2)); d = difference/SD"
    return _from("smd_from_ci", columns, ("better", better, BETTER_SIGNS), d, words)


def smd_from_r(r: npt.ArrayLike, n: npt.ArrayLike, *, favours: Favours | Sequence[str]) -> EffectSizes:
    """Hedges' g from a correlation of outcome and arm.

    Parameters
    ----------
    r : array_like, shape (k,)
        Size of the point-biserial correlation, 0 or more and below 1.
    n : array_like, shape (k,)
        All participants, 4 or more; the arms are taken as equal.
    favours : {"arm1", "arm2"} or sequence of these, shape (k,)
        Which arm did better.

    Returns
    -------
    EffectSizes
        d = 2r/sqrt(1 - r^2), variance J^2 4/((n - 1)(1 - r^2)).

    Raises
    ------
    DesignError
        n below 4, r outside [0, 1); ``.rows`` lists all rows.
    OptionError
        `favours` is missing or unknown in a row.

    References
    ----------
    Borenstein et al (2009), Introduction to Meta-Analysis, chapter 7, doi:10.1002/9780470743386.

    Examples
    --------
    >>> smd_from_r(0.3, 60, favours="arm1").yi.round(3)
    array([0.621])
    """
    return _from_r("smd_from_r", {"r": r, "n": n}, favours, "d = 2r/√(1 − r²)")


def smd_from_chi_square(
    chi_square: npt.ArrayLike, n: npt.ArrayLike, *, favours: Favours | Sequence[str]
) -> EffectSizes:
    """Hedges' g from the chi-squared statistic of a two-by-two table.

    Parameters
    ----------
    chi_square : array_like, shape (k,)
        Chi-squared with 1 degree of freedom, without continuity correction, 0 or more and below `n`.
    n, favours
        As in `smd_from_r`.

    Returns
    -------
    EffectSizes
        As `smd_from_r` with r = sqrt(chi-squared/n).

    Raises
    ------
    DesignError, OptionError
        As in `smd_from_r`.

    References
    ----------
    Lipsey, Wilson (2001), Practical Meta-Analysis, appendix B, ISBN 978-0761921684;
    Borenstein et al (2009), Introduction to Meta-Analysis, chapter 7, doi:10.1002/9780470743386.

    Examples
    --------
    >>> smd_from_chi_square(5.4, 60, favours="arm1").yi.round(3)
    array([0.621])
    """
    return _from_r("smd_from_chi_square", {"chi_square": chi_square, "n": n}, favours, "r = √(χ²/n), d = 2r/√(1 − r²)")


def _read(columns: Mapping[str, npt.ArrayLike], lengths: Mapping[str, int], *, n_low: float = 2) -> Rows:
    rows = read_rows(columns, lengths=lengths)
    for name, values in rows.columns.items():
        if name == "n" or name.startswith("n_"):
            rows.require_at_least(name, n_low)
        elif name in {"f", "chi_square"}:
            rows.require_at_least(name, 0)
        elif name == "p":
            rows.require(name, "must be above 0 and at most 1", (values > 0) & (values <= 1))
        elif name == "r":
            rows.require(name, "must be 0 or more and below 1 (favours has the sign)", (values >= 0) & (values < 1))
        else:
            rows.require_finite(name)
    if "chi_square" in rows.columns:
        below = (rows["chi_square"] < rows["n"]) | np.isnan(rows["n"])
        rows.require("chi_square", "must be below n", below)
    if "ci_low" in rows.columns:
        low, high, middle = rows["ci_low"], rows["ci_high"], rows["mean_difference"]
        gap = np.isnan(low) | np.isnan(high) | np.isnan(middle)
        rows.require("ci_high", "must be above ci_low", (high > low) | gap)
        rows.require("mean_difference", "must lie within its interval", ((low <= middle) & (middle <= high)) | gap)
    rows.check()
    return rows


def _from(
    function: str,
    columns: Mapping[str, npt.ArrayLike],
    sign: tuple[str, object, Mapping[str, float]],
    d: Callable[[Rows], FloatArray],
    words: str,
) -> EffectSizes:
    signs = read_signs(*sign)
    rows = _read(columns, signs.lengths)
    n1, n2 = rows["n_arm1"], rows["n_arm2"]
    with np.errstate(all="ignore"):
        g = signs.values * correction(n1 + n2 - 2, exact=True) * d(rows)
        vi = 1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2))
    gap = np.isnan(g)
    return build(
        g,
        np.where(gap, np.nan, vi),
        rows.missing_flags(),
        measure="SMD",
        convention="metafor",
        function=function,
        options={sign[0]: signs.words, "formula": f"{words}; {_LS}"},
    )


def _from_r(function: str, columns: Mapping[str, npt.ArrayLike], favours: object, words: str) -> EffectSizes:
    signs = read_signs("favours", favours, FAVOURS_SIGNS)
    rows = _read(columns, signs.lengths, n_low=4)
    n = rows["n"]
    with np.errstate(all="ignore"):
        r = np.sqrt(rows["chi_square"] / n) if "chi_square" in rows.columns else rows["r"]
        j = correction(n - 2, exact=True)
        g = signs.values * j * 2 * r / np.sqrt(1 - r**2)
        vi = j**2 * 4 / ((n - 1) * (1 - r**2))
    return build(
        g,
        np.where(np.isnan(g), np.nan, vi),
        rows.missing_flags(),
        measure="SMD",
        convention="from a correlation, equal arms",
        function=function,
        options={"favours": signs.words, "formula": f"{words}; g = J d, variance J² 4/((n − 1)(1 − r²))"},
    )
