"""Statistical files read right: what pyreadstat and haven agree on, and what a trusted loader does where they fail."""

import datetime
import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io import load_studies, read_table
from ipt_outcomes.io.guarded import reading_session

HERE = Path(__file__).resolve().parent.parent
MADE = sorted(path.stem for path in (HERE / "reference" / "io").glob("made__*.json"))
OTHERS = [
    "haven__datetime-d.dta", "haven__datetime.sas7bdat", "haven__hadley.sas7bdat", "haven__labelled-num-na.sav",
    "haven__labelled-str.sav", "haven__notes.dta", "haven__tagged-na-int.dta", "haven__tagged-na.sas7bdat",
    "haven__umlauts.sav", "haven__variable-label.sav", "pyreadstat__dates.sas7bdat", "pyreadstat__dates_xpt_v8.xpt",
    "pyreadstat__missing_char.sav", "pyreadstat__missing_test.dta", "pyreadstat__missing_test.sav",
    "pyreadstat__ordered_category.sav", "pyreadstat__sample.por", "pyreadstat__sample.sas7bdat",
    "pyreadstat__sample.xpt", "pyreadstat__sample.zsav", "pyreadstat__sample_missing.sav", "pyreadstat__sas_v5.xpt",
    "pyreadstat__simple_alltypes.sav", "pyreadstat__tegulu.sav", "pyreadstat__test_data_win.sas7bdat",
    "pyreadstat__test_file_label_win.sas7bdat",
]  # fmt: skip
CATALOGS = [
    "haven__tagged-na.sas7bdat_+_haven__tagged-na.sas7bcat",
    "pyreadstat__missing_test.sas7bdat_+_pyreadstat__missing_formats.sas7bcat",
    "pyreadstat__test_data_linux.sas7bdat_+_pyreadstat__test_formats_linux.sas7bcat",
    "pyreadstat__test_data_win.sas7bdat_+_pyreadstat__test_formats_win.sas7bcat",
]


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


def readable(name):
    expected = json.loads((HERE / "reference" / "io" / f"{name}.json").read_text(encoding="utf-8"))
    return "error" not in expected["pyreadstat_1.3.7"] and name != "made__header_ncases_wrong.sav"


def plain(value, dtype):
    """A cell as the reference files write it."""
    if isinstance(value, datetime.time):
        return value.isoformat()
    if value is None or pd.isna(value):
        return None
    if dtype == "datetime64[s]":
        return value.strftime("%Y-%m-%d")
    if dtype == "datetime64[us]":
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value if isinstance(value, str) else float(value)


def first_rows(frame):
    dtypes = [str(dtype) for dtype in frame.dtypes]
    rows = zip(*(frame[name].head(6).tolist() for name in frame.columns), strict=True)
    return [[plain(cell, dtype) for cell, dtype in zip(row, dtypes, strict=True)] for row in rows]


def code(key):
    """A code of the reference files: numbers by value, missing letters without their dot."""
    key = str(key)
    try:
        return float(key)
    except ValueError:
        return key.removeprefix(".")


def labels_of(mapping):
    return {name: {code(key): label for key, label in codes.items()} for name, codes in mapping.items()}


def check_reading(table, expected):
    assert (len(table), table.frame.shape[1]) == (expected["rows"], expected["cols"])
    assert list(table.frame.columns) == expected["columns"]
    assert table.frame.isna().sum().tolist() == expected["missing_default"]
    assert [table.column_labels.get(name) for name in table.frame] == [
        label or None for label in expected["column_labels"]
    ]
    assert labels_of(table.value_labels) == labels_of(expected["variable_value_labels"])
    assert {name: shown for name, shown in expected["formats"].items() if shown not in (None, "NULL")} == table.formats
    assert table.file_label == (expected["file_label"] or "")
    for ours, theirs in zip(first_rows(table.frame), expected["first"], strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert a == (pytest.approx(b, rel=1e-12) if isinstance(b, float) else b)
    assert table.rows.tolist() == list(range(1, len(table) + 1))
    assert (table.delimiter, table.decimal) == (None, None)


@pytest.mark.shared
@pytest.mark.parametrize("name", [name for name in MADE if readable(name)])
def test_made_files_read_as_both_readers_do(shared, reference, name):
    expected = reference(f"io/{name}")
    path = shared / "data" / "statfiles" / expected["file"]
    table = read_table(path)
    check_reading(table, expected["pyreadstat_1.3.7"])
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.shared
@pytest.mark.parametrize("name", OTHERS)
def test_public_files_read_as_both_readers_do(shared, name):
    expected = json.loads((shared / "reference" / "io" / f"{name}.json").read_text(encoding="utf-8"))
    check_reading(read_table(shared / "data" / "statfiles" / expected["file"]), expected["pyreadstat_1.3.7"])


@pytest.mark.shared
@pytest.mark.parametrize("name", CATALOGS)
def test_catalogs_bring_their_labels(shared, name):
    expected = json.loads((shared / "reference" / "io" / f"{name}.json").read_text(encoding="utf-8"))
    folder = shared / "data" / "statfiles"
    data, catalog = (folder / part for part in expected["file"].split(" + "))
    table = read_table(data, catalog=catalog)
    # SAS writes its missing letters large, haven small.
    ours = {
        column: {key.lower() if key.startswith(".") else key: label for key, label in codes.items()}
        for column, codes in table.value_labels.items()
    }
    assert ours == expected["haven_2.5.1_R_4.2.2"]["value_labels"]
    assert len(table) == expected["haven_2.5.1_R_4.2.2"]["rows"]


@pytest.mark.shared
@pytest.mark.parametrize("suffix", [".sav", ".zsav", "_row.sav"])
def test_declared_missing_codes_are_missing_with_their_reason(shared, suffix):
    table = read_table(shared / "data" / "statfiles" / "made" / f"trial_usermissing{suffix}")
    told = table.missing.sort_values(["column", "row"]).to_dict("records")
    expected = [
        ("area", 5, 88, "Not determined"), ("arm", 6, 9, "Withdrew before allocation"),
        ("hamd_base", 2, -9, "Not done"), ("phq_base", 4, 999, "Missing"), ("phq_w16", 2, 998, "Not asked"),
        ("phq_w16", 3, 999, "Missing"), ("phq_w16", 5, 997, "Refused"), ("site", 3, "ZZ", "Unknown site"),
        ("site", 6, "ZZ", "Unknown site"),
    ]  # fmt: skip
    assert [(cell["column"], cell["row"], cell["code"], cell["reason"]) for cell in told] == expected
    # System missing (hamd_base row 5, area row 6) is no declared code.
    assert table.frame["hamd_base"].isna().tolist() == [False, True, False, False, True, False]
    assert table.frame["phq_base"].mean() == pytest.approx(17.2)
    # An empty text that nobody declared missing is a value.
    assert table.frame["dropout"].tolist() == ["no", "yes", "", "no", "n/a", "yes"]
    assert table.frame["pid"].tolist() == ["0001", "0002", "0003", "0010", "0011", "0012"]
    assert not [text for text in table.warnings if "not declared" in text]


@pytest.mark.shared
def test_missing_letters_of_stata_and_sas(shared):
    folder = shared / "data" / "statfiles"
    table = read_table(folder / "made" / "trial_extmissing.dta")
    assert table.missing[["row", "column", "code", "reason"]].to_numpy().tolist() == [
        [2, "phq_w16", ".a", "Refused"], [3, "phq_w16", ".b", "Not asked"], [5, "phq_w16", ".c", "Missing"],
    ]  # fmt: skip
    assert table.frame["phq_w16"].mean() == pytest.approx(8.0)
    assert str(table.frame["phq_w16"].dtype) == "Int64"
    sas = read_table(folder / "pyreadstat" / "missing_test.sas7bdat")
    assert sas.missing["code"].tolist() == [".A", ".B", ".C", ".X", ".Y", ".Z", "._"]
    assert sas.missing["reason"].isna().all()
    tagged = read_table(folder / "haven" / "tagged-na-double.dta")
    assert tagged.missing["code"].tolist() == [".a", ".h", ".z"]
    assert tagged.missing["reason"].tolist()[0] == "apple"


@pytest.mark.shared
def test_ranges_reach_to_the_lowest_value(shared):
    table = read_table(shared / "data" / "statfiles" / "pyreadstat" / "simple_alltypes.sav")
    # z: -999 thru 0 and 999; x: 7, 8, 99.
    z = table.missing[table.missing["column"] == "z"]
    assert z["code"].tolist() == [-9, 999]
    assert z["reason"].tolist()[1] == "skipped"


@pytest.mark.shared
def test_dates_without_loss(shared):
    table = read_table(shared / "data" / "statfiles" / "haven" / "datetime.sav")
    moment = table.frame["date.posix"].to_numpy()
    assert np.datetime_as_string(moment[0], unit="D").startswith("201416-")
    assert np.datetime_as_string(moment[1], unit="s") == str(
        np.datetime64("1582-10-14T00:00:00") + np.timedelta64(13_630_867_160, "s")
    )
    assert table.frame["date"].to_numpy().astype("datetime64[D]").astype(str).tolist() == ["2014-09-22", "2014-09-23"]
    assert table.frame["time"].tolist() == [
        datetime.time(12, 11, 10, 90_000), datetime.time(15, 59, 20, 10_000)
    ]  # fmt: skip
    old = read_table(shared / "data" / "statfiles" / "made" / "trial_usermissing.sav").frame["visit"]
    assert old.dropna().to_numpy().astype("datetime64[D]").astype(str).tolist() == [
        "2019-03-04", "2019-03-05", "1900-01-01", "1582-10-15", "2020-02-29",
    ]  # fmt: skip


@pytest.mark.shared
def test_a_clock_time_is_a_time(shared):
    table = read_table(shared / "data" / "statfiles" / "pyreadstat" / "sample.dta")
    assert table.frame["mytime"].tolist()[:2] == [datetime.time(10, 10, 10), datetime.time(23, 10, 10)]


@pytest.mark.shared
def test_letters_of_many_alphabets(shared):
    folder = shared / "data" / "statfiles"
    assert read_table(folder / "made" / "cp1252.sav").frame["name"].tolist() == ["Zoë", "José", "plain"]
    assert read_table(folder / "made" / "latin.xpt").frame["NAME"].tolist() == ["Zoë", "José"]
    long = read_table(folder / "made" / "long_strings.dta").frame
    assert long["land"].tolist() == ["日本", "Ελλάδα", "naïve"]
    assert read_table(folder / "made" / "long_strings.sav").frame.equals(long)
    (hebrew,) = read_table(folder / "pyreadstat" / "hebrews.sav").frame.columns
    assert all("\u0590" <= letter <= "\u05ff" for letter in hebrew.replace("_", ""))
    umlauts = read_table(folder / "haven" / "umlauts.sav")
    assert umlauts.value_labels["var1"][1] == "the ä umlaut"
    tegulu = read_table(folder / "pyreadstat" / "tegulu.sav")
    assert any("in the middle of a letter" in text for text in tegulu.warnings)


@pytest.mark.shared
def test_wrongly_declared_encoding(shared):
    path = shared / "data" / "statfiles" / "made" / "declared_utf8_bytes_cp1252.sav"
    with pytest.raises(IptError, match="column name: 2 cells hold bytes that are not utf-8") as caught:
        read_table(path)
    assert 'encoding="windows-1252"' in caught.value.hint
    table = read_table(path, encoding="windows-1252")
    assert table.frame["name"].tolist() == ["Zoë", "José", "plain"]
    assert any("the file says UTF-8" in text for text in table.warnings)


@pytest.mark.shared
def test_no_rows_is_said(shared):
    table = read_table(shared / "data" / "statfiles" / "made" / "zero_rows.sav")
    assert len(table) == 0
    assert any("no rows" in text for text in table.warnings)
    with pytest.raises(IptError, match="no rows of data"):
        load_studies(shared / "data" / "statfiles" / "made" / "zero_rows.sav")


def expected_of(cases, name):
    return tomllib.loads((cases / name / "case.toml").read_text(encoding="utf-8"))["expected"]


def test_case_01_undeclared_codes_are_named(cases):
    table = read_table(cases / "01-undeclared-999" / "trial.sav")
    said = [text for text in table.warnings if "not declared missing" in text]
    assert "phq_base: code 999, labelled 'Missing', is not declared missing and stands as a value in 1 cell" in said
    for part in ("phq_w16: code 997", "phq_w16: code 998", "phq_w16: code 999", "hamd_base: code -9", "area: code 88"):
        assert any(text.startswith(part) for text in said)
    assert not len(table.missing)


def test_case_01_declared_codes_are_missing(cases):
    expected = expected_of(cases, "01-undeclared-999")
    table = read_table(cases / "01-undeclared-999" / "trial_declared.sav")
    for column in ("phq_base", "phq_w16", "hamd_base"):
        assert table.frame[column].mean() == pytest.approx(expected[f"{column}_mean"])
        assert table.frame[column].notna().sum() == expected[f"{column}_n"]
    reasons = table.missing.groupby("reason").size().to_dict()
    assert {"Refused", "Not asked", "Missing", "Not determined", "Withdrew before allocation"} <= set(reasons)
    assert not [text for text in table.warnings if "not declared" in text]


@pytest.mark.parametrize("name", ["arms.sav", "arms.dta"])
def test_case_02_codes_that_share_a_label_stay_apart(cases, name):
    expected = expected_of(cases, "02-duplicate-value-labels")
    table = read_table(cases / "02-duplicate-value-labels" / name)
    assert table.frame["tx"].tolist() == [1, 2, 3, 1]
    assert expected["warning"] in table.warnings
    counts = table.frame["tx"].value_counts()
    assert [counts[code] for code in (1, 2, 3)] == [expected[f"n_code_{code}"] for code in (1, 2, 3)]
    assert list(table.value_labels["tx"]) == [1, 2, 3]


@pytest.fixture
def made(tmp_path):
    """Write a statistical file of a few columns."""

    def _made(name, **options):
        frame = pd.DataFrame(
            {"id": ["a", "b", "c"], "score": [1.0, 2.5, np.nan], "n": [1.0, 2.0, 3.0], "big": [1e17, 1.0, 2.0]}
        )
        path = tmp_path / name
        write = {".sav": pyreadstat.write_sav, ".dta": pyreadstat.write_dta, ".xpt": pyreadstat.write_xport}
        write[path.suffix.lower()](frame, str(path), **options)
        return path

    return _made


@pytest.mark.parametrize("name", ["t.sav", "T.SAV", "t.dta", "t.xpt"])
def test_types(made, name):
    frame = read_table(made(name)).frame
    assert [str(dtype) for dtype in frame.dtypes] == ["string", "float64", "Int64", "float64"]
    assert frame.iloc[:, 1].tolist()[:2] == [1.0, 2.5]
    assert frame.iloc[:, 1].isna().tolist() == [False, False, True]
    assert frame.iloc[0, 3] == 1e17


def test_row_count_and_digest_can_be_demanded(made):
    path = made("t.sav")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(read_table(path, expect_rows=3, sha256=digest.upper())) == 3
    with pytest.raises(IptError, match="has 3 rows of data, 4 were expected"):
        read_table(path, expect_rows=4)
    with pytest.raises(IptError, match="not the file expected"):
        read_table(path, sha256="0" * 64)


def test_options_that_do_not_belong(made, tmp_path):
    path = made("t.sav")
    text = tmp_path / "t.csv"
    text.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(OptionError, match="catalog belongs to a SAS data set"):
        read_table(path, catalog=path)
    with pytest.raises(OptionError, match="catalog belongs to a SAS data set"):
        read_table(text, catalog=path)
    with pytest.raises(OptionError, match="delimiter belongs to delimited text"):
        read_table(path, delimiter=";")
    with pytest.raises(OptionError, match="encoding 'no-such' is not known"):
        read_table(path, encoding="no-such")


def test_text_tables_have_no_labels(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("study,n\nA,3\n", encoding="utf-8")
    table = read_table(path)
    assert (dict(table.value_labels), dict(table.column_labels), dict(table.formats)) == ({}, {}, {})
    assert list(table.missing.columns) == ["row", "column", "code", "reason"]
    assert len(table.missing) == 0
    assert (table.file_label, table.notes) == ("", ())


def test_studies_load_from_a_statistical_file(tmp_path):
    frame = pd.DataFrame({"study": ["A", "B"], "g": [0.5, 0.2], "v": [0.04, 0.09]})
    pyreadstat.write_sav(frame, str(tmp_path / "studies.sav"))
    studies = load_studies(tmp_path / "studies.sav")
    assert studies.comparisons[".g_se"].round(12).tolist() == [0.2, 0.3]
    assert (studies.source.name, studies.source.delimiter) == ("studies.sav", None)


def test_a_label_that_looks_like_a_person_is_not_shown(tmp_path):
    frame = pd.DataFrame({"x": [99.0, 1.0]})
    labels = {"x": {99: "unknown, ask mary@example.org", 1: "yes"}}
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), variable_value_labels=labels)
    (said,) = [text for text in read_table(tmp_path / "t.sav").warnings if "not declared" in text]
    assert "code 99" in said
    assert "mary" not in said


def test_several_notes_and_columns_of_one_label_set(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]})
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), file_label="a title", note=["first", "second"])
    table = read_table(tmp_path / "t.sav")
    assert table.file_label == "a title"
    assert table.notes == ("first", "second")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_releases_of_stata(tmp_path, version, order):
    frame = pd.DataFrame(
        {
            "a": np.array([1, 2, 3], dtype="int8"), "b": np.array([1, 2, 3], dtype="int16"),
            "c": np.array([1, 2, 3], dtype="int32"), "d": [0.5, 1.5, np.nan], "s": ["x", "é", ""],
            "when": pd.to_datetime(["2020-02-29 10:10:10", "1999-12-31 00:00:00", None]),
            "arm": pd.Categorical(["ipt", "usual care", "ipt"]),
        }
    )  # fmt: skip
    path = tmp_path / "t.dta"
    frame.to_stata(path, version=version, write_index=False, byteorder=order, convert_dates={"when": "tc"})
    table = read_table(path)
    for name in ("a", "b", "c"):
        assert table.frame[name].tolist() == [1, 2, 3]
    assert table.frame["s"].tolist() == ["x", "é", ""]
    assert table.frame["when"].isna().tolist() == [False, False, True]
    assert table.frame["when"][0] == frame["when"][0]
    assert table.value_labels["arm"] == {0: "ipt", 1: "usual care"}
    assert table.frame["arm"].tolist() == [0, 1, 0]
    assert table.encoding == ("utf-8" if version >= 118 else "windows-1252")
    # Before release 118 the encoding is not in the file: said where it matters.
    assert any("accents" in text for text in table.warnings) == (version < 118)


@pytest.mark.parametrize("version", [117, 118])
def test_long_texts_of_stata(tmp_path, version):
    long = ["x" * 3000, "y" * 2500] if version == 117 else ["日本" * 1500, "é" * 2100]
    path = tmp_path / "t.dta"
    frame = pd.DataFrame({"note": long, "n": [1, 2]})
    frame.to_stata(path, version=version, write_index=False, convert_strl=["note"])
    assert read_table(path).frame["note"].tolist() == long


@pytest.mark.shared
def test_the_clinic_file_of_three_arms(shared):
    table = read_table(shared / "data" / "clinic" / "browne_simulated_missing_data.sav", expect_rows=663)
    assert table.frame.shape == (663, 27)
    assert table.warnings == ()
