"""The Metapsy standard: every check on a table made to break it, with its rows, and none on one that keeps it."""

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes import simulate
from ipt_outcomes.io import load_studies

GOOD = {
    "study": ["A", "B", "C"],
    "condition_arm1": "ipt",
    "condition_arm2": "cau",
    "multi_arm1": "individual",
    "multi_arm2": "usual",
    "outcome_type": "msd",
    "instrument": "bdi-2",
    "time": "post",
    "time_weeks": 12,
    "rating": "self-report",
    "mean_arm1": [10.0, 11, 12],
    "mean_arm2": [15.0, 16, 17],
    "sd_arm1": [7.0, 8, 7],
    "sd_arm2": [8.0, 7, 8],
    "n_arm1": [30.0, 40, 50],
    "n_arm2": [31.0, 41, 51],
}


def check(**changes):
    table = pd.DataFrame(GOOD)
    for column, values in changes.items():
        table[column] = values
    return load_studies(table).check()


def found(table, kind):
    return table.loc[table["check"] == kind]


def test_a_table_that_keeps_the_standard_has_no_finding():
    assert check().empty
    assert check().columns.tolist() == ["check", "row", "study", "columns", "detail"]


def test_required_columns():
    table = (
        pd.DataFrame(GOOD).drop(columns=["rating", "time"]).assign(instrument=["bdi-2", None, None], multi_arm1=None)
    )
    lines = found(load_studies(table).check(), "required_column")
    assert lines.loc[lines["row"].isna(), "columns"].tolist() == ["multi_arm1", "time", "rating"]
    assert lines.loc[lines["row"].notna(), ["row", "study", "columns"]].values.tolist() == [
        [1, "B", "instrument"],
        [2, "C", "instrument"],
    ]


def test_results_that_no_column_tells_apart():
    lines = found(check(study=["A", "A", "C"]), "unique_id")
    assert lines["row"].tolist() == [0, 1]
    assert "rows 0, 1 are different results" in lines["detail"].iloc[0]
    assert found(check(study=["A", "A", "C"], multi_arm1=["group", "individual", "group"]), "unique_id").empty
    # The same numbers twice are a duplicate, named once and under that name.
    same = {name: [values[0]] * 3 for name, values in GOOD.items() if isinstance(values, list)}
    lines = check(**same)
    assert found(lines, "unique_id").empty
    assert found(lines, "duplicate")["row"].tolist() == [0, 1, 2]


def test_ids_that_stand_twice():
    lines = found(check(**{".id": ["x", "y", "x"]}), "unique_id")
    assert lines[["row", "study"]].values.tolist() == [[0, "A"], [2, "C"]]


def test_conflicting_effect_data():
    lines = found(check(precalc_g=[0.6, np.nan, 0.6], precalc_g_se=[0.2, np.nan, np.nan]), "conflicting_data")
    assert lines["row"].tolist() == [0]
    assert lines["detail"].iloc[0] == "g can be had from means and SDs and a precalculated g in row 0"
    events = {"event_arm1": [3.0, 4, 5], "event_arm2": [1.0, 2, 3], "totaln_arm1": 30.0, "totaln_arm2": 31.0}
    assert found(check(**events), "conflicting_data").empty
    both = {**events, "precalc_log_rr": [0.1, 0.1, np.nan], "precalc_log_rr_se": 0.2}
    assert found(check(**both), "conflicting_data")["row"].tolist() == [0, 1]


@pytest.mark.parametrize("column", ["condition_arm2", "instrument", "multi_arm1", "rating", "outcome_type"])
def test_names_that_differ_by_a_blank_or_case(column):
    base = GOOD[column]
    lines = found(check(**{column: [base, base.upper() + " ", "other"]}), "names")
    assert lines["row"].tolist() == [0, 1]
    assert lines["columns"].unique().tolist() == [column]


def test_names_of_studies():
    assert found(check(study=["A", "a ", "C"]), "names")["row"].tolist() == [0, 1]


def test_impossible_counts():
    table = check(n_arm1=[1.0, 40.5, 50], rand_arm1=[30.0, 45, 48])
    lines = found(table, "impossible_count")
    assert lines[["row", "detail"]].values.tolist() == [
        [0, "n_arm1 is below 2 in row 0"],
        [1, "n_arm1 is no whole number in row 1"],
        [2, "n_arm1 is above the number randomised (rand_arm1) in row 2"],
    ]


def test_a_control_that_was_shared_out_has_fractions():
    table = pd.DataFrame(GOOD).assign(study="A", condition_arm1=["ipt", "cbt", "ipt"], instrument=["x", "x", "y"])
    table.loc[1, ["mean_arm2", "sd_arm2", "n_arm2"]] = table.loc[0, ["mean_arm2", "sd_arm2", "n_arm2"]].tolist()
    studies = load_studies(table)
    assert found(studies.check(), "shared_control")["row"].tolist() == [0, 1]
    split = studies.split_shared_control()
    assert split.comparisons["n_arm2"].tolist() == [15.5, 15.5, 51]
    assert found(split.check(), "impossible_count").empty
    assert found(split.check(), "shared_control").empty


def test_everything_at_once_and_nothing_changed():
    table = pd.DataFrame(GOOD).assign(
        study=["A", "A ", "C"], instrument=["bdi-2", "BDI-2", "bdi-2"], n_arm1=[30.0, 1, 50], precalc_g=0.7,
        precalc_g_se=0.2, mean_arm1=[10.0, 11, 30],
    ).drop(columns="rating")  # fmt: skip
    studies = load_studies(table)
    before = studies.comparisons.copy()
    lines = studies.check()
    assert set(lines["check"]) >= {"required_column", "conflicting_data", "names", "impossible_count", "sign"}
    pd.testing.assert_frame_equal(studies.comparisons, before)
    assert {str(warning) for warning in studies.warnings} <= set(lines["detail"])


def test_flow_counts_and_html():
    table = pd.DataFrame(GOOD).assign(sd_arm1=[7.0, -1, 7])
    studies = load_studies(table, invalid="exclude")
    assert studies.flow.astype(object).where(studies.flow.notna(), None).values.tolist() == [
        ["read", "", None, 3],
        ["set aside", f"sd_arm1: {studies.excluded['rule'].iloc[0]}", None, 1],
        ["in the table", "", 2, 2],
    ]
    counts = dict(studies.to_frame().itertuples(index=False))
    assert counts["comparisons"] == 2
    assert counts["condition_arm1: ipt"] == 2
    assert counts["rows set aside"] == 1
    html = simulate.studies()._repr_html_()
    assert "simulated" in html
    names = simulate.studies().comparisons["study"].unique()
    assert not any(name in html for name in names)
    assert studies.summary() == studies.describe()
