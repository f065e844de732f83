"""Pooling of tables of effects with the options of a synthesis, and analyses that may not be possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.errors import IptError

if TYPE_CHECKING:
    from ipt_outcomes.evidence.options import Options

Found = TypeVar("Found")


def as_effects(table: pd.DataFrame, like: EffectSizes) -> EffectSizes:
    """Return columns ``yi`` and ``vi`` as effects of the same measure.

    Parameters
    ----------
    table : pandas.DataFrame
    like : EffectSizes
        What the effects are.

    Returns
    -------
    EffectSizes
    """
    return replace(
        like,
        yi=table["yi"].to_numpy(float).copy(),
        vi=table["vi"].to_numpy(float).copy(),
        flags=("",) * len(table),
    )


def combine(rows: pd.DataFrame, rho: float) -> pd.DataFrame:
    """Combine the effects of each study.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``study yi vi``.
    rho : float
        Correlation assumed.

    Returns
    -------
    pandas.DataFrame
        As `ipt_outcomes.meta.aggregate`.
    """
    return meta.aggregate(rows["yi"], rows["vi"], study=rows["study"].astype(str), rho=rho)


def pool_table(table: pd.DataFrame, like: EffectSizes, options: Options, **other: str) -> meta.PooledEffect:
    """Pool the effects of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        ``yi vi``.
    like : EffectSizes
        What the effects are.
    options : Options
    **other : str
        ``tau2`` or ``test`` in place of those of the options.

    Returns
    -------
    PooledEffect
    """
    settings = {"tau2": options.tau2, "test": options.test} | other
    return meta.pool(as_effects(table, like), level=options.level, **settings)  # type: ignore[arg-type]


def attempt(name: str, not_run: dict[str, str], work: Callable[[], Found]) -> Found | None:
    """Run an analysis that few, equal or odd studies can make impossible.

    Parameters
    ----------
    name : str
        Of the analysis.
    not_run : dict of str to str
        Takes the reason, in words, where the analysis is not possible.
    work : callable

    Returns
    -------
    object or None
    """
    try:
        return work()
    except IptError as error:
        not_run[name] = error.message
        return None
