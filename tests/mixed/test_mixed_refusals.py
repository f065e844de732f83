"""What is refused, with words that say how to go on; text never becomes code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DesignError, IptError, OptionError
from ipt_outcomes.mixed import lmm

FRAME = pd.DataFrame(
    {
        "id": np.repeat([f"p{i}" for i in range(12)], 4),
        "week": np.tile([0.0, 2.0, 4.0, 6.0], 12),
        "arm": np.repeat(["ipt", "usual"], 24),
        "y": np.random.default_rng(4).normal(10, 3, 48),
    }
)

HOSTILE = [
    "y ~ __import__('os').system('touch pwned') + (1 | id)",
    "y ~ week.__class__ + (1 | id)",
    "y ~ I(open('x')) + (1 | id)",
    "y ~ eval(week) + (1 | id)",
    "y ~ week[0] + (1 | id)",
    "y ~ {week} + (1 | id)",
    "y ~ (lambda: 1)() + (1 | id)",
    "y ~ week; import os",
    "y ~ log(__builtins__) + (1 | id)",
    "@np.sum(y) ~ week + (1 | id)",
    "y ~ week + (1 | id) # comment",
    "y ~ `week` + (1 | id) + \"text\"",
    "y ~ exp(exp(exp(exp(week)))) + (1 | id)",
    "y ~ " + "(" * 500 + "week" + ")" * 500 + " + (1 | id)",
    "y ~ week^99999999 + (1 | id)",
    "y ~ " + "week:" * 790 + "week + (1 | id)",
    "y ~ I(" + "week + " * 550 + "week) + (1 | id)",
    "y ~ poly(week, 1e9) + (1 | id)",
]  # fmt: skip


@pytest.mark.parametrize("formula", HOSTILE)
def test_a_hostile_formula_is_refused_before_anything_runs(
    formula: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # type: ignore[arg-type]
    with pytest.raises(IptError):
        lmm(formula, FRAME)
    assert not list(tmp_path.iterdir())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ weeks + (1 | id)", "week"),
        ("y ~ week + (1 | person)", "person"),
        ("y ~ week", "random"),
        ("y ~ week + (1 | id) + (week | id)", "twice"),
        ("", "formula"),
        ("y week", "formula"),
    ],
)
def test_a_formula_that_cannot_be_fitted_says_why(formula: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        lmm(formula, FRAME)


def test_columns_given_by_others_are_named() -> None:
    # As R does, the later one is left out; it was refused once.
    fit = lmm("y ~ week + twice + (1 | id)", FRAME.assign(twice=2 * FRAME["week"]))
    assert fit.dropped_terms == ("twice",)
    assert "twice" in fit.summary()


def test_too_little_data_is_said() -> None:
    with pytest.raises(DesignError, match="one level"):
        lmm("y ~ arm + (1 | id)", FRAME[FRAME["arm"].eq("ipt")])
    with pytest.raises(DesignError, match="random effects"):
        lmm("y ~ week + (week | id)", FRAME[FRAME["week"].eq(0)])
    with pytest.raises(DesignError, match="every column"):
        lmm("y ~ week + (1 | id)", FRAME.assign(y=np.nan))
    with pytest.raises(DesignError, match="same value"):
        lmm("y ~ week + (1 | id)", FRAME.assign(y=5.0))


def test_an_outcome_without_residual_variation_is_said() -> None:
    exact = FRAME.assign(y=10 - FRAME["week"] + FRAME["id"].str[1:].astype(int) % 5)
    for formula in ("y ~ week + (1 | id)", "y ~ week + (week | id)"):
        with pytest.raises(DesignError, match="exactly"):
            lmm(formula, exact)
    with pytest.raises(DesignError, match="exactly"):
        lmm("y ~ week + (1 | id)", FRAME.assign(y=10 - FRAME["week"]))


def test_a_column_with_blanks_in_its_name_stands_in_backticks() -> None:
    frame = FRAME.rename(columns={"week": "week of therapy"})
    fit = lmm("y ~ `week of therapy` + (1 | id)", frame)
    assert fit.fixed["term"].tolist()[1].strip("`") == "week of therapy"


def test_questions_about_what_is_not_there() -> None:
    fit = lmm("y ~ week * arm + (1 | id)", FRAME)
    with pytest.raises(OptionError, match="arm"):
        fit.means("area")
    with pytest.raises(OptionError, match="week"):
        fit.trends("month")
    with pytest.raises(OptionError, match="pairwise"):
        fit.contrasts("arm", adjust="tukey")
    with pytest.raises(OptionError, match="usual"):
        fit.means("arm", at={"arm": ["nobody"]})
    with pytest.raises(DesignError, match="reml=False"):
        fit.compare(lmm("y ~ week + arm + (1 | id)", FRAME))


def test_a_row_without_a_group_stays_without_a_random_effect() -> None:
    frame = FRAME.assign(id=FRAME["id"].where(FRAME["id"].ne("p0")))
    fit = lmm("y ~ week + (1 | id)", frame)
    assert (fit.n_obs, fit.n_dropped, fit.n_groups) == (48, 0, {"id": 11})


def test_views_of_a_fit_hold_no_markup_of_the_user() -> None:
    frame = FRAME.assign(arm=FRAME["arm"].replace("usual", "<b>usual</b>"))
    fit = lmm("y ~ arm + (1 | id)", frame)
    assert "<b>usual" not in fit._repr_html_()
    assert fit.plot().get_xlabel().startswith("Estimate")
    assert "Linear mixed model (REML)" in fit.summary()
