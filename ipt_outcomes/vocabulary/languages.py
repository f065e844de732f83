"""Names of codes in other languages, from the table that ships with the package."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from ipt_outcomes.resources import shipped

_SETS = {
    "Arm": "arm", "ProblemArea": "problem_area", "Sex": "sex", "Phase": "phase", "Format": "format",
    "Attendance": "attended", "EndReason": "end_reason", "Population": "population",
}  # fmt: skip


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(shipped("data_schemas", "vocabulary_names.toml").read_text(encoding="utf-8"))


@cache
def names_in_other_languages(kind: str) -> Mapping[str, str]:
    """Return the names of a closed set in other languages and the code each stands for.

    Parameters
    ----------
    kind : str
        Name of the set's class: ``"Arm"``, ``"ProblemArea"`` ...

    Returns
    -------
    mapping of str to str
        Names as `ipt_outcomes.vocabulary.spelling.bare` writes them; empty for a set that has none.
    """
    table = _table().get(_SETS.get(kind, ""), {})
    return {name: code for code, names in table.items() for name in names}


@cache
def ambiguous_names() -> frozenset[str]:
    """Return names that could be several problem areas."""
    return frozenset(_table()["ambiguous_area"]["names"])
