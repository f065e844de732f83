"""Where a number of a report comes from, told from the folder alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipt_outcomes.errors import OptionError
from ipt_outcomes.report import Document, InputFile, trace, write_report
from ipt_outcomes.report.manifest import sha256
from ipt_outcomes.report.tracing import name_of
from ipt_outcomes.results import ResultRow, Results

DATA = b"study,g\na,0.1\n"
INPUT = InputFile(name="studies.csv", sha256=sha256(DATA), rows=5)
ANALYSIS = {"job": "meta", "options": {"tau2": "REML", "level": 0.95}, "mapping": None, "where": {"arm": ["ipt"]}}


@pytest.fixture
def make(document: Document, tmp_path: Path) -> Callable[..., Path]:
    def call(to: str = "out", content: Document = document, **options: Any) -> Path:
        settings: dict[str, Any] = {"formats": ("html",), "analysis": ANALYSIS, "inputs": [INPUT], **options}
        write_report(content, tmp_path / to, **settings)
        return tmp_path / to

    return call


def test_a_number_is_traced_to_its_data_method_and_places(make: Callable[..., Path]) -> None:
    out = make(formats=("html", "pdf", "docx", "xlsx"), extra={"copy.csv": DATA})
    found = trace(out, "response.percent")
    assert found.ok
    assert (found.value, found.unit, found.n, found.denominator, found.hidden) == (53.61, "percent", 120, 240, False)
    assert found.name == "percent (analysis: response)"
    assert found.inputs == ({"name": "studies.csv", "sha256": sha256(DATA), "rows": 5, "in_folder": "copy.csv"},)
    assert found.job == "meta"
    assert found.options == {key: value for key, value in ANALYSIS.items() if key != "job"}
    assert {place["file"]: place["where"] for place in found.shown} == {
        "report.html": "1 time",
        "report.pdf": "in the places where report.html has it (one document)",
        "report.docx": "in the places where report.html has it (one document)",
        "report.xlsx": "sheet results, the row with this id",
        "results.json": "the row with this id",
        "results.parquet": "the row with this id",
    }
    text = found.summary()
    for words in (
        "Value: 53.61",
        "Denominator: 240",
        "Method: not stated for this number",
        f"Data: studies.csv, SHA-256 {sha256(DATA)}, 5 rows, in this folder as copy.csv",
        'Options: tau2="REML"; level=0.95; where={"arm": ["ipt"]}',
        "simulated data",
        "Made with: ipt-outcomes ",
    ):
        assert words in text
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["shown"] == list(found.shown)
    assert list(found.to_frame().columns) == ["item", "value"]


def test_the_places_are_those_the_page_marks(make: Callable[..., Path], document: Document) -> None:
    out = make()
    page = (out / "report.html").read_text(encoding="utf-8")
    for row in document.results:
        (where,) = (place["where"] for place in trace(out, row.id).shown if place["file"] == "report.html")
        assert int(where.split()[0]) == page.count(f'data-result-id="{row.id}"') > 0


def test_without_a_page_a_pdf_cannot_be_asked(make: Callable[..., Path]) -> None:
    places = {place["file"]: place["where"] for place in trace(make(formats=("docx",)), "pooled.estimate").shown}
    assert places["report.docx"].startswith("not known")


def test_a_script_that_names_the_number_is_a_place(make: Callable[..., Path]) -> None:
    out = make(extra={"reproduce.R": b'check("pooled.estimate", 1)\ncheck("pooled.estimate-2", 1)\n'})
    places = {place["file"]: place["where"] for place in trace(out, "pooled.estimate").shown}
    assert places["reproduce.R"] == "1 time"


def test_an_unknown_id_names_the_nearest(make: Callable[..., Path]) -> None:
    out = make()
    with pytest.raises(OptionError, match=r"no number with the id 'pooled\.estimat'") as caught:
        trace(out, "pooled.estimat")
    assert "Nearest: pooled.estimate" in str(caught.value)
    with pytest.raises(OptionError, match="ids are in results"):
        trace(out, "")


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="not a folder with a report"):
        trace(tmp_path, "a")


def test_a_hidden_number_is_hidden_and_nothing_else_is_said(make: Callable[..., Path], document: Document) -> None:
    rows = tuple(
        replace(row, value=None, suppressed=True, method="seven of 120") if row.id == "response.percent" else row
        for row in document.results
    )
    found = trace(make(content=replace(document, results=Results(rows))), "response.percent")
    assert found.hidden
    assert found.summary().splitlines() == [
        "Number: response.percent",
        "What: percent (analysis: response)",
        "Value: hidden",
    ]
    assert (found.value, found.n, found.denominator, found.method, found.unit) == (None, None, None, "", "")
    assert (found.inputs, found.shown) == ((), ())


@pytest.mark.parametrize("name", ["report.html", "results.json", "manifest.json"])
def test_a_changed_folder_is_said_to_be_changed(make: Callable[..., Path], name: str) -> None:
    out = make()
    path = out / name
    path.write_bytes(
        path.read_bytes().replace(b"53.61", b"63.61") if name == "results.json" else path.read_bytes() + b" "
    )
    found = trace(out, "response.percent")
    assert not found.ok
    assert found.changed == (f"{name}: changed",)
    assert found.summary().startswith("The folder was changed since it was made; nothing below can be vouched for.\n")
    assert name not in {place["file"] for place in found.shown}
    if name == "manifest.json":
        assert (found.inputs, found.version, found.job) == ((), "", None)


def test_a_report_without_a_job_says_so(make: Callable[..., Path]) -> None:
    text = trace(make(analysis={"job": None, "options": {}}, inputs=[]), "pooled.estimate").summary()
    assert "Job: made from tables in memory" in text
    assert "Options: the defaults of this version" in text
    assert "Data: no file is named in the manifest" in text


def test_hostile_words_stay_text() -> None:
    row = ResultRow(
        id="a", analysis="study", statistic="ci_low", value=1.0, unit="g", groups={"study": "\x1b[31mred\n<b>"}
    )
    text = name_of(row)
    assert "\x1b" not in text
    assert "\n" not in text
    assert text.startswith("lower limit of the confidence interval (analysis: study; study: ")
