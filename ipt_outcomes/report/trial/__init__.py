"""The trial report: a `TrialAnalysis` as a document."""

from __future__ import annotations

from ipt_outcomes.instruments import instrument
from ipt_outcomes.privacy import Audience, audience_rule
from ipt_outcomes.report.document import Block, Document, Heading
from ipt_outcomes.report.hiding import without_hidden
from ipt_outcomes.report.trial import areas, change, drawings, findings, methods, people
from ipt_outcomes.report.trial.shown import Shown, visit_words
from ipt_outcomes.trial import TrialAnalysis

__all__ = ["trial_document"]


def trial_document(analysis: TrialAnalysis, *, title: str | None = None, audience: Audience = "public") -> Document:
    """Write the analysis of a trial as a document.

    Parameters
    ----------
    analysis : TrialAnalysis
    title : str, optional
        Title of the report.
    audience : {"internal", "board", "public", "publication"}
        Whom the report is for: decides which small numbers of people are hidden; printed.

    Returns
    -------
    Document

    Raises
    ------
    OptionError
        There is no such audience.
    """
    audience_rule(audience)
    shown = Shown(analysis, analysis.protected(audience), audience)
    blocks: list[Block] = [
        Heading("What was found", "finding"),
        *findings.findings(shown),
        *drawings.comparison_figure(shown),
        Heading("Change over the weeks", "trajectory-section"),
        *drawings.trajectory_blocks(shown),
        Heading("Comparisons of arms", "comparisons-section"),
        *change.comparison_tables(shown),
        Heading("Response", "response-section"),
        *change.response_blocks(shown),
        *areas.area_blocks(shown),
        Heading("Who was in the trial", "people-section"),
        Heading("Flow by arm and visit", "flow-section", 3),
        *people.flow_tables(shown),
        Heading("Baseline", "baseline-section", 3),
        *people.baseline_blocks(shown),
        Heading("Data and methods", "methods"),
        Heading("The model of change", "model-section", 3),
        *change.model_blocks(shown),
        Heading("How the data were read", "data", 3),
        *methods.data_blocks(shown),
        Heading("Methods", "methods-text", 3),
        *methods.methods_paragraphs(shown),
        methods.audience_note(shown),
        Heading("References", "references"),
        methods.references(shown),
    ]
    return Document(
        title=title or "Interpersonal psychotherapy in one trial",
        subtitle=_subtitle(analysis),
        blocks=without_hidden(blocks, shown.results),
        results=shown.results,
        simulated=analysis.simulated,
    )


def _subtitle(analysis: TrialAnalysis) -> str:
    short = instrument(analysis.options.outcome).short
    end = visit_words(analysis.end.name, analysis.end.week)
    return f"{short} at {end}; {len(analysis.arms)} arms"
