"""What a proposal is made of: one line per column, per code, per constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.io.propose.words import Sure

Part = Literal["columns", "wide", "baseline", "covariates", "dates", "status", "forms", "left_out", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What becomes of one column.

    Parameters
    ----------
    column : str
        Heading in the file.
    part : {"columns", "wide", "baseline", "covariates", "dates", "status", "forms", "left_out", "undecided"}
        Part of the mapping; ``status`` tells whether a form was filled in, ``forms`` which form a row is of;
        ``undecided`` is left to a person.
    name : str
        Name of the dictionary, instrument, item or covariate; "" for those left out and undecided.
    visit : str
        For ``wide``.
    form : str
        Of a box to tick: the column that tells whether its form was filled in.
    sure : {"sure", "likely", "guess"}
    why : str
    examples : str
        Values; empty where the column may be about persons.
    """

    column: str
    part: Part
    name: str = ""
    visit: str = ""
    form: str = ""
    sure: Sure = "sure"
    why: str = ""
    examples: str = ""

    @property
    def words(self) -> str:
        """What the column becomes, in words."""
        if self.part == "wide":
            return f"{self.name} at {self.visit}"
        if self.part == "baseline":
            return f"{self.name} at baseline, in every row"
        if self.part == "covariates":
            return f"covariate {self.name}"
        if self.part == "dates":
            return "date of the person's own start" if self.name == "start" else f"{self.name}, out of a date"
        return {
            "status": "state of a form",
            "forms": "form of the row",
            "left_out": "left out",
            "undecided": "to decide",
        }.get(self.part, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """What a written code stands for.

    Parameters
    ----------
    part : {"codes", "missing"}
    name : str
        Field of the dictionary; for ``missing`` the source column.
    written : str
    code : str or None
        Code of the dictionary, or the reason of a missing cell; None where it has to be asked.
    sure : {"sure", "likely", "guess"}
    why : str
    """

    part: Literal["codes", "missing"]
    name: str
    written: str
    code: str | None
    sure: Sure
    why: str
