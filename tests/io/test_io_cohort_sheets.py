"""Workbooks with several sheets, and tables of a folder: which sheet, how many rows, who is set aside."""

import json

import pandas as pd
import pytest
from openpyxl import Workbook

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import load_cohort, read_cohort_mapping

PEOPLE = [["id", "group", "age"], ["u1", "ipt", 30], ["u2", "usual_care", 41], ["u3", "ipt", 52]]
VISITS = [["id", "week", "phq9"], ["u1", 0, 18], ["u1", 8, 9], ["u2", 0, 20], ["u2", 8, 19], ["u3", 0, 15]]
SHEETS = {
    "patients": {"sheet": "people", "columns": {"patient_id": "id", "arm": "group", "age": "age"}},
    "assessments": {"sheet": "visits", "columns": {"patient_id": "id"}},
}


@pytest.fixture
def book(tmp_path):
    made = Workbook()
    for name, rows in (("people", PEOPLE), ("visits", VISITS)):
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.remove(made.worksheets[0])
    path = tmp_path / "export.xlsx"
    made.save(path)
    return path


def test_several_filled_sheets_are_a_question(book):
    with pytest.raises(DataError, match="has 2 sheets that hold something") as caught:
        load_cohort(book, {"patient_id": "id"})
    assert "sheet 1: 4 rows, 3 columns" in str(caught.value)
    assert "sheet 2: 6 rows, 3 columns" in str(caught.value)
    assert "sheet=1" in str(caught.value)


@pytest.mark.parametrize("sheet", ["visits", 2])
def test_a_sheet_is_chosen_by_name_or_number(book, sheet):
    cohort = load_cohort(book, {"patient_id": "id"}, sheet=sheet)
    assert len(cohort.assessments) == 5
    by_mapping = load_cohort(book, {"columns": {"patient_id": "id"}, "sheet": sheet})
    assert by_mapping.assessments.equals(cohort.assessments)


def test_the_sheet_given_goes_before_that_of_the_mapping(book):
    mapping = {"columns": {"patient_id": "id"}, "sheet": "people"}
    assert len(load_cohort(book, mapping, sheet="visits").assessments) == 5


def test_a_sheet_that_is_not_there_and_a_sheet_of_what_has_none(book, tmp_path):
    with pytest.raises(IptError, match="no such sheet"):
        load_cohort(book, {"patient_id": "id"}, sheet="visit")
    path = tmp_path / "x.csv"
    path.write_text("patient_id,week,phq9\na,0,9\n", encoding="utf-8")
    with pytest.raises(OptionError, match="sheet belongs to a workbook"):
        load_cohort(path, sheet=1)
    with pytest.raises(OptionError, match="sheet belongs to a workbook"):
        load_cohort(pd.DataFrame({"patient_id": ["a"], "week": [0], "phq9": [3]}), sheet=1)
    with pytest.raises(OptionError, match="sheet is of one table"):
        load_cohort(tmp_path, {"tables": {"patients": {"file": "x.csv"}}}, sheet=1)


def test_the_sheets_of_a_workbook_are_tables(book):
    cohort = load_cohort(book, {"tables": SHEETS})
    assert cohort.episodes["arm"].tolist() == ["ipt", "usual_care", "ipt"]
    assert cohort.outcome("phq9")[["value", "baseline"]].values.tolist() == [[9.0, 18.0], [19.0, 20.0]]
    assert [part.name for part in cohort.source.parts] == ["export.xlsx (patients)", "export.xlsx (assessments)"]
    assert load_cohort(book, {"tables": SHEETS}, sha256=cohort.source.sha256).source == cohort.source
    with pytest.raises(IptError, match="not the workbook expected"):
        load_cohort(book, {"tables": SHEETS}, sha256="0" * 64)
    in_folder = {name: {"file": "export.xlsx", **own} for name, own in SHEETS.items()}
    assert load_cohort(book.parent, {"tables": in_folder}).outcome("phq9")["value"].tolist() == [9.0, 19.0]


def test_a_fault_on_a_sheet_names_its_table(book):
    mapping = {"tables": SHEETS | {"assessments": {"sheet": "visits", "columns": {"patient_id": "id", "gad7": "phq9"}}}}
    mapping["tables"]["patients"] = {
        **SHEETS["patients"],
        "columns": {"patient_id": "id", "arm": "group", "imd_decile": "age"},
    }
    with pytest.raises(DataError) as caught:
        load_cohort(book, mapping)
    assert set(caught.value.failures["file"]) == {"export.xlsx (patients)"}


def test_another_file_than_the_workbook_needs_the_folder(book):
    tables = SHEETS | {"patients": {"file": "people.csv", "columns": {"patient_id": "id"}}}
    with pytest.raises(DataError, match=r"another file than export\.xlsx is named"):
        load_cohort(book, {"tables": tables})


def test_sheets_in_the_mapping_read_back_from_its_toml(tmp_path):
    plan = read_cohort_mapping({"tables": SHEETS})
    (tmp_path / "map.toml").write_text(plan.to_toml(), encoding="utf-8")
    assert read_cohort_mapping(tmp_path / "map.toml") == plan
    with pytest.raises(OptionError, match=r"\[tables\.patients\] sheet must be the name"):
        read_cohort_mapping({"tables": {"patients": {"file": "x.xlsx", "sheet": 1.5}}})


# ---- folders


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "tables"
    place.mkdir()
    for name, rows in (("people", PEOPLE), ("visits", VISITS)):
        text = "\n".join(",".join(str(cell) for cell in row) for row in rows)
        (place / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    return place


FILES = {
    "patients": {"file": "people.csv", "columns": {"patient_id": "id", "arm": "group", "age": "age"}},
    "assessments": {"file": "visits.csv", "columns": {"patient_id": "id"}},
}


def test_rows_expected_of_a_folder(folder):
    assert len(load_cohort(folder, {"tables": FILES}, expect_rows=8).patients) == 3
    assert len(load_cohort(folder, {"tables": FILES}, expect_rows={"patients": 3, "assessments": 5}).patients) == 3
    with pytest.raises(IptError, match="has 8 rows of data, 9 were expected"):
        load_cohort(folder, {"tables": FILES}, expect_rows=9)
    with pytest.raises(DataError, match="patients: 3 instead of 4; assessments: 5 instead of 6"):
        load_cohort(folder, {"tables": FILES}, expect_rows={"patients": 4, "assessments": 6})
    with pytest.raises(OptionError, match="names a table that is not there: 'visits'"):
        load_cohort(folder, {"tables": FILES}, expect_rows={"visits": 5})
    with pytest.raises(OptionError, match="the source is one table"):
        load_cohort(folder / "people.csv", {"patient_id": "id", "arm": "group"}, expect_rows={"patients": 3})


def test_people_set_aside_go_from_every_table(folder):
    mapping = {"tables": FILES, "exclude": {"arm": {"usual_care": "other study"}}}
    cohort = load_cohort(folder, mapping)
    assert len(cohort.patients) == 2
    assert cohort.episodes["arm"].tolist() == ["ipt", "ipt"]
    assert len(cohort.assessments) == 3
    flow = cohort.flow.set_index(["step", "reason"])
    assert flow.loc[("in the file", ""), ["people", "rows"]].tolist() == [3, 8]
    assert flow.loc[("set aside", "other study"), ["people", "rows"]].tolist() == [1, 3]
    assert flow.loc[("loaded", ""), ["people", "rows"]].tolist() == [2, 5]


def test_rows_set_aside_leave_the_person(folder):
    cohort = load_cohort(folder, {"tables": FILES, "exclude": {"week": {"8": "late form"}}})
    assert len(cohort.patients) == 3
    assert cohort.assessments["week"].tolist() == [0.0, 0.0, 0.0]
    assert cohort.flow.set_index(["step", "reason"]).loc[("set aside", "late form"), ["people", "rows"]].tolist() == [
        0,
        2,
    ]


def test_a_name_no_table_has_is_refused(folder):
    with pytest.raises(OptionError, match=r"\[exclude\.screened\]: neither a mapped name nor a column"):
        load_cohort(folder, {"tables": FILES, "exclude": {"screened": {"no": "x"}}})


EPISODES = "episode_id,patient_id,arm\ne1,u1,ipt\ne2,u2,usual_care\n"
SCORES = "assessment_id,episode_id,instrument,item,week,value\n1,e1,phq9,0,0,18\n2,e2,phq9,0,0,20\n3,e2,phq9,0,8,19\n"
GOALS = "episode_id,goal,met\ne1,other,yes\ne2,other,no\n"


def described(place, **changes):
    files = {"patients": "patient_id,age\nu1,30\nu2,41\n", "episodes": EPISODES, "assessments": SCORES, "goals": GOALS}
    resources = []
    for name, text in files.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
        resources.append({"name": name, "path": f"{name}.csv", **changes.get(name, {})})
    (place / "datapackage.json").write_text(json.dumps({"name": "x", "resources": resources}), encoding="utf-8")
    return place


def test_people_set_aside_by_their_episode_go_with_their_goals(tmp_path):
    cohort = load_cohort(described(tmp_path), {"exclude": {"arm": {"usual_care": "other study"}}})
    assert (len(cohort.patients), len(cohort.episodes), len(cohort.assessments), len(cohort.goals)) == (1, 1, 1, 1)
    assert cohort.goals["episode_id"].tolist() == cohort.episodes["episode_id"].tolist()
    assert cohort.flow.set_index(["step", "reason"]).loc[("set aside", "other study"), "people"] == 1


def test_a_descriptor_is_kept_to_in_full(tmp_path):
    place = described(
        tmp_path,
        patients={"schema": {"missingValues": ["", "-9"], "fields": [{"name": "age"}]}},
        goals={"hash": "md5:" + "0" * 32},
    )
    with pytest.raises(IptError, match=r"goals\.csv is not the file expected: its MD5"):
        load_cohort(place)
    text = (place / "patients.csv").read_text(encoding="utf-8")
    place = described(tmp_path, patients={"schema": {"missingValues": ["", "-9"], "fields": [{"name": "age"}]}})
    (place / "patients.csv").write_text(text.replace("41", "-9"), encoding="utf-8")
    assert load_cohort(place).patients["age"].fillna(-1).tolist() == [30.0, -1.0]


def test_what_is_computed_anew_is_not_taken_from_a_described_table(tmp_path):
    place = described(tmp_path)
    path = place / "assessments.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([rows[0] + ",risk", *(f"{row},yes" for row in rows[1:])]) + "\n", encoding="utf-8")
    assert "risk" not in load_cohort(place).assessments


# ---- what a file of a folder says by itself: dates, forms, numbers of sessions

CONTACTS = "id,seen,status\nu1,2024-01-08,attended\nu1,2024-01-01,attended\nu2,2024-02-05,dna\nu2,2024-02-01,attended\n"
STARTS = "id,group,start\nu1,ipt,2024-01-01\nu2,usual_care,2024-02-01\n"
FORMS = "id,filled,phq\nu1,2024-01-01,18\nu1,2024-02-26,9\nu2,2024-02-01,20\n"
DATED = {
    "dates": {"start": "start", "order": "iso"},
    "sessions": {"number": "by_day"},
    "tables": {
        "episodes": {"file": "starts.csv", "columns": {"patient_id": "id", "arm": "group"}},
        "sessions": {
            "file": "contacts.csv",
            "columns": {"patient_id": "id", "attended": "status"},
            "dates": {"day": "seen"},
        },
        "assessments": {
            "file": "forms.csv",
            "columns": {"patient_id": "id", "phq9": "phq"},
            "dates": {"day": "filled"},
        },
    },
}


@pytest.fixture
def dated(tmp_path):
    for name, text in (("starts", STARTS), ("contacts", CONTACTS), ("forms", FORMS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_each_file_has_its_own_dates_and_sessions_are_numbered_by_their_days(dated):
    cohort = load_cohort(dated, DATED)
    sessions = cohort.sessions.sort_values(["episode_id", "session_no"])
    by_episode = {e: part[["session_no", "day"]].values.tolist() for e, part in sessions.groupby("episode_id")}
    assert sorted(by_episode.values()) == [[[1.0, 0.0], [2.0, 4.0]], [[1.0, 0.0], [2.0, 7.0]]]
    assert sorted(cohort.assessments["day"]) == [0.0, 0.0, 56.0]
    assert cohort.assessments["session_no"].isna().all()
    assert any(note.startswith("sessions are numbered 1, 2") for note in cohort.notes)
    assert read_cohort_mapping(read_cohort_mapping(DATED).to_dict()) == read_cohort_mapping(DATED)


def test_a_session_without_a_day_cannot_be_numbered(dated):
    (dated / "contacts.csv").write_text(CONTACTS.replace("2024-01-08", ""), encoding="utf-8")
    with pytest.raises(DataError, match="a session without a day"):
        load_cohort(dated, DATED)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"dates": {}}, r"needs the start of each person"),
        ({"sessions": {"number": "by_date"}}, "number must be"),
        ({"unseen": {"a": "b"}}, r"\[unseen\] of several files stands under \[tables\.NAME\.unseen\]"),
    ],
)
def test_mappings_of_folders_that_cannot_be(change, match):
    with pytest.raises(OptionError, match=match):
        read_cohort_mapping(DATED | change)


def test_own_dates_that_are_not_in_their_file(dated):
    tables = DATED["tables"] | {"sessions": DATED["tables"]["sessions"] | {"dates": {"day": "filled"}}}
    with pytest.raises(OptionError, match=r"\[tables\.sessions\.dates\] day: the file has no column 'filled'"):
        load_cohort(dated, DATED | {"tables": tables})
    tables = DATED["tables"] | {"sessions": DATED["tables"]["sessions"] | {"dates": {"start": "seen"}}}
    with pytest.raises(OptionError, match=r"start: it stands in \[dates\] of the whole mapping"):
        read_cohort_mapping(DATED | {"tables": tables})


def test_numbers_of_sessions_are_not_made_where_a_column_has_them():
    with pytest.raises(OptionError, match="but a column has the numbers"):
        read_cohort_mapping({"columns": {"patient_id": "id", "session_no": "nr"}, "sessions": {"number": "by_day"}})


@pytest.mark.parametrize(("letters", "known"), [("HM", False), ("VM", False), ("FM", True), ("MM", True)])
def test_letters_that_may_be_either_sex_are_asked(letters, known):
    table = pd.DataFrame({"patient_id": ["a", "b"], "sex": list(letters), "week": 0, "phq9": [9, 10]})
    if known:
        assert load_cohort(table).patients["sex"].notna().all()
        return
    with pytest.raises(DataError, match="codes of sex that are not known"):
        load_cohort(table)
    with pytest.raises(DataError, match="'M' in 1 row"):
        load_cohort(table, {"codes": {"sex": {letters[0]: "male"}}})
    both = load_cohort(table, {"codes": {"sex": {letters[0]: "male", "M": "female"}}})
    assert both.patients["sex"].tolist() == ["male", "female"]
