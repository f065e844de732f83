"""Binomial-normal model of two-by-two tables: exact counts, random treatment effects, no correction of zero cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln

from ipt_outcomes.effects.binary import log_odds_ratio
from ipt_outcomes.effects.zero_cells import Tables, read_tables
from ipt_outcomes.errors import ConvergenceError, DesignError
from ipt_outcomes.meta.inference import chi2_p, infer
from ipt_outcomes.meta.inputs import require_level, there_are
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words, plural

MAX_STEPS = 200
_HALF = np.array([0.5, -0.5])


@dataclass(frozen=True, slots=True, kw_only=True)
class EventModel(ResultObject):
    """Pooled log odds ratio of a binomial-normal model.

    Parameters
    ----------
    estimate, se, ci_low, ci_high, statistic, p_value : float
        Log odds ratio, arm 1 over arm 2.
    tau2 : float
        Between-study variance of the log odds ratio.
    q_lrt, q_df, q_lrt_p_value : float, int, float or None
        Likelihood-ratio test of heterogeneity against one odds ratio per study.
    q_wald, q_wald_df, q_wald_p_value : float or None, int, float or None
        Wald test of the same: Cochran's Q of the uncorrected log odds ratios. A study with a cell of 0 has none and
        adds nothing; None with fewer than two others.
    log_likelihood : float
    k, n_dropped, n_without_information : int
        Studies used; rows with a number missing; studies with events in none or in all.
    level : float
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
    tau2: float
    q_lrt: float
    q_df: int
    q_lrt_p_value: float | None
    q_wald: float | None
    q_wald_df: int
    q_wald_p_value: float | None
    log_likelihood: float
    k: int
    n_dropped: int
    n_without_information: int
    level: float
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.event_model"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        left_out = {"method", "notes", "provenance"}
        return pd.DataFrame([{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out}])

    def summary(self, digits: int = 2) -> str:
        """Return the pooled odds ratio in plain text; `digits` 2 or 3."""
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        numbers = [float(np.exp(np.clip(x, -700, 700))) for x in (self.estimate, self.ci_low, self.ci_high)]
        word = plural(self.k, "study", "studies")
        line = (
            f"Binomial-normal model, {self.k} {word}: OR {format_number(numbers[0], style)} "
            f"({format_interval(numbers[1], numbers[2], style)}), {p_in_words(self.p_value)}; "
            f"tau2 {format_number(self.tau2, 'decimal3')}"
        )
        alike = (
            f"Heterogeneity: likelihood-ratio Q({self.q_df}) = {format_number(self.q_lrt)}, "
            f"{p_in_words(self.q_lrt_p_value)}; Wald Q({self.q_wald_df}) = {format_number(self.q_wald)}, "
            f"{p_in_words(self.q_wald_p_value)}"
        )
        return "\n".join([line, alike, self.method, *self.notes])


def event_model(
    event_arm1: ArrayLike,
    totaln_arm1: ArrayLike,
    event_arm2: ArrayLike,
    totaln_arm2: ArrayLike,
    *,
    quadrature: int = 15,
    level: float = 0.95,
) -> EventModel:
    """Pool two-by-two tables by a binomial-normal model with fixed study effects.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Participants with the event and all participants of each arm.
    quadrature : int
        Nodes of adaptive Gauss-Hermite quadrature; 7 gives the numbers of most programs.
    level : float
        Level of the interval.

    Returns
    -------
    EventModel

    Raises
    ------
    DesignError
        Impossible counts, fewer than two studies with events and non-events; ``.rows`` lists all rows.
    OptionError
        `level` is not between 0 and 1.
    ConvergenceError
        The likelihood was not maximised.

    Notes
    -----
    logit p = a_i + (theta + u_i)/2 in arm 1 and a_i - (theta + u_i)/2 in arm 2, u_i normal with variance tau2
    (model with fixed study effects, treatment coded 1/2 and -1/2). A study without events, or with nothing but
    events, has no likelihood in theta and is left out and counted.

    References
    ----------
    Stijnen, Hamza, Ozdemir (2010), Stat Med 29(29):3046-3067, doi:10.1002/sim.4040;
    Jackson, Law, Stijnen, Viechtbauer, White (2018), Stat Med 37(7):1059-1085, doi:10.1002/sim.7588.

    Examples
    --------
    >>> from ipt_outcomes.meta import event_model
    >>> round(event_model([28, 15, 0], [60, 40, 20], [17, 9, 2], [60, 41, 20]).estimate, 2)
    0.66
    """
    require_level(level)
    tables = read_tables(event_arm1, totaln_arm1, event_arm2, totaln_arm2, zero_cells="none", double_zero="keep")
    known = ~np.isnan(tables.a)
    used = np.flatnonzero(known & ~(tables.no_events | tables.all_events))
    if used.size < 2:
        raise DesignError(
            f"the model needs at least 2 studies with events and non-events; {there_are(int(used.size))}",
            rows=np.flatnonzero(known),
        )
    counts, totals = _counts(tables, used)
    constant = float((gammaln(totals + 1) - gammaln(counts + 1) - gammaln(totals - counts + 1)).sum())
    common = _climb(counts, totals, quadrature, tau=0.0, free_tau=False)
    best = _climb(counts, totals, quadrature, tau=_start(counts, totals, common), free_tau=True)
    if common.value >= best.value - 1e-12:
        best = common
    line = infer(best.theta, best.se, None, level)
    q = max(0.0, 2 * (_saturated(counts, totals) - common.value))
    lost = int(known.sum() - used.size)
    notes = []
    if lost:
        words = plural(lost, "study without events, or with nothing but events, says nothing and was",
                       "studies without events, or with nothing but events, say nothing and were")  # fmt: skip
        notes.append(f"{lost} {words} left out.")
    if best.tau == 0:
        notes.append("The estimate of tau2 is at its boundary, 0.")
    return EventModel(
        estimate=line.estimate,
        se=line.se,
        ci_low=line.ci_low,
        ci_high=line.ci_high,
        statistic=line.statistic,
        p_value=line.p_value,
        tau2=best.tau**2,
        q_lrt=q,
        q_df=int(used.size - 1),
        q_lrt_p_value=chi2_p(q, used.size - 1),
        **_wald(tables, used),
        log_likelihood=best.value + constant,
        k=int(used.size),
        n_dropped=int((~known).sum()),
        n_without_information=lost,
        level=float(level),
        method=f"Binomial-normal model with fixed study effects, {quadrature} quadrature nodes; z test, "
        f"{format_number(100 * level, 'number')}% level.",
        notes=tuple(notes),
        provenance=Provenance(
            function="meta.event_model", options={"quadrature": int(quadrature), "level": float(level)}
        ),
    )


def _wald(tables: Tables, used: np.ndarray) -> dict[str, Any]:
    """Cochran's Q of the studies whose odds ratio is a number: the Wald test of the saturated model."""
    yi, vi = log_odds_ratio(tables)
    yi, vi = yi[used], vi[used]
    known = np.isfinite(yi) & np.isfinite(vi)
    df = int(known.sum()) - 1
    if df < 1:
        return {"q_wald": None, "q_wald_df": max(0, df), "q_wald_p_value": None}
    w = 1 / vi[known]
    q = float(w @ (yi[known] - (w @ yi[known]) / w.sum()) ** 2)
    return {"q_wald": q, "q_wald_df": df, "q_wald_p_value": chi2_p(q, df)}


class _Point(NamedTuple):
    theta: float
    tau: float
    alpha: np.ndarray
    value: float
    se: float


class _Sums(NamedTuple):
    """Log-likelihood, gradient (k, 3) and second derivatives (k, 3, 3) in (alpha, theta, tau) per study."""

    value: float
    gradient: np.ndarray
    hessian: np.ndarray


def _counts(tables: Tables, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts = np.stack([tables.a[used], tables.c[used]], axis=1)
    return counts, np.stack([tables.n1[used], tables.n2[used]], axis=1)


def _saturated(counts: np.ndarray, totals: np.ndarray) -> float:
    rest = totals - counts
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(counts > 0, counts * np.log(counts / totals), 0.0)
        parts += np.where(rest > 0, rest * np.log(rest / totals), 0.0)
    return float(parts.sum())


def _start(counts: np.ndarray, totals: np.ndarray, common: _Point) -> float:
    odds = np.log((counts + 0.5) / (totals - counts + 0.5))
    return float(max(0.2, 0.8 * np.std(odds[:, 0] - odds[:, 1])))


def _log_binomial(counts: np.ndarray, totals: np.ndarray, eta: np.ndarray) -> np.ndarray:
    return np.asarray(counts * eta - totals * np.logaddexp(0.0, eta))


def _modes(
    counts: np.ndarray, totals: np.ndarray, alpha: np.ndarray, theta: float, tau: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where each study's integrand in z (u = tau z) is highest, and its width there."""
    z = np.zeros(alpha.size)
    for _ in range(100):
        p = 1 / (1 + np.exp(-(alpha[:, None] + np.multiply.outer(theta + tau * z, _HALF))))
        slope = tau * ((counts - totals * p) @ _HALF) - z
        curve = tau**2 * (totals * p * (1 - p)).sum(axis=1) / 4 + 1
        step = np.clip(slope / curve, -2.0, 2.0)
        z = z + step
        if np.abs(step).max() < 1e-11:
            break
    return z, 1 / np.sqrt(curve)


def _sums(counts: np.ndarray, totals: np.ndarray, alpha: np.ndarray, theta: float, tau: float, n: int) -> _Sums:
    nodes, weights = np.polynomial.hermite_e.hermegauss(n if tau != 0 else 1)
    centre, width = _modes(counts, totals, alpha, theta, tau)
    z = centre[:, None] + width[:, None] * nodes
    eta = alpha[:, None, None] + (theta + tau * z)[:, :, None] * _HALF
    log_f = _log_binomial(counts[:, None, :], totals[:, None, :], eta).sum(axis=2) - z**2 / 2
    log_w = np.log(weights / np.sqrt(2 * np.pi)) + nodes**2 / 2 + np.log(width)[:, None]
    total = log_f + log_w
    top = total.max(axis=1, keepdims=True)
    mass = np.exp(total - top)
    share = mass / mass.sum(axis=1, keepdims=True)
    value = float((top[:, 0] + np.log(mass.sum(axis=1))).sum())
    p = 1 / (1 + np.exp(-eta))
    away, spread = counts[:, None, :] - totals[:, None, :] * p, totals[:, None, :] * p * (1 - p)
    half, quarter, cross = away @ _HALF, spread.sum(axis=2) / 4, spread @ _HALF
    whole = spread.sum(axis=2)
    first = np.stack([away.sum(axis=2), half, z * half], axis=2)
    second = -np.stack(
        [whole, cross, z * cross, cross, quarter, z * quarter, z * cross, z * quarter, z**2 * quarter], axis=2
    ).reshape(*z.shape, 3, 3)
    gradient = np.einsum("ij,ija->ia", share, first)
    hessian = np.einsum("ij,ijab->iab", share, second + first[..., :, None] * first[..., None, :])
    return _Sums(value, gradient, hessian - gradient[:, :, None] * gradient[:, None, :])


def _climb(counts: np.ndarray, totals: np.ndarray, n: int, *, tau: float, free_tau: bool) -> _Point:
    """Newton's method on all parameters; the study effects are eliminated one by one."""
    pooled = counts.sum(axis=1) / totals.sum(axis=1)
    alpha, theta = np.log(pooled / (1 - pooled)), 0.0
    size = 2 if free_tau else 1
    now = _sums(counts, totals, alpha, theta, tau, n)
    for _ in range(MAX_STEPS):
        own = np.minimum(now.hessian[:, 0, 0], -1e-8)
        border = now.hessian[:, 0, 1 : 1 + size]
        inner = now.hessian[:, 1 : 1 + size, 1 : 1 + size].sum(axis=0) - (border / own[:, None]).T @ border
        slope = now.gradient[:, 1 : 1 + size].sum(axis=0) - (border / own[:, None]).T @ now.gradient[:, 0]
        values, vectors = np.linalg.eigh(-inner)
        safe = vectors @ np.diag(1 / np.maximum(np.abs(values), 1e-8)) @ vectors.T
        outer = np.clip(safe @ slope, -1.0, 1.0)
        step = np.clip(-(now.gradient[:, 0] + border @ outer) / own, -2.0, 2.0)
        for halving in range(40):
            f = 0.5**halving
            trial = (alpha + f * step, theta + f * outer[0], tau + f * (outer[1] if free_tau else 0.0))
            then = _sums(counts, totals, *trial, n)
            if then.value >= now.value - 1e-13 * abs(now.value):
                break
        moved = f * max(float(np.abs(outer).max()), float(np.abs(step * (own < -1e-6)).max()))
        gained = then.value - now.value
        (alpha, theta, tau), now = trial, then
        # the nodes follow the parameters, so the score is that of the sum only up to the error of the quadrature
        if moved < 1e-9 or (moved < 1e-4 and abs(gained) < 1e-11 * abs(now.value)):
            se = float(np.sqrt(safe[0, 0]))
            return _Point(float(theta), abs(float(tau)), alpha, now.value, se)
    raise ConvergenceError(
        "the binomial-normal model did not converge", attempts=(f"Newton, {MAX_STEPS} steps, last {moved:.3g}",)
    )
