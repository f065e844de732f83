"""Studies in the file drawer: how many would change the result, and whether too many found an effect."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.clustered import combined_first, study_codes
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inputs import Effects, Rows, require_level, unpack
from ipt_outcomes.results import Provenance, ResultObject, format_number, p_in_words, plural

FailSafeMethod = Literal["rosenthal", "orwin", "rosenberg"]
_METHODS: tuple[FailSafeMethod, ...] = ("rosenthal", "orwin", "rosenberg")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailSafeN(ResultObject):
    """Unseen studies without effect that would take the result away.

    Parameters
    ----------
    n : float
        A whole number, rounded up; infinite where no number of them would.
    method_name : {"rosenthal", "orwin", "rosenberg"}
    p_value : float or None
        Of the result that is to be taken away; None for Orwin.
    target : float or None
        For Orwin: the mean effect down to which studies are added.
    k, n_dropped : int
    naive : FailSafeN or None
        With several effects per study: the same with every row taken for a study.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    n: float
    method_name: FailSafeMethod
    p_value: float | None
    target: float | None
    k: int
    n_dropped: int
    naive: FailSafeN | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.fail_safe_n"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers."""
        names = ("method_name", "k", "n", "p_value", "target", "n_dropped")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the number in plain text; `digits` is not used, it is whole."""
        words = plural(self.k, "study", "studies")
        line = f"Fail-safe N ({self.method_name}), {self.k} {words}: {format_number(self.n, 'integer')}"
        return "\n".join([line, self.method, *self.notes])


def fail_safe_n(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    method: FailSafeMethod = "rosenthal",
    alpha: float = 0.05,
    target: float | None = None,
    study: Any = None,
    rho: float = 0.6,
) -> FailSafeN:
    """Count the unseen studies without effect that would take a result away.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    method : {"rosenthal", "orwin", "rosenberg"}
        "rosenthal": until the summed z values are no longer significant, one-sided. "orwin": until the unweighted
        mean effect falls to `target`. "rosenberg": until the weighted mean (common effect) is no longer
        significant, two-sided; the unseen studies weigh as the mean of those seen.
    alpha : float
        Level of the test.
    target : float, optional
        For "orwin"; half the mean effect when left out.
    study, rho
        As in `trim_and_fill`.

    Returns
    -------
    FailSafeN

    Raises
    ------
    DesignError
        No usable row, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices.

    Notes
    -----
    A number that is often asked for and says little: it takes the unseen studies to have no effect on average,
    though selected studies would have effects of the other sign, and it ignores heterogeneity (Becker 2005).

    References
    ----------
    Rosenthal (1979), Psychol Bull 86(3):638-641, doi:10.1037/0033-2909.86.3.638;
    Orwin (1983), J Educ Stat 8(2):157-159, doi:10.3102/10769986008002157;
    Rosenberg (2005), Evolution 59(2):464-468, doi:10.1111/j.0014-3820.2005.tb01004.x;
    Becker (2005), in Publication Bias in Meta-Analysis, chapter 7, doi:10.1002/0470870168.ch7.

    Examples
    --------
    >>> from ipt_outcomes.meta import fail_safe_n
    >>> fail_safe_n([0.4, 0.5, 0.6, 0.3], [0.04, 0.05, 0.04, 0.03]).n
    26.0
    """
    require_choice("method", method, _METHODS)
    _require_alpha(alpha)
    if target is not None and (method != "orwin" or not math.isfinite(float(target))):
        raise OptionError('target is a number for method="orwin" only')
    rows = unpack(yi, vi)
    options = {"method": method, "alpha": float(alpha), "target": target}
    plain = _fail_safe(rows, options)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _fail_safe(unpack(combined["yi"], combined["vi"]), {**options, "rho": float(rho)})
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=plain, n_dropped=plain.n_dropped, notes=(*result.notes, note))


def _fail_safe(rows: Rows, options: dict[str, Any]) -> FailSafeN:
    y, v, k = rows.y, rows.v, int(rows.used.size)
    if k == 0:
        raise DesignError(f"nothing to count with: none of {rows.yi.size} rows has both an effect and a variance")
    method, alpha, target = options["method"], options["alpha"], options["target"]
    p_value = None
    if method == "rosenthal":
        z = abs(float((y / np.sqrt(v)).sum())) / math.sqrt(k)
        p_value, number = float(ndtr(-z)), k * (z / float(-ndtri(alpha))) ** 2 - k
        words = f"Until the summed z values are no longer significant, one-sided at {alpha:g}."
    elif method == "orwin":
        mean = float(y.mean())
        target = mean / 2 if target is None else float(target)
        number = math.inf if target == 0 or (target > 0) != (mean > 0) else k * (mean - target) / target
        words = f"Until the unweighted mean effect falls from {format_number(mean)} to {format_number(target)}."
    else:
        w = 1.0 / v
        total, summed = float(w.sum()), float(w @ y)
        p_value = 2 * float(ndtr(-abs(summed) / math.sqrt(total)))
        number = k * ((summed / float(-ndtri(alpha / 2))) ** 2 - total) / total
        words = f"Until the weighted mean effect is no longer significant, two-sided at {alpha:g}."
    return FailSafeN(
        # a whole number that came out a rounding error above itself is that number
        n=number if math.isinf(number) else float(math.ceil(max(0.0, number) * (1 - 1e-12))),
        method_name=method,
        p_value=p_value,
        target=target if method == "orwin" else None,
        k=k,
        n_dropped=int(rows.yi.size - k),
        method=words,
        notes=("It takes unseen studies to have no effect on average and ignores heterogeneity.",),
        provenance=Provenance(function="meta.fail_safe_n", options=options),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessSignificance(ResultObject):
    """Test whether more studies are significant than their power allows.

    Parameters
    ----------
    observed : int
        Significant studies.
    expected : float
        Sum of the studies' power to find `effect`.
    ratio : float
        Observed over expected.
    p_value : float
    effect, tau2 : float
        True effect taken, and its between-study variance.
    power : numpy.ndarray, shape (k,)
    significant : numpy.ndarray of bool, shape (k,)
    k, n_dropped : int
    naive : ExcessSignificance or None
        With several effects per study: the same with every row taken for a study.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    observed: int
    expected: float
    ratio: float
    p_value: float
    effect: float
    tau2: float
    power: np.ndarray
    significant: np.ndarray
    k: int
    n_dropped: int
    naive: ExcessSignificance | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.excess_significance"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        names = ("k", "observed", "expected", "ratio", "p_value", "effect", "tau2", "n_dropped")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the counts and the test in plain text; `digits` 2 or 3."""
        expected = format_number(self.expected, "decimal3" if digits == 3 else "decimal1")
        line = (
            f"Excess significance, {self.k} {plural(self.k, 'study', 'studies')}: {self.observed} significant, "
            f"{expected} expected, {p_in_words(self.p_value)}"
        )
        return "\n".join([line, self.method, *self.notes])


def excess_significance(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    effect: float | None = None,
    tau2: float = 0.0,
    test: Literal["exact", "chi2"] = "exact",
    study: Any = None,
    rho: float = 0.6,
) -> ExcessSignificance:
    """Test for an excess of significant studies (Ioannidis and Trikalinos).

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    alpha : float
        Level at which a study counts as significant, by its z test.
    alternative : {"two-sided", "greater", "less"}
        Direction of the studies' tests.
    effect : float, optional
        True effect taken; the weighted mean (common effect, or at `tau2`) when left out.
    tau2 : float
        Between-study variance of the true effect, 0 or more.
    test : {"exact", "chi2"}
        Exact distribution of the number of significant studies (Poisson binomial), one-sided, or chi-squared.
    study, rho
        As in `trim_and_fill`.

    Returns
    -------
    ExcessSignificance

    Raises
    ------
    DesignError
        No usable row, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices.

    Notes
    -----
    An excess has other causes than unpublished studies: power at the pooled effect is wrong for each study where
    effects are heterogeneous.

    References
    ----------
    Ioannidis, Trikalinos (2007), Clin Trials 4(3):245-253, doi:10.1177/1740774507079441.

    Examples
    --------
    >>> from ipt_outcomes.meta import excess_significance
    >>> result = excess_significance([0.5, 0.6, 0.7, 0.5], [0.05, 0.06, 0.08, 0.05])
    >>> result.observed, round(result.expected, 2)
    (4, 2.55)
    """
    require_choice("alternative", alternative, ("two-sided", "greater", "less"))
    require_choice("test", test, ("exact", "chi2"))
    _require_alpha(alpha)
    if not math.isfinite(float(tau2)) or float(tau2) < 0:
        raise OptionError(f"tau2 must be a number, 0 or more; got {tau2!r}")
    rows = unpack(yi, vi)
    options = {"alpha": float(alpha), "alternative": alternative, "effect": effect, "tau2": float(tau2), "test": test}
    plain = _excess(rows, options)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _excess(unpack(combined["yi"], combined["vi"]), {**options, "rho": float(rho)})
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=plain, n_dropped=plain.n_dropped, notes=(*result.notes, note))


def _excess(rows: Rows, options: dict[str, Any]) -> ExcessSignificance:
    y, v, k = rows.y, rows.v, int(rows.used.size)
    if k == 0:
        raise DesignError(f"nothing to test: none of {rows.yi.size} rows has both an effect and a variance")
    alpha, alternative, tau2 = options["alpha"], options["alternative"], options["tau2"]
    w = 1.0 / (v + tau2)
    effect = float(w @ y / w.sum()) if options["effect"] is None else float(options["effect"])
    sides = {"two-sided": (1.0, -1.0), "greater": (1.0,), "less": (-1.0,)}[alternative]
    reach = float(-ndtri(alpha / len(sides)))
    z = y / np.sqrt(v)
    # the true effect varies by tau2: the z value of a study is normal with variance 1 + tau2/v
    spread = np.sqrt(1 + tau2 / v)
    power = sum((ndtr((side * effect / np.sqrt(v) - reach) / spread) for side in sides), np.zeros(k))
    significant = np.any([side * z >= reach for side in sides], axis=0)
    observed, expected = int(significant.sum()), float(power.sum())
    if options["test"] == "exact":
        p_value = _at_least(power, observed)
        words = "exact one-sided test"
    else:
        off = (observed - expected) ** 2
        statistic = off / expected + off / (k - expected)
        half = 0.5 * float(chdtrc(1.0, statistic))
        p_value = half if observed > expected else 1 - half
        words = "one-sided chi-squared test"
    side = {"two-sided": "two-sided", "greater": "one-sided, above 0", "less": "one-sided, below 0"}[alternative]
    few = f"{k} {plural(k, 'study', 'studies')}: with fewer than 10 the test has little power."
    return ExcessSignificance(
        observed=observed,
        expected=expected,
        ratio=observed / expected,
        p_value=p_value,
        effect=effect,
        tau2=tau2,
        power=power,
        significant=significant,
        k=k,
        n_dropped=int(rows.yi.size - k),
        method=f"Studies significant at {alpha:g}, {side}, against their power at an effect of "
        f"{format_number(effect)}; {words}.",
        notes=(few,) if k < 10 else (),
        provenance=Provenance(function="meta.excess_significance", options=options),
    )


def _at_least(power: np.ndarray, count: int) -> float:
    """P(at least `count` of independent events), by adding one event after the other."""
    chances = np.zeros(power.size + 1)
    chances[0] = 1.0
    for p in power:
        chances[1:] = chances[1:] * (1 - p) + chances[:-1] * p
        chances[0] *= 1 - p
    return float(min(1.0, chances[count:].sum()))


def _require_alpha(alpha: float) -> None:
    require_level(1 - alpha if isinstance(alpha, int | float) and not isinstance(alpha, bool) else alpha)
