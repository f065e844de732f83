"""Around the numbers: risk of bias of the studies, and the search that found them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ipt_outcomes import figures
from ipt_outcomes.evidence import STAGES, EvidenceSynthesis, RiskOfBias
from ipt_outcomes.figures.bias_risk import LIGHTS
from ipt_outcomes.report.document import Block, Figure, Heading, Note, Paragraph
from ipt_outcomes.report.evidence.drawings import ROWS_PER_PART
from ipt_outcomes.report.evidence.shown import Shown
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.report.writing import capital
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SOURCES = {
    "RoB 2": "Judged with RoB 2, as the table has it.",
    "items of the databank": "Items as the databank has them: 1 is low risk, 0 high or unclear.",
    "rating": "One rating per study, as the table has it.",
    "count of low-risk items": "The table tells how many items are at low risk, not which.",
}


def risk_blocks(shown: Shown, level: int) -> tuple[Block, ...]:
    """Return the traffic light of the studies, and how many have each judgement.

    Parameters
    ----------
    shown : Shown
    level : int
        Of the heading, 2 or 3.

    Returns
    -------
    tuple of Block
        Empty where the table tells nothing of the risk of bias.
    """
    risk = shown.battery.risk_of_bias
    if risk is None:
        return ()
    heading = Heading("Risk of bias", f"{shown.prefix}risk-section", 2 if level == 2 else 3)
    notes = " ".join(f"{capital(note)}." for note in risk.notes)
    words = f"{_SOURCES[risk.source]} Where rows of a study differ, the worst counts. {notes}".strip()
    blocks: list[Block] = [heading, Paragraph((words,))]
    shares = risk.shares()
    if len(shares):
        blocks.append(_bars(shown, shares))
    return (*blocks, *_lights(shown, risk))


def _bars(shown: Shown, shares: pd.DataFrame) -> Figure:
    name = f"{shown.prefix}risk-bars"

    def draw(width: float) -> Axes:
        return figures.risk_of_bias_summary(shares, width=width)

    rows = tuple(
        TableRow(
            (
                (str(row["domain"]),),
                (LIGHTS[str(row["judgement"])].words,),
                (
                    shown.value(
                        "risk_of_bias",
                        "studies",
                        "integer",
                        domain=str(row["domain"]),
                        judgement=str(row["judgement"]),
                    ),
                ),
            )
        )
        for row in shares.to_dict("records")
    )
    return Figure(
        id=name,
        caption="Studies by judgement in each domain (counts of studies, not weighted).",
        alt="Bars of how many studies have each judgement in each domain. The numbers are in the table below.",
        picture=picture(draw, id=name),
        data=TableSpec(
            id=f"{name}-data",
            caption="Studies by judgement in each domain",
            columns=(Column("Domain"), Column("Judgement"), Column("Studies", "right")),
            rows=rows,
        ),
    )


def _lights(shown: Shown, risk: RiskOfBias) -> tuple[Figure, ...]:
    """The traffic light, in as many parts as it needs."""
    studies = list(dict.fromkeys([*risk.frame["study"], *risk.counts["study"]]))
    starts = range(0, len(studies), ROWS_PER_PART)
    return tuple(
        _light(shown, risk, studies[i : i + ROWS_PER_PART], i // ROWS_PER_PART + 1, len(starts)) for i in starts
    )


def _light(shown: Shown, risk: RiskOfBias, studies: list[str], number: int, of: int) -> Figure:
    name = f"{shown.prefix}risk-{number}"
    suffix = f" (part {number} of {of})" if of > 1 else ""
    frame = risk.frame[risk.frame["study"].isin(studies)]
    counts = risk.counts[risk.counts["study"].isin(studies)]
    # The databank counts the items it lists; without a list the largest count seen is the best there is.
    most = 0 if risk.counts.empty else int(risk.counts["low"].max())
    items = len(risk.domains) if risk.source == "items of the databank" else most
    whole = counts if len(counts) and int(counts["low"].max()) <= items else None

    def draw(width: float) -> Axes:
        return figures.risk_of_bias(frame, counts=whole, of=items if whole is not None else None, width=width)

    return Figure(
        id=name,
        caption=f"Risk of bias of each study{suffix}.",
        alt=f"Traffic light of the risk of bias of each study{suffix}. The judgements are in the table below.",
        picture=picture(draw, id=name),
        data=_light_data(shown, risk, studies, name),
    )


def _light_data(shown: Shown, risk: RiskOfBias, studies: list[str], name: str) -> TableSpec:
    judged = risk.frame.set_index(["study", "domain"])["judgement"].to_dict()
    columns = [Column("Study"), *(Column(domain) for domain in risk.domains)]
    if len(risk.counts):
        columns.append(Column("Items at low risk", "right"))
    rows = []
    for study in studies:
        cells: list[Content] = [(study,)]
        for domain in risk.domains:
            judgement = judged.get((study, domain))
            cells.append((LIGHTS[judgement].words if judgement is not None else "–",))
        if len(risk.counts):
            cells.append(shown.cell("risk_of_bias_count", "low", "integer", study=study))
        rows.append(TableRow(tuple(cells)))
    return TableSpec(id=f"{name}-data", caption="Risk of bias of each study", columns=tuple(columns), rows=tuple(rows))


def search_blocks(synthesis: EvidenceSynthesis) -> tuple[Block, ...]:
    """Return the flow diagram of the search, and what in its figures does not add up.

    Parameters
    ----------
    synthesis : EvidenceSynthesis

    Returns
    -------
    tuple of Block
        Empty where no search figures were given.
    """
    flow = synthesis.flow
    if flow is None or not flow.counts:
        return ()
    words = [f"Last search: {flow.last_search}." if flow.last_search else "", flow.citation]
    told = " ".join(word for word in words if word)
    blocks: list[Block] = [Heading("The search", "search-section")]
    if told:
        blocks.append(Paragraph((told,)))

    def draw(width: float) -> Axes:
        return figures.prisma(flow, words=STAGES, width=width)

    def records(part: str, name: str) -> Value:
        return Value(synthesis.results.find("search_flow", "records", {part: name}).id, "integer")

    rows = [TableRow(((STAGES[stage],), (records("stage", stage),))) for stage in flow.counts]
    for part, listed in (("source", flow.sources), ("reason", flow.reasons)):
        lead = "found in" if part == "source" else "excluded:"
        rows += [TableRow(((f"{lead} {name}",), (records(part, name),))) for name in listed]
    blocks.append(
        Figure(
            id="search-flow",
            caption="Flow of the search (PRISMA 2020).",
            alt="Flow diagram of the search: records identified, screened, assessed and included. The numbers are in "
            "the table below.",
            picture=picture(draw, id="search-flow"),
            data=TableSpec(
                id="search-flow-data",
                caption="Numbers of the search",
                columns=(Column("Stage"), Column("Records", "right")),
                rows=tuple(rows),
            ),
        )
    )
    if flow.warnings:
        warnings: tuple[Content, ...] = tuple((f"{capital(warning)}.",) for warning in flow.warnings)
        blocks.append(Note("Search figures that do not add up (nothing was changed)", warnings, "warning"))
    return tuple(blocks)
