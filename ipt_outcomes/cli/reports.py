"""Commands that make reports, and check them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipt_outcomes.cli.options import (
    ListOf,
    Names,
    Span,
    as_json_text,
    better_option,
    decimal_option,
    encoding_option,
    event_option,
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
    from ipt_outcomes.evidence import MetaJob

_MEASURES = ("g", "OR", "RR", "RD")
_ALWAYS = (
    "measures", "convention", "zero_cells", "tau2", "test", "level", "rho", "low_risk_above", "control_rate", "profile",
)  # fmt: skip
_WHERE_GIVEN = ("by", "better", "event", "priority", "window", "times", "years", "subgroups")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@mapping_option
@where_option
@click.option("--by", metavar="COLUMN", help="Compare results by this column.  [default: condition_arm2]")
@click.option("--measure", "measures", type=ListOf(_MEASURES), default="g", show_default=True, help="g, OR, RR, RD.")
@click.option("--name", "names", multiple=True, help="Name of the comparison in each FILE; one per file.")
@click.option("--title", help="Title of the report.")
@better_option
@event_option
@click.option(
    "--convention",
    type=click.Choice(["metapsy", "metafor"]),
    default="metapsy",
    show_default=True,
    help="Formulas of g.",
)
@click.option(
    "--zero-cells",
    type=click.Choice(["add-half", "add-half-all", "add-half-if-any", "treatment-arm", "none"]),
    default="add-half",
    show_default=True,
    help="What to add to tables with an empty cell.",
)
@click.option(
    "--tau2",
    type=click.Choice(["REML", "ML", "DL", "PM", "EB", "SJ", "HS", "HE", "common"], case_sensitive=False),
    default="REML",
    show_default=True,
    help="Estimator of the variance between studies.",
)
@click.option(
    "--test",
    type=click.Choice(["knapp-hartung", "knapp-hartung-adhoc", "z"]),
    default="knapp-hartung",
    show_default=True,
    help="Intervals and tests.",
)
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Confidence level.")
@click.option(
    "--rho",
    type=click.FloatRange(0, 0.999),
    default=0.6,
    show_default=True,
    help="Correlation of effects of one study.",
)
@click.option(
    "--low-risk-above",
    type=float,
    default=2,
    show_default=True,
    help="Low risk of bias: more items than this.",
)
@click.option(
    "--towards",
    default="ipt",
    show_default=True,
    help="Positive favours this treatment; 'none' leaves rows as is.",
)
@click.option(
    "--priority",
    type=Names(),
    metavar="NAME[,NAME]",
    help="Instruments, the most wanted first: one row per study is used.  [default: all rows]",
)
@click.option("--window", type=Span(), metavar="FROM:TO", help="Weeks of assessment to use, as 0:24 or :24.")
@click.option("--times", type=Names(), metavar="NAME[,NAME]", help="Values of the column 'time' to use, as post.")
@click.option("--years", type=Span(), metavar="FROM:TO", help="Years of publication to use, as 1990: or :2015.")
@click.option(
    "--subgroups",
    type=Names(),
    metavar="COLUMN[,COLUMN]",
    help="Columns to pool by, beside --by.  [default: disorder, format, population, country, risk of bias]",
)
@click.option(
    "--control-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Rate of good outcomes without the treatment, for numbers needed to treat.",
)
@click.option(
    "--profile",
    type=click.Choice(["ours", "metapsytools"]),
    default="ours",
    show_default=True,
    help="metapsytools: the models as that package runs them, beside ours.",
)
@click.option("--no-grid", is_flag=True, help="Leave the specification curve out.")
@click.option(
    "--flow",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Figures of the search, for the PRISMA diagram (TOML or JSON).",
)
@click.option(
    "--judgements",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Judgements of people for the summary of findings (TOML or JSON).",
)
@click.option("--published", is_flag=True, help="Set published estimates of IPT beside what the tables give.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="OLD",
    help="An earlier version of the first FILE: what changed, and what that did to each number.",
)
@click.option("--exclude-invalid", is_flag=True, help="Set rows with invalid cells aside (listed) instead of refusing.")
@sheet_option
@encoding_option
@decimal_option
@click.option(
    "--audience",
    type=click.Choice(["internal", "board", "public"]),
    help="Whom the report is for (printed). Study tables are published: nothing is hidden for any.",
)
@json_option
@output_options
def meta(files: tuple[Path, ...], out: Path | None, formats: tuple[str, ...], **options: Any) -> None:
    """Meta-analysis of study tables: effect sizes, several models side by side, and a report.

    Several FILEs are several comparisons in one report, each with its own analyses.
    """
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report import render as write

    job = _job(options)
    target = new_folder(out, "meta")
    older = () if options["compare"] is None else (options["compare"],)
    with steps(4) as step:
        step("reading")
        tables = job.load((*files, *older))
        step("computing")
        synthesis = job.run(tables)
        audience = options["audience"] or "published"
        write(synthesis, target, formats, job=job, title=job.title, audience=audience, step=step)
    if options["as_json"]:
        click.echo(as_json_text(synthesis))
    else:
        click.echo(synthesis.summary())
        click.echo(f"Report: {target}")


def _job(options: dict[str, Any]) -> MetaJob:
    """The job the options of ``meta`` describe."""
    from ipt_outcomes.evidence import MetaJob, read_flow
    from ipt_outcomes.evidence.flow import read_table_file
    from ipt_outcomes.report.spec import mapping_record

    towards = options["towards"]
    chosen = {name: options[name] for name in _ALWAYS}
    optional = {name: options[name] for name in _WHERE_GIVEN if options[name] is not None}
    if options["no_grid"]:
        optional["grid"] = False
    return MetaJob(
        comparisons=tuple(options["names"]),
        where=merged_conditions(options["where"]),
        mapping=with_sheet(mapping_record(options["mapping"], "meta"), options["sheet"]),
        invalid="exclude" if options["exclude_invalid"] else "refuse",
        encoding=options["encoding"],
        decimal=options["decimal"],
        options={**chosen, **optional, "towards": None if towards.casefold() == "none" else towards},
        title=options["title"],
        flow=None if options["flow"] is None else read_flow(options["flow"]).to_dict(),
        judgements=None if options["judgements"] is None else read_table_file(options["judgements"], "judgements"),
        published=options["published"],
        older=options["compare"] is not None,
    )


@click.command()
@output_options
def demo(out: Path | None, formats: tuple[str, ...]) -> None:
    """Make three example reports on simulated data (a trial, a clinic, a meta-analysis), to see what you would get."""
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report.demo import write_demo

    target = new_folder(out, "demo")
    with steps(6) as step:
        written = write_demo(target, formats, step=step)
    click.echo("Simulated data: no real trial is in these reports.")
    for path in written:
        click.echo(f"{path}")


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@output_options
def render(spec: Path, out: Path | None, formats: tuple[str, ...]) -> None:
    """Make the report that a SPEC (TOML) describes."""
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report import render as write

    target = new_folder(out, spec.stem)
    with steps(3) as step:
        step("computing")
        write(spec, target, formats, step=step)
    click.echo(f"Report: {target}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--data",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Run again on this file; repeatable.",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="OLD_DIR",
    help="An earlier report: which numbers, data, options and versions changed since.",
)
def verify(folder: Path, files: tuple[Path, ...], since: Path | None) -> None:
    """Check that a report is as it was written; with --data, run it again and compare every number.

    With --since, say what changed between an earlier report and this one; a change is no fault.
    Exit code 1 if a file was changed, is missing or was added, or if a number differs when run again.
    """
    from ipt_outcomes.report import verify as check_files
    from ipt_outcomes.report.jobs import compare_inputs, rerun

    verification = check_files(folder)
    click.echo(verification.summary())
    if not verification.ok:
        sys.exit(1)
    if since is not None:
        from ipt_outcomes.report import changes

        click.echo(changes(since, folder).summary())
    if not files:
        return
    for line in compare_inputs(folder, files):
        click.echo(line)
    differences = rerun(folder, files)
    if differences.empty:
        click.echo("Run again: every number is the same.")
        return
    click.echo(f"Run again: {len(differences)} {'number differs' if len(differences) == 1 else 'numbers differ'}.")
    click.echo(differences.to_string(index=False))
    sys.exit(1)
