"""Where a number of a report comes from, told from the folder alone: the data are not needed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import DataError, OptionError, near_names
from ipt_outcomes.report.levels import in_words
from ipt_outcomes.report.manifest import MANIFEST_NAME, Manifest
from ipt_outcomes.report.runs import HIDDEN
from ipt_outcomes.report.verification import RESULTS_NAME, TYPED_NAME, Verification, read_results, verify
from ipt_outcomes.results import ResultObject, ResultRow, plural, visible

if TYPE_CHECKING:
    import pandas as pd

_STATISTICS = {
    "ci_low": "lower limit of the confidence interval",
    "ci_high": "upper limit of the confidence interval",
    "z_ci_low": "lower limit of the normal (z) confidence interval",
    "z_ci_high": "upper limit of the normal (z) confidence interval",
    "prediction_low": "lower limit of the prediction interval",
    "prediction_high": "upper limit of the prediction interval",
    "se": "standard error",
    "sd": "standard deviation",
    "df": "degrees of freedom",
    "p_value": "p value",
    "p_holm": "p value, adjusted after Holm",
    "statistic": "test statistic",
    "smd": "standardised difference",
    "tau2": "variance between studies (tau squared)",
    "i2": "I squared",
    "h2": "H squared",
    "q": "Q of heterogeneity",
    "k": "number of effects",
    "n_obs": "rows used",
    "n_dropped": "rows left out",
}
# In these a number stands under its id; in a PDF and a DOCX it does not.
_MARKED = {".html", ".r", ".sps"}
_DRAWN = {".pdf": "PDF", ".docx": "DOCX"}
_DATA = {RESULTS_NAME, TYPED_NAME}
_NEAREST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(ResultObject):
    """What a report's folder says of one of its numbers.

    Parameters
    ----------
    id : str
        Of the result row.
    name : str
        Analysis, groups and statistic in words.
    hidden : bool
        The number is hidden for the audience of the report; then nothing else is said of it.
    value : int, float or None
        As ``results.json`` holds it; None where it is not defined, or hidden.
    unit, method : str
        As in `ipt_outcomes.results.ResultRow`.
    n, denominator : int or None
        Observations behind it, and the base of a percentage or rate.
    inputs : tuple of mapping
        ``name sha256`` of each data file, ``rows`` counted and ``bytes`` where the manifest knows them, and
        ``in_folder``: the name of the same file in the report's folder, where it is there.
    job : str or None
        Job that was run; None where the report was made from tables in memory.
    options : mapping of str to JSON values
        The job's options, as the manifest keeps them.
    simulated : bool
        The data are simulated.
    audience, version, python : str
        Whom the report is for; versions of ipt_outcomes and Python. Empty where the manifest cannot be read.
    libraries : mapping of str to str
        Versions of the libraries that computed or drew.
    shown : tuple of mapping
        ``file`` and, in words, ``where`` in it the number is.
    changed : tuple of str
        Files that are not as they were made, and how; empty for a sound folder.
    """

    id: str
    name: str
    hidden: bool
    value: int | float | None = None
    unit: str = ""
    method: str = ""
    n: int | None = None
    denominator: int | None = None
    inputs: tuple[Mapping[str, Any], ...] = ()
    job: str | None = None
    options: Mapping[str, Any]
    simulated: bool = False
    audience: str = ""
    version: str = ""
    python: str = ""
    libraries: Mapping[str, str]
    shown: tuple[Mapping[str, str], ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every file of the folder is as it was made."""
        return not self.changed

    def to_frame(self) -> pd.DataFrame:
        """Return what is known as a frame ``item value``, both text."""
        import pandas as pd

        return pd.DataFrame(list(self._lines()), columns=["item", "value"], dtype=object)

    def summary(self, digits: int = 2) -> str:
        """Return what is known, one fact per line; the value with every digit."""
        lines = [f"{item}: {value}" for item, value in self._lines()]
        if not self.changed:
            return "\n".join(lines)
        # Said first: a reader who stops early must not take the number for the report's.
        return "\n".join(["The folder was changed since it was made; nothing below can be vouched for.", *lines])

    def _lines(self) -> Iterable[tuple[str, str]]:
        for line in self.changed:
            yield "Changed", line
        yield "Number", self.id
        yield "What", self.name
        if self.hidden:
            yield "Value", HIDDEN
            return
        # Every digit of the row in results.json, so that the two can be compared.
        yield "Value", "not defined" if self.value is None else f"{self.value!r}"
        yield "Unit", self.unit
        if self.n is not None:
            yield "n", f"{self.n}"
        if self.denominator is not None:
            yield "Denominator", f"{self.denominator}"
        yield "Method", visible(self.method) or "not stated for this number"
        yield from self._origin()
        for place in self.shown:
            yield "In", f"{place['file']}: {place['where']}"

    def _origin(self) -> Iterable[tuple[str, str]]:
        for source in self.inputs:
            yield "Data", _input_words(source)
        if not self.version:
            return
        if not self.inputs:
            yield "Data", "no file is named in the manifest"
        yield "Job", self.job or "made from tables in memory"
        set_here = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in _given(self.options)]
        yield "Options", visible("; ".join(set_here)) or "the defaults of this version"
        yield "Audience", f"{self.audience}{'; simulated data' if self.simulated else ''}"
        versions = [f"{name} {version}" for name, version in self.libraries.items()]
        yield "Made with", ", ".join([f"ipt-outcomes {self.version}", f"Python {self.python}", *versions])


def trace(folder: str | Path, id: str) -> Trace:
    """Say where a number of a report comes from; the data are not needed.

    Parameters
    ----------
    folder : str or Path
        A folder made by `ipt_outcomes.report.render`.
    id : str
        Of the number: ``data-result-id`` in the HTML, ``id`` in ``results.json``.

    Returns
    -------
    Trace
        Of a hidden number it says that it is hidden and nothing else.

    Raises
    ------
    OptionError
        There is no such folder, or no number with this id; the nearest ids are named.
    DataError
        The table of results cannot be read.
    """
    folder = Path(folder)
    checked = verify(folder)
    row = _found(read_results(folder).by_id(), id)
    changed = tuple(f"{visible(file.name)}: {file.status}" for file in _faults(checked))
    name = name_of(row)
    if row.suppressed:
        return Trace(id=row.id, name=name, hidden=True, options={}, libraries={}, changed=changed)
    number: dict[str, Any] = {key: getattr(row, key) for key in ("id", "value", "unit", "method", "n", "denominator")}
    made = _manifest(folder)
    if made is None:
        return Trace(**number, name=name, hidden=False, options={}, libraries={}, changed=changed)
    return Trace(
        **number,
        name=name,
        hidden=False,
        inputs=tuple(_inputs(made)),
        job=made.analysis.get("job"),
        options={key: value for key, value in made.analysis.items() if key != "job"},
        simulated=made.simulated,
        audience=made.audience,
        version=made.version,
        python=made.python,
        libraries=dict(made.libraries),
        shown=tuple(_places(folder, row.id, checked)),
        changed=changed,
    )


def name_of(row: ResultRow) -> str:
    """Say in words which number a row holds.

    Parameters
    ----------
    row : ResultRow

    Returns
    -------
    str
        Statistic, analysis and group levels.

    Examples
    --------
    >>> groups = {"arm": "usual_care"}
    >>> name_of(ResultRow(id="a", analysis="effect_size", statistic="ci_low", value=0.1, unit="g", groups=groups))
    'lower limit of the confidence interval (analysis: effect size; arm: usual care)'
    """
    statistic = _STATISTICS.get(row.statistic, row.statistic.replace("_", " "))
    levels = in_words(row.groups)
    analysis = f"analysis: {row.analysis.replace('_', ' ')}"
    return visible(f"{statistic} ({analysis}; {levels})" if levels else f"{statistic} ({analysis})")


def _found(known: Mapping[str, ResultRow], id: str) -> ResultRow:
    if id in known:
        return known[id]
    asked = id.casefold().strip()
    near = [name for name in known if asked and asked in name][:_NEAREST]
    near += [name for name in near_names(asked, list(known)) if name not in near]
    hint = f"Nearest: {', '.join(near[:_NEAREST])}." if near else f"The ids are in {RESULTS_NAME}."
    raise OptionError(f"the report has no number with the id {visible(id)[:200]!r}", hint=hint)


def _faults(checked: Verification) -> list[Any]:
    bad = checked.files[checked.files["status"] != "ok"]
    return list(bad.itertuples(index=False))


def _manifest(folder: Path) -> Manifest | None:
    """Return the manifest, or None where it is not as it was written."""
    try:
        return Manifest.from_json((folder / MANIFEST_NAME).read_bytes().decode())
    except (UnicodeDecodeError, DataError):
        return None


def _inputs(made: Manifest) -> Iterable[dict[str, Any]]:
    beside = {file.sha256: file.name for file in made.files}
    for source in made.inputs:
        here = {"in_folder": beside[source.sha256]} if source.sha256 in beside else {}
        yield {**source.to_dict(), **here}


def _input_words(source: Mapping[str, Any]) -> str:
    words = [visible(source["name"]), f"SHA-256 {source['sha256']}"]
    for key, one, many in (("rows", "row", "rows"), ("bytes", "byte", "bytes")):
        if key in source:
            words.append(f"{source[key]} {plural(source[key], one, many)}")
    if source.get("in_folder", source["name"]) != source["name"]:
        words.append(f"in this folder as {visible(source['in_folder'])}")
    return ", ".join(words)


def _given(options: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Entries that were set, the job's own options without the word "options" before them."""
    for name, value in options.items():
        if name == "options" and isinstance(value, Mapping):
            yield from value.items()
        elif value not in (None, {}, [], ""):
            yield name, value


def _places(folder: Path, id: str, checked: Verification) -> Iterable[dict[str, str]]:
    """Say in which files the number is; a changed file is not looked into."""
    sound = [str(name) for name in checked.files.loc[checked.files["status"] == "ok", "name"]]
    counted = {name: _count(folder / name, id) for name in sound if Path(name).suffix.lower() in _MARKED}
    for name in sound:
        stem, kind = Path(name).stem, Path(name).suffix.lower()
        page = counted.get(f"{stem}.html")
        if name in _DATA:
            yield {"file": name, "where": "the row with this id"}
        elif counted.get(name):
            yield {"file": name, "where": f"{counted[name]} {plural(counted[name], 'time', 'times')}"}
        elif kind == ".xlsx":
            yield {"file": name, "where": "sheet results, the row with this id"}
        elif kind in _DRAWN and page:
            yield {"file": name, "where": f"in the places where {stem}.html has it (one document)"}
        elif kind in _DRAWN and page is None:
            yield {"file": name, "where": f"not known: a {_DRAWN[kind]} file holds no ids, and there is no page to ask"}


def _count(path: Path, id: str) -> int:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix.lower() == ".html":
        return text.count(f'data-result-id="{html.escape(id)}"')
    return len(re.findall(rf"(?<![\w.-]){re.escape(id)}(?![\w.-])", text))
