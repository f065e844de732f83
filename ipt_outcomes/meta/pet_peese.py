"""PET-PEESE as one procedure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.meta.clustered import robust_lines, study_codes
from ipt_outcomes.meta.inference import Inference, infer, resolve_test
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, there_are, unpack
from ipt_outcomes.meta.pool import check_options
from ipt_outcomes.meta.regression import fit_design
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words

# PET is trusted to say "no effect" by a one-sided test at 5%
ONE_SIDED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionLine(ResultObject):
    """Regression of effects on their standard error (PET) or sampling variance (PEESE).

    Parameters
    ----------
    name : {"pet", "peese"}
    estimate, se, ci_low, ci_high, df, statistic, p_value : float
        The effect of a study of perfect precision; `df` is None for z.
    slope, slope_se, slope_p_value : float
    tau2 : float
        Between-study variance left over; 0 for weighted least squares.
    k : int
    """

    name: Literal["pet", "peese"]
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    df: float | None
    statistic: float
    p_value: float
    slope: float
    slope_se: float
    slope_p_value: float
    tau2: float
    k: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        return pd.DataFrame([{name: getattr(self, name) for name in self.__dataclass_fields__}])

    def summary(self, digits: int = 2) -> str:
        """Return the line in plain text; `digits` 2 or 3."""
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        limits = format_interval(self.ci_low, self.ci_high, style)
        return (
            f"{self.name.upper()}: {format_number(self.estimate, style)} ({limits}), {p_in_words(self.p_value)}; "
            f"slope {format_number(self.slope, style)}, {p_in_words(self.slope_p_value)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PetPeese(ResultObject):
    """Both lines and which one the procedure takes.

    Parameters
    ----------
    pet, peese : PrecisionLine
    chosen : {"pet", "peese"}
        PEESE where PET finds an effect above 0 (or below, with `alternative`), one-sided p below 0.05.
    naive : PetPeese or None
        With several effects per study: the same with every row taken for a study.
    k, n_dropped : int
    level : float
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    pet: PrecisionLine
    peese: PrecisionLine
    chosen: Literal["pet", "peese"]
    naive: PetPeese | None = None
    k: int
    n_dropped: int
    level: float
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.pet_peese"))

    @property
    def line(self) -> PrecisionLine:
        """The line chosen."""
        return self.pet if self.chosen == "pet" else self.peese

    @property
    def estimate(self) -> float:
        """Estimate of the line chosen."""
        return self.line.estimate

    @property
    def ci_low(self) -> float:
        """Lower limit of the line chosen."""
        return self.line.ci_low

    @property
    def ci_high(self) -> float:
        """Upper limit of the line chosen."""
        return self.line.ci_high

    def to_frame(self) -> pd.DataFrame:
        """Return a row per line and whether it was chosen."""
        frame = pd.concat([self.pet.to_frame(), self.peese.to_frame()], ignore_index=True)
        return frame.assign(chosen=frame["name"] == self.chosen)

    def summary(self, digits: int = 2) -> str:
        """Return both lines and the choice in plain text; `digits` 2 or 3."""
        lines = [self.pet.summary(digits), self.peese.summary(digits), f"Taken: {self.chosen.upper()}"]
        return "\n".join([*lines, self.method, *self.notes])


def pet_peese(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    model: Literal["mixed", "wls"] = "mixed",
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    alternative: Literal["greater", "less"] = "greater",
    level: float = 0.95,
    study: Any = None,
) -> PetPeese:
    """Estimate the effect of a study of perfect precision: precision-effect test and its second step.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    model : {"mixed", "wls"}
        Random-effects regression, or weighted least squares with multiplicative dispersion (t test).
    tau2, test
        For ``model="mixed"``, as in `pool`.
    alternative : {"greater", "less"}
        Direction in which an effect would be published.
    level : float
        Level of the intervals.
    study : array_like, shape (n,), optional
        Study of each effect. Where a study gives several, standard errors are cluster-robust (CR2,
        Satterthwaite df), and `naive` holds the answer that takes every row for a study.

    Returns
    -------
    PetPeese

    Raises
    ------
    DesignError
        Fewer than 3 studies, all of the same precision, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated.

    References
    ----------
    Stanley, Doucouliagos (2014), Res Synth Methods 5(1):60-78, doi:10.1002/jrsm.1095.

    Examples
    --------
    >>> from ipt_outcomes.meta import pet_peese
    >>> y, v = [0.1, 0.2, 0.25, 0.5, 0.8, 1.1], [0.01, 0.02, 0.02, 0.08, 0.15, 0.2]
    >>> result = pet_peese(y, v)
    >>> result.chosen, round(result.pet.estimate, 2)
    ('pet', -0.15)
    """
    require_choice("model", model, ("mixed", "wls"))
    require_choice("alternative", alternative, ("greater", "less"))
    check_options(tau2, test, level)
    rows = unpack(yi, vi)
    if rows.used.size < 3:
        raise DesignError(f"PET-PEESE needs at least 3 studies; {there_are(int(rows.used.size))}")
    if np.ptp(rows.v) <= 1e-12 * rows.v.max():
        raise DesignError("PET-PEESE needs studies of different precision; all variances are equal")
    options = {"model": model, "tau2": tau2, "test": test, "alternative": alternative, "level": float(level)}
    plain = _procedure(rows, None, options)
    codes = study_codes(study, rows)
    if codes is None:
        return plain
    return _procedure(rows, codes, options, naive=plain)


def _procedure(
    rows: Rows, codes: np.ndarray | None, options: dict[str, Any], naive: PetPeese | None = None
) -> PetPeese:
    pet = _line("pet", np.sqrt(rows.v), rows, codes, options)
    peese = _line("peese", rows.v, rows, codes, options)
    towards = pet.statistic if options["alternative"] == "greater" else -pet.statistic
    one_sided = pet.p_value / 2 if towards > 0 else 1 - pet.p_value / 2
    studies = rows.used.size if codes is None else int(codes.max()) + 1
    notes = []
    if studies < 20:
        notes.append(f"{studies} studies: with fewer than 20 PET-PEESE is not reliable.")
    if codes is not None:
        notes.append(
            f"{rows.used.size} effects of {studies} studies: standard errors are robust to their dependence (CR2); "
            "the answer that takes every effect for a study is in `naive`."
        )
    kind = "weighted least squares" if options["model"] == "wls" else f"random effects, tau2 by {options['tau2']}"
    return PetPeese(
        pet=pet,
        peese=peese,
        chosen="peese" if one_sided < ONE_SIDED else "pet",
        naive=naive,
        k=int(rows.used.size),
        n_dropped=int(rows.yi.size - rows.used.size),
        level=options["level"],
        method=f"PET-PEESE, {kind}; PEESE is taken where PET has a one-sided p below {ONE_SIDED:g}.",
        notes=tuple(notes),
        provenance=Provenance(function="meta.pet_peese", options=options),
    )


def _line(
    name: Literal["pet", "peese"], x: np.ndarray, rows: Rows, codes: np.ndarray | None, options: dict[str, Any]
) -> PrecisionLine:
    wls = options["model"] == "wls"
    design = np.column_stack([np.ones(x.size), x])
    result, _ = fit_design(rows.y, rows.v, design, "common" if wls else options["tau2"])
    level = options["level"]
    lines: list[Inference]
    if codes is None:
        asked: Test = "knapp-hartung" if wls else options["test"]
        common = options["tau2"] == "common" and not wls
        used, factor, _ = resolve_test(asked, result.scale, result.df, common=common)
        df = None if used == "z" else float(result.df)
        se = np.sqrt(np.diag(result.covariance) * factor)
        lines = [infer(float(b), float(s), df, level) for b, s in zip(result.coefficients, se, strict=True)]
    else:
        lines = robust_lines(rows.y, 1.0 / result.weights, design, codes, level)
    intercept, slope = lines
    return PrecisionLine(
        name=name,
        estimate=intercept.estimate,
        se=intercept.se,
        ci_low=intercept.ci_low,
        ci_high=intercept.ci_high,
        df=intercept.df,
        statistic=intercept.statistic,
        p_value=intercept.p_value,
        slope=slope.estimate,
        slope_se=slope.se,
        slope_p_value=slope.p_value,
        tau2=result.tau2,
        k=int(rows.used.size),
    )
