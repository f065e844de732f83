"""Is a file a table of studies, or of patients?"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from ipt_outcomes.io.folder import is_table_folder
from ipt_outcomes.io.table import read_table
from ipt_outcomes.io.toml_text import shipped_mappings
from ipt_outcomes.schemas import Schema, load_schema

# What may hold either; statistical files and folders are of patients.
_EITHER = (".csv", ".tsv", ".tab", ".txt", "", ".xlsx", ".xlsm", ".parquet")
# Parts that only a mapping of patient data has.
_OF_PATIENTS = frozenset(
    (
        *("visits", "wide", "baseline", "duplicates", "areas", "missing", "exclude", "covariates", "varies"),
        *("unseen", "forms", "undecided", "ids", "dates", "windows", "tables", "wide_items", "days", "instruments"),
    )
)


def holds_patients(
    path: str | os.PathLike[str], mapping: str | os.PathLike[str] | None = None, *, sheet: str | int | None = None
) -> bool:
    """Say whether a file is of patients: by its mapping, else by its format, else by its headings.

    Parameters
    ----------
    path : path
        The file.
    mapping : path or name, optional
        The mapping it is to be read with.
    sheet : str or int, optional
        Sheet of a workbook.

    Returns
    -------
    bool
        Statistical files and folders of tables are of patients; delimited text, workbooks and Parquet files are
        if they have a column of person ids and none that names a study.

    Raises
    ------
    IptError
        A table that cannot be read.
    """
    if mapping is not None:
        return _maps_patients(os.fspath(mapping))
    if Path(path).suffix.lower() not in _EITHER or is_table_folder(path):
        return True
    headings = {str(name).strip().casefold() for name in read_table(path, sheet=sheet).frame.columns}
    return bool(headings & _headings("patients", "patient_id")) and not headings & _headings("comparisons", "study")


def _maps_patients(mapping: str) -> bool:
    # A workbook holds a mapping of patient data only.
    if mapping in shipped_mappings(cohort=True) or mapping.lower().endswith(".xlsx"):
        return True
    try:
        raw = tomllib.loads(Path(mapping).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        # Who reads the mapping in earnest says what is wrong with it.
        return False
    columns = raw.get("columns", {})
    named = isinstance(columns, dict) and "patient_id" in columns
    return raw.get("table") == "cohort" or named or not _OF_PATIENTS.isdisjoint(raw)


def _headings(table: str, name: str) -> set[str]:
    schema: Schema = load_schema(table)
    return {name, *(alias.name.casefold() for alias in schema[name].aliases)}
