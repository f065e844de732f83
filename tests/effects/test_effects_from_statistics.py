"""Effects from printed statistics, intervals and quantiles; groups combined; response imputed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ipt_outcomes.effects import (
    adjust_for_clusters,
    combine_groups,
    design_effect,
    from_interval,
    mean_sd_from_quantiles,
    response_from_cutoff,
    response_from_reliable_change,
    smd,
    smd_from_chi_square,
    smd_from_ci,
    smd_from_d,
    smd_from_f,
    smd_from_p,
    smd_from_r,
    smd_from_t,
    split_control,
)
from ipt_outcomes.errors import DesignError, OptionError

RTOL = 1e-10


def same(effect, expected, sign=1):
    np.testing.assert_allclose(effect.yi, sign * np.array(expected["yi"]), rtol=RTOL)
    np.testing.assert_allclose(effect.vi, expected["vi"], rtol=RTOL)


def test_t_p_and_d_agree_with_metafor(reference):
    case = reference("meta/es_from_statistics")
    data, outputs = case["data"], case["outputs"]
    n = (data["n1i"], data["n2i"])
    same(smd_from_t(data["ti"], *n, better="higher"), outputs["from_t"])
    same(smd_from_t(data["ti"], *n, better="lower"), outputs["from_t"], sign=-1)
    same(smd_from_p(data["pi"], *n, favours="arm1"), outputs["from_p"])
    same(smd_from_p(data["pi"], *n, favours=["arm2", "arm2"]), outputs["from_p_neg"])
    same(smd_from_d(data["di"], *n, better="higher"), outputs["from_d"])
    f = np.square(data["ti"])
    same(smd_from_f(f, *n, favours=["arm1", "arm2"]), outputs["from_t"])


def test_one_sided_p_is_half_a_two_sided_one():
    one = smd_from_p(0.02, 20, 22, favours="arm1", tails=1)
    two = smd_from_p(0.04, 20, 22, favours="arm1")
    assert one.yi[0] == pytest.approx(two.yi[0], rel=1e-13)


@given(
    m1=st.floats(-5, 5), m2=st.floats(-5, 5), sd1=st.floats(0.5, 9), sd2=st.floats(0.5, 9),
    n1=st.integers(2, 200), n2=st.integers(2, 200),
)  # fmt: skip
def test_every_road_leads_to_the_g_of_means_and_sds(m1, m2, sd1, sd2, n1, n2):
    direct = smd(m1, sd1, n1, m2, sd2, n2, better="lower")
    pooled = math.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))
    se = pooled * math.sqrt(1 / n1 + 1 / n2)
    t = (m1 - m2) / se
    half = stats.t.ppf(0.975, n1 + n2 - 2) * se
    roads = [smd_from_t(t, n1, n2, better="lower"), smd_from_d((m1 - m2) / pooled, n1, n2, better="lower")]
    roads.append(smd_from_ci(m1 - m2, m1 - m2 - half, m1 - m2 + half, n1, n2, better="lower"))
    favours = "arm1" if m1 <= m2 else "arm2"
    roads.append(smd_from_f(t**2, n1, n2, favours=favours))
    for road in roads:
        np.testing.assert_allclose(road.yi, direct.yi, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(road.vi, direct.vi, rtol=1e-7)


def test_correlation_and_chi_square():
    # by hand: r .3, d = .6/sqrt(.91), J(58) exact, variance J^2 * 4/(59 * .91)
    j = math.exp(math.lgamma(29) - math.lgamma(28.5)) / math.sqrt(29)
    effect = smd_from_r(0.3, 60, favours="arm1")
    assert effect.yi[0] == pytest.approx(j * 0.6 / math.sqrt(0.91), rel=1e-12)
    assert effect.vi[0] == pytest.approx(j**2 * 4 / (59 * 0.91), rel=1e-12)
    from_table = smd_from_chi_square(0.09 * 60, 60, favours="arm2")
    assert from_table.yi[0] == pytest.approx(-effect.yi[0], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "rows"),
    [
        (lambda: smd_from_p([0.0, 0.5, 1.5], 20, 20, favours="arm1"), (0, 2)),
        (lambda: smd_from_f([-1, 2], 20, 20, favours="arm1"), (0,)),
        (lambda: smd_from_r([1.0, -0.2, 0.2], 20, favours="arm1"), (0, 1)),
        (lambda: smd_from_chi_square([30, 3], 20, favours="arm1"), (0,)),
        (lambda: smd_from_ci([1, 1, 1], [0, 2, 1], [2, 3, 1], 20, 20, better="lower"), (1, 2)),
        (lambda: smd_from_t([1, 2], [1, 20], 20, better="lower"), (0,)),
        (lambda: from_interval([1, 1], [0.5, 2], [2, 3]), (1,)),
        (lambda: design_effect([0.5, 20], icc=0.02), (0,)),
        (lambda: response_from_cutoff([10, 10], [0, 3], 20, cutoff=8, better="lower"), (0,)),
        (lambda: mean_sd_from_quantiles(n=[20, 20], q1=[5, 5], median=[4, 7], q3=[9, 9]), (0,)),
    ],
)
def test_impossible_numbers_name_their_rows(call, rows):
    with pytest.raises(DesignError) as caught:
        call()
    assert caught.value.rows == rows


@pytest.mark.parametrize(
    "call",
    [
        lambda: smd_from_p(0.04, 20, 20, favours="ipt"),
        lambda: smd_from_p(0.04, 20, 20, favours="arm1", tails=3),
        lambda: smd_from_t(2, 20, 20, better=None),
        lambda: from_interval(1, 0.5, 2, scale="ratio"),
        lambda: from_interval(1, 0.5, 2, measure="SMD"),
        lambda: mean_sd_from_quantiles(n=20, median=4),
        lambda: response_from_reliable_change(
            20, 4, 12, 5, 30, r=0.5, reliability=0.8, better="lower", kind="recovered"
        ),
    ],
)
def test_unknown_options_are_refused(call):
    with pytest.raises(OptionError):
        call()


def test_missing_numbers_keep_their_row():
    effect = smd_from_t([2.0, np.nan], 20, [20, 20], better="lower")
    assert np.isnan(effect.yi[1])
    assert "t missing" in effect.flags[1]
    assert from_interval([1.2, None], [0.8, 0.9], [1.8, 2.0]).flags[1] == "no effect: estimate missing"


def test_wald_interval_agrees_with_metafor(reference):
    case = reference("meta/es_conv_wald")
    data = case["data"]
    effect = from_interval(data["or"], data["lb"], data["ub"], scale="log", measure="OR", event="good")
    same(effect, case["outputs"])
    assert effect.measure == "OR"
    assert effect.flags == ("", "")


def test_intervals_that_cannot_be_right_are_flagged():
    # Zhou 2017 (CBT - IPT) and de Mello 2005 print limits that are not around their estimate
    off = from_interval([-1.26, -3.57, 0.60], [-2.78, -5.9, 0.45], [0.35, -1.16, 0.75], scale="plain")
    assert "off-centre" in off.flags[0]
    assert "off-centre" in off.flags[1]
    assert off.flags[2] == ""
    swapped = from_interval([0.60, 2.00], [0.10, 1.0], [1.10, 4.0], scale="log")
    assert "not on the log scale" in swapped.flags[0]
    assert swapped.flags[1] == ""
    assert "ratio" in from_interval(2.05, 1.05, 4.01, scale="plain").flags[0]
    logs = from_interval(-0.3, -0.6, 0.0, scale="log")
    assert np.isnan(logs.yi[0])
    assert "logarithms" in logs.flags[0]


def test_published_intervals_of_ipt_are_centred_to_rounding():
    """Estimates printed by Cuijpers 2011 and 2016 and Jakobsen 2011 (knowledge of the field, typed with source)."""
    plain = from_interval([0.63, 0.04, -0.19, 0.60], [0.36, -0.14, -0.38, 0.45], [0.90, 0.21, -0.01, 0.75],
                          scale="plain")  # fmt: skip
    assert plain.flags == ("",) * 4
    assert from_interval(0.37, 0.19, 0.73).flags == ("",)


@given(st.floats(-3, 3), st.floats(0.01, 2), st.sampled_from([0.9, 0.95, 0.99]))
def test_an_interval_gives_back_its_variance(y, se, level):
    half = stats.norm.ppf(0.5 + level / 2) * se
    back = from_interval(math.exp(y), math.exp(y - half), math.exp(y + half), level=level)
    assert back.yi[0] == pytest.approx(y, abs=1e-9)
    assert back.se[0] == pytest.approx(se, rel=1e-9)
    assert back.flags == ("",)


def test_quantiles_by_hand():
    n = 40
    extreme, quartile = stats.norm.ppf((n - 0.375) / (n + 0.25)), stats.norm.ppf((0.75 * n - 0.125) / (n + 0.25))
    by_range = mean_sd_from_quantiles(n=n, min=2, median=12, max=25)
    w = 4 / (4 + n**0.75)
    assert by_range.mean[0] == pytest.approx(w * 13.5 + (1 - w) * 12, rel=1e-13)
    assert by_range.sd[0] == pytest.approx(23 / (2 * extreme), rel=1e-13)
    by_quartiles = mean_sd_from_quantiles(n=n, q1=8, median=12, q3=17)
    w = 0.7 + 0.39 / n
    assert by_quartiles.mean[0] == pytest.approx(w * 12.5 + (1 - w) * 12, rel=1e-13)
    assert by_quartiles.sd[0] == pytest.approx(9 / (2 * quartile), rel=1e-13)
    both = mean_sd_from_quantiles(n=n, min=2, q1=8, median=12, q3=17, max=25)
    w1, w2 = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    assert both.mean[0] == pytest.approx(w1 * 13.5 + w2 * 12.5 + (1 - w1 - w2) * 12, rel=1e-13)
    sd = 23 / ((2 + 0.14 * n**0.6) * extreme) + 9 / ((2 + 2 / (0.07 * n**0.6)) * quartile)
    assert both.sd[0] == pytest.approx(sd, rel=1e-13)
    assert not both.skewed[0]
    assert mean_sd_from_quantiles(n=n, q1=8, median=8.2, q3=17).skewed[0]


@pytest.mark.parametrize("n", [15, 50, 300])
def test_quantiles_of_a_normal_outcome_give_back_its_mean_and_sd(n):
    """Expected order statistics (Blom), which the estimators are built on."""
    expected = stats.norm.ppf((np.arange(1, n + 1) - 0.375) / (n + 0.25)) * 7 + 20
    low, q1, middle, q3, high = np.quantile(expected, [0, 0.25, 0.5, 0.75, 1])
    result = mean_sd_from_quantiles(n=n, min=low, q1=q1, median=middle, q3=q3, max=high)
    assert result.mean[0] == pytest.approx(20, abs=1e-9)
    assert result.sd[0] == pytest.approx(7, rel=0.06)
    assert not result.skewed[0]


def test_combined_groups_are_the_people_put_together():
    rng = np.random.default_rng(3)
    people = [rng.normal(10, 4, 20), rng.normal(14, 5, 30), rng.normal(8, 3, 12)]
    whole = np.concatenate(people[:2])
    frame = combine_groups(
        [p.mean() for p in people], [p.std(ddof=1) for p in people], [20, 30, 12], group=["ipt", "ipt", "cbt"]
    )
    assert frame["group"].tolist() == ["ipt", "cbt"]
    assert frame["mean"][0] == pytest.approx(whole.mean(), rel=1e-12)
    assert frame["sd"][0] == pytest.approx(whole.std(ddof=1), rel=1e-12)
    assert frame["n"].tolist() == [50, 12]


def test_a_shared_control_group_is_split(reference):
    case = reference("meta/multiarm_shared_control")
    data, outputs = case["data"], case["outputs"]
    shared = split_control(data["n2i"], study=data["study"])
    effect = smd(data["m1i"], data["sd1i"], data["n1i"], data["m2i"], data["sd2i"], shared["n_arm2"], better="higher")
    np.testing.assert_allclose(effect.yi, outputs["split_control_yi"], rtol=RTOL)
    np.testing.assert_allclose(effect.vi, outputs["split_control_vi"], rtol=RTOL)
    with pytest.raises(DesignError) as caught:
        split_control([41, 40], study=["A", "A"])
    assert caught.value.rows == (1,)


def test_clusters_widen_variances_and_say_so():
    effects = smd([10, 10, 10], 4, 40, 12, 4, 40, better="lower")
    wide = adjust_for_clusters(effects, cluster_size=[20, 1, np.nan], icc=0.05)
    np.testing.assert_allclose(wide.vi / effects.vi, [1.95, 1, 1], rtol=1e-14)
    assert "design effect 1.95" in wide.flags[0]
    assert wide.flags[1:] == ("", "")
    np.testing.assert_array_equal(wide.yi, effects.yi)
    with pytest.raises(TypeError):
        adjust_for_clusters(effects, cluster_size=20)


def test_imputed_response_by_hand():
    found = response_from_cutoff([12.6, 12.6], 6.0, 50, cutoff=11.75, better=["lower", "higher"])
    assert found.rate[0] == pytest.approx(stats.norm.cdf((11.75 - 12.6) / 6), rel=1e-12)
    assert found.rate.sum() == pytest.approx(1, rel=1e-14)
    assert found.event.tolist() == [22, 28]
    spread = math.sqrt(4.1**2 + 6**2 - 2 * 0.4 * 4.1 * 6)
    least = stats.norm.ppf(0.975) * 4.1 * math.sqrt(0.4)
    args = (23.5, 4.1, 12.6, 6.0, 50)
    better = response_from_reliable_change(*args, r=0.4, reliability=0.8, better="lower")
    worse = response_from_reliable_change(*args, r=0.4, reliability=0.8, better="lower", kind="deteriorated")
    assert better.rate[0] == pytest.approx(stats.norm.cdf((10.9 - least) / spread), rel=1e-12)
    assert worse.rate[0] == pytest.approx(stats.norm.cdf((-10.9 - least) / spread), rel=1e-9)
