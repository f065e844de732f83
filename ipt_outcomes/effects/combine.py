"""Groups put together, a control group shared out, clusters allowed for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ipt_outcomes.effects.columns import Columns
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, read_rows
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.results import Provenance, format_number, plural


def combine_groups(mean: npt.ArrayLike, sd: npt.ArrayLike, n: npt.ArrayLike, *, group: Any) -> pd.DataFrame:
    """Put groups of people together: the mean and SD that all of them would have had.

    Parameters
    ----------
    mean, sd, n : array_like, shape (k,)
        Mean and SD in instrument points and participants of each group.
    group : array_like, shape (k,)
        Which groups go together: rows with one label become one.

    Returns
    -------
    pandas.DataFrame
        ``group mean sd n n_groups``, one row per label in the order of first appearance. A label with a
        missing number in one of its rows has NaN.

    Raises
    ------
    DesignError
        n below 2, an SD not above 0, a label missing, lengths that differ; ``.rows`` lists all rows.

    References
    ----------
    Higgins, Li, Deeks (2019), Cochrane Handbook section 6.5.2.10, doi:10.1002/9781119536604.ch6.

    Examples
    --------
    >>> combine_groups([10, 12], [4, 5], [20, 30], group=["ipt", "ipt"]).round(2)
      group  mean    sd     n  n_groups
    0   ipt  11.2  4.69  50.0         2
    """
    labels = pd.Series(group).reset_index(drop=True)
    rows = read_rows({"mean": mean, "sd": sd, "n": n}, lengths={"group": len(labels)})
    rows.require_finite("mean")
    rows.require_at_least("sd", 0, strict=True)
    rows.require_at_least("n", 2)
    rows.check()
    missing = np.flatnonzero(labels.isna().to_numpy())
    if missing.size:
        raise DesignError(
            f"group is missing in {missing.size} {plural(int(missing.size), 'row', 'rows')}",
            rows=missing,
            column="group",
        )
    codes, names = pd.factorize(labels)
    total = np.bincount(codes, weights=rows["n"])
    mean_all = np.bincount(codes, weights=rows["n"] * rows["mean"]) / total
    # within groups and between them: no difference of two large sums of squares
    squares = (rows["n"] - 1) * rows["sd"] ** 2 + rows["n"] * (rows["mean"] - mean_all[codes]) ** 2
    sd_all = np.sqrt(np.bincount(codes, weights=squares) / (total - 1))
    gap = np.isnan(mean_all) | np.isnan(sd_all)
    return pd.DataFrame(
        {
            "group": names,
            "mean": np.where(gap, np.nan, mean_all),
            "sd": np.where(gap, np.nan, sd_all),
            "n": total,
            "n_groups": np.bincount(codes),
        }
    )


def split_control(n_arm2: npt.ArrayLike, *, study: Any, event_arm2: npt.ArrayLike | None = None) -> pd.DataFrame:
    """Share a control group out among the comparisons that use it, so that nobody counts twice.

    Parameters
    ----------
    n_arm2 : array_like, shape (k,)
        Participants of the control group of each comparison.
    study : array_like, shape (k,)
        Comparisons with one label share one control group. Where a study has several control groups, give
        labels that tell them apart.
    event_arm2 : array_like, shape (k,), optional
        Events in the control group, shared out the same way.

    Returns
    -------
    pandas.DataFrame
        ``n_arm2`` (and ``event_arm2``) divided by the number of comparisons, and ``shared_by``; means and SDs
        stay as they are.

    Raises
    ------
    DesignError
        A label missing, a count below 0, comparisons of one label with different control groups.

    Notes
    -----
    The effects are then as good as independent, at some loss; `meta.shared_control_covariance` loses nothing.

    References
    ----------
    Higgins, Eldridge, Li (2019), Cochrane Handbook section 23.3.4, doi:10.1002/9781119536604.ch23.

    Examples
    --------
    >>> split_control([41, 41, 27], study=["A", "A", "B"]).n_arm2.tolist()
    [20.5, 20.5, 27.0]
    """
    labels = pd.Series(study).reset_index(drop=True)
    columns: dict[str, npt.ArrayLike] = {"n_arm2": n_arm2}
    if event_arm2 is not None:
        columns["event_arm2"] = event_arm2
    rows = read_rows(columns, lengths={"study": len(labels)})
    for name in columns:
        rows.require_at_least(name, 0)
    missing = labels.isna().to_numpy()
    codes, _ = pd.factorize(labels)
    count = np.array([(codes == code).sum() for code in codes])
    for name, values in rows.columns.items():
        firsts = np.array([values[np.flatnonzero(codes == code)[0]] for code in codes])
        same = (values == firsts) | np.isnan(values) | np.isnan(firsts) | missing
        rows.require(name, "must be the same in all comparisons of one study", same)
    rows.check()
    if missing.any():
        found = np.flatnonzero(missing)
        raise DesignError(
            f"study is missing in {found.size} {plural(int(found.size), 'row', 'rows')}", rows=found, column="study"
        )
    return pd.DataFrame({**{name: values / count for name, values in rows.columns.items()}, "shared_by": count})


class _DesignEffect(NamedTuple):
    factor: FloatArray


def design_effect(cluster_size: npt.ArrayLike, *, icc: npt.ArrayLike) -> DesignEffect:
    """Design effect of clusters, 1 + (m - 1) ICC.

    Parameters
    ----------
    cluster_size : array_like, shape (k,)
        Mean number of participants per cluster, 1 or more.
    icc : array_like, shape (k,)
        Intraclass correlation of the outcome, from 0 to below 1. There is no default: state it, with its source.

    Returns
    -------
    DesignEffect

    Raises
    ------
    DesignError
        A size below 1, an ICC outside [0, 1); ``.rows`` lists all rows.

    References
    ----------
    Higgins, Eldridge, Li (2019), Cochrane Handbook section 23.1.4, doi:10.1002/9781119536604.ch23.

    Examples
    --------
    >>> design_effect(20, icc=0.02).factor
    array([1.38])
    """
    rows = read_rows({"cluster_size": cluster_size, "icc": icc})
    rows.require_at_least("cluster_size", 1)
    rows.require("icc", "must be 0 or more and below 1", (rows["icc"] >= 0) & (rows["icc"] < 1))
    rows.check()
    return DesignEffect(np.asarray(1 + (rows["cluster_size"] - 1) * rows["icc"]))


def adjust_for_clusters(effects: EffectSizes, *, cluster_size: npt.ArrayLike, icc: npt.ArrayLike) -> EffectSizes:
    """Widen the variances of cluster-randomised trials that were analysed as if people had been randomised.

    Parameters
    ----------
    effects : EffectSizes
    cluster_size : array_like, shape (k,)
        Mean cluster size; 1 or NaN where a trial randomised people.
    icc : array_like, shape (k,)
        Intraclass correlation, as in `design_effect`.

    Returns
    -------
    EffectSizes
        ``vi`` times the design effect; the flags of the rows concerned say so.

    Raises
    ------
    DesignError
        As in `design_effect`.
    OptionError
        There is not one cluster size per effect.

    References
    ----------
    Higgins, Eldridge, Li (2019), Cochrane Handbook section 23.1.4, doi:10.1002/9781119536604.ch23.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> effects = ipt.effects.smd(11.2, 6.1, 40, 15.0, 6.4, 38, better="lower")
    >>> adjust_for_clusters(effects, cluster_size=20, icc=0.02).flags
    ('variance times the design effect 1.38 (mean cluster 20, ICC 0.02)',)
    """
    sizes = np.asarray(cluster_size, dtype=float)
    plain = np.where(np.isnan(sizes), 1.0, sizes)
    factor = design_effect(plain, icc=icc).factor
    if factor.size not in {1, len(effects)}:
        raise OptionError(f"one cluster size and ICC per effect: {len(effects)} effects, {factor.size} given")
    k = len(effects)
    factors, sizes_k, icc_k = (np.broadcast_to(values, (k,)) for values in (factor, plain, np.asarray(icc, float)))
    flags = list(effects.flags)
    for row in np.flatnonzero(factors > 1):
        text = (
            f"variance times the design effect {format_number(float(factors[row]))} "
            f"(mean cluster {format_number(float(sizes_k[row]), 'number')}, ICC {format_number(float(icc_k[row]))})"
        )
        flags[row] = f"{flags[row]}; {text}" if flags[row] else text
    options = dict(effects.provenance.options) | {
        "cluster_size": [float(value) for value in sizes_k],
        "icc": [float(value) for value in icc_k],
    }
    return EffectSizes(
        yi=effects.yi,
        vi=effects.vi * factors,
        measure=effects.measure,
        convention=effects.convention,
        event=effects.event,
        flags=tuple(flags),
        provenance=Provenance(function=effects.provenance.function, options=options),
    )


class DesignEffect(Columns, _DesignEffect):
    """Design effect of cluster randomisation.

    Parameters
    ----------
    factor : numpy.ndarray, shape (k,)
        What every sampling variance is multiplied by, every number of participants divided by; 1 or more.
    """

    __slots__ = ()
    about = "Design effects of clusters"
