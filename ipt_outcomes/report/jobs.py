"""From an analysis to a report folder, and back: run a report's job again and compare every number."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.clinic import ClinicReview
from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.evidence import EvidenceSynthesis
from ipt_outcomes.report.clinic import clinic_document
from ipt_outcomes.report.document import Document
from ipt_outcomes.report.evidence import evidence_document
from ipt_outcomes.report.folder import write_report
from ipt_outcomes.report.manifest import MANIFEST_NAME, InputFile
from ipt_outcomes.report.spec import Job, job_of, read_spec
from ipt_outcomes.report.trial import trial_document
from ipt_outcomes.report.verification import RESULTS_NAME, compare_results, read_results
from ipt_outcomes.trial import TrialAnalysis

if TYPE_CHECKING:
    import pandas as pd

Analysis = EvidenceSynthesis | TrialAnalysis | ClinicReview


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of analysis becomes a report."""

    document: Callable[..., Document]
    audience: str
    inputs: Callable[[Any], Iterable[InputFile]]


def _study_tables(synthesis: EvidenceSynthesis) -> Iterable[InputFile]:
    tables = [*synthesis.sources.values()]
    if synthesis.comparison is not None and synthesis.comparison.old is not None:
        tables += synthesis.comparison.old.sources.values()
    for studies in tables:
        for source in studies.source.parts or (studies.source,):
            yield InputFile(name=_manifest_name(source.name), sha256=source.sha256, rows=source.rows)


def _patients(analysis: TrialAnalysis | ClinicReview) -> Iterable[InputFile]:
    # The name of a file of patients can hold one of theirs; its digest says which file it was.
    source = analysis.source
    yield InputFile(name=f"patient data{Path(source.name).suffix}", sha256=source.sha256, rows=source.rows)


_KINDS: dict[type, _Kind] = {
    EvidenceSynthesis: _Kind(evidence_document, "published", _study_tables),
    TrialAnalysis: _Kind(trial_document, "public", _patients),
    ClinicReview: _Kind(clinic_document, "public", _patients),
}


def render(
    analysis: Analysis | str | Path,
    out: str | Path,
    formats: Sequence[str] = ("html", "pdf", "docx"),
    *,
    job: Job | None = None,
    title: str | None = None,
    audience: str | None = None,
    extra: Mapping[str, bytes] | None = None,
    step: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Write the report of an analysis, or of a spec, into a new folder.

    Parameters
    ----------
    analysis : EvidenceSynthesis, TrialAnalysis, ClinicReview or path
        What `ipt_outcomes.evidence.synthesise`, `ipt_outcomes.trial.analyse` or `ipt_outcomes.clinic.review`
        gives, or a report spec in TOML, which is run first.
    out : str or Path
        Folder to make; it must not hold anything.
    formats : sequence of {"html", "pdf", "docx", "xlsx"}
        What to write beside ``results.json``, ``results.parquet`` and ``manifest.json``.
    job : Job, optional
        How the analysis was made from its files; the manifest keeps it, so that the report can be run again.
    title : str, optional
        Title of the report.
    audience : {"internal", "board", "public", "publication", "published"}, optional
        Whom the report is for; printed and kept in the manifest. Default: ``"public"`` for patient data, which
        hides small counts, ``"published"`` for study tables, which hides nothing. ``"publication"`` is a
        trial's own publication.
    extra : mapping of str to bytes, optional
        Further files under their plain names.
    step : callable, optional
        Called with the name of each step as it begins.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OptionError
        `out` holds something, an unknown format, an audience that is not one of this kind of report, a spec
        that is not valid.
    DataError
        The spec's data were refused.
    """
    if isinstance(analysis, str | Path):
        if job is not None:
            raise OptionError("a spec is a job already: give render() a spec, or an analysis with its job")
        job, files = read_spec(Path(analysis))
        made: Analysis = job.run(job.load(files))
        title = title or job.title
    else:
        made = analysis
    kind = _KINDS.get(type(made))
    if kind is None:
        raise OptionError(f"expected an analysis or the path of a spec; got {type(made).__name__}")
    whom = audience or kind.audience
    begin = step or (lambda name: None)
    begin("drawing")
    document = kind.document(made, title=title, audience=whom)
    begin("writing")
    record: dict[str, Any] = {"job": None, "options": made.options.to_dict()} if job is None else job.to_dict()
    inputs = tuple(kind.inputs(made))
    return write_report(document, out, formats=formats, analysis=record, inputs=inputs, audience=whom, extra=extra)


def _manifest_name(name: str) -> str:
    """A file's name as every system could write it: what some forbid becomes an underscore."""
    return re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name).lstrip(".").strip() or "data"


def compare_inputs(folder: str | Path, sources: Sequence[str | Path]) -> list[str]:
    """Say which files are not the ones a report was made from.

    Parameters
    ----------
    folder : str or Path
        Folder of the report.
    sources : sequence of path

    Returns
    -------
    list of str
        A sentence per file that is not, byte for byte, an input of the report.
    """
    known = {entry["sha256"] for entry in _manifest(Path(folder))["inputs"]}
    changed = [Path(path) for path in sources if Path(path).is_file()]
    changed = [path for path in changed if hashlib.sha256(path.read_bytes()).hexdigest() not in known]
    return [f"{path.name} is not the file the report was made from: its SHA-256 is another." for path in changed]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        _ = manifest["analysis"], manifest["inputs"], manifest["audience"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{folder.name} holds no readable {MANIFEST_NAME}: not a report of ipt-outcomes") from None
    return dict(manifest)


def rerun(folder: str | Path, sources: Sequence[str | Path]) -> pd.DataFrame:
    """Run a report's job on files again and compare every number, as its audience may see it.

    Parameters
    ----------
    folder : str or Path
        Folder of the report.
    sources : sequence of path
        The files, in the order of the report.

    Returns
    -------
    pandas.DataFrame
        ``id statistic old new status``, one row per number that differs, is missing or is new; empty when
        every number is the same.

    Raises
    ------
    DataError
        The folder is no report, or its manifest does not say how to run it.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    record = manifest["analysis"]
    if not record.get("job"):
        raise DataError(
            "this report was made from tables in memory, so its manifest cannot say how to read a file",
            hint="Make the report with ipt-outcomes, or give render() the job, to be able to run it again.",
        )
    job = job_of(record)
    again = job.run(job.load(sources))
    return compare_results(read_results(folder / RESULTS_NAME), again.protected(manifest["audience"]))
