"""Minimal important differences against reference values and at their boundaries."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import anchor_between, anchor_change, anchor_group
from ipt_outcomes.clinic.anchor import IRRELEVANT, LARGE, NOT_LESS, NOT_SIGNIFICANT, PROBABLE
from ipt_outcomes.errors import DesignError, OptionError

# What the package clinicalsignificance calls them.
THEIRS = {
    "Statistically not significant": NOT_SIGNIFICANT,
    "Not significantly less than the threshold": NOT_LESS,
    "Large clinically significant effect": LARGE,
}
PEOPLE = [f"{data}_{mid}" for data in ("claus_bdi", "claus_hamd", "hechler", "jacobson_das") for mid in (5, 8)]


def read(shared, name):
    return json.loads((shared / "reference" / "clinic" / f"{name}.json").read_text(encoding="utf-8"))


def wide(shared, args):
    data = pd.read_csv(shared / "data" / "clinic" / args["file"])
    scores = data.pivot(index=args["id"], columns=args["time"], values=args["outcome"])
    pairs = pd.DataFrame({"pre": scores[args["pre"]], "post": scores[args["post"]]}).dropna()
    if args.get("group"):
        pairs["group"] = data.drop_duplicates(args["id"]).set_index(args["id"])[args["group"]]
    return pairs


@pytest.mark.shared
@pytest.mark.parametrize("name", PEOPLE)
def test_people_are_judged_as_the_package_judges_them(shared, name):
    case = read(shared, f"anchor_ind_{name}")
    rows = case["out"]["rows"]
    found = anchor_change(
        [row["pre"] for row in rows],
        [row["post"] for row in rows],
        better=case["args"]["better_is"],
        mid=case["args"]["mid"],
    )
    assert found.change.tolist() == [row["change"] for row in rows]
    assert found.category.tolist() == [row["category"].lower() for row in rows]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["claus_bdi", "claus_hamd", "hechler", "jacobson_das"])
def test_groups_have_the_interval_and_the_verdict_of_the_package(shared, name):
    case = read(shared, f"anchor_group_within_{name}")
    pairs = wide(shared, case["args"])
    for row in case["out"]["rows"]:
        some = pairs if row["group"] == "all" else pairs[pairs["group"] == row["group"]]
        found = anchor_group(some["pre"], some["post"], better=case["args"]["better_is"], mid=case["args"]["mid"])
        wanted = [row["difference"], row["lower"], row["upper"]]
        np.testing.assert_allclose([found.difference, found.ci_low, found.ci_high], wanted, rtol=1e-9)
        assert (found.n, found.category) == (row["n"], THEIRS[row["category"]])


@pytest.mark.shared
def test_two_groups_have_the_interval_of_the_package(shared):
    case = read(shared, "anchor_group_between_antidepressants")
    data = pd.read_csv(shared / "data" / "clinic" / "antidepressants.csv")
    after = data[data["measurement"] == "After"].dropna(subset=["mom_di"])
    for row in case["out"]["rows"]:
        group, other = (after.loc[after["condition"] == row[key], "mom_di"] for key in ("comparison", "reference"))
        found = anchor_between(group, other, better="lower", mid=case["args"]["mid"])
        wanted = [row["difference"], row["lower"], row["upper"]]
        np.testing.assert_allclose([found.difference, found.ci_low, found.ci_high], wanted, rtol=1e-9)
        assert found.category == THEIRS[row["category"]]


def test_a_change_of_exactly_the_difference_counts_in_points_and_in_percent():
    points = anchor_change([20, 20, 20, 20], [15, 15.001, 25, 24.999], better="lower", mid=5)
    assert points.category.tolist() == ["improved", "unchanged", "deteriorated", "unchanged"]
    # 17.5% of 40 is 7; on a scale from 17 to 113 it is 17.5% of 40 - 17.
    percent = anchor_change([40, 40], [33, 33.01], better="lower", mid_percent=17.5)
    assert percent.category.tolist() == ["improved", "unchanged"]
    raised = anchor_change([57, 57], [50, 50.01], better="lower", mid_percent=17.5, minimum=17)
    assert raised.category.tolist() == ["improved", "unchanged"]
    start = anchor_change([0, 0, np.nan], [0, 1, 3], better="lower", mid_percent=17.5)
    assert start.category.tolist() == ["unchanged", "deteriorated", ""]


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [
        (0.1, NOT_SIGNIFICANT),
        (2.0, IRRELEVANT),
        (4.5, NOT_LESS),
        (5.2, PROBABLE),
        (9.0, LARGE),
        (-9.0, f"{LARGE} (worse)"),
    ],
)
def test_verdicts_by_where_the_interval_lies(mean, verdict):
    noise = np.array([-1.0, 1.0] * 8)
    found = anchor_group(np.full(16, 30.0), 30.0 - mean + noise, better="lower", mid=5)
    assert found.category == verdict


scores_ = st.lists(st.tuples(st.integers(0, 27), st.integers(0, 27)), min_size=3, max_size=20)


@given(scores_)
def test_a_scale_turned_round_gives_the_same_verdicts(pairs):
    pre, post = np.array(pairs, dtype=float).T
    lower = anchor_change(pre, post, better="lower", mid=5)
    higher = anchor_change(-pre, -post, better="higher", mid=5)
    assert lower.category.tolist() == higher.category.tolist()
    assert (
        anchor_group(pre, post, better="lower", mid=5).category
        == anchor_group(-pre, -post, better="higher", mid=5).category
    )


def test_bad_input_is_refused_in_words():
    with pytest.raises(OptionError, match="one of the two"):
        anchor_change([1], [2], better="lower")
    with pytest.raises(OptionError, match="above 0"):
        anchor_change([1], [2], better="lower", mid=0)
    with pytest.raises(DesignError, match="lower one") as caught:
        anchor_change([20, 3], [20, 20], better="lower", mid_percent=10, minimum=17)
    assert caught.value.rows == (1,)
    with pytest.raises(DesignError, match="at least 2 people"):
        anchor_group([1, np.nan], [2, 3], better="lower", mid=5)
