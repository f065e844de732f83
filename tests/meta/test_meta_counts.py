"""Mantel-Haenszel and Peto against metafor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import mantel_haenszel, peto

KEYS = ["MH_OR", "MH_OR_drop00", "MH_RR", "MH_RR_drop00", "MH_RD", "MH_RD_drop00", "PETO"]
NAMES = {"k": "k", "b": "estimate", "se": "se", "zval": "statistic", "pval": "p_value", "ci_lb": "ci_low",
         "ci_ub": "ci_high", "QE": "q", "QEp": "q_p_value", "I2": "i2", "MH": "cmh", "MHp": "cmh_p_value",
         "BD": "breslow_day", "BDp": "breslow_day_p_value", "TA": "tarone", "TAp": "tarone_p_value"}  # fmt: skip


def four(data):
    return [data[name] for name in ("ai", "n1i", "ci", "n2i")]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("case", ["bcg", "zero_cells"])
def test_agrees_with_metafor(reference, case, key):
    loaded = reference(f"meta/mh_peto_{case}")
    if key == "PETO":
        result = peto(*four(loaded["data"]))
    else:
        drop = "drop" if key.endswith("drop00") else "keep"
        result = mantel_haenszel(*four(loaded["data"]), measure=key.split("_")[1], double_zero=drop)
    for theirs, ours in NAMES.items():
        expected = loaded["outputs"][key].get(theirs)
        if expected is None:
            assert getattr(result, ours) is None, ours
        else:
            assert getattr(result, ours) == pytest.approx(expected, rel=1e-10), ours
    assert result.weight_percent.sum() == pytest.approx(100)
    assert len(result.to_frame()) == 1


def test_refusals():
    with pytest.raises(DesignError, match="0 or infinite"):
        mantel_haenszel([0, 0], [20, 30], [2, 3], [20, 30])
    with pytest.raises(DesignError) as caught:
        mantel_haenszel([5, 21], [20, 20], [2, 3], [20, 30])
    assert caught.value.rows == (1,)
    with pytest.raises(DesignError, match="both events and non-events"):
        peto([0, 0], [20, 30], [0, 0], [20, 30])
    with pytest.raises(OptionError):
        mantel_haenszel([5], [20], [2], [20], measure="HR")
    result = mantel_haenszel([5, np.nan], [20, 20], [2, 3], [20, 30])
    assert (result.k, result.n_dropped, result.q_p_value) == (1, 1, None)


@given(st.data())
def test_turning_events_or_arms_round_turns_the_sign(data):
    counts = st.integers(1, 29)
    a, c = (np.array(data.draw(st.lists(counts, min_size=3, max_size=3))) for _ in range(2))
    n = np.array([30, 31, 40])
    m = np.array([30, 35, 32])
    for function in (mantel_haenszel, peto):
        one = function(a, n, c, m)
        arms, events = function(c, m, a, n), function(n - a, n, m - c, m)
        for other in (arms, events):
            assert other.estimate == pytest.approx(-one.estimate, abs=1e-10)
            assert other.se == pytest.approx(one.se, rel=1e-9)
            assert other.q == pytest.approx(one.q, rel=1e-8, abs=1e-10)
