"""Reading text tables: nothing guessed in silence, nothing read wrongly, one clear error for all else."""

import hashlib
import os
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import read_table, text
from ipt_outcomes.schemas import load_schema, parse_numbers, to_text


@pytest.fixture
def write(tmp_path):
    def _write(content, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return _write


def cells(table, column):
    return table.frame[column].tolist()


def test_case_14_spreadsheet_export(cases):
    case = cases / "14-semicolon-decimal-comma-bom"
    expected = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))["expected"]
    table = read_table(case / "export.csv")
    assert list(table.frame.columns) == expected["columns"]
    assert cells(table, "id") == expected["id"]
    assert (table.delimiter, table.decimal, table.encoding) == (";", ",", "utf-8")
    for column in ("phq9_w0", "phq9_w16", "income"):
        numbers, bad = parse_numbers(to_text(table.frame[column]), table.decimal)
        assert numbers.tolist() == expected[column]
        assert not bad.any()
    said = " | ".join(table.warnings)
    for choice in ("delimiter: semicolon", "decimal mark: comma", "thousands", "income", "byte-order mark"):
        assert choice in said


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_delimiter_is_detected(write, delimiter):
    table = read_table(write(delimiter.join(["study", "n"]) + "\n" + delimiter.join(["A", "3"]) + "\n"))
    assert table.delimiter == delimiter
    assert cells(table, "n") == ["3"]
    assert any(choice.startswith("delimiter:") for choice in table.warnings)


def test_delimiter_and_decimal_can_be_given(write):
    table = read_table(write("study;g\nA;1,234\n"), delimiter=";", decimal=".")
    assert table.decimal == "."
    with pytest.raises(OptionError, match="same character"):
        read_table(write("a,b\n1,2\n"), delimiter=",", decimal=",")
    with pytest.raises(OptionError, match="delimiter must be one of"):
        read_table(write("a,b\n1,2\n"), delimiter=":")


def test_commas_in_names_do_not_win_over_semicolons(write):
    table = read_table(write('study;g;se\n"Power, 2012";0,5;0,1\nElkin, 1989;0,2;0,2\n'))
    assert table.delimiter == ";"
    assert cells(table, "study") == ["Power, 2012", "Elkin, 1989"]


def test_excel_sep_line(write):
    table = read_table(write("sep=;\r\nstudy;g\r\nA;0,5\r\n"))
    assert (table.delimiter, table.rows.tolist()) == (";", [3])


def test_rows_are_lines_of_the_file(write):
    table = read_table(write('study,note\nA,"two\nlines"\nB,one\n\nC,one\n'))
    assert table.rows.tolist() == [2, 4, 6]
    assert any("line breaks" in choice for choice in table.warnings)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(write, newline):
    table = read_table(write(newline.join(["study,n", "A,3", "B,4", ""])))
    assert cells(table, "study") == ["A", "B"]
    assert table.rows.tolist() == [2, 3]


def test_cells_stay_as_written(write):
    table = read_table(write("id,site,n\n007,NA, 3\n7,,4\n"))
    assert cells(table, "id") == ["007", "7"]
    assert table.frame["site"].tolist()[0] == "NA"
    assert table.frame["site"].isna().tolist() == [False, True]
    assert cells(table, "n")[0] == " 3"


@pytest.mark.parametrize(
    ("raw", "encoding", "label", "warned"),
    [
        ("study,n\nMüller,3\n".encode(), None, "utf-8", False),
        ("study,n\nMüller,3\n".encode("utf-8-sig"), None, "utf-8", True),
        ("study,n\nMüller,3\n".encode("utf-16"), None, "utf-16", True),
        ("study,n\nMüller,3\n".encode("windows-1252"), None, "windows-1252", True),
        ("study,n\nMüller,3\n".encode("mac-roman"), "mac-roman", "mac-roman", False),
        ("study,n\nMüller,3\n".encode("utf-8-sig"), "utf-8", "utf-8", False),
    ],
)
def test_encodings(write, raw, encoding, label, warned):
    table = read_table(write(raw), encoding=encoding)
    assert list(table.frame.columns) == ["study", "n"]
    assert cells(table, "study") == ["Müller"]
    assert table.encoding == label
    assert any(choice.startswith("encoding:") for choice in table.warnings) == warned


def test_windows_1252_names_the_line(write):
    table = read_table(write("study,n\nA,3\nMüller,3\n".encode("windows-1252")))
    assert any("line 3" in choice and "windows-1252" in choice for choice in table.warnings)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"study,n\n\x81\x8d,3\n", {}, "neither UTF-8 nor windows-1252"),
        ("study,n\nMüller,3\n".encode("latin-1"), {"encoding": "utf-8"}, "line 2: bytes that are not utf-8"),
        (b"study,n\nA,3\n", {"encoding": "no-such"}, "encoding 'no-such' is not known"),
        (b"study,n\n+2AA-,3\n", {"encoding": "utf-7"}, "bytes that are not utf-7"),
        (b"study,n\nA,3\n", {"encoding": "base64"}, "encoding 'base64' is not known"),
        (b"\x89PNG\r\n\x1a\n", {}, "PNG picture"),
        (b"PK\x03\x04rest", {}, "ZIP archive"),
        (b"%PDF-1.7", {}, "a PDF"),
        (b"$FL2@(#) SPSS", {}, "SPSS"),
        (b"study,n\nA,\x00\n", {}, "NUL"),
        (b"<!DOCTYPE html><html>", {}, "web page"),
        (b"", {}, "is empty"),
        (b" \n\n", {}, "is empty"),
        (b"study,n\n", {}, "no rows of data"),
        (b"study,n\n,\n", {}, "no rows of data"),
        (b"study,n\nA,3\nB\nC,1,2\n", {}, "2 of 3 rows have 1 or 3 cells where the header has 2: rows 3, 4"),
        (b"study,n\n1,A,3\n2,B,4\n", {}, "one cell more than the header"),
        (b"study,n,n\nA,3,4\n", {}, "stand twice: n"),
        (b"study,,n\nA,x,4\n", {}, "column 2 has values but no name"),
        (b",study\nx,A\n", {}, "column 1 has values but no name"),
        (b"1,2\n3,4\n", {}, "the first row holds numbers"),
        (b'study,n\n"A,3\n', {}, "row 2: cannot be cut into cells"),
        (b'study,n\n"A" x,3\n', {}, "cannot be cut into cells"),
        (b"study,n\nA,3\n", {"expect_rows": 2}, "has 1 rows of data, 2 were expected"),
        (b"study,n\nA,3\n", {"sha256": "0" * 64}, "not the file expected"),
    ],
)
def test_refusals(write, content, options, message):
    with pytest.raises(IptError) as caught:
        read_table(write(content), **options)
    assert message in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "name", ["t.xlsx", "t.sav", "t.dta", "t.sas7bdat", "t.parquet", "T.XLS", "t.rds", "t.pkl", "t.json"]
)
def test_other_formats_say_what_can_be_read(write, name):
    with pytest.raises(IptError, match="save it as CSV"):
        read_table(write("study,n\nA,3\n", name=name))


def test_paths(tmp_path):
    for address in ("https://example.org/x.csv", "file:///etc/passwd", "s3://bucket/x.csv", "FTP://x/y.csv"):
        with pytest.raises(IptError, match="web address"):
            read_table(address)
    with pytest.raises(IptError, match="web address") as caught:
        read_table("ftp://user:hush@example.org/x.csv?key=hush")
    assert "hush" not in str(caught.value)
    for address in ("s3:bucket/x.csv", "gs:x", "smb:x", "http:\\\\x", "FILE:x.csv"):
        with pytest.raises(IptError, match="web address"):
            read_table(address)
    for address in ("\\\\server\\share\\x.csv", "//server/share/x.csv", "\\\\?\\UNC\\server\\x.csv", "\\\\.\\pipe\\x"):
        with pytest.raises(IptError, match="a place on the network"):
            read_table(address)
    (tmp_path / "x.sas7bdat").write_bytes(b"x")
    with pytest.raises(IptError, match="web address"):
        read_table(tmp_path / "x.sas7bdat", catalog="https://example.org/c.sas7bcat")
    with pytest.raises(IptError, match=r"there is no file x\.csv"):
        read_table("\\\\?\\C:\\data\\x.csv" if os.name == "nt" else tmp_path / "secret" / "x.csv")
    with pytest.raises(IptError, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(IptError, match="is a folder"):
        read_table(tmp_path)
    for odd in ("", "a\0b", "x" * 5000):
        with pytest.raises(IptError):
            read_table(odd)


def test_a_tsv_is_cut_at_its_tabs(write):
    content = "id\tnote\n1\ta, b, c\n2\td, e, f\n"
    table = read_table(write(content, name="t.tsv"))
    assert (table.delimiter, cells(table, "note")) == ("\t", ["a, b, c", "d, e, f"])
    # A .tsv without tabs is cut by what it holds.
    assert read_table(write("a;b\n1;2\n", name="t.tsv")).delimiter == ";"


def test_too_large(write, monkeypatch):
    monkeypatch.setattr(text, "SIZE_LIMIT", 10)
    with pytest.raises(IptError, match="files up to 10 bytes"):
        read_table(write("study,n\nA,3\n"))


def test_digest(write):
    raw = b"study,n\nA,3\n"
    digest = hashlib.sha256(raw).hexdigest()
    assert read_table(write(raw), sha256=digest.upper(), expect_rows=1).sha256 == digest


def test_unnamed_first_column_that_counts_rows_is_left_out(write):
    table = read_table(write('"";"study";"g"\n"1";"A";0,5\n"3";"B";0,25\n'))
    assert list(table.frame.columns) == ["study", "g"]
    assert any("only counts the rows" in choice for choice in table.warnings)


def test_empty_rows_and_columns_are_left_out_and_said(write):
    table = read_table(write("study,n,\nA,3,\n,,\nB,4,\n,,\n"))
    assert cells(table, "study") == ["A", "B"]
    assert table.rows.tolist() == [2, 4]
    assert any("rows 3, 5" in choice for choice in table.warnings)


@pytest.mark.parametrize(
    ("content", "decimal"),
    [
        ("study;g\nA;0,5\nB;0,25\n", ","),
        ("study,g\nA,0.5\n", "."),
        ('study,g\nA,"0,5"\n', ","),
        ("study;g\nA;0.5\n", "."),
        ("study,n\nA,3\n", "."),
        ('study,n,g\nA,"1,019",0.5\n', "."),
        ("study;n;g\nA;1.019;0,5\n", ","),
        ("study,g\nA,1.234\n", "."),
        ("study;g\nA;1,234\n", ","),
        ("study;g\nA;1.019,00\nB;1.020\n", ","),
        # Words in a column take its say: only columns of numbers decide.
        ("study;dose;g\nA;1.5 mg;0,5\n", ","),
    ],
)
def test_decimal_mark(write, content, decimal):
    assert read_table(write(content)).decimal == decimal


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("study;g\nA;0,5\nB;0.5\nC;0,25\n", (3,)),
        ("study;g\nA;0,5\nB;1.234\nC;0,25\n", (3,)),
        ('study,g\nA,0.5\nB,"7,25"\nC,0.5\n', (3,)),
    ],
)
def test_a_column_that_mixes_marks_is_refused(write, content, rows):
    with pytest.raises(DataError, match="decimal points and decimal commas") as caught:
        read_table(write(content))
    assert caught.value.rows == rows
    assert caught.value.column == "g"


@pytest.mark.parametrize("content", ["study;g\nA;1.234\n", 'study,g\nA,"1,234"\n'])
def test_what_could_be_either_is_asked(write, content):
    with pytest.raises(DataError, match="thousands mark or a decimal mark"):
        read_table(write(content))


def test_hostile_names_are_data(cases):
    table = read_table(cases / "15-hostile-names" / "columns.csv")
    assert table.frame.columns[3].startswith("I(__import__")
    assert cells(read_table(cases / "15-hostile-names" / "studies.csv"), "study")[0] == "=1+1"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_give_a_table_or_an_ipt_error(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("fuzz") / "any.csv"
    path.write_bytes(raw)
    try:
        table = read_table(path)
    except IptError:
        return
    assert len(table) == len(table.rows) > 0


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='ab1,;.\t|"\n\r \ufeff', max_size=60))
def test_any_table_like_text_gives_a_table_or_an_ipt_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "any.csv"
    path.write_bytes(content.encode())
    try:
        table = read_table(path)
    except IptError:
        return
    assert len(table) == len(set(table.rows)) > 0
    assert table.frame.columns.is_unique


def test_the_dictionary_has_no_columns_with_the_readers_names():
    assert not {"row", "file", "turned", "control_split"} & set(load_schema("comparisons").names)
