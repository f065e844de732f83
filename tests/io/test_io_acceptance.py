"""Nothing of the reference set is forgotten: one test per case folder, per reference reading, per file."""

import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import load_cohort, read_table
from ipt_outcomes.io.guarded import reading_session

TESTS = Path(__file__).resolve().parent.parent
CASES = sorted(path.name for path in (TESTS / "cases").iterdir() if path.is_dir())
# What the readers agree on is not what a loader may trust: the expectation beside the reading overrides both.
REFUSED = {
    "made__csv_renamed.sav", "made__header_ncases_wrong.sav", "made__truncated_60pct.dta", "made__truncated_60pct.zsav",
    "made__truncated_half.sas7bdat", "made__truncated_lastbyte.sav", "made__truncated_lastbyte.zsav",
    "made__xlsx_renamed.dta", "made__bitflip.zsav", "made__truncated_60pct.sav", "made__truncated_lastbyte.dta",
    "made__declared_utf8_bytes_cp1252.sav", "made__empty.sav", "made__header_says_2e9_cases.sav",
}  # fmt: skip
NO_READINGS = {"kanonymity", "small_cells"}


def expected_of(cases, name):
    return tomllib.loads((cases / name / "case.toml").read_text(encoding="utf-8"))["expected"]


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_a_test_that_reads_it(name):
    told = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    assert any(name in path.read_text(encoding="utf-8") for path in told), name


@pytest.mark.shared
def test_the_cases_are_those_of_the_shared_set(shared):
    assert {path.name for path in (shared / "cases").iterdir() if path.is_dir()} == set(CASES)


def test_case_08_says_what_a_missing_site_is(cases):
    expected = expected_of(cases, "08-site-code-na")
    cohort = load_cohort(cases / "08-site-code-na" / "people.csv", {"patient_id": "id"})
    assert cohort.patients["site_id"].fillna("<missing>").tolist() == expected["site"]


def test_case_09_counts_people_and_changes_as_expected(cases):
    expected, folder = expected_of(cases, "09-leading-zero-ids"), cases / "09-leading-zero-ids"
    visits, arms = (pd.read_csv(folder / name, dtype={"id": str}) for name in ("visits.csv", "arms.csv"))
    cohort = load_cohort(visits.merge(arms, on="id"), {"patient_id": "id"})
    assert len(cohort.patients) == expected["n_people"]
    long = cohort.outcome("phq9")
    assert int(cohort.episodes["arm"].eq("ipt").sum()) == expected["n_ipt"]
    change = (long["value"] - long["baseline"]).groupby(long["arm"].astype(str)).mean()
    assert change["ipt"] == expected["mean_change_ipt"]
    assert change.drop("ipt").tolist() == [expected["mean_change_control"]]


def test_case_10_totals_are_as_expected(cases):
    expected, folder = expected_of(cases, "10-phq9-incomplete-and-item-10"), cases / "10-phq9-incomplete-and-item-10"
    table = pd.read_csv(folder / "phq.csv", dtype=str)
    mapping = {"patient_id": "id"} | {f"phq9_{n}": f"i{n}" for n in range(1, 11)}
    whole = table[table["id"] != "F"]
    scores = load_cohort(whole, mapping).assessments
    totals = scores.loc[scores["item"] == 0, "value"]
    found = dict(zip(whole["id"], totals, strict=True))
    for person in "ABCG":
        assert found[person] == pytest.approx(expected[person], rel=1e-9)
    assert pd.isna([found["D"], found["E"]]).all()


def test_case_13_baselines_and_changes_are_as_expected(cases):
    expected, folder = (
        expected_of(cases, "13-duplicate-and-negative-visits"),
        cases / "13-duplicate-and-negative-visits",
    )
    table = pd.read_csv(folder / "visits.csv")
    whole = table[table["id"] != "P3"]
    long = load_cohort(whole, {"patient_id": "id", "duplicates": {"rule": "exact"}}).outcome("phq9")
    baseline = long.groupby("patient_id", sort=False)["baseline"].first().tolist()
    assert baseline[:2] == [expected["P1_baseline"], expected["P2_baseline"]]
    assert (long["value"] - long["baseline"]).tolist()[:2] == [expected["change_P1"], expected["change_P2"]]
    assert pd.isna(baseline[-1])


def test_case_14_cells_are_as_expected(cases):
    expected = expected_of(cases, "14-semicolon-decimal-comma-bom")
    table = read_table(cases / "14-semicolon-decimal-comma-bom" / "export.csv")
    assert list(table.frame) == expected["columns"]
    assert table.frame["id"].tolist() == expected["id"]
    assert table.decimal == ","
    for name in ("phq9_w0", "phq9_w16"):
        assert [float(cell.replace(",", ".")) for cell in table.frame[name]] == expected[name]


def size_of(expected):
    """Rows and columns of a reading, by the reader that could read the file."""
    for key in ("pyreadstat_1.3.7", "haven_2.5.1_R_4.2.2"):
        if "rows" in expected.get(key, {}):
            told = expected[key]
            columns = told.get("columns")
            # A field of a one-column file is a plain value in haven's part; readings with a catalog have none.
            return told["rows"], [columns] if isinstance(columns, str) else columns
    return None, None


@pytest.fixture(scope="module")
def one_child():
    with reading_session() as session:
        yield session


@pytest.fixture
def readings(shared):
    return sorted(path.stem for path in (shared / "reference" / "io").glob("*.json") if path.stem not in NO_READINGS)


@pytest.mark.shared
def test_every_reading_gives_what_a_loader_should(shared, readings, one_child):
    """One reading after the other in one child; a failure names every reading that is not as expected."""
    wrong = []
    for name in readings:
        expected = json.loads((shared / "reference" / "io" / f"{name}.json").read_text(encoding="utf-8"))
        files = [shared / "data" / "statfiles" / part for part in expected["file"].split(" + ")]
        catalog = files[1] if len(files) == 2 else None
        try:
            table = read_table(files[0], catalog=catalog)
        except DataError as error:
            if name not in REFUSED or not error.hint:
                wrong.append(f"{name}: refused: {error.message}")
            continue
        rows, columns = size_of(expected)
        if name in REFUSED or len(table) != rows or columns not in (None, list(table.frame)):
            wrong.append(f"{name}: read as {len(table)} rows of {list(table.frame)}")
    assert not wrong
    assert len(readings) == 52


@pytest.mark.shared
def test_the_readings_tested_in_full_are_all_there_are(shared, readings):
    """The tests of guarded reading compare each cell; this one sees that they leave no reading out."""
    text = (TESTS / "io" / "test_io_guarded.py").read_text(encoding="utf-8")
    listed = set(re.findall(r'"((?:haven|pyreadstat)__[^"]+)"', text))
    made = {path.stem for path in (TESTS / "reference" / "io").glob("made__*.json")}
    full = {name for name in readings if name.startswith("made__")}
    assert full == made
    assert {name for name in readings if not name.startswith("made__")} <= listed | {"haven__datetime.sav"}
