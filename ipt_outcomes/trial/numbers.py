"""Every number of a trial analysis as a row of analysis results: counts, baseline, model, comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ipt_outcomes.trial.ancova import Ancova
from ipt_outcomes.trial.comparison import Comparison
from ipt_outcomes.trial.effect_size import STANDARDISERS
from ipt_outcomes.trial.flow import BASELINE, COUNTS, EVERYONE, Flow
from ipt_outcomes.trial.model import ChangeModel
from ipt_outcomes.trial.record import Groups, Recorder
from ipt_outcomes.trial.response import RULES, Response
from ipt_outcomes.trial.table_one import MISSING, TableOne
from ipt_outcomes.trial.trajectory import Trajectory

LINE_UNITS = {
    "estimate": "points",
    "se": "points",
    "df": "degrees of freedom",
    "statistic": "t",
    "p_value": "p",
    "p_holm": "p",
    "ci_low": "points",
    "ci_high": "points",
}


def arm_groups(arm: str) -> dict[str, str]:
    """Return the group levels of an arm; everyone leaves the arm out."""
    return {} if arm == EVERYONE else {"arm": arm}


def flow_rows(record: Recorder, flow: Flow) -> dict[tuple[str, str], str]:
    """Add the counts of the flow; return the ids of the counts per arm, by arm and statistic."""
    ids: dict[tuple[str, str], str] = {}
    for row in records(flow.arms):
        arm = str(row["arm"])
        for name in COUNTS:
            ids[arm, name] = record.people("flow", name, row[name], arm_groups(arm), COUNTS[name])
        _tie_flow(record, {name: ids[arm, name] for name in COUNTS})
    if flow.without_arm:
        known = ids[EVERYONE, "randomised"]
        without = record.people("flow", "without_arm", flow.without_arm, {}, "arm not known: in no other count")
        everyone = int(flow.arms["randomised"].iloc[-1]) + flow.without_arm
        ids[EVERYONE, "people"] = record.people("flow", "people", everyone, {}, "people in the data")
        ids[EVERYONE, "without_arm"] = without
        record.sum(ids[EVERYONE, "people"], known, without)
    last: dict[str, list[str]] = {}
    for row in records(flow.visits):
        arm, visit = str(row["arm"]), str(row["visit"])
        groups = {**arm_groups(arm), "visit": visit}
        observed = record.people("flow_visit", "observed", row["observed"], groups, "with a score at the visit")
        ids[arm, f"observed {visit}"] = observed
        method = "came to this visit and to none later"
        last.setdefault(arm, []).append(
            record.people("flow_visit", "last_attended", row["last_attended"], groups, method)
        )
        record.part(ids[arm, "randomised"], observed)
        if visit == BASELINE:
            record.sum(ids[arm, "with_baseline"], observed)
        else:
            attended = record.people("flow_visit", "attended", row["attended"], groups, "the visit took place")
            record.part(attended, observed)
            record.part(ids[arm, "with_any_outcome"], observed)
    for arm, parts in last.items():
        record.sum(ids[arm, "randomised"], *parts)
        record.sum(ids[arm, f"observed {flow.last_visit.key}"], ids[arm, "observed_at_last_visit"])
    return ids


def _tie_flow(record: Recorder, ids: Mapping[str, str]) -> None:
    record.sum(ids["randomised"], ids["with_any_outcome"], ids["without_outcome"])
    record.sum(ids["randomised"], ids["reached_last_visit"], ids["discontinued"])
    record.part(ids["randomised"], ids["with_baseline"])
    record.part(ids["with_any_outcome"], ids["observed_at_last_visit"])
    record.part(ids["randomised"], ids["observed_at_last_visit"])
    record.part(ids["observed_at_last_visit"], ids["complete_at_all_visits"])


def baseline_rows(
    record: Recorder,
    table: TableOne,
    flow_ids: Mapping[tuple[str, str], str],
    pairs: Sequence[tuple[str, str]],
) -> None:
    """Add the baseline table; standardised differences of the pairs of arms that are compared."""
    parts = _share_rows(record, table, flow_ids)
    _mean_rows(record, table, flow_ids)
    _difference_rows(record, table, flow_ids, pairs, parts)


def _mean_rows(record: Recorder, table: TableOne, flow_ids: Mapping[tuple[str, str], str]) -> None:
    for row in records(table.continuous):
        arm, groups = str(row["arm"]), {**arm_groups(str(row["arm"])), "variable": str(row["variable"])}
        known = record.people("baseline", "known", row["n"], groups, "people with a value")
        missing = record.people("baseline", "missing", row["missing"], groups, "people without a value")
        record.sum(flow_ids[arm, "randomised"], known, missing)
        numbers = [
            record.number("baseline", name, row[name], "points" if row["variable"] == BASELINE else "units", groups)
            for name in ("mean", "sd", "median", "q1", "q3")
        ]
        record.modelled(numbers, [known])


def _share_rows(
    record: Recorder, table: TableOne, flow_ids: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], list[str]]:
    """Add levels with their counts; return the ids of the counts by variable and arm."""
    known_ids: dict[tuple[str, str], str] = {}
    parts: dict[tuple[str, str], list[str]] = {}
    shares: list[tuple[str, str, str, str]] = []
    for row in records(table.categorical):
        arm, variable, level = str(row["arm"]), str(row["variable"]), str(row["level"])
        groups = {**arm_groups(arm), "variable": variable}
        if level == MISSING:
            missing = record.people("baseline", "missing", row["n"], groups, "people without a value")
            known = record.people("baseline", "known", sum_of(table, variable, arm), groups, "people with a value")
            known_ids[variable, arm] = known
            record.sum(flow_ids[arm, "randomised"], known, missing)
            continue
        groups = {**groups, "level": level}
        count = record.people("baseline", "count", row["n"], groups)
        parts.setdefault((variable, arm), []).append(count)
        share = record.number(
            "baseline",
            "percent",
            row["percent"],
            "percent",
            groups,
            method="of those with a known value",
            denominator=int(row["denominator"]),
        )
        shares.append((share, count, variable, arm))
    for (variable, arm), counts in parts.items():
        record.sum(known_ids[variable, arm], *counts)
    for share, count, variable, arm in shares:
        record.derived([share], [count, known_ids[variable, arm]])
    return parts


def _difference_rows(
    record: Recorder,
    table: TableOne,
    flow_ids: Mapping[tuple[str, str], str],
    pairs: Sequence[tuple[str, str]],
    parts: Mapping[tuple[str, str], list[str]],
) -> None:
    method = "absolute standardised difference (Austin 2009)"
    compared = {frozenset(pair) for pair in pairs}
    frame = table.differences
    kept = [frozenset((str(one), str(two))) in compared for one, two in zip(frame["arm1"], frame["arm2"], strict=True)]
    for variable, rows in frame[kept].groupby("variable", sort=False):
        name = str(variable)
        made = []
        arms: set[str] = set()
        for row in records(rows):
            groups = {"variable": name, "arm1": str(row["arm1"]), "arm2": str(row["arm2"])}
            arms |= {groups["arm1"], groups["arm2"]}
            made.append(record.number("baseline", "smd", row["smd"], "SD", groups, method=method))
        largest = f"{method}; largest of the pairs compared"
        highest = rows["smd"].max()
        made.append(record.number("baseline", "smd_largest", highest, "SD", {"variable": name}, method=largest))
        counts = [count for arm in sorted(arms) for count in parts.get((name, arm), [])]
        if counts:
            record.derived(made, counts)
        else:
            record.modelled(made, [flow_ids[arm, "randomised"] for arm in sorted(arms)])


def sum_of(table: TableOne, variable: str, arm: str) -> int:
    """Return how many people of an arm have a known value of a categorical variable."""
    rows = table.categorical
    mine = rows["variable"].eq(variable) & rows["arm"].eq(arm) & rows["level"].ne(MISSING)
    return int(rows.loc[mine, "n"].sum())


def model_rows(record: Recorder, model: ChangeModel) -> dict[str, str]:
    """Add the model of change; return the ids of the people per arm."""
    people = {
        arm: record.people("model", "people", n, {"arm": arm}, "people with a baseline and a score after it")
        for arm, n in model.people.items()
    }
    everyone = record.people("model", "people", sum(model.people.values()), {})
    record.sum(everyone, *people.values())
    made = []
    n_obs = record.number("model", "n_obs", model.fit.n_obs, "scores", {})
    for row in records(model.fit.fixed):
        groups = {"term": str(row["term"])}
        for name in ("estimate", "se", "statistic", "p_value", "ci_low", "ci_high"):
            made.append(record.number("model", name, row[name], LINE_UNITS[name], groups, method=model.formula))
        df_row(record, "model", row["df"], groups, model, people)
    if isinstance(model.fit, Ancova):
        # One score per person: their number is a number of people.
        record.derived([n_obs], people.values())
    else:
        made.append(n_obs)
        without = "rows without a score or a baseline"
        made.append(record.number("model", "n_dropped", model.n_dropped, "scores", {}, method=without))
        for row in records(model.fit.random):
            terms = [str(row[name]) for name in ("term1", "term2") if not _is_missing(row[name])]
            groups = {"group": str(row["group"]), "term": " with ".join(terms)}
            unit = "correlation" if len(terms) > 1 else "points"
            made.append(record.number("random", "variance_or_cov", row["variance_or_cov"], "points²", groups))
            made.append(record.number("random", "sd_or_corr", row["sd_or_corr"], unit, groups))
        made.append(record.number("model", "log_likelihood", model.fit.log_likelihood, "log-likelihood", {}))
        made.append(record.number("model", "singular", int(model.fit.singular), "1: on the boundary, 0: not", {}))
    made.append(record.number("model", "sigma", model.fit.sigma, "points", {}, method="residual SD"))
    record.modelled(made, people.values())
    return people


def df_row(
    record: Recorder, analysis: str, df: float, groups: Groups, model: ChangeModel | str, people: Mapping[str, str]
) -> None:
    """Add degrees of freedom; those of an analysis of covariance, n minus p, give the number of people back."""
    made = record.number(analysis, "df", df, LINE_UNITS["df"], groups)
    if isinstance(model, str) or not model.is_mixed:
        record.derived([made], people.values())
    else:
        record.modelled([made], people.values())


def comparison_rows(
    record: Recorder,
    comparisons: Sequence[Comparison],
    people: Mapping[str, str],
    flow_ids: Mapping[tuple[str, str], str],
    model: ChangeModel | str,
) -> None:
    """Add differences in points and effect sizes."""
    for item in comparisons:
        groups = {"arm1": item.arm1, "arm2": item.arm2}
        line: dict[str, Any] = dict(item.difference)
        if item.p_holm is not None:
            line["p_holm"] = item.p_holm
        method = f"arm 1 minus arm 2 at the end point, {'' if isinstance(model, str) else model.formula}"
        rows = [
            record.number("comparison", name, value, LINE_UNITS[name], groups, method=method)
            for name, value in line.items()
            if name != "df"
        ]
        if rows:
            df_row(record, "comparison", line["df"], groups, model, people)
            whom = {item.arm1: 1, item.arm2: 2}.get(item.favours or "", 0)
            rows.append(record.number("comparison", "favours_arm", whom, "arm (0: neither)", groups))
            record.modelled(rows, [people[arm] for arm in (item.arm1, item.arm2)])
        observed = [flow_ids[arm, "observed_at_last_visit"] for arm in (item.arm1, item.arm2)]
        for (source, standardiser), effect in item.effects.items():
            where = {**groups, "source": source, "standardiser": standardiser}
            method = f"{STANDARDISERS[standardiser]}, exact J; positive favours arm 1"
            names = {"estimate": effect.g, "se": effect.se, "ci_low": effect.ci_low, "ci_high": effect.ci_high}
            made = [
                record.number("effect_size", name, value, "g", where, method=method) for name, value in names.items()
            ]
            made.append(record.number("effect_size", "p_value", effect.p_value, "p", where))
            made.append(record.number("effect_size", "sd", effect.sd, "points", where))
            record.modelled(made, observed)
            # n1 + n2 - 2 of an SD, n - p of an analysis of covariance: either gives the number of people back.
            df = record.number("effect_size", "df_sd", effect.df_sd, "degrees of freedom", where)
            counts = [flow_ids[EVERYONE, "observed_at_last_visit"]] if standardiser == "residual" else observed
            at_start = [flow_ids[arm, "with_baseline"] for arm in (item.arm1, item.arm2)]
            record.derived([df], at_start if standardiser == "baseline" else counts)


def response_rows(record: Recorder, made: Response, flow_ids: Mapping[tuple[str, str], str]) -> None:
    """Add responders and the comparisons of arms under each rule."""
    ids: dict[tuple[str, str], tuple[str, str]] = {}
    for row in records(made.rates):
        arm, rule = str(row["arm"]), str(row["rule"])
        groups = {"arm": arm, "rule": rule}
        method = f"{made.rule}; {RULES[rule]}"
        responders = record.people("response", "responders", row["responders"], groups, method)
        total = record.people("response", "denominator", row["denominator"], groups, method)
        ids[arm, rule] = (responders, total)
        record.part(total, responders)
        if rule == "completer":
            without = "with a baseline, no score at the end point"
            missing = record.people("response", "missing", row["missing"], {"arm": arm}, without)
            record.sum(flow_ids[arm, "with_baseline"], total, missing)
            record.part(flow_ids[arm, "observed_at_last_visit"], total)
        else:
            record.sum(flow_ids[arm, "with_baseline"], total)
        for name in ("rate", "ci_low", "ci_high"):
            shown = "percent" if name == "rate" else name
            one = record.number(
                "response",
                shown,
                100 * row[name],
                "percent",
                groups,
                method="Wilson",
                denominator=int(row["denominator"]),
            )
            record.derived([one], [responders, total])
    for arm in dict.fromkeys(arm for arm, _ in ids):
        record.sum(ids[arm, "non_responder"][0], ids[arm, "completer"][0])
        record.part(ids[arm, "locf"][0], ids[arm, "non_responder"][0])
    for row in records(made.comparisons):
        groups = {name: str(row[name]) for name in ("arm1", "arm2", "rule", "measure")}
        measure = str(row["measure"])
        names = ["estimate", "se", "ci_low", "ci_high", "p_value"]
        names += ["wald_low", "wald_high"] if measure == "RD" else []
        units = {"p_value": "p", "se": f"log {measure}" if measure != "RD" else "risk difference"}
        unit = measure if measure != "RD" else "risk difference"
        method = {"RD": "Newcombe limits; wald: normal limits"}.get(measure, "log-Wald limits")
        method += f"; {row['flag']}" if row["flag"] else ""
        made_ids = [
            record.number("response_comparison", name, row[name], units.get(name, unit), groups, method=method)
            for name in names
        ]
        pair = (ids[groups["arm1"], groups["rule"]], ids[groups["arm2"], groups["rule"]])
        record.derived(made_ids, [count for two in pair for count in two])


def trajectory_rows(
    record: Recorder,
    path: Trajectory,
    people: Mapping[str, str],
    flow_ids: Mapping[tuple[str, str], str],
    model: ChangeModel | str,
) -> None:
    """Add model means over the weeks and observed means at the visits."""
    for row in records(path.means):
        groups = {"arm": str(row["arm"]), "week": f"{row['week']:g}"}
        made = [
            record.number("means", name, row[name], LINE_UNITS[name], groups, method="model mean at the mean baseline")
            for name in ("estimate", "se", "ci_low", "ci_high")
        ]
        record.modelled(made, [people[str(row["arm"])]])
        df_row(record, "means", row["df"], groups, model, people)
    for row in records(path.observed):
        groups = {"arm": str(row["arm"]), "visit": str(row["visit"])}
        made = [
            record.number("observed", name, row[name], "points", groups, method="of the scores observed")
            for name in ("mean", "sd")
        ]
        made.append(record.number("observed", "week", row["week"], "weeks", groups, method="planned week"))
        record.modelled(made[:2], [flow_ids[str(row["arm"]), f"observed {row['visit']}"]])


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict(orient="records")]


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)) or value == ""
