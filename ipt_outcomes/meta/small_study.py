"""Limit meta-analysis and the weighted average of the adequately powered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.clustered import combined_first, study_codes
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inference import Inference, chi2_p, infer
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, require_level, there_are, unpack
from ipt_outcomes.meta.pool import check_options, pool_rows
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEffect(ResultObject):
    """Effect of a study of infinite precision, small-study effects taken out.

    Parameters
    ----------
    estimate, se, ci_low, ci_high, statistic, p_value : float
        Expectation of the limit, beta + tau * alpha.
    slope : float
        alpha: bias per standard error, at precision 0.
    unadjusted, unadjusted_ci_low, unadjusted_ci_high, tau2 : float
        Ordinary random-effects pooling of the same studies.
    q, q_small_study, q_residual : float
        Cochran's Q, the part that small-study effects explain (1 df), and the rest.
    q_small_study_p_value : float
    g2 : float or None
        Percent of what is left that is no small-study effect.
    shrunken : numpy.ndarray, shape (k,)
        Effects at infinite precision, one per study.
    k, n_dropped : int
    level : float
    naive : LimitEffect or None
        With several effects per study: the same with every row taken for a study.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    slope: float
    unadjusted: float
    unadjusted_ci_low: float
    unadjusted_ci_high: float
    tau2: float
    q: float
    q_small_study: float
    q_small_study_p_value: float
    q_residual: float
    g2: float | None
    shrunken: np.ndarray
    k: int
    n_dropped: int
    level: float
    naive: LimitEffect | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.limit_meta_analysis"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        left_out = {"shrunken", "naive", "method", "notes", "provenance"}
        return pd.DataFrame([{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out}])

    def summary(self, digits: int = 2) -> str:
        """Return both estimates and the test in plain text; `digits` 2 or 3."""
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        lines = [
            f"Limit meta-analysis, {self.k} studies: {format_number(self.estimate, style)} "
            f"({format_interval(self.ci_low, self.ci_high, style)}), {p_in_words(self.p_value)}; unadjusted "
            f"{format_number(self.unadjusted, style)}",
            f"Small-study effects: Q(1) = {format_number(self.q_small_study)}, "
            f"{p_in_words(self.q_small_study_p_value)}",
        ]
        return "\n".join([*lines, self.method, *self.notes])


def limit_meta_analysis(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    tau2: Tau2Method = "REML",
    level: float = 0.95,
    study: Any = None,
    rho: float = 0.6,
) -> LimitEffect:
    """Pool effects as if every study had infinite precision.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    tau2, level
        As in `pool`.
    study : array_like, shape (n,), optional
        Study of each effect. Where a study gives several, they are combined first (`aggregate`), and `naive`
        holds the answer that takes every row for a study.
    rho : float
        For combining, as in `aggregate`.

    Returns
    -------
    LimitEffect

    Raises
    ------
    DesignError
        Fewer than 3 studies, all of the same precision, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated.

    Notes
    -----
    The generalised radial plot: y/s on 1/s with s = sqrt(v + tau2) gives beta (slope) and alpha (intercept);
    the limit is beta + tau alpha, where tau is the heterogeneity without adjustment.

    References
    ----------
    Ruecker, Schwarzer, Carpenter, Binder, Schumacher (2011), Biostatistics 12(1):122-142,
    doi:10.1093/biostatistics/kxq046.

    Examples
    --------
    >>> from ipt_outcomes.meta import limit_meta_analysis
    >>> y, v = [0.1, 0.2, 0.25, 0.5, 0.8, 1.1], [0.01, 0.02, 0.02, 0.08, 0.15, 0.2]
    >>> limit_meta_analysis(y, v).estimate < limit_meta_analysis(y, v).unadjusted
    True
    """
    check_options(tau2, "z", level)
    rows = unpack(yi, vi)
    plain = _limit(rows, tau2, level)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _limit(unpack(combined["yi"], combined["vi"]), tau2, level)
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=plain, n_dropped=plain.n_dropped, notes=(*result.notes, note))


def _limit(rows: Rows, tau2: Tau2Method, level: float) -> LimitEffect:
    y, v = rows.y, rows.v
    k = int(y.size)
    if k < 3:
        raise DesignError(f"limit meta-analysis needs at least 3 studies; {there_are(k)}")
    if np.ptp(v) <= 1e-12 * v.max():
        raise DesignError("limit meta-analysis needs studies of different precision; all variances are equal")
    pooled = pool_rows(rows, tau2, "z", level)
    s = np.sqrt(v + pooled.tau2)
    _require_spread(s)
    # y/s = alpha + beta/s: unit weights, so the covariance is (X'X)^-1
    design = np.column_stack([np.ones(k), 1.0 / s])
    bread = np.linalg.inv(design.T @ design)
    alpha, beta = bread @ (design.T @ (y / s))
    tau = float(np.sqrt(pooled.tau2))
    towards = np.array([tau, 1.0])
    line = infer(float(beta + tau * alpha), float(np.sqrt(towards @ bread @ towards)), None, level)
    w = 1.0 / v
    plain = np.column_stack([np.ones(k), np.sqrt(v)])
    weighted = plain * w[:, None]
    residual = y - plain @ np.linalg.solve(plain.T @ weighted, weighted.T @ y)
    left = float(w @ residual**2)
    explained = max(0.0, pooled.q - left)
    shrunken = beta + np.sqrt(pooled.tau2 / (v + pooled.tau2)) * (y - beta)
    return LimitEffect(
        estimate=line.estimate,
        se=line.se,
        ci_low=line.ci_low,
        ci_high=line.ci_high,
        statistic=line.statistic,
        p_value=line.p_value,
        slope=float(alpha),
        unadjusted=pooled.estimate,
        unadjusted_ci_low=pooled.ci_low,
        unadjusted_ci_high=pooled.ci_high,
        tau2=pooled.tau2,
        q=pooled.q,
        q_small_study=explained,
        q_small_study_p_value=chi2_p(explained, 1),
        q_residual=left,
        g2=_g2(shrunken, v),
        shrunken=shrunken,
        k=k,
        n_dropped=int(rows.yi.size - k),
        level=float(level),
        method=f"Limit meta-analysis, tau2 by {tau2}; expectation of the limit (beta + tau alpha), normal interval.",
        notes=(f"{k} studies: with fewer than 10 the adjustment is unstable.",) if k < 10 else (),
        provenance=Provenance(function="meta.limit_meta_analysis", options={"tau2": tau2, "level": float(level)}),
    )


def _require_spread(s: np.ndarray) -> None:
    if np.ptp(s) <= 1e-7 * s.max():
        raise DesignError(
            "limit meta-analysis is not defined: next to the variance between studies all are of the same precision",
            hint="One effect may be far from the others: check its units and decimal mark.",
        )


def _g2(shrunken: np.ndarray, v: np.ndarray) -> float | None:
    """100 (1 - R2) of the effects at infinite precision, regressed on standard errors with weights 1/v."""
    design = np.column_stack([np.ones(v.size), np.sqrt(v)]) / np.sqrt(v)[:, None]
    target = shrunken / np.sqrt(v)
    residual = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    w = 1.0 / v
    centred = shrunken - (w @ shrunken) / w.sum()
    total = float(w @ centred**2)
    return 100.0 * float(residual @ residual) / total if total > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaapEffect(ResultObject):
    """Weighted average of the adequately powered studies, or of all where fewer than two are.

    Parameters
    ----------
    estimate, se, ci_low, ci_high, df, statistic, p_value : float
    adequate : numpy.ndarray of bool, shape (k,)
        Studies with a power of 80% to find the average effect: standard error at most estimate/2.8.
    k, k_adequate, n_dropped : int
    kind : {"waap", "wls"}
        Which of the two the numbers are.
    all_studies : float
        Weighted least-squares average of all studies.
    level : float
    naive : WaapEffect or None
        With several effects per study: the same with every row taken for a study.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    df: float
    statistic: float
    p_value: float
    adequate: np.ndarray
    k: int
    k_adequate: int
    n_dropped: int
    kind: Literal["waap", "wls"]
    all_studies: float
    level: float
    naive: WaapEffect | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.waap_wls"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        names = ["kind", "k", "k_adequate", "estimate", "se", "ci_low", "ci_high", "df", "statistic", "p_value"]
        return pd.DataFrame([{name: getattr(self, name) for name in [*names, "all_studies", "n_dropped"]}])

    def summary(self, digits: int = 2) -> str:
        """Return the average in plain text; `digits` 2 or 3."""
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        limits = format_interval(self.ci_low, self.ci_high, style)
        line = f"{self.kind.upper()}: {format_number(self.estimate, style)} ({limits}), {p_in_words(self.p_value)}"
        return "\n".join([line, self.method, *self.notes])


def waap_wls(
    yi: Effects, vi: ArrayLike | None = None, *, level: float = 0.95, study: Any = None, rho: float = 0.6
) -> WaapEffect:
    """Weighted average of the adequately powered studies (WAAP), else of all (WLS).

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    level : float
        Level of the interval.
    study, rho
        As in `limit_meta_analysis`.

    Returns
    -------
    WaapEffect

    Raises
    ------
    DesignError
        Fewer than 2 studies, an impossible variance; rows are named.
    OptionError
        `level` is not between 0 and 1.

    Notes
    -----
    The estimate is that of a common effect, its standard error times the root of the mean weighted square
    (multiplicative dispersion), t with k - 1 df.

    References
    ----------
    Stanley, Doucouliagos, Ioannidis (2017), Stat Med 36(10):1580-1598, doi:10.1002/sim.7228.

    Examples
    --------
    >>> from ipt_outcomes.meta import waap_wls
    >>> result = waap_wls([0.30, 0.35, 0.8, 1.1], [0.006, 0.008, 0.15, 0.2])
    >>> result.kind, result.k_adequate, round(result.estimate, 2)
    ('waap', 2, 0.32)
    """
    require_level(level)
    rows = unpack(yi, vi)
    plain = _waap(rows, level)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _waap(unpack(combined["yi"], combined["vi"]), level)
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=plain, n_dropped=plain.n_dropped, notes=(*result.notes, note))


# Normal quantiles of a two-sided test at 5% and of a power of 80%: 1.96 + 0.84
ADEQUATE = 2.8


def _waap(rows: Rows, level: float) -> WaapEffect:
    y, v = rows.y, rows.v
    k = int(y.size)
    if k < 2:
        raise DesignError(f"WAAP-WLS needs at least 2 studies; {there_are(k)}")
    everyone = _wls(y, v, level)
    adequate = np.sqrt(v) <= abs(everyone.estimate) / ADEQUATE
    enough = int(adequate.sum()) >= 2
    line = _wls(y[adequate], v[adequate], level) if enough else everyone
    note = "" if enough else "Fewer than two studies are adequately powered: the average of all studies is given."
    return WaapEffect(
        estimate=line.estimate,
        se=line.se,
        ci_low=line.ci_low,
        ci_high=line.ci_high,
        df=float(line.df or 0),
        statistic=line.statistic,
        p_value=line.p_value,
        adequate=adequate,
        k=k,
        k_adequate=int(adequate.sum()),
        n_dropped=int(rows.yi.size - k),
        kind="waap" if enough else "wls",
        all_studies=everyone.estimate,
        level=float(level),
        method="Weighted least squares with multiplicative dispersion; power of 80% at the average of all studies.",
        notes=(note,) if note else (),
        provenance=Provenance(function="meta.waap_wls", options={"level": float(level)}),
    )


def _wls(y: np.ndarray, v: np.ndarray, level: float) -> Inference:
    w = 1.0 / v
    estimate = float(w @ y / w.sum())
    dispersion = float(w @ (y - estimate) ** 2) / (y.size - 1)
    return infer(estimate, float(np.sqrt(dispersion / w.sum())), float(y.size - 1), level)
