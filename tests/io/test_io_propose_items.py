"""Items: at several visits in one row per person, in rows of their own (CDISC), and which way reversed items stand."""

from __future__ import annotations

import itertools
import tomllib

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.instruments import instrument
from ipt_outcomes.io import propose_mapping, read_map_workbook

STYLES = {
    "phq9_1_w0": lambda name, item, week: f"{name}_{item}_w{week}",
    "w0_phq9_1": lambda name, item, week: f"w{week}_{name}_{item}",
    "phq9_w0_1": lambda name, item, week: f"{name}_w{week}_{item}",
    "PHQ9.item1.week0": lambda name, item, week: f"{name.upper()}.item{item}.week{week}",
    "phq9_01_0wk": lambda name, item, week: f"{name}_{item:02d}_{week}wk",
    "phq9 Frage 1 Woche 0": lambda name, item, week: f"{name} Frage {item} Woche {week}",
    "phq9q1_semana0": lambda name, item, week: f"{name}q{item}_semana{week}",
}


def answers(name: str, n: int, seed: int) -> np.ndarray:
    known = instrument(name)
    rng = np.random.default_rng(seed)
    return rng.integers(int(known.item_min or 0), int(known.item_max or 3) + 1, size=(n, int(known.n_items or 0)))


def wide(style, name="phq9", weeks=(0, 4, 12), n=14) -> tuple[pd.DataFrame, np.ndarray]:
    """A file with one row per person, and the totals it holds: week by person."""
    forms = [answers(name, n, seed) for seed in range(len(weeks))]
    columns = {
        style(name, item + 1, week): form[:, item]
        for week, form in zip(weeks, forms, strict=True)
        for item in range(form.shape[1])
    }
    frame = pd.DataFrame(columns)
    frame.insert(0, "subject_id", [f"s{k}" for k in range(n)])
    return frame, np.array([form.sum(axis=1) for form in forms])


@pytest.mark.parametrize("style", list(STYLES))
def test_items_at_several_visits_are_scored_as_the_sums_they_are(style):
    table, totals = wide(STYLES[style])
    proposal = propose_mapping(table)
    assert proposal.undecided == ()
    assert list(proposal.mapping.wide_items["phq9"]) == ["week_0", "week_4", "week_12"]
    scores = ipt.load_cohort(table, proposal.mapping).assessments
    found = scores[(scores["instrument"] == "phq9") & (scores["item"] == 0)]
    for place, week in enumerate((0, 4, 12)):
        assert sorted(found.loc[found["week"] == week, "value"]) == sorted(totals[place])


def test_the_toml_and_the_workbook_hold_the_items_too(tmp_path):
    table, _ = wide(STYLES["phq9_1_w0"])
    proposal = propose_mapping(table)
    read = tomllib.loads(proposal.to_toml())
    assert read["wide_items"]["phq9"]["week_12"] == [f"phq9_{n}_w12" for n in range(1, 10)]
    plan = read_map_workbook(proposal.to_excel(tmp_path / "map.xlsx"))
    assert plan.wide_items == proposal.mapping.wide_items
    pd.testing.assert_frame_equal(
        ipt.load_cohort(table, plan).assessments, ipt.load_cohort(table, proposal.mapping).assessments
    )


def test_two_bare_numbers_are_time_and_item_in_either_order():
    for style in (lambda name, item, week: f"{name}_{week}_{item}", lambda name, item, week: f"{name}_{item}_{week}"):
        table, totals = wide(style, weeks=(0, 1, 2))
        plan = propose_mapping(table).decided(visits={"visit_1": 4, "visit_2": 8})
        scores = ipt.load_cohort(table, plan).assessments
        found = scores[scores["item"] == 0]
        assert sorted(found.loc[found["week"] == 8, "value"]) == sorted(totals[2])


def test_a_form_with_an_item_too_few_is_asked():
    table, _ = wide(STYLES["phq9_1_w0"])
    proposal = propose_mapping(table.drop(columns="phq9_5_w4"))
    asked = [line for line in proposal.lines if line.part == "undecided"]
    assert [line.column for line in asked] == [f"phq9_{n}_w4" for n in (1, 2, 3, 4, 6, 7, 8, 9)]
    assert "8 of the 9 items of PHQ-9 at week_4" in asked[0].why
    assert list(proposal.mapping.wide_items["phq9"]) == ["week_0", "week_12"]


def test_a_usual_code_for_missing_in_an_item_is_asked():
    table, _ = wide(STYLES["phq9_1_w0"])
    table.loc[3, "phq9_2_w4"] = -9
    proposal = propose_mapping(table)
    assert proposal.undecided == ("[missing.phq9_2_w4]",)
    assert any("no answer to an item of PHQ-9" in told for told in proposal.decisions())
    scores = ipt.load_cohort(table, proposal.decided(accept="all")).assessments
    assert len(scores[(scores["item"] == 2) & (scores["week"] == 4)]) == len(table) - 1
    assert len(scores[(scores["item"] == 2) & (scores["week"] == 0)]) == len(table)


def test_reversed_items_that_may_stand_either_way_are_asked():
    table, _ = wide(lambda name, item, week: f"hadsd_{item}_w{week}", name="hads_d")
    proposal = propose_mapping(table)
    assert proposal.undecided == ("[instruments.hads_d]",)
    assert "# raw_order = ?" in proposal.to_toml()
    assert "instruments" not in tomllib.loads(proposal.to_toml())
    for raw_order in (True, False):
        plan = proposal.decided(instruments={"hads_d": {"raw_order": raw_order}})
        assert plan.instruments["hads_d"]["raw_order"] is raw_order
        assert not ipt.load_cohort(table, plan).assessments.empty


@pytest.mark.parametrize("as_on_form", [True, False])
def test_totals_beside_the_items_tell_which_way_they_stand(as_on_form):
    table, _ = wide(lambda name, item, week: f"hadsd_{item}_w{week}", name="hads_d")
    place = instrument("hads_d").items_reversed
    for week in (0, 4, 12):
        sign = {item: 3 - table[f"hadsd_{item}_w{week}"] if item in place and as_on_form
                else table[f"hadsd_{item}_w{week}"] for item in range(1, 8)}  # fmt: skip
        table[f"hadsd_total_w{week}"] = sum(sign.values())
    proposal = propose_mapping(table)
    assert proposal.undecided == ()
    assert proposal.mapping.instruments["hads_d"]["raw_order"] is as_on_form
    cohort = ipt.load_cohort(table, proposal.mapping)
    totals = cohort.assessments[cohort.assessments["item"] == 0]
    assert sorted(totals["value"]) == sorted(table[[f"hadsd_total_w{week}" for week in (0, 4, 12)]].to_numpy().ravel())


def qs_table(days=(1, 57)) -> pd.DataFrame:
    """CDISC records of PHQ-9 and GDS-SF, scored as CDISC scores them, and another questionnaire."""
    rows = []
    words = {"phq9": "PHQ01", "gds15": "GDS02"}
    for person, day in itertools.product(range(6), days):
        for name, code in words.items():
            known = instrument(name)
            for item, answer in enumerate(answers(name, 1, person * 100 + day)[0], start=1):
                is_yes = (answer == 1) != (item in known.items_reversed)
                said = ("YES" if is_yes else "NO") if name == "gds15" else f"answer {answer}"
                rows.append(
                    (f"P{person}", f"{code}{item:02d}", f"{code}-Question {item}", known.short, said, answer, day)
                )
        rows.append((f"P{person}", "SP0101", "SP01-Sleep", "SLEEPING PROBLEMS", "NO", 0, day))
    names = ["USUBJID", "QSTESTCD", "QSTEST", "QSCAT", "QSORRES", "QSSTRESN", "QSDY"]
    return pd.DataFrame(rows, columns=names)


def test_cdisc_records_are_items_by_their_codes():
    table = qs_table()
    proposal = propose_mapping(table)
    assert "CDISC" in proposal.layout
    codes = {code.written: code.code for code in proposal.codes if code.part == "codes"}
    assert codes["PHQ0109"] == "phq9_9"
    assert codes["GDS0215"] == "gds15_15"
    assert {code.written for code in proposal.codes if code.part == "exclude"} == {"SP0101"}
    assert proposal.undecided == ("[exclude.instrument]",)


def test_cdisc_totals_are_the_sums_of_what_stands_there():
    table = qs_table()
    plan = propose_mapping(table).decided(accept="all", constants={"arm": "ipt"})
    # CDISC turned the reversed items already; the words of the answers show it.
    assert plan.instruments["gds15"]["raw_order"] is False
    # The start is day 1 there: day 57 is 56 days after it.
    assert plan.first_day == 1
    scores = ipt.load_cohort(table, plan).assessments
    totals = scores[scores["item"] == 0]
    assert sorted(totals["week"].unique()) == [0, 8]
    for name, code in (("phq9", "PHQ01"), ("gds15", "GDS02")):
        own = table[table["QSTESTCD"].str.startswith(code)]
        sums = own.groupby(["USUBJID", "QSDY"])["QSSTRESN"].sum()
        assert sorted(totals.loc[totals["instrument"] == name, "value"]) == sorted(sums)


def test_a_day_0_is_no_day_of_cdisc():
    proposal = propose_mapping(qs_table(days=(0, 56)))
    assert proposal.counts_from_one is False
    assert proposal.mapping.first_day == 0


@pytest.mark.shared
def test_the_cdisc_example_has_the_totals_its_own_rows_give(shared):
    file = shared / "data" / "clinic" / "cdisc_example_qs.csv"
    proposal = propose_mapping(file)
    weeks = {visit.name: place for place, visit in enumerate(proposal.visits, start=1) if visit.week is None}
    plan = proposal.decided(accept="all", left_out=["QSDTC"], constants={"arm": "ipt"}, visits=weeks)
    scores = ipt.load_cohort(file, plan).assessments
    totals = scores[(scores["item"] == 0) & (scores["value_status"] == "observed")]
    table = pd.read_csv(file)
    given = table.loc[table["QSTESTCD"] == "GAD0208", "QSSTRESN"]
    assert sorted(totals.loc[totals["instrument"] == "gad7", "value"]) == sorted(given)
    gds = table[table["QSTESTCD"].str.startswith("GDS")].groupby(["USUBJID", "VISIT"])["QSSTRESN"]
    full = gds.sum()[gds.count() == 15]
    assert sorted(totals.loc[totals["instrument"] == "gds15", "value"]) == sorted(full)
