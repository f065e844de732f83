"""The drapery plot: curves are p values, one at its estimate and 0.05 at its limits."""

from __future__ import annotations

import numpy as np
import pytest

from ipt_outcomes.effects import smd
from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures import drapery, to_svg
from ipt_outcomes.figures.drapery import p_values
from ipt_outcomes.figures.tips import tip_text
from ipt_outcomes.meta import pool


@pytest.fixture
def effects():
    return smd(
        [10, 11, 9, np.nan],
        [5, 5, 6, 5],
        [40, 60, 30, 20],
        [13, 12, 13, 12],
        [5, 6, 5, 5],
        [40, 60, 30, 20],
        better="lower",
    )


def test_a_curve_is_one_at_its_estimate_and_alpha_at_its_limits(effects):
    pooled = pool(effects)
    curve = p_values(np.array([pooled.estimate, pooled.ci_low, pooled.ci_high]), pooled.estimate, pooled.se, pooled.df)
    np.testing.assert_allclose(curve, [1.0, 0.05, 0.05], rtol=1e-9)
    low, high = effects.ci(0.95)
    study = p_values(np.array([effects.yi[0], low[0], high[0]]), effects.yi[0], np.sqrt(effects.vi[0]), None)
    np.testing.assert_allclose(study, [1.0, 0.05, 0.05], rtol=1e-9)


def test_each_known_effect_has_a_curve_and_the_missing_one_is_counted(effects):
    ax = drapery(effects, labels=["A", "B", "<i>C</i>", "D"], pooled=pool(effects), title="Drapery")
    said = [text for line in ax.lines if (text := tip_text(line.get_gid()))]
    assert [text.split(":")[0] for text in said] == ["A", "B", "<i>C</i>"]
    assert sum(line.get_label() == "pooled" for line in ax.lines) == 1
    assert "Not computed, and not drawn: 1." in [text.get_text() for text in ax.texts]
    assert to_svg(ax) == to_svg(
        drapery(effects, labels=["A", "B", "<i>C</i>", "D"], pooled=pool(effects), title="Drapery")
    )


def test_without_any_effect_there_is_nothing_to_draw():
    nothing = smd([np.nan], [5], [20], [12], [5], [20], better="lower")
    with pytest.raises(DesignError, match="nothing to draw"):
        drapery(nothing)
