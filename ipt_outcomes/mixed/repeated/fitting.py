"""Fit a model for repeated measures: from a formula and a frame to a `RepeatedFit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from ipt_outcomes.errors import ConvergenceError, DesignError, OptionError, require_choice
from ipt_outcomes.mixed.centring import constant_columns
from ipt_outcomes.mixed.columns import as_frame, factor, require_columns
from ipt_outcomes.mixed.design import Design, build_design
from ipt_outcomes.mixed.formula import parse
from ipt_outcomes.mixed.rank import estimable
from ipt_outcomes.mixed.repeated.curvature import Curve, OwnCurve, SharedCurve
from ipt_outcomes.mixed.repeated.fit import Inside, RepeatedDf, RepeatedFit, between_columns
from ipt_outcomes.mixed.repeated.inference import kenward_roger, spread_of
from ipt_outcomes.mixed.repeated.layout import Layout, Visits, first_covariance, lay_out, own_times, scheduled_visits
from ipt_outcomes.mixed.repeated.optimise import Top, climb
from ipt_outcomes.mixed.repeated.structures import SPATIAL, Covariance, structure_of
from ipt_outcomes.mixed.spread import Spread


def mmrm(
    formula: str,
    data: object,
    *,
    subject: str,
    visit: str | Sequence[str],
    covariance: Covariance = "unstructured",
    covariance_by: str | None = None,
    fallback: Sequence[Covariance] = (),
    reml: bool = True,
    df: RepeatedDf = "kenward-roger",
    level: float = 0.95,
) -> RepeatedFit:
    """Fit a mixed model for repeated measures.

    Parameters
    ----------
    formula : str
        Fixed effects as in R: ``"phq9 ~ arm * visit + baseline * visit"``; without random terms.
    data : pandas.DataFrame, a polars, Arrow or DuckDB frame, or a path to Parquet or CSV
        One row per person and visit; visits that were not held have no row or no outcome. Rows with a missing value
        are left out and counted.
    subject : str
        Column of persons.
    visit : str or sequence of str
        Column of visits, in the order of a categorical, else sorted. For ``covariance="spatial-exponential"`` the
        numeric column or columns of times.
    covariance : str
        Structure of the residuals of one person: ``"unstructured"``, ``"toeplitz-heterogeneous"``, ``"toeplitz"``,
        ``"ante-dependence-heterogeneous"``, ``"ante-dependence"``, ``"ar1-heterogeneous"``, ``"ar1"``,
        ``"compound-symmetry-heterogeneous"``, ``"compound-symmetry"`` or ``"spatial-exponential"``.
    covariance_by : str, optional
        Column, constant within persons: a covariance matrix for each of its levels (usually the arm).
    fallback : sequence of str
        Structures to try, in this order, where one does not converge; specify them before the data are seen.
    reml : bool
        Restricted maximum likelihood; otherwise maximum likelihood.
    df : {"kenward-roger", "kenward-roger-linear", "satterthwaite", "between-within", "residual", "normal"}
        Degrees of freedom; the first two also adjust the standard errors, with and without the second derivatives of
        the covariance matrix (SAS has the linear form).
    level : float
        Confidence level.

    Returns
    -------
    RepeatedFit

    Raises
    ------
    OptionError
        A formula that is not understood, or that has random terms; an unknown column or structure.
    DesignError
        Two rows of one person and visit, one visit only, too few people.
    ConvergenceError
        No structure converged; ``.attempts`` says how each ended.

    References
    ----------
    Mallinckrodt et al. (2008), Drug Inf J 42(4):303-319, doi:10.1177/009286150804200402; Kenward and Roger (1997),
    Biometrics 53(3):983-997, doi:10.2307/2533558.

    Examples
    --------
    >>> from ipt_outcomes import simulate
    >>> scores = simulate.trial().outcome("hrsd17")
    >>> later = scores[scores["week"] > 0]
    >>> fit = mmrm("hrsd17 ~ arm * factor(week) + baseline", later, subject="patient_id", visit="week")
    >>> fit.converged, fit.covariance.shape
    (True, (4, 4))
    """
    structures = [covariance, *fallback]
    for name in structures:
        require_choice("covariance", name, get_args(Covariance))
    require_choice("df", df, get_args(RepeatedDf))
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level}")
    frame = as_frame(data, None, (subject,))
    design, visits = _read(formula, frame, subject, visit, covariance_by, spatial=_is_spatial(structures, visit))
    group, groups = _groups(design, frame, covariance_by)
    layout = lay_out(design, visits, group)
    found = estimable(layout.xx, layout.back)
    if found.null.shape[1]:
        design = design.without_given(found)
        layout = lay_out(design, visits, group)
    if not design.fixed:
        raise DesignError("every column of the fixed part is 0 in every row used")
    chosen, top, attempts = _climbed(layout, visits, structures, len(groups), reml=reml)
    return _result(
        formula, design, visits, layout, top, group, groups,
        chosen=chosen, attempts=attempts, reml=reml, df=df, level=level,
    )  # fmt: skip


def _is_spatial(structures: Sequence[str], visit: str | Sequence[str]) -> bool:
    spatial = {name == SPATIAL for name in structures}
    if len(spatial) > 1:
        raise OptionError("spatial-exponential works on times, the other structures on visits: they cannot be mixed")
    if spatial == {False} and not isinstance(visit, str):
        raise OptionError("several visit columns are for covariance='spatial-exponential'; name one column")
    return spatial.pop()


def _read(
    formula: str, frame: pd.DataFrame, subject: str, visit: str | Sequence[str], by: str | None, *, spatial: bool
) -> tuple[Design, Visits]:
    columns = [visit] if isinstance(visit, str) else list(visit)
    try:
        parsed = parse(formula)
    except RecursionError:
        raise OptionError("the formula is nested too deeply, or too long", hint="Write it in fewer terms.") from None
    if parsed.random:
        raise OptionError(
            "a model for repeated measures has no random terms",
            hint="Its covariance is given by covariance=; for random effects use lmm.",
        )
    needed = [*columns, *([by] if by is not None else [])]
    require_columns(frame, [subject, *needed])
    design = build_design(parsed, frame, subject=subject, needed=needed)
    if spatial:
        return design, own_times(design, frame, columns)
    return design, scheduled_visits(design, frame, columns[0])


def _groups(design: Design, frame: pd.DataFrame, by: str | None) -> tuple[np.ndarray, tuple[object, ...]]:
    """Covariance matrix of each person, and the names of the matrices."""
    g = len(design.group_levels)
    if by is None:
        return np.zeros(g, dtype=np.int64), ("",)
    found = factor(frame[by].iloc[design.rows])
    used, codes = np.unique(found.codes, return_inverse=True)
    group = np.zeros(g, dtype=np.int64)
    group[design.codes] = codes
    changed = np.unique(design.codes[group[design.codes] != codes])
    if changed.size:
        raise DesignError(
            f"{by} changes within {changed.size} persons: a covariance matrix needs one level per person", column=by
        )
    return group, tuple(found.levels[place] for place in used)


def _climbed(
    layout: Layout, visits: Visits, structures: Sequence[Covariance], n_groups: int, *, reml: bool
) -> tuple[Covariance, Top, tuple[str, ...]]:
    sd, correlation = first_covariance(layout)
    attempts: list[str] = []
    for name in structures:
        structure = structure_of(name, len(visits.names), visits.distances)
        curve: Curve
        if layout.kind is None:
            curve = SharedCurve(structure, layout.patterns, n_groups)
        else:
            curve = OwnCurve(structure, layout.patterns, n_groups, layout.kind)
        start = np.tile(structure.start(sd, correlation), n_groups)
        ascent = climb(layout.patterns, curve, start, reml=reml)
        if ascent.top is not None:
            return name, ascent.top, tuple(attempts)
        attempts.append(f"{name}: {ascent.reason}")
    raise ConvergenceError(
        "the model for repeated measures did not converge: " + "; ".join(attempts),
        attempts=tuple(attempts),
        hint="Name simpler structures in fallback=, for example toeplitz-heterogeneous, then ar1-heterogeneous.",
    )


def _result(
    formula: str, design: Design, visits: Visits, layout: Layout, top: Top, group: np.ndarray,
    groups: tuple[object, ...], *, chosen: Covariance, attempts: tuple[str, ...], reml: bool, df: RepeatedDf,
    level: float,
) -> RepeatedFit:  # fmt: skip
    """Back to the outcome's own units."""
    at, scale, back, p = top.at, layout.scale, layout.back, len(design.fixed)
    spread = spread_of(top)
    vcov = spread.vcov
    if df.startswith("kenward-roger"):
        vcov = kenward_roger(layout.patterns, top, spread, linear=df.endswith("linear"))
    turned = np.linalg.inv(back)
    own = Spread(back @ spread.vcov @ back.T * scale**2, turned.T @ spread.moved @ turned / scale**2, spread.theta_vcov)
    beta = back @ at.beta * scale
    beta[constant_columns(design)] += layout.center
    free = design.n_rows - p if reml else design.n_rows
    log_likelihood = at.log_likelihood - free * np.log(scale)
    k = at.theta.size if reml else at.theta.size + p
    structure = structure_of(chosen, len(visits.names), visits.distances)
    matrices = scale**2 * structure.sigma(at.theta.reshape(len(groups), -1))
    matrices = matrices if matrices.ndim == 4 else matrices[:, None]
    covariance = _matrix(matrices, visits, layout, groups)
    constant = np.array([layout.split.basis[basis] is None for basis, _ in layout.split.fixed])
    sds = np.sqrt(np.diagonal(covariance.to_numpy().reshape(len(groups), -1, covariance.shape[1]), axis1=1, axis2=2))
    fit = RepeatedFit(
        formula=formula,
        fixed=pd.DataFrame({"term": [column.name for column in design.fixed], "estimate": beta}),
        random=pd.DataFrame(columns=["group", "term1", "term2", "variance_or_cov", "sd_or_corr"]),
        sigma=float(sds.flat[0]) if np.ptp(sds) < 1e-12 * sds.max() else float("nan"),
        log_likelihood=float(log_likelihood),
        aic=float(2 * k - 2 * log_likelihood),
        bic=float(np.log(len(design.group_levels)) * k - 2 * log_likelihood),
        n_obs=design.n_rows,
        n_dropped=design.n_dropped,
        n_groups={design.group: len(design.group_levels)},
        vcov=back @ vcov @ back.T * scale**2,
        reml=reml,
        df_method=df,
        level=level,
        converged=True,
        singular=False,
        singular_direction="",
        attempts=attempts,
        dropped_terms=tuple(column.name for column in design.dropped),
        n_parameters=at.theta.size + p,
        design=design,
        covariance_structure=chosen,
        covariance=covariance,
        n_visits=len(visits.names),
        _inside=Inside(own, visits, group, matrices, between_columns(design, constant)),
    )
    return fit.with_coefficients()


def _matrix(matrices: np.ndarray, visits: Visits, layout: Layout, groups: tuple[object, ...]) -> pd.DataFrame:
    """The covariance matrices as a table; for times of one's own, at the times of a person with most visits."""
    place, held = 0, np.ones(len(visits.names), dtype=bool)
    if layout.kind is not None:
        fullest = int(np.argmax(layout.patterns.seen.sum(axis=1)))
        place, held = int(layout.kind[fullest]), layout.patterns.seen[fullest]
    names = [name for name, own in zip(visits.names, held, strict=True) if own]
    index = names if len(groups) == 1 else pd.MultiIndex.from_product([groups, names])
    rows = np.concatenate([own[place][np.ix_(held, held)] for own in matrices])
    return pd.DataFrame(rows, index=index, columns=names)
