"""A cohort as a trial: who was randomised, their baseline, and their scores by visit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from ipt_outcomes.errors import DataError, DesignError
from ipt_outcomes.instruments import Instrument, instrument, instrument_name
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.trial.arms import comparisons_of
from ipt_outcomes.trial.strata import Strata, strata_of
from ipt_outcomes.trial.visits import Schedule, Visit, schedule

_SHORT = {"problem_area_primary": "problem_area", "site_id": "site", "therapist_id": "therapist"}
NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialData:
    """One outcome of a trial, ready to be counted and modelled.

    Parameters
    ----------
    outcome : str
        Name of the instrument in the registry.
    people : pandas.DataFrame
        One row per person randomised: ``patient_id arm baseline`` and what else is known.
    scores : pandas.DataFrame
        One row per person and visit after baseline that took place: ``patient_id arm baseline visit week value``
        and what else is known; ``visit`` is the key of a `Visit`, missing for a row outside the plan.
    plan : Schedule
    arms : tuple of str
        Arms with people, comparators first.
    without_arm : int
        People whose arm is not known; they are in no other count.
    strata : Strata or None
        Strata of the randomisation, which stand in every model.
    notes : tuple of str
        What a reader must know of visits and strata.
    known : Instrument or None
        The outcome's instrument, where the mapping of the data sets facts of it.
    """

    outcome: str
    people: pd.DataFrame
    scores: pd.DataFrame
    plan: Schedule
    arms: tuple[str, ...]
    without_arm: int
    strata: Strata | None = None
    notes: tuple[str, ...] = ()
    known: Instrument | None = None

    @property
    def instrument(self) -> Instrument:
        """The outcome's instrument, with the facts that the mapping of the data sets."""
        return self.known or instrument(self.outcome)

    @property
    def end(self) -> Visit:
        """The end point."""
        return self.plan.end

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visits after baseline, in order of time."""
        return self.plan.visits

    def until(self, end: Visit) -> TrialData:
        """Return the same without the rows of visits after `end`; rows outside the plan go by their week."""
        later = {visit.key for visit in self.visits[self.visits.index(end) + 1 :]}
        beyond = self.scores["visit"].isna() & (self.scores["week"] > end.week + 0.5)
        kept = self.scores[~self.scores["visit"].isin(later) & ~beyond]
        visits = self.visits[: self.visits.index(end) + 1]
        return replace(self, scores=kept.reset_index(drop=True), plan=replace(self.plan, visits=visits))

    def at(self, visit: Visit) -> pd.Series:
        """Return each person's score at a visit, one per row of `people`; missing where it was not observed."""
        mine = self.scores[self.scores["visit"].eq(visit.key)]
        return self.people["patient_id"].map(mine.set_index("patient_id")["value"]).astype(float)

    def covariates(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
        """Return rows with the covariates of every model: the baseline, and the strata of the randomisation.

        Parameters
        ----------
        frame : pandas.DataFrame
            ``patient_id baseline value``.

        Returns
        -------
        frame : pandas.DataFrame
            With ``stratum``, where there are strata.
        names : tuple of str
            Those that differ between the people who have all values.
        notes : tuple of str
            Which one does not, and so is none.
        """
        used = frame[frame["value"].notna() & frame["baseline"].notna()]
        names: list[str] = []
        notes: list[str] = []
        if used["baseline"].nunique() > 1:
            names.append("baseline")
        else:
            notes.append("The baseline is the same for everybody in the model, so it is no covariate of it.")
        if self.strata is not None:
            frame = frame.assign(stratum=self.strata.of(frame["patient_id"]))
            if frame.loc[used.index, "stratum"].nunique() > 1:
                names.append("stratum")
        return frame, tuple(names), tuple(notes)


def trial_data(
    cohort: Cohort,
    outcome: str,
    *,
    at: float | str | None = None,
    window: float | None = None,
    strata: str | None = None,
) -> TrialData:
    """Take one outcome of a trial out of a cohort.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        Name or alias of an instrument.
    at, window, strata
        As in `ipt_outcomes.trial.analyse`.

    Returns
    -------
    TrialData

    Raises
    ------
    DesignError
        The data name no arms, one arm, or none with IPT; nobody has a baseline, or a score after it.
    DataError
        A person has more than one episode, so that it is not known which one was randomised.
    OptionError
        The cohort has no scores of that instrument, `at` names no visit, `strata` no column.
    """
    everything = cohort.outcome(outcome, include_baseline=True)
    name = instrument_name(outcome) or outcome
    people = _people(cohort)
    without_arm = int(people["arm"].isna().sum())
    people = people[people["arm"].notna()].reset_index(drop=True)
    arms = tuple(_categories(people["arm"]))
    comparisons_of(arms)
    people["arm"] = pd.Categorical(people["arm"].astype(str), categories=list(arms), ordered=False)
    first = everything.drop_duplicates("episode_id").set_index("episode_id")["baseline"]
    people["baseline"] = people["episode_id"].map(first).astype(float)
    scores, planned = _scores(cohort, name, people)
    plan = schedule(scores, planned, at=at, window=window)
    scores["visit"] = plan.of_row
    # A visit of the plan without a day of its own took place in its planned week.
    own_week = scores["visit"].map({visit.key: visit.week for visit in plan.visits})
    scores["week"] = scores["week"].astype(float).fillna(own_week.astype(float))
    usable = set(scores.loc[scores["value"].notna() & scores["baseline"].notna(), "patient_id"])
    found, told = strata_of(people, people["patient_id"].isin(usable), strata)
    return TrialData(
        outcome=name,
        people=people,
        scores=scores,
        plan=plan,
        arms=arms,
        without_arm=without_arm,
        strata=found,
        notes=(*plan.notes, *told),
        known=cohort.instrument(name),
    )


def _people(cohort: Cohort) -> pd.DataFrame:
    episodes = cohort.episodes
    if "arm" not in episodes or not episodes["arm"].notna().any():
        comparisons_of(())
    several = int(episodes["patient_id"].duplicated().sum())
    if several:
        raise DataError(
            f"expected one episode per person in a trial; {several} episodes are further ones of the same person",
            column="episode_id",
            hint="Leave out the episodes that were not randomised ([exclude] in the mapping).",
        )
    if "randomised" in episodes and (not_so := int(episodes["randomised"].eq("no").sum())):
        raise DesignError(
            f"the data say that {not_so} of {len(episodes)} people were not randomised: what compares arms here holds "
            "for randomised arms only",
            column="randomised",
            hint="Keep those who were (--where randomised=yes), or set the others aside ([exclude.randomised]).",
        )
    known = [column for column in cohort.patients if column not in episodes or column == "patient_id"]
    people = episodes.merge(cohort.patients[known], on="patient_id", how="left", validate="many_to_one")
    return people.rename(columns=_SHORT)


def _categories(arm: pd.Series) -> list[str]:
    """Arms that occur, in the order of the vocabulary that the categorical holds."""
    present = set(arm.astype(str))
    if isinstance(arm.dtype, pd.CategoricalDtype):
        return [str(value) for value in arm.cat.categories if str(value) in present]
    return sorted(present)


def _scores(cohort: Cohort, name: str, people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of visits that took place, and rows of visits that were planned and did not."""
    long = cohort.outcome(name)
    long = long[long["patient_id"].isin(people["patient_id"])].reset_index(drop=True)
    planned = long.iloc[:0]
    if "value_status" in long:
        # A wide file has a cell for every visit: an empty one does not say that the visit took place.
        not_done = long["value"].isna() & long["value_status"].eq(NOT_DONE)
        long, planned = long[~not_done].reset_index(drop=True), long[not_done]
    keep = ["patient_id", "visit", "session_no", "week", "value"]
    scores = long[keep].merge(people, on="patient_id", how="left", validate="many_to_one")
    if not people["baseline"].notna().any():
        raise DesignError(
            f"expected a baseline of {name}: a score at or before week 0; found none",
            column=name,
            hint="Name the visit at week 0 under [visits], or the column that holds the baseline under [baseline].",
        )
    if not scores["value"].notna().any():
        raise DesignError(
            f"expected scores of {name} after baseline; found none",
            column=name,
            hint="Check the weeks: a visit at or before week 0 is the baseline.",
        )
    return scores, planned
