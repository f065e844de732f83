"""Counts of reliable change by method: the counts of the reference, side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ipt_outcomes.clinic import change_by_method
from ipt_outcomes.errors import DesignError

SHORT = {"JT": "jacobson-truax", "GLN": "gulliksen-lord-novick", "EN": "edwards-nunnally", "HLL": "hsu-linn-lord"}
SHORT |= {"NK": "nunnally-kotsch", "HA": "hageman-arrindell"}


@pytest.mark.shared
@pytest.mark.parametrize("data", ["claus_bdi", "claus_hamd", "hechler", "jacobson_das"])
def test_counts_are_those_of_each_method_by_itself(shared, data):
    cases = {
        name: json.loads((shared / f"reference/clinic/rci_{data}_{name}_05.json").read_text(encoding="utf-8"))
        for name in SHORT
    }
    first = cases["JT"]
    rows = first["out"]["rows"]
    found = change_by_method(
        [row["pre"] for row in rows],
        [row["post"] for row in rows],
        sd=first["out"]["sd_pre"],
        reliability=first["args"]["reliability"],
        reliability_post=first["args"]["reliability_post"],
        better=first["args"]["better_is"],
    ).set_index("method")
    for name, method in SHORT.items():
        categories = [row["category"] for row in cases[name]["out"]["rows"]]
        for ours, theirs in (("improved", "Improved"), ("unchanged", "Unchanged"), ("deteriorated", "Deteriorated")):
            assert found.loc[method, ours] == categories.count(theirs), (name, ours)
    assert (found["cannot"] == "").all()


def test_a_method_that_cannot_answer_says_why_and_the_others_go_on():
    # Everybody ends at the same score: no spread to judge by.
    found = change_by_method([20, 22, 21], [10, 10, 10], sd=5, reliability=0.8, better="lower").set_index("method")
    assert "different amounts" in found.loc["hageman-arrindell", "cannot"]
    assert found.loc["hageman-arrindell", ["improved", "limit"]].isna().all()
    assert found.loc["jacobson-truax", "improved"] == 3
    with pytest.raises(DesignError):
        change_by_method([20, np.inf], [1, 2], sd=5, reliability=0.8, better="lower")
