"""Clinical significance: reliable change that also crosses the line between patients and everyone else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.clinic.change import DETERIORATED, IMPROVED, Better, paired
from ipt_outcomes.clinic.reliable import ReliableMethod, reliable_change
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject

CutoffKind = Literal["a", "b", "c"]
CATEGORIES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")


def cutoff(
    kind: CutoffKind,
    *,
    mean_clinical: float,
    sd_clinical: float,
    mean_functional: float | None = None,
    sd_functional: float | None = None,
    better: Better,
) -> float:
    """Return the line between patients and everyone else.

    Parameters
    ----------
    kind : {"a", "b", "c"}
        a: two SDs of the patients beyond their mean; b: within two SDs of everyone else's mean; c: between the two
        means, weighted by the SDs (the choice where norms are known).
    mean_clinical, sd_clinical : float
        Of patients, in points.
    mean_functional, sd_functional : float, optional
        Of everyone else; needed for b and c.
    better : {"lower", "higher"}
        Which end of the scale is the good one.

    Returns
    -------
    float
        In points.

    Raises
    ------
    DesignError
        A mean or SD that the kind needs is missing or impossible.

    References
    ----------
    Jacobson & Truax (1991), J Consult Clin Psychol 59:12-19, doi:10.1037/0022-006X.59.1.12.

    Examples
    --------
    >>> cutoff("c", mean_clinical=18, sd_clinical=6, mean_functional=4, sd_functional=4, better="lower")
    9.6
    """
    require_choice("kind", kind, ("a", "b", "c"))
    require_choice("better", better, ("lower", "higher"))
    towards_good = -1.0 if better == "lower" else 1.0
    clinical = _norm("clinical", mean_clinical, sd_clinical)
    if kind == "a":
        return clinical[0] + towards_good * 2 * clinical[1]
    functional = _norm("functional", mean_functional, sd_functional)
    if kind == "b":
        return functional[0] - towards_good * 2 * functional[1]
    return (clinical[1] * functional[0] + functional[1] * clinical[0]) / (clinical[1] + functional[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalSignificance(ResultObject):
    """Reliable change and cut-off together.

    Parameters
    ----------
    cutoff : float
        In points; a score strictly on the good side of it is functional.
    index : numpy.ndarray, shape (k,)
        As in `ReliableChange`.
    category : numpy.ndarray of str, shape (k,)
        One of `CATEGORIES`: recovered (improved reliably, from the bad side to the good one), improved, unchanged,
        deteriorated, harmed (deteriorated reliably, from the good side to the bad one); "" where a score is missing.
    provenance : Provenance
    """

    cutoff: float
    index: np.ndarray
    category: np.ndarray
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return one row per person: ``index category``."""
        return pd.DataFrame({"index": self.index, "category": self.category})

    def summary(self, digits: int = 2) -> str:
        """Return the cut-off and how many people are in each category."""
        counts = [f"{int((self.category == name).sum())} {name}" for name in CATEGORIES]
        return f"Clinical significance, cut-off {self.cutoff:.{digits}f}: {', '.join(counts)}."


def clinical_significance(
    pre: ArrayLike,
    post: ArrayLike,
    *,
    sd: float,
    reliability: float,
    better: Better,
    mean_functional: float | None = None,
    sd_functional: float | None = None,
    cutoff: CutoffKind = "c",
    method: ReliableMethod = "jacobson-truax",
    **options: Any,
) -> ClinicalSignificance:
    """Judge each person by reliable change and cut-off.

    Parameters
    ----------
    pre, post : array_like, shape (k,)
        Scores before and after; NaN where missing.
    sd, reliability, better, method
        As in `ipt_outcomes.clinic.reliable_change`; ``"hageman-arrindell"`` has a cut-off of its own on true scores
        and is not accepted here.
    mean_functional, sd_functional : float, optional
        Of everyone else, in points; needed for the cut-offs b and c.
    cutoff : {"a", "b", "c"}
        As in `ipt_outcomes.clinic.cutoff`; mean and SD of the patients are the mean of `pre` over complete pairs
        and `sd`.
    **options
        Further options of `ipt_outcomes.clinic.reliable_change`: level, reliability_post, sd_post, mean_pre,
        mean_post.

    Returns
    -------
    ClinicalSignificance

    Raises
    ------
    DesignError, OptionError
        As `ipt_outcomes.clinic.reliable_change` and `ipt_outcomes.clinic.cutoff`.
    """
    if method == "hageman-arrindell":
        raise OptionError(
            "hageman-arrindell sets its cut-off on estimated true scores, which is not built in",
            hint="Use reliable_change() for its index, or choose another method.",
        )
    before, after = paired(pre, post)
    change = reliable_change(pre, post, sd=sd, reliability=reliability, better=better, method=method, **options)
    whole = change.category != ""
    line = _cutoff(
        cutoff,
        mean_clinical=float(before[whole].mean()) if whole.any() else float("nan"),
        sd_clinical=sd,
        mean_functional=mean_functional,
        sd_functional=sd_functional,
        better=better,
    )
    sign = 1.0 if better == "lower" else -1.0
    was_good, is_good = sign * before < sign * line, sign * after < sign * line
    category = change.category.astype("<U12")
    category[(change.category == IMPROVED) & ~was_good & is_good] = "recovered"
    category[(change.category == DETERIORATED) & was_good & ~is_good] = "harmed"
    used = {**change.provenance.options, "cutoff": cutoff}
    used |= {"mean_functional": mean_functional, "sd_functional": sd_functional}
    return ClinicalSignificance(
        cutoff=line,
        index=change.index,
        category=category,
        provenance=Provenance(function="clinic.clinical_significance", options=used),
    )


_cutoff = cutoff


def _norm(of: str, mean: float | None, sd: float | None) -> tuple[float, float]:
    if mean is None or sd is None:
        raise DesignError(f"this cut-off needs mean_{of} and sd_{of}")
    if not is_number(mean) or not np.isfinite(mean) or not is_number(sd) or not 0 < sd < np.inf:
        raise DesignError(f"mean_{of} must be a finite number and sd_{of} above 0")
    return float(mean), float(sd)
