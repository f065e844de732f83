"""ADaM data sets as files: Parquet, CSV a spreadsheet cannot run, SAS transport version 5, and what they are."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ipt_outcomes import __version__
from ipt_outcomes.errors import IptError, OptionError, require_choice
from ipt_outcomes.instruments import Instrument
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.exchange.adam import AdamTables, adam_tables
from ipt_outcomes.io.exchange.adam_spec import DATASETS, Dataset, dataset
from ipt_outcomes.io.exchange.folders import require_new, write_folder
from ipt_outcomes.io.exchange.release import Release, RowsFor, require_release
from ipt_outcomes.io.exchange.tables import digest, to_parquet
from ipt_outcomes.io.exchange.transport import transport_bytes
from ipt_outcomes.io.guarded import reading_session
from ipt_outcomes.io.table import read_table
from ipt_outcomes.results.spreadsheet import csv_text, frame_rows

AdamFormat = Literal["parquet", "csv", "xpt"]
_FORMATS: tuple[AdamFormat, ...] = ("parquet", "csv", "xpt")


def to_adam(
    cohort: Cohort,
    folder: str | os.PathLike[str],
    *,
    study_id: str = "STUDY",
    formats: Sequence[AdamFormat] = _FORMATS,
    rows_for: RowsFor | None = None,
    own: Mapping[str, Instrument] | None = None,
) -> Path:
    """Write a cohort as ADSL, ADQS and ADTTE, with ``define.json`` that says what every variable is.

    Parameters
    ----------
    cohort : Cohort
    folder : path
        A new folder; it appears only when it is complete.
    study_id : str
    formats : sequence of {"parquet", "csv", "xpt"}
        ``"xpt"`` is SAS transport version 5; each file is read back and compared before the folder appears.
    rows_for : {"own_team", "data_agreement"}, optional
        As in `save_cohort` (rule L9).
    own : mapping of str to Instrument, optional
        As in `adam_tables`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        People stand out and nobody was named (L9).
    OptionError
        The folder exists, or an option is none.
    IptError
        A text does not fit into a transport file, or what was written does not read back the same.

    Notes
    -----
    How each variable is made: ``docs/adam.md``.
    """
    chosen: list[str] = [formats] if isinstance(formats, str) else list(formats)
    if not chosen:
        raise OptionError("at least one format is needed: parquet, csv, xpt")
    for one in chosen:
        require_choice("formats", one, _FORMATS)
    require_new(Path(folder))
    release = require_release(cohort, rows_for)
    tables = adam_tables(cohort, study_id=study_id, own=own)
    files: dict[str, bytes] = {}
    with reading_session():
        for name in DATASETS:
            frame = getattr(tables, name.lower())
            for kind in (one for one in _FORMATS if one in chosen):
                files[f"{name.lower()}.{kind}"] = _written(frame, dataset(name), kind)
    described = _define(cohort, tables, release, files)
    files["define.json"] = (json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    return write_folder(folder, files)


def _written(frame: pd.DataFrame, spec: Dataset, kind: AdamFormat) -> bytes:
    if kind == "parquet":
        return to_parquet(frame)
    if kind == "csv":
        return csv_text(list(frame.columns), frame_rows(frame)).encode()
    return _transport(frame, spec)


def _transport(frame: pd.DataFrame, spec: Dataset) -> bytes:
    """Bytes of a SAS transport file that read back as they were written, by another reader."""
    labels = {variable.name: variable.label for variable in spec.variables}
    data = transport_bytes(frame, name=spec.name, label=spec.label, labels=labels)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{spec.name.lower()}.xpt"
        path.write_bytes(data)
        try:
            back = read_table(path, encoding="utf-8").frame
        except IptError:
            back = pd.DataFrame()
    if not _same(frame, back):
        raise IptError(f"{spec.name}: the transport file does not read back as it was written; write parquet or csv")
    return data


def _bytes_of(cells: pd.Series) -> int:
    return max((len(str(cell).encode()) for cell in cells), default=0)


def _same(frame: pd.DataFrame, back: pd.DataFrame) -> bool:
    """Whether numbers are equal, and texts but for blanks at the end."""
    if list(back.columns) != list(frame.columns) or len(back) != len(frame):
        return False
    for name in frame:
        if frame[name].dtype == np.float64:
            other = pd.to_numeric(back[name]).to_numpy(dtype=float, na_value=np.nan)
            if not np.array_equal(frame[name].to_numpy(), other, equal_nan=True):
                return False
        else:
            texts = ["" if pd.isna(cell) else str(cell).rstrip() for cell in back[name]]
            if texts != [str(cell).rstrip() for cell in frame[name]]:
                return False
    return True


def _define(cohort: Cohort, tables: AdamTables, release: Release, files: Mapping[str, bytes]) -> dict[str, Any]:
    datasets = []
    for name in DATASETS:
        spec, frame = dataset(name), getattr(tables, name.lower())
        variables = [
            {
                "name": v.name,
                "label": v.label,
                "type": "float" if v.is_number else "text",
                "length": 8 if v.is_number else max(_bytes_of(frame[v.name]), 1),
                "origin": v.origin,
            }
            for v in spec.variables
            if v.name in frame
        ]
        mine = {path: digest(data) for path, data in files.items() if path.startswith(f"{name.lower()}.")}
        datasets.append(
            {
                "name": name, "label": spec.label, "structure": spec.structure, "keys": list(spec.keys),
                "records": len(frame), "files": mine, "variables": variables,
            }
        )  # fmt: skip
    rules = [
        {"PARAMCD": r.code, "PARAM": r.words, "rule": r.rule, "sources": list(r.sources), "confirmed": r.confirmed}
        for r in tables.rules
    ]
    return {
        "standard": "mapped to CDISC ADaM; conformance was not checked",
        "made_by": f"ipt-outcomes {__version__}",
        "simulated": cohort.simulated,
        "source_sha256": cohort.source.sha256,
        "release": release.to_dict(),
        "datasets": datasets,
        "time_to_event_rules": rules,
        "notes": list(tables.notes),
    }
