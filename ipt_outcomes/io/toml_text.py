"""Writing TOML: quoted strings, names of shipped mappings."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache

from ipt_outcomes.resources import shipped, shipped_names

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
