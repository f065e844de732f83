"""Which rows may be pooled together: a treatment must not stand in arm 1 of some rows and in arm 2 of others."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.results import listed, plural, visible
from ipt_outcomes.vocabulary import Arm, label, study_arm_of

# Classes of many treatments: within them the name as written tells treatments apart.
_MANY = frozenset((Arm.MEDICATION, Arm.OTHER_PSYCHOTHERAPY, Arm.OTHER_CONTROL))


def rows_set_aside(table: pd.DataFrame, towards: str | None) -> pd.Series:
    """Tell which rows cannot be pooled with the others, and why.

    Where no treatment stands in arm 1 of one row and in arm 2 of another, all rows point the same way. Where
    one does, only the rows with the treatment `towards` in arm 1 (and not in arm 2) are kept.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table, oriented already.
    towards : str or None
        The treatment that positive favours.

    Returns
    -------
    pandas.Series of str
        The reason per row; empty text for rows that are kept.

    Raises
    ------
    DataError
        Treatments stand on both sides and `towards` does not settle it.
    """
    reasons = pd.Series("", index=table.index, dtype=object)
    if not {"condition_arm1", "condition_arm2"} <= set(table.columns):
        return reasons
    first, second = table["condition_arm1"].map(_treatment), table["condition_arm2"].map(_treatment)
    both = sorted((set(first) & set(second)) - {""})
    if not both:
        return reasons
    arm = None if towards is None else study_arm_of(towards)
    wanted = "" if towards is None else arm.value if arm is not None else _plain(towards)
    kept = (first == wanted) & (second != wanted)
    if not wanted or not kept.any():
        names = listed([visible(name.replace("_", " ")) for name in both])
        raise DataError(
            f"the rows point in different directions: {names} {plural(len(both), 'stands', 'stand')} in arm 1 of some "
            "rows and in arm 2 of others, so that the same sign favours different treatments",
            rows=table.loc[first.isin(both) | second.isin(both), "row"],
            column="condition_arm1",
            hint="Say what positive is to favour (towards='combination' in Python, --towards combination on the "
            "command line), or keep comparisons of one kind (where, --where).",
        )
    words = label(arm) if arm is not None else str(towards)
    reasons[~kept] = f"{words} is not one of its two arms, and its arms stand on the other side in other rows"
    reasons[(first == wanted) & (second == wanted)] = f"{words} is both its arms"
    return reasons


def _treatment(text: object) -> str:
    """What an arm gets, as far as rows must be told apart by it; empty text where the table does not say."""
    arm = study_arm_of(text)
    if arm is not None and arm not in _MANY:
        return arm.value
    return _plain(text) if isinstance(text, str) else ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
