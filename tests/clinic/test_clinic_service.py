"""Waits, follow-up windows and spells of remission: reference values and boundaries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import depression_remission_or_response, remission_and_relapse, waiting_times
from ipt_outcomes.errors import DesignError, OptionError


def answers(column):
    return [None if pd.isna(value) else bool(value) for value in column]


def test_waits_are_those_of_the_reference(reference):
    rows = pd.DataFrame(reference("clinic/waiting_times")["rows"])
    found = waiting_times(rows, referral="referral", first="first", second="second", attended="n_treat")
    assert [None if np.isnan(wait) else wait for wait in found.rows["wait"]] == [
        None if pd.isna(wait) else wait for wait in rows["wait"]
    ]
    for ours, theirs in (
        ("finished", "finished"),
        ("within_6_weeks", "within6w"),
        ("within_18_weeks", "within18w"),
        ("gap_over_28", "gap_over28"),
        ("gap_over_90", "gap_over90"),
    ):
        assert answers(found.rows[ours]) == answers(rows[theirs]), ours
    rates = found.rates.set_index("rate")
    finished = rows[rows["finished"]]
    assert rates.loc["within_6_weeks", ["numerator", "denominator"]].tolist() == [finished["within6w"].sum(), 7]
    assert rates.loc["within_6_weeks", "standard"] == 75
    assert rates.loc["within_18_weeks", "standard"] == 95
    assert found.excluded.set_index(["rate", "reason"]).loc[("within_6_weeks", "course not finished"), "courses"] == 2


def test_waits_by_days_and_by_dates_are_the_same_and_never_run_backwards(reference):
    rows = pd.DataFrame(reference("clinic/waiting_times")["rows"])
    names = {"referral": "referral", "first": "first", "second": "second", "attended": "n_treat"}
    days = rows.assign(
        **{
            name: (pd.to_datetime(rows[name]) - pd.Timestamp(2025, 1, 1)).dt.days
            for name in ("referral", "first", "second")
        }
    )
    pd.testing.assert_frame_equal(waiting_times(rows, **names).rates, waiting_times(days, **names).rates)
    with pytest.raises(
        DesignError, match="first before referral in 1 course; second before first in 1 course"
    ) as caught:
        waiting_times(days.assign(first=[-1, 80, *days["first"][2:]]), **names)
    assert caught.value.rows == (0, 1)
    with pytest.raises(DesignError, match="neither days nor dates"):
        waiting_times(rows.assign(first="soon"), **names)


def test_the_window_of_the_reference(reference):
    rows = reference("clinic/hedis_drr_window")["rows"]
    scores = pd.DataFrame(
        [(row["id"], 0, row["base"]) for row in rows]
        + [(row["id"], score["day"], score["phq"]) for row in rows for score in row["fu"]],
        columns=["patient_id", "day", "value"],
    )
    found = depression_remission_or_response(scores)
    table = found.rows.set_index("patient_id")
    for row in rows:
        mine = table.loc[row["id"]]
        assert bool(mine["in_denominator"]) == row["in_denominator"]
        # Somebody never elevated has no window of the measure; the reference looks at it from the first score.
        assert (None if np.isnan(mine["last"]) else mine["last"]) == row["last"]
        assert [bool(mine[name]) for name in ("followup", "remission", "response")] == [
            row[name] for name in ("followup", "remission", "response")
        ]
    inside = [row for row in rows if row["in_denominator"]]
    assert found.rates["numerator"].tolist() == [
        sum(row[name] for row in inside) for name in ("followup", "remission", "response")
    ]
    assert found.rates["denominator"].tolist() == [len(inside)] * 3


def test_the_window_begins_at_the_first_elevated_score():
    scores = pd.DataFrame({"patient_id": 1, "day": [0, 30, 149, 151], "value": [6, 15, 10, 4]})
    assert depression_remission_or_response(scores).rows["last"].tolist() == [4]
    assert depression_remission_or_response(scores.iloc[:3]).rows["followup"].tolist() == [False]


def one(days, values):
    scores = pd.DataFrame({"patient_id": 1, "day": days, "value": values})
    found = remission_and_relapse(scores, remission=4, relapse=10, better="lower").rows.iloc[0]
    return {name: None if pd.isna(value) else value for name, value in found.items()}


def test_remission_relapse_and_recurrence_at_their_boundaries():
    exact = one([0, 40, 95, 96, 130], [10, 4, 4, 4, 10])
    assert (exact["ill_at_start"], exact["remission_day"], exact["sustained_day"]) == (True, 40, 96)
    assert (exact["recovery_day"], exact["relapse_day"], exact["recurrence_day"]) == (None, 130, None)
    assert one([0, 40], [9, 5])["remission_day"] is None
    between = one([0, 40, 70, 96], [15, 4, 7, 4])
    assert (between["sustained_day"], between["relapse_day"]) == (None, None)
    late = one([0, 40, 160, 300], [15, 4, 6, 12])
    assert (late["recovery_day"], late["relapse_day"], late["recurrence_day"]) == (160, None, 300)
    # Nobody saw the person between remission and the episode: it is not known to be a recovery.
    unseen = one([0, 40, 300], [15, 4, 12])
    assert (unseen["recovery_day"], unseen["relapse_day"]) == (None, 300)


def test_time_to_relapse_counts_those_at_risk():
    scores = pd.DataFrame(
        {
            "patient_id": [1, 1, 1, 2, 2, 2, 3, 3],
            "day": [0, 30, 60, 0, 30, 90, 0, 30],
            "value": [15, 3, 12, 15, 3, 4, 15, 12],
        }
    )
    spells = remission_and_relapse(scores, remission=4, relapse=10, better="lower")
    relapse = spells.time_to("relapse")
    assert relapse.medians[["n", "events"]].values.tolist() == [[2, 1]]
    assert relapse.table["time"].tolist() == [30]
    remission = spells.time_to("remission")
    assert remission.medians[["n", "events"]].values.tolist() == [[3, 2]]
    with pytest.raises(DesignError, match="nobody"):
        spells.time_to("recurrence")


scores_ = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 27)), min_size=1, max_size=10, unique_by=lambda pair: pair[0]
)


@given(scores_, st.integers(-500, 500))
def test_shifting_time_and_turning_the_scale_change_nothing_else(pairs, shift):
    scores = pd.DataFrame([(1, day, value) for day, value in pairs], columns=["patient_id", "day", "value"])
    days = ["remission_day", "sustained_day", "recovery_day", "relapse_day", "recurrence_day"]
    plain = remission_and_relapse(scores, remission=4, relapse=10, better="lower").rows[days]
    moved = remission_and_relapse(
        scores.assign(day=scores["day"] + shift), remission=4, relapse=10, better="lower"
    ).rows[days]
    pd.testing.assert_frame_equal(plain + shift, moved)
    turned = remission_and_relapse(
        scores.assign(value=-scores["value"]), remission=-4, relapse=-10, better="higher"
    ).rows
    pd.testing.assert_frame_equal(plain, turned[days])
    assert not (plain["relapse_day"].notna() & plain["recurrence_day"].notna()).any()


def test_bad_scores_are_refused_all_at_once():
    scores = pd.DataFrame({"patient_id": [1, 1, 2, 2], "day": [0, 0, np.nan, 5], "value": [5, 6, 7, 31]})
    with pytest.raises(DesignError, match="no number of the scale; 1 of 4 rows have a score without a day") as caught:
        depression_remission_or_response(scores)
    assert caught.value.rows == (0, 1, 2, 3)
    with pytest.raises(OptionError, match="bad side"):
        remission_and_relapse(scores, remission=10, relapse=4, better="lower")
    with pytest.raises(OptionError, match="window"):
        depression_remission_or_response(scores, window=(240, 120))
