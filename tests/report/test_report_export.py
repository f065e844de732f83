"""Tables for spreadsheets: case 15, no text runs, numbers untouched."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.report import write_table
from ipt_outcomes.report.export import csv_text, safe_text

RUNS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture
def frame(cases: Path) -> pd.DataFrame:
    studies = pd.read_csv(cases / "15-hostile-names" / "studies.csv")
    studies["g"] = [-0.5, 0.2, 0.4, np.nan, 1e-17]
    studies["=SUM(A1)"] = ["\t=1", "\r=1", "-x", "+1", "plain"]
    return studies


def test_csv_has_no_text_that_runs(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write_table(frame, tmp_path / "t.csv")
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    assert rows[0] == ["study", "g", "v", "'=SUM(A1)"]
    assert [row[0] for row in rows[1:]] == [
        "'=1+1", "'@SUM(A1)", "<script>document.title='x'</script>", "A & B <i>2011</i>", "'-1 (n=3)"
    ]  # fmt: skip
    assert [row[1] for row in rows[1:]] == ["-0.5", "0.2", "0.4", "", "1e-17"]
    assert [row[3] for row in rows[1:]] == ["'\t=1", "'\r=1", "'-x", "'+1", "plain"]


def test_csv_numbers_come_back_unrounded(frame: pd.DataFrame, tmp_path: Path) -> None:
    values = pd.Series([-0.1 - 0.2, 1 / 3, 2.5e-308, -7.0])
    back = pd.read_csv(write_table(pd.DataFrame({"x": values}), tmp_path / "t.csv"))
    assert back["x"].tolist() == values.tolist()


def test_xlsx_stores_text_as_text(frame: pd.DataFrame, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write_table(frame, tmp_path / "t.xlsx")).active
    assert sheet is not None
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert [cell.value for cell in sheet["A"]] == ["study", *frame["study"]]
    assert [(cell.value, cell.data_type) for cell in sheet["B"]][1] == (-0.5, "n")
    assert sheet["B5"].value is None
    assert sheet["D1"].value == "=SUM(A1)"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_same_frame_gives_same_bytes(frame: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    one, two = (write_table(frame, tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert one == two


@pytest.mark.parametrize("name", ["t.xls", "t.html", "t", "t.csv.exe"])
def test_other_endings_are_refused(frame: pd.DataFrame, tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"\.csv or \.xlsx"):
        write_table(frame, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not exist"):
        write_table(frame, tmp_path / "no" / "t.csv")


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_table(pd.DataFrame({"x": [1]}), tmp_path / "t.csv")
    before = path.read_bytes()

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_table(pd.DataFrame({"x": [2]}), path)
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
    assert path.read_bytes() == before


def test_every_kind_of_value(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(["=a", "b"]),
            "flag": [True, False],
            "whole": pd.array([1, None], dtype="Int64"),
            "big": [np.inf, -np.inf],
            "text": [None, "-"],
            "made": [np.float64(-0.25), pd.NaT],
        }
    )
    assert write_table(frame, tmp_path / "t.csv").read_text().splitlines()[1:] == [
        "'=a,True,1,inf,,-0.25",
        "b,False,,-inf,'-,",
    ]
    sheet = openpyxl.load_workbook(write_table(frame, tmp_path / "t.xlsx")).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]] == ["=a", True, 1, "inf", None, -0.25]
    assert [cell.value for cell in sheet[3]] == ["b", False, None, "-inf", "-", None]


def test_control_characters_become_visible_in_xlsx(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write_table(pd.DataFrame({"x": ["a\x07b"]}), tmp_path / "t.xlsx")).active
    assert sheet is not None
    assert sheet["A2"].value == "a\N{REPLACEMENT CHARACTER}b"


def test_text_that_no_cell_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: a text of 40000 characters"):
        write_table(pd.DataFrame({"x": ["a" * 40_000]}), tmp_path / "t.xlsx")


@given(st.text(max_size=12))
def test_no_text_begins_with_what_runs(text: str) -> None:
    safe = safe_text(text)
    assert not safe.startswith(RUNS)
    assert safe in {text, f"'{text}"}


@given(st.lists(st.text(st.characters(exclude_characters="\x00"), max_size=6), min_size=2, max_size=2))
def test_text_stays_in_its_cell(cells: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(["a", "b"], [cells]), newline="")))
    assert rows == [["a", "b"], [safe_text(cell) for cell in cells]]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_never_changed(number: float) -> None:
    assert float(csv_text(["x"], [[number]]).splitlines()[1]) == number
