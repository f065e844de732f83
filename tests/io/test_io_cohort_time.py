"""Dates that become days, rules of the baseline, windows of visits."""

from __future__ import annotations

import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.io import load_cohort, read_cohort_mapping

DATED = pd.DataFrame(
    {
        "patient_id": ["a", "a", "b", "b", "b"],
        "randomised_on": ["28/02/2020", "28/02/2020", "03/04/2021", None, "03/04/2021"],
        "seen_on": ["27/02/2020", "24/04/2020", "03/04/2021", "29/05/2021", ""],
        "phq9": [18, 9, 21, 20, None],
    }
)
DATES = {"order": "dmy", "start": "randomised_on", "day": "seen_on"}


def refused(source, mapping=None):
    with pytest.raises(DataError) as caught:
        load_cohort(source, mapping)
    text = f"{caught.value}\n{caught.value.failures.to_csv()}"
    for secret in ("2020", "2021", "28/02", "03/04"):
        assert secret not in text
    return caught.value


def said(cohort):
    frames = (cohort.patients, cohort.episodes, cohort.sessions, cohort.assessments, cohort.gate.to_frame())
    return "\n".join([cohort.summary(), *cohort.notes, *(frame.to_csv() for frame in frames)])


def test_dates_become_days_from_the_own_start():
    cohort = load_cohort(DATED, {"dates": DATES})
    long = cohort.outcome("phq9", include_baseline=True)
    assert long["day"].tolist() == [-1.0, 56.0, 0.0, 56.0]
    assert long["week"].tolist() == pytest.approx([-1 / 7, 8.0, 0.0, 8.0])
    assert cohort.outcome("phq9")["baseline"].tolist() == [18.0, 21.0]
    entry = next(e for e in cohort.gate.entries if e.rule == "L5")
    assert (entry.action, entry.column, entry.count) == ("changed", "seen_on", 4)
    for secret in ("2020", "2021", "/02", "/04"):
        assert secret not in said(cohort)
    assert "start_year" not in cohort.patients


def test_the_calendar_year_is_kept_only_if_asked_for():
    cohort = load_cohort(DATED, {"dates": {**DATES, "start_year": True}})
    assert cohort.patients["start_year"].tolist() == [2020.0, 2021.0]
    assert any("start_year" in entry.detail for entry in cohort.gate.entries if entry.rule == "L5")
    quasi = next(entry for entry in cohort.gate.entries if entry.rule == "L9")
    assert "start_year" in quasi.column


def test_the_order_must_be_said_and_must_fit():
    without = {name: value for name, value in DATES.items() if name != "order"}
    assert "the mapping does not say how they are written (L5)" in str(refused(DATED, {"dates": without}))
    error = refused(DATED, {"dates": {**DATES, "order": "mdy"}})
    assert "seen_on: no date in 3 of 5 rows" in str(error)
    assert set(error.failures["rule"]) == {"L5"}


def test_dates_by_type_and_serial_numbers_give_the_same_days():
    typed = DATED.assign(**{
        name: pd.to_datetime(DATED[name].replace("", None), format="%d/%m/%Y") for name in ("randomised_on", "seen_on")
    })  # fmt: skip
    plain = {name: value for name, value in DATES.items() if name != "order"}
    days = load_cohort(typed, {"dates": plain}).assessments["day"].tolist()
    assert days == load_cohort(DATED, {"dates": DATES}).assessments["day"].tolist()
    serial = typed.assign(**{
        name: (typed[name] - pd.Timestamp("1899-12-30")).dt.days for name in ("randomised_on", "seen_on")
    })  # fmt: skip
    assert load_cohort(serial, {"dates": {**DATES, "order": "excel"}}).assessments["day"].tolist() == days


def test_a_start_that_is_missing_or_differs_is_refused():
    table = DATED.assign(randomised_on=["28/02/2020", "29/02/2020", None, None, None])
    text = str(refused(table, {"dates": DATES}))
    assert "the start differs between rows of one person for 1 person" in text
    assert "seen_on: 1 person has dates but no start" in text


def test_other_days_of_the_episode():
    table = DATED.assign(ended="01/05/2020").iloc[:2]
    cohort = load_cohort(table, {"dates": {**DATES, "end_day": "ended"}})
    assert cohort.episodes["end_day"].tolist() == [63.0]


@pytest.mark.parametrize(
    ("dates", "match"),
    [
        ({"order": "dmy", "day": "seen_on"}, r"\[dates\] start must name the column"),
        ({**DATES, "order": "ymd"}, r"\[dates\] order 'ymd' must be one of iso, dmy"),
        ({**DATES, "age": "seen_on"}, r"\[dates\] age: a field of days was expected"),
        ({**DATES, "start_year": "yes"}, r"start_year must be true or false"),
        ({**DATES, "day": "seen"}, r"the file has no column 'seen'; near: seen_on"),
    ],
)
def test_mappings_of_dates_that_do_not_fit(dates, match):
    with pytest.raises(OptionError, match=match):
        load_cohort(DATED, {"dates": dates})


def test_a_birthday_is_no_start():
    table = DATED.rename(columns={"randomised_on": "dob"})
    error = refused(table, {"dates": {**DATES, "start": "dob"}})
    assert "dob: the heading promises a date of birth (L2); it cannot be the start of [dates]" in str(error)


def test_dates_nobody_speaks_of_are_refused_with_the_lines_to_write():
    text = str(refused(DATED))
    assert "seen_on: dates are not read (L5)" in text
    assert '[dates] start = "column", order = "dmy", day = "column"' in text
    assert 'left_out = ["randomised_on", "seen_on"]' in text


def test_dates_in_two_files(tmp_path):
    DATED[["patient_id", "randomised_on"]].dropna().drop_duplicates().to_csv(tmp_path / "p.csv", index=False)
    DATED[["patient_id", "seen_on", "phq9"]].to_csv(tmp_path / "v.csv", index=False)
    mapping = {"dates": DATES, "tables": {"patients": {"file": "p.csv"}, "assessments": {"file": "v.csv"}}}
    assert load_cohort(tmp_path, mapping).assessments["day"].tolist() == [-1.0, 56.0, 0.0, 56.0]
    with pytest.raises(OptionError, match=r"\[dates\] end_day: the file has no column 'gone'"):
        load_cohort(tmp_path, {**mapping, "dates": {**DATES, "end_day": "gone"}})


# ---- baseline


VISITS = pd.DataFrame(
    {
        "patient_id": ["a"] * 4 + ["b"] * 2,
        "visit": ["Screening", "baseline", "m1", "m2", "m1", "m2"],
        "week": [-2, 0, 4, 8, 4, 8],
        "phq9": [22, 18, 12, 9, 20, 15],
    }
)


@pytest.mark.parametrize(
    ("rule", "baseline", "weeks", "without"),
    [
        ("last_before_start", [18.0, 18.0, None, None], [4.0, 8.0, 4.0, 8.0], 1),
        ("screening", [22.0, 22.0, None, None], [4.0, 8.0, 4.0, 8.0], 1),
        ("first", [22.0, 22.0, 20.0], [4.0, 8.0, 8.0], 0),
    ],
)
def test_the_baseline_by_rule(rule, baseline, weeks, without):
    cohort = load_cohort(VISITS, {"baseline": {"rule": rule}})
    long = cohort.outcome("phq9")
    assert long["baseline"].astype(object).where(long["baseline"].notna(), None).tolist() == baseline
    assert long["week"].tolist() == weeks
    assert cohort.flow.set_index(["step", "reason"])["people"]["without a baseline", "phq9"] == without
    assert any(note.startswith("baseline: the ") for note in cohort.notes)
    assert cohort.baseline_rule == rule


def test_a_baseline_by_a_visit_that_nobody_has():
    with pytest.raises(DataError, match="no visit is named screening"):
        load_cohort(VISITS.iloc[1:], {"baseline": {"rule": "screening"}})
    with pytest.raises(OptionError, match="must be one of last_before_start, screening, first"):
        load_cohort(VISITS, {"baseline": {"rule": "guess"}})


def test_two_first_scores_that_differ_are_undecided():
    table = pd.DataFrame({"patient_id": ["a", "a"], "week": [1, 1], "visit": ["x", "y"], "phq9": [9, 10]})
    with pytest.raises(DataError, match="two different scores at their first time"):
        load_cohort(table, {"baseline": {"rule": "first"}})


# ---- windows


UNEVEN = pd.DataFrame(
    {
        "patient_id": ["a"] * 6 + ["b"] * 3,
        "day": [-3, 20, 27, 34, 52, 90, 0, 28, 70],
        "phq9": [20, 15, 14, 13, 10, 9, 21, None, 19],
    }
)
WINDOWS = {"unit": "days", "month_1": [20, 36], "month_2": [49, 70]}


@pytest.mark.parametrize(("take", "value"), [("nearest", 14.0), ("first", 15.0), ("last", 13.0)])
def test_windows_choose_one_score_per_visit_and_count_the_others(take, value):
    cohort = load_cohort(UNEVEN, {"windows": {**WINDOWS, "take": take}})
    long = cohort.outcome("phq9")
    assert long["visit"].tolist() == ["month_1", "month_2", "month_1", "month_2"]
    assert long["value"].fillna(-1).tolist() == [value, 10.0, -1.0, 19.0]
    assert long["baseline"].tolist() == [20.0, 20.0, 21.0, 21.0]
    entries = [e for e in cohort.gate.entries if "windows" in e.detail]
    assert [(e.action, e.count) for e in entries] == [("left out", 2), ("left out", 1)]
    assert any("visits by windows in days: month_1 20 to 36" in note for note in cohort.notes)


@pytest.mark.parametrize(
    ("windows", "match"),
    [
        ({"a": [3, 1]}, "must be two numbers"),
        ({"a": [1]}, "must be two numbers"),
        ({"a": [1, 3], "b": [3, 5]}, r"\[windows\] a and b overlap"),
        ({"a": [1, 3], "take": "best"}, "take must be one of"),
        ({"a": [1, 3], "unit": "months"}, 'unit must be "weeks" or "days"'),
    ],
)
def test_windows_that_do_not_fit(windows, match):
    with pytest.raises(OptionError, match=match):
        load_cohort(UNEVEN, {"windows": windows})


def test_all_of_it_reads_back_from_toml(tmp_path):
    plan = read_cohort_mapping(
        {"dates": {**DATES, "start_year": True}, "windows": WINDOWS, "baseline": {"rule": "first", "phq9": "b"},
         "ids": {"alike": "same"}}
    )  # fmt: skip
    path = tmp_path / "m.toml"
    path.write_text(plan.to_toml(), encoding="utf-8")
    assert read_cohort_mapping(path) == plan
    assert plan.baseline == {"phq9": "b"}


def test_words_in_a_column_of_weeks_lead_to_visits():
    table = pd.DataFrame({"patient_id": ["a", "a"], "week": ["baseline", "post"], "phq9": [9, 8]})
    text = str(refused(table))
    assert '[columns] visit = "week", [visits] "baseline" = 0' in text
