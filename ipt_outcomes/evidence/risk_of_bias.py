"""Risk of bias per study and domain, as the traffic light shows it: RoB 2 domains, or the databank's items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.results import ResultObject, plural

# Judgements in the order of a legend.
JUDGEMENTS = ("low", "some", "high", "high or unclear", "unclear", "no information")
_WORDS: Mapping[str, str] = {
    "low": "low", "low risk": "low", "l": "low", "+": "low", "green": "low",
    "some": "some", "some concerns": "some", "some concern": "some", "moderate": "some", "s": "some", "sc": "some",
    "high": "high", "high risk": "high", "h": "high", "-": "high", "serious": "high", "critical": "high", "red": "high",
    "unclear": "unclear", "unclear risk": "unclear", "?": "unclear", "u": "unclear",
    "no information": "no information", "ni": "no information",
}  # fmt: skip
ROB2: Mapping[str, str] = {
    "rob2_d1": "Randomisation process",
    "rob2_d2": "Deviations from intended interventions",
    "rob2_d3": "Missing outcome data",
    "rob2_d4": "Measurement of the outcome",
    "rob2_d5": "Selection of the reported result",
    "rob2_overall": "Overall",
}
ITEMS: Mapping[str, str] = {
    "sg": "Random sequence",
    "ac": "Allocation concealment",
    "ba": "Blinded or self-reported outcome",
    "itt": "All randomised analysed",
}
# Items of the databank: 1 is low risk, 0 high or unclear; "sr" is a self-report, where there is no assessor to blind.
_ITEM_LOW = frozenset(("1", "1.0", "sr", "low"))
_ITEM_NOT_LOW = frozenset(("0", "0.0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOfBias(ResultObject):
    """Risk of bias as the table tells it.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``study domain judgement``; judgements are among `JUDGEMENTS`. Where rows of a study differ, the worst
        counts.
    counts : pandas.DataFrame
        ``study low``: number of items at low risk as the table has it (``rob``); empty where it has none.
    source : str
        "RoB 2", "items of the databank", "rating", "count of low-risk items".
    notes : tuple of str
    """

    frame: pd.DataFrame
    counts: pd.DataFrame
    source: str
    notes: tuple[str, ...] = ()

    @property
    def domains(self) -> tuple[str, ...]:
        """Domains in the order shown."""
        return tuple(dict.fromkeys(self.frame["domain"]))

    def shares(self) -> pd.DataFrame:
        """Return ``domain judgement studies``, every judgement that occurs in the order of a legend."""
        counted = self.frame.groupby(["domain", "judgement"], sort=False).size()
        lines = [
            (domain, judgement, int(counted[domain, judgement]))
            for domain in self.domains
            for judgement in JUDGEMENTS
            if (domain, judgement) in counted.index
        ]
        return pd.DataFrame(lines, columns=["domain", "judgement", "studies"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per study, one column per domain."""
        wide = self.frame.pivot_table(index="study", columns="domain", values="judgement", aggfunc="first", sort=False)
        wide = wide.reindex(columns=list(self.domains)).reset_index()
        wide.columns.name = None
        return wide if len(wide) else self.counts.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many studies have a low risk in each domain."""
        lines = [f"Risk of bias ({self.source})"]
        for domain in self.domains:
            part = self.frame[self.frame["domain"] == domain]
            low = int((part["judgement"] == "low").sum())
            lines.append(f"{domain}: low in {low} of {len(part)} {plural(len(part), 'study', 'studies')}")
        return "\n".join([*lines, *self.notes])


def judgement_of(text: object) -> str | None:
    """Return a judgement in our words; None where the text is none.

    Parameters
    ----------
    text : object

    Returns
    -------
    str or None

    Examples
    --------
    >>> judgement_of("Some concerns"), judgement_of("fine")
    ('some', None)
    """
    if not isinstance(text, str):
        return None
    return _WORDS.get(" ".join(text.casefold().split()))


def risk_of_bias(rows: pd.DataFrame) -> RiskOfBias | None:
    """Read the risk of bias of the studies from their rows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a study table: ``rob2_d1`` to ``rob2_d5`` and ``rob2_overall`` (RoB 2), else ``sg ac ba itt``, else
        ``rob_rating``; ``rob``, the count of low-risk items, is carried along.

    Returns
    -------
    RiskOfBias or None
        None where the table tells nothing.
    """
    counts = pd.DataFrame(columns=["study", "low"])
    if "rob" in rows and rows["rob"].notna().any():
        counts = _per_study(rows, pd.to_numeric(rows["rob"], errors="coerce"), worst=min, name="low")
    for source, columns, read in (
        ("RoB 2", ROB2, judgement_of),
        ("items of the databank", ITEMS, _item),
        ("rating", {"rob_rating": "Overall"}, judgement_of),
    ):
        found = [_domain(rows, column, title, read) for column, title in columns.items() if column in rows]
        told = [(part, unread) for part, unread in found if len(part)]
        if told:
            unread = sorted({word for _, words in told for word in words})
            note = (f"not read as a judgement: {', '.join(unread)}",) if unread else ()
            frame = pd.concat([part for part, _ in told], ignore_index=True)
            return RiskOfBias(frame=frame, counts=counts, source=source, notes=note)
    if counts.empty:
        return None
    empty = pd.DataFrame(columns=["study", "domain", "judgement"])
    return RiskOfBias(frame=empty, counts=counts, source="count of low-risk items")


def _item(value: object) -> str | None:
    text = str(value).strip().casefold()
    return "low" if text in _ITEM_LOW else "high or unclear" if text in _ITEM_NOT_LOW else judgement_of(text)


def _domain(
    rows: pd.DataFrame, column: str, title: str, read: Callable[[object], str | None]
) -> tuple[pd.DataFrame, set[str]]:
    """Judgements of one domain, the worst of a study's rows, and the texts that are none."""
    filled = rows[rows[column].notna() & (rows[column].astype(str).str.strip() != "")]
    judged = filled[column].map(read)
    unread = {str(text).strip() for text in filled.loc[judged.isna(), column]}
    known = judged.dropna()
    severity = {"low": 0, "some": 2, "unclear": 2, "no information": 2, "high or unclear": 3, "high": 4}
    table = _per_study(
        filled.loc[known.index], known, worst=lambda words: max(words, key=severity.__getitem__), name="judgement"
    )
    return table.assign(domain=title)[["study", "domain", "judgement"]], unread


def _per_study(rows: pd.DataFrame, values: pd.Series, *, worst: Callable[[list[str]], str], name: str) -> pd.DataFrame:
    studies = rows["study"].astype(str)
    told = values.notna()
    grouped = values[told].groupby(studies[told], sort=False)
    lines = [(study, worst(list(part))) for study, part in grouped]
    return pd.DataFrame(lines, columns=["study", name])
