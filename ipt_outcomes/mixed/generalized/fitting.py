"""Fit a generalized linear mixed model: from a formula and a frame to a `GeneralizedMixedFit`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, DesignError, OptionError, require_choice
from ipt_outcomes.mixed.columns import as_frame, is_numeric, require_columns
from ipt_outcomes.mixed.design import Design, build_design
from ipt_outcomes.mixed.formula import Binary, Call, Column, Formula, Node, Number, parse
from ipt_outcomes.mixed.generalized.family import Family, FamilyName
from ipt_outcomes.mixed.generalized.fit import GeneralizedMixedFit, Inside
from ipt_outcomes.mixed.generalized.optimise import Objective, Peak, largest_likelihood
from ipt_outcomes.mixed.generalized.problem import Problem, Random, arrange
from ipt_outcomes.mixed.generalized.quadrature import MOST_POINTS
from ipt_outcomes.mixed.generalized.separation import refuse_separation, separated
from ipt_outcomes.mixed.rank import estimable
from ipt_outcomes.mixed.transforms import arithmetic

MOST_QUADRATURE = 100
_MOST_STEPS = 50


def glmm(
    formula: str,
    data: object,
    *,
    family: FamilyName = "binomial",
    quadrature: int = 1,
    exposure: str | None = None,
    level: float = 0.95,
) -> GeneralizedMixedFit:
    """Fit a generalized linear mixed model: logistic for response and remission, Poisson for counts.

    Parameters
    ----------
    formula : str
        As in lme4: ``"response ~ week * arm + (1 | patient_id)"``; or, for counts out of a total,
        ``"cbind(events, total - events) ~ arm + (1 | site)"``. Any number of grouping factors.
    data : pandas.DataFrame, a polars, Arrow or DuckDB frame, or a path to Parquet or CSV
        Rows with a missing outcome or covariate are left out and counted.
    family : {"binomial", "poisson"}
        Binomial with the logit link: an outcome of 0 and 1 (or false and true). Poisson with the log link: counts.
    quadrature : int
        Points of adaptive Gauss-Hermite quadrature per random effect, for one grouping factor; 1 is Laplace's
        approximation. With few rows per group and large variances 1 is biased: try 15.
    exposure : str, optional
        Column of a Poisson model with the time or number at risk; its logarithm is added to the linear predictor.
    level : float
        Confidence level.

    Returns
    -------
    GeneralizedMixedFit

    Raises
    ------
    OptionError
        A formula that is not understood, an unknown column; quadrature for several grouping factors.
    DataError
        Outcomes that are no 0 and 1, or no counts; rows are named.
    DesignError
        Too few rows or groups; a level in which every outcome is the same, so that its coefficient is infinite.
    ConvergenceError
        No start converged; ``.attempts`` says how each ended.

    Notes
    -----
    The log-likelihood holds the constant of the distribution, for every number of points; lme4 leaves part of it out
    with more than one. Standard errors come from the curvature by coefficients and variances together.

    References
    ----------
    Breslow and Clayton (1993), J Am Stat Assoc 88(421):9-25, doi:10.1080/01621459.1993.10594284; Pinheiro and Bates
    (1995), J Comput Graph Stat 4(1):12-35, doi:10.1080/10618600.1995.10474663.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(3)
    >>> site = np.repeat(np.arange(12), 4)
    >>> arm = np.tile(["usual", "usual", "ipt", "ipt"], 12)
    >>> chance = 1 / (1 + np.exp(0.8 - 1.2 * (arm == "ipt") - rng.normal(0, 0.5, 12)[site]))
    >>> frame = pd.DataFrame({"site": site, "arm": arm, "n": 20, "r": rng.binomial(20, chance)})
    >>> frame["arm"] = pd.Categorical(frame["arm"], ["usual", "ipt"])
    >>> fit = glmm("cbind(r, n - r) ~ arm + (1 | site)", frame)
    >>> list(fit.fixed["term"]), fit.n_groups
    (['(Intercept)', 'arm[ipt]'], {'site': 12})
    """
    require_choice("family", family, ("binomial", "poisson"))
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level}")
    if isinstance(quadrature, bool) or not isinstance(quadrature, int) or not 1 <= quadrature <= MOST_QUADRATURE:
        raise OptionError(f"quadrature must be a whole number from 1 to {MOST_QUADRATURE}; got {quadrature!r}")
    if exposure is not None and family != "poisson":
        raise OptionError("exposure is for counts: family='poisson'")
    try:
        parsed = parse(formula)
    except RecursionError:
        raise OptionError("the formula is nested too deeply, or too long", hint="Write it in fewer terms.") from None
    wanted = [*parsed.columns, *parsed.group_columns, *([exposure] if exposure is not None else [])]
    frame = _true_is_one(as_frame(data, wanted, parsed.group_columns), parsed)
    design = build_design(_one_outcome(parsed), frame, needed=[] if exposure is None else [exposure])
    y, size = _counts(parsed, design, family)
    offset = _offset(design, frame, exposure)
    design, x = _told(design, size)
    refuse_separation(design, x, y, size, family)
    problem = arrange(Family(family), y, size, offset, x, randoms_of(design))
    if quadrature > 1:
        _check_quadrature(problem, quadrature)
    objective = objective_of(problem, quadrature)
    peak = largest_likelihood(objective)
    return result(formula, design, objective, peak, level=level)


def _one_outcome(parsed: Formula) -> Formula:
    """The formula with ``cbind(events, failures)`` as one column that is the same in two rows where both counts are."""
    if isinstance(parsed.response, Call) and parsed.response.function == "cbind":
        events, failures = parsed.response.arguments
        return replace(parsed, response=Binary("+", events, Binary("*", Number(2**0.5), failures)))
    return parsed


def _true_is_one(frame: pd.DataFrame, parsed: Formula) -> pd.DataFrame:
    node = parsed.response
    if isinstance(node, Column):
        require_columns(frame, [node.name])
        own = frame[node.name]
        if pd.api.types.is_bool_dtype(own.dtype):
            return frame.assign(**{node.name: own.astype("Float64")})
        if not is_numeric(own):
            raise DataError(
                f"{node.name}: the outcome must hold 0 and 1, true and false, or counts",
                column=node.name,
                hint="Make it a column of 0 and 1 first, for example frame['responded'] = frame['answer'] == 'yes'.",
            )
    return frame


def _counts(parsed: Formula, design: Design, family: FamilyName) -> tuple[np.ndarray, np.ndarray]:
    """Events and trials of each row; faults are named by row of the data."""
    columns = {name: values for name, values in design.columns.items() if isinstance(values, np.ndarray)}
    node, name = parsed.response, str(parsed.response)

    def value(part: Node) -> np.ndarray:
        return arithmetic(part, columns, name)

    if isinstance(node, Call) and node.function == "cbind":
        if family != "binomial":
            raise OptionError("cbind(events, failures) is an outcome of family='binomial'")
        y = value(node.arguments[0])
        size = y + value(node.arguments[1])
        wrong = (y < 0) | (size < y) | (np.abs(y - np.round(y)) > 1e-8) | (np.abs(size - np.round(size)) > 1e-8)
        what = "events and failures must be whole numbers, none below 0"
    else:
        y = value(node)
        size = np.ones_like(y)
        if family == "binomial":
            wrong, what = (y != 0) & (y != 1), "the outcome of a binomial model is 0 or 1"
        else:
            wrong, what = (y < 0) | (np.abs(y - np.round(y)) > 1e-8), "counts are whole numbers, none below 0"
    if wrong.any():
        rows = design.rows[wrong]
        few = "1 row does" if rows.size == 1 else f"{rows.size} rows do"
        raise DataError(
            f"{name}: {what}; {few} not hold to this", rows=rows[:1000].tolist(), column=name,
            hint="For events out of a total write cbind(events, total - events).",
        )  # fmt: skip
    return np.round(y), np.round(size)


def _offset(design: Design, frame: pd.DataFrame, exposure: str | None) -> np.ndarray:
    if exposure is None:
        return np.zeros(design.n_rows)
    values = pd.to_numeric(frame[exposure].iloc[design.rows], errors="coerce").to_numpy(dtype=float)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        rows = design.rows[wrong]
        raise DataError(
            f"{exposure}: time or number at risk must be above 0 in every row", rows=rows[:1000].tolist(),
            column=exposure,
        )  # fmt: skip
    return np.asarray(np.log(values))


def _told(design: Design, size: np.ndarray) -> tuple[Design, np.ndarray]:
    """The design without columns that those before them give, and its matrix."""
    x = design.fixed_matrix()
    found = estimable(x.T @ x, np.eye(x.shape[1]))
    if found.null.shape[1]:
        design = design.without_given(found)
        x = design.fixed_matrix()
    if not design.fixed:
        raise DesignError("every column of the fixed part is 0 in every row used")
    return design, x


def randoms_of(design: Design) -> list[Random]:
    """Return the random effects of a design as arrays."""
    found = []
    for number, factor in enumerate(design.factors):
        blocks = np.array([column.block for column in factor.columns])
        names = tuple(column.column.name for column in factor.columns)
        found.append(Random(factor.name, factor.levels, factor.codes, design.random_matrix(number), names, blocks))
    return found


def _check_quadrature(problem: Problem, quadrature: int) -> None:
    if problem.others:
        named = ", ".join(random.group for random in problem.randoms)
        raise OptionError(
            f"quadrature works for one grouping factor; the formula has several: {named}",
            hint="Use quadrature=1 (Laplace's approximation).",
        )
    if quadrature**problem.first.width > MOST_POINTS:
        raise OptionError(
            f"{quadrature} points for each of {problem.first.width} random effects are more than {MOST_POINTS} a group",
            hint="Use fewer points.",
        )


def objective_of(problem: Problem, quadrature: int) -> Objective:
    """Return the likelihood to be made largest, scaled by the model without random effects."""
    family, x = problem.family, problem.x
    beta = np.zeros(x.shape[1])
    if family.name == "poisson":
        # Fisher scoring from 0 overflows for large counts: begin at their logarithms.
        start = np.log(problem.y + 0.5) - problem.offset
        beta = np.linalg.lstsq(x, start, rcond=None)[0]
    for _ in range(_MOST_STEPS):
        mean = family.mean(problem.offset + x @ beta)
        weights = problem.size * family.spread(mean)[0]
        information = x.T @ (weights[:, None] * x)
        step = np.linalg.lstsq(information, x.T @ (problem.y - problem.size * mean), rcond=None)[0]
        beta = beta + step
        if float(step @ information @ step) < 1e-12:
            break
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    root = np.linalg.cholesky(information / np.multiply.outer(size, size) + 1e-12 * np.eye(size.size))
    turn = np.linalg.inv(root).T / size[:, None]
    sizes = []
    for random in problem.randoms:
        typical = np.sqrt((random.values**2).mean(axis=0))
        sizes.append(np.where(typical > 0, typical, 1.0))
    return Objective(problem, beta, turn, sizes, quadrature)


def result(formula: str, design: Design, objective: Objective, peak: Peak, *, level: float) -> GeneralizedMixedFit:
    """Return the fit of a peak."""
    problem, p = objective.problem, peak.beta.size
    log_likelihood = peak.log_likelihood + problem.family.constant(problem.y, problem.size)
    directions = singular_directions(problem, peak)
    fit = GeneralizedMixedFit(
        formula=formula,
        fixed=pd.DataFrame({"term": [column.name for column in design.fixed], "estimate": peak.beta}),
        random=variance_table(problem, peak.factors),
        sigma=float("nan"),
        log_likelihood=float(log_likelihood),
        aic=float(2 * peak.inside.size - 2 * log_likelihood),
        bic=float(np.log(design.n_rows) * peak.inside.size - 2 * log_likelihood),
        n_obs=design.n_rows,
        n_dropped=design.n_dropped,
        n_groups={random.group: len(random.levels) for random in problem.randoms},
        vcov=peak.covariance[:p, :p],
        reml=False,
        df_method="normal",
        level=level,
        converged=True,
        singular=bool(directions),
        singular_direction="; ".join(directions),
        attempts=peak.attempts,
        dropped_terms=tuple(column.name for column in design.dropped),
        n_parameters=peak.inside.size,
        design=design,
        family=problem.family.name,
        quadrature=objective.points,
        separated=separated(design, problem, peak),
        _inside=Inside(objective, peak),
    )
    return fit.with_coefficients()


def variance_table(problem: Problem, factors: list[np.ndarray]) -> pd.DataFrame:
    """Return variances and covariances: ``group term1 term2 variance_or_cov sd_or_corr``."""
    rows: list[tuple[str, str, str, float, float]] = []
    for random, factor in zip(problem.randoms, factors, strict=True):
        covariance = factor @ factor.T
        sd = np.sqrt(np.diag(covariance))
        rows += [(random.group, name, "", float(covariance[i, i]), float(sd[i])) for i, name in enumerate(random.names)]
        for i, j in zip(*np.triu_indices(random.width, 1), strict=True):
            if random.blocks[i] == random.blocks[j]:
                product = sd[i] * sd[j]
                correlation = float(covariance[i, j] / product) if product > 0 else float("nan")
                names = (random.group, random.names[i], random.names[j])
                rows.append((*names, float(covariance[i, j]), correlation))
    return pd.DataFrame(rows, columns=["group", "term1", "term2", "variance_or_cov", "sd_or_corr"])


def singular_directions(problem: Problem, peak: Peak) -> list[str]:
    """Say which random effects do not vary."""
    found = []
    for random, factor in zip(problem.randoms, peak.factors, strict=True):
        covariance = factor @ factor.T
        none = [name for name, variance in zip(random.names, np.diag(covariance), strict=True) if variance < 1e-8]
        if none:
            found.append(f"the variance of {' and of '.join(none)} between {random.group} is 0")
        elif (np.diag(factor) == 0).any():
            found.append(f"the random effects of {random.group} are perfectly correlated")
    return found
