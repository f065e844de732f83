"""The arithmetic of standardised mean differences: which SD, which J, which variance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ipt_outcomes.effects.correction import correction
from ipt_outcomes.effects.inputs import FloatArray
from ipt_outcomes.effects.means import pooled_variance
from ipt_outcomes.errors import OptionError, require_choice

STANDARDIZERS = ("pooled", "average", "arm2")
FORMULAS: dict[str, str] = {
    "LS": "1/n1 + 1/n2 + g²/(2N)",
    "LS2": "J² (1/n1 + 1/n2 + d²/(2N))",
    "UB": "1/n1 + 1/n2 + (1 − (df − 2)/(df J²)) g²",
    "AV": "1/n1 + 1/n2 + ḡ²/(2N), ḡ the mean of g weighted by N",
    "H0": "J² df/(df − 2) (1/n1 + 1/n2)",
    "unequal": "SD1²/(s²(n1 − 1)) + SD2²/(s²(n2 − 1)) + g² (SD1⁴/(n1 − 1) + SD2⁴/(n2 − 1))/(8 s⁴)",
    "metapsy": "1/n1 + 1/n2 + d²/(2N), d before J",
}
_GLASS = {
    "LS": "1/n1 + 1/n2 + g²/(2 n2)",
    "unequal": "SD1²/(SD2²(n1 − 1)) + 1/(n2 − 1) + g²/(2(n2 − 1))",
}


class Arms(NamedTuple):
    """Means, SDs and numbers of two arms, each of shape (k,)."""

    mean1: FloatArray
    sd1: FloatArray
    n1: FloatArray
    mean2: FloatArray
    sd2: FloatArray
    n2: FloatArray


class Choice(NamedTuple):
    """How to standardise.

    Parameters
    ----------
    convention : {"metafor", "metapsy"}
    variance : str
        A key of `FORMULAS`.
    standardizer : {"pooled", "average", "arm2"}
    """

    convention: str
    variance: str
    standardizer: str

    @property
    def name(self) -> str:
        """The convention in words, with what differs from its defaults."""
        words = [self.convention]
        if self.standardizer != "pooled":
            words.append("SD of arm 2" if self.standardizer == "arm2" else "average SD")
        if self.variance != "LS":
            words.append(f"variance {self.variance}")
        return ", ".join(words)

    @property
    def formula(self) -> str:
        """What yi and vi are."""
        if self.convention == "metapsy":
            return f"J = 1 − 3/(4 df − 1); variance {FORMULAS['metapsy']}"
        table = _GLASS if self.standardizer == "arm2" else FORMULAS
        return f"J exact; variance {table[self.variance]}"


def read_choice(convention: str, variance: str, standardizer: str) -> Choice:
    """Return the choice, or raise for names that are unknown or do not go together.

    Parameters
    ----------
    convention, variance, standardizer : str
        As in `ipt_outcomes.effects.smd`.

    Returns
    -------
    Choice
        Unequal variances have the average SD; the average SD has unequal variances.

    Raises
    ------
    OptionError
    """
    require_choice("convention", convention, ("metafor", "metapsy"))
    require_choice("variance", variance, tuple(name for name in FORMULAS if name != "metapsy"))
    require_choice("standardizer", standardizer, STANDARDIZERS)
    if convention == "metapsy":
        for name, value, default in (("variance", variance, "LS"), ("standardizer", standardizer, "pooled")):
            if value != default:
                raise OptionError(
                    f"convention='metapsy' fixes the {name}: {name} must be {default!r} (its default); got {value!r}"
                )
    if standardizer == "pooled":
        standardizer = "average" if variance == "unequal" else "pooled"
    elif variance not in {"LS", "unequal"}:
        raise OptionError(f"variance {variance!r} is defined for the pooled SD; standardizer is {standardizer!r}")
    elif standardizer == "average":
        variance = "unequal"
    return Choice(convention, variance, standardizer)


def standardise(arms: Arms, signs: FloatArray, choice: Choice) -> tuple[FloatArray, FloatArray]:
    """Return g and its variance.

    Parameters
    ----------
    arms : Arms
        Checked: SDs above 0, numbers of 2 or more.
    signs : numpy.ndarray, shape () or (k,)
        +1 where higher is better, else -1.
    choice : Choice

    Returns
    -------
    tuple of numpy.ndarray, shape (k,)
        NaN or infinite where the numbers give none.
    """
    with np.errstate(all="ignore"):
        difference = signs * (arms.mean1 - arms.mean2)
        if choice.standardizer == "arm2":
            return _glass(arms, difference, choice.variance)
        j = correction(arms.n1 + arms.n2 - 2, exact=choice.convention != "metapsy")
        if choice.standardizer == "average":
            return _unequal(arms, difference, j)
        d = difference / np.sqrt(pooled_variance(arms.sd1, arms.n1, arms.sd2, arms.n2))
        kind = "metapsy" if choice.convention == "metapsy" else choice.variance
        return j * d, _variance(kind, d, j, arms.n1, arms.n2)


def _glass(arms: Arms, difference: FloatArray, variance: str) -> tuple[FloatArray, FloatArray]:
    df = arms.n2 - 1
    g = correction(df, exact=True) * difference / arms.sd2
    if variance == "unequal":
        ratio = arms.sd1**2 / arms.sd2**2
        return g, np.asarray(ratio / (arms.n1 - 1) + 1 / df + g**2 / (2 * df))
    return g, np.asarray(1 / arms.n1 + 1 / arms.n2 + g**2 / (2 * arms.n2))


def _unequal(arms: Arms, difference: FloatArray, j: FloatArray) -> tuple[FloatArray, FloatArray]:
    square1, square2 = arms.sd1**2, arms.sd2**2
    average = (square1 + square2) / 2
    g = j * difference / np.sqrt(average)
    df1, df2 = arms.n1 - 1, arms.n2 - 1
    share1, share2 = square1 / average, square2 / average
    return g, np.asarray(share1 / df1 + share2 / df2 + g**2 * (share1**2 / df1 + share2**2 / df2) / 8)


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
