"""How a file is laid out, in words, and what has to be asked that belongs to no column."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_outcomes.io.cohort.dictionary import target_of
from ipt_outcomes.io.propose.draft import Draft
from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.io.propose.redcap import arms_of_events
from ipt_outcomes.results import plural

_TIMES = frozenset(("week", "day", "visit", "session_no"))
_OF_SESSIONS = frozenset(("attended", "phase", "end_reason", "session_no"))


def layout_of(draft: Draft) -> str:
    """Return how a file is laid out.

    Parameters
    ----------
    draft : Draft

    Returns
    -------
    str
    """
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


def questions_of(drafts: Sequence[Draft]) -> list[str]:
    """Return what has to be asked about a file, or the files of a folder together.

    Parameters
    ----------
    drafts : sequence of Draft

    Returns
    -------
    list of str
    """
    lines = [line for draft in drafts for line in draft.lines.values()]
    names = {line.name for line in lines if line.part in ("columns", "wide", "wide_items", "dates", "baseline")}
    found = []
    if "patient_id" not in names:
        found.append("Which column names the person? [columns] patient_id (several columns together: a list)")
    if not _has_scores(lines, names):
        found.append("No scores were recognised: which column is an instrument's total?")
    for draft in drafts:
        own = {line.name for line in draft.lines.values() if line.part in ("columns", "dates")}
        if draft.people is not None and not draft.is_wide and not own & _TIMES:
            where = f"{draft.raw.source.name}: " if len(drafts) > 1 else ""
            told = "There are several rows per person, and no column tells the time: week, day, visit or session_no?"
            found.append(where + told)
    orders = {draft.order for draft in drafts if draft.order is not None}
    if any(draft.asks_order for draft in drafts) and not orders:
        found.append('How are dates written? [dates] order = "iso", "dmy" or "mdy"')
    if len(orders) > 1:
        found.append(f"Dates are written in several ways ({', '.join(sorted(orders))}), and one was expected")
    arms = [arm for draft in drafts for arm in arms_of_events(draft.profiles)]
    if "arm" not in names and len(arms) > 1:
        told = (
            f"The events are of REDCap's arms {', '.join(arms)}: are they the arms of the trial? Then add the arm to "
        )
        found.append(f"{told}the export, as a column of its own")
    elif "arm" not in names and not names & _OF_SESSIONS:
        found.append('If this is a trial: which column is the arm? If all had one treatment: [constants] arm = "ipt"')
    return found


def _has_scores(lines: Sequence[Line], names: set[str]) -> bool:
    if any(line.part in ("wide", "wide_items") for line in lines) or names & {"value", "attended"}:
        return True
    targets = [target_of(name) for name in names]
    return any(target is not None and target.kind in ("total", "item", "baseline") for target in targets)
