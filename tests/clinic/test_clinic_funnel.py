"""Funnel limits against exact quantiles, FunnelPlotR, and identities."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import funnel, ratio_limits
from ipt_outcomes.errors import DesignError, OptionError


def test_exact_limits_are_the_binomial_quantiles(reference):
    rows = reference("clinic/funnel_exact_binomial_050")["rows"]
    n = [row["n"] for row in rows]
    plain = funnel(np.array(n) // 2, n, target=0.5).limits
    smooth = funnel(np.array(n) // 2, n, target=0.5, limits="exact-interpolated").limits
    assert plain.columns.tolist() == ["n", "low_95", "high_95", "low_998", "high_998"]
    for ours, exact, interpolated in (
        ("low_95", "q025", "interp_lo95"),
        ("high_95", "q975", "interp_hi95"),
        ("low_998", "q001", "interp_lo998"),
        ("high_998", "q999", "interp_hi998"),
    ):
        np.testing.assert_allclose(plain[ours], [row[exact] for row in rows], rtol=1e-12)
        np.testing.assert_allclose(smooth[ours], [row[interpolated] for row in rows], rtol=1e-9)


@pytest.mark.shared
def test_over_dispersion_is_that_of_the_package(shared):
    case = json.loads((shared / "reference/clinic/funnel_overdispersion_pr.json").read_text(encoding="utf-8"))
    data = pd.read_csv(shared / "data" / "clinic" / case["file"])
    plain, spread = (funnel(data["x"], data["n"], limits=kind) for kind in ("arcsine", "over-dispersed"))
    assert plain.target == pytest.approx(case["target"], rel=1e-12)
    np.testing.assert_allclose(plain.units["z"], case["z"], rtol=1e-9)
    assert (spread.phi, spread.tau2) == pytest.approx((case["phi"], case["tau2"]), rel=1e-9)
    for found, key, prefix in ((plain, "limits_plain", ""), (spread, "limits_od", "od")):
        wanted = pd.DataFrame(case[key])
        assert found.limits["n"].tolist() == wanted["number_seq"].tolist()
        for level in ("95", "998"):
            # The package takes its normal quantiles as 1.959964 and 3.090232; six digits of them are right.
            np.testing.assert_allclose(found.limits[f"low_{level}"], wanted[f"{prefix}ll{level}"], rtol=1e-6)
            np.testing.assert_allclose(found.limits[f"high_{level}"], wanted[f"{prefix}ul{level}"], rtol=1e-6)


def test_a_unit_on_a_limit_is_inside_and_one_beyond_it_is_outside():
    # 95% limits of 40 people at one half are 14 and 26 (0.35 and 0.65); 99.8% are 10 and 30.
    units = funnel([14, 13, 26, 27, 10, 9, 30, 31], [40] * 8, target=0.5).units
    assert units["outside"].tolist() == [0, 95, 0, 95, 95, 99.8, 95, 99.8]
    assert units["direction"].tolist() == ["", "below", "", "above", "below", "below", "above", "above"]


counts_ = st.lists(
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=12
)


@given(counts_)
def test_the_outcome_turned_round_mirrors_the_funnel(pairs):
    x, n = np.array(pairs).T
    if x.sum() in (0, n.sum()):
        return
    for kind in ("exact", "arcsine", "over-dispersed"):
        there, back = funnel(x, n, limits=kind), funnel(n - x, n, limits=kind)
        np.testing.assert_allclose(there.units["z"], -back.units["z"], atol=1e-9)
        np.testing.assert_allclose(there.tau2, back.tau2, atol=1e-12)
        if kind != "exact":
            np.testing.assert_allclose(there.limits["low_95"], 1 - back.limits["high_95"], atol=1e-9)


@given(counts_)
def test_limits_hold_the_target_and_widen_with_the_level(pairs):
    x, n = np.array(pairs).T
    found = funnel(x, n, target=0.4).limits
    assert (found["low_998"] <= found["low_95"]).all()
    assert (found["high_998"] >= found["high_95"]).all()
    assert (found["low_95"] <= 0.4).all()
    assert (found["high_95"] >= 0.4).all()


def test_bad_input_is_refused_in_words():
    with pytest.raises(DesignError, match="2 of 3 units") as caught:
        funnel([1, 5, 2.5], [4, 4, 4])
    assert caught.value.rows == (1, 2)
    with pytest.raises(OptionError, match="all or none"):
        funnel([0, 0], [5, 5])
    with pytest.raises(OptionError, match="increasing"):
        funnel([1], [5], levels=(0.998, 0.95))
    with pytest.raises(DesignError, match="at least 1 unit"):
        funnel([], [])


def test_limits_of_observed_over_expected_are_exact_poisson(reference):
    rows = reference("clinic/funnel_standardised_ratio_poisson")["rows"]
    expected = [row["expected"] for row in rows]
    for level, name in ((0.95, "95"), (0.998, "998")):
        found = ratio_limits(expected, level=level)
        np.testing.assert_allclose(found["low"], [row[f"lo{name}"] for row in rows], rtol=1e-9)
        np.testing.assert_allclose(found["high"], [row[f"hi{name}"] for row in rows], rtol=1e-9)
    with pytest.raises(DesignError, match="1 of 2") as caught:
        ratio_limits([3.0, 0.0])
    assert caught.value.rows == (1,)
