"""Reliable change, percentage change, cut-offs and clinical significance against reference values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import clinical_significance, cutoff, percent_change, reliable_change
from ipt_outcomes.errors import DesignError, OptionError

METHODS = {
    "JT": "jacobson-truax",
    "GLN": "gulliksen-lord-novick",
    "EN": "edwards-nunnally",
    "HLL": "hsu-linn-lord",
    "NK": "nunnally-kotsch",
    "HA": "hageman-arrindell",
}
DATA = ("claus_bdi", "claus_hamd", "hechler", "jacobson_das")
CASES = [f"{data}_{method}_05" for data in DATA for method in METHODS] + [f"{data}_JT_10" for data in DATA]


def read(shared: Path, name: str) -> dict[str, Any]:
    return json.loads((shared / "reference" / "clinic" / f"{name}.json").read_text(encoding="utf-8"))


def columns(rows: list[dict[str, Any]], *names: str) -> list[np.ndarray]:
    return [np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=float) for name in names]


@pytest.mark.shared
@pytest.mark.parametrize("case", CASES)
def test_reliable_change_is_that_of_the_reference(shared: Path, case: str) -> None:
    expected = read(shared, f"rci_{case}")
    args, rows = expected["args"], expected["out"]["rows"]
    pre, post, index = columns(rows, "pre", "post", "rci")
    found = reliable_change(
        pre,
        post,
        sd=expected["out"]["sd_pre"],
        reliability=args["reliability"],
        reliability_post=args["reliability_post"],
        better=args["better_is"],
        method=METHODS[args["rci_method"]],  # type: ignore[arg-type]
        level=1 - args["significance_level"],
    )
    # Stored to 12 decimals: an index near 0 has fewer digits.
    np.testing.assert_allclose(found.index, index, rtol=1e-10, atol=1e-11)
    assert found.category.tolist() == [row["category"].lower() for row in rows]


def test_jacobson_truax_limit_by_hand(reference: Any) -> None:
    for row in reference("clinic/hand_rci")["rows"]:
        for level, name in ((0.95, "rc95"), (0.90, "rc90"), (0.80, "rc80")):
            change = reliable_change([0.0], [1.0], sd=row["sd"], reliability=row["r"], better="lower", level=level)
            assert 1 / change.index[0] == pytest.approx(row["sdiff"], rel=1e-10)
            # The table rounds the quantiles: 1.96, 1.645, 1.28.
            rounded = {"rc95": 1.96, "rc90": 1.645, "rc80": 1.28}[name]
            assert row[name] / change.limit / row["sdiff"] == pytest.approx(rounded / change.limit, rel=1e-10)
            assert rounded == pytest.approx(change.limit, abs=0.002)


def test_the_limit_is_strict() -> None:
    # sd sqrt(2 (1 - r)) = 1, so the index is the change; the limit itself is no reliable change.
    limit = reliable_change([0.0], [0.0], sd=1, reliability=0.5, better="lower").limit
    found = reliable_change([limit, limit], [0.0, -1e-9], sd=1, reliability=0.5, better="lower")
    assert found.category.tolist() == ["unchanged", "improved"]


@pytest.mark.shared
@pytest.mark.parametrize("case", [f"{data}_{percent}" for data in DATA for percent in (30, 50)])
def test_percentage_change_is_that_of_the_reference(shared: Path, case: str) -> None:
    expected = read(shared, f"percent_{case}")
    rows = expected["out"]["rows"]
    pre, post, share = columns(rows, "pre", "post", "pct_change")
    found = percent_change(pre, post, better=expected["args"]["better_is"], threshold=expected["args"]["pct"])
    np.testing.assert_allclose(found.change, share, rtol=1e-10, atol=1e-11)
    assert found.category.tolist() == [row["category"].lower() for row in rows]


def test_a_baseline_of_zero_is_never_improved(reference: Any) -> None:
    rows = reference("clinic/percent_zero_baseline")["input"]
    scores = {(row["id_"], row["t_"]): row["y_"] for row in rows}
    ids = sorted({row["id_"] for row in rows})
    found = percent_change([scores[i, 1] for i in ids], [scores[i, 2] for i in ids], better="lower", threshold=0.5)
    assert found.category.tolist() == ["undefined", "unchanged", "improved", "deteriorated"]
    assert np.isnan(found.change[:2]).all()
    assert found.points[0] == 5


def test_percent_is_of_the_distance_from_the_lowest_score() -> None:
    # CDRS-R starts at 17: from 37 to 27 is half the way, though not half the score.
    found = percent_change([37, 37, 17], [27, 28, 17], better="lower", minimum=17)
    assert found.category.tolist() == ["improved", "unchanged", "unchanged"]
    with pytest.raises(DesignError, match="at least 17"):
        percent_change([37, 10], [27, 20], better="lower", minimum=17)


@pytest.mark.parametrize(("pre", "post", "threshold"), [(10, 7, 0.3), (20, 14, 0.3), (50, 35, 0.3), (7, 3.5, 0.5)])
def test_exactly_the_threshold_counts(pre: float, post: float, threshold: float) -> None:
    assert percent_change([pre], [post], better="lower", threshold=threshold).category[0] == "improved"
    assert percent_change([pre], [2 * pre - post], better="lower", threshold=threshold).category[0] == "deteriorated"


def test_cut_offs_by_hand(reference: Any) -> None:
    for row in reference("clinic/hand_cutoffs")["rows"]:
        norms = {"mean_clinical": row["m_clin"], "sd_clinical": row["sd_clin"]}
        functional = {"mean_functional": row["m_func"], "sd_functional": row["sd_func"]}
        better = "lower" if row["higher_is"] == "worse" else "higher"
        for kind in ("a", "b", "c"):
            found = cutoff(kind, **norms, **functional, better=better)  # type: ignore[arg-type]
            assert found == pytest.approx(row[kind], rel=1e-10)


@pytest.mark.shared
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", ["a", "b", "c"])
def test_cut_offs_are_those_of_the_textbook(shared: Path, data: str, kind: str) -> None:
    expected = read(shared, f"cutoff_{data}_{kind}")
    args = expected["args"]
    (pre,) = columns(expected["out"]["rows"], "pre")
    found = cutoff(
        kind,  # type: ignore[arg-type]
        mean_clinical=float(pre.mean()),
        sd_clinical=float(pre.std(ddof=1)),
        mean_functional=args["m_functional"],
        sd_functional=args["sd_functional"],
        better=args["better_is"],
    )
    assert found == pytest.approx(expected["out"]["textbook_cutoff"], rel=1e-10)


@pytest.mark.shared
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("method", ["JT", "GLN", "EN", "HLL", "NK"])
def test_clinical_significance_is_that_of_the_reference(shared: Path, data: str, method: str) -> None:
    expected = read(shared, f"combined_{data}_{method}_c")
    args, rows = expected["args"], expected["out"]["rows"]
    pre, post = columns(rows, "pre", "post")
    found = clinical_significance(
        pre,
        post,
        sd=float(pre.std(ddof=1)),
        reliability=args["reliability"],
        reliability_post=args["reliability_post"],
        better=args["better_is"],
        method=METHODS[method],  # type: ignore[arg-type]
        mean_functional=args["m_functional"],
        sd_functional=args["sd_functional"],
    )
    assert found.cutoff == pytest.approx(expected["out"]["cutoff"], rel=1e-10)
    assert found.category.tolist() == [row["category"].lower() for row in rows]


scores = st.lists(st.tuples(st.integers(0, 27), st.integers(0, 27)), min_size=2, max_size=30)


@given(pairs=scores, method=st.sampled_from(["jacobson-truax", "hsu-linn-lord", "edwards-nunnally"]))
def test_a_scale_turned_round_gives_the_same_categories(pairs: list[tuple[int, int]], method: str) -> None:
    pre, post = np.array(pairs, dtype=float).T
    there = reliable_change(pre, post, sd=5, reliability=0.8, better="lower", method=method)  # type: ignore[arg-type]
    back = reliable_change(-pre, -post, sd=5, reliability=0.8, better="higher", method=method)  # type: ignore[arg-type]
    assert there.category.tolist() == back.category.tolist()
    np.testing.assert_allclose(there.index, -back.index, atol=1e-12)


@given(pairs=scores)
def test_the_order_of_people_does_not_matter(pairs: list[tuple[int, int]]) -> None:
    pre, post = np.array(pairs, dtype=float).T
    one = percent_change(pre, post, better="lower").category
    other = percent_change(pre[::-1], post[::-1], better="lower").category
    assert one.tolist() == other[::-1].tolist()


def test_a_missing_score_keeps_its_place() -> None:
    found = reliable_change([20, np.nan, 20], [5, 5, None], sd=5, reliability=0.8, better="lower")  # type: ignore[list-item]
    assert found.category.tolist() == ["improved", "", ""]
    assert np.isnan(found.index[1:]).all()
    assert percent_change([20, np.nan], [5, 5], better="lower").category.tolist() == ["improved", ""]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sd": 0}, "sd must be a number above 0"),
        ({"reliability": 1}, "reliability must be from 0 to below 1"),
        ({"better": "down"}, "better must be one of"),
        ({"method": "rci"}, "method must be one of"),
        ({"level": 95}, "level must be a number between 0 and 1"),
        ({"method": "nunnally-kotsch"}, "needs reliability_post"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises((DesignError, OptionError), match=words):
        reliable_change([20, 21], [5, 7], **{"sd": 5, "reliability": 0.8, "better": "lower", **options})


def test_scores_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(DesignError, match="one score before and one after"):
        reliable_change([20, 21], [5], sd=5, reliability=0.8, better="lower")
    with pytest.raises(DesignError, match="scores as numbers"):
        percent_change(["twenty"], [5], better="lower")  # type: ignore[list-item]
    with pytest.raises(OptionError, match="true scores"):
        clinical_significance([20], [5], sd=5, reliability=0.8, better="lower", method="hageman-arrindell")
