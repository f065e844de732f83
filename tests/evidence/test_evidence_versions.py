"""Two versions of a study table: which rows differ, how, and what that did to the pooled numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import OptionError
from ipt_outcomes.evidence import compare_versions, synthesise

BASE: dict[str, list[Any]] = {
    "study": ["A, 2001", "A, 2001", "B, 2005", "C, 2009", "D, 2012"],
    "year": [2001, 2001, 2005, 2009, 2012],
    "condition_arm1": ["ipt"] * 5,
    "condition_arm2": ["cau", "cau", "wl", "cau", "cau"],
    "instrument": ["hdrs-17", "bdi-2", "phq-9", "hdrs-17", "bdi-2"],
    "precalc_g": [0.5, 0.4, 0.7, 0.2, 0.3],
    "precalc_g_se": [0.2, 0.21, 0.25, 0.15, 0.2],
}


def table(**columns: list[Any]) -> ipt.io.Studies:
    return ipt.load_studies(pd.DataFrame(BASE | columns))


def without(*places: int) -> ipt.io.Studies:
    return ipt.load_studies(pd.DataFrame(BASE).drop(index=list(places)))


def test_a_table_is_the_same_as_itself() -> None:
    found = compare_versions(table(), table())
    assert found.counts == {"same": 5, "changed": 0, "added": 0, "removed": 0}
    assert found.differing.empty
    assert (found.numbers["difference"] == 0).all()


def test_the_order_of_rows_and_the_spelling_of_names_are_no_change() -> None:
    turned = ipt.load_studies(pd.DataFrame(BASE).iloc[::-1])
    assert compare_versions(table(), turned).counts["same"] == 5
    names = ["A 2001", "A 2001", "b, 2005", "C, 2009", "D, 2012"]
    spelled = table(study=names, condition_arm2=["TAU", "cau", "wlc", "cau", "cau"])
    found = compare_versions(table(), spelled)
    assert found.counts["same"] + found.counts["changed"] == 5
    assert set(found.rows.loc[found.rows["change"] == "changed", "columns"]) <= {"condition_arm2"}


def test_added_removed_and_changed_rows() -> None:
    old, new = without(4), table(precalc_g=[0.5, 0.4, 0.9, 0.2, 0.3])
    new = ipt.load_studies(new.comparisons.drop(columns="row").drop(index=3))
    found = compare_versions(old, new)
    assert found.counts == {"same": 2, "changed": 1, "added": 1, "removed": 1}
    by_change = found.differing.set_index("change")
    assert by_change.loc["changed", ["study", "columns", "before", "after"]].tolist() == [
        "B, 2005",
        "precalc_g",
        "0.7",
        "0.9",
    ]
    assert by_change.loc["added", "study"] == "D, 2012"
    assert pd.isna(by_change.loc["added", "row_old"])
    assert by_change.loc["removed", "study"] == "C, 2009"
    assert pd.isna(by_change.loc["removed", "row_new"])


def test_what_the_change_did_to_each_pooled_number() -> None:
    old, new = without(4), table()
    found = compare_versions(old, new, rho=0.5)
    first, second = (synthesise(part, rho=0.5, grid=False).batteries[0] for part in (old, new))
    main = found.numbers.set_index(["analysis", "level"]).loc[("combined", "")]
    assert (main["old_k"], main["new_k"]) == (3, 4)
    assert main["difference"] == pytest.approx(second.combined.estimate - first.combined.estimate)
    cau = found.numbers.set_index(["analysis", "level"]).loc[("by_comparator", "cau")]
    assert (cau["old_k"], cau["new_k"]) == (2, 3)
    groups = {"measure": "SMD", "analysis": "combined"}
    assert found.results.find("version_numbers", "difference", groups).value == main["difference"]
    assert found.results.find("version_rows", "rows", {"change": "added"}).value == 1
    assert "1 added" in found.summary()


def test_an_analysis_only_one_version_has_is_kept_with_a_gap() -> None:
    found = compare_versions(without(1), table())
    only_new = found.numbers.set_index("analysis").loc["three_level"]
    assert pd.isna(only_new["old_estimate"])
    assert pd.notna(only_new["new_estimate"])


def test_a_row_told_more_exactly_is_changed_not_new() -> None:
    vague = table(instrument=["hdrs", "bdi-2", "phq-9", "hdrs-17", "bdi-2"])
    found = compare_versions(vague, table())
    assert found.counts == {"same": 4, "changed": 1, "added": 0, "removed": 0}
    assert found.differing["columns"].tolist() == ["instrument"]


def test_rows_that_could_be_several_are_not_matched_by_guess() -> None:
    """Two rows lost their instrument: which became which cannot be told."""
    vague = ipt.load_studies(pd.DataFrame(BASE).assign(instrument=["x", "y", "phq-9", "hdrs-17", "bdi-2"]))
    found = compare_versions(vague, table())
    assert found.counts == {"same": 3, "changed": 0, "added": 2, "removed": 2}


def test_doubled_rows_are_matched_one_to_one() -> None:
    twice = pd.concat([pd.DataFrame(BASE), pd.DataFrame(BASE).iloc[[0]]], ignore_index=True)
    found = compare_versions(table(), ipt.load_studies(twice))
    assert found.counts == {"same": 5, "changed": 0, "added": 1, "removed": 0}


def test_a_version_without_effects_is_compared_row_by_row_and_said() -> None:
    empty = table(precalc_g=[None] * 5)
    found = compare_versions(empty, table())
    assert found.old is None
    assert found.new is not None
    assert found.numbers.empty
    assert found.counts["changed"] == 5
    assert found.notes[0].startswith("The old version gives no pooled numbers")
    with pytest.raises(OptionError):
        compare_versions(table(), table(), tau2="XX")
