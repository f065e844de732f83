"""The evidence report: an `EvidenceSynthesis` as a document."""

from __future__ import annotations

from typing import Literal

from ipt_outcomes.errors import require_choice
from ipt_outcomes.evidence import EvidenceSynthesis
from ipt_outcomes.report.document import Block, Document, Heading, Note, Paragraph
from ipt_outcomes.report.evidence import (
    benefit,
    context,
    diagnostics,
    drawings,
    findings,
    methods,
    one_table,
    small_studies,
    studies,
    subgroups,
    versions,
)
from ipt_outcomes.report.evidence.shown import Shown, shown_batteries, title_of
from ipt_outcomes.report.writing import say
from ipt_outcomes.tables import Content

__all__ = ["evidence_document"]


def evidence_document(
    synthesis: EvidenceSynthesis, *, title: str | None = None, audience: str = "published"
) -> Document:
    """Write a synthesis as a document.

    Parameters
    ----------
    synthesis : EvidenceSynthesis
    title : str, optional
        Title of the report.
    audience : {"internal", "board", "public", "published"}
        Whom the report is for; printed. Study tables are published aggregate data: nothing is hidden for any.

    Returns
    -------
    Document
    """
    require_choice("audience", audience, _AUDIENCE)
    batteries = shown_batteries(synthesis)
    blocks: list[Block] = []
    if len(batteries) > 1:
        blocks += [Heading("All comparisons", "overview"), findings.comparisons_table(synthesis, batteries)]
        blocks += [*studies.suspicions_note(synthesis), *studies.excluded_blocks(synthesis)]
    several = len(batteries) > 1
    summary = benefit.findings_blocks(synthesis, batteries)
    blocks += summary if several else ()
    for shown in batteries:
        blocks += _battery_blocks(synthesis, shown, alone=not several)
    blocks += [
        *(() if several else summary),
        *versions.version_blocks(synthesis),
        *versions.published_blocks(synthesis),
        *context.search_blocks(synthesis),
        Heading("Data and methods", "methods"),
        Heading("Data", "data", 3),
        methods.data_bullets(synthesis),
        *studies.given_blocks(synthesis),
        Heading("Methods", "methods-text", 3),
        *methods.methods_paragraphs(synthesis, batteries),
        Note("Whom this report may be shown to", ((_AUDIENCE[audience],),)),
        Heading("References", "references"),
        methods.references(synthesis, batteries),
    ]
    return Document(
        title=title or "Interpersonal psychotherapy: meta-analytic summary",
        subtitle=_subtitle(synthesis),
        blocks=tuple(blocks),
        results=synthesis.results,
        simulated=synthesis.simulated,
    )


_PUBLISHED = "The data are published aggregate data: no rule on small numbers applies, and nothing is hidden."
_AUDIENCE = {
    "published": f"Anyone. {_PUBLISHED}",
    "public": f"The public. {_PUBLISHED}",
    "board": f"The service's board. {_PUBLISHED}",
    "internal": f"The service's own staff. {_PUBLISHED}",
}


def _subtitle(synthesis: EvidenceSynthesis) -> str:
    names = list(synthesis.sources)
    return names[0] if len(names) == 1 else "; ".join(names)


def _battery_blocks(synthesis: EvidenceSynthesis, shown: Shown, *, alone: bool) -> list[Block]:
    """The sections of one comparison; a comparison among several keeps them under one heading."""
    battery, prefix = shown.battery, shown.prefix
    section: Literal[2, 3] = 2 if alone else 3
    blocks: list[Block] = [] if alone else [Heading(title_of(battery, synthesis), f"{prefix}finding")]
    if alone:
        blocks.append(Heading("What was found", "finding"))
    blocks += findings.finding(shown)
    if alone:
        blocks += [*studies.suspicions_note(synthesis), *studies.excluded_blocks(synthesis)]
    blocks += [
        *_benefit_section(shown, section),
        Heading("All analyses", f"{prefix}analyses-section", section),
        drawings.analyses_figure(shown),
        one_table.analyses_table(shown),
        *findings.comparator_table(shown),
        *findings.rho_table(shown),
        *one_table.profile_blocks(shown),
        *one_table.not_run_blocks(shown),
        *subgroups.subgroup_blocks(shown, section),
        Heading("Forest plot", f"{prefix}forest-section", section),
        Paragraph((f"The {_effect_words(shown)} of each study with its {shown.level} confidence interval.",)),
        *drawings.forest_figures(shown),
        *diagnostics.every_effect_figures(shown),
        *_stability_section(shown, section, alone=alone),
        Heading("Small studies and missing studies", f"{prefix}funnel-section", section),
        drawings.funnel_figure(shown),
        *small_studies.bias_words(shown),
        *diagnostics.specification_blocks(shown, section),
        *context.risk_blocks(shown, section),
        Heading("The studies", f"{prefix}studies-section", section),
        *one_table.row_choice_blocks(shown),
        Paragraph(("Where the effects came from:",)),
        findings.sources_note(shown),
        studies.study_table(shown),
        *studies.not_computed_blocks(shown),
    ]
    return blocks


def _benefit_section(shown: Shown, section: Literal[2, 3]) -> list[Block]:
    blocks = benefit.benefit_blocks(shown)
    if not blocks:
        return []
    return [Heading("What it means for people", f"{shown.prefix}benefit-section", section), *blocks]


def _stability_section(shown: Shown, section: Literal[2, 3], *, alone: bool) -> list[Block]:
    """What single studies do to the result, and how it came about over the years.

    Of several comparisons each has the table of influence only: the page stays small enough to be sent.
    """
    blocks: list[Block] = []
    if not shown.battery.leave_one_out.empty:
        blocks += [
            Heading("Each study left out in turn", f"{shown.prefix}leave-one-out-section", section),
            Paragraph(_leave_one_out_words(shown)),
            drawings.leave_one_out_figure(shown),
            *(diagnostics.influence_figures(shown) if alone else diagnostics.influence_tables(shown)),
        ]
    over_time = diagnostics.cumulative_figures(shown)
    if over_time:
        blocks += [Heading("Over the years", f"{shown.prefix}cumulative-section", section), *over_time]
    return blocks


def _effect_words(shown: Shown) -> str:
    return f"combined {shown.symbol}" if shown.battery.has_dependence else shown.symbol


def _leave_one_out_words(shown: Shown) -> Content:
    ratio = "ratio_" if shown.battery.effects.is_ratio else ""
    return say(
        "Whichever study is left out, the pooled {symbol} lies between {low} and {high}.",
        symbol=shown.symbol,
        low=shown.value("leave_one_out_range", f"{ratio}lowest"),
        high=shown.value("leave_one_out_range", f"{ratio}highest"),
    )
