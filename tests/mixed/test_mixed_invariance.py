"""What must not change a fit with any number of grouping factors, to the last bit where nothing else is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ipt_outcomes.mixed import LinearMixedFit, lmm
from ipt_outcomes.sums import Groups, sums_of_products

FORMULAS = (
    "y ~ week * arm + (week | patient)",
    "y ~ week * arm + (week | patient) + (1 | therapist) + (1 | site)",
    "y ~ week * arm + (week | patient) + (1 | helper) + (1 | site)",
    "y ~ week * arm + (1 | patient) + (0 + ipt | group)",
)
NUMBERS = ["estimate", "se", "df"]


def made(seed: int = 5, patients: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    visits = rng.integers(2, 6, patients)
    patient = np.repeat(np.arange(patients), visits)
    therapist, site = patient // 3, patient // 9
    week = np.concatenate([np.sort(rng.choice(12, count, replace=False)) for count in visits]).astype(float)
    arm = np.array(["ipt", "usual care"])[patient % 2]
    helper = np.where((patient % 4 == 0) & (week > 5), (therapist + 1) % (patients // 3), therapist)
    y = 15 - 0.4 * week + rng.normal(0, 3, patients)[patient] + rng.normal(0, 0.3, patients)[patient] * week
    y = (
        y
        + rng.normal(0, 2, patients // 3)[helper]
        + rng.normal(0, 2, 1 + patients // 9)[site]
        + rng.normal(0, 2, patient.size)
    )
    frame = pd.DataFrame({"y": y, "week": week, "arm": arm, "ipt": (arm == "ipt").astype(float)})
    for name, codes in (("patient", patient), ("therapist", therapist), ("site", site), ("helper", helper)):
        frame[name] = [f"{name}{code:02d}" for code in codes]
    frame["group"] = np.where(arm == "ipt", [f"g{code}" for code in patient % 6], None)
    frame["weight"] = rng.choice([0.5, 1.0, 2.0], patient.size)
    return frame


BASE = made()
FITS = {formula: lmm(formula, BASE) for formula in FORMULAS}


def bits(fit: LinearMixedFit) -> tuple[bytes, ...]:
    numbers = fit.random[["variance_or_cov", "sd_or_corr"]].to_numpy()
    return (
        fit.fixed[NUMBERS].to_numpy().tobytes(), numbers.tobytes(), fit.vcov.tobytes(),
        np.array([fit.sigma, fit.log_likelihood]).tobytes(),
    )  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
@given(st.permutations(range(len(BASE))))
@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_any_order_of_the_rows_gives_the_same_bits(formula: str, order: list[int]) -> None:
    assert bits(lmm(formula, BASE.iloc[order])) == bits(FITS[formula])


def test_any_order_of_weighted_rows_gives_the_same_bits() -> None:
    one = lmm(FORMULAS[1], BASE, weights="weight")
    assert bits(lmm(FORMULAS[1], BASE.iloc[::-1], weights="weight")) == bits(one)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("column", ["patient", "therapist", "site", "helper", "group"])
def test_names_of_levels_change_nothing(formula: str, column: str) -> None:
    if column not in formula:
        return
    names = BASE[column].dropna().unique()
    shuffled = np.random.default_rng(2).permutation(names)
    again = lmm(formula, BASE.assign(**{column: BASE[column].map(dict(zip(names, shuffled, strict=True)))}))
    np.testing.assert_allclose(
        again.fixed[NUMBERS].astype(float), FITS[formula].fixed[NUMBERS].astype(float), rtol=1e-6
    )
    assert again.log_likelihood == pytest.approx(FITS[formula].log_likelihood, abs=1e-9)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("shift", [-8.0, 1040.0])
def test_the_origin_of_time_changes_no_slope_and_no_likelihood(formula: str, shift: float) -> None:
    fit, again = FITS[formula], lmm(formula, BASE.assign(week=BASE["week"] + shift))
    for term in ("week", "week:arm[usual care]"):
        ours, theirs = (one.fixed.set_index("term").loc[term, NUMBERS].astype(float) for one in (again, fit))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize(("start", "unit"), [(1e6, 1.0), (0.0, 1e-3), (-40.0, 250.0)])
def test_unit_and_origin_of_the_outcome(formula: str, start: float, unit: float) -> None:
    fit, again = FITS[formula], lmm(formula, BASE.assign(y=start + unit * BASE["y"]))
    np.testing.assert_allclose(again.fixed["estimate"][1:], unit * fit.fixed["estimate"][1:], rtol=1e-6)
    np.testing.assert_allclose(again.fixed["se"], unit * fit.fixed["se"], rtol=1e-6)
    np.testing.assert_allclose(again.fixed["df"], fit.fixed["df"], rtol=1e-5)
    lost = (fit.n_obs - len(fit.fixed)) * np.log(unit)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood - lost, abs=1e-6)
    deviations = again.random["term2"].eq("")
    np.testing.assert_allclose(
        again.random["sd_or_corr"][deviations], unit * fit.random["sd_or_corr"][deviations], rtol=1e-5, atol=1e-7 * unit
    )


@given(st.integers(0, 2**20), st.integers(2, 4))
@settings(max_examples=20, deadline=None)
def test_sums_of_parts_add_up_to_the_sums_of_all(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.sort(rng.integers(0, 12, 80))
    codes = np.unique(codes, return_inverse=True)[1]
    basis, y = [None, rng.normal(size=80)], rng.normal(size=80)
    whole = sums_of_products(Groups.from_codes(codes, codes.max() + 1), basis, y)
    by_person = rng.integers(0, parts, codes.max() + 1)
    squares = 0.0
    for part in range(parts):
        rows = by_person[codes] == part
        if not rows.any():
            continue
        people, own = np.unique(codes[rows], return_inverse=True)
        found = sums_of_products(Groups.from_codes(own, people.size), [None, basis[1][rows]], y[rows])
        # Persons in one part have their sums to the last bit.
        assert np.array_equal(found.cross, whole.cross[:, people])
        assert np.array_equal(found.with_y, whole.with_y[:, people])
        squares += found.y_squared
    assert squares == pytest.approx(whole.y_squared, rel=1e-12)


def test_without_a_group_there_is_no_effect_and_the_row_stays() -> None:
    fit = FITS[FORMULAS[3]]
    assert fit.n_obs == len(BASE)
    assert fit.n_dropped == 0
    assert fit.n_groups == {"patient": 30, "group": 3}
    none = BASE["group"].isna().to_numpy()
    patients = fit.random_effects()
    own = patients[patients["group"].eq("patient")].set_index("level")["estimate"]
    gained = fit.predict() - fit.predict(random=False)
    np.testing.assert_allclose(gained[none], own.loc[BASE["patient"][none]], atol=1e-10)


def test_rows_with_no_group_at_all_stay_as_well() -> None:
    frame = BASE.assign(patient=BASE["patient"].where(BASE.index % 7 > 0))
    frame["therapist"] = frame["therapist"].where(frame["patient"].notna())
    fit = lmm("y ~ week * arm + (week | patient) + (1 | therapist)", frame)
    assert (fit.n_obs, fit.n_dropped) == (len(frame), 0)
    alone = frame["patient"].isna().to_numpy()
    np.testing.assert_allclose(fit.predict()[alone], fit.predict(random=False)[alone], atol=1e-12)


@pytest.mark.parametrize("reml", [True, False])
def test_agreement_with_statsmodels(reml: bool, read: Any) -> None:
    """On data where it converges; it is no reference, its optimiser stops earlier."""
    sm = pytest.importorskip("statsmodels.formula.api")
    frame = read({"data": "sleepstudy.csv"})
    theirs = sm.mixedlm("Reaction ~ Days", frame, groups="Subject", re_formula="~Days").fit(reml=reml)
    assert theirs.converged
    ours = lmm("Reaction ~ Days + (Days | Subject)", frame, reml=reml)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-5)
    np.testing.assert_allclose(ours.fixed["estimate"], theirs.fe_params, rtol=1e-5)
    np.testing.assert_allclose(ours.fixed["se"], theirs.bse_fe, rtol=1e-4)


def test_agreement_with_statsmodels_on_nested_levels(read: Any) -> None:
    sm = pytest.importorskip("statsmodels.formula.api")
    frame = read({"data": "pastes.csv"})
    model = sm.mixedlm("strength ~ 1", frame, groups="batch", re_formula="1", vc_formula={"cask": "0 + C(cask)"})
    theirs = model.fit(reml=True)
    assert theirs.converged
    ours = lmm("strength ~ 1 + (1 | batch/cask)", frame)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-5)
    assert ours.fixed["se"].iloc[0] == pytest.approx(theirs.bse_fe.iloc[0], rel=1e-3)
