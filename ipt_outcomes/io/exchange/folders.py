"""Write a folder whole or not at all, and never over another one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ipt_outcomes.errors import OptionError


def write_folder(folder: str | os.PathLike[str], files: Mapping[str, bytes]) -> Path:
    """Write files into a new folder, beside its place first and then moved there.

    Parameters
    ----------
    folder : path
        Must not exist; the folder above it must.
    files : mapping of str to bytes

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OptionError
        The folder exists, or the one above it does not.
    """
    path = Path(folder)
    require_new(path)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    try:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        # Rows of persons: for the one who wrote them only.
        temporary.chmod(0o700)
        require_new(path)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return path


def require_new(path: Path) -> None:
    """Refuse a folder that exists, or whose parent does not.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    OptionError
    """
    if path.exists() or path.is_symlink():
        raise OptionError(f"the folder {path.name!r} exists, and nothing is written over it", hint="Give a new name.")
    if not path.absolute().parent.is_dir():
        raise OptionError(f"the folder for {path.name!r} does not exist", hint="Make it first.")
