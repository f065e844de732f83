"""Read a statistical file with pyreadstat: its header, its size, its cells, each checked against the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyreadstat

from .decode import BYTES_AS_LETTERS, Decoder, codec_of
from .promise import Whole
from .refused import RefusedError

_COLUMNS_LIMIT = 32_767
_UNSEEN = re.compile(r"[\0-\x1f\x7f]|  ")
_NO_SPSS_NAME = re.compile(r"(?![A-Za-z0-9._$#@])[\0-\x7f]")
_NO_PORTABLE_NAME = re.compile(r"[^A-Za-z0-9._$#@]")
_NO_STATA_NAME = re.compile(r"(?![A-Za-z0-9_])[\0-\x7f]")
_RENAMED = re.compile(r"(.+)_duplicated\d+")


@dataclass(frozen=True)
class _Format:
    """How pyreadstat reads a format and what it can be asked for."""

    read: Callable[..., tuple[Any, Any]]
    options: dict[str, Any] = field(default_factory=dict)
    takes_encoding: bool = True
    no_name: re.Pattern[str] = _UNSEEN
    """What no name of a column has in files of this format."""


_KEEP = {"user_missing": True}
_FORMATS = {
    "spss": _Format(pyreadstat.read_sav, _KEEP, no_name=_NO_SPSS_NAME),
    "portable": _Format(pyreadstat.read_por, takes_encoding=False, no_name=_NO_PORTABLE_NAME),
    "stata": _Format(pyreadstat.read_dta, _KEEP, no_name=_NO_STATA_NAME),
    "sas": _Format(pyreadstat.read_sas7bdat, _KEEP),
    "transport": _Format(pyreadstat.read_xport),
}


def read_statistical(request: dict[str, Any], whole: Whole) -> tuple[dict[str, Any], dict[str, pa.Array]]:
    """Read a file that holds what its header promises.

    Parameters
    ----------
    request : dict
        ``path``, ``format`` (a key of the formats here), ``encoding`` (or None), ``cells`` (the most cells read).
    whole : Whole
        What its header promises.

    Returns
    -------
    told : dict
        ``rows``, ``columns`` (name, label, format, label set, type, ranges, codes), ``file_label``, ``notes``,
        ``encoding``, ``declared`` and what else the parent reports.
    arrays : dict of str to pyarrow.Array
        ``c0``, ``c1`` ... and, where a column holds missing letters, ``t0`` ...

    Raises
    ------
    RefusedError
    """
    path = request["path"]
    known = _FORMATS[request["format"]]
    options = {"disable_datetime_conversion": True, "output_format": "dict", **known.options}
    first, declared = _look(path, known, options, whole, request["encoding"])
    rows = whole.rows if whole.rows is not None else first.number_rows
    width = max(1, first.number_columns or 0)
    _refuse_size(rows, width, request["cells"])
    codec = request["encoding"] or (codec_of(declared) if declared else "utf-8" if known.takes_encoding else None)
    if known.takes_encoding and codec is not None:
        options["encoding"] = BYTES_AS_LETTERS
    data, meta = known.read(path, row_limit=request["cells"] // width + 1, **options)
    _refuse_other_shape(data, meta, first, whole, request["cells"])
    told, arrays = _put_together(data, meta, whole, codec, guess=declared is None and request["encoding"] is None)
    if any(known.no_name.search(column["name"]) for column in told["columns"]):
        raise RefusedError("spelling")
    return told | {"declared": declared}, arrays


def _look(
    path: str, known: _Format, options: dict[str, Any], whole: Whole, encoding: str | None
) -> tuple[Any, str | None]:
    """Read the header as the file declares itself, without the rows.

    Some damage ends the reader only when it decodes by itself, which the second reading does not: this one finds it.
    """
    try:
        meta = known.read(path, metadataonly=True, **options)[1]
    except Exception:
        if encoding is None and (whole.encoding or not known.takes_encoding):
            raise
        # Without a declared encoding, or with a wrong one, the header need not be readable as it is.
        meta = known.read(path, metadataonly=True, encoding=BYTES_AS_LETTERS, **options)[1]
        return meta, whole.encoding
    declared = whole.encoding
    if declared is None and known is _FORMATS["sas"]:
        declared = meta.file_encoding
    return meta, declared


def _refuse_size(rows: int | None, width: int, cells: int) -> None:
    if width > _COLUMNS_LIMIT or (rows is not None and rows * width > cells):
        raise RefusedError("size", rows=rows, columns=width, cells=cells)


def _refuse_other_shape(data: Any, meta: Any, first: Any, whole: Whole, cells: int) -> None:
    """Refuse a file that two readings, or reading and counting, do not agree on."""
    names = list(meta.column_names)
    # pyreadstat renames the second of two columns without a word.
    renamed = [name for name in names if (match := _RENAMED.fullmatch(name)) and match[1] in names]
    if renamed or len(set(names)) != len(names) or len(data) != len(names):
        raise RefusedError("double")
    if list(first.readstat_variable_types.values()) != list(meta.readstat_variable_types.values()):
        raise RefusedError("reader")
    sizes = {len(column) for column in data.values()}
    if len(sizes) > 1:
        raise RefusedError("reader")
    found = sizes.pop() if sizes else 0
    _refuse_size(found, max(1, len(names)), cells)
    if whole.rows is not None and found != whole.rows:
        raise RefusedError("rows", header=whole.rows, found=found)


def _put_together(
    data: Any, meta: Any, whole: Whole, codec: str | None, *, guess: bool
) -> tuple[dict[str, Any], dict[str, pa.Array]]:
    remarks = list(whole.remarks)
    decoder = Decoder(codec)
    try:
        columns, arrays = _columns(data, meta, decoder, whole)
    except RefusedError:
        if not guess or codec != "utf-8":
            raise
        decoder = Decoder("cp1252")
        columns, arrays = _columns(data, meta, decoder, whole)
    told = {
        "rows": max((len(array) for array in arrays.values()), default=0),
        "columns": columns,
        "file_label": decoder.label(meta.file_label) or "",
        "notes": [decoder.label(note) or "" for note in meta.notes or []],
        "encoding": decoder.codec,
        "damaged_labels": decoder.damaged_labels,
    }
    if whole.encoding and codec is None:
        remarks.append("unchecked")
    if guess and decoder.codec == "cp1252":
        remarks.append("guessed")
    if whole.assumed and decoder.other_letters:
        remarks.append("old_letters")
    return told | {"remarks": remarks}, arrays


def _codes(codes: dict[Any, str], decoder: Decoder) -> list[list[Any]]:
    return [
        [decoder.label(code) if isinstance(code, str) else code, decoder.label(label)] for code, label in codes.items()
    ]


def _columns(data: Any, meta: Any, decoder: Decoder, whole: Whole) -> tuple[list[dict[str, Any]], dict[str, pa.Array]]:
    columns, arrays = [], {}
    undecoded: dict[str, int] = {}
    for place, name in enumerate(meta.column_names):
        kind = meta.readstat_variable_types[name]
        title = decoder.strict(name)
        if title is None:
            raise RefusedError("names", encoding=decoder.codec)
        cut = unseen = 0
        if kind == "string":
            # Stata's long texts (strL) are handed over decoded, whatever encoding was asked for.
            plain = Decoder(None) if place in whole.decoded else decoder
            texts, bad, cut, unseen = plain.cells(data[name])
            if bad:
                undecoded[title] = bad
            arrays[f"c{place}"] = pa.array(texts, pa.large_string())
        else:
            tagged = name in meta.missing_user_values
            arrays |= _numbers(data[name], place, whole=kind.startswith("int"), tagged=tagged)
            letters = None if whole.layout is None else whole.layout.letters(place, data[name])
            if letters is not None:
                arrays[f"t{place}"] = pa.array(letters, pa.string())
        columns.append(
            {
                "name": title,
                "label": decoder.label(meta.column_names_to_labels.get(name)) or "",
                "format": meta.original_variable_types.get(name) or "",
                "set": meta.variable_to_label.get(name) or "",
                "type": "text" if kind == "string" else "number",
                "cut": cut,
                "unseen": unseen,
                "ranges": [
                    [decoder.label(end) if isinstance(end, str) else end for end in (part["lo"], part["hi"])]
                    for part in meta.missing_ranges.get(name, [])
                ],
                "codes": _codes(meta.variable_value_labels.get(name) or {}, decoder),
            }
        )
    if undecoded:
        first = next(iter(undecoded))
        raise RefusedError(
            "letters", column=first, count=undecoded[first], columns=len(undecoded), encoding=decoder.codec
        )
    return columns, arrays


def _numbers(cells: Any, place: int, *, whole: bool, tagged: bool) -> dict[str, pa.Array]:
    kind = pa.int64() if whole else pa.float64()
    if not tagged:
        return {f"c{place}": pa.array(cells, kind, from_pandas=True)}
    tags = [cell if isinstance(cell, str) else None for cell in cells]
    values = [None if isinstance(cell, str) else cell for cell in cells]
    return {f"c{place}": pa.array(values, kind, from_pandas=True), f"t{place}": pa.array(tags, pa.string())}


def read_catalog(path: str, encoding: str | None) -> dict[str, Any]:
    """Return the sets of value labels of a SAS catalog: name to codes and labels."""
    declared = pyreadstat.read_sas7bcat(path, output_format="dict")[1].file_encoding
    decoder = Decoder(encoding or codec_of(declared or "utf-8") or "utf-8")
    sets = pyreadstat.read_sas7bcat(path, encoding=BYTES_AS_LETTERS, output_format="dict")[1].value_labels
    return {name: _codes(codes, decoder) for name, codes in sets.items()}
