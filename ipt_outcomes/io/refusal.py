"""The error for a study table with impossible values: what is wrong, where, what was found, how to go on."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.delimited import ABOVE_THE_NAMES
from ipt_outcomes.io.mapping import Mapping, read_mapping
from ipt_outcomes.io.toml_text import shipped_mappings
from ipt_outcomes.results import visible

_FAULTS_NAMED = 5
_LONGEST_CELL = 40
_RATING = re.compile(r"(?i)\s*(very |some )?(high|low|unclear|moderate|serious|concerns?|some)\b")


def absent_columns(failures: pd.DataFrame) -> np.ndarray:
    """Tell the faults of a whole column (it is not there) from those of a cell.

    Parameters
    ----------
    failures : pandas.DataFrame, shape (n,)
        Failure table.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    # A blank cell is found as a missing value, which may not be compared.
    words = [isinstance(found, str) and found == "no such column" for found in failures["found"]]
    return np.array(words, dtype=bool) & failures["rule"].eq("required").to_numpy(dtype=bool)


def refusal(
    failures: pd.DataFrame,
    *,
    names: list[str],
    total: int,
    columns: tuple[str, ...],
    mapping: Mapping,
    from_file: bool,
    every: bool = False,
) -> DataError:
    """Return the error that names the first faults and says how to go on.

    Parameters
    ----------
    failures : pandas.DataFrame
        Failure table, not empty.
    names : list of str
        Files read.
    total : int
        Records in them.
    columns : tuple of str
        Columns of the first file.
    mapping : Mapping
        The mapping used.
    from_file : bool
        Whether the data came from a file and not from a frame.
    every : bool
        Whether no row is left.

    Returns
    -------
    DataError
    """
    absent = absent_columns(failures)
    places = ["row", *(["file"] if "file" in failures else [])]
    bad = len(failures[~absent].drop_duplicates(places))
    name = names[0] if len(names) == 1 else f"{len(names)} files"
    shown = [_fault(fault, is_absent) for fault, is_absent in zip(_first(failures), absent, strict=False)]
    more = f"; {len(failures) - len(shown)} more faults" if len(failures) > len(shown) else ""
    head = f"{name}: {'all' if every else bad} of {total} rows fail" if bad else f"{name} cannot be used"
    return DataError(
        f"{head}: {'; '.join(shown)}{more}",
        rows=[int(row) for row in failures["row"].drop_duplicates()],
        column=str(failures["column"].iloc[0]),
        hint=" ".join(_hints(failures, absent, columns, mapping, from_file)),
        failures=failures,
    )


def _first(failures: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(key): value for key, value in one.items()} for one in failures.head(_FAULTS_NAMED).to_dict("records")]


def _fault(fault: dict[str, object], absent: bool) -> str:
    file = f"{fault['file']}, " if "file" in fault else ""
    if absent:
        return f"{file}there must be {fault['expected']}"
    return f"{file}{fault['column']}, row {fault['row']}: must be {fault['expected']}; found {_cell(fault['found'])}"


def _cell(found: object) -> str:
    """Write a cell so that it shows what stands there, and no more than a line's worth."""
    if found is None or found is pd.NA or found != found:
        return "nothing"
    if not isinstance(found, str):
        return visible(found)
    text = visible(found)
    if not text.strip():
        return "nothing"
    return f"'{text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + '...'}'"


def _hints(
    failures: pd.DataFrame, absent: np.ndarray, columns: tuple[str, ...], mapping: Mapping, from_file: bool
) -> list[str]:
    hints = []
    fitting = [] if mapping.columns else _fitting(columns)
    if fitting:
        hints.append(f"The mapping {' or '.join(fitting)}, which comes with the package, fits these columns.")
    if absent.any():
        hints.append('Say in a mapping which column it is ([columns] study = "your column").')
        if len(columns) == 1:
            hints.append(f"The file has a single column. {ABOVE_THE_NAMES}")
    words = failures[failures["column"].str.casefold().eq("rob") & failures["rule"].eq("type")]
    if any(isinstance(found, str) and _RATING.match(found) for found in words["found"]):
        heading = words["column"].iloc[0]
        hints.append(f'{heading} holds ratings, not a score: map it, [columns] rob_rating = "{heading}".')
    hints += ["ipt-outcomes check FILE lists them all;"] if from_file else []
    return [*hints, ".failures of this error is the table of all."]


def _fitting(columns: tuple[str, ...]) -> list[str]:
    names = shipped_mappings(cohort=False)
    return [name for name in names if (plan := read_mapping(name)).columns and not plan.faults(columns)]
