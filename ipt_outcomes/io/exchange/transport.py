"""SAS transport files, version 5, written byte by byte: equal data give equal bytes, and no number is rounded.

Layout: SAS technical note TS-140, "The Record Layout of a Data Set in SAS Transport (XPORT) Format".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ipt_outcomes.errors import DataError

_RECORD = 80
_HEADER = "HEADER RECORD*******{:<8}HEADER RECORD!!!!!!!{:<30}  "
_NOTHING = "0" * 30
_PROGRAM, _SYSTEM = "9.4", "ANY"
# The layout has a day and a time; a fixed one, so that equal data give equal bytes.
_STAMP = "01JAN60:00:00:00"
_NUMBER, _TEXT = 1, 2
_WIDTH = 8
LONGEST_TEXT, LONGEST_NAME, LONGEST_LABEL = 200, 8, 40
_MISSING = b"." + b"\0" * 7


def transport_bytes(frame: pd.DataFrame, *, name: str, label: str, labels: Mapping[str, str]) -> bytes:
    """Write a table as a SAS transport file.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, p)
        Columns of ``float64`` are numbers (NaN is missing), all others texts (missing is blank).
    name, label : str
        Of the data set: up to 8 and up to 40 characters.
    labels : mapping of str to str
        Column to its label, up to 40 characters.

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        Names that do not fit, texts of more than 200 bytes, numbers beyond 7e75; all columns are named.
    """
    columns = [str(column) for column in frame]
    _refuse_names([name, *columns])
    cells = {column: _cells(frame[column]) for column in columns}
    _refuse_cells({column: found for column, found in cells.items() if isinstance(found, str)})
    made = {column: found for column, found in cells.items() if not isinstance(found, str)}
    parts = [_library(), _member(name, label), _variables(frame, made, labels)]
    rows = np.concatenate([*made.values()], axis=1) if made else np.zeros((len(frame), 0), dtype=np.uint8)
    parts.append(_padded(_HEADER.format("OBS", _NOTHING).encode()) + _padded(rows.tobytes()))
    return b"".join(parts)


def _refuse_names(names: list[str]) -> None:
    wrong = [name for name in names if not (name.isascii() and name.isidentifier() and len(name) <= LONGEST_NAME)]
    if wrong:
        raise DataError(
            f"names that do not fit into a transport file: {', '.join(wrong)}",
            column=wrong[0],
            hint=f"Names have up to {LONGEST_NAME} letters, digits and underscores; write parquet or csv.",
        )


def _refuse_cells(faults: Mapping[str, str]) -> None:
    if faults:
        raise DataError(
            "what does not fit into a transport file: " + "; ".join(f"{name}: {why}" for name, why in faults.items()),
            column=next(iter(faults)),
            hint="Write parquet or csv.",
        )


def _cells(cells: pd.Series) -> npt.NDArray[np.uint8] | str:
    """Bytes of a column, one row per cell; what is wrong with it where they cannot be made."""
    if cells.dtype == np.float64:
        return ibm_bytes(cells.to_numpy())
    texts = ["" if pd.isna(cell) else str(cell) for cell in cells]
    width = max((len(text.encode()) for text in texts), default=0) or 1
    if width > LONGEST_TEXT:
        return f"texts of {width} bytes, of which {LONGEST_TEXT} are the most"
    if any("\0" in text for text in texts):
        return "texts that hold the character 0"
    joined = b"".join(text.encode().ljust(width) for text in texts)
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), width)


def ibm_bytes(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8] | str:
    """Return doubles as IBM's hexadecimal numbers, which hold every double within their range exactly.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n,)
        NaN is missing; what is nearer to 0 than 5e-79 is 0.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, 8), or str
        What is wrong, where a number is infinite or beyond 7e75.
    """
    missing = np.isnan(values)
    fraction, power = np.frexp(np.where(missing, 0.0, values))
    if not np.isfinite(fraction).all():
        return "infinite numbers"
    # 2^power = 16^sixteens / 2^shift, with the shift taken off the fraction of 56 bits.
    sixteens = -(-power // 4)
    shift = 4 * sixteens - power
    exponent = sixteens + 64
    if (exponent[fraction != 0] > 127).any():
        return "numbers beyond 7e75"
    whole = np.ldexp(np.abs(fraction), 56 - shift).astype(np.uint64)
    zero = (fraction == 0) | (exponent < 0)
    words = whole | (np.where(zero, 0, exponent).astype(np.uint64) << np.uint64(56))
    words |= np.signbit(fraction).astype(np.uint64) << np.uint64(63)
    words[zero] = 0
    made: npt.NDArray[np.uint8] = words.astype(">u8").view(np.uint8).reshape(-1, _WIDTH).copy()
    made[missing] = np.frombuffer(_MISSING, dtype=np.uint8)
    return made


def _padded(content: bytes) -> bytes:
    return content + b" " * (-len(content) % _RECORD)


def _library() -> bytes:
    origin = f"{'SAS':<8}{'SAS':<8}{'SASLIB':<8}{_PROGRAM:<8}{_SYSTEM:<8}{'':24}{_STAMP}"
    return (_HEADER.format("LIBRARY", _NOTHING) + origin + f"{_STAMP:<80}").encode()


def _member(name: str, label: str) -> bytes:
    head = _HEADER.format("MEMBER", "000000000000000001600000000140")
    origin = f"{'SAS':<8}{name:<8}{'SASDATA':<8}{_PROGRAM:<8}{_SYSTEM:<8}{'':24}{_STAMP}"
    told = f"{_STAMP}{'':16}".encode() + _fitted(label, LONGEST_LABEL) + b" " * 8
    return head.encode() + _HEADER.format("DSCRPTR", _NOTHING).encode() + origin.encode() + told


def _variables(frame: pd.DataFrame, made: Mapping[str, npt.NDArray[np.uint8]], labels: Mapping[str, str]) -> bytes:
    head = _HEADER.format("NAMESTR", f"000000{len(made):04d}00000000000000000000").encode()
    entries, place = [], 0
    for number, (name, cells) in enumerate(made.items(), start=1):
        width = cells.shape[1]
        kind = _NUMBER if frame[name].dtype == np.float64 else _TEXT
        entries.append(
            struct.pack(">hhhh", kind, 0, width, number)
            + name.ljust(LONGEST_NAME).encode()
            + _fitted(labels.get(name, ""), LONGEST_LABEL)
            # Neither a format to show it with nor one to read it with.
            + b" " * 8 + struct.pack(">hhh2x", 0, 0, 0) + b" " * 8 + struct.pack(">hhi52x", 0, 0, place)
        )  # fmt: skip
        place += width
    return head + _padded(b"".join(entries))


def _fitted(text: str, width: int) -> bytes:
    return text.encode()[:width].decode("utf-8", "ignore").encode().ljust(width)
