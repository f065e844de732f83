"""What a reader must know before using the numbers of a battery."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.evidence.effects import StudyEffects
from ipt_outcomes.evidence.levels import low_risk_rows
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import listed

_FEW_FOR_EGGER = 10


def outside_studies(rows: pd.DataFrame, studies: pd.DataFrame) -> list[str]:
    """Return the studies whose combined effect lies outside all of its own effects.

    With unequal precision and a high correlation the best linear combination gives an imprecise effect a
    negative weight.

    Parameters
    ----------
    rows, studies : pandas.DataFrame
        Effects per row, and combined per study.

    Returns
    -------
    list of str
    """
    own = studies["yi"].to_numpy(float)
    span = rows.groupby(rows["study"].astype(str))["yi"].agg(["min", "max"]).loc[list(studies["study"].astype(str))]
    low, high = span["min"].to_numpy(), span["max"].to_numpy()
    slack = 1e-9 * np.maximum(np.abs(low), np.abs(high))
    outside = (own < low - slack) | (own > high + slack)
    return [str(name) for name in studies["study"][outside]]


def _outside_notes(rows: pd.DataFrame, studies: pd.DataFrame) -> tuple[str, ...]:
    names = outside_studies(rows, studies)
    if not names:
        return ()
    return (
        f"The combined effect of {listed(names)} lies outside all effects of the study: with the assumed correlation "
        "an imprecise effect gets a negative weight. Look at the results under lower correlations.",
    )


def notes_of(
    effects: StudyEffects, studies: pd.DataFrame, combined: PooledEffect, options: Options, *, has_low_risk: bool
) -> tuple[str, ...]:
    """Return what a reader must know before using the numbers.

    Parameters
    ----------
    effects : StudyEffects
    studies : pandas.DataFrame
        Effects combined per study.
    combined : PooledEffect
        The main analysis.
    options : Options
    has_low_risk : bool
        Whether there is an analysis of studies with a low risk of bias.

    Returns
    -------
    tuple of str
    """
    rows = effects.rows
    notes: list[str] = []
    if len(studies) == 1:
        notes.append("One study: nothing is pooled, its own effect is shown, and heterogeneity is not defined.")
    elif len(studies) < 5:
        notes.append(
            "Very few studies: the between-study variance can hardly be estimated; read the intervals with caution."
        )
    if combined.narrower_than_z:
        notes.append(
            "The Knapp-Hartung interval of the main analysis is narrower than the normal one. Both are shown; the "
            "verdict goes by the wider. The prediction interval rests on the narrower standard error and may be too "
            "narrow."
        )
    elif combined.k > 1:
        # Why another test than the one asked for was used.
        notes += combined.notes
    if len(studies) < len(rows):
        notes.append(
            f"Several rows of one study are not independent: they are combined with an assumed correlation of "
            f"{options.rho:g}. The analysis of all rows ignores this and is shown for comparison only."
        )
    if len(studies) < _FEW_FOR_EGGER:
        notes.append("Fewer than ten studies: tests of funnel asymmetry have little power.")
    if low_risk_rows(rows, options.low_risk_above) is None:
        notes.append("The table does not tell the risk of bias: there is no analysis of low-risk studies.")
    elif not has_low_risk:
        notes.append("No row is rated as having a low risk of bias: there is no such analysis.")
    return (*notes, *_times_notes(rows), *_outside_notes(rows, studies))


def _times_notes(rows: pd.DataFrame) -> tuple[str, ...]:
    """Results right after treatment and at follow-up answer two questions; pooled together they answer neither."""
    if "time" not in rows:
        return ()
    times = sorted(rows["time"].dropna().astype(str).str.strip().unique())
    if len(times) < 2:
        return ()
    return (
        f"Rows of several times of assessment ({listed(times)}) are pooled together: choose one (times, --time) for "
        "an answer about one of them.",
    )
