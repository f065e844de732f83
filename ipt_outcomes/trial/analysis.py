"""The analysis of one trial, from a cohort to results."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.instruments import Better, instrument
from ipt_outcomes.io import Source
from ipt_outcomes.io.cohort import AreaSet, Cohort
from ipt_outcomes.privacy import Gate, ProtectedAnalysis, Recorded
from ipt_outcomes.results import Provenance
from ipt_outcomes.trial.areas import AreaChange, change_by_area
from ipt_outcomes.trial.arms import comparisons_of
from ipt_outcomes.trial.baseline import baseline_table
from ipt_outcomes.trial.boundary import CAREFUL
from ipt_outcomes.trial.comparison import Comparison, compare
from ipt_outcomes.trial.data import TrialData, trial_data
from ipt_outcomes.trial.flow import Flow, flow_of
from ipt_outcomes.trial.model import ChangeModel, fit_change
from ipt_outcomes.trial.notes import notes_of
from ipt_outcomes.trial.response import Response, response_of
from ipt_outcomes.trial.table_one import TableOne
from ipt_outcomes.trial.trajectory import Trajectory, trajectory_of
from ipt_outcomes.trial.trial_numbers import record_trial
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOUNDARY = f"In this model people of the same arm hardly differ in a part of their course. {CAREFUL}"
"""What has to be known of a singular fit, where the fit itself is not at hand."""


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
        Share of the baseline's distance from the good end of the scale.
    level : float
    better : {"lower", "higher"}
    window : float or None
        Weeks either side of the end point, where visits are on real days.
    strata : str
        Column of the strata that are in every model; empty for none.
    """

    outcome: str
    at: str
    by: str
    response: float
    level: float
    better: Better
    window: float | None = None
    strata: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnalysis(ProtectedAnalysis):
    """One trial: who was in it, how each arm changed, and how the arms compare.

    Parameters
    ----------
    options : Options
    end : Visit
        The end point.
    visits : tuple of Visit
        All visits after baseline, planned ones at which nobody was seen among them.
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

    def to_frame(self) -> pd.DataFrame:
        """Return every effect size of every comparison."""
        frames = [frame for item in self.comparisons if not (frame := item.to_frame()).empty]
        columns = ["arm1", "arm2", "source", "standardiser", "g", "se", "ci_low", "ci_high", "p_value", "sd", "df_sd"]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

    def summary(self, digits: int = 2) -> str:
        """Return what was found, in plain text."""
        short = instrument(self.options.outcome).short
        everyone = self.flow.arms.iloc[-1]
        seen = f"{everyone['observed_at_last_visit']} of {everyone['randomised']} randomised observed there"
        first = f"{short} at {self.end.name}, {len(self.arms)} arms, {seen}"
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
    window: float | None = None,
    strata: str | None = None,
) -> TrialAnalysis:
    """Analyse one trial: flow, baseline, mixed model of change, g and response of IPT, change by problem area.

    Parameters
    ----------
    cohort : Cohort
        With arms; one episode per person.
    outcome : str, optional
        Name or alias of an instrument; the one with most scores if None (among those with a baseline).
    at : float or str, optional
        The end point: a week, or the name of a visit. If None, the last visit with a score; where visits are on real
        days, the last week around which at least half as many people have a score as around the best attended one.
        Later visits are counted in the flow and used in no estimate.
    by : str
        Column by whose levels change is described, too.
    level : float
        Confidence level.
    response : float
        Share of the baseline's distance from the good end of the scale by which a score has to come nearer to it to
        count as response, inclusive; on a scale from 0 where lower is better, share of the baseline.
    better : {"lower", "higher"}, optional
        Which end of the scale is the good one; the registry's if None.
    window : float, optional
        Where visits are on real days: how many weeks from the end point a score may lie to count for it, the nearest
        of each person. If None, half the usual gap between a person's scores (0.5 to 4 weeks).
    strata : str, optional
        Column of the people with the strata of the randomisation: a covariate of every model. If None, the column
        ``stratum`` where there is one; "" for none.

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
    Change is modelled by ``value ~ week*arm + baseline + stratum + (week | patient_id)``, REML with Satterthwaite's
    degrees of freedom, on all visits up to the end point; with two visits without random slopes, with one by analysis
    of covariance. The difference at the end point over the pooled SD of the scores observed there, times Hedges' exact
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
    data = trial_data(cohort, outcome or _most_scores(cohort), at=at, window=window, strata=strata)
    direction = _direction(data, better)
    end = data.end
    until = data.until(end)
    pairs = comparisons_of(data.arms)
    model = fit_change(until, end, level=level)
    options = Options(
        outcome=data.outcome,
        at=end.key,
        by=by,
        response=float(response),
        level=float(level),
        better=direction,
        window=data.plan.window,
        strata="" if data.strata is None else data.strata.column,
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
        visits=data.plan.planned,
        arms=data.arms,
        visits_by=data.plan.by,
        recorded=record_trial(**parts, cohort_flow=cohort.flow),
        source=cohort.source,
        gate=cohort.gate,
        cohort_flow=cohort.flow,
        area_set=cohort.area_set,
        notes=notes_of(data, until, model, responses),
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
    known = data.instrument.better
    if known is None:
        raise OptionError(f"say which end of {data.outcome} is the good one: better='lower' or better='higher'")
    return known
