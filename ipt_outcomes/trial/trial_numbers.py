"""All numbers of a trial analysis as result rows, in the order of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ipt_outcomes.trial.areas import AreaChange, AreaPart
from ipt_outcomes.trial.comparison import Comparison
from ipt_outcomes.trial.flow import BASELINE, EVERYONE, Flow
from ipt_outcomes.trial.model import ChangeModel
from ipt_outcomes.trial.numbers import (
    LINE_UNITS,
    baseline_rows,
    comparison_rows,
    flow_rows,
    model_rows,
    records,
    response_rows,
    trajectory_rows,
)
from ipt_outcomes.trial.record import Recorded, Recorder
from ipt_outcomes.trial.response import Response
from ipt_outcomes.trial.table_one import TableOne
from ipt_outcomes.trial.trajectory import Trajectory


def record_trial(
    *,
    flow: Flow,
    baseline: TableOne,
    model: ChangeModel | str,
    comparisons: Sequence[Comparison],
    response: Response,
    areas: AreaChange,
    trajectory: Trajectory,
    cohort_flow: pd.DataFrame,
) -> Recorded:
    """Return every number of a trial as a result row, with what ties its counts together.

    Parameters
    ----------
    flow, baseline, model, comparisons, response, areas, trajectory, cohort_flow
        As in `ipt_outcomes.trial.TrialAnalysis`.

    Returns
    -------
    Recorded
        Analyses: ``reading flow flow_visit baseline model random comparison effect_size response
        response_comparison area area_people area_test area_shrunken means observed``.
    """
    record = Recorder()
    read = _reading_rows(record, cohort_flow)
    flow_ids = flow_rows(record, flow)
    if "arm not known" in read and flow.without_arm == read["arm not known"][1] and flow.without_arm:
        record.sum(flow_ids[EVERYONE, "without_arm"], read["arm not known"][0])
    baseline_rows(record, baseline, flow_ids, [(item.arm1, item.arm2) for item in comparisons])
    people: Mapping[str, str] = {}
    if not isinstance(model, str):
        people = model_rows(record, model)
        for arm, name in people.items():
            record.part(flow_ids[arm, "with_baseline"], name)
            record.part(flow_ids[arm, "with_any_outcome"], name)
    comparison_rows(record, comparisons, people, flow_ids, model)
    response_rows(record, response, flow_ids)
    for part in areas.parts:
        _area_rows(record, part, areas, flow_ids)
    trajectory_rows(record, trajectory, people, flow_ids, model)
    return record.finish((BASELINE, flow.last_visit.key))


def _reading_rows(record: Recorder, frame: pd.DataFrame) -> dict[str, tuple[str, int]]:
    """Who is in the cohort, who is not and why; id and number of the last row of each step."""
    made: dict[str, tuple[str, int]] = {}
    seen: set[tuple[str, str]] = set()
    for row in records(frame):
        groups = {"step": str(row["step"]), "reason": "" if pd.isna(row["reason"]) else str(row["reason"])}
        if pd.isna(row["people"]) or tuple(groups.values()) in seen:
            continue
        seen.add((groups["step"], groups["reason"]))
        made[groups["step"]] = record.people("reading", "people", row["people"], groups), int(row["people"])
    return made


def _area_rows(record: Recorder, part: AreaPart, areas: AreaChange, flow_ids: Mapping[tuple[str, str], str]) -> None:
    """People, estimates, the test of a difference between areas, and shrunken estimates of one part."""
    where = part.where
    people: dict[tuple[str, str], str] = {}
    for row in records(part.people):
        arm, area = str(row["arm"]), str(row["area"])
        groups = {**where, "arm": arm, "area": area}
        people[arm, area] = record.people(
            "area_people", "people", row["n"], groups, "with a baseline and a later score"
        )
    for arm in part.arms:
        mine = [count for (of, _), count in people.items() if of == arm]
        not_set = record.people("area_people", "not_set", areas.not_set[arm], {**where, "arm": arm}, "no area set")
        record.part(flow_ids[arm, "randomised"], not_set)
        everyone = record.people(
            "area_people", "people", part.people.loc[part.people["arm"].eq(arm), "n"].sum(), {**where, "arm": arm}
        )
        if mine:
            record.sum(everyone, *mine)
        record.part(flow_ids[arm, "with_any_outcome"], everyone)
    _area_lines(record, part, people)
    made: list[str] = []
    units = {"num_df": "degrees of freedom", "den_df": "degrees of freedom", "statistic": "F", "p_value": "p"}
    hypothesis = f"change per week is the same in all levels; {part.label}"
    for name, value in part.test.items():
        made.append(record.number("area_test", name, value, units[name], where, method=hypothesis))
    if part.tau is not None:
        made.append(record.number("area_shrunken", "tau", part.tau, "points per week", where))
    for row in records(part.shrunken):
        groups = {**where, "area": str(row["area"])}
        method = "change per week, drawn towards the mean of the levels"
        made += [
            record.number("area_shrunken", name, row[name], "points per week", groups, method=method)
            for name in ("estimate", "se", "ci_low", "ci_high")
        ]
    if made:
        record.modelled(made, people.values())


def _area_lines(record: Recorder, part: AreaPart, people: Mapping[tuple[str, str], str]) -> None:
    """Change per week and scores at the end point, in each level."""
    for row in records(part.lines):
        area, quantity = str(row["area"]), str(row["quantity"])
        groups = {**part.where, "area": area, "quantity": quantity}
        points = "points per week" if quantity == "slope" else "points"
        ids = []
        for name, unit in LINE_UNITS.items():
            if name in row:
                shown = points if unit == "points" else unit
                ids.append(record.number("area", name, row[name], shown, groups, method=part.label))
        record.modelled(ids, [count for (_, of), count in people.items() if of == area])
