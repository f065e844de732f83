"""Words of the workbook of a mapping: its sheets, headings, choices, and what it says to who fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ipt_outcomes.instruments import instruments
from ipt_outcomes.io.cohort.dictionary import fields
from ipt_outcomes.io.cohort.mapping_faults import RULES
from ipt_outcomes.io.cohort.mapping_more import BASELINE_RULES, DAY_FIELDS
from ipt_outcomes.io.days import ORIGINS

START = "start here"
TO_DECIDE, LEAVE_OUT, STATE, FORM, ASIDE, PEOPLE_ASIDE = (
    "to decide", "leave out", "state of a form", "form of the row", "sets rows aside", "sets people aside",
)  # fmt: skip
COVARIATE, BASELINE, DATE = "covariate: ", "baseline: ", "date: "
ASKED, GUESS, DECIDED = "?", "guess", "decided"
CONFIDENCE = ("sure", "likely", GUESS, DECIDED)
PARTS = ("codes", "missing", "exclude")
ON_FORM, TURNED = "as on the form", "turned already"

HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "columns": ("column", "becomes", "visit", "form", "confidence", "why", "examples"),
        "codes": ("part", "name", "written", "code", "confidence", "why"),
        "visits": ("visit", "week", "confidence", "why"),
        "settings": ("setting", "name", "value", "why"),
    }
)
# In the workbook of a folder the first column of these says which table the row is about.
TABLE = "table"
WITH_TABLE = ("columns", "codes")

# What each setting may be; () is any text.
SETTINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "constants": (),
        "duplicates": RULES,
        "areas": ("before", "after"),
        "varies": ("site", "therapist"),
        "date order": tuple(ORIGINS),
        "same ids": ("same", "different"),
        "baseline rule": BASELINE_RULES,
        "first day": ("0", "1"),
        "session numbers": ("given", "by_day"),
        "reversed items": (ON_FORM, TURNED),
        "sheet": (),
        "file": (),
    }
)

WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        "table": 14, "column": 26, "becomes": 26, "visit": 18, "form": 20, "confidence": 13, "why": 64, "examples": 26,
        "name": 26, "written": 24, "code": 26, "part": 12, "week": 10, "setting": 18, "value": 26,
    }
)  # fmt: skip

# Shown where a cell of the column is chosen, and as a note on its heading.
NOTES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("columns", "column"): "A column of your file. Leave it as it is.",
        ("columns", "becomes"): "What the column is. Choose from the list, or type: an item is phq9_3, a description "
        "of the person is 'covariate: education', a score at week 0 that stands in every row is 'baseline: phq9'.",
        ("columns", "visit"): "Only in files with one row per person: when the score was taken. Its week stands in "
        "the sheet visits.",
        ("columns", "form"): "Only where a 0 may mean 'never asked': the column that says whether the form was filled "
        "in.",
        ("columns", "confidence"): "Where it says guess: look at the row, correct it, then choose decided.",
        ("columns", "why"): "Why this was proposed.",
        ("columns", "examples"): "Values of the column; none where it may be about persons.",
        ("codes", "part"): "codes: what the file writes and its code. missing: a code that stands for a missing value. "
        "exclude: rows with this code are set aside.",
        ("codes", "name"): "The field of the dictionary (arm, sex ...); for missing the column of the file.",
        ("codes", "written"): "What stands in the file.",
        ("codes", "code"): "The code it stands for; for missing and exclude the reason. Put one where it says ?.",
        ("codes", "confidence"): "Where it says guess: look at the row, correct it, then choose decided.",
        ("visits", "visit"): "A time of measurement, as the sheet columns or the file names it.",
        ("visits", "week"): "Its week from the person's own start: 0 is the baseline, -1 a week before. A number.",
        ("visits", "confidence"): "Where it says guess: look at the week, correct it, then choose decided.",
        ("settings", "setting"): "Choose from the list; add rows below where you need more.",
        ("settings", "name"): "constants: the field that is the same in all rows (arm). file: the table. reversed "
        "items: the instrument. Else empty.",
        ("settings", "value"): "The value of the setting.",
    }
)

STEPS = (
    "Sheet 'columns': one row for each column of your data. 'becomes' has a list: a name of the data dictionary, an "
    "instrument (its total), 'leave out', or 'to decide'. Change what is wrong; decide what is to decide.",
    "Sheet 'codes': what your data write and what it stands for. Put a code in place of every '?'.",
    "Sheet 'visits': the week of each time of measurement, counted from the person's own start (0 is the baseline). "
    "Put a number in place of every '?'.",
    "Sheet 'settings': what holds for the whole: what becomes of two rows of one person and visit, an arm that all "
    "have in common ...",
    "Where 'confidence' says guess, look at the row and choose 'decided'. Nothing is loaded as long as a guess, a '?' "
    "or a 'to decide' is left; the check says in which cell.",
    "Save, and use this workbook wherever a mapping is asked for:",
)
COLOURS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "F8CBAD": ("red", "to decide, or a '?': nothing is loaded before you have answered"),
        "FCE4D6": ("orange", "a guess: look at it, correct it, choose 'decided'"),
        "FFF2CC": ("yellow", "likely: worth a look"),
        "E2EFDA": ("green", "decided by you"),
    }
)


@cache
def targets() -> tuple[str, ...]:
    """Return what a column can become, for the drop-down."""
    totals = instruments()
    return (
        TO_DECIDE, LEAVE_OUT, *fields(), *totals, *(f"{BASELINE}{name}" for name in totals),
        *(f"{DATE}{name}" for name in ("start", *DAY_FIELDS)), f"{COVARIATE}name", STATE, FORM, ASIDE, PEOPLE_ASIDE,
    )  # fmt: skip
