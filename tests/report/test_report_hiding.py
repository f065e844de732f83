"""Tables in which an audience sees nothing are a sentence, groups of rows a note."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipt_outcomes.report.document import Figure, Heading, Paragraph, Picture, Table
from ipt_outcomes.report.hiding import seen, without_hidden
from ipt_outcomes.report.runs import plain
from ipt_outcomes.results import Results, ResultsBuilder
from ipt_outcomes.tables import Column, TableRow, TableSpec, Value


def table(*groups: tuple[str, list[bool]]) -> tuple[TableSpec, Results]:
    """A table of groups of counts, each count hidden or not."""
    build, rows, hidden = ResultsBuilder(), [], set()
    for name, counts in groups:
        if name:
            rows.append(TableRow(((name,), ()), kind="group"))
        for number, is_hidden in enumerate(counts):
            key = build.add("count", f"n{number}", 4, unit="people", groups={"group": name})
            hidden |= {key} if is_hidden else set()
            rows.append(TableRow(((f"row {number}",), (Value(key, "integer"),))))
    results = Results(tuple(replace(r, value=None, suppressed=True) if r.id in hidden else r for r in build.build()))
    spec = TableSpec(
        id="sites", caption="The sites", columns=(Column("Site"), Column("People", "right")), rows=tuple(rows)
    )
    return spec, results


def test_a_table_of_hidden_numbers_is_a_sentence_that_says_what_and_why() -> None:
    spec, results = table(("", [True, True]))
    heading = Heading("Sites", "sites-section")
    blocks = without_hidden([heading, Table(spec=spec)], results)
    assert blocks[0] is heading
    assert isinstance(blocks[1], Paragraph)
    words = plain(blocks[1].content, {})
    assert "The sites" in words
    assert "every number in it is hidden" in words


def test_a_group_of_hidden_numbers_is_named_below_the_table() -> None:
    spec, results = table(("Site", [True, True]), ("Sex", [False, True]))
    left = seen(spec, results.by_id())
    assert left is not None
    assert [row.cells[0] for row in left.rows] == [("Sex",), ("row 0",), ("row 1",)]
    assert plain(left.notes[-1], {}) == "Left out, since every number of it is hidden for this audience: Site."


@pytest.mark.parametrize("groups", [[("", [False, True])], [("A", [False]), ("B", [True, False])]])
def test_what_shows_something_stays_as_it_is(groups: list[tuple[str, list[bool]]]) -> None:
    spec, results = table(*groups)
    assert seen(spec, results.by_id()) is spec


def test_a_table_of_words_stays() -> None:
    spec = TableSpec(id="words", caption="Words", columns=(Column("A"),), rows=(TableRow((("a",),)),))
    assert seen(spec, {}) is spec


def test_numbers_of_a_figure_that_are_all_hidden_are_dropped() -> None:
    spec, results = table(("", [True]))
    drawn = Picture(svg_wide="<svg />", svg_narrow="<svg />", png=b"", width_inches=7.2)
    figure = Figure(id="figure", caption="c", alt="a", picture=drawn, data=spec)
    (block,) = without_hidden([figure], results)
    assert isinstance(block, Figure)
    assert block.data is None
