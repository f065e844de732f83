"""How many people changed reliably, by method: the same scores give quite different counts."""

from __future__ import annotations

from typing import get_args

import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.clinic.change import DETERIORATED, IMPROVED, UNCHANGED, Better
from ipt_outcomes.clinic.reliable import ReliableMethod, reliable_change
from ipt_outcomes.errors import DesignError


def change_by_method(
    pre: ArrayLike,
    post: ArrayLike,
    *,
    sd: float,
    reliability: float,
    better: Better,
    level: float = 0.95,
    reliability_post: float | None = None,
) -> pd.DataFrame:
    """Count reliable change under every method.

    Parameters
    ----------
    pre, post, sd, reliability, better, level, reliability_post
        As in `reliable_change`; where `reliability_post` is None, that before stands in for it.

    Returns
    -------
    pandas.DataFrame
        One row per method: ``method limit improved unchanged deteriorated cannot`` (counts; ``cannot`` says why a
        method gives no answer, "" where it does).

    Raises
    ------
    DesignError, OptionError
        As `reliable_change`, where the scores themselves cannot be used.

    Examples
    --------
    >>> found = change_by_method([20, 22, 18, 25], [9, 21, 19, 12], sd=5, reliability=0.8, better="lower")
    >>> int(found.set_index("method").loc["jacobson-truax", "improved"])
    2
    """
    rows = []
    after = reliability if reliability_post is None else reliability_post
    # Faults of the scores are everybody's: this method needs nothing else.
    reliable_change(pre, post, sd=sd, reliability=reliability, better=better, level=level)
    for method in get_args(ReliableMethod):
        try:
            found = reliable_change(
                pre,
                post,
                sd=sd,
                reliability=reliability,
                better=better,
                method=method,
                level=level,
                reliability_post=after,
            )
        except DesignError as fault:
            rows.append((method, pd.NA, pd.NA, pd.NA, pd.NA, fault.message))
            continue
        counts = [int((found.category == name).sum()) for name in (IMPROVED, UNCHANGED, DETERIORATED)]
        rows.append((method, found.limit, *counts, ""))
    frame = pd.DataFrame(rows, columns=["method", "limit", IMPROVED, UNCHANGED, DETERIORATED, "cannot"])
    return frame.astype({"limit": "Float64", IMPROVED: "Int64", UNCHANGED: "Int64", DETERIORATED: "Int64"})
