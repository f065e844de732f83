"""A fitted generalized linear mixed model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import require_choice
from ipt_outcomes.mixed.adjust import Adjust
from ipt_outcomes.mixed.explained import explained, shares
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.generalized.family import FamilyName
from ipt_outcomes.mixed.generalized.marginal import Interval, marginal_table, simulated
from ipt_outcomes.mixed.generalized.optimise import Objective, Peak
from ipt_outcomes.mixed.grid import Against, Combinations
from ipt_outcomes.mixed.simulation import check_generator

Scale = Literal["response", "link"]


@dataclass(frozen=True, slots=True)
class Inside:
    """What a fit keeps to answer further questions."""

    objective: Objective
    peak: Peak


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralizedMixedFit(MixedFit):
    """A generalized linear mixed model (GLMM); see `MixedFit` for what it shares with other mixed models.

    Parameters
    ----------
    family : {"binomial", "poisson"}
    quadrature : int
        Points per random effect; 1 is Laplace's approximation.
    separated : tuple of str
        Coefficients so large that outcomes are all but certain where their columns are not 0.

    Notes
    -----
    Coefficients, means, contrasts and slopes are on the scale of the link (log odds, or logarithms of counts) and
    conditional: for one person or group. `marginal` gives probabilities, counts and their differences in the
    population, `odds_ratios` ratios. ``sigma`` is missing: the distribution has no residual variance of its own.
    """

    title: ClassVar[str] = "Generalized linear mixed model"

    family: FamilyName
    quadrature: int
    separated: tuple[str, ...] = ()
    _inside: Inside = field(repr=False, compare=False)

    def df_of(self, weights: np.ndarray) -> float:
        """Return infinity: tests are z tests."""
        return float("inf")

    def numbers(
        self, combinations: Combinations, told: np.ndarray | None = None, *, adjust: Adjust = "none"
    ) -> pd.DataFrame:
        """Return the numbers of `table`, without degrees of freedom."""
        found = MixedFit.numbers(self, combinations, told, adjust=adjust)
        return found.assign(df=np.nan)

    def odds_ratios(self) -> pd.DataFrame:
        """Return the exponentials of the coefficients: odds ratios (binomial) or ratios of rates (Poisson).

        Returns
        -------
        pandas.DataFrame
            ``term ratio ci_low ci_high p_value``, the intercept left out. Ratios are conditional: for one person or
            group, further from 1 than those of the population.
        """
        shown = self.fixed[self.fixed["term"].ne("(Intercept)")].reset_index(drop=True)
        ratios = {name: np.exp(shown[of]) for name, of in _RATIOS}
        return pd.DataFrame({"term": shown["term"], **ratios, "p_value": shown["p_value"]})

    def marginal(
        self,
        factor: str,
        at: Mapping[str, float | Sequence[float]] | None = None,
        *,
        against: Against = "reference",
        interval: Interval = "delta",
        draws: int = 500,
        rng: np.random.Generator | None = None,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Return probabilities (or mean counts) of the population by standardisation, and their differences.

        Every row used is given each level of the factor in turn, and the values of `at`; its expected outcome is
        averaged over the distribution of the random effects and over rows.

        Parameters
        ----------
        factor : str
            Factor of the fixed part, for example the arm.
        at : mapping of str to number or list of numbers, optional
            Values of numeric columns, for example ``{"week": 12}``. Others keep the values that rows have.
        against : {"reference", "pairwise"}
        interval : {"delta", "bootstrap"}
            Delta method, or percentiles of a parametric bootstrap, which needs `rng`.
        draws : int
            Of the bootstrap.
        rng : numpy.random.Generator, optional
        progress : bool
            Whether a bar of the bootstrap is shown.

        Returns
        -------
        pandas.DataFrame
            ``measure`` ("risk", "risk_difference", "risk_ratio", "odds_ratio"; for counts "mean", "mean_difference",
            "mean_ratio"), the factor level or ``contrast``, the columns of `at`, ``estimate se ci_low ci_high p_value``
            (of ratios the standard error is that of the logarithm). p values are of differences and ratios.

        References
        ----------
        Zeger, Liang and Albert (1988), Biometrics 44(4):1049-1060, doi:10.2307/2531734; Pavlou et al. (2015), BMC Med
        Res Methodol 15:59, doi:10.1186/s12874-015-0046-6.
        """
        return marginal_table(
            self, factor, at=at, against=against, interval=interval, draws=draws, rng=rng, progress=progress
        )

    def predict(self, *, random: bool = True, scale: Scale = "response") -> np.ndarray:
        """Return a fitted value for every row used.

        Parameters
        ----------
        random : bool
            Whether the groups' own effects are added.
        scale : {"response", "link"}
            Probabilities or means, or the linear predictor.

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        require_choice("scale", scale, ("response", "link"))
        problem, peak = self._inside.objective.problem, self._inside.peak
        eta = peak.at.eta if random else problem.offset + problem.x @ peak.beta
        values = eta if scale == "link" else problem.family.mean(eta)
        found = np.empty_like(values)
        found[problem.order] = values
        return found

    def random_effects(self) -> pd.DataFrame:
        """Return the modes of the random effects with their conditional SDs: ``group level term estimate sd``.

        Returns
        -------
        pandas.DataFrame
            Levels are as in the data: not for a report.
        """
        problem, peak = self._inside.objective.problem, self._inside.peak
        inner = peak.at.inner
        tables, shift = [], 0
        for number, (random, factor) in enumerate(zip(problem.randoms, peak.factors, strict=True)):
            if number == 0:
                present = problem.first.codes[problem.starts] >= 0
                levels = [random.levels[code] for code in problem.first.codes[problem.starts[present]]]
                modes = peak.at.modes.first[present]
                inside = _first_inverse(inner)[present]
            else:
                count = len(random.levels)
                places = shift + np.arange(count * random.width).reshape(count, random.width)
                levels, modes = list(random.levels), peak.at.modes.others[places]
                inside = inner.rest[places[:, :, None], places[:, None, :]]
                shift += count * random.width
            sds = np.sqrt(np.einsum("ab,gbc,ac->ga", factor, inside, factor))
            tables.append(_effects(random.group, levels, random.names, modes @ factor.T, sds))
        return pd.concat(tables, ignore_index=True)

    def simulate(self, rng: np.random.Generator) -> np.ndarray:
        """Draw events or counts for every row used, with new random effects.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
            Events out of the row's trials, or counts.
        """
        drawn = simulated(self, check_generator(rng))
        found = np.empty_like(drawn)
        found[self._inside.objective.problem.order] = drawn
        return found

    def icc(self) -> pd.DataFrame:
        """Return the share of each grouping factor in the variance that the fixed part leaves, on the link scale.

        Returns
        -------
        pandas.DataFrame
            ``group variance icc``; the residual variance is that of the logistic distribution (pi squared over 3), or,
            for counts, the logarithm of 1 + 1 / mean.

        References
        ----------
        Nakagawa, Johnson and Schielzeth (2017), J R Soc Interface 14(134):20170213, doi:10.1098/rsif.2017.0213.
        """
        problem, peak = self._inside.objective.problem, self._inside.peak
        by_name = {random.group: root @ root.T for random, root in zip(problem.randoms, peak.factors, strict=True)}
        covariances = [by_name[factor.name] for factor in self.design.factors]
        parts = shares(self.design, covariances, 0.0)
        if self.family == "binomial":
            left = float(np.pi**2 / 3)
        else:
            eta = problem.offset + problem.x @ peak.beta
            left = float(np.log1p(1 / np.exp(eta.mean() + parts["variance"].iloc[:-1].sum() / 2)))
        return shares(self.design, covariances, left)

    def r2(self) -> pd.DataFrame:
        """Return marginal and conditional R squared on the link scale, in percent (0 to 100).

        Returns
        -------
        pandas.DataFrame
            One row: ``marginal`` (of the fixed part) and ``conditional`` (of fixed and random parts together).

        References
        ----------
        Nakagawa and Schielzeth (2013), Methods Ecol Evol 4(2):133-142, doi:10.1111/j.2041-210x.2012.00261.x; Nakagawa
        et al. (2017), doi:10.1098/rsif.2017.0213.
        """
        problem, peak = self._inside.objective.problem, self._inside.peak
        return explained(problem.offset + problem.x @ peak.beta, self.icc())

    def to_dict(self) -> dict[str, Any]:
        """Return the fit as JSON values, without the data."""
        found = MixedFit.to_dict(self)
        for row in found["fixed"]:
            row["df"] = None
        own = {"family": self.family, "quadrature": self.quadrature, "separated": list(self.separated)}
        return {**found, "sigma": None, **own}

    def _method(self) -> str:
        return "Laplace" if self.quadrature == 1 else f"adaptive quadrature, {self.quadrature} points"

    def _spread_lines(self, digits: int) -> list[str]:
        lines = []
        for row in self.random.to_dict("records"):
            other = f" with {row['term2']}" if row["term2"] else ""
            kind = "correlation" if row["term2"] else "SD"
            lines.append(f"  {row['group']}, {row['term1']}{other}: {kind} {row['sd_or_corr']:.{digits}f}")
        scale = "log odds" if self.family == "binomial" else "logarithms of counts"
        return [*lines, f"  Estimates are {scale}, for one person or group; .marginal() gives those of the population."]


_RATIOS = (("ratio", "estimate"), ("ci_low", "ci_low"), ("ci_high", "ci_high"))


def _first_inverse(inner: Any) -> np.ndarray:
    """Blocks of the inverse that belong to the groups of the first factor, shape (g, q, q)."""
    if not inner.across:
        return np.asarray(inner.a_inv)
    q = len(inner.across)
    found = inner.a_inv.copy()
    for row in range(q):
        turned = inner.across[row] @ inner.rest
        for column in range(q):
            found[:, row, column] += np.asarray(inner.across[column].multiply(turned).sum(axis=1)).ravel()
    return np.asarray(found)


def _effects(
    group: str, levels: list[object], names: tuple[str, ...], effects: np.ndarray, sds: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": group,
            "level": np.repeat(np.asarray(levels, dtype=object), len(names)),
            "term": np.tile(names, len(levels)),
            "estimate": effects.ravel(),
            "sd": sds.ravel(),
        }
    )
