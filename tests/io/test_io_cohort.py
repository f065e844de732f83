"""Loading patient data: the reported cases, long and wide, times, repeats, baselines, items, exclusions, selection."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import Cohort, load_cohort


def refused(source, mapping=None, **options):
    with pytest.raises(DataError) as caught:
        load_cohort(source, mapping, **options)
    assert caught.value.failures is not None
    assert list(caught.value.failures.columns) == ["row", "column", "rule", "expected", "found"]
    return caught.value


def changes(cohort, instrument="phq9"):
    long = cohort.outcome(instrument)
    return long["value"] - long["baseline"]


# ---- reported cases


def test_case_08_the_site_na_stays(cases):
    cohort = load_cohort(cases / "08-site-code-na" / "people.csv", {"patient_id": "id"})
    site = cohort.patients["site_id"]
    assert site.fillna("<missing>").tolist() == ["NA", "ZA", "<missing>", "None", "NA"]
    assert int(site.eq("NA").sum()) == 2
    assert int(site.isna().sum()) == 1
    assert cohort.episodes["arm"].tolist() == ["ipt", "other_control", "ipt", "other_control", "other_control"]


def test_case_09_leading_zeros_make_different_people(cases):
    folder = cases / "09-leading-zero-ids"
    visits, arms = (pd.read_csv(folder / f"{name}.csv", dtype=str) for name in ("visits", "arms"))
    cohort = load_cohort(visits.merge(arms, on="id"), {"patient_id": "id"})
    assert len(cohort.patients) == 3
    assert int(cohort.episodes["arm"].eq("ipt").sum()) == 2
    long = cohort.outcome("phq9")
    change = (long["value"] - long["baseline"]).groupby(long["arm"].astype(str)).mean()
    assert change.to_dict() == {"ipt": -9.0, "other_control": -1.0}
    warned = [entry for entry in cohort.gate.entries if entry.rule == "L12"]
    assert [(entry.action, entry.count) for entry in warned] == [("warned", 3)]
    assert "differ only by leading zeros" in warned[0].detail
    assert "007" not in cohort.gate.summary()


def test_case_09_from_the_file_itself(cases):
    assert len(load_cohort(cases / "09-leading-zero-ids" / "visits.csv", {"patient_id": "id"}).patients) == 3


ITEMS = {"patient_id": "id"} | {f"phq9_{n}": f"i{n}" for n in range(1, 11)}


def test_case_10_an_impossible_item_is_named_with_its_row_and_without_its_value(cases):
    error = refused(cases / "10-phq9-incomplete-and-item-10" / "phq.csv", ITEMS)
    assert "PHQ-9: item i4 is outside 0-3 in 1 row (row 7)" in str(error)
    assert error.failures[["row", "column", "rule"]].values.tolist() == [[7, "i4", "range"]]
    assert error.failures["found"].tolist() == [4.0]


def test_case_10_totals_are_prorated_by_the_rule_and_item_10_is_not_counted(cases):
    table = pd.read_csv(cases / "10-phq9-incomplete-and-item-10" / "phq.csv", dtype=str)
    cohort = load_cohort(table[table["id"] != "F"], ITEMS)
    totals = cohort.assessments[cohort.assessments["item"].eq(0)]
    assert totals["value"].round(6).fillna(-1).tolist() == [10.0, 10.125, 11.571429, -1, -1, 27.0]
    assert totals["value_status"].fillna("").tolist() == [
        "observed",
        "prorated",
        "prorated",
        "incomplete",
        "",
        "observed",
    ]
    items = cohort.assessments[cohort.assessments["item"].gt(0)]
    assert items["item"].max() == 9
    assert len(items) == 9 + 8 + 7 + 6 + 0 + 9
    assert any("up to 2 unanswered items of 9" in note for note in cohort.notes)


def test_case_13_repeats_are_refused_and_counted_by_kind(cases):
    error = refused(cases / "13-duplicate-and-negative-visits" / "visits.csv", {"patient_id": "id"})
    text = str(error)
    assert "1 person has different values at the same time" in text
    assert "1 person has an exact repeat" in text
    assert 'rule = "mean"' in text
    assert "P3" not in text
    assert "P4" not in text
    assert error.rows == (7, 8, 10, 11)
    assert set(error.failures["found"]) == {""}


def test_case_13_exact_drops_repeats_only(cases):
    table = pd.read_csv(cases / "13-duplicate-and-negative-visits" / "visits.csv")
    mapping = {"patient_id": "id", "duplicates": {"rule": "exact"}}
    error = refused(table, mapping)
    assert "different values" in str(error)
    assert error.rows == (5, 6)
    kept = load_cohort(table[table["id"] != "P3"], mapping)
    entry = next(entry for entry in kept.gate.entries if entry.rule == "L12")
    assert (entry.action, entry.count) == ("changed", 1)
    long = kept.outcome("phq9")
    assert long["baseline"].fillna(-1).tolist() == [17.0, 22.0, 20.0, -1.0]
    assert (long["value"] - long["baseline"]).tolist()[:2] == [-9.0, -10.0]
    flow = kept.flow.set_index(["step", "reason"])["people"]
    assert flow["without a baseline", "phq9"] == 1


@pytest.mark.parametrize(
    ("rule", "expected"), [("first", 15.0), ("last", 14.0), ("mean", 14.5), ("lowest", 14.0), ("highest", 15.0)]
)
def test_case_13_other_rules_settle_conflicts(cases, rule, expected):
    path = cases / "13-duplicate-and-negative-visits" / "visits.csv"
    cohort = load_cohort(path, {"patient_id": "id", "duplicates": {"rule": rule}})
    assert cohort.outcome("phq9")["baseline"].tolist()[2] == expected
    assert len(cohort.assessments) == 10
    entry = next(entry for entry in cohort.gate.entries if entry.rule == "L12")
    assert entry.count == 2
    assert f"settled by the rule '{rule}'" in entry.detail


# ---- bad input of all kinds


GOOD = pd.DataFrame(
    {
        "patient_id": ["a1", "a1", "b2", "b2"],
        "week": [0, 8, 0, 8],
        "arm": ["IPT", "IPT", "TAU", "TAU"],
        "phq9": [18, 9, 21, 20],
    }
)


def test_unknown_columns_are_listed_at_once_with_the_way_on():
    error = refused(GOOD.assign(zz=1, site_idd="x", comment_long="y"))
    text = str(error)
    assert "3 columns are not in the data dictionary (L1): zz, site_idd (near: site_id), comment_long" in text
    assert 'left_out = ["zz", "site_idd", "comment_long"]' in text
    assert "[covariates]" in text
    assert error.failures["column"].tolist() == ["zz", "site_idd", "comment_long"]


def test_columns_left_out_are_in_the_gate():
    cohort = load_cohort(GOOD.assign(zz=1), {"left_out": ["zz"]})
    entry = cohort.gate.entries[0]
    assert (entry.rule, entry.action, entry.column) == ("L1", "left out", "zz")


def test_a_score_of_31_is_refused_with_its_row_and_without_its_value(tmp_path):
    path = tmp_path / "trial.csv"
    GOOD.assign(phq9=[18, 31, 21, 20]).to_csv(path, index=False)
    error = refused(path)
    assert "phq9: outside 0-27 in 1 of 4 rows (row 3)" in str(error)
    assert "31" not in str(error)
    assert error.failures.values.tolist() == [[3, "phq9", "range", "0-27", "31"]]


def test_arms_nobody_mapped_are_listed_with_the_lines_to_write():
    error = refused(GOOD.assign(arm=["1", "1", "2", "2"]))
    text = str(error)
    assert "arm: codes of arm that are not known: '1' in 2 rows; '2' in 2 rows" in text
    assert '[codes.arm]\n"1" = "..."\n"2" = "..."' in text


def test_near_codes_are_offered_and_never_taken():
    assert "near: medication" in str(refused(GOOD.assign(arm=["IPT", "IPT", "medicaton", "medicaton"])))


def test_an_ambiguous_area_is_asked_for():
    table = GOOD.assign(problem_area=["grief", "grief", "adjustment difficulties", "adjustment difficulties"])
    assert "it may be a role transition, or grief" in str(refused(table))
    mapping = {"codes": {"problem_area": {"Adjustment Difficulties": "role_transition"}}}
    assert load_cohort(table, mapping).episodes["problem_area_primary"].tolist() == ["grief", "role_transition"]


def test_one_arm_and_nobody_after_baseline_load_and_are_in_the_flow():
    one = load_cohort(GOOD[GOOD["arm"] == "IPT"])
    assert one.episodes["arm"].cat.categories.tolist() == ["ipt"]
    early = load_cohort(GOOD[GOOD["week"] == 0])
    flow = early.flow.set_index(["step", "reason"])["people"]
    assert flow["without a score after baseline", "phq9"] == 2
    assert early.outcome("phq9").empty


def test_a_row_without_a_person_is_refused():
    error = refused(GOOD.assign(patient_id=["a1", None, "b2", " "]))
    assert "patient_id: no person's id in 2 of 4 rows (rows 1, 3)" in str(error)


def test_no_person_column():
    error = refused(GOOD.drop(columns="patient_id"))
    assert "no column says which person a row is about" in str(error)
    assert 'patient_id = "your column"' in str(error)


@pytest.mark.parametrize("column", ["arm", "sex", "site", "age"])
def test_what_may_not_differ_within_a_person(column):
    values = {"arm": ["IPT", "TAU"], "sex": ["f", "m"], "site": ["N", "S"], "age": [30, 31]}[column]
    table = GOOD.drop(columns="arm").assign(**{column: [values[0], values[1], values[0], values[0]]})
    error = refused(table)
    assert "differs between rows of one person for 1 person (L12)" in str(error)
    assert 'patient_id = ["site", "id"]' in str(error)


def test_ids_that_restart_in_each_site_are_told_apart_by_a_compound_id():
    table = GOOD.assign(patient_id=["1", "1", "1", "1"], site=["N", "N", "S", "S"])
    refused(table)
    cohort = load_cohort(table, {"patient_id": ["site", "patient_id"], "site": "site"})
    assert len(cohort.patients) == 2
    assert cohort.patients["site_id"].tolist() == ["N", "S"]


def test_a_site_that_changes_has_to_be_declared_and_stays_with_its_score():
    table = GOOD.drop(columns="arm").assign(site=["N", "S", "S", "S"], therapist=["t1", "t2", "t2", "t2"])
    assert 'varies = ["site"]' in str(refused(table))
    cohort = load_cohort(table, {"varies": ["site"]})
    long = cohort.outcome("phq9", include_baseline=True)
    assert long["site"].tolist() == ["N", "S", "S", "S"]
    assert long["therapist"].nunique() == 2
    assert cohort.episodes["site_id"].tolist() == ["N", "S"]
    assert sum(entry.rule == "L12" for entry in cohort.gate.entries) == 2


def test_every_kind_of_fault_in_one_error():
    table = GOOD.assign(
        arm=["1", "1", "2", "2"], phq9=[18, 99, 21, 20], zz=1, sex=["f", "m", "f", "f"], age=[30, 30, -1, -1]
    )
    text = str(refused(table))
    for part in ("(L1): zz", "codes of arm", "outside 0-27", "sex differs", "age that is not at least 0"):
        assert part in text
    assert "refused for 5 reasons" in text


def test_words_in_a_score_column_are_counted_and_not_shown():
    error = refused(GOOD.assign(phq9=["18", "ill", "21", "20"]))
    assert "phq9: no number in 1 of 4 rows (row 1)" in str(error)
    assert "ill" not in str(error).replace("will", "")
    assert error.failures["found"].tolist() == ["text"]


def test_nas_of_r_are_missing_numbers_and_noted():
    cohort = load_cohort(GOOD.assign(phq9=["18", "NA", "21", "20"]))
    assert cohort.assessments["value"].isna().sum() == 1
    assert any("R's mark" in note for note in cohort.notes)


def test_two_columns_that_could_be_the_same():
    error = refused(GOOD.assign(**{"PHQ-9": 1}))
    assert "more than one column could be phq9: phq9, PHQ-9" in str(error)


def test_dates_are_refused_unless_left_out():
    table = GOOD.assign(when=pd.to_datetime(["2019-03-04"] * 4), start="2019-03-04")
    text = str(refused(table))
    assert "when: dates are not read (L5)" in text
    assert "start: dates are not read (L5)" in text
    assert "2019" not in text
    assert len(load_cohort(table, {"left_out": ["when", "start"]}).patients) == 2
    as_week = GOOD.assign(week=["2019-03-04", "2019-05-01", "2019-03-04", "2019-05-02"])
    assert "week: holds dates, which are not read (L5)" in str(refused(as_week))


def test_what_is_no_table():
    with pytest.raises(OptionError, match="a path or a pandas DataFrame was expected"):
        load_cohort(3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no rows"):
        load_cohort(GOOD.head(0))
    with pytest.raises(DataError, match="same name"):
        load_cohort(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(IptError, match=r"there is no file none\.csv") as caught:
        load_cohort("some/folder/none.csv")
    assert "some" not in str(caught.value)


def test_row_count_and_digest():
    cohort = load_cohort(GOOD, expect_rows=4)
    assert load_cohort(GOOD, sha256=cohort.source.sha256).source == cohort.source
    with pytest.raises(IptError, match="5 were expected"):
        load_cohort(GOOD, expect_rows=5)
    with pytest.raises(IptError, match="not the one expected"):
        load_cohort(GOOD, sha256="0" * 64)


# ---- times


def test_weeks_from_days():
    cohort = load_cohort(GOOD.rename(columns={"week": "day"}).assign(day=[0, 28, -3, 27]))
    assert cohort.outcome("phq9", include_baseline=True)["week"].tolist() == pytest.approx([0, 4, -3 / 7, 27 / 7])
    assert any("day divided by 7" in note for note in cohort.notes)


def test_weeks_from_visits():
    table = GOOD.rename(columns={"week": "visit"}).assign(visit=["Baseline", "post", "Baseline", "post"])
    error = refused(table)
    assert "the week of these visits is not known: post" in str(error)
    assert '[visits]\n"post" = ...' in str(error)
    cohort = load_cohort(table, {"visits": {"post": 12}})
    long = cohort.outcome("phq9")
    assert long["week"].tolist() == [12.0, 12.0]
    assert long["visit"].tolist() == ["post", "post"]


def test_sessions_are_weeks_only_where_nothing_else_tells_the_time():
    cohort = load_cohort(GOOD.rename(columns={"week": "session_no"}).assign(session_no=[1, 2, 1, 2]))
    assert cohort.outcome("phq9", include_baseline=True)["week"].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert any("session 1 is week 0" in note for note in cohort.notes)
    assert cohort.sessions["session_no"].tolist() == [1.0, 2.0, 1.0, 2.0]
    timed = load_cohort(GOOD.assign(session_no=[1, 2, 1, 2]))
    assert timed.outcome("phq9")["week"].tolist() == [8.0, 8.0]


def test_without_any_time_several_rows_are_repeats():
    error = refused(GOOD.drop(columns="week"))
    assert "No column tells the time" in str(error)
    assert len(load_cohort(GOOD.drop(columns="week").drop_duplicates("patient_id")).outcome("phq9")) == 2


def test_the_baseline_is_the_last_score_at_or_before_week_0():
    table = pd.DataFrame({"patient_id": ["a"] * 3, "week": [-2, -1, 8], "phq9": [20, 18, 9]})
    assert load_cohort(table).outcome("phq9")["baseline"].tolist() == [18.0]
    undecided = pd.DataFrame(
        {"patient_id": ["a"] * 3, "week": [0, 0, 8], "visit": ["screening", "baseline", "post"], "phq9": [20, 18, 9]}
    )
    assert "the baseline is undecided" in str(refused(undecided))


# ---- long, wide, one score per row


def test_a_visit_without_a_score_is_a_row_unless_nobody_has_one_then():
    table = GOOD.assign(hrsd17=[22, None, 24, None], phq9=[18, None, 21, 20])
    cohort = load_cohort(table)
    rows = cohort.assessments.groupby("instrument").size()
    assert rows.to_dict() == {"hrsd17": 2, "phq9": 4}
    missing = cohort.assessments[cohort.assessments["value"].isna()]
    assert missing["value_status"].isna().all()


WIDE = pd.DataFrame({"nr": [1, 2, 3], "gp": ["IPT", "TAU", "IPT"], "m0": [30, 28, 33], "m6": [12, None, 999]})
WIDE_MAPPING = {
    "patient_id": "nr",
    "arm": "gp",
    "visits": {"baseline": 0, "month_6": 26},
    "wide": {"madrs": {"baseline": "m0", "month_6": "m6"}},
    "missing": {"m6": {"999": "moved away"}},
}


def test_wide_files():
    cohort = load_cohort(WIDE, WIDE_MAPPING)
    long = cohort.outcome("madrs")
    assert long["week"].tolist() == [26.0] * 3
    assert long["value"].fillna(-1).tolist() == [12.0, -1, -1]
    assert long["value_status"].tolist() == ["observed", "not_done", "not_done"]
    assert long["missing_reason"].fillna("").tolist() == ["", "", "moved away"]
    assert long["baseline"].tolist() == [30.0, 28.0, 33.0]
    entry = next(entry for entry in cohort.gate.entries if entry.rule == "L11")
    assert (entry.column, entry.count) == ("m6", 1)


def test_a_wide_file_with_a_person_twice_is_refused():
    assert "an exact repeat" in str(refused(pd.concat([WIDE, WIDE.head(1)]), WIDE_MAPPING))


def test_one_score_per_row_with_its_instrument():
    table = pd.DataFrame(
        {
            "patient_id": ["a"] * 4,
            "week": [0, 0, 8, 8],
            "instrument": ["PHQ-9", "GAD-7", "PHQ-9", "GAD-7"],
            "value": [18, 12, 9, 5],
        }
    )
    cohort = load_cohort(table)
    assert cohort.instruments == ("gad7", "phq9")
    assert cohort.outcome("gad7")[["value", "baseline"]].values.tolist() == [[5.0, 12.0]]
    assert "GAD-7 outside 0-21 in 1 of 4 rows" in str(refused(table.assign(value=[18, 22, 9, 5])))
    assert "no instrument: 'PHQX'" in str(refused(table.assign(instrument=["PHQX", "GAD-7", "PHQX", "GAD-7"])))
    kept = load_cohort(
        table.assign(instrument=["x", "GAD-7", "x", "GAD-7"]), {"exclude": {"instrument": {"x": "not analysed"}}}
    )
    assert kept.instruments == ("gad7",)
    assert "no column that names" not in str(refused(table.drop(columns="instrument")))
    assert "without a column that names their instrument" in str(refused(table.drop(columns="instrument")))


def test_the_baseline_in_a_column_of_its_own():
    table = GOOD[GOOD["week"] > 0].assign(base=[18, 21])
    mapping = {"baseline": {"phq9": "base"}}
    cohort = load_cohort(table, mapping)
    assert changes(cohort).tolist() == [-9.0, -1.0]
    assert len(cohort.assessments) == 4
    both = load_cohort(GOOD.assign(base=[18, 18, 21, 21]), mapping)
    assert len(both.assessments) == 4
    assert "is not the score at week 0 for 1 person" in str(refused(GOOD.assign(base=[17, 17, 21, 21]), mapping))
    assert "differs between rows of one person" in str(refused(GOOD.assign(base=[18, 17, 21, 21]), mapping))
    filled = load_cohort(GOOD.assign(phq9=[None, 9, 21, 20], base=[18, 18, 21, 21]), mapping)
    assert changes(filled).tolist() == [-9.0, -1.0]
    assert "base: outside 0-27" in str(refused(GOOD.assign(base=[99, 99, 21, 21]), mapping))


def test_items_named_for_their_instrument_need_no_mapping_when_they_are_all_there():
    items = {f"gad7_{n}": [1, 2] for n in range(1, 8)}
    cohort = load_cohort(pd.DataFrame({"patient_id": ["a", "b"], "week": [0, 0]} | items))
    assert cohort.outcome("gad7", include_baseline=True)["value"].tolist() == [7.0, 14.0]
    some = pd.DataFrame({"patient_id": ["a", "b"], "gad7_1": [1, 2], "gad7_2": [1, 2]})
    assert "2 columns are not in the data dictionary (L1)" in str(refused(some))


def test_a_total_that_is_not_that_of_its_items_is_refused():
    items = {f"gad7_{n}": [1, 2] for n in range(1, 8)}
    table = pd.DataFrame({"patient_id": ["a", "b"], "week": [0, 0], "gad7": [7, 13]} | items)
    assert "a total that is not that of its items in 1 of 2 rows (row 1)" in str(refused(table))
    assert load_cohort(table.assign(gad7=[7, 14])).outcome("gad7", include_baseline=True)["value"].tolist() == [
        7.0,
        14.0,
    ]


# ---- episodes, sessions, areas


def test_two_treatments_of_one_person():
    table = GOOD.assign(patient_id="a", episode_id=["e1", "e1", "e2", "e2"])
    cohort = load_cohort(table)
    assert (len(cohort.patients), len(cohort.episodes)) == (1, 2)
    assert cohort.episodes["arm"].tolist() == ["ipt", "usual_care"]
    assert changes(cohort).tolist() == [-9.0, -1.0]
    assert not {"e1", "e2"} & set(cohort.episodes["episode_id"])


def test_sessions():
    table = pd.DataFrame(
        {
            "patient_id": ["a"] * 3 + ["b"] * 2,
            "session_no": [1, 2, 3, 1, 2],
            "day": [0, 7, 14, 0, 9],
            "phase": ["Initial phase", "middle", "ending", "initial", "middle"],
            "attended": ["attended", "DNA", "seen", "attended", "attended"],
            "format": ["phone", "individual", "individual", "individual", "individual"],
            "phq9": [18, None, 9, 21, 20],
        }
    )
    cohort = load_cohort(table)
    assert cohort.sessions["phase"].tolist() == ["initial", "middle", "termination", "initial", "middle"]
    assert cohort.sessions["attended"].tolist() == ["attended", "dna", "attended", "attended", "attended"]
    assert cohort.sessions["format"].tolist()[0] == "telephone"
    assert "format" not in cohort.episodes
    assert cohort.sessions["day"].tolist() == [0, 7, 14, 0, 9]
    assert cohort.sessions["patient_id"].isin(cohort.patients["patient_id"]).all()
    conflict = pd.concat([table, table.head(1).assign(phase="middle")])
    assert "phase differs between rows of one session" in str(refused(conflict))
    assert "no column numbers the sessions" in str(
        refused(table.drop(columns="session_no").rename(columns={"day": "week"}))
    )


@pytest.mark.parametrize(
    ("days", "areas", "declared", "expected"),
    [
        ([0, 0, -1, -1], ["grief", "grief", "dispute", "dispute"], None, "before"),
        ([0, 0, 5, 5], ["grief", "grief", "dispute", "dispute"], None, "after"),
        ([0, 0, None, None], ["grief", "grief", "dispute", "dispute"], None, "unknown"),
        ([0, 0, None, None], ["grief", "grief", None, None], None, "unknown"),
        ([None] * 4, ["grief", "grief", "dispute", "dispute"], "before", "before"),
        ([None] * 4, ["grief", "grief", "dispute", "dispute"], "after", "after"),
    ],
)
def test_when_areas_were_set(days, areas, declared, expected):
    table = GOOD.assign(area_set_day=days, problem_area=areas)
    mapping = {"areas": {"set": declared}} if declared else None
    assert load_cohort(table, mapping).area_set == expected


def test_a_declaration_the_data_contradict_is_refused():
    table = GOOD.assign(area_set_day=[0, 0, 5, 5], problem_area="grief")
    with pytest.raises(DataError, match="but 1 were set after it"):
        load_cohort(table, {"areas": {"set": "before"}})


def test_arms_and_areas_are_in_the_order_of_the_vocabulary():
    table = pd.DataFrame(
        {
            "patient_id": list("abcd"),
            "arm": ["ipt", "cbt", "tau", "wl"],
            "problem_area": ["transition", "none", "grief", "dispute"],
        }
    )
    episodes = load_cohort(table).episodes
    assert episodes["arm"].cat.categories.tolist() == ["waitlist", "usual_care", "cbt", "ipt"]
    assert episodes["problem_area_primary"].cat.categories.tolist() == [
        "grief",
        "role_dispute",
        "role_transition",
        "none_set",
    ]


# ---- missing codes, exclusions, covariates


def test_codes_for_missing_do_not_touch_ids():
    table = GOOD.assign(patient_id=["999", "999", "7", "7"], phq9=[18, 999, 21, 20])
    cohort = load_cohort(table, {"missing": {"*": {"999": "not answered"}}})
    assert len(cohort.patients) == 2
    assert cohort.assessments["missing_reason"].dropna().tolist() == ["not answered"]


def test_people_set_aside_are_counted_in_the_flow():
    table = GOOD.assign(arm=["IPT", "IPT", "9", "9"])
    cohort = load_cohort(table, {"exclude": {"arm": {"9": "withdrew before allocation"}}})
    assert cohort.flow.iloc[:3].fillna(-1).values.tolist() == [
        ["in the file", "", 2, 4],
        ["set aside", "withdrew before allocation", 1, 2],
        ["loaded", "", 1, 2],
    ]
    assert cohort.episodes["arm"].tolist() == ["ipt"]
    with pytest.raises(DataError, match="no rows are left"):
        load_cohort(table, {"exclude": {"arm": {"9": "x", "ipt": "y"}}})


def test_rows_set_aside_by_visit_and_people_by_a_column_that_is_not_read():
    table = GOOD.assign(visit=["base", "post", "base", "post"], consent=["1", "1", "0", "0"])
    mapping = {"exclude": {"consent": {"0": "no consent"}, "visit": {"post": "not analysed"}}}
    cohort = load_cohort(table, mapping)
    assert len(cohort.assessments) == 1
    assert cohort.flow[["step", "people", "rows"]].fillna(-1).values.tolist()[1:4] == [
        ["set aside", 1, 2],
        ["set aside", 0, 1],
        ["loaded", 1, 1],
    ]


def test_covariates():
    table = GOOD.assign(endog=[0, 0, 1, 1], marit=["m", "m", "s", "s"])
    cohort = load_cohort(table, {"covariates": {"endogenous": "endog", "marital": "marit"}})
    assert cohort.patients["endogenous"].tolist() == [0.0, 1.0]
    assert cohort.patients["marital"].tolist() == ["m", "s"]
    assert "endogenous" in cohort.outcome("phq9")
    changing = table.assign(endog=[0, 1, 1, 1])
    assert "endogenous differs" in str(
        refused(changing, {"covariates": {"endogenous": "endog"}, "left_out": ["marit"]})
    )


def test_constants():
    cohort = load_cohort(GOOD.drop(columns="arm"), {"constants": {"arm": "TAU", "planned_sessions": 16}})
    assert cohort.episodes["arm"].tolist() == ["usual_care", "usual_care"]
    assert cohort.episodes["planned_sessions"].tolist() == [16.0, 16.0]


# ---- the cohort


def test_where_keeps_people_and_says_so():
    table = GOOD.assign(site=["N", "N", "S", "S"])
    cohort = load_cohort(table)
    kept = cohort.where(arm="care as usual")
    assert len(kept.patients) == len(kept.episodes) == 1
    assert len(kept.assessments) == 2
    assert kept.episodes["arm"].cat.categories.tolist() == ["usual_care"]
    assert kept.flow["step"].tolist()[:3] == ["in the file", "loaded", "kept"]
    assert "1 of 2 people kept: arm = care as usual" in kept.notes
    assert len(cohort.where({"site": ["n", "S"]}).patients) == 2
    assert len(cohort.where(site="N", arm=["ipt", "cbt"]).patients) == 1


def test_where_refuses_what_is_not_there():
    cohort = load_cohort(GOOD.assign(site=["N", "N", "S", "S"]))
    with pytest.raises(OptionError, match=r"(?s)no one has site = X.*There is: N, S"):
        cohort.where(site="X")
    with pytest.raises(OptionError, match="Near: site_id"):
        cohort.where(site_idd="N")
    with pytest.raises(OptionError, match="not chosen by id"):
        cohort.where(patient_id="a1")
    with pytest.raises(OptionError, match="meets all conditions"):
        cohort.where(site="N", arm="TAU")
    with pytest.raises(OptionError, match="at least one"):
        cohort.where()
    with pytest.raises(OptionError, match="at least one value"):
        cohort.where(site=[])


def test_what_a_cohort_shows_of_itself_is_counts():
    cohort = load_cohort(GOOD, simulated=True)
    shown = [repr(cohort), str(cohort), cohort.summary(), cohort._repr_html_()]
    for text in shown:
        assert "a1" not in text
        assert not any(key in text for key in cohort.patients["patient_id"])
    assert repr(cohort) == "Cohort of 2 simulated people from data frame: PHQ-9"
    assert "scores, PHQ-9: 4" in cohort.summary()
    hostile = load_cohort(GOOD)
    assert "<script" not in hostile._repr_html_()


def test_outcome_of_an_instrument_that_is_not_there():
    with pytest.raises(OptionError, match="it has phq9"):
        load_cohort(GOOD).outcome("gad7")


def test_a_frame_of_any_dtype_is_the_same_data():
    nullable = GOOD.convert_dtypes()
    texts = GOOD.astype(str)
    categories = GOOD.astype({"arm": "category", "patient_id": "category"})
    expected = load_cohort(GOOD).outcome("phq9").drop(columns=["patient_id", "episode_id"])
    for table in (nullable, texts, categories, GOOD.set_index(pd.Index([5, 5, 6, 7]))):
        found = load_cohort(table).outcome("phq9").drop(columns=["patient_id", "episode_id"])
        pd.testing.assert_frame_equal(found, expected)
    before = GOOD.copy()
    load_cohort(GOOD)
    pd.testing.assert_frame_equal(GOOD, before)


def test_decimal_comma(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("patient_id;week;phq9\na;0,0;18,5\na;2,5;9,0\n", encoding="utf-8")
    long = load_cohort(path).outcome("phq9")
    assert long[["week", "value", "baseline"]].values.tolist() == [[2.5, 9.0, 18.5]]
    assert load_cohort(path, decimal=",").source.decimal == ","


def test_the_public_name():
    assert ipt.load_cohort is load_cohort
    assert isinstance(ipt.load_cohort(GOOD), Cohort)
    assert np.isfinite(ipt.load_cohort(GOOD).outcome("phq9")["value"]).all()


def test_items_in_rows_are_scored():
    answers = pd.DataFrame(
        {
            "patient_id": ["a"] * 14,
            "week": [0] * 7 + [8] * 7,
            "instrument": "GAD-7",
            "item": [*range(1, 8)] * 2,
            "value": [3] * 7 + [1] * 7,
        }
    )
    cohort = load_cohort(answers)
    assert cohort.outcome("gad7")[["value", "baseline"]].values.tolist() == [[7.0, 21.0]]
    assert len(cohort.assessments) == 16
    shuffled = load_cohort(answers.sample(frac=1, random_state=1)).outcome("gad7")
    assert shuffled[["value", "baseline"]].values.tolist() == [[7.0, 21.0]]
    outside = str(refused(answers.assign(value=[4] + [3] * 13)))
    assert "answers to items of GAD-7 outside 0-3 in 1 of 14 rows (row 0)" in outside
    assert "1 row has a higher number" in str(refused(answers.assign(item=[8, *range(2, 8), *range(1, 8)])))
    unanswered = answers[~((answers["week"] == 8) & (answers["item"] == 3))]
    long = load_cohort(unanswered).outcome("gad7")
    assert long["value"].isna().all()
    assert long["value_status"].tolist() == ["incomplete"]


def test_what_is_odd_but_possible_is_noted():
    cohort = load_cohort(GOOD.assign(day=[0, 28, 0, 56]), {"codes": {"sex": {"1": "female"}}})
    assert "week and day are more than a week apart in 1 row; the week counts" in cohort.notes
    assert "codes of the mapping that nothing uses, as no column gives sex" in cohort.notes
    late = load_cohort(GOOD.assign(week=[0, 900, 0, 8]))
    assert any("map it as day" in note for note in late.notes)
