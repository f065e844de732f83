"""``results.parquet``: the rows of ``results.json`` with types, the same bytes each time, nothing hidden inside."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.report import Document, Manifest, verify, write_report
from ipt_outcomes.report.manifest import sha256
from ipt_outcomes.results import ResultRow, Results
from ipt_outcomes.results.parquet import to_parquet

ROWS = Results(
    (
        ResultRow(id="a", analysis="rate", statistic="people", value=62, unit="people", groups={"arm": "ipt"}),
        ResultRow(id="b", analysis="rate", statistic="percent", value=12.5, unit="percent", n=8, denominator=64),
        ResultRow(id="c", analysis="rate", statistic="none", value=None, unit="g", method="not defined"),
        ResultRow(id="d", analysis="rate", statistic="secret", value=None, unit="people", suppressed=True),
    )
)


def test_the_columns_are_typed_and_hidden_values_are_null() -> None:
    table = pq.read_table(io.BytesIO(to_parquet(ROWS)))
    assert table.schema.names == list(ROWS.rows[0].to_dict())
    types = {field.name: field.type for field in table.schema}
    assert types["value"] == pa.float64()
    assert types["n"] == types["denominator"] == pa.int64()
    assert types["suppressed"] == pa.bool_()
    assert {types[name] for name in ("id", "analysis", "groups", "statistic", "unit", "method")} == {pa.string()}
    assert table["value"].to_pylist() == [62.0, 12.5, None, None]
    assert table["suppressed"].to_pylist() == [False, False, False, True]
    assert [json.loads(text) for text in table["groups"].to_pylist()] == [{"arm": "ipt"}, {}, {}, {}]


def test_no_row_still_gives_every_column(empty_results: Results) -> None:
    table = pq.read_table(io.BytesIO(to_parquet(empty_results)))
    assert table.num_rows == 0
    assert table.schema.names == list(ROWS.rows[0].to_dict())


def test_the_report_holds_the_rows_of_its_json(document: Document, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(document, tmp_path / name, formats=("html",), analysis={"job": None})
    data = (tmp_path / "one" / "results.parquet").read_bytes()
    assert data == (tmp_path / "two" / "results.parquet").read_bytes()
    rows = json.loads((tmp_path / "one" / "results.json").read_text(encoding="utf-8"))
    typed = pq.read_table(io.BytesIO(data)).to_pylist()
    assert [{**row, "groups": json.loads(row["groups"])} for row in typed] == rows
    manifest = Manifest.from_json((tmp_path / "one" / "manifest.json").read_text(encoding="utf-8"))
    assert {made.name: made.sha256 for made in manifest.files}["results.parquet"] == sha256(data)
    assert verify(tmp_path / "one").ok


def test_the_file_holds_no_words_of_a_machine() -> None:
    meta = pq.read_metadata(io.BytesIO(to_parquet(ROWS)))
    assert meta.metadata is None


_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_VALUES = st.one_of(st.none(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda value, groups, n, method: (value, groups, n, method),
            _VALUES,
            st.dictionaries(_TEXT, _TEXT, max_size=3),
            st.one_of(st.none(), st.integers(0, 2**40)),
            _TEXT,
        ),
        max_size=6,
    )
)
def test_any_results_come_back(cells: list[tuple[int | float | None, dict[str, str], int | None, str]]) -> None:
    rows = tuple(
        ResultRow(id=f"r{i}", analysis=f"a{i}", statistic="s", value=value, unit="g", groups=groups, n=n, method=method)
        for i, (value, groups, n, method) in enumerate(cells)
    )
    data = to_parquet(Results(rows))
    table = pq.read_table(io.BytesIO(data), page_checksum_verification=True)
    back = tuple(ResultRow(**{**row, "groups": json.loads(row["groups"])}) for row in table.to_pylist())
    # A whole number that was an int comes back as an equal float.
    assert back == rows
    assert data == to_parquet(Results(back))
