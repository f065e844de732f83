"""The example reports on simulated data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ipt_outcomes import simulate
from ipt_outcomes.evidence import MetaJob
from ipt_outcomes.report.jobs import render

_TABLE = "simulated_studies.csv"
_TITLE = "Interpersonal psychotherapy against control conditions: an example"


def write_demo(
    out: str | Path,
    formats: Sequence[str] = ("html", "pdf", "docx"),
    *,
    step: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Write the example reports: ``meta`` under `out`, with the simulated table it is made from.

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
    begin("simulating")
    table = simulate.studies().comparisons.drop(columns="row").to_csv(index=False, lineterminator="\n").encode()
    job = MetaJob(title=_TITLE, comparisons=("IPT against control conditions (simulated)",))
    begin("computing")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _TABLE
        path.write_bytes(table)
        tables = {name: replace(studies, simulated=True) for name, studies in job.load([path]).items()}
    return render(
        job.run(tables), Path(out) / "meta", formats, job=job, title=_TITLE, extra={_TABLE: table}, step=begin
    )
