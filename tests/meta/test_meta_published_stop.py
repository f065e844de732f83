"""Why our REML differs in the last digits from the stored recomputations: theirs stopped early.

metafor 3.8 ends its scoring once a step of tau2 is below 1e-5. Its steps from its start (Hedges' estimator), ended by
that rule, give every stored number to half a unit of its last digit; ours are at the maximum itself.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.meta import aggregate, pool

pytestmark = pytest.mark.shared

PRIORITY = ["hdrs-17", "hdrs-24", "hdrs", "madrs", "bdi-2", "bdi-1", "ces-d", "epds"]
BLOCKS = {
    "all_24.0.2": lambda t: t,
    "to2010": lambda t: t[t["year"] <= 2010],
    "low_rob": lambda t: t[t["rob"].astype(float) > 2],
    "cau": lambda t: t[t["condition_arm2"] == "cau"],
    "wl": lambda t: t[t["condition_arm2"] == "wl"],
    "oth": lambda t: t[~t["condition_arm2"].isin(["cau", "wl"])],
    "mdd": lambda t: t[t["diagnosis"] == "mdd"],
    "ppd": lambda t: t[t["target_group"] == "ppd"],
}


@pytest.fixture(scope="module")
def rows(shared):
    studies = ipt.load_studies(shared / "data" / "ipt-evidence" / "ipt_vs_control.csv")
    found = ipt.evidence.study_effects(studies, convention="metafor").rows
    databank = ipt.evidence.study_effects(studies, convention="metapsy").rows
    events = found["kind"] == "events"
    return found.assign(**{name: found[name].where(~events, databank[name]) for name in ("yi", "vi")})


def stopped_early(yi, vi, threshold=1e-5):
    """Scoring steps from Hedges' estimator, halved where they would leave the range, until one is small."""
    tau2 = max(0.0, yi.var(ddof=1) - vi.mean())
    for _ in range(100):
        w = 1 / (vi + tau2)
        p = np.diag(w) - np.outer(w, w) / w.sum()
        pp = p @ p
        step = (yi @ pp @ yi - np.trace(p)) / np.trace(pp)
        while tau2 + step < 0:
            step /= 2
        tau2 += step
        if abs(step) <= threshold:
            break
    return tau2


@pytest.mark.parametrize("key", BLOCKS)
@pytest.mark.parametrize("part", ["one_row_per_study", "aggregated_rho0.6"])
def test_ended_by_their_rule_the_numbers_are_theirs(shared, rows, key, part):
    stored = json.loads((shared / "reference" / "meta" / "published_ipt.json").read_text(encoding="utf-8"))
    runs = stored["recomputed"]["ipt_vs_control"][key][part]
    # The combined rows were run with Knapp and Hartung's standard error only.
    expected = runs["REML"] if "REML" in runs else {name: runs["REML_HK"][name] for name in ("est", "tau2")}
    mine = BLOCKS[key](rows)
    if part == "one_row_per_study":
        rank = mine["instrument"].map({name: place for place, name in enumerate(PRIORITY)}).fillna(len(PRIORITY))
        mine = mine.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates("study").sort_index()
        yi, vi = mine["yi"].to_numpy(dtype=float), mine["vi"].to_numpy(dtype=float)
    else:
        combined = aggregate(mine["yi"].astype(float), mine["vi"].astype(float), study=mine["study"], rho=0.6)
        yi, vi = combined["yi"].to_numpy(), combined["vi"].to_numpy()
    tau2 = stopped_early(yi, vi)
    w = 1 / (vi + tau2)
    found = {"est": (w * yi).sum() / w.sum(), "se": np.sqrt(1 / w.sum()), "tau2": tau2}
    for name, value in found.items():
        if name in expected:
            assert value == pytest.approx(expected[name], abs=0.5e-4 * (1 + 1e-6)), name
    # And the maximum that we give is where those steps lead when they are not stopped.
    assert pool(yi, vi, tau2="REML", test="z").tau2 == pytest.approx(stopped_early(yi, vi, 1e-14), rel=1e-6, abs=1e-10)
