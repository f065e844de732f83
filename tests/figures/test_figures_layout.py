"""Nothing is cut and nothing overlaps, on a page and on a phone, whatever the studies are called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from ipt_outcomes import figures
from ipt_outcomes.effects.effect_sizes import EffectSizes

WIDTHS = (7.2, 3.5)
LONG = "A very long name of a study by the collaborative research group on perinatal depression, arm B"
ODD = [
    "Study $5 vs $6",
    "$\\frac{1}$",
    "$unbalanced",
    LONG,
    "X" * 90,
    "王明 2015",
    "\U0001f469\u200d\u2695\ufe0f Emoji",
    "a\x00b\x07\nc",
    "",
    None,
    float("nan"),
    "שלום 2011",
    "\\alpha_{x}^2 #%&~",
]


def effects(k, seed=1, measure="SMD", event=None):
    rng = np.random.default_rng(seed)
    vi = rng.uniform(0.02, 0.15, k)
    return EffectSizes(
        yi=rng.normal(0.48, 0.37, k) + np.sqrt(vi) * rng.normal(size=k),
        vi=vi,
        measure=measure,
        convention="test",
        event=event,
    )


def one_huge():
    some = effects(12)
    yi, vi = some.yi.copy(), some.vi.copy()
    yi[3], vi[3], vi[5], yi[7] = 40.0, 9.0, 400.0, np.nan
    return EffectSizes(yi=yi, vi=vi, measure="SMD", convention="test")


def boxes(ax):
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = [
        text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip() and _shown(text, ax)
    ]
    return figure, [(text, text.get_window_extent(renderer)) for text in texts]


def _shown(text, ax):
    """Tick labels of the hidden y axis, and spare offset texts, are not drawn."""
    return ax.yaxis.get_visible() or text not in ax.yaxis.findobj(Text)


def assert_clean(ax):
    figure, found = boxes(ax)
    width, height = figure.get_size_inches() * figure.dpi
    assert len(found) > 3
    for text, box in found:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
        assert text.get_fontsize() >= 8.5
    corners = np.array([[box.x0, box.y0, box.x1, box.y1] for _, box in found])
    # Half a pixel of ascender space is not ink.
    x0, y0, x1, y1 = corners[:, 0] + 0.5, corners[:, 1] + 0.5, corners[:, 2] - 0.5, corners[:, 3] - 0.5
    across = (x0[:, None] < x1[None, :]) & (x0[None, :] < x1[:, None])
    down = (y0[:, None] < y1[None, :]) & (y0[None, :] < y1[:, None])
    hits = np.argwhere(np.triu(across & down, 1))
    assert not len(hits), [(found[i][0].get_text(), found[j][0].get_text()) for i, j in hits]
    plot = ax.get_window_extent()
    if figure.get_size_inches()[0] >= 5:
        inside = [t.get_text() for t, b in found if b.y1 <= plot.y1 and b.y0 >= plot.y0 and _overlap_x(b, plot)]
        assert inside == []


def _overlap_x(box, plot):
    return box.x0 < plot.x1 and box.x1 > plot.x0


def _frame(names):
    estimate = np.linspace(0.45, 0.52, len(names))
    return pd.DataFrame({"left_out": names, "estimate": estimate, "ci_low": estimate - 0.2, "ci_high": estimate + 0.2})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("k", [1, 2, 3, 31])
def test_plain_forest_is_clean(k, width, make_pooled):
    pooled = make_pooled() if k > 1 else None
    ax = figures.forest(effects(k), pooled=pooled, width=width, favours=("IPT", "usual care"), title="All")
    assert_clean(ax)


@pytest.mark.parametrize("width", [2.4, 3.5, 4.9, 5.0, 7.2, 11.0])
def test_hostile_names_are_clean(width, cases, make_pooled):
    named = pd.read_csv(cases / "15-hostile-names" / "studies.csv")["study"].tolist() + ODD
    ax = figures.forest(
        effects(len(named)),
        labels=named,
        pooled=make_pooled(),
        width=width,
        favours=("interpersonal psychotherapy for adolescents in groups", "$x$ <b>care</b>"),
        title="Hostile $names$ & <b>titles</b> long enough to need a second line on every page",
        xlabel="An axis with $dollars$ and a name so long that it must be broken over more than one line",
    )
    assert_clean(ax)


@pytest.mark.parametrize("width", WIDTHS)
def test_groups_with_subtotals_are_clean(width, make_pooled):
    group = np.array(["Care as usual", "Other control", "Waiting list"] * 16)
    sub = {name: make_pooled(prediction_low=None, k=16) for name in set(group)}
    ax = figures.forest(effects(48), groups=group, subtotals=sub, pooled=make_pooled(), width=width, sort="effect")
    assert_clean(ax)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("spread", [0.01, 0.3, 1.0, 4.0])
def test_ratio_ticks_never_crowd(width, spread):
    rng = np.random.default_rng(3)
    some = EffectSizes(
        yi=rng.normal(0.2, spread, 12),
        vi=np.full(12, spread**2),
        measure="OR",
        convention="test",
        event="good",
    )
    assert_clean(figures.forest(some, width=width))
    funnel = figures.funnel(some, width=width)
    assert_inside(funnel)


def assert_inside(ax):
    figure, found = boxes(ax)
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in found:
        assert min(box.x0, box.y0) >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for i, (one, a) in enumerate(found):
        for two, b in found[i + 1 :]:
            apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
            assert apart, (one.get_text(), two.get_text())


@pytest.mark.parametrize("width", WIDTHS)
def test_one_huge_effect_does_not_squeeze_the_rest(width, make_pooled):
    some = one_huge()
    ax = figures.forest(some, width=width, pooled=make_pooled())
    low, high = ax.get_xlim()
    assert high < 6
    assert low > -6
    assert_clean(ax)
    assert_inside(figures.funnel(some, width=width, pooled=make_pooled(), title="A funnel", favours=("IPT", "CBT")))


@pytest.mark.parametrize("width", WIDTHS)
def test_summaries_are_clean(width, make_pooled):
    nothing = make_pooled(estimate=np.nan, ci_low=np.nan, ci_high=np.nan, prediction_low=None)
    rows = [("All rows", make_pooled()), (LONG, make_pooled(prediction_low=-9.0)), ("$x$", nothing)]
    assert_clean(figures.analyses(rows, measure="SMD", width=width, title="Sensitivity"))
    ax = figures.leave_one_out(_frame(ODD), pooled=make_pooled(), measure="SMD", width=width)
    assert_clean(ax)


@pytest.mark.parametrize("width", WIDTHS)
def test_hundreds_of_rows(width):
    ax = figures.forest(effects(300), width=width)
    assert_clean(ax)


def test_a_given_axes_keeps_its_figure_and_place(make_pooled):
    figure = Figure(figsize=(14, 8))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    place = right.get_position()
    assert figures.forest(effects(8), ax=right, favours=("IPT", "CBT")) is right
    figures.funnel(effects(8), ax=left, pooled=make_pooled())
    assert tuple(figure.get_size_inches()) == (14, 8)
    inner = right.get_position()
    assert inner.x0 > place.x0
    assert inner.x1 < place.x1
    assert inner.y0 > place.y0
    assert inner.y1 < place.y1
    renderer = figure.canvas.get_renderer()
    for text in right.texts:
        box = text.get_window_extent(renderer).transformed(figure.transFigure.inverted())
        assert box.x0 >= place.x0 - 1e-3
        assert box.x1 <= place.x1 + 1e-3
