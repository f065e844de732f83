"""Results, control groups and names that stand in a study table more than once."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.io.suspicion import Suspicion, bounded, key, name_of, rows_of
from ipt_outcomes.results import format_number, listed

_SAME_OUTCOME = ("instrument", "rating", "outcome_type", "time", "time_weeks")
IDENTITY = (
    "study", "condition_arm1", "condition_arm2", "multi_arm1", "multi_arm2", "effect_label", *_SAME_OUTCOME,
)  # fmt: skip
"""Columns that tell one result from another."""

_CONTROL = ("mean_arm2", "sd_arm2", "n_arm2", "mean_change_arm2", "event_arm2", "totaln_arm2")
_BY_ARM = ("mean", "sd", "n", "mean_change", "sd_change", "n_change", "event", "totaln")
_OUTCOME = (
    *(f"{stem}_arm{arm}" for stem in _BY_ARM for arm in (1, 2)),
    *(f"precalc_{stem}" for stem in ("g", "g_se", "log_rr", "log_rr_se")),
    *(f".{stem}" for stem in ("g", "g_se", "log_rr", "log_rr_se")),
)


def comparisons_per_control(frame: pd.DataFrame) -> pd.Series:
    """Count, for each row, the treatments compared with its control group on the same outcome.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (k, p)
        Comparisons, typed.

    Returns
    -------
    pandas.Series of int, shape (k,)
        1 where the control group is not shared or was shared out already, or the table does not say what
        the arms are.
    """
    alone = pd.Series(1, index=frame.index)
    if not {"condition_arm1", "condition_arm2"} <= set(frame.columns):
        return alone
    treatment = joined(frame, ("condition_arm1", "multi_arm1"))
    control = joined(frame, ("condition_arm2", "multi_arm2"))
    same = joined(frame, ("study", *_SAME_OUTCOME)) + "\x1f" + control + "\x1f" + _numbers(frame, _CONTROL)
    usable = frame["condition_arm2"].notna() & frame["condition_arm1"].notna()
    if "control_split" in frame:
        usable &= ~frame["control_split"]
    arms = treatment[usable].groupby(same[usable]).transform("nunique")
    return arms.reindex(frame.index).fillna(1).astype(int)


_SHARED_OUT = ("n_arm2", "n_change_arm2", "event_arm2", "totaln_arm2", ".event_arm2", ".totaln_arm2")
_NUMBERS_OF_CONTROL = (
    ("mean_arm2", "sd_arm2", "n_arm2"),
    ("mean_change_arm2", "sd_change_arm2", "n_change_arm2"),
    ("event_arm2", "totaln_arm2"),
)
_OUTDATED = (".g", ".g_se", ".log_rr", ".log_rr_se")


def share_out_controls(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Share a control group out over the comparisons that use it.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (k, p)
        Comparisons, typed.

    Returns
    -------
    shared_out : pandas.DataFrame, shape (k, p)
        A new frame with a column ``control_split`` (bool): participants and events of arm 2 divided by the
        number of treatments compared with it; means and SDs as they are. The databank's own effects in those
        rows, made with the whole group, become missing where the row has the numbers to make them anew.
    notes : tuple of str
        Rows changed; rows that hold only an effect and cannot be shared out.

    References
    ----------
    Cochrane Handbook for Systematic Reviews of Interventions, version 6, section 23.3.4.
    """
    result = frame.copy()
    share = comparisons_per_control(frame)
    shared = share > 1
    known = pd.Series(False, index=frame.index)
    for columns in _NUMBERS_OF_CONTROL:
        if set(columns) <= set(frame.columns):
            known |= frame[list(columns)].notna().all(axis=1)
    before = frame.get("control_split", False)
    result["control_split"] = (shared & known) | before
    for column in _SHARED_OUT:
        if column in frame:
            result[column] = frame[column].where(~shared, frame[column] / share)
    for column in _OUTDATED:
        if column in frame:
            result[column] = frame[column].where(~(shared & known))
    notes = []
    if (shared & known).any():
        rows = rows_in_words(rows_of(frame[shared & known]))
        notes.append(f"control groups shared out over the comparisons that use them: {rows}")
    if (shared & ~known).any():
        rows = rows_in_words(rows_of(frame[shared & ~known]))
        notes.append(f"only an effect is known, so that the control group could not be shared out: {rows}")
    return result, tuple(notes)


def shared_controls(frame: pd.DataFrame) -> list[Suspicion]:
    """Find control groups that several comparisons of one study use.

    Rule: rows of one study, outcome and ``condition_arm2`` (``multi_arm2``) with the same numbers in arm 2
    but different treatments in arm 1. One message per study.
    """
    found = []
    shared = frame[comparisons_per_control(frame) > 1]
    for _, rows in shared.groupby(shared["study"].map(key), sort=False):
        first = rows.iloc[0]
        label = first["multi_arm1"] if "multi_arm1" in rows and isinstance(first["multi_arm1"], str) else None
        column = "multi_arm1" if label else "condition_arm1"
        treatments = list(dict.fromkeys(str(v).strip() for v in rows[column].fillna(rows["condition_arm1"])))
        message = (
            f"{name_of(first)}: one control group ({str(first['condition_arm2']).strip()}{_size(first)}) "
            f"is compared with {listed(treatments)}; its participants count twice unless it is split: "
            f"{rows_in_words(rows_of(rows))}"
        )
        columns = ("condition_arm2",)
        found.append(
            Suspicion(
                kind="shared_control",
                message=message,
                studies=(name_of(first),),
                rows=rows_of(rows),
                columns=columns,
            )
        )
    return bounded("shared_control", found, "use one control group in several comparisons (it counts twice)")


def _size(row: pd.Series) -> str:
    for column in ("n_arm2", "totaln_arm2"):
        if column in row and not pd.isna(row[column]):
            return f", n = {format_number(float(row[column]), 'number')}"
    return ""


def similar_names(frame: pd.DataFrame) -> list[Suspicion]:
    """Find study names that differ only in blanks, case, accents or punctuation."""
    names = pd.Series(frame["study"].dropna().unique(), dtype=object)
    found = []
    for _, group in names.groupby(names.map(key), sort=False):
        if len(group) > 1:
            rows = frame[frame["study"].isin(group)]
            spelled = listed([f'"{name}"' for name in group])
            message = (
                f"study names that differ only in blanks, case, accents or punctuation: {spelled}; "
                f"they count as {len(group)} studies"
            )
            found.append(
                Suspicion(
                    kind="names",
                    message=message,
                    studies=tuple(group),
                    rows=rows_of(rows),
                    columns=("study",),
                )
            )
    return bounded("names", found, "are spelled in more than one way")


def duplicates(frame: pd.DataFrame) -> list[Suspicion]:
    """Find rows that say the same about the same arms and outcome. One message per study."""
    known = [column for column in _OUTCOME if column in frame]
    if not known:
        return []
    same = joined(frame, IDENTITY) + "\x1f" + _numbers(frame, tuple(known))
    repeated = frame[same.duplicated(keep=False) & frame[known].notna().any(axis=1)]
    found = [
        Suspicion(
            kind="duplicate",
            message=f"{name_of(rows.iloc[0])}: {rows_in_words(rows_of(rows))} look like one result twice",
            studies=(name_of(rows.iloc[0]),),
            rows=rows_of(rows),
        )
        for _, rows in repeated.groupby(repeated["study"].map(key), sort=False)
    ]
    return bounded("duplicate", found, "have rows that look like one result twice")


def joined(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    """Return the texts of some columns as one, without case, accents, blanks and punctuation.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (k, p)
    columns : tuple of str
        Those not in the frame are left out.

    Returns
    -------
    pandas.Series of str, shape (k,)
    """
    parts = [frame[column].map(lambda v: key(v) or str(v)) for column in columns if column in frame]
    whole = pd.Series("", index=frame.index)
    for part in parts:
        whole = whole + "\x1f" + part
    return whole


def _numbers(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    whole = pd.Series("", index=frame.index)
    for column in columns:
        if column in frame:
            whole = whole + "\x1f" + frame[column].map(repr)
    return whole
