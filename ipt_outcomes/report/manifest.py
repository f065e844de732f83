"""The manifest of a report: what was run, on which input, and the hash of every file that came out."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import Any

from ipt_outcomes import __version__
from ipt_outcomes.errors import DataError, IptError, OptionError

MANIFEST_NAME = "manifest.json"
AUDIENCES = ("internal", "board", "public", "publication", "published")

_LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "matplotlib",
    "Jinja2",
    "typst",
    "python-docx",
    "openpyxl",
    "pyreadstat",
)
_PATH = re.compile(r"(/[^/\s]+){2,}|[A-Za-z]:[\\/].*|\\\\.*|~/.*")
_FILE_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]+")


def plain_name(name: str) -> str:
    """Return a file's name, or raise if it could lead out of the folder.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Raises
    ------
    OptionError
        It holds a separator, a control character, or begins with a dot.
    """
    if not _FILE_NAME.fullmatch(name) or name.startswith(".") or name != name.strip():
        raise OptionError(f"expected a plain file name, without folder or leading dot; got {name!r}")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """An input of the analysis.

    Parameters
    ----------
    name : str
        Plain file name, or what the data are called.
    sha256 : str
        Of the file's bytes.
    bytes, rows : int or None
        Size, where known.
    """

    name: str
    sha256: str
    bytes: int | None = None
    rows: int | None = None

    def __post_init__(self) -> None:
        plain_name(self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are known."""
        values = {"name": self.name, "sha256": self.sha256, "bytes": self.bytes, "rows": self.rows}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file of the report: its plain name and the SHA-256 of its bytes."""

    name: str
    sha256: str

    def __post_init__(self) -> None:
        plain_name(self.name)


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def library_versions() -> dict[str, str]:
    """Versions of the installed libraries that compute or draw what a report shows."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a report was made from and which files it is.

    Parameters
    ----------
    analysis : mapping of str to JSON values
        Job, options as used, mapping: enough to run it again.
    inputs : tuple of InputFile
    files : tuple of MadeFile
        Every file of the folder but the manifest itself.
    audience : {"internal", "board", "public", "publication", "published"}
        Whom the report may be shown to; "publication": a trial's own paper; "published": aggregate data that
        are published already.
    simulated : bool
    version, python : str
    libraries : mapping of str to str
    """

    analysis: Mapping[str, Any]
    inputs: tuple[InputFile, ...] = ()
    files: tuple[MadeFile, ...] = ()
    audience: str = "public"
    simulated: bool = False
    version: str = __version__
    python: str = field(default_factory=platform.python_version)
    libraries: Mapping[str, str] = field(default_factory=library_versions)

    def __post_init__(self) -> None:
        if paths := sorted(set(_paths(self.analysis))):
            raise IptError(f"a manifest holds no path of a machine; found it under {', '.join(paths)}")

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as JSON values, the seal (a hash of all the rest) last."""
        content = self._content()
        return {**content, "seal": sha256(_json(content).encode())}

    def to_json(self) -> str:
        """Return the manifest as JSON text; the same manifest always gives the same text."""
        return _json(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest.

        Parameters
        ----------
        text : str

        Returns
        -------
        Manifest

        Raises
        ------
        DataError
            It is not a manifest, or not byte for byte as it was written.
        """
        try:
            raw = json.loads(text)
            manifest = cls(
                analysis=raw["analysis"],
                inputs=tuple(InputFile(**item) for item in raw["inputs"]),
                files=tuple(MadeFile(**item) for item in raw["files"]),
                audience=raw["audience"],
                simulated=raw["simulated"],
                version=raw["package"]["version"],
                python=raw["python"],
                libraries=raw["libraries"],
            )
            sealed = manifest.to_json()
        except (ValueError, KeyError, TypeError, AttributeError, IptError):
            raise DataError(f"{MANIFEST_NAME} is not a manifest of a report") from None
        if sealed != text:
            raise DataError(f"{MANIFEST_NAME} is not as it was written: its seal does not fit")
        return manifest

    def with_files(self, made: Mapping[str, bytes]) -> Manifest:
        """Return the manifest with the hashes of the files made, sorted by name."""
        return replace(self, files=tuple(MadeFile(name=name, sha256=sha256(made[name])) for name in sorted(made)))

    def _content(self) -> dict[str, Any]:
        return {
            "package": {"name": "ipt-outcomes", "version": self.version},
            "python": self.python,
            "libraries": dict(self.libraries),
            "audience": self.audience,
            "simulated": self.simulated,
            "analysis": dict(self.analysis),
            "inputs": [item.to_dict() for item in self.inputs],
            "files": [{"name": item.name, "sha256": item.sha256} for item in self.files],
        }


def _json(content: Mapping[str, Any]) -> str:
    try:
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError):
        raise IptError("the record of an analysis must be JSON values: text, finite numbers, lists, tables") from None


def _paths(value: object, name: str = "analysis") -> Iterable[str]:
    """Names of the entries that hold a path of this machine."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _paths(item, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item, name)
    elif isinstance(value, str) and _PATH.fullmatch(value):
        yield name
