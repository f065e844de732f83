"""Shrunken estimates of units from a mixed model, with a smallest caseload below which none is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipt_outcomes.clinic.case_mix import Family, with_numbers
from ipt_outcomes.effects.proportions import check_level, is_number
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.mixed import glmm, lmm
from ipt_outcomes.results import Provenance, ResultObject

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEffects(ResultObject):
    """Shrunken estimates of units from a mixed model.

    Parameters
    ----------
    units : pandas.DataFrame
        One row per unit in order of its name: ``unit n estimate sd ci_low ci_high reported``; estimates are differences
        from the average unit on the scale of the model (points; log-odds for ``"binomial"``), pulled towards 0 the
        more the fewer people a unit has; empty where `reported` is False for a caseload below the minimum.
    icc : float
        Share of the variance between units, 0 to 1 (for ``"binomial"`` on the latent scale, pi²/3 within).
    sd_units : float
    min_caseload : int
    level : float
    family : str
    by : str
    provenance : Provenance
    """

    units: pd.DataFrame
    icc: float
    sd_units: float
    min_caseload: int
    level: float
    family: str
    by: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `units`."""
        return self.units.copy()

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the estimates; options as in `ipt_outcomes.figures.unit_estimates`."""
        from ipt_outcomes.figures import unit_estimates

        return unit_estimates(self, ax=ax, **options)

    def summary(self, digits: int = 2) -> str:
        """Return the spread between units and how many are shown; no ranking."""
        shown = int(self.units["reported"].sum())
        return (
            f"Units ({self.by}) differ by an SD of {self.sd_units:.{digits}f}, ICC {self.icc:.{digits + 1}f}; "
            f"{shown} of {len(self.units)} have at least {self.min_caseload} people and are shown."
        )


def unit_effects(
    data: pd.DataFrame,
    formula: str,
    *,
    by: str,
    family: Family = "gaussian",
    min_caseload: int = 10,
    level: float = 0.95,
) -> UnitEffects:
    """Shrunken estimates of units, with a smallest caseload below which none is shown.

    Parameters
    ----------
    data, formula, by
        As in `case_mix`; a random intercept of the unit is added to the formula.
    family : {"gaussian", "binomial"}
        Linear (REML) or logistic (Laplace) mixed model.
    min_caseload : int
        Units with fewer people are in the model but not shown.
    level : float
        Level of the intervals, estimate ± z SD given the data.

    Returns
    -------
    UnitEffects

    Raises
    ------
    DataError, DesignError, ConvergenceError, OptionError
        As `ipt_outcomes.mixed.lmm` and `ipt_outcomes.mixed.glmm`.

    References
    ----------
    Goldstein & Spiegelhalter (1996), J R Stat Soc A 159:385-443, doi:10.2307/2983325 (and why not to rank).
    """
    require_choice("family", family, ("binomial", "gaussian"))
    check_level(level)
    if not is_number(min_caseload) or min_caseload < 1 or int(min_caseload) != min_caseload:
        raise OptionError(f"min_caseload must be a whole number of people of at least 1; got {min_caseload!r}")
    frame = with_numbers(data, formula, family)
    unit = by if by.isidentifier() else f"`{by}`"
    full = f"{formula} + (1 | {unit})"
    fit = lmm(full, frame) if family == "gaussian" else glmm(full, frame, family="binomial")
    effects = fit.random_effects().set_index("level")
    counts = frame.iloc[fit.design.rows][by].value_counts()
    variance = float(fit.random["variance_or_cov"].iloc[0])
    within = fit.sigma**2 if family == "gaussian" else np.pi**2 / 3
    half = float(ndtri((1 + level) / 2))
    rows = []
    for unit in sorted(effects.index, key=str):
        estimate, sd, n = float(effects.loc[unit, "estimate"]), float(effects.loc[unit, "sd"]), int(counts[unit])
        shown = n >= min_caseload
        values = (estimate, sd, estimate - half * sd, estimate + half * sd) if shown else (np.nan,) * 4
        rows.append((unit, n, *values, shown))
    options = {"formula": formula, "by": by, "family": family, "min_caseload": min_caseload, "level": level}
    return UnitEffects(
        units=pd.DataFrame(rows, columns=["unit", "n", "estimate", "sd", "ci_low", "ci_high", "reported"]),
        icc=float(variance / (variance + within)),
        sd_units=float(np.sqrt(variance)),
        min_caseload=int(min_caseload),
        level=level,
        family=family,
        by=by,
        provenance=Provenance(function="clinic.unit_effects", options=options),
    )
