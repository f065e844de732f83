"""Outcomes drawn from a fit, and intervals by fitting the model to them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ipt_outcomes.errors import ConvergenceError, OptionError
from ipt_outcomes.mixed.progress import counted

if TYPE_CHECKING:
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit

FEWEST_DRAWS = 20


def check_generator(rng: object) -> np.random.Generator:
    """Return the generator, or raise `OptionError` where it is none."""
    if not isinstance(rng, np.random.Generator):
        raise OptionError(
            f"rng must be a numpy random generator; got {type(rng).__name__}",
            hint="For example rng=numpy.random.default_rng(2022).",
        )
    return rng


def simulated(fit: LinearMixedFit, rng: np.random.Generator) -> np.ndarray:
    """Draw an outcome for every row used: new random effects, new residuals.

    Parameters
    ----------
    fit : LinearMixedFit
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, shape (n_obs,)
    """
    check_generator(rng)
    design = fit.design
    found = np.asarray(design.fixed_matrix() @ fit.fixed["estimate"].to_numpy())
    if fit._inside.residual.neighbours is not None:
        # Residuals of neighbouring rows are correlated: draw each block of dependent rows as a whole.
        from ipt_outcomes.mixed.engine.marginal import marginal_of

        for block in marginal_of(fit).blocks():
            found[block.rows] += np.linalg.cholesky(block.v) @ rng.standard_normal(len(block.rows))
        return found
    for number, (factor, root) in enumerate(zip(design.factors, fit.relative_factors(), strict=True)):
        effects = fit.sigma * rng.standard_normal((len(factor.levels), len(root))) @ root.T
        found += (design.random_matrix(number) * effects[np.maximum(factor.codes, 0)]).sum(axis=1)
    return np.asarray(found + fit.residual_sd() * rng.standard_normal(design.n_rows))


def bootstrap(
    fit: LinearMixedFit, rng: np.random.Generator, *, draws: int, level: float, progress: bool
) -> pd.DataFrame:
    """Return percentile intervals of a parametric bootstrap.

    Parameters
    ----------
    fit : LinearMixedFit
    rng : numpy.random.Generator
    draws : int
    level : float
    progress : bool
        Whether a bar is shown.

    Returns
    -------
    pandas.DataFrame
        ``term estimate se ci_low ci_high``: SDs, correlations, ``sigma``, coefficients, named as `profile` names them;
        ``se`` is the SD over the draws.

    Raises
    ------
    OptionError
        Too few draws, no generator.
    ConvergenceError
        More than a tenth of the draws could not be fitted.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, doi:10.1201/9780429246593.
    """
    check_generator(rng)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < FEWEST_DRAWS:
        raise OptionError(f"draws must be a whole number of at least {FEWEST_DRAWS}; got {draws!r}")
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level}")
    from ipt_outcomes.mixed.engine.refit import refit

    found: list[np.ndarray] = []
    failed = 0
    for _ in counted(draws, "bootstrap", show=progress):
        try:
            again = refit(fit, simulated(fit, rng))
        except ConvergenceError:
            failed += 1
            if failed > draws // 10:
                raise ConvergenceError(
                    f"{failed} of the first {len(found) + failed} samples of the bootstrap could not be fitted",
                    attempts=(),
                    hint="Use .profile(), or a simpler random part.",
                ) from None
            continue
        found.append(_numbers(fit.random, np.asarray(again.random), again.sigma, again.beta))
    drawn = np.array(found)
    own = _numbers(fit.random, fit.random["variance_or_cov"].to_numpy(), fit.sigma, fit.fixed["estimate"].to_numpy())
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame(
        {
            "term": [*_names(fit.random), "sigma", *fit.fixed["term"]],
            "estimate": own,
            "se": np.nanstd(drawn, axis=0, ddof=1),
            "ci_low": low,
            "ci_high": high,
        }
    )


def _names(random: pd.DataFrame) -> list[str]:
    return [
        f"cor_{row['term2']}.{row['term1']}|{row['group']}" if row["term2"] else f"sd_{row['term1']}|{row['group']}"
        for row in random.to_dict("records")
    ]


def _numbers(random: pd.DataFrame, values: np.ndarray, sigma: float, beta: np.ndarray) -> np.ndarray:
    """SDs and correlations from variances and covariances; then the residual SD and the coefficients."""
    keys = list(zip(random["group"], random["term1"], random["term2"], strict=True))
    variance = {(group, one): value for (group, one, two), value in zip(keys, values, strict=True) if not two}
    found = []
    for (group, one, two), value in zip(keys, values, strict=True):
        if not two:
            found.append(np.sqrt(max(value, 0.0)))
        else:
            product = np.sqrt(variance[group, one] * variance[group, two])
            found.append(value / product if product > 0 else np.nan)
    return np.array([*found, sigma, *beta])
