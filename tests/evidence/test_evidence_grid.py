"""The grid of specifications: its cells are the analyses they name, always in the same order, and fast."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes import meta, simulate
from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.evidence import Battery, specification_grid, synthesise
from ipt_outcomes.evidence.grid import Specifications
from ipt_outcomes.meta.inputs import TAU2_METHODS


@pytest.fixture(scope="module")
def battery() -> Battery:
    return synthesise(simulate.studies()).batteries[0]


@pytest.fixture(scope="module")
def grid(battery: Battery) -> Specifications:
    return specification_grid(
        battery, tau2=["REML", "DL", "common"], rho=[0.0, 0.6], rows=["combined", "lowest", "highest", "first", "all"]
    )


def test_every_cell_is_the_analysis_it_names(battery: Battery, grid: Specifications) -> None:
    rows = battery.study_effects.rows
    for cell in grid.frame.itertuples():
        part = rows
        if cell.comparator != "all":
            part = part[part["condition_arm2"].astype(str).str.strip() == cell.comparator]
        if cell.risk_of_bias == "low":
            part = part[part["rob"] > 2]
        if cell.rows == "combined":
            part = meta.aggregate(part["yi"], part["vi"], study=part["study"], rho=cell.rho)
        elif cell.rows != "all":
            order = {"lowest": part.sort_values("yi"), "highest": part.sort_values("yi", ascending=False)}
            part = order.get(str(cell.rows), part)
            part = part[~part["study"].duplicated()]
        one = meta.pool(part["yi"].to_numpy(), part["vi"].to_numpy(), tau2=cell.tau2)  # type: ignore[arg-type]
        found = [cell.k, cell.estimate, cell.se, cell.ci_low, cell.ci_high, cell.p_value]
        expected = [one.k, one.estimate, one.se, one.ci_low, one.ci_high, one.p_value]
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)


def test_the_main_analysis_is_one_of_the_cells(battery: Battery, grid: Specifications) -> None:
    cells = grid.frame
    main = cells[(cells["tau2"] == "REML") & (cells["rho"] == 0.6) & (cells["comparator"] == "all")]
    main = main[(main["risk_of_bias"] == "all") & (main["rows"] == "combined")]
    assert len(main) == 1
    assert main["estimate"].iloc[0] == pytest.approx(battery.combined.estimate, rel=1e-12)


def test_a_grid_is_the_same_every_time(battery: Battery, grid: Specifications) -> None:
    again = specification_grid(
        battery, tau2=["REML", "DL", "common"], rho=[0.0, 0.6], rows=["combined", "lowest", "highest", "first", "all"]
    )
    pd.testing.assert_frame_equal(grid.frame, again.frame)
    assert list(grid.frame["cell"]) == list(range(1, len(grid.frame) + 1))


def test_the_correlation_is_a_choice_only_where_effects_are_combined(grid: Specifications) -> None:
    cells = grid.frame
    assert cells.loc[cells["rows"] != "combined", "rho"].isna().all()
    assert cells.loc[cells["rows"] == "combined", "rho"].notna().all()
    assert not cells.duplicated(["tau2", "rho", "comparator", "risk_of_bias", "rows"]).any()


def test_range_and_summary(grid: Specifications) -> None:
    found, estimate = grid.range, grid.frame["estimate"]
    assert found["cells"] == len(grid.frame)
    assert (found["lowest"], found["highest"]) == (estimate.min(), estimate.max())
    assert found["median"] == estimate.median()
    assert f"{len(grid.frame)} specifications" in grid.summary()


def test_a_thousand_cells_within_two_seconds(battery: Battery) -> None:
    rho = [round(0.05 * place, 2) for place in range(18)]
    start = time.process_time()
    grid = specification_grid(
        battery, tau2=TAU2_METHODS, rho=rho, rows=["combined", "lowest", "highest", "first", "all"]
    )
    seconds = time.process_time() - start
    assert len(grid.frame) >= 1000
    assert seconds * 1000 / len(grid.frame) < 2


def test_without_several_effects_per_study_there_is_one_way_to_take_rows() -> None:
    table = pd.DataFrame(
        {"study": list("ABCD"), "precalc_g": [0.1, 0.2, 0.5, 0.3], "precalc_g_se": [0.1, 0.2, 0.2, 0.1]}
    )
    grid = specification_grid(ipt.load_studies(table), tau2=["DL"])
    assert len(grid.frame) == 1
    assert grid.frame["rho"].isna().all()
    assert (
        grid.frame["estimate"].iloc[0] == meta.pool([0.1, 0.2, 0.5, 0.3], [0.01, 0.04, 0.04, 0.01], tau2="DL").estimate
    )


def test_cells_with_one_effect_are_listed_not_drawn() -> None:
    table = pd.DataFrame(
        {
            "study": list("AABCD"),
            "condition_arm1": "ipt",
            "condition_arm2": ["cau", "cau", "cau", "cau", "wl"],
            "precalc_g": [0.1, 0.2, 0.5, 0.3, 0.9],
            "precalc_g_se": [0.1, 0.2, 0.2, 0.1, 0.3],
        }
    )
    grid = specification_grid(ipt.load_studies(table), tau2=["DL", "REML"], rho=[0.5], rows=["combined", "all"])
    assert set(grid.frame["comparator"]) == {"all", "cau"}
    assert set(grid.left_out["comparator"]) == {"wl"}
    assert set(grid.left_out["reason"]) == {"fewer than two effects"}
    only = specification_grid(ipt.load_studies(table), tau2=["DL"], comparators=["cau"], rows=["all"])
    assert list(only.frame["k"]) == [4]
    with pytest.raises(DataError, match="no combination"):
        specification_grid(ipt.load_studies(table), comparators=["wl"])


def test_choices_that_are_none(battery: Battery) -> None:
    for wrong, words in (
        ({"tau2": ["XX"]}, "tau2"),
        ({"tau2": "REML"}, "tau2"),
        ({"rho": [1.0]}, "rho"),
        ({"rho": []}, "rho"),
        ({"rows": ["best"]}, "rows"),
        ({"risk_of_bias": ["high"]}, "risk_of_bias"),
        ({"comparators": ["nobody"]}, "comparators"),
        ({"level": 0.9}, "a battery has its options already"),
    ):
        with pytest.raises(OptionError, match=words):
            specification_grid(battery, **wrong)  # type: ignore[arg-type]
