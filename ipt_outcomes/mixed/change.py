"""Change by the levels of a column, and of two arms in each level: a randomised comparison only if it is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.mixed.adjust import Adjust
from ipt_outcomes.mixed.change_result import ChangeBy
from ipt_outcomes.mixed.change_tables import (
    Asked,
    arm_table,
    between_table,
    change_table,
    equality_table,
    level_table,
    shrunken_table,
    standardised_table,
)
from ipt_outcomes.mixed.columns import as_frame, is_numeric, require_columns
from ipt_outcomes.mixed.comparable import (
    arms_compared,
    check_levels,
    comparison_label,
    people_with_levels,
    why_not_compared,
)
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.fitting import lmm
from ipt_outcomes.mixed.repeated import mmrm

Time = Literal["linear", "log", "spline", "visit"]
ChangeDf = Literal["satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", "residual", "normal"]

# More times than this are no visits: each has a mean of its own in every level.
MOST_VISITS = 12
SET_DAY = "area_set_day"
# Where the unstructured covariance does not converge, in this order.
FALLBACK: tuple[Any, ...] = ("toeplitz-heterogeneous", "ar1-heterogeneous", "compound-symmetry-heterogeneous")


def change_by(
    data: object,
    *,
    outcome: str = "value",
    by: str = "problem_area",
    week: str = "week",
    subject: str = "patient_id",
    baseline: str | None = None,
    covariates: Sequence[str] = (),
    arm: str | None = None,
    arm1: str | None = None,
    arm2: str | None = None,
    time: Time = "linear",
    since: float | None = None,
    at: float | None = None,
    adjust: Adjust = "holm",
    df: ChangeDf | None = None,
    level: float = 0.95,
    sd: float | None = None,
    set_day: str | None = None,
    set_before: bool = False,
) -> ChangeBy:
    """Estimate change by the levels of a column, and compare two arms in each level where that is a fair comparison.

    Parameters
    ----------
    data : pandas.DataFrame, another frame, or a path to Parquet or CSV
        One row per person and visit, as ``cohort.outcome()`` gives it: its columns are the defaults.
    outcome, by, week, subject, baseline, arm : str
        Columns: the score, the levels, the time, the person, the score before (a covariate), the arm.
    covariates : sequence of str
        Further columns of the fixed part, such as the strata of a randomisation; levels of them weigh in a mean by
        how many rows have them.
    arm1, arm2 : str, optional
        Arms compared, arm 1 minus arm 2. Default: the last level of `arm` against every other.
    time : {"linear", "log", "spline", "visit"}
        The course: a straight line; straight in the logarithm of time + 1; a natural cubic spline with 3 degrees of
        freedom; a mean of its own at every visit (a model for repeated measures with an unstructured covariance).
    since, at : float, optional
        Times between which change is taken, `at` also that of means; default: the first and the last with an outcome.
    adjust : {"holm", "none"}
        Adjustment over the levels.
    df : str, optional
        Degrees of freedom: by default "satterthwaite", for `time="visit"` "kenward-roger".
    level : float
    sd : float, optional
        Standard deviation that standardises change. Default: that of `baseline` over the people in the model, or,
        without it, that of their first scores.
    set_day : str, optional
        Column with the day on which a person's level was set, randomisation being day 0. Default: "area_set_day"
        where the data have it and `by` is "problem_area".
    set_before : bool
        Declares that every arm's levels were set before or at randomisation; refused where `set_day` says otherwise.

    Returns
    -------
    ChangeBy
        Arms are compared only if levels were set before or at randomisation, for all but a tenth of each arm at most.
        Otherwise change is described
        within arm 1 and labelled: whoever stays long enough to be given a level differs from who does not.

    Raises
    ------
    OptionError
        A column or an arm that is not there.
    DesignError
        A level (or an arm in a level) without enough rows.

    Notes
    -----
    The model is ``outcome ~ week * arm * by + baseline + (week | subject)``, by restricted maximum likelihood, with
    another function of week for another course. The test asks for equality of all slopes, or of all differences of
    slopes (Fai and Cornelius 1996); of changes where the course is no straight line. By visit, structures of the
    covariance to fall back on are Toeplitz, AR(1) and compound symmetry, all with a variance per visit.

    Examples
    --------
    >>> from ipt_outcomes import simulate
    >>> found = change_by(simulate.trial().outcome("phq9"), baseline="baseline", arm="arm")
    >>> found.randomised, found.label
    (True, 'randomised comparison')
    """
    require_choice("time", time, get_args(Time))
    require_choice("df", df or "satterthwaite", get_args(ChangeDf))
    frame = as_frame(data, None, (subject,))
    if set_day is None and not set_before and by == "problem_area" and arm is not None and SET_DAY in frame:
        set_day = SET_DAY
    names = [name for name in (outcome, by, week, subject, baseline, *covariates, arm, set_day) if name is not None]
    require_columns(frame, names)
    if is_numeric(frame[by]):
        raise OptionError(f"{by} holds numbers: change is described by levels", column=by, hint="Group them, as text.")
    arms = () if arm is None else arms_compared(frame, arm, arm1, arm2)
    check_levels(frame, by, subject, set_day if set_before else None)
    people = people_with_levels(frame, by=by, subject=subject, arm=arm)
    reason = "" if arm is None else why_not_compared(frame, by, arm, set_day, people, set_before=set_before)
    randomised = arm is not None and not reason
    used = _rows_used(frame, by, arm, arms, randomised=randomised)
    first, last = _times(used, outcome, week, since, at)
    fixed = [week, arm, by] if randomised and arm else [week, by]
    fit = _fitted(used, time, fixed, outcome=outcome, subject=subject, baseline=baseline, covariates=covariates,
                  df=df, level=level)  # fmt: skip
    asked = Asked(fit, by, week, arm if randomised else None, arms, first, last, time == "linear")
    levels = level_table(asked)
    spread, spread_of = _spread(used, outcome, week, subject, baseline, sd)
    return ChangeBy(
        by=by,
        randomised=randomised,
        label=comparison_label(arm, arms, randomised=randomised),
        reason=reason,
        levels=levels,
        changes=change_table(asked),
        contrasts=arm_table(asked, adjust) if randomised else levels.iloc[:0],
        between=between_table(asked, adjust),
        test=equality_table(asked),
        shrunken=shrunken_table(asked, level),
        standardised=standardised_table(asked, spread, spread_of),
        people=people,
        fit=fit,
        time=time,
        since=first,
        at=last,
        adjust=adjust,
        _asked=asked,
    )


def _rows_used(
    frame: pd.DataFrame, by: str, arm: str | None, arms: tuple[str, ...], *, randomised: bool
) -> pd.DataFrame:
    """Rows of people with a level; of arm 1 only where arms are not compared."""
    used = frame[frame[by].notna()]
    if arm is not None and not randomised:
        used = used[used[arm].astype(str).eq(arms[0])]
    if not len(used):
        where = f" of {arms[0]}" if arms else ""
        raise DesignError(f"nobody{where} has a value of {by}: there is no change to describe by it")
    used = used.copy()
    for name in [by] if not randomised or arm is None else [by, arm]:
        if isinstance(used[name].dtype, pd.CategoricalDtype):
            used[name] = used[name].cat.remove_unused_categories()
    return used


def _times(used: pd.DataFrame, outcome: str, week: str, since: float | None, at: float | None) -> tuple[float, float]:
    if not is_numeric(used[week]):
        raise OptionError(f"{week} must hold numbers: the time of each row", column=week)
    seen = used.loc[used[outcome].notna(), week]
    if not seen.notna().any():
        raise DesignError(f"no row has both {outcome} and {week}")
    first = float(seen.min()) if since is None else float(since)
    last = float(seen.max()) if at is None else float(at)
    if not first < last:
        raise OptionError(f"change is taken from an earlier to a later time; got {first:g} to {last:g}")
    return first, last


def _fitted(
    used: pd.DataFrame, time: Time, fixed: list[str], *, outcome: str, subject: str, baseline: str | None,
    covariates: Sequence[str], df: ChangeDf | None, level: float,
) -> MixedFit:  # fmt: skip
    week = quoted(fixed[0])
    course = {
        "linear": week,
        "log": f"log({week} + 1)",
        "spline": f"ns({week}, df = 3)",
        "visit": f"factor({week})",
    }[time]
    between = "*".join([course, *(quoted(name) for name in fixed[1:])])
    first = [] if baseline is None else [quoted(baseline) + (f"*{course}" if time == "visit" else "")]
    added = "".join(f" + {one}" for one in [*first, *(quoted(name) for name in covariates)])
    formula = f"{quoted(outcome)} ~ {between}{added}"
    if time == "visit":
        visits = used.loc[used[outcome].notna(), fixed[0]].nunique()
        if visits > MOST_VISITS:
            raise DesignError(
                f"{fixed[0]} has {visits} different times, which are no visits; at most {MOST_VISITS} have means of "
                "their own",
                column=fixed[0],
                hint="Give the week of the visit that was planned, or use time='spline'.",
            )
        return mmrm(
            formula, used, subject=subject, visit=fixed[0], df=df or "kenward-roger", level=level, fallback=FALLBACK
        )
    random = course if time == "log" else week
    return lmm(f"{formula} + ({random} | {quoted(subject)})", used, df=df or "satterthwaite", level=level)


def _spread(
    used: pd.DataFrame, outcome: str, week: str, subject: str, baseline: str | None, sd: float | None
) -> tuple[float, str]:
    """The SD that standardises change, and what it is of."""
    if sd is not None:
        if not (np.isfinite(sd) and sd > 0):
            raise OptionError(f"sd must be above 0; got {sd}")
        return float(sd), "SD as given"
    ordered = used[used[outcome].notna()].sort_values(week, kind="stable")
    if baseline is not None:
        ordered = ordered[ordered[baseline].notna()]
    one = ordered.drop_duplicates(subject)[outcome if baseline is None else baseline]
    found = float(one.std(ddof=1)) if len(one) > 1 else float("nan")
    what = "first scores" if baseline is None else baseline
    return (found if found > 0 else float("nan")), f"SD of {what} of the {len(one)} people in the model"


def quoted(name: str) -> str:
    """Return a column's name as a formula writes it."""
    if "`" in name:
        raise OptionError("a column whose name holds a backtick cannot stand in a formula", hint="Rename the column.")
    return f"`{name}`"
