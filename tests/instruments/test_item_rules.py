"""Totals of every instrument whose rule is known: worked values, ranges, and properties that hold for all."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import check_totals, instrument, instruments, risk_answers, risk_flags, score
from ipt_outcomes.instruments.items import item_maximum, why_not_scored
from ipt_outcomes.instruments.subscales import subscale_scores

SCORED = [
    name for name in instruments() if instrument(name).kind == "outcome" and why_not_scored(instrument(name)) is None
]
PLAIN = [
    name
    for name in SCORED
    if not instrument(name).domains and instrument(name).total_rule == "sum" and not instrument(name).scored_items
]
MIXED_RANGE = "hrsd17"


def forms(name, answers):
    """Items of a form with the answers in the order of the items that count, and nothing in the others."""
    known = instrument(name)
    table = np.full((len(answers), known.n_items), np.nan)
    table[:, [number - 1 for number in known.numbers_scored()]] = answers
    return table


def scored(name, answers, **options):
    return score(name, forms(name, answers), raw_order=False, **options)


def test_how_many_are_scored():
    assert len(SCORED) == 28
    assert {name for name in instruments() if instrument(name).kind == "outcome"} - set(SCORED) == {
        "sas_sr", "sf12_mcs", "cdrs_r", "hamd21", "hamd24", "iip32", "iip64",
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in SCORED if name != MIXED_RANGE])
def test_the_extremes_of_the_items_are_the_range_of_the_total(name):
    known = instrument(name)
    n = len(known.numbers_scored())
    found = scored(name, [[known.item_min] * n, [item_maximum(known)] * n])
    assert found.total.tolist() == [known.minimum, known.maximum]
    assert found.status.tolist() == ["observed", "observed"]


@pytest.mark.parametrize("name", SCORED)
def test_the_rule_stands_in_notes_and_description(name):
    known = instrument(name)
    found = scored(name, [[known.item_min] * len(known.numbers_scored())])
    assert found.notes
    if known.scoring_source:
        assert any(known.scoring_source in note for note in found.notes)
        assert known.scoring_source in known.describe()
    if known.max_missing is not None:
        assert known.max_missing_source
        assert known.max_missing_source in known.describe()
    for entry in known.risk_items:
        assert f"safety flag: item {entry.item} answered {entry.flag_min:g} or more" in known.describe()


class TestWorkedByHand:
    def test_core_10_items_2_and_3(self):
        items = [[1, 4, 0, 1, 1, 1, 1, 1, 1, 1]]
        assert score("core10", items, raw_order=True).total.tolist() == [1 * 8 + 0 + 4]
        assert score("core10", items, raw_order=False).total.tolist() == [12]
        assert score("core10", items, raw_order=True).flags["risk"].tolist() == [True]
        with pytest.raises(OptionError, match="as on the form or turned already"):
            score("core10", items)

    def test_core_10_is_prorated_for_one_item(self):
        items = np.full((2, 10), 2.0)
        items[0, 0] = np.nan
        items[1, :2] = np.nan
        found = score("core10", items, raw_order=False)
        assert found.total.iloc[0] == pytest.approx(20.0)
        assert found.status.tolist() == ["prorated", "incomplete"]

    def test_core_om_is_ten_times_the_mean(self):
        items = np.zeros((1, 34))
        items[0, :17] = 1
        assert score("core_om", items, raw_order=False).total.tolist() == [5.0]
        items[0, 33] = np.nan
        assert score("core_om", items, raw_order=False).total.iloc[0] == pytest.approx(170 / 33)
        raw = np.zeros((1, 34))
        assert score("core_om", raw, raw_order=True).total.iloc[0] == pytest.approx(8 * 4 * 10 / 34)
        parts = score("core_om", items, raw_order=False).subscales
        assert math.isnan(parts["risk"].iloc[0])
        assert parts["wellbeing"].iloc[0] == pytest.approx(0.75)

    def test_edeq_is_the_mean_of_four_means_and_counts_do_not_count(self):
        items = np.zeros((2, 28))
        items[:, :5] = 6  # restraint
        items[:, 7] = 3  # in shape and in weight concern
        items[:, 12:18] = 99  # episodes and days
        items[1, 0:2] = np.nan
        found = score("edeq", items)
        expected = (6 + 0 + 3 / 8 + 3 / 5) / 4
        np.testing.assert_allclose(found.total, [expected, expected], rtol=1e-12)
        assert found.status.tolist() == ["observed", "prorated"]
        items[1, 2] = np.nan
        assert score("edeq", items).status.tolist() == ["observed", "incomplete"]
        assert found.items.columns.tolist() == list(range(1, 29))
        assert found.items[13].isna().all()

    def test_pg13r_sums_items_3_to_12(self):
        items = [[1, 14, *range(1, 6), *range(1, 6), 1]]
        assert score("pg13r", items).total.tolist() == [30]
        frame = pd.DataFrame(items, columns=[f"pg13r_{n}" for n in range(1, 14)])
        assert score("pg13r", frame.drop(columns=["pg13r_1", "pg13r_2", "pg13r_13"])).total.tolist() == [30]

    def test_gds30_counts_no_on_ten_items(self):
        assert score("gds30", np.zeros((1, 30))).total.tolist() == [10]
        assert score("gds30", np.ones((1, 30))).total.tolist() == [20]

    def test_hads_by_the_numbers_of_the_whole_form(self):
        frame = pd.DataFrame([[3, 0] * 7], columns=[f"hads_{n}" for n in range(1, 15)])
        assert score("hads_a", frame, raw_order=False).total.tolist() == [21]
        assert score("hads_d", frame, raw_order=False).total.tolist() == [0]
        assert score("hads_d", frame, raw_order=True).total.tolist() == [9]

    def test_oq45_and_cdi(self):
        assert score("oq45", np.zeros((1, 45)), raw_order=True).total.tolist() == [36]
        assert score("cdi", np.zeros((1, 27)), raw_order=True).total.tolist() == [26]

    def test_octants_of_the_iip_without_a_total(self):
        items = np.zeros((1, 32))
        items[0, [21, 24]] = [4, 2]
        found = subscale_scores("iip32", items)
        assert found["domineering"].tolist() == [1.5]
        assert found.drop(columns="domineering").to_numpy().sum() == 0
        with pytest.raises(OptionError, match="subscale_scores"):
            score("iip32", items)
        with pytest.raises(OptionError, match="no subscale"):
            subscale_scores("phq9", [[0] * 9])

    @pytest.mark.parametrize(
        ("name", "item"),
        [
            ("phq9", 9), ("bdi1", 9), ("bdi2", 9), ("epds", 10), ("hrsd17", 3), ("madrs", 10), ("qids_sr16", 12),
            ("core10", 6), ("oq45", 8), ("cdi", 9),
        ],
    )  # fmt: skip
    def test_safety_items_flag_and_stay(self, name, item):
        known = instrument(name)
        items = np.zeros((3, known.n_items))
        items[1, item - 1] = known.risk_items[0].flag_min
        items[2, item - 1] = np.nan
        found = score(name, items, raw_order=False)
        assert found.flags["risk"].tolist() == [False, True, pd.NA]
        long = pd.DataFrame({"instrument": name, "item": [0, item, item], "value": [20.0, known.item_max or 4, None]})
        assert risk_flags(long).tolist() == [pd.NA, True, pd.NA]
        assert risk_answers(long)["risk_rule"].str.startswith(f"item {item} answered").tolist() == [True]


def answer_lists(name, *, missing=0):
    known = instrument(name)
    n = len(known.numbers_scored())
    top = 2 if name == MIXED_RANGE else int(item_maximum(known))
    answer = st.integers(int(known.item_min), top)
    base = st.lists(answer, min_size=n, max_size=n)
    if not missing:
        return base
    gaps = st.sets(st.integers(0, n - 1), min_size=1, max_size=missing)
    return st.tuples(base, gaps)


@settings(deadline=None, max_examples=8)
@given(data=st.data())
@pytest.mark.parametrize("name", SCORED)
def test_a_permutation_of_numbered_columns_changes_nothing(name, data):
    answers = data.draw(answer_lists(name))
    known = instrument(name)
    frame = pd.DataFrame(forms(name, [answers]), columns=[f"{name}_{n}" for n in range(1, known.n_items + 1)])
    shuffled = frame[data.draw(st.permutations(list(frame.columns)))]
    one, other = score(name, frame, raw_order=True), score(name, shuffled, raw_order=True)
    assert one.total.tolist() == other.total.tolist()
    pd.testing.assert_frame_equal(one.items, other.items)


@settings(deadline=None, max_examples=8)
@given(data=st.data())
@pytest.mark.parametrize("name", PLAIN)
def test_the_order_of_answers_does_not_matter_to_a_sum(name, data):
    answers = data.draw(answer_lists(name))
    other = data.draw(st.permutations(answers))
    assert scored(name, [answers]).total.iloc[0] == pytest.approx(scored(name, [other]).total.iloc[0])


@settings(deadline=None, max_examples=8)
@given(data=st.data())
@pytest.mark.parametrize("name", [name for name in SCORED if not instrument(name).domains and name != "edeq"])
def test_a_prorated_total_lies_between_its_completions(name, data):
    """Whatever was not answered, the true total lies between the lowest and the highest completion; so must ours."""
    known = instrument(name)
    answers, gaps = data.draw(answer_lists(name, missing=2))
    gappy = [np.nan if place in gaps else answer for place, answer in enumerate(answers)]
    if len(gaps) == len(answers):
        return
    low = [known.item_min if place in gaps else answer for place, answer in enumerate(answers)]
    high = [2 if name == MIXED_RANGE else item_maximum(known)] * len(answers)
    high = [high[place] if place in gaps else answer for place, answer in enumerate(answers)]
    total = scored(name, [gappy], max_missing=len(gaps)).total.iloc[0]
    ends = scored(name, [low, high]).total
    assert ends.iloc[0] - 1e-9 <= total <= ends.iloc[1] + 1e-9
    assert known.minimum - 1e-9 <= total <= known.maximum + 1e-9


@settings(deadline=None, max_examples=8)
@given(data=st.data())
@pytest.mark.parametrize("name", [name for name in SCORED if instrument(name).items_reversed])
def test_turning_twice_is_not_turning(name, data):
    answers = np.array(data.draw(answer_lists(name)), dtype=float)
    known = instrument(name)
    turned = answers.copy()
    places = [item - 1 for item in known.items_reversed]
    turned[places] = known.item_min + known.item_max - answers[places]
    as_scored = score(name, [answers.tolist()], raw_order=False)
    as_on_form = score(name, [turned.tolist()], raw_order=True)
    assert as_scored.total.tolist() == as_on_form.total.tolist()
    assert as_scored.items.to_numpy().tolist() == as_on_form.items.to_numpy().tolist()
    # A mirror image of every answer is the mirror image of the total.
    mirrored = score(name, [(known.item_min + known.item_max - answers).tolist()], raw_order=False)
    assert mirrored.total.iloc[0] == pytest.approx(known.minimum + known.maximum - as_scored.total.iloc[0])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=16, max_size=16))
def test_qids_domains_take_the_highest(answers):
    total = score("qids_sr16", [answers]).total.iloc[0]
    sleep, eating, movement = max(answers[:4]), max(answers[5:9]), max(answers[14:])
    assert total == sleep + answers[4] + eating + sum(answers[9:14]) + movement
    again = list(answers)
    again[:4] = answers[3::-1]
    assert score("qids_sr16", [again]).total.iloc[0] == total


class TestTotalsOfAFile:
    def test_kinds_of_differences_with_their_rows(self):
        items = np.ones((6, 9))
        items[1, 0] = np.nan
        items[1, 1] = 2
        items[2, :2] = np.nan
        items[3, :4] = np.nan
        items[4] = np.nan
        totals = [10, 10, 8, 5, 0, 9]
        found = check_totals("phq9", items, totals, rows=range(2, 8))
        assert found.differences[["row", "kind"]].values.tolist() == [
            [2, "differs"],
            [3, "rounded"],
            [4, "prorated otherwise"],
            [5, "total of a form without one"],
        ]
        assert (found.compared, found.agree) == (5, 1)
        assert found.differences.loc[0, ["given", "computed", "difference"]].tolist() == [10, 9, 1]
        assert found.summary().splitlines()[0] == "PHQ-9: 1 of 5 totals are those of their items"
        assert "differs: 1 (rows 2)" in found.summary()

    def test_no_difference(self):
        found = check_totals("gad7", [[1] * 7], [7])
        assert found.differences.empty
        assert found.to_frame().columns.tolist()[0] == "row"
        with pytest.raises(DataError, match="1 forms were given, but 2 totals"):
            check_totals("gad7", [[1] * 7], [7, 7])


class TestScalesThatRunTheOtherWay:
    def test_higher_is_better(self):
        assert instrument("who5").better == "higher"
        assert instrument("sf12_mcs").rule("caseness_max") == "SF-12 MCS: a total of 42 or less"
        assert score("who5", [[5] * 5, [0] * 5]).total.tolist() == [100, 0]

    def test_minimum_above_zero(self):
        assert score("k10", [[1] * 10]).total.tolist() == [10]
        with pytest.raises(DataError, match="outside 1-5"):
            score("k10", [[0] * 10])
        assert instrument("cdrs_r").minimum == 17
