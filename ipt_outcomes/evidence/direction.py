"""Which scores are better and which events are good news: said by the table, the registry or the user."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.instruments import direction_of
from ipt_outcomes.results import visible
from ipt_outcomes.vocabulary import event_of


def row_directions(
    table: pd.DataFrame, needed: pd.Series, better: str | None
) -> tuple[pd.Series, dict[str, int], tuple[str, ...]]:
    """Settle which scores are better in each row that needs it.

    The most specific word wins: the row's own ``better``, then what is known of the instrument, then the
    argument. Where none speaks but the databank's own g stands in the row, the databank's rule holds: its
    scales measure symptoms, lower is better.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table.
    needed : pandas.Series of bool
        Rows whose effect depends on the direction.
    better : {"lower", "higher"} or None
        Direction where nothing else speaks.

    Returns
    -------
    tuple of pandas.Series, dict of str to int, tuple of str
        "lower" or "higher" per row (empty text where not needed); how many rows each source settled; notes.

    Raises
    ------
    DataError
        A row stays unsettled; the rows and instruments are named.
    """
    direction = _column(table, "better")
    sources = pd.Series("stated in the table", index=table.index).where(direction != "", "")
    known = _column(table, "instrument").map(lambda name: direction_of(name) or "")
    for words, source in (
        (known, "known for the instrument"),
        (_constant(table, better), "stated by the user"),
    ):
        fill = (direction == "") & (words != "")
        direction, sources = direction.where(~fill, words), sources.where(~fill, source)
    databank = (direction == "") & (table[".g"].notna() if ".g" in table else False)
    direction, sources = (
        direction.where(~databank, "lower"),
        sources.where(~databank, "lower, as the databank's own g has it"),
    )
    unknown = needed & (direction == "")
    if unknown.any():
        names = sorted(
            visible(name) or "(no instrument named)" for name in _column(table[unknown], "instrument").unique()
        )
        raise DataError(
            f"the direction of the scale is not known in {unknown.sum()} of {needed.sum()} rows: {', '.join(names)}",
            rows=table.loc[unknown, "row"],
            column="better",
            hint="Say which scores are better: a column 'better' with lower or higher in each row, or one answer "
            "for all of them (better='lower' in Python, --better lower on the command line). Without it the sign "
            "of the effect would be a guess.",
        )
    counts = sources[needed & (sources != "")].value_counts()
    notes: tuple[str, ...] = ()
    contradicted = (
        needed & (known != "") & (_constant(table, better) != "") & (known != better) & (_column(table, "better") == "")
    )
    if contradicted.any():
        own = ", ".join(sorted(visible(name) for name in _column(table[contradicted], "instrument").unique()))
        notes = (f"For {own} the direction is the instrument's own, not the one stated for the whole table.",)
    own_word = _column(table, "better")
    against = needed & (known != "") & (own_word != "") & (known != own_word)
    if against.any():
        named = ", ".join(sorted(visible(name) for name in _column(table[against], "instrument").unique()))
        notes += (
            f"For {named} the table states the opposite of what is known of the instrument; the table's word was "
            "taken: check it, for it turns the sign.",
        )
    return direction.where(needed, ""), {str(source): int(count) for source, count in counts.items()}, notes


def row_events(table: pd.DataFrame, needed: pd.Series, event: str | None) -> pd.Series:
    """Settle whether the event of each row is good or bad news.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table.
    needed : pandas.Series of bool
        Rows whose effect depends on it.
    event : {"good", "bad"} or None
        Meaning where the row's own ``event`` and its ``outcome_type`` say nothing.

    Returns
    -------
    pandas.Series
        "good" or "bad" per row (empty text where not needed).

    Raises
    ------
    DataError
        A row stays unsettled; the rows and outcome types are named.
    """
    meaning = _column(table, "event")
    by_type = _column(table, "outcome_type").map(lambda name: event_of(name) or "")
    for words in (by_type, _constant(table, event)):
        meaning = meaning.where(meaning != "", words)
    unknown = needed & (meaning == "")
    if unknown.any():
        names = sorted(
            visible(name) or "(no outcome type)" for name in _column(table[unknown], "outcome_type").unique()
        )
        raise DataError(
            f"whether more events are good or bad news is not known in {unknown.sum()} of {needed.sum()} rows: "
            f"{', '.join(names)}",
            rows=table.loc[unknown, "row"],
            column="event",
            hint="Say it: a column 'event' with good (response, remission) or bad (relapse, dropout) in each row, or "
            "one answer for all of them (event='good' in Python, --event good on the command line).",
        )
    return meaning.where(needed, "")


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    """A text column with missing cells as empty text; all empty where the table has no such column."""
    if name not in table:
        return pd.Series("", index=table.index, dtype=object)
    return table[name].astype(object).where(table[name].notna(), "")


def _constant(table: pd.DataFrame, value: str | None) -> pd.Series:
    return pd.Series(value or "", index=table.index, dtype=object)
