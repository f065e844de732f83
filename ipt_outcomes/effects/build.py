"""Last step of every effect-size function: no row leaves with a number that is not finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ipt_outcomes.effects.effect_sizes import EffectSizes, Measure
from ipt_outcomes.effects.inputs import FloatArray
from ipt_outcomes.results import Provenance


def build(
    yi: FloatArray,
    vi: FloatArray,
    flags: list[str],
    *,
    measure: Measure,
    convention: str,
    function: str,
    options: Mapping[str, Any],
    event: Literal["good", "bad"] | None = None,
) -> EffectSizes:
    """Return the result; a row without a finite effect and variance has neither, and its flag says why.

    Parameters
    ----------
    yi, vi : numpy.ndarray, shape (k,)
        Effect and sampling variance as computed; infinite where they overflow.
    flags : list of str
        One per row, empty where nothing was done.
    measure, convention, event
        As in `EffectSizes`.
    function : str
        Name of the calling function, after ``effects.``.
    options : mapping
        Options as used; ``formula`` says how yi and vi were made.

    Returns
    -------
    EffectSizes
    """
    unusable = ~(np.isfinite(yi) & np.isfinite(vi))
    for row in np.flatnonzero(unusable):
        flags[row] = flags[row] or "no effect: the numbers are too large or too small to compute with"
    return EffectSizes(
        yi=np.where(unusable, np.nan, yi) + 0.0,  # no "-0.0" where a sign was applied to 0
        vi=np.where(unusable, np.nan, vi),
        measure=measure,
        convention=convention,
        event=event,
        flags=tuple(flags),
        provenance=Provenance(function=f"effects.{function}", options=options),
    )
