"""How one battery's numbers and names are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.evidence import Battery, EvidenceSynthesis
from ipt_outcomes.report.numbers import Numbers
from ipt_outcomes.results import Results, Style
from ipt_outcomes.tables import Content, Value, interval
from ipt_outcomes.vocabulary import label, study_arm_of

_SYMBOLS = {"SMD": "g", "OR": "OR", "RR": "RR", "RD": "RD"}
_FULL = {
    "SMD": "standardised mean difference (Hedges' g)",
    "OR": "odds ratio",
    "RR": "risk ratio",
    "RD": "risk difference",
}


@dataclass(frozen=True, slots=True)
class Shown(Numbers):
    """The numbers of one battery, found in the results and ready to be placed in text.

    Parameters
    ----------
    battery : Battery
    results : Results
    prefix : str
        Start of every anchor of this battery, so that several stand in one document.
    """

    battery: Battery
    results: Results
    prefix: str

    @property
    def symbol(self) -> str:
        """Short name of the measure."""
        return _SYMBOLS[str(self.battery.combined.measure)]

    @property
    def measure(self) -> str:
        """Name of the measure in words."""
        return _FULL[str(self.battery.combined.measure)]

    @property
    def scale(self) -> str:
        """What to say of variances and standard errors: those of a ratio are of its logarithm."""
        return " (log scale)" if self.battery.effects.is_ratio else ""

    @property
    def level(self) -> str:
        """Confidence level, as "95%"."""
        return f"{100 * self.battery.combined.level:g}%"

    @property
    def own(self) -> Mapping[str, str]:
        """Group levels of the battery."""
        return self.battery.groups

    def effect(self, analysis: str, /, **levels: str) -> Content:
        """Return an effect with its interval: "0.49 (0.36 to 0.62)", ratios on their own scale."""
        return (self.estimate(analysis, **levels), " (", *self.limits(analysis, **levels), ")")

    def estimate(self, analysis: str, /, **levels: str) -> Value:
        """Return an effect, ratios on their own scale."""
        return self.value(analysis, "ratio" if self.battery.effects.is_ratio else "estimate", **levels)

    def limits(self, analysis: str, kind: str = "ci", style: Style = "decimal2", /, **levels: str) -> Content:
        """Return an interval: "0.36 to 0.62"; kind is "ci", "prediction" or "z_ci"."""
        ratio = "ratio_" if self.battery.effects.is_ratio else ""
        low, high = (self.value(analysis, f"{ratio}{kind}_{end}", **levels) for end in ("low", "high"))
        return interval(low.result_id, high.result_id, style)


def shown_batteries(synthesis: EvidenceSynthesis) -> tuple[Shown, ...]:
    """Return each battery of a synthesis ready to be shown.

    Parameters
    ----------
    synthesis : EvidenceSynthesis

    Returns
    -------
    tuple of Shown
    """
    several = len(synthesis.batteries) > 1
    return tuple(
        Shown(battery, synthesis.results, f"c{number}-" if several else "")
        for number, battery in enumerate(synthesis.batteries, start=1)
    )


def title_of(battery: Battery, synthesis: EvidenceSynthesis) -> str:
    """Return the heading of a battery: the comparison, and the measure where there are several.

    Parameters
    ----------
    battery : Battery
    synthesis : EvidenceSynthesis

    Returns
    -------
    str
    """
    if len(synthesis.options.measures) == 1:
        return battery.name
    return f"{battery.name}: {_FULL[str(battery.combined.measure)]}"


def condition(text: str, *, code: bool = True) -> str:
    """Return a condition in words, with the code it was written as: "usual care (cau)".

    Parameters
    ----------
    text : str
        As the study table writes it.
    code : bool
        Whether to show what was written, too.

    Returns
    -------
    str
    """
    arm = study_arm_of(text)
    words = label(arm) if arm is not None else text
    return words if words.casefold() == text.casefold() or not code else f"{words} ({text})"


def level_name(battery: Battery, level: str) -> str:
    """Return a level of the column compared by, in words where it is a condition.

    Parameters
    ----------
    battery : Battery
    level : str

    Returns
    -------
    str
    """
    return condition(level) if battery.by in {"condition_arm1", "condition_arm2"} else level


def arms_in_words(battery: Battery) -> tuple[str, str]:
    """Return what arm 1 and arm 2 are in this battery, in words for a sentence.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    tuple of str
    """
    rows = battery.study_effects.rows
    return _in_words(rows, "condition_arm1", "the treatment in arm 1"), _in_words(
        rows, "condition_arm2", "the comparison"
    )


def _in_words(rows: pd.DataFrame, column: str, otherwise: str) -> str:
    """The one condition a column holds, as written or as a class of conditions (any medication is medication)."""
    names = list(rows[column].dropna().astype(str).str.strip().unique()) if column in rows else []
    words = {condition(name, code=False) for name in names}
    return words.pop() if len(words) == 1 else otherwise
