"""Does the databank's own effect follow from the numbers of its row? Where not, what would explain it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.evidence.effects import study_effects

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies

# The databank prints 15 digits; a difference above this is not rounding of the effect itself.
TOLERANCE = 1e-6

_COLUMNS = ["row", "study", "instrument", "given", "given_se", "computed", "computed_se", "reason"]


def check_given(
    studies: Studies,
    *,
    better: Literal["lower", "higher"] | None = None,
    event: Literal["good", "bad"] | None = None,
) -> pd.DataFrame:
    """List the rows whose given g or standard error does not follow from their own numbers.

    Every row with data and a given g (``.g``, ``.g_se``) is computed again under the Metapsy convention.
    A row is listed when g or its standard error differs by more than 1e-6, with the first explanation that
    reproduces both: opposite sign, n as randomised, standard errors in the place of SDs, another formula,
    rounding of the printed numbers, other whole n (a control group shared out), other means or SDs.

    Parameters
    ----------
    studies : Studies
        A study table with the columns ``.g`` and ``.g_se``.
    better, event : str, optional
        As in `ipt_outcomes.evidence.study_effects`.

    Returns
    -------
    pandas.DataFrame
        ``row study instrument given given_se computed computed_se reason`` (and ``file`` before them where the
        table comes from several); empty where all agree or no effect is given.
    """
    if not {".g", ".g_se"} <= set(studies.comparisons.columns):
        return pd.DataFrame(columns=_COLUMNS)
    rows = study_effects(studies, better=better, event=event).rows
    rows = rows[rows["kind"].isin(["means", "change", "events"]) & rows[".g"].notna() & rows[".g_se"].notna()]
    computed_se = np.sqrt(rows["vi"])
    # A comparison that is not true, so that a NaN on either side is listed too.
    agrees = ((rows["yi"] - rows[".g"]).abs() <= TOLERANCE) & ((computed_se - rows[".g_se"]).abs() <= TOLERANCE)
    off = rows[~agrees]
    listed = pd.DataFrame(
        {
            "row": off["row"],
            "study": off["study"],
            "instrument": off.get("instrument", ""),
            "given": off[".g"],
            "given_se": off[".g_se"],
            "computed": off["yi"],
            "computed_se": computed_se[~agrees],
        }
    )
    if "file" in off:
        listed.insert(0, "file", off["file"])
    return listed.assign(reason=[_explain(row) for _, row in off.iterrows()]).reset_index(drop=True)


def _explain(row: pd.Series) -> str:
    """The first explanation that turns the row's numbers into the given effect."""
    if np.isclose(row["yi"], -row[".g"], rtol=0, atol=TOLERANCE) and row[".g"] != 0:
        return "the sign is the opposite of what the numbers of the two arms give"
    if row["kind"] == "events":
        return "not explained: the given effect does not follow from the events"
    arms = _Arms.of(row)
    given, given_se = float(row[".g"]), float(row[".g_se"])
    for words, g, se in arms.alternatives():
        if abs(g - given) <= TOLERANCE and abs(se - given_se) <= TOLERANCE:
            return words
    if abs(row["yi"] - given) <= arms.rounding() and abs(np.sqrt(row["vi"]) - given_se) <= arms.rounding(error=True):
        return "rounding of the printed means and SDs"
    return (
        arms.other_n(given, given_se) or arms.other_means(given, given_se) or "not explained by the numbers of the row"
    )


class _Arms:
    """Means, SDs and n of a row's two arms, and the effects other readings of them would give."""

    def __init__(self, mean: np.ndarray, sd: np.ndarray, n: np.ndarray, n_randomised: np.ndarray, sign: float) -> None:
        self.mean, self.sd, self.n, self.n_randomised, self.sign = mean, sd, n, n_randomised, sign

    @classmethod
    def of(cls, row: pd.Series) -> _Arms:
        middle = "_change" if row["kind"] == "change" else ""
        mean, sd, n = (
            np.array([row[f"{part}{middle}_arm1"], row[f"{part}{middle}_arm2"]], dtype=float)
            for part in ("mean", "sd", "n")
        )
        randomised = np.array([row.get("rand_arm1", np.nan), row.get("rand_arm2", np.nan)], dtype=float)
        difference = mean[1] - mean[0]
        sign = 1.0 if difference == 0 else float(np.sign(difference) * np.sign(row["yi"] or 1.0))
        return cls(mean, sd, n, randomised, sign)

    def alternatives(self) -> Iterator[tuple[str, float, float]]:
        """Yield each other reading of the row: in words, g, its standard error."""
        yield "n as randomised in place of n observed", *self._effect(self.sd, self.n_randomised)
        yield (
            "the SDs of the row look like standard errors: the databank multiplied them by the root of n",
            *self._effect(self.sd * np.sqrt(self.n), self.n),
        )
        g, se = self._effect(self.sd, self.n)
        correction = self._correction(self.n)
        yield "its standard error is multiplied by the small-sample correction", g, se * correction
        yield "its standard error is computed with the corrected g", g, self._error(self.n, g)
        yield "g without the small-sample correction", g / correction, se
        mean_sd = np.sqrt(np.mean(self.sd**2))
        yield "SDs averaged without weights", *self._effect(np.array([mean_sd, mean_sd]), self.n)
        for arm, words in enumerate(("arm 1", "arm 2")):
            yield f"the SD of {words} alone", *self._effect(np.repeat(self.sd[arm], 2), self.n)

    def other_n(self, given: float, given_se: float) -> str:
        """Whole numbers of people that would give the effect, in words; empty text if none does."""
        most = np.fmax(np.fmax(self.n, self.n_randomised), 4) * 1.5
        n1, n2 = np.meshgrid(np.arange(2, most[0] + 1), np.arange(2, most[1] + 1), indexing="ij")
        df = n1 + n2 - 2
        pooled = np.sqrt(((n1 - 1) * self.sd[0] ** 2 + (n2 - 1) * self.sd[1] ** 2) / df)
        d = self.sign * (self.mean[1] - self.mean[0]) / pooled
        g = d * (1 - 3 / (4 * df - 1))
        se = np.sqrt(1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2)))
        off = np.fmax(np.abs(g - given), np.abs(se - given_se))
        best = np.unravel_index(np.argmin(off), off.shape)
        if off[best] > TOLERANCE:
            return ""
        used, held = (int(n1[best]), int(n2[best])), self.n
        if used[0] == held[0] and used[1] < held[1]:
            return f"n of {used[1]} in arm 2 in place of {held[1]:g}: a control group shared out over comparisons"
        return f"n of {used[0]} and {used[1]} in place of {held[0]:g} and {held[1]:g}"

    def other_means(self, given: float, given_se: float) -> str:
        """In words, if g and its standard error fit each other and the n, so that only means or SDs differ."""
        d = given / self._correction(self.n)
        if abs(self._error(self.n, d) - given_se) > TOLERANCE or d == 0:
            return ""
        pooled = abs((self.mean[1] - self.mean[0]) / d)
        return f"n agrees, other means or SDs than those in the row (a pooled SD of {pooled:.2f} would give it)"

    def rounding(self, *, error: bool = False) -> float:
        """How far rounding of the printed numbers to their last digit can move g, or its standard error."""
        total = TOLERANCE
        which = 1 if error else 0
        for arm in (0, 1):
            for part in ("mean", "sd"):
                moved = []
                for sign in (1, -1):
                    shifted = {"mean": self.mean.copy(), "sd": self.sd.copy()}
                    shifted[part][arm] += sign * _half_unit(shifted[part][arm])
                    moved.append(self._effect(shifted["sd"], self.n, shifted["mean"])[which])
                total += abs(moved[0] - moved[1]) / 2
        return float(total)

    def _effect(self, sd: np.ndarray, n: np.ndarray, mean: np.ndarray | None = None) -> tuple[float, float]:
        mean = self.mean if mean is None else mean
        df = n.sum() - 2
        pooled = np.sqrt(((n - 1) * sd**2).sum() / df)
        d = self.sign * (mean[1] - mean[0]) / pooled
        return float(d * self._correction(n)), self._error(n, d)

    @staticmethod
    def _correction(n: np.ndarray) -> float:
        return float(1 - 3 / (4 * (n.sum() - 2) - 1))

    @staticmethod
    def _error(n: np.ndarray, d: float) -> float:
        return float(np.sqrt((1 / n).sum() + d**2 / (2 * n.sum())))


def _half_unit(value: float) -> float:
    """Half a unit of the last decimal a number was printed with (at least a hundredth is assumed)."""
    decimals = len(repr(float(value)).partition(".")[2].rstrip("0"))
    return float(0.5 * 10.0 ** -max(decimals, 1))
