"""Analysis of covariance at one visit: the difference between arms adjusted for baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ipt_outcomes.errors import DesignError
from ipt_outcomes.results import ResultObject, format_number, listed

_BASELINE = "baseline"
_PLURAL = {_BASELINE: "baselines", "stratum": "strata"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancova(ResultObject):
    """Least-squares fit of ``value ~ arm + baseline + stratum`` at one visit.

    Parameters
    ----------
    fixed : pandas.DataFrame
        ``term estimate se df statistic p_value ci_low ci_high``.
    vcov : numpy.ndarray, shape (p, p)
    arms : tuple of str
        First the reference.
    covariates : dict of str to float
        Covariate terms with their means over the people used; of a stratum the share of people in it.
    sigma : float
        Residual SD.
    df : int
        Residual degrees of freedom.
    n_obs, n_dropped : int
        People used, and people without a value or a covariate.
    level : float
    formula : str
        The model.
    """

    fixed: pd.DataFrame
    vcov: np.ndarray
    arms: tuple[str, ...]
    covariates: dict[str, float]
    sigma: float
    df: int
    n_obs: int
    n_dropped: int
    level: float
    formula: str

    def contrast(self, arm1: str, arm2: str) -> dict[str, float]:
        """Return arm 1 minus arm 2: ``estimate se df statistic p_value ci_low ci_high``."""
        return self._line(self._row(arm1) - self._row(arm2))

    def means(self) -> pd.DataFrame:
        """Return each arm's mean at the means of the covariates: ``arm estimate se df ci_low ci_high``."""
        return pd.DataFrame([{"arm": arm, **self._line(self._row(arm))} for arm in self.arms])

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients."""
        return self.fixed.copy()

    def summary(self, digits: int = 2) -> str:
        """Return the model and its residual SD in one line."""
        return f"{self.formula}: {self.n_obs} people, residual SD {format_number(self.sigma)}"

    def _row(self, arm: str) -> np.ndarray:
        values = {"(Intercept)": 1.0, f"arm[{arm}]": 1.0, **self.covariates}
        return np.array([values.get(term, 0.0) for term in self.fixed["term"]])

    def _line(self, row: np.ndarray) -> dict[str, float]:
        estimate = float(row @ self.fixed["estimate"].to_numpy())
        return _inference(estimate, math.sqrt(float(row @ self.vcov @ row)), self.df, self.level)


def ancova(data: pd.DataFrame, *, level: float = 0.95, covariates: Sequence[str] = (_BASELINE,)) -> Ancova:
    """Fit ``value ~ arm + covariates``, treatment coding.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person: ``value``, ``arm`` (categorical, first level the reference) and the covariates. Rows with a
        missing value are left out and counted.
    level : float
        Confidence level.
    covariates : sequence of str
        Columns of numbers, or categoricals such as the strata of a randomisation.

    Returns
    -------
    Ancova

    Raises
    ------
    DesignError
        Too few people, an arm without anybody, or a covariate that is the same for all or follows from the arm.

    References
    ----------
    Senn (2006), Stat Med 25(24):4334-4344, doi:10.1002/sim.2682.
    """
    used = data.dropna(subset=["value", "arm", *covariates])
    # The same numbers to the last bit in whatever order people come.
    used = used.sort_values(["arm", *covariates, "value"], kind="stable")
    arms = tuple(str(arm) for arm in used["arm"].cat.categories)
    y = used["value"].to_numpy(dtype=float)
    columns = _columns(used, arms, covariates)
    # Centring keeps the normal equations well conditioned; the intercept is moved back below.
    means = {term: float(values.mean()) if len(y) else math.nan for term, values in columns.items()}
    of_covariate = [term for term in columns if not term.startswith(("(", "arm["))]
    centred = [values - means[term] if term in of_covariate else values for term, values in columns.items()]
    x = np.column_stack(centred)
    df = len(y) - x.shape[1]
    formula = f"value ~ {' + '.join(('arm', *covariates))}"
    if df < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
        raise DesignError(
            f"{formula} needs more people than its {x.shape[1]} coefficients, some in every arm, and "
            f"{listed([_PLURAL.get(name, name) for name in covariates] or ['scores'])} that differ within the arms; "
            f"found {len(y)} people"
        )
    q, r = np.linalg.qr(x)
    beta = np.linalg.solve(r, q.T @ y)
    sigma = math.sqrt(float(((y - x @ beta) ** 2).sum()) / df)
    inverse = np.linalg.solve(r, np.eye(len(beta)))
    vcov = sigma**2 * (inverse @ inverse.T)
    back = np.eye(len(beta))
    back[0] -= [means[term] if term in of_covariate else 0.0 for term in columns]
    beta, vcov = back @ beta, back @ vcov @ back.T
    rows = [
        {"term": term, **_inference(float(b), math.sqrt(float(v)), df, level)}
        for term, b, v in zip(columns, beta, np.diag(vcov), strict=True)
    ]
    return Ancova(
        fixed=pd.DataFrame(rows),
        vcov=vcov,
        arms=arms,
        covariates={term: means[term] for term in of_covariate},
        sigma=sigma,
        df=df,
        n_obs=len(y),
        n_dropped=len(data) - len(y),
        level=level,
        formula=formula,
    )


def _columns(used: pd.DataFrame, arms: tuple[str, ...], covariates: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of the model by their names."""
    codes = used["arm"].cat.codes.to_numpy()
    columns = {"(Intercept)": np.ones(len(used))}
    columns |= {f"arm[{arm}]": (codes == number).astype(float) for number, arm in enumerate(arms) if number}
    for name in covariates:
        if isinstance(used[name].dtype, pd.CategoricalDtype):
            present = used[name].cat.remove_unused_categories()
            levels = enumerate(present.cat.categories)
            columns |= {f"{name}[{one}]": (present.cat.codes.to_numpy() == at) * 1.0 for at, one in levels if at}
        else:
            columns[name] = used[name].to_numpy(dtype=float)
    return columns


def _inference(estimate: float, se: float, df: int, level: float) -> dict[str, float]:
    statistic = estimate / se if se > 0 else math.nan
    half = float(student.ppf(0.5 + level / 2, df)) * se
    return {
        "estimate": estimate,
        "se": se,
        "df": float(df),
        "statistic": statistic,
        "p_value": 2 * float(student.sf(abs(statistic), df)),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }
