"""Nothing of a person in any refusal: planted secrets over every way a load can end badly, and well."""

from __future__ import annotations

import json
import logging
import traceback
import warnings

import pandas as pd
import pytest

from ipt_outcomes.errors import IptError
from ipt_outcomes.io import load_cohort

# Ids, names, texts, dates; none of them is a word of any message.
IDS = ("Q7-Wilhelmina", "Q8-Bartholomew", "q7-wilhelmina")
SECRETS = (*IDS, "Wilhelmina", "Bartholomew", "example.org", "Broadmoor", "1931", "SW1A", "55555", "Zanzibar", "14/03")
TABLE = pd.DataFrame(
    {
        "patient_id": [IDS[0]] * 2 + [IDS[1]] * 2,
        "week": ["0", "8", "0", "8"],
        "arm": ["IPT", "IPT", "TAU", "TAU"],
        "phq9": ["18", "9", "21", "20"],
    }
)
TEXTS = (
    "Wilhelmina",
    "w@example.org",
    "14/03/1931",
    "was in Broadmoor for a very long time, then in Zanzibar",
    "55555",
)
COLUMNS = (
    "patient_id", "episode_id", "therapist_id", "therapy_group_id", "cluster_id", "site_id", "week", "day", "visit",
    "session_no", "arm", "sex", "age", "age_band", "population", "education", "employment", "ethnicity_group",
    "imd_decile", "problem_area", "dispute_stage", "format", "adaptation", "planned_sessions", "end_reason",
    "area_set_day", "end_day", "phase", "attended", "minutes", "techniques", "rater", "adherence_score", "stratum",
    "diagnosis_code", "caution_mania", "instrument", "item", "value", "value_status", "missing_reason", "mode", "phq9",
    "phq9_1", "hrsd17", "dob", "remarks", "seen_on", "zip", "start_year", "randomised", "therapist_training",
)  # fmt: skip
MAPPINGS = {
    "none": None,
    "dates": {"dates": {"start": "extra", "order": "dmy", "day": "week"}},
    "dates without order": {"dates": {"start": "week", "day": "extra"}},
    "covariate": {"covariates": {"extra": "extra"}},
    "zip3": {"covariates": {"zip3": "extra"}},
    "wide": {"wide": {"gad7": {"post": "extra"}}, "visits": {"post": 8}, "left_out": ["week", "phq9"]},
    "baseline": {"baseline": {"phq9": "extra"}},
    "exclude": {"exclude": {"extra": {"x": "not wanted"}}},
    "screening": {"baseline": {"rule": "screening"}, "left_out": ["extra"]},
    "windows": {"windows": {"post": [20, 30]}, "left_out": ["extra"]},
    "missing": {"missing": {"extra": {"-9": "no"}}, "columns": {"bdi2": "extra"}},
}


def told(error: BaseException) -> str:
    """Everything a user or a log sees of an error; values of scores may stand in the failure table."""
    parts = [str(error), repr(error), "".join(traceback.format_exception_only(error)), str(error.__cause__)]
    failures = getattr(error, "failures", None)
    if failures is not None:
        scores = failures["column"].astype(str).str.fullmatch(r"phq9|hrsd17|value|extra|phq9_1")
        parts += [failures.loc[~scores].to_csv(), failures.loc[scores].drop(columns="found").to_csv()]
        assert not failures["found"].astype(str).str.contains("[A-Za-z]{6}").any()
    return "\n".join(parts)


def shown(cohort) -> str:
    frames = (cohort.patients, cohort.episodes, cohort.sessions, cohort.assessments, cohort.flow)
    texts = [repr(cohort), cohort.summary(), cohort._repr_html_(), cohort.gate.to_frame().to_csv(), *cohort.notes]
    return "\n".join(
        [
            *texts,
            *(
                frame.filter(regex="^(patient|episode|therapist|therapy_group|cluster)_id$").to_csv()
                for frame in frames
            ),
        ]
    )


def attempt(source, mapping=None, **options) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            text = shown(load_cohort(source, mapping, **options))
        except IptError as error:
            text = told(error)
    return "\n".join([text, *(str(one.message) for one in caught)])


def check(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text, secret


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[2], TEXTS[4]], ids=["name", "date", "number"])
def test_a_secret_in_any_column(column, text, caplog):
    caplog.set_level(logging.DEBUG)
    base = TABLE.drop(columns=[column], errors="ignore")
    for cells in ([text] * 4, [text, "1", "2", "3"]):
        check(attempt(base.assign(**{column: cells})))
    check(caplog.text)


@pytest.mark.parametrize("name", MAPPINGS)
@pytest.mark.parametrize("text", TEXTS, ids=["name", "mail", "date", "words", "number"])
def test_a_secret_in_a_column_that_a_mapping_names(name, text):
    for cells in ([text] * 4, [text, "1", "2", "3"]):
        check(attempt(TABLE.assign(extra=cells), MAPPINGS[name]))


def test_ids_that_clash_repeat_or_look_alike():
    repeats = pd.concat([TABLE, TABLE.assign(phq9="1")])
    alike = TABLE.assign(patient_id=[IDS[0], IDS[2], IDS[1], IDS[1]])
    differ = TABLE.assign(
        arm=["IPT", "TAU", "TAU", "TAU"], sex=["f", "m", "f", "f"], site=["Broadmoor", "Zanzibar"] * 2
    )
    missing = TABLE.assign(patient_id=[IDS[0], "", IDS[1], " "])
    for table in (repeats, alike, differ, missing):
        text = attempt(table)
        assert "L12" in text or "required" in text
        check(text)


def test_files_and_their_names(tmp_path):
    for name in ("Wilhelmina", "14/03".replace("/", "-")):
        folder = tmp_path / f"of {name}"
        folder.mkdir()
        for kind, data in {
            "csv": b"patient_id,week\nQ7-Wilhelmina,1,2\n", "sav": b"$FL2 Wilhelmina", "dta": b"Wilhelmina" * 40,
            "parquet": b"PAR1 Wilhelmina", "xlsx": b"PK\x03\x04 Wilhelmina",
        }.items():  # fmt: skip
            path = folder / f"data.{kind}"
            path.write_bytes(data)
            check(attempt(path))
        check(attempt(folder / "none.csv"))


def test_folders_of_tables(tmp_path):
    texts = {
        "patients": f"patient_id,sex,age\n{IDS[0]},female,1931\n{IDS[0]},Wilhelmina,55555\n",
        "episodes": f"episode_id,patient_id,arm\n{IDS[1]},{IDS[1]},Broadmoor\n,{IDS[0]},ipt\n",
        "assessments": f"assessment_id,episode_id,instrument,item,visit,value\n1,{IDS[2]},phq9,0,seen 14/03/1931,7\n"
        f"1,{IDS[1]},Bartholomew,0,SW1A 1AA,7\n",
        "goals": f"episode_id,goal\n{IDS[0]},moved to Zanzibar\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    resources = [{"name": name, "path": f"{name}.csv"} for name in texts]
    (tmp_path / "datapackage.json").write_text(json.dumps({"resources": resources}), encoding="utf-8")
    text = attempt(tmp_path)
    assert "foreignKey" in text
    check(text)
    by_mapping = {
        "patients": {"file": "patients.csv"}, "episodes": {"file": "episodes.csv"},
        "assessments": {"file": "assessments.csv"},
    }  # fmt: skip
    check(attempt(tmp_path, {"tables": by_mapping}))
