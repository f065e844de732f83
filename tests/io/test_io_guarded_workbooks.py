"""Sheets of workbooks: every cell as it is stored, and a refusal where a cell cannot be taken at its word."""

import datetime
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import load_studies, read_table
from ipt_outcomes.io.guarded import Limits, reading_session
from ipt_outcomes.io.guarded.child.days import milliseconds
from ipt_outcomes.io.guarded.child.numberformats import built_in, shown_by


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


@pytest.fixture
def book(tmp_path):
    """Write a workbook with openpyxl; `change` takes the book and its first sheet."""

    def _book(rows, change=None, name="t.xlsx"):
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(row)
        if change is not None:
            change(made, made.active)
        path = tmp_path / name
        made.save(path)
        return path

    return _book


DATE, MOMENT, TIME = datetime.date, datetime.datetime, datetime.time
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


@pytest.fixture
def raw(tmp_path):
    """Write a workbook part by part: the cells of its only sheet, what else the workbook says, other parts."""

    def _raw(data, *, book="", tail="", head="", parts=None, names=("S",), name="t.xlsx"):
        sheets = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(names, 1))
        links = "".join(
            f'<Relationship Id="rId{i}" Type="{REL}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(names) + 1)
        )
        extra = "".join(
            f'<Relationship Id="x{part}" Type="{REL}/{part}" Target="{part}.xml"/>' for part in (parts or {})
        )
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr(
                "_rels/.rels",
                f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Type="{REL}/officeDocument" '
                'Target="/xl/workbook.xml"/></Relationships>',
            )
            archive.writestr(
                "xl/workbook.xml",
                f'<workbook xmlns="{MAIN}" xmlns:r="{REL}">{book}<sheets>{sheets}</sheets></workbook>',
            )
            archive.writestr(
                "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{links}{extra}</Relationships>'
            )
            for i in range(1, len(names) + 1):
                archive.writestr(
                    f"xl/worksheets/sheet{i}.xml",
                    f'<worksheet xmlns="{MAIN}">{head}<sheetData>{data}</sheetData>{tail}</worksheet>',
                )
            for part, content in (parts or {}).items():
                archive.writestr(f"xl/{part}.xml", content)
        return path

    return _raw


def refused(path, **options):
    with pytest.raises(IptError) as caught:
        read_table(path, **options)
    assert caught.value.__cause__ is None
    assert str(Path(path).parent) not in str(caught.value)
    return caught.value


def text(value):
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


HEAD = f"<row>{text('id')}{text('x')}</row>"


def test_types_and_texts(book):
    table = read_table(
        book(
            [
                ["id", "score", "g", "day", "moment", "time", "site", "yes"],
                ["007", 3, 0.5, DATE(2020, 2, 29), MOMENT(2020, 1, 1, 10, 10, 10), TIME(10, 10, 10), "NA", True],
                ["07", None, 2, DATE(1900, 1, 1), None, TIME(0, 0), "None", False],
                ["7", 12, -1e-7, DATE(9999, 12, 31), MOMENT(1999, 12, 31, 23, 59, 59, 999000), None, " x ", None],
            ]
        )
    )  # fmt: skip
    assert [str(dtype) for dtype in table.frame.dtypes] == [
        "string", "Int64", "float64", "datetime64[s]", "datetime64[us]", "object", "string", "string",
    ]  # fmt: skip
    assert table.frame["id"].tolist() == ["007", "07", "7"]
    assert table.frame["site"].tolist() == ["NA", "None", " x "]
    assert table.frame["g"].tolist() == [0.5, 2.0, -1e-7]
    assert table.frame["day"].astype(str).tolist() == ["2020-02-29", "1900-01-01", "9999-12-31"]
    assert table.frame["moment"][0] == pd.Timestamp(2020, 1, 1, 10, 10, 10)
    assert table.frame["moment"][2] == pd.Timestamp(1999, 12, 31, 23, 59, 59, 999000)
    assert table.frame["time"].tolist() == [datetime.time(10, 10, 10), datetime.time(0, 0), None]
    assert table.frame["yes"].tolist()[:2] == ["TRUE", "FALSE"]
    assert (table.rows.tolist(), table.sheet, table.encoding, table.delimiter) == ([2, 3, 4], "Sheet", None, None)
    assert table.warnings == ()


NUMBERS = ("mean_arm1", "sd_arm1", "n_arm1", "mean_arm2", "sd_arm2", "n_arm2")


def test_a_study_table_loads(book):
    header = ["study", "condition_arm1", "condition_arm2", "outcome_type", "instrument", "time", "rating", *NUMBERS]
    row = ["ipt", "cau", "msd", "hdrs", "post", "clinician"]
    path = book([header, ["A, 2001", *row, 10, 5, 30, 14, 6, 30], ["B, 2002", *row, 9.5, 5, 31, 13, 6, 29]])
    studies = load_studies(path)
    assert (len(studies), studies.n_studies) == (2, 2)
    assert studies.comparisons["mean_arm1"].tolist() == [10.0, 9.5]
    assert studies.comparisons["row"].tolist() == [2, 3]


def test_mixed_columns_are_text_as_shown(book):
    table = read_table(
        book([["id", "x"], ["12", 1], [7, datetime.date(2020, 1, 2)], [0.1, "-"], [1e20, datetime.time(9, 5)]])
    )
    assert table.frame["id"].tolist() == ["12", "7", "0.1", "100000000000000000000"]
    assert table.frame["x"].tolist() == ["1", "2020-01-02", "-", "09:05:00"]
    said = " | ".join(table.warnings)
    assert "id: cells of several kinds (numbers in 3, text in 1), all read as text" in said
    assert "id: numbers of more than 15 digits" in said


@pytest.mark.parametrize(
    ("cells", "given", "mark", "expected"),
    [
        (["7,25", 1.234], None, ",", ["7,25", "1,234"]),
        (["7.25", 1.234], None, ".", ["7.25", "1.234"]),
        (["7,25", 1234], ",", ",", ["7,25", "1234"]),
        (["n/a", 1.5], None, None, ["n/a", "1.5"]),
    ],
)
def test_numbers_beside_numbers_as_text_take_the_same_mark(book, cells, given, mark, expected):
    table = read_table(book([["x"], *([cell] for cell in cells)]), decimal=given)
    assert table.decimal == mark
    assert table.frame["x"].tolist() == expected


def test_numbers_as_text_with_both_marks_are_refused(book):
    error = refused(book([["g"], ["7,25"], ["7.25"], ["0,5"]]))
    assert "decimal points and decimal commas" in error.message
    assert error.rows == (3,)


def test_leading_zeros_that_are_only_shown(book):
    def zeros(_, sheet):
        for row in (2, 3):
            sheet.cell(row, 1).number_format = "000"

    table = read_table(book([["id", "x"], [7, 1], [1234, 2]], zeros))
    assert table.frame["id"].tolist() == ["007", "1234"]
    assert any("zeros in front" in said for said in table.warnings)


def test_formulas(book, raw):
    error = refused(book([["id", "total"], ["a", "=1+1"], ["b", 3], ["c", "=B3"]]))
    assert "column B (total): 2 cells hold a formula whose result is not stored: rows 2, 4" in error.message
    assert (error.rows, error.column) == ((2, 4), "total")
    calculated = (
        HEAD + f"<row>{text('a')}<c><f>1+1</f><v>2</v></c></row><row>{text('b')}<c t='str'><f>T(1)</f><v></v></c></row>"
    )
    table = read_table(raw(calculated))
    assert table.frame["x"].tolist()[0] == 2
    assert pd.isna(table.frame["x"][1])
    assert any("x: 1 cell calculated by a formula" in said for said in table.warnings)
    # A library writes 0 as the result and asks for a calculation at the next opening.
    stale = raw(calculated, book='<calcPr fullCalcOnLoad="1"/>')
    assert "result is not stored" in refused(stale).message
    assert "result is not stored" in refused(raw(HEAD + f"<row>{text('a')}<c t='str'><f>T(1)</f></c></row>")).message


def test_errors_merged_cells_and_impossible_dates_all_at_once(book):
    def change(_, sheet):
        sheet["A3"], sheet["B3"], sheet["B4"] = "#N/A", "#DIV/0!", "#REF!"
        sheet["C2"], sheet["C3"], sheet["C4"] = 60, -5, 3e6
        for row in (2, 3, 4):
            sheet.cell(row, 3).number_format = "dd.mm.yyyy"
        sheet.merge_cells("A5:B6")

    error = refused(book([["id", "x", "d"], ["a", 1], [], [], ["z", 1]], change))
    for part in (
        "column A (id): 1 cell holds an error",
        "column B (x): 2 cells hold an error instead of a value: rows 3, 4",
        "column C (d): 3 cells hold a number shown as a date that is none: rows 2, 3, 4",
        "merged cells: A5:B6",
    ):
        assert part in error.message
    assert "#DIV" not in str(error)


def test_merged_cells_outside_the_table_do_not_matter(book):
    assert len(read_table(book([["id", "x"], ["a", 1]], lambda _, sheet: sheet.merge_cells("F20:G21")))) == 1


def test_several_sheets_are_asked(book):
    def change(made, sheet):
        sheet.title = "Anna Muster"
        made.create_sheet("Codes").append(["code", "label"])
        made["Codes"].append([1, "x"])
        made.create_sheet("empty")

    path = book([["id", "x"], ["a", 1], ["b", 2]], change)
    error = refused(path)
    assert "has 2 sheets that hold something" in error.message
    assert "sheet 1: 3 rows, 2 columns; sheet 2: 2 rows, 2 columns" in error.message
    # The name of a sheet may be a person's.
    assert "Anna" not in str(error)
    assert "sheet=1" in error.hint
    assert read_table(path, sheet=1).frame["id"].tolist() == ["a", "b"]
    assert read_table(path, sheet="codes").sheet == "Codes"
    assert any("sheet 2 of 3" in said for said in read_table(path, sheet=2).warnings)
    assert "no such sheet" in refused(path, sheet=4).message
    assert "no such sheet" in refused(path, sheet=0).message
    assert "no such sheet" in refused(path, sheet="none").message
    assert "is empty" in refused(path, sheet=3).message


def test_one_sheet_of_several_that_holds_cells_is_taken(book):
    table = read_table(book([["id"], ["a"]], lambda made, _: made.create_sheet("none")))
    assert table.sheet == "Sheet"


def test_hidden_rows_columns_and_sheets_are_read_and_said(book):
    def change(made, sheet):
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["B"].hidden = True
        made.create_sheet("front")
        sheet.sheet_state = "hidden"

    table = read_table(book([["id", "x"], ["a", 1], ["b", 2]], change))
    assert len(table) == 2
    said = " | ".join(table.warnings)
    assert "rows hidden in the workbook are read: 1" in said
    assert "x: the column is hidden" in said
    assert "the sheet is hidden" in said


def test_dates_counted_from_1904(book):
    def change(made, _):
        made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    days = [datetime.date(1904, 1, 2), datetime.date(2020, 2, 29)]
    table = read_table(book([["d"], *([day] for day in days)], change))
    assert table.frame["d"].astype(str).tolist() == ["1904-01-02", "2020-02-29"]
    assert any("1904" in said for said in table.warnings)


@pytest.mark.parametrize(
    ("serial", "from_1904", "day"),
    [
        (1, False, "1900-01-01"), (59, False, "1900-02-28"), (60, False, None), (60.5, False, None),
        (61, False, "1900-03-01"), (0, False, None), (0.5, False, None), (-1, False, None),
        (43890, False, "2020-02-29"), (2958465, False, "9999-12-31"),
        (2958466, False, None), (0, True, "1904-01-01"), (42428, True, "2020-02-29"), (-1, True, None),
        (2957003, True, "9999-12-31"),
    ],
)  # fmt: skip
def test_days(serial, from_1904, day):
    told = milliseconds(serial, from_1904=from_1904)
    assert (None if told is None else str(np.datetime64(told, "ms").astype("datetime64[D]"))) == day


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", "number"), ("0.00", "number"), ("#,##0 [$€-407]", "number"), ("0.00E+00", "number"),
        ("@", "number"),        ("dd/mm/yyyy", "date"), ("[$-409]d\\-mmm\\-yy;@", "date"), ("yyyy", "date"),
        ("mmm", "date"),
        ('yyyy"-"mm', "date"),
        ("dd.mm.yyyy hh:mm", "moment"), ("m/d/yy h:mm AM/PM", "moment"), ("hh:mm:ss", "time"), ("mm:ss.0", "time"),
        ("h AM/PM", "time"),
        ("[h]:mm:ss", "span"), ("[mm]:ss", "span"), ('0" days"', "number"), ('0 "h"', "number"), ("[Red]0.0", "number"),
        ('"Day "0', "number"), ("ge.m.d", "date"), ("0.0_d", "number"),
    ],
)  # fmt: skip
def test_what_a_format_shows(code, kind):
    assert shown_by(code).kind == kind


def test_built_in_formats():
    kinds = {14: "date", 22: "moment", 18: "time", 46: "span", 0: "number", 2: "number", 9: "number", 300: "number"}
    assert {number: built_in(number).kind for number in kinds} == kinds


def test_durations_and_times_beyond_a_day(book):
    def change(_, sheet):
        for row in (2, 3):
            sheet.cell(row, 1).number_format = "[h]:mm"
            sheet.cell(row, 2).number_format = "h:mm"

    table = read_table(book([["spent", "clock"], [1.25, 0.5], [0.5, 1.5]], change))
    assert table.frame["spent"].tolist() == [pd.Timedelta(hours=30), pd.Timedelta(hours=12)]
    assert table.frame["clock"].tolist() == [pd.Timedelta(hours=12), pd.Timedelta(hours=36)]


def test_a_date_column_with_times_keeps_them(book):
    def change(_, sheet):
        for row in (2, 3):
            sheet.cell(row, 1).number_format = "dd.mm.yyyy"

    table = read_table(book([["d"], [43890], [43890.75]], change))
    assert table.frame["d"].tolist() == [pd.Timestamp("2020-02-29"), pd.Timestamp("2020-02-29 18:00")]


def test_text_of_several_runs_and_escapes(raw):
    shared = (
        f'<sst xmlns="{MAIN}"><si><t>id</t></si><si><r><t>a</t></r><r><t xml:space="preserve"> b</t></r>'
        "<rPh><t>aloud</t></rPh></si><si><t>two_x000D_&#10;lines_x0000_</t></si></sst>"
    )
    data = "".join(f'<row><c t="s"><v>{place}</v></c></row>' for place in (0, 1, 2))
    table = read_table(raw(data, parts={"sharedStrings": shared}))
    assert table.frame["id"].tolist() == ["a b", "two\r\nlines_x0000_"]
    assert "header does not fit" in refused(raw(data.replace("2", "3"), parts={"sharedStrings": shared})).message
    assert "header does not fit" in refused(raw(data)).message


def test_dates_stored_as_text_of_iso(raw):
    rows = "".join(
        f'<row>{text(i)}<c t="d"><v>{value}</v></c></row>' for i, value in enumerate(("2020-02-29", "1900-01-15"))
    )
    assert read_table(raw(HEAD + rows)).frame["x"].astype(str).tolist() == ["2020-02-29", "1900-01-15"]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="5"><c r="A5"><v>1</v></c></row><row r="4"><c r="A4"><v>1</v></c></row>',
        '<row r="3"><c r="B3"><v>1</v></c><c r="A3"><v>1</v></c></row>',
        '<row r="3"><c r="A3"><v>1</v></c><c r="A3"><v>2</v></c></row>',
        '<row r="3"><c r="A4"><v>1</v></c></row>',
        '<row r="3"><c r="XFE3"><v>1</v></c></row>',
        '<row r="1048577"><c><v>1</v></c></row>',
        '<row r="3"><c r="A3"><v>1_000</v></c></row>',
        '<row r="3"><c r="A3"><v>nan</v></c></row>',
        '<row r="3"><c r="A3"><v>1e999</v></c></row>',
        '<row r="3"><c r="A3" t="zz"><v>1</v></c></row>',
        '<row r="3"><c r="A3" t="b"><v>2</v></c></row>',
        '<row r="3"><c r="A3" s="7"><v>2</v></c></row>',
        '<row r="3"><c r="A3" s="-1"><v>2</v></c></row>',
        '<row r="3"><c r="A3" t="s"><v>-1</v></c></row>',
        '<row r="3"><c r="A3" t="d"><v>2020-02-30</v></c></row>',
    ],
)
def test_cells_that_cannot_be(raw, rows):
    assert "could not be read safely" in refused(raw(HEAD.replace("<row>", '<row r="1">') + rows)).message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["id", "id"], [1, 2]], "stand twice: id"),
        ([["id", None], ["a", 2]], "column B has values but no name"),
        ([["A study of IPT"], ["id", "x", "y"], ["a", 2, 3]], "columns B, C have values but no name"),
        ([[1, 2], [3, 4]], "the first row holds numbers"),
        ([["id", "x"]], "no rows of data"),
        ([], "is empty"),
        ([[None, " "]], "is empty"),
    ],
)
def test_tables_that_are_none(book, rows, message):
    assert message in refused(book(rows)).message


def test_rows_and_columns_that_hold_nothing_are_no_part_of_the_table(book):
    table = read_table(book([[], [None, "id", None, "x"], [], [None, "a", None, 1], [None, "b", " ", 2]]))
    assert list(table.frame.columns) == ["id", "x"]
    assert table.rows.tolist() == [4, 5]


def test_a_far_cell_costs_nothing(book):
    path = book([["id", "x"], ["a", 1]], lambda _, sheet: sheet.cell(1_048_576, 16_384, "far"))
    assert path.stat().st_size < 6000
    with reading_session(Limits(memory=700 * 1024**2)):
        assert "column XFD has values but no name" in refused(path).message


def test_too_many_cells(book):
    path = book([["id", "x"], *([str(i), i] for i in range(50))])
    with reading_session(Limits(cells=99)):
        assert "up to 99 cells are read" in refused(path).message


def test_an_archive_that_unfolds_out_of_proportion(raw):
    path = raw(HEAD + f"<row>{text('a')}{text('b' * 60_000_000)}</row>")
    assert path.stat().st_size < 200_000
    assert re.search(r"unfolds to 60,\d+,\d+ bytes", refused(path).message)


def test_entities_and_document_types_are_refused(raw):
    bomb = '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    assert "could not be read safely" in refused(raw(HEAD, parts={"sharedStrings": bomb})).message


def test_archives_that_are_no_workbooks(tmp_path, book):
    other = tmp_path / "o.xlsx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert "not an Excel workbook, whatever its name" in refused(other).message
    old = tmp_path / "old.xlsx"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert "password" in refused(old).message
    content = tmp_path / "t.xlsx"
    content.write_text("id,x\n1,2\n", encoding="utf-8")
    assert "its content looks like text" in refused(content).message
    path = book([["id", "x"], ["a", 1]])
    whole = path.read_bytes()
    for damaged, word in ((whole[:-1], "cut short"), (whole[:-400], "cut short"), (whole + b"more", "after its end")):
        path.write_bytes(damaged)
        assert word in refused(path).message


def test_a_part_that_is_missing_or_stands_twice(raw, tmp_path):
    path = raw(HEAD + f"<row>{text('a')}<c><v>1</v></c></row>", parts={"styles": f'<styleSheet xmlns="{MAIN}"/>'})
    assert len(read_table(path)) == 1
    members = {info.filename: zipfile.ZipFile(path).read(info) for info in zipfile.ZipFile(path).infolist()}
    for missing in ("xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                if name != missing:
                    archive.writestr(name, content)
        assert "could not be read safely" in refused(path).message
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    assert "could not be read safely" in refused(path).message


def test_a_changed_byte_of_a_part_is_found_by_its_checksum(book):
    path = book([["id", "x"], *([f"p{i}", i] for i in range(40))])
    whole, frame = path.read_bytes(), read_table(path).frame
    rng = np.random.default_rng(3)
    for _ in range(60):
        place = int(rng.integers(len(whole)))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << int(rng.integers(8)))]) + whole[place + 1 :])
        try:
            assert read_table(path).frame.equals(frame)
        except DataError:
            continue


def test_options_of_a_workbook(book, tmp_path):
    path = book([["id", "x"], ["a", 1]])
    for options in ({"encoding": "utf-8"}, {"delimiter": ","}, {"catalog": path}, {"sheet": True}, {"sheet": 1.5}):
        with pytest.raises(OptionError):
            read_table(path, **options)
    plain = tmp_path / "t.csv"
    plain.write_text("id,x\na,1\n", encoding="utf-8")
    with pytest.raises(OptionError, match="sheet belongs to a workbook"):
        read_table(plain, sheet=1)
    with pytest.raises(IptError, match="has 1 rows of data, 2 were expected"):
        read_table(path, expect_rows=2)
    with pytest.raises(IptError, match="not the file expected"):
        read_table(path, sha256="0" * 64)
