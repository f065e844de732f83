"""Fit a linear mixed model: from a formula and a frame to a `LinearMixedFit`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.mixed.columns import as_frame
from ipt_outcomes.mixed.design import build_design
from ipt_outcomes.mixed.effects import variance_table
from ipt_outcomes.mixed.formula import parse
from ipt_outcomes.mixed.inference import satterthwaite
from ipt_outcomes.mixed.likelihood import constant_columns, moments_of
from ipt_outcomes.mixed.linear_fit import DfMethod, Inside, LinearMixedFit
from ipt_outcomes.mixed.optimise import SINGULAR, Structure, largest_likelihood
from ipt_outcomes.mixed.rank import estimable


def lmm(
    formula: str,
    data: object,
    *,
    reml: bool = True,
    df: DfMethod = "satterthwaite",
    level: float = 0.95,
) -> LinearMixedFit:
    """Fit a linear mixed model with one grouping factor.

    Parameters
    ----------
    formula : str
        As in lme4: ``"phq9 ~ week * arm + baseline + (week | patient_id)"``. Columns whose names are no plain words
        stand in backticks. The text is read by a grammar and never evaluated.
    data : pandas.DataFrame, or a polars, Arrow or DuckDB frame
        One row per person and visit. Rows with a missing outcome or covariate are left out and counted. A missing
        group means no random effect. A categorical's own order counts, the first level is the reference; plain
        text is sorted.
    reml : bool
        Restricted maximum likelihood; otherwise maximum likelihood.
    df : {"satterthwaite", "residual", "normal"}
        Degrees of freedom of tests and intervals.
    level : float
        Confidence level.

    Returns
    -------
    LinearMixedFit

    Raises
    ------
    OptionError
        A formula that is not understood, an unknown column, several grouping factors.
    DesignError
        Too few rows or groups.
    ConvergenceError
        No start converged; ``.attempts`` says how each ended.

    Notes
    -----
    A column that those before it give (an arm that has nobody of a level, a covariate that is the same for everybody)
    is not in the model; ``.dropped_terms`` names it. Means, contrasts and slopes that depend on it are missing and said
    to be not estimable.

    References
    ----------
    Laird and Ware (1982), Biometrics 38(4):963-974, doi:10.2307/2529876; Bates et al. (2015), J Stat Softw 67(1),
    doi:10.18637/jss.v067.i01; Kuznetsova et al. (2017), J Stat Softw 82(13), doi:10.18637/jss.v082.i13.

    Examples
    --------
    >>> from ipt_outcomes import simulate
    >>> fit = lmm("phq9 ~ week * arm + baseline + (week | patient_id)", simulate.trial().outcome("phq9"))
    >>> fit.converged, fit.n_groups
    (True, {'patient_id': 234})
    """
    require_choice("df", df, ("satterthwaite", "residual", "normal"))
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level}")
    try:
        design = build_design(parse(formula), as_frame(data))
    except RecursionError:
        raise OptionError("the formula is nested too deeply, or too long", hint="Write it in fewer terms.") from None
    moments, scaling = moments_of(design)
    found = estimable(moments.xx, scaling.fixed_back)
    if found.null.shape[1]:
        design = design.without_given(found)
        if not design.fixed:
            raise DesignError("every column of the fixed part is 0 in every row used")
        moments, scaling = moments_of(design)
    structure = Structure.of_blocks(np.array([random.block for random in design.random]))
    optimum = largest_likelihood(moments, structure, reml=reml)
    free = moments.n - len(design.fixed) if reml else moments.n
    sigma = float(np.sqrt(optimum.at.rss / free))
    inside = Inside(
        design,
        moments,
        scaling,
        optimum,
        satterthwaite(moments, structure, optimum.factor, optimum.at, sigma, reml=reml),
    )
    return _result(formula, inside, sigma, free, reml=reml, df=df, level=level)


def _result(
    formula: str, inside: Inside, sigma: float, free: int, *, reml: bool, df: DfMethod, level: float
) -> LinearMixedFit:
    """Back to the outcome's own units."""
    design, scale, optimum = inside.design, inside.scaling.scale, inside.optimum
    back = inside.scaling.fixed_back
    beta = back @ optimum.at.beta * scale
    names = [column.name for column in design.fixed]
    if inside.scaling.center:
        beta[constant_columns(design)] += inside.scaling.center
    vcov = back @ optimum.at.a_inv @ back.T * (sigma * scale) ** 2
    log_likelihood = -(optimum.at.deviance + 2 * free * np.log(scale)) / 2
    penalty = len(design.fixed) + inside.satterthwaite.structure.rows.size + 1
    singular = optimum.null is not None
    fit = LinearMixedFit(
        formula=formula,
        fixed=pd.DataFrame({"term": names, "estimate": beta}),
        random=variance_table(design, inside.scaling.random_back @ optimum.factor, sigma * scale),
        sigma=sigma * scale,
        log_likelihood=float(log_likelihood),
        aic=float(2 * penalty - 2 * log_likelihood),
        bic=float(np.log(design.n_rows) * penalty - 2 * log_likelihood),
        n_obs=design.n_rows,
        n_dropped=design.n_dropped,
        n_groups={design.group: len(design.group_levels)},
        vcov=vcov,
        reml=reml,
        df_method=df,
        level=level,
        converged=True,
        singular=singular,
        singular_direction=_in_words(inside) if singular else "",
        attempts=optimum.attempts,
        dropped_terms=tuple(column.name for column in design.dropped),
        n_parameters=penalty,
        design=design,
        _inside=inside,
    )
    return fit.with_coefficients()


def _in_words(inside: Inside) -> str:
    """What does not vary, in the columns as they are."""
    design, optimum, back = inside.design, inside.optimum, inside.scaling.random_back
    names = [random.column.name for random in design.random]
    factor = back @ optimum.factor
    variances = np.diag(factor @ factor.T) * optimum.scale**2
    none = [name for name, variance in zip(names, variances, strict=True) if variance < SINGULAR]
    if none:
        return f"the variance of {' and of '.join(none)} between {design.group} is 0"
    assert optimum.null is not None  # noqa: S101  the caller asked
    weights = np.linalg.solve(back.T, optimum.null)
    weights = weights / np.abs(weights).max()
    shown = [(weight, name) for weight, name in zip(weights, names, strict=True) if abs(weight) > 1e-3]
    parts = " + ".join(f"{weight:.2g} x {name}" for weight, name in shown)
    return f"the random effects of {design.group} are perfectly correlated: {parts} does not vary"
