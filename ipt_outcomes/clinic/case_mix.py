"""Units held against what their own patients lead one to expect: observed over expected."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import ConvergenceError, DataError, DesignError, require_choice
from ipt_outcomes.mixed.design import build_design
from ipt_outcomes.mixed.formula import parse
from ipt_outcomes.results import Provenance, ResultObject, plural

Family = Literal["binomial", "gaussian"]

_MOST_STEPS = 50
# Beyond this many logits a chance is 0 or 1 for every purpose, and the data separate.
_SEPARATED = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMix(ResultObject):
    """Units against their case mix.

    Parameters
    ----------
    units : pandas.DataFrame
        One row per unit in order of its name, never of its result: ``unit n observed expected ratio z adjusted_rate``.
        Observed and expected are people with the outcome (``"binomial"``) or means (``"gaussian"``); `ratio` is
        observed over expected; `z` the difference over its standard error given the model; `adjusted_rate` the ratio
        times the overall rate (gaussian: overall mean plus the difference).
    overall : float
        Rate, or mean, of all people used.
    coefficients : pandas.DataFrame
        Of the model: ``term estimate se statistic p_value``.
    n_left_out : int
        Rows with a missing outcome, covariate or unit.
    family : str
    by : str
    provenance : Provenance
    """

    units: pd.DataFrame
    overall: float
    coefficients: pd.DataFrame
    n_left_out: int
    family: str
    by: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `units`."""
        return self.units.copy()

    def summary(self, digits: int = 2) -> str:
        """Return what was compared; no ranking."""
        n = int(self.units["n"].sum())
        return (
            f"{len(self.units)} {plural(len(self.units), 'unit', 'units')} ({self.by}) against their case mix, "
            f"{n} {plural(n, 'person', 'people')}, {self.n_left_out} left out; overall {self.overall:.{digits}f}."
        )


def case_mix(data: pd.DataFrame, formula: str, *, by: str, family: Family = "binomial") -> CaseMix:
    """Compare units with what the case mix of their patients leads one to expect.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person.
    formula : str
        Outcome and covariates, as ``"recovered ~ baseline + age_band + problem_area"``; an outcome of 0 and 1 (or
        booleans) for ``"binomial"``.
    by : str
        Column of the unit: therapist, site, period. It is not in the model.
    family : {"binomial", "gaussian"}
        Logistic regression, or linear regression of a score.

    Returns
    -------
    CaseMix

    Raises
    ------
    DataError
        The outcome of a logistic model is not 0 or 1.
    DesignError
        No complete row, fewer than 2 units, or everybody has the same outcome.
    ConvergenceError
        The covariates separate those with the outcome from those without.
    OptionError
        The formula cannot be read or names what is not there.

    Notes
    -----
    Expected is the sum of the model's chances over the unit's people, ``z = (O - E)/sqrt(sum p(1-p))``; for scores the
    means, ``z = (O - E)/(s/sqrt(n))`` with the residual SD. The error of the coefficients is not in z. The units are
    parts of the data the model was fitted to, so all of them together are as expected.

    References
    ----------
    Spiegelhalter (2005), Stat Med 24:1185-1202, doi:10.1002/sim.1970.
    """
    require_choice("family", family, ("binomial", "gaussian"))
    frame = with_numbers(data, formula, family)
    design = build_design(parse(formula), frame, subject=by)
    x, y = design.fixed_matrix(), design.y
    names = [column.name for column in design.fixed]
    if family == "binomial":
        _refuse_other_than_0_and_1(y, design.rows)
        beta, covariance, expected = _logistic(x, y)
        spread = expected * (1 - expected)
    else:
        beta, covariance, expected, variance = _linear(x, y)
        spread = np.full(y.size, variance)
    from scipy.stats import norm

    se = np.sqrt(np.diag(covariance))
    overall = float(y.mean())
    coefficients = pd.DataFrame({"term": names, "estimate": beta, "se": se, "statistic": beta / se})
    coefficients["p_value"] = 2 * norm.sf(np.abs(coefficients["statistic"]))
    return CaseMix(
        units=_units(design.codes, design.group_levels, y, expected, spread, overall, family),
        overall=overall,
        coefficients=coefficients,
        n_left_out=design.n_dropped,
        family=family,
        by=by,
        provenance=Provenance(function="clinic.case_mix", options={"formula": formula, "by": by, "family": family}),
    )


def with_numbers(data: pd.DataFrame, formula: str, family: str) -> pd.DataFrame:
    """Turn an outcome of booleans into 0 and 1, so that a formula can take it.

    Parameters
    ----------
    data : pandas.DataFrame
    formula : str
    family : str
        Only the outcome of ``"binomial"`` is looked at.

    Returns
    -------
    pandas.DataFrame
    """
    outcome = parse(formula).response
    name = getattr(outcome, "name", None)
    if family != "binomial" or name not in data.columns or not pd.api.types.is_bool_dtype(data[name]):
        return data
    return data.assign(**{str(name): data[name].astype("Float64")})


def _refuse_other_than_0_and_1(y: np.ndarray, rows: np.ndarray) -> None:
    other = ~np.isin(y, (0.0, 1.0))
    if other.any():
        raise DataError(
            f"expected an outcome of 0 and 1; {int(other.sum())} of {y.size} rows have another value", rows=rows[other]
        )


def _logistic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a logistic regression: coefficients, their covariance, chances."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    with warnings.catch_warnings():
        # Separation is judged below, in our own words.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        fit = GLM(y, x, family=Binomial()).fit(maxiter=_MOST_STEPS, tol=1e-12)
    if not fit.converged or np.abs(x @ fit.params).max() > _SEPARATED:
        raise ConvergenceError(
            "the logistic model has no finite answer: the covariates tell people with the outcome from those without",
            hint="Leave out a covariate, or join levels with few people.",
        )
    return np.asarray(fit.params), np.asarray(fit.cov_params()), np.asarray(fit.fittedvalues)


def _linear(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    expected = x @ beta
    df = y.size - x.shape[1]
    if df < 1:
        raise DesignError(f"{y.size} complete rows are too few for {x.shape[1]} coefficients")
    variance = float(((y - expected) ** 2).sum() / df)
    return beta, variance * np.linalg.inv(x.T @ x), expected, variance


def _units(
    codes: np.ndarray,
    levels: tuple[object, ...],
    y: np.ndarray,
    expected: np.ndarray,
    spread: np.ndarray,
    overall: float,
    family: str,
) -> pd.DataFrame:
    n = np.bincount(codes, minlength=len(levels)).astype(float)
    sums = [np.bincount(codes, weights=values, minlength=len(levels)) for values in (y, expected, spread)]
    observed, hoped, variance = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (observed - hoped) / np.sqrt(variance)
        if family == "gaussian":
            observed, hoped = observed / n, hoped / n
        ratio = observed / hoped
    adjusted = ratio * overall if family == "binomial" else overall + observed - hoped
    frame = pd.DataFrame(
        {
            "unit": list(levels),
            "n": n.astype(int),
            "observed": observed,
            "expected": hoped,
            "ratio": ratio,
            "z": z,
            "adjusted_rate": adjusted,
        }
    )
    return frame.sort_values("unit", key=lambda column: column.map(str), ignore_index=True)
