"""The same figure gives the same bytes, whatever the user's settings, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from ipt_outcomes import figures
from ipt_outcomes.effects.effect_sizes import EffectSizes

NAMES = ["Klein 2002", "Novak & Lind", "$lost$", "<b>Roe</b>"]


@dataclass(frozen=True)
class Pooled:
    estimate: float = 0.482
    ci_low: float = 0.311
    ci_high: float = 0.653
    prediction_low: float | None = -0.35
    prediction_high: float | None = 1.32
    k: int = 31
    tau2: float = 0.159
    i2: float = 66.2


def some():
    return EffectSizes(
        yi=np.array([0.2, 0.61, np.nan, -0.35]),
        vi=np.array([0.04, 0.09, 0.05, 0.02]),
        measure="SMD",
        convention="test",
    )


def test_same_input_same_bytes_and_no_global_state():
    before = dict(mpl.rcParams)

    def draw():
        return (
            figures.forest(some(), labels=NAMES, pooled=Pooled()),
            figures.funnel(some(), pooled=Pooled()),
            figures.analyses([("a", Pooled())]),
        )

    for one, two in zip(draw(), draw(), strict=True):
        assert figures.to_svg(one) == figures.to_svg(two) == figures.to_svg(one)
        assert figures.to_png(one, dpi=80) == figures.to_png(two, dpi=80)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_users_settings_do_not_change_the_figure():
    expected = figures.to_svg(figures.forest(some(), labels=NAMES, pooled=Pooled()))
    mine = {
        "font.size": 20,
        "axes.grid": True,
        "font.family": "serif",
        "savefig.bbox": "tight",
        "figure.dpi": 50,
    }
    with mpl.rc_context(mine):
        assert figures.to_svg(figures.forest(some(), labels=NAMES, pooled=Pooled())) == expected


def test_svg_holds_no_comment_no_script_and_no_typed_text():
    svg = figures.to_svg(figures.forest(some(), labels=["<script>x</script>", "--!><b>", "c", "d"]))
    assert svg.startswith("<svg")
    assert "<!--" not in svg
    assert "script" not in svg
    assert "<b>" not in svg
