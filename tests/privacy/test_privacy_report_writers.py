"""No format of a report holds a number that its audience may not see."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pypdf
import pytest

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy import Derived, Sum, describe, protect
from ipt_outcomes.report.document import Document, Note, Paragraph, Table
from ipt_outcomes.report.folder import write_report
from ipt_outcomes.report.runs import plain
from ipt_outcomes.results import ResultRow, Results, ResultsBuilder
from ipt_outcomes.tables import Column, TableRow, TableSpec, Value, interval

# Long enough to be found wherever they stand: a count hidden to protect 7, its share, limits and mean.
SECRET = ("8191", "8,191", "99.9146", "99.81", "99.96", "13.24687")
SHOWN = "8198"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    builder = ResultsBuilder()
    total = builder.add("rate", "starters", 8198, unit="people")
    part = builder.add("rate", "recovered", 8191, unit="people", n=8191, denominator=8198)
    rest = builder.add("rate", "not recovered", 7, unit="people")
    shares = {"percent": 99.91461332, "ci_low": 99.8125, "ci_high": 99.9625}
    ids = [builder.add("rate", name, value, unit="percent", n=8191, denominator=8198) for name, value in shares.items()]
    mean = builder.add("score", "mean", 13.24687, unit="points", n=8191)
    links = [Sum(total, (part, rest)), Derived(tuple(ids), (part, total))]
    seen = protect(builder.build(), links, audience="public")
    rate = (Value(ids[0], "percent"), " (", *interval(ids[1], ids[2], "percent"), ")")
    spec = TableSpec(
        id="rates",
        caption="Rates",
        columns=(Column("Rate"), Column("n", "right"), Column("Share", "right"), Column("Mean", "right")),
        rows=(TableRow((("recovered",), (Value(part, "integer"),), rate, (Value(mean),))),),
        notes=((Value(total, "integer"), " started; of them recovered ", Value(part, "integer"), "."),),
    )
    blocks = (Note("Who may see this", ((describe("public"),),)), Paragraph(rate), Table(spec=spec))
    document = Document(title="Rates", subtitle="All", blocks=blocks, results=seen)
    out = tmp_path_factory.mktemp("report") / "out"
    write_report(document, out, formats=("html", "pdf", "docx", "xlsx"), analysis={"job": "clinic"}, audience="public")
    return out


def text_of(path: Path) -> str:
    """All text of a file, whatever its packing."""
    data = path.read_bytes()
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    if path.suffix in {".docx", ".xlsx"}:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return "\n".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
    return data.decode()


@pytest.mark.parametrize("suffix", [".html", ".pdf", ".docx", ".xlsx", "results.json"])
def test_no_format_holds_a_hidden_number(folder: Path, suffix: str) -> None:
    (path,) = [path for path in folder.iterdir() if path.name.endswith(suffix)]
    text = text_of(path)
    assert SHOWN in text.replace(",", "")
    if suffix != "results.json":
        assert "hidden" in text
    assert not [secret for secret in SECRET if secret in text]


@pytest.mark.parametrize("suffix", [".html", ".pdf", ".docx"])
def test_the_page_says_what_is_hidden(folder: Path, suffix: str) -> None:
    (path,) = [path for path in folder.iterdir() if path.suffix == suffix]
    assert "counts of 1 to 10 people are hidden" in " ".join(text_of(path).split())


def test_a_spreadsheet_says_hidden_in_every_column_of_an_interval(folder: Path) -> None:
    book = openpyxl.load_workbook(next(folder.glob("*.xlsx")))
    rows = list(book["1 rates"].iter_rows(values_only=True))
    assert rows[0] == ("Rate", "n", "Share (estimate)", "Share (low)", "Share (high)", "Mean")
    assert rows[1] == ("recovered", "hidden", "hidden", "hidden", "hidden", "hidden")


def rows_of(*values: float | None) -> dict[str, ResultRow]:
    made = [
        ResultRow(id=f"v{i}", analysis="a", statistic=f"v{i}", value=value, unit="points", suppressed=value is None)
        for i, value in enumerate(values)
    ]
    return Results(tuple(made)).by_id()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((None, None, None), "hidden"),
        ((1.0, None, None), "1.00 (hidden)"),
        ((None, 1.0, None), "hidden (1.00 to hidden)"),
        ((1.0, 0.5, 1.5), "1.00 (0.50 to 1.50)"),
    ],
)
def test_an_interval_is_said_to_be_hidden_once(values: tuple[float | None, ...], text: str) -> None:
    content = (Value("v0"), " (", *interval("v1", "v2"), ")")
    assert plain(content, rows_of(*values)) == text


def test_a_hidden_row_cannot_hold_its_number() -> None:
    with pytest.raises(IptError, match="row n is hidden but holds its number"):
        ResultRow(id="n", analysis="a", statistic="n", value=7, unit="people", suppressed=True)
