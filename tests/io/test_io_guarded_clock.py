"""Numbers that are shown as dates and times."""

import datetime

import numpy as np
import pytest

from ipt_outcomes.io.guarded.clock import kind_of, left_as_number, reaches, to_clock

DAY = 86_400


@pytest.mark.parametrize(
    ("program", "shown", "kind", "second"),
    [
        ("spss", "DATE11", "date", 1), ("spss", "ADATE10", "date", 1), ("spss", "EDATE8", "date", 1),
        ("spss", "SDATE10", "date", 1), ("spss", "JDATE7", "date", 1), ("spss", "DATETIME20", "moment", 1),
        ("spss", "YMDHMS19", "moment", 1), ("spss", "TIME8", "time", 1), ("spss", "TIME11.2", "time", 1),
        ("spss", "DTIME10", "duration", 1), ("spss", "F8.2", None, 1), ("portable", "EDATE10", "date", 1),
        ("stata", "%td", "date", 1 / DAY), ("stata", "%d", "date", 1 / DAY), ("stata", "%-td", "date", 1 / DAY),
        ("stata", "%tdDD/NN/CCYY", "date", 1 / DAY), ("stata", "%tc", "moment", 1000),
        ("stata", "%tCDDmonCCYY_HH:MM:SS", "moment", 1000), ("stata", "%tcNN/DD/CCYY_HH:MM", "moment", 1000),
        ("stata", "%tcHH:MM:SS", "time", 1000), ("stata", "%tcHH:MM", "time", 1000),
        ("stata", "%tchh:MM_am", "time", 1000), ("stata", "%9.0g", None, 1), ("stata", "%tm", None, 1),
        ("sas", "DATE9", "date", 1 / DAY), ("sas", "MMDDYY10.", "date", 1 / DAY), ("sas", "E8601DA", "date", 1 / DAY),
        ("sas", "DTDATE9", "date", 1), ("sas", "DATETIME18", "moment", 1), ("transport", "TIME20.3", "time", 1),
        ("sas", "BEST12", None, 1), ("sas", "", None, 1),
    ],
)  # fmt: skip
def test_kinds(program, shown, kind, second):
    found, units = kind_of(program, shown)
    assert found == kind
    if kind is not None:
        assert units == second


@pytest.mark.parametrize(
    ("program", "shown", "left"),
    [("stata", "%tm", True), ("stata", "%tq", True), ("stata", "%ty", True), ("stata", "%8.0g", False),
     ("spss", "MOYR8", True), ("spss", "QYR8", True), ("spss", "F8.2", False), ("sas", "YEAR4", True),
     ("sas", "BEST12", False)],
)  # fmt: skip
def test_months_and_quarters_stay_numbers(program, shown, left):
    assert left_as_number(program, shown) is left


@pytest.mark.parametrize("year", [1582, 1850, 1900, 1960, 1999, 2024, 9999])
@pytest.mark.parametrize(
    ("program", "shown", "origin"),
    [("spss", "DATE11", "1582-10-14"), ("stata", "%td", "1960-01-01"), ("sas", "DATE9", "1960-01-01")],
)
def test_dates_are_the_calendar_of_datetime(program, shown, origin, year):
    day = datetime.date(year, 12, 31)
    count = (day - datetime.date.fromisoformat(origin)).days
    kind, second = kind_of(program, shown)
    number = count * DAY if program == "spss" else count
    series = to_clock(np.array([number, np.nan, number + 0.4]), kind, second, program)
    assert str(series.dtype) == "datetime64[s]"
    assert series.isna().tolist() == [False, True, False]
    assert series[0].date() == day
    assert series[2] == series[0]


def test_moments_keep_microseconds():
    stata = to_clock(np.array([1_234_567.891 * 1000, -0.5]), "moment", 1000.0, "stata")
    assert stata.tolist()[0] == datetime.datetime(1960, 1, 1) + datetime.timedelta(
        seconds=1_234_567, microseconds=891_000
    )
    assert stata.tolist()[1] == datetime.datetime(1959, 12, 31, 23, 59, 59, 999_500)
    far = to_clock(np.array([6.3e12 * 10]), "moment", 1.0, "spss")
    assert str(far.dtype) == "datetime64[s]"


def test_times_of_day():
    values = np.array([0, 43_870.09, np.nan, 86_399.9999999])
    times = to_clock(values, "time", 1.0, "spss")
    assert times.tolist() == [
        datetime.time(0), datetime.time(12, 11, 10, 90_000), None, datetime.time(23, 59, 59, 999_999)
    ]  # fmt: skip


@pytest.mark.parametrize("number", [DAY, DAY * 3 + 1.5, -1.0])
def test_times_that_leave_the_day_are_durations(number):
    series = to_clock(np.array([number, np.nan]), "time", 1.0, "spss")
    assert series[0] == datetime.timedelta(seconds=number)
    assert series.isna().tolist() == [False, True]
    # Stata shows the clock of a moment that counts from 1960.
    moment = to_clock(np.array([number * 1000]), "time", 1000.0, "stata")
    assert moment[0] == datetime.datetime(1960, 1, 1) + datetime.timedelta(seconds=number)


def test_numbers_out_of_reach():
    assert reaches(np.array([np.nan, np.inf, 6.3e12]), "moment", 1.0)
    assert not reaches(np.array([1e19]), "moment", 1.0)
    assert not reaches(np.array([1e13]), "duration", 1.0)
    assert reaches(np.array([]), "date", 1 / DAY)
