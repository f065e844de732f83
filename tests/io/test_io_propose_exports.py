"""REDCap exports and tables of the NHS Talking Therapies data set, from the proposal to a cohort."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import OptionError
from ipt_outcomes.io import propose_mapping, read_cohort_mapping

REDCAP = """\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,arm,sex,age,problem_area,comorbid___1,\
comorbid___2,intake_complete,phq9_total,phq9_complete,hamd17,hamd_complete,mood_rating,mood_complete
1,baseline_arm_1,,,IPT,f,34,Grief,0,1,2,18,2,21,2,,
1,week_8_arm_1,,,,,,,0,0,,9,2,11,2,,
1,week_8_arm_1,mood,1,,,,,0,0,,,,,,5,2
1,week_8_arm_1,mood,2,,,,,0,0,,,,,,6,2
1,week_16_arm_1,,,,,,,0,0,,5,2,8,2,,
2,baseline_arm_1,,,TAU,m,51,Role dispute,0,0,0,16,2,19,2,,
2,week_8_arm_1,,,,,,,0,0,,12,2,,0,,
2,week_16_arm_1,,,,,,,0,0,,11,2,14,2,,
3,baseline_arm_1,,,IPT,m,41,Role transition,1,0,0,20,2,22,2,,
3,week_8_arm_1,,,,,,,0,0,,10,2,12,2,,
3,week_16_arm_1,,,,,,,0,0,,0,0,9,2,,
"""


@pytest.fixture
def redcap() -> pd.DataFrame:
    return pd.read_csv(io.StringIO(REDCAP), dtype={"record_id": str})


def by_column(table):
    return {line.column: line for line in propose_mapping(table).lines}


def test_redcap_events_are_visits_and_its_own_columns_are_known(redcap):
    proposal = propose_mapping(redcap)
    lines = {line.column: line for line in proposal.lines}
    assert "REDCap" in proposal.layout
    assert lines["record_id"].name == "patient_id"
    assert lines["redcap_event_name"].name == "visit"
    assert lines["redcap_repeat_instance"].name == "session_no"
    assert {visit.name: visit.week for visit in proposal.visits} == {
        "baseline_arm_1": 0.0,
        "week_8_arm_1": 8.0,
        "week_16_arm_1": 16.0,
    }
    assert lines["hamd_complete"].part == "left_out"
    assert proposal.undecided == ()


def test_a_box_of_a_form_nobody_filled_in_is_missing_with_its_reason(redcap):
    proposal = propose_mapping(redcap)
    assert by_column(redcap)["comorbid___1"].form == "intake_complete"
    cohort = ipt.load_cohort(redcap, proposal.mapping)
    boxes = cohort.patients.sort_values("age")[["comorbid_1", "comorbid_2"]].to_numpy(dtype=float)
    # 34: form filled in; 41: not filled in, one box ticked (somebody ticked it); 51: not filled in.
    np.testing.assert_array_equal(boxes, [[0, 1], [1, np.nan], [np.nan, np.nan]])
    assert "form not filled in" in cohort.gate.summary()
    assert "tell a form not filled in from a no" in cohort.gate.summary()


def test_a_total_of_zero_on_a_form_nobody_filled_in_is_missing(redcap):
    proposal = propose_mapping(redcap)
    assert {line.column: line.form for line in proposal.lines}["phq9_total"] == "phq9_complete"
    scores = ipt.load_cohort(redcap, proposal.mapping).assessments
    last = scores[(scores["instrument"] == "phq9") & (scores["week"] == 16)]
    assert sorted(last["value"].dropna()) == [5, 11]
    assert last["missing_reason"].tolist().count("form not filled in") == 1


def test_a_score_is_not_missing_in_rows_of_another_form(redcap):
    scores = ipt.load_cohort(redcap, propose_mapping(redcap).mapping).assessments
    assert scores.groupby("instrument").size().to_dict() == {"phq9": 9, "hrsd17": 9, "mood_thermometer": 2}
    assert scores.loc[scores["instrument"] == "hrsd17", "value"].isna().sum() == 1
    assert scores.loc[scores["instrument"] == "mood_thermometer", "session_no"].tolist() == [1, 2]


def test_a_box_without_the_state_of_its_form_is_asked(redcap):
    table = redcap.drop(columns=[column for column in redcap if column.endswith("_complete")])
    proposal = propose_mapping(table)
    assert {"comorbid___1", "comorbid___2"} <= set(proposal.undecided)


def test_forms_and_unseen_are_checked_like_the_rest():
    columns = {"patient_id": "id"}
    with pytest.raises(OptionError, match="only column"):
        read_cohort_mapping({"table": "cohort", "columns": columns, "forms": {"col": "x"}})
    plan = read_cohort_mapping(
        {"table": "cohort", "columns": columns, "unseen": {"box": "state"}, "forms": {"column": "f"}}
    )
    assert read_cohort_mapping(plan.to_dict()).to_dict() == plan.to_dict()
    with pytest.raises(OptionError, match="no column 'state'"):
        ipt.load_cohort(
            pd.DataFrame({"id": [1, 2], "box": [0, 1], "f": ["", ""], "week": [0, 0], "phq9": [9, 9]}), plan
        )


def test_undecided_must_be_a_list():
    with pytest.raises(OptionError, match="undecided must be a list"):
        read_cohort_mapping({"table": "cohort", "columns": {"patient_id": "id"}, "undecided": "x"})


REFERRALS = """\
Person_ID,PathwayID,Gender,Age_ReferralRequest_ReceivedDate,IMD_Decile,ReferralRequestReceivedDate,TherapySession_FirstDate,\
PHQ9_FirstScore,PHQ9_LastScore,GAD_FirstScore,GAD_LastScore,TreatmentCareContact_Count
A1,P1,1,34,3,2019-01-02,2019-02-01,18,6,14,5,8
A1,P2,1,35,3,2019-09-05,2019-10-11,12,11,9,8,3
A3,P3,X,29,1,2019-01-09,2019-02-21,21,9,16,7,12
"""
CONTACTS = """\
Person_ID,PathwayID,CareContDate,AttendOrDNACode,CareContPatientTherMode,ClinContDurOfCareCont,TherapySession_FirstDate
A1,P1,2019-02-01,05,1,50,2019-02-01
A1,P1,2019-02-08,3,1,,2019-02-01
A2,P2,2019-02-11,6,3,90,2019-02-11
A2,P2,2019-02-18,2,3,,2019-02-11
A2,P2,2019-02-25,7,3,,2019-02-11
"""
SCORES = """\
Person_ID,PathwayID,CodedAssToolType,PersScore,AssToolCompDate,TherapySession_FirstDate
A1,P1,720433000,18,2019-02-01,2019-02-01
A1,P1,445455005,14,2019-02-01,2019-02-01
A1,P1,720433000,9,2019-03-01,2019-02-01
A2,P2,720433000,12,2019-02-11,2019-02-11
A2,P2,720433000,11,2019-04-11,2019-02-11
"""


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype={"AttendOrDNACode": str, "CodedAssToolType": str})


def test_referrals_of_talking_therapies_are_episodes_with_a_first_and_a_last_score():
    table = read(REFERRALS)
    proposal = propose_mapping(table)
    assert "Talking Therapies" in proposal.layout
    # The age at each referral is no fact about the person, who has one age.
    assert "Age_ReferralRequest_ReceivedDate" in proposal.undecided
    plan = proposal.leaving_out_unknown().decided(
        accept=["[dates]", "[visits]"], left_out=["Age_ReferralRequest_ReceivedDate"], visits={"last": 12}
    )
    cohort = ipt.load_cohort(table, plan)
    assert len(cohort.patients) == 2
    assert len(cohort.episodes) == 3
    scores = cohort.assessments[cohort.assessments["instrument"] == "phq9"]
    assert sorted(scores["value"]) == [6, 9, 11, 12, 18, 21]
    assert sorted(cohort.patients["sex"]) == ["male", "unknown"]
    assert cohort.episodes["referral_day"].notna().all()


def test_care_contacts_are_sessions_in_the_codes_of_the_data_dictionary():
    proposal = propose_mapping(read(CONTACTS))
    codes = {(code.name, code.written): code.code for code in proposal.codes}
    assert codes["attended", "05"] == codes["attended", "6"] == "attended"
    assert codes["attended", "3"] == "dna"
    assert codes["attended", "7"] == "late_not_seen"
    assert codes["attended", "2"] == "cancelled_patient"
    assert codes["format", "3"] == "group"
    assert {line.name for line in proposal.lines} >= {
        "patient_id",
        "episode_id",
        "attended",
        "format",
        "minutes",
        "day",
    }
    assert proposal.undecided == ("[dates]",)


def test_coded_scored_assessments_become_scores():
    table = read(SCORES)
    cohort = ipt.load_cohort(table, propose_mapping(table).decided(accept="all"))
    found = cohort.assessments[["instrument", "day", "value"]].values.tolist()
    assert found == [["phq9", 0, 18], ["phq9", 28, 9], ["gad7", 0, 14], ["phq9", 0, 12], ["phq9", 59, 11]]


def test_an_unknown_assessment_is_asked():
    table = read(SCORES + "A2,P2,999999999,3,2019-04-11,2019-02-11\n")
    proposal = propose_mapping(table)
    assert "[codes.instrument]" in proposal.undecided
    assert '"999999999" = "?"' in proposal.to_toml()


def test_events_of_several_redcap_arms_are_asked(redcap):
    table = redcap.drop(columns="arm")
    table["redcap_event_name"] = [
        name.replace("arm_1", "arm_2") if record == "2" else name
        for name, record in zip(table["redcap_event_name"], table["record_id"], strict=True)
    ]
    proposal = propose_mapping(table)
    assert any("REDCap's arms 1, 2" in told for told in proposal.decisions())
    assert {visit.name: visit.week for visit in proposal.visits}["week_8_arm_2"] == 8


LABELLED = """\
Record ID,Event Name,Repeat Instrument,Repeat Instance,Arm,Comorbidity (choice=PTSD),PHQ-9 total,Complete?,Mood rating
1,Baseline (Arm 1: Main),,,IPT,Checked,18,Complete,
1,Week 8 (Arm 1: Main),,,,Unchecked,9,Complete,
1,Week 8 (Arm 1: Main),Mood,1,,,,,5
2,Baseline (Arm 1: Main),,,TAU,Unchecked,16,Complete,
2,Week 8 (Arm 1: Main),,,,Unchecked,12,Complete,
"""


def test_an_export_of_labels_is_known_and_its_boxes_are_asked():
    proposal = propose_mapping(pd.read_csv(io.StringIO(LABELLED), dtype={"Record ID": str}))
    assert "REDCap export of labels" in proposal.layout
    lines = {line.column: line for line in proposal.lines}
    assert lines["Record ID"].name == "patient_id"
    assert lines["Repeat Instance"].name == "session_no"
    assert lines["Repeat Instrument"].part == "forms"
    assert {visit.name: visit.week for visit in proposal.visits}["Week 8 (Arm 1: Main)"] == 8
    assert "export the raw data of REDCap" in lines["Comorbidity (choice=PTSD)"].why
    assert set(proposal.undecided) == {"Comorbidity (choice=PTSD)", "Complete?"}


def test_care_contacts_alone_are_numbered_by_their_days():
    table = read(CONTACTS)
    plan = propose_mapping(table).decided(accept="all")
    assert plan.session_numbers == "by_day"
    sessions = ipt.load_cohort(table, plan).sessions
    assert sessions.groupby("episode_id")["session_no"].apply(list).tolist() == [[1, 2], [1, 2, 3]]
    assert sessions.sort_values(["episode_id", "session_no"])["attended"].tolist().count("attended") == 2
