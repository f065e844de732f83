"""From contrasts of trials to arms: a trial with n arms is n effects with variances that add up to its contrasts'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.inputs import as_floats, name_rows, read_labels, require_labels


@dataclass(frozen=True, slots=True)
class Arms:
    """Arms of all trials.

    Parameters
    ----------
    study, treatment : numpy.ndarray of int, shape (n,)
    effect : numpy.ndarray, shape (n,)
        Relative to the trial's mean: only differences within a trial have a meaning.
    variance : numpy.ndarray, shape (n,)
        Two of them add up to the variance of the contrast.
    studies, treatments : tuple
        Names.
    pairs : pandas.DataFrame
        ``study treatment1 treatment2 estimate variance`` by number: the contrasts used.
    n_dropped : int
    """

    study: np.ndarray
    treatment: np.ndarray
    effect: np.ndarray
    variance: np.ndarray
    studies: tuple[Any, ...]
    treatments: tuple[Any, ...]
    pairs: pd.DataFrame
    n_dropped: int


def read_arms(estimate: ArrayLike, se: ArrayLike, study: Any, arm1: Any, arm2: Any, *, tolerance: float) -> Arms:
    """Check the contrasts and solve for arms.

    Parameters
    ----------
    estimate, se : array_like, shape (m,)
        Arm 1 minus arm 2 and its standard error.
    study, arm1, arm2 : array_like, shape (m,)
    tolerance : float
        How far the contrasts of a trial with several arms may contradict one another, in standard errors.

    Returns
    -------
    Arms

    Raises
    ------
    DesignError
        Names missing, a treatment against itself, a contrast twice, an impossible standard error, contrasts
        of a trial missing or contradicting one another, a network in several parts.
    """
    y, s = as_floats("estimate", estimate), as_floats("se", se)
    if y.ndim != 1 or y.shape != s.shape:
        raise DesignError(f"estimate and se must have one shape (m,); got {y.shape} and {s.shape}")
    names = [read_labels(name, values, y.size) for name, values in (("study", study), ("arm1", arm1), ("arm2", arm2))]
    for name, values in zip(("study", "arm1", "arm2"), names, strict=True):
        require_labels(name, values)
    _require_possible(y, s, names)
    used = np.flatnonzero(~(np.isnan(y) | np.isnan(s)))
    if used.size == 0:
        raise DesignError(f"nothing to pool: none of {y.size} rows has an estimate and a standard error")
    studies, study_names = pd.factorize(names[0].iloc[used])
    treatments = _sorted(pd.unique(pd.concat([names[1].iloc[used], names[2].iloc[used]])).tolist())
    place = {name: i for i, name in enumerate(treatments)}
    pairs = pd.DataFrame(
        {
            "study": studies,
            "treatment1": [place[name] for name in names[1].iloc[used]],
            "treatment2": [place[name] for name in names[2].iloc[used]],
            "estimate": y[used],
            "variance": s[used] ** 2,
            "row": used,
        }
    )
    _require_connected(pairs, treatments)
    parts = [
        _solve(group, name, tolerance)
        for name, (_, group) in zip(study_names, pairs.groupby("study", sort=True), strict=True)
    ]
    faults = [text for _, _, _, text in parts if text]
    if faults:
        raise DesignError(
            "; ".join(faults),
            rows=[row for (_, group), part in zip(pairs.groupby("study", sort=True), parts, strict=True)
                  if part[3] for row in group["row"]],
            hint="A trial with n arms needs all n(n - 1)/2 contrasts, from the same people; a larger tolerance "
            "allows for rounding.",
        )  # fmt: skip
    return Arms(
        study=np.concatenate([np.full(part[0].size, i) for i, part in enumerate(parts)]),
        treatment=np.concatenate([part[0] for part in parts]),
        effect=np.concatenate([part[1] for part in parts]),
        variance=np.concatenate([part[2] for part in parts]),
        studies=tuple(study_names),
        treatments=tuple(treatments),
        pairs=pairs,
        n_dropped=int(y.size - used.size),
    )


def _sorted(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def _require_possible(y: np.ndarray, s: np.ndarray, names: Sequence[pd.Series]) -> None:
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero((s <= 0) | np.isinf(s) | np.isinf(y))
    if bad.size:
        raise DesignError(f"se must be above 0 and finite, estimate finite, in {name_rows(bad)}", rows=bad)
    same = np.flatnonzero((names[1].astype(object) == names[2].astype(object)).to_numpy())
    if same.size:
        raise DesignError(f"a treatment is compared with itself in {name_rows(same)}", rows=same, column="arm2")
    keys = [(a, *sorted((str(b), str(c)))) for a, b, c in zip(names[0], names[1], names[2], strict=True)]
    again = np.flatnonzero(pd.Series(keys).duplicated(keep=False).to_numpy())
    if again.size:
        raise DesignError(f"one study gives the same contrast more than once: {name_rows(again)}", rows=again)


def _require_connected(pairs: pd.DataFrame, treatments: list[Any]) -> None:
    n = len(treatments)
    ones = np.ones(len(pairs))
    graph = coo_matrix((ones, (pairs["treatment1"], pairs["treatment2"])), shape=(n, n))
    count, part = connected_components(graph, directed=False)
    if count == 1:
        return
    listed = "; ".join(
        f"part {i + 1}: {', '.join(str(treatments[j]) for j in np.flatnonzero(part == i))}" for i in range(count)
    )
    raise DesignError(
        f"the network is in {count} parts that no trial connects: {listed}",
        hint="Analyse each part by itself, or add trials that compare across.",
    )


def _solve(group: pd.DataFrame, name: Any, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Arms of one trial by least squares, and what is wrong with it, or ""."""
    first, second = group["treatment1"].to_numpy(), group["treatment2"].to_numpy()
    y, v = group["estimate"].to_numpy(), group["variance"].to_numpy()
    arms = np.unique(np.concatenate([first, second]))
    n = arms.size
    empty = (arms, np.zeros(n), np.ones(n))
    if len(group) != n * (n - 1) // 2:
        return (*empty, f"study {name} has {n} arms and {len(group)} of {n * (n - 1) // 2} contrasts")
    i, j = np.searchsorted(arms, first), np.searchsorted(arms, second)
    if n == 2:
        effect = np.zeros(2)
        effect[i[0]], effect[j[0]] = y[0] / 2, -y[0] / 2
        return arms, effect, np.full(2, v[0] / 2), ""
    effect, spread = np.zeros(n), np.zeros(n)
    np.add.at(effect, i, y / n)
    np.add.at(effect, j, -y / n)
    np.add.at(spread, i, v)
    np.add.at(spread, j, v)
    variance = (spread - v.sum() / (n - 1)) / (n - 2)
    off = np.abs(effect[i] - effect[j] - y) / np.sqrt(v)
    off_se = np.abs(np.sqrt(np.maximum(variance[i] + variance[j], 0.0)) / np.sqrt(v) - 1)
    if off.max() > tolerance:
        return (*empty, f"study {name}: its estimates contradict one another by {off.max():.2g} standard errors")
    if off_se.max() > tolerance or variance.min() <= 0:
        return (*empty, f"study {name}: its standard errors cannot all be right (no variances of arms give them)")
    return arms, effect, variance, ""
