"""How names are compared: small letters, hyphens and underscores as blanks."""

from __future__ import annotations

import re
import unicodedata


def plain(text: str) -> str:
    """Return a name as it is compared.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> plain("  Role_Dispute "), plain("IPT‑A")
    ('role dispute', 'ipt a')
    """
    name = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[-_\s‐‑–]+", " ", name).strip()


def bare(text: str) -> str:
    """Return a name as it is compared across languages: as `plain`, without accents.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> bare("Übliche Behandlung"), bare("Atenção")
    ('ubliche behandlung', 'atencao')
    """
    decomposed = unicodedata.normalize("NFKD", plain(text))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def aliases(*names: str) -> tuple[str, ...]:
    """Split lists of names that are separated by ``|``.

    Parameters
    ----------
    *names : str

    Returns
    -------
    tuple of str
    """
    return tuple(name for part in names for name in part.split("|"))
