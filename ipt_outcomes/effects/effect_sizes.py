"""The result of every effect-size function: one effect and its sampling variance per study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtri

from ipt_outcomes.errors import DesignError
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Measure = Literal["SMD", "MD", "SMDC", "OR", "RR", "RD"]

MEASURE_NAMES: dict[Measure, str] = {
    "SMD": "standardised mean difference (Hedges' g)",
    "MD": "mean difference",
    "SMDC": "standardised mean difference of change scores (Hedges' g)",
    "OR": "log odds ratio",
    "RR": "log risk ratio",
    "RD": "risk difference",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSizes(ResultObject):
    """Effects of arm 1 against arm 2, one per study, in the order given.

    Parameters
    ----------
    yi, vi : numpy.ndarray, shape (k,)
        Effect and its sampling variance; NaN where the row gives none. Ratios are on the log scale.
    measure : str
        What `yi` is: a key of `MEASURE_NAMES`.
    convention : str
        The formulas used, by name (J, variance, zero-cell rule).
    event : {"good", "bad"} or None
        For OR, RR and RD: whether more events are good news. None for standardised effects, where
        positive always favours arm 1.
    flags : tuple of str, shape (k,)
        What was done to a row ("0.5 added to all four cells"), or an empty string.
    provenance : Provenance
    """

    yi: np.ndarray
    vi: np.ndarray
    measure: Measure
    convention: str
    event: Literal["good", "bad"] | None = None
    flags: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="effects"))

    def __post_init__(self) -> None:
        if self.yi.ndim != 1 or self.yi.shape != self.vi.shape:
            raise DesignError(f"yi and vi must have one shape (k,); got {self.yi.shape} and {self.vi.shape}")
        if not self.flags:
            object.__setattr__(self, "flags", ("",) * self.yi.size)
        for array in (self.yi, self.vi):
            array.setflags(write=False)

    def __len__(self) -> int:
        return int(self.yi.size)

    @property
    def se(self) -> np.ndarray:
        """Standard errors, shape (k,)."""
        return np.asarray(np.sqrt(self.vi))

    @property
    def is_ratio(self) -> bool:
        """Whether `yi` is the logarithm of a ratio."""
        return self.measure in {"OR", "RR"}

    def ci(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the Wald interval of each study.

        Parameters
        ----------
        level : float
            Confidence level, between 0 and 1.

        Returns
        -------
        tuple of numpy.ndarray
            Lower and upper limits, each of shape (k,), on the scale of `yi`.
        """
        half = ndtri(0.5 + level / 2) * self.se
        return self.yi - half, self.yi + half

    def to_frame(self) -> pd.DataFrame:
        """Return ``yi vi se ci_low ci_high flag``, one row per study, unrounded."""
        import pandas as pd

        low, high = self.ci()
        return pd.DataFrame(
            {"yi": self.yi, "vi": self.vi, "se": self.se, "ci_low": low, "ci_high": high, "flag": self.flags}
        )

    def summary(self, digits: int = 2) -> str:
        """Return one line saying what the effects are, then a line per study."""
        style = {1: "decimal1", 2: "decimal2", 3: "decimal3"}.get(digits, "decimal2")
        low, high = self.ci()
        lines = [f"{len(self)} effects: {MEASURE_NAMES[self.measure]}, {self.convention}"]
        lines += [
            f"{i}: {format_number(y, style)} ({format_interval(lo, hi, style)})"  # type: ignore[arg-type]
            for i, (y, lo, hi) in enumerate(zip(self.yi, low, high, strict=True))
        ]
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, **options: object) -> Axes:
        """Draw a forest plot; options as in `ipt_outcomes.figures.forest`."""
        from ipt_outcomes.figures import forest

        return forest(self, ax=ax, **options)  # type: ignore[arg-type]
