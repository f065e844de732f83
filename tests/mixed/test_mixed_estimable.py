"""What the data cannot tell is left out by name and never given a number; the order of rows changes no bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed import change_by, lmm
from ipt_outcomes.mixed.adjust import holm
from ipt_outcomes.mixed.rank import estimable


def made(seed: int = 3, empty: bool = True) -> pd.DataFrame:
    """Sixty people in two arms with three areas; with `empty`, nobody of arm "tau" has area "c"."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"id": [f"p{n:02d}" for n in range(60)], "arm": ["ipt", "tau"] * 30})
    people["area"] = np.tile(["a", "a", "b", "b", "c", "c"], 10)
    if empty:
        people.loc[people["arm"].eq("tau") & people["area"].eq("c"), "area"] = "b"
    people["start"] = rng.normal(20, 4, 60)
    people["own"] = rng.normal(0, 2, 60)
    rows = people.merge(pd.DataFrame({"week": [1.0, 4.0, 8.0, 12.0]}), how="cross")
    rows["y"] = rows["start"] + rows["own"] - 0.4 * rows["week"] * (1 + rows["arm"].eq("ipt")) + rng.normal(0, 2, 240)
    return rows.drop(columns="own")


FORMULA = "y ~ week * arm * area + start + (1 | id)"


def test_an_empty_cell_drops_its_columns_by_name_and_the_rest_is_as_in_another_program() -> None:
    sm = pytest.importorskip("statsmodels.formula.api")
    frame = made()
    fit = lmm(FORMULA, frame)
    assert fit.dropped_terms == ("arm[tau]:area[c]", "week:arm[tau]:area[c]")
    assert "arm[tau]:area[c]" in fit.summary()
    # The same model with a column for each cell that is there.
    cells = frame.assign(cell=frame["arm"] + frame["area"])
    other = sm.mixedlm("y ~ 0 + cell + cell:week + start", cells, groups=cells["id"]).fit(reml=True, gtol=1e-12)
    at = fit.means("arm", by="area", at={"week": 8})
    start = frame["start"].mean()
    for row in at.to_dict("records"):
        cell = f"{row['arm']}{row['area']}"
        if cell == "tauc":
            assert np.isnan([row[name] for name in ("estimate", "se", "df", "ci_low", "ci_high", "p_value")]).all()
            assert "not estimable" in row["note"]
            continue
        names = {f"cell[{cell}]": 1.0, f"cell[{cell}]:week": 8.0, "start": start}
        weights = np.array([names.get(name, 0.0) for name in other.fe_params.index])
        assert row["estimate"] == pytest.approx(float(weights @ other.fe_params), rel=1e-5)
        covariance = other.cov_params().loc[other.fe_params.index, other.fe_params.index].to_numpy()
        assert row["se"] == pytest.approx(float(np.sqrt(weights @ covariance @ weights)), rel=1e-4)
        assert row["note"] == ""


def test_questions_that_the_empty_cell_enters_have_no_answer_and_others_have() -> None:
    fit = lmm(FORMULA, made())
    within = fit.contrasts("arm", by="area", at={"week": 8}).set_index("area")
    assert within["estimate"].isna().tolist() == [False, False, True]
    slopes = fit.trends("week", by="area", at={"arm": ["ipt"]})
    assert slopes["estimate"].notna().all()
    # A mean of an arm over all areas would need the empty cell.
    assert fit.means("arm", at={"week": 8})["estimate"].isna().tolist() == [False, True]
    assert fit.contrasts("arm", at={"week": 8})["estimate"].isna().all()


def test_types_of_tests_lose_the_part_that_nothing_tells() -> None:
    full, part = (lmm(FORMULA, made(empty=empty)).anova().set_index("term") for empty in (False, True))
    assert full.loc["week:arm:area", "num_df"] == 2
    assert part.loc["week:arm:area", "num_df"] == 1
    # The arms differ nowhere but in the cells that are there: no mean over areas can be tested.
    assert part.loc["arm", "num_df"] == 0
    assert np.isnan(part.loc["arm", "p_value"])
    assert part.loc["area", "num_df"] == 1


def test_a_column_given_by_those_before_it_is_dropped_as_if_it_were_not_written() -> None:
    frame = made(empty=False).assign(twice=lambda rows: 2 * rows["week"] + 1, same=4.0)
    plain = lmm("y ~ week + arm + (1 | id)", frame)
    fit = lmm("y ~ week + twice + arm + same + (1 | id)", frame)
    assert fit.dropped_terms == ("same", "twice") or fit.dropped_terms == ("twice", "same")
    pd.testing.assert_frame_equal(fit.fixed, plain.fixed, rtol=1e-8)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    # The mean holds both columns at their means, and so is told; a slope by one of them alone is not.
    told = fit.means("arm", at={"week": frame["week"].mean()})
    assert told["estimate"].to_numpy() == pytest.approx(
        plain.means("arm", at={"week": frame["week"].mean()})["estimate"].to_numpy()
    )
    assert fit.means("arm", at={"week": 3})["estimate"].isna().all()
    assert fit.contrasts("arm", at={"week": 3})["estimate"].notna().all()
    with pytest.raises(DesignError, match="0 in every row"):
        lmm("y ~ 0 + none + (1 | id)", frame.assign(none=0.0))


def test_holm_counts_only_what_was_tested() -> None:
    fit = lmm(FORMULA, made())
    plain = fit.contrasts("arm", by="area", at={"week": 8})
    one = change_by(
        made(), outcome="y", by="area", week="week", subject="id", baseline="start", arm="arm", set_before=True
    )
    slopes = one.contrasts[one.contrasts["quantity"].eq("slope")]
    assert slopes["p_adjusted"].notna().tolist() == [True, True, False]
    assert slopes["p_adjusted"].to_numpy()[:2] == pytest.approx(holm(slopes["p_value"].to_numpy()[:2]))
    assert plain["p_value"].isna().sum() == 1


def test_change_by_a_level_that_one_arm_lacks_says_so() -> None:
    found = change_by(
        made(), outcome="y", by="area", week="week", subject="id", baseline="start", arm="arm", set_before=True
    )
    assert found.randomised
    assert found.test["hypothesis"].str.contains("2 of 3 levels").all()
    assert found.test["num_df"].tolist() == [1]
    assert found.shrunken["area"].tolist() == ["a", "b"]
    full = lmm("y ~ week * arm * area + start + (week | id)", made())
    slope = full.trends("week", by="arm", at={"area": ["a"]}, against="pairwise")
    mine = found.contrasts[found.contrasts["quantity"].eq("slope")].set_index("area")
    assert abs(mine.loc["a", "estimate"]) == pytest.approx(abs(slope["estimate"].iloc[0]), rel=1e-9)


def test_covariates_weigh_by_how_many_have_them() -> None:
    frame = made(empty=False).assign(stratum=lambda rows: np.where(rows["id"] < "p45", "low", "high"))
    fit = lmm("y ~ week * arm + stratum + (1 | id)", frame)
    both = fit.means("arm", by="stratum", at={"week": 8})
    of_ipt = both[both["arm"].eq("ipt")].set_index("stratum")["estimate"]
    weighed = fit.means("arm", at={"week": 8}, weights="proportional").set_index("arm").loc["ipt", "estimate"]
    assert weighed == pytest.approx(0.75 * of_ipt["low"] + 0.25 * of_ipt["high"], rel=1e-12)
    equal = fit.means("arm", at={"week": 8}).set_index("arm").loc["ipt", "estimate"]
    assert equal == pytest.approx(of_ipt.mean(), rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_the_names_of_people_change_a_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = made()
    names = dict(zip(frame["id"].unique(), rng.permutation(60).astype(str), strict=True))
    shuffled = frame.sample(frac=1, random_state=seed).assign(id=lambda rows: rows["id"].map(names))
    formula = "y ~ week * arm + start + (week | id)"
    one, two = lmm(formula, frame), lmm(formula, shuffled)
    pd.testing.assert_frame_equal(one.fixed, two.fixed, check_exact=True)
    pd.testing.assert_frame_equal(one.random, two.random, check_exact=True)
    assert (one.log_likelihood, one.sigma) == (two.log_likelihood, two.sigma)
    ask = {"at": {"week": [4, 8]}, "weights": "proportional"}
    pd.testing.assert_frame_equal(one.means("arm", **ask), two.means("arm", **ask), check_exact=True)  # type: ignore[arg-type]
    own, other = (fit.random_effects().set_index(["level", "term"])["estimate"] for fit in (one, two))
    renamed = own.rename(index=names, level="level").sort_index()
    assert renamed.to_numpy().tolist() == other.sort_index().to_numpy().tolist()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e4))
def test_relations_are_found_whatever_the_scale(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 4)) * np.array([1, scale, 1, 1 / scale])
    x = np.column_stack([x[:, :3], x[:, 0] * 2 - x[:, 1] / scale, np.zeros(40), x[:, 3]])
    found = estimable(x.T @ x, np.eye(6))
    assert found.kept.tolist() == [0, 1, 2, 5]
    assert np.abs(x @ found.null).max() < 1e-9 * max(1, scale)
    # Rows of the data are told by the data; a column that was dropped alone is not.
    assert found.tells(x[:5]).all()
    assert found.tells(np.eye(6)).tolist() == [False, False, True, False, False, True]
