"""The result object: what it holds, how it reads, what it refuses."""

import json

import numpy as np
import pytest

from ipt_outcomes.effects import MEASURE_NAMES, EffectSizes, odds_ratio, smd
from ipt_outcomes.errors import DesignError, OptionError


def test_interval_and_standard_error():
    effect = EffectSizes(yi=[0.5, np.nan], vi=[0.04, np.nan], measure="SMD", convention="metafor")
    low, high = effect.ci()
    np.testing.assert_allclose([low[0], high[0]], [0.5 - 1.959963984540054 * 0.2, 0.5 + 1.959963984540054 * 0.2])
    assert np.isnan(low[1])
    np.testing.assert_allclose(effect.se[0], 0.2)
    narrow = effect.ci(0.5)
    assert narrow[0][0] > low[0]


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_a_level_that_is_no_proportion_is_refused(level):
    with pytest.raises(OptionError, match="between 0 and 1"):
        smd(10, 2, 20, 13, 2, 20, better="lower").ci(level)


def test_the_arrays_are_read_only_copies():
    mine = np.array([0.5])
    effect = EffectSizes(yi=mine, vi=np.array([0.04]), measure="SMD", convention="metafor")
    assert mine.flags.writeable
    mine[0] = 9
    assert effect.yi[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        effect.yi[0] = 1


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"yi": [1.0, 2.0], "vi": [1.0]}, "one shape"),
        ({"yi": [[1.0]], "vi": [[1.0]]}, "one shape"),
        ({"yi": [1.0, np.inf, 1.0], "vi": [1.0, 1.0, -1.0]}, "rows 1, 2"),
        ({"yi": [1.0], "vi": [1.0], "flags": ("", "")}, "one text per row"),
    ],
)
def test_impossible_results_cannot_be_made(fields, match):
    with pytest.raises(DesignError, match=match):
        EffectSizes(measure="SMD", convention="metafor", **fields)


def test_unknown_measure_and_event_are_refused():
    with pytest.raises(OptionError, match="measure"):
        EffectSizes(yi=[1.0], vi=[1.0], measure="HR", convention="x")
    with pytest.raises(OptionError, match="event"):
        EffectSizes(yi=[1.0], vi=[1.0], measure="OR", convention="x", event="neutral")


def test_frame_dictionary_and_text_say_the_same():
    effect = odds_ratio([0, 4], 20, [6, np.nan], 25, event="bad")
    frame = effect.to_frame()
    assert list(frame.columns) == ["yi", "vi", "se", "ci_low", "ci_high", "flag"]
    np.testing.assert_array_equal(frame["yi"], effect.yi)
    record = json.loads(json.dumps(effect.to_dict()))
    assert record["yi"] == [effect.yi[0], None]
    assert record["event"] == "bad"
    assert record["provenance"]["options"]["zero_cells"] == "add-half"
    lines = effect.summary().splitlines()
    assert lines[0] == "2 effects: log odds ratio, zero cells: add-half, double zero: keep"
    assert lines[1] == "Formula: log(ad/(bc)), variance 1/a + 1/b + 1/c + 1/d"
    assert lines[2] == "0: −2.61 (−5.56 to 0.33)  [0.5 added to all four cells: a cell is 0]"
    assert lines[3] == "1: – (– to –)  [no effect: event_arm2 missing]"
    assert "<caption>2 effects: log odds ratio" in effect._repr_html_()


@pytest.mark.parametrize("digits", [-1, 4, "2"])
def test_summary_says_how_many_digits_it_can_show(digits):
    with pytest.raises(OptionError, match="0, 1, 2, 3"):
        smd(10, 2, 20, 13, 2, 20, better="lower").summary(digits)


def test_the_convention_names_the_formula():
    arms = (10, 2, 20, 13, 2, 20)
    assert smd(*arms, better="lower").convention == "metafor"
    assert smd(*arms, better="lower", variance="UB").convention == "metafor, variance UB"
    record = smd(*arms, better="lower").provenance.options
    assert record["formula"] == "J exact; variance 1/n1 + 1/n2 + g²/(2N)"
    assert record["better"] == "lower"


def test_every_measure_has_a_name_and_ratios_are_known():
    assert set(MEASURE_NAMES) >= {"SMD", "MD", "SMDC", "OR", "RR", "RD"}
    ratios = {
        measure
        for measure in MEASURE_NAMES
        if EffectSizes(yi=[0.0], vi=[1.0], measure=measure, convention="x").is_ratio
    }
    assert ratios == {"OR", "RR", "ROM", "IRR", "RATIO", "VR", "CVR", "ROMC"}
