"""Case mix and attrition: against statsmodels, reference values and identities."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.clinic import attrition, case_mix
from ipt_outcomes.errors import ConvergenceError, DataError, DesignError, OptionError


@pytest.fixture(scope="module")
def therapists(shared):
    return pd.read_csv(shared / "data" / "clinic" / "made_therapists.csv")


@pytest.mark.shared
def test_expected_is_the_sum_of_the_chances_of_a_logistic_model(therapists):
    import statsmodels.formula.api as smf

    found = case_mix(therapists, "recovered ~ phq0 + wsas0 + female", by="therapist")
    fit = smf.logit("recovered ~ phq0 + wsas0 + female", therapists).fit(disp=0)
    np.testing.assert_allclose(found.coefficients["estimate"], fit.params, rtol=1e-6)
    np.testing.assert_allclose(found.coefficients["se"], fit.bse, rtol=1e-5)
    chance = fit.predict(therapists)
    sums = pd.DataFrame({"o": therapists["recovered"], "e": chance, "v": chance * (1 - chance)})
    wanted = sums.groupby(therapists["therapist"]).sum()
    assert found.units["unit"].tolist() == wanted.index.tolist()
    np.testing.assert_allclose(found.units["expected"], wanted["e"], rtol=1e-6)
    np.testing.assert_allclose(
        found.units["z"], (wanted["o"] - wanted["e"]) / np.sqrt(wanted["v"]), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        found.units["adjusted_rate"], wanted["o"] / wanted["e"] * therapists["recovered"].mean(), rtol=1e-6
    )


@pytest.mark.shared
def test_all_units_together_are_as_expected(therapists):
    binary = case_mix(therapists, "recovered ~ phq0 + female", by="site")
    assert binary.units["observed"].sum() == pytest.approx(binary.units["expected"].sum(), rel=1e-8)
    score = case_mix(therapists, "phq1 ~ phq0 + female", by="site", family="gaussian").units
    assert (score["n"] * (score["observed"] - score["expected"])).sum() == pytest.approx(0, abs=1e-6)


@pytest.mark.shared
def test_rows_that_lack_a_covariate_are_counted(therapists):
    holes = therapists.assign(phq0=therapists["phq0"].where(therapists.index >= 5))
    found = case_mix(holes, "recovered ~ phq0", by="therapist")
    assert found.n_left_out == 5
    assert found.units["n"].sum() == len(therapists) - 5


@settings(max_examples=20)
@given(st.randoms())
def test_the_order_of_rows_does_not_matter(order):
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"x": rng.normal(size=80), "unit": rng.integers(0, 4, 80)})
    people["y"] = (rng.random(80) < 1 / (1 + np.exp(-people["x"]))).astype(bool)
    places = list(range(80))
    order.shuffle(places)
    there = case_mix(people, "y ~ x", by="unit").units
    back = case_mix(people.iloc[places].reset_index(drop=True), "y ~ x", by="unit").units
    pd.testing.assert_frame_equal(there, back, rtol=1e-9)


def test_what_cannot_be_compared_is_refused_in_words():
    people = pd.DataFrame({"y": [0, 0, 1, 1], "x": [1, 2, 3, 4], "unit": ["a", "b", "a", "b"]})
    with pytest.raises(ConvergenceError, match="no finite answer"):
        case_mix(people, "y ~ x", by="unit")
    with pytest.raises(DataError, match="0 and 1"):
        case_mix(people.assign(y=[0, 1, 2, 1]), "y ~ x", by="unit")
    with pytest.raises(DesignError, match="same value"):
        case_mix(people.assign(y=1), "y ~ x", by="unit")
    with pytest.raises(OptionError, match="wsas"):
        case_mix(people, "y ~ wsas", by="unit")


@pytest.mark.shared
def test_attrition_is_that_of_the_reference(shared):
    case = json.loads((shared / "reference/clinic/attrition_browne_madrs.json").read_text(encoding="utf-8"))
    wide = pd.read_csv(shared / "data" / "clinic" / case["file"])
    names = {"madrsv1": "base", "madrst2": "m6", "madrst3": "y1", "madrst4": "y2"}
    arms = wide["group"].map({1: "med", 2: "ipt+med", 3: "ipt"})
    rows = pd.concat(
        pd.DataFrame({"patient_id": wide["id"], "arm": arms, "visit": visit, "value": wide[column]})
        for column, visit in names.items()
    ).reset_index(drop=True)
    found = attrition(rows).set_index(["arm", "visit"])
    for row in case["rows"]:
        for visit in names.values():
            assert found.loc[(row["arm"], visit), "n"] == row[visit]
        assert found.loc[(row["arm"], "base"), "n_group"] == row["n"]
        for visit, end in (("base", "0"), ("m6", "6")):
            assert found.loc[(row["arm"], visit), "mean"] == pytest.approx(row[f"mean{end}"], rel=1e-9)
            assert found.loc[(row["arm"], visit), "sd"] == pytest.approx(row[f"sd{end}"], rel=1e-9)


def test_attrition_shows_who_left_and_refuses_what_it_cannot_count():
    rows = pd.DataFrame(
        {
            "arm": "ipt",
            "patient_id": [1, 2, 3, 1, 2],
            "visit": [0, 0, 0, 1, 1],
            "value": [20.0, 24.0, 27.0, 9.0, np.nan],
        }
    )
    found = attrition(rows)
    assert found["n"].tolist() == [3, 1]
    assert found["percent"].tolist() == pytest.approx([100, 100 / 3])
    assert found["mean_first_of_lost"].tolist()[1] == pytest.approx(25.5)
    assert np.isnan(found["sd"].iloc[1])
    with pytest.raises(DesignError, match="share their person and visit"):
        attrition(pd.concat([rows, rows]))
    with pytest.raises(DesignError, match="two groups"):
        attrition(rows.assign(arm=["ipt", "ipt", "ipt", "cbt", "ipt"]))
    with pytest.raises(DesignError, match="not there: arm"):
        attrition(rows.drop(columns="arm"))
