"""Tables as data."""

import pytest

from ipt_outcomes.errors import IptError
from ipt_outcomes.tables import Column, TableRow, TableSpec, Value, interval


def test_every_row_has_a_cell_per_column() -> None:
    columns = (Column("Study"), Column("g", "right"))
    assert TableSpec(id="t", caption="", columns=columns, rows=(TableRow((("A",), (Value("x"),))),)).rows
    with pytest.raises(IptError, match="1 cells, not 2"):
        TableSpec(id="t", caption="", columns=columns, rows=(TableRow((("A",),)),))


def test_an_interval_is_two_values_with_a_word_between() -> None:
    assert interval("low", "high", "decimal3") == (Value("low", "decimal3"), " to ", Value("high", "decimal3"))
