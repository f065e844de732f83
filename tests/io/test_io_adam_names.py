"""Names and labels of the ADaM data sets against those of the implementation guide."""

from __future__ import annotations

import tomllib

import pytest

from ipt_outcomes.resources import shipped

# Of the ADaM Implementation Guide; y and zz stand for the numbers used here.
GUIDE = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SUBJID": "Subject Identifier for the Study",
    "SITEID": "Study Site Identifier",
    "AGE": "Age",
    "AGEU": "Age Units",
    "AGEGR1": "Pooled Age Group 1",
    "SEX": "Sex",
    "ITTFL": "Intent-To-Treat Population Flag",
    "TRT01P": "Planned Treatment for Period 01",
    "TRT01PN": "Planned Treatment for Period 01 (N)",
    "TRT02P": "Planned Treatment for Period 02",
    "TRT02PN": "Planned Treatment for Period 02 (N)",
    "EOTSTT": "End of Treatment Status",
    "DCTREAS": "Reason for Discontinuation of Treatment",
    "APERIOD": "Period",
    "TRTP": "Planned Treatment",
    "TRTPN": "Planned Treatment (N)",
    "PARAM": "Parameter",
    "PARAMCD": "Parameter Code",
    "PARAMN": "Parameter (N)",
    "PARCAT1": "Parameter Category 1",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N)",
    "ADY": "Analysis Relative Day",
    "AVAL": "Analysis Value",
    "BASE": "Baseline Value",
    "CHG": "Change from Baseline",
    "PCHG": "Percent Change from Baseline",
    "ABLFL": "Baseline Record Flag",
    "ANL01FL": "Analysis Flag 01",
    "DTYPE": "Derivation Type",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "CNSDTDSC": "Censor Date Description",
}
NOT_IN_THE_GUIDE = {
    "PROBAREA", "PROBARE2", "AREASDY", "POPULTN", "INDICTN", "SESSN", "RISKFL", "AVALU", "QSSTAT", "QSREASND",
    "TRTEDY", "STARTDY",
}  # fmt: skip
REQUIRED = {"ADQS": ("STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL", "AVISIT"),
            "ADTTE": ("STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL", "CNSR"),
            "ADSL": ("STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "TRT01P")}  # fmt: skip


def datasets() -> dict[str, dict]:
    spec = tomllib.loads(shipped("data_schemas", "adam.toml").read_text(encoding="utf-8"))
    return {name: part for name, part in spec.items() if "variables" in part}


@pytest.mark.parametrize("name", ["ADSL", "ADQS", "ADTTE"])
def test_names_and_labels_are_those_of_the_guide(name):
    for variable, entry in datasets()[name]["variables"].items():
        assert (variable in GUIDE) != (variable in NOT_IN_THE_GUIDE), variable
        if variable in GUIDE:
            assert entry["label"] == GUIDE[variable], variable


@pytest.mark.parametrize("name", ["ADSL", "ADQS", "ADTTE"])
def test_they_fit_a_transport_file(name):
    for variable, entry in datasets()[name]["variables"].items():
        assert len(variable) <= 8
        assert variable.isupper()
        assert len(entry["label"]) <= 40


@pytest.mark.parametrize("name", list(REQUIRED))
def test_what_the_guide_requires_is_there(name):
    part = datasets()[name]
    assert set(REQUIRED[name]) <= set(part["variables"])
    assert set(part["keys"]) <= set(part["variables"])


def test_the_page_says_what_is_not_in_the_guide():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "adam.md").read_text(encoding="utf-8")
    before = page[: page.index("## Events of ADTTE")]
    for variable in NOT_IN_THE_GUIDE:
        assert f"`{variable}`" in before, variable
