"""The last steps of a proposal: codes, times of measurement, and what nobody recognised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ipt_outcomes.io.cohort.dictionary import CODED, fields, in_table, target_of
from ipt_outcomes.io.propose.cdisc import counts_from_one
from ipt_outcomes.io.propose.codes import codes_of_field, missing_codes
from ipt_outcomes.io.propose.draft import Draft, is_total
from ipt_outcomes.io.propose.headings import When, take_apart, when_of
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.talking_therapies import is_talking_therapies
from ipt_outcomes.io.propose.visits import weeks_of
from ipt_outcomes.io.propose.words import GUESS

_FEW_LEVELS = 10
# What the dictionary has about one session only.
_OF_A_SESSION = frozenset(
    ("attended", "phase", "minutes", "techniques", "adherence_score", "competence_score", "alliance_score", "rater")
)


def finish(draft: Draft) -> None:
    """Take the last steps: codes, times of measurement, what is left.

    Parameters
    ----------
    draft : Draft
        Every column has a line afterwards.
    """
    _of_persons(draft)
    _codes(draft)
    _visits(draft)
    _first_day(draft)
    _session_numbers(draft)
    _left(draft)
    draft.lines = {
        column: replace(draft.lines[column], examples=_examples(draft.lines[column], draft.profiles[column]))
        for column in draft.raw.columns
    }


def _of_persons(draft: Draft) -> None:
    """What a person has one of (sex, age) and differs between rows of a person is asked: it will be refused."""
    if draft.people is None:
        return
    for column, line in list(draft.lines.items()):
        own = (
            line.part == "columns" and line.name in in_table("patients") and line.name not in ("patient_id", "site_id")
        )
        if own and not draft.profiles[column].is_constant_within(draft.people):
            why = f"{line.why}; but it differs between rows of one person"
            draft.lines[column] = replace(line, sure=GUESS, why=why)


def _codes(draft: Draft) -> None:
    coded = {(line.name, line.written) for line in draft.codes}
    named = {line.name for line in draft.codes if line.part == "codes"}
    for line in draft.lines.values():
        profile = draft.profiles[line.column]
        if line.part == "columns" and line.name not in named:
            draft.codes += [code for code in _of_column(line, profile) if (code.name, code.written) not in coded]
        elif line.part in ("wide", "wide_items", "baseline"):
            draft.codes += missing_codes(profile, line.name, is_item=line.part == "wide_items")
        elif line.part == "covariates":
            draft.codes += missing_codes(profile)


def _of_column(line: Line, profile: Profile) -> list[CodeLine]:
    if line.name in fields():
        known = line.name in CODED or bool(fields()[line.name].enum) or line.name == "instrument"
        return codes_of_field(line.name, profile) if known else missing_codes(profile)
    target = target_of(line.name)
    if target is not None and target.kind == "item":
        return missing_codes(profile, target.name, is_item=True)
    return missing_codes(profile, line.name if is_total(line) else "")


def _visits(draft: Draft) -> None:
    times: dict[str, When] = {}
    for line in draft.lines.values():
        if line.part in ("wide", "wide_items"):
            when = _when(line, draft)
            known = times.get(line.visit)
            if known is None or when.kind == "baseline":
                times[line.visit] = when
    names = {line.name: line.column for line in draft.lines.values() if line.part == "columns"}
    in_rows = "visit" in names and not times
    if in_rows:
        for text in draft.profiles[names["visit"]].levels:
            times[text] = when_of(text) or When("unknown")
    told = [name for name in ("week", "day") if name in names and draft.lines[names[name]].sure != GUESS]
    draft.weeks_told = not in_rows or bool(told)
    if in_rows and (told or _by_date(draft)):
        # The weeks stand in a column of their own.
        return
    draft.visits = weeks_of(times)


def _first_day(draft: Draft) -> None:
    """CDISC counts the start as day 1."""
    for column, line in list(draft.lines.items()):
        if (line.part, line.name) == ("columns", "day") and counts_from_one(column, draft.profiles[column]):
            draft.counts_from_one = True
            why = f"{line.why}; CDISC counts the start as day 1: it becomes day 0"
            draft.lines[column] = replace(line, why=why)


def _session_numbers(draft: Draft) -> None:
    names = {line.name for line in draft.lines.values() if line.part in ("columns", "dates")}
    draft.numbers_sessions = bool(names & _OF_A_SESSION) and "day" in names and "session_no" not in names


def _by_date(draft: Draft) -> bool:
    return any(line.part == "dates" and line.name == "day" for line in draft.lines.values())


def _when(line: Line, draft: Draft) -> When:
    if line.visit in ("first", "last") and is_talking_therapies(draft.profiles):
        return When("baseline") if line.visit == "first" else When("post")
    return _named_time(line.visit)


def _named_time(visit: str) -> When:
    """The time a visit of `visit_name` is."""
    kind, _, number = visit.rpartition("_")
    if kind and number.replace(".", "", 1).isdigit():
        return When("point" if kind == "visit" else kind, float(number))
    return When(visit)


def _left(draft: Draft) -> None:
    """Columns nobody recognised: listed, and never read until a person has decided."""
    for column, profile in draft.profiles.items():
        if column in draft.lines:
            continue
        personal = profile.personal
        if profile.is_empty:
            why = "empty"
        elif personal is not None:
            why = f"not recognised; {personal}: leave it out"
        else:
            why = _unknown(column, profile, draft)
        draft.add(Line(column=column, part="undecided", sure=GUESS, why=why))


def _unknown(column: str, profile: Profile, draft: Draft) -> str:
    read = take_apart(column)
    if read.when is not None and read.rest and profile.is_numeric:
        return "not recognised: a measure at several times, but no instrument of the registry"
    if profile.is_numeric and len(np.unique(profile.known)) > _FEW_LEVELS:
        return "not recognised"
    if draft.people is not None and profile.is_constant_within(draft.people):
        return "not recognised; if it describes the person, it may be a covariate"
    return "not recognised"


def _examples(line: Line, profile: Profile) -> str:
    personal = line.name in (
        "patient_id",
        "episode_id",
        "therapist_id",
        "therapy_group_id",
        "cluster_id",
        "site_id",
        "age",
    )
    if personal or (line.part in ("undecided", "dates") and not _harmless(profile)):
        return ""
    return profile.examples()


def _harmless(profile: Profile) -> bool:
    """Whether a column nobody recognised may be shown: numbers of a few digits, or codes that many rows share."""
    if profile.personal is not None or profile.is_empty:
        return False
    if profile.is_numeric:
        return profile.highest < 1000
    return len(profile.levels) <= 8 and int(profile.texts.counts.min()) >= 5
