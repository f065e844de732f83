"""Text to numbers."""

import math

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.schemas import parse_numbers, plain_text, to_text


def one(cell, decimal="."):
    numbers, bad = parse_numbers(pa.array([cell], type=pa.large_string()), decimal)
    return None if bad[0] else float(numbers[0])


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("7.25", ".", 7.25),
        ("7,25", ",", 7.25),
        ("1.019,00", ",", 1019.0),
        ("2.155,50", ",", 2155.5),
        ("1,019.00", ".", 1019.0),
        ("1.234.567", ",", 1234567.0),
        ("1 019,5", ",", 1019.5),
        ("1\u00a0019", ",", 1019.0),
        ("1\u202f019", ".", 1019.0),
        ("1'019.5", ".", 1019.5),
        ("-0,5", ",", -0.5),
        ("\u22120.5", ".", -0.5),
        ("+3", ".", 3.0),
        ("5.", ".", 5.0),
        (".5", ".", 0.5),
        (",5", ",", 0.5),
        ("1e-3", ".", 0.001),
        ("1,5E2", ",", 150.0),
        ("007", ".", 7.0),
        ("1.019", ".", 1.019),
        ("0.1", ".", 0.1),
    ],
)
def test_reads(cell, decimal, value):
    assert one(cell, decimal) == value


@pytest.mark.parametrize(
    ("cell", "decimal"),
    [
        ("7,25", "."),  # never 725
        ("7.25", ","),
        ("0,125", "."),
        ("0.125", ","),
        ("1,01,000", "."),
        ("12,3456", "."),
        ("1.019.00", ","),
        ("n/a?", "."),
        ("NA", "."),
        ("inf", "."),
        ("nan", "."),
        ("1e999", "."),
        ("1_000", "."),
        ("0x10", "."),
        ("5%", "."),
        ("<5", "."),
        ("12 3", "."),
        ("", "."),
        ("-", "."),
        ("1e", "."),
        ("٣", "."),
        ("3.2 (1.1)", "."),
    ],
)
def test_refuses(cell, decimal):
    assert one(cell, decimal) is None


def test_missing_is_nan_and_no_fault():
    numbers, bad = parse_numbers(pa.array([None, "2"], type=pa.large_string()), ".")
    assert math.isnan(numbers[0])
    assert not bad.any()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_is_read_back_exactly(value):
    assert one(repr(value)) == value
    assert one(repr(value).replace(".", ","), ",") == value


@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
def test_thousands_marks_change_nothing(whole, cents):
    plain, grouped = f"{whole}.{cents:02d}", f"{whole:,}.{cents:02d}"
    assert one(grouped) == float(plain)
    turned = grouped.replace(",", "x").replace(".", ",").replace("x", ".")
    assert one(turned, ",") == float(plain)


@given(st.lists(st.none() | st.text(max_size=8), max_size=12))
def test_any_text_gives_a_number_or_a_fault(cells):
    text = pa.array(cells, type=pa.large_string())
    for decimal in (".", ","):
        numbers, bad = parse_numbers(text, decimal)
        for cell, number, fault in zip(cells, numbers, bad, strict=True):
            assert math.isnan(number) == (cell is None or fault)


@given(st.lists(st.none() | st.text(max_size=8), min_size=1, max_size=12))
def test_text_survives_both_ways(cells):
    series = plain_text(to_text(pd.Series(cells, dtype=object)))
    assert [None if pd.isna(cell) else cell for cell in series] == cells


def test_what_is_no_text_is_written_as_python_writes_it():
    assert to_text(pd.Series([[1], {"a": 2}, b"x", "\ud800", None], dtype=object)).to_pylist() == [
        "[1]",
        "{'a': 2}",
        "b'x'",
        "?",
        None,
    ]


def test_whole_floats_are_written_whole():
    assert to_text(pd.Series([3.0, None, 2.5])).to_pylist() == ["3", None, "2.5"]
