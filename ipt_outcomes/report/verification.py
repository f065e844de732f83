"""Whether a report is as it was made, and whether two reports say the same."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.report.manifest import MANIFEST_NAME, Manifest, sha256
from ipt_outcomes.results import ResultObject, ResultRow, Results, plural

RESULTS_NAME = "results.json"
TYPED_NAME = "results.parquet"
"""The same rows with typed columns."""

_COLUMNS = ["name", "expected", "found", "status"]
COMPARED = ("value", "unit", "method", "n", "denominator", "suppressed")
"""What of a number is compared between two tables of results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(ResultObject):
    """What became of the files of a report.

    Parameters
    ----------
    ok : bool
        Every file is there, byte for byte, and no other.
    files : pandas.DataFrame
        ``name expected found status``: hashes, and "ok", "changed", "missing" or "extra".
    """

    ok: bool
    files: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row per file."""
        return self.files.copy()

    def summary(self, digits: int = 2) -> str:
        """Return one line that says whether all is well, then one line per file at fault."""
        bad = self.files[self.files["status"] != "ok"]
        if self.ok:
            many = len(self.files)
            return f"{many} {plural(many, 'file', 'files')}, all as they were made"
        lines = [f"{row.name}: {row.status}" for row in bad.itertuples(index=False)]
        are = plural(len(bad), "is not as it was made", "are not as they were made")
        return "\n".join([f"{len(bad)} of {len(self.files)} {plural(len(self.files), 'file', 'files')} {are}", *lines])


def verify(folder: str | Path) -> Verification:
    """Compare every file of a report with the hash in its manifest.

    Parameters
    ----------
    folder : str or Path
        A folder made by `ipt_outcomes.report.render`.

    Returns
    -------
    Verification

    Raises
    ------
    OptionError
        There is no such folder, or it holds no manifest.
    """
    folder = Path(folder)
    source = folder / MANIFEST_NAME
    if not source.is_file():
        raise OptionError(f"{folder.name} is not a folder with a report: it holds no {MANIFEST_NAME}")
    data = source.read_bytes()
    try:
        manifest = Manifest.from_json(data.decode())
    except (UnicodeDecodeError, DataError):
        # Without a sound manifest nothing else in the folder can be vouched for.
        row = [MANIFEST_NAME, "", sha256(data), "changed"]
        return Verification(ok=False, files=pd.DataFrame([row], columns=_COLUMNS))
    rows = [[MANIFEST_NAME, sha256(data), sha256(data), "ok"]]
    rows += [_checked(folder / made.name, made.sha256) for made in manifest.files]
    known = {row[0] for row in rows}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            rows.append([path.name, "", sha256(path.read_bytes()) if path.is_file() else "", "extra"])
    files = pd.DataFrame(rows, columns=_COLUMNS)
    return Verification(ok=bool((files["status"] == "ok").all()), files=files)


def _checked(path: Path, expected: str) -> list[str]:
    if not path.is_file():
        return [path.name, expected, "", "missing"]
    found = sha256(path.read_bytes())
    return [path.name, expected, found, "ok" if found == expected else "changed"]


def read_results(path: str | Path) -> Results:
    """Read the results of a report.

    Parameters
    ----------
    path : str or Path
        ``results.json``, or the folder that holds it.

    Returns
    -------
    Results

    Raises
    ------
    OptionError
        There is no such file.
    DataError
        It is not a table of results.
    """
    path = Path(path)
    if path.is_dir():
        path = path / RESULTS_NAME
    if not path.is_file():
        raise OptionError(f"there is no file {path.name}")
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rows, list):
            raise TypeError
        results = Results(tuple(ResultRow(**row) for row in rows))
        results.to_json()
    except (ValueError, TypeError, IptError):
        raise DataError(f"{path.name} is not a table of results") from None
    if not all(_is_sound(row) for row in results):
        raise DataError(f"{path.name} is not a table of results: a value is not a number")
    return results


def _is_sound(row: ResultRow) -> bool:
    number = row.value is None or (isinstance(row.value, int | float) and not isinstance(row.value, bool))
    return number and isinstance(row.id, str) and isinstance(row.groups, dict)


def compare_results(old: Results, new: Results, *, rtol: float = 0.0) -> pd.DataFrame:
    """List every number that differs between two tables of results.

    Parameters
    ----------
    old, new : Results
    rtol : float
        Numbers closer than this, relative to the larger, count as equal; 0 asks for the same number.

    Returns
    -------
    pandas.DataFrame
        ``id statistic old new status``, status "changed", "missing" (only in `old`) or "new"; a change of
        anything but the value names the field in `statistic` ("estimate: n"). Empty when all agrees.

    Raises
    ------
    OptionError
        `rtol` is negative.
    """
    if not rtol >= 0:
        raise OptionError(f"rtol must be 0 or above; got {rtol!r}")
    before, after = old.by_id(), new.by_id()
    rows: list[tuple[str, str, Any, Any, str]] = []
    for name, row in before.items():
        if name in after:
            rows += _differences(row, after[name], rtol)
        else:
            rows.append((name, row.statistic, row.value, None, "missing"))
    rows += [(name, row.statistic, None, row.value, "new") for name, row in after.items() if name not in before]
    return pd.DataFrame(rows, columns=["id", "statistic", "old", "new", "status"], dtype=object)


def _differences(old: ResultRow, new: ResultRow, rtol: float) -> Iterator[tuple[str, str, Any, Any, str]]:
    for name in COMPARED:
        first, second = getattr(old, name), getattr(new, name)
        if not is_same(first, second, rtol):
            label = old.statistic if name == "value" else f"{old.statistic}: {name}"
            yield old.id, label, first, second, "changed"


def is_same(first: object, second: object, rtol: float) -> bool:
    """Whether two fields of result rows are equal; numbers may differ by `rtol`, relative to the larger."""
    if first == second:
        return True
    if isinstance(first, int | float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=rtol, abs_tol=0.0)
    return False
