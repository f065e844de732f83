"""Propose a mapping for a file or a frame."""

from __future__ import annotations

from ipt_outcomes.errors import require_choice
from ipt_outcomes.io.cohort.dictionary import target_of
from ipt_outcomes.io.cohort.source import CohortSource, read_source
from ipt_outcomes.io.propose.build import drafted
from ipt_outcomes.io.propose.draft import Draft
from ipt_outcomes.io.propose.known_files import shipped_hints
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.proposal import ProposedMapping
from ipt_outcomes.io.propose.study_tables import is_study_table, proposed_studies
from ipt_outcomes.results import plural
from ipt_outcomes.schemas import Decimal


def propose_mapping(
    source: CohortSource, *, encoding: str | None = None, decimal: Decimal | None = None
) -> ProposedMapping:
    """Propose which column of a file is which name of the dictionary, for a person to look through.

    Parameters
    ----------
    source : path or DataFrame
        Patient data, long or wide, or a table of studies.
    encoding : str, optional
        Coding of the letters of a text file; detected otherwise.
    decimal : {".", ","}, optional
        Decimal mark of a text file; detected otherwise.

    Returns
    -------
    ProposedMapping
        Each line with how sure it is and why. What is a guess, and every column that was not recognised, waits
        under ``undecided`` in the mapping: nothing is loaded by it before a person has decided.

    Raises
    ------
    IptError
        The file cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"pid": [1, 2], "gruppe": ["IPT", "Warteliste"], "phq9_t0": [14, 18], "phq9_w12": [6, 15]})
    >>> proposal = propose_mapping(table)
    >>> proposal.to_frame()[["column", "becomes", "confidence"]].values.tolist()
    [['pid', 'patient_id', 'likely'], ['gruppe', 'arm', 'sure'], ['phq9_t0', 'phq9 at visit_0', 'sure'], \
['phq9_w12', 'phq9 at week_12', 'sure']]
    """
    if decimal is not None:
        require_choice("decimal", decimal, (".", ","))
    raw = read_source(source, expect_rows=None, sha256=None, encoding=encoding, decimal=decimal)
    profiles = {column: Profile(raw, column) for column in raw.columns}
    if is_study_table(profiles):
        return proposed_studies(raw)
    draft = drafted(raw)
    return ProposedMapping(
        source=raw.source.name,
        kind="cohort",
        layout=_layout(draft),
        lines=tuple(draft.lines[column] for column in raw.columns),
        codes=tuple(draft.codes),
        visits=tuple(draft.visits),
        order=draft.order,
        questions=tuple(_questions(draft)),
        hints=shipped_hints(raw.columns, cohort=True),
    )


def _layout(draft: Draft) -> str:
    n_rows = len(draft.raw.frame)
    rows = f"{n_rows} {plural(n_rows, 'row', 'rows')}"
    people = f"{draft.n_people} {plural(draft.n_people, 'person', 'people')}"
    known = f"{draft.form}, " if draft.form else ""
    if draft.people is None:
        return f"{known}patient data, {rows}, no column that names the person"
    if draft.is_wide:
        each = "each of" if draft.n_people == n_rows else "each episode of"
        return f"{known}patient data, one row for {each} {people}"
    return f"{known}patient data, {rows} of {people}"


def _questions(draft: Draft) -> list[str]:
    names = {line.name for line in draft.lines.values() if line.part in ("columns", "wide", "dates", "baseline")}
    found = []
    if "patient_id" not in names:
        found.append("Which column names the person? [columns] patient_id (several columns together: a list)")
    if not any(line.part == "wide" for line in draft.lines.values()) and not names & {"value", "attended"}:
        targets = [target_of(name) for name in names]
        if not any(target is not None and target.kind in ("total", "item", "baseline") for target in targets):
            found.append("No scores were recognised: which column is an instrument's total?")
    if draft.people is not None and not draft.is_wide and not names & {"week", "day", "visit", "session_no"}:
        found.append("There are several rows per person, and no column tells the time: week, day, visit or session_no?")
    if draft.asks_order:
        found.append('How are dates written? [dates] order = "iso", "dmy" or "mdy"')
    if "arm" not in names and not names & {"attended", "phase", "end_reason", "session_no"}:
        found.append('If this is a trial: which column is the arm? If all had one treatment: [constants] arm = "ipt"')
    return found
