"""The baseline table against R's tableone, and the case of blank and missing levels."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.trial import TableOne, table_one

HERE = Path(__file__).resolve().parent
CONTINUOUS = ["baseline", "age", "hamd17", "previous_episodes"]
CATEGORICAL = ["sex", "employment", "problem_area", "site", "medication_concurrent"]


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    frame = pd.read_csv(HERE.parent / "reference" / "trial" / "baseline_table.csv")
    return frame.assign(arm=pd.Categorical(frame["arm"], categories=["TAU", "IPT", "CBT"]))


@pytest.fixture(scope="module")
def table(people: pd.DataFrame) -> TableOne:
    return table_one(people, arm="arm", continuous=CONTINUOUS, categorical=CATEGORICAL)


@pytest.mark.parametrize("arm", ["all", "TAU", "IPT", "CBT"])
@pytest.mark.parametrize("variable", CONTINUOUS)
def test_means_and_quartiles(table: TableOne, reference: Any, arm: str, variable: str) -> None:
    expected = reference("trial/table1_continuous")["cells"][arm][variable]
    row = table.continuous.query("variable == @variable and arm == @arm").iloc[0]
    for name in ("n", "missing", "mean", "sd", "median", "q1", "q3"):
        assert row[name] == pytest.approx(expected[name], rel=1e-9)


@pytest.mark.parametrize("arm", ["all", "TAU", "IPT", "CBT"])
@pytest.mark.parametrize("variable", CATEGORICAL)
def test_levels_with_their_denominators(table: TableOne, reference: Any, arm: str, variable: str) -> None:
    expected = reference("trial/table1_categorical")["cells"][arm][variable]
    rows = table.categorical.query("variable == @variable and arm == @arm").set_index("level")
    assert rows.loc["missing", "n"] == expected["missing"]
    for level in expected["levels"]:
        row = rows.loc[level["level"]]
        assert (row["n"], row["denominator"]) == (level["n"], level["denominator"])
        assert row["percent"] == pytest.approx(level["percent"], rel=1e-9)
        assert row["percent_of_all"] == pytest.approx(level["percent_of_all"], rel=1e-9)


def test_standardised_differences(table: TableOne, reference: Any) -> None:
    for pair in reference("trial/table1_smd")["pairs"]:
        rows = table.differences[table.differences[["arm1", "arm2"]].eq([pair["arm1"], pair["arm2"]]).all(axis=1)]
        found = rows.set_index("variable")["smd"]
        for variable, smd in pair["smd"].items():
            assert found[variable] == pytest.approx(smd, rel=1e-9)


def test_blank_and_missing_are_one_row(cases: Path) -> None:
    folder = cases / "07-table-one-missing-levels"
    expected = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))["expected"]
    read = pd.read_csv(folder / "baseline.csv")
    # In memory a blank and a missing value can differ: the table must not tell them apart.
    read["recurrent"] = [" " if pd.isna(v) and i % 2 else v for i, v in enumerate(read["recurrent"])]
    before = read.copy()
    table = table_one(read, arm="arm", categorical=["recurrent", "sex"])
    pd.testing.assert_frame_equal(read, before)
    for arm in ("IPT", "Control"):
        for level in ("yes", "no"):
            assert table.cell("recurrent", arm, level) == expected["recurrent"][f"{arm}_{level}"]
        assert table.cell("recurrent", arm, "missing") == str(expected["recurrent"][f"{arm}_missing"])
        assert table.cell("sex", arm, 1.0) == expected["sex_1"][arm]
    assert table.cell("sex", "Control", "missing") == str(expected["sex_1"]["Control_missing"])
    assert set(table.categorical["level"]) == {"yes", "no", "missing", "0", "1"}


def test_an_arm_with_nobody_known_gives_no_number() -> None:
    people = pd.DataFrame({"arm": ["a", "a", "b"], "age": [np.nan, np.nan, 30.0], "sex": [None, "", "f"]})
    table = table_one(people, arm="arm", continuous=["age"], categorical=["sex"])
    row = table.continuous.query("arm == 'a'").iloc[0]
    assert (row["n"], row["missing"]) == (0, 2)
    assert np.isnan(row["mean"])
    assert table.differences["smd"].isna().all()
    assert table.cell("sex", "a", "f") == "0/0 (–)"


def test_one_value_has_no_spread() -> None:
    people = pd.DataFrame({"arm": ["a", "a", "b", "b"], "x": [2.0, 2.0, 2.0, 2.0], "y": [1.0, 1.0, 2.0, 2.0]})
    differences = table_one(people, arm="arm", continuous=["x", "y"]).differences.set_index("variable")["smd"]
    assert differences["x"] == 0
    assert np.isnan(differences["y"])


def test_the_order_of_rows_does_not_matter(people: pd.DataFrame, table: TableOne) -> None:
    shuffled = people.sample(frac=1, random_state=3)
    again = table_one(shuffled, arm="arm", continuous=CONTINUOUS, categorical=CATEGORICAL)
    pd.testing.assert_frame_equal(again.categorical, table.categorical)
    pd.testing.assert_frame_equal(again.differences, table.differences, check_exact=False, rtol=1e-12)


def test_bad_input_is_refused_in_words(people: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="no column 'agee'"):
        table_one(people, arm="arm", continuous=["agee"])
    with pytest.raises(DataError, match="expected numbers in sex; 240 of 240"):
        table_one(people, arm="arm", continuous=["sex"])
    with pytest.raises(DataError, match="arms"):
        table_one(people.assign(arm=" "), arm="arm", categorical=["sex"])


def test_people_without_an_arm_are_counted(people: pd.DataFrame) -> None:
    some = people.assign(arm=people["arm"].mask(people.index < 5))
    table = table_one(some, arm="arm", categorical=["sex"])
    assert (table.without_arm, table.sizes["all"]) == (5, 235)
    assert "sex, female: TAU" in table.summary()
