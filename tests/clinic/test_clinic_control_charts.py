"""XmR, p and u charts against NHSRplotthedots, by hand, and at the boundaries of their rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import p_chart, u_chart, xmr
from ipt_outcomes.clinic.chart_rules import rules_of
from ipt_outcomes.errors import DesignError, OptionError

# Their name of what was met, and ours.
NAMES = {
    "Common Cause": "",
    "Above UCL": "above the upper limit",
    "Below LCL": "below the lower limit",
    "2 in 3 Above CL": "2 of 3 near the upper limit",
    "2 in 3 Below CL": "2 of 3 near the lower limit",
    "7 Points Above CL": "7 in a row above the centre",
    "7 Points Below CL": "7 in a row below the centre",
}
TYPES = {"common_cause": "", "special_cause_improvement": "improvement", "special_cause_concern": "concern"}


def test_limits_by_hand(reference):
    hand = reference("clinic/xmr_1")["hand"]
    plain, screened = (xmr(hand["y"], better="higher", screen=screen) for screen in (False, True))
    found = [plain.center, plain.moving_range_mean, plain.lower, plain.upper, plain.moving_range_upper]
    wanted = [hand[name] for name in ("mean", "amr", "lpl", "upl", "mr_upper")]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    found = [screened.moving_range_mean, screened.lower, screened.upper]
    np.testing.assert_allclose(found, [hand[f"{name}_screened"] for name in ("amr", "lpl", "upl")], rtol=1e-9)


@pytest.mark.parametrize(("key", "screen"), [("plotthedots_screened", True), ("plotthedots_unscreened", False)])
def test_every_point_is_judged_as_the_package_judges_it(reference, key, screen):
    rows = reference("clinic/xmr_1")[key]
    points = xmr([row["y"] for row in rows], better="higher", screen=screen).points
    np.testing.assert_allclose(points["lower"], [row["lpl"] for row in rows], rtol=1e-9)
    np.testing.assert_allclose(points["upper"], [row["upl"] for row in rows], rtol=1e-9)
    assert points["outside_limits"].tolist() == [row["outside_limits"] for row in rows]
    assert points["rule"].tolist() == [NAMES[row["special_cause_type"]] for row in rows]
    assert points["direction"].tolist() == [TYPES[row["point_type"]] for row in rows]
    assert points["special_cause"].tolist() == [row["point_type"] != "common_cause" for row in rows]


def rules(values, width=9.0, better="higher"):
    return rules_of(np.array(values, dtype=float), 0.0, np.full(len(values), width), better)["rule"].tolist()


def test_a_point_on_a_limit_or_on_its_third_meets_no_rule():
    assert rules([9.0, -1.0, 1.0]) == ["", "", ""]
    assert rules([9.001, -1.0, 1.0])[0] == "above the upper limit"
    assert rules([6.0, 6.0, -1.0]) == ["", "", ""]
    assert rules([6.1, -1.0, 6.1, -1.0, -1.0]) == [
        *["2 of 3 near the upper limit", ""] * 1,
        "2 of 3 near the upper limit",
        "",
        "",
    ]
    assert rules([6.1, -1.0, -1.0, 6.1]) == [""] * 4


def test_six_in_a_row_are_common_and_seven_are_not():
    assert rules([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, -1.0]) == [""] * 7
    assert rules([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0]) == ["7 in a row above the centre"] * 7
    assert rules([1.0, 2.0, 1.0, 0.0, 2.0, 1.0, 2.0, 1.0]) == [""] * 8
    assert rules([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]) == [""] * 6
    assert rules([-3.0, -2.0, -1.0, 0.5, 1.0, 2.0, 3.0]) == ["7 in a row rising"] * 7
    assert rules([-3.0, -2.0, -1.0, -1.0, 1.0, 2.0, 3.0]) == [""] * 7


def test_a_new_segment_has_limits_of_its_own():
    values = [10.0, 12.0] * 7 + [30.0, 32.0] * 7
    whole, split = xmr(values, better="higher"), xmr(values, better="higher", rebase=[14])
    assert whole.points["special_cause"].any()
    assert not split.points["special_cause"].any()
    assert split.points["center"].unique().tolist() == [11.0, 31.0]
    assert split.center == 31.0


def test_assurance_is_judged_by_the_limits():
    values = [10.0, 12.0] * 8
    limits = xmr(values, better="higher")
    assert xmr(values, better="higher", target=limits.lower - 0.1).assurance == "consistently meets"
    assert xmr(values, better="higher", target=limits.upper + 0.1).assurance == "consistently misses"
    assert xmr(values, better="lower", target=limits.upper + 0.1).assurance == "consistently meets"
    assert xmr(values, better="higher", target=11).assurance == "may or may not meet"


def test_p_and_u_charts_by_hand():
    chart = p_chart([10, 20, 30], [100, 100, 100], better="higher")
    assert chart.center == pytest.approx(0.2)
    assert chart.upper == pytest.approx(0.2 + 3 * np.sqrt(0.2 * 0.8 / 100))
    uneven = p_chart([10, 20, 10], [100, 400, 25], better="higher").points
    p = 40 / 525
    np.testing.assert_allclose(uneven["upper"], p + 3 * np.sqrt(p * (1 - p) / np.array([100, 400, 25])))
    assert uneven["lower"].iloc[2] == 0.0
    rates = u_chart([4, 6, 5], [10.0, 20.0, 20.0], better="lower")
    np.testing.assert_allclose(rates.points["upper"], 0.3 + 3 * np.sqrt(0.3 / np.array([10.0, 20.0, 20.0])))
    wide = p_chart([1000, 1300, 1000, 1300], [5000] * 4, better="higher", laney=True)
    narrow = p_chart([1000, 1300, 1000, 1300], [5000] * 4, better="higher")
    assert narrow.points["outside_limits"].any()
    assert not wide.points["outside_limits"].any()


def test_few_points_are_warned_of():
    assert xmr([1.0, 2.0] * 6, better="higher").warnings
    assert not xmr([1.0, 2.0] * 7, better="higher").warnings


values_ = st.lists(st.integers(-50, 50), min_size=3, max_size=30)


@given(values_)
def test_turning_the_scale_round_turns_the_chart(values):
    chart, turned = xmr(values, better="higher"), xmr([-value for value in values], better="lower")
    assert chart.points["direction"].tolist() == turned.points["direction"].tolist()
    np.testing.assert_allclose(chart.points["upper"], -turned.points["lower"], atol=1e-12)


@given(values_, st.integers(0, 29))
def test_a_missing_value_stays_in_place_and_changes_nothing_else(values, at):
    at = min(at, len(values))
    with_gap = [*values[:at], np.nan, *values[at:]]
    chart, gap = xmr(values, better="higher").points, xmr(with_gap, better="higher").points
    assert gap["rule"].tolist()[at] == ""
    assert [*gap["rule"].tolist()[:at], *gap["rule"].tolist()[at + 1 :]] == chart["rule"].tolist()


def test_bad_input_is_refused_in_words():
    with pytest.raises(OptionError, match="rebase"):
        xmr([1, 2, 3], better="higher", rebase=[3])
    with pytest.raises(DesignError, match="at least 2 values"):
        xmr([1, 2, 3], better="higher", rebase=[2])
    with pytest.raises(DesignError, match="no more events than people"):
        p_chart([5], [4], better="higher")
    with pytest.raises(DesignError, match="1 of 2 periods") as caught:
        u_chart([1, 2.5], [4, 4], better="higher")
    assert caught.value.rows == (1,)
    with pytest.raises(OptionError):
        xmr([1, 2, 3], better="up")
