"""Patient data as they come: SPSS and Stata files, the trial and clinic files of the reference set."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import load_cohort

TRIAL = {
    "patient_id": "pid",
    "arm": "arm",
    "problem_area": "area",
    "site": "site",
    "visits": {"baseline": 0, "week_16": 16},
    "wide": {"phq9": {"baseline": "phq_base", "week_16": "phq_w16"}, "hamd17": {"baseline": "hamd_base"}},
    "left_out": ["visit", "dropout"],
}
RULES = {
    "missing": {
        "phq_base": {"999": "Missing"},
        "phq_w16": {"997": "Refused", "998": "Not asked", "999": "Missing"},
        "hamd_base": {"-9": "Not done"},
        "area": {"88": "Not determined"},
        "site": {"ZZ": "Unknown site"},
    },
    "exclude": {"arm": {"9": "withdrew before allocation"}},
}


@pytest.fixture
def case_01(cases):
    return cases / "01-undeclared-999"


def test_case_01_labelled_codes_nobody_declared_are_refused(case_01):
    with pytest.raises(DataError) as caught:
        load_cohort(case_01 / "trial.sav", TRIAL)
    text = str(caught.value)
    assert (
        "phq_base: codes that the file labels, but does not declare as missing (L11): 999 (Missing) in 1 cell" in text
    )
    assert "997 (Refused) in 1 cell, 998 (Not asked) in 1 cell, 999 (Missing) in 1 cell" in text
    assert "-9 (Not done) in 1 cell; scores of HRSD-17 are 0-52" in text
    assert '[missing.phq_w16]\n"997" = "Refused"\n"998" = "Not asked"\n"999" = "Missing"' in text
    assert "arm: codes of arm that are not known: '9' (labelled 'Withdrew before allocation') in 1 row" in text
    assert "'88' (labelled 'Not determined')" in text
    failures = caught.value.failures
    assert failures.loc[failures["rule"] == "L11", "found"].astype(float).tolist() == [998, -9, 999, 999, 997]


@pytest.mark.parametrize("name", ["trial.sav", "trial_declared.sav"])
def test_case_01_both_files_give_the_same_numbers_once_codes_are_missing(case_01, name):
    cohort = load_cohort(case_01 / name, TRIAL | RULES)
    everyone = load_cohort(
        case_01 / name, TRIAL | RULES | {"exclude": {}, "missing": RULES["missing"] | {"arm": {"9": "out"}}}
    )
    scores = everyone.assessments
    means = scores.groupby(["instrument", "visit"])["value"].agg(["mean", "count"])
    assert means.loc[("phq9", "baseline")].tolist() == [17.2, 5]
    assert means.loc[("phq9", "week_16")].tolist() == [8.0, 3]
    assert means.loc[("hrsd17", "baseline")].tolist() == [21.0, 4]
    reasons = scores["missing_reason"].value_counts().to_dict()
    assert reasons == {"Missing": 2, "Refused": 1, "Not asked": 1, "Not done": 1}
    flow = cohort.flow.set_index(["step", "reason"])["people"]
    assert flow["set aside", "withdrew before allocation"] == 1
    assert flow["loaded", ""] == 5
    assert cohort.episodes["arm"].tolist() == ["ipt", "other_control", "ipt", "other_control", "ipt"]
    counted = {(entry.column, entry.count) for entry in cohort.gate.entries if entry.rule == "L11" and entry.column}
    assert {("area", 1), ("site", 1), ("phq_base", 1), ("phq_w16", 1), ("hamd_base", 1)} <= counted


@pytest.mark.parametrize("name", ["arms.sav", "arms.dta"])
def test_case_02_two_codes_with_one_label_are_warned_of(cases, name):
    cohort = load_cohort(cases / "02-duplicate-value-labels" / name, {"patient_id": "pid", "arm": "tx"})
    assert len(cohort.patients) == 4
    said = "value label 'Usual care' is used for codes 1 and 2 of tx"
    assert any(entry.detail == said and entry.action == "warned" for entry in cohort.gate.entries)


def test_dates_of_a_statistical_file_are_refused_unless_left_out(case_01):
    with pytest.raises(DataError) as caught:
        load_cohort(case_01 / "trial.sav", TRIAL | RULES | {"left_out": ["dropout"]})
    assert "visit: holds dates, which are not read (L5)" in str(caught.value)
    assert "2019" not in str(caught.value)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    ["crash_variable_label_1_byte.sav", "crash_duplicate_labels_4_bytes.sav", "crash_trial_usermissing_1_byte.zsav"],
)
def test_damaged_files_are_one_error(shared, name):
    with pytest.raises(DataError, match="could not be read safely"):
        load_cohort(shared / "data" / "statfiles" / "made" / name, {"patient_id": "pid"})


@pytest.mark.shared
def test_stata_missing_letters_are_reasons(shared):
    mapping = TRIAL | {
        "left_out": ["dropout"],
        "codes": {
            "problem_area": {"1": "grief", "2": "role_dispute", "3": "role_transition", "4": "interpersonal_deficits"}
        },
        "missing": {"area": {"88": "x"}, "phq_base": {"999": "x"}, "hamd_base": {"-9": "x"}},
    }
    mapping = {key: value for key, value in mapping.items() if key != "site"}
    cohort = load_cohort(shared / "data" / "statfiles" / "made" / "trial_extmissing.dta", mapping)
    late = cohort.assessments[cohort.assessments["visit"].eq("week_16")]
    assert sorted(late["missing_reason"].dropna()) == ["Missing", "Not asked", "Refused"]


@pytest.mark.shared
def test_the_dysthymia_trial(shared):
    cohort = load_cohort(shared / "data" / "clinic" / "browne_simulated_missing_data.sav", "browne-dysthymia")
    expected = json.loads((shared / "reference" / "clinic" / "attrition_browne_madrs.json").read_text(encoding="utf-8"))
    long = cohort.outcome("madrs")
    at_6 = long[long["visit"].eq("month_6")]
    arms = {"med": "medication", "ipt+med": "ipt_medication", "ipt": "ipt"}
    for row in expected["rows"]:
        mine = at_6[at_6["arm"].eq(arms[row["arm"]])]
        assert len(mine) == row["n"]
        assert mine["value"].notna().sum() == row["m6"]
        assert mine["baseline"].mean() == pytest.approx(row["mean0"], rel=1e-10)
        assert mine["value"].mean() == pytest.approx(row["mean6"], rel=1e-10)
        assert int((mine["value"] <= mine["baseline"] / 2).sum()) == row["resp6_oc"]
        assert int((mine["value"] <= 10).sum()) == row["rem6_oc"]
        for visit, count in (("year_1", row["y1"]), ("year_2", row["y2"])):
            later = long[long["visit"].eq(visit) & long["arm"].eq(arms[row["arm"]])]
            assert later["value"].notna().sum() == count
    assert cohort.instruments == ("cesd", "madrs")


@pytest.mark.shared
def test_the_dysthymia_trial_as_text_is_the_same(shared, tmp_path):
    folder = shared / "data" / "clinic"
    text = pd.read_csv(folder / "browne_simulated_missing_data.csv", dtype=str, keep_default_na=False)
    path = tmp_path / "browne.csv"
    text.drop(columns="Unnamed: 0", errors="ignore").drop(columns="", errors="ignore").to_csv(path, index=False)
    one = load_cohort(path, "browne-dysthymia").outcome("madrs")
    other = load_cohort(folder / "browne_simulated_missing_data.sav", "browne-dysthymia").outcome("madrs")
    keys = ["patient_id", "episode_id"]
    pd.testing.assert_frame_equal(one.drop(columns=keys), other.drop(columns=keys))


@pytest.mark.shared
def test_the_ipt_trial_keeps_every_number(shared):
    path = shared / "reference" / "mixed" / "ipt_trial.csv"
    raw = pd.read_csv(path)
    cohort = load_cohort(path, "ipt-trial")
    assert cohort.area_set == "before"
    long = cohort.outcome("phq9")
    assert len(long) == len(raw)
    order = long.sort_values(["baseline", "week", "value"], kind="stable")
    expected = raw.sort_values(["baseline", "week", "phq9"], kind="stable")
    for mine, own in (("value", "phq9"), ("week", "week"), ("baseline", "baseline")):
        assert order[mine].tolist() == pytest.approx(expected[own].tolist(), nan_ok=True, rel=0, abs=0)
    # Row by row, since the tables keep the order of the file: therapist and site are those of the row.
    assert long["site"].tolist() == raw["site"].tolist()
    assert pd.factorize(long["therapist"])[0].tolist() == pd.factorize(raw["therapist"])[0].tolist()
    assert long["arm"].cat.categories.tolist() == ["usual_care", "cbt", "ipt"]
    assert int(long["value"].isna().sum()) == 66
    assert len(cohort.outcome("hamd17")) == 2052
    assert cohort.outcome("hrsd17")["baseline"].isna().all()


@pytest.mark.shared
def test_the_enrichd_file_has_its_repeats_settled_and_counted(shared):
    path = shared / "data" / "clinic" / "enrichd_bdi.csv"
    raw = pd.read_csv(path)
    cohort = load_cohort(path, "enrichd-bdi")
    assert len(cohort.patients) == raw["ID"].nunique() == 557
    assert len(cohort.assessments) == len(raw.drop_duplicates(["ID", "time"]))
    entry = next(entry for entry in cohort.gate.entries if entry.rule == "L12")
    assert entry.count == 153
    assert "31 people have different values at the same time (31 times)" in entry.detail
    assert "(122 times)" in entry.detail
    assert entry.detail in cohort.notes
    expected = raw.groupby(["ID", "time"])["BDI"].mean().groupby("ID").mean()
    found = cohort.assessments.groupby("patient_id")["value"].mean()
    assert sorted(found) == pytest.approx(sorted(expected), rel=1e-12)
    without = {"patient_id": "ID", "day": "time", "bdi1": "BDI", "left_out": ["med", "med.time"]}
    with pytest.raises(DataError, match="31 people have different values"):
        load_cohort(path, without)


@pytest.mark.shared
def test_other_public_layouts_load(shared):
    folder = shared / "data" / "clinic"
    plan = {"patient_id": "id", "hrsd17": "hamd", "missing": {"hamd": {"-9": "not rated"}}}
    plan |= {"covariates": {"endogenous": "endog"}, "left_out": ["intrcpt", "endweek"]}
    riesby = load_cohort(folder / "riesby.csv", plan)
    assert int(riesby.assessments["value"].notna().sum()) == 375
    assert len(riesby.assessments) == 396
    blues = load_cohort(
        folder / "beat_the_blues.csv",
        {"patient_id": "id", "arm": "treatment", "codes": {"arm": {"BtheB": "cbt"}}, "left_out": ["drug", "length"],
         "visits": {"baseline": 0, "m2": 9, "m3": 13, "m5": 22, "m8": 35},
         "wide": {"bdi1": {"baseline": "bdi.pre", "m2": "bdi.2m", "m3": "bdi.3m", "m5": "bdi.5m", "m8": "bdi.8m"}}},
    )  # fmt: skip
    assert len(blues.patients) == 100
    assert blues.episodes["arm"].cat.categories.tolist() == ["usual_care", "cbt"]


def test_a_file_name_stands_without_its_folder(cases, tmp_path):
    folder = tmp_path / "mary-smith"
    folder.mkdir()
    path = folder / "people.csv"
    shutil.copy(cases / "08-site-code-na" / "people.csv", path)
    with pytest.raises(IptError) as caught:
        load_cohort(path)
    assert "people.csv" in str(caught.value)
    assert "mary-smith" not in str(caught.value)
    assert load_cohort(path, {"patient_id": "id"}).source.name == "people.csv"
