"""Columns made of scores are no scores: they are listed, with the word that says so, and never mapped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.io import propose_mapping

MADE = [
    "phq9_change", "phq9_change_w12", "PHQ-9 Veränderung", "phq9_diff", "delta_phq9", "phq9_severity", "phq9_remission",
    "phq9_response_w12", "phq9_case_w12", "phq9_z", "phq9_pct_w12", "phq9_w24_locf", "phq9_imputed_w12", "max_phq9",
    "worst phq9", "partner_phq9_w12", "phq9_mean_w12", "phq9_n_missing", "mother_phq9_w0", "PHQ9 Schweregrad",
    "cambio_phq9",
]  # fmt: skip


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame({"id": range(20), "phq9_w0": rng.integers(9, 27, 20), "phq9_w12": rng.integers(0, 20, 20)})


@pytest.mark.parametrize("heading", MADE)
def test_what_is_made_of_scores_is_never_a_score(table, heading):
    rng = np.random.default_rng(5)
    proposal = propose_mapping(table.assign(**{heading: rng.integers(0, 15, len(table))}))
    line = next(one for one in proposal.lines if one.column == heading)
    assert line.part == "undecided", line
    assert "PHQ-9" in line.why
    assert proposal.undecided == (heading,)
    plan = proposal.decided(left_out=[heading])
    made = ipt.load_cohort(table.assign(**{heading: 3}), plan).assessments
    assert sorted(made["value"]) == sorted(table[["phq9_w0", "phq9_w12"]].to_numpy().ravel())


def test_one_column_out_of_range_takes_nothing_from_the_others(table):
    proposal = propose_mapping(table.assign(phq9_zscore=np.linspace(-3, 3, len(table))))
    lines = {line.column: line.words for line in proposal.lines}
    assert lines["phq9_w0"] == "phq9 at week_0"
    assert lines["phq9_w12"] == "phq9 at week_12"


def test_words_nobody_knows_beside_plain_names_are_asked(table):
    proposal = propose_mapping(table.assign(phq9_n_xyz_w12=5))
    line = next(one for one in proposal.lines if one.column == "phq9_n_xyz_w12")
    assert line.part == "undecided"
    assert "was not understood" in line.why


def test_words_nobody_knows_in_every_name_are_a_guess(table):
    proposal = propose_mapping(table.rename(columns=lambda name: name.replace("phq9_", "phq9_stjames_")))
    assert "[wide.phq9]" in proposal.undecided


def test_some_items_of_a_form_are_no_totals_of_several_times():
    rng = np.random.default_rng(6)
    table = pd.DataFrame({"id": range(30), **{f"phq9_{n}": rng.integers(0, 4, 30) for n in range(1, 9)}})
    proposal = propose_mapping(table)
    assert set(proposal.undecided) == {f"phq9_{n}" for n in range(1, 9)}
    assert "8 of the 9 items of PHQ-9, or its scores at 8 times?" in proposal.decisions()[0]


def test_scores_at_several_numbered_times_are_no_items():
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"id": range(30), **{f"phq9_{n}": rng.integers(0, 27, 30) for n in range(1, 9)}})
    assert [line.visit for line in propose_mapping(table).lines][1:] == [f"visit_{n}" for n in range(1, 9)]
