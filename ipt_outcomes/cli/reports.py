"""Commands that make reports, and check them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ipt_outcomes.evidence import EvidenceSynthesis, MetaJob

FORMATS = ("html", "pdf", "docx", "xlsx")
_MEASURES = ("g", "OR", "RR", "RD")


class _List(click.ParamType):  # type: ignore[type-arg]  # not generic in older releases
    """Values separated by commas, each one of some choices."""

    name = "list"

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.choices = {choice.casefold(): choice for choice in choices}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",") if word.strip()]
        unknown = [word for word in words if word.casefold() not in self.choices]
        if unknown or not words:
            self.fail(
                f"{', '.join(unknown) or 'nothing'} is not among {', '.join(self.choices.values())}",
                param,
                ctx,
            )
        return tuple(dict.fromkeys(self.choices[word.casefold()] for word in words))


class _Condition(click.ParamType):  # type: ignore[type-arg]  # as above
    """COLUMN=VALUE[,VALUE]; a value with a comma in double quotes."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, list[str]]:
        column, sign, values = str(value).partition("=")
        # As in a CSV file: a value that holds a comma stands in quotation marks.
        parts = next(csv.reader([values], skipinitialspace=True), [])
        chosen = [part.strip() for part in parts if part.strip()]
        if not sign or not column.strip() or not chosen:
            self.fail(f"expected COLUMN=VALUE or COLUMN=VALUE,VALUE; got {value!r}", param, ctx)
        return column.strip(), chosen


def _output_options(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--out", type=click.Path(path_type=Path), help="New folder for the report.")(command)
    return click.option(
        "--format",
        "formats",
        type=_List(FORMATS),
        default="html,pdf,docx",
        show_default=True,
        help="What to write.",
    )(command)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--mapping", metavar="MAP.toml", help="Mapping of the columns to the dictionary: a file or a name.")
@click.option(
    "--where",
    type=_Condition(),
    multiple=True,
    metavar="COLUMN=VALUE[,VALUE]",
    help="Rows to keep; repeatable.",
)
@click.option("--by", metavar="COLUMN", help="Compare results by this column.  [default: condition_arm2]")
@click.option("--measure", "measures", type=_List(_MEASURES), default="g", show_default=True, help="g, OR, RR, RD.")
@click.option("--name", "names", multiple=True, help="Name of the comparison in each FILE; one per file.")
@click.option("--title", help="Title of the report.")
@click.option("--better", type=click.Choice(["lower", "higher"]), help="Which scores are better, where nothing tells.")
@click.option("--event", type=click.Choice(["good", "bad"]), help="What events mean, where the table does not tell.")
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
@click.option("--exclude-invalid", is_flag=True, help="Set rows with invalid cells aside (listed) instead of refusing.")
@click.option("--encoding", help="Encoding of the files, where it is not to be detected.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark of the files, where it cannot be told.")
@click.option(
    "--audience",
    type=click.Choice(["internal", "board", "public"]),
    help="Whom the report is for (printed). Study tables are published: nothing is hidden for any.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@_output_options
def meta(files: tuple[Path, ...], out: Path | None, formats: tuple[str, ...], **options: Any) -> None:
    """Meta-analysis of study tables: effect sizes, several models side by side, and a report.

    Several FILEs are several comparisons in one report, each with its own analyses.
    """
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report import render as write

    job = _job(options)
    target = _new_folder(out, "meta")
    with steps(4) as step:
        step("reading")
        tables = job.load(files)
        step("computing")
        synthesis = job.run(tables)
        audience = options["audience"] or "published"
        write(synthesis, target, formats, job=job, title=job.title, audience=audience, step=step)
    if options["as_json"]:
        click.echo(_as_json(synthesis))
    else:
        click.echo(synthesis.summary())
        click.echo(f"Report: {target}")


def _job(options: dict[str, Any]) -> MetaJob:
    """The job the options of ``meta`` describe."""
    from ipt_outcomes.evidence import MetaJob, mapping_dict

    where: dict[str, list[str]] = {}
    for column, values in options["where"]:
        where.setdefault(column, []).extend(values)
    towards = options["towards"]
    chosen = {
        name: options[name]
        for name in ("measures", "convention", "zero_cells", "tau2", "test", "level", "rho", "low_risk_above")
    }
    optional = {name: options[name] for name in ("by", "better", "event") if options[name] is not None}
    return MetaJob(
        comparisons=tuple(options["names"]),
        where=where,
        mapping=mapping_dict(options["mapping"]),
        invalid="exclude" if options["exclude_invalid"] else "refuse",
        encoding=options["encoding"],
        decimal=options["decimal"],
        options={**chosen, **optional, "towards": None if towards.casefold() == "none" else towards},
        title=options["title"],
    )


def _as_json(synthesis: EvidenceSynthesis) -> str:
    import json

    return json.dumps(synthesis.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)


def _new_folder(out: Path | None, name: str) -> Path:
    """The folder asked for, if it is free, or the next free one under ``ipt-reports``."""
    from ipt_outcomes.errors import OptionError

    if out is None:
        parent, number = Path("ipt-reports"), 1
        while (parent / f"{name}-{number:03d}").exists():
            number += 1
        return parent / f"{name}-{number:03d}"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OptionError(
            f"{out} exists and is not empty: a report is never written over", hint="Choose another --out."
        )
    return out


@click.command()
@_output_options
def demo(out: Path | None, formats: tuple[str, ...]) -> None:
    """Make the example report on simulated data, to see what you would get."""
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report.demo import write_demo

    target = _new_folder(out, "demo")
    with steps(4) as step:
        written = write_demo(target, formats, step=step)
    click.echo("Simulated data: no real trial is in these reports.")
    for path in written:
        click.echo(f"{path}")


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@_output_options
def render(spec: Path, out: Path | None, formats: tuple[str, ...]) -> None:
    """Make the report that a SPEC (TOML) describes."""
    from ipt_outcomes.cli.progress import steps
    from ipt_outcomes.report import render as write

    target = _new_folder(out, spec.stem)
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
def verify(folder: Path, files: tuple[Path, ...]) -> None:
    """Check that a report is as it was written; with --data, run it again and compare every number.

    Exit code 1 if a file was changed, is missing or was added, or if a number differs.
    """
    from ipt_outcomes.report import verify as check_files
    from ipt_outcomes.report.jobs import compare_inputs, rerun

    verification = check_files(folder)
    click.echo(verification.summary())
    if not verification.ok:
        sys.exit(1)
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
