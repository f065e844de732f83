"""The same figure gives the same bytes, whatever the user's settings, and leaves nothing behind."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from ipt_outcomes import figures
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.figures.style import ACCENT

SVG = "{http://www.w3.org/2000/svg}"
ACCENT_FILL = f"fill: {ACCENT}"


def test_same_input_same_bytes_and_no_global_state(make_pooled, some, names):
    before = dict(mpl.rcParams)

    def draw():
        return (
            figures.forest(some(), labels=names, pooled=make_pooled()),
            figures.funnel(some(), pooled=make_pooled()),
            figures.analyses([("a", make_pooled())]),
        )

    for one, two in zip(draw(), draw(), strict=True):
        assert figures.to_svg(one) == figures.to_svg(two) == figures.to_svg(one)
        assert figures.to_png(one, dpi=80) == figures.to_png(two, dpi=80)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_users_settings_do_not_change_the_figure(make_pooled, some, names):
    expected = figures.to_svg(figures.forest(some(), labels=names, pooled=make_pooled()))
    mine = {
        "font.size": 20,
        "axes.grid": True,
        "font.family": "serif",
        "savefig.bbox": "tight",
        "figure.dpi": 50,
    }
    with mpl.rc_context(mine):
        assert figures.to_svg(figures.forest(some(), labels=names, pooled=make_pooled())) == expected


def test_svg_holds_no_comment_no_script_and_no_typed_text(some):
    svg = figures.to_svg(figures.forest(some(), labels=["<script>x</script>", "--!><b>", "c", "d"]))
    assert svg.startswith("<svg")
    assert "<!--" not in svg
    assert "script" not in svg
    assert "<b>" not in svg


def test_svg_places_what_matplotlib_placed(some, names):
    ax = figures.forest(some(), labels=names)
    svg = ET.fromstring(figures.to_svg(ax))
    marks = [float(use.get("x")) for use in svg.iter(f"{SVG}use") if use.get("y") and use.get("style") == ACCENT_FILL]
    ax.get_figure(root=True).set_dpi(72)
    drawn = ax.transData.transform([(y, 0) for y in (0.2, 0.61, -0.35)])[:, 0]
    np.testing.assert_allclose(sorted(marks), sorted(drawn), atol=0.01)
    letters = [use for use in svg.iter(f"{SVG}use") if use.get("y") is None]
    assert len(letters) > 100
    assert not any("translate" in use.get("transform", "") for use in letters)


def test_tall_figures_have_fewer_pixels_per_inch():
    rng = np.random.default_rng(1)
    many = EffectSizes(yi=rng.normal(size=450), vi=np.full(450, 0.04), measure="SMD", convention="test")
    ax = figures.forest(many)
    assert ax.get_figure(root=True).get_figheight() > 60
    for dpi, width in ((200, None), (20, 144)):
        wide, high = struct.unpack(">II", figures.to_png(ax, dpi=dpi)[16:24])
        assert high <= 12_000
        assert width is None or wide == width
