"""Wilson intervals and the rates of NHS Talking Therapies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.clinic import talking_therapies
from ipt_outcomes.effects import wilson
from ipt_outcomes.errors import DataError, DesignError, OptionError

FLAGS = (
    "caseness",
    "recovery",
    "reliable_improvement",
    "reliable_deterioration",
    "reliable_recovery",
    "no_reliable_change",
)
NAMES = {
    "id": "patient_id", "phq0": "phq9_first", "gad0": "gad7_first", "phq1": "phq9_last", "gad1": "gad7_last",
}  # fmt: skip


def textbook(x: int, n: int, z: float) -> tuple[float, float]:
    p = x / n
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (p + z**2 / (2 * n) - half) / (1 + z**2 / n), (p + z**2 / (2 * n) + half) / (1 + z**2 / n)


@pytest.mark.parametrize(("x", "n"), [(1, 10), (5, 13), (7, 16), (99, 100), (500, 1000)])
def test_wilson_is_the_textbook_formula(x: int, n: int) -> None:
    found = wilson(x, n)
    np.testing.assert_allclose(found, textbook(x, n, 1.959963984540054), rtol=1e-10)


def test_wilson_at_the_ends_and_without_anybody() -> None:
    low, high = wilson([0, 12, 0], [12, 12, 0])
    assert low[0] == 0
    assert high[1] == 1
    np.testing.assert_allclose(high[0], 1.959963984540054**2 / (12 + 1.959963984540054**2), rtol=1e-10)
    assert np.isnan([low[2], high[2]]).all()


@given(n=st.integers(1, 400), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_holds_the_rate_and_mirrors(n: int, share: float, level: float) -> None:
    x = round(share * n)
    low, high = wilson(x, n, level)
    assert 0 <= low <= x / n <= high <= 1
    other_low, other_high = wilson(n - x, n, level)
    np.testing.assert_allclose([1 - other_high, 1 - other_low], [low, high], atol=1e-12)


@pytest.mark.parametrize(("x", "n"), [(3, 2), (-1, 5), (1.5, 4)])
def test_counts_that_are_none_are_refused(x: float, n: float) -> None:
    with pytest.raises(DesignError) as caught:
        wilson([1, x], [5, n])
    assert caught.value.rows == (1,)
    with pytest.raises(OptionError):
        wilson(1, 2, level=1.5)


def boundary(reference: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    case = reference("clinic/nhs_boundary_1")
    return pd.DataFrame(case["rows"]).rename(columns=NAMES), case["summary"]


def test_boundaries_are_those_of_the_programme(reference: Any) -> None:
    data, expected = boundary(reference)
    found = talking_therapies(data)
    for flag in FLAGS:
        assert found.rows[flag].tolist() == data[flag].tolist(), flag
    rates = found.rates.set_index("rate")
    for rate in ("recovery", "reliable_recovery", "reliable_improvement", "reliable_deterioration"):
        assert rates.loc[rate, "numerator"] == expected[f"{rate}_n"]
        assert rates.loc[rate, "percent"] == pytest.approx(expected[f"{rate}_pct"], rel=1e-10)
    assert rates.loc["no_reliable_change", "numerator"] == expected["no_reliable_change_n"]
    assert rates.loc["recovery", "denominator"] == expected["n_caseness"]
    assert rates.loc["reliable_improvement", "denominator"] == expected["n_finished"]
    limits = wilson(5, 13)
    np.testing.assert_allclose(rates.loc["recovery", ["ci_low", "ci_high"]].astype(float), np.array(limits) * 100)


def test_another_measure_of_anxiety_takes_the_place_of_gad7(reference: Any) -> None:
    data, _ = boundary(reference)
    plain = talking_therapies(data)
    # The same scores twice as large, on a measure with cut-offs twice as large: nothing changes.
    other = data.assign(
        anxiety_measure="own scale", anxiety_first=2 * data["gad7_first"], anxiety_last=2 * data["gad7_last"]
    )
    other[["gad7_first", "gad7_last"]] = 0
    found = talking_therapies(other, anxiety_cuts={"own scale": (16, 8)})
    pd.testing.assert_frame_equal(found.rows, plain.rows)
    pd.testing.assert_frame_equal(found.rates, plain.rates)
    # Where no other measure was used, GAD-7 counts.
    mixed = other.assign(anxiety_measure=[None, *["own scale"] * (len(data) - 1)])
    mixed[["gad7_first", "gad7_last"]] = data[["gad7_first", "gad7_last"]]
    pd.testing.assert_frame_equal(talking_therapies(mixed, anxiety_cuts={"own scale": (16, 8)}).rows, plain.rows)


def test_a_measure_of_anxiety_without_cut_offs_is_refused(reference: Any) -> None:
    data, _ = boundary(reference)
    data = data.assign(anxiety_measure="own scale", anxiety_first=5, anxiety_last=5)
    with pytest.raises(DataError, match="no known caseness"):
        talking_therapies(data)


def test_a_missing_score_leaves_the_person_out_of_every_rate(reference: Any) -> None:
    data, _ = boundary(reference)
    data[["phq9_last", "gad7_first"]] = data[["phq9_last", "gad7_first"]].astype(float)
    data.loc[0, "phq9_last"] = np.nan
    data.loc[1, "gad7_first"] = np.nan
    found = talking_therapies(data)
    assert found.n_left_out == 2
    assert found.rates.set_index("rate").loc["recovery", "denominator"] == 11
    assert found.rows.loc[0, "caseness"]
    assert pd.isna(found.rows.loc[1, "caseness"])


def test_all_faults_are_named_and_no_value_is(reference: Any) -> None:
    data, _ = boundary(reference)
    data["phq9_first"] = data["phq9_first"].astype(object)
    data.loc[2, "phq9_first"] = "secret"
    data.loc[3, "gad7_last"] = 77
    with pytest.raises(DataError) as caught:
        talking_therapies(data)
    words = str(caught.value)
    assert "phq9_first: 1 cells are no numbers" in words
    assert "gad7_last: 1 scores outside 0-21" in words
    assert "secret" not in words
    assert "77" not in words
    with pytest.raises(DataError, match="missing: gad7_last"):
        talking_therapies(data.drop(columns="gad7_last"))


def test_nobody_finished_gives_no_rate(reference: Any) -> None:
    data, _ = boundary(reference)
    found = talking_therapies(data.iloc[:0])
    assert found.rates["denominator"].eq(0).all()
    assert found.rates[["percent", "ci_low", "ci_high"]].isna().all(axis=None)
