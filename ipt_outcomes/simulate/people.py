"""What the simulated trial and clinic share: areas, keys, whole scores within an instrument's range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import instrument
from ipt_outcomes.vocabulary import ProblemArea

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AREAS = (
    ProblemArea.GRIEF,
    ProblemArea.ROLE_DISPUTE,
    ProblemArea.ROLE_TRANSITION,
    ProblemArea.INTERPERSONAL_DEFICITS,
)
AREA_SHARES = (0.22, 0.28, 0.31, 0.19)
# Points of PHQ-9 by which change differs from the mean over areas: deficits are held to be the hardest to treat.
AREA_CHANGE = np.array([-0.5, 0.1, -0.4, 0.9])
_AGES = (38.0, 12.0)
_YOUNGEST, _OLDEST = 18, 79


def require_people(n: int, least: int) -> None:
    """Raise `OptionError` unless `n` is a whole number of at least `least` people.

    Parameters
    ----------
    n, least : int

    Raises
    ------
    OptionError
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < least:
        raise OptionError(f"n must be a whole number of at least {least} people; got {n!r}")


def keys(letter: str, n: int) -> npt.NDArray[np.object_]:
    """Return ids as a study writes them: a letter and a running number of the same width.

    Parameters
    ----------
    letter : str
    n : int

    Returns
    -------
    numpy.ndarray of str, shape (n,)
    """
    width = max(3, len(str(n)))
    return np.array([f"{letter}{number:0{width}d}" for number in range(1, n + 1)], dtype=object)


def ages(rng: np.random.Generator, n: int) -> IntArray:
    """Draw ages of adults, in whole years.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    return np.clip(np.rint(rng.normal(*_AGES, size=n)), _YOUNGEST, _OLDEST).astype(np.int64)


def whole_scores(latent: FloatArray, name: str) -> FloatArray:
    """Turn a continuous severity into scores: whole points within the instrument's range.

    Parameters
    ----------
    latent : numpy.ndarray of float
        NaN stays.
    name : str
        Instrument of the registry.

    Returns
    -------
    numpy.ndarray of float
    """
    known = instrument(name)
    return np.clip(np.rint(latent), known.minimum, known.maximum)


def whole_column(values: FloatArray) -> pd.Series:
    """Return whole numbers as a column that is written without ".0"; NaN is missing.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n,)

    Returns
    -------
    pandas.Series of Int64, shape (n,)
    """
    return pd.Series(values).astype("Int64")


def chance(logit: FloatArray) -> FloatArray:
    """Return the probability of a logit.

    Parameters
    ----------
    logit : numpy.ndarray of float

    Returns
    -------
    numpy.ndarray of float
    """
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))
