"""The workbook for people who do not write TOML: drop-downs, and read back as the same mapping."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io import propose_mapping, read_map_workbook, write_map_workbook
from ipt_outcomes.io.propose.workbook_reading import record_of
from ipt_outcomes.io.propose.workbook_sheets import read_sheets


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
    record, mapping = record_of(read_sheets(path)), proposal.mapping.to_dict()
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
    assert record_of(read_sheets(tmp_path / "typed.xlsx"))["codes"] == {"arm": {"1": "?", "2": "?"}}


def test_it_has_drop_downs_and_runs_nothing(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["start here", "columns", "codes", "visits", "settings", "lists"]
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
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = propose_mapping(table).to_excel(tmp_path / "one" / "a.xlsx").read_bytes()
    assert first == write_map_workbook(propose_mapping(table), tmp_path / "two" / "a.xlsx").read_bytes()


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
    record = record_of(read_sheets(tmp_path / "more.xlsx"))
    assert record["duplicates"] == {"rule": "mean"}
    assert record["constants"] == {"indication": "mdd"}
    assert record["areas"] == {"set": "before"}


def test_the_first_sheet_says_what_to_do_and_what_is_to_decide(table, tmp_path):
    proposal = propose_mapping(table)
    sheet = openpyxl.load_workbook(proposal.to_excel(tmp_path / "map.xlsx"))["start here"]
    told = "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
    assert "What to do" in told
    assert "--mapping map.xlsx" in told
    assert all(decision in told for decision in proposal.decisions())


def test_headings_have_notes_and_codes_their_own_choices(table, tmp_path):
    book = openpyxl.load_workbook(propose_mapping(table).to_excel(tmp_path / "map.xlsx"))
    assert all(cell.comment for cell in book["columns"][1])
    offered = {}
    for rule in book["codes"].data_validations.dataValidation:
        name, area = rule.formula1.split("!")
        offered[str(rule.sqref)] = [row[0].value for row in book[name][area.replace("$", "")]]
    assert offered["D2:D3"][0] == "?"
    assert set(offered["D2:D3"][1:]) == {arm.value for arm in ipt.vocabulary.Arm}


WRONG = {
    ("columns", "B3"): ("armm", "neither a name of the dictionary nor an instrument; near: arm"),
    ("columns", "B4"): ("baseline: sex", "no instrument has that name"),
    ("columns", "C5"): ("week_99", "sheet visits does not say the week of 'week_99'"),
    ("columns", "E6"): ("maybe", "none of sure, likely, guess, decided"),
    ("columns", "B7"): ("covariate: Shoe size", "small letters"),
    ("columns", "B8"): ("date: strat", "near: start"),
    ("codes", "D2"): ("iptt", "no code of arm; near: ipt"),
    ("codes", "A4"): ("mising", "near: missing"),
    ("visits", "B2"): ("soon", "no number of weeks"),
    ("settings", "C2"): ("both", "none of refuse"),
    ("settings", "A3"): ("duplicate", "near: duplicates"),
}


def test_faults_are_named_by_sheet_and_cell_all_at_once(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    for (sheet, cell), (value, _) in WRONG.items():
        book[sheet][cell].value = value
    book.save(tmp_path / "wrong.xlsx")
    with pytest.raises(OptionError) as caught:
        read_map_workbook(tmp_path / "wrong.xlsx")
    lines = {line.split(": ")[0].removeprefix("- "): line for line in str(caught.value).splitlines() if "!" in line}
    for (sheet, cell), (_, told) in WRONG.items():
        assert told in lines[f"{sheet}!{cell}"], (sheet, cell)
    # What is still to decide is told beside what is wrong.
    assert "to decide" in lines["columns!B9"]
    assert "to decide" in lines["codes!D3"]


def test_one_name_for_two_columns_names_both_cells(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    book["columns"]["B4"].value = "arm"
    book["columns"]["A9"].value = "pid"
    book.save(tmp_path / "twice.xlsx")
    with pytest.raises(OptionError, match=r"columns!B4: 'arm' is 'group' already \(columns!B3\)") as caught:
        read_map_workbook(tmp_path / "twice.xlsx")
    assert "columns!A9: 'pid' stands in columns!A2, too" in str(caught.value)


def test_a_workbook_a_person_sorted_and_extended_reads_the_same(table, tmp_path):
    path = propose_mapping(table).to_excel(tmp_path / "map.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = book["columns"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    for number, row in enumerate(reversed(rows), start=2):
        for place, value in enumerate(row, start=1):
            sheet.cell(number + 1, place).value = value
        sheet.cell(number + 1, 1).data_type = "s"
    for cell in sheet[2]:
        cell.value = None
    sheet["H1"].value = "my remarks"
    sheet["H5"].value = "asked Anna"
    book.save(tmp_path / "sorted.xlsx")
    one, other = (record_of(read_sheets(tmp_path / name)) for name in ("map.xlsx", "sorted.xlsx"))
    assert {key: set(value) for key, value in one["columns"].items()} == {
        key: set(value) for key, value in other["columns"].items()
    }
    assert one["wide"] == other["wide"]
    assert sorted(one["undecided"]) == sorted(other["undecided"])
