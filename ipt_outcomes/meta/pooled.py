"""The result of a meta-analysis of one effect per study."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.effects.effect_sizes import MEASURE_NAMES, RATIOS, EffectSizes, Measure
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.meta.inputs import Tau2Method, Test, left_out
from ipt_outcomes.results import Provenance, ResultObject, Style, format_interval, format_number, p_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ipt_outcomes.meta.fit_statistics import FitStatistics
    from ipt_outcomes.meta.heterogeneity import HeterogeneityInterval, IntervalMethod
    from ipt_outcomes.meta.prediction import PredictionInterval, PredictionMethod

STYLES: dict[int, Style] = {0: "integer", 1: "decimal1", 2: "decimal2", 3: "decimal3"}

COLUMNS = (
    "measure",
    "k",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "df",
    "statistic",
    "p_value",
    "tau2",
    "i2",
    "h2",
    "q",
    "q_df",
    "q_p_value",
    "prediction_low",
    "prediction_high",
    "z_ci_low",
    "z_ci_high",
    "narrower_than_z",
    "n_dropped",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEffect(ResultObject):
    """A pooled effect with its heterogeneity.

    Parameters
    ----------
    measure : str or None
        What the effects are, as in `EffectSizes`; None for plain arrays. Ratios are on the log scale.
    convention : str or None
        Formulas behind the effects, carried along from `EffectSizes`.
    event : {"good", "bad"} or None
        For ratios and risk differences: whether more events are good news.
    estimate, se, ci_low, ci_high : float
        Pooled effect, its standard error and confidence limits, in the units of the effects.
    df : float or None
        Degrees of freedom of the t test; None for z.
    statistic, p_value : float
        Test of no effect.
    k : int
        Studies (rows) used.
    tau2 : float
        Between-study variance, in squared units of the effects; never negative, 0 for the common effect.
    i2 : float or None
        Percent. Random effects: 100 tau2 / (tau2 + typical sampling variance), which follows the estimator
        of tau2. Common effect: 100 (Q - df) / Q, at least 0. None with one study.
    h2 : float or None
        Random effects: tau2 / typical variance + 1. Common effect: Q / df. None with one study.
    q, q_df, q_p_value : float, int, float or None
        Cochran's Q; the p value is None with one study.
    prediction_low, prediction_high : float or None
        Limits for the true effect of a new study, by `prediction`. None for the common effect and for one study.
    prediction : str
        How: "fit" is t with `df` under Knapp-Hartung and normal under z; the others as in `prediction_interval`.
    prediction_words : str
        The same in words; empty without an interval.
    z_ci_low, z_ci_high : float
        Interval of the z test on the same tau2; equals the confidence interval when `test` is ``"z"``.
    narrower_than_z : bool
        The Knapp-Hartung interval came out narrower than that of z: a warning sign, not a gain in precision.
    level : float
        Level of all intervals.
    tau2_method, test : str
        As used; `test` is ``"z"`` where Knapp-Hartung was not possible (`notes` says why).
    method : str
        The analysis in words.
    notes : tuple of str
        What a reader must know: a test that was replaced, a suspiciously narrow interval.
    n_dropped : int
        Rows left out because an effect or variance was missing.
    yi, vi : numpy.ndarray, shape (n,)
        Effects and variances as given, with the missing ones.
    positions : numpy.ndarray of int, shape (k,)
        Rows used, counted from 0.
    weight_percent : numpy.ndarray, shape (k,)
        Weights of the rows used; they sum to 100.
    effects : EffectSizes or None
        What was pooled, when an `EffectSizes` was given.
    provenance : Provenance
    """

    measure: Measure | None
    convention: str | None = None
    event: Literal["good", "bad"] | None = None
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    df: float | None
    statistic: float
    p_value: float
    k: int
    tau2: float
    i2: float | None
    h2: float | None
    q: float
    q_df: int
    q_p_value: float | None
    prediction_low: float | None
    prediction_high: float | None
    prediction: PredictionMethod = "fit"
    prediction_words: str = ""
    z_ci_low: float
    z_ci_high: float
    narrower_than_z: bool
    level: float
    tau2_method: Tau2Method
    test: Test
    method: str
    notes: tuple[str, ...] = ()
    n_dropped: int = 0
    yi: np.ndarray
    vi: np.ndarray
    positions: np.ndarray
    weight_percent: np.ndarray
    effects: EffectSizes | None = None
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.pool"))

    @property
    def weights(self) -> pd.DataFrame:
        """Weights as a frame ``position weight_percent``, one row per study used."""
        return pd.DataFrame({"position": self.positions, "weight_percent": self.weight_percent})

    def heterogeneity_ci(self, method: IntervalMethod = "q-profile", level: float = 0.95) -> HeterogeneityInterval:
        """Return confidence intervals of tau2, I2 and H2.

        Parameters
        ----------
        method : {"q-profile", "profile-likelihood", "generalised-q"}
            Profile likelihood needs tau2 by REML or ML, generalised Q needs DL.
        level : float
            Confidence level.

        Returns
        -------
        HeterogeneityInterval

        Raises
        ------
        DesignError
            There is only one study.
        OptionError
            The method does not go with the estimator of tau2.
        """
        from ipt_outcomes.meta.heterogeneity import heterogeneity_interval

        return heterogeneity_interval(self, method, level)

    def prediction_interval(
        self,
        method: PredictionMethod = "HTS",
        *,
        level: float | None = None,
        draws: int = 25_000,
        rng: np.random.Generator | None = None,
    ) -> PredictionInterval:
        """Return the interval for the true effect of a new study by another method.

        Parameters
        ----------
        method : {"fit", "S", "V", "HTS", "HK", "HK-PR", "KR", "KR-PR", "NNF"}
            Named as in R's meta. "fit": quantile and standard error of the pooled effect. With the plain standard
            error: "S" normal, "V" t with k - 1 df, "HTS" t with k - 2 df. With that of Knapp and Hartung: "HK"
            k - 1, "HK-PR" k - 2 df. With that of Kenward and Roger (tau2 by REML): "KR" its own df, "KR-PR" one
            less. "NNF": draws from the confidence distribution of tau2, which needs `rng`; it does not depend on the
            estimator of tau2.
        level : float, optional
            That of the fit when left out.
        draws : int
            For "NNF", 1000 or more.
        rng : numpy.random.Generator, optional
            For "NNF".

        Returns
        -------
        PredictionInterval

        Raises
        ------
        DesignError
            There are too few studies: 3 for "HTS", "HK-PR" and "NNF", else 2.
        OptionError
            A common effect, a method that does not go with the estimator of tau2, no generator for "NNF".
        """
        from ipt_outcomes.meta.prediction import prediction_interval

        return prediction_interval(self, method, self.level if level is None else level, draws, rng)

    @property
    def fit_statistics(self) -> FitStatistics:
        """``log_likelihood aic bic tau2_se`` of the fit."""
        from ipt_outcomes.meta.fit_statistics import fit_statistics

        y, v = self.yi[self.positions], self.vi[self.positions]
        return fit_statistics(y, v, np.ones((y.size, 1)), self.tau2, self.tau2_method)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks wrong in the effects: said, never corrected."""
        from ipt_outcomes.meta.oddities import oddities

        return oddities(self.yi, self.vi, self.positions, self.measure)

    def row(self) -> dict[str, Any]:
        """Return the numbers as one record, in the order of `COLUMNS`."""
        return {name: getattr(self, name) for name in COLUMNS}

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        return pd.DataFrame([self.row()], columns=list(COLUMNS))

    def summary(self, digits: int = 2) -> str:
        """Return the result in plain text.

        Parameters
        ----------
        digits : int
            Decimals of effects and limits, 0 to 3.

        Returns
        -------
        str
            The pooled effect, the heterogeneity, the method, and every note.
        """
        style = STYLES.get(digits, "decimal2")
        percent = format_number(100 * self.level, "number")
        name = "effect" if self.measure is None else MEASURE_NAMES[self.measure]
        df = "" if self.df is None else f"({format_number(self.df, 'number')})"
        letter = "z" if self.df is None else "t"
        lines = [
            f"Pooled {name}, {self.k} {'study' if self.k == 1 else 'studies'}: "
            f"{format_number(self.estimate, style)} "
            f"({percent}% CI {format_interval(self.ci_low, self.ci_high, style)}){self._as_ratio(style)}, "
            f"{letter}{df} = {format_number(self.statistic)}, {p_in_words(self.p_value)}",
            f"Heterogeneity: tau2 {format_number(self.tau2, 'decimal3')}, "
            f"I2 {format_number(self.i2, 'percent')}, "
            f"Q({self.q_df}) = {format_number(self.q)}, {p_in_words(self.q_p_value)}",
        ]
        if self.prediction_low is not None:
            limits = format_interval(self.prediction_low, self.prediction_high, style)
            lines.append(f"{percent}% prediction interval: {limits}; {self.prediction_words}")
        lines.append(self.method)
        if self.narrower_than_z:
            limits = format_interval(self.z_ci_low, self.z_ci_high, style)
            lines.append(f"{percent}% CI by z on the same data: {limits}")
        lines.extend(self.notes)
        lines.extend(self.warnings)
        if self.n_dropped:
            lines.append(left_out(self.yi, self.vi))
        return "\n".join(lines)

    def _as_ratio(self, style: Style) -> str:
        """The same on the scale of the ratio, where the effect is the logarithm of one."""
        if self.measure not in RATIOS:
            return ""
        estimate, low, high = (math.exp(min(value, 700.0)) for value in (self.estimate, self.ci_low, self.ci_high))
        return f", {self.measure} {format_number(estimate, style)} ({format_interval(low, high, style)})"

    def plot(
        self,
        ax: Axes | None = None,
        *,
        measure: Measure | None = None,
        event: Literal["good", "bad"] | None = None,
        **options: Any,
    ) -> Axes:
        """Draw a forest plot.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        measure, event : str, optional
            What the effects are, as in `EffectSizes`; needed where plain arrays were pooled, because the plot
            says which side is favourable and draws ratios on a log axis.
        **options
            As in `ipt_outcomes.figures.forest`; ``weights=None`` leaves the column of weights out.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        OptionError
            Plain arrays were pooled and `measure` does not say what they are, or it contradicts the effects.
        """
        from ipt_outcomes.figures import forest

        weights = np.full(self.yi.size, np.nan)
        weights[self.positions] = self.weight_percent
        options = {"weights": weights, **options, "pooled": self, "level": options.get("level", self.level)}
        return forest(self._as_effects(measure, event), ax=ax, **options)

    def _as_effects(self, measure: Measure | None, event: Literal["good", "bad"] | None) -> EffectSizes:
        if self.effects is not None:
            if measure not in {None, self.measure} or event not in {None, self.event}:
                raise OptionError(f"the effects are {self.measure}, event {self.event!r}: leave both out")
            return self.effects
        if measure is None:
            raise OptionError(
                "plain arrays do not say what the effects are, so a forest plot cannot name its sides",
                hint='Name it, for example plot(measure="SMD"), or pool an EffectSizes.',
            )
        require_choice("measure", measure, MEASURE_NAMES)
        return EffectSizes(yi=self.yi, vi=self.vi, measure=measure, convention="as given", event=event)
