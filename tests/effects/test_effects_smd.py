"""Hedges' g and mean differences against R's metafor, the reported cases and hand arithmetic."""

import csv
import math
import tomllib

import numpy as np
import pytest

from ipt_outcomes.effects import mean_difference, small_sample_correction, smd, smd_change
from ipt_outcomes.errors import DesignError, OptionError

RTOL = 1e-10
FILES = ["meta/es_two_group_normand1999", "meta/es_two_group_tiny_n"]
VARIANCES = ["LS", "LS2", "UB", "AV", "H0"]


def six(data):
    return [data[name] for name in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("function", [smd, smd_change])
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("name", FILES)
def test_g_and_each_variance_agree_with_metafor(reference, name, variance, function, better):
    case = reference(name)
    expected = case["outputs"][f"SMD_{variance}"]
    effect = function(*six(case["data"]), better=better, variance=variance)
    sign = 1 if better == "higher" else -1
    np.testing.assert_allclose(effect.yi, sign * np.array(expected["yi"]), rtol=RTOL)
    np.testing.assert_allclose(effect.vi, expected["vi"], rtol=RTOL)
    assert effect.flags == ("",) * len(effect)


@pytest.mark.parametrize(("variance", "key"), [("separate", "MD"), ("pooled", "MD_HO")])
@pytest.mark.parametrize("name", FILES)
def test_mean_difference_agrees_with_metafor(reference, name, variance, key):
    case = reference(name)
    effect = mean_difference(*six(case["data"]), variance=variance)
    np.testing.assert_allclose(effect.yi, case["outputs"][key]["yi"], rtol=RTOL)
    np.testing.assert_allclose(effect.vi, case["outputs"][key]["vi"], rtol=RTOL)
    assert effect.measure == "MD"


@pytest.mark.parametrize(("exact", "key"), [(True, "J_exact"), (False, "J_approx")])
@pytest.mark.parametrize("name", FILES)
def test_small_sample_correction_agrees_with_metafor(reference, name, exact, key):
    case = reference(name)
    df = np.add(case["data"]["n1i"], case["data"]["n2i"]) - 2
    np.testing.assert_allclose(small_sample_correction(df, exact=exact), case["outputs"][key], rtol=RTOL)


@pytest.mark.parametrize("half", [1, 2, 10, 50, 51, 52, 100, 1000, 5000])
def test_exact_correction_is_the_gamma_ratio_to_full_precision(half):
    # df = 2j: Gamma(j) / Gamma(j - 1/2) from whole-number factorials, no logarithm involved
    j = half
    ratio = math.factorial(j - 1) ** 2 * 4 ** (j - 1)
    expected = ratio / math.factorial(2 * j - 2) if j < 300 else None
    if expected is None:
        numerator, denominator = ratio * 10**30, math.factorial(2 * j - 2)
        expected = (numerator // denominator) / 10**30
    expected /= math.sqrt(math.pi * j)
    assert float(small_sample_correction(2 * j)) == pytest.approx(expected, rel=1e-13)


def test_correction_keeps_shape_and_missing_values():
    assert small_sample_correction(10).shape == ()
    np.testing.assert_array_equal(np.isnan(small_sample_correction([10, np.nan])), [False, True])


@pytest.mark.parametrize("df", [1, 0.5, 0, -3, np.inf])
def test_correction_refuses_df_where_d_has_no_mean(df):
    with pytest.raises(DesignError, match="above 1") as caught:
        small_sample_correction([10, df])
    assert caught.value.rows == (1,)


def test_metapsy_convention_is_its_formula():
    # by hand: df 7, pooled SD sqrt((3*4 + 4*9)/7) = sqrt(48/7), difference 3
    d = 3 / math.sqrt(48 / 7)
    effect = smd(10, 2, 4, 13, 3, 5, better="lower", convention="metapsy")
    assert effect.yi[0] == pytest.approx(d * (1 - 3 / 27), rel=1e-14)
    assert effect.vi[0] == pytest.approx(1 / 4 + 1 / 5 + d**2 / 18, rel=1e-14)
    assert effect.convention == "metapsy"


def test_the_two_conventions_differ_where_n_is_small():
    arms = (10, 2, 4, 13, 3, 5)
    metafor, metapsy = (smd(*arms, better="lower", convention=name) for name in ("metafor", "metapsy"))
    assert metapsy.yi[0] > metafor.yi[0]
    assert metapsy.se[0] > metafor.se[0]


@pytest.mark.parametrize("variance", ["LS2", "UB", "AV", "H0"])
def test_metapsy_convention_has_one_variance(variance):
    with pytest.raises(OptionError, match="must be 'LS'"):
        smd(10, 2, 4, 13, 3, 5, better="lower", convention="metapsy", variance=variance)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variance": "SMDH"}, ["'LS'", "'LS2'", "'UB'", "'AV'", "'H0'", "'unequal'", "'SMDH'"]),
        ({"convention": "revman"}, ["'metafor'", "'metapsy'", "'revman'"]),
        ({"better": "up"}, ["'lower'", "'higher'", "'up'"]),
        ({"better": None}, ["'lower'", "'higher'", "None"]),
        ({"better": 1}, ["'lower'", "'higher'", "1"]),
    ],
)
def test_an_unknown_option_lists_the_choices(options, words):
    with pytest.raises(OptionError) as caught:
        smd(10, 2, 4, 13, 3, 5, **{"better": "lower", **options})
    assert all(word in str(caught.value) for word in words)


def test_better_has_no_default():
    for function in (smd, smd_change):
        with pytest.raises(TypeError, match="better"):
            function(10, 2, 4, 13, 3, 5)


def test_mean_difference_lists_its_choices():
    with pytest.raises(OptionError, match="'separate', 'pooled'"):
        mean_difference(10, 2, 4, 13, 3, 5, variance="LS")


def test_style_guide_example():
    assert smd(11.2, 6.1, 40, 15.0, 6.4, 38, better="lower").yi.round(3).tolist() == [0.602]


def test_a_more_negative_change_is_better_on_a_symptom_scale():
    effect = smd_change(-9.2, 9.9, 40, -3.4, 10.8, 40, better="lower")
    assert effect.yi[0] > 0
    assert effect.measure == "SMDC"


def test_h0_variance_does_not_exist_at_two_degrees_of_freedom():
    effect = smd([10, 10], 2, [2, 3], [13, 13], 3, [2, 3], better="lower", variance="H0")
    assert np.isnan(effect.yi).tolist() == [True, False]
    assert "2 degrees of freedom" in effect.flags[0]


def test_av_uses_the_mean_weighted_by_n_over_the_rows_that_have_an_effect():
    rows = ([10, 10, np.nan], 2, [10, 30, 500], [12, 11, 11], 2, [10, 30, 500])
    effect = smd(*rows, better="lower", variance="AV")
    mean = (20 * effect.yi[0] + 60 * effect.yi[1]) / 80
    np.testing.assert_allclose(effect.vi[:2], [2 / 10 + mean**2 / 40, 2 / 30 + mean**2 / 120], rtol=1e-12)
    assert np.isnan(effect.vi[2])


def test_fractional_n_from_a_cluster_adjustment():
    d = 3 / math.sqrt((4.5 * 4 + 6.25 * 9) / 10.75)
    effect = smd(10, 2, 5.5, 13, 3, 7.25, better="lower", convention="metapsy")
    assert effect.vi[0] == pytest.approx(1 / 5.5 + 1 / 7.25 + d**2 / 25.5, rel=1e-13)


def test_case_12_sign_does_not_follow_column_order_or_direction(cases):
    folder = cases / "12-sign-follows-column-order"
    expected = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    with (folder / "studies.csv").open(encoding="utf-8", newline="") as file:
        studies = list(csv.DictReader(file))
    columns = []
    for stem in ("m", "sd", "n"):
        for want in (True, False):
            # IPT is arm 1 of the call, whichever column the study file has it in
            arm = ["1" if (row["arm1"] == "IPT") == want else "2" for row in studies]
            columns.append([float(row[f"{stem}{a}"]) for row, a in zip(studies, arm, strict=True)])
    mean1, mean2, sd1, sd2, n1, n2 = columns
    better = [{"worse": "lower", "better": "higher"}[row["higher_is"]] for row in studies]
    effect = smd(mean1, sd1, n1, mean2, sd2, n2, better=better)
    np.testing.assert_allclose(effect.yi, expected["expected"]["g"], atol=expected["tolerance"], rtol=0)
    np.testing.assert_allclose(effect.vi, expected["expected"]["v"], atol=expected["tolerance"], rtol=0)
    swapped = smd(mean2, sd2, n2, mean1, sd1, n1, better=better)
    np.testing.assert_allclose(swapped.yi, -effect.yi, rtol=1e-12)
    assert effect.provenance.to_dict()["options"]["better"] == ["lower", "higher", "lower"]


@pytest.mark.parametrize("missing", [None, np.nan, "", "worse"])
def test_case_12_a_direction_that_is_not_given_is_an_error(missing):
    with pytest.raises(OptionError, match="better, rows 1, 2") as caught:
        smd([9, 68, 14], 6, 40, [13, 61, 19], 6, 38, better=["lower", missing, missing])
    assert caught.value.rows == (1, 2)
    assert caught.value.column == "better"
