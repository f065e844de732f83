"""Change from pre to post: of one group, and of two groups against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.correction import correction
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows, read_signs
from ipt_outcomes.effects.smd import BETTER_SIGNS, Better
from ipt_outcomes.errors import OptionError, require_choice

PairedStandardizer = Literal["change", "pre", "pooled"]
PairedVariance = Literal["homoscedastic", "heteroscedastic"]

_FORMULAS = {
    ("change", "homoscedastic"): "J(n − 1) Δ/SD of the change; variance 1/n + g²/(2n)",
    ("pre", "homoscedastic"): "J(n − 1) Δ/SD pre; variance 2(1 − r)/n + g²/(2n)",
    ("pre", "heteroscedastic"): "J(n − 1) Δ/SD pre; variance SDc²/(SDpre²(n − 1)) + g²/(2(n − 1))",
    ("pooled", "homoscedastic"): "J(m) Δ/s, s² the mean of SDpre² and SDpost², m = 2(n − 1)/(1 + r²); "
    "variance 2(1 − r)/n + g²(1 + r²)/(4n)",
    ("pooled", "heteroscedastic"): "J(m) Δ/s, as homoscedastic; variance SDc²/(s²(n − 1)) + "
    "g²(SDpre⁴ + SDpost⁴ + 2r²SDpre²SDpost²)/(8s⁴(n − 1))",
}


def smd_paired(
    mean_pre: npt.ArrayLike,
    sd_pre: npt.ArrayLike,
    mean_post: npt.ArrayLike,
    sd_post: npt.ArrayLike,
    n: npt.ArrayLike,
    r: npt.ArrayLike,
    *,
    better: Better | Sequence[str] | npt.NDArray[np.str_],
    standardizer: PairedStandardizer = "change",
    variance: PairedVariance = "homoscedastic",
) -> EffectSizes:
    """Standardised mean change of one group from pre to post, one per study.

    Parameters
    ----------
    mean_pre, sd_pre, mean_post, sd_post : array_like, shape (k,)
        Mean and SD in instrument points.
    n : array_like, shape (k,)
        Participants with both values.
    r : array_like, shape (k,)
        Correlation of pre and post, above -1 and below 1.
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one. Positive is improvement.
    standardizer : {"change", "pre", "pooled"}
        SD of the change (SMCC), SD at pre (SMCR), or root of the mean of the pre and post variances (SMCRP).
    variance : {"homoscedastic", "heteroscedastic"}
        Whether the sampling variance assumes one SD at both times. "heteroscedastic" goes with "pre" (SMCRH)
        and "pooled" (SMCRPH).

    Returns
    -------
    EffectSizes
        In SDs named by `standardizer`, shape (k,). There is no control group: what time alone would have
        done is part of the effect, and pooling these with controlled effects is wrong.

    Raises
    ------
    DesignError
        n below 2, an SD not above 0, a correlation outside (-1, 1); ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices, or two do not go together.

    References
    ----------
    Becker (1988), Br J Math Stat Psychol 41(2):257-278, doi:10.1111/j.2044-8317.1988.tb00901.x (pre SD);
    Gibbons, Hedeker, Davis (1993), J Educ Stat 18(3):271-279, doi:10.3102/10769986018003271 (change SD);
    Bonett (2008), Psychol Methods 13(2):99-109, doi:10.1037/1082-989X.13.2.99 (heteroscedastic);
    Cousineau (2020), Quant Methods Psychol 16(4):418-421, doi:10.20982/tqmp.16.4.p418 (df of the pooled SD).

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.smd_paired(23.5, 4.1, 12.6, 6.0, 50, 0.4, better="lower", standardizer="pre").yi.round(2)
    array([2.62])
    """
    require_choice("standardizer", standardizer, ("change", "pre", "pooled"))
    require_choice("variance", variance, ("homoscedastic", "heteroscedastic"))
    if (standardizer, variance) not in _FORMULAS:
        raise OptionError("the SD of the change has one variance: leave variance at 'homoscedastic'")
    signs = read_signs("better", better, BETTER_SIGNS)
    columns = {"mean_pre": mean_pre, "sd_pre": sd_pre, "mean_post": mean_post, "sd_post": sd_post, "n": n, "r": r}
    rows = _paired_rows(columns, signs.lengths)
    with np.errstate(all="ignore"):
        yi, vi = _paired(rows, signs.values, standardizer, variance)
    flags = rows.missing_flags()
    return build(
        yi,
        vi,
        flags,
        measure="SMC",
        convention=f"standardised by the {standardizer} SD, {variance} variance",
        function="smd_paired",
        options={
            "better": signs.words,
            "standardizer": standardizer,
            "variance": variance,
            "formula": _FORMULAS[standardizer, variance],
        },
    )


def mean_change(
    mean_pre: npt.ArrayLike,
    sd_pre: npt.ArrayLike,
    mean_post: npt.ArrayLike,
    sd_post: npt.ArrayLike,
    n: npt.ArrayLike,
    r: npt.ArrayLike,
) -> EffectSizes:
    """Mean change of one group in instrument points, post minus pre, one per study.

    Parameters
    ----------
    mean_pre, sd_pre, mean_post, sd_post, n, r : array_like, shape (k,)
        As in `smd_paired`.

    Returns
    -------
    EffectSizes
        ``yi`` in points: negative where the score fell.

    Raises
    ------
    DesignError
        As in `smd_paired`.

    References
    ----------
    Higgins, Li, Deeks (2019), Cochrane Handbook chapter 6, doi:10.1002/9781119536604.ch6.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.mean_change(23.5, 4.1, 12.6, 6.0, 50, 0.4).se.round(3)
    array([0.814])
    """
    columns = {"mean_pre": mean_pre, "sd_pre": sd_pre, "mean_post": mean_post, "sd_post": sd_post, "n": n, "r": r}
    rows = _paired_rows(columns, {})
    with np.errstate(all="ignore"):
        vi = _change_variance(rows) / rows["n"]
    return build(
        rows["mean_post"] - rows["mean_pre"],
        vi,
        rows.missing_flags(),
        measure="MC",
        convention="post minus pre",
        function="mean_change",
        options={"formula": "post minus pre; variance (SDpre² + SDpost² − 2r SDpre SDpost)/n"},
    )


def ratio_of_means_change(
    mean_pre: npt.ArrayLike,
    sd_pre: npt.ArrayLike,
    mean_post: npt.ArrayLike,
    sd_post: npt.ArrayLike,
    n: npt.ArrayLike,
    r: npt.ArrayLike,
) -> EffectSizes:
    """Log ratio of one group's means, post over pre, one per study.

    Parameters
    ----------
    mean_pre, sd_pre, mean_post, sd_post, n, r : array_like, shape (k,)
        As in `smd_paired`, on a scale with a true zero.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, bias-corrected: negative where the score fell. A row whose means differ in sign,
        or one of which is 0, has no ratio and is flagged. There is no control group, as in `smd_paired`.

    Raises
    ------
    DesignError
        As in `smd_paired`.

    References
    ----------
    Lajeunesse (2011), Ecology 92(11):2049-2055, doi:10.1890/11-0423.1;
    Lajeunesse (2015), Ecology 96(8):2056-2063, doi:10.1890/14-2402.1 (correction).

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.ratio_of_means_change(23.5, 4.1, 12.6, 6.0, 50, 0.4).yi.round(3)
    array([-0.621])
    """
    columns = {"mean_pre": mean_pre, "sd_pre": sd_pre, "mean_post": mean_post, "sd_post": sd_post, "n": n, "r": r}
    rows = _paired_rows(columns, {})
    flags = rows.missing_flags()
    pre, post = rows["mean_pre"], rows["mean_post"]
    with np.errstate(all="ignore"):
        before, after = rows["sd_pre"] / pre, rows["sd_post"] / post
        yi = np.where(pre * post > 0, np.log(post / pre), np.nan) + (after**2 - before**2) / (2 * rows["n"])
        vi = (before**2 + after**2 - 2 * rows["r"] * before * after) / rows["n"]
    for row in np.flatnonzero(pre * post <= 0):
        flags[row] = "no effect: the two means differ in sign, or one is 0, so their ratio means nothing"
    return build(
        yi,
        vi,
        flags,
        measure="ROMC",
        convention="post over pre, bias-corrected",
        function="ratio_of_means_change",
        options={"formula": "log(post/pre) + (c2² − c1²)/(2n), variance (c1² + c2² − 2r c1 c2)/n, c = SD/mean"},
    )


def smd_pre_post_control(
    mean_pre_arm1: npt.ArrayLike,
    sd_pre_arm1: npt.ArrayLike,
    mean_post_arm1: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    mean_pre_arm2: npt.ArrayLike,
    sd_pre_arm2: npt.ArrayLike,
    mean_post_arm2: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
    *,
    r: npt.ArrayLike,
    r_arm2: npt.ArrayLike | None = None,
    better: Better | Sequence[str] | npt.NDArray[np.str_],
    standardizer: Literal["separate", "pooled"] = "separate",
) -> EffectSizes:
    """Difference of two arms' changes in SDs at pre (Morris), one per study.

    Parameters
    ----------
    mean_pre_arm1, sd_pre_arm1, mean_post_arm1, mean_pre_arm2, sd_pre_arm2, mean_post_arm2 : array_like, shape (k,)
        Means at pre and post and SD at pre, in instrument points.
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants with both values.
    r : array_like, shape (k,)
        Correlation of pre and post; of arm 1 where `r_arm2` is given, else of both arms.
    r_arm2 : array_like, shape (k,), optional
        Correlation in arm 2, with "separate".
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one. Positive favours arm 1.
    standardizer : {"separate", "pooled"}
        Each arm's change over its own pre SD (d_ppc1), or both over the pooled pre SD (d_ppc2, which Morris
        recommends where the arms share one SD).

    Returns
    -------
    EffectSizes
        In SDs at pre, shape (k,). Post-test SDs are larger, so these are not to be pooled with effects
        in post-test SDs.

    Raises
    ------
    DesignError
        n below 2, an SD not above 0, a correlation outside (-1, 1); ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices, or two do not go together.

    Notes
    -----
    "pooled": g = c (change of arm 1 - change of arm 2)/SD, c = 1 - 3/(4(n1 + n2 - 2) - 1), variance
    2 c^2 (1 - r) (N/(n1 n2)) ((N - 2)/(N - 4)) (1 + n1 n2 g^2/(2 (1 - r) N)) - g^2.

    References
    ----------
    Morris (2008), Organ Res Methods 11(2):364-386, doi:10.1177/1094428106291059 (eq 8 to 10 and 25);
    Becker (1988), Br J Math Stat Psychol 41(2):257-278, doi:10.1111/j.2044-8317.1988.tb00901.x.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.smd_pre_post_control(
    ...     23.5, 4.1, 12.6, 50, 23.9, 4.4, 17.0, 48, r=0.4, better="lower").yi.round(2)
    array([1.07])
    """
    require_choice("standardizer", standardizer, ("separate", "pooled"))
    if standardizer == "pooled" and r_arm2 is not None:
        raise OptionError("standardizer='pooled' takes one correlation for both arms: leave r_arm2 out")
    signs = read_signs("better", better, BETTER_SIGNS)
    columns = {
        "mean_pre_arm1": mean_pre_arm1,
        "sd_pre_arm1": sd_pre_arm1,
        "mean_post_arm1": mean_post_arm1,
        "n_arm1": n_arm1,
        "mean_pre_arm2": mean_pre_arm2,
        "sd_pre_arm2": sd_pre_arm2,
        "mean_post_arm2": mean_post_arm2,
        "n_arm2": n_arm2,
        "r": r,
    }
    if r_arm2 is not None:
        columns["r_arm2"] = r_arm2
    rows = _paired_rows(columns, signs.lengths)
    with np.errstate(all="ignore"):
        yi, vi = (_separate if standardizer == "separate" else _pooled)(rows, signs.values)
    return build(
        yi,
        vi,
        rows.missing_flags(),
        measure="SMDPC",
        convention=f"{standardizer} pre SD",
        function="smd_pre_post_control",
        options={
            "better": signs.words,
            "standardizer": standardizer,
            "formula": "difference of J(n − 1) Δ/SD pre per arm; variances 2(1 − r)/n + g²/(2n) added"
            if standardizer == "separate"
            else "J approximate, pooled pre SD; variance of Morris 2008, eq 25",
        },
    )


def _paired_rows(columns: Mapping[str, npt.ArrayLike], lengths: Mapping[str, int]) -> Rows:
    rows = read_rows(columns, lengths=lengths)
    for name, values in rows.columns.items():
        if name.startswith("mean"):
            rows.require_finite(name)
        elif name.startswith("sd"):
            rows.require_at_least(name, 0, strict=True)
        elif name.startswith("r"):
            rows.require(name, "must lie between -1 and 1, both excluded", np.abs(values) < 1)
        else:
            rows.require_at_least(name, 2)
    rows.check()
    return rows


def _change_variance(rows: Rows) -> FloatArray:
    return np.asarray(
        rows["sd_pre"] ** 2 + rows["sd_post"] ** 2 - 2 * rows["r"] * rows["sd_pre"] * rows["sd_post"], dtype=float
    )


def _paired(rows: Rows, signs: FloatArray, standardizer: str, variance: str) -> tuple[FloatArray, FloatArray]:
    n, r, df = rows["n"], rows["r"], rows["n"] - 1
    change, square = signs * (rows["mean_post"] - rows["mean_pre"]), _change_variance(rows)
    if standardizer == "change":
        g = correction(df, exact=True) * change / np.sqrt(square)
        return g, np.asarray(1 / n + g**2 / (2 * n))
    if standardizer == "pre":
        g = correction(df, exact=True) * change / rows["sd_pre"]
        if variance == "homoscedastic":
            return g, np.asarray(2 * (1 - r) / n + g**2 / (2 * n))
        return g, np.asarray(square / rows["sd_pre"] ** 2 / df + g**2 / (2 * df))
    mean_square = (rows["sd_pre"] ** 2 + rows["sd_post"] ** 2) / 2
    g = correction(2 * df / (1 + r**2), exact=True) * change / np.sqrt(mean_square)
    if variance == "homoscedastic":
        return g, np.asarray(2 * (1 - r) / n + g**2 * (1 + r**2) / (4 * n))
    pre, post = rows["sd_pre"] ** 2 / mean_square, rows["sd_post"] ** 2 / mean_square
    return g, np.asarray(square / mean_square / df + g**2 * (pre**2 + post**2 + 2 * r**2 * pre * post) / (8 * df))


def _changes(rows: Rows, signs: FloatArray) -> tuple[FloatArray, FloatArray]:
    change1 = signs * (rows["mean_post_arm1"] - rows["mean_pre_arm1"])
    return change1, signs * (rows["mean_post_arm2"] - rows["mean_pre_arm2"])


def _separate(rows: Rows, signs: FloatArray) -> tuple[FloatArray, FloatArray]:
    effects, variances = [], []
    for arm, change in zip(("arm1", "arm2"), _changes(rows, signs), strict=True):
        n = rows[f"n_{arm}"]
        r = rows["r_arm2"] if arm == "arm2" and "r_arm2" in rows.columns else rows["r"]
        g = correction(n - 1, exact=True) * change / rows[f"sd_pre_{arm}"]
        effects.append(g)
        variances.append(2 * (1 - r) / n + g**2 / (2 * n))
    return np.asarray(effects[0] - effects[1]), np.asarray(variances[0] + variances[1])


def _pooled(rows: Rows, signs: FloatArray) -> tuple[FloatArray, FloatArray]:
    n1, n2, r = rows["n_arm1"], rows["n_arm2"], rows["r"]
    total = n1 + n2
    square = ((n1 - 1) * rows["sd_pre_arm1"] ** 2 + (n2 - 1) * rows["sd_pre_arm2"] ** 2) / (total - 2)
    change1, change2 = _changes(rows, signs)
    j = correction(total - 2, exact=False)
    g = j * (change1 - change2) / np.sqrt(square)
    spread = 2 * j**2 * (1 - r) * total / (n1 * n2) * (total - 2) / (total - 4)
    return g, np.asarray(
        np.where(total > 4, spread * (1 + n1 * n2 * g**2 / (2 * (1 - r) * total)) - g**2, np.nan), dtype=float
    )
