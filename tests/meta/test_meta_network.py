"""Network meta-analysis against netmeta; identities; refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import network, pool


@pytest.fixture(params=["dl", "reml"])
def linde(request, reference):
    case = reference(f"meta/nma_linde2016_{request.param}")
    data, outputs = case["data"]["contrasts"], case["outputs"]
    result = network(
        data["TE"], data["seTE"], study=data["studlab"], arm1=data["treat1"], arm2=data["treat2"],
        reference="UC", tau2=request.param.upper(),
    )  # fmt: skip
    return result, outputs


def matrix(frame, column, order):
    wide = frame.pivot_table(index="arm1", columns="arm2", values=column)
    return wide.reindex(index=order, columns=order).to_numpy()


def test_every_pair_agrees_with_netmeta(linde):
    result, outputs = linde
    order = outputs["trts"]
    away = ~np.eye(len(order), dtype=bool)
    columns = {"estimate": "TE_random", "se": "seTE_random", "ci_low": "lower_random", "ci_high": "upper_random",
               "prediction_low": "pi_lower", "prediction_high": "pi_upper"}  # fmt: skip
    for ours, theirs in columns.items():
        expected = np.array(outputs[theirs], dtype=float)[away]
        np.testing.assert_allclose(matrix(result.random, ours, order)[away], expected, rtol=1e-6, atol=1e-7)
    for ours, theirs in {"estimate": "TE_common", "se": "seTE_common"}.items():
        expected = np.array(outputs[theirs], dtype=float)[away]
        np.testing.assert_allclose(matrix(result.common, ours, order)[away], expected, rtol=1e-9, atol=1e-10)


def test_heterogeneity_and_inconsistency_agree(linde):
    result, outputs = linde
    names = {"tau2": "tau2", "Q": "q", "df_Q": "q_df", "pval_Q": "q_p_value", "Q_het": "q_heterogeneity",
             "Q_inc": "q_inconsistency", "df_Q_inc": "q_inconsistency_df",
             "pval_Q_inc": "q_inconsistency_p_value", "k": "k", "m": "n_contrasts", "d": "n_designs"}  # fmt: skip
    for theirs, ours in names.items():
        assert getattr(result, ours) == pytest.approx(outputs[theirs], rel=1e-6), ours
    assert result.i2 == pytest.approx(100 * outputs["I2"], rel=1e-9)
    random = outputs["decomp_inc_random"]
    assert result.q_inconsistency_random == pytest.approx(random["Q"][0], rel=1e-6)
    assert result.q_inconsistency_random_p_value == pytest.approx(random["pval"][0], rel=1e-6)


def test_p_scores_agree(linde):
    result, outputs = linde
    for model in ("random", "common"):
        scores = result.ranking("higher", model=model).set_index("treatment")["p_score"]
        for name, expected in outputs[f"pscore_{model}"].items():
            assert scores[name] == pytest.approx(expected, abs=1e-7)
    assert result.ranking("lower")["p_score"].sum() == pytest.approx(22 / 2)


def test_direct_and_indirect_evidence_agree(linde):
    result, outputs = linde
    place = {name: i for i, name in enumerate(outputs["netsplit_random"]["comparison"])}
    checked = 0
    for row in result.split().to_dict("records"):
        key, sign = f"{row['arm1']}:{row['arm2']}", 1
        if key not in place:
            key, sign = f"{row['arm2']}:{row['arm1']}", -1
        i = place[key]
        direct, indirect, split = (outputs[f"{part}_random"] for part in ("direct", "indirect", "netsplit"))
        assert row["direct"] == pytest.approx(sign * direct["TE"][i], rel=1e-6, abs=1e-7)
        assert row["direct_se"] == pytest.approx(direct["seTE"][i], rel=1e-6)
        if indirect["TE"][i] is None:
            assert np.isnan(row["indirect"])
            continue
        checked += 1
        assert row["indirect"] == pytest.approx(sign * indirect["TE"][i], rel=1e-5, abs=1e-6)
        assert row["difference"] == pytest.approx(sign * split["TE"][i], rel=1e-5, abs=1e-6)
        assert row["p_value"] == pytest.approx(split["p"][i], rel=1e-5)
        assert row["indirect_se"] == pytest.approx(indirect["seTE"][i], rel=1e-5)
        assert row["difference_se"] == pytest.approx(split["seTE"][i], rel=1e-5)
        assert row["statistic"] == pytest.approx(sign * split["z"][i], rel=1e-5, abs=1e-6)
        for name, part in (("direct", direct), ("indirect", indirect), ("difference", split)):
            ends = (part["lower"][i], part["upper"][i])
            expected = ends if sign == 1 else (-ends[1], -ends[0])
            found = (row[f"{name}_ci_low"], row[f"{name}_ci_high"])
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert checked > 20


def test_decomposition_agrees(linde):
    result, outputs = linde
    frame, expected = result.decomposition(), outputs["decomp_Q"]
    assert frame["source"].tolist() == [*(name.lower() for name in expected["_row"]), "between designs, random effects"]
    for ours, theirs in (("q", "Q"), ("df", "df"), ("p_value", "pval")):
        np.testing.assert_allclose(frame[ours][:3], expected[theirs], rtol=1e-6)
    random = outputs["decomp_inc_random"]
    assert frame["q"][3] == pytest.approx(random["Q"][0], rel=1e-6)
    assert frame["df"][3] == random["df"][0]
    assert np.sqrt(result.tau2_within) == pytest.approx(random["tau.within"][0], rel=1e-6)
    designs = result.designs()
    assert len(designs) == result.n_designs
    assert designs["k"].sum() == result.k
    assert designs["q"].sum() == pytest.approx(result.q_heterogeneity, rel=1e-10)
    assert designs["df"].sum() == result.q_heterogeneity_df


def test_contributions_add_up_and_follow_the_network(linde):
    result, _ = linde
    frame = result.contributions()
    shares = frame.drop(columns=["arm1", "arm2"])
    np.testing.assert_allclose(shares.sum(axis=1), 100, rtol=1e-9)
    assert (shares.to_numpy() >= -1e-9).all()
    # a comparison with direct evidence only comes from that alone
    row = frame[(frame["arm1"] == "NRI") & (frame["arm2"] == "SSRI")]
    assert row["NRI : SSRI"].iloc[0] == pytest.approx(100)


def test_a_triangle_by_hand():
    """Indirect ipt - cbt is 0.5 - 0.2 with variance 0.08; direct 0.4 with 0.09; the mean by precision."""
    result = network([0.5, 0.2, 0.4], [0.2, 0.2, 0.3], study=["A", "B", "C"], arm1=["ipt", "cbt", "ipt"],
                     arm2=["tau", "tau", "cbt"], reference="tau")  # fmt: skip
    w = np.array([1 / 0.08, 1 / 0.09])
    row = result.common.query("arm1 == 'ipt' and arm2 == 'cbt'").iloc[0]
    assert row["estimate"] == pytest.approx(w @ [0.3, 0.4] / w.sum(), rel=1e-12)
    assert row["se"] == pytest.approx(w.sum() ** -0.5, rel=1e-12)
    assert result.q == pytest.approx(0.1**2 / 0.17, rel=1e-10)
    shares = result.contributions("common").query("arm1 == 'cbt' and arm2 == 'ipt'").iloc[0]
    assert shares["cbt : ipt"] == pytest.approx(100 * w[1] / w.sum(), rel=1e-9)
    assert shares["ipt : tau"] == pytest.approx(50 * w[0] / w.sum(), rel=1e-9)
    assert "ipt" in result.summary()
    assert result.league().loc["tau", "tau"] == "tau"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_two_treatments_are_a_plain_meta_analysis(seed, k):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, k)
    y = rng.normal(0.4, np.sqrt(v + 0.1))
    for method in ("DL", "REML"):
        plain = pool(y, v, tau2=method, test="z")
        result = network(y, np.sqrt(v), study=range(k), arm1=["ipt"] * k, arm2=["tau"] * k, reference="tau",
                         tau2=method)  # fmt: skip
        row = result.random.query("arm1 == 'ipt'").iloc[0]
        assert result.tau2 == pytest.approx(plain.tau2, rel=1e-6, abs=1e-9)
        assert row["estimate"] == pytest.approx(plain.estimate, rel=1e-7, abs=1e-9)
        assert row["se"] == pytest.approx(plain.se, rel=1e-6)
        assert result.q == pytest.approx(plain.q, rel=1e-8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_direction_and_order_of_rows_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    arms = rng.normal(0, 0.4, (6, 3))
    a = rng.uniform(0.02, 0.2, (6, 3))
    rows = [
        (s, i, j, arms[s, i] - arms[s, j], np.sqrt(a[s, i] + a[s, j]))
        for s in range(6) for i, j in ((0, 1), (0, 2), (1, 2)) if s % 2 == 0 or (i, j) == (s % 3 % 2, 2)
    ]  # fmt: skip
    names = ["ipt", "cbt", "tau"]
    one = network([r[3] for r in rows], [r[4] for r in rows], study=[r[0] for r in rows],
                  arm1=[names[r[1]] for r in rows], arm2=[names[r[2]] for r in rows], reference="tau")  # fmt: skip
    mixed = [rows[i] for i in rng.permutation(len(rows))]
    other = network([-r[3] for r in mixed], [r[4] for r in mixed], study=[r[0] for r in mixed],
                    arm1=[names[r[2]] for r in mixed], arm2=[names[r[1]] for r in mixed], reference="tau")  # fmt: skip
    np.testing.assert_allclose(one.random["estimate"], other.random["estimate"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(one.random["se"], other.random["se"], rtol=1e-8)
    assert one.q == pytest.approx(other.q, rel=1e-8, abs=1e-10)


def call(estimate, se, study, arm1, arm2, **options):
    return network(
        estimate, se, study=study, arm1=arm1, arm2=arm2, reference=options.pop("reference", "tau"), **options
    )


def test_parts_that_nothing_connects_are_named():
    with pytest.raises(DesignError, match=r"2 parts.*cbt, drug.*ipt, tau"):
        call([0.3, 0.2], [0.2, 0.2], ["A", "B"], ["ipt", "cbt"], ["tau", "drug"])


def test_trials_with_several_arms_that_contradict_themselves_are_named():
    arms = (["Frank 1990"] * 3, ["ipt", "ipt", "cbt"], ["tau", "cbt", "tau"])
    with pytest.raises(DesignError, match=r"Frank 1990: its standard errors") as caught:
        call([0.5, 0.2, 0.3], [0.2, 0.6, 0.2], *arms)
    assert caught.value.rows == (0, 1, 2)
    with pytest.raises(DesignError, match=r"Frank 1990: its estimates contradict"):
        call([0.5, 0.2, 0.9], [0.2, 0.2, 0.2], *arms)
    with pytest.raises(DesignError, match=r"3 arms and 2 of 3 contrasts"):
        call([0.5, 0.2], [0.2, 0.2], *(part[:2] for part in arms))
    # rounding to two decimals passes
    assert call([0.50, 0.20, 0.30], [0.21, 0.20, 0.20], *arms).k == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"se": [0.2, 0.0]}, "above 0"),
        ({"arm2": ["tau", "cbt"]}, "with itself"),
        ({"study": ["A", "A"], "arm1": ["ipt", "tau"], "arm2": ["tau", "ipt"]}, "more than once"),
        ({"arm1": ["ipt", None]}, "missing"),
        ({"estimate": [np.nan, np.nan]}, "nothing to pool"),
    ],
)
def test_bad_rows_are_refused(change, message):
    columns = {"estimate": [0.3, 0.2], "se": [0.2, 0.2], "study": ["A", "B"], "arm1": ["ipt", "cbt"],
               "arm2": ["tau", "tau"]} | change  # fmt: skip
    with pytest.raises(DesignError, match=message):
        call(**columns)


def test_unknown_reference_lists_the_treatments():
    with pytest.raises(OptionError) as caught:
        call([0.3], [0.2], ["A"], ["ipt"], ["tau"], reference="placebo")
    assert "ipt, tau" in str(caught.value)
    result = call([0.3, np.nan], [0.2, 0.2], ["A", "B"], ["ipt", "cbt"], ["tau", "tau"])
    assert (result.n_dropped, result.tau2, result.q_p_value) == (1, 0.0, None)
