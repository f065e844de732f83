"""Meta-regression: effects explained by moderators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta.core import Problem, RegressionFit, fit
from ipt_outcomes.meta.design import Design, make_design, read_moderators
from ipt_outcomes.meta.fit_statistics import FitStatistics, fit_statistics
from ipt_outcomes.meta.inference import TEST_NAMES, Inference, chi2_p, f_p, infer, resolve_test
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, unpack
from ipt_outcomes.meta.oddities import repeated_rows
from ipt_outcomes.meta.pool import check_options, heterogeneity_shares
from ipt_outcomes.meta.prediction import PredictionMethod
from ipt_outcomes.meta.tau2 import estimate_tau2
from ipt_outcomes.results import Provenance, ResultObject, Style, format_interval, format_number, p_in_words, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIELDS = ("estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRegression(ResultObject):
    """A fitted meta-regression.

    Parameters
    ----------
    coefficients : pandas.DataFrame
        ``term estimate se df statistic p_value ci_low ci_high``, intercept first; `df` empty for z.
    tau2 : float
        Residual between-study variance.
    i2, h2 : float or None
        Of what the moderators leave; percent, as in `PooledEffect`.
    r2 : float or None
        Percent of the between-study variance that the moderators explain, at least 0; None where there was
        none to explain or for the common effect.
    qe, qe_df, qe_p_value : float, int, float or None
        Residual heterogeneity.
    qm, qm_df, qm_p_value : float, (int, int or None), float
        Test of all moderators: chi-squared under z, F under Knapp-Hartung.
    terms : pandas.DataFrame
        ``moderator statistic num_df den_df p_value``: the same test for each moderator and interaction.
    k, n_dropped : int
        Effects used, rows left out for a missing effect, variance or moderator.
    vcov : numpy.ndarray, shape (p, p)
        Covariance of the coefficients, as tested.
    factor, scale : float, float or None
        What the plain covariance was multiplied by (1 under z), and Knapp and Hartung's factor.
    tau2_method, test, level : str, str, float
        As used.
    design : Design
        How the moderators were coded.
    yi, vi, positions : numpy.ndarray
        What was fitted: effects and variances of the rows used, and their places in the input.
    moderators : pandas.DataFrame
        Moderators of the rows used.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    coefficients: pd.DataFrame
    tau2: float
    i2: float | None
    h2: float | None
    r2: float | None
    qe: float
    qe_df: int
    qe_p_value: float | None
    qm: float
    qm_df: tuple[int, int | None]
    qm_p_value: float
    terms: pd.DataFrame
    k: int
    n_dropped: int
    vcov: np.ndarray
    factor: float
    scale: float | None
    tau2_method: Tau2Method
    test: Test
    level: float
    design: Design
    yi: np.ndarray
    vi: np.ndarray
    positions: np.ndarray
    moderators: pd.DataFrame
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.regression"))

    def to_frame(self) -> pd.DataFrame:
        """Return `coefficients`."""
        return self.coefficients

    def to_dict(self) -> dict[str, Any]:
        """Return numbers, words and the call as JSON values."""
        names = ("tau2", "i2", "h2", "r2", "qe", "qe_df", "qe_p_value", "qm", "qm_df", "qm_p_value", "k", "n_dropped")
        frames = {"coefficients": self.coefficients, "terms": self.terms}
        records = {
            name: frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
            for name, frame in frames.items()
        }
        numbers = {name: getattr(self, name) for name in names} | {"qm_df": list(self.qm_df)}
        words = {"method": self.method, "notes": list(self.notes), "provenance": self.provenance.to_dict()}
        return records | numbers | words

    def predict(
        self, moderators: Any, *, level: float | None = None, prediction: PredictionMethod = "fit"
    ) -> pd.DataFrame:
        """Return the effect expected at values of the moderators.

        Parameters
        ----------
        moderators : DataFrame, mapping, Series or array_like
            As in `regression`, one row per prediction.
        level : float, optional
            Level of the intervals; that of the fit when left out.
        prediction : {"fit", "S", "V", "HTS", "HK", "HK-PR"}
            Prediction interval, as in `PooledEffect.prediction_interval`: "V" and "HK" have k - p df, "HTS" and
            "HK-PR" k - p - 1, with p coefficients.

        Returns
        -------
        pandas.DataFrame
            ``estimate se ci_low ci_high prediction_low prediction_high``.

        Raises
        ------
        DesignError
            A level that the fit did not have; no degrees of freedom left.
        OptionError
            A moderator is missing, or `prediction` is not one of the choices.
        """
        from ipt_outcomes.meta.regression_predict import predict

        return predict(self, moderators, self.level if level is None else level, prediction)

    @property
    def fit_statistics(self) -> FitStatistics:
        """``log_likelihood aic bic tau2_se`` of the fit."""
        return fit_statistics(self.yi, self.vi, self.design.matrix, self.tau2, self.tau2_method)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks wrong in the effects: said, never corrected; rows count among those given."""
        return repeated_rows(self.yi, self.vi, self.positions)

    def plot(self, ax: Axes | None = None, *, moderator: str | None = None, **options: Any) -> Axes:
        """Draw the bubble plot of a moderator (named where there are several); options as in `figures.bubble`."""
        from ipt_outcomes.figures import bubble

        return bubble(self, moderator=moderator, ax=ax, **options)

    def summary(self, digits: int = 2) -> str:
        """Return coefficients and tests in plain text.

        Parameters
        ----------
        digits : int
            Decimals, 2 or 3.

        Returns
        -------
        str
        """
        style: Style = "decimal3" if digits == 3 else "decimal2"
        lines = [f"Meta-regression, {self.k} {plural(self.k, 'effect', 'effects')}"]
        for row in self.coefficients.to_dict(orient="records"):
            limits = format_interval(row["ci_low"], row["ci_high"], style)
            lines.append(
                f"{row['term']}: {format_number(row['estimate'], style)} ({limits}), {p_in_words(row['p_value'])}"
            )
        df1, df2 = self.qm_df
        name = f"Q({df1})" if df2 is None else f"F({df1}, {df2})"
        lines.append(f"All moderators: {name} = {format_number(self.qm)}, {p_in_words(self.qm_p_value)}")
        lines.append(
            f"Left over: tau2 {format_number(self.tau2, 'decimal3')}, I2 {format_number(self.i2, 'percent')}, "
            f"Q({self.qe_df}) = {format_number(self.qe)}, {p_in_words(self.qe_p_value)}; "
            f"R2 {format_number(self.r2, 'percent')}"
        )
        return "\n".join([*lines, self.method, *self.notes, *self.warnings])


def regression(
    yi: Effects,
    vi: ArrayLike | None = None,
    moderators: Any = None,
    *,
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    interactions: Sequence[Sequence[str]] = (),
    level: float = 0.95,
) -> MetaRegression:
    """Explain effects by moderators.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects, one per study.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    moderators : DataFrame, mapping, Series or array_like of shape (n,) or (n, q)
        Numbers enter as they are; text, truth values and categoricals against their first level (a
        categorical keeps its order, other values are sorted).
    tau2, test, level
        As in `pool`; Knapp-Hartung uses t and F with k minus the number of coefficients df.
    interactions : sequence of sequences of str
        Moderators whose product enters beside themselves, as ``[("sessions", "format")]``.

    Returns
    -------
    MetaRegression

    Raises
    ------
    DesignError
        An impossible variance, a moderator that is constant or follows from the others, more coefficients than
        studies; rows and columns are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated.

    Notes
    -----
    R2 compares tau2 with that of the same studies without moderators. A moderator varies between trials: what
    it explains was not randomised.

    References
    ----------
    Raudenbush (2009), in The Handbook of Research Synthesis, 2nd ed, chapter 16, ISBN 978-0871541635;
    Knapp, Hartung (2003), Stat Med 22(17):2693-2710, doi:10.1002/sim.1482;
    Lopez-Lopez et al (2014), Br J Math Stat Psychol 67(1):30-48, doi:10.1111/bmsp.12002 (R2).

    Examples
    --------
    >>> from ipt_outcomes.meta import regression
    >>> y, v, sessions = [0.1, 0.3, 0.5, 0.4, 0.7], [0.02, 0.03, 0.02, 0.04, 0.03], [6, 8, 12, 12, 16]
    >>> regression(y, v, {"sessions": sessions}, test="z").coefficients.estimate.round(3).tolist()
    [-0.219, 0.058]
    """
    check_options(tau2, test, level)
    if moderators is None:
        raise OptionError("moderators are needed; pool() has none")
    rows = unpack(yi, vi)
    frame = read_moderators(moderators, rows.yi.size)
    keep = rows.used[frame.notna().all(axis=1).to_numpy()[rows.used]]
    if keep.size == 0:
        raise DesignError(f"nothing to fit: none of {rows.yi.size} rows is complete", rows=range(rows.yi.size))
    chosen = frame.iloc[keep].reset_index(drop=True)
    options = {"tau2": tau2, "test": test, "level": float(level)}
    return _fit(rows, keep, chosen, make_design(chosen, interactions), options)


def _fit(rows: Rows, keep: np.ndarray, chosen: pd.DataFrame, design: Design, options: dict[str, Any]) -> MetaRegression:
    tau2, test, level = options["tau2"], options["test"], options["level"]
    y, v = rows.yi[keep], rows.vi[keep]
    result, problem = fit_design(y, v, design.matrix, tau2)
    used, factor, reason = resolve_test(test, result.scale, result.df, common=tau2 == "common")
    df = None if used == "z" else float(result.df)
    vcov = result.covariance * factor
    lines = _lines(result.coefficients, vcov, df, level)
    i2, h2 = heterogeneity_shares(result, tau2)
    notes = (reason, _NARROW if used == "knapp-hartung" and factor < 1 else "", _few(problem))
    qm, qm_p = _wald(result.coefficients, vcov, list(range(1, len(lines))), df)
    return MetaRegression(
        coefficients=_frame(design, lines),
        tau2=result.tau2,
        i2=i2,
        h2=h2,
        r2=_explained(y, v, result.tau2, tau2),
        qe=result.q,
        qe_df=result.df,
        qe_p_value=chi2_p(result.q, result.df) if result.df > 0 else None,
        qm=qm,
        qm_df=(len(design.terms) - 1, None if df is None else result.df),
        qm_p_value=qm_p,
        terms=_term_tests(design, result, vcov, df),
        k=int(keep.size),
        n_dropped=int(rows.yi.size - keep.size),
        vcov=vcov,
        factor=factor,
        scale=result.scale,
        tau2_method=tau2,
        test=used,
        level=level,
        design=design,
        yi=y,
        vi=v,
        positions=keep,
        moderators=chosen,
        method=_describe(tau2, used, df, level),
        notes=tuple(note for note in notes if note),
        provenance=Provenance(
            function="meta.regression",
            options={
                **options,
                "moderators": list(design.names),
                "interactions": [list(pair) for pair in design.interactions],
            },
        ),
    )


_NARROW = (
    "The Knapp-Hartung standard errors are smaller than those of z: with effects this alike they understate the "
    'uncertainty; test="knapp-hartung-adhoc" never does.'
)


def fit_design(y: np.ndarray, v: np.ndarray, matrix: np.ndarray, tau2: Tau2Method) -> tuple[RegressionFit, Problem]:
    """Fit checked effects on a design matrix.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
    matrix : numpy.ndarray, shape (k, p)
    tau2 : str
        As in `pool`.

    Returns
    -------
    tuple of RegressionFit and Problem
    """
    problem = Problem(y, v, matrix)
    return fit(problem, estimate_tau2(problem, tau2)), problem


def _explained(y: np.ndarray, v: np.ndarray, left: float, tau2: Tau2Method) -> float | None:
    if tau2 == "common":
        return None
    whole, _ = fit_design(y, v, np.ones((y.size, 1)), tau2)
    return max(0.0, 100.0 * (1.0 - left / whole.tau2)) if whole.tau2 > 0 else None


def _lines(coefficients: np.ndarray, vcov: np.ndarray, df: float | None, level: float) -> list[Inference]:
    se = np.sqrt(np.diag(vcov))
    return [infer(float(b), float(s), df, level) for b, s in zip(coefficients, se, strict=True)]


def _frame(design: Design, lines: list[Inference]) -> pd.DataFrame:
    pairs = zip(design.terms, lines, strict=True)
    return pd.DataFrame([{"term": term, **{name: getattr(line, name) for name in FIELDS}} for term, line in pairs])


def _wald(coefficients: np.ndarray, vcov: np.ndarray, columns: list[int], df: float | None) -> tuple[float, float]:
    b = coefficients[columns]
    q = float(b @ np.linalg.solve(vcov[np.ix_(columns, columns)], b))
    if df is None:
        return q, chi2_p(q, len(columns))
    return q / len(columns), f_p(q / len(columns), len(columns), df)


def _term_tests(design: Design, result: RegressionFit, vcov: np.ndarray, df: float | None) -> pd.DataFrame:
    records = []
    for name, columns in design.groups:
        statistic, p = _wald(result.coefficients, vcov, list(columns), df)
        records.append({"moderator": name, "statistic": statistic, "num_df": len(columns), "den_df": df, "p_value": p})
    return pd.DataFrame(records)


def _describe(tau2: Tau2Method, test: Test, df: float | None, level: float) -> str:
    kind = "Common-effect" if tau2 == "common" else "Random-effects"
    how = "" if tau2 == "common" else f", tau2 by {tau2}"
    ending = f"{TEST_NAMES[test]}{'' if df is None else f', {df:.0f} df'}"
    return f"{kind} meta-regression{how}; {ending}, {format_number(100 * level, 'number')}% level."


def _few(problem: Problem) -> str:
    if problem.k < 10 * (problem.p - 1):
        columns = (
            f"{problem.k} studies for {problem.p - 1} {plural(problem.p - 1, 'moderator column', 'moderator columns')}"
        )
        return f"{columns}: fewer than 10 for each, so results by chance are likely."
    return ""
