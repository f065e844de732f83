"""Where the rows come from, which are left out, and what several grouping factors cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, DesignError, OptionError
from ipt_outcomes.mixed import lmm

FORMULA = "y ~ week * arm + (1 | `patient id`) + (1 | site)"


def made() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    person = np.repeat(np.arange(24), 4)
    return pd.DataFrame({
        "patient id": [f"0{code}" for code in person],
        "site": person // 6 + 1,
        "arm": np.array(["usual", "ipt"])[person % 2],
        "week": np.tile([0.0, 4.0, 8.0, 12.0], 24),
        "y": 15 + rng.normal(0, 3, 24)[person] + rng.normal(0, 1, 4)[person // 6] + rng.normal(0, 2, 96),
        "not used": "x",
    })  # fmt: skip


FRAME = made()
FIT = lmm(FORMULA, FRAME)


def same(fit: object) -> None:
    pd.testing.assert_frame_equal(fit.fixed, FIT.fixed)  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(fit.random, FIT.random)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_gives_the_fit_of_its_frame(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"visits.{kind}"
    getattr(FRAME, f"to_{kind}")(path, index=False)
    for given in (path, str(path)):
        fit = lmm(FORMULA, given)
        same(fit)
        assert fit.random_effects()["level"].iloc[0] == FIT.random_effects()["level"].iloc[0]


def test_levels_of_a_file_are_sorted_unless_they_have_an_order(tmp_path: Path) -> None:
    path = tmp_path / "visits.parquet"
    FRAME.iloc[::-1].to_parquet(path)
    assert lmm(FORMULA, path).fixed["term"].tolist()[2] == "arm[usual]"
    FRAME.assign(arm=pd.Categorical(FRAME["arm"], ["usual", "ipt"])).to_parquet(path)
    assert lmm(FORMULA, path).fixed["term"].tolist()[2] == "arm[ipt]"


def test_a_duckdb_relation_a_polars_frame_and_an_arrow_table() -> None:
    duckdb = pytest.importorskip("duckdb")
    pa = pytest.importorskip("pyarrow")
    with duckdb.connect() as connection:
        same(lmm(FORMULA, connection.from_df(FRAME)))
    same(lmm(FORMULA, pa.Table.from_pandas(FRAME)))


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no file"):
        lmm(FORMULA, tmp_path / "none.parquet")
    with pytest.raises(OptionError, match=r"\.xlsx"):
        lmm(FORMULA, "visits.xlsx")
    for name, content in (
        ("visits.parquet", b"no parquet"),
        ("visits.csv", b"\xff\xfe\x00\x81,\n\x81"),
        ("none.csv", b""),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            lmm(FORMULA, tmp_path / name)
    FRAME.drop(columns="week").to_csv(tmp_path / "short.csv")
    with pytest.raises(OptionError, match="week"):
        lmm(FORMULA, tmp_path / "short.csv")


def test_rows_left_out_are_counted_by_column_and_arm() -> None:
    frame = FRAME.assign(y=FRAME["y"].where(FRAME.index % 10 != 1), week=FRAME["week"].where(FRAME.index % 10 != 2))
    frame["arm"] = frame["arm"].where(frame.index % 48 != 3)
    frame.loc[1, "week"] = np.nan
    fit = lmm(FORMULA, frame)
    assert fit.design.missing.by_column == {"y": 10, "week": 10, "arm": 1}
    assert sum(fit.design.missing.by_column.values()) == fit.n_dropped
    left = frame.index.difference(frame.index[fit.design.rows])
    assert fit.design.missing.by_level == {"arm": frame["arm"].loc[left].value_counts().sort_index().to_dict()}
    assert FIT.design.missing.by_column == {}


def test_missing_therapists_are_no_missing_rows() -> None:
    frame = FRAME.assign(therapist=(FRAME.index // 12).astype(str)).astype({"therapist": object})
    frame.loc[frame["arm"].eq("usual"), "therapist"] = None
    fit = lmm(
        "y ~ week * arm + (1 | `patient id`) + (0 + ipt | therapist)", frame.assign(ipt=frame["arm"].eq("ipt") + 0.0)
    )
    assert fit.n_dropped == 0
    assert fit.n_groups["therapist"] == 8


def test_factors_that_group_alike_are_refused() -> None:
    frame = FRAME.assign(town="t" + FRAME["site"].astype(str))
    with pytest.raises(DesignError, match="same way"):
        lmm("y ~ week + (1 | site) + (1 | town)", frame)
    # A slope of one and an intercept of the other are two different things.
    assert lmm("y ~ week + (1 | site) + (0 + week | town)", frame).converged


def test_too_many_levels_that_hang_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipt_outcomes.mixed.engine import plan

    monkeypatch.setattr(plan, "MOST_CROSSED", 5)
    frame = FRAME.assign(rater=(np.arange(96) % 7).astype(str))
    with pytest.raises(DesignError, match="hang together"):
        lmm("y ~ week + (1 | `patient id`) + (1 | rater)", frame)


def test_more_effects_than_rows_and_single_groups() -> None:
    with pytest.raises(DesignError, match="96 random effects of row"):
        lmm("y ~ week + (1 | site) + (1 | row)", FRAME.assign(row=np.arange(96)))
    with pytest.raises(DesignError, match="site has 1 group in"):
        lmm(FORMULA, FRAME.assign(site=1))


def test_a_start_from_a_part_finds_the_optimum_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipt_outcomes.mixed.engine import optimise

    monkeypatch.setattr(optimise, "_MANY_UNITS", 10)
    monkeypatch.setattr(optimise, "_START_UNITS", 8)
    for formula in (FORMULA, "y ~ week * arm + (week | `patient id`)", "y ~ week + (1 | `patient id`)"):
        monkeypatch.setattr(optimise, "_MANY_UNITS", 10)
        one = lmm(formula, FRAME)
        monkeypatch.setattr(optimise, "_MANY_UNITS", 4_000)
        other = lmm(formula, FRAME)
        assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-9)
        np.testing.assert_allclose(one.fixed["df"], other.fixed["df"], rtol=1e-4)


def test_a_site_called_na_stays_a_site_and_na_among_numbers_is_missing(tmp_path):
    from ipt_outcomes.mixed.reading import frame_of_file

    path = tmp_path / "rows.csv"
    path.write_text("id,site,score\n1,NA,5\n2,B,NA\n3,,7\n", encoding="utf-8")
    found = frame_of_file(path)
    assert found["site"].tolist()[:2] == ["NA", "B"]
    assert found["site"].isna().tolist() == [False, False, True]
    assert found["score"].isna().tolist() == [False, True, False]
    assert found["score"].sum() == 12


def test_a_parquet_file_gives_the_bits_of_its_frame(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    people = np.repeat(np.arange(60), rng.integers(2, 9, 60))
    frame = pd.DataFrame({
        "person": np.char.add("p", people.astype(str)),
        "arm": np.array(["b", "a", "c"])[people % 3],
        "site": np.where(people % 5 == 0, None, np.char.add("s", (people // 12).astype(str))),
        "week": rng.integers(0, 90, people.size) / 7,
        "baseline": rng.integers(8, 25, 60)[people],
    })  # fmt: skip
    frame["y"] = rng.normal(0, 2, people.size) + rng.normal(0, 1, 60)[people] + 0.3 * frame["week"]
    formula = "y ~ week * arm + baseline + (week | person) + (1 | site)"
    for number, own in enumerate(
        (frame, frame.sample(frac=1, random_state=3), frame.assign(y=frame["y"].where(people != 4)))
    ):
        path = tmp_path / f"{number}.parquet"
        # Several row groups: each has a dictionary of its own.
        own.to_parquet(path, row_group_size=50, index=False)
        one, other = lmm(formula, path), lmm(formula, own)
        assert one.log_likelihood == other.log_likelihood
        assert one.n_groups == other.n_groups
        pd.testing.assert_frame_equal(one.fixed, other.fixed, check_exact=True)
        pd.testing.assert_frame_equal(one.random_effects(), other.random_effects(), check_exact=True)
        np.testing.assert_array_equal(one.design.rows, other.design.rows)
        np.testing.assert_array_equal(one.predict(), other.predict())


def test_text_of_either_width_is_levels_in_order(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ipt_outcomes.mixed.reading import frame_of_file

    for kind in (pa.string(), pa.large_string()):
        table = pa.table({"x": pa.array([3.0, 1.0, None, 2.0]), "id": pa.array(["b", None, "é", "a"], kind)})
        pq.write_table(table, tmp_path / "rows.parquet", row_group_size=2)
        found = frame_of_file(tmp_path / "rows.parquet")
        assert list(found.columns) == ["x", "id"]
        assert found["id"].cat.categories.tolist() == ["a", "b", "é"]
        assert found["id"].cat.codes.tolist() == [1, -1, 2, 0]
        assert found["x"].tolist()[:2] == [3.0, 1.0]


def test_the_portions_do_not_change_the_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipt_outcomes.sums import groups

    mixed = FRAME.sample(frac=1, random_state=1)
    for frame in (FRAME, mixed):
        whole = lmm("y ~ week * arm + (week | `patient id`) + (1 | site)", frame)
        for portion in (1, 5, 17):
            with monkeypatch.context() as patch:
                patch.setattr("ipt_outcomes.sums.groups.PORTION", portion)
                patch.setattr("ipt_outcomes.sums.products.PORTION", portion)
                other = lmm("y ~ week * arm + (week | `patient id`) + (1 | site)", frame)
            assert other.log_likelihood == whole.log_likelihood
            pd.testing.assert_frame_equal(other.fixed, whole.fixed, check_exact=True)
    assert groups.PORTION > 1_000


def test_portions_are_whole_groups() -> None:
    from ipt_outcomes.sums import Groups

    codes = np.repeat([2, 0, 1, 3], [4, 1, 9, 2])
    for own in (codes, np.sort(codes)):
        groups = Groups.from_codes(own, 4)
        found = list(groups.portions(5))
        assert [(part.start, part.stop) for part, _, _ in found] == [(0, 1), (1, 2), (2, 3), (3, 4)]
        for part, rows, starts in found:
            assert set(own[rows].tolist()) == {part.start}
            assert starts.tolist() == [0]
        assert [starts.tolist() for _, _, starts in groups.portions(100)] == [[0, 1, 10, 14]]
