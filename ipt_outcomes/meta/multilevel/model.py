"""Multilevel meta-analysis: three-level and correlated-and-hierarchical-effects models, robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.design import Design, make_design, read_moderators
from ipt_outcomes.meta.inference import chi2_p, f_p, infer, quantile
from ipt_outcomes.meta.inputs import Effects, as_floats, read_labels, require_labels, require_level, unpack
from ipt_outcomes.meta.multilevel.blocks import Blocks, make_blocks, require_covariance
from ipt_outcomes.meta.multilevel.likelihood import Fitted, gls
from ipt_outcomes.meta.multilevel.maximise import maximise
from ipt_outcomes.meta.multilevel.result import MultilevelEffect
from ipt_outcomes.meta.multilevel.robust import Robust, RobustMethod, robust_covariance, wald_test
from ipt_outcomes.meta.oddities import repeated_rows
from ipt_outcomes.results import Provenance, format_number, plural

_WORDS = {
    "CR2": "CR2 robust standard errors by study, Satterthwaite df",
    "CR1": "CR1 robust standard errors by study, studies minus coefficients df",
}


class _Data(NamedTuple):
    """Rows used, after every check."""

    y: np.ndarray
    sampling: np.ndarray
    study: np.ndarray
    effect: np.ndarray
    names: tuple[Any, ...]
    design: Design | None
    matrix: np.ndarray
    n_dropped: int
    positions: np.ndarray


def multilevel(
    yi: Effects,
    V: ArrayLike | None = None,
    *,
    study: Any,
    effect: Any = None,
    robust: RobustMethod | None = "CR2",
    method: Literal["REML", "ML"] = "REML",
    test: Literal["z", "t"] = "z",
    df: Literal["residual", "contain"] = "residual",
    moderators: Any = None,
    interactions: Sequence[Sequence[str]] = (),
    level: float = 0.95,
) -> MultilevelEffect:
    """Pool several effects per study.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (k,)
        Effects.
    V : array_like, shape (k,) or (k, k), optional
        Sampling variances (three-level model), or their covariance, as `che_covariance` and
        `shared_control_covariance` give it. Left out with an `EffectSizes`: its variances.
    study : array_like, shape (k,)
        Study of each effect; none may be missing.
    effect : array_like, shape (k,), optional
        Which true effect a row is of, within its study; every row has its own when left out.
    robust : {"CR2", "CR1"} or None
        Cluster-robust standard errors; then se, df, p and interval are the robust ones, and `test` and `df`
        do not matter.
    method : {"REML", "ML"}
        Likelihood maximised.
    test : {"z", "t"}
        Without `robust`: normal or t.
    df : {"residual", "contain"}
        Degrees of freedom of t: effects minus coefficients; or, for what does not vary within a study,
        studies minus the coefficients of that kind.
    moderators : DataFrame, mapping, Series or array_like, optional
        As in `regression`.
    interactions : sequence of sequences of str
        As in `regression`.
    level : float
        Level of the intervals.

    Returns
    -------
    MultilevelEffect

    Raises
    ------
    DesignError
        No usable row, an impossible variance, a V that is no covariance matrix, a study name missing, no more
        studies than coefficients under `robust`; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        The variances could not be estimated.

    Notes
    -----
    Both variances may be 0. Where every study has one effect the two cannot be told apart: the variance is
    given to the studies, and the model is that of `pool`. A row with a missing effect, variance or moderator is
    left out and counted.

    References
    ----------
    Konstantopoulos (2011), Res Synth Methods 2(1):61-76, doi:10.1002/jrsm.35 (three levels);
    Pustejovsky, Tipton (2022), Prev Sci 23:425-438, doi:10.1007/s11121-021-01246-3 (CHE, CR2);
    Tipton, Pustejovsky (2015), J Educ Behav Stat 40(6):604-634, doi:10.3102/1076998615606099 (tests);
    Nakagawa, Santos (2012), Evol Ecol 26:1253-1274, doi:10.1007/s10682-012-9555-5 (I2 per level).

    Examples
    --------
    >>> from ipt_outcomes.meta import che_covariance, multilevel
    >>> yi, vi = [0.2, 0.4, 0.5, 0.1, 0.7], [0.04, 0.04, 0.09, 0.05, 0.06]
    >>> study = ["A", "A", "B", "C", "D"]
    >>> round(multilevel(yi, che_covariance(vi, study=study, rho=0.6), study=study).estimate, 3)
    0.364
    """
    if robust is not None:
        require_choice("robust", robust, ("CR2", "CR1"))
    require_choice("method", method, ("REML", "ML"))
    require_choice("test", test, ("z", "t"))
    require_choice("df", df, ("residual", "contain"))
    require_level(level)
    data = _read(yi, V, study, effect, moderators, interactions)
    blocks = _blocks(data)
    unit = _unit(data.sampling)
    scaled, fitted = maximise(blocks.divided(unit), restricted=method == "REML")
    variances = scaled * unit**2
    fitted = gls(blocks, variances, restricted=method == "REML")
    cluster = robust_covariance(blocks, fitted, robust) if robust else None
    options = {"robust": robust, "method": method, "test": test, "df": df, "level": float(level)}
    return _assemble(data, blocks, variances, fitted, cluster, options)


def _read(
    yi: Effects, V: ArrayLike | None, study: Any, effect: Any, moderators: Any, interactions: Sequence[Sequence[str]]
) -> _Data:
    matrix = None if V is None else np.asarray(V)
    if matrix is not None and matrix.ndim == 2:
        matrix = np.array(matrix, dtype=float)
        if matrix.shape[0] != matrix.shape[1]:
            raise DesignError(f"V must be a column of variances or a square matrix; got shape {matrix.shape}")
        variances = np.diag(matrix).copy()
        rows = unpack(getattr(yi, "yi", yi), variances)
    else:
        matrix = None
        rows = unpack(yi, V if V is None else as_floats("V", V))
    n = rows.yi.size
    labels = read_labels("study", study, n)
    require_labels("study", labels)
    design, keep = None, rows.used
    if moderators is not None:
        frame = read_moderators(moderators, n)
        complete = frame.notna().all(axis=1).to_numpy()
        keep = keep[complete[keep]]
        design = make_design(frame.iloc[keep].reset_index(drop=True), interactions)
    if keep.size == 0:
        raise DesignError(f"nothing to pool: none of {n} rows is complete", rows=range(n))
    codes, names = pd.factorize(labels.iloc[keep])
    within = np.arange(keep.size)
    if effect is not None:
        given = read_labels("effect", effect, n)
        require_labels("effect", given)
        own, _ = pd.factorize(given.iloc[keep])
        within, _ = pd.factorize(codes.astype(np.int64) * (own.max() + 1) + own)
    sampling = rows.vi[keep] if matrix is None else matrix[np.ix_(keep, keep)]
    if matrix is not None:
        require_covariance(sampling)
    x = np.ones((keep.size, 1)) if design is None else design.matrix
    _require_rank(x)
    return _Data(rows.yi[keep], sampling, codes, within, tuple(names), design, x, int(n - keep.size), keep)


def _require_rank(x: np.ndarray) -> None:
    sizes = np.sqrt((x * x).sum(axis=0))
    if x.shape[1] > x.shape[0] or not sizes.all() or np.linalg.matrix_rank(x / sizes, tol=1e-10) < x.shape[1]:
        raise DesignError(
            "the columns of the model are linearly dependent",
            hint="A moderator is the same in every effect, or follows from the others.",
        )


def _blocks(data: _Data) -> Blocks:
    """Levels that data can tell apart: none with one effect, only the study where each has one true effect."""
    levels: tuple[np.ndarray, ...] = (data.study, data.effect)
    if np.unique(data.study).size == np.unique(data.effect).size:
        levels = (data.study,)
    elif data.y.size > data.matrix.shape[1] and np.unique(data.study).size == 1:
        raise DesignError(
            "all effects come from one study: variance between studies cannot be estimated",
            hint="aggregate() combines the effects of one study.",
        )
    if data.y.size == data.matrix.shape[1]:
        levels = ()  # the coefficients take up every effect: nothing is left that could vary
    return make_blocks(data.y, data.sampling, data.matrix, levels, data.study)


def _unit(sampling: np.ndarray) -> float:
    variances = sampling if sampling.ndim == 1 else np.diag(sampling)
    return float(2.0 ** round(0.5 * float(np.log2(np.median(variances)))))


def _assemble(
    data: _Data,
    blocks: Blocks,
    variances: np.ndarray,
    fitted: Fitted,
    cluster: Robust | None,
    options: dict[str, Any],
) -> MultilevelEffect:
    level, k, p = options["level"], data.y.size, data.matrix.shape[1]
    vcov = fitted.covariance if cluster is None else cluster.covariance
    frees = [_df(data, blocks, cluster, options, column) for column in range(p)]
    se = np.sqrt(np.diag(vcov))
    lines = [infer(float(b), float(s), f, level) for b, s, f in zip(fitted.coefficients, se, frees, strict=True)]
    tau2 = np.append(variances, np.zeros(2 - variances.size))
    plain = gls(blocks, np.zeros(blocks.n_parts), restricted=True)
    i2 = _shares(blocks, plain, tau2, k - p)
    first = lines[0]
    prediction = None
    if data.design is None and k > 1:
        prediction = quantile(first.df, level) * float(np.sqrt(first.se**2 + tau2.sum()))
    tests = _moderator_tests(data, fitted, vcov, cluster, frees)
    overall = tests.pop("", None)
    terms = ("(Intercept)",) if data.design is None else data.design.terms
    fields = ("estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high")
    records = [
        {"term": t, **{name: getattr(one, name) for name in fields}} for t, one in zip(terms, lines, strict=True)
    ]
    return MultilevelEffect(
        **{name: getattr(first, name) for name in fields},
        k=k,
        n_studies=len(data.names),
        tau2_study=float(tau2[0]),
        tau2_effect=float(tau2[1]),
        i2_study=i2[0],
        i2_effect=i2[1],
        q=plain.quadratic,
        q_df=k - p,
        q_p_value=chi2_p(plain.quadratic, k - p) if k > p else None,
        log_likelihood=fitted.log_likelihood,
        prediction_low=None if prediction is None else first.estimate - prediction,
        prediction_high=None if prediction is None else first.estimate + prediction,
        coefficients=pd.DataFrame(records, columns=["term", *fields]),
        vcov=vcov,
        qm=None if overall is None else overall[0],
        qm_df=None if overall is None else (overall[1], overall[2]),
        qm_p_value=None if overall is None else overall[3],
        wald=tests,
        robust=options["robust"],
        method_name=options["method"],
        level=level,
        n_dropped=data.n_dropped,
        study_names=data.names,
        method=_describe(data, blocks, options),
        notes=_notes(blocks, tau2, frees, data),
        provenance=Provenance(function="meta.multilevel", options=options),
        blocks=blocks,
    )


def _df(data: _Data, blocks: Blocks, cluster: Robust | None, options: dict[str, Any], column: int) -> float | None:
    p = data.matrix.shape[1]
    if cluster is not None:
        return cluster.df(np.eye(p)[column])
    if options["test"] == "z":
        return None
    if options["df"] == "contain":
        firsts = np.unique(data.study, return_index=True)[1][data.study]
        between = (data.matrix == data.matrix[firsts]).all(axis=0)
        if between[column]:
            return _positive(len(data.names) - int(between.sum()))
    return _positive(data.y.size - p)


def _positive(df: int) -> float:
    if df <= 0:
        raise OptionError("a t test needs more studies than coefficients", hint='Use test="z".')
    return float(df)


def _shares(blocks: Blocks, plain: Fitted, tau2: np.ndarray, df: int) -> tuple[float | None, float | None]:
    if df <= 0:
        return None, None
    trace, inner = 0.0, np.zeros_like(plain.covariance)
    for stack, w in zip(blocks.stacks, plain.inverses, strict=True):
        trace += float(np.einsum("mss->ms", w)[stack.real].sum())
        wx = w @ stack.x
        inner += np.einsum("msp,msq->pq", wx, wx)
    typical = df / (trace - float(np.trace(plain.covariance @ inner)))
    whole = float(tau2.sum()) + typical
    return 100 * float(tau2[0]) / whole, 100 * float(tau2[1]) / whole


def _moderator_tests(
    data: _Data, fitted: Fitted, vcov: np.ndarray, cluster: Robust | None, frees: list[float | None]
) -> dict[str, tuple[float, int, float | None, float]]:
    """Per moderator, and under "" for all of them: F, df, df, p."""
    if data.design is None:
        return {}
    p = data.matrix.shape[1]
    sets = {"": tuple(range(1, p)), **dict(data.design.groups)}
    tests: dict[str, tuple[float, int, float | None, float]] = {}
    for name, columns in sets.items():
        chosen = np.eye(p)[list(columns)]
        if cluster is not None:
            f, df1, df2 = wald_test(cluster, fitted.coefficients, chosen)
            tests[name] = (f, df1, df2, f_p(f, df1, df2) if df2 > 0 else float("nan"))
            continue
        values = chosen @ fitted.coefficients
        q = float(values @ np.linalg.solve(chosen @ vcov @ chosen.T, values))
        known = [frees[column] for column in columns]
        least = min((value for value in known if value is not None), default=None)
        df1 = len(columns)
        tests[name] = (q / df1, df1, least, chi2_p(q, df1) if least is None else f_p(q / df1, df1, least))
    return tests


def _describe(data: _Data, blocks: Blocks, options: dict[str, Any]) -> str:
    kind = "Correlated-and-hierarchical-effects model" if data.sampling.ndim == 2 else "Three-level model"
    if blocks.n_parts == 1:
        kind = "Random-effects model"
    words = _WORDS.get(options["robust"] or "", "z test" if options["test"] == "z" else f"t test, {options['df']} df")
    percent = format_number(100 * options["level"], "number")
    return (
        f"{kind}, variances by {options['method']}; {words}, {percent}% level; "
        "I2 is 100 tau2 / (sum of tau2 + typical sampling variance)."
    )


def _notes(blocks: Blocks, tau2: np.ndarray, frees: list[float | None], data: _Data) -> tuple[str, ...]:
    notes = []
    if blocks.n_parts == 1:
        notes.append("Every study has one true effect here: variance within studies cannot be told from that between.")
    elif blocks.n_parts == 2 and tau2.min() == 0:
        names = [name for name, value in zip(("between", "within"), tau2, strict=True) if value == 0]
        notes.append(f"The estimate of variance {' and '.join(names)} studies is at its boundary, 0.")
    variances = data.sampling if data.sampling.ndim == 1 else np.diag(data.sampling)
    notes.extend(repeated_rows(data.y, variances, data.positions))
    if data.n_dropped:
        words = plural(data.n_dropped, "row that lacks a number was", "rows that lack a number were")
        notes.append(f"{data.n_dropped} {words} left out.")
    small = [value for value in frees if value is not None and value < 4]
    if small:
        notes.append(
            f"Degrees of freedom of {format_number(min(small), 'decimal1')}, below 4: p values are not reliable."
        )
    if data.n_dropped:
        notes.append(f"{data.n_dropped} rows with a missing effect, variance or moderator were left out.")
    return tuple(notes)
