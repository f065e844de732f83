"""Outcomes of interpersonal psychotherapy (IPT): trials, clinics, meta-analysis, reproducible reports.

Everything heavy is imported when it is first used, so that ``import ipt_outcomes`` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_FUNCTIONS = {
    "load_cohort": "ipt_outcomes.io",
    "load_studies": "ipt_outcomes.io",
    "propose_mapping": "ipt_outcomes.io",
    "IptError": "ipt_outcomes.errors",
}

__all__ = [
    "IptError",
    "__version__",
    "clinic",
    "effects",
    "errors",
    "evidence",
    "figures",
    "instruments",
    "io",
    "load_cohort",
    "load_studies",
    "meta",
    "mixed",
    "privacy",
    "propose_mapping",
    "report",
    "results",
    "schemas",
    "simulate",
    "tables",
    "trial",
    "vocabulary",
]

if TYPE_CHECKING:
    from ipt_outcomes import (
        clinic,
        effects,
        errors,
        evidence,
        figures,
        instruments,
        io,
        meta,
        mixed,
        privacy,
        report,
        results,
        schemas,
        simulate,
        tables,
        trial,
        vocabulary,
    )
    from ipt_outcomes.errors import IptError
    from ipt_outcomes.io import load_cohort, load_studies, propose_mapping


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    if name in __all__:
        return importlib.import_module(f"ipt_outcomes.{name}")
    raise AttributeError(f"module 'ipt_outcomes' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
