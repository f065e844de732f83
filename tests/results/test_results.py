"""Result rows, how numbers are written, how results show."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import IptError, OptionError, require_choice
from ipt_outcomes.results import (
    ResultRow,
    Results,
    ResultsBuilder,
    format_interval,
    format_number,
    format_p,
    frame_to_html,
    visible,
)


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.4907, "decimal2", "0.49"),
        (-0.4907, "decimal2", "−0.49"),
        (-0.001, "decimal2", "0.00"),
        (1234.5, "decimal1", "1,234.5"),
        (48, "integer", "48"),
        (48.0, "number", "48"),
        (0.5, "number", "0.50"),
        (69.53, "percent", "70%"),
        (0.0426, "p", ".043"),
        (None, "decimal2", "–"),
        (math.nan, "p", "–"),
        (math.inf, "decimal2", "∞"),
        (-math.inf, "decimal2", "−∞"),
    ],
)
def test_numbers_as_a_paper_prints_them(value: float | None, style: str, text: str) -> None:
    assert format_number(value, style) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0009999, "< .001"),
        (0.001, ".001"),
        (0.05, ".050"),
        (0.9994, ".999"),
        (0.9996, "> .999"),
        (1.0, "> .999"),
    ],
)
def test_p_values(p: float, text: str) -> None:
    assert format_p(p) == text


@given(st.floats(-1e6, 1e6))
def test_a_written_number_reads_back_within_its_rounding(value: float) -> None:
    text = format_number(value, "decimal3").replace(",", "").replace("−", "-")
    assert abs(float(text) - value) <= 0.0005 + 1e-9 * abs(value)
    assert text != "-0.000"


def test_an_interval_stays_readable_with_minus_signs() -> None:
    assert format_interval(-0.26, -0.1) == "−0.26 to −0.10"


def test_ids_are_unique_and_safe_whatever_the_names() -> None:
    builder = ResultsBuilder()
    names = ["=1+1", "1+1", "<script>", "", "A & B", "a-b", "数", "Ω"]
    ids = [builder.add("study", "estimate", 0.1, unit="g", groups={"study": name}) for name in names]
    assert len(set(ids)) == len(names)
    assert all(set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for text in ids)


def test_rows_are_found_by_their_key_and_the_key_is_unique() -> None:
    builder = ResultsBuilder()
    builder.add("pooled", "estimate", np.float64(0.5), unit="g", groups={"level": "wl"})
    builder.add("pooled", "estimate", 0.4, unit="g")
    results = builder.build()
    assert results.find("pooled", "estimate").value == 0.4
    assert results.find("pooled", "estimate", {"level": "wl"}).value == 0.5
    with pytest.raises(IptError):
        results.find("pooled", "estimate", {"level": "cau"})
    with pytest.raises(IptError):
        Results(
            (
                *results.rows,
                ResultRow(id="other", analysis="pooled", statistic="estimate", value=1.0, unit="g"),
            )
        )


def test_json_holds_plain_numbers_and_null_for_what_is_not_defined() -> None:
    builder = ResultsBuilder()
    builder.add("a", "nan", math.nan, unit="g")
    builder.add("a", "infinite", math.inf, unit="g")
    builder.add("a", "count", np.int64(3), unit="studies", n=np.int64(3))  # type: ignore[arg-type]
    rows = json.loads(builder.build().to_json())
    assert [row["value"] for row in rows] == [None, None, 3]
    assert set(rows[0]) == {
        "id", "analysis", "groups", "statistic", "value", "unit", "method", "n", "denominator", "suppressed",
    }  # fmt: skip


def test_a_frame_as_html_is_escaped_and_has_scopes() -> None:
    html = frame_to_html(pd.DataFrame({"<b>": ["<script>x</script>", "a & b"], "n": [1.0, 2.5]}), caption="<i>")
    assert "<script" not in html
    assert "<i>" not in html
    assert html.count('scope="col"') == 2
    assert "&lt;script&gt;" in html


def test_control_characters_become_visible_and_nothing_else_changes() -> None:
    assert visible("a\x00b\x1bc") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert visible("O'Hara, 2000 – ½ Ω") == "O'Hara, 2000 – ½ Ω"
    assert visible("two\nlines") == "two lines"


def test_a_choice_outside_its_set_lists_the_choices() -> None:
    with pytest.raises(OptionError, match=r"tau2 must be one of 'REML', 'DL'; got 'reml2'"):
        require_choice("tau2", "reml2", ["REML", "DL"])
