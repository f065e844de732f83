"""What makes people stand out: high ages, ZIP codes, rare combinations (rules L6, L7, L9)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ipt_outcomes.results import plural

HIGHEST_AGE = 90.0
SMALLEST_GROUP = 5
QUASI_IDENTIFIERS = (
    "sex", "age", "age_band", "site_id", "ethnicity_group", "education", "employment", "imd_decile", "zip3",
    "start_year",
)  # fmt: skip
"""Columns of people that may make somebody stand out together with others (rule L9)."""

# Three-digit ZIP areas with 20,000 people or fewer (2000 census, HHS guidance on 45 CFR 164.514(b)(2)(i)(B)).
_SMALL = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"
SMALL_ZIP_AREAS = frozenset(_SMALL.split())
_ZIP = re.compile(r"\s*(\d{3})(?:\d{2}(?:-?\d{4})?)?\s*")


@dataclass(frozen=True, slots=True)
class Anonymity:
    """How many people share what is known of them.

    Parameters
    ----------
    rows : int
    k : int
        Size of the smallest group of people with the same quasi-identifiers.
    unique_rows : int
        People alone in their group.
    sizes : pandas.Series of int
        Size of each group.
    l : int or None
        Fewest different sensitive values in a group, where a sensitive column was given.
    """

    rows: int
    k: int
    unique_rows: int
    sizes: pd.Series
    l: int | None = None  # noqa: E741  the name of the field


@dataclass(frozen=True, slots=True)
class SmallGroups:
    """People who share their quasi-identifiers with few others.

    Parameters
    ----------
    columns : tuple of str
        The quasi-identifiers; ages in bands of ten years.
    k : int
        Size of the smallest group.
    people : int
        People in groups smaller than `SMALLEST_GROUP`.
    unique : int
        People alone in their group.
    without : dict of str to int
        Column to the people in small groups if it were left out.
    """

    columns: tuple[str, ...]
    k: int
    people: int
    unique: int
    without: dict[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """How many people stand out by which columns, in words."""
        share = plural(self.people, "person shares", "people share")
        return (
            f"{self.people} {share} {', '.join(self.columns)} with fewer than {SMALLEST_GROUP - 1} others, "
            f"{self.unique} with nobody (k = {self.k})"
        )


def anonymity(people: pd.DataFrame, columns: Sequence[str], *, sensitive: str | None = None) -> Anonymity:
    """Measure k-anonymity, and l-diversity if a sensitive column is named.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per person; missing is a level of its own.
    columns : sequence of str
        Quasi-identifiers, as they stand (bands are made before).
    sensitive : str, optional
        Column whose different values in each group are counted.

    Returns
    -------
    Anonymity

    References
    ----------
    Sweeney (2002), Int J Uncertain Fuzz 10(5):557-570, doi:10.1142/S0218488502001648; Machanavajjhala et al. (2007),
    ACM Trans Knowl Discov Data 1(1):3, doi:10.1145/1217299.1217302.

    Examples
    --------
    >>> table = pd.DataFrame({"sex": ["f", "f", "m"], "area": ["grief", "dispute", "grief"]})
    >>> found = anonymity(table, ["sex"], sensitive="area")
    >>> found.k, found.unique_rows, found.l
    (1, 1, 1)
    """
    groups = people.groupby(list(columns), dropna=False, observed=True)
    sizes = groups.size()
    fewest = None if sensitive is None else int(groups[sensitive].nunique(dropna=False).min())
    return Anonymity(len(people), int(sizes.min()), int((sizes == 1).sum()), sizes, fewest)


def top_ages(ages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put all ages of 90 and more into one group.

    Parameters
    ----------
    ages : numpy.ndarray of float, shape (n,)
        In years.

    Returns
    -------
    ages, is_top : numpy.ndarray, shape (n,)
        Ages of 90 and more are 90, and flagged.
    """
    is_top = ages >= HIGHEST_AGE
    return np.where(is_top, HIGHEST_AGE, ages), is_top


def top_age_band(band: str) -> str:
    """Return an age band, or ``"90+"`` where it begins at 90 or above.

    Examples
    --------
    >>> top_age_band("85-89"), top_age_band("95 and over")
    ('85-89', '90+')
    """
    number = re.search(r"\d+", band)
    return "90+" if number is not None and int(number.group()) >= HIGHEST_AGE else band


def zip3(code: str) -> str | None:
    """Return the first three digits of a US ZIP code; ``"000"`` for small areas, None for what is no ZIP code.

    Examples
    --------
    >>> zip3("10025-1234"), zip3("03601"), zip3("SW1A 1AA")
    ('100', '000', None)
    """
    match = _ZIP.fullmatch(code)
    if match is None:
        return None
    return "000" if match.group(1) in SMALL_ZIP_AREAS else match.group(1)


def in_bands(people: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with ages in bands of ten years, each named by its tens."""
    return people.assign(age=people["age"] // 10) if "age" in people else people


def small_groups(people: pd.DataFrame, columns: tuple[str, ...]) -> SmallGroups | None:
    """Count how many people share their quasi-identifiers with fewer than four others.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per person.
    columns : tuple of str
        Quasi-identifiers; those not in the frame are left out. Missing is a level of its own.

    Returns
    -------
    SmallGroups or None
        None without people or quasi-identifiers.
    """
    known = tuple(column for column in columns if column in people and people[column].notna().any())
    if not known or not len(people):
        return None
    levels = in_bands(people[list(known)])
    found = anonymity(levels, known)
    without = {
        column: _in_small_groups(levels, [other for other in known if other != column])
        for column in known
        if len(known) > 1
    }
    return SmallGroups(
        columns=known,
        k=found.k,
        people=int(found.sizes[found.sizes < SMALLEST_GROUP].sum()),
        unique=found.unique_rows,
        without=without,
    )


def _in_small_groups(people: pd.DataFrame, columns: list[str]) -> int:
    sizes = anonymity(people, columns).sizes
    return int(sizes[sizes < SMALLEST_GROUP].sum())
