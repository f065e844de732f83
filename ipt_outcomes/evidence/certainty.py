"""Rows of a summary of findings: effects in absolute numbers, and places for judgements that people make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ipt_outcomes.errors import OptionError, require_choice, require_known
from ipt_outcomes.evidence.benefit import at_control_rate
from ipt_outcomes.evidence.flow import read_table_file
from ipt_outcomes.results import ResultObject, format_interval, format_number

if TYPE_CHECKING:
    from ipt_outcomes.evidence.battery import Battery

DOMAINS = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
DOMAIN_WORDS = (
    "not serious", "serious", "very serious", "extremely serious", "undetected", "strongly suspected",
)  # fmt: skip
CERTAINTY = ("high", "moderate", "low", "very low")
JUDGED = (*DOMAINS, "certainty", "explanation")
# What stands in a cell that nobody has judged.
TO_BE_JUDGED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsRow(ResultObject):
    """One row of a summary of findings.

    Parameters
    ----------
    comparison : str
    measure : str
    studies : int
    participants : int or None
        None where no study tells it.
    estimate, ci_low, ci_high : float
        On the scale of the measure; ratios on the log scale.
    control_rate : float
        Proportion with the good outcome in arm 2 that the absolute numbers rest on.
    control_rate_source : str
        "pooled" from the studies, or "assumed".
    control_per_1000, treatment_per_1000, treatment_per_1000_low, treatment_per_1000_high : float
        People of 1,000 with the good outcome.
    difference_per_1000, difference_per_1000_low, difference_per_1000_high : float
    judgements : mapping of str to str
        As people gave them: `DOMAINS`, "certainty", "explanation"; empty text where nobody judged. Never
        filled in here.
    """

    comparison: str
    measure: str
    studies: int
    participants: int | None
    estimate: float
    ci_low: float
    ci_high: float
    control_rate: float
    control_rate_source: str
    control_per_1000: float
    treatment_per_1000: float
    treatment_per_1000_low: float
    treatment_per_1000_high: float
    difference_per_1000: float
    difference_per_1000_low: float
    difference_per_1000_high: float
    judgements: Mapping[str, str] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether people gave a certainty."""
        return bool(self.judgements.get("certainty"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the numbers, then a column per judgement."""
        skipped = {"judgements"}
        record = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in skipped}
        return pd.DataFrame([record | {name: self.judgements.get(name, TO_BE_JUDGED) for name in JUDGED}])

    def summary(self, digits: int = 2) -> str:
        """Return the absolute numbers in words, and what is left to judge."""
        words = self.judgements.get("certainty") or "to be judged by people"
        control, treated = (format_number(n, "integer") for n in (self.control_per_1000, self.treatment_per_1000))
        limits = format_interval(self.treatment_per_1000_low, self.treatment_per_1000_high, "integer")
        return (
            f"{self.comparison}: of 1,000 people {control} have a good outcome in arm 2, {treated} ({limits}) in "
            f"arm 1; certainty: {words}"
        )


def findings_row(battery: Battery, participants: int | None, judgements: Mapping[str, str]) -> FindingsRow:
    """Return the row of one comparison and measure.

    Parameters
    ----------
    battery : Battery
    participants : int or None
    judgements : mapping of str to str

    Returns
    -------
    FindingsRow
        At the pooled control rate where the studies tell one, else at the assumed one.
    """
    told = battery.control_rate
    rate = battery.options.control_rate if told is None else told.rate
    pooled = battery.combined
    needed = at_control_rate(pooled, rate)
    gains = [float(value[0]) for value in (needed.benefit, needed.benefit_low, needed.benefit_high)]
    thousands = [1000 * (rate + gain) for gain in gains]
    return FindingsRow(
        comparison=battery.name,
        measure=str(pooled.measure),
        studies=pooled.k,
        participants=participants,
        estimate=pooled.estimate,
        ci_low=pooled.ci_low,
        ci_high=pooled.ci_high,
        control_rate=rate,
        control_rate_source="assumed" if told is None else "pooled",
        control_per_1000=1000 * rate,
        treatment_per_1000=thousands[0],
        treatment_per_1000_low=thousands[1],
        treatment_per_1000_high=thousands[2],
        difference_per_1000=1000 * gains[0],
        difference_per_1000_low=1000 * gains[1],
        difference_per_1000_high=1000 * gains[2],
        judgements={name: judgements.get(name, TO_BE_JUDGED) for name in JUDGED},
    )


def read_judgements(
    given: Mapping[str, Any] | str | Path | None, comparisons: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Read judgements that people made on comparisons.

    Parameters
    ----------
    given : mapping, path or None
        A table per comparison, by its name, of `DOMAINS`, ``certainty`` and ``explanation``. With one comparison
        the table may hold these entries directly. A path is a TOML or JSON file.
    comparisons : sequence of str
        Names there are.

    Returns
    -------
    dict of str to dict of str to str
        By comparison; those not judged are not in it.

    Raises
    ------
    OptionError
        A comparison or an entry that is not known, or a word that is no judgement.
    """
    if given is None:
        return {}
    raw = given if isinstance(given, Mapping) else read_table_file(Path(given), "judgements")
    names = list(dict.fromkeys(comparisons))
    if raw and not any(isinstance(value, Mapping) for value in raw.values()):
        if len(names) != 1:
            raise OptionError(
                "the judgements do not say which comparison they are on", hint=f"Comparisons are: {', '.join(names)}"
            )
        raw = {names[0]: raw}
    require_known("there is no comparison to judge called", raw, names)
    return {name: _judged(name, part) for name, part in raw.items()}


def _judged(name: str, part: Any) -> dict[str, str]:
    if not isinstance(part, Mapping) or not all(isinstance(word, str) for word in part.values()):
        raise OptionError(f"the judgements on {name!r} must be a table of words")
    require_known(f"judgements on {name!r} have no entry", part, JUDGED)
    for entry, word in part.items():
        if word and entry in DOMAINS:
            require_choice(entry, word, DOMAIN_WORDS)
        elif word and entry == "certainty":
            require_choice(entry, word, CERTAINTY)
    return dict(part)
