"""What every fitted mixed model answers: coefficients, means, contrasts, slopes, tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from scipy import stats

from ipt_outcomes.errors import require_choice
from ipt_outcomes.mixed import diagnostics
from ipt_outcomes.mixed.adjust import Adjust, adjusted
from ipt_outcomes.mixed.anova import type_three, type_two
from ipt_outcomes.mixed.cautions import cautions
from ipt_outcomes.mixed.comparison import compared
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.grid import Against, Combinations, Weights, contrasts, means, trends
from ipt_outcomes.mixed.spread import pooled_df, scaled_f
from ipt_outcomes.mixed.words import left_out_in_words
from ipt_outcomes.results import ResultObject, format_number, p_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

NOT_ESTIMABLE = "not estimable: the rows used do not tell it"


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFit(ResultObject):
    """A fitted mixed model; what differs between kinds of models is the subclass's.

    Parameters
    ----------
    formula : str
        As given.
    fixed : pandas.DataFrame
        One row per coefficient: ``term estimate se df statistic p_value ci_low ci_high``.
    random : pandas.DataFrame
        ``group term1 term2 variance_or_cov sd_or_corr``; ``term2`` is empty on rows of a variance.
    sigma : float
        Residual standard deviation, in units of the outcome; NaN where it differs by visit or group.
    log_likelihood, aic, bic : float
        Of the restricted likelihood where `reml`: then they compare only models with the same fixed part.
    n_obs, n_dropped : int
        Rows used, and rows left out because a value was missing.
    n_groups : dict of str to int
    vcov : numpy.ndarray, shape (p, p)
        Covariance of the coefficients, in the order of `fixed`.
    reml : bool
    df_method : str
        How degrees of freedom were found.
    level : float
        Confidence level of every interval.
    converged : bool
        Always true: a fit that did not converge is a `ConvergenceError`.
    singular : bool
        Whether a variance is 0 or a correlation is 1 or -1: the fit is on the boundary.
    singular_direction : str
        Which combination of random effects does not vary; empty where `singular` is false.
    attempts : tuple of str
        What did not converge, before the one that did.
    dropped_terms : tuple of str
        Columns of the fixed part that are not in the model, since the data cannot tell them from those before them.
    n_parameters : int
        Coefficients and parameters of the covariance.
    design : Design
        Columns of the model and the rows used.
    """

    title: ClassVar[str]

    formula: str
    fixed: pd.DataFrame
    random: pd.DataFrame
    sigma: float
    log_likelihood: float
    aic: float
    bic: float
    n_obs: int
    n_dropped: int
    n_groups: dict[str, int]
    vcov: np.ndarray
    reml: bool
    df_method: str
    level: float
    converged: bool
    singular: bool
    singular_direction: str
    attempts: tuple[str, ...] = ()
    dropped_terms: tuple[str, ...] = ()
    n_parameters: int
    design: Design = field(repr=False, compare=False)

    def means(
        self,
        factor: str,
        by: str | None = None,
        at: Mapping[str, float | Sequence[float]] | None = None,
        *,
        weights: Weights = "equal",
    ) -> pd.DataFrame:
        """Return estimated means of the levels of a factor.

        Parameters
        ----------
        factor : str
            Column of the data.
        by : str, optional
            A further factor, or a number; a row for each of its levels or values in `at`.
        at : mapping of str to number or list of numbers, optional
            Values of numeric columns; those not named are at their mean over the rows used.
        weights : {"equal", "proportional"}
            How the levels of other factors weigh: all the same, or by how many of the rows used have them.

        Returns
        -------
        pandas.DataFrame
            The factor columns and those of `at`, ``estimate se df ci_low ci_high statistic p_value``; where terms were
            dropped also ``note``, which says of missing numbers that they are not estimable.

        Raises
        ------
        OptionError
            A name that is no factor, or no column, of the model.
        """
        return self.table(means(self.design, factor, by=by, at=at, weights=weights))

    def contrasts(
        self,
        factor: str,
        by: str | None = None,
        at: Mapping[str, float | Sequence[float]] | None = None,
        *,
        against: Against = "reference",
        adjust: Adjust = "none",
    ) -> pd.DataFrame:
        """Return differences of estimated means between levels of a factor.

        Parameters
        ----------
        factor, by, at
            As in `means`.
        against : {"reference", "pairwise"}
            Every level minus the first, or every later level minus every earlier one.
        adjust : {"none", "holm", "tukey", "mvt"}
            Adjustment of p values (and, for tukey and mvt, of intervals) for the contrasts within each level of `by`
            and each point of `at`.

        Returns
        -------
        pandas.DataFrame
            ``contrast`` ("ipt - usual_care"), the columns of `by` and `at`, and the columns of `means`.
        """
        return self.table(contrasts(self.design, factor, by=by, at=at, against=against), adjust=adjust)

    def trends(
        self,
        variable: str,
        by: str | None = None,
        at: Mapping[str, float | Sequence[float]] | None = None,
        *,
        against: Against | None = None,
        adjust: Adjust = "none",
    ) -> pd.DataFrame:
        """Return slopes by a numeric column, or their differences between levels of a factor.

        Parameters
        ----------
        variable : str
            Numeric column, for example ``"week"``.
        by : str, optional
            Factor.
        at : mapping, optional
            As in `means`.
        against : {"reference", "pairwise"}, optional
            Differences of slopes in place of slopes.
        adjust : {"none", "holm", "tukey", "mvt"}

        Returns
        -------
        pandas.DataFrame
            As `means`, or as `contrasts` where `against` is given.
        """
        return self.table(trends(self.design, variable, by=by, at=at, against=against), adjust=adjust)

    def table(self, combinations: Combinations, *, adjust: Adjust = "none") -> pd.DataFrame:
        """Estimate linear combinations of the coefficients.

        Parameters
        ----------
        combinations : Combinations
        adjust : {"none", "holm", "tukey", "mvt"}

        Returns
        -------
        pandas.DataFrame
            Their labels, ``estimate se df ci_low ci_high statistic p_value``.
        """
        told = self.design.estimable.tells(combinations.weights)
        table = self.numbers(combinations, told, adjust=adjust)
        # A number that only a choice among columns that give one another would make is no finding.
        return table.assign(note=np.where(told, "", NOT_ESTIMABLE)) if self.dropped_terms else table

    def numbers(
        self, combinations: Combinations, told: np.ndarray | None = None, *, adjust: Adjust = "none"
    ) -> pd.DataFrame:
        """Return the numbers of `table`; missing where `told` is false."""
        require_choice("adjust", adjust, ("none", "holm", "tukey", "mvt"))
        weights = combinations.weights[:, self.design.estimable.kept]
        estimate = weights @ self.fixed["estimate"].to_numpy()
        se = np.sqrt(np.maximum(np.einsum("kp,pr,kr->k", weights, self.vcov, weights), 0.0))
        df = np.array([self.df_of(row) for row in weights])
        if told is not None:
            estimate, se, df = (np.where(told, values, np.nan) for values in (estimate, se, df))
        numbers = adjusted(estimate, se, df, weights @ self.vcov @ weights.T, combinations, self.level, adjust)
        return pd.concat([combinations.labels, numbers], axis=1)

    def with_coefficients(self) -> Self:
        """Return the fit with standard errors and tests beside the estimates in `fixed`."""
        design, names = self.design, self.fixed["term"].tolist()
        every = np.eye(len(design.everything))[design.estimable.kept]
        each = Combinations(pd.DataFrame({"term": names}), every, np.arange(len(names)))
        # With others left out, these are what the model has: they are not asked whether the data tell them alone.
        table = self.numbers(each)[["term", "estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high"]]
        return replace(self, fixed=table)

    def df_of(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of one combination of the coefficients in the model, shape (p,)."""
        raise TypeError(f"{type(self).__name__} defines no df_of")

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return Kenward and Roger's scale of an F statistic and its degrees of freedom; weights of shape (r, p)."""
        raise TypeError(f"{type(self).__name__} defines no f_scale")

    def anova(self, kind: Literal[2, 3] = 3) -> pd.DataFrame:
        """Return an F test of every term of the fixed part.

        Parameters
        ----------
        kind : {3, 2}
            Type III: each term by its contrasts of means with equal weights of the other factors, as lmerTest does.
            Type II: each term after all others that do not contain it.

        Returns
        -------
        pandas.DataFrame
            ``term num_df den_df statistic p_value``.
        """
        require_choice("kind", str(kind), ("3", "2"))
        terms = type_three(self.design) if kind == 3 else type_two(self.design)
        rows = [(term, *self.f_test(weights)) for term, weights in terms]
        return pd.DataFrame(rows, columns=["term", "num_df", "den_df", "statistic", "p_value"])

    def f_test(self, weights: np.ndarray) -> tuple[int, float, float, float]:
        """Test that several linear combinations of the coefficients are all 0.

        Parameters
        ----------
        weights : numpy.ndarray, shape (r, p_all)
            Of all columns the formula stands for. Of combinations that the data do not tell, the part is tested that
            they tell: the numerator degrees of freedom are fewer.

        Returns
        -------
        tuple
            Numerator and denominator degrees of freedom, F, p value; 0 and missing where nothing can be tested. Kenward
            and Roger's F is scaled.
        """
        weights = self.design.estimable.told_part(weights)[:, self.design.estimable.kept]
        if not len(weights):
            return 0, float("nan"), float("nan"), float("nan")
        if self.df_method.startswith("kenward-roger"):
            return scaled_f(self, weights)
        covariance = weights @ self.vcov @ weights.T
        variances, directions = np.linalg.eigh((covariance + covariance.T) / 2)
        kept = variances > 1e-10 * max(variances.max(), 1e-300)
        turned = directions[:, kept].T @ weights
        t_squared = (turned @ self.fixed["estimate"].to_numpy()) ** 2 / variances[kept]
        statistic, rank = float(t_squared.mean()), int(kept.sum())
        df = pooled_df(np.array([self.df_of(row) for row in turned]))
        p_value = stats.f.sf(statistic, rank, df) if np.isfinite(df) else stats.chi2.sf(rank * statistic, rank)
        return rank, df, statistic, float(p_value)

    def compare(self, other: MixedFit) -> pd.DataFrame:
        """Compare two nested models by their likelihoods.

        Parameters
        ----------
        other : MixedFit

        Returns
        -------
        pandas.DataFrame
            One row: ``lrt df p_value distribution p_value_chi2``. Where the smaller model sets variances to 0, the
            statistic is a mixture of chi-squared variables, which `distribution` names; `p_value_chi2` is that of the
            plain one, which is too large then.

        Raises
        ------
        DesignError
            Different rows, likelihoods of different kinds, or restricted likelihoods of models with different fixed
            parts.
        """
        return compared(self, other)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before the numbers are used, in sentences."""
        return cautions(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the table of fixed effects."""
        return self.fixed.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the fit as JSON values, without the data."""
        names = (
            "formula", "sigma", "log_likelihood", "aic", "bic", "n_obs", "n_dropped", "n_groups", "reml", "df_method",
            "level", "converged", "singular", "singular_direction", "dropped_terms",
        )  # fmt: skip
        found: dict[str, Any] = {name: getattr(self, name) for name in names}
        found["vcov"] = self.vcov.tolist()
        found["warnings"] = list(self.warnings)
        for name in ("fixed", "random"):
            table = getattr(self, name)
            records = table.astype(object).where(table.notna(), None).to_dict(orient="records")
            found[name] = [{key: None if value == np.inf else value for key, value in row.items()} for row in records]
        return found

    def summary(self, digits: int = 2) -> str:
        """Return the fit in plain text.

        Parameters
        ----------
        digits : int
            Decimals of estimates.
        """
        groups = ", ".join(f"{count} {name}" for name, count in self.n_groups.items())
        lines = [f"{self.title} ({self._method()}): {self.formula}"]
        lines.append(f"{self.n_obs} rows of {groups}{left_out_in_words(self.design)}")
        caveat = " (by REML they compare only models with the same fixed part)" if self.reml else ""
        criteria = f"AIC {self.aic:.{digits}f}, BIC {self.bic:.{digits}f}{caveat}"
        lines.append(f"log-likelihood {self.log_likelihood:.{digits}f}, {criteria}")
        lines += [f"Note: {sentence}" for sentence in self.warnings]
        for row in self.fixed.to_dict("records"):
            df = "" if not np.isfinite(row["df"]) else f", df {format_number(row['df'], 'decimal1')}"
            limits = f"{row['ci_low']:.{digits}f} to {row['ci_high']:.{digits}f}"
            estimate = f"{row['estimate']:.{digits}f} ({100 * self.level:g}% CI {limits})"
            lines.append(f"  {row['term']}: {estimate}{df}, {p_in_words(row['p_value'])}")
        return "\n".join([*lines, *self._spread_lines(digits)])

    def _method(self) -> str:
        """How the likelihood was made largest."""
        return "REML" if self.reml else "ML"

    def _spread_lines(self, digits: int) -> list[str]:
        """What `summary` says of variances."""
        raise TypeError(f"{type(self).__name__} defines no _spread_lines")

    def plot(self, ax: Axes | None = None, *, kind: diagnostics.PlotKind = "coefficients") -> Axes:
        """Draw the coefficients, or look whether the model's assumptions hold.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
        kind : {"coefficients", "residuals", "residual-quantiles", "random-quantiles"}
            Coefficients with their intervals, the intercept aside; residuals against fitted values; quantiles of
            residuals, or of the predicted random effects in their SDs, against those of a normal distribution.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return diagnostics.plot(self, kind, ax)
