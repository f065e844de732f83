"""Numbers around the pooled effects as result rows: benefit, choice of rows, risk of bias, the grid, the search."""

from __future__ import annotations

from ipt_outcomes.evidence.battery import Battery
from ipt_outcomes.evidence.flow import SearchFlow
from ipt_outcomes.evidence.writer import effect_rows
from ipt_outcomes.results import ResultsBuilder

_THOUSAND = (
    "control_per_1000", "treatment_per_1000", "treatment_per_1000_low", "treatment_per_1000_high",
    "difference_per_1000", "difference_per_1000_low", "difference_per_1000_high",
)  # fmt: skip


def context_rows(builder: ResultsBuilder, battery: Battery) -> None:
    """Add the numbers that put a pooled effect into context.

    Parameters
    ----------
    builder : ResultsBuilder
    battery : Battery

    Notes
    -----
    Analyses: ``control_rate treatment_rate nnt`` (group ``control_rate``), ``row_choice risk_of_bias`` (groups
    ``domain judgement``), ``specifications summary_of_findings``.
    """
    _rates(builder, battery)
    _needed(builder, battery)
    choice = battery.rows_chosen.frame
    method = "; ".join(battery.rows_chosen.rules) or "every row with an effect is used"
    for statistic, count in {"kept": int(choice["used"].sum()), "left_out": int((~choice["used"]).sum())}.items():
        builder.add("row_choice", statistic, count, unit="rows", method=method, groups=battery.groups)
    _risk(builder, battery)
    _grid(builder, battery)
    _findings(builder, battery)


def _rates(builder: ResultsBuilder, battery: Battery) -> None:
    rates = battery.control_rate
    if rates is None:
        return
    numbers = {
        "control_rate": (rates.rate, rates.ci_low, rates.ci_high),
        "treatment_rate": (rates.treated, rates.treated_ci_low, rates.treated_ci_high),
    }
    for analysis, values in numbers.items():
        for statistic, value in zip(("rate", "ci_low", "ci_high"), values, strict=True):
            builder.add(
                analysis,
                statistic,
                value,
                unit="proportion",
                method=rates.source,
                groups=battery.groups,
                n=rates.k,
            )


def _needed(builder: ResultsBuilder, battery: Battery) -> None:
    for key, needed in battery.nnt.items():
        groups = {**battery.groups, "control_rate": key}
        record = needed.to_frame().iloc[0]
        for statistic, name, unit in (
            ("nnt", "nnt", "people"),
            ("nnt_near", "ci_near", "people"),
            ("nnt_far", "ci_far", "people"),
            ("benefit", "benefit", "difference of rates"),
            ("benefit_low", "benefit_low", "difference of rates"),
            ("benefit_high", "benefit_high", "difference of rates"),
        ):
            # The unit of a count of people here is not a count of persons in the data: nothing is hidden by it.
            of = "number needed to treat" if unit == "people" else unit
            builder.add("nnt", statistic, float(record[name]), unit=of, method=needed.method, groups=groups)


def _risk(builder: ResultsBuilder, battery: Battery) -> None:
    risk = battery.risk_of_bias
    if risk is None:
        return
    for record in risk.shares().to_dict("records"):
        groups = {**battery.groups, "domain": str(record["domain"]), "judgement": str(record["judgement"])}
        builder.add("risk_of_bias", "studies", record["studies"], unit="studies", method=risk.source, groups=groups)
    for record in risk.counts.to_dict("records"):
        groups = {**battery.groups, "study": str(record["study"])}
        method = "items at low risk, as the table has it"
        builder.add("risk_of_bias_count", "low", float(record["low"]), unit="items", method=method, groups=groups)


def _grid(builder: ResultsBuilder, battery: Battery) -> None:
    grid = battery.specifications
    if grid is None:
        return
    found = grid.range
    method = "grid of tau2 estimator, correlation, comparator, risk of bias and choice of rows"
    cells = int(found["cells"])
    builder.add("specifications", "cells", cells, unit="analyses", method=method, groups=battery.groups)
    numbers = {name: found[name] for name in ("lowest", "median", "highest")}
    effect_rows(builder, battery, "specifications", numbers, groups=battery.groups, method=method, n=cells)
    for name in ("share_above_zero", "share_significant"):
        builder.add("specifications", name, found[name], unit="percent", method=method, groups=battery.groups, n=cells)


def _findings(builder: ResultsBuilder, battery: Battery) -> None:
    row = battery.findings
    if row is None:
        return
    groups = battery.groups
    method = f"people with the good outcome, at the {row.control_rate_source} rate in arm 2"
    for statistic in _THOUSAND:
        value = getattr(row, statistic)
        builder.add("summary_of_findings", statistic, value, unit="per 1,000", method=method, groups=groups)
    builder.add("summary_of_findings", "studies", row.studies, unit="studies", groups=groups)
    if row.participants is not None:
        builder.add("summary_of_findings", "participants", row.participants, unit="people", groups=groups)


def flow_rows(builder: ResultsBuilder, flow: SearchFlow) -> None:
    """Add the figures of the search: analysis ``search_flow``, groups ``stage``, ``source`` or ``reason``.

    Parameters
    ----------
    builder : ResultsBuilder
    flow : SearchFlow
    """
    method = flow.citation or "as given by the user"
    for record in flow.to_frame().to_dict("records"):
        groups = {str(record["part"]): str(record["name"])}
        builder.add("search_flow", "records", int(record["count"]), unit="records", method=method, groups=groups)
