"""The growth model: each person's slope against mixed-model equations, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.clinic import growth_change
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed import lmm


def people(n, seed, slope=-0.5, sd=0.4, noise=2.0):
    rng = np.random.default_rng(seed)
    own = slope + rng.normal(0, sd, n)
    rows = [
        (person, week, 18 + own[person] * week + level + rng.normal(0, noise))
        for person, level in enumerate(rng.normal(0, 3, n))
        for week in range(0, 12)
        if week == 0 or rng.random() > 0.2
    ]
    return pd.DataFrame(rows, columns=["patient_id", "week", "value"]), own


def test_slopes_and_errors_are_those_of_the_mixed_model_equations():
    frame, _ = people(12, 1)
    found = growth_change(frame, better="lower").rows
    fit = lmm("value ~ week + (week | patient_id)", frame, df="normal")
    root = fit.relative_factors()[0]
    g = fit.sigma**2 * root @ root.T
    x = np.column_stack([np.ones(len(frame)), frame["week"]])
    z = np.zeros((len(frame), 24))
    for row, person in enumerate(frame["patient_id"]):
        z[row, 2 * person : 2 * person + 2] = x[row]
    left = np.block([[x.T @ x, x.T @ z], [z.T @ x, z.T @ z]]) / fit.sigma**2
    left[2:, 2:] += np.kron(np.eye(12), np.linalg.inv(g))
    inverse = np.linalg.inv(left)
    solved = inverse @ np.concatenate([x.T @ frame["value"], z.T @ frame["value"]]) / fit.sigma**2
    for person in range(12):
        weights = np.zeros(26)
        weights[1] = weights[2 + 2 * person + 1] = 1
        row = found.iloc[person]
        assert row["slope"] == pytest.approx(weights @ solved, rel=1e-6)
        assert row["se"] == pytest.approx(np.sqrt(weights @ inverse @ weights), rel=1e-6)


def test_the_interval_holds_the_own_slope_as_often_as_it_says():
    frame, own = people(400, 3)
    rows = growth_change(frame, better="lower").rows
    inside = np.abs(rows["slope"] - own) <= 1.96 * rows["se"]
    assert 0.92 < inside.mean() < 0.98


def test_whoever_improves_less_than_the_average_has_not_deteriorated():
    frame, own = people(150, 5, slope=-1.0, sd=0.3, noise=1.0)
    rows = growth_change(frame, better="lower").rows
    slow = (own > -0.7) & (own < -0.4)
    assert slow.sum() > 5
    assert not (rows.loc[slow, "category"] == "deteriorated").any()
    assert (rows["category"] == "improved").mean() > 0.9


def test_turning_the_scale_and_the_rows_round_changes_nothing():
    frame, _ = people(30, 7)
    plain = growth_change(frame, better="lower").rows
    turned = growth_change(frame.assign(value=-frame["value"]), better="higher").rows
    assert plain["category"].tolist() == turned["category"].tolist()
    mixed = growth_change(frame.sample(frac=1, random_state=1), better="lower").rows.set_index("patient_id")
    np.testing.assert_allclose(mixed.loc[plain["patient_id"], "slope"], plain["slope"], rtol=1e-6)


def test_too_few_scores_are_refused():
    frame, _ = people(5, 1)
    with pytest.raises(DesignError, match="at least 3 people"):
        growth_change(frame[frame["week"] < 2], better="lower")
    with pytest.raises(OptionError):
        growth_change(frame, better="down")
