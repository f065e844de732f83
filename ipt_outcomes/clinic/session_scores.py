"""Scores session by session: one row per person, one column per session number, from long rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.refusing import refuse_rows
from ipt_outcomes.errors import DesignError

# Two sessions before a shift and two after it.
_FEWEST = 4
# A number of a session beyond this is a date or an id that stands in the wrong column.
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class SessionScores:
    """Scores of people by session.

    Parameters
    ----------
    id, session : str
        Names of the columns.
    people : numpy.ndarray, shape (k,)
        In the order they first appear.
    sessions : numpy.ndarray of int, shape (m,)
        Every number from the first to the last session of the data.
    values : numpy.ndarray, shape (k, m)
        Scores; NaN where missing.
    weeks : numpy.ndarray, shape (k, m), or None
        Week of each session; NaN where not known.
    """

    id: str
    session: str
    people: np.ndarray
    sessions: np.ndarray
    values: np.ndarray
    weeks: np.ndarray | None


def session_scores(data: pd.DataFrame, *, id: str, session: str, value: str, week: str | None = None) -> SessionScores:
    """Lay out long rows as people by sessions.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and session.
    id, session, value : str
        Columns.
    week : str, optional
        Column of the week of each session.

    Returns
    -------
    SessionScores

    Raises
    ------
    DesignError
        A column is missing; a person, session or score cannot be used; two rows for one session; too few sessions.
    """
    wanted = [id, session, value] + ([week] if week is not None else [])
    lacking = [name for name in wanted if name not in data.columns]
    if lacking:
        raise DesignError(
            f"expected the columns {', '.join(wanted)}; not there: {', '.join(lacking)}",
            hint="Name the columns with id=, session= and value=.",
        )
    number, score = _numbers(data[session]), _numbers(data[value])
    refuse_rows(data[id].isna().to_numpy() | np.isnan(number), "have no person or no session number", session)
    refuse_rows(number != np.floor(number), "have a session number that is no whole number", session)
    refuse_rows(
        np.isinf(score) | (np.isnan(score) & data[value].notna().to_numpy()), "have a score that is no number", value
    )
    refuse_rows(
        data.duplicated([id, session], keep=False).to_numpy(), "share their person and session with another", session
    )
    first, last = (int(number.min()), int(number.max())) if number.size else (0, -1)
    if not _FEWEST <= last - first + 1 <= _MOST:
        raise DesignError(
            f"expected at least {_FEWEST} sessions, two before a shift and two after it (and no more than {_MOST}); "
            f"the numbers in {session} span {last - first + 1}",
            column=session,
        )
    row, people = pd.factorize(data[id])
    column = number.astype(int) - first
    return SessionScores(
        id=id,
        session=session,
        people=np.asarray(people),
        sessions=np.arange(first, last + 1),
        values=_laid_out(score, row, column, (len(people), last - first + 1)),
        weeks=None if week is None else _laid_out(_numbers(data[week]), row, column, (len(people), last - first + 1)),
    )


def _laid_out(values: np.ndarray, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    table = np.full(shape, np.nan)
    table[row, column] = values
    return table


def _numbers(column: pd.Series) -> np.ndarray:
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
