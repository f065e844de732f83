"""Small-study effects: the regression test (Egger) and its relatives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.clustered import robust_lines, study_codes
from ipt_outcomes.meta.core import Problem, fit
from ipt_outcomes.meta.inference import Inference, infer, resolve_test
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, as_floats, name_rows, there_are, unpack
from ipt_outcomes.meta.pool import check_options
from ipt_outcomes.meta.tau2 import estimate_tau2
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words

EggerModel = Literal["lm", "mixed"]
Predictor = Literal["se", "variance", "n", "inverse-n", "modified-se"]
PREDICTORS: dict[Predictor, str] = {
    "se": "standard error",
    "variance": "sampling variance",
    "n": "number of participants",
    "inverse-n": "reciprocal of the number of participants",
    "modified-se": "square root of 1/n1 + 1/n2",
}


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
    n_arm1: ArrayLike | None = None,
    n_arm2: ArrayLike | None = None,
) -> EggerTest:
    """Egger's regression test for funnel asymmetry, and its relatives.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    model : {"lm", "mixed"}
        ``"lm"``: weighted regression with multiplicative dispersion, t with k - 2 df (the classic test).
        ``"mixed"``: random-effects regression.
    predictor : {"se", "variance", "n", "inverse-n", "modified-se"}
        Standard error or sampling variance; participants (1/n of Macaskill and Peters); or sqrt(1/n1 + 1/n2), which
        for standardised mean differences does not hold the effect itself, as their standard error does: its square
        then also stands for the variance in the weights.
    tau2, test
        For ``model="mixed"``, as in `pool`; Knapp-Hartung uses t with k - 2 df.
    level : float
        Level of the interval.
    study : array_like, shape (n,), optional
        Study of each effect. Where a study gives several, standard errors are cluster-robust (CR2) with
        Satterthwaite df, and `naive` holds the answer that takes every row for a study.
    n_arm1, n_arm2 : array_like, shape (n,), optional
        Participants of both arms, for the last three predictors.

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
    Egger et al (1997), BMJ 315:629-634, doi:10.1136/bmj.315.7109.629;
    Sterne and Egger (2005), in Publication Bias in Meta-Analysis, chapter 6, doi:10.1002/0470870168.ch6;
    Macaskill, Walter, Irwig (2001), Stat Med 20(4):641-654, doi:10.1002/sim.698 (participants);
    Pustejovsky, Rodgers (2019), Res Synth Methods 10(1):57-71, doi:10.1002/jrsm.1332 (modified standard error).
    """
    require_choice("model", model, ("lm", "mixed"))
    require_choice("predictor", predictor, PREDICTORS)
    check_options(tau2, test, level)
    options = {"model": model, "predictor": predictor, "tau2": tau2, "test": test, "level": float(level)}
    rows = unpack(yi, vi)
    v = rows.v
    if predictor in {"se", "variance"}:
        x = np.sqrt(v) if predictor == "se" else v
    else:
        rows, n1, n2 = _participants(rows, n_arm1, n_arm2)
        v = 1 / n1 + 1 / n2 if predictor == "modified-se" else rows.v
        x = {"n": n1 + n2, "inverse-n": 1 / (n1 + n2), "modified-se": np.sqrt(v)}[predictor]
    return line_test(rows, v, x, study, options)


def _participants(
    rows: Rows, n_arm1: ArrayLike | None, n_arm2: ArrayLike | None
) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Participants of the rows used; rows without them are left out."""
    sizes = []
    for name, values in (("n_arm1", n_arm1), ("n_arm2", n_arm2)):
        if values is None:
            raise OptionError(f"this predictor needs {name}: the participants of each arm")
        numbers = as_floats(name, values)
        if numbers.shape != rows.yi.shape:
            raise DesignError(f"{name} must have one entry per effect, {rows.yi.size}; got shape {numbers.shape}")
        bad = np.flatnonzero(~(numbers > 0) & ~np.isnan(numbers))
        if bad.size:
            raise DesignError(f"{name} must be above 0 in {name_rows(bad)}", rows=bad, column=name)
        sizes.append(numbers)
    used = rows.used[~np.isnan(sizes[0][rows.used] + sizes[1][rows.used])]
    kept = Rows(rows.yi, rows.vi, used, rows.effects)
    return kept, sizes[0][used], sizes[1][used]


def line_test(
    rows: Rows, v: np.ndarray, x: np.ndarray, study: Any, options: dict[str, Any], method: str = ""
) -> EggerTest:
    """Test the slope of effects on a predictor.

    Parameters
    ----------
    rows : Rows
    v : numpy.ndarray, shape (k,)
        Working variances: weights are their reciprocals.
    x : numpy.ndarray, shape (k,)
        Predictor.
    study : array_like, shape (n,), or None
    options : dict
        ``model predictor tau2 test level``.
    method : str
        In words; made from the options when empty.

    Returns
    -------
    EggerTest

    Raises
    ------
    DesignError
        Fewer than 3 usable studies, a predictor that is the same in all, effects on a line.
    """
    k, level = int(rows.used.size), options["level"]
    words = method or _describe(options["model"], options["predictor"], options["tau2"])
    if k < 3:
        raise DesignError(f"Egger's test needs at least 3 studies; {there_are(k)}")
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        raise DesignError("Egger's test needs studies of different precision; all are the same")
    problem = Problem(rows.y, v, np.column_stack([np.ones(k), x]))
    common = options["model"] == "lm"
    result = fit(problem, estimate_tau2(problem, "common" if common else options["tau2"]))
    # The dispersion of weighted least squares is the Knapp-Hartung factor at tau2 = 0.
    asked: Test = "knapp-hartung" if common else options["test"]
    used, factor, reason = resolve_test(asked, result.scale, result.df, common=False)
    df = None if used == "z" else float(result.df)
    se = np.sqrt(np.diag(result.covariance) * factor)
    limit = infer(float(result.coefficients[0]), float(se[0]), df, level)
    slope = infer(float(result.coefficients[1]), float(se[1]), df, level)
    if math.isnan(slope.statistic):
        raise DesignError("Egger's test is not defined: the effects lie exactly on a line")
    plain = _result(rows, slope, limit, result.tau2, options, (reason, few_studies(k)), words)
    codes = study_codes(study, rows)
    if codes is None:
        return plain
    limit, slope = robust_lines(rows.y, 1.0 / result.weights, np.column_stack([np.ones(k), x]), codes, level)
    notes = (few_studies(int(codes.max()) + 1), _CLUSTERED.format(k, int(codes.max()) + 1))
    return replace(_result(rows, slope, limit, result.tau2, options, notes, words), naive=plain)


_CLUSTERED = (
    "{} effects of {} studies: standard errors are robust to their dependence (CR2, Satterthwaite df); "
    "the answer that takes every effect for a study is in `naive`."
)


def _result(
    rows: Rows,
    slope: Inference,
    limit: Inference,
    tau2: float,
    options: dict[str, Any],
    notes: tuple[str, ...],
    method: str,
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
        method=method,
        notes=tuple(note for note in notes if note),
        provenance=Provenance(function="meta.egger", options=options),
    )


def _describe(model: EggerModel, predictor: Predictor, tau2: Tau2Method) -> str:
    words = PREDICTORS[predictor]
    if model == "lm":
        return f"Weighted regression of the effect on its {words}, multiplicative dispersion."
    return f"Random-effects regression of the effect on its {words}, tau2 by {tau2}."


def few_studies(k: int) -> str:
    """Say that a test of asymmetry has little power below 10 studies, or nothing."""
    return f"{k} studies: with fewer than 10 the test has little power." if k < 10 else ""
