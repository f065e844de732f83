"""The result of a network meta-analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.meta.inference import chi2_p, quantile
from ipt_outcomes.meta.inputs import studies_in_words
from ipt_outcomes.meta.network.arms import Arms
from ipt_outcomes.meta.network.contributions import contributions
from ipt_outcomes.meta.network.model import NetworkFit, designs_of, fit_designs
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ModelName = Literal["random", "common"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEffect(ResultObject):
    """Effects of all treatments of a network against one another.

    Parameters
    ----------
    treatments : tuple
    reference : object
        Treatment that summaries compare with.
    k, n_contrasts, n_designs, n_dropped : int
        Studies, contrasts used, different sets of treatments, rows left out.
    tau2 : float
    i2 : float or None
        Percent, 100 (Q - df)/Q, at least 0.
    q, q_df, q_p_value : float, int, float or None
        Heterogeneity and inconsistency together.
    q_heterogeneity, q_heterogeneity_df : float, int
        Within designs.
    q_inconsistency, q_inconsistency_df, q_inconsistency_p_value : float, int, float or None
        Between designs (design-by-treatment interaction), common effect.
    q_inconsistency_random, q_inconsistency_random_p_value : float, float or None
        The same with the variance that is left within designs.
    tau2_within : float
        That variance, by the method of moments.
    tau2_method : {"DL", "REML"}
    level : float
    method : str
    notes : tuple of str
    provenance : Provenance
    arms, common_fit, random_fit : object
        What the tables are made from.
    """

    treatments: tuple[Any, ...]
    reference: Any
    k: int
    n_contrasts: int
    n_designs: int
    n_dropped: int
    tau2: float
    i2: float | None
    q: float
    q_df: int
    q_p_value: float | None
    q_heterogeneity: float
    q_heterogeneity_df: int
    q_inconsistency: float
    q_inconsistency_df: int
    q_inconsistency_p_value: float | None
    q_inconsistency_random: float
    q_inconsistency_random_p_value: float | None
    tau2_within: float
    tau2_method: Literal["DL", "REML"]
    level: float
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.network"))
    arms: Arms = field(repr=False, compare=False)
    common_fit: NetworkFit = field(repr=False, compare=False)
    random_fit: NetworkFit = field(repr=False, compare=False)

    @property
    def common(self) -> pd.DataFrame:
        """All ordered pairs, common effect: ``arm1 arm2 estimate se ci_low ci_high p_value``."""
        return self._table(self.common_fit)

    @property
    def random(self) -> pd.DataFrame:
        """All ordered pairs, random effects, with ``prediction_low prediction_high`` (t with the df of Q)."""
        frame = self._table(self.random_fit)
        if self.q_df <= 0:
            return frame.assign(prediction_low=np.nan, prediction_high=np.nan)
        wide = quantile(float(self.q_df), self.level) * np.sqrt(frame["se"] ** 2 + self.tau2)
        return frame.assign(prediction_low=frame["estimate"] - wide, prediction_high=frame["estimate"] + wide)

    def _table(self, fit: NetworkFit) -> pd.DataFrame:
        estimate, se = fit.contrasts()
        n = len(self.treatments)
        rows, columns = np.nonzero(~np.eye(n, dtype=bool))
        half = quantile(None, self.level) * se[rows, columns]
        value = estimate[rows, columns]
        return pd.DataFrame(
            {
                "arm1": [self.treatments[i] for i in rows],
                "arm2": [self.treatments[j] for j in columns],
                "estimate": value,
                "se": se[rows, columns],
                "ci_low": value - half,
                "ci_high": value + half,
                "p_value": 2 * ndtr(-np.abs(value) / se[rows, columns]),
            }
        )

    def ranking(self, better: Literal["higher", "lower"], model: ModelName = "random") -> pd.DataFrame:
        """Return P-scores: the mean certainty that a treatment is better than another.

        Parameters
        ----------
        better : {"higher", "lower"}
            Whether a higher estimate is better.
        model : {"random", "common"}

        Returns
        -------
        pandas.DataFrame
            ``treatment p_score rank``, the best first.

        Raises
        ------
        OptionError
            An option is not one of the choices.

        References
        ----------
        Ruecker, Schwarzer (2015), BMC Med Res Methodol 15:58, doi:10.1186/s12874-015-0060-8.
        """
        require_choice("better", better, ("higher", "lower"))
        require_choice("model", model, ("random", "common"))
        estimate, se = (self.random_fit if model == "random" else self.common_fit).contrasts()
        n = len(self.treatments)
        away = ~np.eye(n, dtype=bool)
        z = np.divide(estimate, se, out=np.zeros_like(estimate), where=away)
        score = np.where(away, ndtr(z if better == "higher" else -z), 0.0).sum(axis=1) / (n - 1)
        frame = pd.DataFrame({"treatment": list(self.treatments), "p_score": score})
        frame = frame.sort_values("p_score", ascending=False, kind="stable").reset_index(drop=True)
        return frame.assign(rank=np.arange(1, n + 1))

    def split(self) -> pd.DataFrame:
        """Return direct and indirect evidence of each comparison, and whether they differ (random effects).

        Returns
        -------
        pandas.DataFrame
            ``arm1 arm2 k direct direct_se indirect indirect_se difference difference_se p_value direct_share``,
            then ``statistic`` of the difference and normal limits ``direct_ci_low direct_ci_high indirect_ci_low ...
            difference_ci_high``; one row per pair that a trial compares, NaN where there is no indirect evidence.

        References
        ----------
        Koenig, Krahn, Binder (2013), Stat Med 32(30):5414-5429, doi:10.1002/sim.6001.
        """
        estimate, se = self.random_fit.contrasts()
        low = self.arms.pairs[["treatment1", "treatment2"]].min(axis=1)
        high = self.arms.pairs[["treatment1", "treatment2"]].max(axis=1)
        sign = np.where(self.arms.pairs["treatment1"] == low, 1.0, -1.0)
        weight = 1.0 / (self.arms.pairs["variance"].to_numpy() + self.tau2)
        frame = pd.DataFrame({"a": low, "b": high, "w": weight, "wy": weight * sign * self.arms.pairs["estimate"]})
        records = []
        for key, group in frame.groupby(["a", "b"], sort=True):
            a, b = int(str(key[0])), int(str(key[1]))
            total = float(group["w"].sum())
            direct, network = float(group["wy"].sum()) / total, float(estimate[a, b])
            share = min(1.0, float(se[a, b]) ** 2 * total)
            record = {"arm1": self.treatments[a], "arm2": self.treatments[b], "k": len(group)}
            record |= {"direct": direct, "direct_se": 1 / np.sqrt(total)}
            records.append(record | _indirect(direct, network, float(se[a, b]), share, total))
        found = pd.DataFrame(records)
        found["statistic"] = found["difference"] / found["difference_se"]
        reach = quantile(None, self.level)
        for name in ("direct", "indirect", "difference"):
            found[f"{name}_ci_low"] = found[name] - reach * found[f"{name}_se"]
            found[f"{name}_ci_high"] = found[name] + reach * found[f"{name}_se"]
        return found

    def decomposition(self) -> pd.DataFrame:
        """Return Cochran's Q split into heterogeneity within designs and inconsistency between them.

        Returns
        -------
        pandas.DataFrame
            ``source q df p_value``: "total", "within designs", "between designs", and "between designs, random
            effects" with the variance left within designs.

        References
        ----------
        Krahn, Binder, Koenig (2013), BMC Med Res Methodol 13:35, doi:10.1186/1471-2288-13-35.
        """
        df = (self.q_df, self.q_heterogeneity_df, self.q_inconsistency_df, self.q_inconsistency_df)
        q = (self.q, self.q_heterogeneity, self.q_inconsistency, self.q_inconsistency_random)
        names = ("total", "within designs", "between designs", "between designs, random effects")
        p = [chi2_p(one, free) if free > 0 else np.nan for one, free in zip(q, df, strict=True)]
        return pd.DataFrame({"source": names, "q": q, "df": df, "p_value": p})

    def designs(self) -> pd.DataFrame:
        """Return the designs (sets of treatments that trials compare) and heterogeneity within each.

        Returns
        -------
        pandas.DataFrame
            ``design k q df p_value``, a row per design; NaN where one trial only has it.
        """
        design = designs_of(self.arms)
        fits = dict(fit_designs(self.arms, 0.0, design))
        records = []
        for number in range(int(design.max()) + 1):
            rows = np.flatnonzero(design == number)
            names = [str(self.treatments[i]) for i in np.unique(self.arms.treatment[rows])]
            record = {"design": " : ".join(names), "k": int(np.unique(self.arms.study[rows]).size)}
            fit = fits.get(number)
            own = (np.nan, 0, np.nan) if fit is None else (fit.q, fit.df, chi2_p(fit.q, fit.df))
            records.append(record | dict(zip(("q", "df", "p_value"), own, strict=True)))
        return pd.DataFrame(records)

    def league(self, model: ModelName = "random") -> pd.DataFrame:
        """Return the league table as text: row minus column with its interval.

        Parameters
        ----------
        model : {"random", "common"}

        Returns
        -------
        pandas.DataFrame
            Treatments as index and columns.

        Raises
        ------
        OptionError
            `model` is not one of the choices.
        """
        require_choice("model", model, ("random", "common"))
        estimate, se = (self.random_fit if model == "random" else self.common_fit).contrasts()
        half = quantile(None, self.level) * se
        names = [str(name) for name in self.treatments]
        cells = [
            [
                name
                if i == j
                else f"{format_number(estimate[i, j])} "
                f"({format_interval(estimate[i, j] - half[i, j], estimate[i, j] + half[i, j])})"
                for j in range(len(names))
            ]
            for i, name in enumerate(names)
        ]
        return pd.DataFrame(cells, index=names, columns=names)

    def contributions(self, model: ModelName = "random") -> pd.DataFrame:
        """Return how much each direct comparison contributes to each estimate, in percent.

        Parameters
        ----------
        model : {"random", "common"}

        Returns
        -------
        pandas.DataFrame
            ``arm1 arm2`` and a column per direct comparison; rows add up to 100.

        Raises
        ------
        OptionError
            `model` is not one of the choices.
        """
        require_choice("model", model, ("random", "common"))
        return contributions(self.arms, self.tau2 if model == "random" else 0.0)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: Literal["network", "ranking", "league"] = "network",
        better: Literal["higher", "lower"] | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the network, the ranking of its treatments, or the league table.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        kind : {"network", "ranking", "league"}
        better : {"higher", "lower"}, optional
            Whether a higher estimate is better; needed for "ranking" and "league".
        **options
            As in `ipt_outcomes.figures.network` (such as `people`), `ranking` or `league`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        OptionError
            `kind` is not one of the choices, or `better` is needed and left out.
        """
        from ipt_outcomes import figures

        require_choice("kind", kind, ("network", "ranking", "league"))
        if kind == "network":
            return figures.network(self, ax=ax, **options)
        if better is None:
            raise OptionError(f"a {kind} needs better: say whether a higher or a lower estimate is better")
        if kind == "ranking":
            return figures.ranking(self.ranking(better), ax=ax, **options)
        return figures.league(self, better=better, ax=ax, **options)

    def to_frame(self) -> pd.DataFrame:
        """Return `random`."""
        return self.random

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, both tables, words and the call as JSON values."""
        names = [name for name in self.__dataclass_fields__ if name.startswith(("q", "tau2", "i2", "k", "n_"))]
        tables = {
            name: frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
            for name, frame in (("common", self.common), ("random", self.random))
        }
        words = {"method": self.method, "notes": list(self.notes), "provenance": self.provenance.to_dict()}
        named = {"treatments": [str(name) for name in self.treatments], "reference": str(self.reference)}
        return named | {name: getattr(self, name) for name in names} | tables | words

    def summary(self, digits: int = 2) -> str:
        """Return every treatment against the reference and the tests, in plain text; `digits` 2 or 3."""
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        count = studies_in_words(self.k)
        lines = [f"Network of {len(self.treatments)} treatments, {count}, against {self.reference}"]
        table = self.random
        for row in table[table["arm2"] == self.reference].to_dict(orient="records"):
            limits = format_interval(row["ci_low"], row["ci_high"], style)
            lines.append(f"{row['arm1']}: {format_number(row['estimate'], style)} ({limits})")
        lines.append(
            f"tau2 {format_number(self.tau2, 'decimal3')}, I2 {format_number(self.i2, 'percent')}; inconsistency "
            f"Q({self.q_inconsistency_df}) = {format_number(self.q_inconsistency)}, "
            f"{p_in_words(self.q_inconsistency_p_value)}"
        )
        return "\n".join([*lines, self.method, *self.notes])


def _indirect(direct: float, network: float, se: float, share: float, total: float) -> dict[str, float]:
    """Back-calculation: the network estimate is the mean of direct and indirect, weighted by precision."""
    gone = {"indirect": np.nan, "indirect_se": np.nan, "difference": np.nan, "difference_se": np.nan}
    if share > 1 - 1e-8:
        return {**gone, "p_value": np.nan, "direct_share": share}
    indirect, indirect_se = (network - share * direct) / (1 - share), se / np.sqrt(1 - share)
    difference, difference_se = direct - indirect, float(np.sqrt(1 / total + indirect_se**2))
    return {
        "indirect": indirect,
        "indirect_se": indirect_se,
        "difference": difference,
        "difference_se": difference_se,
        "p_value": float(2 * ndtr(-abs(difference) / difference_se)),
        "direct_share": share,
    }
