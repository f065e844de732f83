"""Standardisers, ratios of means, pre-post designs, incidence: against R's metafor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.effects import (
    incidence_rate_difference,
    incidence_rate_ratio,
    mean_change,
    peto,
    ratio_of_means,
    smd,
    smd_change,
    smd_paired,
    smd_pre_post_control,
)
from ipt_outcomes.errors import DesignError, OptionError

RTOL = 1e-10
FILES = ["meta/es_two_group_normand1999", "meta/es_two_group_tiny_n"]
SIX = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")


def same(effect, expected, sign=1):
    np.testing.assert_allclose(effect.yi, sign * np.array(expected["yi"]), rtol=RTOL)
    np.testing.assert_allclose(effect.vi, expected["vi"], rtol=RTOL)


@pytest.mark.parametrize("function", [smd, smd_change])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("SMDH", {"variance": "unequal"}),
        ("SMDH", {"standardizer": "average"}),
        ("SMDH", {"standardizer": "average", "variance": "unequal"}),
        ("SMD1", {"standardizer": "arm2"}),
        ("SMD1H", {"standardizer": "arm2", "variance": "unequal"}),
    ],
)
def test_standardisers_agree_with_metafor(reference, name, key, options, function):
    case = reference(name)
    columns = [case["data"][column] for column in SIX]
    same(function(*columns, better="higher", **options), case["outputs"][key])
    same(function(*columns, better="lower", **options), case["outputs"][key], sign=-1)


@pytest.mark.parametrize(
    "options",
    [
        {"standardizer": "arm2", "variance": "UB"},
        {"standardizer": "average", "variance": "AV"},
        {"convention": "metapsy", "standardizer": "arm2"},
        {"standardizer": "control"},
    ],
)
def test_standardisers_and_variances_that_do_not_go_together(options):
    with pytest.raises(OptionError, match="standardizer"):
        smd(10, 2, 20, 12, 3, 20, better="lower", **options)


def test_glass_needs_three_in_the_control_group():
    effect = smd([10, 10], 2, 20, 12, 3, [2, 3], better="lower", standardizer="arm2")
    assert np.isnan(effect.yi[0])
    assert "two participants" in effect.flags[0]
    assert np.isfinite(effect.yi[1])


@pytest.mark.parametrize("name", FILES)
def test_ratio_of_means_agrees_with_metafor(reference, name):
    case = reference(name)
    columns = [case["data"][column] for column in SIX]
    effect = ratio_of_means(*columns)
    same(effect, case["outputs"]["ROM"])
    assert effect.is_ratio
    means = np.log(np.divide(columns[0], columns[3]))
    np.testing.assert_allclose(ratio_of_means(*columns, correct=False).yi, means, rtol=1e-12)


def test_ratio_of_means_of_different_sign_has_no_effect():
    effect = ratio_of_means([2, -1, 0], 1, 20, [3, 2, 2], 1, 20)
    np.testing.assert_array_equal(np.isnan(effect.yi), [False, True, True])
    assert "differ in sign" in effect.flags[1]


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("SMCC", {"standardizer": "change"}),
        ("SMCR", {"standardizer": "pre"}),
        ("SMCRH", {"standardizer": "pre", "variance": "heteroscedastic"}),
        ("SMCRP", {"standardizer": "pooled"}),
        ("SMCRPH", {"standardizer": "pooled", "variance": "heteroscedastic"}),
    ],
)
def test_paired_effects_agree_with_metafor(reference, key, options):
    case = reference("meta/es_prepost_morris")
    columns = [case["data"][name] for name in ("m_pre", "sd_pre", "m_post", "sd_post", "ni", "ri")]
    same(smd_paired(*columns, better="higher", **options), case["outputs"][key])
    same(smd_paired(*columns, better="lower", **options), case["outputs"][key], sign=-1)


def test_mean_change_agrees_with_metafor(reference):
    case = reference("meta/es_prepost_morris")
    columns = [case["data"][name] for name in ("m_pre", "sd_pre", "m_post", "sd_post", "ni", "ri")]
    same(mean_change(*columns), case["outputs"]["MC"])


def test_paired_refusals():
    with pytest.raises(OptionError, match="homoscedastic"):
        smd_paired(20, 4, 12, 5, 30, 0.5, better="lower", variance="heteroscedastic")
    with pytest.raises(DesignError) as caught:
        smd_paired([20, 20, 20], [4, 0, 4], 12, 5, [30, 30, 1], [1.0, 0.5, 0.5], better="lower")
    assert caught.value.rows == (0, 1, 2)


def ppc_columns(case):
    return [case["data"][arm][name] for arm in ("treated", "control") for name in ("m_pre", "sd_pre", "m_post", "ni")]


def test_pre_post_control_agrees_with_metafor(reference):
    case = reference("meta/es_ppc_morris")
    r1, r2 = case["data"]["treated"]["ri"], case["data"]["control"]["ri"]
    same(smd_pre_post_control(*ppc_columns(case), r=r1, r_arm2=r2, better="higher"), case["outputs"])


def test_pooled_pre_post_control_agrees_with_morris_by_hand(reference):
    """Study 1 of Morris 2008: pooled SD sqrt((19*15^2 + 19*13.8^2)/38), changes 7.9 and -3.4, c = 1 - 3/151."""
    case = reference("meta/es_ppc_morris")
    effect = smd_pre_post_control(
        *ppc_columns(case), r=case["data"]["treated"]["ri"], better="higher", standardizer="pooled"
    )
    c, r = 1 - 3 / 151, 0.47
    g = c * (7.9 + 3.4) / np.sqrt((19 * 225 + 19 * 13.8**2) / 38)
    v = 2 * c**2 * (1 - r) * (40 / 400) * (38 / 36) * (1 + 400 * g**2 / (2 * (1 - r) * 40)) - g**2
    assert effect.yi[0] == pytest.approx(g, rel=1e-12)
    assert effect.vi[0] == pytest.approx(v, rel=1e-12)
    assert effect.yi[0] == pytest.approx(0.77, abs=0.005)  # as printed by Morris


def test_rates_agree_with_metafor(reference):
    case = reference("meta/es_rates")
    columns = [case["data"][name] for name in ("x1i", "t1i", "x2i", "t2i")]
    same(incidence_rate_ratio(*columns, event="bad"), case["outputs"]["IRR"])
    same(incidence_rate_difference(*columns, event="bad"), case["outputs"]["IRD"])
    assert np.isnan(incidence_rate_ratio(*columns, event="bad", zero_cells="none").yi[1])
    with pytest.raises(DesignError) as caught:
        incidence_rate_ratio([-1, 2], [10, 0], 3, 10, event="bad")
    assert caught.value.rows == (0, 1)


@pytest.mark.parametrize("to", ["only0", "all", "if0all", "none"])
@pytest.mark.parametrize("drop", [True, False])
def test_peto_agrees_with_metafor(reference, to, drop):
    rules = {"only0": "add-half", "all": "add-half-all", "if0all": "add-half-if-any", "none": "none"}
    case = reference("meta/es_2x2_zero_cells")
    keys = [key for key in case["outputs"] if key.startswith("PETO") and to in key.split("_")]
    assert keys
    key = next(key for key in keys if ("drop00" in key) == drop)
    names = ("ai", "n1i", "ci", "n2i")
    columns = [case["data"][name] for name in names]
    effect = peto(*columns, event="good", zero_cells=rules[to], double_zero="drop" if drop else "keep")
    expected = case["outputs"][key]
    np.testing.assert_allclose(effect.yi, np.array(expected["yi"], dtype=float), rtol=RTOL, atol=1e-14)
    np.testing.assert_allclose(effect.vi, np.array(expected["vi"], dtype=float), rtol=RTOL)


@given(
    shift=st.floats(-50, 50),
    scale=st.floats(0.01, 100),
    pre=st.floats(-20, 20),
    change=st.floats(-20, 20),
    r=st.floats(-0.9, 0.9),
    standardizer=st.sampled_from(["change", "pre", "pooled"]),
)
def test_paired_effects_do_not_know_the_units(shift, scale, pre, change, r, standardizer):
    one = smd_paired(pre, 4, pre + change, 5, 30, r, better="lower", standardizer=standardizer)
    mean_pre, mean_post = pre * scale + shift, (pre + change) * scale + shift
    other = smd_paired(mean_pre, 4 * scale, mean_post, 5 * scale, 30, r, better="lower", standardizer=standardizer)
    np.testing.assert_allclose(one.yi, other.yi, rtol=1e-6, atol=1e-6 * (1 + abs(shift) / scale))
    np.testing.assert_allclose(one.vi, other.vi, rtol=1e-5, atol=1e-6 * (1 + abs(shift) / scale))
