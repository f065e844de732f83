"""Differences and ratios of two means, in instrument points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows
from ipt_outcomes.errors import require_choice


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
    rows = read_rows(six_columns(mean_arm1, sd_arm1, n_arm1, mean_arm2, sd_arm2, n_arm2))
    mean1, sd1, n1, mean2, sd2, n2 = checked(rows)
    with np.errstate(all="ignore"):
        if variance == "pooled":
            vi = pooled_variance(sd1, n1, sd2, n2) * (1 / n1 + 1 / n2)
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


def ratio_of_means(
    mean_arm1: npt.ArrayLike,
    sd_arm1: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    mean_arm2: npt.ArrayLike,
    sd_arm2: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
    *,
    variance: Literal["separate", "pooled"] = "separate",
    correct: bool = True,
) -> EffectSizes:
    """Log ratio of two means, arm 1 over arm 2, one per study.

    Parameters
    ----------
    mean_arm1, sd_arm1, n_arm1, mean_arm2, sd_arm2, n_arm2 : array_like, shape (k,)
        As in `mean_difference`; both means of a study have one sign (the scale has a true zero).
    variance : {"separate", "pooled"}
        Each arm's own SD, or the pooled one.
    correct : bool
        Whether the bias of the logarithm in small samples is removed (second-order term).

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, shape (k,): the sign says which mean is larger, not who does better. A row
        whose means differ in sign, or one of which is 0, has no ratio and is flagged.

    Raises
    ------
    DesignError, OptionError
        As in `mean_difference`.

    References
    ----------
    Hedges, Gurevitch, Curtis (1999), Ecology 80(4):1150-1156,
    doi:10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2;
    Lajeunesse (2015), Ecology 96(8):2056-2063, doi:10.1890/14-2402.1 (correction).

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.ratio_of_means(11.2, 6.1, 40, 15.0, 6.4, 38).yi.round(3)
    array([-0.291])
    """
    require_choice("variance", variance, ("separate", "pooled"))
    rows = read_rows(six_columns(mean_arm1, sd_arm1, n_arm1, mean_arm2, sd_arm2, n_arm2))
    mean1, sd1, n1, mean2, sd2, n2 = checked(rows)
    flags = rows.missing_flags()
    with np.errstate(all="ignore"):
        squares = (sd1**2, sd2**2)
        if variance == "pooled":
            squares = (pooled_variance(sd1, n1, sd2, n2),) * 2
        share1, share2 = squares[0] / (n1 * mean1**2), squares[1] / (n2 * mean2**2)
        yi = np.where(mean1 * mean2 > 0, np.log(mean1 / mean2), np.nan)
    for row in np.flatnonzero(mean1 * mean2 <= 0):
        flags[row] = "no effect: the two means differ in sign, or one is 0, so their ratio means nothing"
    return build(
        yi + 0.5 * (share1 - share2) if correct else yi,
        share1 + share2,
        flags,
        measure="ROM",
        convention=f"{variance} variance, {'bias-corrected' if correct else 'uncorrected'}",
        function="ratio_of_means",
        options={
            "variance": variance,
            "correct": bool(correct),
            "formula": f"log(mean1/mean2){' + (s1 − s2)/2' if correct else ''}; variance s1 + s2, s = SD²/(n mean²)",
        },
    )


def six_columns(*columns: npt.ArrayLike) -> dict[str, npt.ArrayLike]:
    """Return the six arguments of a comparison of two means under their names."""
    names = ("mean_arm1", "sd_arm1", "n_arm1", "mean_arm2", "sd_arm2", "n_arm2")
    return dict(zip(names, columns, strict=True))


def checked(rows: Rows) -> tuple[FloatArray, ...]:
    """Return the columns after the checks that go with their names (mean, sd, n)."""
    for name in rows.columns:
        if name.startswith("mean"):
            rows.require_finite(name)
        elif name.startswith("sd"):
            rows.require_at_least(name, 0, strict=True)
        else:
            rows.require_at_least(name, 2)
    rows.check()
    return tuple(rows[name] for name in rows.columns)


def pooled_variance(sd1: FloatArray, n1: FloatArray, sd2: FloatArray, n2: FloatArray) -> FloatArray:
    """Return the variance pooled over two arms, shape (k,)."""
    return ((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2)


def change_columns(columns: Mapping[str, npt.ArrayLike]) -> dict[str, npt.ArrayLike]:
    """Return the same columns under the names of change scores (``mean_arm1`` is ``mean_change_arm1``)."""
    return {name.replace("_arm", "_change_arm"): values for name, values in columns.items()}
