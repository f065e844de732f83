"""What the user is told when a file is not read in the child: one error, with what to do, without any cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.guarded.formats import Format
from ipt_outcomes.io.guarded.sheet_sentences import SHEETS
from ipt_outcomes.io.guarded.words import shown
from ipt_outcomes.io.text import SAVE_AS_CSV, UNKNOWN_KIND


def unsafe(name: str, known: Format, how: str) -> DataError:
    """Return the error for a reader that did not survive the file (L14).

    Parameters
    ----------
    name : str
        File name without its folder.
    known : Format
    how : {"crash", "time", "memory", "reader", "header", "changed"}

    Returns
    -------
    DataError
    """
    why = {
        "crash": "the reader crashed on it; the file is damaged",
        "time": "the reader did not come to an end in the time allowed; the file is damaged or too large",
        "memory": "the reader needed more memory than is allowed; the file is damaged or too large",
        "reader": f"the reader stopped; the file is damaged or is not {known.words} of a kind it knows",
        "header": "its header does not fit its content; the file is damaged",
        "damaged": "its compressed data do not unfold to what they should; the file is damaged",
        "changed": "it was changed while it was read",
    }[how]
    hint = _again(known) + (f" {LARGER}" if how in ("time", "memory") else "")
    return DataError(f"{name} could not be read safely: {why}", hint=hint)


def other_kind(name: str, known: Format, kind: str) -> DataError:
    """Return the error for a file that does not begin as its suffix says.

    Parameters
    ----------
    name : str
        File name without its folder.
    known : Format
    kind : str
        What it looks like, as `ipt_outcomes.io.text.kind_by_signature` says.

    Returns
    -------
    DataError
    """
    if kind == known.words or (kind == "a SAS file" and known.key == "sas"):
        return unsafe(name, known, "header")
    if kind == UNKNOWN_KIND:
        message = (
            f"{name} does not begin as {known.words} does: it is another kind of file, or its beginning is damaged"
        )
        return DataError(message, hint=_again(known))
    return DataError(
        f"{name} is not {known.words}, whatever its name: its content looks like {kind}",
        hint=f"Give it the suffix it should have. {SAVE_AS_CSV}",
    )


LARGER = (
    "If it is sound and only large, allow more in Python: with ipt_outcomes.io.guarded.reading_session(Limits("
    "cells=..., memory=..., seconds=..., cpu=..., size=...)): around the reading."
)


def _again(known: Format) -> str:
    return (
        f"Get a new copy of the file, or open it in {known.program}, look at it, and save it again or save it as CSV."
    )


def refusal(name: str, known: Format, kind: str, facts: dict[str, Any]) -> DataError:
    """Return the error for a file the child refused.

    Parameters
    ----------
    name : str
        File name without its folder.
    known : Format
    kind : str
        As in the child's ``RefusedError``.
    facts : dict
        Counts and names.

    Returns
    -------
    DataError
    """
    if kind == "letters":
        return _letters(name, known, facts)
    if kind == "names":
        message = f"{name}: names of columns hold bytes that are not {facts.get('encoding')}"
        return DataError(message, hint=_ENCODING)
    if kind == "size":
        rows, columns, cells = (facts.get(key) for key in ("rows", "columns", "cells"))
        much = f"{columns:,} columns" if rows is None else f"{rows:,} rows and {columns:,} columns"
        return DataError(
            f"{name} unfolds to {much}: up to {cells:,} cells are read",
            hint=f"Keep only the rows and columns the analysis needs: save a smaller file in {known.program}. {LARGER}",
        )
    if kind in SHEETS:
        return SHEETS[kind](name, facts)
    sentence = _CONTRADICTIONS.get(kind if kind != "more" or known.key != "spreadsheet" else "goes_on")
    if sentence is None:
        return unsafe(name, known, kind if kind in _UNSAFE else "reader")
    return DataError(f"{name} {sentence(facts)}", hint=_again(known))


_UNSAFE = ("memory", "header", "damaged", "reader")

_CONTRADICTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "cases": lambda facts: (
        f"contradicts itself: its header says {_rows(facts['header'])}, its data hold {_rows(facts['found'])}; "
        + ("the file is cut short or damaged" if facts["found"] < facts["header"] else "the header is wrong")
    ),
    "rows": lambda facts: (
        f"contradicts itself: its data hold {_rows(facts['header'])}, the reader returned {_rows(facts['found'])}"
    ),
    "cut": lambda facts: "is cut short: its last bytes are missing",
    "short": lambda facts: "ends before its header says it should: it is cut short or damaged",
    "more": lambda facts: "holds data after its end: it is damaged, or its header counts too few rows",
    "goes_on": lambda facts: "goes on after its end: it is damaged",
    "end": lambda facts: (
        f"does not end as it should after {_rows(facts['header'])}: it is cut short, or its header counts too few rows"
    ),
    "columns": lambda facts: "has no columns",
    "lines": lambda facts: "has lines of another length than such files have: it is damaged, or was edited",
    "spelling": lambda facts: "has names of columns that no program writes into such files: it is damaged",
    "summaries": lambda facts: (
        "contradicts itself: the least and greatest values or the numbers of empty cells that it keeps are not those "
        "of its columns " + ", ".join(shown(str(name)) for name in facts["columns"]) + "; it is damaged"
    ),
    "several": lambda facts: "holds several tables, of which one would be read: each must stand in a file of its own",
    "double": lambda facts: "has several columns of the same name",
    "unfolds": lambda facts: (
        f"unfolds to {facts['bytes']:,} bytes, more than is read: it is too large, or made to fill the memory"
    ),
    "types": lambda facts: (
        "has columns that hold more than one value per cell, or no values that can be read: "
        + ", ".join(f"{shown(str(name))} ({shown(str(kind))})" for name, kind in facts["columns"])
    ),
}


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


_ENCODING = (
    "The file was written in another encoding than it says. Give the right one, for example "
    'encoding="windows-1252" (--encoding windows-1252), or save it again as UTF-8.'
)


def _letters(name: str, known: Format, facts: dict[str, Any]) -> DataError:
    column, count = shown(str(facts["column"])), facts["count"]
    more = facts["columns"] - 1
    others = f", and cells of {more} more column{'' if more == 1 else 's'}" if more else ""
    return DataError(
        f"{name}, column {column}: {count} cell{' holds' if count == 1 else 's hold'} bytes that are not "
        f"{facts['encoding']}{others}: letters would be lost, and different ids could become one",
        column=str(facts["column"]),
        hint=_ENCODING,
    )
