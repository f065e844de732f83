"""Pooling of one effect per study."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ipt_outcomes.effects.effect_sizes import WITHOUT_CONTROL
from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.meta.core import Problem, RegressionFit, fit
from ipt_outcomes.meta.inference import TEST_NAMES, Inference, chi2_p, infer, quantile, resolve_test
from ipt_outcomes.meta.inputs import (
    TAU2_METHODS,
    TESTS,
    Effects,
    Rows,
    Tau2Method,
    Test,
    require_level,
    unpack,
)
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.meta.prediction import PREDICTION_METHODS, PredictionMethod
from ipt_outcomes.meta.tau2 import estimate_tau2
from ipt_outcomes.results import Provenance, format_number

TAU2_NAMES: dict[Tau2Method, str] = {
    "REML": "restricted maximum likelihood (REML)",
    "ML": "maximum likelihood (ML)",
    "DL": "DerSimonian and Laird (DL)",
    "PM": "Paule and Mandel (PM)",
    "EB": "empirical Bayes (EB)",
    "SJ": "Sidik and Jonkman (SJ), two steps from the mean square",
    "HS": "Hunter and Schmidt (HS)",
    "HE": "Hedges (HE)",
    "common": "none",
}

NARROW_NOTE = (
    "The Knapp-Hartung interval is narrower than that of z. With effects this alike it understates the "
    'uncertainty: report both, or use test="knapp-hartung-adhoc".'
)

_FIT_WORDS = {
    True: "normal quantile and standard error of the pooled effect",
    False: "t with {df:.0f} df and standard error of the pooled effect",
}

NO_CONTROL_NOTE = (
    "These are changes from pre to post without a control group: what time alone would have done is part of them. "
    "They say nothing on the effect of a treatment."
)


def pool(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
    prediction: PredictionMethod = "fit",
    rng: np.random.Generator | None = None,
) -> PooledEffect:
    """Pool one effect per study.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects; an `EffectSizes` brings its variances and measure. Ratios on the log scale.
    vi : array_like, shape (n,), optional
        Sampling variances (standard errors squared), for plain arrays.
    tau2 : {"REML", "ML", "DL", "PM", "EB", "SJ", "HS", "HE", "common"}
        Estimator of the between-study variance; ``"common"`` assumes one true effect.
    test : {"z", "knapp-hartung", "knapp-hartung-adhoc"}
        Test and interval. Knapp-Hartung uses t with k - 1 df; the ad hoc variant never shrinks the standard
        error below that of z. With one study, with ``tau2="common"`` and when all effects are equal, z is
        used in its place, and `notes` says so.
    level : float
        Level of the intervals.
    prediction : {"fit", "S", "V", "HTS", "HK", "HK-PR", "KR", "KR-PR", "NNF"}
        Prediction interval, as in `PooledEffect.prediction_interval`; where there are too few studies for it
        there is none, and `notes` says why.
    rng : numpy.random.Generator, optional
        For ``prediction="NNF"``.

    Returns
    -------
    PooledEffect
        With one study: the study itself, tau2 0, and None for I2, H2, the p value of Q and the prediction
        interval.

    Raises
    ------
    DesignError
        No usable row, a variance not above 0, an infinite value, shapes that differ, variances that differ by
        a factor above 1e10; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated.

    Notes
    -----
    Weights are 1 / (vi + tau2). Rows with a missing effect or variance are left out and counted. The
    likelihoods are maximised over all tau2 >= 0, to a relative 1e-10.

    References
    ----------
    Viechtbauer (2005), J Educ Behav Stat 30(3):261-293, doi:10.3102/10769986030003261 (estimators of tau2).
    Knapp and Hartung (2003), Stat Med 22(17):2693-2710, doi:10.1002/sim.1482.
    Roever, Knapp and Friede (2015), BMC Med Res Methodol 15:99, doi:10.1186/s12874-015-0091-1 (ad hoc).
    Higgins and Thompson (2002), Stat Med 21(11):1539-1558, doi:10.1002/sim.1186 (I2, H2).
    Higgins, Thompson and Spiegelhalter (2009), JRSS A 172(1):137-159,
    doi:10.1111/j.1467-985X.2008.00552.x (prediction).

    Examples
    --------
    >>> from ipt_outcomes.meta import pool
    >>> result = pool([-0.42, -0.45, -0.40, -0.44], [0.05, 0.08, 0.03, 0.06])
    >>> round(result.estimate, 3), result.k, result.narrower_than_z
    (-0.421, 4, True)
    """
    check_options(tau2, test, level)
    return predicted(pool_rows(unpack(yi, vi), tau2, test, level), prediction, rng)


def predicted(pooled: PooledEffect, method: PredictionMethod, rng: np.random.Generator | None = None) -> PooledEffect:
    """Return the result with its prediction interval by another method, or a note why there is none.

    Parameters
    ----------
    pooled : PooledEffect
    method : str
        As in `pool`.
    rng : numpy.random.Generator, optional

    Returns
    -------
    PooledEffect

    Raises
    ------
    OptionError
        The method does not go with the fit.
    """
    require_choice("prediction", method, PREDICTION_METHODS)
    if method == "fit":
        return pooled
    options = {**pooled.provenance.options, "prediction": method}
    provenance = Provenance(function=pooled.provenance.function, options=options)
    try:
        found = pooled.prediction_interval(method, rng=rng)
    except DesignError as why:
        none: dict[str, Any] = {"prediction_low": None, "prediction_high": None, "prediction_words": ""}
        notes = (*pooled.notes, f"No interval: {why.message}.")
        return replace(pooled, **none, prediction=method, notes=notes, provenance=provenance)
    return replace(
        pooled,
        prediction_low=found.low,
        prediction_high=found.high,
        prediction=method,
        prediction_words=found.words,
        provenance=provenance,
    )


def check_options(tau2: str, test: str, level: float) -> None:
    """Raise `OptionError` for an option that is not one of the choices."""
    require_choice("tau2", tau2, TAU2_METHODS)
    require_choice("test", test, TESTS)
    require_level(level)


def pool_rows(rows: Rows, tau2: Tau2Method, test: Test, level: float) -> PooledEffect:
    """Pool checked rows; options as in `pool`."""
    if rows.used.size == 0:
        raise DesignError(
            f"nothing to pool: none of {rows.yi.size} rows has both an effect and a variance",
            rows=range(rows.yi.size),
        )
    y = rows.y
    problem = Problem(y, rows.v, np.ones((y.size, 1)))
    result = fit(problem, estimate_tau2(problem, tau2))
    used, factor, reason = resolve_test(test, result.scale, result.df, common=tau2 == "common")
    variance = float(result.covariance[0, 0])
    df = None if used == "z" else float(result.df)
    estimate = float(result.coefficients[0])
    main = infer(estimate, math.sqrt(variance * factor), df, level)
    plain = main if used == "z" else infer(estimate, math.sqrt(variance), None, level)
    return assemble(rows, result, main, plain, tau2=tau2, test=used, asked=test, level=level, reason=reason)


def assemble(
    rows: Rows,
    result: RegressionFit,
    main: Inference,
    plain: Inference,
    *,
    tau2: Tau2Method,
    test: Test,
    asked: Test,
    level: float,
    reason: str,
) -> PooledEffect:
    """Put a fit together with its test, its z counterpart (`plain`) and what was used."""
    i2, h2 = heterogeneity_shares(result, tau2)
    narrower = test != "z" and main.ci_high - main.ci_low < plain.ci_high - plain.ci_low
    alone = NO_CONTROL_NOTE if rows.effects is not None and rows.effects.measure in WITHOUT_CONTROL else ""
    notes = tuple(note for note in (reason, NARROW_NOTE if narrower else "", alone) if note)
    prediction = None
    if tau2 != "common" and rows.used.size > 1:
        prediction = quantile(main.df, level) * math.sqrt(result.tau2 + main.se**2)
    effects = rows.effects
    return PooledEffect(
        measure=None if effects is None else effects.measure,
        convention=None if effects is None else effects.convention,
        event=None if effects is None else effects.event,
        estimate=main.estimate,
        se=main.se,
        ci_low=main.ci_low,
        ci_high=main.ci_high,
        df=main.df,
        statistic=main.statistic,
        p_value=main.p_value,
        k=int(rows.used.size),
        tau2=result.tau2,
        i2=i2,
        h2=h2,
        q=result.q,
        q_df=result.df,
        q_p_value=chi2_p(result.q, result.df) if result.df > 0 else None,
        prediction_low=None if prediction is None else main.estimate - prediction,
        prediction_high=None if prediction is None else main.estimate + prediction,
        prediction_words="" if prediction is None else _FIT_WORDS[main.df is None].format(df=main.df or 0.0),
        z_ci_low=plain.ci_low,
        z_ci_high=plain.ci_high,
        narrower_than_z=narrower,
        level=float(level),
        tau2_method=tau2,
        test=test,
        method=describe(tau2, test, main.df, level, int(rows.used.size)),
        notes=notes,
        n_dropped=int(rows.yi.size - rows.used.size),
        yi=rows.yi,
        vi=rows.vi,
        positions=rows.used,
        weight_percent=100.0 * result.weights / result.weights.sum(),
        effects=effects,
        provenance=Provenance(function="meta.pool", options={"tau2": tau2, "test": asked, "level": float(level)}),
    )


def heterogeneity_shares(result: RegressionFit, tau2: Tau2Method) -> tuple[float | None, float | None]:
    """I2 in percent and H2, by the definition that goes with the model; None without residual df."""
    if result.typical_variance is None:
        return None, None
    if tau2 == "common":
        i2 = 0.0 if result.q <= result.df else 100.0 * (result.q - result.df) / result.q
        return i2, result.q / result.df
    return shares_of(result.tau2, result.typical_variance)


def shares_of(tau2: float, typical: float) -> tuple[float, float]:
    """I2 in percent and H2 that go with a between-study variance."""
    return 100.0 * tau2 / (tau2 + typical), tau2 / typical + 1.0


def describe(tau2: Tau2Method, test: Test, df: float | None, level: float, k: int) -> str:
    """Say in a sentence how the effect was pooled."""
    percent = format_number(100 * level, "number")
    if k == 1:
        return f"One study: its own effect, {TEST_NAMES['z']}, {percent}% level."
    ending = f"{TEST_NAMES[test]}{'' if df is None else f', {df:.0f} df'}, {percent}% level"
    if tau2 == "common":
        return f"Common-effect model, inverse-variance weights; {ending}; I2 is 100 (Q - df) / Q."
    return (
        f"Random-effects model, inverse-variance weights, tau2 by {TAU2_NAMES[tau2]}; {ending}; "
        "I2 is 100 tau2 / (tau2 + typical sampling variance)."
    )
