"""What changed between two reports: numbers, data, options and versions; nothing that is hidden in either is said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.report.manifest import MANIFEST_NAME, Manifest
from ipt_outcomes.report.runs import HIDDEN
from ipt_outcomes.report.tracing import name_of
from ipt_outcomes.report.verification import COMPARED, RESULTS_NAME, is_same, read_results, verify
from ipt_outcomes.results import ResultObject, ResultRow, Results, listed, plural, visible

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = ["id", "name", "unit", "status", "what", "old", "new", "difference"]
_FACTS = ["kind", "name", "old", "new"]
_TITLES = {"changed": "Changed", "hidden": "Hidden in one of the two", "new": "New", "gone": "Gone"}
_Key = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(ResultObject):
    """What differs between an older report and a newer one.

    Parameters
    ----------
    numbers : pandas.DataFrame
        One row per number that is not the same: ``id name unit status what old new difference``. `status` is
        "changed", "new" (only in the newer), "gone" (only in the older) or "hidden" (hidden in one of the two:
        neither value is given); `what` names the fields that changed; `difference` is new minus old, in `unit`.
    facts : pandas.DataFrame
        ``kind name old new``: kind "data", "option", "version" or "report", texts; None where there is none.
    same, unknown : int
        Numbers that are the same; numbers hidden in both, of which nothing can be said.
    warnings : tuple of str
        What a reader must know before trusting the comparison.
    """

    numbers: pd.DataFrame
    facts: pd.DataFrame
    same: int
    unknown: int
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number that is not the same."""
        return self.numbers.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many numbers changed, what differs in data, options and versions, then every number."""
        return "\n".join([self._counts(), *self.warnings, *self._told_facts(), *self._told_numbers()])

    def _counts(self) -> str:
        many = self.numbers["status"].value_counts()
        parts = [f"{many.get(status, 0)} {status}" for status in ("changed", "new", "gone")]
        if hidden := int(many.get("hidden", 0)):
            parts.append(f"{hidden} hidden in one of the two")
        parts.append(f"{self.same} the same")
        if self.unknown:
            parts.append(f"{self.unknown} hidden in both")
        return f"Numbers since the older report: {listed(parts)}"

    def _told_facts(self) -> Iterator[str]:
        for fact in _records(self.facts):
            old, new = ("none" if side is None else side for side in (fact["old"], fact["new"]))
            yield visible(f"{fact['kind'].capitalize()}: {fact['name']}: {old} → {new}")
        if self.facts.empty:
            yield "Data, options and versions are the same"

    def _told_numbers(self) -> Iterator[str]:
        for status, title in _TITLES.items():
            rows = self.numbers[self.numbers["status"] == status]
            if rows.empty:
                continue
            yield f"{title} ({len(rows)} {plural(len(rows), 'number', 'numbers')}):"
            for row in _records(rows):
                yield f"  {row['id']}: {_told(row)}"


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    for cells in frame.itertuples(index=False, name=None):
        yield dict(zip(names, cells, strict=True))


def _told(row: Mapping[str, Any]) -> str:
    unit = f" {row['unit']}" if row["unit"] else ""
    if row["status"] == "hidden":
        return HIDDEN
    if row["status"] != "changed":
        side = row["new"] if row["status"] == "new" else row["old"]
        return f"{HIDDEN if row['what'] == HIDDEN else _digits(side) + unit}"
    if "value" not in row["what"]:
        return f"{_digits(row['new'])}{unit}, the same; other: {row['what']}"
    change = "" if row["difference"] is None else f", difference {_digits(row['difference'])}"
    # As many digits as it takes to see the change.
    sides = ((_digits(row["old"], many), _digits(row["new"], many)) for many in range(6, 18))
    old, new = next((pair for pair in sides if pair[0] != pair[1]), (_digits(row["old"]), _digits(row["new"])))
    return f"{old} → {new}{unit}{change}"


def _digits(value: float | None, many: int = 6) -> str:
    # More digits than a report prints: a change can lie where rounding would hide it.
    return "not defined" if value is None else f"{value:.{many}g}".replace("-", "\N{MINUS SIGN}")


def changes(old: str | Path, new: str | Path, *, rtol: float = 1e-9) -> Changes:
    """Say what changed between two reports; the data are not needed.

    A number that is hidden in one of the reports is given in neither. The differences can say more than either
    report alone: show them only to those who may see both reports.

    Parameters
    ----------
    old, new : str or Path
        Folders made by `ipt_outcomes.report.render`.
    rtol : float
        Numbers closer than this, relative to the larger, are the same (another version of a library may change
        the last digits); 0 asks for the same number.

    Returns
    -------
    Changes
        Numbers are matched by analysis, statistic and group levels.

    Raises
    ------
    OptionError
        A folder holds no report, or `rtol` is negative.
    DataError
        The results or the manifest of a report are not as they were made.
    """
    if not rtol >= 0:
        raise OptionError(f"rtol must be 0 or above; got {rtol!r}")
    import pandas as pd

    first, was, before = _opened(Path(old), "older")
    second, made, after = _opened(Path(new), "newer")
    rows, same, unknown = _numbers(before, after, rtol)
    warnings = [*was, *made]
    if first.audience != second.audience:
        warnings.append(
            f"The older report is for the audience {first.audience}, the newer for {second.audience}: "
            "numbers may be hidden, rounded or left out in one of them only."
        )
    return Changes(
        numbers=pd.DataFrame(rows, columns=_NUMBERS, dtype=object),
        facts=pd.DataFrame(list(_facts(first, second)), columns=_FACTS, dtype=object),
        same=same,
        unknown=unknown,
        warnings=tuple(warnings),
    )


def _opened(folder: Path, which: str) -> tuple[Manifest, list[str], Results]:
    """Return the manifest, what to warn of, and the results; a report whose results were edited is refused."""
    files = verify(folder).files
    bad = files[files["status"] != "ok"]
    if broken := sorted({MANIFEST_NAME, RESULTS_NAME} & set(bad["name"])):
        raise DataError(
            f"{listed(broken)} of the {which} report {plural(len(broken), 'is', 'are')} not as made: what changed "
            "cannot be told",
            hint="Make that report again, or take it from where it was kept.",
        )
    manifest = Manifest.from_json((folder / MANIFEST_NAME).read_bytes().decode())
    warnings = [f"A file of the {which} report is not as made: {visible(name)}." for name in bad["name"]]
    return manifest, warnings, read_results(folder)


def _by_key(results: Results) -> dict[_Key, ResultRow]:
    # Not by id: where two levels give the same letters, the number at the end of an id depends on the other rows.
    return {(row.analysis, row.statistic, frozenset(row.groups.items())): row for row in results}


def _numbers(old: Results, new: Results, rtol: float) -> tuple[list[tuple[Any, ...]], int, int]:
    before, after = _by_key(old), _by_key(new)
    rows: list[tuple[Any, ...]] = []
    same = unknown = 0
    for key, row in after.items():
        if key not in before:
            rows.append(_alone(row, "new"))
        elif before[key].suppressed and row.suppressed:
            unknown += 1
        elif before[key].suppressed or row.suppressed:
            # Not even the value that one of them shows: beside its neighbours it could give the other back.
            rows.append((row.id, name_of(row), row.unit, "hidden", HIDDEN, None, None, None))
        elif found := _changed(before[key], row, rtol):
            rows.append(found)
        else:
            same += 1
    rows += [_alone(row, "gone") for key, row in before.items() if key not in after]
    return rows, same, unknown


def _alone(row: ResultRow, status: str) -> tuple[Any, ...]:
    sides = (row.value, None) if status == "gone" else (None, row.value)
    return row.id, name_of(row), row.unit, status, HIDDEN if row.suppressed else "", *sides, None


def _changed(old: ResultRow, new: ResultRow, rtol: float) -> tuple[Any, ...] | None:
    fields = [name for name in COMPARED if not is_same(getattr(old, name), getattr(new, name), rtol)]
    if not fields:
        return None
    # Of two units there is no difference.
    known = old.value is not None and new.value is not None and old.unit == new.unit
    difference = new.value - old.value if known else None  # type: ignore[operator]
    what = ", ".join(fields)
    return new.id, name_of(new), new.unit, "changed", what, old.value, new.value, difference


def _facts(old: Manifest, new: Manifest) -> Iterator[tuple[str, str, str | None, str | None]]:
    yield from _differing("data", _data(old), _data(new))
    yield from _differing("option", dict(_flat(old.analysis)), dict(_flat(new.analysis)))
    yield from _differing("version", _versions(old), _versions(new))
    for name in ("audience", "simulated"):
        first, second = str(getattr(old, name)), str(getattr(new, name))
        if first != second:
            yield "report", name, first, second


def _differing(
    kind: str, old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[tuple[str, str, str | None, str | None]]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield kind, name, old.get(name), new.get(name)


def _data(manifest: Manifest) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in manifest.inputs:
        rows = "" if source.rows is None else f", {source.rows} {plural(source.rows, 'row', 'rows')}"
        name, number = source.name, 2
        while name in found:
            name, number = f"{source.name} ({number})", number + 1
        found[name] = f"SHA-256 {source.sha256}{rows}"
    return found


def _flat(value: Mapping[str, Any], lead: str = "") -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{lead}{name}.")
        elif item not in (None, {}):
            yield f"{lead}{name}", json.dumps(item, ensure_ascii=False)


def _versions(manifest: Manifest) -> dict[str, str]:
    return {"ipt-outcomes": manifest.version, "Python": manifest.python, **manifest.libraries}
