"""What the cells of a column are like: numbers or texts, range, levels, one value per person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import FloatArray, Texts, numbers, same_code
from ipt_outcomes.io.cohort.columns import holds_dates
from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.privacy.identifiers import identifier_in
from ipt_outcomes.privacy.patterns import scan

_R_MISSING = "NA"
_MOST_LEVELS = 20
_SHOWN = 4


@dataclass(frozen=True)
class Profile:
    """One column of a source.

    Parameters
    ----------
    raw : Raw
    column : str
    """

    raw: Raw
    column: str

    @cached_property
    def texts(self) -> Texts:
        """The cells as text; R's NA is no text."""
        read = self.raw.texts(self.column)
        return read.mapped(lambda text: None if text.strip() == _R_MISSING else text)

    @cached_property
    def _read(self) -> tuple[FloatArray, np.ndarray]:
        if self._is_number_typed:
            return numbers(self.raw.frame[self.column], self.raw.decimal)
        return numbers(self.texts.to_categorical_series(), self.raw.decimal)

    @property
    def numbers(self) -> FloatArray:
        """The cells as numbers; NaN where there is none."""
        return self._read[0]

    @cached_property
    def _is_number_typed(self) -> bool:
        """Whether the source holds numbers: then no text is made of a million of them."""
        return bool(pd.api.types.is_any_real_numeric_dtype(self.raw.frame[self.column]))

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return bool(np.isnan(self.numbers).all()) if self._is_number_typed else not self.texts.values

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every cell that is there is a number."""
        return not self.is_empty and not self._read[1].any() and not self.holds_dates

    @cached_property
    def known(self) -> FloatArray:
        """The numbers that are there, without codes the file labels as missing."""
        values = self.numbers[~np.isnan(self.numbers)]
        gone = [float(code) for code, _ in self.missing_codes if _is_number(code)] if self.labels else []
        return np.asarray(values[~np.isin(values, gone)], dtype=np.float64)

    @property
    def lowest(self) -> float:
        """Lowest number; NaN where there is none."""
        return float(self.known.min()) if len(self.known) else float("nan")

    @property
    def highest(self) -> float:
        """Highest number; NaN where there is none."""
        return float(self.known.max()) if len(self.known) else float("nan")

    @cached_property
    def is_whole(self) -> bool:
        """Whether all numbers are whole."""
        return bool((self.known % 1 == 0).all())

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The different texts that occur, in order."""
        present = [self.texts.values[code] for code in np.flatnonzero(self.texts.counts)]
        return tuple(sorted(present, key=_in_order))

    @property
    def share_missing(self) -> float:
        """Share of empty cells, in percent."""
        return 100 * float(self.texts.missing.mean()) if len(self.texts.codes) else 100.0

    @cached_property
    def labels(self) -> dict[str, str]:
        """Value labels by code, as codes are compared."""
        return {same_code(code): label for code, label in self.raw.value_labels.get(self.column, {}).items()}

    @property
    def label(self) -> str:
        """The label of the column, "" if it has none of its own."""
        label = self.raw.column_labels.get(self.column, "")
        return "" if label == self.column else label

    @cached_property
    def missing_codes(self) -> tuple[tuple[str, str], ...]:
        """Labelled codes whose label says that the cell is missing: code and label."""
        from ipt_outcomes.io.cohort.scores import MISSING_WORDS

        present = {same_code(text) for text in self.texts.values}
        return tuple((c, label) for c, label in self.labels.items() if c in present and MISSING_WORDS.search(label))

    @cached_property
    def holds_dates(self) -> bool:
        """Whether the column holds dates or times."""
        return holds_dates(self.raw.frame[self.column])

    @cached_property
    def personal(self) -> str | None:
        """Why nothing of the column may be shown; None where it may."""
        promised = identifier_in(self.column)
        if promised is not None:
            return f"the heading promises {promised}"
        if self.holds_dates:
            return "dates"
        if self.is_numeric:
            long = self.is_whole and len(self.known) and np.median(np.abs(self.known)) >= 1e5
            return "long numbers, as ids are" if long else None
        found = scan(self.texts.values, self.texts.counts, most_levels=_MOST_LEVELS)
        return found[0].kind if found else None

    def is_constant_within(self, people: Texts) -> bool:
        """Whether nobody has two different values."""
        values = self.numbers if self._is_number_typed else self.texts.codes
        known = (people.codes >= 0) & (~np.isnan(values) if self._is_number_typed else values >= 0)
        person, value = people.codes[known], values[known]
        first = np.zeros(len(people.values), dtype=value.dtype)
        # Written from the end on, so that the first value of each person stands there at last.
        first[person[::-1]] = value[::-1]
        return bool((first[person] == value).all())

    def examples(self) -> str:
        """A few values, or the middle half of many numbers; "" where the column may be about persons."""
        if self.personal is not None or self.is_empty:
            return ""
        if self.is_numeric and len(np.unique(self.known)) > _SHOWN:
            low, high = np.quantile(self.known, (0.25, 0.75)) if len(self.known) else (np.nan, np.nan)
            return f"mostly {low:.4g} to {high:.4g}"
        if len(self.levels) > _MOST_LEVELS:
            return ""
        order = np.argsort(-self.texts.counts, kind="stable")
        return ", ".join(self.texts.values[code] for code in order[:_SHOWN])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _in_order(text: str) -> tuple[float, str]:
    return (float(text), "") if _is_number(text) and abs(float(text)) < 1e300 else (float("inf"), text)
