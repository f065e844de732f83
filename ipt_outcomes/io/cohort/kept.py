"""Keep the episodes in which columns have certain values."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.cells import same_code
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.cohort.dictionary import CODED, IDS, field_name
from ipt_outcomes.io.cohort.flow import after_loading
from ipt_outcomes.results import plural
from ipt_outcomes.vocabulary import code_of

_LEVELS_NAMED = 20


def keep_where(cohort: Cohort, asked: Mapping[str, Any]) -> Cohort:
    """Return the cohort of the episodes that meet every condition.

    Parameters
    ----------
    cohort : Cohort
    asked : mapping of str to value or list of values

    Returns
    -------
    Cohort

    Raises
    ------
    OptionError
        As in `Cohort.where`.
    """
    if not asked:
        raise OptionError("where needs at least one column and its values")
    people = cohort.episodes.merge(
        cohort.patients[[c for c in cohort.patients if c not in cohort.episodes or c == "patient_id"]],
        on="patient_id", how="left", validate="many_to_one",
    )  # fmt: skip
    keep = np.ones(len(people), dtype=bool)
    said = []
    for name, given in asked.items():
        column = _column(name, people)
        values = _as_list(given, name)
        mask = _matches(column, people[column], values)
        if not mask.any():
            raise OptionError(
                f"no one has {name} = {_said(values)}", column=column, hint=_levels(people[column]) or None
            )
        keep &= mask
        said.append(f"{name} = {_said(values)}")
    if not keep.any():
        raise OptionError(f"no one meets all conditions: {'; '.join(said)}")
    return _kept(cohort, cohort.episodes[keep], "; ".join(said))


def _column(name: str, people: pd.DataFrame) -> str:
    known = name if name in people else field_name(name)
    if known is None or known not in people or known in IDS:
        columns = [str(column) for column in people if column not in IDS]
        near = difflib.get_close_matches(name, columns, n=3, cutoff=0.6)
        why = "persons are not chosen by id" if known in IDS else f"the cohort has no column {name!r} of people"
        raise OptionError(why, hint=f"{'Near' if near else 'Columns'}: {', '.join(near or columns)}.")
    return str(known)


def _as_list(given: Any, name: str) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Sequence | set | frozenset | np.ndarray | pd.Series):
        return [given]
    values = list(given)
    if not values:
        raise OptionError(f"{name}: at least one value was expected")
    return values


def _matches(column: str, cells: pd.Series, values: list[Any]) -> np.ndarray:
    """Codes may be given by any of their names; case and blanks around do not matter; numbers count by value."""
    wanted = {same_code(str(value)) for value in values}
    if column in CODED:
        wanted |= {code.value for value in values if (code := code_of(str(value), CODED[column])) is not None}
    texts = cells.astype(object).map(lambda cell: same_code(str(cell)), na_action="ignore")
    return texts.isin(wanted).to_numpy(dtype=bool)


def _said(values: list[Any]) -> str:
    return " or ".join(str(value) for value in values)


def _levels(cells: pd.Series) -> str:
    """Levels of a column, where they are few and no numbers of persons."""
    if pd.api.types.is_numeric_dtype(cells):
        return ""
    levels = sorted(str(level) for level in cells.dropna().unique())
    return f"There is: {', '.join(levels)}." if 0 < len(levels) <= _LEVELS_NAMED else ""


def _kept(cohort: Cohort, episodes: pd.DataFrame, said: str) -> Cohort:
    ids = set(episodes["episode_id"])
    assessments = cohort.assessments[cohort.assessments["episode_id"].isin(ids)].reset_index(drop=True)
    patients = cohort.patients[cohort.patients["patient_id"].isin(episodes["patient_id"])].reset_index(drop=True)
    episodes = episodes.reset_index(drop=True)
    for column in episodes.columns[[isinstance(dtype, pd.CategoricalDtype) for dtype in episodes.dtypes]]:
        episodes[column] = episodes[column].cat.remove_unused_categories()
    until = cohort.flow["step"].isin(["in the file", "set aside", "loaded", "kept"])
    line = pd.DataFrame([["kept", said, len(patients), pd.NA]], columns=list(cohort.flow.columns))
    rest = after_loading(len(patients), assessments, episodes, cohort.baseline_rule)
    flow = pd.concat([cohort.flow[until].astype(object), line.astype(object), rest.astype(object)], ignore_index=True)
    return dataclasses.replace(
        cohort,
        patients=patients,
        episodes=episodes,
        sessions=cohort.sessions[cohort.sessions["episode_id"].isin(ids)].reset_index(drop=True),
        assessments=assessments,
        goals=cohort.goals[cohort.goals["episode_id"].isin(ids)].reset_index(drop=True)
        if len(cohort.goals)
        else cohort.goals,
        flow=flow.astype({"people": np.int64, "rows": "Int64", "step": "str", "reason": "str"}),
        notes=(
            *cohort.notes,
            f"{len(patients)} of {len(cohort.patients)} "
            f"{plural(len(cohort.patients), 'person', 'people')} kept: {said}",
        ),
    )
