"""Small-study effects: regression test (Egger) and rank test (Begg)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.meta.clustered import combined_first, robust_lines, study_codes
from ipt_outcomes.meta.core import Problem, fit
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inference import Inference, infer, resolve_test
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, unpack
from ipt_outcomes.meta.pool import check_options
from ipt_outcomes.meta.tau2 import estimate_tau2
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words

EggerModel = Literal["lm", "mixed"]
Predictor = Literal["se", "variance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EggerTest(ResultObject):
    """Regression test for funnel asymmetry.

    Parameters
    ----------
    statistic, p_value : float
        Test of the slope on the predictor.
    df : float or None
        Degrees of freedom of t; None for z.
    slope, slope_se : float
        Change of the effect per unit of the predictor.
    limit_estimate, ci_low, ci_high : float
        Effect where the predictor is 0, with its interval.
    tau2 : float
        Residual between-study variance; 0 for ``model="lm"``.
    k, n_dropped : int
        Studies used, rows left out for a missing effect or variance.
    model, predictor : str
    level : float
    naive : EggerTest or None
        With several effects per study: the same test with every row taken as a study of its own, which
        counts dependent effects as independent. The numbers above are then robust to that.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    statistic: float
    p_value: float
    df: float | None
    slope: float
    slope_se: float
    limit_estimate: float
    ci_low: float
    ci_high: float
    tau2: float
    k: int
    n_dropped: int
    model: EggerModel
    predictor: Predictor
    level: float
    naive: EggerTest | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.egger"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        names = ["k", "statistic", "df", "p_value", "slope", "slope_se"]
        names += ["limit_estimate", "ci_low", "ci_high", "tau2", "n_dropped"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the test and the limit estimate in plain text.

        Parameters
        ----------
        digits : int
            Decimals, 2 or 3.

        Returns
        -------
        str
        """
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        reference = "z" if self.df is None else f"t({format_number(self.df, 'number')})"
        limits = format_interval(self.ci_low, self.ci_high, style)
        line = (
            f"Egger's test, {self.k} studies: {reference} = {format_number(self.statistic)}, "
            f"{p_in_words(self.p_value)}; "
            f"limit estimate {format_number(self.limit_estimate, style)} ({limits})"
        )
        return "\n".join([line, self.method, *self.notes])


def egger(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    model: EggerModel = "lm",
    predictor: Predictor = "se",
    tau2: Tau2Method = "REML",
    test: Test = "z",
    level: float = 0.95,
    study: Any = None,
) -> EggerTest:
    """Egger's regression test for funnel asymmetry.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    model : {"lm", "mixed"}
        ``"lm"``: weighted regression with multiplicative dispersion, t with k - 2 df (the classic test).
        ``"mixed"``: random-effects regression.
    predictor : {"se", "variance"}
        Standard error or sampling variance.
    tau2, test
        For ``model="mixed"``, as in `pool`; Knapp-Hartung uses t with k - 2 df.
    level : float
        Level of the interval.
    study : array_like, shape (n,), optional
        Study of each effect. Where a study gives several, standard errors are cluster-robust (CR2) with
        Satterthwaite df, and `naive` holds the answer that takes every row for a study.

    Returns
    -------
    EggerTest

    Raises
    ------
    DesignError
        Fewer than 3 usable studies, all studies of the same precision, or an impossible variance.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated.

    Notes
    -----
    The test has little power below 10 studies, and the standard error of a standardised mean difference
    depends on the effect itself, which makes the test reject too often.

    References
    ----------
    Egger et al (1997), BMJ 315:629-634, doi:10.1136/bmj.315.7109.629.
    Sterne and Egger (2005), in Publication Bias in Meta-Analysis, chapter 6, doi:10.1002/0470870168.ch6.
    """
    require_choice("model", model, ("lm", "mixed"))
    require_choice("predictor", predictor, ("se", "variance"))
    check_options(tau2, test, level)
    options = {"model": model, "predictor": predictor, "tau2": tau2, "test": test, "level": float(level)}
    rows = unpack(yi, vi)
    k = int(rows.used.size)
    if k < 3:
        raise DesignError(f"Egger's test needs at least 3 studies; there {'is' if k == 1 else 'are'} {k}")
    v = rows.v
    x = np.sqrt(v) if predictor == "se" else v
    if np.ptp(x) <= 1e-12 * x.max():
        raise DesignError("Egger's test needs studies of different precision; all variances are equal")
    problem = Problem(rows.y, v, np.column_stack([np.ones(k), x]))
    common = model == "lm"
    result = fit(problem, estimate_tau2(problem, "common" if common else tau2))
    # The dispersion of weighted least squares is the Knapp-Hartung factor at tau2 = 0.
    used, factor, reason = resolve_test("knapp-hartung" if common else test, result.scale, result.df, common=False)
    df = None if used == "z" else float(result.df)
    se = np.sqrt(np.diag(result.covariance) * factor)
    limit = infer(float(result.coefficients[0]), float(se[0]), df, level)
    slope = infer(float(result.coefficients[1]), float(se[1]), df, level)
    if math.isnan(slope.statistic):
        raise DesignError("Egger's test is not defined: the effects lie exactly on a line")
    plain = _result(rows, slope, limit, result.tau2, options, (reason, _few(k)))
    codes = study_codes(study, rows)
    if codes is None:
        return plain
    limit, slope = robust_lines(rows.y, 1.0 / result.weights, np.column_stack([np.ones(k), x]), codes, level)
    notes = (_few(int(codes.max()) + 1), _CLUSTERED.format(k, int(codes.max()) + 1))
    return replace(_result(rows, slope, limit, result.tau2, options, notes), naive=plain)


_CLUSTERED = (
    "{} effects of {} studies: standard errors are robust to their dependence (CR2, Satterthwaite df); "
    "the answer that takes every effect for a study is in `naive`."
)


def _result(
    rows: Rows, slope: Inference, limit: Inference, tau2: float, options: dict[str, Any], notes: tuple[str, ...]
) -> EggerTest:
    model, predictor = options["model"], options["predictor"]
    return EggerTest(
        statistic=slope.statistic,
        p_value=slope.p_value,
        df=slope.df,
        slope=slope.estimate,
        slope_se=slope.se,
        limit_estimate=limit.estimate,
        ci_low=limit.ci_low,
        ci_high=limit.ci_high,
        tau2=tau2,
        k=int(rows.used.size),
        n_dropped=int(rows.yi.size - rows.used.size),
        model=model,
        predictor=predictor,
        level=options["level"],
        method=_describe(model, predictor, options["tau2"]),
        notes=tuple(note for note in notes if note),
        provenance=Provenance(function="meta.egger", options=options),
    )


def _describe(model: EggerModel, predictor: Predictor, tau2: Tau2Method) -> str:
    words = "standard error" if predictor == "se" else "sampling variance"
    if model == "lm":
        return f"Weighted regression of the effect on its {words}, multiplicative dispersion."
    return f"Random-effects regression of the effect on its {words}, tau2 by {tau2}."


def _few(k: int) -> str:
    return f"{k} studies: with fewer than 10 the test has little power." if k < 10 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeggTest(ResultObject):
    """Rank correlation test for funnel asymmetry.

    Parameters
    ----------
    tau, p_value : float
        Kendall's correlation of standardised effects and variances, and its test.
    exact : bool
        Whether the p value is exact (no ties) or normal.
    k, n_dropped : int
    naive : BeggTest or None
        With several effects per study: the same with every row taken for a study.
    notes : tuple of str
    provenance : Provenance
    """

    tau: float
    p_value: float
    exact: bool
    k: int
    n_dropped: int
    naive: BeggTest | None = None
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.begg"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        return pd.DataFrame([{name: getattr(self, name) for name in ("k", "tau", "p_value", "exact", "n_dropped")}])

    def summary(self, digits: int = 2) -> str:
        """Return the test in plain text; `digits` of the correlation, 2 or 3."""
        tau = format_number(self.tau, "decimal3" if digits == 3 else "decimal2")
        return "\n".join([f"Begg's test, {self.k} studies: tau = {tau}, {p_in_words(self.p_value)}", *self.notes])


def begg(yi: Effects, vi: ArrayLike | None = None, *, study: Any = None, rho: float = 0.6) -> BeggTest:
    """Rank correlation test for funnel asymmetry (Begg and Mazumdar).

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    study, rho
        As in `trim_and_fill`: where a study gives several effects, they are combined first.

    Returns
    -------
    BeggTest

    Raises
    ------
    DesignError
        Fewer than 3 usable studies, all of the same precision, or an impossible variance.

    References
    ----------
    Begg, Mazumdar (1994), Biometrics 50(4):1088-1101, doi:10.2307/2533446.

    Examples
    --------
    >>> from ipt_outcomes.meta import begg
    >>> round(begg([0.1, 0.3, 0.6, 0.9], [0.02, 0.03, 0.06, 0.2]).tau, 3)
    0.667
    """
    rows = unpack(yi, vi)
    plain = _begg(rows)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _begg(unpack(combined["yi"], combined["vi"]))
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(
        result,
        naive=plain,
        n_dropped=plain.n_dropped,
        notes=(*result.notes, note),
        provenance=Provenance(function="meta.begg", options={"rho": float(rho)}),
    )


def _begg(rows: Rows) -> BeggTest:
    from scipy.stats import kendalltau

    k, v = int(rows.used.size), rows.v
    if k < 3:
        raise DesignError(f"Begg's test needs at least 3 studies; there {'is' if k == 1 else 'are'} {k}")
    w = 1.0 / v
    centred = rows.y - (w @ rows.y) / w.sum()
    spread = v - 1.0 / w.sum()
    # a study with nearly all of the weight has a residual that is 0 and a variance that is 0
    scaled = np.where(spread > 0, centred / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)
    if np.ptp(v) == 0 or np.ptp(scaled) == 0:
        raise DesignError("Begg's test needs studies of different precision and different effects")
    exact = np.unique(v).size == k and np.unique(scaled).size == k and k < 50
    found = kendalltau(scaled, v, method="exact" if exact else "asymptotic")
    note = _few(k)
    return BeggTest(
        tau=float(found.statistic),
        p_value=float(found.pvalue),
        exact=bool(exact),
        k=k,
        n_dropped=int(rows.yi.size - k),
        notes=(note,) if note else (),
    )
