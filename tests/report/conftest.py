"""A report with every kind of block, in which every text a user could type is hostile."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure as Drawing

from ipt_outcomes.figures.words import literal
from ipt_outcomes.report.document import (
    Bullets,
    Document,
    Figure,
    Heading,
    Note,
    Paragraph,
    Picture,
    Reference,
    References,
    Table,
)
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.results import Results, ResultsBuilder
from ipt_outcomes.tables import Column, Link, Strong, TableRow, TableSpec, Value, interval

LONG = "Unbreakable" * 9
MORE = (
    "汉字 2004",
    "Quote \"double\" & 'single'",
    "$x^2$ #eval(1) *bold* \\alpha @cite <label>",
    "bell\x07 tab\tend",
    LONG,
)


@pytest.fixture(scope="session")
def hostile(cases: Path) -> tuple[str, ...]:
    """Study names that are formulas, markup or code."""
    with (cases / "15-hostile-names" / "studies.csv").open(encoding="utf-8", newline="") as source:
        return (*(row["study"] for row in csv.DictReader(source)), *MORE)


def draw(names: tuple[str, ...], tip: str = "") -> Callable[[float], Drawing]:
    """Return a drawing function: a small forest plot, names as labels and as tips.

    Labels hold what the font has, as in real figures; the tips hold the names themselves.
    """

    def forest(width: float) -> Drawing:
        figure = Drawing(figsize=(width, 0.6 + 0.3 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        for row, name in enumerate(names):
            (line,) = axes.plot([0.1, 0.9], [-row, -row], color="#0b5a66")
            line.set_gid(f"tip-{row:04d}-{(tip or name).encode().hex()}")
        with matplotlib.rc_context({"text.parse_math": False}):
            axes.set_yticks(range(0, -len(names), -1), [literal(name).replace("$", r"\$")[:18] for name in names])
        axes.set_xlabel("Hedges' g")
        return figure.axes[0]

    return forest


def _study_rows(names: tuple[str, ...], build: ResultsBuilder) -> list[TableRow]:
    rows = [TableRow((("Trials of <b>adults</b>",), *(("",),) * 6), kind="group")]
    for number, name in enumerate(names):
        groups, g = {"study": name}, 0.4907 - 0.17 * number
        low, high = (
            build.add("study", stat, g + shift, unit="g", groups=groups)
            for stat, shift in (("ci_low", -0.391234567), ("ci_high", 0.391234567))
        )
        cells = (
            (name,),
            (Value(build.add("study", "n_ipt", 1040 + number, unit="people", groups=groups), "integer"),),
            (Value(build.add("study", "n_control", 38, unit="people", groups=groups), "integer"),),
            ("waiting list",),
            (Value(build.add("study", "g", g, unit="g", groups=groups)),),
            interval(low, high),
            (Value(build.add("study", "p", 0.03 * number, unit="p", groups=groups), "p"),),
        )
        rows.append(TableRow(cells))
    pooled = Value(build.add("pooled", "estimate", 0.4172839, unit="g"))
    low, high = build.add("pooled", "ci_low", -0.02, unit="g"), build.add("pooled", "ci_high", 0.85, unit="g")
    rows.append(TableRow((("All studies",), ("",), ("",), ("",), (pooled,), interval(low, high), ("",)), kind="total"))
    return rows


def _slim(names: tuple[str, ...], build: ResultsBuilder) -> TableSpec:
    rows = tuple(
        TableRow(((label,), (Value(build.add("model", label, value, unit="x"), style),)))  # type: ignore[arg-type]
        for label, value, style in (
            ("tau²", 0.0837, "decimal3"),
            ("I²", 61.27, "percent"),
            ("Not defined", None, "decimal2"),
        )
    )
    columns = (Column("Quantity"), Column("Value", "right"))
    return TableSpec(id="model", caption=f"The model, {names[2]}", columns=columns, rows=rows)


def make_document(names: tuple[str, ...], image: Picture, *, simulated: bool = True) -> Document:
    """Build the report; `names` stand in every text position."""
    build = ResultsBuilder()
    columns = (
        Column("Study"),
        Column("n IPT", "right"),
        Column("n control", "right"),
        Column("Control <i>arm</i>"),
    )
    columns += (Column("g", "right"), Column("95% CI", "right"), Column("p", "right"))
    rows = tuple(_study_rows(names, build))
    notes = tuple((name, " ", Link("the figure", "#forest")) for name in names[:4])
    studies = TableSpec(id="studies", caption=f"Studies; {names[2]}", columns=columns, rows=rows, notes=notes)
    answer = Value("pooled.estimate")
    percent = Value(build.add("response", "percent", 53.61, unit="percent", n=120, denominator=240), "percent")
    finding = (
        ("IPT did better than its comparators: g = ", answer, ", ", Strong("favours IPT <b>"), "."),
        ("Response: ", percent, " of patients.", names[3]),
    )
    caveat = (("Few studies. ", names[2]),)
    drawn = TableSpec(id="forest-data", caption="Numbers drawn", columns=columns, rows=rows)
    doi = Link("doi <x>", "https://doi.org/10.3102/10769986006002107")
    blocks = (
        Note("What was found", finding),
        Heading("Main result <script>", "result"),
        Paragraph(("The pooled effect was ", answer, ", see ", doi, f". {names[3]} " * 6)),
        Figure(
            id="forest",
            caption=f"Forest plot {names[3]}",
            alt=f"Forest: {names[2]}",
            picture=image,
            data=drawn,
        ),
        Note(f"Careful: {names[2]}", caveat, kind="warning"),
        Heading("Heterogeneity", "heterogeneity", 3),
        Table(spec=_slim(names, build)),
        Heading("Studies", "studies-section"),
        Bullets((("One & two",), (names[0], " ", answer))),
        Table(spec=studies),
        Table(
            spec=TableSpec(id="folded", caption="Folded <i>table</i>", columns=columns, rows=rows),
            folded=True,
        ),
        Heading("References", "references"),
        References(
            (
                Reference(f"Hedges (1981) {names[2]}", "10.3102/10769986006002107"),
                Reference("No DOI <b>", None),
            )
        ),
    )
    return Document(
        title="IPT against controls <b>2026</b>",
        subtitle=f"48 comparisons; {names[2]}",
        blocks=blocks,
        results=build.build(),
        simulated=simulated,
    )


@pytest.fixture(scope="session")
def image(hostile: tuple[str, ...]) -> Picture:
    """A drawing with hostile labels and tips."""
    return picture(draw(hostile), id="forest")


@pytest.fixture(scope="session")
def document(hostile: tuple[str, ...], image: Picture) -> Document:
    """The report."""
    return make_document(hostile, image)


@pytest.fixture(scope="session")
def empty_results() -> Results:
    """A table of results without rows."""
    return Results(())
