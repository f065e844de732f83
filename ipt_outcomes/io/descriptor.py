"""A `datapackage.json`: which tables a folder holds, where they stand, how they are written, what they must hash to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ipt_outcomes.errors import IptError, near_names
from ipt_outcomes.io.delimited import DELIMITERS

NAME = "datapackage.json"
_SIZE_LIMIT = 10_000_000
_MOST_RESOURCES = 1_000
_PLAIN = {
    "quoteChar": ('"',), "doubleQuote": (True,), "header": (True,), "headerRows": ([1],), "skipInitialSpace": (False,),
    "escapeChar": (None,), "commentChar": (None,), "commentRows": (None, []), "nullSequence": (None, ""),
}  # fmt: skip
"""What a dialect may say beside the delimiter: nothing that the reader does not do anyway."""
_IGNORED = frozenset(("lineTerminator", "caseSensitiveHeader", "csvddfVersion", "$schema", "type", "headerJoin"))
_SHEETS = ("sheetName", "sheetNumber")
_HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One table of a folder.

    Parameters
    ----------
    name : str
    file : Path
        Inside the folder, existing.
    encoding, delimiter, decimal : str or None
        As declared.
    sheet : str, int or None
    sha256 : str or None
        Digest the file must have.
    other_hash : (str, str) or None
        Another algorithm and the digest by it.
    schema : mapping
        The Table Schema as it stands; empty where there is none.
    """

    name: str
    file: Path
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Any = None
    sheet: str | int | None = None
    sha256: str | None = None
    other_hash: tuple[str, str] | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)


def read_descriptor(folder: Path) -> tuple[Resource, ...]:
    """Read the descriptor of a folder.

    Parameters
    ----------
    folder : Path
        An existing folder.

    Returns
    -------
    tuple of Resource

    Raises
    ------
    IptError
        No descriptor, no JSON, or resources that are not tables in files of this folder; all faults are named.
    """
    raw = _load(folder / NAME)
    resources = raw.get("resources")
    if not isinstance(resources, list) or not resources or len(resources) > _MOST_RESOURCES:
        raise IptError(f"{NAME}: a list of resources was expected under 'resources'", hint=_HINT)
    faults: list[str] = []
    found: list[Resource] = []
    for place, entry in enumerate(resources, start=1):
        reader = _Entry(entry, place, folder, faults)
        if (resource := reader.resource(raw)) is not None:
            found.append(resource)
    names = [resource.name for resource in found]
    faults += [f"two resources are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise IptError(f"{NAME}: {'; '.join(faults)}", hint=_HINT)
    return tuple(found)


_HINT = (
    "The folder must hold a data package as frictionlessdata.io describes it: every resource with a name and a path."
)


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise IptError(f"{NAME} is larger than {_SIZE_LIMIT:,} bytes: no description of tables is", hint=_HINT)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise IptError(f"{NAME} holds bytes that are not UTF-8", hint=_HINT) from None
    except OSError:
        raise IptError(f"the folder {path.parent.name} holds no {NAME} that can be read", hint=_HINT) from None
    try:
        raw = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise IptError(f"{NAME} is no JSON, or names one key twice", hint=_HINT) from None
    if not isinstance(raw, dict):
        raise IptError(f"{NAME}: an object was expected", hint=_HINT)
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object whose keys stand once: of two values readers take one or the other."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def _no_number(_: str) -> float:
    raise ValueError


@dataclass
class _Entry:
    """One entry under `resources`, read fault by fault."""

    entry: Any
    place: int
    folder: Path
    faults: list[str]
    name: str = ""

    def resource(self, package: dict[str, Any]) -> Resource | None:
        """Return the resource, or None where it has faults."""
        before = len(self.faults)
        if not isinstance(self.entry, dict):
            self._fault("is no object")
            return None
        name = self.entry.get("name")
        if not isinstance(name, str) or not re.fullmatch(r"[\w.\- ]{1,200}", name):
            self._fault("has no name of letters, digits, points, hyphens and underscores")
            return None
        self.name = name
        file = self._file()
        sha256, other = self._hash()
        delimiter, sheet = self._dialect()
        schema = self._schema(package)
        decimal = self._decimal(schema)
        encoding = self.entry.get("encoding")
        if encoding is not None and not isinstance(encoding, str):
            self._fault("has an encoding that is no text")
        if len(self.faults) > before or file is None:
            return None
        return Resource(
            name=name, file=file, encoding=encoding, delimiter=delimiter, decimal=decimal, sheet=sheet,
            sha256=sha256, other_hash=other, schema=schema,
        )  # fmt: skip

    def _fault(self, words: str) -> None:
        self.faults.append(f"resource {self.name or self.place} {words}")

    def _file(self) -> Path | None:
        path = self.entry.get("path")
        if isinstance(path, list) and len(path) == 1:
            path = path[0]
        if not isinstance(path, str) or not path:
            self._fault("has no path to one file" + (": tables in several files are not read" if path else ""))
            return None
        parts = PurePosixPath(path)
        if re.search(r"[:\\\0]", path) or parts.is_absolute() or ".." in parts.parts:
            self._fault("has a path that is not a plain one inside the folder")
            return None
        try:
            file = (self.folder / parts).resolve()
            inside, there = file.is_relative_to(self.folder.resolve()), file.is_file()
            size = file.stat().st_size if inside and there else 0
        except (OSError, ValueError, RuntimeError):
            inside, there, size = True, False, 0
        if not inside:
            self._fault("points out of the folder")
        elif not there:
            near = near_names(parts.name, sorted(one.name for one in self.folder.iterdir() if one.is_file()))
            self._fault("points to a file that is not there" + (f"; near: {', '.join(near)}" if near else ""))
        else:
            promised = self.entry.get("bytes")
            if promised is not None and promised != size:
                self._fault(f"has {size:,} bytes, not as many as 'bytes' says")
            return file
        return None

    def _hash(self) -> tuple[str | None, tuple[str, str] | None]:
        told = self.entry.get("hash")
        if told is None:
            return None, None
        algorithm, _, digest = told.rpartition(":") if isinstance(told, str) else ("", "", "")
        algorithm = (algorithm or _HASHES.get(len(digest), "")).lower().replace("-", "")
        if algorithm not in _HASHES.values() or not re.fullmatch(r"[0-9a-fA-F]+", digest):
            self._fault("has a hash that is no MD5, SHA-1, SHA-256 or SHA-512")
            return None, None
        return (digest.lower(), None) if algorithm == "sha256" else (None, (algorithm, digest.lower()))

    def _dialect(self) -> tuple[str | None, str | int | None]:
        dialect = self.entry.get("dialect")
        if dialect is None:
            return None, None
        if not isinstance(dialect, dict):
            self._fault("has a dialect that stands in another file or is no object")
            return None, None
        for key, value in dialect.items():
            if key == "delimiter" and (not isinstance(value, str) or value not in DELIMITERS):
                self._fault(f"has a delimiter that is none of {' '.join(map(repr, DELIMITERS))}")
            elif key in _PLAIN and not any(value == one and type(value) is type(one) for one in _PLAIN[key]):
                self._fault(f"has a dialect that is not read: {key}")
            elif key not in _PLAIN and key not in _IGNORED and key not in _SHEETS and key != "delimiter":
                self._fault("has a dialect that is not known")
        sheet = dialect.get("sheetName", dialect.get("sheetNumber"))
        if sheet is not None and (isinstance(sheet, bool) or not isinstance(sheet, str | int)):
            self._fault("has a sheet that is neither a name nor a number")
        return dialect.get("delimiter"), sheet

    def _schema(self, package: dict[str, Any]) -> dict[str, Any]:
        schema = self.entry.get("schema")
        if schema is None:
            return {}
        if not isinstance(schema, dict):
            self._fault("has a schema that stands in another file or is no object")
            return {}
        fields = schema.get("fields", [])
        if not isinstance(fields, list) or not all(
            isinstance(one, dict) and isinstance(one.get("name"), str) for one in fields
        ):
            self._fault("has a schema whose fields are not objects with a name")
            return {}
        return schema

    def _decimal(self, schema: dict[str, Any]) -> Any:
        marks = {str(one["decimalChar"]) for one in schema.get("fields", []) if "decimalChar" in one}
        if len(marks) > 1 or not marks <= {".", ","}:
            self._fault("has fields with decimal marks other than one of point and comma")
            return None
        return marks.pop() if marks else None


def require_hash(resource: Resource) -> None:
    """Compare a digest that is no SHA-256.

    Raises
    ------
    IptError
        The file is another one.
    """
    if resource.other_hash is None:
        return
    algorithm, digest = resource.other_hash
    with resource.file.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if found != digest:
        raise IptError(
            f"{resource.file.name} is not the file expected: its {algorithm.upper()} is {found}, not {digest}",
            hint="The file was changed since the digest was taken, or it is another file.",
        )
