"""A fitted linear mixed model with random effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.effects import conditional, fitted, random_effects
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.inference import Satterthwaite
from ipt_outcomes.mixed.likelihood import Moments, Scaling
from ipt_outcomes.mixed.optimise import Optimum

DfMethod = Literal["satterthwaite", "residual", "normal"]


@dataclass(frozen=True, slots=True)
class Inside:
    """What a fit keeps to answer further questions."""

    design: Design
    moments: Moments
    scaling: Scaling
    optimum: Optimum
    satterthwaite: Satterthwaite


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMixedFit(MixedFit):
    """A linear mixed model; see `MixedFit` for what it holds."""

    title: ClassVar[str] = "Linear mixed model"

    _inside: Inside = field(repr=False, compare=False)

    def df_of(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of one linear combination, by the method of the fit."""
        if self.df_method == "normal":
            return float("inf")
        if self.df_method == "residual":
            return float(self.n_obs - len(self.fixed))
        return self._inside.satterthwaite.df(weights @ self._inside.scaling.fixed_back)

    def predict(self, *, random: bool = True) -> np.ndarray:
        """Return a fitted value for every row used.

        Parameters
        ----------
        random : bool
            Whether the groups' own effects are added.

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        return fitted(self.design, self.fixed["estimate"].to_numpy(), self._effects() if random else None)

    def random_effects(self) -> pd.DataFrame:
        """Return the predicted effects of every group: ``group level term estimate sd``.

        Returns
        -------
        pandas.DataFrame
            ``sd`` is the conditional standard deviation. Levels are as in the data: not for a report.
        """
        return random_effects(self.design, *self._conditional())

    def _spread_lines(self, digits: int) -> list[str]:
        lines = []
        for row in self.random.to_dict("records"):
            other = f" with {row['term2']}" if row["term2"] else ""
            kind = "correlation" if row["term2"] else "SD"
            lines.append(f"  {row['group']}, {row['term1']}{other}: {kind} {row['sd_or_corr']:.{digits}f}")
        return [*lines, f"  residual SD {self.sigma:.{digits}f}"]

    def _conditional(self) -> tuple[np.ndarray, np.ndarray]:
        inside = self._inside
        return conditional(inside.optimum.at, inside.optimum.factor, inside.scaling, self.sigma)

    def _effects(self) -> np.ndarray:
        return self._conditional()[0]
