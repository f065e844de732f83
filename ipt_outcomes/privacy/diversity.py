"""How much whoever recognises a group learns of it: l-diversity and t-closeness of sensitive columns (rule L9).

Information, never a permission: what l and t are enough is for people to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.privacy.quasi import in_bands
from ipt_outcomes.results import format_number, plural

SENSITIVE = (
    "problem_area_primary", "problem_area_secondary", "diagnosis_code", "indication", "caution_mania",
    "caution_psychosis", "caution_substance_dependence", "risk",
)  # fmt: skip
"""Columns whose values somebody who is recognised would not want to be known."""

RISK = "risk"
MEANING = (
    "l is the number of different values in the group that has fewest: with l = 1, whoever recognises that group knows "
    "the value of everybody in it. t is the largest distance between the shares of the values in a group and in all: "
    "0 says that a group tells nothing more than all do, 1 that it has nothing in common with them. Neither says that "
    "nobody can be recognised."
)
"""What the two numbers say, in one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """What the groups of people with the same quasi-identifiers tell of a sensitive column.

    Parameters
    ----------
    column : str
        The sensitive column.
    among : tuple of str
        The quasi-identifiers that make the groups; ages in bands of ten years.
    l : int
        Fewest different values in a group; not known is a value.
    t : float
        Largest distance between the shares of the values in a group and in all, from 0 to 1.
    exposed : int
        People in groups in which all have one value.

    Notes
    -----
    ``l`` is distinct l-diversity. With the shares p of a group and q of all, the distance is half the sum of
    ``|p - q|`` over the values: the earth mover's distance where all values are equally far from one another.

    References
    ----------
    Machanavajjhala et al. (2007), ACM Trans Knowl Discov Data 1(1):3, doi:10.1145/1217299.1217302; Li, Li and
    Venkatasubramanian (2007), ICDE 2007:106-115, doi:10.1109/ICDE.2007.367856.
    """

    column: str
    among: tuple[str, ...]
    l: int  # noqa: E741  the name of the measure
    t: float
    exposed: int

    @property
    def sentence(self) -> str:
        """The two numbers in words; counts only."""
        people = f"{self.exposed} {plural(self.exposed, 'person is', 'people are')}"
        told = (
            f"{people} in groups in which all have the same value"
            if self.exposed
            else "in no group do all have the same value"
        )
        return (
            f"{self.column} in groups alike in {', '.join(self.among)}: l = {self.l}, t = {format_number(self.t)}; "
            f"{told}"
        )


def diversity(rows: pd.DataFrame, among: Sequence[str], column: str, *, person: str = "patient_id") -> Diversity:
    """Measure l-diversity and t-closeness of one column.

    Parameters
    ----------
    rows : pandas.DataFrame, shape (n, p)
        One row per person, or per episode of a person.
    among : sequence of str
        Quasi-identifiers, as they stand; missing is a level of its own.
    column : str
        The sensitive column; missing is a value of its own.
    person : str
        Column that names the person, to count people.

    Returns
    -------
    Diversity

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": list("abcd"), "sex": list("ffmm"), "area": list("xyzz")})
    >>> found = diversity(table, ["sex"], "area")
    >>> found.l, found.t, found.exposed
    (1, 0.5, 2)
    """
    group = rows.groupby(list(among), dropna=False, observed=True, sort=False).ngroup().to_numpy()
    value = pd.factorize(rows[column], use_na_sentinel=False)[0]
    n_values = int(value.max(initial=-1)) + 1
    pairs, counts = np.unique(group * n_values + value, return_counts=True)
    of_group, of_value = np.divmod(pairs, n_values)
    sizes = np.bincount(of_group, weights=counts)
    different = np.bincount(of_group)
    overall = np.bincount(value, minlength=n_values) / len(value)
    shares = overall[of_value]
    # Values that a group does not have count with their share of all: 1 less those it has.
    apart = np.abs(counts / sizes[of_group] - shares) - shares
    distance = (1.0 + np.bincount(of_group, weights=apart)) / 2.0
    exposed = rows[person].to_numpy()[(different == 1)[group]]
    return Diversity(
        column=column,
        among=tuple(among),
        l=int(different.min()),
        t=float(np.clip(distance.max(), 0.0, 1.0)),
        exposed=len(pd.unique(exposed)),
    )


def diversities(
    patients: pd.DataFrame, episodes: pd.DataFrame, assessments: pd.DataFrame, among: Sequence[str]
) -> tuple[Diversity, ...]:
    """Measure every sensitive column of a cohort.

    Parameters
    ----------
    patients, episodes, assessments : pandas.DataFrame
        Tables of the data dictionary. An episode has a risk flag where any of its scores has.
    among : sequence of str
        Quasi-identifiers; those not in a table, or without any value, are left out.

    Returns
    -------
    tuple of Diversity
        Empty without quasi-identifiers or sensitive columns.
    """
    own = episodes.drop(columns=[name for name in patients if name in episodes and name != "patient_id"])
    rows = own.merge(patients, on="patient_id", how="left")
    if RISK in assessments and assessments[RISK].notna().any():
        flagged = assessments.loc[assessments[RISK].eq(True).fillna(False).to_numpy(dtype=bool), "episode_id"]
        rows[RISK] = rows["episode_id"].isin(flagged).to_numpy()
    known = [name for name in among if name in rows and rows[name].notna().any()]
    told = [name for name in SENSITIVE if name in rows and rows[name].notna().any() and name not in known]
    if not known or not told or not len(rows):
        return ()
    rows = in_bands(rows[["patient_id", *known, *told]])
    return tuple(diversity(rows, known, name) for name in told)
