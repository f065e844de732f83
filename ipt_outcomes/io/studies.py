"""A study table ready for analysis: typed comparisons of two arms, with what looks wrong in them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import IptError, OptionError, require_choice
from ipt_outcomes.io.orient import counted, rows_to_turn, turn
from ipt_outcomes.io.repeats import duplicates, share_out_controls, shared_controls, similar_names
from ipt_outcomes.io.standard import against_the_standard, check_table
from ipt_outcomes.io.suspicion import Suspicion
from ipt_outcomes.results import frame_to_html
from ipt_outcomes.schemas import FAILURE_COLUMNS
from ipt_outcomes.vocabulary import Arm, study_arm_of

_VALUES_NAMED = 20
_LEVELS_SHOWN = 8
_COUNTED = ("condition_arm1", "condition_arm2", "outcome_type", "instrument")

# These compare a study with others: what was seen in the whole table stays true of the rows kept from it.
_IN_CONTEXT = (
    "reading", "se_as_sd", "sign", "words", "invisible_characters", "no_effect", "missing_code", "large_effect",
    "effect_differs", "total_row", "fractional_events", "large_n", "cluster",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a study table came from.

    Parameters
    ----------
    name : str
        File name without its folder, or "data frame".
    sha256 : str
        Digest of the file's bytes; of a frame, of its values written as CSV.
    rows : int
        Records read, before any was set aside.
    delimiter, decimal, encoding : str or None
        As found or given; None for a frame, or where several files differ.
    parts : tuple of Source
        The files, where several were read together.
    """

    name: str
    sha256: str
    rows: int
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    parts: tuple[Source, ...] = ()


def no_failures() -> pd.DataFrame:
    """Return an empty failure table."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in FAILURE_COLUMNS}).astype({"row": int})


@dataclass(frozen=True, slots=True, kw_only=True)
class Studies:
    """Comparisons of two arms, one per row, in the columns of the Metapsy standard.

    Parameters
    ----------
    comparisons : pandas.DataFrame, shape (k, p)
        ``row`` (row number of the file), ``file`` where several were read, then the columns of the
        dictionary and the file's own others. Numbers are float with NaN for missing.
    source : Source
        Where they came from.
    warnings : tuple of Suspicion
        What looks wrong, and what the reader had to guess or leave out; no cell was changed for it.
    excluded : pandas.DataFrame
        Failure table of the rows set aside with ``invalid="exclude"``; empty otherwise.
    extra_columns : tuple of str
        Columns that the dictionary does not have, kept as they were.
    simulated : bool
        Whether the data are made up; every report says so.
    notes : tuple of str
        Choices made in reading (delimiter, decimal mark, headings) and what was done to the table since.
    headings : mapping of str to str
        Heading in the file to column here, where they differ.
    codes : mapping of str to mapping of str to str
        Column to what the file writes (small letters) and the code it became.
    """

    comparisons: pd.DataFrame
    source: Source
    warnings: tuple[Suspicion, ...] = ()
    excluded: pd.DataFrame = field(default_factory=no_failures)
    extra_columns: tuple[str, ...] = ()
    simulated: bool = False
    notes: tuple[str, ...] = ()
    headings: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.comparisons)

    @property
    def n_studies(self) -> int:
        """Number of different study names."""
        return int(self.comparisons["study"].nunique())

    def orient(self, towards: str = "ipt") -> Studies:
        """Turn round the rows in which a treatment is arm 2, so that it is arm 1.

        All ``*_arm1`` and ``*_arm2`` pairs change places and the signs of ``.g``, ``precalc_g``, ``.log_rr``
        and ``precalc_log_rr`` are flipped. Rows with the treatment in both arms or in neither stay as they
        are. What is known of arm 1 only (``n_sessions_arm1``) is unknown in a turned row.

        Parameters
        ----------
        towards : str
            The treatment: a value of `vocabulary.Arm`, or a name tables give it ("wl", "CBT", "TAU").

        Returns
        -------
        Studies
            With a column ``turned`` (bool); ``.notes`` counts the rows turned and left.

        Raises
        ------
        OptionError
            `towards` is no arm.
        IptError
            The table does not say what the arms are.
        """
        arm = study_arm_of(towards)
        if arm is None:
            require_choice("towards", towards, [known.value for known in Arm if study_arm_of(known) is known])
        towards = str(arm)
        table = self.comparisons
        missing = [name for name in ("condition_arm1", "condition_arm2") if name not in table]
        if missing:
            raise IptError(
                f"the table has no {' and no '.join(missing)}: which arm is {towards} cannot be told",
                column=missing[0],
                hint="Name the columns in a mapping, or give a constant there.",
            )
        which, notes = rows_to_turn(table, Arm(towards))
        turned, lost = turn(table, which)
        before = table["turned"].to_numpy(dtype=bool) if "turned" in table else np.zeros(len(table), dtype=bool)
        turned["turned"] = before ^ which
        said = [f"{counted(int(which.sum()))} turned round, so that {towards} is arm 1"] if which.any() else []
        said += [f"{column} is unknown in turned rows" for column in lost]
        new = tuple(note for note in (*said, *notes) if note not in self.notes)
        return replace(self, comparisons=turned, notes=(*self.notes, *new))

    def where(self, conditions: Mapping[str, Any] | None = None, /, **columns: Any) -> Studies:
        """Keep the rows in which columns have certain values.

        Parameters
        ----------
        conditions : mapping of str to value or list of values, optional
            For column names that are no Python names: ``{".id": ["a", "b"]}``.
        **columns : value or list of values
            Column name or heading of the file; blanks around and case do not matter; numbers are compared
            as numbers. Values may be written as in the file or as the mapping coded them.

        Returns
        -------
        Studies
            With a note; warnings that depend on the rows kept are made anew. A value that no row has beside
            others that rows have is in the notes and in the warnings.

        Raises
        ------
        IptError
            No such column (near names are given), or no row is left (the values there are are listed).
        """
        asked = {**dict(conditions or {}), **columns}
        if not asked:
            raise OptionError("where needs at least one column and its values")
        table = self.comparisons
        keep = np.ones(len(table), dtype=bool)
        unmet: list[str] = []
        for name, given in asked.items():
            column = self._column(name)
            values = _as_list(given, name)
            mask = self._matches(column, values)
            if not mask.any():
                raise _no_rows(table[column], name, values)
            if not (keep & mask).any():
                raise IptError(
                    f"no row is left: {name} = {_said(values)} has {int(mask.sum())} rows, "
                    "but none that meets the other conditions",
                    column=column,
                )
            keep &= mask
            idle = [value for value in values if not self._matches(column, [value]).any()]
            unmet += [_no_row_has(table.loc[~mask, column], name, value) for value in idle]
        kept = table[keep].reset_index(drop=True)
        said = "; ".join(f"{name} = {_said(_as_list(given, name))}" for name, given in asked.items())
        note = f"{len(kept)} of {len(table)} rows kept: {said}"
        new = [Suspicion(kind="reading", message=message) for message in unmet]
        warnings = tuple(dict.fromkeys((*new, *self._warnings_for(kept))))
        return replace(self, comparisons=kept, warnings=warnings, notes=(*self.notes, note, *unmet))

    def split_shared_control(self) -> Studies:
        """Share each control group out over the comparisons of its study that use it.

        Returns
        -------
        Studies
            Participants and events of a shared arm 2 are divided by the number of treatments compared with
            it (which may leave fractions); ``.g`` and ``.log_rr`` of those rows, made with the whole group,
            are missing, to be made anew from the numbers; ``control_split`` (bool) and ``.notes`` name the
            rows. Doing it again changes nothing.
        """
        table, notes = share_out_controls(self.comparisons)
        if not notes:
            return self
        new = tuple(note for note in notes if note not in self.notes)
        return replace(self, comparisons=table, warnings=self._warnings_for(table), notes=(*self.notes, *new))

    def check(self) -> pd.DataFrame:
        """Check the table against the Metapsy standard, and list everything that looks wrong, with its rows.

        Returns
        -------
        pandas.DataFrame
            ``check row study columns detail``: columns of the standard that are not there, results that no column
            tells apart, rows with more than one kind of data for one effect, spellings that differ only in blanks
            or case, impossible counts; then what `warnings` holds (signs, standard errors as SDs, control groups
            used twice, ...). One line per finding and row; a finding about the whole table has no row. Nothing is
            changed.

        Examples
        --------
        >>> from ipt_outcomes.io import load_studies
        >>> table = pd.DataFrame({"study": ["A", "A"], "instrument": ["BDI", "bdi "], "g": [0.5, 0.2], "v": [0.1, 0.1]})
        >>> found = load_studies(table).check()
        >>> found.loc[found["check"] == "names", "row"].tolist()
        [0, 1]
        """
        table = self.comparisons
        return check_table([*against_the_standard(table), *self.warnings], table)

    @property
    def flow(self) -> pd.DataFrame:
        """Who is in, who is not and why: ``step reason studies rows``."""
        lines: list[tuple[str, str, int | None, int]] = [("read", "", None, self.source.rows)]
        if len(self.excluded):
            for (column, rule), part in self.excluded.groupby(["column", "rule"], sort=False):
                lines.append(("set aside", f"{column}: {rule}", None, int(part["row"].nunique())))
        lines.append(("in the table", "", self.n_studies, len(self)))
        frame = pd.DataFrame(lines, columns=["step", "reason", "studies", "rows"])
        return frame.astype({"studies": "Int64", "rows": np.int64})

    def to_frame(self) -> pd.DataFrame:
        """Return what the table holds, in counts: ``what number``."""
        table = self.comparisons
        lines = [("comparisons", len(table)), ("studies", self.n_studies)]
        for column in _COUNTED:
            if column in table:
                counts = table[column].astype(object).map(str.strip, na_action="ignore").value_counts()
                lines += [(f"{column}: {level}", int(count)) for level, count in counts.head(_LEVELS_SHOWN).items()]
                rest = counts.iloc[_LEVELS_SHOWN:]
                lines += [(f"{column}: {len(rest)} others", int(rest.sum()))] if len(rest) else []
        if len(self.excluded):
            lines.append(("rows set aside", int(self.excluded["row"].nunique())))
        lines.append(("warnings", len(self.warnings)))
        return pd.DataFrame(lines, columns=["what", "number"])

    def summary(self, digits: int = 2) -> str:
        """Return what the table holds, in plain text, one line per fact."""
        return self.describe()

    def describe(self) -> str:
        """Return what the table holds, in plain text, one line per fact."""
        table = self.comparisons
        lines = [f"{self._size()} from {self.source.name}"]
        if self.simulated:
            lines.append("simulated data: no trial stands behind them")
        for column in _COUNTED:
            if column in table:
                counts = table[column].str.strip().value_counts()
                shown = ", ".join(f"{value} ({count})" for value, count in counts.head(8).items())
                more = f" and {len(counts) - 8} more" if len(counts) > 8 else ""
                lines.append(f"{column}: {shown}{more}")
        if len(self.excluded):
            lines.append(f"rows set aside: {self.excluded['row'].nunique()}")
        if self.extra_columns:
            lines.append(f"columns the dictionary does not have: {', '.join(self.extra_columns)}")
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        facts = f"{self._size()} from {self.source.name}"
        facts += ", simulated" if self.simulated else ""
        if self.warnings:
            facts += f"; {_count(len(self.warnings), 'warning')} in .warnings"
        return frame_to_html(self.to_frame(), caption=facts)

    def _size(self) -> str:
        return f"{_count(len(self), 'comparison')} of {_count(self.n_studies, 'study', 'studies')}"

    def _column(self, name: str) -> str:
        table = self.comparisons
        known = [str(column) for column in table.columns]
        if name in known:
            return name
        if name in self.headings:
            return self.headings[name]
        wanted = str(name).strip().casefold()
        same = {c for c in known if c.casefold() == wanted}
        same |= {column for heading, column in self.headings.items() if heading.strip().casefold() == wanted}
        if len(same) == 1:
            return same.pop()
        near = difflib.get_close_matches(str(name), [*known, *self.headings], n=3, cutoff=0.6)
        hint = f"Near: {', '.join(near)}." if near else f"Columns: {', '.join(known)}."
        raise IptError(f"there is no column {name!r}", column=str(name), hint=hint)

    def _matches(self, column: str, values: list[Any]) -> np.ndarray:
        series = self.comparisons[column]
        if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
            numbers = [_number(value) for value in values]
            return np.asarray(series.isin([number for number in numbers if number is not None]))
        wanted = {str(value).strip().casefold() for value in values}
        codes = self.codes.get(column, {})
        wanted |= {codes[value].strip().casefold() for value in list(wanted) if value in codes}
        return np.array([str(cell).strip().casefold() in wanted for cell in series.where(series.notna(), "")])

    def _warnings_for(self, kept: pd.DataFrame) -> tuple[Suspicion, ...]:
        rows = set(kept["row"])
        old = [w for w in self.warnings if w.kind in _IN_CONTEXT and (not w.rows or rows & set(w.rows))]
        return (*old, *suspicions_within(kept))


def suspicions_within(table: pd.DataFrame) -> tuple[Suspicion, ...]:
    """Find what looks wrong among the rows of one table: shared controls, similar names, duplicates."""
    return (*shared_controls(table), *similar_names(table), *duplicates(table))


def _as_list(given: Any, name: str) -> list[Any]:
    values = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    if isinstance(given, set | frozenset):
        values = sorted(values, key=str)
    if not values or any(value is None or value != value for value in values):
        raise OptionError(f"{name}: values to keep were expected; a missing value cannot be one")
    return values


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _said(values: list[Any]) -> str:
    return " or ".join(str(value) for value in values)


def _no_row_has(series: pd.Series, name: str, value: Any) -> str:
    words = [] if pd.api.types.is_numeric_dtype(series) else [str(cell).strip() for cell in series.dropna()]
    there = {word.casefold(): word for word in words}
    near = difflib.get_close_matches(str(value).strip().casefold(), list(there), n=3, cutoff=0.6)
    return f"no row has {name} = {value}" + (f"; near: {', '.join(there[one] for one in near)}" if near else "")


def _no_rows(series: pd.Series, name: str, values: list[Any]) -> IptError:
    counts = series.dropna().astype(str).str.strip().value_counts()
    there = [str(value).removesuffix(".0") for value in counts.index[:_VALUES_NAMED]]
    more = f" and {len(counts) - _VALUES_NAMED} more" if len(counts) > _VALUES_NAMED else ""
    message = f"no row has {name} = {_said(values)}"
    hint = f"Values there are: {', '.join(there)}{more}." if there else "The column has no values."
    return IptError(message, column=str(series.name), hint=hint)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
