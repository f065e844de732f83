"""Pooling against reference values of metafor, and what pooling does with little or odd data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import ConvergenceError, DesignError, OptionError
from ipt_outcomes.meta import pool, tau2
from ipt_outcomes.meta.inputs import TAU2_METHODS

GRIDS = ("bcg_rr", "homogeneous_k4", "k2", "normand1999_smd", "raudenbush1985", "slow_reml")
TESTS = {"z": "z", "knha": "knapp-hartung", "adhoc": "knapp-hartung-adhoc"}
FIELDS = {
    "k": "k",
    "b": "estimate",
    "se": "se",
    "zval": "statistic",
    "pval": "p_value",
    "ci_lb": "ci_low",
    "ci_ub": "ci_high",
    "ddf": "df",
    "tau2": "tau2",
    "I2": "i2",
    "H2": "h2",
    "QE": "q",
    "QEp": "q_p_value",
    "pi_lb": "prediction_low",
    "pi_ub": "prediction_high",
}
COMBINATIONS = [(m, t) for m in TAU2_METHODS for t in TESTS if not (m == "common" and t != "z")]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("method", "test"), COMBINATIONS)
def test_grid_of_estimators_and_tests(reference, grid, method, test):
    case = reference(f"meta/rma_grid_{grid}")
    expected = case["outputs"][f"{'FE' if method == 'common' else method}_{test}"]
    result = pool(case["data"]["yi"], case["data"]["vi"], tau2=method, test=TESTS[test])
    rtol = 1e-10 if method in {"common", "DL", "HE", "HS", "SJ"} else 1e-6
    for theirs, ours in FIELDS.items():
        value = getattr(result, ours)
        if expected[theirs] in (None, []):
            assert value is None, ours
        else:
            assert value == pytest.approx(expected[theirs], rel=rtol, abs=1e-12), ours
    assert result.tau2_method == method
    assert result.test == TESTS[test]


def test_grids_have_no_other_output(reference):
    for grid in GRIDS:
        outputs = reference(f"meta/rma_grid_{grid}")["outputs"]
        assert set(outputs) <= {f"{'FE' if m == 'common' else m}_{t}" for m, t in COMBINATIONS}


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_likelihood_estimates_reach_1e_10(reference, method):
    """Against a long search of the likelihood on ever finer grids, which shares no step with Newton's."""
    for grid in ("bcg_rr", "slow_reml", "raudenbush1985", "normand1999_smd"):
        data = reference(f"meta/rma_grid_{grid}")["data"]
        y, v = np.array(data["yi"]), np.array(data["vi"])
        found = pool(y, v, tau2=method).tau2
        w = 1 / (v + found)
        p = np.diag(w) - np.outer(w, w) / w.sum()
        trace = np.trace(p) if method == "REML" else w.sum()
        slope = y @ p @ p @ y - trace
        curvature = np.trace(p @ p) if method == "REML" else w @ w
        step = slope / (2 * y @ p @ p @ p @ y - curvature)
        assert abs(step) <= 1e-10 * found


def test_two_hills_the_higher_one_wins():
    """A precise cluster with two far outliers has a likelihood with one maximum at 0 and one far out."""
    y = np.array([0.0, 0.01, -0.01, 0.005, 3.0])
    v = np.array([1e-4, 1e-4, 1e-4, 1e-4, 4.0])

    def log_likelihood(t):
        w = 1 / (v + t)
        mean = w @ y / w.sum()
        return 0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (y - mean) ** 2)

    found = pool(y, v, tau2="REML").tau2
    grid = np.concatenate(([0.0], np.geomspace(1e-9, 100, 20001)))
    assert log_likelihood(found) >= max(log_likelihood(t) for t in grid) - 1e-12


def test_many_random_likelihoods_are_at_their_global_maximum():
    rng = np.random.default_rng(11)
    for _ in range(150):
        k = int(rng.integers(2, 7))
        v = np.exp(rng.normal(-2, 2.5, k))
        y = rng.normal(0, np.sqrt(v + np.exp(rng.normal(-2, 2)))) * rng.choice([1, 1, 5])
        found = pool(y, v).tau2
        grid = np.concatenate(([found, 0.0], np.geomspace(1e-6 * v.min(), 10 * (np.ptp(y) ** 2), 3000)))
        w = 1 / (v[:, None] + grid)
        mean = (y @ w) / w.sum(axis=0)
        rss = (w * (y[:, None] - mean) ** 2).sum(axis=0)
        height = 0.5 * (np.log(w).sum(axis=0) - np.log(w.sum(axis=0)) - rss)
        assert height[0] >= height.max() - 1e-10


def test_no_convergence_is_an_error_with_attempts(monkeypatch):
    monkeypatch.setattr(tau2, "MAX_STEPS", 1)
    for method in ("REML", "ML", "PM"):
        with pytest.raises(ConvergenceError) as caught:
            pool([0.1, 0.9, 0.4, -0.6], [0.01, 0.02, 0.05, 0.01], tau2=method)
        assert caught.value.attempts


def test_knapp_hartung_narrower_than_z_carries_both(reference):
    data = reference("meta/rma_grid_homogeneous_k4")["data"]
    result = pool(data["yi"], data["vi"])
    assert result.narrower_than_z
    assert (result.z_ci_low, result.z_ci_high) == pytest.approx((-0.636289983298178, -0.204720117711922))
    assert "CI by z" in result.summary()
    assert "narrower" in result.summary()
    guarded = pool(data["yi"], data["vi"], test="knapp-hartung-adhoc")
    assert not guarded.narrower_than_z
    assert "narrower" not in guarded.summary()


def test_one_study_is_itself():
    result = pool([0.5], [0.04])
    assert (result.estimate, result.se, result.k) == (0.5, pytest.approx(0.2), 1)
    assert result.tau2 == 0
    assert (result.df, result.i2, result.h2, result.q_p_value) == (None, None, None, None)
    assert (result.prediction_low, result.prediction_high) == (None, None)
    assert result.test == "z"
    assert "more studies" in result.notes[0]
    assert "One study" in result.method
    assert result.provenance.options["test"] == "knapp-hartung"


@pytest.mark.parametrize("method", TAU2_METHODS)
def test_equal_effects_give_z_not_a_zero_interval(method):
    result = pool([0.3] * 5, [0.04, 0.05, 0.02, 0.09, 0.01], tau2=method)
    assert result.test == "z"
    assert result.se > 0.05
    assert result.estimate == pytest.approx(0.3, rel=1e-13)
    assert any("z test" in note for note in result.notes)


def test_common_effect_uses_z_and_says_so():
    result = pool([0.3, 0.5, 0.1], [0.04, 0.05, 0.02], tau2="common")
    assert result.test == "z"
    assert "random-effects models only" in result.summary()
    assert result.prediction_low is None


def test_rows_with_missing_values_are_left_out_and_counted():
    yi, vi = [0.3, None, 0.5, 0.1, float("nan")], [0.04, 0.02, float("nan"), 0.05, 0.03]
    result = pool(yi, vi)
    assert result.n_dropped == 3
    assert result.weights["position"].tolist() == [0, 3]
    assert result.estimate == pool([0.3, 0.1], [0.04, 0.05]).estimate
    assert "3 of 5 rows" in result.summary()
    for nullable in (
        pd.Series(yi, dtype="Float64"),
        pd.Series(yi, dtype=object),
        np.ma.masked_invalid([0.3, np.nan, 0.5, 0.1, np.nan]),
    ):
        assert pool(nullable, vi).estimate == result.estimate


def test_series_index_plays_no_part():
    y = pd.Series([0.3, 0.1, 0.7], index=[5, 5, 1])
    v = pd.Series([0.04, 0.05, 0.01], index=[9, 2, 5])
    assert pool(y, v).estimate == pool(y.to_numpy(), v.to_numpy()).estimate


@pytest.mark.parametrize(
    ("yi", "vi", "rows"),
    [
        ([0.1, 0.2, 0.3, 0.4], [0.1, 0.0, -1.0, 0.2], (1, 2)),
        ([0.1, np.inf, 0.3], [0.1, 0.1, 0.0], (1, 2)),
        ([np.nan, 0.2], [0.1, np.nan], (0, 1)),
        ([], [], ()),
        ([0.1, 0.2, 0.3], [1e-12, 0.1, 0.2], (0,)),
        (["0.1", 0.2, "x"], [0.1, 0.1, 0.1], (0, 2)),
    ],
)
def test_impossible_input_names_all_rows(yi, vi, rows):
    with pytest.raises(DesignError) as caught:
        pool(yi, vi)
    assert caught.value.rows == rows


@pytest.mark.parametrize(("yi", "vi"), [([0.1, 0.2], [0.1]), ([[0.1, 0.2]], [[0.1, 0.2]]), (0.1, 0.1)])
def test_shapes_must_agree(yi, vi):
    if np.ndim(yi) == 0:
        assert pool(yi, vi).k == 1
        return
    with pytest.raises(DesignError, match=r"shape|dimension"):
        pool(yi, vi)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"tau2": "reml"}, "tau2 must be one of"),
        ({"test": "t"}, "test must be one of"),
        ({"level": 95}, "level must lie"),
        ({"level": 0.0}, "level must lie"),
        ({"level": "high"}, "level must lie"),
    ],
)
def test_wrong_options(options, match):
    with pytest.raises(OptionError, match=match):
        pool([0.1, 0.2], [0.1, 0.1], **options)


def test_effect_sizes_carry_their_measure():
    effects = EffectSizes(
        yi=np.array([0.3, np.nan, 0.9]),
        vi=np.array([0.04, 0.03, 0.05]),
        measure="OR",
        convention="x",
        event="good",
    )
    result = pool(effects)
    assert (result.measure, result.convention, result.event) == ("OR", "x", "good")
    assert (result.k, result.n_dropped) == (2, 1)
    assert result.effects is effects
    assert "log odds ratio" in result.summary()
    with pytest.raises(OptionError, match="leave vi out"):
        pool(effects, [1, 1, 1])
    with pytest.raises(OptionError, match="vi is needed"):
        pool([0.3, 0.1])


def test_views_agree(reference):
    data = reference("meta/rma_grid_bcg_rr")["data"]
    result = pool(data["yi"], data["vi"])
    frame = result.to_frame()
    assert frame.shape[0] == 1
    assert frame.loc[0, "estimate"] == result.estimate
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["tau2"] == result.tau2
    assert result._repr_html_().startswith("<table><caption>Pooled effect, 13 studies: −0.71")
    assert "prediction interval: −2.00 to 0.57" in result.summary()
    assert not result.yi.flags.writeable
    with pytest.raises(AttributeError):
        result.estimate = 1.0


def test_level_widens_every_interval():
    wide, narrow = (pool([0.1, 0.9, 0.4], [0.02, 0.03, 0.01], level=level) for level in (0.99, 0.8))
    for low, high in (
        ("ci_low", "ci_high"),
        ("prediction_low", "prediction_high"),
        ("z_ci_low", "z_ci_high"),
    ):
        assert getattr(wide, low) < getattr(narrow, low) < getattr(narrow, high) < getattr(wide, high)


@pytest.mark.parametrize("method", TAU2_METHODS)
@pytest.mark.parametrize("effect", [1e200, -1e200, 1e8])
def test_effects_beyond_any_standard_error_are_refused(method, effect):
    with pytest.raises(DesignError, match=r"more than 1e\+08 times its standard error in row 1") as caught:
        pool([0.4, effect, 0.3], [0.01, 0.01, 0.02], tau2=method)
    assert caught.value.rows == (1,)


@pytest.mark.parametrize("scale", [1e-100, 1e-6, 1.0, 1e6, 1e100])
def test_the_limit_of_effects_knows_no_unit(scale):
    vi = np.array([0.01, 0.01, 0.02])
    far = pool(np.array([0.4, 1e6, 0.3]) * scale, vi * scale**2, tau2="REML")
    assert far.estimate / scale == pytest.approx(1e6 / 3, rel=1e-3)
    with pytest.raises(DesignError, match="rows 0, 2"):
        pool(np.array([-1e9, 0.4, 1e9]) * scale, vi * scale**2)


def test_pooling_changes_without_control_group_warns():
    from ipt_outcomes.effects import smd_paired

    effects = smd_paired([20, 21, 24], 4, [12, 13, 19], 5, 30, 0.5, better="lower")
    assert "without a control group" in pool(effects).summary()
