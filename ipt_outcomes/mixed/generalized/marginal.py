"""Probabilities and counts of the population: standardised over rows, averaged over random effects."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from ipt_outcomes.errors import ConvergenceError, OptionError, require_choice
from ipt_outcomes.mixed.columns import Factor
from ipt_outcomes.mixed.generalized.family import Family
from ipt_outcomes.mixed.generalized.optimise import largest_likelihood
from ipt_outcomes.mixed.grid import Against
from ipt_outcomes.mixed.progress import counted

if TYPE_CHECKING:
    from ipt_outcomes.mixed.design import Design
    from ipt_outcomes.mixed.generalized.fit import GeneralizedMixedFit

Interval = Literal["delta", "bootstrap"]
_POINTS = 25
_STEP = 1e-5


def marginal_table(
    fit: GeneralizedMixedFit,
    factor: str,
    *,
    at: Mapping[str, float | Sequence[float]] | None,
    against: Against,
    interval: Interval,
    draws: int,
    rng: np.random.Generator | None,
    progress: bool,
) -> pd.DataFrame:
    """Return the table of `GeneralizedMixedFit.marginal`."""
    require_choice("against", against, ("reference", "pairwise"))
    require_choice("interval", interval, ("delta", "bootstrap"))
    if interval == "bootstrap" and rng is None:
        raise OptionError("a bootstrap draws numbers: give rng, for example numpy.random.default_rng(2022)")
    levels = _levels(fit.design, factor)
    points = _points(fit.design, at)
    scenes = [_scene(fit.design, factor, place, point) for point in points for place in range(len(levels))]
    offset = fit._inside.objective.problem.offset
    # Rows are standardised in the order of the problem; exposure, where there is one, is one unit.
    shift = np.zeros_like(offset)

    def risks(beta: np.ndarray, factors: list[np.ndarray]) -> np.ndarray:
        return np.array([_population(fit, scene, beta, factors, shift) for scene in scenes])

    labels, measures = _measures(fit.family, factor, levels, points, against)
    estimate = measures(risks(fit._inside.peak.beta, fit._inside.peak.factors))
    if interval == "delta":
        se = _delta(fit, lambda beta, factors: measures(risks(beta, factors)))
        z = stats.norm.ppf((1 + fit.level) / 2)
        low, high = estimate - z * se, estimate + z * se
    else:
        assert rng is not None  # noqa: S101  checked above
        drawn = _bootstrap(fit, lambda beta, factors: measures(risks(beta, factors)), draws, rng, progress)
        se = drawn.std(axis=0, ddof=1)
        low, high = np.quantile(drawn, [(1 - fit.level) / 2, (1 + fit.level) / 2], axis=0)
    return _table(labels, estimate, se, low, high)


def _table(
    labels: pd.DataFrame, estimate: np.ndarray, se: np.ndarray, low: np.ndarray, high: np.ndarray
) -> pd.DataFrame:
    """Ratios back from their logarithms, risks from their logits; p values of comparisons."""
    kind = labels["measure"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.norm.sf(np.abs(estimate / se))
    found = labels.copy()
    logged = np.array([name.endswith("_ratio") or name == "mean" for name in kind])
    risk = kind == "risk"

    def back(values: np.ndarray) -> np.ndarray:
        turned = np.where(logged, np.exp(values), values)
        return np.where(risk, 1 / (1 + np.exp(-values)), turned)

    shown = back(estimate)
    found["estimate"] = shown
    # Of a probability or mean itself the standard error is on its own scale.
    slope = np.where(risk, shown * (1 - shown), np.where(kind == "mean", shown, 1.0))
    found["se"] = se * slope
    found["ci_low"], found["ci_high"] = back(low), back(high)
    found["p_value"] = np.where(risk | (kind == "mean"), np.nan, p_value)
    return found


def _levels(design: Design, factor: str) -> tuple[Any, ...]:
    used = {name for column in design.everything for name, _ in column.parts}
    for name, variable in design.variables.items():
        if name in used and variable.is_factor and variable.column == factor:
            return variable.levels
    known = sorted(
        variable.column for name, variable in design.variables.items() if name in used and variable.is_factor
    )
    raise OptionError(f"{factor!r} is no factor of the fixed part; its factors: {', '.join(known) or 'none'}")


def _points(design: Design, at: Mapping[str, float | Sequence[float]] | None) -> list[dict[str, float]]:
    asked: dict[str, list[float]] = {}
    for name, values in (at or {}).items():
        own = design.columns.get(name)
        if own is None or isinstance(own, Factor):
            known = ", ".join(key for key, held in design.columns.items() if not isinstance(held, Factor)) or "none"
            raise OptionError(f"at: {name!r} is no numeric column of the model; its numeric columns: {known}")
        given: Sequence[Any] = list(values) if isinstance(values, list | tuple | range | np.ndarray) else [values]
        try:
            asked[name] = [float(value) for value in given]
        except (TypeError, ValueError):
            raise OptionError(f"at: the values of {name} must be numbers") from None
    return [dict(zip(asked, values, strict=True)) for values in itertools.product(*asked.values())]


def _scene(design: Design, factor: str, place: int, point: Mapping[str, float]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Fixed and random columns of every row, were it of one level and at one point."""
    n = design.n_rows
    columns = {
        name: np.full(n, point[name]) if name in point else values
        for name, values in design.columns.items()
        if not isinstance(values, Factor)
    }
    parts = {}
    for name, variable in design.variables.items():
        if variable.recipe is not None:
            parts[name] = variable.recipe.evaluate(columns)
        elif variable.column == factor:
            parts[name] = np.full(n, place)
        else:
            parts[name] = variable.values
    x = np.column_stack([column.evaluate(design.variables, parts, n) for column in design.fixed])
    random = [
        np.column_stack([one.column.evaluate(design.variables, parts, n) for one in own.columns])
        * (own.codes >= 0)[:, None]
        for own in design.factors
    ]
    return x, random


def _population(
    fit: GeneralizedMixedFit,
    scene: tuple[np.ndarray, list[np.ndarray]],
    beta: np.ndarray,
    factors: list[np.ndarray],
    shift: np.ndarray,
) -> float:
    """Mean over rows of the expected outcome: the linear predictor is normal around its fixed part."""
    x, randoms = scene
    problem = fit._inside.objective.problem
    by_group = {own.name: values for own, values in zip(fit.design.factors, randoms, strict=True)}
    variance = np.zeros(len(x))
    for random, factor in zip(problem.randoms, factors, strict=True):
        variance += ((by_group[random.group] @ factor) ** 2).sum(axis=1)
    weights = np.empty_like(problem.size)
    weights[problem.order] = problem.size
    expected = averaged(problem.family, shift + x @ beta, np.sqrt(variance))
    return float(weights @ expected / weights.sum())


def averaged(family: Family, eta: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the mean outcome where the linear predictor is normal.

    Parameters
    ----------
    family : Family
    eta, sd : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    if family.name == "poisson":
        return family.mean(eta + sd**2 / 2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    found = np.zeros_like(eta)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        found += weight * family.mean(eta + sd * node)
    return found


def _measures(
    family: str, factor: str, levels: tuple[Any, ...], points: list[dict[str, float]], against: Against
) -> tuple[pd.DataFrame, Callable[[np.ndarray], np.ndarray]]:
    """Labels of all measures, and how they follow from the means of all levels at all points."""
    k = len(levels)
    pairs = list(itertools.combinations(range(k), 2)) if against == "pairwise" else [(0, j) for j in range(1, k)]
    binomial = family == "binomial"
    own, names = ("risk", ("risk_difference", "risk_ratio", "odds_ratio")) if binomial else (
        "mean", ("mean_difference", "mean_ratio"))  # fmt: skip
    labels = []
    for point in points:
        labels += [{"measure": own, factor: level, "contrast": "", **point} for level in levels]
        for name in names:
            labels += [
                {"measure": name, factor: None, "contrast": f"{levels[j]} - {levels[i]}" if name.endswith("difference")
                 else f"{levels[j]} / {levels[i]}", **point}
                for i, j in pairs
            ]  # fmt: skip

    def computed(risks: np.ndarray) -> np.ndarray:
        parts: list[np.ndarray] = []
        first, second = np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])
        for means in risks.reshape(len(points), k):
            logit = np.log(means / (1 - means)) if binomial else np.log(means)
            parts += [logit, means[second] - means[first], np.log(means[second] / means[first])]
            if binomial:
                parts.append(logit[second] - logit[first])
        return np.concatenate(parts)

    return pd.DataFrame(labels), computed


def _delta(fit: GeneralizedMixedFit, measures: Callable[[np.ndarray, list[np.ndarray]], np.ndarray]) -> np.ndarray:
    """Standard errors by the delta method, over coefficients and variances together."""
    peak, problem = fit._inside.peak, fit._inside.objective.problem
    p = peak.beta.size
    places = [(number, row, column) for number, random in enumerate(problem.randoms)
              for row, column in zip(*random.free, strict=True)]  # fmt: skip
    slopes = []
    for place in range(peak.covariance.shape[0]):
        if peak.covariance[place, place] <= 0:
            slopes.append(np.zeros_like(measures(peak.beta, peak.factors)))
            continue
        sides = []
        step = _STEP * max(1.0, np.sqrt(peak.covariance[place, place]))
        for sign in (1, -1):
            beta, factors = peak.beta.copy(), [factor.copy() for factor in peak.factors]
            if place < p:
                beta[place] += sign * step
            else:
                number, row, column = places[place - p]
                factors[number][row, column] += sign * step
            sides.append(measures(beta, factors))
        slopes.append((sides[0] - sides[1]) / (2 * step))
    jacobian = np.array(slopes)
    return np.asarray(np.sqrt(np.einsum("km,kl,lm->m", jacobian, peak.covariance, jacobian)))


def _bootstrap(
    fit: GeneralizedMixedFit,
    measures: Callable[[np.ndarray, list[np.ndarray]], np.ndarray],
    draws: int,
    rng: np.random.Generator,
    progress: bool,
) -> np.ndarray:
    """Measures of refits to outcomes drawn from the fit; failed ones are drawn again, a tenth at most."""
    found: list[np.ndarray] = []
    failed = 0
    for _ in counted(draws, "bootstrap", show=progress):
        while True:
            try:
                peak = refit(fit, simulated(fit, rng))
                found.append(measures(peak.beta, peak.factors))
                break
            except ConvergenceError:
                failed += 1
                if failed > max(10, draws // 10):
                    raise ConvergenceError(
                        f"{failed} samples of the bootstrap could not be fitted", attempts=(),
                        hint="Use interval='delta', or a simpler random part.",
                    ) from None  # fmt: skip
    return np.array(found)


def simulated(fit: GeneralizedMixedFit, rng: np.random.Generator) -> np.ndarray:
    """Draw events or counts from a fit, in the order of its problem's rows, shape (n,)."""
    problem, peak = fit._inside.objective.problem, fit._inside.peak
    eta = problem.offset + problem.x @ peak.beta
    for random, factor in zip(problem.randoms, peak.factors, strict=True):
        drawn = rng.standard_normal((len(random.levels), random.width)) @ factor.T
        eta = eta + (random.values * drawn[np.maximum(random.codes, 0)]).sum(axis=1)
    mean = problem.family.mean(eta)
    if problem.family.name == "binomial":
        return rng.binomial(problem.size.astype(np.int64), mean).astype(float)
    return rng.poisson(mean).astype(float)


def refit(fit: GeneralizedMixedFit, y: np.ndarray) -> Any:
    """Fit the same model to other outcomes, in the order of its problem's rows."""
    from dataclasses import replace

    from ipt_outcomes.mixed.generalized.fitting import objective_of

    objective = fit._inside.objective
    try:
        return largest_likelihood(objective_of(replace(objective.problem, y=y), objective.points))
    except np.linalg.LinAlgError:
        raise ConvergenceError("the sample tells nothing of some coefficient", attempts=()) from None
