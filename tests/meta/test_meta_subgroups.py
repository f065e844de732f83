"""Subgroup analysis."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta import pool, subgroups

Y = [0.1, 0.5, 0.9, 0.3, -0.2, 0.6]
V = [0.02, 0.05, 0.03, 0.04, 0.02, 0.06]


def test_common_tau2_against_metafor(reference):
    loaded = reference("meta/metareg_bcg")
    data, expected = loaded["data"], loaded["outputs"]["subgroup_common_tau2"]
    result = subgroups(data["yi"], data["vi"], by=data["alloc"], test="z", common_tau2=True)
    groups = result.groups
    assert ["alloc" + name for name in groups["level"]] == expected["coef_names"]
    for theirs, ours in {
        "b": "estimate",
        "se": "se",
        "pval": "p_value",
        "ci_lb": "ci_low",
        "ci_ub": "ci_high",
    }.items():
        assert groups[ours].tolist() == pytest.approx(expected[theirs], rel=1e-6)
    assert result.common_tau2 == pytest.approx(expected["tau2"], rel=1e-6)
    assert groups["tau2"].tolist() == [result.common_tau2] * 3
    assert groups["q"].sum() == pytest.approx(expected["QE"], rel=1e-10)
    assert result.f_between is None


def test_separate_tau2_against_metafor(reference):
    loaded = reference("meta/metareg_bcg")
    data = loaded["data"]
    result = subgroups(data["yi"], data["vi"], by=data["alloc"], test="z")
    names = {"b": "estimate", "se": "se", "pval": "p_value", "ci_lb": "ci_low", "ci_ub": "ci_high", "k": "k"}
    names |= {"tau2": "tau2", "I2": "i2", "QE": "q", "pi_lb": "prediction_low", "pi_ub": "prediction_high"}
    for level, expected in loaded["outputs"]["subgroup_separate_tau2"].items():
        row = result.groups.set_index("level").loc[level]
        for theirs, ours in names.items():
            assert row[ours] == pytest.approx(expected[theirs], rel=1e-6), (level, ours)
    assert result.common_tau2 is None
    estimates, se = result.groups["estimate"], result.groups["se"]
    mean = np.average(estimates, weights=se**-2)
    assert result.q_between == pytest.approx((((estimates - mean) / se) ** 2).sum(), rel=1e-12)
    assert result.q_between_p_value == pytest.approx(stats.chi2.sf(result.q_between, 2), rel=1e-12)


def test_common_tau2_equals_a_regression_of_the_levels():
    """F and chi-squared of the levels against the textbook formula on full matrices."""
    by = np.array(["a", "a", "b", "b", "c", "c"])
    result = subgroups(Y, V, by=by, common_tau2=True)
    y, w = np.array(Y), 1 / (np.array(V) + result.common_tau2)
    x = np.column_stack([np.ones(6), by == "b", by == "c"]).astype(float)
    inverse = np.linalg.inv(x.T @ (w[:, None] * x))
    beta = inverse @ (x.T @ (w * y))
    scale = (w * (y - x @ beta) ** 2).sum() / 3
    wald = beta[1:] @ np.linalg.inv(inverse[1:, 1:]) @ beta[1:]
    assert result.q_between == pytest.approx(wald, rel=1e-9)
    assert result.f_between == pytest.approx(wald / 2 / scale, rel=1e-9)
    assert result.f_between_df == (2, 3)
    assert result.f_between_p_value == pytest.approx(stats.f.sf(result.f_between, 2, 3), rel=1e-9)
    assert "F(2, 3)" in result.summary()


def test_order_of_levels():
    by = ["wl", "cau", "wl", "cau", "wl", "cau"]
    assert subgroups(Y, V, by=by).groups["level"].tolist() == ["cau", "wl"]
    own = pd.Categorical(by, categories=["wl", "pla", "cau"])
    assert list(subgroups(Y, V, by=own).pooled) == ["wl", "cau"]
    assert list(subgroups(Y, V, by=[2, 10, 2, 10, 2, 10]).pooled) == [2, 10]
    mixed = subgroups(Y, V, by=pd.Series([2, "a", 2, "a", 2, "a"], dtype=object))
    assert list(mixed.pooled) == [2, "a"]


@pytest.mark.parametrize("common", [False, True])
def test_missing_levels_and_missing_effects_are_counted_apart(common):
    y = [*Y, np.nan, 0.4]
    result = subgroups(y, [*V, 0.1, 0.1], by=["a", "a", "b", "b", "a", "b", "a", None], common_tau2=common)
    assert (result.n_dropped, result.n_missing_level) == (1, 1)
    assert result.groups["k"].tolist() == [3, 3]
    assert "1 row without a level was" in result.summary()
    without = subgroups(Y, V, by=["a", "a", "b", "b", "a", "b"], common_tau2=common)
    pd.testing.assert_frame_equal(result.groups, without.groups)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("common", [False, True])
def test_single_level_has_no_test(common):
    result = subgroups(Y, V, by=["a"] * 6, common_tau2=common)
    assert (result.q_between, result.q_between_df, result.q_between_p_value) == (None, None, None)
    assert result.f_between is None
    assert "only one level" in result.notes[0]
    assert result.groups["estimate"][0] == pytest.approx(pool(Y, V).estimate, rel=1e-12)
    assert result.groups["ci_low"][0] == pytest.approx(pool(Y, V).ci_low, rel=1e-9)


def test_level_with_one_study_is_that_study():
    by = ["a", "a", "a", "b", "a", "a"]
    row = subgroups(Y, V, by=by).groups.set_index("level").loc["b"]
    assert (row["estimate"], row["k"], row["se"]) == (0.3, 1, pytest.approx(0.2))
    shared = subgroups(Y, V, by=by, common_tau2=True)
    assert shared.groups.set_index("level").loc["b", "estimate"] == pytest.approx(0.3)
    assert "One study only in b" in shared.summary()


@pytest.mark.parametrize("common", [False, True])
def test_every_study_its_own_level(common):
    result = subgroups(Y[:3], V[:3], by=["a", "b", "c"], common_tau2=common)
    assert result.groups["estimate"].tolist() == pytest.approx(Y[:3])
    assert all(one.test == "z" for one in result.pooled.values())
    assert result.f_between is None
    assert result.q_between_df == 2


def test_nothing_to_compare():
    with pytest.raises(DesignError, match="no row has"):
        subgroups(Y, V, by=[None] * 6)
    with pytest.raises(DesignError, match="one entry per effect"):
        subgroups(Y, V, by=["a"])
