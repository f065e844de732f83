"""Small results that are a few columns of numbers: they unpack like tuples and show like results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ipt_outcomes.results import ResultObject, format_number, plural

if TYPE_CHECKING:
    import pandas as pd


class Columns(ResultObject):
    """Views of a named tuple whose fields are arrays of shape (k,), or one text for all rows.

    A subclass inherits from this and from a ``NamedTuple``, and says in `about` what its numbers are.
    """

    __slots__ = ()
    about: ClassVar[str] = "numbers"

    def _fields_of(self) -> dict[str, Any]:
        return dict(self._asdict())  # type: ignore[attr-defined]  # of the named tuple it is mixed into

    def to_frame(self) -> pd.DataFrame:
        """Return the columns, one row per study, unrounded."""
        import pandas as pd

        columns = {name: value for name, value in self._fields_of().items() if not isinstance(value, str)}
        return pd.DataFrame({name: np.atleast_1d(np.asarray(value)) for name, value in columns.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return every field as JSON values."""
        return {name: _plain(value) for name, value in self._fields_of().items()}

    def summary(self, digits: int = 2) -> str:
        """Return what the numbers are and a line per row.

        Parameters
        ----------
        digits : int
            3 for three decimals, else two.

        Returns
        -------
        str
        """
        frame = self.to_frame()
        lines = [f"{self.about}, {len(frame)} {plural(len(frame), 'row', 'rows')}"]
        for place, row in enumerate(frame.to_dict(orient="records")):
            words = ", ".join(f"{name} {_written(value, digits)}" for name, value in row.items())
            lines.append(f"{place}: {words}")
        texts = [value for value in self._fields_of().values() if isinstance(value, str)]
        return "\n".join([*lines, *texts])


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return [None if item != item else item for item in np.atleast_1d(np.asarray(value)).tolist()]


def _written(value: Any, digits: int) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return format_number(float(value), "decimal3" if digits == 3 else "number")
