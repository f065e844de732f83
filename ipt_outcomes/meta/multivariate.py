"""Several outcomes per study, each with its own mean effect, where their sampling covariance is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from ipt_outcomes.errors import ConvergenceError, DesignError, require_choice
from ipt_outcomes.meta.inference import chi2_p, f_p, infer, quantile
from ipt_outcomes.meta.inputs import name_rows, read_labels, require_labels, require_level, studies_in_words, unpack
from ipt_outcomes.meta.multilevel.blocks import require_covariance
from ipt_outcomes.results import Provenance, ResultObject, Style, format_interval, format_number, p_in_words, plural

Structure = Literal["unstructured", "diagonal"]
_FIELDS = ("estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateEffect(ResultObject):
    """Pooled effects of several outcomes, with their covariance.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        ``outcome k estimate se df statistic p_value ci_low ci_high tau2 prediction_low prediction_high``.
    vcov : numpy.ndarray, shape (m, m)
        Covariance of the pooled effects.
    between : numpy.ndarray, shape (m, m)
        Covariance of true effects between studies.
    correlation : numpy.ndarray, shape (m, m)
        The same as correlations; NaN beside a variance of 0.
    log_likelihood : float
        Restricted or not, as `method_name` says, with all constants.
    q, q_df, q_p_value : float, int, float or None
        Heterogeneity at no variance between studies.
    equal, equal_df, equal_p_value : float or None, (int, int or None), float or None
        Test that all outcomes have one effect: F, or chi-squared under z; None with one outcome.
    k, n_studies, n_dropped : int
    structure, method_name, test, level : str, str, str, float
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    outcomes: pd.DataFrame
    vcov: np.ndarray
    between: np.ndarray
    correlation: np.ndarray
    log_likelihood: float
    q: float
    q_df: int
    q_p_value: float | None
    equal: float | None
    equal_df: tuple[int, int | None] | None
    equal_p_value: float | None
    k: int
    n_studies: int
    n_dropped: int
    structure: Structure
    method_name: Literal["REML", "ML"]
    test: Literal["z", "t"]
    level: float
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.multivariate"))

    def to_frame(self) -> pd.DataFrame:
        """Return `outcomes`."""
        return self.outcomes

    def summary(self, digits: int = 2) -> str:
        """Return a line per outcome, their correlation and the tests, in plain text; `digits` 2 or 3."""
        style: Style = "decimal3" if digits == 3 else "decimal2"
        lines = [
            f"{self.k} effects on {len(self.outcomes)} {plural(len(self.outcomes), 'outcome', 'outcomes')}, "
            f"{self.n_studies} {plural(self.n_studies, 'study', 'studies')}"
        ]
        for row in self.outcomes.to_dict(orient="records"):
            limits = format_interval(row["ci_low"], row["ci_high"], style)
            lines.append(
                f"{row['outcome']}: k = {row['k']}, {format_number(row['estimate'], style)} ({limits}), "
                f"{p_in_words(row['p_value'])}, tau2 {format_number(row['tau2'], 'decimal3')}"
            )
        if self.equal is not None:
            lines.append(f"Outcomes alike: {format_number(self.equal)}, {p_in_words(self.equal_p_value)}")
        lines.append(f"Q({self.q_df}) = {format_number(self.q)}, {p_in_words(self.q_p_value)}")
        return "\n".join([*lines, self.method, *self.notes])


def multivariate(
    yi: ArrayLike,
    V: ArrayLike,
    *,
    study: Any,
    outcome: Any,
    structure: Structure = "unstructured",
    method: Literal["REML", "ML"] = "REML",
    test: Literal["z", "t"] = "z",
    level: float = 0.95,
) -> MultivariateEffect:
    """Pool several outcomes of the same studies together.

    Parameters
    ----------
    yi : array_like, shape (k,)
        Effects.
    V : array_like, shape (k, k)
        Sampling covariance of all effects, as `che_covariance` or `shared_control_covariance` gives it.
    study, outcome : array_like, shape (k,)
        Study and outcome of each effect; none may be missing, and a study has an outcome once. A categorical
        outcome keeps its order, other values are sorted.
    structure : {"unstructured", "diagonal"}
        Covariance of true effects between studies: any, or without correlations.
    method : {"REML", "ML"}
    test : {"z", "t"}
        Normal, or t and F with effects minus outcomes df.
    level : float
        Level of the intervals.

    Returns
    -------
    MultivariateEffect

    Raises
    ------
    DesignError
        No usable row, a V that is no covariance matrix, an outcome twice in a study, names missing; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        The covariance between studies could not be estimated.

    References
    ----------
    Berkey, Hoaglin, Antczak-Bouckoms, Mosteller, Colditz (1998), Stat Med 17(22):2537-2550,
    doi:10.1002/(SICI)1097-0258(19981130)17:22<2537::AID-SIM953>3.0.CO;2-C;
    Jackson, Riley, White (2011), Stat Med 30(20):2481-2498, doi:10.1002/sim.4172.

    Examples
    --------
    >>> import numpy as np
    >>> from ipt_outcomes.meta import che_covariance, multivariate
    >>> study = ["A", "A", "B", "B", "C", "C"]
    >>> vi = np.array([0.04, 0.05, 0.03, 0.04, 0.06, 0.05])
    >>> fit = multivariate([0.5, 0.3, 0.4, 0.1, 0.7, 0.2], che_covariance(vi, study=study), study=study,
    ...                    outcome=["symptoms", "function"] * 3)
    >>> fit.outcomes.outcome.tolist(), fit.outcomes.estimate.round(2).tolist()
    (['function', 'symptoms'], [0.18, 0.5])
    """
    require_choice("structure", structure, ("unstructured", "diagonal"))
    require_choice("method", method, ("REML", "ML"))
    require_choice("test", test, ("z", "t"))
    require_level(level)
    data = _read(yi, V, study, outcome)
    unit = float(2.0 ** round(0.5 * float(np.log2(np.median(np.diag(data.sampling))))))
    scaled = data._replace(y=data.y / unit, sampling=data.sampling / unit**2)
    problem = _Likelihood(scaled, structure, restricted=method == "REML")
    between = problem.maximise() * unit**2
    options = {"structure": structure, "method": method, "test": test, "level": float(level)}
    return _assemble(data, between, problem.count, options)


class _Data(NamedTuple):
    y: np.ndarray
    sampling: np.ndarray
    study: np.ndarray
    outcome: np.ndarray
    names: tuple[Any, ...]
    n_dropped: int


def _read(yi: ArrayLike, V: ArrayLike, study: Any, outcome: Any) -> _Data:
    matrix = np.array(V, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DesignError(
            f"V must be a square matrix of sampling covariances; got shape {matrix.shape}",
            hint="che_covariance(vi, study=..., rho=...) makes one.",
        )
    rows = unpack(yi, np.diag(matrix).copy())
    labels, kinds = read_labels("study", study, rows.yi.size), read_labels("outcome", outcome, rows.yi.size)
    require_labels("study", labels)
    missing = np.flatnonzero(kinds.isna().to_numpy())
    if missing.size:
        raise DesignError(f"outcome is missing in {name_rows(missing)}", rows=missing, column="outcome")
    used = rows.used
    if used.size == 0:
        raise DesignError(f"nothing to pool: none of {rows.yi.size} rows is complete", rows=range(rows.yi.size))
    codes, _ = pd.factorize(labels.iloc[used])
    order = pd.Categorical(kinds.iloc[used])
    order = order.remove_unused_categories()
    twice = pd.DataFrame({"s": codes, "o": order.codes}).duplicated(keep=False).to_numpy()
    if twice.any():
        at = used[twice]
        raise DesignError(
            f"a study has one outcome more than once: {name_rows(at)}",
            rows=at,
            hint="aggregate() combines effects on one outcome.",
        )
    sampling = matrix[np.ix_(used, used)]
    require_covariance(sampling)
    dropped = int(rows.yi.size - used.size)
    return _Data(rows.yi[used], sampling, codes, order.codes.astype(int), tuple(order.categories), dropped)


class _Likelihood:
    """Log-likelihood of the covariance between studies L L', with its gradient in the entries of L."""

    def __init__(self, data: _Data, structure: Structure, *, restricted: bool) -> None:
        self.data, self.restricted = data, restricted
        m = len(data.names)
        self.design = np.eye(m)[data.outcome]
        self.same = (data.study[:, None] == data.study[None, :]).astype(float)
        self.rows, self.columns = np.diag_indices(m) if structure == "diagonal" else np.tril_indices(m)
        self.m, self.count = m, self.rows.size

    def between(self, theta: np.ndarray) -> np.ndarray:
        root = np.zeros((self.m, self.m))
        root[self.rows, self.columns] = theta
        return root @ root.T

    def minus(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the log-likelihood and its gradient."""
        data, x = self.data, self.design
        root = np.zeros((self.m, self.m))
        root[self.rows, self.columns] = theta
        omega = data.sampling + self.same * (x @ (root @ root.T) @ x.T)
        inverse = np.linalg.inv(omega)
        wx = inverse @ x
        information = x.T @ wx
        bread = np.linalg.inv(information)
        u = inverse @ data.y - wx @ (bread @ (wx.T @ data.y))
        value = 0.5 * (np.linalg.slogdet(omega)[1] + data.y @ u)
        slope = inverse - np.outer(u, u)
        free = data.y.size
        if self.restricted:
            value += 0.5 * (np.linalg.slogdet(information)[1] - np.linalg.slogdet(x.T @ x)[1])
            slope -= wx @ bread @ wx.T
            free -= self.m
        gradient = (x.T @ (self.same * slope) @ x) @ root
        return float(value + 0.5 * free * np.log(2 * np.pi)), gradient[self.rows, self.columns]

    def maximise(self) -> np.ndarray:
        """Return the covariance of greatest likelihood from several starts."""
        if self.data.y.size <= self.m:
            return np.zeros((self.m, self.m))
        spread = float(np.sqrt(max(np.var(self.data.y), 1e-8)))
        best, tried = None, []
        for size, tie in ((0.5, 0.0), (0.5, 0.5), (0.5, -0.3), (0.05, 0.0), (1.5, 0.3)):
            start = np.where(self.rows == self.columns, size * spread, tie * size * spread)
            found = minimize(self.minus, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 500})
            slope = float(np.abs(found.jac).max())
            tried.append(f"start {size:g} x spread, correlation {tie:g}: largest slope {slope:.2g}")
            # rounding in the likelihood can stop BFGS before its own tolerance; the slope decides
            if slope < 1e-5 * max(1.0, abs(float(found.fun))) and (best is None or found.fun < best.fun - 1e-12):
                best = found
        if best is None:
            raise ConvergenceError(
                "the covariance between studies could not be estimated",
                attempts=tuple(tried),
                hint='structure="diagonal" has fewer parameters.',
            )
        return self.between(best.x)


def _assemble(data: _Data, between: np.ndarray, count: int, options: dict[str, Any]) -> MultivariateEffect:
    k, m, level = data.y.size, len(data.names), options["level"]
    design = np.eye(m)[data.outcome]
    same = (data.study[:, None] == data.study[None, :]).astype(float)
    inverse = np.linalg.inv(data.sampling + same * (design @ between @ design.T))
    vcov = np.linalg.inv(design.T @ inverse @ design)
    estimate = vcov @ (design.T @ inverse @ data.y)
    df = None if options["test"] == "z" or k == m else float(k - m)
    lines = [infer(float(b), float(s), df, level) for b, s in zip(estimate, np.sqrt(np.diag(vcov)), strict=True)]
    reach = quantile(df, level)
    records = []
    for i, line in enumerate(lines):
        wide = reach * float(np.sqrt(between[i, i] + vcov[i, i]))
        record = {"outcome": data.names[i], "k": int((data.outcome == i).sum())}
        record |= {name: getattr(line, name) for name in _FIELDS}
        record |= {"tau2": float(between[i, i])}
        records.append(record | {"prediction_low": line.estimate - wide, "prediction_high": line.estimate + wide})
    plain = np.linalg.inv(data.sampling)
    bread = np.linalg.inv(design.T @ plain @ design)
    residual = data.y - design @ (bread @ (design.T @ plain @ data.y))
    q = float(residual @ plain @ residual)
    likelihood = _Likelihood(data, options["structure"], restricted=options["method"] == "REML")
    equal = _alike(estimate, vcov, df)
    sd = np.sqrt(np.diag(between))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(np.multiply.outer(sd, sd) > 0, between / np.multiply.outer(sd, sd), np.nan)
    return MultivariateEffect(
        outcomes=pd.DataFrame(records),
        vcov=vcov,
        between=between,
        correlation=correlation,
        log_likelihood=_height(likelihood, between),
        q=q,
        q_df=k - m,
        q_p_value=chi2_p(q, k - m) if k > m else None,
        equal=None if equal is None else equal[0],
        equal_df=None if equal is None else (m - 1, None if df is None else k - m),
        equal_p_value=None if equal is None else equal[1],
        k=k,
        n_studies=int(data.study.max()) + 1,
        n_dropped=data.n_dropped,
        structure=options["structure"],
        method_name=options["method"],
        test="z" if df is None else "t",
        level=level,
        method=f"Multivariate random effects, {options['structure']} covariance between studies by "
        f"{options['method']}; {'z' if df is None else f't with {df:.0f} df'}, "
        f"{format_number(100 * level, 'number')}% level.",
        notes=_notes(data, between, count),
        provenance=Provenance(function="meta.multivariate", options=options),
    )


def _height(likelihood: _Likelihood, between: np.ndarray) -> float:
    """Log-likelihood at a covariance that may be singular: its root by eigenvectors, then made triangular."""
    values, vectors = np.linalg.eigh(between)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    triangle = np.linalg.qr(root.T)[1].T
    return -likelihood.minus(triangle[likelihood.rows, likelihood.columns])[0]


def _alike(estimate: np.ndarray, vcov: np.ndarray, df: float | None) -> tuple[float, float] | None:
    m = estimate.size
    if m < 2:
        return None
    contrast = np.column_stack([-np.ones(m - 1), np.eye(m - 1)])
    value = contrast @ estimate
    wald = float(value @ np.linalg.solve(contrast @ vcov @ contrast.T, value))
    return (wald, chi2_p(wald, m - 1)) if df is None else (wald / (m - 1), f_p(wald / (m - 1), m - 1, df))


def _notes(data: _Data, between: np.ndarray, count: int) -> tuple[str, ...]:
    notes = []
    values = np.linalg.eigvalsh(between)
    if values[0] <= 1e-8 * max(float(values[-1]), float(np.diag(data.sampling).min())):
        notes.append(
            "The covariance between studies is singular: a variance of 0, or a correlation of 1 or −1. Correlations "
            "are then not to be read."
        )
    studies = int(data.study.max()) + 1
    if studies < 3 * count:
        words = plural(count, "parameter", "parameters")
        notes.append(f"{studies_in_words(studies)} for {count} {words} of that covariance: it is estimated poorly.")
    if data.n_dropped:
        words = plural(
            data.n_dropped, "row without an effect or variance was", "rows without an effect or variance were"
        )
        notes.append(f"{data.n_dropped} {words} left out.")
    return tuple(notes)
