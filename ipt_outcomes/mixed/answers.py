"""What a linear mixed model answers beyond tables: profiles, bootstrap, sandwich, simulation, explained variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import pandas as pd

from ipt_outcomes.errors import require_choice
from ipt_outcomes.mixed.explained import explained, shares
from ipt_outcomes.mixed.sandwich import sandwich
from ipt_outcomes.mixed.simulation import bootstrap, simulated

if TYPE_CHECKING:
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit


class LinearAnswers:
    """Methods of `LinearMixedFit`; it holds nothing of its own."""

    __slots__ = ()

    def profile(self, level: float = 0.95, *, progress: bool = False) -> pd.DataFrame:
        """Return intervals by the profile of the likelihood.

        Parameters
        ----------
        level : float
        progress : bool
            Whether a bar is shown.

        Returns
        -------
        pandas.DataFrame
            ``term ci_low ci_high`` for every SD (``sd_week|patient_id``), correlation
            (``cor_week.(Intercept)|patient_id``), ``sigma`` and coefficient. A limit of 0 for an SD, or of 1 or -1 for
            a correlation, is the bound.

        References
        ----------
        Venzon and Moolgavkar (1988), Appl Stat 37(1):87-94, doi:10.2307/2347496.
        """
        from ipt_outcomes.mixed.profile import profile

        return profile(self._self(), level, progress=progress)

    def bootstrap(
        self, rng: np.random.Generator, *, draws: int = 1000, level: float = 0.95, progress: bool = False
    ) -> pd.DataFrame:
        """Return percentile intervals of a parametric bootstrap: outcomes are drawn from the fit and fitted again.

        Parameters
        ----------
        rng : numpy.random.Generator
        draws : int
        level : float
        progress : bool
            Whether a bar is shown.

        Returns
        -------
        pandas.DataFrame
            ``term estimate se ci_low ci_high``, terms as in `profile`.
        """
        return bootstrap(self._self(), rng, draws=draws, level=level, progress=progress)

    def simulate(self, rng: np.random.Generator) -> np.ndarray:
        """Draw an outcome for every row used, with new random effects and residuals.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        return simulated(self._self(), rng)

    def vcov_robust(self, kind: Literal["CR0", "CR2", "CR3"] = "CR2") -> np.ndarray:
        """Return the sandwich covariance of the coefficients.

        Parameters
        ----------
        kind : {"CR0", "CR2", "CR3"}
            Plain, bias-reduced, or jackknife.

        Returns
        -------
        numpy.ndarray, shape (p, p)
            Clusters are sets of rows that share no random effect with others: people, or the highest level of nested
            grouping factors.

        References
        ----------
        Pustejovsky and Tipton (2018), J Bus Econ Stat 36(4):672-683, doi:10.1080/07350015.2016.1247004.
        """
        require_choice("kind", kind, ("CR0", "CR2", "CR3"))
        from ipt_outcomes.mixed.engine.marginal import marginal_of

        fit = self._self()
        blocks = list(marginal_of(fit).blocks())
        x = fit.design.fixed_matrix()
        residual = fit.design.y - x @ fit.fixed["estimate"].to_numpy()
        inverses = [np.linalg.inv(block.v) for block in blocks]
        information = sum(block.x.T @ inverse @ block.x for block, inverse in zip(blocks, inverses, strict=True))
        a_inv = np.linalg.inv(np.asarray(information))
        return sandwich(kind, x, residual, inverses, [block.rows for block in blocks], a_inv, root="working")

    def icc(self) -> pd.DataFrame:
        """Return the share of each grouping factor in the variance that the fixed part leaves.

        Returns
        -------
        pandas.DataFrame
            ``group variance icc``; with random slopes, averages over the rows used.

        References
        ----------
        Nakagawa, Johnson and Schielzeth (2017), J R Soc Interface 14(134):20170213, doi:10.1098/rsif.2017.0213.
        """
        fit = self._self()
        covariances = [fit.sigma**2 * root @ root.T for root in fit.relative_factors()]
        return shares(fit.design, covariances, float((fit.residual_sd() ** 2).mean()))

    def r2(self) -> pd.DataFrame:
        """Return marginal and conditional R squared, in percent (0 to 100).

        Returns
        -------
        pandas.DataFrame
            One row: ``marginal`` (of the fixed part) and ``conditional`` (of fixed and random parts together).

        References
        ----------
        Nakagawa and Schielzeth (2013), Methods Ecol Evol 4(2):133-142, doi:10.1111/j.2041-210x.2012.00261.x; Johnson
        (2014), Methods Ecol Evol 5(9):944-946, doi:10.1111/2041-210X.12225.
        """
        fit = self._self()
        return explained(fit.design.fixed_matrix() @ fit.fixed["estimate"].to_numpy(), self.icc())

    def residuals(self, *, standardised: bool = False) -> np.ndarray:
        """Return what the fixed and random parts leave of each outcome.

        Parameters
        ----------
        standardised : bool
            Divided by the residual SD of the row.

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        fit = self._self()
        left = np.asarray(fit.design.y - fit.predict(random=True))
        return left / fit.residual_sd() if standardised else left

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return Kenward and Roger's scale of an F statistic and its degrees of freedom; weights of shape (r, p)."""
        spread = self._self()._inside.spread
        assert spread is not None  # noqa: S101  asked for where df_method says so only
        return spread.f_scale(weights)

    def _self(self) -> LinearMixedFit:
        return cast("LinearMixedFit", self)
