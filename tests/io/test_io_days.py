"""Dates to whole days: every way of writing, what each refuses, and that no date is ever said."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.io import to_days

# 29 February 2020 by every program: seconds from 14 October 1582, serial numbers, days and milliseconds from 1960.
LEAP = {
    "iso": "2020-02-29",
    "dmy": "29/02/2020",
    "mdy": "2/29/2020",
    "spss": 13802313600,
    "excel": 43890,
    "excel1904": 42428,
    "sas": 21974,
    "sas_datetime": 1898553600,
    "stata": 21974,
    "stata_datetime": 1898553600000,
}
DAY = (datetime.date(2020, 2, 29) - datetime.date(1970, 1, 1)).days


@pytest.mark.parametrize("origin", LEAP)
def test_one_day_in_every_way_of_writing(origin):
    assert to_days([LEAP[origin]], origin=origin).tolist() == [DAY]
    assert to_days([str(LEAP[origin]), None, ""], origin=origin).tolist()[0] == DAY
    assert np.isnan(to_days([None, " ", np.nan], origin=origin)).all()


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        ("iso", "2020-02-29T23:59:59"), ("iso", "2020-02-29 10:00"), ("iso", "2020/2/29"), ("dmy", "29.2.2020"),
        ("dmy", "29-02-2020, 10:15"), ("mdy", "02/29/2020 10:00"), ("spss", 13802313600 + 86_399), ("excel", 43890.75),
        ("sas_datetime", 1898553600 + 3600.5), ("stata_datetime", 1898553600000 + 86_399_999),
    ],
)  # fmt: skip
def test_the_time_of_day_is_cut_off(origin, written):
    assert to_days([written], origin=origin).tolist() == [DAY]


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        ("dmy", "02/29/2020"), ("mdy", "29/02/2020"), ("iso", "29/02/2020"), ("dmy", "2020-02-29"),
        ("dmy", "29/02/20"), ("dmy", "30/02/2020"), ("mdy", "02/29/2019"), ("iso", "2020-13-01"), ("iso", "20200229"),
        ("iso", "next week"), ("excel", 60), ("excel", 0), ("spss", 43890), ("sas", 13802313600), ("excel", "x"),
        ("stata", 1898553600000), ("stata_datetime", -1898553600000 * 2), ("excel", -5), ("iso", "1731-01-01"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_date_by_an_origin_is_refused_without_being_shown(origin, written):
    with pytest.raises(DataError) as caught:
        to_days(["", written], origin=origin)
    assert caught.value.rows == (1,)
    assert len(str(written)) < 3 or str(written) not in str(caught.value)


def test_without_an_origin_texts_and_numbers_are_refused():
    for values in (["2020-02-29"], [43890], ["03/04/2020"]):
        with pytest.raises(OptionError, match="no origin was given"):
            to_days(values, origin=None)
    with pytest.raises(OptionError, match="origin must be one of"):
        to_days(["2020-02-29"], origin="ymd")


def test_dates_by_their_type_need_no_origin():
    typed = pd.Series(pd.to_datetime(["2020-02-29 12:00", None]))
    assert to_days(typed, origin=None).tolist()[0] == DAY
    assert to_days(typed.astype("datetime64[s]"), origin="dmy").tolist()[0] == DAY
    assert to_days([datetime.date(2020, 2, 29)], origin=None).tolist() == [DAY]


def test_the_other_readings_are_offered():
    with pytest.raises(DataError, match="Every cell is a date by mdy"):
        to_days(["02/29/2020", "03/31/2020"], origin="dmy")
    with pytest.raises(DataError, match="by spss"):
        to_days([13802313600], origin="excel")


@given(st.dates(datetime.date(1900, 3, 1), datetime.date(2100, 12, 31)), st.integers(0, 4000))
def test_differences_are_days_in_every_way_of_writing(first, gap):
    second = min(first + datetime.timedelta(days=gap), datetime.date(2100, 12, 31))
    for origin, form in (("iso", "%Y-%m-%d"), ("dmy", "%d.%m.%Y"), ("mdy", "%m/%d/%Y")):
        days = to_days([first.strftime(form), second.strftime(form)], origin=origin)
        assert days[1] - days[0] == (second - first).days
