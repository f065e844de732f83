"""Load study tables: read, recognise the columns, validate, look for what is wrong."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError, require_choice
from ipt_outcomes.io.mapping import Mapping, read_mapping
from ipt_outcomes.io.odd_numbers import effects_out_of_line, fractional_events, large_samples, missing_codes, total_rows
from ipt_outcomes.io.odd_values import (
    cluster_trials,
    invisible_characters,
    nothing_to_pool,
    signs,
    standard_errors_as_sds,
)
from ipt_outcomes.io.recognise import Recognised, recognise
from ipt_outcomes.io.refusal import absent_columns, refusal
from ipt_outcomes.io.studies import Source, Studies, no_failures, suspicions_within
from ipt_outcomes.io.suspicion import Suspicion
from ipt_outcomes.io.table import read_table
from ipt_outcomes.schemas import Decimal, Schema, load_schema, parse_numbers, trimmed_text, validate

StudySource = str | os.PathLike[str] | pd.DataFrame

_FRAME = "data frame"

# What the reader always says; everything else it says deserves a look.
_ROUTINE = (
    "delimiter:",
    "decimal mark:",
    "columns known under",
    "by the mapping:",
    "the first column has no name",
    "cells hold line",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One source on its way into `Studies`."""

    columns: tuple[str, ...]
    typed: pd.DataFrame
    failures: pd.DataFrame
    source: Source
    recognised: Recognised
    notes: tuple[str, ...]
    warnings: tuple[Suspicion, ...]


def load_studies(
    source: StudySource | Sequence[StudySource],
    mapping: str | os.PathLike[str] | AbstractMapping[str, Any] | Mapping | None = None,
    *,
    invalid: Literal["refuse", "exclude"] = "refuse",
    encoding: str | None = None,
    decimal: Decimal | None = None,
    simulated: bool = False,
    sheet: str | int | None = None,
) -> Studies:
    """Load a study table: published aggregate data in the columns of the Metapsy standard.

    Parameters
    ----------
    source : path, DataFrame or list of paths
        Delimited text (.csv, .tsv, .txt), a statistical file (.sav, .dta ...) or a frame. Several files become
        one table with a column ``file``.
    mapping : path, name, dict or Mapping, optional
        Which column is which; see `ipt_outcomes.io.read_mapping`. Columns it does not name are recognised
        by their headings; columns the dictionary does not have are kept as they are.
    invalid : {"refuse", "exclude"}
        What becomes of rows with an impossible value. ``"exclude"`` sets them aside in ``.excluded``.
    encoding : str, optional
        Coding of the letters of the files; detected otherwise.
    decimal : {".", ","}, optional
        Decimal mark of the files; detected otherwise.
    simulated : bool
        Whether the data are made up.
    sheet : str or int, optional
        Sheet of a workbook, by its name or its number from 1; the mapping may name it, too.

    Returns
    -------
    Studies
        ``.warnings`` names what looks wrong; nothing of it is changed. ``better`` is never inferred: the
        column is there only if the source has it.

    Raises
    ------
    DataError
        Impossible values; ``.failures`` is the table of all of them.
    IptError
        A file that cannot be read, a mapping that does not fit.

    Examples
    --------
    >>> table = pd.DataFrame({"study": ["A", "B"], "g": [0.5, 0.2], "v": [0.04, 0.09]})
    >>> load_studies(table).comparisons[".g_se"].tolist()
    [0.2, 0.3]
    """
    require_choice("invalid", invalid, ("refuse", "exclude"))
    plan = read_mapping(mapping)
    plan = plan if sheet is None else replace(plan, sheet=sheet)
    schema = load_schema(plan.table)
    several = not isinstance(source, str | os.PathLike | pd.DataFrame)
    given = list(source) if isinstance(source, Sequence) and several else [source]
    if not given:
        raise OptionError("load_studies needs at least one file")
    parts = [_read_part(one, plan, schema, encoding, decimal) for one in given]  # type: ignore[arg-type]
    labels = _labels(given, parts) if several else None
    failures = _all_failures(parts, labels)
    if len(failures) and (invalid == "refuse" or absent_columns(failures).any()):
        raise _refusal(parts, failures, plan)
    tables = [_kept(part) for part in parts]
    if not any(len(table) for table in tables):
        raise _refusal(parts, failures, plan, every=True)
    if labels is not None:
        for table, label in zip(tables, labels, strict=True):
            table.insert(1, "file", label)
    comparisons = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0].reset_index(drop=True)
    extra = tuple(dict.fromkeys(name for part in parts for name in part.recognised.extra))
    return Studies(
        comparisons=comparisons,
        source=parts[0].source if labels is None else _joined_source(parts),
        warnings=(*(w for part in parts for w in part.warnings), *_suspicions(comparisons)),
        excluded=failures,
        extra_columns=extra,
        simulated=simulated,
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        headings={source: name for part in parts for name, source in part.recognised.headings.items()},
        codes={name: codes for part in parts for name, codes in part.recognised.codes.items()},
    )


def _read_part(
    source: StudySource, plan: Mapping, schema: Schema, encoding: str | None, decimal: Decimal | None
) -> _Part:
    if isinstance(source, pd.DataFrame):
        frame, rows, origin, notes = _from_frame(source)
        mark: Decimal = "."
    elif isinstance(source, str | os.PathLike):
        table = read_table(source, encoding=encoding, decimal=decimal, sheet=plan.sheet)
        frame, rows, notes, mark = table.frame, table.rows, table.warnings, table.decimal or "."
        if not len(table):
            raise DataError(f"{table.name} has column names but no rows of data")
        origin = Source(
            name=table.name, sha256=table.sha256, rows=len(table),
            delimiter=table.delimiter, decimal=table.decimal, encoding=table.encoding,
        )  # fmt: skip
    else:
        raise OptionError(f"a path, a pandas DataFrame or a list of paths was expected; got {type(source).__name__}")
    recognised = recognise(frame, plan, schema, origin.name, decimal=mark)
    typed, failures = validate(recognised.frame, schema, decimal=mark, rows=rows)
    words = _words_in_numbers(recognised.frame, typed, schema, rows, mark)
    for column in recognised.square_roots:
        typed[column] = np.sqrt(typed[column])
    typed.insert(0, "row", rows)
    failures = failures.assign(column=failures["column"].replace(recognised.headings))
    said = (*notes, *recognised.notes)
    odd = [Suspicion(kind="reading", message=note) for note in said if not note.startswith(_ROUTINE)]
    return _Part(
        columns=tuple(str(column) for column in frame.columns),
        typed=typed,
        failures=failures,
        source=origin,
        recognised=recognised,
        notes=tuple(note for note in said if note.startswith(_ROUTINE)),
        warnings=(*odd, *words),
    )


def _from_frame(source: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, Source, tuple[str, ...]]:
    frame = source.reset_index(drop=True)
    frame.columns = [str(column).strip() for column in source.columns]
    double = sorted(set(frame.columns[frame.columns.duplicated()]))
    if double:
        raise DataError(f"the data frame has columns of the same name: {', '.join(double)}", column=double[0])
    if not len(frame):
        raise DataError("the data frame has no rows")
    text = frame.to_csv(index=False, lineterminator="\n")
    digest = hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()
    return frame, np.arange(len(frame)), Source(name=_FRAME, sha256=digest, rows=len(frame)), ()


def _words_in_numbers(
    text: pd.DataFrame, typed: pd.DataFrame, schema: Schema, rows: np.ndarray, decimal: Decimal
) -> list[Suspicion]:
    found = []
    for name in text.columns:
        if name not in schema or not schema[name].number_or_words or pd.api.types.is_numeric_dtype(text[name]):
            continue
        cells = trimmed_text(text[name], schema.missing_values)
        _, bad = parse_numbers(cells, decimal)
        if bad.any():
            written = dict.fromkeys(cells[int(i)].as_py() for i in np.flatnonzero(bad))
            values = ", ".join(repr(cell) for cell in list(written)[:5])
            message = f"{name}: {int(bad.sum())} cells hold words and count as missing ({values})"
            studies = tuple(dict.fromkeys(str(s) for s in typed.loc[bad, "study"])) if "study" in typed else ()
            found.append(
                Suspicion(
                    kind="words",
                    message=message,
                    studies=studies,
                    rows=tuple(int(r) for r in rows[bad]),
                    columns=(name,),
                )
            )
    return found


def _all_failures(parts: list[_Part], labels: list[str] | None) -> pd.DataFrame:
    tables = [part.failures for part in parts]
    if labels is not None:
        tables = [table.assign(file=label) for table, label in zip(tables, labels, strict=True)]
    filled = [table for table in tables if len(table)]
    if not filled:
        return no_failures()
    return pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0].reset_index(drop=True)


def _kept(part: _Part) -> pd.DataFrame:
    return part.typed[~part.typed["row"].isin(part.failures["row"])].copy()


def _refusal(parts: list[_Part], failures: pd.DataFrame, plan: Mapping, *, every: bool = False) -> DataError:
    return refusal(
        failures,
        names=[part.source.name for part in parts],
        total=sum(part.source.rows for part in parts),
        columns=parts[0].columns,
        mapping=plan,
        from_file=parts[0].source.name != _FRAME,
        every=every,
    )


def _labels(given: list[Any], parts: list[_Part]) -> list[str]:
    """File names; with their folder where two files have one name."""
    names = [part.source.name for part in parts]
    if len(set(names)) == len(names):
        return names
    longer = [
        f"{Path(one).resolve().parent.name}/{name}" if isinstance(one, str | os.PathLike) else name
        for one, name in zip(given, names, strict=True)
    ]
    if len(set(longer)) < len(longer):
        raise OptionError("one file is given twice: its studies would count twice")
    return longer


def _joined_source(parts: list[_Part]) -> Source:
    sources = tuple(part.source for part in parts)
    digest = hashlib.sha256("\n".join(one.sha256 for one in sources).encode()).hexdigest()

    def common(values: set[str | None]) -> str | None:
        return values.pop() if len(values) == 1 else None

    return Source(
        name=", ".join(one.name for one in sources),
        sha256=digest,
        rows=sum(one.rows for one in sources),
        delimiter=common({one.delimiter for one in sources}),
        decimal=common({one.decimal for one in sources}),
        encoding=common({one.encoding for one in sources}),
        parts=sources,
    )


def _suspicions(table: pd.DataFrame) -> tuple[Suspicion, ...]:
    errors, codes = standard_errors_as_sds(table), missing_codes(table)
    return (
        *nothing_to_pool(table),
        *total_rows(table),
        *codes,
        *fractional_events(table),
        *large_samples(table),
        *errors,
        *effects_out_of_line(table, [*errors, *codes]),
        *signs(table),
        *cluster_trials(table),
        *suspicions_within(table),
        *invisible_characters(table),
    )
