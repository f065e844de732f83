"""The published pooled estimates of IPT, as printed, with the papers they come from."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import pandas as pd

from ipt_outcomes.errors import require_choice
from ipt_outcomes.meta.inputs import Tau2Method, Test
from ipt_outcomes.resources import shipped

Scale = Literal["g", "OR", "RR", "RD", "MD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a study table is pooled beside a published estimate.

    Parameters
    ----------
    treatment : str
        In arm 1; positive favours it.
    against : tuple of str
        In arm 2.
    populations : tuple of str
        Words of which the population of a row holds one, where the table tells it; empty: any.
    instruments : tuple of str
        For mean differences: the instrument, by the beginning of its name.
    outcomes : tuple of str
        For events: kinds of outcome.
    until : int or None
        Last year of publication.
    tau2, test : str
        As in `ipt_outcomes.meta.pool`.
    sign : {1, -1}
        What turns our sign into the printed one.
    """

    treatment: str
    against: tuple[str, ...]
    populations: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    until: int | None = None
    tau2: Tau2Method = "REML"
    test: Test = "z"
    sign: Literal[1, -1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEstimate:
    """One pooled estimate as a paper prints it.

    Parameters
    ----------
    id, paper, comparison, subgroup, measure, direction, seen_in : str
        As printed; `seen_in` is the part of the paper that was read.
    scale : {"g", "OR", "RR", "RD", "MD"}
    year : int or None
    estimate, ci_low, ci_high : float or None
    interval : str
        "CI", or "CrI" of a Bayesian analysis.
    k, n : int or None
    i2, nnt : float or None
    p : str
    trials : tuple of str
        The trials it pools, where the part read tells them.
    why_not : str
        Why nothing can be computed beside it; empty where there is a rule.
    rule : Rule or None
    """

    id: str
    paper: str
    comparison: str
    measure: str
    scale: Scale
    estimate: float
    seen_in: str
    year: int | None = None
    subgroup: str = ""
    ci_low: float | None = None
    ci_high: float | None = None
    interval: str = "CI"
    k: int | None = None
    n: int | None = None
    i2: float | None = None
    nnt: float | None = None
    p: str = ""
    direction: str = ""
    trials: tuple[str, ...] = ()
    why_not: str = ""
    rule: Rule | None = field(default=None)

    @property
    def decimals(self) -> int:
        """Decimals the estimate is printed with (two at least)."""
        return max(2, len(repr(self.estimate).partition(".")[2]))


@functools.cache
def published_estimates() -> Mapping[str, PublishedEstimate]:
    """Return the published estimates that ship with the package, by their id.

    Returns
    -------
    mapping of str to PublishedEstimate

    Examples
    --------
    >>> one = published_estimates()["c2011-ctr"]
    >>> one.estimate, one.k, one.nnt
    (0.63, 16, 2.91)
    """
    text = shipped("data_schemas", "published_estimates.toml").read_text(encoding="utf-8")
    found = [_estimate(entry) for entry in tomllib.loads(text)["estimate"]]
    return {one.id: one for one in found}


def published() -> pd.DataFrame:
    """Return the published estimates as a frame, one row each, in the order of the file.

    Returns
    -------
    pandas.DataFrame
        The fields of `PublishedEstimate` but its rule.
    """
    names = [entry.name for entry in fields(PublishedEstimate) if entry.name != "rule"]
    records = [{name: getattr(one, name) for name in names} for one in published_estimates().values()]
    return pd.DataFrame(records, columns=names)


def _estimate(entry: Mapping[str, Any]) -> PublishedEstimate:
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    rule: Mapping[str, Any] = given.pop("rule", {})
    require_choice("scale", given["scale"], ("g", "OR", "RR", "RD", "MD"))
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in rule.items()}
    return PublishedEstimate(**given, rule=Rule(**read) if read else None)
