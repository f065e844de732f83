"""Parquet files: columns keep their types; what is damaged, nested or too large is refused."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import Limits, reading_session


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


@pytest.fixture
def write(tmp_path):
    def _write(columns, **options):
        path = tmp_path / "t.parquet"
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
        return path

    return _write


def refused(path, **options):
    with pytest.raises(IptError) as caught:
        read_table(path, **options)
    assert caught.value.__cause__ is None
    assert str(path.parent) not in str(caught.value)
    return caught.value


def test_types(write):
    moment = datetime.datetime(2020, 2, 29, 10, 10, 10, 123456)
    table = read_table(
        write(
            {
                "id": pa.array(["007", "", None]),
                "n": pa.array([1, None, 2**53 + 1], pa.int64()),
                "x": pa.array([0.5, None, float("nan")]),
                "whole": pa.array([1.0, 2.0, None], pa.float32()),
                "day": pa.array([datetime.date(1582, 10, 15), None, datetime.date(2020, 2, 29)]),
                "moment": pa.array([moment, None, moment]),
                "time": pa.array([datetime.time(10, 10, 10), None, datetime.time(0, 0)]),
                "spent": pa.array([datetime.timedelta(days=1), None, datetime.timedelta(0)]),
                "yes": pa.array([True, None, False]),
                "arm": pa.array(["ipt", None, "cau"]).dictionary_encode(),
                "money": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")]),
                "nothing": pa.nulls(3),
            }
        )
    )
    assert [str(dtype) for dtype in table.frame.dtypes] == [
        "string", "Int64", "float64", "Int64", "datetime64[s]", "datetime64[us]", "object", "timedelta64[us]",
        "boolean", "string", "float64", "string",
    ]  # fmt: skip
    assert table.frame["id"].tolist()[:2] == ["007", ""]
    assert table.frame["n"][2] == 2**53 + 1
    assert table.frame["x"].isna().tolist() == [False, True, True]
    assert table.frame["day"].dropna().astype(str).tolist() == ["1582-10-15", "2020-02-29"]
    assert table.frame["moment"][0] == pd.Timestamp(moment)
    assert table.frame["time"][0] == datetime.time(10, 10, 10)
    assert table.frame["arm"].tolist()[::2] == ["ipt", "cau"]
    assert any("money: stored as decimal" in said for said in table.warnings)
    assert table.rows.tolist() == [1, 2, 3]


def test_moments_finer_or_farther_than_microseconds_lose_nothing(write):
    fine = pa.array([1, None], pa.timestamp("ns"))
    far = pa.array([6_355_000_000_000, None], pa.timestamp("s"))
    frame = read_table(write({"fine": fine, "far": far})).frame
    assert str(frame["fine"].dtype) == "datetime64[ns]"
    assert frame["fine"].to_numpy()[0] == np.datetime64(1, "ns")
    assert frame["far"].to_numpy()[0] == np.datetime64(6_355_000_000_000, "s")


def test_moments_of_a_zone_are_told_by_its_clocks(write):
    table = read_table(write({"at": pa.array([1_583_017_200], pa.timestamp("s", "Europe/Berlin"))}))
    assert table.frame["at"][0] == pd.Timestamp("2020-03-01 00:00:00")
    assert any("clocks of Europe/Berlin" in said for said in table.warnings)


def test_row_numbers_of_pandas_are_left_out(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": ["a", "b"]}, index=[5, 9]).to_parquet(path)
    table = read_table(path, expect_rows=2)
    assert list(table.frame.columns) == ["id"]
    assert any("row numbers that pandas added" in said for said in table.warnings)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([[1, 2]]),
        pa.array([{"a": 1}]),
        pa.array([b"\0\1"]),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    ],
)
def test_nested_and_binary_columns_are_refused(write, cells):
    error = refused(write({"id": ["a"], "odd": cells}))
    assert "odd (" in error.message
    assert "id (" not in error.message


def test_no_rows_and_no_columns(write):
    table = read_table(write({"id": pa.array([], pa.string())}))
    assert len(table) == 0
    assert any("no rows" in said for said in table.warnings)
    assert "has no columns" in refused(write(pa.table({}))).message


def test_two_columns_of_one_name(write):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    assert "several columns of the same name" in refused(write(table)).message


def test_limits_are_compared_with_the_footer_before_reading(write):
    path = write({"x": np.zeros(1_000_000)}, compression="zstd")
    with reading_session(Limits(cells=999_999)):
        assert "up to 999,999 cells are read" in refused(path).message
    path = write({"x": [f"{'a' * 40_000}{i}" for i in range(12_000)]}, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 4_000_000
    with reading_session(Limits(memory=900 * 1024**2)):
        assert "unfolds to 48" in refused(path).message


def test_cut_renamed_and_damaged_files(write, tmp_path):
    path = write({"id": ["a", "b"], "x": [1.5, 2.5]}, write_page_checksum=True, compression=None)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-9], whole[:40], whole + b"x"):
        path.write_bytes(damaged)
        assert "cut short" in refused(path).message
    path.write_bytes(whole[:-8] + b"\xff\xff\xff\x7fPAR1")
    assert "could not be read safely" in refused(path).message
    # With checksums of pages, a changed number is found.
    place = whole.index(np.float64(2.5).tobytes())
    path.write_bytes(whole[: place + 6] + b"\xff" + whole[place + 7 :])
    assert "could not be read safely" in refused(path).message
    path.write_text("id,x\na,1\n", encoding="utf-8")
    assert "is not a Parquet file, whatever its name" in refused(path).message


def test_options_that_do_not_belong(write):
    path = write({"id": ["a"]})
    for options in ({"encoding": "utf-8"}, {"sheet": 1}, {"catalog": path}, {"delimiter": ","}):
        with pytest.raises(OptionError):
            read_table(path, **options)
