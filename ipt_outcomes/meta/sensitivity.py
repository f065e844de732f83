"""How much one study matters, and how the pooled effect came about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.batch import fit_subsets, subset_frame
from ipt_outcomes.meta.inputs import Effects, Tau2Method, Test, read_labels, require_labels, there_are, unpack
from ipt_outcomes.meta.pool import check_options


def leave_one_out(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
    study: Any = None,
) -> pd.DataFrame:
    """Pool again without each study in turn.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    tau2, test, level
        As in `pool`.
    study : array_like, shape (n,), optional
        Study of each effect: all effects of a study are left out together.

    Returns
    -------
    pandas.DataFrame
        ``left_out`` (position of the row, or name of the study, in the order given), then the numbers of
        `PooledEffect.to_frame` without it. Rows with a missing effect or variance are in no fit.

    Raises
    ------
    DesignError
        Fewer than two studies, an impossible variance, a study name missing; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated without one of the studies.
    """
    check_options(tau2, test, level)
    rows = unpack(yi, vi)
    if study is None:
        labels = rows.used
        names: list[Any] = [int(position) for position in rows.used]
    else:
        series = read_labels("study", study, rows.yi.size)
        require_labels("study", series)
        labels, unique = pd.factorize(series.iloc[rows.used])
        names = list(unique)
    keys = np.asarray(labels if study is None else np.arange(len(names)))
    if len(names) < 2:
        raise DesignError(f"leaving a study out needs at least 2 studies; {there_are(len(names))}")
    members = np.asarray(labels) != keys[:, None]
    fits = fit_subsets(rows.y, rows.v, members, tau2)
    measure = None if rows.effects is None else rows.effects.measure
    frame = subset_frame(fits, tau2, test, level, measure)
    frame.insert(0, "left_out", names)
    # Rows left out on purpose are not missing ones.
    frame["n_dropped"] = int(rows.yi.size - rows.used.size)
    return frame


def cumulative(
    yi: Effects,
    vi: ArrayLike | None = None,
    *,
    order: Any = None,
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
) -> pd.DataFrame:
    """Pool the first study, the first two, and so on.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects, one per study.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    order : array_like, shape (n,), optional
        What the studies are sorted by, such as the year; equal values keep the order of the rows, which is also
        the order when this is left out.
    tau2, test, level
        As in `pool`.

    Returns
    -------
    pandas.DataFrame
        ``added`` (position of the row added), with `order` also ``order``, then the numbers of
        `PooledEffect.to_frame` of the studies so far.

    Raises
    ------
    DesignError
        No usable row, an impossible variance, a value of `order` missing; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated at one of the steps.

    Notes
    -----
    Looks after every study are tests after every study: the intervals are not corrected for it.

    References
    ----------
    Lau, Antman, Jimenez-Silva et al (1992), N Engl J Med 327:248-254, doi:10.1056/NEJM199207233270406.

    Examples
    --------
    >>> from ipt_outcomes.meta import cumulative
    >>> cumulative([0.9, 0.5, 0.4], [0.1, 0.05, 0.02], order=[1989, 2012, 2000]).added.tolist()
    [0, 2, 1]
    """
    check_options(tau2, test, level)
    rows = unpack(yi, vi)
    if rows.used.size == 0:
        raise DesignError(f"nothing to pool: none of {rows.yi.size} rows has both an effect and a variance")
    used, values = rows.used, None
    if order is not None:
        values = read_labels("order", order, rows.yi.size)
        require_labels("order", values.iloc[used])
        used = used[np.argsort(values.iloc[used].to_numpy(), kind="stable")]
    members = np.tri(used.size, dtype=bool)
    fits = fit_subsets(rows.yi[used], rows.vi[used], members, tau2)
    measure = None if rows.effects is None else rows.effects.measure
    frame = subset_frame(fits, tau2, test, level, measure)
    if values is not None:
        frame.insert(0, "order", values.iloc[used].to_numpy())
    frame.insert(0, "added", used)
    frame["n_dropped"] = int(rows.yi.size - rows.used.size)
    return frame
