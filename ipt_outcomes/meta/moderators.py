"""Subgroup analysis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.core import Problem, RegressionFit, fit
from ipt_outcomes.meta.inference import chi2_p, f_p, infer, resolve_test
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, read_labels, unpack
from ipt_outcomes.meta.pool import assemble, check_options, pool_rows, predicted
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.meta.prediction import PredictionMethod
from ipt_outcomes.meta.tau2 import estimate_tau2
from ipt_outcomes.results import Provenance, ResultObject, Style, format_interval, format_number, format_p, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUP_COLUMNS = (
    "k",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "p_value",
    "tau2",
    "i2",
    "q",
    "prediction_low",
    "prediction_high",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroups(ResultObject):
    """Pooled effects per level and the test of their difference.

    Parameters
    ----------
    pooled : mapping of level to PooledEffect
        In the order of the levels; each holds its own rows only, and its positions count within them.
    q_between, q_between_df, q_between_p_value : float, int, float or None
        Wald test that the levels have one effect, chi-squared. With separate tau2 it uses the standard
        errors as reported per level; with a common tau2 those before any Knapp-Hartung factor. None with a
        single level.
    f_between, f_between_df, f_between_p_value : float, (int, int), float or None
        With a common tau2 and a Knapp-Hartung test: the F test in place of the chi-squared one.
    common_tau2 : float or None
        The one between-study variance of all levels; None when each level has its own.
    tau2_method, test, level : str, str, float
        Options as given.
    n_dropped : int
        Rows left out for a missing effect or variance.
    n_missing_level : int
        Further rows left out because their level is missing.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    pooled: Mapping[Any, PooledEffect]
    q_between: float | None
    q_between_df: int | None
    q_between_p_value: float | None
    f_between: float | None = None
    f_between_df: tuple[int, int] | None = None
    f_between_p_value: float | None = None
    common_tau2: float | None
    tau2_method: Tau2Method
    test: Test
    level: float
    n_dropped: int
    n_missing_level: int
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.subgroups"))

    @property
    def groups(self) -> pd.DataFrame:
        """One row per level: its name and the numbers of its pooled effect, unrounded."""
        records = [
            {"level": name, **{column: getattr(result, column) for column in GROUP_COLUMNS}}
            for name, result in self.pooled.items()
        ]
        return pd.DataFrame(records, columns=["level", *GROUP_COLUMNS])

    def to_frame(self) -> pd.DataFrame:
        """Return `groups`."""
        return self.groups

    def summary(self, digits: int = 2) -> str:
        """Return a line per level, the test of the difference, the method and the notes.

        Parameters
        ----------
        digits : int
            Decimals, 2 or 3.

        Returns
        -------
        str
        """
        style: Style = "decimal3" if digits == 3 else "decimal2"
        lines = [f"{len(self.pooled)} {plural(len(self.pooled), 'subgroup', 'subgroups')}"]
        for name, one in self.pooled.items():
            limits = format_interval(one.ci_low, one.ci_high, style)
            lines.append(f"{name}: k = {one.k}, {format_number(one.estimate, style)} ({limits})")
        if self.f_between is not None and self.f_between_df is not None:
            df1, df2 = self.f_between_df
            p = format_p(self.f_between_p_value)
            lines.append(f"Difference: F({df1}, {df2}) = {format_number(self.f_between)}, p {p}")
        elif self.q_between is not None:
            p = format_p(self.q_between_p_value)
            lines.append(f"Difference: Q({self.q_between_df}) = {format_number(self.q_between)}, p {p}")
        odd = [f"{name} (rows within it): {text}" for name, one in self.pooled.items() for text in one.warnings]
        return "\n".join([*lines, self.method, *self.notes, *odd])

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the pooled effect of each level with its prediction interval.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        **options
            As in `ipt_outcomes.figures.analyses`, such as `measure` where plain arrays were given. For the studies
            within the levels see `ipt_outcomes.figures.forest` with `groups` and `subtotals`.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from ipt_outcomes.figures import analyses

        rows = [(str(name), pooled) for name, pooled in self.pooled.items()]
        return analyses(rows, ax=ax, **{"level": self.level, "header": "Subgroup", **options})


def subgroups(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    by: Any,
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
    common_tau2: bool = False,
    prediction: PredictionMethod = "fit",
    rng: np.random.Generator | None = None,
) -> Subgroups:
    """Pool the effects within each level of a variable and test whether the levels differ.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects, one per study.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    by : array_like, shape (n,)
        Level of each effect. A categorical keeps its order, other values are sorted; rows with no level are
        left out and counted.
    tau2, test, level
        As in `pool`.
    common_tau2 : bool
        False: each level has its own between-study variance. True: one variance for all levels (more stable
        with few studies per level), t and F with k minus the number of levels df under Knapp-Hartung.
    prediction, rng
        As in `pool`, for the prediction interval of each level.

    Returns
    -------
    Subgroups

    Raises
    ------
    DesignError
        No usable row, an impossible variance, or not one level per effect; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated.

    Notes
    -----
    The two choices of `common_tau2` can give opposite answers when a level has few studies and no observed
    heterogeneity; a comparison of subgroups is observational between trials either way.

    References
    ----------
    Borenstein and Higgins (2013), Prev Sci 14:134-143, doi:10.1007/s11121-013-0377-7.
    """
    check_options(tau2, test, level)
    rows = unpack(yi, vi)
    labels = read_labels("by", by, rows.yi.size)
    codes, names = _levels(labels)
    present = codes[rows.used] >= 0
    used = rows.used[present]
    if used.size == 0:
        raise DesignError("no row has an effect, a variance and a level", column="by")
    members = {name: used[codes[used] == i] for i, name in enumerate(names)}
    members = {name: positions for name, positions in members.items() if positions.size}
    build = _with_common_tau2 if common_tau2 else _with_separate_tau2
    tests, pooled, shared = build(rows, members, tau2, test, level)
    pooled = {name: predicted(one, prediction, rng) for name, one in pooled.items()}
    return Subgroups(
        pooled=pooled,
        **tests,
        common_tau2=shared,
        tau2_method=tau2,
        test=test,
        level=float(level),
        n_dropped=int(rows.yi.size - rows.used.size),
        n_missing_level=int(rows.used.size - used.size),
        method=_describe(common_tau2, tau2),
        notes=_notes(pooled, int(rows.used.size - used.size)),
        provenance=Provenance(
            function="meta.subgroups",
            options={
                "tau2": tau2,
                "test": test,
                "level": float(level),
                "common_tau2": bool(common_tau2),
                "prediction": prediction,
            },
        ),
    )


def _levels(labels: pd.Series) -> tuple[np.ndarray, list[Any]]:
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return labels.cat.codes.to_numpy(), list(labels.cat.categories)
    codes, names = pd.factorize(labels)
    try:
        order = sorted(range(len(names)), key=lambda i: names[i])
    except TypeError:  # levels of several types have no order of their own
        order = sorted(range(len(names)), key=lambda i: str(names[i]))
    rank = np.empty(len(names) + 1, dtype=int)
    rank[order] = np.arange(len(names))
    rank[-1] = -1
    return rank[codes], [_plain(names[i]) for i in order]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _subset(rows: Rows, positions: np.ndarray) -> Rows:
    """Rows of one level only, so that no other row counts as dropped."""
    effects = rows.effects
    if effects is not None:
        effects = type(effects)(
            yi=effects.yi[positions],
            vi=effects.vi[positions],
            measure=effects.measure,
            convention=effects.convention,
            event=effects.event,
            flags=tuple(effects.flags[i] for i in positions),
            provenance=effects.provenance,
        )
    return Rows(rows.yi[positions], rows.vi[positions], np.arange(positions.size), effects)


_Built = tuple[dict[str, Any], dict[Any, PooledEffect], float | None]


def _with_separate_tau2(
    rows: Rows, members: dict[Any, np.ndarray], tau2: Tau2Method, test: Test, level: float
) -> _Built:
    pooled = {name: pool_rows(_subset(rows, positions), tau2, test, level) for name, positions in members.items()}
    estimates = np.array([one.estimate for one in pooled.values()])
    variances = np.array([one.se**2 for one in pooled.values()])
    return _chi2_test(estimates, variances), pooled, None


def _chi2_test(estimates: np.ndarray, variances: np.ndarray) -> dict[str, Any]:
    df = estimates.size - 1
    if df == 0:
        return {"q_between": None, "q_between_df": None, "q_between_p_value": None}
    w = 1.0 / variances
    centred = estimates - estimates.mean()
    q = float(w @ (centred - (w @ centred) / w.sum()) ** 2)
    return {"q_between": q, "q_between_df": df, "q_between_p_value": chi2_p(q, df)}


def _with_common_tau2(rows: Rows, members: dict[Any, np.ndarray], tau2: Tau2Method, test: Test, level: float) -> _Built:
    order = np.concatenate(list(members.values()))
    sizes = [positions.size for positions in members.values()]
    design = np.repeat(np.eye(len(sizes)), sizes, axis=0)
    problem = Problem(rows.yi[order], rows.vi[order], design)
    scaled_tau2 = estimate_tau2(problem, tau2)
    whole = fit(problem, scaled_tau2)
    used, factor, reason = resolve_test(test, whole.scale, whole.df, common=tau2 == "common")
    df = None if used == "z" else float(whole.df)
    pooled = {}
    for i, (name, positions) in enumerate(members.items()):
        part = _subset(rows, positions)
        own = _level_fit(part, whole.tau2)
        variance = float(whole.covariance[i, i])
        estimate = float(whole.coefficients[i])
        main = infer(estimate, math.sqrt(variance * factor), df, level)
        plain = infer(estimate, math.sqrt(variance), None, level)
        pooled[name] = assemble(part, own, main, plain, tau2=tau2, test=used, asked=test, level=level, reason=reason)
    # The coefficients of separate levels are uncorrelated, so their diagonal is all the Wald test needs.
    tests = _chi2_test(whole.coefficients, np.diag(whole.covariance))
    if used != "z" and len(sizes) > 1:
        df1 = len(sizes) - 1
        f = tests["q_between"] / (df1 * factor)
        tests |= {
            "f_between": f,
            "f_between_df": (df1, whole.df),
            "f_between_p_value": f_p(f, df1, whole.df),
        }
    return tests, pooled, whole.tau2


def _level_fit(part: Rows, tau2: float) -> RegressionFit:
    problem = Problem(part.y, part.v, np.ones((part.used.size, 1)))
    return fit(problem, tau2 / problem.unit**2)


def _describe(common: bool, tau2: Tau2Method) -> str:
    if tau2 == "common":
        return "Common-effect model within each level."
    kind = "one between-study variance for all levels" if common else "a between-study variance per level"
    return f"Random-effects model with {kind}, tau2 by {tau2}."


def _notes(pooled: Mapping[Any, PooledEffect], n_missing_level: int) -> tuple[str, ...]:
    notes = []
    if len(pooled) == 1:
        notes.append("There is only one level, so no difference is tested.")
    single = [str(name) for name, one in pooled.items() if one.k == 1]
    if single and len(pooled) > 1:
        notes.append(f"One study only in {', '.join(single)}.")
    narrow = [str(name) for name, one in pooled.items() if one.narrower_than_z]
    if narrow:
        notes.append(
            f"The Knapp-Hartung interval is narrower than that of z in {', '.join(narrow)}: it understates "
            "the uncertainty there, and the test of the difference with it."
        )
    if n_missing_level:
        rows = plural(n_missing_level, "row without a level was", "rows without a level were")
        notes.append(f"{n_missing_level} {rows} left out.")
    return tuple(notes)
