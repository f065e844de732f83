"""Kaplan-Meier curves against R's survival and statsmodels, and identities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.survival import kaplan_meier


@pytest.fixture(scope="module")
def people(shared):
    return pd.read_csv(shared / "data" / "clinic" / "made_time_to_response.csv")


@pytest.mark.shared
@pytest.mark.parametrize(("ci", "key"), [("plain", "plain"), ("log", "log"), ("log-log", "loglog")])
def test_curves_intervals_and_medians_are_those_of_r(people, reference, ci, key):
    case = reference("clinic/km_time_to_response")
    found = kaplan_meier(people["week"], people["event"], group=people["arm"], ci=ci)
    wanted = pd.DataFrame(case[key]["rows"])
    # R lists only times at which something happened, and so do we: times with ends of observation alone have no row.
    wanted = wanted[wanted["n_event"] > 0].reset_index(drop=True)
    assert found.table["group"].tolist() == wanted["arm"].tolist()
    for ours, theirs in (
        ("time", "time"),
        ("n_risk", "n_risk"),
        ("n_event", "n_event"),
        ("survival", "surv"),
        ("se", "se"),
        ("ci_low", "lo"),
        ("ci_high", "hi"),
    ):
        np.testing.assert_allclose(found.table[ours], wanted[theirs].astype(float), rtol=1e-9, err_msg=ours)
    table = pd.DataFrame(case[key]["table"])
    for ours, theirs in (("median", "median"), ("ci_low", "0.95LCL"), ("ci_high", "0.95UCL")):
        np.testing.assert_allclose(found.medians[ours], table[theirs].astype(float), rtol=1e-9, err_msg=ours)
    assert found.medians["events"].tolist() == table["events"].tolist()


@pytest.mark.shared
def test_the_log_rank_test_is_that_of_r(people, reference):
    wanted = reference("clinic/km_time_to_response")["logrank"]
    found = kaplan_meier(people["week"], people["event"], group=people["arm"])
    assert found.logrank["chi2"].item() == pytest.approx(wanted["chisq"], rel=1e-9)
    assert found.counts["observed"].tolist() == wanted["obs"]
    np.testing.assert_allclose(found.counts["expected"], wanted["exp"], rtol=1e-9)


people_ = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from(["a", "b", "c"])), min_size=6, max_size=40
)


@given(people_)
def test_statsmodels_gives_the_same_curve_and_test(rows):
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    time, event, group = (np.array(column) for column in zip(*rows, strict=True))
    if not event.any():
        return
    found = kaplan_meier(time, event)
    theirs = SurvfuncRight(time, event.astype(int))
    np.testing.assert_allclose(found.table["survival"], theirs.surv_prob, rtol=1e-12, atol=1e-15)
    for part in set(group):
        if sum(group == part) == 0:
            return
    if len(set(group)) > 1:
        test = kaplan_meier(time, event, group=group).logrank
        if test["df"].item() == len(set(group)) - 1:
            chi2, p_value = survdiff(time, event.astype(int), group)
            assert test["chi2"].item() == pytest.approx(chi2, rel=1e-8, abs=1e-9)
            assert test["p_value"].item() == pytest.approx(p_value, rel=1e-6, abs=1e-12)


@given(people_, st.randoms())
def test_order_and_unit_of_time_do_not_matter(rows, order):
    time, event, group = (np.array(column) for column in zip(*rows, strict=True))
    found = kaplan_meier(time, event, group=group)
    places = list(range(len(rows)))
    order.shuffle(places)
    again = kaplan_meier(time[places] * 7, event[places], group=group[places])
    pd.testing.assert_series_equal(found.table["survival"], again.table["survival"])
    np.testing.assert_allclose(found.medians["median"] * 7, again.medians["median"])


def test_without_ends_of_observation_the_curve_is_the_share_left():
    found = kaplan_meier([1, 2, 2, 3, 5], [1, 1, 1, 1, 1])
    np.testing.assert_allclose(found.table["survival"], [0.8, 0.4, 0.2, 0.0], atol=1e-15)
    assert found.medians["median"].item() == 2
    assert found.at(2)["survival"].item() == pytest.approx(0.4)
    assert found.at(0.5)["survival"].item() == 1.0


def test_a_curve_at_one_half_has_its_median_in_the_middle_of_the_step():
    assert kaplan_meier([1, 2, 4, 8], [1, 1, 1, 1]).medians["median"].item() == 3.0


def test_nobody_with_the_event_has_an_empty_curve_and_no_median():
    found = kaplan_meier([1, 2], [0, 0], group=["a", "b"])
    assert found.table.empty
    assert found.medians["median"].isna().all()
    assert found.logrank.empty
    assert "not reached" in found.summary()


def test_missing_people_are_counted_and_bad_input_refused():
    assert kaplan_meier([1, np.nan, 3], [1, 1, None]).n_missing == 2
    with pytest.raises(DesignError, match="at or above 0") as caught:
        kaplan_meier([1, -2, 3], [1, 1, 1])
    assert caught.value.rows == (1,)
    with pytest.raises(DesignError, match="0 or 1"):
        kaplan_meier([1, 2], [1, 2])
    with pytest.raises(DesignError, match="nobody"):
        kaplan_meier([np.nan], [1])
    with pytest.raises(OptionError):
        kaplan_meier([1], [1], ci="loglog")
