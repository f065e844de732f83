"""Response to treatment: one rule for every scale, whichever way it runs and wherever it starts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.instruments.direction import Better

# A share of a decimal is not exact in binary: 0.3 of 10 must count as 3.
_SLACK = 1e-9


def responded(
    before: ArrayLike,
    after: ArrayLike,
    *,
    better: Better,
    minimum: float | None = 0.0,
    maximum: float | None = None,
    share: float = 0.5,
) -> np.ndarray:
    """Tell who responded: whose distance from the good end of the scale shrank by at least a share.

    Parameters
    ----------
    before, after : array_like, shape (k,)
        Scores; NaN where missing.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    minimum, maximum : float or None
        Range of the total. The good end has to be known: the minimum where lower is better, else the maximum.
    share : float
        Inclusive; 0.5 is half the distance.

    Returns
    -------
    numpy.ndarray of bool, shape (k,)
        False where a score is missing, or the first one lies at the good end already.

    Raises
    ------
    OptionError
        `share` is not above 0 and at most 1, `better` is none of its choices, or the good end is not known.

    Notes
    -----
    On a scale from 0 where lower is better this is the usual fall of half the first score. On a scale from 17 a
    fall from 37 to 27 is half. A scale turned round gives the same people.

    Examples
    --------
    >>> responded([37, 37], [27, 28], better="lower", minimum=17).tolist()
    [True, False]
    >>> responded([40, 40], [70, 60], better="higher", maximum=100).tolist()
    [True, False]
    """
    require_choice("better", better, ("lower", "higher"))
    if isinstance(share, bool) or not 0 < share <= 1:
        raise OptionError(f"response must be a share above 0 and at most 1, for example 0.5; got {share!r}")
    end = good_end(better, minimum, maximum)
    if end is None:
        raise OptionError(
            f"a response needs the {'lowest' if better == 'lower' else 'highest'} score the scale can give"
        )
    sign = 1.0 if better == "lower" else -1.0
    first = sign * (np.asarray(before, dtype=float) - end)
    last = sign * (np.asarray(after, dtype=float) - end)
    with np.errstate(invalid="ignore"):
        return np.asarray((first > 0) & (last <= (1 - share) * first + _SLACK * first))


def good_end(better: Better | None, minimum: float | None, maximum: float | None) -> float | None:
    """Return the good end of a scale, from which response is measured; None where it is not known.

    Parameters
    ----------
    better : {"lower", "higher"} or None
    minimum, maximum : float or None
        Infinite counts as not known.

    Returns
    -------
    float or None
    """
    end = {"lower": minimum, "higher": maximum}.get(better or "")
    return end if end is not None and math.isfinite(end) else None
