"""Totals from items against values worked by hand, and what no total may be made of."""

import math
import tomllib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import instrument, score


def numbers(values):
    return [math.nan if value is None else value for value in values]


@pytest.mark.parametrize(
    ("case", "name", "items"),
    [
        ("items_phq9", "phq9", "items"),
        ("items_qids_sr16", "qids_sr16", "items"),
        ("items_cesd", "cesd", "raw"),
        ("items_epds_raw_order", "epds", "raw"),
        ("items_pcl5", "pcl5", "items"),
    ],
)
def test_totals_and_flags_of_the_reference(reference, case, name, items):
    expected = reference(f"clinic/{case}")
    found = score(name, expected[items])
    np.testing.assert_allclose(found.total, numbers(expected["total"]), rtol=1e-10)
    if "risk_flag" in expected:
        risk = [None if pd.isna(flag) else bool(flag) for flag in found.flags["risk"]]
        assert risk == expected["risk_flag"]
    if "provisional" in expected:
        assert found.flags["provisional"].tolist() == expected["provisional"]
    if "case16" in expected:
        assert (found.total >= instrument(name).caseness_min).tolist() == expected["case16"]


@pytest.fixture(scope="module")
def case_10(cases):
    folder = cases / "10-phq9-incomplete-and-item-10"
    expected = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))["expected"]
    return pd.read_csv(folder / "phq.csv"), expected


def test_unanswered_items_and_the_tenth_item(case_10):
    frame, expected = case_10
    found = score("phq9", frame[frame["id"] != "F"].set_index("id"))
    for person in "ABCG":
        assert found.total[person] == pytest.approx(expected[person], abs=1e-6)
    assert found.total[["D", "E"]].isna().all()
    assert found.flags.loc["B", "answered"] == expected["B_answered"]
    assert found.flags.loc["C", "answered"] == expected["C_answered"]
    assert found.status.tolist() == ["observed", "prorated", "prorated", "incomplete", "not_done", "observed"]
    assert any("up to 2 unanswered items of 9" in note for note in found.notes)


def test_an_impossible_answer_is_refused_by_row_and_never_shown(case_10):
    frame, _ = case_10
    with pytest.raises(DataError, match=r"item i4 is outside 0-3 in 1 row \(position 5\)") as caught:
        score("phq9", frame)
    assert caught.value.rows == (5,)
    assert caught.value.column == "i4"
    assert caught.value.failures[["row", "column", "rule", "found"]].values.tolist() == [[5, "i4", "range", 4.0]]
    assert "4.0" not in str(caught.value)
    with pytest.raises(DataError, match=r"\(row 7\)"):
        score("phq9", frame, rows=range(2, 9))


def test_all_faults_at_once_and_no_fault_hides_another():
    frame = pd.DataFrame({f"phq9_{item}": ["0", "1", "2", "3"] for item in range(1, 10)}, dtype=object)
    frame.loc[0, "phq9_1"] = "often"
    frame.loc[1, "phq9_1"] = "-9"
    frame.loc[2, "phq9_2"] = "1.5"
    frame.loc[3, "phq9_9"] = "31"
    with pytest.raises(DataError) as caught:
        score("phq9", frame)
    assert caught.value.failures[["row", "column", "rule"]].values.tolist() == [
        [0, "phq9_1", "type"],
        [1, "phq9_1", "range"],
        [2, "phq9_2", "whole"],
        [3, "phq9_9", "range"],
    ]
    assert not any(value in str(caught.value) for value in ("often", "-9 ", "1.5", "31"))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 99, -1])
def test_codes_and_infinities_are_no_answers(value):
    with pytest.raises(DataError, match="outside 0-3"):
        score("gad7", [[0, 0, 0, 0, 0, 0, value]])


@pytest.mark.parametrize(
    ("max_missing", "totals"),
    [(None, [9.0, 9.0, 9.0, None]), (0, [9.0, None, None, None]), (3, [9.0, 9.0, 9.0, 9.0])],
)
def test_the_limit_is_a_choice(max_missing, totals):
    items = np.ones((4, 9))
    for person in range(4):
        items[person, :person] = np.nan
    found = score("phq9", items, max_missing=max_missing)
    np.testing.assert_allclose(found.total, numbers(totals))


@pytest.mark.parametrize("name", ["gad7", "bdi1", "bdi2", "madrs", "epds", "hrsd17", "bai"])
def test_without_a_confirmed_rule_an_unanswered_item_gives_no_total(name):
    items = np.ones((2, instrument(name).n_items))
    items[1, 0] = np.nan
    found = score(name, items)
    assert found.total.notna().tolist() == [True, False]
    assert found.max_missing == 0
    assert any("no rule" in note for note in found.notes)


@pytest.mark.parametrize("max_missing", [-1, 9, 1.0, True, "2"])
def test_no_other_limit(max_missing):
    with pytest.raises(OptionError, match="max_missing"):
        score("phq9", [[0] * 9], max_missing=max_missing)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("phq9", 0, 27),
        ("phq2", 0, 6),
        ("gad7", 0, 21),
        ("bdi1", 0, 63),
        ("bdi2", 0, 63),
        ("madrs", 0, 60),
        ("qids_sr16", 0, 27),
        ("pcl5", 0, 80),
        ("k10", 10, 50),
        ("who5", 0, 100),
        ("wsas", 0, 40),
        ("bai", 0, 63),
        ("icg", 0, 76),
    ],
)
def test_the_extremes_are_the_range(name, lowest, highest):
    known = instrument(name)
    items = np.tile([[known.item_min], [known.item_max]], (1, known.n_items))
    assert score(name, items).total.tolist() == [lowest, highest] == [known.minimum, known.maximum]


def test_hamilton_items_end_at_four_and_the_total_at_52():
    items = np.zeros((1, 17))
    items[0, [0, 3]] = [4, 3]
    found = score("hamd17", items)
    assert found.total.tolist() == [7.0]
    assert found.flags["items_above_2"].tolist() == [True]
    items[0, 3] = 2
    assert score("hrsd17", items).flags["items_above_2"].tolist() == [False]
    with pytest.raises(DataError, match="sum to more than 52"):
        score("hrsd17", np.full((1, 17), 4))


@pytest.mark.parametrize("name", ["sas_sr", "iip32", "iip64", "sf12_mcs", "cdrs_r", "hamd21", "hamd24"])
def test_what_was_not_confirmed_is_not_scored(name):
    with pytest.raises(OptionError, match="is not scored from items"):
        score(name, np.zeros((1, instrument(name).n_items or 1)))


class TestReversedItems:
    def test_turned_or_taken_as_scored(self):
        items = [[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        assert score("epds", items).total.tolist() == [24.0]
        assert score("epds", items, raw_order=False).total.tolist() == [3.0]
        assert score("epds", items).raw_order is True
        assert score("phq9", [[0] * 9]).raw_order is None

    @pytest.mark.parametrize("name", ["epds", "cesd", "gds15"])
    def test_data_that_were_turned_before_are_refused(self, name):
        known = instrument(name)
        rng = np.random.default_rng(5)
        severity = rng.random((200, 1))
        scored = (rng.random((200, known.n_items)) < severity) * known.item_max
        with pytest.raises(DataError, match="as if they had been turned already"):
            score(name, scored)
        raw = scored.copy()
        places = [item - 1 for item in known.items_reversed]
        raw[:, places] = known.item_max - raw[:, places]
        expected = score(name, scored, raw_order=False).total
        np.testing.assert_array_equal(score(name, raw).total, expected)
        np.testing.assert_array_equal(score(name, raw, raw_order=True).total, expected)


class TestColumns:
    ROW = (1, 2, 3, 0, 1, 2, 3, 0, 1)

    @pytest.mark.parametrize(
        "names",
        [
            [f"i{n}" for n in range(1, 10)],
            [f"phq9_{n}" for n in range(1, 10)],
            [f"PHQ9_{n:02d}" for n in range(1, 10)],
            [f"phq9{n}" for n in range(1, 10)],
            [f"q{n}" for n in range(9)],
            list("abcdefghi"),
        ],
        ids=["i1", "phq9_1", "PHQ9_01", "phq91", "q0", "letters"],
    )
    def test_are_recognised(self, names):
        frame = pd.DataFrame([self.ROW], columns=names)
        assert score("phq9", frame).total.tolist() == [13.0]

    def test_order_of_columns_does_not_matter_where_they_are_numbered(self):
        frame = pd.DataFrame([[*self.ROW, 3]], columns=[f"i{n}" for n in range(1, 11)])
        shuffled = frame[["i10", "i9", *frame.columns[:8]]]
        found = score("phq9", shuffled.assign(id="x", phq9=99, week=3))
        assert found.total.tolist() == [13.0]
        assert found.items.loc[0].tolist() == list(self.ROW)

    @pytest.mark.parametrize(
        "names",
        [
            [f"i{n}" for n in range(1, 9)],
            [f"i{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 10)],
            [f"i{n}" for n in range(10)],
            [f"i{n}" for n in range(1, 22)],
            ["a", "b"],
        ],
        ids=["eight", "no ninth", "nought to nine", "twenty-one", "two"],
    )
    def test_that_are_no_full_set_are_refused(self, names):
        with pytest.raises(DataError, match="PHQ-9 has 9 items"):
            score("phq9", pd.DataFrame([[0] * len(names)], columns=names))

    def test_two_sets_are_refused(self):
        names = [f"{stem}{n}" for stem in "ab" for n in range(1, 10)]
        with pytest.raises(DataError, match="more than one set"):
            score("phq9", pd.DataFrame([[0] * 18], columns=names))

    def test_two_columns_of_one_name_are_refused(self):
        with pytest.raises(DataError, match="same name: i1"):
            score("phq9", pd.DataFrame([[0] * 10], columns=["i1", *(f"i{n}" for n in range(1, 10))]))

    @pytest.mark.parametrize("items", [[[0] * 9, [0] * 8], None, 3, [[[0] * 9]]], ids=["ragged", "none", "one", "cube"])
    def test_what_is_no_table_is_refused(self, items):
        with pytest.raises(DataError):
            score("phq9", items)

    def test_arrays_of_another_width_are_refused(self):
        with pytest.raises(DataError, match="GAD-7 has 7 items"):
            score("gad7", np.zeros((2, 9)))

    def test_one_form_and_the_index_of_a_frame(self):
        assert score("phq9", list(self.ROW)).total.tolist() == [13.0]
        frame = pd.DataFrame([self.ROW] * 2, columns=[f"i{n}" for n in range(1, 10)], index=["x", "y"])
        found = score("phq9", frame)
        assert list(found.total.index) == list(found.status.index) == list(found.flags.index) == ["x", "y"]
        assert list(found.to_frame().columns) == ["total", "status", "answered", "missing", "risk"]

    def test_nothing_to_score(self):
        frame = pd.DataFrame({f"i{n}": pd.Series(dtype=float) for n in range(1, 10)})
        found = score("phq9", frame)
        assert found.total.empty
        assert found.summary().startswith("PHQ-9: 0 forms")


ANSWER = st.one_of(st.none(), st.integers(0, 3))


@settings(deadline=None)
@given(st.lists(st.lists(ANSWER, min_size=9, max_size=9), min_size=1, max_size=20), st.integers(0, 8))
def test_totals_stay_in_range_and_rows_do_not_touch_each_other(forms, limit):
    found = score("phq9", forms, max_missing=limit)
    total = found.total.to_numpy()
    assert ((total >= 0) & (total <= 27) | np.isnan(total)).all()
    again = [score("phq9", [form], max_missing=limit).total.iloc[0] for form in forms]
    np.testing.assert_array_equal(total, again)
    missing = np.array([sum(answer is None for answer in form) for form in forms])
    assert (np.isnan(total) == ((missing > limit) | (missing == 9))).all()
    observed = missing == 0
    assert (total[observed] == [sum(form) for form, full in zip(forms, observed, strict=True) if full]).all()


def test_summary_and_json(case_10):
    frame, _ = case_10
    found = score("phq9", frame[frame["id"] != "F"])
    assert found.summary().splitlines()[0] == (
        "PHQ-9: 6 forms (2 observed, 2 prorated, 1 incomplete, 1 not done); mean total 14.67"
    )
    assert found.to_dict()["total"][3] is None
    assert "<table>" in found._repr_html_()
