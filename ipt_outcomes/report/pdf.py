"""Write a document as a tagged PDF (PDF/UA-1) with Typst.

The template reads one JSON file: every text is data there and is never spliced into markup, so that no name
can become code. Typst refuses to write a file whose tags would be incomplete.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import IptError
from ipt_outcomes.report.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    Note,
    Paragraph,
    References,
    Table,
)
from ipt_outcomes.report.layout import (
    FLOATS,
    TEXT_WIDTH,
    WHOLE,
    figure_height,
    fit_table,
    introduces,
    leads,
    paper_blocks,
    table_height,
)
from ipt_outcomes.report.pictures import aspect
from ipt_outcomes.report.runs import SIMULATED, check, doi_address, labels, runs, spans
from ipt_outcomes.resources import shipped
from ipt_outcomes.results import ResultRow, visible
from ipt_outcomes.tables import Content, TableRow, TableSpec

_LONGEST_WORD = 24
_BREAK = "\N{ZERO WIDTH SPACE}"


def write_pdf(document: Document) -> bytes:
    """Write a document as a PDF/UA-1 file.

    Parameters
    ----------
    document : Document

    Returns
    -------
    bytes
        The same document always gives the same bytes: fixed date, and no font of the machine is used.

    Raises
    ------
    IptError
        The document breaks a rule of `ipt_outcomes.report.runs.check`, or Typst refuses it.
    """
    import typst

    check(document)
    drawings = [block for block in document.blocks if isinstance(block, Figure)]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = root / "report.typ"
        source.write_bytes(shipped("reports", "templates", "report.typ").read_bytes())
        (root / "report.json").write_text(json.dumps(_page(document)), encoding="utf-8")
        for block in drawings:
            (root / f"{block.id}.svg").write_text(block.picture.svg_wide, encoding="utf-8")
        try:
            data = typst.compile(
                str(source),
                root=str(root),
                format="pdf",
                font_paths=_fonts(),
                ignore_system_fonts=True,
                pdf_standards=["ua-1"],
                timestamp=0,
            )
        except typst.TypstError as error:
            raise IptError(f"the PDF could not be written: {str(error).splitlines()[0]}") from None
    return bytes(data)


@cache
def _fonts() -> list[str]:
    """Folder of fonts for letters that Typst's own lack; matplotlib ships them, the same everywhere."""
    import matplotlib

    return [str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")]


def _page(document: Document) -> dict[str, Any]:
    known = document.results.by_id()
    label, lead = labels(document), leads(document)
    blocks = [
        {
            **_block(block, known, label),
            **(_figure_size(block, lead[block.id], known) if isinstance(block, Figure) else {}),
            "keep": introduces(block, after),
        }
        for block, after in paper_blocks(document)
    ]
    return {
        "title": visible(document.title),
        "subtitle": visible(document.subtitle),
        "language": document.language.split("-")[0],
        "simulated": SIMULATED if document.simulated else "",
        "blocks": blocks,
    }


def _block(block: Block, known: Mapping[str, ResultRow], label: Mapping[str, str]) -> dict[str, Any]:
    match block:
        case Heading(text=text, anchor=anchor, level=level):
            return {"kind": "heading", "level": level - 1, "text": visible(text), "anchor": anchor}
        case Paragraph(content=content):
            return {"kind": "paragraph", "content": _runs(content, known)}
        case Bullets(items=items):
            return {"kind": "bullets", "items": [_runs(item, known) for item in items]}
        case Note(title=title, items=items, kind=kind):
            points = [_runs(item, known) for item in items]
            return {"kind": "note", "style": kind, "title": visible(title), "items": points}
        case Table(spec=spec):
            return _table(spec, known, label[spec.id])
        case Figure():
            return _figure(block, label[block.id])
        case References(entries=entries):
            return {"kind": "references", "entries": [_reference(entry.text, entry.doi) for entry in entries]}


def _reference(text: str, doi: str | None) -> dict[str, Any]:
    link = [{"kind": "link", "text": f"doi:{visible(doi)}", "target": doi_address(doi)}] if doi else []
    return {"content": [{"kind": "text", "text": visible(text) + (" " if doi else "")}, *link]}


def _figure(block: Figure, label: str) -> dict[str, Any]:
    return {
        "kind": "figure",
        "anchor": block.id,
        "label": label,
        "caption": visible(block.caption),
        "alt": visible(block.alt),
        "file": f"{block.id}.svg",
    }


def _figure_size(block: Figure, lead: tuple[Block, ...], known: Mapping[str, ResultRow]) -> dict[str, Any]:
    shape = aspect(block.picture.svg_wide)
    highest = figure_height(block.caption, lead, known)
    width = min(block.picture.width_inches * 72, TEXT_WIDTH, highest * shape)
    return {"width": width, "floats": width / shape > FLOATS}


def _table(spec: TableSpec, known: Mapping[str, ResultRow], label: str) -> dict[str, Any]:
    fit = fit_table(spec, known)
    return {
        "kind": "table",
        "anchor": spec.id,
        "label": label,
        "caption": visible(spec.caption),
        "columns": [{"label": _breakable(visible(col.label)), "align": col.align} for col in spec.columns],
        "rows": [_row(row, known) for row in spec.rows],
        "notes": [_runs(note, known) for note in spec.notes],
        "size": fit.size,
        "widths": fit.widths,
        "full": fit.full,
        "whole": table_height(spec, fit, known) <= WHOLE,
    }


def _row(row: TableRow, known: Mapping[str, ResultRow]) -> dict[str, Any]:
    cells = [_runs(cell, known) for cell in row.cells]
    return {"kind": row.kind, "cells": cells[:1] if spans(row) else cells, "spans": spans(row)}


def _runs(content: Content, known: Mapping[str, ResultRow]) -> list[dict[str, str]]:
    return [
        {
            "kind": run.kind,
            "text": run.text if run.kind == "value" else _breakable(run.text),
            "target": run.target,
        }
        for run in runs(content, known)
    ]


def _breakable(text: str) -> str:
    """Let a line break inside a word that no column could hold."""
    words = text.split(" ")
    return " ".join(
        word if len(word) <= _LONGEST_WORD else _BREAK.join(word[i : i + 12] for i in range(0, len(word), 12))
        for word in words
    )
