"""Small-study effects: the rank test (Begg)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.bias import few_studies
from ipt_outcomes.meta.clustered import combined_first, study_codes
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inputs import Effects, Rows, there_are, unpack
from ipt_outcomes.results import Provenance, ResultObject, format_number, p_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class BeggTest(ResultObject):
    """Rank correlation test for funnel asymmetry.

    Parameters
    ----------
    tau, p_value : float
        Kendall's correlation of standardised effects and variances, and its test.
    exact : bool
        Whether the p value is exact (no ties) or normal.
    k, n_dropped : int
    naive : BeggTest or None
        With several effects per study: the same with every row taken for a study.
    notes : tuple of str
    provenance : Provenance
    """

    tau: float
    p_value: float
    exact: bool
    k: int
    n_dropped: int
    naive: BeggTest | None = None
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.begg"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        return pd.DataFrame([{name: getattr(self, name) for name in ("k", "tau", "p_value", "exact", "n_dropped")}])

    def summary(self, digits: int = 2) -> str:
        """Return the test in plain text; `digits` of the correlation, 2 or 3."""
        tau = format_number(self.tau, "decimal3" if digits == 3 else "decimal2")
        return "\n".join([f"Begg's test, {self.k} studies: tau = {tau}, {p_in_words(self.p_value)}", *self.notes])


def begg(yi: Effects, vi: ArrayLike | None = None, *, study: Any = None, rho: float = 0.6) -> BeggTest:
    """Rank correlation test for funnel asymmetry (Begg and Mazumdar).

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    study, rho
        As in `trim_and_fill`: where a study gives several effects, they are combined first.

    Returns
    -------
    BeggTest

    Raises
    ------
    DesignError
        Fewer than 3 usable studies, all of the same precision, or an impossible variance.

    References
    ----------
    Begg, Mazumdar (1994), Biometrics 50(4):1088-1101, doi:10.2307/2533446.

    Examples
    --------
    >>> from ipt_outcomes.meta import begg
    >>> round(begg([0.1, 0.3, 0.6, 0.9], [0.02, 0.03, 0.06, 0.2]).tau, 3)
    0.667
    """
    rows = unpack(yi, vi)
    plain = _begg(rows)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _begg(unpack(combined["yi"], combined["vi"]))
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(
        result,
        naive=plain,
        n_dropped=plain.n_dropped,
        notes=(*result.notes, note),
        provenance=Provenance(function="meta.begg", options={"rho": float(rho)}),
    )


def _begg(rows: Rows) -> BeggTest:
    from scipy.stats import kendalltau

    k, v = int(rows.used.size), rows.v
    if k < 3:
        raise DesignError(f"Begg's test needs at least 3 studies; {there_are(k)}")
    w = 1.0 / v
    centred = rows.y - (w @ rows.y) / w.sum()
    spread = v - 1.0 / w.sum()
    # a study with nearly all of the weight has a residual that is 0 and a variance that is 0
    scaled = np.where(spread > 0, centred / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)
    if np.ptp(v) == 0 or np.ptp(scaled) == 0:
        raise DesignError("Begg's test needs studies of different precision and different effects")
    exact = np.unique(v).size == k and np.unique(scaled).size == k and k < 50
    found = kendalltau(scaled, v, method="exact" if exact else "asymptotic")
    note = few_studies(k)
    return BeggTest(
        tau=float(found.statistic),
        p_value=float(found.pvalue),
        exact=bool(exact),
        k=k,
        n_dropped=int(rows.yi.size - k),
        notes=(note,) if note else (),
    )
