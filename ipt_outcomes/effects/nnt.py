"""Number needed to treat, from rates and from standardised mean differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from ipt_outcomes.effects.binary import EVENTS, Event
from ipt_outcomes.effects.inputs import FloatArray, read_rows
from ipt_outcomes.effects.risk_interval import risk_difference_interval
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject, format_number

NntFromSmd = Literal["furukawa-leucht", "kraemer-kupfer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersNeeded(ResultObject):
    """Numbers needed to treat, from the absolute benefit and its interval.

    Parameters
    ----------
    benefit, benefit_low, benefit_high : numpy.ndarray, shape (k,)
        Difference of the rates of a good outcome, arm 1 minus arm 2, and its limits (NaN where none).
    method : str
        How the benefit was made.
    provenance : Provenance
    """

    benefit: FloatArray
    benefit_low: FloatArray
    benefit_high: FloatArray
    method: str
    provenance: Provenance = field(default_factory=lambda: Provenance(function="effects.nnt"))

    @property
    def nnt(self) -> FloatArray:
        """1 over the size of the benefit, shape (k,); infinite at a benefit of 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / np.abs(self.benefit))

    @property
    def direction(self) -> tuple[str, ...]:
        """Per row "benefit" (NNTB), "harm" (NNTH), or "none" at a benefit of exactly 0 or a missing one."""
        return tuple("benefit" if b > 0 else "harm" if b < 0 else "none" for b in self.benefit)

    @property
    def through_infinity(self) -> npt.NDArray[np.bool_]:
        """Whether the interval of the benefit holds 0, so that the one of the NNT passes through infinity."""
        return np.asarray((self.benefit_low < 0) & (self.benefit_high > 0))

    @property
    def text(self) -> tuple[str, ...]:
        """Per row the number and its interval in words: "NNTB 5.0 (NNTB 3.0 to NNTB 19.1)"."""
        rows = zip(self.benefit, self.benefit_low, self.benefit_high, strict=True)
        return tuple(_words(*row) for row in rows)

    def to_frame(self) -> pd.DataFrame:
        """Return ``nnt direction ci_near ci_far through_infinity benefit benefit_low benefit_high text``.

        ``ci_near`` is the limit at the larger benefit, ``ci_far`` the other; where the interval passes through
        infinity, ``ci_near`` is an NNTB and ``ci_far`` an NNTH.
        """
        with np.errstate(divide="ignore"):
            near, far = 1 / np.abs(self.benefit_high), 1 / np.abs(self.benefit_low)
        return pd.DataFrame(
            {
                "nnt": self.nnt,
                "direction": self.direction,
                "ci_near": near,
                "ci_far": far,
                "through_infinity": self.through_infinity,
                "benefit": self.benefit.copy(),
                "benefit_low": self.benefit_low.copy(),
                "benefit_high": self.benefit_high.copy(),
                "text": self.text,
            }
        )

    def summary(self, digits: int = 1) -> str:
        """Return a line per row and the method; `digits` is not used, an NNT has one decimal."""
        return "\n".join([*self.text, self.method])


def nnt(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event = "good",
    method: Literal["newcombe", "miettinen-nurminen", "wald"] = "newcombe",
    level: float = 0.95,
) -> NumbersNeeded:
    """Number needed to treat with arm 1 in place of arm 2 for one more good outcome, one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Counts of people.
    event : {"good", "bad"}
        Whether the event counted is good news (response) or bad (relapse); `method` in the result says which
        was taken.
    method : {"newcombe", "miettinen-nurminen", "wald"}
        Interval of the risk difference, as in `risk_difference_interval`.
    level : float
        Confidence level.

    Returns
    -------
    NumbersNeeded
        An interval of the difference that holds 0 reads "NNTB a to ∞ to NNTH b".

    Raises
    ------
    DesignError, OptionError
        As in `risk_difference_interval`.

    References
    ----------
    Altman (1998), BMJ 317:1309-1312, doi:10.1136/bmj.317.7168.1309.

    Examples
    --------
    >>> nnt(56, 70, 48, 80).text
    ('NNTB 5.0 (NNTB 3.0 to NNTB 19.1)',)
    >>> nnt(5, 56, 0, 29).text
    ('NNTB 11.2 (NNTB 5.2 to ∞ to NNTH 26.2)',)
    """
    require_choice("event", event, EVENTS)
    low, high = risk_difference_interval(event_arm1, totaln_arm1, event_arm2, totaln_arm2, method=method, level=level)
    with np.errstate(all="ignore"):
        rates = [
            np.asarray(events, dtype=float) / np.asarray(total, dtype=float)
            for events, total in ((event_arm1, totaln_arm1), (event_arm2, totaln_arm2))
        ]
    difference, low, high = np.atleast_1d(rates[0] - rates[1], low, high)
    if event == "bad":
        difference, low, high = -difference, -high, -low
    options = {"event": event, "method": method, "level": float(level)}
    return NumbersNeeded(
        benefit=difference + 0.0,
        benefit_low=low + 0.0,
        benefit_high=high + 0.0,
        method=f"1/|risk difference|, {method} interval at {format_number(100 * level, 'number')}%; "
        f"the event is taken as {event} news.",
        provenance=Provenance(function="effects.nnt", options=options),
    )


def nnt_from_smd(
    g: npt.ArrayLike,
    *,
    ci_low: npt.ArrayLike | None = None,
    ci_high: npt.ArrayLike | None = None,
    method: NntFromSmd = "furukawa-leucht",
    control_rate: npt.ArrayLike = 0.2,
) -> NumbersNeeded:
    """Number needed to treat that goes with a standardised mean difference.

    Parameters
    ----------
    g : array_like, shape (k,)
        Standardised mean difference, positive where arm 1 does better.
    ci_low, ci_high : array_like, shape (k,), optional
        Its confidence limits.
    method : {"furukawa-leucht", "kraemer-kupfer"}
        Furukawa and Leucht: the rate of arm 1 is Phi(g + Phi^-1(control rate)). Kraemer and Kupfer: the
        benefit is the area 2 Phi(g/sqrt 2) - 1, which needs no control rate and gives smaller numbers.
    control_rate : array_like, shape (k,)
        Rate of good outcomes in arm 2, between 0 and 1; not used by Kraemer and Kupfer.

    Returns
    -------
    NumbersNeeded
        Limits that lie on both sides of 0 read "NNTB a to ∞ to NNTH b".

    Raises
    ------
    DesignError
        A control rate outside (0, 1), limits in the wrong order; ``.rows`` lists all rows.
    OptionError
        `method` is not one of the choices, or only one limit is given.

    References
    ----------
    Furukawa, Leucht (2011), PLoS ONE 6(4):e19070, doi:10.1371/journal.pone.0019070;
    Kraemer, Kupfer (2006), Biol Psychiatry 59(11):990-996, doi:10.1016/j.biopsych.2005.09.014.

    Examples
    --------
    >>> nnt_from_smd(0.475).nnt.round(1), nnt_from_smd(0.475, method="kraemer-kupfer").nnt.round(1)
    (array([6.4]), array([3.8]))
    """
    require_choice("method", method, ("furukawa-leucht", "kraemer-kupfer"))
    if (ci_low is None) != (ci_high is None):
        raise OptionError("ci_low and ci_high go together: give both or none")
    columns: dict[str, npt.ArrayLike] = {"g": g, "control_rate": control_rate}
    if ci_low is not None and ci_high is not None:
        columns |= {"ci_low": ci_low, "ci_high": ci_high}
    rows = read_rows(columns)
    rate = rows["control_rate"]
    rows.require("control_rate", "must be above 0 and below 1", (rate > 0) & (rate < 1))
    rows.require_finite("g")
    if "ci_low" in columns:
        gap = np.isnan(rows["ci_low"]) | np.isnan(rows["ci_high"])
        rows.require("ci_high", "must not be below ci_low", (rows["ci_high"] >= rows["ci_low"]) | gap)
    rows.check()

    def benefit(name: str) -> FloatArray:
        if name not in columns:
            return np.full(rows.k, np.nan)
        if method == "kraemer-kupfer":
            return np.asarray(2 * ndtr(rows[name] / np.sqrt(2)) - 1)
        # the difference of two probabilities, taken in the tail where it loses no digits
        shifted = rows[name] + ndtri(rate)
        gain = np.where(rate > 0.5, ndtr(-ndtri(rate)) - ndtr(-shifted), ndtr(shifted) - rate)
        return np.asarray(np.where(rows[name] == 0, 0.0, gain))

    words = (
        "Kraemer and Kupfer: 1/(2 Φ(g/√2) − 1)."
        if method == "kraemer-kupfer"
        else f"Furukawa and Leucht: 1/(Φ(g + Φ⁻¹(c)) − c), control rate c {_rates(rate)}."
    )
    record = [float(value) for value in rate]
    return NumbersNeeded(
        benefit=benefit("g"),
        benefit_low=benefit("ci_low"),
        benefit_high=benefit("ci_high"),
        method=words,
        provenance=Provenance(function="effects.nnt_from_smd", options={"method": method, "control_rate": record}),
    )


def _rates(rate: FloatArray) -> str:
    distinct = sorted({float(value) for value in rate[~np.isnan(rate)]})
    if len(distinct) == 1:
        return format_number(distinct[0], "number")
    return "as given per row"


def _words(benefit: float, low: float, high: float) -> str:
    if np.isnan(benefit):
        return "no NNT: a number is missing"
    if np.isnan(low) or np.isnan(high):
        return _one(benefit)
    if low < 0 < high:
        return f"{_one(benefit)} ({_one(high)} to ∞ to {_one(low)})"
    # the limit nearer to a strong effect of the same kind stands first
    first, last = (high, low) if benefit >= 0 else (low, high)
    return f"{_one(benefit)} ({_one(first)} to {_one(last)})"


def _one(benefit: float) -> str:
    if benefit == 0:
        return "NNT ∞"
    return f"{'NNTB' if benefit > 0 else 'NNTH'} {format_number(1 / abs(benefit), 'decimal1')}"
