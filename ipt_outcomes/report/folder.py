"""Write a report's folder: every format, the results, the manifest - all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.report.document import Document, Figure, Table
from ipt_outcomes.report.manifest import AUDIENCES, MANIFEST_NAME, InputFile, Manifest, plain_name
from ipt_outcomes.report.runs import cell_values
from ipt_outcomes.report.verification import RESULTS_NAME, TYPED_NAME
from ipt_outcomes.results.parquet import to_parquet

FORMATS = ("html", "pdf", "docx", "xlsx")


def _html(document: Document) -> bytes:
    from ipt_outcomes.report.html import write_html

    return write_html(document).encode()


def _pdf(document: Document) -> bytes:
    from ipt_outcomes.report.pdf import write_pdf

    return write_pdf(document)


def _docx(document: Document) -> bytes:
    from ipt_outcomes.report.docx import write_docx

    return write_docx(document)


def _xlsx(document: Document) -> bytes:
    from ipt_outcomes.report.export import workbook
    from ipt_outcomes.report.levels import in_words

    known = document.results.by_id()
    specs = [block.spec for block in document.blocks if isinstance(block, Table)]
    specs += [block.data for block in document.blocks if isinstance(block, Figure) and block.data is not None]
    sheets = {f"{number} {spec.id}": cell_values(spec, known) for number, spec in enumerate(specs, start=1)}
    frame = document.results.to_frame()
    frame["groups"] = [in_words(groups) for groups in frame["groups"]]
    rows = [list(row) for row in frame.itertuples(index=False, name=None)]
    return workbook({"results": ([str(name) for name in frame.columns], rows), **sheets})


_WRITERS: dict[str, Callable[[Document], bytes]] = {"html": _html, "pdf": _pdf, "docx": _docx, "xlsx": _xlsx}


def write_report(
    document: Document,
    out: str | Path,
    *,
    formats: Sequence[str] = ("html", "pdf", "docx"),
    analysis: Mapping[str, Any],
    inputs: Iterable[InputFile | Mapping[str, Any]] = (),
    name: str = "report",
    audience: str = "public",
    extra: Mapping[str, bytes] | None = None,
) -> tuple[Path, ...]:
    """Write a document in every format, with its results and its manifest, into a new folder.

    Parameters
    ----------
    document : Document
    out : str or Path
        Folder to make. It appears only when it is complete.
    formats : sequence of {"html", "pdf", "docx", "xlsx"}
    analysis : mapping of str to JSON values
        Job, options as used, mapping; goes into the manifest.
    inputs : iterable of InputFile or mapping
        Name and SHA-256 of each input, with ``bytes`` or ``rows``.
    name : str
        Name of the report's files, without ending.
    audience : {"internal", "board", "public", "publication", "published"}
    extra : mapping of str to bytes, optional
        Further files under their plain names.

    Returns
    -------
    tuple of Path
        The files written, the manifest last.

    Raises
    ------
    OptionError
        An unknown format or audience, a name that is not a plain file name, or `out` holds something already.
    IptError
        The document cannot be written; then nothing is.
    """
    _check(formats, name, audience)
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OptionError(f"{out.name} exists and is not empty; a report is never written over", hint="Choose another.")
    # Everything is rendered before the disk is touched: a writer that fails leaves no trace.
    made = {f"{plain_name(name)}.{fmt}": _WRITERS[fmt](document) for fmt in dict.fromkeys(formats)}
    made[RESULTS_NAME] = document.results.to_json().encode()
    made[TYPED_NAME] = to_parquet(document.results)
    for other, data in (extra or {}).items():
        if plain_name(other) in {*made, MANIFEST_NAME}:
            raise OptionError(f"{other} is a file of the report already")
        made[other] = data
    manifest = Manifest(
        analysis=dict(analysis),
        inputs=tuple(item if isinstance(item, InputFile) else InputFile(**item) for item in inputs),
        audience=audience,
        simulated=document.simulated,
    ).with_files(made)
    made[MANIFEST_NAME] = manifest.to_json().encode()
    _write_folder(out, made)
    return tuple(out / file for file in made)


def _check(formats: Sequence[str], name: str, audience: str) -> None:
    if isinstance(formats, str):
        raise OptionError(f"formats must be a list such as ('html', 'pdf'); got the text {formats!r}")
    if not formats:
        raise OptionError(f"formats is empty; choose among {', '.join(FORMATS)}")
    for fmt in formats:
        require_choice("formats", fmt, FORMATS)
    require_choice("audience", audience, AUDIENCES)
    plain_name(name)


def _write_folder(out: Path, made: Mapping[str, bytes]) -> None:
    """Write the files into a folder beside `out`, then give that folder its name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        for name, data in made.items():
            (temporary / name).write_bytes(data)
        temporary.chmod(0o755)
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
