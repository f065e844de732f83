"""Cells of the source as text or numbers, with the codes that are missing taken out and their reasons kept."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray, Texts, nothing, numbers, same_code
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.io.toml_text import key, quoted
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.patterns import looks_like
from ipt_outcomes.results import plural

_R_MISSING = "NA"
_LONGEST_LABEL = 60


class Reader:
    """Reads columns of one source, each once.

    Parameters
    ----------
    raw : Raw
    plan : CohortMapping
    ids : set of str
        Source columns that hold ids: codes declared for every column (``"*"``) do not count there.
    is_checked : bool
        Whether the table was checked against the dictionary before: cells at fault are missing since, and told.
    """

    def __init__(self, raw: Raw, plan: CohortMapping, ids: set[str], *, is_checked: bool = False) -> None:
        self.raw = raw
        self.plan = plan
        self.ids = ids
        self.is_checked = is_checked
        self.gate: list[GateEntry] = []
        self.notes: list[str] = []
        self._texts: dict[str, Texts] = {}
        self._reasons: dict[str, Texts] = {}

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.raw.frame)

    def texts(self, column: str) -> Texts:
        """Return a column as text, without its missing codes."""
        if column not in self._texts:
            read = self.raw.texts(column)
            codes = self._codes(column)
            # An id is its exact text: 007 is not 7.
            form = str.strip if column in self.ids else same_code
            reasons = read.mapped(lambda text: codes.get(form(text))) if codes else nothing(self.size)
            self._texts[column] = read.without(~reasons.missing)
            self._keep_reasons(column, reasons)
        return self._texts[column]

    def numbers(self, column: str) -> tuple[FloatArray, BoolArray]:
        """Return a column as numbers without its missing codes, and where it holds no number."""
        series = self.raw.frame[column]
        if not pd.api.types.is_any_real_numeric_dtype(series):
            texts = self.texts(column)
            as_r = texts.mapped(lambda text: None if text.strip() == _R_MISSING else text)
            n_missing = int((as_r.missing & ~texts.missing).sum())
            if n_missing:
                self.notes.append(
                    f"{column}: {n_missing} {plural(n_missing, 'cell', 'cells')} NA, R's mark for a missing number"
                )
            return numbers(as_r.to_categorical_series(), self.raw.decimal)
        values, bad = numbers(series, self.raw.decimal)
        codes = {float(code): reason for code, reason in self._codes(column).items() if _is_number(code)}
        places = {reason: place for place, reason in enumerate(dict.fromkeys(codes.values()))}
        found = np.full(len(values), -1, dtype=np.int64)
        for code, reason in codes.items():
            found[values == code] = places[reason]
        if column not in self._reasons:
            self._keep_reasons(column, Texts(found, tuple(places)))
        return np.where(found >= 0, np.nan, values), bad

    def reasons(self, column: str) -> Texts:
        """Return why cells of a column (read before) are missing by declaration."""
        return self._reasons.get(column, nothing(self.size))

    def labels(self, column: str) -> dict[str, str]:
        """Return the value labels of a column by code, as codes are compared."""
        return {same_code(code): label for code, label in self.raw.value_labels.get(column, {}).items()}

    def _codes(self, column: str) -> dict[str, str]:
        declared = {} if column in self.ids else dict(self.plan.missing.get("*", {}))
        declared |= self.plan.missing.get(column, {})
        form = str.strip if column in self.ids else same_code
        return {form(code): reason for code, reason in declared.items()}

    def _keep_reasons(self, column: str, reasons: Texts) -> None:
        by_file = self.raw.declared[self.raw.declared["column"] == column]
        if len(by_file):
            told = by_file["reason"].map(shown_label).where(by_file["reason"] != "", "code " + by_file["code"])
            merged = reasons.to_array()
            merged[by_file["record"].to_numpy()] = told.to_numpy(dtype=object)
            reasons = Texts.of(pd.Series(merged, dtype=object))
        self._reasons[column] = reasons
        for reason, count in zip(reasons.values, reasons.counts, strict=True):
            if count:
                are = "cell is" if count == 1 else "cells are"
                detail = f"{column}: {count} {are} missing ({shown_label(reason)})"
                entry = GateEntry(rule="L11", action="changed", column=column, detail=detail, count=int(count))
                self.gate.append(entry)


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True


def shown_label(label: str) -> str:
    """Return a label for a message, unless it looks like an identifier or is too long for one."""
    if looks_like(label) is not None or len(label) > _LONGEST_LABEL:
        return "a label that is not shown"
    return label


def refuse_bad_numbers(
    faults: Faults, bad: BoolArray, texts: pd.Series, column: str, *, is_score: bool, is_time: bool = False
) -> None:
    """Note cells that are no numbers; dates among them are told apart."""
    if not bad.any():
        return
    if any(looks_like(str(cell)) == "a full date" for cell in texts[bad].head(200)):
        faults.cells(
            bad, column=column, rule="L5", expected="a number, no date", what="dates, which are not read (L5),",
            hint="Have dates made days from the person's own start: [dates] start = \"column\", order = \"dmy\", "
            f"day = {quoted(column)}. Or give the days, in a column mapped as day.",
        )  # fmt: skip
        return
    if is_time:
        faults.hints.append(
            f"If {column} names visits, map it as such and say their weeks: [columns] visit = {quoted(column)}, "
            '[visits] "baseline" = 0, "post" = 12.'
        )
    faults.cells(
        bad, column=column, rule="type", expected="a number", what="no number", found=texts if is_score else None,
        hint="A word that stands for a missing value is declared under [missing]: "
        f'[missing.{key(column)}] "word" = "reason".',
    )  # fmt: skip
