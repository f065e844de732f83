"""Meta-regression against metafor; coding of moderators; refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import regression, subgroups

COLUMNS = {"b": "estimate", "se": "se", "zval": "statistic", "pval": "p_value", "ci_lb": "ci_low", "ci_ub": "ci_high"}


@pytest.fixture
def bcg(reference):
    return reference("meta/metareg_bcg")


@pytest.mark.parametrize(
    "key", ["REML_z", "REML_knha", "DL_z", "DL_knha", "ML_z", "ML_knha", "PM_z", "PM_knha", "FE_z", "ablat_REML_knha"]
)
def test_agrees_with_metafor(bcg, key):
    data, expected = bcg["data"], bcg["outputs"][key]
    moderators = {"ablat": data["ablat"]}
    if not key.startswith("ablat"):
        moderators["alloc"] = data["alloc"]
    method, test = key.removeprefix("ablat_").split("_")
    result = regression(
        data["yi"], data["vi"], moderators, tau2="common" if method == "FE" else method,
        test="knapp-hartung" if test == "knha" else "z",
    )  # fmt: skip
    rtol = 1e-9 if method in {"DL", "FE"} else 1e-6
    for theirs, ours in COLUMNS.items():
        np.testing.assert_allclose(result.coefficients[ours], expected[theirs], rtol=rtol, atol=1e-12)
    for theirs, ours in {"tau2": "tau2", "I2": "i2", "H2": "h2", "QE": "qe", "QEp": "qe_p_value", "QM": "qm",
                         "QMp": "qm_p_value", "k": "k"}.items():  # fmt: skip
        assert getattr(result, ours) == pytest.approx(expected[theirs], rel=1e-6), ours
    if method != "FE":  # there R gives another R2, of the weighted regression
        assert result.r2 == pytest.approx(expected["R2"], rel=1e-6)
    if "vcov" in expected:
        np.testing.assert_allclose(result.vcov, expected["vcov"], rtol=1e-5, atol=1e-12)


def test_predictions_agree_with_metafor(bcg):
    data, expected = bcg["data"], bcg["outputs"]["ablat_predict_10_30_50"]
    fitted = regression(data["yi"], data["vi"], {"ablat": data["ablat"]})
    frame = fitted.predict({"ablat": [10, 30, 50]})
    for theirs, ours in {"pred": "estimate", "se": "se", "ci_lb": "ci_low", "ci_ub": "ci_high",
                         "pi_lb": "prediction_low", "pi_ub": "prediction_high"}.items():  # fmt: skip
        np.testing.assert_allclose(frame[ours], expected[theirs], rtol=1e-6)
    with pytest.raises(OptionError, match="ablat"):
        fitted.predict({"year": [1980]})


def test_names_and_term_tests(bcg):
    data = bcg["data"]
    result = regression(data["yi"], data["vi"], pd.DataFrame({"alloc": data["alloc"], "ablat": data["ablat"]}))
    names = ["(Intercept)", "alloc[random]", "alloc[systematic]", "ablat"]
    assert result.coefficients["term"].tolist() == names
    assert result.terms["moderator"].tolist() == ["alloc", "ablat"]
    t = result.coefficients.set_index("term").loc["ablat", "statistic"]
    assert result.terms["statistic"][1] == pytest.approx(t**2, rel=1e-10)
    assert "fewer than 10" in result.summary()
    assert result.to_dict()["coefficients"][0]["term"] == "(Intercept)"


def test_a_category_tests_like_subgroups_with_a_common_variance(bcg):
    data = bcg["data"]
    result = regression(data["yi"], data["vi"], {"alloc": data["alloc"]})
    groups = subgroups(data["yi"], data["vi"], by=data["alloc"], common_tau2=True)
    assert result.qm == pytest.approx(groups.f_between, rel=1e-9)
    assert result.tau2 == pytest.approx(groups.common_tau2, rel=1e-9)


def test_a_full_interaction_is_a_line_per_level(bcg):
    data = bcg["data"]
    frame = pd.DataFrame({"ablat": data["ablat"], "random": np.array(data["alloc"]) == "random"})
    result = regression(data["yi"], data["vi"], frame, interactions=[("ablat", "random")], tau2="common")
    assert result.coefficients["term"].tolist()[-1] == "ablat:random[True]"
    b = result.coefficients["estimate"]
    chosen = frame["random"].to_numpy()
    y, v, x = np.array(data["yi"]), np.array(data["vi"]), np.array(data["ablat"], dtype=float)
    alone = regression(y[chosen], v[chosen], {"ablat": x[chosen]}, tau2="common").coefficients["estimate"]
    np.testing.assert_allclose([b[0] + b[2], b[1] + b[3]], alone, rtol=1e-9)


def test_missing_moderators_are_left_out_and_counted():
    y, v = [0.1, 0.2, 0.5, 0.4, np.nan], [0.1] * 5
    result = regression(y, v, {"x": [1, 2, None, 4, 5], "g": ["a", "b", "a", "a", "b"]}, test="z")
    assert (result.k, result.n_dropped) == (3, 2)
    assert result.positions.tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("moderators", "message"),
    [
        ({"x": [1, 1, 1, 1]}, "linearly dependent"),
        ({"x": [1, 2, 3, 4], "z": [2, 4, 6, 8]}, "linearly dependent"),
        ({"g": ["a", "a", "a", "a"]}, "1 level"),
        ({"x": [1, 2]}, "one value per effect"),
        ({"g": ["a", "b", "c", "d"], "x": [1, 2, 3, 5]}, "only 4 studies"),
    ],
)
def test_singular_moderators_are_refused(moderators, message):
    with pytest.raises(DesignError, match=message):
        regression([0.1, 0.2, 0.5, 0.4], [0.1] * 4, moderators)


def test_unknown_interaction_is_refused():
    with pytest.raises(OptionError, match="sesions"):
        regression([0.1, 0.2, 0.5, 0.4], [0.1] * 4, {"sessions": [1, 2, 3, 4]}, interactions=[("sessions", "sesions")])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_units_of_a_moderator_do_not_matter(seed, scale, shift):
    rng = np.random.default_rng(seed)
    v, x = rng.uniform(0.02, 0.3, 9), rng.normal(0, 1, 9)
    y = rng.normal(0.3 + 0.2 * x, np.sqrt(v + 0.1))
    one, other = regression(y, v, {"x": x}), regression(y, v, {"x": scale * x + shift})
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-5, abs=1e-9)
    assert other.qm == pytest.approx(one.qm, rel=1e-4)
    assert other.coefficients["estimate"][1] * scale == pytest.approx(
        one.coefficients["estimate"][1], rel=1e-4, abs=1e-9
    )
