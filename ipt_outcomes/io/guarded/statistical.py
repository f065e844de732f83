"""What the child tells of a statistical file, put together: codes, labels, missing codes with their reasons, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ipt_outcomes.io.guarded.child.decode import codec_of
from ipt_outcomes.io.guarded.clock import kind_of, left_as_number, reaches, to_clock
from ipt_outcomes.io.guarded.formats import Format
from ipt_outcomes.io.guarded.labels import declared, duplicate_labels, missing_frame, undeclared, value_labels
from ipt_outcomes.io.guarded.result import Reading, numbers
from ipt_outcomes.io.guarded.words import shown

_WHOLE = 2.0**53


@dataclass
class Assembly:
    """A statistical file on its way from the child's answer to a `Reading`."""

    told: dict[str, Any]
    table: pa.Table
    known: Format
    encoding: str | None = None
    warnings: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    codes: list[Any] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)

    def reading(self, name: str, digest: str) -> Reading:
        """Put together columns, labels and missing codes."""
        titles = [column["name"] for column in self.told["columns"]]
        labels = {c["name"]: value_labels(c) for c in self.told["columns"] if c["codes"]}
        frame = pd.DataFrame(
            {
                place: self._column(place, column, labels.get(column["name"], {}))
                for place, column in enumerate(self.told["columns"])
            },
            index=pd.RangeIndex(self.told["rows"]),
        )
        frame.columns = pd.Index(titles, dtype=object)
        return Reading(
            frame=frame,
            rows=np.arange(1, len(frame) + 1),
            name=name,
            sha256=digest,
            encoding=self._encoding(),
            value_labels=labels,
            column_labels={c["name"]: c["label"] for c in self.told["columns"] if c["label"]},
            missing=missing_frame(self.rows, self.columns, self.codes, self.reasons),
            formats={c["name"]: c["format"] for c in self.told["columns"] if c["format"]},
            file_label=self.told["file_label"],
            notes=tuple(self.told["notes"]),
            warnings=(*self._said_first(), *self.warnings),
        )

    def _encoding(self) -> str | None:
        """Return the encoding as people write it."""
        used = self.encoding or self.told["declared"] or self.told["encoding"]
        return None if used is None else re.sub("^cp(?=125)", "windows-", used.lower())

    def _column(self, place: int, column: dict[str, Any], labels: dict[Any, str]) -> pd.Series:
        name = column["name"]
        self.warnings += duplicate_labels(name, labels)
        if column["cut"]:
            cells = f"{column['cut']} cell{' ends' if column['cut'] == 1 else 's end'}"
            self.warnings.append(f"{shown(name)}: {cells} in the middle of a letter, which is left out")
        if column["unseen"]:
            cells = f"{column['unseen']} cell{' holds' if column['unseen'] == 1 else 's hold'}"
            self.warnings.append(f"{shown(name)}: {cells} characters that nobody can see or type; {_COMPARE}")
        cells = self.table.column(f"c{place}")
        if column["type"] == "text":
            series = pd.Series(pd.array(cells.to_numpy(), dtype="string"))
            values = cells.to_numpy() if column["ranges"] else None
            if values is not None:
                gone = declared(values, column["ranges"], text=True)
                self._note_missing(name, gone, values[gone], labels)
                series = series.mask(gone)
            self.warnings += undeclared(name, labels, _counts(series, labels))
            return series
        values = cells.cast(pa.float64(), safe=False).to_numpy()
        values = np.array(values, dtype=np.float64)
        gone = declared(values, column["ranges"], text=False)
        self._note_missing(name, gone, [_plain(value) for value in values[gone]], labels)
        if f"t{place}" in self.table.column_names:
            tags = self.table.column(f"t{place}").to_numpy()
            tagged = np.array([tag is not None for tag in tags], dtype=bool)
            self._note_missing(name, tagged, [f".{tag}" for tag in tags[tagged]], labels)
        values[gone] = np.nan
        return self._numbers(values, column, labels)

    def _numbers(self, values: npt.NDArray[np.float64], column: dict[str, Any], labels: dict[Any, str]) -> pd.Series:
        name, shown_as = column["name"], column["format"]
        kind, second = kind_of(self.known.key, shown_as)
        if kind is not None and reaches(values, kind, second):
            if shown_as.lstrip("%-").startswith("tC"):
                self.warnings.append(f"{shown(name)}: leap seconds ({shown_as}) are not taken off the times")
            series = to_clock(values, kind, second, self.known.key)
            if kind == "time" and series.dtype != object:
                read = "moments" if series.dtype.kind == "M" else "durations"
                self.warnings.append(f"{shown(name)}: times of more than a day are read as {read}")
            return series
        if kind is not None or left_as_number(self.known.key, shown_as):
            self.warnings.append(f"{shown(name)}: shown as {shown_as} by {self.known.program}, kept as numbers")
        self.warnings += undeclared(name, labels, _counts(pd.Series(values), labels))
        return numbers(values)

    def _note_missing(self, name: str, gone: npt.NDArray[np.bool_], codes: Any, labels: dict[Any, str]) -> None:
        places = np.flatnonzero(gone)
        self.rows += [int(place) + 1 for place in places]
        self.columns += [name] * len(places)
        self.codes += list(codes)
        self.reasons += [labels.get(code) or None for code in codes]

    def _said_first(self) -> list[str]:
        told, said = self.told, []
        if not told["rows"]:
            said.append("no rows of data: the file has columns only")
        if self.encoding is not None and told["declared"] and codec_of(told["declared"]) != codec_of(self.encoding):
            said.append(f"encoding: read as {self.encoding}, as asked; the file says {told['declared']}")
        if told["damaged_labels"]:
            said.append(f"{told['damaged_labels']} labels hold bytes that are not {told['encoding']}")
        return said + [_REMARKS[key] for key in told["remarks"] if key in _REMARKS]


_COMPARE = "the file may be damaged: compare its SHA-256 with that of its source"
_REMARKS = {
    "uneven": f"letters stand behind the end of a label; {_COMPARE}",
    "two_widths": f"a text column is said to be of two widths, and its cells may be cut; {_COMPARE}",
    "unknown_part": f"the file has a part of a kind that is not known here; {_COMPARE}",
    "two_encodings": f"the file says its encoding twice, and not the same: letters may be others; {_COMPARE}",
    "two_formats": f"a column is a date by one of its two formats and a number by the other; {_COMPARE}",
    "no_count": "the format does not say how many rows there are: give expect_rows to be sure that none is missing",
    "no_codes": "codes declared missing in a portable file are read as missing, without their reason",
    "old_letters": "the file does not say its encoding: accents are read as windows-1252, or give encoding",
    "guessed": "the file does not say its encoding: read as windows-1252; check names with accents, or give encoding",
    "unchecked": "the file is in an encoding not known here: letters may be lost; give encoding",
    "old_end": "the end of so old a Stata file cannot be checked: give expect_rows to be sure that no row is missing",
}


def _plain(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < _WHOLE else float(value)


def _counts(series: pd.Series, labels: dict[Any, str]) -> dict[Any, int]:
    if not labels:
        return {}
    counts = series.value_counts()
    return {code: int(counts[code]) for code in labels if code in counts.index}
