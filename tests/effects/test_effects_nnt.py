"""Intervals of risk differences and numbers needed to treat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.effects import nnt, nnt_from_smd, risk_difference_interval
from ipt_outcomes.errors import DesignError, OptionError

FOUR = ("event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2")


def tables(reference):
    return reference("trial/risk_difference_tables")["tables"]


@pytest.mark.parametrize("method", ["newcombe", "miettinen-nurminen"])
def test_intervals_agree_with_the_reference(reference, method):
    for table in tables(reference):
        low, high = risk_difference_interval(*(table[name] for name in FOUR), method=method)
        np.testing.assert_allclose([low, high], table[method.replace("-", "_")], rtol=1e-9, atol=1e-12)


def test_the_wald_interval_is_the_textbook_one():
    low, high = risk_difference_interval(56, 70, 48, 80, method="wald")
    half = 1.959963984540054 * np.sqrt(0.8 * 0.2 / 70 + 0.6 * 0.4 / 80)
    np.testing.assert_allclose([low, high], [0.2 - half, 0.2 + half], rtol=1e-12)


def test_nnt_agrees_with_the_reference(reference):
    for table in tables(reference):
        expected = table["nnt_newcombe"]
        frame = nnt(*(table[name] for name in FOUR)).to_frame()
        row = frame.iloc[0]
        assert row["nnt"] == pytest.approx(expected["nnt"], rel=1e-9)
        assert row["direction"] == expected["direction"]
        assert row["through_infinity"] == expected["through_infinity"]
        if expected["through_infinity"]:
            assert row["ci_near"] == pytest.approx(expected["nnt_benefit_limit"], rel=1e-9)
            assert row["ci_far"] == pytest.approx(expected["nnt_harm_limit"], rel=1e-9)
            assert "to ∞ to NNTH" in row["text"]
        else:
            assert row["ci_near"] == pytest.approx(expected["ci_low"], rel=1e-9)
            assert row["ci_far"] == pytest.approx(expected["ci_high"], rel=1e-9)


def test_bad_events_turn_the_sign():
    good, bad = nnt(17, 60, 28, 60, event="good"), nnt(17, 60, 28, 60, event="bad")
    assert (good.direction, bad.direction) == (("harm",), ("benefit",))
    np.testing.assert_allclose(good.nnt, bad.nnt)
    assert "bad news" in bad.method


@pytest.mark.parametrize(
    ("g", "expected", "digits"),
    [(0.63, 2.91, 2), (0.04, 45.45, 2), (0.19, 9.43, 2)],
)
def test_kraemer_kupfer_as_printed_by_cuijpers_2011(g, expected, digits):
    """The paper cut 2 Phi(d/sqrt 2) - 1 to three decimals before it took the reciprocal."""
    benefit = nnt_from_smd(g, method="kraemer-kupfer").benefit[0]
    assert round(1 / (int(benefit * 1000) / 1000), digits) == pytest.approx(expected, abs=0.005)


def test_furukawa_leucht_at_the_published_pooled_effects():
    g = [0.4749, 0.6068, 0.5529]
    np.testing.assert_allclose(nnt_from_smd(g).nnt, [6.3729, 4.8269, 5.3649], atol=1.5e-3)
    np.testing.assert_allclose(nnt_from_smd(g, method="kraemer-kupfer").nnt, [3.8025, 3.0109, 3.2876], atol=1e-3)


def test_an_interval_across_zero_reads_right():
    found = nnt_from_smd(0.1, ci_low=-0.2, ci_high=0.4)
    assert found.through_infinity.tolist() == [True]
    assert found.text[0].startswith("NNTB 34.3 (NNTB ")  # Phi(0.1 - 0.8416) - 0.2 = 0.0292
    assert " to ∞ to NNTH " in found.text[0]
    harm = nnt_from_smd(-0.3, ci_low=-0.5, ci_high=-0.1)
    assert harm.text[0].count("NNTH") == 3
    assert "∞" not in harm.text[0]
    assert nnt_from_smd(0.0).text == ("NNT ∞",)
    assert "missing" in nnt_from_smd(np.nan).text[0]


def test_refusals():
    with pytest.raises(DesignError) as caught:
        nnt_from_smd([0.5, 0.5], control_rate=[0, 0.2])
    assert caught.value.rows == (0,)
    with pytest.raises(OptionError, match="go together"):
        nnt_from_smd(0.5, ci_low=0.1)
    with pytest.raises(OptionError):
        nnt(1, 10, 2, 10, event="neutral")
    with pytest.raises(OptionError):
        risk_difference_interval(1, 10, 2, 10, method="agresti")
    with pytest.raises(DesignError):
        risk_difference_interval(11, 10, 2, 10, method="miettinen-nurminen")


@given(st.data())
def test_score_limits_mirror_and_enclose(data):
    n1, n2 = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    low, high = risk_difference_interval(x1, n1, x2, n2, method="miettinen-nurminen")
    assert -1 <= low <= x1 / n1 - x2 / n2 <= high <= 1
    back = risk_difference_interval(x2, n2, x1, n1, method="miettinen-nurminen")
    np.testing.assert_allclose([-back.high, -back.low], [low, high], atol=1e-9)


@given(st.floats(-3, 3), st.floats(0.01, 0.99))
def test_benefit_turns_sign_with_g(g, rate):
    one = nnt_from_smd(g, control_rate=rate).benefit[0]
    # the rate of bad outcomes is the mirror image
    other = nnt_from_smd(-g, control_rate=1 - rate).benefit[0]
    assert one == pytest.approx(-other, abs=1e-12)
    assert np.sign(one) == np.sign(g) or abs(g) < 1e-12
