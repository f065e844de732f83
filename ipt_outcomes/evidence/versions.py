"""Two versions of a databank: rows added, changed and removed, and what that did to each pooled number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.regeneration import plain_name
from ipt_outcomes.evidence.synthesis import EvidenceSynthesis, synthesise
from ipt_outcomes.instruments import instrument_name
from ipt_outcomes.results import Provenance, ResultObject, Results, ResultsBuilder, plural
from ipt_outcomes.vocabulary import study_arm_of

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies

# What tells the rows of a study apart, as far as both versions have it.
KEYS = ("condition_arm1", "condition_arm2", "multi_arm1", "multi_arm2", "outcome_type", "instrument", "time", "rating")
# Of no meaning for the numbers: where a row stands and what this package adds.
_PLACE = frozenset(("row", "file", "turned", "control_split", ".id", "full_ref"))
CHANGES = ("same", "changed", "added", "removed")
_NUMBERS = ("k", "estimate", "ci_low", "ci_high", "tau2", "i2")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionComparison(ResultObject):
    """What differs between two versions of a study table.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``change study condition_arm1 condition_arm2 instrument row_old row_new columns before after``, one line per
        row of either version, in the order of the new one, then the rows removed; ``change`` is among `CHANGES`;
        ``columns`` names what differs, ``before`` and ``after`` say how.
    counts : mapping of str to int
        Rows per change.
    numbers : pandas.DataFrame
        ``comparison measure analysis label variable level``, then ``k estimate ci_low ci_high tau2 i2`` of the old
        (``old_``) and the new (``new_``) version and ``difference`` of the estimates: every pooled number of the
        battery. Empty where a version gives none.
    old, new : EvidenceSynthesis or None
        The batteries; None where a version gives no effect (`notes` says why).
    results : Results
        Every number of both.
    notes : tuple of str
    provenance : Provenance
    """

    rows: pd.DataFrame
    counts: Mapping[str, int]
    numbers: pd.DataFrame
    old: EvidenceSynthesis | None
    new: EvidenceSynthesis | None
    results: Results
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="evidence.compare_versions"))

    @property
    def differing(self) -> pd.DataFrame:
        """The rows that were added, changed or removed."""
        return self.rows[self.rows["change"] != "same"].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return `numbers`."""
        return self.numbers.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many rows differ, and the main result before and after."""
        parts = [f"{count} {name}" for name, count in self.counts.items() if count]
        total = sum(self.counts.values())
        lines = [f"{total} {plural(total, 'row', 'rows')}: {', '.join(parts) or 'none'}"]
        for words, synthesis in (("before", self.old), ("after", self.new)):
            if synthesis is not None:
                lines.append(f"{words}: {synthesis.summary(digits).splitlines()[0]}")
        return "\n".join([*lines, *self.notes])


def compare_versions(old: Studies, new: Studies, **options: Any) -> VersionComparison:
    """Compare two versions of a study table, and what they give.

    Parameters
    ----------
    old, new : Studies
        The same databank at two times.
    **options
        As in `ipt_outcomes.evidence.synthesise`; the same for both.

    Returns
    -------
    VersionComparison

    Raises
    ------
    OptionError
        An option is not one of its choices.

    Notes
    -----
    Rows are matched within a study by the columns of `KEYS` that both versions have. Where a row finds no equal,
    one that differs in a single key (a comparator coded anew, an instrument told its version: "hdrs",
    "hdrs-17") is its match if there is exactly one: it counts as changed. Numbers are equal when they agree to
    1e-9.
    """
    before, after = old.comparisons, new.comparisons
    pairs = _matched(before, after)
    lines = _lines(before, after, pairs)
    columns = (
        "change", "study", "condition_arm1", "condition_arm2", "instrument", "row_old", "row_new", "columns",
        "before", "after",
    )  # fmt: skip
    rows = pd.DataFrame(lines, columns=list(columns)).astype({"row_old": "Int64", "row_new": "Int64"})
    counts = {name: int((rows["change"] == name).sum()) for name in CHANGES}
    settings = {"grid": False, **options}
    notes: list[str] = []
    old_result, new_result = (
        _synthesis(words, table, settings, notes) for words, table in (("old", old), ("new", new))
    )
    numbers = _numbers(old_result, new_result)
    return VersionComparison(
        rows=rows,
        counts=counts,
        numbers=numbers,
        old=old_result,
        new=new_result,
        results=_results(counts, numbers),
        notes=tuple(notes),
        provenance=Provenance(
            function="evidence.compare_versions",
            options={name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()},
        ),
    )


def _synthesis(words: str, table: Studies, settings: Mapping[str, Any], notes: list[str]) -> EvidenceSynthesis | None:
    try:
        return synthesise({"all": table}, **settings)
    except IptError as error:
        if type(error).__name__ == "OptionError":
            raise
        notes.append(f"The {words} version gives no pooled numbers: {error.message}")
        return None


def _key(row: pd.Series, names: list[str]) -> tuple[str, ...]:
    """What tells a row apart, in one spelling."""
    return (plain_name(row["study"]), *(_code(name, row[name]) for name in names))


def _code(column: str, value: object) -> str:
    if _missing(value):
        return ""
    text = " ".join(str(value).split()).casefold()
    if column.startswith("condition_arm"):
        arm = study_arm_of(text)
        return text if arm is None or arm.value in {"medication", "other_psychotherapy"} else arm.value
    if column == "instrument":
        return instrument_name(text) or plain_name(text)
    return text


def _matched(before: pd.DataFrame, after: pd.DataFrame) -> dict[int, int]:
    """Position of the old row for each position of the new one."""
    names = [name for name in KEYS if name in before and name in after]
    old_keys = [_key(row, names) for _, row in before.iterrows()]
    new_keys = [_key(row, names) for _, row in after.iterrows()]
    pairs: dict[int, int] = {}
    free: dict[tuple[str, ...], list[int]] = {}
    for position, key in enumerate(old_keys):
        free.setdefault(key, []).append(position)
    for position, key in enumerate(new_keys):
        if free.get(key):
            pairs[position] = free[key].pop(0)
    left_old = sorted(position for positions in free.values() for position in positions)
    left_new = [position for position in range(len(new_keys)) if position not in pairs]
    for position in left_new:
        near = [other for other in left_old if _differ_in_one(new_keys[position], old_keys[other])]
        rivals = [] if len(near) != 1 else [p for p in left_new if _differ_in_one(new_keys[p], old_keys[near[0]])]
        if len(rivals) == 1:
            pairs[position] = near[0]
    return pairs


def _differ_in_one(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two keys of one study differ in exactly one place."""
    return one[0] == other[0] and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _lines(before: pd.DataFrame, after: pd.DataFrame, pairs: Mapping[int, int]) -> list[dict[str, Any]]:
    shared = [name for name in after.columns if name in before.columns and name not in _PLACE]
    lines = []
    for position in range(len(after)):
        row = after.iloc[position]
        if position not in pairs:
            lines.append({"change": "added", **_who(row), "row_new": row["row"]})
            continue
        was = before.iloc[pairs[position]]
        changed = [name for name in shared if not _equal(name, was[name], row[name])]
        lines.append(
            {
                "change": "changed" if changed else "same",
                **_who(row),
                "row_old": was["row"],
                "row_new": row["row"],
                "columns": ", ".join(changed),
                "before": ", ".join(_shown(was[name]) for name in changed),
                "after": ", ".join(_shown(row[name]) for name in changed),
            }
        )
    gone = [position for position in range(len(before)) if position not in set(pairs.values())]
    for position in gone:
        row = before.iloc[position]
        lines.append({"change": "removed", **_who(row), "row_old": row["row"]})
    return [{"columns": "", "before": "", "after": "", **line} for line in lines]


def _who(row: pd.Series) -> dict[str, Any]:
    names = ("study", "condition_arm1", "condition_arm2", "instrument")
    return {name: _shown(row[name]) if name in row.index else "" for name in names}


def _shown(value: object) -> str:
    if _missing(value):
        return "(empty)"
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())


def _missing(value: Any) -> bool:
    """Whether a cell is empty, in whatever way its column says so."""
    return bool(pd.isna(value))


def _equal(column: str, one: object, other: object) -> bool:
    empty = [_missing(value) for value in (one, other)]
    if any(empty):
        return all(empty)
    if isinstance(one, int | float | np.number) and isinstance(other, int | float | np.number):
        return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)
    if column == "study":
        return plain_name(one) == plain_name(other)
    return " ".join(str(one).split()).casefold() == " ".join(str(other).split()).casefold()


def _numbers(old: EvidenceSynthesis | None, new: EvidenceSynthesis | None) -> pd.DataFrame:
    """Every pooled number before and after, analyses of either version."""
    where = ["measure", "analysis", "label", "variable", "level"]
    columns = [*where, *(f"{age}_{name}" for age in ("old", "new") for name in _NUMBERS), "difference"]
    if old is None or new is None:
        return pd.DataFrame(columns=columns)
    frames = [
        synthesis.to_frame()[[*where, *_NUMBERS]].rename(columns={name: f"{age}_{name}" for name in _NUMBERS})
        for age, synthesis in (("old", old), ("new", new))
    ]
    merged = frames[1].merge(frames[0], on=where, how="outer", sort=False)
    # An outer merge sorts; the order of the one table is that of the new version, then what only the old one has.
    order = {key: place for place, key in enumerate(frames[1][where].itertuples(index=False, name=None))}
    extra = {key: len(order) + place for place, key in enumerate(frames[0][where].itertuples(index=False, name=None))}
    keys = list(merged[where].itertuples(index=False, name=None))
    merged = merged.assign(place=[order.get(key, extra.get(key, 0)) for key in keys])
    merged = merged.sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True)
    return merged.assign(difference=merged["new_estimate"] - merged["old_estimate"])[columns]


def _results(counts: Mapping[str, int], numbers: pd.DataFrame) -> Results:
    """Analyses: ``version_rows`` (group ``change``), ``version_numbers`` (``measure analysis variable level``)."""
    builder = ResultsBuilder()
    for change, count in counts.items():
        builder.add("version_rows", "rows", count, unit="rows", groups={"change": change})
    for record in numbers.to_dict("records"):
        groups = {name: str(record[name]) for name in ("measure", "analysis", "variable", "level") if record[name]}
        for name in (*(f"{age}_{part}" for age in ("old", "new") for part in _NUMBERS), "difference"):
            value = record[name]
            number = None if _missing(value) else int(value) if name.endswith("_k") else float(value)
            unit = "effects" if name.endswith("_k") else "percent" if name.endswith("_i2") else "effect"
            builder.add("version_numbers", name, number, unit=unit, method=str(record["label"]), groups=groups)
    return builder.build()
