"""Folders of tables: described by a datapackage.json, or by a mapping that names the files."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import load_cohort

PATIENTS = "patient_id,sex,age\nanna,female,93\nbert,male,41\ncleo,female,30\n"
EPISODES = (
    "episode_id,patient_id,arm,format,therapist_id,problem_area_primary,area_set_day,caution_mania\n"
    "e-anna,anna,ipt,individual,t1,grief,-1,no\ne-bert,bert,usual_care,individual,t2,role_dispute,0,no\n"
)
SESSIONS = (
    "episode_id,session_no,day,phase,attended,format\n"
    "e-anna,1,0,initial,attended,individual\ne-anna,2,7,initial,dna,telephone\ne-bert,1,2,initial,attended,individual\n"
)
ASSESSMENTS = (
    "assessment_id,episode_id,instrument,item,visit,day,week,value\n"
    "1,e-anna,phq9,0,baseline,0,0,18\n2,e-anna,phq9,0,post,56,8,9\n3,e-bert,phq9,0,baseline,0,0,21\n"
    "4,e-bert,phq9,0,post,56,8,20\n5,e-bert,gad7,0,post,56,8,11\n"
)
GOALS = "episode_id,goal,set_day,due_day,met,met_day\ne-anna,grief_reengagement,14,84,yes,70\n"
ARMS = "study,arm,condition,n_randomised,sessions\nT,IPT,ipt,40,16\nT,TAU,usual_care,41,\n"
FILES = {
    "patients": PATIENTS, "episodes": EPISODES, "sessions": SESSIONS, "assessments": ASSESSMENTS, "goals": GOALS,
    "arms": ARMS,
}  # fmt: skip
SECRETS = ("anna", "bert", "cleo")


def write(folder, files=FILES, *, digests=False, **changes):
    texts = {**files, **changes}
    resources = []
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        entry = {"name": name, "path": f"{name}.csv"}
        if digests:
            entry["hash"] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        resources.append(entry)
    (folder / "datapackage.json").write_text(json.dumps({"name": "x", "resources": resources}), encoding="utf-8")
    return folder


def refused(folder, mapping=None):
    with pytest.raises(DataError) as caught:
        load_cohort(folder, mapping)
    text = f"{caught.value}\n{'' if caught.value.failures is None else caught.value.failures.to_csv()}"
    for secret in SECRETS:
        assert secret not in text, secret
    return caught.value


def test_a_described_folder_is_a_cohort(tmp_path):
    cohort = load_cohort(write(tmp_path, digests=True))
    assert (len(cohort.patients), len(cohort.episodes), len(cohort.sessions)) == (3, 2, 3)
    assert cohort.patients["age"].tolist() == [90.0, 41.0, 30.0]
    assert cohort.patients["age_90_plus"].tolist() == [True, False, False]
    long = cohort.outcome("phq9")
    assert long[["value", "baseline"]].values.tolist() == [[9.0, 18.0], [20.0, 21.0]]
    assert long["arm"].astype(str).tolist() == ["ipt", "usual_care"]
    assert cohort.instruments == ("gad7", "phq9")
    assert cohort.sessions["format"].tolist() == ["individual", "telephone", "individual"]
    assert cohort.episodes["format"].tolist() == ["individual", "individual"]
    assert cohort.sessions["episode_id"].tolist()[:2] == [cohort.episodes["episode_id"].tolist()[0]] * 2
    assert cohort.goals["goal"].tolist() == ["grief_reengagement"]
    assert cohort.goals["episode_id"].tolist() == cohort.episodes["episode_id"].tolist()[:1]
    assert cohort.arms["n_randomised"].tolist() == [40.0, 41.0]
    assert cohort.flow.iloc[0]["people"] == 3
    assert cohort.flow.set_index(["step", "reason"])["people"]["without any score", "phq9"] == 1
    assert [part.name for part in cohort.source.parts] == [f"{name}.csv" for name in FILES]
    frames = (cohort.patients, cohort.episodes, cohort.sessions, cohort.assessments, cohort.goals)
    texts = "\n".join([cohort.summary(), *cohort.notes, *(frame.to_csv() for frame in frames)])
    for secret in SECRETS:
        assert secret not in texts


def test_the_digest_of_a_folder_is_that_of_its_files(tmp_path):
    one = load_cohort(write(tmp_path))
    assert load_cohort(tmp_path, sha256=one.source.sha256).source == one.source
    assert one.patients.equals(load_cohort(tmp_path).patients)
    with pytest.raises(IptError, match="not the folder expected"):
        load_cohort(tmp_path, sha256="0" * 64)
    write(tmp_path, goals=GOALS.replace("yes", "no"))
    assert load_cohort(tmp_path).source.sha256 != one.source.sha256


def test_a_file_that_is_not_the_one_described_is_refused(tmp_path):
    write(tmp_path, digests=True)
    (tmp_path / "goals.csv").write_text(GOALS.replace("yes", "no"), encoding="utf-8")
    with pytest.raises(IptError, match=r"goals\.csv is not the file expected"):
        load_cohort(tmp_path)


def test_all_faults_of_all_files_at_once(tmp_path):
    folder = write(
        tmp_path,
        patients=PATIENTS.replace("female,30", "woman,300") + "anna,female,50\n",
        episodes=EPISODES.replace(",grief,", ",sorrow,") + "e-x,dora,ipt,individual,t1,grief,0,no\n,anna,ipt,,,,,\n",
        sessions=SESSIONS + "e-anna,1,3,initial,attended,individual\ne-zz,1,0,initial,attended,individual\n",
        assessments=ASSESSMENTS.replace("8,20", "8,31").replace("gad7", "gadx"),
        goals=GOALS.replace("84", "8"),
    )
    error = refused(folder)
    table = error.failures
    assert list(table.columns) == ["file", "row", "column", "rule", "expected", "found"]
    found = set(table[["file", "row", "column", "rule"]].itertuples(index=False, name=None))
    assert found == {
        ("patients.csv", 4, "sex", "enum"),
        ("patients.csv", 4, "age", "maximum"),
        ("patients.csv", 5, "patient_id", "primaryKey"),
        ("episodes.csv", 2, "problem_area_primary", "enum"),
        ("episodes.csv", 4, "patient_id", "foreignKey"),
        ("episodes.csv", 5, "episode_id", "required"),
        ("sessions.csv", 5, "session_no", "primaryKey"),
        ("sessions.csv", 6, "episode_id", "foreignKey"),
        ("assessments.csv", 5, "value", "range"),
        ("assessments.csv", 6, "instrument", "instrument"),
        ("goals.csv", 2, "set_day", "set before due"),
    } | {entry for entry in found if entry[3] == "L12"}
    assert table.loc[table["rule"] == "range", "found"].tolist() == ["31"]
    assert "woman" not in table.to_csv()


@pytest.mark.parametrize(
    ("descriptor", "match"),
    [
        ("no json", "is no JSON"),
        ("[]", "an object was expected"),
        ('{"resources": []}', "a list of resources was expected"),
        ('{"resources": [{"name": "patient", "path": "patients.csv"}]}', "near: patients"),
        ('{"resources": [{"name": "patients"}]}', "has no path to one file"),
        ('{"resources": [{"name": "patients", "path": "../patients.csv"}]}', "is not a plain one inside the folder"),
        ('{"resources": [{"name": "patients", "path": "/etc/passwd"}]}', "is not a plain one inside the folder"),
        (
            '{"resources": [{"name": "patients", "path": "https://example.org/x.csv"}]}',
            "is not a plain one inside the folder",
        ),
        ('{"resources": [{"name": "patients", "path": "C:\\\\x.csv"}]}', "is not a plain one inside the folder"),
        (
            '{"resources": [{"name": "patients", "path": "patient.csv"}]}',
            r"a file that is not there; near: patients\.csv",
        ),
        (
            '{"resources": [{"name": "patients", "path": "patients.csv", "hash": "abc"}]}',
            "has a hash that is no MD5, SHA-1, SHA-256",
        ),
        ('{"resources": [{"name": "arms", "path": "arms.csv"}]}', "no resource is one of"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_descriptors_that_are_refused(tmp_path, descriptor, match):
    write(tmp_path)
    (tmp_path / "datapackage.json").write_text(descriptor, encoding="utf-8")
    with pytest.raises(IptError, match=match):
        load_cohort(tmp_path)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    write(inner)
    (tmp_path / "other.csv").write_text(PATIENTS, encoding="utf-8")
    (inner / "patients.csv").unlink()
    (inner / "patients.csv").symlink_to(tmp_path / "other.csv")
    with pytest.raises(IptError, match="points out of the folder"):
        load_cohort(inner)


def test_a_folder_that_says_nothing_of_itself(tmp_path):
    with pytest.raises(DataError, match=r"has no datapackage\.json"):
        load_cohort(tmp_path)


def test_columns_that_are_declared_as_covariates_are_read_and_others_refused(tmp_path):
    folder = write(
        tmp_path,
        patients=PATIENTS.replace("age\n", "age,chronic\n")
        .replace("3\n", "3,1\n")
        .replace("41\n", "41,0\n")
        .replace("30\n", "30,0\n"),
    )
    assert "not in the data dictionary (L1): chronic" in str(refused(folder))
    path = folder / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["resources"][0]["schema"] = {"fields": [{"name": "chronic", "ipt:covariate": True}]}
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert load_cohort(folder).patients["chronic"].tolist() == [1.0, 0.0, 0.0]


PEOPLE = "id;name;gruppe;alter\n007;Anna;A;30\n07;Bert;B;41\n7;Cleo;A;50\n"
VISITS = "id;wann;phq\n007;0;18\n007;8;9\n07;0;20\n07;8;19\n"
MAPPING = {
    "codes": {"arm": {"A": "ipt", "B": "usual_care"}},
    "visits": {"0": 0, "8": 8},
    "tables": {
        "patients": {
            "file": "people.csv",
            "left_out": ["name"],
            "columns": {"patient_id": "id", "arm": "gruppe", "age": "alter"},
        },
        "assessments": {"file": "visits.csv", "columns": {"patient_id": "id", "visit": "wann", "phq9": "phq"}},
    },
}


@pytest.fixture
def two_files(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "visits.csv").write_text(VISITS, encoding="utf-8")
    return tmp_path


def test_a_mapping_names_the_files_of_a_folder(two_files):
    cohort = load_cohort(two_files, MAPPING)
    assert len(cohort.patients) == len(cohort.episodes) == 3
    assert cohort.episodes["arm"].tolist() == ["ipt", "usual_care", "ipt"]
    assert cohort.outcome("phq9")["value"].tolist() == [9.0, 19.0]
    assert cohort.flow.set_index(["step", "reason"])["people"]["without any score", ""] == 1
    assert cohort.sessions.empty


def test_a_mapping_of_files_reads_back_from_its_toml(two_files, tmp_path):
    from ipt_outcomes.io import read_cohort_mapping

    plan = read_cohort_mapping(MAPPING)
    path = tmp_path / "map.toml"
    path.write_text(plan.to_toml(), encoding="utf-8")
    assert read_cohort_mapping(path) == plan
    assert len(load_cohort(two_files, path).patients) == 3


def test_people_a_table_of_people_does_not_have(two_files):
    (two_files / "visits.csv").write_text(VISITS + "0008;0;3\n", encoding="utf-8")
    error = refused(two_files, MAPPING)
    assert "visits.csv, id: 1 row is about nobody in people.csv" in str(error)
    rows = error.failures.loc[error.failures["rule"].eq("foreignKey"), ["file", "row"]].values.tolist()
    assert rows == [["visits.csv", 6]]


@pytest.mark.parametrize(
    ("tables", "match"),
    [
        ({"people": {"file": "people.csv"}}, r"\[tables\.people\]: a table of patient data was expected"),
        ({"patients": {"columns": {"patient_id": "id"}}}, r"must name its file"),
        ({"patients": {"file": "people.csv", "colums": {}}}, r"\[tables\.patients\] colums"),
        ({"patients": {"file": "people.csv", "columns": {"patientid": "id"}}}, r"near: patient_id"),
        ({"patients": {"file": "people.csv", "columns": {"patient_id": "nr"}}}, r"the file has no column 'nr'"),
        ({"patients": {"file": "peple.csv", "columns": {"patient_id": "id"}}}, r"near: people\.csv"),
    ],
)
def test_mappings_of_files_that_do_not_fit(two_files, tables, match):
    with pytest.raises(IptError, match=match):
        load_cohort(two_files, {"tables": tables})


def test_files_need_a_folder(two_files):
    with pytest.raises(OptionError, match="the source is no folder and no workbook"):
        load_cohort(pd.DataFrame({"id": [1]}), MAPPING)
