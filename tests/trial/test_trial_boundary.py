"""A singular fit in words."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from ipt_outcomes.trial.boundary import CAREFUL, boundary_words


def fit(intercept: float, week: float, correlation: float) -> SimpleNamespace:
    rows = [("(Intercept)", "", intercept), ("week", "", week), ("(Intercept)", "week", correlation)]
    return SimpleNamespace(sigma=2.0, random=pd.DataFrame(rows, columns=["term1", "term2", "sd_or_corr"]))


@pytest.mark.parametrize(
    ("intercept", "week", "correlation", "said"),
    [
        (0.0, 0.2, float("nan"), "hardly differ in their level:"),
        (1.0, 0.0, float("nan"), "hardly differ in their rate of change:"),
        (0.0, 0.0, float("nan"), "in their level or in their rate of change"),
        (1.0, 0.09, 1.0, "level and their rate of change together"),
        (1.0, 0.09, -1.0, "level and their rate of change together"),
    ],
)
def test_a_fit_on_the_boundary_is_told_in_words(intercept: float, week: float, correlation: float, said: str) -> None:
    words = boundary_words(fit(intercept, week, correlation))  # type: ignore[arg-type]
    assert said in words
    assert words.endswith(CAREFUL)
    assert not any(raw in words for raw in ("Intercept", "patient_id", " x ", "boundary"))
