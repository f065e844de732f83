"""What a proposal is made of: one line per column, per code, per constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.io.propose.words import Sure

Part = Literal[
    "columns", "wide", "wide_items", "baseline", "covariates", "dates", "status", "forms", "aside", "left_out",
    "undecided",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What becomes of one column.

    Parameters
    ----------
    column : str
        Heading in the file.
    part : {"columns", "wide", "wide_items", "baseline", "covariates", "dates", "status", "forms", "aside", \
"left_out", "undecided"}
        Part of the mapping; ``status`` tells whether a form was filled in, ``forms`` which form a row is of,
        ``aside`` which rows are set aside; ``undecided`` is left to a person.
    name : str
        Name of the dictionary, instrument, item or covariate; "" for those left out and undecided.
    visit : str
        For ``wide`` and ``wide_items``.
    item : int
        For ``wide_items``: its number on the form.
    form : str
        Of a box to tick: the column that tells whether its form was filled in.
    sure : {"sure", "likely", "guess"}
    why : str
    examples : str
        Values; empty where the column may be about persons.
    table : str
        For a file of a folder: the table of the dictionary it is; "" for a single file.
    """

    column: str
    part: Part
    name: str = ""
    visit: str = ""
    item: int = 0
    form: str = ""
    sure: Sure = "sure"
    why: str = ""
    examples: str = ""
    table: str = ""

    @property
    def key(self) -> str:
        """The column as ``undecided`` and `ProposedMapping.decided` name it: in a folder with its table."""
        return f"{self.table}: {self.column}" if self.table else self.column

    @property
    def waits_as(self) -> str:
        """What a guess about the column is called under ``undecided``: itself, or the table it stands in."""
        if self.part in ("wide", "wide_items"):
            place = f"{self.part}.{self.name}"
        elif self.part == "dates":
            place = "dates"
        else:
            return self.key
        return f"[tables.{self.table}.{place}]" if self.table and self.name != "start" else f"[{place}]"

    @property
    def words(self) -> str:
        """What the column becomes, in words."""
        if self.part == "wide":
            return f"{self.name} at {self.visit}"
        if self.part == "wide_items":
            return f"{self.name} item {self.item} at {self.visit}"
        if self.part == "baseline":
            return f"{self.name} at baseline, in every row"
        if self.part == "covariates":
            return f"covariate {self.name}"
        if self.part == "dates":
            return "the start, a date" if self.name == "start" else f"{self.name}, from a date"
        return {
            "status": "state of a form",
            "forms": "form of the row",
            "aside": "sets rows aside",
            "left_out": "left out",
            "undecided": "to decide",
        }.get(self.part, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """What a written code stands for.

    Parameters
    ----------
    part : {"codes", "missing", "exclude"}
    name : str
        Field of the dictionary; for ``missing`` the source column; for ``exclude`` either.
    written : str
    code : str or None
        Code of the dictionary, or the reason of a missing cell or of setting rows aside; None where it has to be
        asked.
    sure : {"sure", "likely", "guess"}
    why : str
    table : str
        For codes of missing cells of a file of a folder: its table.
    """

    part: Literal["codes", "missing", "exclude"]
    name: str
    written: str
    code: str | None
    sure: Sure
    why: str
    table: str = ""

    @property
    def waits_as(self) -> str:
        """What a guess about the code is called under ``undecided``."""
        return f"[tables.{self.table}.{self.part}.{self.name}]" if self.table else f"[{self.part}.{self.name}]"
