"""Patient data ready for analysis: four tables of the data dictionary, de-identified."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError, near_names
from ipt_outcomes.instruments import Instrument
from ipt_outcomes.io.cohort.mapping import BaselineRule
from ipt_outcomes.io.studies import Source
from ipt_outcomes.privacy import Gate
from ipt_outcomes.results import frame_to_html, plural
from ipt_outcomes.vocabulary import label
from ipt_outcomes.vocabulary.spelling import plain

_SCREENING = frozenset(("screening", "screen", "scr"))
AreaSet = Literal["before", "after", "unknown"]

# Columns of `outcome`, in their order; what else patients and episodes hold follows under its own name.
_LEADING = ("patient_id", "episode_id", "visit", "session_no", "day", "week", "value")
IN_MEMORY = "only in memory"
"""Mark of a field that is never written to disk."""

_SHORT = {"problem_area_primary": "problem_area", "site_id": "site", "therapist_id": "therapist"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Cohort:
    """Patients, their episodes of treatment, the sessions, and every score, as tables of the data dictionary.

    `ipt_outcomes.load_cohort` makes it; no original id is in any of its frames.

    Parameters
    ----------
    patients : pandas.DataFrame
        One row per person: ``patient_id`` and what does not change (``site_id``, ``sex``, ``age`` ...).
    episodes : pandas.DataFrame
        One row per treatment: ``episode_id``, ``patient_id``, ``arm``, ``problem_area_primary`` ... Arms and
        areas are categoricals: comparators first, IPT last; grief first.
    sessions : pandas.DataFrame
        One row per session: ``episode_id``, ``patient_id``, ``session_no``, ``day``, ``phase``, ``attended`` ...
    assessments : pandas.DataFrame
        Long: ``episode_id``, ``patient_id``, ``instrument``, ``item`` (0 is the total), ``visit``,
        ``session_no``, ``day``, ``week``, ``value``, ``value_status``. One row per person, instrument and
        visit; a visit that took place without a score has a missing value.
    gate : Gate
        What the load gate refused, changed, left out, or warned of.
    flow : pandas.DataFrame
        Who is in, who is not and why: ``step reason people rows``.
    source : Source
        The file or frame.
    area_set : {"before", "after", "unknown"}
        Whether every arm's problem area was set before randomisation (by ``area_set_day``, or declared).
    baseline_rule : {"last_before_start", "screening", "first"}
        Which score is the baseline; see `baselines`.
    goals : pandas.DataFrame
        One row per goal of an episode, where a folder has them: ``episode_id goal set_day due_day met met_day``.
    arms : pandas.DataFrame
        One row per arm of a study, where a folder has them.
    notes : tuple of str
        How the source was read.
    simulated : bool
    own_facts : mapping of str to mapping
        Facts of instruments that the user set, each with its source, as ``[instruments]`` of the mapping has them;
        see `instrument`.
    first_rows : mapping of str to int
        Of each episode, by its key: the first row of the file that is about it, so that who holds the file finds a
        person again. Only in memory: it is in no frame, in nothing printed and in no saved folder.
    """

    patients: pd.DataFrame
    episodes: pd.DataFrame
    sessions: pd.DataFrame
    assessments: pd.DataFrame
    gate: Gate
    flow: pd.DataFrame
    source: Source
    area_set: AreaSet = "unknown"
    baseline_rule: BaselineRule = "last_before_start"
    goals: pd.DataFrame = field(default_factory=pd.DataFrame)
    arms: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()
    simulated: bool = False
    own_facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    first_rows: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False, metadata={IN_MEMORY: True})

    def instrument(self, name: str) -> Instrument:
        """Return an instrument with the facts that the user set for these data, marked as such.

        Parameters
        ----------
        name : str
            Name or alias in the registry.

        Returns
        -------
        Instrument

        Raises
        ------
        OptionError
            No instrument has that name.

        Examples
        --------
        >>> from ipt_outcomes.io import load_cohort
        >>> table = pd.DataFrame({"patient_id": ["a"], "week": [0], "phq9": [9]})
        >>> own = {"phq9": {"cutoff": 12, "source": "our validation study"}}
        >>> load_cohort(table, {"instruments": own}).instrument("phq9").rule("caseness_min")
        'PHQ-9: a total of 12 or more (set by the user: our validation study)'
        """
        from ipt_outcomes.instruments import instrument, instruments_with

        known = instrument(name)
        return instruments_with(self.own_facts).get(known.name, known)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Instruments with a total score, as the registry names them, sorted."""
        totals = self.assessments.loc[self.assessments["item"].eq(0), "instrument"]
        return tuple(sorted(totals.astype(str).unique()))

    def outcome(self, instrument: str, *, include_baseline: bool = False) -> pd.DataFrame:
        """Return the scores of one instrument as a long frame, ready for a model.

        Parameters
        ----------
        instrument : str
            Name or alias in the registry: ``"phq9"``, ``"hamd17"``.
        include_baseline : bool
            Whether visits at or before week 0 (and the baseline, where it came later) are rows, too. By default
            they are not, since the baseline is a column (a covariate must not be an outcome at the same time).

        Returns
        -------
        pandas.DataFrame
            One row per person and visit, in order of person and time: ``patient_id``, ``episode_id``,
            ``visit``, ``session_no``, ``day``, ``week``, ``value``, the same score under the instrument's
            name, ``baseline`` (by the cohort's rule), ``arm``, ``problem_area``, ``site``,
            ``therapist`` and what else is known of the person and the episode. ``value`` is missing where a
            visit has no score.

        Raises
        ------
        OptionError
            The cohort has no scores of this instrument; the message lists those there are.
        """
        from ipt_outcomes.instruments import instrument_name

        name = instrument_name(instrument) or instrument
        if name not in self.instruments:
            near = near_names(name, self.instruments)
            raise OptionError(
                f"the cohort has no scores of {instrument!r}; it has {', '.join(self.instruments) or 'none'}",
                hint=f"Near: {', '.join(near)}." if near else None,
            )
        mine = self.assessments[self.assessments["instrument"].eq(name) & self.assessments["item"].eq(0)]
        long = mine.drop(columns=["instrument", "item", "assessment_id", "risk"], errors="ignore")
        place = pd.Index(self.episodes["episode_id"]).get_indexer(long["episode_id"])
        # In the order of the tables: a random key decides no order.
        long = long.reset_index(drop=True).assign(place=place)
        long = long.sort_values(["place", "week", "session_no"], kind="stable", ignore_index=True)
        early = baselines(mine, self.baseline_rule).set_index("episode_id").reindex(self.episodes["episode_id"])
        people = self._people().drop(columns=["episode_id", "patient_id"])
        people = people.assign(baseline=early["baseline"].to_numpy(), _from=early["week"].to_numpy())
        people = people.take(long.pop("place").to_numpy()).reset_index(drop=True)
        for column in [column for column in long if column in _SHORT]:
            # People may change therapist or site: the score's own counts.
            people[_SHORT[column]] = long.pop(column).fillna(people[_SHORT[column]])
        long = pd.concat([long, people], axis=1)
        begin = long.pop("_from").clip(lower=0).fillna(0.0)
        if not include_baseline:
            long = long[~(long["week"] <= begin)].reset_index(drop=True)
        long[name] = long["value"]
        rest = ["baseline", *(column for column in long.columns if column not in (*_LEADING, name, "baseline"))]
        return long[[*_LEADING, name, *rest]]

    def where(self, conditions: Mapping[str, Any] | None = None, /, **columns: Any) -> Cohort:
        """Keep the people (their episodes) in whom columns have certain values.

        Parameters
        ----------
        conditions : mapping of str to value or list of values, optional
            For column names that are no Python names.
        **columns : value or list of values
            Column of patients or episodes; short names (``site``, ``problem_area``) and other names of codes
            ("TAU") are understood; case and blanks around do not matter.

        Returns
        -------
        Cohort
            With a line in ``.flow`` and a note.

        Raises
        ------
        OptionError
            No such column (near names are given), a value nobody has (the levels are listed), or nobody is left.

        Examples
        --------
        >>> from ipt_outcomes.io import load_cohort
        >>> table = pd.DataFrame({"patient_id": ["a", "b"], "site": ["N", "S"], "week": [0, 0], "phq9": [9, 12]})
        >>> len(load_cohort(table).where(site="N").patients)
        1
        """
        from ipt_outcomes.io.cohort.kept import keep_where

        return keep_where(self, {**dict(conditions or {}), **columns})

    def save(
        self, folder: str | os.PathLike[str], *, rows_for: Literal["own_team", "data_agreement"] | None = None
    ) -> Path:
        """Save the cohort as a folder of Parquet tables, to be loaded again exactly as it is.

        Parameters
        ----------
        folder, rows_for
            As in `ipt_outcomes.io.exchange.save_cohort`.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        DataError
            People stand out, and nobody was named who may have their rows (L9).
        OptionError
            The folder exists.
        """
        from ipt_outcomes.io.exchange import save_cohort

        return save_cohort(self, folder, rows_for=rows_for)

    def to_frame(self) -> pd.DataFrame:
        """Return what the cohort holds, in counts and in words: ``what number``."""
        totals = self.assessments[self.assessments["item"].eq(0) & self.assessments["value"].notna()]
        lines: list[tuple[str, int]] = [("people", len(self.patients)), ("episodes", len(self.episodes))]
        if len(self.sessions):
            lines.append(("sessions", len(self.sessions)))
        for name, words in (("arm", "arm"), ("problem_area_primary", "problem area")):
            if name in self.episodes:
                counts = self.episodes[name].value_counts(sort=False)
                lines += [(f"episodes, {words} {label(str(level))}", int(count)) for level, count in counts.items()]
                unknown = int(self.episodes[name].isna().sum())
                lines += [(f"episodes, {words} not known", unknown)] if unknown else []
        for name in self.instruments:
            lines.append((f"scores, {self.instrument(name).short}", int(totals["instrument"].eq(name).sum())))
        return pd.DataFrame(lines, columns=["what", "number"])

    def summary(self, digits: int = 2) -> str:
        """Return what the cohort holds in plain text: counts only."""
        rows = [f"{what}: {number}" for what, number in self.to_frame().itertuples(index=False)]
        if "problem_area_primary" in self.episodes:
            told = {"before": "before randomisation, in every arm", "after": "after the start"}
            rows.append(f"problem areas set: {told.get(self.area_set, 'when is not known')}")
        return "\n".join([repr(self), *rows, self.gate.summary()])

    def __repr__(self) -> str:
        made = "simulated " if self.simulated else ""
        people = f"{len(self.patients)} {made}{plural(len(self.patients), 'person', 'people')}"
        names = ", ".join(self.instrument(name).short for name in self.instruments) or "no scores"
        return f"Cohort of {people} from {self.source.name}: {names}"

    def _repr_html_(self) -> str:
        return frame_to_html(self.to_frame(), caption=repr(self))

    def _people(self) -> pd.DataFrame:
        """What is known of person and episode, one row per episode; the episode's site counts before the person's."""
        patients = self.patients.drop(columns=[c for c in self.patients if c in self.episodes and c != "patient_id"])
        people = self.episodes.merge(patients, on="patient_id", how="left", validate="many_to_one")
        return people.rename(columns=_SHORT)


def baselines(scores: pd.DataFrame, rule: BaselineRule = "last_before_start") -> pd.DataFrame:
    """Return each episode's baseline.

    Parameters
    ----------
    scores : pandas.DataFrame
        ``episode_id``, ``week``, ``value``, ``visit`` of one instrument.
    rule : {"last_before_start", "screening", "first"}
        The last score at or before week 0; the (last) score at the visit named screening; the first score of all.

    Returns
    -------
    pandas.DataFrame
        ``episode_id baseline week``; episodes without such a score are not in it.
    """
    known = scores[scores["value"].notna() & eligible(scores, rule)]
    order = ["episode_id", "week", *(["session_no"] if "session_no" in known else [])]
    last = known.sort_values(order, kind="stable", na_position="last" if rule == "first" else "first")
    last = last.drop_duplicates("episode_id", keep="first" if rule == "first" else "last")
    return last[["episode_id", "value", "week"]].rename(columns={"value": "baseline"}).astype({"baseline": np.float64})


def eligible(scores: pd.DataFrame, rule: BaselineRule) -> pd.Series:
    """Return which scores may be a baseline by a rule."""
    if rule == "first":
        return pd.Series(True, index=scores.index)
    if rule == "screening":
        return is_screening(scores["visit"])
    return scores["week"] <= 0


def is_screening(visits: pd.Series) -> pd.Series:
    """Return which visits are named screening."""
    return visits.astype(object).map(lambda name: plain(str(name)) in _SCREENING, na_action="ignore").eq(True)
