"""The workbook for people who do not write TOML: drop-downs, and read back as the same mapping."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io import propose_mapping, read_map_workbook, write_map_workbook
from ipt_outcomes.io.propose.workbook_reading import workbook_record


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pid": ["a", "b", "c"],
            "group": [1, 2, 1],
            "sex": ["f", "m", "f"],
            "bdi_pre": [31, 24, 18],
            "bdi_t2": [12, 20, -9],
            "phq9_base": [18, 12, 15],
            "phq9_w12": [5, 8, 4],
            "=1+1": [1, 2, 3],
        }
    )


def changed(path, out, **cells):
    """Copy a workbook with cells changed: sheet and (first cell of the row, header) to value."""
    book = openpyxl.load_workbook(path)
    for sheet, changes in cells.items():
        headers = [cell.value for cell in book[sheet][1]]
        for (key, header), value in changes.items():
            rows = [row for row in book[sheet].iter_rows(min_row=2) if key in [cell.value for cell in row[:3]]]
            assert rows, (sheet, key)
            for row in rows:
                row[headers.index(header)].value = value
    book.save(out)
    return out


def test_it_reads_back_as_proposed(table, tmp_path):
    proposal = propose_mapping(table)
    path = proposal.to_excel(tmp_path / "map.xlsx")
    record, mapping = workbook_record(path), proposal.mapping.to_dict()
    for part in ("columns", "wide", "undecided", "missing"):
        assert record.get(part) == mapping.get(part), part
    assert record["visits"] == {"baseline": 0.0, "week_12": 12.0, "visit_2": "?"}
    assert record["codes"] == {"arm": {"1": "?", "2": "?"}}


def test_it_loads_once_everything_is_decided(table, tmp_path):
    proposal = propose_mapping(table)
    path = proposal.to_excel(tmp_path / "map.xlsx")
    with pytest.raises(OptionError, match="not decided yet"):
        ipt.load_cohort(table, path)
    decided = {(key, "confidence"): "decided" for key in ("bdi_pre", "bdi_t2", "1", "2", "-9", "visit_2")}
    own = {
        name: {(key, header): value for (key, header), value in decided.items() if key in keys}
        for name, keys in {"columns": ("bdi_pre", "bdi_t2"), "codes": ("1", "2", "-9"), "visits": ("visit_2",)}.items()
    }
    done = changed(
        path, tmp_path / "done.xlsx",
        columns={("=1+1", "becomes"): "leave out", **own["columns"]},
        codes={("1", "code"): "ipt", ("2", "code"): "waitlist", **own["codes"]},
        visits={("visit_2", "week"): 6, **own["visits"]},
    )  # fmt: skip
    plan = read_map_workbook(done)
    cohort = ipt.load_cohort(table, str(done))
    by_hand = proposal.decided(
        left_out=["=1+1"], accept=["[wide.bdi2]", "[missing.bdi_t2]"], codes={"arm": {"1": "ipt", "2": "waitlist"}},
        visits={"visit_2": 6},
    )  # fmt: skip
    assert plan.to_dict() == by_hand.to_dict()
    pd.testing.assert_frame_equal(cohort.assessments, ipt.load_cohort(table, by_hand).assessments)
    assert sorted(cohort.outcome("phq9")["arm"].unique()) == ["ipt", "waitlist"]


def test_numbers_typed_by_a_spreadsheet_are_codes(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    for row in book["codes"].iter_rows(min_row=2):
        if row[2].value in ("1", "2"):
            row[2].value, row[2].number_format = int(row[2].value), "General"
    book.save(tmp_path / "typed.xlsx")
    assert workbook_record(tmp_path / "typed.xlsx")["codes"] == {"arm": {"1": "?", "2": "?"}}


def test_it_has_drop_downs_and_runs_nothing(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["columns", "codes", "visits", "settings", "help", "lists"]
    assert book["lists"].sheet_state == "hidden"
    for sheet in ("columns", "codes", "visits", "settings"):
        rules = book[sheet].data_validations.dataValidation
        assert rules
        assert all(rule.type == "list" for rule in rules)
        for rule in rules:
            name, area = rule.formula1.split("!")
            options = [row[0].value for row in book[name][area.replace("$", "")]]
            assert all(options)
            assert len(options) == len(set(options))
    formulas = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert not formulas
    written = book["columns"]["A9"]
    assert written.value == "=1+1"
    assert written.data_type == "s"


def test_equal_proposals_give_equal_bytes(table, tmp_path):
    first = propose_mapping(table).to_excel(tmp_path / "a.xlsx").read_bytes()
    assert first == write_map_workbook(propose_mapping(table), tmp_path / "b.xlsx").read_bytes()


def test_nothing_is_written_over(table, tmp_path):
    proposal = propose_mapping(table)
    path = proposal.to_excel(tmp_path / "map.xlsx")
    before = path.read_bytes()
    with pytest.raises(OptionError, match="already"):
        proposal.to_excel(path)
    assert path.read_bytes() == before
    with pytest.raises(OptionError, match=r"\.xlsx"):
        proposal.to_excel(tmp_path / "map.csv")
    with pytest.raises(OptionError, match="folder"):
        proposal.to_excel(tmp_path / "none" / "map.xlsx")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(OptionError, match="no mapping file"):
        read_map_workbook(tmp_path / "none.xlsx")
    (tmp_path / "text.xlsx").write_text("not a workbook")
    with pytest.raises(IptError, match="no mapping"):
        read_map_workbook(tmp_path / "text.xlsx")
    book = openpyxl.Workbook()
    book.active.title = "columns"
    book.active.append(["a", "b"])
    book.active.append(["1", "2"])
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(OptionError, match="has no column column"):
        read_map_workbook(tmp_path / "other.xlsx")


def test_settings_are_read(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    book["settings"]["C2"] = "mean"
    book["settings"].append(["constants", "indication", "mdd"])
    book["settings"].append(["areas", "", "before"])
    book.save(tmp_path / "more.xlsx")
    record = workbook_record(tmp_path / "more.xlsx")
    assert record["duplicates"] == {"rule": "mean"}
    assert record["constants"] == {"indication": "mdd"}
    assert record["areas"] == {"set": "before"}
