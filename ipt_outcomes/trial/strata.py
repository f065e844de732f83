"""Strata of the randomisation as a covariate: which people stand together, and what was done with small strata."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.levels import levels_of

STRATUM = "stratum"
NOT_KNOWN = "not known"
SMALL = "small strata"
# People a stratum needs to be told apart.
_FEWEST = 5
# A site each, at most; more strata than these are numbers of something else.
_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """The strata that stand in every model.

    Parameters
    ----------
    column : str
        Column of the people.
    levels : tuple of str
        As in the models; the first is the reference.
    of_person : dict of str to str
        Stratum of each person, by key; everybody has one.
    notes : tuple of str
        What was done with small strata and with people whose stratum is not known.
    """

    column: str
    levels: tuple[str, ...]
    of_person: dict[str, str]
    notes: tuple[str, ...]

    def of(self, people: pd.Series) -> pd.Series:
        """Return the stratum of each person of a column of keys, categorical."""
        texts = people.astype(object).map(self.of_person)
        return pd.Series(pd.Categorical(texts, categories=list(self.levels)), index=people.index)


def strata_of(people: pd.DataFrame, usable: pd.Series, column: str | None) -> tuple[Strata | None, tuple[str, ...]]:
    """Return the strata of a trial's randomisation.

    Parameters
    ----------
    people : pandas.DataFrame
        ``patient_id arm`` and further columns.
    usable : pandas.Series of bool
        Who has a baseline and a score after it.
    column : str or None
        Column of the strata; `STRATUM`, where there is one, if None; "" for none.

    Returns
    -------
    Strata or None
        None where there are no strata, or they cannot be used.
    notes : tuple of str
        Why they cannot be used; else what was done with small ones.

    Raises
    ------
    OptionError
        There is no such column, or it has no few levels.

    Notes
    -----
    People whose stratum is not known stand together, so that nobody is lost for want of one. Strata with fewer than
    five people in the models are taken together; if they are fewer than five together, the smallest other stratum
    joins them.
    """
    if column is None:
        column = STRATUM if STRATUM in people and people[STRATUM].notna().any() else ""
    if not column:
        told = STRATUM in people and people[STRATUM].notna().any()
        return None, ("The data name strata of the randomisation; on request no model holds them.",) if told else ()
    if column not in people or column in {"patient_id", "episode_id", "arm", "baseline"}:
        columns = ", ".join(str(name) for name in people.columns if name not in {"patient_id", "episode_id", "arm"})
        raise OptionError(f"there is no column {column!r} of strata", column=column, hint=f"The columns are {columns}.")
    known = levels_of(people[column], column, none_set=True, most=_MOST)
    texts = known.astype(object).fillna(NOT_KNOWN)
    notes = []
    if known.isna().any():
        notes.append("People whose stratum is not known are in the models, as a stratum of their own.")
    texts, merged = _merged(texts, texts[usable].value_counts())
    if merged:
        notes.append(
            f"Strata with fewer than {_FEWEST} people in the models are taken together with one another or with the "
            "next smallest one."
        )
    present = set(texts[usable])
    levels = [level for level in [*known.cat.categories.astype(str), SMALL, NOT_KNOWN] if level in present]
    if len(levels) < 2:
        return None, (*notes, f"Only one stratum ({column}) has enough people: no model holds strata.")
    if not _linked(people.loc[usable, "arm"].astype(str), texts[usable]):
        return None, (
            f"No stratum ({column}) links the arms: each arm has strata of its own, so that strata cannot be told from "
            "arms and no model holds them.",
        )
    of_person = dict(zip(people["patient_id"].astype(str), texts.astype(str), strict=True))
    return Strata(column=column, levels=tuple(levels), of_person=of_person, notes=tuple(notes)), tuple(notes)


def _merged(texts: pd.Series, counts: pd.Series) -> tuple[pd.Series, bool]:
    """Small strata taken together, until all are large enough or one is left."""
    few = sorted(str(level) for level, count in counts.items() if count < _FEWEST)
    if not few:
        return texts, False
    together = sum(int(counts[level]) for level in few)
    others = sorted((int(count), str(level)) for level, count in counts.items() if str(level) not in few)
    while together < _FEWEST and others:
        count, level = others.pop(0)
        few.append(level)
        together += count
    return texts.where(~texts.isin(few), SMALL), True


def _linked(arm: pd.Series, stratum: pd.Series) -> bool:
    """Whether one can go from every arm to every other by strata they share: then their differences are told."""
    pairs = set(zip(arm, stratum, strict=True))
    reached = {next(iter(sorted({name for name, _ in pairs})))}
    while True:
        strata = {level for name, level in pairs if name in reached}
        more = {name for name, level in pairs if level in strata}
        if more == reached:
            return reached == {name for name, _ in pairs}
        reached = more


def follows_from(one: pd.Series, other: pd.Series) -> bool:
    """Return whether a column is the same for all who share a level of another: it holds nothing further."""
    both = pd.DataFrame({"one": one.astype(object), "other": other.astype(object)}).dropna()
    return bool((both.groupby("other", observed=True)["one"].nunique() <= 1).all())
