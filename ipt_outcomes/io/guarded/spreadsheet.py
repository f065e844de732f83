"""What the child tells of a sheet, put together: titles, and columns of one kind; mixed ones are text as shown."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.decimals import detect_decimal
from ipt_outcomes.io.delimited import named_columns
from ipt_outcomes.io.guarded.child.numberformats import DATE, EMPTY, MOMENT, NUMBER, SPAN, TEXT, TIME
from ipt_outcomes.io.guarded.clock import to_clock
from ipt_outcomes.io.guarded.result import Reading, numbers
from ipt_outcomes.io.guarded.words import shown
from ipt_outcomes.schemas import Decimal

_DAY_MS = 86_400_000
_EXACT = 1e15
_WORDS = {TEXT: "text", NUMBER: "numbers", DATE: "dates", MOMENT: "dates", TIME: "times", SPAN: "durations"}


@dataclass
class _Column:
    """The cells of one column below its title."""

    told: dict[str, Any]
    kinds: npt.NDArray[np.uint8]
    values: npt.NDArray[np.float64]
    texts: npt.NDArray[np.object_]
    title: str = ""

    @cached_property
    def held(self) -> set[int]:
        """Kinds that occur."""
        return {int(kind) for kind in np.unique(self.kinds)} - {EMPTY}

    @property
    def as_text(self) -> bool:
        """Whether it is read as text: it holds text, or things of different kinds."""
        return not self.held or not any(self.held <= one for one in ({NUMBER}, {DATE, MOMENT}, {TIME, SPAN}))

    def stored_texts(self) -> pd.Series:
        """Return the cells that are stored as text."""
        return pd.Series(pd.array(self.texts, dtype="string"))

    def all_texts(self, decimal: Decimal = ".") -> list[str | None]:
        """Return every cell as text, as the program shows it; numbers with the decimal mark of the sheet."""
        cells = zip(self.kinds.tolist(), self.values.tolist(), self.texts.tolist(), strict=True)
        return [_told(kind, value, text, decimal) for kind, value, text in cells]

    def typed(self) -> pd.Series:
        """Return a column of one kind as that kind."""
        values = np.where(self.kinds == EMPTY, np.nan, self.values)
        if self.held == {NUMBER}:
            return numbers(values)
        if self.held <= {DATE, MOMENT}:
            days = self.held == {DATE} and not bool((values[self.kinds != EMPTY] % _DAY_MS).any())
            counts = np.where(self.kinds == EMPTY, 0, self.values).astype(np.int64)
            moments = (counts // 1000 if days else counts * 1000).astype("datetime64[s]" if days else "datetime64[us]")
            moments[self.kinds == EMPTY] = np.datetime64("NaT")
            return pd.Series(moments)
        seconds = np.round(values * _DAY_MS) / 1000
        return to_clock(seconds, "duration" if SPAN in self.held else "time", 1.0, "spss")


def _told(kind: int, value: float, text: str | None, decimal: Decimal) -> str | None:
    if kind in (EMPTY, TEXT):
        return text
    if kind == NUMBER:
        whole = value.is_integer() and abs(value) < _EXACT
        told = str(int(value)) if whole else np.format_float_positional(value, trim="-")
        return told.replace(".", decimal)
    if kind in (DATE, MOMENT):
        moment = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(milliseconds=value)
        told = moment.replace(tzinfo=None).isoformat(" ", "milliseconds" if value % 1000 else "seconds")
        return told.removesuffix(" 00:00:00") if kind == DATE else told
    seconds, milli = divmod(round(value * _DAY_MS), 1000)
    rest = f".{milli:03d}" if milli else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{rest}"


def assemble_sheet(told: dict[str, Any], table: pa.Table, name: str, digest: str, decimal: Decimal | None) -> Reading:
    """Put a sheet together.

    Parameters
    ----------
    told : dict
    table : pyarrow.Table
    name : str
        Of the file.
    digest : str
    decimal : {".", ","}, optional
        Mark of numbers that stand as text. Default: detected.

    Returns
    -------
    Reading

    Raises
    ------
    DataError
        No rows, columns without a name or of the same name, numbers as text with both marks.
    """
    sheet = _Sheet(told, table, name)
    return sheet.reading(digest, decimal)


@dataclass
class _Sheet:
    """One sheet on its way from the child's answer to a `Reading`."""

    told: dict[str, Any]
    table: pa.Table
    name: str
    warnings: list[str] = field(default_factory=list)

    def reading(self, digest: str, decimal: Decimal | None) -> Reading:
        """Name the columns, find the decimal mark, give each column its type."""
        rows = np.array(self.told["rows"], dtype=np.int64)
        if len(rows) != self.table.num_rows or len(rows) == 0:
            raise ValueError
        self._say_first()
        columns = self._columns()
        if len(rows) == 1:
            raise DataError(f"{self.name} has column names but no rows of data")
        rows = rows[1:]
        mark = self._decimal([column for column in columns if column.as_text], rows, decimal)
        series = {place: self._series(column, mark or ".") for place, column in enumerate(columns)}
        frame = pd.DataFrame(series, index=pd.RangeIndex(len(rows)))
        frame.columns = pd.Index([column.title for column in columns], dtype=object)
        return Reading(
            frame=frame, rows=rows, name=self.name, sha256=digest, decimal=mark, sheet=str(self.told["sheet"]),
            warnings=tuple(self.warnings),
        )  # fmt: skip

    def _columns(self) -> list[_Column]:
        """Return the columns that have a name: the first row that holds something holds the names."""
        columns, header = [], []
        for place, told in enumerate(self.told["columns"]):
            kinds = np.asarray(self.table.column(f"k{place}").to_numpy(), dtype=np.uint8)
            values = np.array(self.table.column(f"n{place}").to_numpy(), dtype=np.float64)
            texts = np.asarray(self.table.column(f"s{place}").to_numpy(), dtype=object)
            header.append((_told(int(kinds[0]), float(values[0]), texts[0], ".") or "").strip())
            columns.append(_Column(told, kinds[1:], values[1:], texts[1:]))

        def cells(place: int) -> list[str]:
            return [text or "" for text in columns[place].all_texts()]

        labels = [str(column.told["letters"]) for column in columns]
        for place, title in named_columns(header, cells, self.name, self.warnings, labels):
            columns[place].title = title
        return [column for column in columns if column.title]

    def _decimal(self, columns: list[_Column], rows: npt.NDArray[np.int64], given: Decimal | None) -> Decimal | None:
        """Find the mark of numbers that stand as text; cells that are numbers have none."""
        if not columns:
            return given
        frame = pd.DataFrame({place: column.stored_texts() for place, column in enumerate(columns)})
        frame.columns = pd.Index([column.title for column in columns], dtype=object)
        mark, said = detect_decimal(frame, rows, self.name, delimiter="", given=given)
        self.warnings += said
        return mark if said or given else None

    def _series(self, column: _Column, mark: Decimal) -> pd.Series:
        title = shown(column.title)
        for key, words in _REMARKS.items():
            if column.told[key]:
                count = int(column.told[key])
                self.warnings.append(f"{title}: {words.format(cells=f'{count} cell' + ('' if count == 1 else 's'))}")
        if NUMBER in column.held and bool((np.abs(column.values[column.kinds == NUMBER]) >= _EXACT).any()):
            self.warnings.append(f"{title}: numbers of more than 15 digits, of which Excel keeps only the first 15")
        if not column.as_text:
            return column.typed()
        kinds = sorted({_WORDS[kind] for kind in column.held})
        if len(kinds) > 1:
            counts = ", ".join(f"{kind} in {_count(column, kind)}" for kind in kinds)
            self.warnings.append(f"{title}: cells of several kinds ({counts}), all read as text")
        return pd.Series(pd.array(column.all_texts(mark), dtype="string"))

    def _say_first(self) -> None:
        told = self.told
        if told["sheets"] > 1:
            self.warnings.append(f"sheet {told['place']} of {told['sheets']}")
        if told["hidden_sheet"]:
            self.warnings.append("the sheet is hidden in the workbook")
        if told["hidden_rows"]:
            self.warnings.append(f"rows hidden in the workbook are read: {told['hidden_rows']}")
        if told["from_1904"]:
            self.warnings.append("dates are counted from 1904, as the workbook says")


_REMARKS = {
    "formulas": "{cells} calculated by a formula, read as last calculated",
    "padded": "{cells} shown with zeros in front, kept as text with them",
    "hidden": "the column is hidden in the workbook",
}


def _count(column: _Column, word: str) -> int:
    kinds = [kind for kind, told in _WORDS.items() if told == word]
    return int(np.isin(column.kinds, kinds).sum())
