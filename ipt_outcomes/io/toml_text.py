"""TOML of mappings: quoted strings, names of shipped ones, reading a file, saying everything that is wrong with it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import OptionError, near_names
from ipt_outcomes.resources import shipped, shipped_names
from ipt_outcomes.results import plural

_FOLDER = ("data_schemas", "mappings")


def quoted(text: str) -> str:
    r"""Write a TOML basic string: as JSON does, but no surrogate pairs and no bare DEL.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> quoted('say "yes"')
    '"say \\"yes\\""'
    """
    inner = "".join(c if ord(c) > 0xFFFF else json.dumps(c)[1:-1] for c in text)
    return '"' + inner.replace("\x7f", "\\u007f") + '"'


def key(name: str) -> str:
    """Write a TOML key: bare where it may be, else quoted.

    Examples
    --------
    >>> key("phq9"), key("12")
    ('phq9', '"12"')
    """
    # A bare key of digits is allowed, but looks like a number.
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else quoted(name)


def toml_text(record: Mapping[str, Any]) -> str:
    """Write a record of texts, numbers, lists and tables as TOML.

    Parameters
    ----------
    record : mapping

    Returns
    -------
    str
        Plain values before tables, as TOML asks for.

    Examples
    --------
    >>> print(toml_text({"a": 1, "b": {"c": ["x"]}}), end="")
    a = 1
    <BLANKLINE>
    [b]
    c = ["x"]
    """
    return "\n".join(_lines(record, "")).lstrip("\n") + "\n"


def _lines(record: Mapping[str, Any], title: str) -> list[str]:
    plain = {name: value for name, value in record.items() if not isinstance(value, Mapping)}
    lines = ["", f"[{title}]"] if title and (plain or not record) else []
    lines += [f"{key(name)} = {_written(value)}" for name, value in plain.items()]
    for name, value in record.items():
        if isinstance(value, Mapping):
            lines += _lines(value, f"{title}.{key(name)}" if title else key(name))
    return lines


def _written(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(one) for one in value)}]"
    return repr(value)


def shipped_mappings(*, cohort: bool) -> tuple[str, ...]:
    """Names of the mappings that come with the package, of one kind.

    Parameters
    ----------
    cohort : bool
        Mappings of patient files; else those of study tables.

    Returns
    -------
    tuple of str
    """
    return tuple(name for name, is_cohort in _kinds().items() if is_cohort == cohort)


@cache
def _kinds() -> dict[str, bool]:
    names = shipped_names(*_FOLDER, suffix=".toml")
    texts = {name: shipped(*_FOLDER, f"{name}.toml").read_text(encoding="utf-8") for name in names}
    return {name: tomllib.loads(text).get("table") == "cohort" for name, text in texts.items()}


def read_toml(source: str | os.PathLike[str], *, cohort: bool) -> tuple[dict[str, Any], str]:
    """Read the TOML text of a mapping: a file, or one that comes with the package.

    Parameters
    ----------
    source : path or name
    cohort : bool
        Of which kind the shipped mappings are that a name may mean.

    Returns
    -------
    raw : dict
    name : str
        Name of the file, without its folder.

    Raises
    ------
    OptionError
        No such file or name, no UTF-8 text, no TOML.
    """
    given = os.fspath(source)
    path = Path(given).expanduser()
    known = shipped_mappings(cohort=cohort)
    if not path.is_file() and path.name == given and given in known:
        path = shipped(*_FOLDER, f"{given}.toml")
    if not path.is_file():
        kind = "patient files" if cohort else "study tables"
        listed = f"Mappings of {kind} that come with the package: {', '.join(known)}."
        near = near_names(given, known)
        raise OptionError(
            f"there is no mapping file {path.name}" + (f"; near: {', '.join(near)}" if near else ""), hint=listed
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise OptionError(f"the mapping {path.name} cannot be read as UTF-8 text") from None
    try:
        return tomllib.loads(text), path.name
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"the mapping {path.name} is not valid TOML: {error}") from None


def refuse_mapping(found: Sequence[str], what: str, hint: str) -> None:
    """Raise `OptionError` listing all faults of a mapping, if there are any."""
    if found:
        listed = "\n".join(f"- {fault}" for fault in found)
        raise OptionError(f"{what} has {len(found)} {plural(len(found), 'fault', 'faults')}:\n{listed}", hint=hint)


def no_column(where: str, source: str, columns: Iterable[str]) -> str:
    """Say that a file has no column of a name, with the near ones."""
    near = near_names(source, list(columns))
    return f"{where}: the file has no column {source!r}" + (f"; near: {', '.join(near)}" if near else "")
