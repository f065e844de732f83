"""Whether a treatment makes outcomes more or less alike: ratios of SDs and of coefficients of variation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import read_rows
from ipt_outcomes.effects.means import checked, six_columns


def variability_ratio(
    sd_arm1: npt.ArrayLike, n_arm1: npt.ArrayLike, sd_arm2: npt.ArrayLike, n_arm2: npt.ArrayLike
) -> EffectSizes:
    """Log ratio of two standard deviations, arm 1 over arm 2, one per study.

    Parameters
    ----------
    sd_arm1, sd_arm2 : array_like, shape (k,)
        SD in instrument points.
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants with the outcome observed.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, shape (k,): above 0 where arm 1 varies more. It says how alike the outcomes are,
        not who does better.

    Raises
    ------
    DesignError
        n below 2, an SD not above 0, a cell that is no number; ``.rows`` lists all rows.

    Notes
    -----
    log(SD1/SD2) + 1/(2(n1 - 1)) - 1/(2(n2 - 1)) with variance 1/(2(n1 - 1)) + 1/(2(n2 - 1)), for a normal
    outcome. On a scale with a floor the SD falls with the mean: `cv_ratio` allows for that.

    References
    ----------
    Nakagawa, Poulin, Mengersen et al (2015), Methods Ecol Evol 6(2):143-152, doi:10.1111/2041-210X.12309.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.variability_ratio(6.1, 40, 6.4, 38).yi.round(3)
    array([-0.049])
    """
    rows = read_rows({"sd_arm1": sd_arm1, "n_arm1": n_arm1, "sd_arm2": sd_arm2, "n_arm2": n_arm2})
    sd1, n1, sd2, n2 = checked(rows)
    with np.errstate(all="ignore"):
        half1, half2 = 0.5 / (n1 - 1), 0.5 / (n2 - 1)
        yi = np.log(sd1 / sd2) + half1 - half2
    return build(
        yi,
        half1 + half2,
        rows.missing_flags(),
        measure="VR",
        convention="bias-corrected",
        function="variability_ratio",
        options={"formula": "log(SD1/SD2) + h1 − h2, variance h1 + h2, h = 1/(2(n − 1))"},
    )


def cv_ratio(
    mean_arm1: npt.ArrayLike,
    sd_arm1: npt.ArrayLike,
    n_arm1: npt.ArrayLike,
    mean_arm2: npt.ArrayLike,
    sd_arm2: npt.ArrayLike,
    n_arm2: npt.ArrayLike,
) -> EffectSizes:
    """Log ratio of two coefficients of variation (SD over mean), arm 1 over arm 2, one per study.

    Parameters
    ----------
    mean_arm1, sd_arm1, mean_arm2, sd_arm2 : array_like, shape (k,)
        Mean and SD in points of an instrument with a true zero.
    n_arm1, n_arm2 : array_like, shape (k,)
        Participants with the outcome observed.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, shape (k,): above 0 where arm 1 varies more for its mean. A row whose means are
        not both above 0, or not both below, has none and is flagged.

    Raises
    ------
    DesignError
        As in `variability_ratio`.

    Notes
    -----
    Both the SD's and the mean's bias of the logarithm are removed, to second order.

    References
    ----------
    Nakagawa, Poulin, Mengersen et al (2015), Methods Ecol Evol 6(2):143-152, doi:10.1111/2041-210X.12309;
    Senior, Viechtbauer, Nakagawa (2020), Res Synth Methods 11(4):553-567, doi:10.1002/jrsm.1423 (correction).

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.cv_ratio(11.2, 6.1, 40, 15.0, 6.4, 38).yi.round(3)
    array([0.242])
    """
    rows = read_rows(six_columns(mean_arm1, sd_arm1, n_arm1, mean_arm2, sd_arm2, n_arm2))
    mean1, sd1, n1, mean2, sd2, n2 = checked(rows)
    flags = rows.missing_flags()
    with np.errstate(all="ignore"):
        half1, half2 = 0.5 / (n1 - 1), 0.5 / (n2 - 1)
        share1, share2 = sd1**2 / (n1 * mean1**2), sd2**2 / (n2 * mean2**2)
        ratio = np.log(sd1 / sd2) - np.log(mean1 / mean2)
        yi = np.where(mean1 * mean2 > 0, ratio + half1 - half2 + 0.5 * (share2 - share1), np.nan)
    for row in np.flatnonzero(mean1 * mean2 <= 0):
        flags[row] = "no effect: the two means differ in sign, or one is 0, so SD over mean says nothing"
    return build(
        yi,
        half1 + half2 + share1 + share2,
        flags,
        measure="CVR",
        convention="bias-corrected",
        function="cv_ratio",
        options={
            "formula": "log((SD1/mean1)/(SD2/mean2)) + h1 − h2 + (s2 − s1)/2; variance h1 + h2 + s1 + s2, "
            "h = 1/(2(n − 1)), s = SD²/(n mean²)"
        },
    )
