"""A simulated trial written out under many names, words and shapes loads as the same cohort by its proposal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ipt_outcomes as ipt
from ipt_outcomes.io import propose_mapping
from ipt_outcomes.simulate import trial_table

HEADINGS = {
    "patient_id": ["patient_id", "pid", "USUBJID", "Patientencode", "deelnemer", "paciente", "record_id", "sujeito"],
    "arm": ["arm", "group", "Treatment", "Behandlungsarm", "Gruppe", "groep", "brazo", "tratamento", "condición"],
    "problem_area": ["problem_area", "IPT area", "Problembereich", "Fokus", "probleemgebied", "foco", "área problema"],
    "site_id": ["site", "Centre", "Zentrum", "centrum", "centro"],
    "therapist_id": ["therapist", "clinician", "Therapeut", "behandelaar", "terapeuta"],
    "age": ["age", "Age at baseline", "Alter", "leeftijd", "edad", "idade"],
    "sex": ["sex", "Gender", "Geschlecht", "geslacht", "sexo"],
    "week": ["week", "study week", "Woche", "semana"],
    "phq9": ["phq9", "PHQ-9", "PHQ9_total", "phq9 Summe", "Puntaje PHQ-9", "phq9_totaal"],
    "hrsd17": ["hrsd17", "HAMD17", "HDRS-17 score", "Hamilton 17 total", "hamd 17 Summe"],
}
WORDS = {
    "arm": {
        "ipt": ["ipt", "IPT", "Interpersonal Psychotherapy", "Interpersonelle Psychotherapie", "terapia interpersonal"],
        "cbt": ["cbt", "CBT", "KVT", "cognitieve gedragstherapie", "TCC"],
        "usual_care": ["usual_care", "TAU", "Treatment as usual", "Regelversorgung", "gebruikelijke zorg"],
        "medication": ["medication", "Pharmacotherapy", "Medikation", "medicatie", "medicación"],
    },
    "problem_area": {
        "grief": ["grief", "complicated grief", "Trauer", "rouw", "duelo", "luto"],
        "role_dispute": ["role_dispute", "relational conflict", "Rollenkonflikt", "rolconflict", "disputa de rol"],
        "role_transition": ["role_transition", "life change", "Rollenwechsel", "rolovergang", "mudança de papel"],
        "interpersonal_deficits": ["interpersonal_deficits", "loneliness/sensitivity", "Einsamkeit", "soledad"],
    },
    "sex": {"female": ["female", "F", "weiblich", "vrouw", "mujer"], "male": ["male", "Male", "männlich", "hombre"]},
}
ABOUT = ["patient_id", "site_id", "therapist_id", "arm", "problem_area", "area_set_day", "age", "sex"]


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    table = trial_table()
    return table[table["patient_id"].isin(table["patient_id"].unique()[:60])].reset_index(drop=True)


def scores_of(cohort) -> pd.DataFrame:
    """Scores with what stands beside them; keys are random, so that a person is known by the rest."""
    table = cohort.assessments[(cohort.assessments["item"] == 0) & cohort.assessments["value"].notna()]
    about = cohort.episodes[["patient_id", "arm", "problem_area_primary", "area_set_day"]].astype(str)
    about = about.merge(cohort.patients[["patient_id", "age", "sex"]], on="patient_id")
    table = table[["patient_id", "instrument", "week", "value"]].merge(about, on="patient_id")
    columns = [name for name in table.columns if name != "patient_id"]
    table["week"] = table["week"].round(3)
    return table[columns].astype({"sex": str, "value": float}).sort_values(columns, ignore_index=True)


def shape_of(trial: pd.DataFrame, shape: str) -> pd.DataFrame:
    if shape == "long":
        return trial
    wide = trial[ABOUT].drop_duplicates("patient_id").set_index("patient_id")
    for name in ("phq9", "hrsd17"):
        scores = trial.pivot(index="patient_id", columns="week", values=name).dropna(axis=1, how="all")
        wide = wide.join(scores.rename(columns=lambda week, name=name: f"{name}__{week:g}"))
    return wide.reset_index()


def renamed(table: pd.DataFrame, headings: dict[str, str], words: dict[str, dict[str, str]]) -> pd.DataFrame:
    table = table.copy()
    for field, codes in words.items():
        table[field] = table[field].map(codes)
    names = {}
    for column in table.columns:
        name, sign, week = column.partition("__")
        names[column] = headings.get(name, name) + (f" week {week}" if sign else "")
    return table.rename(columns=names)


def choice(of: dict[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({name: st.sampled_from(options) for name, options in of.items()})


SLOW = {"max_examples": 30, "deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(**SLOW)
@given(
    headings=choice(HEADINGS),
    words=st.fixed_dictionaries({field: choice(codes) for field, codes in WORDS.items()}),
    shape=st.sampled_from(["long", "wide"]),
    order=st.randoms(use_true_random=False),
)
def test_whatever_it_is_called_it_is_the_same_cohort(trial, headings, words, shape, order):
    table = renamed(shape_of(trial, shape), headings, words)
    columns = list(table.columns)
    order.shuffle(columns)
    proposal = propose_mapping(table[columns])
    assert proposal.undecided == ()
    made = ipt.load_cohort(table[columns], proposal.mapping)
    pd.testing.assert_frame_equal(scores_of(made), scores_of(ipt.load_cohort(trial)))


@settings(**SLOW | {"max_examples": 12})
@given(
    headings=choice(HEADINGS),
    words=st.fixed_dictionaries({field: choice(codes) for field, codes in WORDS.items()}),
    names=st.permutations(["one", "two", "three"]),
)
def test_in_three_files_it_is_the_same_cohort(trial, tmp_path_factory, headings, words, names):
    folder = tmp_path_factory.mktemp("tables")
    parts = (["patient_id", "age", "sex"], [*ABOUT[:6]], ["patient_id", "week", "phq9", "hrsd17"])
    for name, columns in zip(names, parts, strict=True):
        own = {field: codes for field, codes in words.items() if field in columns}
        table = trial[columns] if "week" in columns else trial[columns].drop_duplicates()
        renamed(table, headings, own).to_csv(folder / f"{name}.csv", index=False)
    proposal = propose_mapping(folder)
    assert proposal.undecided == ()
    made = ipt.load_cohort(folder, proposal.mapping)
    pd.testing.assert_frame_equal(scores_of(made), scores_of(ipt.load_cohort(trial)))


def test_numbers_with_value_labels_in_an_spss_file(trial, tmp_path):
    wide = shape_of(trial, "wide").rename(columns=lambda name: name.replace("__", "_w"))
    labels, coded = {}, wide.copy()
    for field in ("arm", "problem_area", "sex"):
        levels = sorted(wide[field].dropna().unique())
        labels[field] = {float(number): WORDS[field][level][-1] for number, level in enumerate(levels, start=1)}
        coded[field] = wide[field].map({level: float(number) for number, level in enumerate(levels, start=1)})
    told = {"phq9_w0": "PHQ-9 total, baseline", "arm": "Allocated group"}
    file = tmp_path / "trial.sav"
    pyreadstat.write_sav(coded, file, variable_value_labels=labels, column_labels=told)
    proposal = propose_mapping(file)
    assert proposal.undecided == ()
    made = ipt.load_cohort(file, proposal.mapping)
    pd.testing.assert_frame_equal(scores_of(made), scores_of(ipt.load_cohort(trial)))


def test_items_beside_nothing_else_give_the_totals_of_the_trial(trial):
    """Totals split into items, one row per person: the sums are the totals again."""
    rng = np.random.default_rng(5)
    long = trial[["patient_id", "week", "phq9", "arm", "problem_area", "area_set_day", "age", "sex"]].dropna()
    items = np.zeros((len(long), 9), dtype=int)
    for row, total in enumerate(long["phq9"].astype(int)):
        while items[row].sum() < total:
            free = np.flatnonzero(items[row] < 3)
            items[row, rng.choice(free)] += 1
    columns = [f"phq9_{number}" for number in range(1, 10)]
    split = pd.concat([long.reset_index(drop=True), pd.DataFrame(items, columns=columns)], axis=1).drop(columns="phq9")
    about = split.drop(columns=["week", *columns]).drop_duplicates("patient_id").set_index("patient_id")
    wide = split.pivot(index="patient_id", columns="week", values=columns)
    wide.columns = [f"{item}_w{week:g}" for item, week in wide.columns]
    table = about.join(wide).reset_index()
    proposal = propose_mapping(table)
    assert proposal.undecided == ()
    made = scores_of(ipt.load_cohort(table, proposal.mapping))
    wanted = scores_of(ipt.load_cohort(long))
    pd.testing.assert_frame_equal(made, wanted)
