"""Rows that point different ways are not pooled, and what a reader is told of odd studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import DataError
from ipt_outcomes.evidence import favours, study_effects, synthesise


def rows(*arms: tuple[str, str], g: float = 0.4, **columns: list[Any]) -> ipt.io.Studies:
    """A study per pair of arms, each with the same printed effect unless told otherwise."""
    frame = pd.DataFrame(
        {
            "study": [f"S{number}" for number in range(len(arms))],
            "condition_arm1": [one for one, _ in arms],
            "condition_arm2": [two for _, two in arms],
            "precalc_g": [g] * len(arms),
            "precalc_g_se": [0.2] * len(arms),
        }
    )
    return ipt.load_studies(frame.assign(**columns))


def test_rows_that_point_the_other_way_are_set_aside_with_a_reason() -> None:
    studies = rows(("ipt", "ipt + ssri"), ("ipt", "ipt + tca"), ("ipt + ssri", "ipt + pla"))
    battery = synthesise(studies).batteries[0]
    assert list(battery.studies["study"]) == ["S0", "S1"]
    assert "interpersonal psychotherapy is not one of its two arms" in battery.study_effects.not_computed["reason"][0]
    assert any("point another way" in note for note in battery.study_effects.notes)
    turned = synthesise(studies, towards="combination").batteries[0]
    np.testing.assert_allclose(turned.study_effects.effects.yi, [-0.4, -0.4, 0.4])


@pytest.mark.parametrize("towards", ["cbt", None])
def test_rows_that_point_both_ways_are_refused_where_nothing_settles_it(towards: str | None) -> None:
    with pytest.raises(DataError, match="combination stands in arm 1 of some rows and in arm 2 of others") as caught:
        synthesise(rows(("ipt", "ipt + ssri"), ("ipt + ssri", "placebo")), towards=towards)
    assert "--towards combination" in str(caught.value)


def test_treatments_nobody_knows_are_told_apart_too() -> None:
    with pytest.raises(DataError, match="bar and foo stand in arm 1"):
        synthesise(rows(("foo", "bar"), ("bar", "foo")))


def test_many_treatments_against_controls_all_point_the_same_way() -> None:
    studies = rows(("cbt", "wl"), ("ipt", "cau"), ("bat", "other ctr"), ("ssri", "tca"), ("dyn", "bat2"))
    assert len(synthesise(studies).batteries[0].studies) == 5


def test_the_same_treatment_in_both_arms_cannot_favour_it() -> None:
    battery = synthesise(rows(("ipt", "cau"), ("ipt", "ipt"), ("ipt", "wl"))).batteries[0]
    assert list(battery.study_effects.not_computed["reason"]) == ["interpersonal psychotherapy is both its arms"]


@pytest.mark.shared
@pytest.mark.parametrize(("towards", "studies", "g"), [("combination", 7, 0.136), ("ipt", 5, -0.16)])
def test_the_two_directions_of_the_combination_trials(shared: Path, towards: str, studies: int, g: float) -> None:
    """The file holds both directions on purpose; one estimate of all of them would mean nothing."""
    table = ipt.load_studies(shared / "data" / "ipt-evidence" / "combination_vs_ipt.csv")
    pooled = synthesise(table, towards=towards).batteries[0].combined
    assert pooled.k == studies
    assert pooled.estimate == pytest.approx(g, abs=0.01)


def test_a_title_names_the_treatment_after_rows_were_turned() -> None:
    assert synthesise(rows(("cau", "ipt"), ("wl", "ipt"))).batteries[0].name == "IPT compared with other conditions"


def test_an_effect_outside_all_effects_of_its_study_is_named() -> None:
    frame = pd.DataFrame(
        {"study": ["A", "A", "B", "C"], "precalc_g": [0.3, 0.9, 0.4, 0.5], "precalc_g_se": [0.05, 0.5, 0.2, 0.2]}
    )
    synthesis = synthesise(ipt.load_studies(frame))
    battery = synthesis.batteries[0]
    assert battery.studies["yi"][0] < 0.3
    assert any("The combined effect of A lies outside" in note for note in battery.notes)
    assert "negative weight" in synthesis.results.find("study_effects", "estimate", {"study": "A"}).method
    assert not any("lies outside" in note for note in synthesise(ipt.load_studies(frame), rho=0.0).batteries[0].notes)


def test_effects_of_a_databank_that_runs_the_other_way_are_not_taken() -> None:
    frame = pd.DataFrame(
        {
            "study": list("ABCDEF"), "instrument": ["bdi-2"] * 6,
            "mean_arm1": [10.0] * 5 + [np.nan], "sd_arm1": [5.0] * 5 + [np.nan], "n_arm1": [30.0] * 5 + [np.nan],
            "mean_arm2": [13.0] * 5 + [np.nan], "sd_arm2": [5.0] * 5 + [np.nan], "n_arm2": [30.0] * 5 + [np.nan],
            ".g": [-0.6] * 6, ".g_se": [0.26] * 6,
        }
    )  # fmt: skip
    effects = study_effects(ipt.load_studies(frame))
    assert list(effects.rows["study"]) == list("ABCDE")
    assert "run against the numbers" in effects.not_computed["reason"][0]


def test_an_impossible_row_is_named_and_costs_the_others_nothing() -> None:
    frame = pd.DataFrame(
        {
            "study": list("ABC"), "instrument": ["bdi-2"] * 3, "mean_arm1": [10.0, 11.0, 9.0], "sd_arm1": [5.0] * 3,
            "n_arm1": [30.0, 1.0, 28.0], "mean_arm2": [13.0] * 3, "sd_arm2": [5.0] * 3, "n_arm2": [30.0] * 3,
        }
    )  # fmt: skip
    effects = study_effects(ipt.load_studies(frame))
    assert list(effects.rows["study"]) == ["A", "C"]
    assert list(effects.not_computed["row"]) == [1]
    assert effects.not_computed["reason"][0].startswith("n_arm1")
    assert "2 or more" in effects.not_computed["reason"][0]


def test_a_direction_against_what_is_known_of_the_instrument_is_said() -> None:
    frame = pd.DataFrame(
        {
            "study": list("AB"), "instrument": ["bdi-2"] * 2, "better": ["higher"] * 2,
            "mean_arm1": [10.0, 11.0], "sd_arm1": [5.0] * 2, "n_arm1": [30.0] * 2,
            "mean_arm2": [13.0] * 2, "sd_arm2": [5.0] * 2, "n_arm2": [30.0] * 2,
        }
    )  # fmt: skip
    effects = study_effects(ipt.load_studies(frame))
    assert (effects.effects.yi < 0).all()
    assert any("bdi-2" in note and "opposite" in note for note in effects.notes)


def test_the_verdict_goes_by_the_wider_interval() -> None:
    narrow = ipt.meta.pool(
        ipt.effects.EffectSizes(yi=np.array([0.30, 0.31, 0.32]), vi=np.full(3, 0.1), measure="SMD", convention="x")
    )
    assert narrow.ci_low > 0 > narrow.z_ci_low
    assert favours(narrow) == 0
    clear = ipt.meta.pool(
        ipt.effects.EffectSizes(yi=np.array([0.9, 1.0, 1.1]), vi=np.full(3, 0.05), measure="SMD", convention="x")
    )
    assert favours(clear) == 1


@pytest.mark.parametrize("order", [["response", "relapse"], ["relapse", "response"]])
def test_which_events_are_kept_does_not_depend_on_the_order_of_rows(order: list[str]) -> None:
    frame = pd.DataFrame(
        {
            "study": ["A", "B"], "outcome_type": order, "event_arm1": [12, 13], "totaln_arm1": [30, 30],
            "event_arm2": [6, 7], "totaln_arm2": [30, 30],
        }
    )  # fmt: skip
    effects = study_effects(ipt.load_studies(frame), measure="OR")
    assert effects.effects.event == "good"
    assert any("bad news" in note for note in effects.notes)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"options": {"rho": "x"}}, "rho must be a number"),
        ({"where": "study=A"}, "where must be a table"),
        ({"where": {"study": "A"}}, "where must be a table of lists"),
        ({"encoding": 3}, "encoding must be text"),
        ({"mapping": 3}, "mapping must be"),
        ({"options": 3}, "options must be a table"),
        ({"title": 3}, "title must be text"),
        ({"comparisons": [1]}, "comparisons must be"),
        ({"invalid": "maybe"}, "invalid must be"),
        ({"options": {"measures": 3}}, "measures must be"),
    ],
)
def test_a_spec_of_the_wrong_kind_says_what_is_wrong(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ipt.errors.OptionError, match=words):
        ipt.evidence.MetaJob.from_dict({"job": "meta", **entry})
