"""REDCap exports: events are visits, forms have a state, and a box that was never seen is written as a 0."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import LIKELY, SURE

_EVENT = "redcap_event_name"
_FORM = "redcap_repeat_instrument"
_INSTANCE = "redcap_repeat_instance"
_OTHERS = ("redcap_survey_identifier", "redcap_survey_timestamp")
_BOX = re.compile(r"(.+?)___(.+)")
_ARM = re.compile(r"_arm_(\d+)$|\(arm (\d+):.*\)$", re.IGNORECASE)
# Headings of an export with labels in the place of names and codes.
_LABELLED = {"Record ID": "record_id", "Event Name": _EVENT, "Repeat Instrument": _FORM, "Repeat Instance": _INSTANCE}
_LABELLED_BOX = re.compile(r".+\(choice=.+\)")
_LABELLED_STATE = re.compile(r"Complete\?(\.\d+)?")
_FEWEST_LABELLED = 2
_STATES = frozenset(("0", "1", "2", "incomplete", "unverified", "complete"))


def is_redcap(profiles: Mapping[str, Profile]) -> bool:
    """Whether the columns are those of a REDCap export.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    bool
    """
    names = {column.casefold() for column in profiles}
    if has_labels(profiles) or names & {_EVENT, _FORM, _INSTANCE, "redcap_data_access_group"}:
        return True
    return "record_id" in names and any(_is_state(column, profile) for column, profile in profiles.items())


def has_labels(profiles: Mapping[str, Profile]) -> bool:
    """Whether the columns are those of a REDCap export with labels in the place of names and codes.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    bool
    """
    marks = [c for c in profiles if c in _LABELLED or _LABELLED_BOX.fullmatch(c) or _LABELLED_STATE.fullmatch(c)]
    return len(marks) >= _FEWEST_LABELLED


def arms_of_events(profiles: Mapping[str, Profile]) -> list[str]:
    """Return the numbers of REDCap's arms in the names of events.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    list of str
    """
    column = next((c for c in profiles if _LABELLED.get(c, c.casefold()) == _EVENT), None)
    levels = profiles[column].levels if column is not None else ()
    found = (_ARM.search(level) for level in levels)
    return sorted({match.group(1) or match.group(2) for match in found if match})


def _is_state(column: str, profile: Profile) -> bool:
    levels = {level.strip().casefold() for level in profile.levels}
    return column.endswith("_complete") and levels <= _STATES


def redcap_lines(profiles: Mapping[str, Profile]) -> list[Line]:
    """Return what becomes of the columns REDCap makes itself, and of boxes to tick.

    Parameters
    ----------
    profiles : mapping of str to Profile
        In the order of the file: a form's state stands behind its fields.

    Returns
    -------
    list of Line
    """
    states = [column for column, profile in profiles.items() if _is_state(column, profile)]
    found: dict[str, Line] = {}
    used: set[str] = set()
    for column, profile in profiles.items():
        name = _LABELLED.get(column, column.casefold())
        box = _BOX.fullmatch(column)
        if _LABELLED_BOX.fullmatch(column) or _LABELLED_STATE.fullmatch(column):
            found[column] = Line(column=column, part="undecided", sure="guess",
                                 why="a box or a state in words: export the raw data of REDCap")  # fmt: skip
            continue
        if name == "record_id":
            found[column] = Line(column=column, part="columns", name="patient_id", why="REDCap's name of the person")
        elif name == _EVENT:
            found[column] = Line(column=column, part="columns", name="visit", why="REDCap's event: a visit")
        elif name == _INSTANCE:
            found[column] = Line(column=column, part="columns", name="session_no", sure=LIKELY,
                                 why="the number of a repeated form: taken for the session")  # fmt: skip
        elif name == _FORM:
            found[column] = Line(column=column, part="forms", why="says which form a row is of")
        elif name in _OTHERS or name.endswith("_timestamp"):
            found[column] = Line(
                column=column, part="undecided", sure="guess", why="when and by whom a survey was filled in"
            )
        elif box is not None and {level.strip() for level in profile.levels} <= {"0", "1"}:
            form = form_of(column, profiles)
            used.add(form)
            found[column] = _box(column, box, form)
    for state in states:
        if state in used:
            found[state] = Line(column=state, part="status", why="tells a box not ticked (0) from a form not filled in")
        else:
            found[state] = Line(column=state, part="left_out", why="the state of a form, no data")
    return [found[column] for column in profiles if column in found]


def form_of(column: str, profiles: Mapping[str, Profile]) -> str:
    """Return the column with the state of a field's form: the next one behind it; "" for none.

    Parameters
    ----------
    column : str
    profiles : mapping of str to Profile
        In the order of the file.

    Returns
    -------
    str
    """
    names = list(profiles)
    behind = names[names.index(column) + 1 :]
    return next((name for name in behind if _is_state(name, profiles[name])), "")


def has_unseen_zero(column: str, form: str, profiles: Mapping[str, Profile]) -> bool:
    """Whether a column has a 0 in a row whose form was not filled in, as a calculated total may.

    Parameters
    ----------
    column, form : str
    profiles : mapping of str to Profile

    Returns
    -------
    bool
    """
    opened = profiles[form].texts.mapped(lambda text: None if text.strip() in ("0", "Incomplete") else text)
    return bool(((profiles[column].numbers == 0) & opened.missing).any())


def _box(column: str, box: re.Match[str], form: str) -> Line:
    name = re.sub(r"[^a-z0-9]+", "_", f"{box.group(1)}_{box.group(2)}".casefold()).strip("_")
    if not name[:1].isalpha():
        name = f"box_{name}"
    if form:
        why = f"a box to tick: 0 counts as no only where {form} says that the form was filled in"
        return Line(column=column, part="covariates", name=name, form=form, sure=SURE, why=why)
    why = "a box to tick whose 0 may mean unticked or never seen, and no column tells which"
    return Line(column=column, part="covariates", name=name, sure="guess", why=why)
