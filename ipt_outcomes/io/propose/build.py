"""Put a proposal together: the shape of the file, then one line for each of its columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.io.propose.cdisc import is_questionnaire, questionnaire_lines
from ipt_outcomes.io.propose.dates import date_lines, needs_order, written_order
from ipt_outcomes.io.propose.draft import Draft, is_total
from ipt_outcomes.io.propose.fields import find_fields, find_person
from ipt_outcomes.io.propose.finish import finish
from ipt_outcomes.io.propose.headings import take_apart
from ipt_outcomes.io.propose.lines import Line, Part
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.redcap import form_of, has_labels, has_unseen_zero, is_redcap, redcap_lines
from ipt_outcomes.io.propose.scores import Score, find_scores
from ipt_outcomes.io.propose.talking_therapies import is_talking_therapies, talking_therapies_lines
from ipt_outcomes.io.propose.visits import visit_name
from ipt_outcomes.io.propose.wide import at_once, wide_lines
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE


def drafted(raw: Raw, *, person: str | None = None, starts_elsewhere: bool = False) -> Draft:
    """Propose what each column of a patient file becomes.

    Parameters
    ----------
    raw : Raw
    person : str, optional
        Column that names the person, as the other files of a folder show.
    starts_elsewhere : bool
        Whether the person's own start stands in another file of the folder.

    Returns
    -------
    Draft
    """
    draft = Draft(raw=raw, profiles={column: Profile(raw, column) for column in raw.columns})
    _known_exports(draft)
    _person(draft, person)
    for candidate in find_fields(draft.profiles, draft.people, draft.taken):
        part: Part = "columns" if candidate.field else "undecided"
        draft.add(
            Line(column=candidate.column, part=part, name=candidate.field, sure=candidate.sure, why=candidate.why)
        )
    draft.lines = _one_column_each(draft.lines)
    _scores(draft)
    _unseen_scores(draft)
    for line in date_lines(draft.profiles, draft.units, draft.taken, starts_elsewhere=starts_elsewhere):
        draft.add(line)
    dates = [draft.profiles[line.column] for line in draft.lines.values() if line.part == "dates"]
    draft.order = written_order(dates)
    draft.asks_order = bool(dates) and draft.order is None and needs_order(dates)
    finish(draft)
    return draft


def _known_exports(draft: Draft) -> None:
    if is_redcap(draft.profiles):
        draft.form = "a REDCap export of labels" if has_labels(draft.profiles) else "a REDCap export"
        for line in redcap_lines(draft.profiles):
            draft.add(line)
    if is_talking_therapies(draft.profiles):
        draft.form = "an extract of the NHS Talking Therapies data set"
        lines, codes = talking_therapies_lines(draft.profiles)
        for line in lines:
            draft.add(line)
        draft.codes += codes
    if is_questionnaire(draft.profiles):
        draft.form = "CDISC questionnaire records"
        lines, codes = questionnaire_lines(draft.profiles)
        for line in lines:
            draft.add(line)
        draft.codes += codes


def _person(draft: Draft, person: str | None) -> None:
    if person is not None and person not in draft.taken:
        why = "the person, as in the other files of the folder"
        draft.add(Line(column=person, part="columns", name="patient_id", sure=LIKELY, why=why))
    known = next((line.column for line in draft.lines.values() if line.name == "patient_id"), None)
    if known is None:
        found = find_person(draft.profiles)
        if found is None:
            known = next((line.column for line in draft.lines.values() if line.name == "episode_id"), None)
        else:
            draft.add(Line(column=found.column, part="columns", name="patient_id", sure=found.sure, why=found.why))
            known = found.column
    if known is not None:
        draft.people = draft.raw.texts(known)


def _one_column_each(lines: dict[str, Line]) -> dict[str, Line]:
    """A field that a known export gives is not taken from another column, too."""
    best: dict[str, Line] = {}
    for line in lines.values():
        if line.part == "columns":
            best.setdefault(line.name, line)
    return {
        column: line
        if line.part != "columns" or best[line.name] is line
        else Line(
            column=column, part="undecided", sure=GUESS, why=f"may be {line.name}, as {best[line.name].column} is"
        )
        for column, line in lines.items()
    }


def _scores(draft: Draft) -> None:
    scores = find_scores(draft.profiles, draft.taken)
    for score in [one for one in scores if not one.name]:
        draft.add(Line(column=score.column, part="undecided", sure=GUESS, why=score.why))
    scores = [one for one in scores if one.name]
    for name in dict.fromkeys(score.name for score in scores):
        mine = [score for score in scores if score.name == name]
        for line in wide_lines(mine, draft) if draft.is_wide else _long(mine, draft):
            draft.add(line)
    _baseline_without_name(draft)


def _unseen_scores(draft: Draft) -> None:
    """In a REDCap export a total of 0 on a form nobody filled in is no score."""
    if not is_redcap(draft.profiles):
        return
    for column, line in list(draft.lines.items()):
        if line.part not in ("columns", "wide", "wide_items") or (line.part == "columns" and not is_total(line)):
            continue
        form = form_of(column, draft.profiles)
        if form and has_unseen_zero(column, form, draft.profiles):
            why = f"{line.why}; a 0 counts only where {form} says that the form was filled in"
            draft.lines[column] = replace(line, form=form, why=why)
            draft.lines[form] = Line(column=form, part="status", why="tells a score of 0 from a form not filled in")


def _long(scores: list[Score], draft: Draft) -> list[Line]:
    """Scores of a file with several rows per person."""
    own = [score for score in scores if score.when is None]
    found = at_once(own)
    for score in scores:
        if score.when is None:
            continue
        constant = draft.people is not None and draft.profiles[score.column].is_constant_within(draft.people)
        only = len(scores) == 1
        if score.when.kind in ("baseline", "screening") and constant and not only:
            why = f"{score.why}; the same in all rows of a person"
            found.append(Line(column=score.column, part="baseline", name=score.name, sure=score.sure, why=why))
        elif score.when.kind == "number" and only:
            found.append(Line(column=score.column, part="columns", name=score.name, sure=GUESS, why=score.why))
        else:
            why = f"{score.name} at {visit_name(score.when)}, in a file of several rows per person"
            found.append(Line(column=score.column, part="undecided", sure=GUESS, why=why))
    return found


def _baseline_without_name(draft: Draft) -> None:
    """A column called "baseline" is that of the one instrument whose first scores it repeats."""
    if draft.is_wide or draft.people is None:
        return
    totals = {line.name: line for line in draft.lines.values() if line.part == "columns" and is_total(line)}
    has = {line.name for line in draft.lines.values() if line.part == "baseline"}
    for column, profile in draft.profiles.items():
        read = take_apart(column)
        called = read.when is not None and read.when.kind == "baseline" and read.named is None and not read.rest
        if (
            column in draft.taken
            or not called
            or not profile.is_numeric
            or not profile.is_constant_within(draft.people)
        ):
            continue
        for name, line in totals.items():
            share = _repeats(profile, draft.profiles[line.column], draft)
            if share is not None and share > 0.99 and name not in has:
                why = f"the same in all rows of a person, and the score of {name} at the start"
                draft.add(Line(column=column, part="baseline", name=name, sure=SURE, why=why))
                break
        else:
            if len(totals) == 1:
                name = next(iter(totals))
                why = f"the same in all rows of a person; the baseline of {name}?"
                draft.add(Line(column=column, part="baseline", name=name, sure=GUESS, why=why))


def _repeats(baseline: Profile, score: Profile, draft: Draft) -> float | None:
    """Share of the rows at week or day 0 in which a column is the score; None without such rows."""
    time = next(
        (line.column for line in draft.lines.values() if line.part == "columns" and line.name in ("week", "day")), None
    )
    if time is None:
        return None
    start = (draft.profiles[time].numbers == 0) & ~np.isnan(score.numbers) & ~np.isnan(baseline.numbers)
    return float((score.numbers[start] == baseline.numbers[start]).mean()) if start.any() else None
