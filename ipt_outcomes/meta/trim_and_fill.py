"""Trim and fill: studies that a symmetric funnel would have."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ipt_outcomes.effects.effect_sizes import EffectSizes, Measure
from ipt_outcomes.errors import ConvergenceError, DesignError, require_choice
from ipt_outcomes.meta.clustered import combined_first, study_codes
from ipt_outcomes.meta.core import Problem, fit
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, there_are, unpack
from ipt_outcomes.meta.pool import check_options, pool_rows
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.meta.tau2 import estimate_tau2
from ipt_outcomes.results import Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROUNDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimAndFill(PooledEffect):
    """Pooled effect with the studies filled in.

    Parameters
    ----------
    k0 : int
        Studies filled in.
    k0_se : float
        Standard error of their estimated number.
    side : {"left", "right"}
        Side of the funnel that was filled.
    estimator : {"L0", "R0"}
    k_observed : int
        Studies (or, with several effects per study, studies after combining) before filling.
    naive : TrimAndFill or None
        With several effects per study: the same with every row taken for a study.

    Notes
    -----
    The other fields are those of `PooledEffect` of observed and filled studies together; the filled ones stand
    last.
    """

    k0: int
    k0_se: float
    side: Literal["left", "right"]
    estimator: Literal["L0", "R0"]
    k_observed: int
    naive: TrimAndFill | None = None

    def summary(self, digits: int = 2) -> str:
        """Return what was filled in and the pooled effect with it, in plain text.

        Parameters
        ----------
        digits : int
            Decimals of effects and limits, 0 to 3.

        Returns
        -------
        str
        """
        noun = "study" if self.k0 == 1 else "studies"
        first = f"Trim and fill ({self.estimator}): {self.k0} {noun} filled in on the {self.side} of {self.k_observed}"
        return f"{first}\n{PooledEffect.summary(self, digits)}"

    def plot(
        self,
        ax: Axes | None = None,
        *,
        measure: Measure | None = None,
        event: Literal["good", "bad"] | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the funnel plot, the studies filled in hollow; options as in `ipt_outcomes.figures.funnel`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        measure, event : str, optional
            What the effects are, where plain arrays were given (`PooledEffect.plot`).
        **options
            As in `ipt_outcomes.figures.funnel`; `labels` name the observed studies.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        OptionError
            As `PooledEffect.plot`.
        """
        from ipt_outcomes.figures import funnel

        if self.effects is None:
            # Effects combined per study are plain arrays whose measure is known all the same.
            measure, event = measure or self.measure, event or self.event
        whole = self._as_effects(measure, event)
        observed, filled = (
            replace(whole, yi=whole.yi[part], vi=whole.vi[part], flags=whole.flags[part])
            for part in (slice(self.k_observed), slice(self.k_observed, None))
        )
        options |= {"pooled": self, "filled": filled, "level": options.get("level", self.level)}
        return funnel(observed, ax=ax, **options)


def trim_and_fill(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    tau2: Tau2Method = "REML",
    test: Test = "z",
    estimator: Literal["L0", "R0"] = "L0",
    side: Literal["left", "right", "auto"] = "auto",
    level: float = 0.95,
    study: Any = None,
    rho: float = 0.6,
) -> TrimAndFill:
    """Fill in the studies that a symmetric funnel would have, and pool again.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    tau2, test, level
        As in `pool`.
    estimator : {"L0", "R0"}
        How the number of missing studies is estimated.
    side : {"left", "right", "auto"}
        Where studies may be missing; "auto" takes it from the sign of the regression of effects on standard
        errors: small studies with larger effects mean that some are missing on the left.
    study : array_like, shape (n,), optional
        Study of each effect. Where a study gives several, they are combined first (`aggregate`), and `naive`
        holds the answer that takes every row for a study.
    rho : float
        For combining, as in `aggregate`.

    Returns
    -------
    TrimAndFill

    Raises
    ------
    DesignError
        Fewer than 3 studies, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        The number of missing studies does not settle.

    Notes
    -----
    A sensitivity analysis: asymmetry has other causes than missing studies, and with heterogeneity the method
    fills in studies where none are missing.

    References
    ----------
    Duval, Tweedie (2000), Biometrics 56(2):455-463, doi:10.1111/j.0006-341X.2000.00455.x;
    Duval, Tweedie (2000), J Am Stat Assoc 95(449):89-98, doi:10.1080/01621459.2000.10473905.

    Examples
    --------
    >>> from ipt_outcomes.meta import trim_and_fill
    >>> y, v = [0.1, 0.2, 0.25, 0.5, 0.8, 1.1], [0.01, 0.02, 0.02, 0.08, 0.15, 0.2]
    >>> result = trim_and_fill(y, v)
    >>> result.k0, result.side
    (3, 'left')
    """
    require_choice("estimator", estimator, ("L0", "R0"))
    require_choice("side", side, ("left", "right", "auto"))
    check_options(tau2, test, level)
    rows = unpack(yi, vi)
    options = {"tau2": tau2, "test": test, "estimator": estimator, "side": side, "level": float(level)}
    if study_codes(study, rows) is None:
        return _fill(rows, tau2, test, level, estimator, side, options)
    combined = aggregate(yi, vi, study=study, rho=rho)
    naive = _fill(rows, tau2, test, level, estimator, side, options)
    options["rho"] = float(rho)
    result = _fill(unpack(combined["yi"], combined["vi"]), tau2, test, level, estimator, side, options)
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=naive, measure=naive.measure, event=naive.event, notes=(*result.notes, note))


def _fill(
    rows: Rows, tau2: Tau2Method, test: Test, level: float, estimator: str, side: str, options: dict[str, Any]
) -> TrimAndFill:
    y, v = rows.y, rows.v
    if y.size < 3:
        raise DesignError(f"trim and fill needs at least 3 studies; {there_are(int(y.size))}")
    chosen = _side(y, v, tau2) if side == "auto" else side
    sign = -1.0 if chosen == "right" else 1.0
    k0, k0_se, centre = _missing(sign * y, v, tau2, estimator)
    order = np.argsort(sign * y, kind="stable")[y.size - k0 :]
    # mirror images of the studies trimmed from the other side
    filled = 2.0 * sign * centre - y[order]
    whole = _with(rows, filled, v[order])
    pooled = pool_rows(whole, tau2, test, level)
    return TrimAndFill(
        **{
            one.name: getattr(pooled, one.name) for one in fields(pooled) if one.name not in {"provenance", "n_dropped"}
        },
        n_dropped=int(rows.yi.size - rows.used.size),
        k0=k0,
        k0_se=k0_se,
        side="right" if chosen == "right" else "left",
        estimator="R0" if estimator == "R0" else "L0",
        k_observed=int(y.size),
        provenance=Provenance(function="meta.trim_and_fill", options=options),
    )


def _side(y: np.ndarray, v: np.ndarray, tau2: Tau2Method) -> str:
    root = np.sqrt(v)
    if np.ptp(root) <= 1e-12 * root.max():
        return "left"
    problem = Problem(y, v, np.column_stack([np.ones(y.size), root]))
    return "right" if fit(problem, estimate_tau2(problem, tau2)).coefficients[1] < 0 else "left"


def _missing(y: np.ndarray, v: np.ndarray, tau2: Tau2Method, estimator: str) -> tuple[int, float, float]:
    """Number of studies missing on the left, its standard error, and the centre of the trimmed funnel."""
    k = y.size
    order = np.argsort(y, kind="stable")
    y, v = y[order], v[order]
    k0, seen = 0, []
    for _ in range(MAX_ROUNDS):
        problem = Problem(y[: k - k0], v[: k - k0], np.ones((k - k0, 1)))
        centre = float(fit(problem, estimate_tau2(problem, tau2)).coefficients[0])
        away = y - centre
        rank = np.empty(k)
        rank[np.argsort(np.abs(away), kind="stable")] = np.arange(1, k + 1)
        signed = np.sign(away) * rank
        if estimator == "R0":
            lowest = -signed[signed < 0]
            found = k - float(lowest.max() if lowest.size else 0.0) - 1
            se = np.sqrt(2 * max(0.0, found) + 2)
        else:
            found = (4 * signed[signed > 0].sum() - k * (k + 1)) / (2 * k - 1)
            spread = k * (k + 1) * (2 * k + 1) + 10 * found**3 + 27 * found**2 + 17 * found
            spread += -18 * k * found**2 - 18 * k * found + 6 * k**2 * found
            se = 4 * np.sqrt(max(0.0, spread / 24)) / (2 * k - 1)
        new = max(0, int(np.rint(found)))
        if new == k0:
            return k0, float(se), centre
        if new >= k - 1:
            break
        seen.append(k0)
        k0 = new
    raise ConvergenceError(
        "the number of missing studies does not settle",
        attempts=(f"numbers tried: {', '.join(map(str, [*seen[-8:], k0]))}",),
        hint="Another estimator, or tau2='common', may settle; or leave trim and fill out.",
    )


def _with(rows: Rows, yi: np.ndarray, vi: np.ndarray) -> Rows:
    all_y, all_v = np.concatenate([rows.y, yi]), np.concatenate([rows.v, vi])
    effects = rows.effects
    if effects is not None:
        effects = EffectSizes(
            yi=all_y,
            vi=all_v,
            measure=effects.measure,
            convention=effects.convention,
            event=effects.event,
            flags=(*(effects.flags[i] for i in rows.used), *("filled in" for _ in yi)),
            provenance=effects.provenance,
        )
    return Rows(all_y, all_v, np.arange(all_y.size), effects)
