"""Which column is which field of the dictionary: by its heading, then by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ipt_outcomes.io.cohort.cells import Texts
from ipt_outcomes.io.cohort.codes import recogniser
from ipt_outcomes.io.cohort.dictionary import CODED, IDS, fields, target_of
from ipt_outcomes.io.propose.headings import take_apart, when_of
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.values import Candidate, by_values
from ipt_outcomes.io.propose.words import GUESS, LIKELY, ORDER, SURE, Sure, field_words, folded, weakest

_MOST_CODES = 20
_MOST_ARMS = 8
_MOST_VISITS = 60
_FEW_TIMES = 14
_MOST_WEEKS = 120
_OF_WHOM = re.compile(
    r"\b(of|the|an?|at|patient|patients|patient's|participant|participant's|subject|subject's|client|client's|baseline|"
    r"entry|intake|des|der|die|das|patienten|van|de|patiënt|del|la|el|do|da|paciente)\b",
    re.IGNORECASE,
)


def find_person(profiles: Mapping[str, Profile]) -> Candidate | None:
    """Return the column that names the person, or None.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    Candidate or None
    """
    found = []
    for place, (column, profile) in enumerate(profiles.items()):
        named = _named(column, profile)
        if named is None or named[0] != "patient_id" or profile.share_missing > 0 or len(profile.levels) < 2:
            continue
        if profile.is_numeric and not profile.is_whole:
            continue
        found.append(
            (ORDER[named[1]], place, Candidate(column=column, field="patient_id", sure=named[1], why=named[2]))
        )
    return min(found)[2] if found else None


def find_fields(profiles: Mapping[str, Profile], people: Texts | None, taken: set[str]) -> list[Candidate]:
    """Return the fields found, the best column for each.

    Parameters
    ----------
    profiles : mapping of str to Profile
    people : Texts or None
        Person of each record.
    taken : set of str
        Columns that are something else already.

    Returns
    -------
    list of Candidate
        Columns that lost against a better one are guesses for the same field with ``field`` empty.
    """
    found = []
    for column, profile in profiles.items():
        if column in taken:
            continue
        named = _named(column, profile)
        if named is None:
            candidate = by_values(profile, people)
        else:
            candidate = _judged(Candidate(column=column, field=named[0], sure=named[1], why=named[2]), profile, people)
        if candidate is not None:
            found.append(candidate)
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda one: ORDER[one.sure]):
        best.setdefault(candidate.field, candidate)
    return [
        one if best[one.field] is one else replace(
            one, field="", sure=GUESS, why=f"may be {one.field}, too, but {best[one.field].column} fits better"
        )
        for one in found
    ]  # fmt: skip


def _named(column: str, profile: Profile) -> tuple[str, Sure, str] | None:
    """The field a heading (or its label) names."""
    target = target_of(column)
    if target is not None and target.kind == "field":
        return target.name, SURE, "the dictionary's own name" if target.name == column else "a name of the dictionary"
    words = field_words()
    if folded(column) in words:
        field, sure = words[folded(column)]
        return field, sure, "the heading"
    read = take_apart(column)
    if read.named is None and read.rest in words and (read.when is None or read.when.kind == "baseline"):
        field, sure = words[read.rest]
        return field, weakest(sure, LIKELY), "the heading, with a time beside it"
    for label in _in_short(profile.label):
        if folded(label) in words:
            field, sure = words[folded(label)]
            return field, weakest(sure, LIKELY), "the column's label"
    return None


def _in_short(label: str) -> tuple[str, ...]:
    """A label, and what it says without what stands in brackets and without words that say whose it is."""
    bare = re.sub(r"\([^)]*\)", " ", label)
    return tuple(dict.fromkeys(text for text in (label, bare, _OF_WHOM.sub(" ", bare)) if text.strip()))


def _judged(candidate: Candidate, profile: Profile, people: Texts | None) -> Candidate | None:
    """Let the values decide; None where they speak against it."""
    if profile.is_empty:
        return replace(candidate, sure=GUESS, why=f"{candidate.why}; the column is empty")
    name = candidate.field
    if name in ("visit", "week", "day", "session_no"):
        return _time(candidate, profile, people)
    if profile.holds_dates:
        return None
    if name in CODED or fields()[name].enum:
        return _coded(candidate, profile, people)
    if fields()[name].type in ("number", "integer"):
        return _number(candidate, profile)
    if name in IDS or name in ("site_id", "instrument"):
        return candidate
    return candidate if len(profile.levels) <= _MOST_CODES else replace(candidate, sure=GUESS)


def _coded(candidate: Candidate, profile: Profile, people: Texts | None) -> Candidate | None:
    known = recogniser(candidate.field)
    told = [profile.labels.get(_key(text), text) for text in profile.levels]
    met = sum(known(text) is not None for text in told)
    if len(profile.levels) > _MOST_CODES:
        return None
    if met == len(told):
        return replace(candidate, sure=SURE, why=f"{candidate.why}, and every code is known")
    if candidate.field == "arm" and len(profile.levels) > _MOST_ARMS:
        return None
    if candidate.field == "arm" and people is not None and not profile.is_constant_within(people):
        return replace(candidate, sure=GUESS, why=f"{candidate.why}, but it differs between rows of a person")
    if met:
        return replace(candidate, why=f"{candidate.why}, and {met} of {len(told)} codes are known")
    sure = weakest(candidate.sure, LIKELY)
    if candidate.sure != SURE and not profile.is_numeric and not profile.labels:
        # A word for a heading and words nobody knows below it: as likely something else.
        sure = GUESS
    return replace(candidate, sure=sure, why=f"{candidate.why}; what its codes stand for has to be said")


def _key(text: str) -> str:
    from ipt_outcomes.io.cohort.cells import same_code

    return same_code(text)


def _number(candidate: Candidate, profile: Profile) -> Candidate | None:
    if not profile.is_numeric:
        return None
    entry = fields()[candidate.field]
    low = entry.minimum if entry.minimum is not None else -np.inf
    high = entry.maximum if entry.maximum is not None else np.inf
    if profile.lowest < low or profile.highest > high:
        outside = int(((profile.known < low) | (profile.known > high)).sum())
        why = f"{candidate.why}, but {outside} of {len(profile.known)} values are outside {low:g} to {high:g}"
        return replace(candidate, sure=GUESS, why=why)
    return replace(candidate, why=f"{candidate.why}, and numbers in range")


def _time(candidate: Candidate, profile: Profile, people: Texts | None) -> Candidate | None:
    if profile.holds_dates:
        return None
    n_rows_each = len(profile.texts.codes) / max(1, len(people.values) if people is not None else 1)
    if n_rows_each <= 1:
        # In a file of one row per person no column can tell rows apart.
        return None
    if candidate.field != "visit":
        if not profile.is_numeric or (candidate.field == "session_no" and not profile.is_whole):
            told = all(when_of(text) is not None for text in profile.levels) and len(profile.levels) <= _MOST_VISITS
            why = f"{candidate.why}; its cells name visits"
            return replace(candidate, field="visit", sure=LIKELY, why=why) if told else None
        return candidate
    if candidate.sure == GUESS and profile.is_numeric:
        return _bare_time(candidate, profile)
    n_told = sum(when_of(text) is not None for text in profile.levels)
    if len(profile.levels) > _MOST_VISITS:
        return _bare_time(candidate, profile) if profile.is_numeric else None
    if n_told == len(profile.levels):
        sure = candidate.sure if not profile.is_numeric else weakest(candidate.sure, LIKELY)
        return replace(candidate, sure=sure, why=f"{candidate.why}, and every cell names a time of measurement")
    return replace(candidate, sure=weakest(candidate.sure, LIKELY), why=f"{candidate.why}; {n_told} of its "
                   f"{len(profile.levels)} names are known")  # fmt: skip


def _bare_time(candidate: Candidate, profile: Profile) -> Candidate:
    """A column called "time": numbers of visits, weeks or days, by how they run."""
    span = f"whole numbers from {profile.lowest:g} to {profile.highest:g}"
    if profile.is_whole and len(profile.levels) <= _FEW_TIMES and profile.highest - profile.lowest < _FEW_TIMES:
        return replace(candidate, sure=GUESS, why=f"{candidate.why} with {span}: visits? Weeks?")
    if profile.highest > _MOST_WEEKS:
        return replace(candidate, field="day", sure=GUESS, why=f"{candidate.why} with {span}: days?")
    return replace(candidate, field="week", sure=GUESS, why=f"{candidate.why} with {span}: weeks? Days?")
