"""Which column of a source is what: by the mapping, then by its own heading; anything else is refused (L1, L2)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from ipt_outcomes.io.cohort.dictionary import IDS, Target, item_count, near_names, target_of
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.forms import structure_columns, structure_gate
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.io.toml_text import quoted
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.identifiers import identifier_in
from ipt_outcomes.privacy.patterns import looks_like

_ZIP_COVARIATE = "zip3"
_LONGEST_HEADING = 60


@dataclass(slots=True)
class Columns:
    """The columns of a source that are read.

    Parameters
    ----------
    sources : dict of Target to tuple of str
        What each becomes, and its source column (several for an id made of parts).
    notes : list of str
    gate : list of GateEntry
    """

    sources: dict[Target, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gate: list[GateEntry] = field(default_factory=list)

    def of_kind(self, kind: str) -> dict[Target, str]:
        """Return the targets of one kind and their source column, in the order of the source."""
        return {target: sources[0] for target, sources in self.sources.items() if target.kind == kind}

    def source_of(self, name: str) -> str | None:
        """Return the (first) source column of a field."""
        found = self.sources.get(Target("field", name))
        return None if found is None else found[0]


def recognise_columns(
    raw: Raw, plan: CohortMapping, faults: Faults, *, keys: tuple[str, ...] = ("patient_id",)
) -> Columns:
    """Find the columns to read, and refuse the others.

    Parameters
    ----------
    raw : Raw
    plan : CohortMapping
    faults : Faults
        Takes unknown columns, headings that promise an identifier, dates.
    keys : tuple of str
        Fields of which one must be there, so that each row is about somebody.

    Returns
    -------
    Columns
    """
    found = Columns(sources=dict(plan.targets()))
    taken = {one for sources in found.sources.values() for one in sources} | set(plan.left_out)
    # A column that only sets rows aside needs no other meaning.
    taken |= {column for column in plan.exclude if target_of(column) is None} | structure_columns(plan)
    if plan.dates is not None:
        taken |= {plan.dates.start, *plan.dates.days.values()}
    free = [column for column in raw.columns if column not in taken]
    by_heading, unknown = _by_heading(free, set(found.sources), plan, faults)
    found.sources |= by_heading
    renamed = {t: c for t, c in by_heading.items() if t.name != c[0]}
    if renamed:
        said = ", ".join(f"{target.words} from {sources[0]}" for target, sources in renamed.items())
        found.notes.append(f"columns known under another heading: {said}")
    _refuse_unknown(unknown, raw, faults)
    _refuse_identifiers(found, plan, faults)
    _refuse_dates(found, raw, plan, faults)
    if not {Target("field", name) for name in keys} & {*found.sources, *by_heading, *dict(plan.targets())}:
        faults.add(
            f"no column says which person a row is about ({' or '.join(keys)})",
            rule="required",
            column="patient_id",
            expected="a column 'patient_id'",
            hint='Say in the mapping which column it is: [columns] patient_id = "your column" '
            '(several columns together: ["site", "number"]).',
        )
    _left_out(found, plan, raw)
    found.gate += scanned_labels(raw)
    return found


def _by_heading(
    free: list[str], mapped: set[Target], plan: CohortMapping, faults: Faults
) -> tuple[dict[Target, tuple[str, ...]], list[str]]:
    """Columns whose own heading says what they are, and those left over."""
    options: dict[Target, list[str]] = {}
    unknown = []
    for column in free:
        target = target_of(column)
        if target is None or target in mapped or (target.kind == "field" and target.name in plan.constants):
            unknown.append(column)
        else:
            options.setdefault(target, []).append(column)
    doubtful = {target: columns for target, columns in options.items() if len(columns) > 1}
    for target, columns in doubtful.items():
        faults.add(
            f"more than one column could be {target.words}: {', '.join(columns)}",
            rule="L1",
            column=columns[0],
            expected=f"one column for {target.words}",
            hint="Say which under [columns], and leave the others out (left_out).",
        )
    found: dict[Target, tuple[str, ...]] = {t: (c[0],) for t, c in options.items() if t not in doubtful}
    if any(target.kind == "total" for target in found | dict.fromkeys(mapped)) and plan.wide:
        # Beside [wide] columns a bare total is the score at no visit anybody named.
        bare = [target for target in found if target.kind == "total"]
        unknown += [found.pop(target)[0] for target in bare]
    for name in {target.name for target in found if target.kind == "item"}:
        numbers = {int(t.part) for t in [*found, *mapped] if t.kind == "item" and t.name == name}
        if not set(range(1, item_count(name) + 1)) <= numbers:
            # phq9_1, phq9_2 alone may as well be visits.
            part = [target for target in found if target.kind == "item" and target.name == name]
            unknown += [found.pop(target)[0] for target in part]
    return found, sorted(unknown, key=free.index)


def _refuse_unknown(unknown: list[str], raw: Raw, faults: Faults) -> None:
    if not unknown:
        return
    kinds = {column: kind for column in unknown if (kind := identifier_in(column)) is not None}
    dates = [column for column in unknown if column not in kinds and holds_dates(raw.frame[column])]
    plain = [column for column in unknown if column not in kinds and column not in dates]
    for column, kind in kinds.items():
        faults.add(f"{column}: the heading promises {kind} (L2)", rule="L2", column=column, expected="no identifier")
    for column in dates:
        faults.add(f"{column}: dates are not read (L5)", rule="L5", column=column, expected="days from the own start")
    if plain:
        said = ", ".join(_with_near(column) for column in plain)
        faults.add(
            f"{len(plain)} {'column is' if len(plain) == 1 else 'columns are'} not in the data dictionary (L1): {said}",
            rule="L1", column=plain, expected="a column of the dictionary, mapped, or left out",
        )  # fmt: skip
        faults.hints.append(
            'Only columns that are known are read. Map them ([columns] name = "column"), declare what describes the '
            f"person under [covariates], or leave them out on purpose: left_out = [{_quoted(plain)}]"
        )
    if kinds:
        faults.hints.append(f"Identifiers are never read. Leave them out: left_out = [{_quoted(kinds)}]")
    if "a date of birth" in kinds.values():
        faults.hints.append("In place of a date of birth give the age at the start, in years, in a column age.")
    if dates:
        faults.hints.append(
            f"Have dates made days from the person's own start ({DATES_SAY}), or leave them out: "
            f"left_out = [{_quoted(dates)}]"
        )


DATES_SAY = '[dates] start = "column", order = "dmy", day = "column"'
"""How a mapping says what becomes of dates."""


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def _with_near(column: str) -> str:
    near = near_names(column)
    short = column if len(column) <= _LONGEST_HEADING else column[: _LONGEST_HEADING - 3] + "..."
    return f"{short} (near: {', '.join(near)})" if near else short


def _refuse_identifiers(found: Columns, plan: CohortMapping, faults: Faults) -> None:
    """A mapped column may be an id; under any other name it may not promise an identifier."""
    start = None if plan.dates is None else identifier_in(plan.dates.start)
    if plan.dates is not None and start is not None:
        faults.add(
            f"{plan.dates.start}: the heading promises {start} (L2); it cannot be the start of [dates]",
            rule="L2", column=plan.dates.start, expected="no identifier",
            hint="The start is the day of randomisation, of the first session or of the baseline.",
        )  # fmt: skip
    for target, sources in list(found.sources.items()):
        if target.name in IDS and target.kind == "field":
            continue
        kinds = {source: kind for source in sources if (kind := identifier_in(source)) is not None}
        if target == Target("covariate", _ZIP_COVARIATE):
            kinds = {source: kind for source, kind in kinds.items() if kind != "an address"}
        for source, kind in kinds.items():
            found.sources.pop(target, None)
            faults.add(
                f"{source}: the heading promises {kind} (L2); it cannot be read as {target.words}",
                rule="L2",
                column=source,
                expected="no identifier",
                hint="Leave such columns out (left_out). If a heading only looks like an identifier, rename it.",
            )


def holds_dates(column: pd.Series) -> bool:
    """Whether a column holds dates or times of the clock, by its type or by its texts."""
    if pd.api.types.is_datetime64_any_dtype(column) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    if pd.api.types.is_numeric_dtype(column):
        return False
    known = column.dropna()
    if not len(known):
        return False
    head = known.iloc[:200]
    if any(isinstance(cell, datetime.date | datetime.time | datetime.datetime) for cell in head):
        return True
    dates = sum(looks_like(str(cell)) == "a full date" for cell in head)
    return dates * 2 > len(head)


def _refuse_dates(found: Columns, raw: Raw, plan: CohortMapping, faults: Faults) -> None:
    meant = set() if plan.dates is None else set(plan.dates.days.values())
    for target, sources in list(found.sources.items()):
        for source in sources:
            if source not in meant and holds_dates(raw.frame[source]):
                found.sources.pop(target, None)
                faults.add(
                    f"{source}: holds dates, which are not read (L5); it was to be {target.words}",
                    rule="L5",
                    column=source,
                    expected="no dates",
                    hint=f"Have dates made days from the person's own start ({DATES_SAY}), or leave them out.",
                )


def _left_out(found: Columns, plan: CohortMapping, raw: Raw) -> None:
    for column in plan.left_out:
        kind = identifier_in(column)
        rule, told = ("L2", f", whose heading promises {kind},") if kind else ("L1", "")
        found.gate.append(
            GateEntry(
                rule=rule, action="left out", column=column, detail=f"column {column}{told} was left out by the mapping"
            )
        )
    used = {source for sources in found.sources.values() for source in sources}
    found.gate += structure_gate(plan, used)
    excluding = [column for column in plan.exclude if column in raw.columns and column not in used]
    for column in excluding:
        detail = f"column {column} was used to set rows aside, and left out"
        found.gate.append(GateEntry(rule="L1", action="left out", column=column, detail=detail))


def scanned_labels(raw: Raw) -> list[GateEntry]:
    """Look through the file's name and labels for identifiers (L10); they are never copied anywhere."""
    entries = []
    kind = looks_like(raw.source.name)
    if kind is not None:
        detail = f"the name of the file holds what looks like {kind}; it stands in reports"
        entries.append(GateEntry(rule="L10", action="warned", column="", detail=detail))
    kinds = [kind for text in raw.free_texts if (kind := looks_like(text)) is not None]
    if kinds:
        detail = f"title or notes inside the file hold what looks like {kinds[0]}; they are not copied"
        entries.append(GateEntry(rule="L10", action="warned", column="", detail=detail, count=len(kinds)))
    texts = {column: [label] for column, label in raw.column_labels.items() if isinstance(label, str)}
    for column, codes in raw.value_labels.items():
        texts.setdefault(column, []).extend(codes.values())
    for column, labels in texts.items():
        kinds = [kind for label in labels if (kind := looks_like(label)) is not None]
        if kinds:
            detail = f"labels of {column} hold what looks like {kinds[0]}; labels are not copied"
            entries.append(GateEntry(rule="L10", action="warned", column=column, detail=detail, count=len(kinds)))
    return entries
