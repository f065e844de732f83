"""Reports: a document model and its writers (HTML, PDF, DOCX, XLSX), the manifest, and the check of both.

What draws is imported when it is first used: checking a manifest needs no plotting library. No module here
has the name of a public function, so that importing the one never hides the other.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ipt_outcomes.report.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    Note,
    Paragraph,
    Picture,
    Reference,
    References,
    Table,
)

if TYPE_CHECKING:
    from ipt_outcomes.report.docx import write_docx
    from ipt_outcomes.report.export import write_table
    from ipt_outcomes.report.folder import write_report
    from ipt_outcomes.report.html import write_html
    from ipt_outcomes.report.jobs import render, rerun
    from ipt_outcomes.report.manifest import InputFile, Manifest
    from ipt_outcomes.report.pdf import write_pdf
    from ipt_outcomes.report.pictures import picture
    from ipt_outcomes.report.since import Changes, changes
    from ipt_outcomes.report.tracing import Trace, trace
    from ipt_outcomes.report.verification import Verification, compare_results, read_results, verify

__all__ = [
    "Block",
    "Bullets",
    "Changes",
    "Document",
    "Figure",
    "Heading",
    "InputFile",
    "Manifest",
    "Note",
    "Paragraph",
    "Picture",
    "Reference",
    "References",
    "Table",
    "Trace",
    "Verification",
    "changes",
    "compare_results",
    "picture",
    "read_results",
    "render",
    "rerun",
    "trace",
    "verify",
    "write_docx",
    "write_html",
    "write_pdf",
    "write_report",
    "write_table",
]

_HOMES = {
    "Changes": "since",
    "InputFile": "manifest",
    "Manifest": "manifest",
    "Trace": "tracing",
    "Verification": "verification",
    "changes": "since",
    "compare_results": "verification",
    "picture": "pictures",
    "render": "jobs",
    "rerun": "jobs",
    "read_results": "verification",
    "trace": "tracing",
    "verify": "verification",
    "write_docx": "docx",
    "write_html": "html",
    "write_pdf": "pdf",
    "write_report": "folder",
    "write_table": "export",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"ipt_outcomes.report.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ipt_outcomes.report' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
