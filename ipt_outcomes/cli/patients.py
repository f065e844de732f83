"""Commands on patient data: one trial, one clinic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipt_outcomes.cli.options import (
    decimal_option,
    encoding_option,
    json_option,
    mapping_option,
    merged_conditions,
    new_folder,
    output_options,
    sheet_option,
    where_option,
    with_sheet,
)

if TYPE_CHECKING:
    from ipt_outcomes.io.cohort import Cohort
    from ipt_outcomes.report.spec import Job

_ONE_FILE = click.argument("file", type=click.Path(path_type=Path))
_TITLE = click.option("--title", help="Title of the report.")
_LEVEL = click.option(
    "--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Confidence level."
)
_RESPONSE = click.option(
    "--response",
    type=click.FloatRange(0.05, 1),
    default=0.5,
    show_default=True,
    help="Response: at least this share of the way from baseline to the best score of the scale.",
)


def _audience(*choices: str) -> Callable[..., Any]:
    return click.option(
        "--audience",
        type=click.Choice(choices),
        default="public",
        show_default=True,
        help="Whom the report is for: decides which small numbers are hidden.",
    )


@click.command()
@_ONE_FILE
@mapping_option
@where_option
@click.option("--outcome", metavar="INSTRUMENT", help="Outcome, e.g. phq9.  [default: the one with most scores]")
@click.option("--at", metavar="WEEK|VISIT", help="End point: a week or the name of a visit.  [default: the last]")
@click.option(
    "--window",
    type=click.FloatRange(0.5),
    metavar="WEEKS",
    help="Visits on real days: weeks from the end point within which a score counts.  [default: from the data]",
)
@click.option("--strata", metavar="COLUMN", help="Strata of the randomisation, in every model.  [default: stratum]")
@click.option("--by", metavar="COLUMN", default="problem_area", show_default=True, help="Change by this column, too.")
@_RESPONSE
@_LEVEL
@_TITLE
@_audience("internal", "board", "public", "publication")
@sheet_option
@encoding_option
@decimal_option
@json_option
@output_options
def trial(file: Path, **options: Any) -> None:
    """One trial from patient data: flow, mixed model of change, g and responders against each comparator, areas.

    FILE holds one row per person and visit, or one row per person: delimited text, or a file of Excel, SPSS, Stata,
    SAS or Parquet.
    """
    chosen = {name: options[name] for name in ("outcome", "by", "response", "level", "window", "strata")}
    _report("trial", file, options, {**chosen, "at": _week_or_visit(options["at"])})


@click.command()
@_ONE_FILE
@mapping_option
@where_option
@click.option(
    "--instrument",
    "instruments",
    multiple=True,
    help="Instrument to judge by, e.g. phq9; repeatable.  [default: all with a known direction]",
)
@click.option("--by", metavar="COLUMN", default="problem_area", show_default=True, help="Rates by this column, too.")
@_RESPONSE
@click.option(
    "--min-sessions",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Sessions attended that make a finished course.",
)
@click.option(
    "--worklist",
    "worklist_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write whom to look at among the open courses to a .csv or .xlsx of your own: one row per person.",
)
@_LEVEL
@_TITLE
@_audience("internal", "board", "public")
@sheet_option
@encoding_option
@decimal_option
@json_option
@output_options
def clinic(file: Path, **options: Any) -> None:
    """Quality review of a clinic: recovery, reliable improvement, response, remission, by problem area.

    FILE holds one row per session or assessment: delimited text, or a file of Excel, SPSS, Stata, SAS or Parquet.
    """
    chosen = {name: options[name] for name in ("by", "response", "min_sessions", "level")}
    _report("clinic", file, options, {**chosen, "instruments": list(options["instruments"]) or None}, _worklist)


def _worklist(cohort: Cohort, options: dict[str, Any]) -> list[str]:
    """Write whom to look at, where the user named a file for it; return what to say of it."""
    from ipt_outcomes.clinic import worklist
    from ipt_outcomes.report import write_table

    if options["worklist_file"] is None:
        return []
    chosen = options["instruments"] or ("phq9",)
    found = worklist(cohort, instrument=chosen[0])
    path = write_table(found.to_frame(), options["worklist_file"])
    return [found.summary(), f"Worklist (one row per person, for the service only): {path}"]


def _week_or_visit(text: str | None) -> float | str | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _report(
    name: str,
    file: Path,
    options: dict[str, Any],
    chosen: dict[str, Any],
    beside: Callable[[Cohort, dict[str, Any]], list[str]] | None = None,
) -> None:
    """Read, compute, write; print the summary and where the report is."""
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report import render as write
    from ipt_outcomes.report.spec import job_of, mapping_record

    record = {
        "job": name,
        "mapping": with_sheet(mapping_record(options["mapping"], name), options["sheet"]),
        "where": merged_conditions(options["where"]),
        "encoding": options["encoding"],
        "decimal": options["decimal"],
        "options": {option: value for option, value in chosen.items() if value is not None},
        "title": options["title"],
    }
    job: Job = job_of(record)
    target = new_folder(options["out"], name)
    with steps(4) as step:
        step("reading")
        cohort = job.load([file])
        step("computing")
        analysis = job.run(cohort)
        said = beside(cohort, options) if beside else []
        write(analysis, target, options["formats"], job=job, title=job.title, audience=options["audience"], step=step)
    if options["as_json"]:
        rows = [row.to_dict() for row in analysis.protected(options["audience"])]
        click.echo(json.dumps({"options": analysis.options.to_dict(), "results": rows}, indent=1, ensure_ascii=False))
    else:
        click.echo("For you only: nothing is hidden here. The report hides what its audience may not see.\n")
        click.echo(analysis.summary())
        for line in said:
            click.echo(line)
        click.echo(f"Report: {target}")
