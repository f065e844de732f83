"""Effect sizes of a model's difference, analysis of covariance, Holm: against reference values and identities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.formula.api import ols

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.mixed.adjust import holm
from ipt_outcomes.trial import TrialAnalysis, analyse, ancova, effect_size, pooled_sd
from ipt_outcomes.trial.data import trial_data

NAMES = {"TAU": "usual_care", "IPT": "ipt", "CBT": "cbt"}


@pytest.fixture(scope="module")
def at_end(trial_cohort: Cohort) -> pd.DataFrame:
    data = trial_data(trial_cohort, "phq9")
    frame = data.people[["arm", "baseline"]].assign(value=data.at(data.visits[-1]))
    levels = ["usual_care", "ipt", "cbt"]
    return frame.assign(arm=pd.Categorical(frame["arm"].astype(str), categories=levels))


@pytest.mark.parametrize("name", ["effect_trial_ipt_vs_tau", "effect_trial_cbt_vs_tau"])
def test_ancova_and_its_effects(at_end: pd.DataFrame, reference: Any, name: str) -> None:
    stored = reference(f"trial/{name}")
    fit = ancova(at_end)
    arm1, arm2 = NAMES[stored["arm1"]], NAMES[stored["arm2"]]
    line = fit.contrast(arm1, arm2)
    for field, key in (("estimate", "difference"), ("se", "se"), ("df", "df"), ("p_value", "p_value")):
        assert line[field] == pytest.approx(stored["ancova"][key], rel=1e-9)
    assert [line["ci_low"], line["ci_high"]] == pytest.approx(
        [stored["ancova"]["ci_low"], stored["ancova"]["ci_high"]], rel=1e-9
    )
    check_effects(at_end, line, stored["ancova"]["effects"], arm1, arm2, residual=(fit.sigma, fit.df))


def check_effects(
    at_end: pd.DataFrame,
    line: dict[str, float],
    effects: list[dict[str, Any]],
    arm1: str,
    arm2: str,
    *,
    residual: tuple[float, float] | None = None,
    rel: float = 1e-9,
) -> None:
    of = {arm: at_end[at_end["arm"].eq(arm)] for arm in (arm1, arm2)}
    spreads: dict[str, Any] = {
        "baseline": pooled_sd(*(frame["baseline"] for frame in of.values())),
        "endpoint": pooled_sd(*(frame["value"] for frame in of.values())),
        "residual": residual,
    }
    for stored in effects:
        sd, df_sd = spreads[stored["standardiser"]]
        assert (sd, df_sd) == pytest.approx((stored["sd"], stored["df_sd"]), rel=1e-9)
        made = effect_size(
            line["estimate"],
            line["se"],
            sd=sd,
            df_sd=df_sd,
            better="lower",
            standardiser=stored["standardiser"],
        )
        # The reference is arm 1 minus arm 2 as it is; here positive favours arm 1 and lower is better.
        assert made.d == pytest.approx(-stored["d"], rel=rel)
        assert made.j == pytest.approx(stored["J"], rel=1e-12)
        assert made.g == pytest.approx(-stored["g"], rel=rel)
        assert made.se == pytest.approx(stored["se_g"], rel=rel)
        assert [made.ci_low, made.ci_high] == pytest.approx([-stored["ci_high"], -stored["ci_low"]], rel=rel)


def test_ancova_agrees_with_statsmodels(at_end: pd.DataFrame) -> None:
    fit = ancova(at_end, level=0.9)
    other = ols("value ~ C(arm, Treatment('usual_care')) + baseline", at_end.dropna()).fit()
    assert fit.fixed["estimate"].to_numpy() == pytest.approx(other.params.to_numpy(), rel=1e-9)
    assert fit.fixed["se"].to_numpy() == pytest.approx(other.bse.to_numpy(), rel=1e-9)
    assert fit.fixed[["ci_low", "ci_high"]].to_numpy() == pytest.approx(other.conf_int(0.1).to_numpy(), rel=1e-8)
    assert fit.vcov == pytest.approx(other.cov_params().to_numpy(), rel=1e-8)
    means = fit.means().set_index("arm")["estimate"]
    assert means["ipt"] - means["cbt"] == pytest.approx(fit.contrast("ipt", "cbt")["estimate"], rel=1e-12)
    assert "117 people" in fit.summary()
    assert fit.n_dropped == 123


def test_ancova_refuses_what_it_cannot_estimate(at_end: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="baselines that differ"):
        ancova(at_end.assign(baseline=10.0))
    with pytest.raises(DesignError, match="some in every arm"):
        ancova(at_end[at_end["arm"].ne("cbt")])
    with pytest.raises(DesignError, match="found 0 people"):
        ancova(at_end.assign(value=np.nan))


@given(
    st.floats(-20, 20),
    st.floats(0.1, 10),
    st.floats(0.5, 20),
    st.integers(3, 500),
    st.floats(0.1, 50),
)
def test_sign_and_scale(difference: float, se: float, sd: float, df: int, scale: float) -> None:
    lower = effect_size(difference, se, sd=sd, df_sd=df, better="lower")
    higher = effect_size(difference, se, sd=sd, df_sd=df, better="higher")
    assert higher.g == pytest.approx(-lower.g)
    assert (higher.ci_low, higher.ci_high) == pytest.approx((-lower.ci_high, -lower.ci_low))
    scaled = effect_size(scale * difference, scale * se, sd=scale * sd, df_sd=df, better="lower")
    assert (scaled.g, scaled.se) == pytest.approx((lower.g, lower.se))
    assert abs(lower.g) <= abs(lower.d)
    assert lower.ci_low <= lower.g <= lower.ci_high


def test_only_the_end_point_sd_can_be_pooled() -> None:
    pooled = effect_size(-2.5, 1.0, sd=5.0, df_sd=75, better="lower").to_effect_sizes()
    assert pooled.measure == "SMD"
    assert pooled.yi[0] > 0
    with pytest.raises(DesignError, match="pooled baseline SD"):
        effect_size(-2.5, 1.0, sd=5.0, df_sd=75, better="lower", standardiser="baseline").to_effect_sizes()


@pytest.mark.parametrize(("se", "sd", "df"), [(0.0, 5.0, 10), (1.0, 0.0, 10), (1.0, 5.0, 1), (float("nan"), 5.0, 10)])
def test_impossible_inputs_are_refused(se: float, sd: float, df: float) -> None:
    with pytest.raises(DesignError, match="needs a difference"):
        effect_size(-2.5, se, sd=sd, df_sd=df, better="lower")


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="better must be one of"):
        effect_size(-2.5, 1, sd=5, df_sd=10, better="down")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="level must lie"):
        effect_size(-2.5, 1, sd=5, df_sd=10, better="lower", level=95)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(values: list[float]) -> None:
    adjusted = holm(np.array(values)).tolist()
    assert all(p <= q <= 1 for p, q in zip(values, adjusted, strict=True))
    order = sorted(range(len(values)), key=lambda i: values[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)
    assert adjusted[order[0]] == pytest.approx(min(1.0, len(values) * values[order[0]]))


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=20), st.lists(st.floats(-50, 50), min_size=3, max_size=20))
def test_pooled_sd_of_equal_shift(one: list[float], two: list[float]) -> None:
    sd, df = pooled_sd(one, two)
    assert df == len(one) + len(two) - 2
    assume(sd > 1e-3)
    moved, _ = pooled_sd([value + 7 for value in one], [value - 3 for value in two])
    assert moved == pytest.approx(sd, rel=1e-6)


def test_a_trial_of_one_visit_is_compared_by_ancova(one_visit: TrialAnalysis, at_end: pd.DataFrame) -> None:
    (item,) = [item for item in one_visit.comparisons if item.arm2 == "usual_care"]
    line = ancova(at_end).contrast("ipt", "usual_care")
    assert item.difference["estimate"] == pytest.approx(line["estimate"], rel=1e-12)
    assert item.effect is not None
    assert item.effect.g == pytest.approx(item.effects["ancova", "endpoint"].g, rel=1e-12)
    assert any("analysis of covariance" in note for note in one_visit.notes)
    assert "analysis of covariance" not in one_visit.summary().splitlines()[0]


@pytest.fixture(scope="module")
def one_visit(trial_cohort: Cohort) -> TrialAnalysis:
    from dataclasses import replace

    rows = trial_cohort.assessments
    kept = rows[rows["session_no"].isna() | rows["session_no"].eq(12)]
    return analyse(replace(trial_cohort, assessments=kept.reset_index(drop=True)), at=12)
