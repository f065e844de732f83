"""Whether a file is whole: what its own header promises, counted against its bytes."""

from __future__ import annotations

import struct
from pathlib import Path

from .portable import check_portable
from .promise import Whole
from .refused import RefusedError
from .sas import check_sas
from .spss import check_spss
from .stata import check_stata
from .transport import check_transport

_CHECKS = {
    "spss": check_spss,
    "portable": check_portable,
    "stata": check_stata,
    "sas": check_sas,
    "transport": check_transport,
    "catalog": check_sas,
}


def check_whole(path: Path, kind: str, cells: int) -> Whole:
    """Check a file before the reader touches it.

    Parameters
    ----------
    path : Path
    kind : str
        Format.
    cells : int
        The most cells that will be read; a file that unfolds into far more is refused while it is counted.

    Returns
    -------
    Whole

    Raises
    ------
    RefusedError
    """
    content = path.read_bytes()
    try:
        return _CHECKS[kind](content, cells)
    except (EOFError, IndexError, struct.error):
        raise RefusedError("short") from None
    except (ValueError, OverflowError):
        # The header holds what cannot be.
        raise RefusedError("header") from None
