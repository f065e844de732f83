"""Shrunken estimates of therapists against lme4, and what a small caseload shows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.clinic import unit_effects
from ipt_outcomes.errors import OptionError


@pytest.fixture(scope="module")
def people(shared):
    return pd.read_csv(shared / "data" / "clinic" / "made_therapists.csv")


def expected(shared, name):
    return json.loads((shared / "reference" / "clinic" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.shared
def test_linear_estimates_are_those_of_lme4(shared, people):
    case = expected(shared, "therapist_shrinkage_lmm")
    cases = people[people["phq0"] >= 10].reset_index(drop=True)
    found = unit_effects(cases, "phq1 ~ phq0 + wsas0 + female", by="therapist", min_caseload=1)
    units = found.units.set_index("unit")
    wanted = pd.DataFrame(case["rows"]).set_index("therapist").sort_index()
    assert units.index.tolist() == wanted.index.tolist()
    assert units["n"].tolist() == wanted["n"].tolist()
    np.testing.assert_allclose(units["estimate"], wanted["blup"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(units["sd"], wanted["condsd"], rtol=1e-4)
    assert found.icc == pytest.approx(case["icc"], rel=1e-4)
    assert found.sd_units**2 == pytest.approx(case["var_therapist"], rel=1e-4)


@pytest.mark.shared
def test_logistic_estimates_are_those_of_lme4(shared, people):
    case = expected(shared, "therapist_shrinkage_glmm")
    cases = people[people["phq0"] >= 10].reset_index(drop=True)
    found = unit_effects(cases, "recovered ~ phq0 + wsas0 + female", by="therapist", family="binomial", min_caseload=1)
    wanted = pd.DataFrame(case["rows"]).set_index("therapist").sort_index()
    units = found.units.set_index("unit")
    assert found.sd_units == pytest.approx(case["sd_therapist"], rel=1e-3)
    np.testing.assert_allclose(units["estimate"], wanted["mode"], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(units["sd"], wanted["condsd"], rtol=1e-3)


@pytest.mark.shared
def test_a_small_caseload_is_in_the_model_but_not_shown(people):
    everything = unit_effects(people, "phq1 ~ phq0", by="therapist", min_caseload=1).units
    found = unit_effects(people, "phq1 ~ phq0", by="therapist", min_caseload=40)
    few = found.units["n"] < 40
    assert few.any()
    assert (found.units["reported"] == ~few).all()
    assert found.units.loc[few, ["estimate", "sd", "ci_low", "ci_high"]].isna().all(axis=None)
    np.testing.assert_allclose(found.units.loc[~few, "estimate"], everything.loc[~few, "estimate"])
    drawn = [text.get_text() for text in found.plot().get_yticklabels()]
    assert drawn == found.units.loc[~few, "unit"].tolist()[::-1]
    assert f"{int((~few).sum())} of {len(few)}" in found.summary()


def test_bad_options_are_refused():
    frame = pd.DataFrame({"y": [1.0, 2.0], "unit": ["a", "b"]})
    with pytest.raises(OptionError, match="min_caseload"):
        unit_effects(frame, "y ~ 1", by="unit", min_caseload=0)
    with pytest.raises(OptionError, match="family"):
        unit_effects(frame, "y ~ 1", by="unit", family="poisson")
