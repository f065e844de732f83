"""Selection models: effects whose publication depends on their p value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.clustered import combined_first, study_codes
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inference import chi2_p, infer
from ipt_outcomes.meta.inputs import Effects, Rows, require_level, unpack
from ipt_outcomes.meta.pool import pool
from ipt_outcomes.meta.selection.likelihood import CURVES, CurveModel, Model, StepModel
from ipt_outcomes.meta.selection.maximise import Maximum, maximise
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words, plural

Kind = Literal["step", "beta", "halfnormal", "negexp", "power"]
KINDS: tuple[Kind, ...] = ("step", "beta", "halfnormal", "negexp", "power")
_CURVE_WORDS = {
    "beta": "p^(a − 1) (1 − p)^(b − 1), level below p 0.00001 and above 0.99999",
    "halfnormal": "exp(−a p²)",
    "negexp": "exp(−a p)",
    "power": "(1 − p)^a",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionModel(ResultObject):
    """A pooled effect corrected for selection by p value.

    Parameters
    ----------
    estimate : float
        Mean effect before selection.
    se, ci_low, ci_high, p_value : float or None
        None where the information matrix is no covariance (`notes` says so).
    tau2 : float
    weights : pandas.DataFrame
        Step model: ``p_from p_to weight se k`` per interval. Others: ``parameter estimate se``.
    delta, delta_se : tuple of float
        Parameters of the weight (step: with the fixed 1 of the first interval); NaN where there is no
        standard error.
    lrt, lrt_df, lrt_p_value : float, int, float
        Likelihood-ratio test of no selection.
    log_likelihood, log_likelihood_unselected : float
    at_boundary : tuple of str
        Parameters at a limit of their range: then the test and the standard errors are not to be relied on.
    k, n_dropped : int
    kind, alternative, level : str, str, float
    naive : SelectionModel or None
        With several effects per study: the same with every row taken for a study.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    estimate: float
    se: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    tau2: float
    weights: pd.DataFrame
    delta: tuple[float, ...]
    delta_se: tuple[float, ...]
    lrt: float
    lrt_df: int
    lrt_p_value: float
    log_likelihood: float
    log_likelihood_unselected: float
    at_boundary: tuple[str, ...]
    k: int
    n_dropped: int
    kind: Kind
    alternative: Literal["greater", "less"]
    level: float
    naive: SelectionModel | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.selection_model"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        names = ["kind", "k", "estimate", "se", "ci_low", "ci_high", "p_value", "tau2"]
        names += ["lrt", "lrt_df", "lrt_p_value", "log_likelihood", "n_dropped"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the corrected effect and the test in plain text; `digits` 2 or 3."""
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        lines = [
            f"Selection model ({self.kind}), {self.k} studies: {format_number(self.estimate, style)} "
            f"({format_interval(self.ci_low, self.ci_high, style)}), {p_in_words(self.p_value)}",
            f"Selection: chi-squared({self.lrt_df}) = {format_number(self.lrt)}, {p_in_words(self.lrt_p_value)}",
        ]
        return "\n".join([*lines, self.method, *self.notes])


def selection_model(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    kind: Kind = "step",
    steps: Sequence[float] = (0.025,),
    alternative: Literal["greater", "less"] = "greater",
    level: float = 0.95,
    study: Any = None,
    rho: float = 0.6,
) -> SelectionModel:
    """Pool effects whose publication may depend on their p value.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    kind : {"step", "beta", "halfnormal", "negexp", "power"}
        Weight of a study by its one-sided p value: constant between `steps`, or a curve.
    steps : sequence of float
        Inner ends of the intervals of p, rising, between 0 and 1; (0.025,) is the three-parameter model.
    alternative : {"greater", "less"}
        Direction in which an effect would be published.
    level : float
        Level of the interval.
    study : array_like, shape (n,), optional
        Study of each effect. Where a study gives several, they are combined first (`aggregate`), and `naive`
        holds the answer that takes every row for a study.
    rho : float
        For combining, as in `aggregate`.

    Returns
    -------
    SelectionModel

    Raises
    ------
    DesignError
        Fewer studies than parameters, an interval of p without studies, an impossible variance.
    OptionError
        An option is not one of the choices, or steps are not rising between 0 and 1.
    ConvergenceError
        The likelihood has no finite maximum that was found.

    Notes
    -----
    The likelihood is maximised over all parameters within their limits (tau2 from 0; weights from 0 to 100,
    beta parameters from 0.00001) from several starts. Standard errors are from the observed information. A
    maximum at a limit is reported in `at_boundary`.

    References
    ----------
    Vevea, Hedges (1995), Psychometrika 60(3):419-435, doi:10.1007/BF02294384 (step);
    Citkowicz, Vevea (2017), Psychol Methods 22(1):28-41, doi:10.1037/met0000119 (beta);
    Preston, Ashby, Smyth (2004), J Eval Clin Pract 10(2):313-322, doi:10.1111/j.1365-2753.2003.00457.x (others).

    Examples
    --------
    >>> from ipt_outcomes.meta import selection_model
    >>> y = [0.1, 0.2, 0.25, 0.5, 0.8, 1.1, 0.3, 0.05, 0.4]
    >>> v = [0.01, 0.02, 0.02, 0.04, 0.08, 0.1, 0.05, 0.03, 0.03]
    >>> round(selection_model(y, v).estimate, 2)
    0.2
    """
    require_choice("kind", kind, KINDS)
    require_choice("alternative", alternative, ("greater", "less"))
    require_level(level)
    ends = _read_steps(steps) if kind == "step" else ()
    rows = unpack(yi, vi)
    options = {"kind": kind, "steps": list(ends), "alternative": alternative, "level": float(level)}
    if study_codes(study, rows) is None:
        return _fit(rows, kind, ends, options)
    combined = aggregate(yi, vi, study=study, rho=rho)
    naive = _fit(rows, kind, ends, options)
    options["rho"] = float(rho)
    result = _fit(unpack(combined["yi"], combined["vi"]), kind, ends, options)
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=naive, n_dropped=naive.n_dropped, notes=(*result.notes, note))


def _read_steps(steps: Sequence[float]) -> tuple[float, ...]:
    values = tuple(float(step) for step in np.atleast_1d(np.asarray(steps, dtype=float)))
    if values and values[-1] == 1.0:
        values = values[:-1]
    rising = all(a < b for a, b in pairwise(values))
    if not values or not rising or not values[0] > 0 or not values[-1] < 1:
        raise OptionError(f"steps must be rising p values between 0 and 1, such as (0.025, 0.5); got {steps!r}")
    return values


def _fit(rows: Rows, kind: Kind, steps: tuple[float, ...], options: dict[str, Any]) -> SelectionModel:
    sign = 1.0 if options["alternative"] == "greater" else -1.0
    y, v = sign * rows.y, rows.v
    # effects in units of a typical standard error: no limit or tolerance then depends on the scale
    unit = float(2.0 ** round(0.5 * float(np.log2(np.median(v))))) if v.size else 1.0
    y, v = y / unit, v / unit**2
    model: Model = StepModel(y, v, steps) if kind == "step" else CurveModel(y, v, CURVES[kind])
    if y.size < 2 + model.n_delta:
        k = int(y.size)
        only = f"there {plural(k, 'is', 'are')} only {k} {plural(k, 'study', 'studies')}"
        raise DesignError(f"the model has {2 + model.n_delta} parameters but {only}")
    if isinstance(model, StepModel):
        _require_filled(model, steps)
    plain = pool(y, v, tau2="ML", test="z")
    start = (plain.estimate, plain.tau2)
    bare = float(model.value(np.array([*start, *model.neutral]))[0]) if kind != "step" else _unselected(y, v, start)
    found = maximise(model, start, float(np.median(v)))
    return _result(rows, model, found, bare, (sign, unit), steps, options)


def _unselected(y: np.ndarray, v: np.ndarray, start: tuple[float, float]) -> float:
    variance = v + start[1]
    return float(-0.5 * (np.log(2 * np.pi * variance) + (y - start[0]) ** 2 / variance).sum())


def _require_filled(model: StepModel, steps: tuple[float, ...]) -> None:
    ends = (0.0, *steps, 1.0)
    empty = [f"{ends[i]:g} to {ends[i + 1]:g}" for i in range(len(steps) + 1) if model.counts[i] == 0]
    if empty:
        raise DesignError(
            f"no study has a one-sided p value in {', '.join(empty)}: its weight cannot be estimated",
            hint="Choose steps that leave studies in every interval.",
        )


def _result(
    rows: Rows,
    model: Model,
    found: Maximum,
    bare: float,
    scale: tuple[float, float],
    steps: tuple[float, ...],
    options: dict[str, Any],
) -> SelectionModel:
    sign, unit = scale
    kind, level = options["kind"], options["level"]
    k = int(rows.used.size)
    # densities of effects in other units differ by the unit per study
    shift = -k * float(np.log(unit))
    estimate = sign * float(found.parameters[0]) * unit
    line = None
    if found.covariance is not None:
        line = infer(estimate, float(np.sqrt(found.covariance[0, 0])) * unit, None, level)
    delta = found.parameters[2:]
    errors = np.full(delta.size, np.nan) if found.covariance is None else np.sqrt(np.diag(found.covariance))[2:]
    if kind == "step":
        delta, errors = np.append(1.0, delta), np.append(np.nan, errors)
    lrt = max(0.0, 2 * (found.log_likelihood - bare))
    at = _boundary(found, kind, steps)
    words = (
        f"weight constant between steps {', '.join(f'{s:g}' for s in steps)}" if kind == "step" else _CURVE_WORDS[kind]
    )
    return SelectionModel(
        estimate=estimate,
        se=None if line is None else line.se,
        ci_low=None if line is None else line.ci_low,
        ci_high=None if line is None else line.ci_high,
        p_value=None if line is None else line.p_value,
        tau2=float(found.parameters[1]) * unit**2,
        weights=_weights(model, delta, errors, steps),
        delta=tuple(float(value) for value in delta),
        delta_se=tuple(float(value) for value in errors),
        lrt=lrt,
        lrt_df=model.n_delta,
        lrt_p_value=chi2_p(lrt, model.n_delta),
        log_likelihood=found.log_likelihood + shift,
        log_likelihood_unselected=bare + shift,
        at_boundary=at,
        k=k,
        n_dropped=int(rows.yi.size - k),
        kind=kind,
        alternative=options["alternative"],
        level=level,
        method=f"Selection by one-sided p value ({options['alternative']}), {words}; maximum likelihood.",
        notes=_notes(found, at, k),
        provenance=Provenance(function="meta.selection_model", options=dict(options)),
    )


def _boundary(found: Maximum, kind: str, steps: tuple[float, ...]) -> tuple[str, ...]:
    if kind == "step":
        names = [f"weight above p {step:g}" for step in steps]
    else:
        names = [f"parameter {letter}" for letter in "ab"][: found.parameters.size - 2]
    labels = ["effect", "tau2", *names]
    return tuple(label for label, at in zip(labels, found.at_bound, strict=True) if at)


def _weights(model: Model, delta: np.ndarray, errors: np.ndarray, steps: tuple[float, ...]) -> pd.DataFrame:
    if isinstance(model, StepModel):
        ends = (0.0, *steps, 1.0)
        return pd.DataFrame({"p_from": ends[:-1], "p_to": ends[1:], "weight": delta, "se": errors, "k": model.counts})
    return pd.DataFrame({"parameter": list("ab")[: delta.size], "estimate": delta, "se": errors})


def _notes(found: Maximum, at: tuple[str, ...], k: int) -> tuple[str, ...]:
    notes = []
    if at:
        notes.append(
            f"The maximum lies at the limit of {', '.join(at)}: the test of selection and standard errors do not "
            "hold there as usual."
        )
    if found.covariance is None:
        notes.append("The information matrix is no covariance (singular): there are no standard errors.")
    if k < 20:
        notes.append(f"{k} studies: selection models are unstable with few studies.")
    return tuple(notes)
