"""A long trial made wide under several styles of names is proposed, loaded, and equals the long one."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipt_outcomes as ipt
from ipt_outcomes.io import propose_mapping
from ipt_outcomes.simulate import trial_table

INSTRUMENTS = {"phq9": "PHQ-9", "hrsd17": "HAMD17"}
STYLES = {
    "phq9_w4": lambda name, week: f"{name}_w{week:g}",
    "w4_phq9": lambda name, week: f"w{week:g}_{name}",
    "PHQ9.week4": lambda name, week: f"{name.upper()}.week{week:g}",
    "Week 4 PHQ-9 total": lambda name, week: f"Week {week:g} {INSTRUMENTS[name]} total",
    "phq9_4wk": lambda name, week: f"{name}_{week:g}wk",
    "phq9Week4": lambda name, week: f"{name}Week{week:g}",
    "phq9_score_Woche_4": lambda name, week: f"{name}_score_Woche_{week:g}",
    "phq9_baseline": lambda name, week: f"{name}_baseline" if week == 0 else f"{name}_wk{week:g}",
    "phq9_semana4": lambda name, week: f"{name}_semana{week:g}",
    "phq9.d28": lambda name, week: f"{name}.d{week * 7:g}",
}
ABOUT = ["patient_id", "site_id", "therapist_id", "arm", "problem_area", "area_set_day", "age", "sex"]


def wide_from(table: pd.DataFrame, style) -> pd.DataFrame:
    """One row per person, a column for each instrument and week."""
    wide = table[ABOUT].drop_duplicates("patient_id").set_index("patient_id")
    for name in INSTRUMENTS:
        scores = table.pivot(index="patient_id", columns="week", values=name).dropna(axis=1, how="all")
        wide = wide.join(scores.rename(columns=lambda week, name=name: style(name, week)))
    return wide.reset_index()


def scores_of(cohort: ipt.io.Cohort, keys: str = "observed") -> pd.DataFrame:
    """Observed scores with what stands beside them, without keys, in an order of their own."""
    table = cohort.assessments[cohort.assessments["value"].notna()]
    people = cohort.episodes[["patient_id", "arm", "problem_area_primary"]].astype(str)
    people = people.merge(cohort.patients[["patient_id", "age", "sex"]], on="patient_id")
    table = table[["patient_id", "instrument", "week", "value"]].merge(people, on="patient_id")
    columns = ["arm", "problem_area_primary", "age", "sex", "instrument", "week", "value"]
    table["week"] = table["week"].round(3)
    return table[columns].astype({"sex": str}).sort_values(columns, ignore_index=True)


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return trial_table()


@pytest.mark.parametrize("style", list(STYLES))
def test_wide_equals_long(trial, style):
    wide = wide_from(trial, STYLES[style])
    proposal = propose_mapping(wide)
    assert proposal.undecided == ()
    assert {line.sure for line in proposal.lines} == {"sure"}
    long, made = ipt.load_cohort(trial), ipt.load_cohort(wide, proposal.mapping)
    assert len(made.patients) == len(long.patients)
    pd.testing.assert_frame_equal(scores_of(made), scores_of(long))


def test_each_person_keeps_the_own_scores(trial):
    wide = wide_from(trial, STYLES["phq9_w4"])
    made = ipt.load_cohort(wide, propose_mapping(wide).mapping)
    per_person = made.assessments.groupby("patient_id")["value"].apply(lambda v: tuple(sorted(v.dropna())))
    melted = trial.melt("patient_id", list(INSTRUMENTS), value_name="value")
    expected = melted.dropna().groupby("patient_id")["value"].apply(lambda v: tuple(sorted(v.astype(float))))
    assert sorted(per_person) == sorted(expected)


@settings(max_examples=25, deadline=None)
@given(
    weeks=st.lists(st.integers(0, 104), min_size=2, max_size=5, unique=True),
    style=st.sampled_from(sorted(STYLES)),
    name=st.sampled_from(["phq9", "gad7", "madrs", "epds", "cesd", "wsas", "core10", "bai"]),
    seed=st.integers(0, 2**16),
)
def test_any_weeks_and_instruments_go_round(weeks, style, name, seed):
    weeks = sorted({0, *weeks})
    rng = np.random.default_rng(seed)
    maximum = int(ipt.instruments.instrument(name).maximum or 0)
    values = rng.integers(0, maximum + 1, size=(6, len(weeks)))
    INSTRUMENTS.setdefault(name, name)
    headings = [STYLES[style](name, week) for week in weeks]
    wide = pd.DataFrame(values, columns=headings)
    wide.insert(0, "subject_id", [f"s{n}" for n in range(6)])
    rows = [
        {"subject_id": f"s{n}", "week": week, name: values[n, place]}
        for n, (place, week) in itertools.product(range(6), enumerate(weeks))
    ]
    proposal = propose_mapping(wide)
    assert proposal.undecided == ()
    made = ipt.load_cohort(wide, proposal.mapping).assessments
    long = ipt.load_cohort(pd.DataFrame(rows)).assessments
    columns = ["instrument", "week", "value"]
    made["week"] = made["week"].round(3)
    assert made[columns].value_counts().to_dict() == long[columns].value_counts().to_dict()


CELLS = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(), st.text(max_size=12), st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    headings=st.lists(
        st.text(min_size=1, max_size=25).map(str.strip).filter(bool), min_size=1, max_size=5, unique=True
    ),
    data=st.data(),
)
def test_any_frame_gets_a_proposal_or_one_clear_error(headings, data):
    import tomllib

    from ipt_outcomes.errors import IptError

    n = data.draw(st.integers(1, 6))
    columns = {name: data.draw(st.lists(CELLS, min_size=n, max_size=n)) for name in headings}
    try:
        proposal = propose_mapping(
            pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
        )
    except IptError:
        return
    read = tomllib.loads(proposal.to_toml())
    assert set(read.get("undecided", [])) == set(proposal.undecided if proposal.kind == "cohort" else ())
    assert proposal.summary()
    assert proposal._repr_html_()
