"""Random study keys in place of ids (rule L8)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BITS = 48
_NULL_WORDS = frozenset(
    ("na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "missing", "unknown", ".", "-", "?")
)


def draw_keys(n: int, *, sha256: str, purpose: str, prefix: str) -> np.ndarray:
    """Draw random keys, all different.

    Parameters
    ----------
    n : int
        How many.
    sha256 : str
        Digest of the source, which seeds the generator: one file gives the same keys again.
    purpose : str
        Separates the keys of people from those of therapists.
    prefix : str
        Letter the keys begin with.

    Returns
    -------
    numpy.ndarray of str, shape (n,)
        No key depends on an id; only the whole file gives them.
    """
    rng = np.random.default_rng([int(sha256[:32], 16), int(sha256[32:], 16), zlib.crc32(purpose.encode())])
    drawn = rng.integers(0, 1 << _BITS, size=n, dtype=np.int64)
    while len(np.unique(drawn)) < n:
        _, first = np.unique(drawn, return_index=True)
        again = np.setdiff1d(np.arange(n), first)
        drawn[again] = rng.integers(0, 1 << _BITS, size=len(again), dtype=np.int64)
    # Sixteen digits each, of which the first four are 0.
    digits = drawn.astype(">i8").tobytes().hex()
    return np.array([prefix + digits[at + 4 : at + 16] for at in range(0, 16 * n, 16)], dtype=object)


def read_as_missing(ids: Sequence[str]) -> np.ndarray:
    """Return which ids are words that programs write where an id is missing.

    Parameters
    ----------
    ids : sequence of str, shape (n,)

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        All rows with such a word would become one person.

    Examples
    --------
    >>> read_as_missing(["NA", "007", " null "]).tolist()
    [True, False, True]
    """
    return np.array([one.strip().casefold() in _NULL_WORDS for one in ids], dtype=bool)


def plain_ids(ids: Sequence[str]) -> list[str]:
    """Return ids without leading zeros and blanks, in small letters.

    Parameters
    ----------
    ids : sequence of str

    Returns
    -------
    list of str
        Ids that look alike have one form.

    Examples
    --------
    >>> plain_ids(["007", "A 01", "a1"])
    ['7', 'a1', 'a1']
    """
    forms: list[str] = _plain(ids).to_pylist()
    return forms


def _plain(ids: Sequence[str]) -> pa.Array:
    plain = pc.utf8_lower(pa.array(ids, type=pa.large_string()))
    plain = pc.replace_substring_regex(plain, r"\s+", "")
    return pc.replace_substring_regex(plain, r"(^|[^0-9])0+([0-9])", r"\1\2")


def look_alikes(ids: Sequence[str]) -> tuple[int, int]:
    """Count ids that differ only by leading zeros, case or blanks.

    Parameters
    ----------
    ids : sequence of str
        Different ids.

    Returns
    -------
    groups, members : int
        How many groups of look-alikes there are, and how many ids are in one.

    Examples
    --------
    >>> look_alikes(["007", "07", "7", "8"])
    (1, 3)
    """
    counts = pc.value_counts(_plain(ids)).field("counts").to_numpy(zero_copy_only=False)
    several = counts[counts > 1]
    return len(several), int(several.sum())
