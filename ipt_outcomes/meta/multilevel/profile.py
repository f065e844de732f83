"""Profile-likelihood intervals of variance components."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.meta.multilevel.blocks import Blocks
from ipt_outcomes.meta.multilevel.likelihood import gls
from ipt_outcomes.meta.multilevel.maximise import maximise


def profile(blocks: Blocks, estimates: np.ndarray, *, restricted: bool, level: float) -> list[tuple[float, float]]:
    """Return the limits of each component.

    Parameters
    ----------
    blocks : Blocks
    estimates : numpy.ndarray, shape (c,)
        Maximum of the likelihood.
    restricted : bool
    level : float

    Returns
    -------
    list of (float, float)

    Raises
    ------
    ConvergenceError
        No upper limit was found.
    """
    top = gls(blocks, estimates, restricted=restricted).log_likelihood
    floor = top - float(chdtri(1.0, 1.0 - level)) / 2
    typical = blocks.mean_variance
    limits = []
    for index, estimate in enumerate(estimates):

        def above(value: float, index: int = index) -> float:
            _, fitted = maximise(blocks, restricted=restricted, fixed={index: value})
            return fitted.log_likelihood - floor

        low = 0.0
        if estimate > 0 and above(0.0) < 0:
            low = float(brentq(above, 0.0, estimate, xtol=1e-12 * estimate, rtol=1e-10))
        far = max(2 * float(estimate), typical)
        for _ in range(60):
            if above(far) < 0:
                break
            far *= 2
        else:
            raise ConvergenceError("no upper limit of a variance was found", attempts=(f"doubling up to {far:.3g}",))
        limits.append((low, float(brentq(above, float(estimate), far, xtol=1e-12 * far, rtol=1e-10))))
    return limits
