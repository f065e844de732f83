"""Does a study table keep to the Metapsy standard: columns, ids, one kind of data per result, possible counts?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.io.repeats import IDENTITY, joined
from ipt_outcomes.io.suspicion import Suspicion, key, names_of, rows_of
from ipt_outcomes.results import listed

REQUIRED = (
    "study", "condition_arm1", "condition_arm2", "multi_arm1", "multi_arm2", "outcome_type", "instrument", "time",
    "time_weeks", "rating",
)  # fmt: skip
"""Columns of the standard that tell one result from another."""

# What an effect can be computed from; a row should have one of each kind (as metapsyTools' conflict check asks).
_FOR_G = {
    "means and SDs": ("mean_arm1", "mean_arm2", "sd_arm1", "sd_arm2", "n_arm1", "n_arm2"),
    "change scores": ("mean_change_arm1", "mean_change_arm2", "sd_change_arm1", "sd_change_arm2"),
    "a precalculated g": ("precalc_g", "precalc_g_se"),
}
_FOR_RR = {
    "events": ("event_arm1", "event_arm2", "totaln_arm1", "totaln_arm2"),
    "a precalculated log RR": ("precalc_log_rr", "precalc_log_rr_se"),
}
_NAMED = ("condition_arm1", "condition_arm2", "multi_arm1", "multi_arm2", "instrument", "outcome_type", "rating")
_LEAST = 2


def against_the_standard(frame: pd.DataFrame) -> list[Suspicion]:
    """Run every check of the standard.

    Parameters
    ----------
    frame : pandas.DataFrame
        Comparisons, typed.

    Returns
    -------
    list of Suspicion
    """
    checks = (missing_columns, unlike_ids, conflicting_data, spellings, impossible_counts)
    return [found for check in checks for found in check(frame)]


def missing_columns(frame: pd.DataFrame) -> list[Suspicion]:
    """Find columns of the standard that are not there or empty, and rows in which they are."""
    found = []
    for column in REQUIRED:
        if column not in frame or frame[column].isna().all():
            state = "is not there" if column not in frame else "is empty"
            message = f"column {column} of the standard {state}: results that differ only in it look alike"
            found.append(Suspicion(kind="required_column", message=message, columns=(column,)))
            continue
        # An arm that stands for itself needs no label of several.
        if column.startswith("multi_arm"):
            continue
        rows = frame[frame[column].isna()]
        if len(rows):
            found.append(_about("required_column", rows, f"{column} is empty in {_told(rows)}", (column,)))
    return found


def unlike_ids(frame: pd.DataFrame) -> list[Suspicion]:
    """Find results that nothing tells apart.

    Rule: rows of one study agree in both arms (``condition_arm``, ``multi_arm``), instrument, rating, outcome type,
    time and label of the effect, but hold different numbers. Equal numbers are named by `repeats.duplicates`.
    """
    found = []
    same = joined(frame, IDENTITY)
    numbers = frame[[c for c in frame if pd.api.types.is_numeric_dtype(frame[c]) and c not in {"row", "year"}]]
    differs = ~pd.concat([same.rename("same"), numbers], axis=1).duplicated(keep=False)
    for _, rows in frame[same.duplicated(keep=False) & differs].groupby(same, sort=False):
        if len(rows) > 1:
            message = (
                f"{_first(rows)}: {_told(rows)} are different results that no column tells apart; "
                "name the arms in multi_arm1 and multi_arm2, or the measures in instrument, rating or time"
            )
            found.append(_about("unique_id", rows, message, tuple(c for c in IDENTITY if c in frame)))
    if ".id" in frame:
        rows = frame[frame[".id"].notna() & frame[".id"].duplicated(keep=False)]
        for value, part in rows.groupby(".id", sort=False):
            found.append(_about("unique_id", part, f".id {value} stands in {_told(part)}", (".id",)))
    return found


def conflicting_data(frame: pd.DataFrame) -> list[Suspicion]:
    """Find rows that hold more than one kind of data for the same effect.

    Rule: two or more of means and SDs, change scores and a precalculated g; or events and a precalculated log RR,
    each complete. Which one an analysis takes is a choice, and they need not agree.
    """
    found = []
    for effect, kinds in (("g", _FOR_G), ("log RR", _FOR_RR)):
        has = {name: _complete(frame, columns) for name, columns in kinds.items()}
        several = np.sum(list(has.values()), axis=0) > 1
        together = np.column_stack(list(has.values()))
        for pattern in dict.fromkeys(map(tuple, together[several].tolist())):
            rows = frame[(together == pattern).all(axis=1)]
            names = [name for name, is_there in zip(has, pattern, strict=True) if is_there]
            columns = tuple(column for name in names for column in kinds[name])
            message = f"{effect} can be had from {listed(names)} in {_told(rows)}"
            found.append(_about("conflicting_data", rows, message, columns))
    return found


def spellings(frame: pd.DataFrame) -> list[Suspicion]:
    """Find names of arms, instruments and outcomes that differ only in blanks, case, accents or punctuation.

    Names of studies are compared by `repeats.similar_names`.
    """
    found = []
    for column in (name for name in _NAMED if name in frame):
        names = pd.Series(frame[column].dropna().astype(str).unique(), dtype=object)
        for _, group in names.groupby(names.map(key), sort=False):
            if len(group) > 1:
                rows = frame[frame[column].isin(group)]
                spelled = listed([f'"{name}"' for name in group])
                message = f"{column} is spelled in more than one way: {spelled} ({_told(rows)})"
                found.append(_about("names", rows, message, (column,)))
    return found


def impossible_counts(frame: pd.DataFrame) -> list[Suspicion]:
    """Find numbers of people that cannot be.

    Rule: fewer than 2 in an arm; no whole number, unless the control group was shared out; more analysed than
    randomised (``rand_arm``); events above their total.
    """
    found = []
    whole = ~frame["control_split"].astype(bool) if "control_split" in frame else pd.Series(True, index=frame.index)
    for arm in "12":
        for column in (name for name in (f"n_arm{arm}", f"n_change_arm{arm}", f"totaln_arm{arm}") if name in frame):
            counts = frame[column]
            found += _counts(frame[counts < _LEAST], f"{column} is below {_LEAST}", (column,))
            found += _counts(
                frame[(counts % 1 != 0) & counts.notna() & whole], f"{column} is no whole number", (column,)
            )
            most = f"rand_arm{arm}"
            if most in frame:
                rows = frame[counts > frame[most]]
                found += _counts(rows, f"{column} is above the number randomised ({most})", (column, most))
        event, total = f"event_arm{arm}", f"totaln_arm{arm}"
        if {event, total} <= set(frame.columns):
            rows = frame[frame[event] > frame[total]]
            found += _counts(rows, f"{event} is above {total}", (event, total))
    return found


def check_table(found: Iterable[Suspicion], frame: pd.DataFrame) -> pd.DataFrame:
    """Return findings as a table, one line per finding and row.

    Parameters
    ----------
    found : iterable of Suspicion
    frame : pandas.DataFrame
        The comparisons they are about.

    Returns
    -------
    pandas.DataFrame
        ``check row study columns detail``; ``row`` is missing where a finding is about the whole table.
    """
    studies = frame.drop_duplicates("row").set_index("row")["study"] if len(frame) else pd.Series(dtype=object)
    lines = []
    for one in found:
        several = len(one.studies) > 1
        for row in one.rows or (None,):
            study = studies.get(row) if row is not None else None
            if study is None:
                study = one.studies[0] if one.studies and not several else ""
            lines.append((one.kind, row, str(study).strip(), ", ".join(one.columns), one.message))
    table = pd.DataFrame(lines, columns=["check", "row", "study", "columns", "detail"])
    return table.astype({"row": "Int64"})


def _complete(frame: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    if not set(columns) <= set(frame.columns):
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(frame[list(columns)].notna().all(axis=1), dtype=bool)


def _counts(rows: pd.DataFrame, what: str, columns: tuple[str, ...]) -> list[Suspicion]:
    return [_about("impossible_count", rows, f"{what} in {_told(rows)}", columns)] if len(rows) else []


def _about(kind: str, rows: pd.DataFrame, message: str, columns: tuple[str, ...]) -> Suspicion:
    return Suspicion(kind=kind, message=message, studies=names_of(rows), rows=rows_of(rows), columns=columns)


def _told(rows: pd.DataFrame) -> str:
    return rows_in_words(rows_of(rows))


def _first(rows: pd.DataFrame) -> str:
    return str(rows["study"].iloc[0]).strip()
