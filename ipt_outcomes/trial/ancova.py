"""Analysis of covariance at one visit: the difference between arms adjusted for baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ipt_outcomes.errors import DesignError
from ipt_outcomes.results import ResultObject, format_number

FORMULA = "value ~ arm + baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancova(ResultObject):
    """Least-squares fit of ``value ~ arm + baseline`` at one visit.

    Parameters
    ----------
    fixed : pandas.DataFrame
        ``term estimate se df statistic p_value ci_low ci_high``.
    vcov : numpy.ndarray, shape (p, p)
    arms : tuple of str
        First the reference.
    baseline_mean : float
        Over the people used.
    sigma : float
        Residual SD.
    df : int
        Residual degrees of freedom.
    n_obs, n_dropped : int
        People used, and people without a value or a baseline.
    level : float
    """

    fixed: pd.DataFrame
    vcov: np.ndarray
    arms: tuple[str, ...]
    baseline_mean: float
    sigma: float
    df: int
    n_obs: int
    n_dropped: int
    level: float

    @property
    def formula(self) -> str:
        """The model."""
        return FORMULA

    def contrast(self, arm1: str, arm2: str) -> dict[str, float]:
        """Return arm 1 minus arm 2: ``estimate se df statistic p_value ci_low ci_high``."""
        return self._line(self._row(arm1) - self._row(arm2))

    def means(self) -> pd.DataFrame:
        """Return the adjusted mean of each arm at the mean baseline: ``arm estimate se df ci_low ci_high``."""
        return pd.DataFrame([{"arm": arm, **self._line(self._row(arm))} for arm in self.arms])

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients."""
        return self.fixed.copy()

    def summary(self, digits: int = 2) -> str:
        """Return the model and its residual SD in one line."""
        return f"{FORMULA}: {self.n_obs} people, residual SD {format_number(self.sigma)}"

    def _row(self, arm: str) -> np.ndarray:
        row = np.zeros(len(self.fixed))
        row[0], row[-1] = 1.0, self.baseline_mean
        if arm != self.arms[0]:
            row[self.arms.index(arm)] = 1.0
        return row

    def _line(self, row: np.ndarray) -> dict[str, float]:
        estimate = float(row @ self.fixed["estimate"].to_numpy())
        return _inference(estimate, math.sqrt(float(row @ self.vcov @ row)), self.df, self.level)


def ancova(data: pd.DataFrame, *, level: float = 0.95) -> Ancova:
    """Fit ``value ~ arm + baseline``, treatment coding.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person: ``value``, ``arm`` (categorical, first level the reference), ``baseline``. Rows with a
        missing value are left out and counted.
    level : float
        Confidence level.

    Returns
    -------
    Ancova

    Raises
    ------
    DesignError
        Too few people, an arm without anybody, or a baseline that is the same for all.
    """
    used = data.dropna(subset=["value", "arm", "baseline"])
    arms = tuple(str(arm) for arm in used["arm"].cat.categories)
    codes = used["arm"].cat.codes.to_numpy()
    y = used["value"].to_numpy(dtype=float)
    dummies = [(codes == number).astype(float) for number in range(1, len(arms))]
    # Centring keeps the normal equations well conditioned; the intercept is moved back below.
    mean = float(used["baseline"].mean()) if len(used) else math.nan
    x = np.column_stack([np.ones(len(y)), *dummies, used["baseline"].to_numpy(dtype=float) - mean])
    df = len(y) - x.shape[1]
    if df < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
        raise DesignError(
            f"the comparison adjusted for baseline needs more people than its {x.shape[1]} coefficients, some in every "
            f"arm, and baselines that differ; found {len(y)} people"
        )
    q, r = np.linalg.qr(x)
    beta = np.linalg.solve(r, q.T @ y)
    sigma = math.sqrt(float(((y - x @ beta) ** 2).sum()) / df)
    inverse = np.linalg.solve(r, np.eye(len(beta)))
    vcov = sigma**2 * (inverse @ inverse.T)
    back = np.eye(len(beta))
    back[0, -1] = -mean
    beta, vcov = back @ beta, back @ vcov @ back.T
    terms = ["(Intercept)", *(f"arm[{arm}]" for arm in arms[1:]), "baseline"]
    rows = [
        {"term": term, **_inference(float(b), math.sqrt(float(v)), df, level)}
        for term, b, v in zip(terms, beta, np.diag(vcov), strict=True)
    ]
    return Ancova(
        fixed=pd.DataFrame(rows),
        vcov=vcov,
        arms=arms,
        baseline_mean=mean,
        sigma=sigma,
        df=df,
        n_obs=len(y),
        n_dropped=len(data) - len(y),
        level=level,
    )


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
