"""The rates of a review as a table: one row per measure, rate, rule and group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.courses import ALL, Courses
from ipt_outcomes.clinic.outcomes import RULES, Sets, closed, started
from ipt_outcomes.effects.proportions import wilson

LEFT_OUT = (
    "not_started",
    "still_in_treatment",
    "no_first_score",
    "too_few_sessions",
    "no_last_score",
    "not_a_case",
    "in_remission_at_start",
    "no_symptoms_at_start",
)
"""Why a course is not in a denominator, by the first reason that applies, in this order."""


def rate_table(measures: Sequence[Sets], courses: Courses, level: float) -> pd.DataFrame:
    """Return every rate with its counts and interval.

    Parameters
    ----------
    measures : sequence of Sets
    courses : Courses
    level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        ``measure rate rule``, the column compared by (``"all"`` for everyone), ``numerator denominator percent ci_low
        ci_high``, and a column per reason of `LEFT_OUT` that occurs for some rate; courses = denominator + all of
        these.
    """
    by = courses.by or "problem_area"
    rows = []
    for sets in measures:
        for rate in sets.rates:
            for rule in RULES:
                for group, inside in groups_of(courses):
                    out = {f"left_out_{name}": int((m & inside).sum()) for name, m in _out(sets, rate, rule, courses)}
                    counts = {
                        "numerator": int((sets.numerator(rate, rule) & inside).sum()),
                        "denominator": int((sets.denominator(rate, rule) & inside).sum()),
                    }
                    rows.append({"measure": sets.measure, "rate": rate, "rule": rule, by: group, **counts, **out})
    table = pd.DataFrame(rows)
    limits = wilson(table["numerator"], table["denominator"], level)
    percent = 100 * table["numerator"] / table["denominator"].where(table["denominator"] > 0)
    at = list(table.columns).index("denominator") + 1
    for name, values in (("ci_high", 100 * limits.high), ("ci_low", 100 * limits.low), ("percent", percent)):
        table.insert(at, name, values)
    reasons = [f"left_out_{name}" for name in LEFT_OUT if f"left_out_{name}" in table]
    table[reasons] = table[reasons].fillna(0).astype(int)
    return table[[name for name in table.columns if name not in reasons] + reasons]


def groups_of(courses: Courses) -> Iterator[tuple[str, np.ndarray]]:
    """Yield everyone, then each level compared, with its mask over the courses."""
    yield ALL, np.ones(len(courses), dtype=bool)
    for level in courses.levels:
        yield level, courses.level == level


def _out(sets: Sets, rate: str, rule: str, courses: Courses) -> Iterator[tuple[str, np.ndarray]]:
    yield "not_started", ~started(courses)
    yield "still_in_treatment", started(courses) & ~closed(courses)
    yield from sets.left_out(rate, rule)
