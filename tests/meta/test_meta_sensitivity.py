"""Leaving studies out, and Egger's test."""

from __future__ import annotations

import numpy as np
import pytest

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import egger, leave_one_out, pool

CASES = ("bcg_rr", "homogeneous_k4", "normand1999_smd", "raudenbush1985", "slow_reml")
LEAVE = {
    "leave1out": {"tau2": "REML", "test": "z"},
    "leave1out_knha": {"tau2": "REML", "test": "knapp-hartung"},
    "leave1out_EE": {"tau2": "common", "test": "z"},
}
FIELDS = {
    "estimate": "estimate",
    "se": "se",
    "zval": "statistic",
    "pval": "p_value",
    "ci_lb": "ci_low",
    "ci_ub": "ci_high",
    "Q": "q",
    "Qp": "q_p_value",
    "tau2": "tau2",
    "I2": "i2",
    "H2": "h2",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("key", LEAVE)
def test_leave_one_out_against_metafor(reference, case, key):
    loaded = reference(f"meta/sensitivity_{case}")
    frame = leave_one_out(loaded["data"]["yi"], loaded["data"]["vi"], **LEAVE[key])
    expected = loaded["outputs"][key]
    assert frame["left_out"].tolist() == list(range(len(loaded["data"]["yi"])))
    for theirs, ours in FIELDS.items():
        if theirs not in expected:
            assert (theirs, key) == ("tau2", "leave1out_EE")
            continue
        for found, value in zip(frame[ours], expected[theirs], strict=True):
            # null: metafor's REML did not converge without that study; the next test covers it.
            if value is None:
                assert case == "slow_reml"
            else:
                assert found == pytest.approx(value, rel=1e-6, abs=1e-12), ours


def test_leave_one_out_is_pooling_the_others(reference):
    data = reference("meta/sensitivity_slow_reml")["data"]
    y, v = np.array(data["yi"]), np.array(data["vi"])
    frame = leave_one_out(y, v)
    assert np.isfinite(frame[["estimate", "se", "tau2"]].to_numpy()).all()
    for i in range(y.size):
        row = frame.iloc[i]
        one = pool(np.delete(y, i), np.delete(v, i))
        assert (row["estimate"], row["tau2"]) == pytest.approx((one.estimate, one.tau2), rel=1e-12)
        assert row["k"] == one.k


def test_leave_one_out_by_study_and_with_missing_rows():
    y, v = [0.1, 0.4, np.nan, 0.7, 0.2], [0.1, 0.2, 0.1, 0.1, 0.3]
    frame = leave_one_out(y, v, study=["A", "B", "B", "A", "C"])
    assert frame["left_out"].tolist() == ["A", "B", "C"]
    assert frame["k"].tolist() == [2, 3, 3]
    assert frame["n_dropped"].tolist() == [1, 1, 1]
    assert frame["estimate"][0] == pool([0.4, 0.2], [0.2, 0.3]).estimate
    assert leave_one_out(y, v)["left_out"].tolist() == [0, 1, 3, 4]


def test_leave_one_out_refuses_what_is_undefined():
    with pytest.raises(DesignError, match="at least 2 studies"):
        leave_one_out([0.1], [0.1])
    with pytest.raises(DesignError, match="at least 2 studies"):
        leave_one_out([0.1, 0.2], [0.1, 0.1], study=["A", "A"])
    with pytest.raises(DesignError, match="study is missing in row 1"):
        leave_one_out([0.1, 0.2], [0.1, 0.1], study=["A", None])
    with pytest.raises(DesignError, match="one entry per effect"):
        leave_one_out([0.1, 0.2], [0.1, 0.1], study=["A"])


EGGER = {
    "egger_lm": {"model": "lm", "predictor": "se"},
    "egger_lm_vi": {"model": "lm", "predictor": "variance"},
    "egger_rma_REML": {"model": "mixed", "predictor": "se"},
    "egger_rma_vi": {"model": "mixed", "predictor": "variance"},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("key", EGGER)
def test_egger_against_metafor(reference, case, key):
    loaded = reference(f"meta/smallstudy_{case}")
    expected = loaded["outputs"][key]
    result = egger(loaded["data"]["yi"], loaded["data"]["vi"], **EGGER[key])
    found = (result.statistic, result.p_value, result.limit_estimate, result.ci_low, result.ci_high)
    wanted = [expected[name] for name in ("zval", "pval", "est", "ci_lb", "ci_ub")]
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12)
    assert result.df == expected["dfs"]
    assert result.k == len(loaded["data"]["yi"])


def test_egger_refuses_what_is_undefined():
    with pytest.raises(DesignError, match="at least 3 studies; there are 2"):
        egger([0.1, 0.2, np.nan], [0.1, 0.2, 0.3])
    with pytest.raises(DesignError, match="different precision"):
        egger([0.1, 0.2, 0.3], [0.1, 0.1, 0.1])
    with pytest.raises(OptionError, match="model must be one of"):
        egger([0.1, 0.2, 0.3], [0.1, 0.2, 0.1], model="rma")
    with pytest.raises(OptionError, match="predictor must be one of"):
        egger([0.1, 0.2, 0.3], [0.1, 0.2, 0.1], predictor="sei")


def test_egger_turns_with_the_sign_and_says_few_studies():
    y, v = np.array([0.1, 0.9, 0.3, 0.5]), np.array([0.01, 0.2, 0.05, 0.1])
    for model in ("lm", "mixed"):
        one, other = egger(y, v, model=model), egger(-y, v, model=model)
        assert one.statistic == pytest.approx(-other.statistic)
        assert one.limit_estimate == pytest.approx(-other.limit_estimate)
        assert "fewer than 10" in one.summary()
        assert one.to_frame().loc[0, "p_value"] == one.p_value
