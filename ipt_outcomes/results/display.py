"""How a result object shows itself in a notebook and becomes JSON values."""

from __future__ import annotations

import dataclasses
import html
import unicodedata
from enum import Enum
from typing import TYPE_CHECKING, Any

from ipt_outcomes.results.format import format_number
from ipt_outcomes.results.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def visible(text: object) -> str:
    """Return text that any writer can print: control characters become the replacement character.

    Parameters
    ----------
    text : object
        What a user typed, for example a study's name.

    Returns
    -------
    str
        Line breaks and tabs become blanks; nothing else that prints is changed.
    """
    plain = str(text).replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return "".join(REPLACEMENT if unicodedata.category(char) in {"Cc", "Cs"} else char for char in plain)


class ResultObject:
    """Base of frozen result dataclasses: all views derive from `to_frame`.

    A subclass is a frozen dataclass with slots that defines ``to_frame()`` and ``summary()``.
    """

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a tidy frame, numbers unrounded."""
        raise TypeError(f"{type(self).__name__} defines no to_frame")

    def summary(self, digits: int = 2) -> str:
        """Return the result in plain text, as a paper prints it."""
        raise TypeError(f"{type(self).__name__} defines no summary")

    def to_dict(self) -> dict[str, Any]:
        """Return every field as JSON values (arrays as lists, frames as lists of records)."""
        return {field.name: _json_value(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        return frame_to_html(self.to_frame(), caption=self.summary().splitlines()[0])


def _json_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Provenance | ResultObject):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_json_value(item) for item in value]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return [_json_value(record) for record in value.to_dict(orient="records")]
    if hasattr(value, "tolist"):
        return _json_value(value.tolist())
    if isinstance(value, float) and value != value:
        return None
    return value


def frame_to_html(frame: pd.DataFrame, *, caption: str) -> str:
    """Write a frame as an HTML table with caption and header scopes; everything is escaped.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to show; numbers are shown with two decimals, whole numbers whole.
    caption : str
        Caption of the table.

    Returns
    -------
    str
        A table element without script or style.
    """
    head = "".join(f'<th scope="col">{_cell(name)}</th>' for name in frame.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    title = html.escape(visible(caption))
    return f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        return format_number(float(value), "number")  # type: ignore[arg-type]
    return "" if value is None else html.escape(visible(value))
