"""Value labels and missing codes of a statistical file: kept, counted, and said where they look wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ipt_outcomes.io.guarded.words import shown
from ipt_outcomes.privacy.patterns import looks_like

_LONGEST_LABEL = 60
_WORDS = re.compile(
    r"(?i)\b(missing|unknown|refus\w*|declin\w*|n/?a|not (?:asked|answered|applicable|available|assessed|stated|"
    r"done|known|determined|recorded|reported|given|completed)|no (?:answer|response|data|information|reply)|"
    r"don'?t know|do not know|blank|unanswered|undetermined|skipped|invalid|withdr[ae]w\w*|dropped out|lost to|"
    r"fehlend\w*|keine angabe|weiß nicht|unbekannt|ausente|manquant\w*|ontbreekt|onbekend|saknas|mangler)\b"
)
_REPEATED = re.compile(r"-?(?:7{2,}|8{2,}|9{2,}|9+[5-8])|-[1-9]\d?")


def plain_code(code: Any, *, text: bool) -> Any:
    """Return a code as it stands in a frame: whole numbers whole, missing letters with their dot."""
    if isinstance(code, str):
        return code if text else f".{code}"
    number = float(code)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def value_labels(column: Mapping[str, Any]) -> dict[Any, str]:
    """Return the labels of a column by code."""
    text = column["type"] == "text"
    return {plain_code(code, text=text): label for code, label in column["codes"]}


def declared(values: Any, ranges: Iterable[tuple[Any, Any]], *, text: bool) -> npt.NDArray[np.bool_]:
    """Return which cells hold a code, or a value in a range, that the file declares missing.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Floats with NaN, or objects with None.
    ranges : iterable of (low, high)
    text : bool

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    gone = np.zeros(len(values), dtype=bool)
    for low, high in ranges:
        if text:
            # Blanks at the end are padding of the column's width.
            gone |= np.array([cell is not None and cell.rstrip() == str(low).rstrip() for cell in values], dtype=bool)
        else:
            gone |= (values >= float(low)) & (values <= float(high))
    return gone


def duplicate_labels(name: str, labels: Mapping[Any, str]) -> list[str]:
    """Say which codes share a label."""
    codes: dict[str, list[Any]] = {}
    for code, label in labels.items():
        if label.strip():
            codes.setdefault(label, []).append(code)
    return [
        f"value label {shown_label(label)} is used for codes {_listed(several)} of {shown(name)}"
        for label, several in codes.items()
        if len(several) > 1
    ]


def undeclared(name: str, labels: Mapping[Any, str], counts: Mapping[Any, int]) -> list[str]:
    """Say which labelled codes look like missing and stand in the data as values.

    Parameters
    ----------
    name : str
        Column.
    labels : mapping of code to str
    counts : mapping of code to int
        Cells that hold each labelled code as a value.

    Returns
    -------
    list of str
    """
    said = []
    for code, label in labels.items():
        count = counts.get(code, 0)
        if count and (_WORDS.search(label) or _REPEATED.fullmatch(str(code))):
            cells = f"{count} cell{'' if count == 1 else 's'}"
            said.append(
                f"{shown(name)}: code {code}, labelled {shown_label(label)}, is not declared missing and stands as a "
                f"value in {cells}"
            )
    return said


def shown_label(label: str) -> str:
    """Return a label in quotes, unless it is long or looks like an identifier."""
    return "that is not shown" if len(label) > _LONGEST_LABEL or looks_like(label) is not None else f"'{label}'"


def _listed(codes: list[Any]) -> str:
    words = [str(code) for code in codes]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def no_missing() -> pd.DataFrame:
    """Return an empty frame ``row column code reason``."""
    return missing_frame([], [], [], [])


def missing_frame(rows: list[int], columns: list[str], codes: list[Any], reasons: list[str | None]) -> pd.DataFrame:
    """Return the frame of cells that are missing by declaration, one row per cell."""
    return pd.DataFrame(
        {
            "row": pd.Series(rows, dtype=np.int64),
            "column": pd.array(columns, dtype="string"),
            "code": pd.Series(codes, dtype=object),
            "reason": pd.array(reasons, dtype="string"),
        }
    )
