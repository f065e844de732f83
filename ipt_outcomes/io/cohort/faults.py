"""Everything that is wrong with a patient file, collected and refused at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.results import plural
from ipt_outcomes.schemas.validate import FAILURE_COLUMNS, HEADER_ROW

FAULTS_NAMED = 12


@dataclass(slots=True)
class Faults:
    """Collects faults; a later stage goes on with what is left, so that all are found.

    Parameters
    ----------
    name : str
        Name of the source, for the message.
    rows : numpy.ndarray of int, shape (n,)
        Row number of each record in the source.
    files : numpy.ndarray of str, shape (n,), or None
        File of each record, where a folder is read.
    file : str
        The one file the faults are about, where a folder is read.
    """

    name: str
    rows: np.ndarray
    files: np.ndarray | None = None
    file: str = ""
    messages: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    tables: list[pd.DataFrame] = field(default_factory=list)
    concerned: list[int] = field(default_factory=list)

    def add(
        self, message: str, *, rule: str, column: str | Sequence[str] = "", expected: str = "", hint: str | None = None,
        records: Iterable[int] | np.ndarray | None = None, found: pd.Series | np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Note a fault.

        Parameters
        ----------
        message : str
            What was expected and found; counts and column names, never a value of a person.
        rule : str
            Rule for the failure table: ``"L1"``, ``"range"`` ...
        column : str or sequence of str
            Source column, or all those the fault is about.
        expected : str
            What the failure table says was expected.
        hint : str, optional
            How to go on.
        records : array of int, optional
            Records concerned (positions). Without them the fault is one of the column.
        found : array, optional
            Cells of those records; only of columns of scores.
        """
        names = [column] if isinstance(column, str) else list(column)
        self.messages.append(f"{self.file}, {message}" if self.file else message)
        self.columns += names
        if hint is not None and hint not in self.hints:
            self.hints.append(hint)
        where = np.array([], dtype=int) if records is None else np.asarray(records, dtype=int)
        numbers = self.rows[where] if where.size else np.array([HEADER_ROW])
        told = [""] * numbers.size if found is None or not where.size else list(found)
        cells = _numbers_only(pd.Series(told, dtype=object))
        self.concerned += [int(row) for row in self.rows[where]]
        files = self.files[where] if self.files is not None and where.size else self.file
        self.tables += [
            pd.DataFrame(
                {"file": files, "row": numbers, "column": name, "rule": rule, "expected": expected, "found": cells}
            )
            for name in names
        ]

    def take_over(self, other: Faults) -> None:
        """Take the faults found in one file of a folder."""
        self.messages += other.messages
        self.columns += other.columns
        self.tables += other.tables
        self.concerned += other.concerned
        self.hints += [hint for hint in other.hints if hint not in self.hints]

    def failures(self, table: pd.DataFrame, messages: Iterable[str]) -> None:
        """Take a failure table as the validator of the dictionary gives it, and what to say of it."""
        self.messages += [f"{self.file}, {message}" if self.file else message for message in messages]
        self.columns += list(table["column"])
        self.concerned += [int(row) for row in table["row"]]
        self.tables.append(table.assign(file=table.get("file", self.file)))

    def cells(
        self, bad: np.ndarray, *, column: str, rule: str, expected: str, what: str,
        found: pd.Series | None = None, hint: str | None = None,
    ) -> None:  # fmt: skip
        """Note cells of one column that are at fault, if there are any.

        Parameters
        ----------
        bad : numpy.ndarray of bool, shape (n,)
        column, rule, expected, hint
            As in `add`.
        what : str
            What the cells are: ``"outside 0-27"``.
        found : pandas.Series, shape (n,), optional
            The cells as written; only of columns of scores.
        """
        where = np.flatnonzero(bad)
        if where.size:
            told = rows_in_words([int(row) for row in self.rows[where]])
            message = (
                f"{column}: {what} in {where.size} of {len(self.rows)} {plural(len(self.rows), 'row', 'rows')} ({told})"
            )
            cells = None if found is None else found.iloc[where].to_numpy(dtype=object)
            self.add(message, rule=rule, column=column, expected=expected, hint=hint, records=where, found=cells)

    def to_frame(self) -> pd.DataFrame:
        """Return the failure table: ``row column rule expected found`` in order of rows; of a folder also ``file``."""
        table = pd.concat(self.tables, ignore_index=True)
        if not table["file"].ne("").any():
            return table.sort_values("row", kind="stable", ignore_index=True)[list(FAILURE_COLUMNS)]
        order = {file: place for place, file in enumerate(dict.fromkeys(table["file"]))}
        table = table.assign(place=table["file"].map(order))
        return table.sort_values(["place", "row"], kind="stable", ignore_index=True)[["file", *FAILURE_COLUMNS]]

    def refuse(self) -> None:
        """Raise `DataError` with all faults, if there are any."""
        if not self.messages:
            return
        shown = self.messages[:FAULTS_NAMED]
        more = len(self.messages) - len(shown)
        if len(self.messages) == 1:
            text = f"{self.name} was refused: {shown[0]}"
        else:
            listed = "\n".join(f"- {message}" for message in shown)
            text = f"{self.name} was refused for {len(self.messages)} reasons:\n{listed}"
            text += f"\n- and {more} more, in the failure table" if more else ""
        raise DataError(
            text,
            rows=sorted(set(self.concerned)),
            column=next((column for column in self.columns if column), None),
            hint="\n".join(self.hints) or None,
            failures=self.to_frame(),
        )


def _numbers_only(cells: pd.Series) -> pd.Series:
    """Cells of scores where they are numbers; a text that stands among scores may be about the person."""
    plain = cells.astype("string").str.strip().str.replace(",", ".", regex=False)
    is_number = pd.to_numeric(plain, errors="coerce").notna() | plain.fillna("").eq("")
    return cells.where(is_number, "text")
