"""Variables of the ADaM data sets, and the codes of their parameters."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache

from ipt_outcomes.resources import shipped

DATASETS = ("ADSL", "ADQS", "ADTTE")
_CODE = 6


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a data set.

    Parameters
    ----------
    name, label, origin : str
        At most 8 and 40 characters; where it comes from, in words.
    is_number : bool
    """

    name: str
    label: str
    origin: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set: its label, structure, keys and variables in their order."""

    name: str
    label: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]


@cache
def dataset(name: str) -> Dataset:
    """Return the specification of a data set.

    Parameters
    ----------
    name : {"ADSL", "ADQS", "ADTTE"}

    Returns
    -------
    Dataset
    """
    spec = tomllib.loads(shipped("data_schemas", "adam.toml").read_text(encoding="utf-8"))[name]
    variables = tuple(
        Variable(variable, entry["label"], entry["origin"], entry.get("type") == "number")
        for variable, entry in spec["variables"].items()
    )
    return Dataset(name, spec["label"], spec["structure"], tuple(spec["keys"]), variables)


def parameter_code(instrument: str, item: int = 0) -> str:
    """Return the PARAMCD of a total or an item, at most eight characters.

    Parameters
    ----------
    instrument : str
        Name in the registry.
    item : int
        0 is the total.

    Returns
    -------
    str

    Examples
    --------
    >>> parameter_code("phq9"), parameter_code("qids_sr16", 12), parameter_code("core_om", 3)
    ('PHQ9', 'QIDS1612', 'COREOM03')
    """
    code = _codes().get(instrument) or re.sub(r"[^A-Z0-9]", "", instrument.upper())[:_CODE]
    return code if item == 0 else f"{code}{item:02d}"


@cache
def _codes() -> dict[str, str]:
    loaded = tomllib.loads(shipped("data_schemas", "adam.toml").read_text(encoding="utf-8"))["codes"]
    return {str(name): str(code) for name, code in loaded.items()}
