"""l-diversity and t-closeness: against pycanon's readings, against plain loops, in what the gate says."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.exchange import read_saved, save_cohort
from ipt_outcomes.privacy.diversity import MEANING, SENSITIVE, Diversity, diversities, diversity
from ipt_outcomes.privacy.quasi import top_ages, zip3
from ipt_outcomes.schemas import load_schema


def banded(table):
    ages = top_ages(table["age"].to_numpy(dtype=float))[0].astype(int)
    bands = [f"{age}+" if age >= 90 else f"{age // 10 * 10}-{age // 10 * 10 + 9}" for age in ages]
    return table.assign(age=bands, zip=[zip3(code) for code in table["zip"]])


@pytest.mark.parametrize(
    ("level", "columns"),
    [
        ("as_is", ["age", "sex", "zip"]),
        ("age_bands_zip3", ["age", "sex", "zip"]),
        ("age_bands_no_zip", ["age", "sex"]),
        ("age_bands_no_zip_small_groups_removed", ["age", "sex"]),
    ],
)
def test_the_numbers_are_those_of_the_reference(reference, level, columns):
    known = reference("io/kanonymity")
    table = pd.DataFrame(known["data"])
    data = table if level == "as_is" else banded(table)
    if level.endswith("removed"):
        data = data[data.groupby(["age", "sex"])["area"].transform("size") >= 3]
    found = diversity(data.assign(patient_id=range(len(data))), columns, known["sensitive"])
    assert found.l == known[level]["l"]
    assert found.t == pytest.approx(known[level]["t"], abs=5e-7)


LEVELS = st.sampled_from(["a", "b", "c", None])
TABLES = st.lists(st.tuples(LEVELS, st.sampled_from([1.0, 2.0, float("nan")]), LEVELS), min_size=1, max_size=40)


@given(TABLES)
def test_by_plain_loops(rows):
    table = pd.DataFrame(rows, columns=["sex", "age", "area"]).assign(patient_id=range(len(rows)))
    found = diversity(table, ["sex", "age"], "area")

    def plain(cell):
        return None if cell is None or cell != cell else cell

    groups = {}
    for sex, age, area in rows:
        groups.setdefault((plain(sex), plain(age)), []).append(area)
    everybody = [area for _, _, area in rows]
    values = set(everybody)

    def share(cells, value):
        return cells.count(value) / len(cells)

    apart = [sum(abs(share(group, v) - share(everybody, v)) for v in values) / 2 for group in groups.values()]
    assert found.l == min(len(set(group)) for group in groups.values())
    assert found.t == pytest.approx(max(apart), abs=1e-12)
    assert found.exposed == sum(len(group) for group in groups.values() if len(set(group)) == 1)


@given(TABLES, st.randoms())
def test_the_order_of_rows_and_the_names_of_values_do_not_matter(rows, random):
    table = pd.DataFrame(rows, columns=["sex", "age", "area"]).assign(patient_id=range(len(rows)))
    order = list(range(len(rows)))
    random.shuffle(order)
    other = table.iloc[order].assign(area=lambda frame: frame["area"].map({"a": "z", "b": "y", "c": "x"}))
    one, two = diversity(table, ["sex", "age"], "area"), diversity(other, ["sex", "age"], "area")
    assert (one.l, one.exposed) == (two.l, two.exposed)
    assert one.t == pytest.approx(two.t, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "l", "t", "exposed"),
    [
        # One group tells what all tell.
        ([("f", "x"), ("f", "y")], 2, 0.0, 0),
        # Each group has a value of its own: nothing in common with half of all.
        ([("f", "x"), ("m", "y")], 1, 0.5, 2),
        ([("f", "x"), ("f", "x"), ("m", "x")], 1, 0.0, 3),
        ([("f", "x")] * 9 + [("m", "y")], 1, 0.9, 10),
    ],
)
def test_small_tables(rows, l, t, exposed):  # noqa: E741
    table = pd.DataFrame(rows, columns=["sex", "area"]).assign(patient_id=range(len(rows)))
    found = diversity(table, ["sex"], "area")
    assert (found.l, found.exposed) == (l, exposed)
    assert found.t == pytest.approx(t)


def cohort_of(**more):
    areas = ["grief", "role_dispute", "role_transition", "grief"]
    table = pd.DataFrame(
        {
            "patient_id": range(40), "week": 0, "phq9": 9, "sex": ["f", "m"] * 20, "age": [25, 26, 61, 62] * 10,
            "problem_area": areas * 10,
        }
    )  # fmt: skip
    return load_cohort(table.assign(**more))


def test_the_gate_tells_them_with_what_they_mean():
    gate = cohort_of(caution_mania=["no"] * 39 + ["yes"]).gate
    told = gate.measures().set_index("column")
    assert list(told.index) == ["problem_area_primary", "caution_mania"]
    assert told.loc["problem_area_primary", ["among", "l", "exposed"]].tolist() == ["sex, age", 1, 40]
    assert told.loc["caution_mania", ["l", "exposed"]].tolist() == [1, 30]
    text = gate.summary()
    assert "Measured, for people to judge:" in text
    assert "problem_area_primary in groups alike in sex, age: l = 1, t = 0.75; 40 people are in groups" in text
    assert MEANING in text
    assert "anonym" not in text.casefold()
    # Information is no finding: the rule of small groups has passed.
    assert "L9" in gate.passed


def test_without_columns_that_make_groups_or_are_sensitive_nothing_is_measured():
    table = pd.DataFrame({"patient_id": range(8), "phq9": 3, "week": 0})
    assert load_cohort(table).gate.measured == ()
    assert load_cohort(table.assign(sex="f")).gate.measured == ()
    assert load_cohort(table.assign(problem_area="grief")).gate.measured == ()
    assert "Measured" not in load_cohort(table).gate.summary()


def test_risk_flags_count_once_per_episode():
    patients = pd.DataFrame({"patient_id": list("abcd"), "sex": ["f", "f", "m", "m"]})
    episodes = pd.DataFrame({"episode_id": list("wxyz"), "patient_id": list("abcd")})
    scores = pd.DataFrame({"episode_id": list("wwxyz"), "risk": pd.array([None, True, False, False, None], "boolean")})
    (found,) = diversities(patients, episodes, scores, ("sex", "absent"))
    assert (found.column, found.l, found.exposed) == ("risk", 1, 2)
    assert found.t == pytest.approx(0.25)
    assert diversities(patients, episodes, scores.assign(risk=pd.array([None] * 5, "boolean")), ("sex",)) == ()


def test_a_person_of_two_episodes_is_one_person():
    patients = pd.DataFrame({"patient_id": ["a", "b"], "sex": ["f", "m"]})
    episodes = pd.DataFrame({"episode_id": [1, 2, 3], "patient_id": ["a", "a", "b"], "diagnosis_code": "F32"})
    (found,) = diversities(patients, episodes, pd.DataFrame({"episode_id": []}), ("sex",))
    assert found.exposed == 2


def test_sensitive_columns_are_fields_of_the_dictionary():
    known = {entry.name for name in ("patients", "episodes") for entry in load_schema(name).fields}
    assert set(SENSITIVE) <= known | {"risk"}


def test_they_come_back_with_a_saved_cohort(tmp_path):
    cohort = cohort_of()
    folder = save_cohort(cohort, tmp_path / "saved", rows_for="own_team")
    assert read_saved(folder).gate == cohort.gate
    record = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))["ipt:cohort"]["gate"]
    assert record["measured"][0]["column"] == "problem_area_primary"


def test_one_person_in_the_singular():
    found = Diversity(column="risk", among=("sex",), l=1, t=1 / 3, exposed=1)
    assert found.sentence.endswith("l = 1, t = 0.33; 1 person is in groups in which all have the same value")
    assert np.isclose(found.t, 1 / 3)
