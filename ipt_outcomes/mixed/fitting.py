"""Fit a linear mixed model: from a formula and a frame to a `LinearMixedFit`."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, DesignError, OptionError, require_choice
from ipt_outcomes.mixed.centring import constant_columns
from ipt_outcomes.mixed.columns import as_frame, factor, is_numeric, numbers, used_levels
from ipt_outcomes.mixed.design import Design, build_design
from ipt_outcomes.mixed.effects import variance_table
from ipt_outcomes.mixed.engine.build import build_problem
from ipt_outcomes.mixed.engine.optimise import SINGULAR
from ipt_outcomes.mixed.engine.problem import Problem, Scaling
from ipt_outcomes.mixed.engine.residual import ResidualModel, Solution, solve
from ipt_outcomes.mixed.engine.rows import neighbours_of
from ipt_outcomes.mixed.engine.structure import Structure
from ipt_outcomes.mixed.formula import parse
from ipt_outcomes.mixed.linear_fit import DfMethod, Inside, LinearMixedFit
from ipt_outcomes.mixed.rank import estimable

OWN_METHODS = ("satterthwaite", "residual", "normal")
METHODS = (*OWN_METHODS, "kenward-roger", "kenward-roger-linear", "between-within")


def lmm(
    formula: str,
    data: object,
    *,
    reml: bool = True,
    df: DfMethod = "satterthwaite",
    level: float = 0.95,
    weights: str | None = None,
    residual: Literal["car1"] | None = None,
    time: str | None = None,
    residual_by: str | None = None,
) -> LinearMixedFit:
    """Fit a linear mixed model with any number of grouping factors, nested or crossed.

    Parameters
    ----------
    formula : str
        As in lme4: ``"phq9 ~ week * arm + baseline + (week | patient_id) + (1 | site/therapist)"``. Columns whose
        names are no plain words stand in backticks. The text is read by a grammar and never evaluated.
    data : pandas.DataFrame, a polars, Arrow or DuckDB frame, or a path to a Parquet or CSV file
        One row per person and visit. Rows with a missing outcome or covariate are left out and counted. A missing
        group means no random effect of that factor (a patient outside group therapy), never a dropped row. A
        categorical's own order counts, the first level is the reference; plain text is sorted.
    reml : bool
        Restricted maximum likelihood; otherwise maximum likelihood.
    df : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", "residual", "normal"}
        Degrees of freedom of tests and intervals (and, under Kenward-Roger, standard errors).
    level : float
        Confidence level.
    weights : str, optional
        Column of prior weights: the residual variance of a row is ``sigma**2`` divided by its weight.
    residual : {"car1"}, optional
        Residuals of one level of the factor with the most levels (a patient) are correlated, by a power of the time
        between them.
    time : str, optional
        Column of the times, with `residual`.
    residual_by : str, optional
        Column of levels, each with a residual variance of its own; ``sigma`` is that of the first.

    Returns
    -------
    LinearMixedFit

    Raises
    ------
    OptionError
        A formula that is not understood, an unknown column, an option without its column.
    DataError
        Weights that are not above 0.
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
    require_choice("df", df, METHODS)
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level}")
    _check_residual(residual, time)
    try:
        parsed = parse(formula)
    except RecursionError:
        raise OptionError("the formula is nested too deeply, or too long", hint="Write it in fewer terms.") from None
    needed = [name for name in (weights, time, residual_by) if name is not None]
    columns = [*parsed.columns, *parsed.group_columns, *needed]
    frame = as_frame(data, columns, parsed.group_columns)
    try:
        design = build_design(parsed, frame, needed=needed)
    except RecursionError:
        raise OptionError("the formula is nested too deeply, or too long", hint="Write it in fewer terms.") from None
    model = _residual_model(design, frame, weights, time, residual_by)
    # What was read from a file is in the design by now.
    del frame
    design, built = estimable_design(design, model, reml=reml)
    structure = Structure.of_design(design)
    solution = solve(design, structure, model, reml=reml, built=built)
    fit = _result(formula, design, structure, solution, reml=reml, df=df, level=level)
    if df == "kenward-roger" or df == "kenward-roger-linear" or df == "between-within":
        return _with_spread(fit, df)
    return fit


def _check_residual(residual: str | None, time: str | None) -> None:
    if residual is not None:
        require_choice("residual", residual, ("car1",))
    if (residual is None) != (time is None):
        raise OptionError(
            "residual='car1' and time=, the column of the times, go together",
            hint="For example residual='car1', time='week'.",
        )


def _residual_model(
    design: Design, frame: pd.DataFrame, weights: str | None, time: str | None, by: str | None
) -> ResidualModel:
    prior = None if weights is None else _weights(design, frame, weights)
    neighbours = None
    if time is not None:
        if not is_numeric(frame[time]):
            raise OptionError(f"{time} must be numeric: it holds the times of the rows", column=time)
        neighbours = neighbours_of(design.codes, numbers(frame[time].iloc[design.rows]), time, design.rows)
    group: np.ndarray | None = None
    names: tuple[str, ...] = ()
    if by is not None:
        found = used_levels(factor(frame[by].iloc[design.rows]))
        if len(found.levels) < 2:
            raise DesignError(f"{by} has one level only in the rows used, so no variance can differ by it", column=by)
        group = np.asarray(found.codes, dtype=np.int64)
        names = tuple(f"variance of {by}[{level}] / {by}[{found.levels[0]}]" for level in found.levels[1:])
    model = ResidualModel(prior, neighbours, group, names)
    return model.at(np.zeros(model.size))


def _weights(design: Design, frame: pd.DataFrame, name: str) -> np.ndarray:
    if not is_numeric(frame[name]):
        raise OptionError(f"{name} must be numeric: it holds weights", column=name)
    values = numbers(frame[name].iloc[design.rows])
    wrong = np.flatnonzero(values <= 0)
    if wrong.size:
        raise DataError(
            f"{name}: weights must be above 0; {wrong.size} of {values.size} rows used are not",
            rows=design.rows[wrong][:1000].tolist(),
            column=name,
            hint="A row that should not count is better left out of the data.",
        )
    return values


def estimable_design(
    design: Design, model: ResidualModel, *, reml: bool
) -> tuple[Design, tuple[Problem, Scaling]]:  # fmt: skip
    """Leave out the fixed columns that others give; return also the sums of what stays.

    Parameters
    ----------
    design : Design
    model : ResidualModel
    reml : bool

    Returns
    -------
    Design
    tuple of Problem and Scaling
    """
    built = build_problem(design, reml=reml, rows=model.rows())
    found = estimable(built[0].gram(), built[1].fixed_back)
    if found.null.shape[1]:
        design = design.without_given(found)
        if not design.fixed:
            raise DesignError("every column of the fixed part is 0 in every row used")
        built = build_problem(design, reml=reml, rows=model.rows())
    return design, built


def _result(
    formula: str,
    design: Design,
    structure: Structure,
    solution: Solution,
    *,
    reml: bool,
    df: DfMethod,
    level: float,
) -> LinearMixedFit:
    """Back to the outcome's own units."""
    scaling, optimum, scale = solution.scaling, solution.optimum, solution.scaling.scale
    at, free = optimum.at, solution.problem.free
    sigma = float(np.sqrt(at.variance)) * scale
    beta = scaling.fixed_back @ at.beta * scale
    names = [column.name for column in design.fixed]
    if scaling.center:
        beta[constant_columns(design)] += scaling.center
    vcov = scaling.fixed_back @ at.a_inv @ scaling.fixed_back.T * sigma**2
    log_likelihood = -(at.deviance + 2 * free * np.log(scale)) / 2
    penalty = len(design.fixed) + structure.size + 1 + solution.residual.size
    inside = Inside(
        solution.problem, scaling, structure, optimum, solution.satterthwaite, solution.residual, vcov
    )  # fmt: skip
    roots = [back @ root for back, root in zip(scaling.random_back, optimum.factors, strict=True)]
    fit = LinearMixedFit(
        formula=formula,
        fixed=pd.DataFrame({"term": names, "estimate": beta}),
        random=variance_table(design, roots, sigma),
        sigma=sigma,
        log_likelihood=float(log_likelihood),
        aic=float(2 * penalty - 2 * log_likelihood),
        bic=float(np.log(design.n_rows) * penalty - 2 * log_likelihood),
        n_obs=design.n_rows,
        n_dropped=design.n_dropped,
        n_groups={group.name: len(group.levels) for group in design.factors},
        vcov=vcov,
        reml=reml,
        df_method=df,
        level=level,
        converged=True,
        singular=optimum.singular,
        singular_direction=_in_words(design, inside),
        attempts=optimum.attempts,
        dropped_terms=tuple(column.name for column in design.dropped),
        n_parameters=penalty,
        residual_parameters=solution.residual.named(),
        design=design,
        _inside=inside,
    )
    return fit.with_coefficients() if df in OWN_METHODS else fit


def _with_spread(
    fit: LinearMixedFit, df: Literal["kenward-roger", "kenward-roger-linear", "between-within"]
) -> LinearMixedFit:
    """Standard errors and degrees of freedom by a method that needs the finished fit."""
    from ipt_outcomes.mixed.degrees import spread_of

    whole = replace(fit, df_method="normal").with_coefficients()
    spread = spread_of(whole, df)
    inside = replace(fit._inside, spread=spread)
    return replace(whole, df_method=df, vcov=spread.vcov, _inside=inside).with_coefficients()


def _in_words(design: Design, inside: Inside) -> str:
    """What does not vary, in the columns as they are."""
    found = []
    optimum = inside.optimum
    for number, (group, null) in enumerate(zip(design.factors, optimum.nulls, strict=True)):
        if null is None:
            continue
        back = inside.scaling.random_back[number]
        names = [random.column.name for random in group.columns]
        root = back @ optimum.factors[number]
        variances = np.diag(root @ root.T) * optimum.sizes[number] ** 2
        none = [name for name, variance in zip(names, variances, strict=True) if variance < SINGULAR]
        if none:
            found.append(f"the variance of {' and of '.join(none)} between {group.name} is 0")
            continue
        weights = np.linalg.solve(back.T, null)
        weights = weights / np.abs(weights).max()
        shown = [(weight, name) for weight, name in zip(weights, names, strict=True) if abs(weight) > 1e-3]
        parts = " + ".join(f"{weight:.2g} x {name}" for weight, name in shown)
        found.append(f"the random effects of {group.name} are perfectly correlated: {parts} does not vary")
    return "; ".join(found)
