"""What changed between two reports, and that nothing hidden comes out by comparing them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.report import Document, Heading, InputFile, changes, write_report
from ipt_outcomes.report.since import _numbers
from ipt_outcomes.results import ResultRow, Results


def row(statistic: str, value: float | None, *, hidden: bool = False, unit: str = "g", **more: Any) -> ResultRow:
    return ResultRow(
        id=f"a.{statistic}", analysis="a", statistic=statistic, value=value, unit=unit, suppressed=hidden, **more
    )


OLD = (row("same", 1.0), row("moved", 0.5, n=10), row("gone", 7.0), row("secret", None, hidden=True))
NEW = (row("same", 1.0), row("moved", 0.25, n=12), row("fresh", 3.0), row("secret", None, hidden=True))


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def call(name: str, rows: tuple[ResultRow, ...], **options: Any) -> Path:
        document = Document(title="IPT", subtitle="", blocks=(Heading("Result", "result"),), results=Results(rows))
        settings: dict[str, Any] = {"analysis": {"job": "meta", "options": {"tau2": "REML"}}, **options}
        write_report(document, tmp_path / name, formats=("html",), **settings)
        return tmp_path / name

    return call


def test_new_gone_and_changed_numbers(make: Callable[..., Path]) -> None:
    found = changes(make("old", OLD), make("new", NEW))
    frame = found.to_frame().set_index("id")
    assert dict(frame["status"]) == {"a.moved": "changed", "a.fresh": "new", "a.gone": "gone"}
    assert tuple(frame.loc["a.moved", ["what", "old", "new", "difference"]]) == ("value, n", 0.5, 0.25, -0.25)
    assert (frame.loc["a.fresh", "old"], frame.loc["a.fresh", "new"]) == (None, 3.0)
    assert (frame.loc["a.gone", "old"], frame.loc["a.gone", "new"]) == (7.0, None)
    assert (found.same, found.unknown) == (1, 1)
    assert found.facts.empty
    assert found.warnings == ()
    assert found.summary().splitlines() == [
        "Numbers since the older report: 1 changed, 1 new, 1 gone, 1 the same and 1 hidden in both",
        "Data, options and versions are the same",
        "Changed (1 number):",
        "  a.moved: 0.5 → 0.25 g, difference −0.25",
        "New (1 number):",
        "  a.fresh: 3 g",
        "Gone (1 number):",
        "  a.gone: 7 g",
    ]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["same"] == 1


def test_equal_reports_have_no_changes(make: Callable[..., Path]) -> None:
    found = changes(make("old", OLD), make("new", OLD))
    assert found.to_frame().empty
    assert (found.same, found.unknown) == (3, 1)


def test_data_options_versions_and_audience(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    was = make("old", OLD, inputs=[InputFile(name="s.csv", sha256="0" * 64, rows=1)], audience="board")
    monkeypatch.setattr("ipt_outcomes.report.folder.Manifest", _older_manifest())
    now = make(
        "new",
        OLD,
        inputs=[InputFile(name="s.csv", sha256="1" * 64, rows=2), InputFile(name="t.csv", sha256="2" * 64)],
        analysis={"job": "meta", "options": {"tau2": "DL", "where": {"arm": ["ipt"]}}},
    )
    found = changes(was, now)
    assert [tuple(fact) for fact in found.facts.itertuples(index=False)] == [
        ("data", "s.csv", f"SHA-256 {'0' * 64}, 1 row", f"SHA-256 {'1' * 64}, 2 rows"),
        ("data", "t.csv", None, f"SHA-256 {'2' * 64}"),
        ("option", "options.tau2", '"REML"', '"DL"'),
        ("option", "options.where.arm", None, '["ipt"]'),
        ("version", "ipt-outcomes", found.facts.iloc[4]["old"], "99.0"),
        ("report", "audience", "board", "public"),
    ]
    assert found.to_frame().empty
    assert "for the audience board, the newer for public" in found.warnings[0]


def _older_manifest() -> Callable[..., Any]:
    from ipt_outcomes.report.manifest import Manifest

    def call(**fields: Any) -> Manifest:
        return Manifest(**fields, version="99.0")

    return call


@pytest.mark.parametrize("first", [True, False])
def test_a_number_hidden_in_one_is_given_in_neither(make: Callable[..., Path], first: bool) -> None:
    seen, unseen = (row("x", 123.25, n=1234),), (row("x", None, hidden=True),)
    pair = (seen, unseen) if first else (unseen, seen)
    found = changes(make("old", pair[0]), make("new", pair[1]))
    assert list(found.numbers["status"]) == ["hidden"]
    said = found.summary() + json.dumps(found.to_dict())
    assert "123" not in said.replace("SHA-256", "")
    assert "  a.x: hidden" in found.summary()


@pytest.mark.parametrize("status", ["new", "gone"])
def test_a_hidden_number_of_one_report_stays_hidden(make: Callable[..., Path], status: str) -> None:
    sides = (OLD, (*OLD, row("x", None, hidden=True)))
    old, new = sides if status == "new" else sides[::-1]
    found = changes(make("old", old), make("new", new))
    assert tuple(found.numbers.iloc[0][["status", "what", "old", "new"]]) == (status, "hidden", None, None)
    assert "  a.x: hidden" in found.summary()


def test_numbers_are_matched_by_what_they_are_not_by_id(make: Callable[..., Path]) -> None:
    one, two = row("x", 1.0, groups={"study": "A+"}), replace(row("x", 2.0, groups={"study": "A-"}), id="a.x-2")
    swapped = (replace(two, id="a.x"), replace(one, id="a.x-2"))
    assert changes(make("old", (one, two)), make("new", swapped)).to_frame().empty


def test_another_unit_has_no_difference_and_a_method_is_a_change(make: Callable[..., Path]) -> None:
    new = (row("same", 2.0, unit="OR"), replace(OLD[1], method="DL"), *OLD[2:])
    frame = changes(make("old", OLD), make("new", new)).to_frame().set_index("id")
    assert tuple(frame.loc["a.same", ["what", "difference"]]) == ("value, unit", None)
    assert tuple(frame.loc["a.moved", ["what", "difference"]]) == ("method", 0.0)


def test_the_last_digits_do_not_count_unless_asked(make: Callable[..., Path]) -> None:
    old, new = make("old", (row("x", 1.0),)), make("new", (row("x", 1.0 + 1e-12),))
    assert changes(old, new).to_frame().empty
    strict = changes(old, new, rtol=0)
    assert len(strict.to_frame()) == 1
    assert "  a.x: 1 → 1.000000000001 g, difference 1.00009e−12" in strict.summary()
    with pytest.raises(OptionError, match="rtol must be 0 or above"):
        changes(old, new, rtol=-1)


@pytest.mark.parametrize("name", ["results.json", "manifest.json"])
@pytest.mark.parametrize("which", ["older", "newer"])
def test_edited_results_are_refused(make: Callable[..., Path], name: str, which: str) -> None:
    old, new = make("old", OLD), make("new", NEW)
    path = (old if which == "older" else new) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match=rf"{name} of the {which} report is not as made"):
        changes(old, new)


def test_another_changed_file_is_a_warning(make: Callable[..., Path]) -> None:
    old, new = make("old", OLD), make("new", NEW)
    (old / "report.html").write_text("x")
    found = changes(old, new)
    assert found.warnings == ("A file of the older report is not as made: report.html.",)
    assert found.warnings[0] in found.summary()


_ROWS = st.dictionaries(st.sampled_from("abcdef"), st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=6)


@given(_ROWS, _ROWS)
def test_every_number_is_counted_once_and_backwards_is_the_mirror(
    old: dict[str, float | None], new: dict[str, float | None]
) -> None:
    first, second = (Results(tuple(row(n, v, hidden=v is None) for n, v in side.items())) for side in (old, new))
    there, same, unknown = _numbers(first, second, 0.0)
    back, same_back, unknown_back = _numbers(second, first, 0.0)
    assert len(there) + same + unknown == len(old.keys() | new.keys())
    assert (same, unknown) == (same_back, unknown_back)
    other = {"new": "gone", "gone": "new"}
    mirrored = {(r[0], other.get(r[3], r[3]), r[6], r[5], None if r[7] is None else -r[7]) for r in there}
    assert mirrored == {(r[0], r[3], r[5], r[6], r[7]) for r in back}
