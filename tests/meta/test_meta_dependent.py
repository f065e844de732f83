"""Several effects of one study."""

from __future__ import annotations

import numpy as np
import pytest

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import aggregate, che_covariance, pool


def test_aggregate_against_metafor(reference):
    loaded = reference("meta/threelevel_konstantopoulos2011")
    data, expected = loaded["data"], loaded["outputs"]["aggregate_rho.5"]
    frame = aggregate(data["yi"], data["vi"], study=data["district"], rho=0.5)
    assert frame["yi"].tolist() == pytest.approx(expected["yi"], rel=1e-10)
    assert frame["vi"].tolist() == pytest.approx(expected["vi"], rel=1e-10)
    assert frame["study"].tolist() == list(dict.fromkeys(data["district"]))
    assert frame["n_effects"].sum() == len(data["yi"])
    pooled, fit = pool(frame["yi"], frame["vi"], test="z"), expected["pooled"]
    assert (pooled.estimate, pooled.se, pooled.tau2) == pytest.approx((fit["b"], fit["se"], fit["tau2"]), rel=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.99])
def test_aggregate_is_inverse_covariance_weighting(rho):
    rng = np.random.default_rng(3)
    study = rng.integers(0, 6, 25)
    y, v = rng.normal(1000, 1, 25), rng.uniform(0.01, 0.4, 25)
    covariance = che_covariance(v, study=study, rho=rho)
    frame = aggregate(y, v, study=study, rho=rho).set_index("study")
    for name in np.unique(study):
        inside = study == name
        inverse = np.linalg.inv(covariance[np.ix_(inside, inside)])
        assert frame.loc[name, "vi"] == pytest.approx(1 / inverse.sum(), rel=1e-10)
        assert frame.loc[name, "yi"] == pytest.approx((inverse @ y[inside]).sum() / inverse.sum(), rel=1e-10)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert (covariance[study[:, None] != study] == 0).all()


def test_aggregate_leaves_missing_rows_out_and_keeps_the_order():
    frame = aggregate([0.5, np.nan, 0.1, np.nan, 0.3], [0.1, 0.1, 0.2, 0.1, 0.1], study=["Z", "Z", "A", "M", "Z"])
    assert frame["study"].tolist() == ["Z", "A"]
    assert frame["n_effects"].tolist() == [2, 1]
    assert frame.loc[1, ["yi", "vi"]].tolist() == pytest.approx([0.1, 0.2], rel=1e-15)


def test_covariance_keeps_the_place_of_a_missing_variance():
    matrix = che_covariance([0.1, np.nan, 0.2], study=["A", "A", "B"])
    assert np.isnan(matrix[1, 1])
    assert np.isnan(matrix[0, 1])
    assert matrix[2, 2] == 0.2
    assert matrix[0, 2] == 0


@pytest.mark.parametrize("rho", [-0.1, 1.0, 1.5, float("nan"), "0.5", True])
def test_rho_that_gives_no_covariance(rho):
    with pytest.raises(OptionError, match="rho must be at least 0 and below 1"):
        aggregate([0.1, 0.2], [0.1, 0.1], study=["A", "A"], rho=rho)
    with pytest.raises(OptionError, match="rho must be at least 0 and below 1"):
        che_covariance([0.1, 0.1], study=["A", "A"], rho=rho)


def test_missing_study_or_impossible_variance():
    with pytest.raises(DesignError, match="study is missing in rows 0, 2"):
        aggregate([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], study=[None, "A", np.nan])
    with pytest.raises(DesignError, match="not above 0 in row 1"):
        che_covariance([0.1, 0.0], study=["A", "A"])


def test_large_variances_are_no_large_effects():
    covariance = che_covariance([1e20, 4e20], study=["A", "A"], rho=0.5)
    assert covariance.tolist() == [[1e20, 1e20], [1e20, 4e20]]
