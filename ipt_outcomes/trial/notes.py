"""What a reader of a trial analysis must know before using its numbers."""

from __future__ import annotations

from ipt_outcomes.mixed import MixedFit
from ipt_outcomes.trial.boundary import boundary_words
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.model import ChangeModel
from ipt_outcomes.trial.response import Response


def notes_of(data: TrialData, until: TrialData, model: ChangeModel | str, responses: Response) -> tuple[str, ...]:
    """Return the notes of an analysis.

    Parameters
    ----------
    data : TrialData
    until : TrialData
        Up to the end point.
    model : ChangeModel or str
    responses : Response

    Returns
    -------
    tuple of str
        No number of people stands in them: those are result rows, which may have to be hidden.
    """
    notes = list(data.notes)
    if data.without_arm:
        notes.append("People whose arm is not known are counted in the flow and in no other number of this report.")
    later = [visit.name for visit in data.visits if visit not in until.visits]
    if later:
        notes.append(
            f"Visits after the end point ({', '.join(later)}) are counted in the flow and used in no estimate."
        )
    notes += _model_notes(model, len(until.visits))
    if data.strata is not None:
        notes.append(
            "Strata of the randomisation are a covariate of every model; means of a model weigh them by how many "
            "scores they have."
        )
    if responses.zero_baselines:
        notes.append(
            "From a baseline at the best score the scale can give no share can be taken: such people count as not "
            "having responded."
        )
    return tuple(dict.fromkeys(notes))


def _model_notes(model: ChangeModel | str, visits: int) -> list[str]:
    if isinstance(model, str):
        return [f"No model of change was fitted: {model}."]
    notes = []
    if not model.is_mixed:
        notes.append(
            "There is one visit with scores up to the end point: the arms are compared there by analysis of "
            "covariance, not by a model of change over weeks."
            if visits == 1
            else "No mixed model could be fitted: the arms are compared at the end point by analysis of covariance."
        )
    elif model.attempts:
        notes.append("Too few visits, or no convergence, for a slope of its own for each person: see the methods.")
    notes += model.notes
    notes += [f"{reason[0].upper()}{reason[1:]}: nothing is estimated for it." for reason in model.left_out.values()]
    if isinstance(model.fit, MixedFit) and model.fit.singular:
        notes.append(boundary_words(model.fit))
    return notes
