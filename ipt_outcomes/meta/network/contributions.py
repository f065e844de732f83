"""How much each direct comparison contributes to each estimate of a network."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.meta.network.arms import Arms
from ipt_outcomes.meta.network.model import fit_network, weights_of


def contributions(arms: Arms, tau2: float) -> pd.DataFrame:
    """Return percent contributions: a row per pair of treatments, a column per direct comparison.

    Parameters
    ----------
    arms : Arms
    tau2 : float

    Returns
    -------
    pandas.DataFrame
        ``arm1 arm2``, then a column "A : B" for each pair that a trial compares; a row adds up to 100.

    Notes
    -----
    An estimate is a flow of evidence from one treatment to the other through the direct comparisons. A walk that
    follows the flow takes a path; the comparisons on a path share it equally.

    References
    ----------
    Davies, Papakonstantinou, Nikolakopoulou et al (2022), Stat Med 41(12):2091-2114, doi:10.1002/sim.9346;
    Papakonstantinou et al (2018), F1000Research 7:610, doi:10.12688/f1000research.14770.3.
    """
    n = len(arms.treatments)
    edges = _edge_weights(arms, tau2, n)
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n) if edges[a, b] > 0]
    inverse = fit_network(arms, tau2).covariance
    records = []
    for source in range(n):
        for sink in range(source + 1, n):
            potential = inverse[:, source] - inverse[:, sink]
            flow = np.maximum(edges * (potential[:, None] - potential[None, :]), 0.0)
            flow[flow < 1e-12] = 0.0
            shares = _walk(flow, source, sink, potential)
            record = {"arm1": arms.treatments[source], "arm2": arms.treatments[sink]}
            names = {f"{arms.treatments[a]} : {arms.treatments[b]}": (a, b) for a, b in pairs}
            records.append(record | {name: 100 * (shares[a, b] + shares[b, a]) for name, (a, b) in names.items()})
    return pd.DataFrame(records)


def _edge_weights(arms: Arms, tau2: float, n: int) -> np.ndarray:
    """Weight of each direct comparison in the whole network: trials with several arms give a mesh."""
    weights = -weights_of(arms, tau2)
    np.fill_diagonal(weights, 0.0)
    edges = np.zeros((n, n))
    np.add.at(edges, (arms.treatment[:, None], arms.treatment[None, :]), weights)
    return edges


def _walk(flow: np.ndarray, source: int, sink: int, potential: np.ndarray) -> np.ndarray:
    """Expected share of each edge: lengths of the ways to it and from it, along falling potential."""
    n = flow.shape[0]
    order = np.argsort(-potential, kind="stable")
    out = flow.sum(axis=1, keepdims=True)
    step = np.divide(flow, out, out=np.zeros_like(flow), where=out > 0)
    reach, leave = np.zeros((n, n)), np.zeros((n, n))
    reach[source, 0] = 1.0
    leave[sink, 0] = 1.0
    for node in order:
        if node != sink:
            for target in np.flatnonzero(step[node]):
                reach[target, 1:] += reach[node, :-1] * step[node, target]
    for node in order[::-1]:
        if node != sink:
            for target in np.flatnonzero(step[node]):
                leave[node, 1:] += leave[target, :-1] * step[node, target]
    lengths = 1.0 / (np.add.outer(np.arange(n), np.arange(n)) + 1.0)
    return np.asarray(step * (reach @ lengths @ leave.T) * (step > 0))
