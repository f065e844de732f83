"""Outcomes of interpersonal psychotherapy (IPT): effect sizes, meta-analysis, reproducible reports.

Everything heavy is imported when it is first used, so that ``import ipt_outcomes`` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_SUBPACKAGES = (
    "effects",
    "errors",
    "evidence",
    "figures",
    "io",
    "meta",
    "report",
    "results",
    "schemas",
    "simulate",
    "tables",
    "vocabulary",
)
_FUNCTIONS = {"load_studies": "ipt_outcomes.io", "IptError": "ipt_outcomes.errors"}

__all__ = ["IptError", "__version__", "load_studies", *_SUBPACKAGES]

if TYPE_CHECKING:
    from ipt_outcomes import (
        effects,
        errors,
        evidence,
        figures,
        io,
        meta,
        report,
        results,
        schemas,
        simulate,
        tables,
        vocabulary,
    )
    from ipt_outcomes.errors import IptError
    from ipt_outcomes.io import load_studies


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"ipt_outcomes.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'ipt_outcomes' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
