"""A folder of tables: which file is which table, one person and one start in all of them, and the cohort it gives."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io import propose_mapping, read_cohort_mapping, read_map_workbook
from ipt_outcomes.io.propose.workbook_reading import record_of
from ipt_outcomes.io.propose.workbook_sheets import read_sheets
from ipt_outcomes.simulate import trial_table

ABOUT = ["patient_id", "age", "sex"]
EPISODE = ["patient_id", "site_id", "therapist_id", "arm", "problem_area", "area_set_day"]
SCORES = ["patient_id", "week", "phq9", "hrsd17"]
ENGLISH = {"patient_id": "pid", "arm": "group", "hrsd17": "hamd17_total"}
GERMAN = {"patient_id": "Patientencode", "age": "Alter", "sex": "Geschlecht", "arm": "Behandlungsarm",
          "problem_area": "IPT-Fokus", "site_id": "Zentrum", "therapist_id": "Therapeut", "week": "Woche",
          "phq9": "PHQ-9 Summe", "hrsd17": "HAMD17"}  # fmt: skip


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return trial_table()


def written(folder, trial, names, headings=ENGLISH):
    """Three files of a trial, under names and headings of the user's own."""
    for name, columns in zip(names, (ABOUT, EPISODE, SCORES), strict=True):
        table = trial[columns].drop_duplicates() if columns is not SCORES else trial[columns]
        table.rename(columns=headings).to_csv(folder / name, index=False)
    return folder


def scores_of(cohort) -> pd.DataFrame:
    table = cohort.assessments[cohort.assessments["value"].notna()]
    about = cohort.episodes[["patient_id", "arm", "problem_area_primary"]].astype(str)
    about = about.merge(cohort.patients[["patient_id", "age", "sex"]], on="patient_id")
    table = table[["patient_id", "instrument", "week", "value"]].merge(about, on="patient_id")
    columns = [name for name in table.columns if name != "patient_id"]
    return table[columns].astype({"sex": str}).sort_values(columns, ignore_index=True)


@pytest.mark.parametrize(
    ("names", "headings"),
    [
        (("demographics.csv", "randomisation.csv", "outcomes.csv"), ENGLISH),
        (("Patienten.csv", "Behandlungsfall.csv", "Fragebogen.csv"), GERMAN),
        (("a.csv", "b.csv", "c.csv"), ENGLISH),
    ],
)
def test_three_files_load_as_the_one_they_were_made_of(trial, tmp_path, names, headings):
    folder = written(tmp_path, trial, names, headings)
    proposal = propose_mapping(folder)
    assert proposal.undecided == ()
    assert proposal.files == dict(zip(("patients", "episodes", "assessments"), names, strict=True))
    cohort = ipt.load_cohort(folder, proposal.mapping)
    pd.testing.assert_frame_equal(scores_of(cohort), scores_of(ipt.load_cohort(trial)))


def test_toml_and_workbook_of_a_folder_read_back(trial, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    proposal = propose_mapping(written(folder, trial, ("demographics.csv", "randomisation.csv", "outcomes.csv")))
    path = tmp_path / "map.toml"
    path.write_text(proposal.to_toml(), encoding="utf-8")
    wanted = proposal.mapping.to_dict()
    assert read_cohort_mapping(path).to_dict() == wanted
    workbook = proposal.to_excel(tmp_path / "map.xlsx")
    assert read_map_workbook(workbook).to_dict() == wanted
    cohort = ipt.load_cohort(folder, workbook)
    assert len(cohort.patients) == trial["patient_id"].nunique()


def test_what_is_to_decide_is_named_with_its_table(trial, tmp_path):
    trial = trial.assign(shoe_size=40.5, arm=trial["arm"].map({"ipt": 1, "cbt": 2, "usual_care": 3, "medication": 4}))
    trial[[*ABOUT, "shoe_size"]].drop_duplicates().to_csv(tmp_path / "people.csv", index=False)
    trial[EPISODE].drop_duplicates().to_csv(tmp_path / "episodes.csv", index=False)
    trial[SCORES].to_csv(tmp_path / "scores.csv", index=False)
    proposal = propose_mapping(tmp_path)
    assert set(proposal.undecided) == {"patients: shoe_size", "[codes.arm]"}
    assert tomllib.loads(proposal.to_toml())["undecided"] == list(proposal.undecided)
    record = record_of(read_sheets(proposal.to_excel(tmp_path / "map.xlsx")))
    assert set(record["undecided"]) == set(proposal.undecided)
    with pytest.raises(OptionError, match="not decided yet"):
        ipt.load_cohort(tmp_path, proposal.mapping)
    arms = {"1": "ipt", "2": "cbt", "3": "usual_care", "4": "medication"}
    plan = proposal.decided(left_out=["patients: shoe_size"], codes={"arm": arms})
    assert plan.tables["patients"].left_out == ("shoe_size",)
    assert len(ipt.load_cohort(tmp_path, plan).patients) == trial["patient_id"].nunique()
    kept = proposal.decided(tables={"patients": {"covariates": {"shoe": "shoe_size"}}}, codes={"arm": arms})
    assert ipt.load_cohort(tmp_path, kept).patients["shoe"].eq(40.5).all()


def test_files_that_are_no_tables_are_told_and_not_used(trial, tmp_path):
    written(tmp_path, trial, ("demographics.csv", "randomisation.csv", "outcomes.csv"))
    (tmp_path / "codebook.csv").write_text("variable,meaning\npid,number\nage,years\n", encoding="utf-8")
    (tmp_path / "old.sav").write_bytes(b"$FL2 nothing")
    (tmp_path / "README.md").write_text("read me", encoding="utf-8")
    proposal = propose_mapping(tmp_path)
    assert set(proposal.files.values()) == {"demographics.csv", "randomisation.csv", "outcomes.csv"}
    told = "\n".join(proposal.hints)
    assert "codebook.csv is not used: no column names the person" in told
    assert "old.sav was not read" in told
    assert "README" not in told


def test_two_files_of_one_table_are_asked(tmp_path):
    people = pd.DataFrame({"id": [f"p{n}" for n in range(8)], "age": range(30, 38), "sex": ["f", "m"] * 4})
    people.to_csv(tmp_path / "patients.csv", index=False)
    for name in ("phq9", "gad7"):
        people[["id"]].assign(week=0, **{name: range(8)}).to_csv(tmp_path / f"{name}.csv", index=False)
    proposal = propose_mapping(tmp_path)
    assert proposal.files["assessments"] == "gad7.csv"
    assert any("phq9.csv holds assessments, as gad7.csv does" in told for told in proposal.decisions())


def test_a_person_column_with_a_name_of_its_own_is_found_by_its_ids(trial, tmp_path):
    written(tmp_path, trial, ("demographics.csv", "randomisation.csv", "outcomes.csv"))
    scores = pd.read_csv(tmp_path / "outcomes.csv").rename(columns={"pid": "wer"})
    scores.to_csv(tmp_path / "outcomes.csv", index=False)
    line = next(one for one in propose_mapping(tmp_path).lines if one.column == "wer")
    assert (line.name, line.sure, line.table) == ("patient_id", "likely", "assessments")


def test_the_start_stands_in_one_file_and_counts_for_all(trial, tmp_path):
    written(tmp_path, trial, ("demographics.csv", "randomisation.csv", "outcomes.csv"))
    people = pd.read_csv(tmp_path / "randomisation.csv")
    start = pd.Timestamp("2020-03-02") + pd.to_timedelta(np.arange(len(people)) % 90, unit="D")
    people.assign(start_date=start.strftime("%d.%m.%Y")).to_csv(tmp_path / "randomisation.csv", index=False)
    scores = pd.read_csv(tmp_path / "outcomes.csv")
    of = dict(zip(people["pid"], start, strict=True))
    days = scores["pid"].map(of) + pd.to_timedelta(scores["week"] * 7, unit="D")
    scores.drop(columns="week").assign(visit_date=days.dt.strftime("%d.%m.%Y")).to_csv(
        tmp_path / "outcomes.csv", index=False
    )
    proposal = propose_mapping(tmp_path)
    assert set(proposal.undecided) == {"[dates]", "[tables.assessments.dates]"}
    assert proposal.order == "dmy"
    cohort = ipt.load_cohort(tmp_path, proposal.decided(accept="all"))
    pd.testing.assert_frame_equal(scores_of(cohort), scores_of(ipt.load_cohort(trial)))


def test_a_code_that_stands_for_two_things_in_two_files_is_asked(tmp_path):
    people = pd.DataFrame({"id": [f"p{n}" for n in range(8)], "age": range(30, 38), "format": ["Einzel", "Gruppe"] * 4})
    people.assign(arm=["IPT", "TAU"] * 4).to_csv(tmp_path / "patients.csv", index=False)
    people.assign(arm=["ipt", "tau"] * 4, week=0, phq9=range(8)).drop(columns="age").to_csv(
        tmp_path / "scores.csv", index=False
    )
    proposal = propose_mapping(tmp_path)
    assert not [code for code in proposal.codes if code.sure == "guess"]
    table = pd.DataFrame({"id": [f"p{n}" for n in range(8)], "week": 0, "phq9": range(8), "arm": [1, 2] * 4})
    labels = {"patients.sav": {1: "IPT", 2: "TAU"}, "scores.sav": {1: "TAU", 2: "IPT"}}
    other = tmp_path / "labelled"
    other.mkdir()
    for name, told in labels.items():
        own = table if name == "scores.sav" else table[["id", "arm"]].assign(age=30)
        pyreadstat.write_sav(own, other / name, variable_value_labels={"arm": told})
    asked = propose_mapping(other)
    assert "[codes.arm]" in asked.undecided
    assert any("it stands for ipt in one file and for usual_care in another" in told for told in asked.decisions())


def dictionary_folder(folder):
    tables = {
        "patients": "patient_id,sex,age\na,female,33\nb,male,41\n",
        "episodes": "episode_id,patient_id,arm\ne1,a,ipt\ne2,b,usual_care\n",
        "assessments": "assessment_id,episode_id,instrument,item,visit,week,value\n1,e1,phq9,0,baseline,0,18\n"
        "2,e2,phq9,0,baseline,0,21\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    resources = [{"name": name, "path": f"{name}.csv"} for name in tables]
    (folder / "datapackage.json").write_text(json.dumps({"resources": resources}), encoding="utf-8")


def test_a_folder_in_the_form_of_the_dictionary_needs_no_mapping(tmp_path):
    dictionary_folder(tmp_path)
    proposal = propose_mapping(tmp_path)
    assert proposal.needs_none
    assert proposal.undecided == ()
    assert len(ipt.load_cohort(tmp_path).patients) == 2


def test_a_described_folder_with_other_headings_is_mapped(tmp_path):
    dictionary_folder(tmp_path)
    (tmp_path / "patients.csv").write_text("pid,Geschlecht,Alter\na,w,33\nb,m,41\n", encoding="utf-8")
    (tmp_path / "episodes.csv").write_text("episode,pid,Gruppe\ne1,a,IPT\ne2,b,TAU\n", encoding="utf-8")
    proposal = propose_mapping(tmp_path)
    assert not proposal.needs_none
    assert proposal.undecided == ()
    cohort = ipt.load_cohort(tmp_path, proposal.mapping)
    assert sorted(cohort.patients["sex"]) == ["female", "male"]
    assert sorted(cohort.episodes["arm"]) == ["ipt", "usual_care"]


def test_a_saved_cohort_needs_no_mapping(trial, tmp_path):
    ipt.load_cohort(trial).save(tmp_path / "saved", rows_for="own_team")
    assert propose_mapping(tmp_path / "saved").needs_none


def test_a_folder_without_patient_data_is_one_message(tmp_path):
    with pytest.raises(IptError, match="holds no patient data"):
        propose_mapping(tmp_path)
    with pytest.raises(OptionError, match="a folder was given"):
        propose_mapping(tmp_path, sheet="x")
