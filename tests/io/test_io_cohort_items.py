"""Items in columns, at several visits and in rows: totals, the totals beside them, reversed items, answers on harm."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import instrument, risk_flags, score
from ipt_outcomes.instruments.items import why_not_scored
from ipt_outcomes.io import load_cohort, read_cohort_mapping

PHQ = [f"phq9_{n}" for n in range(1, 10)]
EITHER_WAY = ("hads_d", "hads_a", "core10", "core_om", "oq45", "cdi")


def refused(table, mapping=None):
    with pytest.raises(DataError) as caught:
        load_cohort(table, mapping)
    return caught.value


def answers(name, n=6, seed=3):
    known = instrument(name)
    rng = np.random.default_rng(seed)
    cells = rng.integers(int(known.item_min), int(known.item_max) + 1, (n, known.n_items))
    return pd.DataFrame(cells, columns=[f"{name}_{k}" for k in range(1, known.n_items + 1)])


def totals_of(cohort, name):
    table = cohort.assessments
    return table[table["instrument"].eq(name) & table["item"].eq(0)].reset_index(drop=True)


def items_of(cohort, name):
    table = cohort.assessments
    return table[table["instrument"].eq(name) & table["item"].gt(0)]


# ---- items whose order in the file nobody can guess


@pytest.mark.parametrize("name", EITHER_WAY)
def test_items_that_files_hold_either_way_are_asked_for(name):
    table = answers(name).assign(patient_id=list("abcdef"), week=0)
    error = refused(table)
    assert f"[instruments.{name}] raw_order = false" in str(error)


@pytest.mark.parametrize("name", EITHER_WAY)
@pytest.mark.parametrize("raw_order", [True, False])
def test_items_load_with_their_order_declared(name, raw_order):
    items = answers(name)
    table = items.assign(patient_id=list("abcdef"), week=0)
    cohort = load_cohort(table, {"instruments": {name: {"raw_order": raw_order}}})
    expected = score(name, items, raw_order=raw_order).total
    np.testing.assert_allclose(totals_of(cohort, name)["value"], expected, rtol=1e-12)
    known = instrument(name)
    kept = items_of(cohort, name)
    first = kept.loc[kept["item"] == known.items_reversed[0], "value"].to_numpy()
    column = items[f"{name}_{known.items_reversed[0]}"].to_numpy()
    turned = known.item_min + known.item_max - column if raw_order else column
    assert first.tolist() == turned.tolist()


@pytest.mark.parametrize("name", EITHER_WAY)
def test_items_in_rows_load_with_their_order_declared(name):
    items = answers(name, n=2)
    rows = items.assign(patient_id=["a", "b"]).melt("patient_id", var_name="instrument", value_name="value")
    cohort = load_cohort(rows.assign(week=0), {"instruments": {name: {"raw_order": True}}})
    wide = load_cohort(items.assign(patient_id=["a", "b"], week=0), {"instruments": {name: {"raw_order": True}}})
    for part in (totals_of, items_of):
        assert part(cohort, name)["value"].tolist() == part(wide, name)["value"].tolist()


def test_the_items_of_a_whole_form_are_those_of_its_scales():
    form = pd.DataFrame(np.tile(np.arange(14) % 4, (2, 1)), columns=[f"HADS_{n}" for n in range(1, 15)])
    order = {"instruments": {"hads_a": {"raw_order": False}, "hads_d": {"raw_order": False}}}
    cohort = load_cohort(form.assign(patient_id=["a", "b"], week=0), order)
    assert totals_of(cohort, "hads_a")["value"].unique().tolist() == [float(sum(n % 4 for n in range(0, 14, 2)))]
    assert totals_of(cohort, "hads_d")["value"].unique().tolist() == [float(sum(n % 4 for n in range(1, 14, 2)))]


# ---- totals beside their items


def with_items(**changes):
    table = pd.DataFrame([[1] * 9] * 4, columns=PHQ).assign(patient_id=list("abcd"), week=0, phq9=9.0)
    for column, values in changes.items():
        table[column] = values
    return table


def test_a_total_that_is_not_that_of_its_items_is_refused():
    error = refused(with_items(phq9=[9, 9, 11, 9]))
    assert "phq9: PHQ-9: a total that is not that of its items in 1 of 4 rows (row 2)" in str(error)
    table = error.failures
    assert table[["row", "column", "rule", "found"]].values.tolist() == [[2, "phq9", "total", 11.0]]


def test_totals_by_another_rule_are_said_and_ours_counts():
    table = with_items(
        phq9=[8.0, 9.0, 7.0, 6.0],
        phq9_1=[None, None, None, 1],
        phq9_2=[1, 1, 1, None],
        phq9_3=[1, 1, 1, None],
        phq9_4=[1, 1, 1, None],
    )
    table.loc[1, "phq9_5"] = 2.0
    table.loc[1, "phq9"] = 10.0
    cohort = load_cohort(table)
    assert totals_of(cohort, "phq9")["value"].fillna(-1).tolist() == [9.0, 10.125, 9.0, -1.0]
    entries = {entry.detail for entry in cohort.gate.entries if entry.rule == "L11"}
    assert entries == {
        "phq9: 1 total of PHQ-9 prorated and rounded in the file; the unrounded one counts",
        "phq9: 2 totals of PHQ-9 prorated by another rule in the file; that of the items counts",
        "phq9: 1 total of PHQ-9 of forms with too many unanswered items; they have none",
    }
    assert totals_of(cohort, "phq9")["value_status"].tolist() == ["prorated", "prorated", "prorated", "incomplete"]


def test_a_total_without_any_item_stands_for_itself():
    table = with_items(phq9=[9, 9, 9, 17])
    table.loc[3, PHQ] = None
    cohort = load_cohort(table)
    assert totals_of(cohort, "phq9")["value"].tolist() == [9.0, 9.0, 9.0, 17.0]
    assert "PHQ-9: 1 total as given, without an item answered" in cohort.notes
    rows = table.melt(["patient_id", "week"], var_name="instrument", value_name="value")
    long = load_cohort(rows)
    assert totals_of(long, "phq9")["value"].tolist() == [9.0, 9.0, 9.0, 17.0]
    assert "PHQ-9: 1 total as given, without items" in long.notes


def test_items_nobody_can_score_stand_beside_their_total():
    name = "iip32"
    assert why_not_scored(instrument(name))
    table = answers(name, n=2).assign(patient_id=["a", "b"], week=0)
    assert "no total of all its items was confirmed" in str(refused(table))
    cohort = load_cohort(table.assign(iip32=[40, 50]))
    assert totals_of(cohort, name)["value"].tolist() == [40.0, 50.0]
    assert len(items_of(cohort, name)) == 64
    assert any("their items are not scored" in note for note in cohort.notes)


def test_totals_and_items_in_rows_are_held_against_one_another():
    table = with_items().melt(["patient_id", "week"], var_name="instrument", value_name="value")
    cohort = load_cohort(table)
    assert totals_of(cohort, "phq9")["value"].tolist() == [9.0] * 4
    assert len(cohort.assessments) == 40
    wrong = table.copy()
    place = wrong.index[wrong["instrument"].eq("phq9") & wrong["patient_id"].eq("b")][0]
    wrong.loc[place, "value"] = 10
    error = refused(wrong)
    assert f"value: PHQ-9: a total that is not that of its items in 1 of 40 rows (row {place})" in str(error)


# ---- items at several visits, one row per person


WIDE = {
    "visits": {"w0": 0, "w12": 12},
    "wide_items": {"phq9": {w: [f"phq9_{n}_{w}" for n in range(1, 10)] for w in ("w0", "w12")}},
}


def wide_table(n=3, seed=1):
    rng = np.random.default_rng(seed)
    columns = [column for visit in WIDE["wide_items"]["phq9"].values() for column in visit]
    return pd.DataFrame(rng.integers(0, 4, (n, 18)), columns=columns).assign(
        patient_id=[f"p{k}" for k in range(n)], arm=(["ipt", "usual_care"] * n)[:n]
    )


def long_table(wide):
    parts = []
    for visit, week in WIDE["visits"].items():
        columns = WIDE["wide_items"]["phq9"][visit]
        part = wide[["patient_id", "arm", *columns]].set_axis(["patient_id", "arm", *PHQ], axis=1)
        parts.append(part.assign(visit=visit, week=week))
    return pd.concat(parts, ignore_index=True)


def test_items_at_several_visits_are_scored():
    table = wide_table()
    cohort = load_cohort(table, WIDE)
    for visit, columns in WIDE["wide_items"]["phq9"].items():
        mine = totals_of(cohort, "phq9")
        mine = mine[mine["visit"].eq(visit)]
        assert mine["value"].tolist() == table[columns].sum(axis=1).tolist()
        kept = items_of(cohort, "phq9")
        assert kept.loc[kept["visit"] == visit, "value"].tolist() == table[columns].to_numpy().ravel().tolist()
    assert any(note.startswith("PHQ-9 at w12 scored from 9 items") for note in cohort.notes)


def test_totals_beside_wide_items_are_checked():
    table = wide_table()
    right = table.assign(total=table[WIDE["wide_items"]["phq9"]["w12"]].sum(axis=1))
    mapping = WIDE | {"wide": {"phq9": {"w12": "total"}}}
    assert len(totals_of(load_cohort(right, mapping), "phq9")) == 6
    wrong = right.assign(total=right["total"] - 1)
    assert "total: PHQ-9 at w12: a total that is not that of its items in 3 of 3 rows" in str(refused(wrong, mapping))


def test_an_impossible_answer_of_a_wide_file_is_named_with_its_visit():
    table = wide_table()
    table.loc[1, "phq9_4_w12"] = 8
    error = refused(table, WIDE)
    assert "PHQ-9 at w12: item phq9_4_w12 is outside 0-3 in 1 row (row 1)" in str(error)


def test_a_visit_of_which_no_item_was_answered_was_not_done():
    table = wide_table().astype(dict.fromkeys(WIDE["wide_items"]["phq9"]["w12"], object))
    table.loc[0, WIDE["wide_items"]["phq9"]["w12"]] = None
    totals = totals_of(load_cohort(table, WIDE), "phq9")
    status = totals.loc[totals["visit"] == "w12", "value_status"].tolist()
    assert status == ["not_done", "observed", "observed"]


def test_the_mapping_of_wide_items_reads_back_from_its_toml(tmp_path):
    plan = read_cohort_mapping(
        WIDE | {"days": {"first": 1}, "sheet": "Data", "instruments": {"phq9": {"cutoff": 12, "source": "x"}}}
    )
    (tmp_path / "map.toml").write_text(plan.to_toml(), encoding="utf-8")
    assert read_cohort_mapping(tmp_path / "map.toml") == plan


@pytest.mark.parametrize(
    ("mapping", "match"),
    [
        (
            {"visits": {"w0": 0}, "wide_items": {"phq9": {"w0": ["a", "b"]}}},
            r"w0: 9 or 10 columns, one per item .* 2 given",
        ),
        ({"wide_items": {"gad7": {"w0": list("abcdefg")}}}, r"\[visits\] does not say the week of: w0"),
        ({"wide_items": {"gad7": {"w0": "a"}}}, "must be a list of column names"),
        ({"wide_items": {"gad7": ["a"]}}, 'must be a table of lines visit = \\["item 1"'),
        ({"visits": {"w0": 0}, "wide_items": {"gadd7": {"w0": ["a"]}}}, "no instrument has that name; near: gad7"),
        ({"visits": {"w0": 0}, "wide_items": {"gad7": {"w0": ["a"] * 7}}}, "source column 'a' is used for"),
        ({"days": {"first": 2}}, r"\[days\] first must be 0 .* or 1"),
        ({"days": {"start": 1}}, r"\[days\] start: only first"),
        ({"sheet": 0}, "sheet must be the name of a sheet"),
        ({"instruments": {"phq9": {"cutoff": 12}}}, r"\[instruments\.phq9\] PHQ-9: a source is needed"),
        ({"instruments": {"phq9": {"cutof": 12, "source": "x"}}}, "no field to set is named 'cutof'"),
        ({"instruments": {"PHQ-9": {"raw_order": True}, "phq9": {"raw_order": True}}}, "is named twice"),
        (
            {"instruments": {"phq9": {"remission": 10, "source": "x"}}},
            r"in remission \(10\) would still be a case \(10\)",
        ),
    ],
)
def test_mappings_that_cannot_be(mapping, match):
    with pytest.raises(OptionError, match=match):
        read_cohort_mapping(mapping)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 10_000), missing=st.lists(st.integers(0, 107), max_size=12))
def test_wide_and_long_items_are_the_same_scores(n, seed, missing):
    made = wide_table(n, seed)
    columns = list(made.columns[:18])
    cells = made[columns].to_numpy(dtype=float, copy=True).ravel()
    cells[[place % cells.size for place in missing]] = np.nan
    wide = pd.DataFrame(cells.reshape(n, 18), columns=columns).join(made[["patient_id", "arm"]])
    from_wide = load_cohort(wide, WIDE).assessments
    from_long = load_cohort(long_table(wide)).assessments
    columns = ["instrument", "item", "visit", "week", "value"]
    # Keys are random: people are told by their order. A visit without any answer is told by the wide file only.
    key = {key: place for place, key in enumerate(dict.fromkeys(from_wide["patient_id"]))}
    one = from_wide[from_wide["value"].notna()].assign(person=from_wide["patient_id"].map(key))
    key = {key: place for place, key in enumerate(dict.fromkeys(from_long["patient_id"]))}
    other = from_long[from_long["value"].notna()].assign(person=from_long["patient_id"].map(key))
    order = ["person", "week", "item"]
    one, other = (part.sort_values(order)[["person", *columns]].reset_index(drop=True) for part in (one, other))
    pd.testing.assert_frame_equal(one, other)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(9)))
def test_the_order_of_columns_and_rows_does_not_matter(seed, order):
    table = long_table(wide_table(4, seed))
    shuffled = table[["week", *[PHQ[k] for k in order], "arm", "visit", "patient_id"]].sample(frac=1, random_state=seed)
    one = totals_of(load_cohort(table), "phq9")
    other = totals_of(load_cohort(shuffled), "phq9")
    assert sorted(one[["week", "value"]].values.tolist()) == sorted(other[["week", "value"]].values.tolist())


# ---- one item per row


QS = pd.DataFrame(
    {
        "USUBJID": ["S1"] * 16,
        "QSTESTCD": [f"GAD020{n}" for n in range(1, 9)] * 2,
        "VISIT": ["VISIT 1"] * 8 + ["VISIT 2"] * 8,
        "QSDY": [1] * 8 + [57] * 8,
        "QSSTRESN": [2, 2, 2, 2, 1, 0, 0, 9, 1, 1, 1, 1, 0, 0, 0, 4],
    }
)
QS_MAPPING = {
    "columns": {
        "patient_id": "USUBJID", "instrument": "QSTESTCD", "value": "QSSTRESN", "visit": "VISIT", "day": "QSDY",
    },
    "days": {"first": 1},
    "codes": {"instrument": {f"GAD020{n}": f"gad7_{n}" for n in range(1, 8)} | {"GAD0208": "gad7"}},
}  # fmt: skip


def test_tests_of_cdisc_are_items_and_totals():
    cohort = load_cohort(QS, QS_MAPPING)
    assert totals_of(cohort, "gad7")[["day", "week", "value"]].values.tolist() == [[0.0, 0.0, 9.0], [56.0, 8.0, 4.0]]
    assert sorted(items_of(cohort, "gad7")["item"]) == sorted([*range(1, 8)] * 2)
    assert cohort.outcome("gad7")["baseline"].tolist() == [9.0]
    wrong = QS.assign(QSSTRESN=[*QS["QSSTRESN"][:-1], 5])
    assert "QSSTRESN: GAD-7: a total that is not that of its items in 1 of 16 rows (row 15)" in str(
        refused(wrong, QS_MAPPING)
    )


def test_a_test_nobody_mapped_is_refused_and_can_be_set_aside():
    other = pd.concat([QS, QS.head(1).assign(QSTESTCD="GDS0201")], ignore_index=True)
    assert "QSTESTCD: 1 name that is no instrument" in str(refused(other, QS_MAPPING))
    cohort = load_cohort(other, QS_MAPPING | {"exclude": {"instrument": {"GDS0201": "not analysed"}}})
    assert cohort.flow.set_index(["step", "reason"]).loc[("set aside", "not analysed"), "rows"] == 1


def test_a_name_and_a_column_of_items_must_agree():
    table = pd.DataFrame({"patient_id": ["a"], "week": [0], "instrument": ["gad7_2"], "item": [3], "value": [1]})
    assert "another item than the name of the instrument says in 1 of 1 row" in str(refused(table))
    assert len(load_cohort(table.assign(item=2)).assessments) == 2


def test_day_0_is_refused_where_the_start_is_day_1():
    error = refused(QS.assign(QSDY=0), QS_MAPPING)
    assert "day 0, though the mapping says that the start is day 1" in str(error)
    before = load_cohort(QS.assign(QSDY=[-1] * 8 + [57] * 8), QS_MAPPING)
    assert before.assessments["day"].unique().tolist() == [-1.0, 56.0]


@pytest.mark.shared
def test_the_tests_of_the_pharmaverse_example(shared):
    table = pd.read_csv(shared / "data" / "clinic" / "cdisc_example_qs.csv")
    gad = sorted(code for code in table["QSTESTCD"].unique() if code.startswith("GAD02"))
    names = {code: f"gad7_{int(code[-2:])}" for code in gad if int(code[-2:]) <= 7}
    rest = sorted(set(table["QSTESTCD"]) - set(names))
    mapping = {
        "columns": {"patient_id": "USUBJID", "instrument": "QSTESTCD", "value": "QSSTRESN", "session_no": "VISITNUM"},
        "codes": {"instrument": names},
        "exclude": {"instrument": dict.fromkeys(rest, "not analysed")},
        "left_out": ["STUDYID", "QSSEQ", "QSTEST", "VISIT", "QSDTC", "QSORRES", "QSCAT"],
    }
    cohort = load_cohort(shared / "data" / "clinic" / "cdisc_example_qs.csv", mapping)
    mine = table[table["QSTESTCD"].isin(names)]
    expected = mine.groupby(["USUBJID", "VISITNUM"], sort=False)["QSSTRESN"].agg(["sum", "count"])
    whole = expected.loc[expected["count"] == 7, "sum"]
    made = totals_of(cohort, "gad7")
    assert sorted(made.loc[made["value"].notna(), "value"]) == sorted(whole.astype(float))


# ---- answers about harm


def test_answers_about_harm_are_flagged_and_totals_never_say_there_is_none():
    table = with_items(phq9_9=[0, 1, 3, None], phq9=None)
    cohort = load_cohort(table)
    rows = cohort.assessments
    assert rows["risk"].equals(risk_flags(rows))
    ninth = rows[rows["item"].eq(9)]
    assert ninth["risk"].tolist() == [False, True, True]
    assert rows.loc[~rows["item"].eq(9), "risk"].isna().all()
    assert "risk" not in cohort.outcome("phq9", include_baseline=True)
    assert any("column risk" in note for note in cohort.notes)


def test_without_items_nothing_is_known_of_harm():
    cohort = load_cohort(pd.DataFrame({"patient_id": ["a"], "week": [0], "phq9": [9]}))
    assert "risk" not in cohort.assessments


def test_the_threshold_of_a_flag_can_be_set():
    table = with_items(phq9_9=[0, 1, 3, 2], phq9=None)
    own = {"phq9": {"risk_items": [{"item": 9, "flag_min": 2}], "source": "the service's rule"}}
    flags = load_cohort(table, {"instruments": own}).assessments
    assert flags.loc[flags["item"].eq(9), "risk"].tolist() == [False, False, True, True]


def test_a_column_risk_of_the_file_is_not_taken_for_ours():
    table = with_items(risk="yes")
    assert "not in the data dictionary (L1): risk" in str(refused(table))
