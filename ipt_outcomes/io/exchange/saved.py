"""Read a saved cohort back: every digest is checked before a table is opened."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, TypeGuard

import pandas as pd

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.exchange.save import LAYOUT, PACKAGE, RECORD, SEAL, seal
from ipt_outcomes.io.exchange.tables import ROWS, digest_of, from_parquet
from ipt_outcomes.io.guarded import read_columns, reading_session
from ipt_outcomes.io.studies import Source
from ipt_outcomes.privacy import Gate
from ipt_outcomes.privacy.diversity import Diversity
from ipt_outcomes.privacy.gate import GateEntry

_LARGEST_PACKAGE = 20_000_000
_AGAIN = "Take an unchanged copy of the folder, or load the source again and save the cohort anew."


def is_saved(folder: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a path is a folder that `save_cohort` made (its tables are not looked at).

    Parameters
    ----------
    folder : object

    Returns
    -------
    bool
    """
    if not isinstance(folder, str | os.PathLike) or not Path(folder).is_dir():
        return False
    path = Path(folder) / PACKAGE
    if not path.is_file() or path.stat().st_size > _LARGEST_PACKAGE:
        return False
    try:
        return bool(RECORD in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, OSError, TypeError, RecursionError):
        return False


def read_saved(folder: str | os.PathLike[str]) -> Cohort:
    """Read a cohort that `save_cohort` wrote.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Cohort
        As it was saved: the same columns, types, levels, missing values, gate and flow.

    Raises
    ------
    IptError
        The folder is none of a saved cohort.
    DataError
        Files are missing or were changed since; all of them are named.
    """
    place = Path(folder)
    package = _package(place)
    record = package[RECORD]
    if record.get("layout") != LAYOUT:
        raise IptError(f"{place.name}: saved in a layout this version does not read", hint="Update ipt-outcomes.")
    if not _is_sealed(package):
        raise DataError(
            f"{place.name}: {PACKAGE} was changed since it was written (its SHA-256 is another)", hint=_AGAIN
        )
    tables = _tables(place, package["resources"])
    values: dict[str, Any] = dict(tables)
    faults = []
    for field in dataclasses.fields(Cohort):
        if field.name in values:
            continue
        if field.name in record:
            values[field.name] = _value(field.name, record[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            faults.append(field.name)
    unknown = sorted(set(tables) - {field.name for field in dataclasses.fields(Cohort)})
    if faults or unknown:
        raise DataError(f"{place.name}: datapackage.json does not describe a cohort ({', '.join(faults + unknown)})")
    return Cohort(**values)


def _package(place: Path) -> dict[str, Any]:
    if not place.is_dir():
        raise IptError(f"{place.name} is no folder")
    path = place / PACKAGE
    if not path.is_file():
        raise IptError(f"{place.name} holds no {PACKAGE}", hint="A cohort is saved with save_cohort.")
    if path.stat().st_size > _LARGEST_PACKAGE:
        raise IptError(f"{place.name}: {PACKAGE} is larger than any that is written here")
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise IptError(f"{place.name}: {PACKAGE} is no JSON text", hint=_AGAIN) from None
    good = isinstance(package, dict) and isinstance(package.get(RECORD), dict)
    if not good or not isinstance(package.get("resources"), list):
        raise IptError(f"{place.name}: {PACKAGE} describes no cohort", hint="A cohort is saved with save_cohort.")
    return dict(package)


def _is_sealed(package: dict[str, Any]) -> bool:
    try:
        return package.get(SEAL) == seal(package)
    except (ValueError, TypeError, RecursionError):
        return False


def _tables(place: Path, resources: list[Any]) -> dict[str, pd.DataFrame]:
    """Every table whose bytes are those that were written; all that are not are named at once."""
    files: dict[str, tuple[Path, str, dict[str, Any]]] = {}
    faults = []
    for resource in resources:
        try:
            name, path, wanted, schema = (resource[key] for key in ("name", "path", "hash", "schema"))
        except (TypeError, KeyError):
            faults.append("a table without name, path, hash or schema")
            continue
        # A path of another folder is never followed.
        if path != f"{name}.parquet" or "/" in path or "\\" in path or not (place / path).is_file():
            faults.append(f"{name}: the file is not there")
            continue
        if digest_of(place / path) != wanted:
            faults.append(f"{name}: changed since it was written (its SHA-256 is another)")
            continue
        files[str(name)] = place / path, str(wanted), schema
    if faults:
        raise DataError(f"{place.name} cannot be read: {'; '.join(faults)}", hint=_AGAIN)
    with reading_session():
        try:
            return {name: _table(file, wanted, schema, name) for name, (file, wanted, schema) in files.items()}
        except (KeyError, TypeError):
            raise DataError(f"{place.name}: {PACKAGE} holds a schema that is none") from None


def _table(file: Path, wanted: str, schema: dict[str, Any], name: str) -> pd.DataFrame:
    if not schema["fields"]:
        # A table of nothing but rows has no column to read.
        return pd.DataFrame(index=pd.RangeIndex(schema[ROWS]))
    return from_parquet(read_columns(file, sha256=wanted.removeprefix("sha256:")), schema, name)


def _value(name: str, value: Any) -> Any:
    try:
        if name == "gate":
            entries = tuple(GateEntry(**entry) for entry in value["entries"])
            measured = tuple(Diversity(**{**one, "among": tuple(one["among"])}) for one in value["measured"])
            return Gate(entries=entries, checked=tuple(value["checked"]), measured=measured)
        if name == "source":
            return _source(value)
    except (TypeError, AttributeError, KeyError):
        raise DataError(f"{PACKAGE}: the record of {name} is none", hint=_AGAIN) from None
    return tuple(value) if isinstance(value, list) else value


def _source(value: dict[str, Any]) -> Source:
    return Source(**{**value, "parts": tuple(_source(part) for part in value.get("parts", ()))})
