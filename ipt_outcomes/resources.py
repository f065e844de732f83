"""Files that ship with the package: schemas, mappings, report templates and specs.

In a wheel they lie in ``ipt_outcomes/_shipped``; in a checkout (also with an editable install, which does
not see forced includes) they lie beside the package.
"""

from __future__ import annotations

from pathlib import Path

from ipt_outcomes.errors import IptError

_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """Path of a shipped file or folder.

    Parameters
    ----------
    *parts : str
        Path below the project's top level, for example ``"data_schemas", "comparisons.json"``.

    Returns
    -------
    pathlib.Path
        An existing path.

    Raises
    ------
    IptError
        The installation holds no such file.
    """
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists() and path.resolve().is_relative_to(root.resolve()):
            return path
    raise IptError(
        f"{'/'.join(parts)} is not part of this installation",
        hint="Install ipt-outcomes again: pip install --force-reinstall ipt-outcomes",
    )


def shipped_names(*folder: str, suffix: str) -> tuple[str, ...]:
    """Names, without `suffix`, of the shipped files in a folder, sorted.

    Parameters
    ----------
    *folder : str
        Path of the folder below the project's top level.
    suffix : str
        Ending of the files wanted, for example ``".json"``.

    Returns
    -------
    tuple of str
    """
    return tuple(sorted(path.name.removesuffix(suffix) for path in shipped(*folder).glob(f"*{suffix}")))
