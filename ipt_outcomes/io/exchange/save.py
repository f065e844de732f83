"""Save a cohort as a folder: Parquet tables, ``datapackage.json``, and what the load gate did."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ipt_outcomes import __version__
from ipt_outcomes.errors import IptError
from ipt_outcomes.io.cohort.cohort import IN_MEMORY, Cohort
from ipt_outcomes.io.exchange.folders import require_new, write_folder
from ipt_outcomes.io.exchange.release import RowsFor, require_release
from ipt_outcomes.io.exchange.tables import digest, table_schema, to_parquet
from ipt_outcomes.io.studies import Source
from ipt_outcomes.privacy import Gate

PACKAGE = "datapackage.json"
RECORD = "ipt:cohort"
SEAL = "ipt:sha256"
LAYOUT = 1
_MEDIA_TYPE = "application/vnd.apache.parquet"


def save_cohort(cohort: Cohort, folder: str | os.PathLike[str], *, rows_for: RowsFor | None = None) -> Path:
    """Save a cohort, to be loaded again exactly as it is.

    Parameters
    ----------
    cohort : Cohort
    folder : path
        A new folder; it appears only when it is complete, and nothing is ever written over.
    rows_for : {"own_team", "data_agreement"}, optional
        Who may have rows of persons; needed where people stand out (rule L9). ``"own_team"``: they stay with
        those who hold the source under the same consent or approval. ``"data_agreement"``: consent, an
        approval or an agreement names the recipients.

    Returns
    -------
    pathlib.Path
        The folder: one Parquet file per table, and ``datapackage.json`` with their schemas and SHA-256 digests,
        the record of the load gate, who is in and who is not, and whether the data are simulated.

    Raises
    ------
    DataError
        People stand out and nobody was named (L9); or a column cannot be saved.
    OptionError
        The folder exists.

    Examples
    --------
    >>> import tempfile
    >>> from ipt_outcomes import simulate
    >>> from ipt_outcomes.io.exchange import read_saved
    >>> with tempfile.TemporaryDirectory() as place:
    ...     read_saved(save_cohort(simulate.trial(40), f"{place}/trial"))
    Cohort of 40 simulated people from data frame: HRSD-17, PHQ-9
    """
    require_new(Path(folder))
    release = require_release(cohort, rows_for)
    files: dict[str, bytes] = {}
    resources: list[dict[str, Any]] = []
    record: dict[str, Any] = {"layout": LAYOUT, "made_by": f"ipt-outcomes {__version__}"}
    for field in dataclasses.fields(cohort):
        if IN_MEMORY in field.metadata:
            continue
        value = getattr(cohort, field.name)
        if isinstance(value, pd.DataFrame):
            files[f"{field.name}.parquet"], resource = _resource(field.name, value)
            resources.append(resource)
        else:
            record[field.name] = _json(value, field.name)
    record["release"] = release.to_dict()
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "ipt-outcomes-cohort",
        "title": f"{'Simulated data: ' if cohort.simulated else ''}patients, episodes, sessions and scores",
        "description": "De-identified by the load gate; what it did stands under ipt:cohort, gate. Keys are random.",
        "resources": resources,
        RECORD: record,
    }
    package[SEAL] = seal(package)
    files[PACKAGE] = (json.dumps(package, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    return write_folder(folder, files)


def seal(package: Mapping[str, Any]) -> str:
    """Return the digest of what a descriptor says of its tables and of the cohort.

    Parameters
    ----------
    package : mapping
        The tables have digests of their own in it; a title that somebody writes into it changes nothing.

    Returns
    -------
    str
    """
    said = {key: package.get(key) for key in ("resources", RECORD)}
    return digest(json.dumps(said, sort_keys=True, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))


def _resource(name: str, frame: pd.DataFrame) -> tuple[bytes, dict[str, Any]]:
    # First, so that a column that cannot be saved is refused by name.
    schema = table_schema(name, frame)
    data = to_parquet(frame.reset_index(drop=True))
    return data, {
        "$schema": "https://datapackage.org/profiles/2.0/dataresource.json",
        "name": name,
        "path": f"{name}.parquet",
        "type": "table",
        "format": "parquet",
        "mediatype": _MEDIA_TYPE,
        "bytes": len(data),
        "hash": digest(data),
        "schema": schema,
    }


def _json(value: Any, name: str) -> Any:
    if isinstance(value, Gate):
        entries = [dataclasses.asdict(entry) for entry in value.entries]
        measured = [dataclasses.asdict(one) for one in value.measured]
        return {"entries": entries, "checked": list(value.checked), "measured": measured}
    if isinstance(value, Source):
        return dataclasses.asdict(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, tuple | list):
        return [_json(inner, name) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): dict(inner) for key, inner in value.items()}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _json(inner, name) for key, inner in value.items()}
    raise IptError(f"a cohort's {name} cannot be saved: {type(value).__name__}")
