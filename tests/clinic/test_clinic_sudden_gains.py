"""Sudden gains and losses against the R package suddengains, and by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import gain_cut, sudden_gains, sudden_gains_by_cut, sudden_losses
from ipt_outcomes.errors import DesignError, OptionError

OPTIONS = {
    "sg_bdi_default": {},
    "sg_bdi_1to2": {},
    "sg_bdi_cut5_pct20": {"percent": 0.2},
    "sg_bdi_fixed2776": {"critical_value": "fixed"},
    "sg_bdi_nocrit3": {"critical_value": None},
}


def long_scores(shared, columns):
    wide = pd.read_csv(shared / "data" / "clinic" / "sgdata.csv")
    first = int(columns[0].removeprefix("bdi_s"))
    parts = [
        pd.DataFrame({"patient_id": wide["id"], "session_no": first + place, "value": wide[name]})
        for place, name in enumerate(columns)
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["value"])


def expected_of(shared, name):
    return json.loads((shared / "reference" / "clinic" / f"{name}.json").read_text(encoding="utf-8"))


def as_answer(value):
    return None if pd.isna(value) else bool(value)


def same_intervals(intervals, details, prefix, without_third=False):
    frame = intervals.set_index(["patient_id", "session_no"])
    seen = 0
    for person in details:
        for key, value in person.items():
            if not key.startswith(f"{prefix}_crit") and not (key.startswith(f"{prefix}_") and "to" in key):
                continue
            session = int(key.rsplit("_", 1)[1].split("to")[0])
            row = frame.loc[(person["id"], session)]
            column = f"criterion_{key[len(prefix) + 5]}" if "crit" in key else "gain"
            # The package counts a gain 0 or 1.
            assert as_answer(row[column]) == (None if value is None else bool(value)), (person["id"], key)
            seen += 1
    assert seen == 4 * len(frame)


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_interval_is_judged_as_the_package_judges_it(shared, name):
    case = expected_of(shared, name)
    scores = long_scores(shared, case["args"]["vars"])
    found = sudden_gains(scores, better="lower", cut=case["args"]["crit1"], **OPTIONS[name])
    same_intervals(found.intervals, case["details"], "sg")


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(set(OPTIONS) - {"sg_bdi_1to2"}))
def test_every_gain_has_the_size_and_reversal_of_the_package(shared, name):
    case = expected_of(shared, name)
    scores = long_scores(shared, case["args"]["vars"])
    found = sudden_gains(scores, better="lower", cut=case["args"]["crit1"], **OPTIONS[name])
    wanted = pd.DataFrame(case["bysg"]).sort_values(["id", "sg_session_n"]).reset_index(drop=True)
    gains = found.gains.sort_values(["patient_id", "session_no"]).reset_index(drop=True)
    assert gains["patient_id"].tolist() == wanted["id"].tolist()
    assert gains["session_no"].tolist() == wanted["sg_session_n"].tolist()
    for ours, theirs in (
        ("magnitude", "sg_magnitude"),
        ("total_change", "sg_bdi_tx_change"),
        ("proportion", "sg_change_proportion"),
        ("reversal_value", "sg_reversal_value"),
    ):
        np.testing.assert_allclose(gains[ours], wanted[theirs].astype(float), rtol=1e-9, err_msg=ours)
    theirs = (wanted["sg_reversal"] == 1).to_numpy()
    # A gain in the last interval (person 35: 18, 7, then 20) is reversed by the very last score; the package misses it.
    last = (wanted["sg_session_n"] == 10).to_numpy() & (wanted["bdi_s12"] > wanted["sg_reversal_value"]).to_numpy()
    assert not theirs[last].any()
    assert gains["reversal"].tolist() == (theirs | last).tolist()


@pytest.mark.shared
def test_losses_are_the_mirror_the_package_gives_with_a_negative_percentage(shared):
    case = expected_of(shared, "sl_bdi")
    scores = long_scores(shared, [f"bdi_s{number}" for number in range(1, 13)])
    found = sudden_losses(scores, better="lower", cut=7)
    same_intervals(found.intervals, case["details_negative_pct"], "sl")


def test_the_cut_is_the_reliable_change():
    assert gain_cut(10.5, 0.931) == pytest.approx(7.645130685606, rel=1e-12)


def one_person(*scores):
    return pd.DataFrame({"patient_id": "a", "session_no": np.arange(1, len(scores) + 1), "value": scores})


def test_the_cut_and_the_quarter_are_inclusive():
    at = one_person(28.0, 28.0, 28.0, 21.0, 21.0, 21.0, 21.0)
    assert len(sudden_gains(at, better="lower", cut=7).gains) == 1
    assert len(sudden_gains(at, better="lower", cut=7.0001).gains) == 0
    below_a_quarter = one_person(29.0, 29.0, 29.0, 22.0, 22.0, 22.0, 22.0)
    assert len(sudden_gains(below_a_quarter, better="lower", cut=7).gains) == 0


def test_a_score_at_the_reversal_value_is_no_reversal():
    kept = one_person(20.0, 20.0, 20.0, 10.0, 10.0, 10.0, 15.0)
    lost = one_person(20.0, 20.0, 20.0, 10.0, 10.0, 10.0, 15.5)
    assert sudden_gains(kept, better="lower", cut=7).gains["reversal"].tolist() == [False]
    assert sudden_gains(lost, better="lower", cut=7).gains["reversal"].tolist() == [True]


def test_an_interval_with_a_missing_score_is_not_judged():
    scores = one_person(20.0, 20.0, np.nan, 10.0, 10.0, 10.0, 10.0)
    gain = sudden_gains(scores, better="lower", cut=7).intervals.set_index("session_no")["gain"]
    assert gain.isna().loc[[2, 3]].all()
    assert gain.loc[4] is False or not gain.loc[4]


def test_a_long_pause_is_no_sudden_shift():
    scores = one_person(20.0, 20.0, 20.0, 10.0, 10.0, 10.0).assign(week=[0, 1, 2, 9, 10, 11])
    assert len(sudden_gains(scores, better="lower", cut=7, week="week", max_weeks=3).gains) == 0
    assert len(sudden_gains(scores, better="lower", cut=7, week="week", max_weeks=7).gains) == 1


def test_counts_by_cut_fall_as_the_cut_rises():
    scores = pd.concat(
        [
            one_person(20.0, 20.0, 20.0, 20.0 - size, 20.0 - size, 20.0 - size).assign(patient_id=size)
            for size in (5, 8, 12)
        ]
    )
    frame = sudden_gains_by_cut(scores, [4, 7, 10, 15], better="lower")
    assert frame["n_gains"].tolist() == [3, 2, 1, 0]
    assert frame["n_people"].tolist() == frame["n_gains"].tolist()


scores_ = st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=5, max_size=14)


@given(scores_)
def test_a_scale_turned_round_turns_gains_into_losses(values):
    scores = one_person(*[np.nan if value is None else float(value) + 50 for value in values])
    turned = scores.assign(value=-scores["value"])
    gains = sudden_gains(scores, better="lower", cut=7, percent=0.01)
    same = sudden_gains(turned, better="higher", cut=7, percent=0.01)
    assert gains.intervals["gain"].equals(same.intervals["gain"])
    losses = sudden_losses(turned, better="lower", cut=7, percent=0.01)
    assert losses.intervals["gain"].equals(gains.intervals["gain"])


@given(scores_, st.randoms())
def test_the_order_of_rows_does_not_matter(values, order):
    scores = one_person(*[np.nan if value is None else float(value) for value in values])
    places = list(range(len(scores)))
    order.shuffle(places)
    pd.testing.assert_frame_equal(
        sudden_gains(scores, better="lower", cut=7).gains,
        sudden_gains(scores.iloc[places].reset_index(drop=True), better="lower", cut=7).gains,
    )


def test_what_cannot_be_judged_is_refused_in_words():
    with pytest.raises(DesignError, match="at least 4 sessions"):
        sudden_gains(one_person(1.0, 2.0, 3.0), better="lower", cut=7)
    with pytest.raises(DesignError, match="not there: value"):
        sudden_gains(one_person(1.0, 2.0, 3.0, 4.0).drop(columns="value"), better="lower", cut=7)
    doubled = pd.concat([one_person(1.0, 2.0, 3.0, 4.0)] * 2, ignore_index=True)
    with pytest.raises(DesignError, match="share their person and session") as caught:
        sudden_gains(doubled, better="lower", cut=7)
    assert caught.value.rows == tuple(range(8))
    with pytest.raises(DesignError, match="no whole number"):
        sudden_gains(one_person(1.0, 2.0, 3.0, 4.0).assign(session_no=[1, 2, 2.5, 4]), better="lower", cut=7)
    with pytest.raises(DesignError, match="a score that is no number"):
        sudden_gains(one_person(1.0, 2.0, 3.0, 4.0).assign(value=["1", "2", "x", "4"]), better="lower", cut=7)
    for bad in ({"cut": 0}, {"cut": 7, "percent": 25}, {"cut": 7, "max_weeks": 2}, {"cut": 7, "critical_value": "t"}):
        with pytest.raises(OptionError):
            sudden_gains(one_person(1.0, 2.0, 3.0, 4.0), better="lower", **bad)
