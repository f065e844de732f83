"""The result of every effect-size function: one effect and its sampling variance per study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtri

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject, Style, format_interval, format_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Measure = Literal[
    "SMD", "MD", "SMDC", "OR", "RR", "RD", "ROM", "SMC", "MC", "SMDPC", "IRR", "IRD", "RATIO", "EFFECT", "VR", "CVR",
    "ROMC", "ASD", "IRSD", "YUQ", "PHI",
]  # fmt: skip

MEASURE_NAMES: dict[Measure, str] = {
    "SMD": "standardised mean difference (Hedges' g)",
    "MD": "mean difference",
    "SMDC": "standardised mean difference of change scores (Hedges' g)",
    "OR": "log odds ratio",
    "RR": "log risk ratio",
    "RD": "risk difference",
    "ROM": "log ratio of means",
    "SMC": "standardised mean change from pre to post, without control group",
    "MC": "mean change from pre to post, without control group",
    "SMDPC": "difference of two arms' standardised mean changes (pre SD)",
    "IRR": "log incidence rate ratio",
    "IRD": "incidence rate difference",
    "RATIO": "log ratio, as given",
    "EFFECT": "effect, as given",
    "VR": "log ratio of standard deviations",
    "CVR": "log ratio of coefficients of variation",
    "ROMC": "log ratio of means from pre to post, without control group",
    "ASD": "difference of arcsine-transformed risks",
    "IRSD": "difference of the square roots of incidence rates",
    "YUQ": "Yule's Q",
    "PHI": "phi coefficient",
}

RATIOS: frozenset[str] = frozenset({"OR", "RR", "ROM", "IRR", "RATIO", "VR", "CVR", "ROMC"})
# No control group: the change holds what time alone would have done
WITHOUT_CONTROL: frozenset[str] = frozenset({"SMC", "MC", "ROMC"})

_STYLES: dict[int, Style] = {0: "integer", 1: "decimal1", 2: "decimal2", 3: "decimal3"}


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
        The call; its option ``formula`` says how yi and vi were made.

    Raises
    ------
    DesignError
        Shapes that differ, a negative variance, an infinite value; ``.rows`` lists all rows.
    OptionError
        `measure` or `event` is not one of the choices.
    """

    yi: np.ndarray
    vi: np.ndarray
    measure: Measure
    convention: str
    event: Literal["good", "bad"] | None = None
    flags: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="effects"))

    def __post_init__(self) -> None:
        require_choice("measure", self.measure, MEASURE_NAMES)
        if self.event is not None:
            require_choice("event", self.event, ("good", "bad"))
        # copies: making the caller's own arrays read-only would reach outside this object
        for name in ("yi", "vi"):
            array = np.array(getattr(self, name), dtype=float)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "flags", tuple(self.flags) or ("",) * self.yi.size)
        if self.yi.ndim != 1 or self.yi.shape != self.vi.shape:
            raise DesignError(f"yi and vi must have one shape (k,); got {self.yi.shape} and {self.vi.shape}")
        if len(self.flags) != self.yi.size:
            raise DesignError(f"flags must have one text per row: {self.yi.size} rows, {len(self.flags)} texts")
        bad = np.flatnonzero(np.isinf(self.yi) | np.isinf(self.vi) | (self.vi < 0))
        if bad.size:
            listed = ", ".join(str(row) for row in bad)
            raise DesignError(
                f"yi must be finite and vi finite and not negative, or NaN; rows {listed} (from 0) are not",
                rows=bad,
            )

    def __len__(self) -> int:
        return int(self.yi.size)

    @property
    def se(self) -> np.ndarray:
        """Standard errors, shape (k,)."""
        return np.asarray(np.sqrt(self.vi))

    @property
    def is_ratio(self) -> bool:
        """Whether `yi` is the logarithm of a ratio."""
        return self.measure in RATIOS

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

        Raises
        ------
        OptionError
            `level` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise OptionError(f"level must lie between 0 and 1, for example 0.95; got {level!r}")
        half = ndtri(0.5 + level / 2) * self.se
        return self.yi - half, self.yi + half

    def to_frame(self) -> pd.DataFrame:
        """Return ``yi vi se ci_low ci_high flag``, one row per study, unrounded."""
        import pandas as pd

        low, high = self.ci()
        return pd.DataFrame(
            {
                "yi": self.yi.copy(),
                "vi": self.vi.copy(),
                "se": self.se,
                "ci_low": low,
                "ci_high": high,
                "flag": self.flags,
            }
        )

    def summary(self, digits: int = 2) -> str:
        """Return one line saying what the effects are, then a line per study.

        Parameters
        ----------
        digits : {0, 1, 2, 3}
            Decimals shown.

        Returns
        -------
        str

        Raises
        ------
        OptionError
            `digits` is not one of the choices.
        """
        if digits not in _STYLES:
            raise OptionError(f"digits must be one of {', '.join(map(str, _STYLES))}; got {digits!r}")
        style = _STYLES[digits]
        low, high = self.ci()
        noun = "effect" if len(self) == 1 else "effects"
        lines = [f"{len(self)} {noun}: {MEASURE_NAMES[self.measure]}, {self.convention}"]
        if "formula" in self.provenance.options:
            lines.append(f"Formula: {self.provenance.options['formula']}")
        for i, (y, lo, hi, flag) in enumerate(zip(self.yi, low, high, self.flags, strict=True)):
            numbers = f"{format_number(y, style)} ({format_interval(lo, hi, style)})"
            lines.append(f"{i}: {numbers}  [{flag}]" if flag else f"{i}: {numbers}")
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, **options: object) -> Axes:
        """Draw a forest plot; options as in `ipt_outcomes.figures.forest`."""
        from ipt_outcomes.figures import forest

        return forest(self, ax=ax, **options)  # type: ignore[arg-type]
