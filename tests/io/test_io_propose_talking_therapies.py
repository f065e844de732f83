"""A folder of NHS Talking Therapies tables: codes of the data set, what is asked of them, and the cohort they give."""

from __future__ import annotations

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.io import propose_mapping
from ipt_outcomes.io.propose.workbook_reading import record_of
from ipt_outcomes.io.propose.workbook_sheets import read_sheets

PEOPLE = """\
Person_ID,GenderIDCode,Validated_EthnicCategory,IMD_Decile,RecordNumber
A1,1,A,3,1001
A2,2,B,4,1002
A3,X,A,5,1003
"""
REFERRALS = """\
Person_ID,PathwayID,OrgID_Provider,ReferralRequestReceivedDate,TherapySession_FirstDate,ServDischDate,EndCode
A1,P1,RX1,2019-01-02,2019-02-01,2019-06-01,46
A1,P2,RX1,2019-09-05,2019-10-11,2020-01-02,47
A2,P3,RX2,2019-01-09,2019-02-21,2019-03-01,48
A3,P4,RX2,2019-01-19,2019-02-25,2019-03-01,10
"""
CONTACTS = """\
Person_ID,PathwayID,CareContDate,AttendOrDNACode,ConsMechanism,CareContPatientTherMode,ClinContDurOfCareCont
A1,P1,2019-02-08,3,01,1,
A1,P1,2019-02-01,05,01,1,50
A1,P2,2019-10-11,6,11,3,90
A2,P3,2019-02-21,2,02,3,
A2,P3,2019-02-28,7,02,3,
A3,P4,2019-02-25,5,02,2,50
"""
SCORES = """\
Person_ID,PathwayID,CodedAssToolType,PersScore,AssToolCompDate
A1,P1,720433000,18,2019-02-01
A1,P1,445455005,14,2019-02-01
A1,P1,720433000,9,2019-03-01
A1,P2,720433000,12,2019-10-11
A1,P2,720433000,11,2019-12-11
A2,P3,720433000,20,2019-02-21
A3,P4,718583008,15,2019-02-25
A3,P4,720211004,15,2019-02-25
"""
FILES = {
    "IDS001mpi.csv": PEOPLE,
    "IDS101referral.csv": REFERRALS,
    "IDS201carecontact.csv": CONTACTS,
    "IDS607codedscoreassessact.csv": SCORES,
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def codes_of(proposal) -> dict[tuple[str, str], tuple[str | None, str]]:
    return {(code.name, code.written): (code.code, code.sure) for code in proposal.codes}


def test_each_file_is_its_table(folder):
    proposal = propose_mapping(folder)
    assert "NHS Talking Therapies" in proposal.layout
    assert proposal.files == dict(zip(("patients", "episodes", "sessions", "assessments"), FILES, strict=True))
    lines = {line.key: line for line in proposal.lines}
    assert lines["patients: RecordNumber"].part == "left_out"
    assert lines["sessions: ConsMechanism"].part == "left_out"
    assert lines["episodes: EndCode"].name == "end_reason"
    assert proposal.numbers_sessions


def test_codes_of_the_data_set_and_what_is_asked_of_them(folder):
    codes = codes_of(propose_mapping(folder))
    assert codes["end_reason", "46"] == ("completed", "sure")
    assert codes["end_reason", "10"] == ("not_suitable", "sure")
    # Ended early: by choice or not reachable, which the code does not say; ended by the service: no code of ours.
    assert codes["end_reason", "47"] == ("dropout_choice", "guess")
    assert codes["end_reason", "48"] == (None, "guess")
    assert codes["attended", "05"] == codes["attended", "5"] == ("attended", "sure")
    assert codes["format", "2"] == ("conjoint", "sure")
    assert codes["sex", "X"] == ("unknown", "likely")
    assert codes["instrument", "718583008"] == ("core10", "sure")
    # Kessler 10 is scored from 0 there and from 10 in the registry.
    assert codes["instrument", "720211004"] == (None, "guess")


@pytest.mark.parametrize(
    ("code", "meant"),
    [("49", "deceased"), ("17", "deceased"), ("95", "unknown"), ("96", "unknown"), ("13", "referred_on"), ("50", None),
     ("12", None), ("42", None), ("99", None)],
)  # fmt: skip
def test_end_codes(folder, code, meant):
    (folder / "IDS101referral.csv").write_text(REFERRALS.replace(",48\n", f",{code}\n"), encoding="utf-8")
    found, sure = codes_of(propose_mapping(folder))["end_reason", code]
    assert found == meant
    assert sure == ("guess" if meant is None else "sure")


def test_it_loads_once_it_is_decided(folder):
    proposal = propose_mapping(folder)
    assert {"[codes.end_reason]", "[codes.instrument]", "[dates]", "[tables.sessions.dates]"} <= set(proposal.undecided)
    plan = proposal.decided(
        accept="all", codes={"end_reason": {"48": "unknown"}}, exclude={"instrument": {"720211004": "not analysed"}},
        instruments={"core10": {"raw_order": True}},
    )  # fmt: skip
    cohort = ipt.load_cohort(folder, plan)
    assert len(cohort.patients) == 3
    assert sorted(cohort.episodes["end_reason"]) == ["completed", "dropout_choice", "not_suitable", "unknown"]
    first = cohort.sessions[cohort.sessions["attended"] == "dna"]
    # The contacts of a pathway are numbered by their days: the one not attended came a week after the first.
    assert first[["session_no", "day"]].to_numpy().tolist() == [[2, 7]]
    phq = cohort.assessments[cohort.assessments["instrument"] == "phq9"]
    assert sorted(zip(phq["day"], phq["value"], strict=True)) == [(0, 12), (0, 18), (0, 20), (28, 9), (61, 11)]
    assert sorted(cohort.patients["sex"]) == ["female", "male", "unknown"]


def with_kinds(folder, kinds):
    rows = [f"{row},{kind}" for row, kind in zip(CONTACTS.splitlines(), ["AppType", *kinds], strict=True)]
    (folder / "IDS201carecontact.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return propose_mapping(folder)


def test_rows_of_contacts_that_are_no_treatment_are_set_aside_if_asked(folder, tmp_path_factory):
    proposal = with_kinds(folder, ["02", "01", "03", "02", "05", "02"])
    assert "[exclude.AppType]" in proposal.undecided
    assert any("'01' = 'no contact of treatment'?" in told for told in proposal.decisions())
    plan = proposal.decided(
        accept="all", codes={"end_reason": {"48": "unknown"}}, exclude={"instrument": {"720211004": "not analysed"}},
        instruments={"core10": {"raw_order": True}},
    )  # fmt: skip
    assert plan.exclude_rows == ("AppType",)
    cohort = ipt.load_cohort(folder, plan)
    # One contact of one person goes, and nothing else of that person.
    assert len(cohort.patients) == 3
    assert len(cohort.sessions) == 5
    assert len(cohort.assessments[cohort.assessments["instrument"] == "phq9"]) == 5
    assert 'exclude_rows = [\n    "AppType",' in proposal.to_toml()


def test_where_all_contacts_are_treatment_nothing_is_asked(folder):
    proposal = with_kinds(folder, ["02", "2", "03", "02", "05", "02"])
    assert "[exclude.AppType]" not in proposal.undecided
    assert next(line for line in proposal.lines if line.column == "AppType").part == "left_out"


def test_the_workbook_of_such_a_folder_reads_back(folder, tmp_path_factory):
    proposal = with_kinds(folder, ["02", "01", "03", "02", "05", "02"])
    out = tmp_path_factory.mktemp("map")
    record, wanted = record_of(read_sheets(proposal.to_excel(out / "map.xlsx"))), proposal.mapping.to_dict()
    for part in ("tables", "exclude", "exclude_rows", "dates", "sessions", "undecided"):
        left, right = record[part], wanted[part]
        assert sorted(left) == sorted(right), part
        if part != "undecided":
            assert left == right, part


def test_a_record_number_is_no_person_for_sure():
    table = pd.DataFrame({"RecordNumber": [1001, 1002], "PathwayID": ["P1", "P2"], "PHQ9_FirstScore": [18, 21],
                          "PHQ9_LastScore": [6, 9]})  # fmt: skip
    proposal = propose_mapping(table)
    assert "RecordNumber" in proposal.undecided
    assert any("another one in each submission" in told for told in proposal.decisions())


def test_ways_of_contact_are_formats_where_no_mode_says_it():
    table = pd.DataFrame({"Person_ID": ["A", "A", "B", "C"], "PathwayID": ["P", "P", "Q", "R"],
                          "AttendOrDNACode": [5, 5, 5, 5], "ConsMechanism": ["02", "11", "01", "98"],
                          "CareContDate": ["2019-02-01"] * 4})  # fmt: skip
    codes = codes_of(propose_mapping(table))
    assert codes["format", "02"] == ("telephone", "sure")
    assert codes["format", "11"] == ("video", "sure")
    # Face to face may be alone or in a group.
    assert codes["format", "01"] == ("individual", "guess")
    assert codes["format", "98"] == (None, "guess")
