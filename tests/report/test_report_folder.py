"""The folder of a report: all or nothing, hashed, checked, compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.report import (
    Document,
    InputFile,
    Manifest,
    compare_results,
    folder,
    read_results,
    verify,
    write_report,
)
from ipt_outcomes.results import ResultRow, Results

ANALYSIS = {"job": "meta", "options": {"tau2": "REML", "level": 0.95}, "mapping": None}
INPUT = InputFile(name="studies.csv", sha256="0" * 64, rows=5)


@pytest.fixture
def make(document: Document, tmp_path: Path) -> Callable[..., Path]:
    def call(to: str = "out", **options: Any) -> Path:
        settings: dict[str, Any] = {"formats": ("html",), "analysis": ANALYSIS, "inputs": [INPUT], **options}
        write_report(document, tmp_path / to, **settings)
        return tmp_path / to

    return call


def test_folder_holds_every_format_the_results_and_the_manifest(document: Document, tmp_path: Path) -> None:
    paths = write_report(
        document,
        tmp_path / "deep" / "trial",
        formats=("html", "pdf", "docx", "xlsx"),
        analysis=ANALYSIS,
        extra={"studies.csv": b"a\n"},
    )
    names = [
        "report.html",
        "report.pdf",
        "report.docx",
        "report.xlsx",
        "results.json",
        "results.parquet",
        "studies.csv",
        "manifest.json",
    ]
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in (tmp_path / "deep" / "trial").iterdir()) == sorted(names)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["trial"]
    assert verify(tmp_path / "deep" / "trial").ok
    book = openpyxl.load_workbook(tmp_path / "deep" / "trial" / "report.xlsx")
    assert book.sheetnames == ["results", "1 model", "2 studies", "3 folded", "4 forest-data"]
    assert book["results"].max_row == len(document.results) + 1


def test_same_report_gives_same_bytes(make: Callable[..., Path]) -> None:
    formats = ("html", "pdf", "docx", "xlsx")
    one, two = make("one", formats=formats), make("two", formats=formats)
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name


def test_results_round_trip(make: Callable[..., Path], document: Document) -> None:
    out = make()
    assert read_results(out) == read_results(out / "results.json") == document.results
    assert compare_results(document.results, read_results(out)).empty


def test_manifest_says_what_was_run(make: Callable[..., Path]) -> None:
    text = (make(audience="internal") / "manifest.json").read_text(encoding="utf-8")
    raw = json.loads(text)
    assert raw["analysis"] == ANALYSIS
    assert raw["inputs"] == [{"name": "studies.csv", "sha256": "0" * 64, "rows": 5}]
    assert raw["audience"] == "internal"
    assert raw["simulated"] is True
    assert {"numpy", "typst", "python-docx", "matplotlib"} <= raw["libraries"].keys()
    assert [item["name"] for item in raw["files"]] == ["report.html", "results.json", "results.parquet"]
    assert Manifest.from_json(text).to_json() == text


def test_a_folder_in_use_is_never_written_over(make: Callable[..., Path], tmp_path: Path) -> None:
    out = make()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OptionError, match="never written over"):
        make()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (tmp_path / "empty").mkdir()
    assert verify(make("empty")).ok
    (tmp_path / "file").write_text("x")
    with pytest.raises(OptionError, match="never written over"):
        make("file")


@pytest.mark.parametrize("writer", ["html", "pdf", "docx"])
def test_a_writer_that_fails_leaves_nothing(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    def fail(document: Document) -> bytes:
        raise RuntimeError("broken")

    monkeypatch.setitem(folder._WRITERS, writer, fail)
    with pytest.raises(RuntimeError, match="broken"):
        make(formats=("html", "pdf", "docx"))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_leaves_nothing(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_bytes

    def fail(self: Path, data: bytes) -> int:
        if self.name == "results.json":
            raise OSError("disk full")
        return whole(self, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="disk full"):
        make()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ("html", "odt")}, "formats must be one of 'html', 'pdf', 'docx', 'xlsx'; got 'odt'"),
        ({"formats": "html"}, "must be a list"),
        ({"formats": ()}, "formats is empty"),
        ({"audience": "everybody"}, "audience must be one of"),
        ({"name": "../report"}, "plain file name"),
        ({"name": "/etc/x"}, "plain file name"),
        ({"name": ".hidden"}, "plain file name"),
        ({"extra": {"../x": b""}}, "plain file name"),
        ({"extra": {"a/b.csv": b""}}, "plain file name"),
        ({"extra": {"manifest.json": b""}}, "already"),
        ({"extra": {"report.html": b""}}, "already"),
        ({"inputs": [{"name": "folder/studies.csv", "sha256": "0"}]}, "plain file name"),
    ],
)
def test_wrong_options_are_refused(
    make: Callable[..., Path], tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        make(**options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        ({"source": "/".join(["", "home", "someone", "studies.csv"])}, "analysis.source"),
        ({"options": {"files": ["C:\\data\\x.sav"]}}, "analysis.options.files"),
        ({"level": float("nan")}, "JSON values"),
        ({"frame": object()}, "JSON values"),
    ],
)
def test_manifest_holds_no_machine_path_and_only_json(
    make: Callable[..., Path], analysis: dict[str, Any], message: str
) -> None:
    with pytest.raises(IptError, match=message):
        make(analysis=analysis)


@pytest.mark.parametrize("name", ["report.html", "results.json", "results.parquet", "manifest.json"])
@pytest.mark.parametrize("position", [0, 40, -2])
def test_verify_detects_one_changed_byte(make: Callable[..., Path], name: str, position: int) -> None:
    out = make()
    data = bytearray((out / name).read_bytes())
    data[position] ^= 1
    (out / name).write_bytes(bytes(data))
    found = verify(out)
    assert not found.ok
    assert found.to_frame().set_index("name").loc[name, "status"] == "changed"
    assert f"{name}: changed" in found.summary()


def test_verify_detects_a_manifest_with_other_words(make: Callable[..., Path]) -> None:
    out = make()
    path = out / "manifest.json"
    path.write_text(path.read_text().replace('"audience": "public"', '"audience": "board"'))
    assert not verify(out).ok


def test_verify_detects_missing_and_extra_files(make: Callable[..., Path]) -> None:
    out = make()
    (out / "report.html").unlink()
    (out / "more.txt").write_text("x")
    (out / "sub").mkdir()
    found = verify(out)
    status = dict(zip(found.files["name"], found.files["status"], strict=True))
    assert status == {
        "manifest.json": "ok",
        "report.html": "missing",
        "results.json": "ok",
        "results.parquet": "ok",
        "more.txt": "extra",
        "sub": "extra",
    }
    assert not found.ok
    assert found.to_dict()["ok"] is False


def test_verify_of_something_else_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(OptionError, match=r"holds no manifest\.json"):
            verify(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"id": "a"}]', '{"rows": []}', "\x00"])
def test_results_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(DataError, match="not a table of results"):
        read_results(tmp_path)


def row(name: str, value: float | None, **fields: Any) -> ResultRow:
    return ResultRow(id=name, analysis=name, statistic="estimate", value=value, unit="g", **fields)


def test_compare_lists_changed_missing_and_new() -> None:
    old = Results((row("a", 0.5), row("b", 1.0, n=10), row("c", 2.0), row("d", None)))
    new = Results((row("a", 0.5), row("b", 1.5, n=11), row("d", 0.0), row("e", 3.0)))
    frame = compare_results(old, new)
    assert frame.to_numpy().tolist() == [
        ["b", "estimate", 1.0, 1.5, "changed"],
        ["b", "estimate: n", 10, 11, "changed"],
        ["c", "estimate", 2.0, None, "missing"],
        ["d", "estimate", None, 0.0, "changed"],
        ["e", "estimate", None, 3.0, "new"],
    ]


def test_compare_tolerance_is_relative() -> None:
    old, new = Results((row("a", 1.0), row("b", 0.0))), Results((row("a", 1.0 + 1e-9), row("b", 1e-12)))
    assert compare_results(old, new)["id"].tolist() == ["a", "b"]
    assert compare_results(old, new, rtol=1e-8)["id"].tolist() == ["b"]
    with pytest.raises(OptionError, match="rtol"):
        compare_results(old, new, rtol=-1)


def test_compare_sees_other_units() -> None:
    old = Results((row("a", 1.0),))
    new = Results((replace(old.rows[0], unit="percent"),))
    assert compare_results(old, new)["statistic"].tolist() == ["estimate: unit"]
