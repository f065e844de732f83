"""The result of a multilevel meta-analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.meta.inputs import require_level
from ipt_outcomes.results import Provenance, ResultObject, Style, format_interval, format_number, p_in_words, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ipt_outcomes.effects.effect_sizes import EffectSizes
    from ipt_outcomes.meta.multilevel.blocks import Blocks

COLUMNS = (
    "k",
    "n_studies",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "df",
    "statistic",
    "p_value",
    "tau2_study",
    "tau2_effect",
    "i2_study",
    "i2_effect",
    "q",
    "q_df",
    "q_p_value",
    "prediction_low",
    "prediction_high",
    "log_likelihood",
    "n_dropped",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultilevelEffect(ResultObject):
    """Pooled effect of several effects per study.

    Parameters
    ----------
    estimate, se, ci_low, ci_high, df, statistic, p_value : float
        Pooled effect (with moderators: the intercept) and its test; `df` is None for z.
    k, n_studies : int
        Effects and studies used.
    tau2_study, tau2_effect : float
        Variance of true effects between studies, and between effects within a study.
    i2_study, i2_effect : float or None
        Percent of total variance, 100 tau2/(sum of both + typical sampling variance).
    q, q_df, q_p_value : float, int, float or None
        Residual heterogeneity, y'Py at both variances 0.
    log_likelihood : float
        Restricted or not, as `method_name` says, with all constants.
    prediction_low, prediction_high : float or None
        Limits of one true effect in a new study; None with moderators.
    coefficients : pandas.DataFrame
        ``term estimate se df statistic p_value ci_low ci_high``.
    vcov : numpy.ndarray, shape (p, p)
        Covariance the tests use (robust where asked for).
    qm, qm_df, qm_p_value : float, (int, float or None), float or None
        Test of all moderators: F (chi-squared over its df under z); None without moderators.
    wald : dict of str to (float, int, float or None, float)
        Per moderator the same test: F, numerator df, denominator df, p.
    robust : {"CR2", "CR1"} or None
    method_name : {"REML", "ML"}
    level : float
    n_dropped : int
    study_names : tuple
        Studies used, in order of first appearance.
    method : str
    notes : tuple of str
    provenance : Provenance
    blocks : object
        What `profile` needs; no part of the result's views.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    df: float | None
    statistic: float
    p_value: float
    k: int
    n_studies: int
    tau2_study: float
    tau2_effect: float
    i2_study: float | None
    i2_effect: float | None
    q: float
    q_df: int
    q_p_value: float | None
    log_likelihood: float
    prediction_low: float | None
    prediction_high: float | None
    coefficients: pd.DataFrame
    vcov: np.ndarray
    qm: float | None
    qm_df: tuple[int, float | None] | None
    qm_p_value: float | None
    wald: dict[str, tuple[float, int, float | None, float]]
    robust: str | None
    method_name: str
    level: float
    n_dropped: int
    study_names: tuple[Any, ...]
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.multilevel"))
    blocks: Blocks = field(repr=False, compare=False)

    def row(self) -> dict[str, Any]:
        """Return the numbers as one record, in the order of `COLUMNS`."""
        return {name: getattr(self, name) for name in COLUMNS}

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        return pd.DataFrame([self.row()], columns=list(COLUMNS))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, coefficients, words and the call as JSON values."""
        record = {name: None if _missing(value) else value for name, value in self.row().items()}
        return record | {
            "coefficients": self.coefficients.astype(object)
            .where(self.coefficients.notna(), None)
            .to_dict(orient="records"),
            "qm": self.qm,
            "qm_df": None if self.qm_df is None else list(self.qm_df),
            "qm_p_value": self.qm_p_value,
            "method": self.method,
            "notes": list(self.notes),
            "provenance": self.provenance.to_dict(),
        }

    def profile(self, level: float = 0.95) -> pd.DataFrame:
        """Return profile-likelihood intervals of both variances.

        Parameters
        ----------
        level : float
            Confidence level.

        Returns
        -------
        pandas.DataFrame
            ``component estimate low high``; a component that was not in the model is left out.

        Raises
        ------
        OptionError
            `level` is not between 0 and 1.
        ConvergenceError
            The profile could not be followed.
        """
        from ipt_outcomes.meta.multilevel.profile import profile

        require_level(level)
        if not self.blocks.n_parts:
            raise OptionError("there is no variance component to profile")
        names = ("tau2_study", "tau2_effect")[: self.blocks.n_parts]
        estimates = [getattr(self, name) for name in names]
        rows = profile(self.blocks, np.array(estimates), restricted=self.method_name == "REML", level=level)
        return pd.DataFrame(
            [
                {"component": name, "estimate": estimate, "low": low, "high": high}
                for name, estimate, (low, high) in zip(names, estimates, rows, strict=True)
            ]
        )

    def plot(
        self,
        effects: EffectSizes,
        ax: Axes | None = None,
        *,
        study: Any,
        kind: Literal["forest", "caterpillar"] = "forest",
        **options: Any,
    ) -> Axes:
        """Draw the effects, grouped by study or sorted by size, with the pooled effect.

        Parameters
        ----------
        effects : EffectSizes
            The effects that were pooled; the result itself keeps none.
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        study : array_like, shape (k,)
            Study of each effect.
        kind : {"forest", "caterpillar"}
            "forest" lists every effect under its study, "caterpillar" has room for hundreds.
        **options
            As in `ipt_outcomes.figures.nested_forest` or `ipt_outcomes.figures.caterpillar`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        OptionError
            `kind` is not one of the choices, or the fit has moderators: there is no one pooled effect.
        """
        from ipt_outcomes import figures

        require_choice("kind", kind, ("forest", "caterpillar"))
        if self.qm is not None:
            raise OptionError("a model with moderators has no one pooled effect to draw: plot a fit without them")
        draw = figures.nested_forest if kind == "forest" else figures.caterpillar
        return draw(effects, study=study, ax=ax, **{"pooled": self, "level": self.level, **options})

    def summary(self, digits: int = 2) -> str:
        """Return the result in plain text.

        Parameters
        ----------
        digits : int
            Decimals, 2 or 3.

        Returns
        -------
        str
        """
        style: Style = "decimal3" if digits == 3 else "decimal2"
        letter = "z" if self.df is None else f"t({format_number(self.df, 'decimal1')})"
        percent = format_number(100 * self.level, "number")
        lines = [
            f"Pooled effect, {self.k} {plural(self.k, 'effect', 'effects')} of {self.n_studies} "
            f"{plural(self.n_studies, 'study', 'studies')}: {format_number(self.estimate, style)} "
            f"({percent}% CI {format_interval(self.ci_low, self.ci_high, style)}), "
            f"{letter} = {format_number(self.statistic)}, {p_in_words(self.p_value)}",
            f"Variance between studies {format_number(self.tau2_study, 'decimal3')} "
            f"(I2 {format_number(self.i2_study, 'percent')}), within studies "
            f"{format_number(self.tau2_effect, 'decimal3')} (I2 {format_number(self.i2_effect, 'percent')})",
        ]
        if self.qm is not None and self.qm_df is not None:
            df2 = "" if self.qm_df[1] is None else f", {format_number(self.qm_df[1], 'decimal1')}"
            lines.append(
                f"Moderators: F({self.qm_df[0]}{df2}) = {format_number(self.qm)}, {p_in_words(self.qm_p_value)}"
            )
        if self.prediction_low is not None:
            limits = format_interval(self.prediction_low, self.prediction_high, style)
            lines.append(f"{percent}% prediction interval: {limits}")
        return "\n".join([*lines, self.method, *self.notes])


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))
