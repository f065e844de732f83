"""Every statistical file of the shared set behaves as its README and its reference reading say."""

import datetime
import json

import pytest

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import reading_session

pytestmark = pytest.mark.shared

REFUSED = {
    "made/bitflip.zsav": "compressed data do not unfold",
    "made/crash_duplicate_labels_4_bytes.sav": "could not be read safely",
    "made/crash_trial_usermissing_1_byte.zsav": "could not be read safely",
    "made/crash_variable_label_1_byte.sav": "could not be read safely",
    "made/csv_renamed.sav": "its content looks like text",
    "made/declared_utf8_bytes_cp1252.sav": "column name: 2 cells hold bytes that are not utf-8",
    "made/empty.sav": "is empty",
    "made/header_ncases_wrong.sav": "its header says 7 rows, its data hold 300 rows",
    "made/header_says_2e9_cases.sav": "its header says 2,000,000,000 rows, its data hold 300 rows",
    "made/truncated_60pct.dta": "cut short",
    "made/truncated_60pct.sav": "cut short",
    "made/truncated_60pct.zsav": "cut short",
    "made/truncated_half.sas7bdat": "cut short",
    "made/truncated_lastbyte.dta": "cut short",
    "made/truncated_lastbyte.sav": "cut short",
    "made/truncated_lastbyte.zsav": "cut short",
    "made/xlsx_renamed.dta": "its content looks like a ZIP archive",
}
# Rows, columns, cells missing by declaration, columns with labels. Where a reference reading exists, it says the same.
READ = {
    "haven/datetime-d.dta": (1, 1, 0, 0), "haven/datetime.sas7bdat": (4, 5, 0, 0), "haven/datetime.sav": (2, 3, 0, 0),
    "haven/hadley.sas7bdat": (8, 7, 0, 0), "haven/labelled-num-na.sav": (2, 1, 1, 1),
    "haven/labelled-num.sav": (1, 1, 0, 1), "haven/labelled-str.sav": (2, 1, 0, 1), "haven/notes.dta": (5, 4, 0, 0),
    "haven/tagged-na-double.dta": (8, 1, 3, 1), "haven/tagged-na-int.dta": (8, 1, 3, 1),
    "haven/tagged-na.sas7bdat": (8, 1, 3, 0), "haven/types.dta": (2, 8, 0, 0), "haven/umlauts.sav": (4, 1, 0, 1),
    "haven/variable-label.sav": (1, 1, 0, 1), "made/cp1252.sav": (3, 2, 0, 0),
    "made/duplicate_labels.dta": (4, 2, 0, 1), "made/duplicate_labels.sav": (4, 2, 0, 1),
    "made/endpoint_labels.sav": (5, 1, 0, 1), "made/intact_300.dta": (300, 2, 0, 0),
    "made/intact_300.sav": (300, 2, 0, 0), "made/intact_300.zsav": (300, 2, 0, 0), "made/latin.xpt": (2, 3, 0, 0),
    "made/long_names.sav": (3, 2, 0, 0), "made/long_strings.dta": (3, 3, 0, 0), "made/long_strings.sav": (3, 3, 0, 0),
    "made/small.por": (2, 2, 0, 0), "made/trial_extmissing.dta": (6, 7, 3, 2),
    "made/trial_undeclared999.sav": (6, 9, 0, 6), "made/trial_usermissing.sav": (6, 9, 9, 6),
    "made/trial_usermissing.zsav": (6, 9, 9, 6), "made/trial_usermissing_row.sav": (6, 9, 9, 6),
    "made/v8.xpt": (2, 2, 0, 0), "made/zero_rows.sav": (0, 1, 0, 0), "pyreadstat/date_test.sas7bdat": (20, 9, 0, 0),
    "pyreadstat/dates.sas7bdat": (50, 3, 0, 0), "pyreadstat/dates_xpt_v8.xpt": (19, 9, 0, 0),
    "pyreadstat/hebrews.sav": (99, 1, 0, 0), "pyreadstat/missing_char.sav": (2, 1, 1, 1),
    "pyreadstat/missing_test.dta": (1, 9, 6, 1), "pyreadstat/missing_test.sas7bdat": (1, 9, 7, 0),
    "pyreadstat/missing_test.sav": (2, 1, 1, 1), "pyreadstat/ordered_category.sav": (4, 1, 0, 1),
    "pyreadstat/sample.dta": (5, 7, 0, 2), "pyreadstat/sample.por": (5, 7, 0, 2),
    "pyreadstat/sample.sas7bdat": (5, 7, 0, 0), "pyreadstat/sample.sav": (5, 7, 0, 2),
    "pyreadstat/sample.xpt": (5, 7, 0, 0), "pyreadstat/sample.zsav": (5, 7, 0, 2),
    "pyreadstat/sample_bincompressed.sas7bdat": (5, 7, 0, 0), "pyreadstat/sample_missing.sav": (7, 7, 5, 2),
    "pyreadstat/sas_v5.xpt": (10, 1, 0, 0), "pyreadstat/sas_v8.xpt": (10, 1, 0, 0),
    "pyreadstat/simple_alltypes.sav": (6, 12, 3, 5), "pyreadstat/tegulu.sav": (1, 2, 0, 0),
    "pyreadstat/test_data_linux.sas7bdat": (3, 3, 0, 0), "pyreadstat/test_data_win.sas7bdat": (3, 3, 0, 0),
    "pyreadstat/test_file_label_win.sas7bdat": (3, 3, 0, 0), "pyreadstat/test_width.sav": (5, 4, 0, 1),
}  # fmt: skip
CATALOGS = {
    "haven/hadley.sas7bdat": "haven/formats.sas7bcat",
    "haven/tagged-na.sas7bdat": "haven/tagged-na.sas7bcat",
    "pyreadstat/missing_test.sas7bdat": "pyreadstat/missing_formats.sas7bcat",
    "pyreadstat/test_data_linux.sas7bdat": "pyreadstat/test_formats_linux.sas7bcat",
    "pyreadstat/test_data_win.sas7bdat": "pyreadstat/test_formats_win.sas7bcat",
}


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


@pytest.fixture
def folder(shared):
    return shared / "data" / "statfiles"


def test_no_file_is_forgotten(folder):
    there = {str(path.relative_to(folder)) for path in folder.glob("*/*")}
    assert there == {*REFUSED, *READ, *CATALOGS.values()}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(folder, name):
    with pytest.raises(DataError) as caught:
        read_table(folder / name)
    assert REFUSED[name] in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", READ)
def test_read(folder, name):
    table = read_table(folder / name)
    rows, columns, missing, labelled = READ[name]
    assert (*table.frame.shape, len(table.missing), len(table.value_labels)) == (rows, columns, missing, labelled)
    assert table.rows.tolist() == list(range(1, rows + 1))
    # A cell that is missing by declaration is missing in the frame.
    for row, column in zip(table.missing["row"], table.missing["column"], strict=True):
        assert table.frame[column].isna().tolist()[row - 1]
    # The same file gives the same table, and the row count can be demanded.
    again = read_table(folder / name, expect_rows=rows, sha256=table.sha256)
    assert again.frame.equals(table.frame)
    with pytest.raises(IptError, match="rows of data"):
        read_table(folder / name, expect_rows=rows + 1)


@pytest.mark.parametrize("data", CATALOGS)
def test_catalogs(folder, data):
    plain, labelled = read_table(folder / data), read_table(folder / data, catalog=folder / CATALOGS[data])
    assert not plain.value_labels
    assert labelled.value_labels
    # Labels come beside the codes, never instead of them.
    assert labelled.frame.equals(plain.frame)


def test_labels_of_hadley(folder):
    table = read_table(folder / "haven" / "hadley.sas7bdat", catalog=folder / "haven" / "formats.sas7bcat")
    assert table.value_labels["gender"] == {"f": "Female", "m": "Male"}
    assert set(table.value_labels) == {"gender", "workshop"}
    assert set(table.frame["gender"].dropna()) <= {"f", "m", ""}


def test_every_reference_reading_has_its_file(shared):
    for path in (shared / "reference" / "io").glob("*__*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        files = told["file"].split(" + ")
        assert files[0] in READ or files[0] in REFUSED
        should = told.get("what_a_trusted_loader_should_do", "")
        if should.startswith("refuse") or "error" in told.get("pyreadstat_1.3.7", {}):
            assert files[0] in REFUSED


def test_dates_of_sas(folder):
    table = read_table(folder / "pyreadstat" / "date_test.sas7bdat")
    kinds = {name: str(dtype) for name, dtype in table.frame.dtypes.items()}
    assert "datetime64[s]" in kinds.values()
    moments = read_table(folder / "pyreadstat" / "dates_xpt_v8.xpt").frame
    assert isinstance(moments["times"].dropna().iloc[0], datetime.time)


def test_other_alphabets(folder):
    (column,) = read_table(folder / "pyreadstat" / "hebrews.sav").frame.columns
    assert any("\u0590" <= letter <= "\u05ff" for letter in column)
    assert read_table(folder / "pyreadstat" / "test_width.sav").frame["ResponseId"].str.startswith("R_").all()


def test_the_same_rows_whatever_the_compression(folder):
    whole = read_table(folder / "made" / "intact_300.sav").frame
    assert read_table(folder / "made" / "intact_300.zsav").frame.equals(whole)
    assert read_table(folder / "made" / "intact_300.dta").frame.equals(whole)
    binary = read_table(folder / "pyreadstat" / "sample_bincompressed.sas7bdat").frame
    assert binary.equals(read_table(folder / "pyreadstat" / "sample.sas7bdat").frame)
