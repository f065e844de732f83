"""Identities that hold for all inputs."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ipt_outcomes.effects import (
    log_odds_to_smd,
    mean_difference,
    odds_ratio,
    risk_difference,
    risk_ratio,
    smd,
    smd_change,
    smd_from_events,
    smd_to_log_odds,
)

MEANS = st.floats(-100, 100).map(lambda x: round(x, 3))
SDS = st.floats(0.5, 50)
NS = st.one_of(st.integers(2, 400).map(float), st.floats(2, 400))
VARIANCES = st.sampled_from(["LS", "LS2", "UB", "AV", "H0"])
BETTER = st.sampled_from(["lower", "higher"])
RULES = st.sampled_from(["add-half", "add-half-all", "add-half-if-any", "treatment-arm", "none"])
DOUBLE = st.sampled_from(["keep", "drop"])
OTHER = {"lower": "higher", "higher": "lower", "good": "bad", "bad": "good"}
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


@st.composite
def arms(draw):
    k = draw(st.integers(1, 5))
    columns = [np.array(draw(st.lists(kind, min_size=k, max_size=k))) for kind in (MEANS, SDS, NS) * 2]
    assume(np.all(columns[2] + columns[5] > 4.5))  # variance H0 does not exist at df 2
    return columns


@st.composite
def tables(draw):
    rows = draw(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=5))
    n1, n2 = np.array(rows).T
    a = np.array([draw(st.integers(0, n)) for n in n1])
    c = np.array([draw(st.integers(0, n)) for n in n2])
    return a, n1, c, n2


def same(found, yi, vi):
    np.testing.assert_allclose(found.yi, yi, **CLOSE)
    np.testing.assert_allclose(found.vi, vi, **CLOSE)


@given(arms(), BETTER, VARIANCES)
def test_the_direction_of_the_scale_flips_the_sign_and_nothing_else(columns, better, variance):
    for function in (smd, smd_change):
        one = function(*columns, better=better, variance=variance)
        other = function(*columns, better=OTHER[better], variance=variance)
        same(other, -one.yi, one.vi)


@given(arms(), BETTER, VARIANCES)
def test_swapping_the_arms_flips_the_sign(columns, better, variance):
    one = smd(*columns, better=better, variance=variance)
    same(smd(*columns[3:], *columns[:3], better=better, variance=variance), -one.yi, one.vi)
    points = mean_difference(*columns)
    same(mean_difference(*columns[3:], *columns[:3]), -points.yi, points.vi)


@given(arms(), BETTER, st.sampled_from(["metafor", "metapsy"]))
def test_swap_and_direction_under_both_conventions(columns, better, convention):
    one = smd(*columns, better=better, convention=convention)
    same(smd(*columns[3:], *columns[:3], better=OTHER[better], convention=convention), one.yi, one.vi)


@given(arms(), BETTER, VARIANCES, st.floats(0.01, 100), st.floats(-50, 50))
def test_other_points_leave_g_alone(columns, better, variance, factor, shift):
    mean1, sd1, n1, mean2, sd2, n2 = columns
    one = smd(*columns, better=better, variance=variance)
    moved = (mean1 * factor + shift, sd1 * factor, n1, mean2 * factor + shift, sd2 * factor, n2)
    found = smd(*moved, better=better, variance=variance)
    np.testing.assert_allclose(found.yi, one.yi, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.vi, one.vi, rtol=1e-7, atol=1e-9)


@given(arms(), st.floats(0.01, 100), st.sampled_from(["separate", "pooled"]))
def test_a_mean_difference_is_in_points(columns, factor, variance):
    mean1, sd1, n1, mean2, sd2, n2 = columns
    one = mean_difference(*columns, variance=variance)
    scaled = mean_difference(mean1 * factor, sd1 * factor, n1, mean2 * factor, sd2 * factor, n2, variance=variance)
    same(scaled, one.yi * factor, one.vi * factor**2)


@given(arms(), st.lists(BETTER, min_size=5, max_size=5), VARIANCES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(columns, words, variance, random):
    k = len(columns[0])
    order = list(range(k))
    random.shuffle(order)
    better = words[:k]
    one = smd(*columns, better=better, variance=variance)
    other = smd(*(column[order] for column in columns), better=[better[i] for i in order], variance=variance)
    same(other, one.yi[order], one.vi[order])


@given(arms(), st.lists(BETTER, min_size=5, max_size=5))
def test_directions_row_by_row_equal_one_call_per_row(columns, words):
    better = words[: len(columns[0])]
    one = smd(*columns, better=better)
    for i, word in enumerate(better):
        alone = smd(*(column[i] for column in columns), better=word)
        assert (alone.yi[0], alone.vi[0]) == (one.yi[i], one.vi[i])


@given(tables(), RULES, DOUBLE)
def test_swapping_arms_flips_log_ratios_and_differences(table, zero_cells, double_zero):
    a, n1, c, n2 = table
    options = {"event": "good", "zero_cells": zero_cells, "double_zero": double_zero}
    for function in (odds_ratio, risk_ratio, risk_difference, smd_from_events):
        extra = {"convention": "metafor"} if function is smd_from_events else {}
        one = function(a, n1, c, n2, **options, **extra)
        same(function(c, n2, a, n1, **options, **extra), -one.yi, one.vi)


@given(tables(), RULES, DOUBLE)
def test_counting_the_opposite_event_flips_odds_ratio_and_difference(table, zero_cells, double_zero):
    a, n1, c, n2 = table
    options = {"event": "good", "zero_cells": zero_cells, "double_zero": double_zero}
    for function in (odds_ratio, risk_difference):
        one = function(a, n1, c, n2, **options)
        same(function(n1 - a, n1, n2 - c, n2, **options), -one.yi, one.vi)


@given(tables(), RULES, DOUBLE)
def test_a_good_event_and_its_bad_opposite_are_one_effect(table, zero_cells, double_zero):
    a, n1, c, n2 = table
    options = {"zero_cells": zero_cells, "double_zero": double_zero, "convention": "metafor"}
    one = smd_from_events(a, n1, c, n2, event="good", **options)
    same(smd_from_events(n1 - a, n1, n2 - c, n2, event="bad", **options), one.yi, one.vi)
    same(smd_from_events(a, n1, c, n2, event="bad", **options), -one.yi, one.vi)


@given(tables(), RULES, DOUBLE)
def test_no_row_moves_and_none_is_infinite(table, zero_cells, double_zero):
    for function in (odds_ratio, risk_ratio, risk_difference):
        effect = function(*table, event="bad", zero_cells=zero_cells, double_zero=double_zero)
        assert len(effect) == len(table[0])
        assert not np.isinf(effect.yi).any()
        assert not np.isinf(effect.vi).any()
        np.testing.assert_array_equal(np.isnan(effect.yi), np.isnan(effect.vi))
        # every row that was changed, or has no number, says so
        plain = function(*table, event="bad", zero_cells="none")
        for i, flag in enumerate(effect.flags):
            if np.isnan(effect.yi[i]) or effect.yi[i] != plain.yi[i]:
                assert flag != ""


@given(tables(), DOUBLE)
def test_odds_ratio_lies_beyond_the_risk_ratio(table, double_zero):
    log_or = odds_ratio(*table, event="bad", double_zero=double_zero).yi
    log_rr = risk_ratio(*table, event="bad", double_zero=double_zero).yi
    known = ~np.isnan(log_or)
    assert np.all(np.abs(log_or[known]) >= np.abs(log_rr[known]) - 1e-12)
    assert np.all(log_or[known] * log_rr[known] >= -1e-12)


@pytest.mark.parametrize("distribution", ["logistic", "normal"])
@given(st.floats(-5, 5), st.floats(0, 10))
def test_conversion_keeps_the_statistic(distribution, d, v):
    there = smd_to_log_odds(d, v, distribution=distribution)
    back = log_odds_to_smd(*there, distribution=distribution)
    same(back, [d], [v])
    if v > 0.001:
        assert there.yi[0] / there.se[0] == pytest.approx(d / np.sqrt(v), rel=1e-9, abs=1e-12)
