"""The analysis of one trial, from a cohort to results."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.instruments import Better, instrument
from ipt_outcomes.io import Source
from ipt_outcomes.io.cohort import AreaSet, Cohort
from ipt_outcomes.mixed import MixedFit
from ipt_outcomes.privacy import Audience, Gate
from ipt_outcomes.results import Provenance, ResultObject, Results
from ipt_outcomes.trial.areas import AreaChange, change_by_area
from ipt_outcomes.trial.arms import comparisons_of
from ipt_outcomes.trial.baseline import baseline_table
from ipt_outcomes.trial.comparison import Comparison, compare
from ipt_outcomes.trial.data import TrialData, trial_data
from ipt_outcomes.trial.flow import Flow, flow_of
from ipt_outcomes.trial.model import ChangeModel, fit_change
from ipt_outcomes.trial.record import Recorded
from ipt_outcomes.trial.response import Response, response_of
from ipt_outcomes.trial.table_one import TableOne
from ipt_outcomes.trial.trajectory import Trajectory, trajectory_of
from ipt_outcomes.trial.trial_numbers import record_trial
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOUNDARY = (
    "The fit lies on the boundary: a variance of the random effects is estimated as 0, or a correlation as 1 or −1. "
    "Intervals of the fixed effects may be too narrow."
)
"""What has to be known of a singular fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every choice that can change a number, as `analyse` takes them, defaults filled in.

    Parameters
    ----------
    outcome : str
        The instrument, as the registry names it.
    at : str
        Key of the end point's visit.
    by : str
        Column of the people by whose levels change is described, too.
    response : float
        Share of the baseline.
    level : float
    better : {"lower", "higher"}
    """

    outcome: str
    at: str
    by: str
    response: float
    level: float
    better: Better

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnalysis(ResultObject):
    """One trial: who was in it, how each arm changed, and how the arms compare.

    Parameters
    ----------
    options : Options
    end : Visit
        The end point.
    visits : tuple of Visit
        All visits after baseline.
    visits_by : {"visit", "session_no", "week"}
        What told the visits apart.
    arms : tuple of str
        Comparators first.
    flow : Flow
    baseline : TableOne
    model : ChangeModel or str
        The model of change; the reason in words where there is none.
    comparisons : tuple of Comparison
        Each arm that holds IPT against each that does not.
    response : Response
    areas : AreaChange
        Change by problem area (or by the column asked for).
    trajectory : Trajectory
    recorded : Recorded
        Every number as a result row, and what ties the counts together.
    source : Source
    gate : Gate
    cohort_flow : pandas.DataFrame
        Who is in the cohort, who is not and why: ``step reason people rows``.
    area_set : {"before", "after", "unknown"}
    notes : tuple of str
        What a reader must know before using the numbers.
    reading : tuple of str
        How the source was read.
    simulated : bool
    provenance : Provenance
    """

    options: Options
    end: Visit
    visits: tuple[Visit, ...]
    visits_by: str
    arms: tuple[str, ...]
    flow: Flow
    baseline: TableOne
    model: ChangeModel | str
    comparisons: tuple[Comparison, ...]
    response: Response
    areas: AreaChange
    trajectory: Trajectory
    recorded: Recorded
    source: Source
    gate: Gate
    cohort_flow: pd.DataFrame
    area_set: AreaSet
    notes: tuple[str, ...]
    reading: tuple[str, ...]
    simulated: bool
    provenance: Provenance

    @property
    def results(self) -> Results:
        """Every number, nothing hidden."""
        return self.recorded.results

    def protected(self, audience: Audience) -> Results:
        """Return the numbers an audience may see.

        Parameters
        ----------
        audience : {"internal", "board", "public", "publication"}

        Returns
        -------
        Results

        Raises
        ------
        OptionError
            There is no such audience.
        """
        return self.recorded.protected(audience)

    def to_frame(self) -> pd.DataFrame:
        """Return every effect size of every comparison."""
        frames = [frame for item in self.comparisons if not (frame := item.to_frame()).empty]
        columns = ["arm1", "arm2", "source", "standardiser", "g", "se", "ci_low", "ci_high", "p_value", "sd", "df_sd"]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return options and results as JSON values."""
        return {
            "options": self.options.to_dict(),
            "results": [row.to_dict() for row in self.results],
            "provenance": self.provenance.to_dict(),
        }

    def summary(self, digits: int = 2) -> str:
        """Return what was found, in plain text."""
        short = instrument(self.options.outcome).short
        first = f"{short} at {self.end.name}, {len(self.arms)} arms, {self.flow.arms['randomised'].iloc[-1]} randomised"
        lines = [f"{first}{' (simulated data)' if self.simulated else ''}"]
        lines += [item.summary(digits) for item in self.comparisons]
        lines += self.response.summary(digits).splitlines()
        lines += [self.areas.summary(digits), *self.notes]
        return "\n".join(line for line in lines if line)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the trajectories; options as in `ipt_outcomes.figures.trajectory`."""
        from ipt_outcomes.figures import trajectory

        names = {arm: label(arm) for arm in self.arms}
        return trajectory(
            self.trajectory.means,
            self.trajectory.observed,
            names=names,
            better=self.options.better,
            level=self.options.level,
            ylabel=f"{instrument(self.options.outcome).short} total",
            ax=ax,
            **options,
        )


def analyse(
    cohort: Cohort,
    outcome: str | None = None,
    *,
    at: float | str | None = None,
    by: str = "problem_area",
    level: float = 0.95,
    response: float = 0.5,
    better: Better | None = None,
) -> TrialAnalysis:
    """Analyse one trial: flow, baseline, mixed model of change, g and response of IPT, change by problem area.

    Parameters
    ----------
    cohort : Cohort
        With arms; one episode per person.
    outcome : str, optional
        Name or alias of an instrument; the one with most scores if None (among those with a baseline).
    at : float or str, optional
        The end point: a week, or the name of a visit; the last visit if None. Later visits are counted in the flow
        and used in no estimate.
    by : str
        Column by whose levels change is described, too.
    level : float
        Confidence level.
    response : float
        Share of the baseline by which a score has to fall (rise) to count as response, inclusive.
    better : {"lower", "higher"}, optional
        Which end of the scale is the good one; the registry's if None.

    Returns
    -------
    TrialAnalysis

    Raises
    ------
    DesignError
        No arms, one arm, none with IPT or nothing to compare it with; nobody has a baseline, or a score after it.
    DataError
        A person has more than one episode.
    OptionError
        An option is not one of its choices; the message lists them.

    Notes
    -----
    Change is modelled by ``value ~ week*arm + baseline + (week | patient_id)``, REML with Satterthwaite's degrees of
    freedom, on all visits up to the end point; with two visits without random slopes, with one by analysis of
    covariance. The difference at the end point over the pooled SD of the scores observed there, times Hedges' exact
    correction, is g, positive when it favours IPT. Scores that are missing are taken as missing at random given the
    baseline and the scores observed; nothing is imputed.

    References
    ----------
    Laird, Ware (1982), Biometrics 38(4):963-974, doi:10.2307/2529876.
    Satterthwaite (1946), Biometrics Bull 2(6):110-114, doi:10.2307/3002019.
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107.
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise OptionError(f"level must lie between 0 and 1, for example 0.95; got {level!r}")
    data = trial_data(cohort, outcome or _most_scores(cohort))
    direction = _direction(data, better)
    end = data.plan.find(at)
    until = data.until(end)
    pairs = comparisons_of(data.arms)
    model = fit_change(until, end, level=level)
    options = Options(
        outcome=data.outcome, at=end.key, by=by, response=float(response), level=float(level), better=direction
    )
    responses = response_of(data, end, threshold=response, better=direction, level=level)
    parts: dict[str, Any] = {
        "flow": flow_of(data, end),
        "baseline": baseline_table(data, cohort),
        "model": model,
        "comparisons": compare(until, end, model, pairs, better=direction, level=level),
        "response": responses,
        "areas": change_by_area(until, end, model, pairs, by=by, area_set=cohort.area_set, level=level),
        "trajectory": trajectory_of(data, end, model),
    }
    return TrialAnalysis(
        options=options,
        end=end,
        visits=data.visits,
        arms=data.arms,
        visits_by=data.plan.by,
        recorded=record_trial(**parts, cohort_flow=cohort.flow),
        source=cohort.source,
        gate=cohort.gate,
        cohort_flow=cohort.flow,
        area_set=cohort.area_set,
        notes=_notes(data, until, end, model, responses),
        reading=cohort.notes,
        simulated=cohort.simulated,
        provenance=Provenance(function="trial.analyse", options=options.to_dict()),
        **parts,
    )


def _most_scores(cohort: Cohort) -> str:
    """The instrument with the most scores among those with a baseline; of several the first by name."""
    rows = cohort.assessments
    totals = rows[rows["item"].eq(0) & rows["value"].notna()]
    names = totals["instrument"].astype(str)
    counts = names.value_counts()
    with_baseline = set(names[totals["week"] <= 0])
    candidates = [name for name in cohort.instruments if instrument(name).kind == "outcome"]
    if not candidates:
        raise DesignError(
            "expected scores of an outcome; the cohort has none",
            hint='Map the column of its total, for example phq9 = "phq_total" under [columns].',
        )
    return max(sorted(candidates), key=lambda name: (name in with_baseline, int(counts.get(name, 0))))


def _direction(data: TrialData, better: Better | None) -> Better:
    if better is not None:
        require_choice("better", better, ("lower", "higher"))
        return better
    known = instrument(data.outcome).better
    if known is None:
        raise OptionError(f"say which end of {data.outcome} is the good one: better='lower' or better='higher'")
    return known


def _notes(
    data: TrialData, until: TrialData, end: Visit, model: ChangeModel | str, responses: Response
) -> tuple[str, ...]:
    notes = list(data.plan.notes)
    if data.without_arm:
        notes.append("People without an arm are in no count of this report.")
    later = [visit.name for visit in data.visits if visit not in until.visits]
    if later:
        notes.append(
            f"Visits after the end point ({', '.join(later)}) are counted in the flow and used in no estimate."
        )
    if isinstance(model, str):
        notes.append(f"No model of change was fitted: {model}.")
    else:
        if not model.is_mixed:
            notes.append(
                "There is one visit with scores up to the end point: the arms are compared there by analysis of "
                "covariance, not by a model of change over weeks."
                if len(until.visits) == 1
                else "No mixed model could be fitted: the arms are compared at the end point by analysis of covariance."
            )
        elif model.attempts:
            notes.append("Too few visits, or no convergence, for a slope of its own for each person: see the methods.")
        notes += [
            f"{reason[0].upper()}{reason[1:]}: nothing is estimated for it." for reason in model.left_out.values()
        ]
        if isinstance(model.fit, MixedFit) and model.fit.singular:
            notes.append(f"{BOUNDARY} What does not vary: {model.fit.singular_direction}.")
    lowest = instrument(data.outcome).minimum
    if lowest is not None and math.isfinite(lowest) and lowest > 0:
        notes.append(
            f"The scale starts at {lowest:g}, not at 0: shares of the baseline are of the total as it is scored."
        )
    if responses.zero_baselines:
        notes.append("From a baseline of 0 no share can be taken: such people count as not having responded.")
    return tuple(notes)
