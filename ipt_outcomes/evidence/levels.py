"""Levels of a column: as text, in order, in words; and which rows have a low risk of bias."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.evidence.effects import own_column
from ipt_outcomes.evidence.risk_of_bias import judgement_of
from ipt_outcomes.vocabulary import Arm, study_arm_of

# Names that set result rows apart already; a column of the same name is told from them.
_TAKEN = frozenset(("comparison", "measure", "rho", "left_out", "kind", "direction", "study", "row", "file"))


def level_key(column: str) -> str:
    """Return the name under which a column's levels stand in the groups of result rows.

    Parameters
    ----------
    column : str

    Returns
    -------
    str
        The column's name, told apart from names that the results use themselves.
    """
    return own_column(column) if column in _TAKEN else column


def column_in_words(column: str) -> str:
    """Return a column's name as a reader would say it.

    Parameters
    ----------
    column : str

    Returns
    -------
    str
    """
    known = {"condition_arm2": "comparator", "condition_arm1": "treatment", "target_group": "population"}
    return known.get(column, column.replace("_", " "))


def level_texts(values: pd.Series) -> pd.Series:
    """Return the levels of a column as text: without blanks around them, whole numbers whole.

    Parameters
    ----------
    values : pandas.Series

    Returns
    -------
    pandas.Series of str
        Missing where the value is missing or blank.
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        texts = values.map(lambda number: f"{number:.15g}", na_action="ignore")
    else:
        texts = values.map(lambda value: str(value).strip(), na_action="ignore")
    return texts.astype(object).where(texts.notna() & (texts != ""), None)


def in_order(values: pd.Series) -> list[str]:
    """Return the levels of a column in the order reports show them.

    Conditions come as in the vocabulary (waiting list, usual care, ... , IPT), then numbers by size, then what
    is neither, sorted.

    Parameters
    ----------
    values : pandas.Series
        Without missing values.

    Returns
    -------
    list of str
    """
    return sorted(values.astype(str).unique(), key=_place)


def _place(text: str) -> tuple[int, float, str]:
    """Where a level comes: known conditions first, then numbers, then words."""
    arm = study_arm_of(text)
    if arm is not None:
        return list(Arm).index(arm), 0.0, text
    try:
        return len(Arm), float(text), text
    except ValueError:
        return len(Arm) + 1, 0.0, text


def low_risk_rows(rows: pd.DataFrame, above: float) -> pd.Series | None:
    """Tell which rows have a low risk of bias.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a study table: ``rob`` is the number of low-risk items, ``rob_rating`` and ``rob2_overall`` are
        ratings in words.
    above : float
        A row counts as low risk when its number of low-risk items is above this, or its rating is "low".

    Returns
    -------
    pandas.Series of bool or None
        None where the table tells neither.
    """
    told = [name for name in ("rob", "rob_rating", "rob2_overall") if name in rows and rows[name].notna().any()]
    if not told:
        return None
    low = pd.Series(False, index=rows.index)
    if "rob" in told:
        low |= rows["rob"].astype(float) > above
    for rating in ("rob_rating", "rob2_overall"):
        if rating in told:
            low |= rows[rating].map(judgement_of) == "low"
    return low
