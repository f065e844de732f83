"""The simulated trial and clinic: what they promise, seeded, possible values only."""

import io

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes import simulate
from ipt_outcomes.errors import OptionError
from ipt_outcomes.schemas import load_schema, validate
from ipt_outcomes.vocabulary import Arm, Attendance, EndReason, Phase, ProblemArea

TRIAL = simulate.trial_table(n=240, seed=1)
AFTER = simulate.trial_table(n=240, seed=1, areas="after")
CLINIC = simulate.clinic_table(n=400, seed=1)
SET = [area.value for area in ProblemArea][:4]


def people(table):
    return table.drop_duplicates("patient_id")


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (simulate.trial_table, {"n": 60}),
        (simulate.trial_table, {"n": 60, "areas": "after"}),
        (simulate.clinic_table, {"n": 30}),
    ],
)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_table(make, options):
    one, two, other = make(seed=7, **options), make(seed=7, **options), make(seed=8, **options)
    assert one.to_csv(index=False) == two.to_csv(index=False)
    assert one.to_csv(index=False) != other.to_csv(index=False)


@pytest.mark.parametrize("table", [TRIAL, AFTER, CLINIC], ids=["trial", "after", "clinic"])
def test_written_and_read_as_text_it_has_whole_scores_in_range(table):
    text = pd.read_csv(io.StringIO(table.to_csv(index=False)), dtype=str, keep_default_na=False)
    for name, highest in {"phq9": 27, "hrsd17": 52, "gad7": 21}.items():
        if name in text:
            written = text[name][text[name] != ""]
            assert written.str.fullmatch(r"\d+").all()
            assert written.astype(int).between(0, highest).all()


@pytest.mark.parametrize(
    ("table", "names", "schemas"),
    [
        (TRIAL, {"phq9", "hrsd17"}, ("patients", "episodes", "assessments")),
        (CLINIC, {"phq9", "gad7"}, ("patients", "episodes", "sessions", "assessments")),
    ],
    ids=["trial", "clinic"],
)
def test_every_column_is_of_the_dictionary_and_every_code_is_allowed(table, names, schemas):
    renamed = table.rename(columns={"problem_area": "problem_area_primary"})
    known = set()
    for name in schemas:
        schema = load_schema(name)
        mine = [column for column in renamed if column in schema]
        known |= set(mine)
        _, failures = validate(renamed[mine], schema)
        found = failures[~failures["rule"].isin(["primaryKey"]) & ~(failures["row"] == 1)]
        assert found.empty, found
    assert set(renamed.columns) - known == names


def test_four_arms_of_one_size_weekly_phq9_and_monthly_hrsd17():
    counts = people(TRIAL)["arm"].value_counts()
    assert set(counts.index) == {"usual_care", "medication", "cbt", "ipt"}
    # Blocks of four within six sites: no arm is ahead of another by more than one person per site.
    assert counts.max() - counts.min() <= 6
    assert sorted(TRIAL["week"].unique()) == list(range(17))
    assert sorted(TRIAL.loc[TRIAL["hrsd17"].notna(), "week"].unique()) == [0, 4, 8, 12, 16]
    assert TRIAL.loc[TRIAL["week"] == 0, ["phq9", "hrsd17"]].notna().all(axis=None)
    assert not TRIAL.duplicated(["patient_id", "week"]).any()


def test_therapists_belong_to_one_site_and_one_arm_and_usual_care_has_none():
    with_one = people(TRIAL)[people(TRIAL)["therapist_id"].notna()]
    assert with_one.groupby("therapist_id")["site_id"].nunique().max() == 1
    assert with_one.groupby("therapist_id")["arm"].nunique().max() == 1
    assert set(people(TRIAL).loc[people(TRIAL)["therapist_id"].isna(), "arm"]) == {"usual_care"}


def test_scores_are_plausible():
    large = simulate.trial_table(n=4000, seed=3)
    start = large.loc[large["week"] == 0, "phq9"].astype(float)
    assert 15 < start.mean() < 17
    assert start.min() >= 10
    wide = large.pivot(index="patient_id", columns="week", values="phq9").astype(float)
    arm = people(large).set_index("patient_id")["arm"]
    seen = wide[16].notna()
    response = (wide[16] <= wide[0] / 2)[seen].groupby(arm).mean()
    assert 0.4 < response["ipt"] < 0.6
    assert response["usual_care"] < response["medication"] - 0.05
    change = (wide[16] - wide[0])[seen]
    assert 2 < (change[arm == "usual_care"].mean() - change[arm == "ipt"].mean()) < 5


def test_who_is_worse_leaves_sooner_whatever_the_arm():
    large = simulate.trial_table(n=4000, seed=4)
    last = large.groupby("patient_id").tail(1)
    left = last[last["week"] < 16]
    assert 0.15 < len(left) / 4000 < 0.4
    stayed = large[large["week"].between(1, 15) & ~large.index.isin(last.index)]
    assert left["phq9"].astype(float).mean() > stayed["phq9"].astype(float).mean() + 0.5


def test_areas_set_before_randomisation_for_everyone():
    assert people(TRIAL)["problem_area"].isin(SET).all()
    assert people(TRIAL)["area_set_day"].between(-14, 0).all()


def test_areas_set_afterwards_in_the_ipt_arm_only_and_some_leave_before():
    persons = people(AFTER)
    is_ipt = persons["arm"] == "ipt"
    assert persons.loc[~is_ipt, ["problem_area", "area_set_day"]].isna().all(axis=None)
    none_set = persons["problem_area"] == "none_set"
    assert none_set.sum() > 0
    assert persons.loc[none_set, "area_set_day"].isna().all()
    assert persons.loc[is_ipt & ~none_set, "area_set_day"].between(7, 16).all()
    last = AFTER.groupby("patient_id")["week"].max()
    assert last[persons.loc[none_set, "patient_id"]].max() <= 2


def test_both_variants_are_one_trial():
    other = ["problem_area", "area_set_day"]
    pd.testing.assert_frame_equal(TRIAL.drop(columns=other), AFTER.drop(columns=other))


def test_a_clinic_has_every_kind_of_course():
    persons = people(CLINIC)
    assert set(persons["end_reason"].dropna()) <= {reason.value for reason in EndReason}
    assert persons["end_reason"].isna().sum() == persons["end_day"].isna().sum() > 0
    assert set(CLINIC["phase"]) == {phase.value for phase in Phase}
    assert set(CLINIC["attended"]) == {code.value for code in Attendance}
    assert set(persons["problem_area"]) == {area.value for area in ProblemArea}
    assert set(persons["format"]) >= {"individual", "group"}
    assert persons["planned_sessions"].isin([12, 16, 20]).all()
    assert not CLINIC.duplicated(["patient_id", "session_no"]).any()


def test_questionnaires_only_at_sessions_that_were_attended():
    away = CLINIC["attended"] != "attended"
    assert CLINIC.loc[away, ["phq9", "gad7"]].isna().all(axis=None)
    assert 0.9 < CLINIC.loc[~away, "phq9"].notna().mean() < 0.98


def test_days_and_phases_go_forward():
    by_person = CLINIC.groupby("patient_id")
    assert (by_person["day"].first() == 0).all()
    assert (by_person["day"].diff().dropna() > 0).all()
    order = CLINIC["phase"].map({phase.value: place for place, phase in enumerate(Phase)})
    assert (order.groupby(CLINIC["patient_id"]).diff().dropna() >= 0).all()
    ended = people(CLINIC).dropna(subset="end_day").set_index("patient_id")["end_day"].astype(int)
    assert (by_person["day"].last()[ended.index] == ended).all()
    assert (people(CLINIC)["referral_day"] < 0).all()


def test_areas_of_the_clinic_are_set_in_session_two_or_three():
    persons = people(CLINIC)
    none_set = persons["problem_area"] == "none_set"
    assert persons.loc[none_set, "area_set_day"].isna().all()
    day_of = CLINIC.set_index(["patient_id", "session_no"])["day"]
    for row in persons[~none_set].itertuples():
        assert row.area_set_day in {day_of[row.patient_id, 2], day_of.get((row.patient_id, 3))}


def test_a_clinic_recovers_about_half_of_its_cases():
    large = simulate.clinic_table(n=4000, seed=2)
    scores = large.dropna(subset="phq9").groupby("patient_id")["phq9"].agg(["first", "last", "count"]).astype(float)
    cases = scores[(scores["count"] >= 2) & (scores["first"] >= 10)]
    assert 0.4 < (cases["last"] < 10).mean() < 0.6


@pytest.mark.parametrize("n", [39, 0, -1, 240.0, "240", True, None])
def test_too_few_people_or_no_number(n):
    with pytest.raises(OptionError, match="at least 40"):
        simulate.trial_table(n)
    with pytest.raises(OptionError, match="at least 20"):
        simulate.clinic_table(n if n != 39 else 19)


def test_areas_is_one_of_two():
    with pytest.raises(OptionError, match="'baseline', 'after'"):
        simulate.trial_table(areas="before")


def test_arms_are_codes():
    assert {Arm(code) for code in TRIAL["arm"]} == {Arm.USUAL_CARE, Arm.MEDICATION, Arm.CBT, Arm.IPT}
    assert np.isfinite(TRIAL["age"]).all()


@pytest.mark.parametrize(("areas", "area_set"), [("baseline", "before"), ("after", "after")])
def test_a_trial_is_recognised_without_a_mapping(areas, area_set):
    cohort = simulate.trial(n=80, seed=1, areas=areas)
    assert cohort.simulated
    assert len(cohort.patients) == 80
    assert cohort.instruments == ("hrsd17", "phq9")
    assert cohort.area_set == area_set
    table = simulate.trial_table(n=80, seed=1, areas=areas)
    scores = cohort.outcome("phq9", include_baseline=True)
    assert scores["value"].notna().sum() == table["phq9"].notna().sum()
    assert scores["value"].sum() == table["phq9"].sum()
    assert not set(cohort.patients["patient_id"]) & set(table["patient_id"])
    arms = cohort.episodes["arm"].cat
    assert arms.ordered is not None
    assert [code for code in arms.categories if code in {"usual_care", "medication", "cbt", "ipt"}] == [
        "usual_care",
        "medication",
        "cbt",
        "ipt",
    ]


def test_a_clinic_is_recognised_without_a_mapping():
    cohort = simulate.clinic(n=60, seed=1)
    table = simulate.clinic_table(n=60, seed=1)
    assert cohort.simulated
    assert cohort.instruments == ("gad7", "phq9")
    assert len(cohort.episodes) == 60
    assert len(cohort.sessions) == len(table)
    assert cohort.sessions["attended"].value_counts().to_dict() == table["attended"].value_counts().to_dict()
