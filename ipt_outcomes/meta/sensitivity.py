"""How much one study matters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.inputs import Effects, Rows, Tau2Method, Test, read_labels, require_labels, unpack
from ipt_outcomes.meta.pool import check_options, pool_rows
from ipt_outcomes.meta.pooled import COLUMNS


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
    keys = labels if study is None else np.arange(len(names))
    if len(names) < 2:
        raise DesignError(f"leaving a study out needs at least 2 studies; there are {len(names)}")
    records = []
    for name, key in zip(names, keys, strict=True):
        kept = Rows(rows.yi, rows.vi, rows.used[labels != key], rows.effects)
        records.append({"left_out": name, **pool_rows(kept, tau2, test, level).row()})
    frame = pd.DataFrame(records, columns=["left_out", *COLUMNS])
    # Rows left out on purpose are not missing ones.
    frame["n_dropped"] = int(rows.yi.size - rows.used.size)
    return frame
