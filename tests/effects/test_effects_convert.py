"""Conversions between effect sizes against R's metafor and hand arithmetic."""

import math

import numpy as np
import pytest

from ipt_outcomes.effects import (
    log_odds_to_smd,
    odds_ratio,
    sd_from_se,
    small_sample_correction,
    smd_from_events,
    smd_to_log_odds,
)
from ipt_outcomes.errors import DesignError, OptionError

RTOL = 1e-10


@pytest.mark.parametrize(("distribution", "key"), [("logistic", "OR2DL"), ("normal", "OR2DN")])
def test_log_odds_to_smd_agrees_with_metafor(reference, distribution, key):
    outputs = reference("meta/es_2x2_zero_cells")["outputs"]
    source, expected = outputs["OR_only0_keep00"], outputs[f"{key}_only0_keep00"]
    found = log_odds_to_smd(source["yi"], source["vi"], distribution=distribution)
    np.testing.assert_allclose(found.yi, expected["yi"], rtol=RTOL)
    np.testing.assert_allclose(found.vi, expected["vi"], rtol=RTOL)


@pytest.mark.parametrize(("distribution", "key"), [("logistic", "D2ORL"), ("normal", "D2ORN")])
@pytest.mark.parametrize("name", ["meta/es_two_group_normand1999", "meta/es_two_group_tiny_n"])
def test_smd_to_log_odds_agrees_with_metafor(reference, name, distribution, key):
    case = reference(name)
    n1, n2 = (np.array(case["data"][n], dtype=float) for n in ("n1i", "n2i"))
    # metafor converts d, before J, with the large-sample variance of d
    d = np.array(case["outputs"]["SMD_LS"]["yi"]) / np.array(case["outputs"]["J_exact"])
    found = smd_to_log_odds(d, 1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2)), distribution=distribution)
    np.testing.assert_allclose(found.yi, case["outputs"][key]["yi"], rtol=RTOL)
    np.testing.assert_allclose(found.vi, case["outputs"][key]["vi"], rtol=RTOL)


@pytest.mark.parametrize("distribution", ["logistic", "normal"])
def test_there_and_back(distribution):
    yi, vi = [0.4, -1.2, np.nan], [0.1, 0.3, 0.2]
    back = log_odds_to_smd(*smd_to_log_odds(yi, vi, distribution=distribution), distribution=distribution)
    np.testing.assert_allclose(back.yi, yi, rtol=1e-14)
    np.testing.assert_allclose(back.vi, [0.1, 0.3, np.nan], rtol=1e-14)
    np.testing.assert_allclose(back.se, np.sqrt(back.vi))


@pytest.mark.parametrize("function", [log_odds_to_smd, smd_to_log_odds])
def test_conversion_refuses_negative_variances_and_unknown_distributions(function):
    with pytest.raises(DesignError, match="v, rows 0, 2: must be 0 or more") as caught:
        function([0.1, 0.2, 0.3], [-0.1, 0.1, -0.2])
    assert caught.value.rows == (0, 2)
    with pytest.raises(OptionError, match="'logistic', 'normal'"):
        function(0.1, 0.2, distribution="probit")


def test_metapsy_event_rule():
    log_or = math.log(15 * 60 / (55 * 2))
    effect = smd_from_events(15, 70, 2, 62, event="good", convention="metapsy")
    scale = math.sqrt(3) / math.pi
    assert effect.yi[0] == pytest.approx(log_or * scale * (1 - 3 / (4 * 130 - 1)), rel=1e-13)
    assert effect.se[0] == pytest.approx(math.sqrt(1 / 15 + 1 / 55 + 1 / 2 + 1 / 60) * scale, rel=1e-13)
    assert effect.measure == "SMD"
    assert effect.event is None


def test_metafor_event_rule_has_no_small_sample_correction():
    metapsy, metafor = (
        smd_from_events(15, 70, 2, 62, event="good", convention=name) for name in ("metapsy", "metafor")
    )
    j = float(small_sample_correction(130, exact=False))
    assert metapsy.yi[0] == pytest.approx(metafor.yi[0] * j, rel=1e-14)
    assert metapsy.se[0] == metafor.se[0]


def test_a_bad_event_flips_the_sign_row_by_row():
    good = smd_from_events([15, 15], 70, [2, 2], 62, event="good")
    mixed = smd_from_events(15, 70, 2, 62, event=["good", "bad"])
    assert good.yi[0] > 0
    np.testing.assert_array_equal(mixed.yi, good.yi * [1, -1])
    with pytest.raises(OptionError, match="event, row 1"):
        smd_from_events(15, 70, 2, 62, event=["good", "unknown"])


def test_events_that_favour_nobody_give_a_plain_zero():
    assert not np.signbit(smd_from_events(5, 20, 5, 20, event="bad").yi[0])


def test_smd_from_events_follows_the_odds_ratio_rules():
    table = ([0, 4], 20, [0, 6], 25)
    effect = smd_from_events(*table, event="bad", double_zero="drop")
    assert np.isnan(effect.yi[0])
    assert effect.flags == odds_ratio(*table, event="bad", double_zero="drop").flags


def test_metapsy_event_rule_needs_degrees_of_freedom():
    with pytest.raises(DesignError, match="must be 4 or more") as caught:
        smd_from_events([1, 1], [10, 2], [1, 0], [10, 1], event="good", convention="metapsy")
    assert caught.value.rows == (1,)


def test_sd_from_se_uses_n_not_n_minus_one():
    np.testing.assert_allclose(sd_from_se([1.0, np.nan, 2.0], [25, 25, 100]), [5, np.nan, 20])


def test_sd_from_se_refuses_all_impossible_rows():
    with pytest.raises(DesignError) as caught:
        sd_from_se([0, 1, -1], [25, 1, 25])
    assert caught.value.rows == (0, 1, 2)
    assert "se, rows 0, 2: must be above 0" in str(caught.value)
    assert "n, row 1: must be 2 or more" in str(caught.value)
