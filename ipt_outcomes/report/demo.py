"""The example reports on simulated data: a trial, a clinic, a meta-analysis."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ipt_outcomes import simulate
from ipt_outcomes.clinic import ClinicJob
from ipt_outcomes.evidence import MetaJob
from ipt_outcomes.report.jobs import render
from ipt_outcomes.report.spec import Job
from ipt_outcomes.trial import TrialJob


def write_demo(
    out: str | Path,
    formats: Sequence[str] = ("html", "pdf", "docx"),
    *,
    step: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Write the example reports: ``trial``, ``clinic`` and ``meta`` under `out`, each with its simulated table.

    Parameters
    ----------
    out : str or Path
        Folder to make.
    formats : sequence of str
        As in `ipt_outcomes.report.render`.
    step : callable, optional
        Called with the name of each step as it begins.

    Returns
    -------
    tuple of Path
        The files written.
    """
    begin = step or (lambda name: None)
    written: list[Path] = []
    for name, (job, table, file) in _examples().items():
        begin(f"{name}: computing")
        data = table.to_csv(index=False, lineterminator="\n").encode()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file
            path.write_bytes(data)
            analysis = job.run(_marked(job.load([path])))
        begin(f"{name}: writing")
        written += render(analysis, Path(out) / name, formats, job=job, title=job.title, extra={file: data})
    return tuple(written)


def _examples() -> dict[str, tuple[Job, pd.DataFrame, str]]:
    """Job, table and the table's file name of each example."""
    trial = TrialJob(title="Interpersonal psychotherapy in a four-arm trial: an example")
    clinic = ClinicJob(title="A year of interpersonal psychotherapy in a clinic: an example")
    title = "Interpersonal psychotherapy against control conditions: an example"
    meta = MetaJob(title=title, comparisons=("IPT against control conditions (simulated)",))
    studies = simulate.studies().comparisons.drop(columns="row")
    return {
        "trial": (trial, simulate.trial_table(), "simulated_trial.csv"),
        "clinic": (clinic, simulate.clinic_table(), "simulated_clinic.csv"),
        "meta": (meta, studies, "simulated_studies.csv"),
    }


def _marked(loaded: Any) -> Any:
    """What a job loaded, marked as simulated."""
    if isinstance(loaded, dict):
        return {name: replace(studies, simulated=True) for name, studies in loaded.items()}
    return replace(loaded, simulated=True)
