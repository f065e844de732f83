"""Figures of a meta-analysis draw what the results hold: positions, counts of marks, words."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon, Rectangle

from ipt_outcomes import figures, meta
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures.bias_risk import LIGHTS
from ipt_outcomes.figures.style import ACCENT, MUTED, POOLED, PREDICTION

YI = np.array([0.2, 0.61, 0.35, -0.35, 0.9, 0.5])
VI = np.array([0.04, 0.09, 0.05, 0.02, 0.12, 0.06])
STUDY = ["Klein", "Klein", "Novak", "Roe", "Roe", "Roe"]


def sizes(yi=YI, vi=VI, measure="SMD", event=None):
    return EffectSizes(yi=np.array(yi), vi=np.array(vi), measure=measure, convention="test", event=event)


def lines_with(ax, tip):
    """The artists whose tip begins with some words."""
    found = [artist for artist in ax.get_children() if (figures.tip_text(artist.get_gid()) or "").startswith(tip)]
    assert found, tip
    return found


# Forest plots


def test_weights_are_a_column_and_add_up(words):
    pooled = meta.pool(sizes())
    said = words(pooled.plot(labels=list("abcdef")))
    assert "Weight" in said
    shares = [float(text.rstrip("%")) for text in said if text.endswith("%") and text[:-1].replace(".", "").isdigit()]
    assert len(shares) == 6
    assert sum(shares) == pytest.approx(100, abs=0.3)


def test_weights_may_be_left_out_and_are_not_on_a_phone(words):
    pooled = meta.pool(sizes())
    assert "Weight" not in words(pooled.plot(weights=None))
    assert "Weight" not in words(pooled.plot(width=3.5))


def test_squares_follow_the_weights_given():
    ax = figures.forest(sizes(), labels=list("abcdef"), weights=[25, 4, 16, np.nan, 36, 19])
    size = [lines_with(ax, f"{name}:")[0].get_markersize() for name in "ae"]
    assert (size[0] / size[1]) ** 2 == pytest.approx(25 / 36)


def test_weights_must_be_one_per_study():
    with pytest.raises(DesignError, match="weights must hold one value per study: expected 6, got 2"):
        figures.forest(sizes(), weights=[50, 50])


def test_nested_forest_groups_effects_under_their_study(words):
    combined = {row.study: (row.yi, row.vi) for row in meta.aggregate(YI, VI, study=STUDY).itertuples()}
    ax = figures.nested_forest(sizes(), study=STUDY, labels=list("abcdef"), combined=combined)
    said = words(ax)
    assert [text for text in said if text in {*STUDY, *"abcdef", "Novak, c"}] == [
        "Klein", "a", "b", "Novak, c", "Roe", "d", "e", "f",
    ]  # fmt: skip
    (klein,) = lines_with(ax, "Klein, 2 effects combined")
    assert klein.get_xdata()[1] == pytest.approx(combined["Klein"][0])
    half = 1.959963984540054 * math.sqrt(combined["Klein"][1])
    assert klein.get_xdata()[2] - klein.get_xdata()[1] == pytest.approx(half)
    assert lines_with(ax, "Novak, c: 0.35")[0].get_marker() == "s"


def test_nested_forest_says_both_variances(words):
    fit = meta.multilevel(YI, VI, study=STUDY)
    said = " ".join(words(fit.plot(sizes(), study=STUDY)))
    assert "Pooled estimate (6 effects, 3 studies)" in said
    assert f"τ² between studies = {fit.tau2_study:.3f}, within = {fit.tau2_effect:.3f}" in said


def test_nested_forest_refuses_what_does_not_belong():
    with pytest.raises(OptionError, match="'Nobody'"):
        figures.nested_forest(sizes(), study=STUDY, combined={"Nobody": (0.1, 0.1)})
    with pytest.raises(DesignError, match="rows 1, 4"):
        figures.nested_forest(sizes(), study=["a", None, "b", "c", float("nan"), "d"])
    fit = meta.multilevel(YI, VI, study=STUDY, moderators={"x": [1, 2, 3, 4, 5, 6]})
    with pytest.raises(OptionError, match="moderators"):
        fit.plot(sizes(), study=STUDY)


def test_caterpillar_sorts_and_counts(tips, words):
    yi = YI.copy()
    yi[2] = np.nan
    fit = meta.multilevel(YI, VI, study=STUDY)
    ax = fit.plot(sizes(yi), study=STUDY, labels=list("abcdef"), kind="caterpillar")
    assert [tip[:8].split(":")[0] for tip in tips(ax)] == ["Roe, d", "Klein, a", "Roe, f", "Klein, b", "Roe, e"]
    assert "Not computed, and not drawn: 1." in words(ax)
    drawn = [lines_with(ax, tip)[0] for tip in tips(ax)]
    assert [line.get_ydata()[0] for line in drawn] == [0, 1, 2, 3, 4]


def test_caterpillar_stays_on_a_page():
    rng = np.random.default_rng(1)
    ax = figures.caterpillar(sizes(rng.normal(size=400), np.full(400, 0.05)))
    assert ax.figure.get_figheight() < 10


# Funnel


def test_filled_studies_are_hollow_and_mirror_the_trimmed_ones(words):
    y, v = [0.1, 0.2, 0.25, 0.5, 0.8, 1.1], [0.01, 0.02, 0.02, 0.08, 0.15, 0.2]
    filled = meta.trim_and_fill(sizes(y, v))
    ax = filled.plot()
    hollow = lines_with(ax, "Filled in")
    assert len(hollow) == filled.k0 == 3
    assert sorted(float(point.get_xdata()[0]) for point in hollow) == pytest.approx(sorted(filled.yi[6:]))
    assert {to_hex(point.get_markerfacecolor()) for point in hollow} == {"#ffffff"}
    assert "Filled in by trim-and-fill" in words(ax)
    assert len(lines_with(ax, "Study ")) == 6


def test_trim_and_fill_of_combined_studies_can_be_drawn():
    ax = meta.trim_and_fill(sizes(), study=STUDY).plot(labels=["Klein", "Novak", "Roe"])
    assert len(lines_with(ax, "Klein")) == 1


@pytest.mark.parametrize("predictor", ["se", "variance"])
def test_eggers_line_runs_through_its_limit_estimate(predictor):
    egger = meta.egger(sizes(), predictor=predictor)
    ax = figures.funnel(sizes(), egger=egger)
    (line,) = [line for line in ax.get_lines() if to_hex(line.get_color()) == PREDICTION and line.get_linewidth() == 1.6
               and len(line.get_xdata()) > (1 if predictor == "se" else 50) and line.get_clip_on()]  # fmt: skip
    x, se = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
    expected = egger.limit_estimate + egger.slope * (se if predictor == "se" else se**2)
    assert x == pytest.approx(expected)
    assert (se[0], se[-1]) == (0.0, pytest.approx(ax.get_ylim()[0]))


def test_filled_studies_of_another_measure_are_refused():
    with pytest.raises(OptionError, match="filled is on the scale of OR"):
        figures.funnel(sizes(), filled=sizes(measure="OR"))


# Baujat and bubble


def test_baujat_draws_its_frame_and_names_the_farthest(words):
    frame = meta.baujat(sizes())
    ax = figures.baujat(frame, labels=[f"S{i}" for i in range(6)])
    for i, row in enumerate(frame.itertuples()):
        (point,) = lines_with(ax, f"S{i}:")
        assert (point.get_xdata()[0], point.get_ydata()[0]) == (row.x, row.y)
    assert f"S{int(frame['x'].argmax())}" in words(ax)


def test_baujat_takes_names_from_the_frame(words):
    frame = meta.baujat(sizes()).assign(study=[f"T{i}" for i in range(6)])
    assert "T3" in words(figures.baujat(frame))
    with pytest.raises(DesignError, match="no column y"):
        figures.baujat(frame[["x"]])


def test_bubble_draws_the_line_of_the_fit(words):
    fit = meta.regression(sizes(), moderators={"sessions": [4, 8, 8, 12, 16, 20]})
    ax = fit.plot(labels=list("abcdef"), measure="SMD", favours=("IPT", "CBT"))
    (point,) = lines_with(ax, "e: sessions 16")
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (16, pytest.approx(0.9))
    (line,) = [line for line in ax.get_lines() if to_hex(line.get_color()) == POOLED and line.get_linestyle() == "-"
               and len(line.get_xdata()) > 9]  # fmt: skip
    slope = np.diff(np.asarray(line.get_ydata(), float)) / np.diff(np.asarray(line.get_xdata(), float))
    assert slope == pytest.approx(fit.coefficients["estimate"][1])
    assert "Upwards: favours IPT." in words(ax)
    areas = [lines_with(ax, f"{name}:")[0].get_markersize() ** 2 for name in "ad"]
    assert areas[0] / areas[1] == pytest.approx((VI[3] + fit.tau2) / (VI[0] + fit.tau2))


def test_bubble_of_categories_draws_a_mean_each(words):
    fit = meta.regression(sizes(), moderators={"format": ["group", "individual"] * 3})
    ax = figures.bubble(fit)
    means = [line for line in ax.get_lines() if line.get_marker() == "D"]
    expected = fit.predict(pd.DataFrame({"format": ["group", "individual"]}))["estimate"]
    assert [line.get_ydata()[1] for line in means] == pytest.approx(expected.tolist())
    assert {"group", "individual"} <= set(words(ax))


def test_bubble_says_at_what_the_others_are_held(words):
    fit = meta.regression(
        sizes(), moderators={"sessions": [4, 8, 8, 12, 16, 20], "year": [1990, 2001, 1995, 2003, 2010, 2004]}
    )
    with pytest.raises(OptionError, match="sessions, year"):
        figures.bubble(fit)
    ax = figures.bubble(fit, moderator="year")
    assert "Fitted with sessions 11.33." in words(ax)
    assert {"1990", "2000", "2010"} <= set(words(ax))
    with pytest.raises(DesignError, match="at least 6, got 1"):
        figures.bubble(fit, moderator="year", labels=["a"])


def test_bubble_of_ratios_prints_ratios(words):
    fit = meta.regression(sizes(measure="OR", event="good"), moderators={"x": [4, 8, 8, 12, 16, 20]})
    ax = figures.bubble(fit, measure="OR", event="good")
    ticks = dict(zip([label.get_text() for label in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    assert ticks["1"] == 0.0
    assert ticks["2"] == pytest.approx(math.log(2))
    assert "Odds ratio (log scale)" in words(ax)


# Step by step, and influence


def test_cumulative_keeps_the_order_and_marks_the_last(words, tips):
    frame = meta.cumulative(sizes(), order=[2001, 1989, 1995, 2010, 2004, 2020])
    ax = figures.cumulative(frame, labels=list("abcdef"), measure="SMD")
    assert [tip[6] for tip in tips(ax)] == list("bcaedf")
    said = words(ax)
    assert "b (1989)" in said
    assert [text for text in said if text in set("123456")] == list("123456")
    last = frame["estimate"].iloc[-1]
    dashed = [c for c in ax.collections if c.get_segments() and c.get_segments()[0][0][0] == pytest.approx(last)]
    assert len(dashed) == 1


def test_positions_beyond_the_labels_are_refused():
    frame = meta.cumulative(sizes())
    with pytest.raises(DesignError, match="labels name 2 studies"):
        figures.cumulative(frame, labels=["a", "b"])
    out = meta.leave_one_out(sizes())
    said = figures.leave_one_out(out, pooled=meta.pool(sizes()), labels=list("abcdef"), measure="SMD")
    assert len(lines_with(said, "Without c")) == 1


def test_influence_draws_every_diagnostic_of_every_study(tips):
    frame = meta.influence([0.1, 0.2, 0.3, 1.9], [0.02, 0.03, 0.02, 0.04])
    ax = figures.influence(frame, labels=list("abcd"))
    assert len(tips(ax)) == 4 * 6
    rust = [line for line in ax.get_lines() if line.get_marker() == "D"]
    assert len(rust) == 6
    assert all((figures.tip_text(line.get_gid()) or "").startswith("d:") for line in rust)
    assert f"d: Residual, z {frame['rstudent'][3]:.2f}" in tips(ax)


def test_influence_on_a_phone_has_fewer_columns(tips):
    frame = meta.influence(sizes())
    assert len(tips(figures.influence(frame, width=3.5))) == 6 * 4
    assert figures.influence(frame.assign(study=list("abcdef"))) is not None
    with pytest.raises(DesignError, match="no column dffits"):
        figures.influence(frame.drop(columns="dffits"))


# Risk of bias and the search


def judged(lines):
    return pd.DataFrame(lines, columns=["study", "domain", "judgement"])


def test_a_light_per_study_and_domain(words, tips):
    ax = figures.risk_of_bias(judged([("A", "One", "low"), ("A", "Two", "high"), ("B", "Two", "some")]))
    assert tips(ax) == ["A, One: low risk", "A, Two: high risk", "B, Two: some concerns"]
    said = words(ax)
    signs = [LIGHTS[name].sign for name in ("low", "high", "some")]
    assert [text for text in said if text in signs][:3] == signs
    # The key explains the three judgements that occur, and no other.
    assert len([line for line in ax.get_lines() if line.get_marker() == "o"]) == 3 + 3
    assert "no information" not in said
    assert "D1: One; D2: Two" in said


def test_counts_of_items_are_lights_where_there_are_no_domains(words):
    counts = pd.DataFrame({"study": ["A", "B"], "low": [1, 3]})
    ax = figures.risk_of_bias(judged([]), counts=counts, of=4)
    discs = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert [to_hex(disc.get_markerfacecolor()) == ACCENT for disc in discs] == [True, *[False] * 3, *[True] * 3, False]
    assert "Low of 4" in words(ax)


def test_strange_judgements_and_counts_are_refused():
    with pytest.raises(OptionError, match="judgement"):
        figures.risk_of_bias(judged([("A", "One", "fine")]))
    with pytest.raises(OptionError, match="between 0 and 4"):
        figures.risk_of_bias(judged([]), counts=pd.DataFrame({"study": ["A"], "low": [5]}), of=4)
    with pytest.raises(DesignError, match="no rows"):
        figures.risk_of_bias(judged([]))


def test_bars_are_as_long_as_the_shares(words):
    frame = pd.DataFrame({"domain": ["One", "One", "Two"], "judgement": ["high", "low", "low"], "studies": [1, 3, 4]})
    ax = figures.risk_of_bias_summary(frame)
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    wide = [patch.get_width() for patch in bars]
    assert wide[0] / wide[2] == pytest.approx(0.75)
    assert wide[1] / wide[2] == pytest.approx(0.25)
    assert bars[0].get_x() < bars[1].get_x()
    assert {"+ 3", "+ 4"} <= set(words(ax))


class Flow:
    """A search as the diagram reads it."""

    def __init__(self, counts, reasons=None, sources=None):
        self.counts, self.reasons, self.sources = counts, reasons or {}, sources or {}


WORDS = {
    "identified": "Found",
    "screened": "Screened",
    "excluded_full_text": "Not used",
    "included_studies": "Included",
}


def test_the_diagram_has_a_box_per_stage_told(words, tips):
    flow = Flow(
        {"identified": 12345, "screened": 60, "excluded_full_text": 9, "included_studies": 7}, {"no control": 9}
    )
    ax = figures.prisma(flow, words=WORDS)
    assert len([patch for patch in ax.patches if isinstance(patch, Rectangle)]) == 4
    said = [text.replace("\N{NO-BREAK SPACE}", " ") for text in words(ax)]
    assert said == [
        "Found (n = 12,345)",
        "Screened (n = 60)",
        "Not used (n = 9)",
        "no control (n = 9)",
        "Included (n = 7)",
    ]
    tops = [patch.get_y() for patch in ax.patches if isinstance(patch, Rectangle)]
    assert tops == sorted(tops)


def test_an_empty_search_is_refused():
    with pytest.raises(DesignError, match="no stage"):
        figures.prisma(Flow({}), words=WORDS)


# Networks


@pytest.fixture(scope="module")
def triangle():
    return meta.network(
        [0.5, 0.3, 0.4, 0.1, 0.2],
        [0.1, 0.12, 0.1, 0.2, 0.15],
        study=["a", "b", "c", "d", "e"],
        arm1=["ipt", "ipt", "ipt", "cbt", "cbt"],
        arm2=["wl", "wl", "wl", "wl", "ipt"],
        reference="wl",
    )


def test_network_sizes_and_widths_follow_the_numbers(triangle):
    ax = triangle.plot(people={"ipt": 400, "cbt": 100, "wl": 225})
    disc = {name: lines_with(ax, f"{name}:")[0] for name in ("ipt", "cbt", "wl")}
    assert (disc["ipt"].get_markersize() / disc["cbt"].get_markersize()) ** 2 == pytest.approx(4)
    assert (disc["ipt"].get_markersize() / disc["wl"].get_markersize()) ** 2 == pytest.approx(400 / 225)
    edges = [line for line in ax.get_lines() if line.get_marker() == "None"]
    assert sorted(figures.tip_text(line.get_gid()) for line in edges) == [
        "cbt and ipt: 1 study",
        "cbt and wl: 1 study",
        "ipt and wl: 3 studies",
    ]
    wide = {figures.tip_text(line.get_gid()): line.get_linewidth() for line in edges}
    assert wide["ipt and wl: 3 studies"] / wide["cbt and wl: 1 study"] == pytest.approx(3)
    assert to_hex(disc["wl"].get_color()) == POOLED


def test_network_people_must_be_complete(triangle):
    with pytest.raises(OptionError, match="people lacks cbt"):
        triangle.plot(people={"ipt": 1, "wl": 2})
    with pytest.raises(OptionError, match="at least 0"):
        triangle.plot(people={"ipt": -1, "wl": 2, "cbt": 2})


def test_names_that_would_touch_become_numbers(words):
    arms = [f"A treatment with a rather long name {i}" for i in range(20)]
    some = meta.network(
        np.linspace(0, 1, 19), np.full(19, 0.2), study=range(19), arm1=arms[1:], arm2=arms[:-1], reference=arms[0]
    )
    said = words(some.plot(width=3.5))
    assert "20" in said
    assert any(text.startswith("20 A treatment") for text in said)


def test_ranking_bars_are_the_scores(triangle, words):
    frame = triangle.ranking("higher")
    ax = triangle.plot(kind="ranking", better="higher")
    bars = [patch.get_width() for patch in ax.patches]
    assert np.array(bars) / bars[0] == pytest.approx((frame["p_score"] / frame["p_score"][0]).to_numpy(), rel=1e-9)
    assert words(ax)[1] == str(frame["treatment"][0])


def test_league_colours_by_direction_and_clarity(triangle, words):
    ax = triangle.plot(kind="league", better="higher", measure="SMD")
    cells = [patch for patch in ax.patches if figures.tip_text(patch.get_gid())]
    assert len(cells) == 6
    table = triangle.random.set_index(["arm1", "arm2"])
    for patch in cells:
        one, two = (figures.tip_text(patch.get_gid()) or "").split(":")[0].split(" against ")
        row = table.loc[(one, two)]
        clear = row["ci_low"] > 0 or row["ci_high"] < 0
        strong = {ACCENT: True, PREDICTION: False}.get(to_hex(patch.get_facecolor()))
        assert (strong is not None) == clear
        if clear:
            assert strong == (row["estimate"] > 0)
    worse = triangle.plot(kind="league", better="lower", measure="SMD")
    one = next(p for p in ax.patches if (figures.tip_text(p.get_gid()) or "").startswith("ipt against wl"))
    other = next(p for p in worse.patches if (figures.tip_text(p.get_gid()) or "").startswith("ipt against wl"))
    assert to_hex(one.get_facecolor()) == ACCENT
    assert to_hex(other.get_facecolor()) == PREDICTION
    assert any(" to " in text for text in words(ax))


def test_ranking_and_league_need_a_direction(triangle):
    for kind in ("ranking", "league"):
        with pytest.raises(OptionError, match="needs better"):
            triangle.plot(kind=kind)
    with pytest.raises(OptionError, match="kind"):
        triangle.plot(kind="spider")


# Specifications


class Grid:
    """A grid of specifications as the figure reads it."""

    def __init__(self, frame, measure="SMD"):
        self.frame, self.measure, self.event, self.level = frame, measure, None, 0.95


FRAME = pd.DataFrame(
    {
        "tau2": ["REML", "DL", "REML", "DL"],
        "rows": ["all", "all", "combined", "combined"],
        "comparator": ["all"] * 4,
        "estimate": [0.5, 0.2, 0.3, 0.4],
        "ci_low": [0.1, -0.1, 0.1, 0.1],
        "ci_high": [0.9, 0.5, 0.5, 0.7],
    }
)


def test_the_curve_rises_and_marks_each_choice_once(words, tips):
    ax = figures.specification_curve(Grid(FRAME), main=0.3)
    drawn = {to_hex(p.get_edgecolor()): p.get_path().vertices[::2] for p in ax.patches if p.get_linewidth() == 5.0}
    assert drawn[ACCENT].tolist() == [[1, 0.3], [2, 0.4], [3, 0.5]]
    assert drawn[MUTED].tolist() == [[0, 0.2]]
    said = words(ax)
    assert "Estimator of τ²" in said
    # A choice that was always the same is not shown.
    assert "Compared with" not in said
    assert "4 specifications, by size of the effect" in said
    assert len(tips(ax)) == 4
    assert tips(ax)[0].startswith("0.20 (−0.10 to 0.50). Estimator of τ²: DL")
    (path,) = [artist.get_path() for artist in ax.patches if artist.get_linewidth() == 4.0]
    level = {round(float(y), 6) for _, y in path.vertices}
    assert len(level) == 4
    # Four choices of two levels each: every specification is marked once per choice.
    width = sum(b[0] - a[0] for a, b in zip(path.vertices[::2], path.vertices[1::2], strict=True))
    box = ax.get_window_extent().width / ax.figure.dpi
    assert width == pytest.approx(2 * box)


def test_every_dot_of_many_specifications_is_drawn():
    many = pd.concat([FRAME] * 100, ignore_index=True)
    svg = figures.to_svg(figures.specification_curve(Grid(many)))
    dots = [
        re.findall(r"M[-\d. ]+L[-\d. ]+", path)
        for path in re.findall(r'<path d="([^"]*)"[^>]*stroke-linecap: round', svg)
    ]
    assert sorted(len(each) for each in dots) == [100, 300]


def test_a_grid_without_estimates_is_refused():
    with pytest.raises(DesignError, match="no specification"):
        figures.specification_curve(Grid(FRAME.assign(estimate=np.nan)))
    with pytest.raises(DesignError, match="no column ci_low"):
        figures.specification_curve(Grid(FRAME.drop(columns="ci_low")))


# Plots of results


def test_subgroups_draw_a_row_per_level(words):
    groups = meta.subgroups(sizes(), by=["wl", "cau"] * 3)
    ax = groups.plot()
    said = words(ax)
    assert "Subgroup" in said
    assert [text for text in said if text in {"wl", "cau"}] == ["cau", "wl"]
    (row,) = lines_with(ax, "wl:")
    assert row.get_xdata()[1] == pytest.approx(groups.pooled["wl"].estimate)


def test_multilevel_kind_is_checked():
    with pytest.raises(OptionError, match="kind"):
        meta.multilevel(YI, VI, study=STUDY).plot(sizes(), study=STUDY, kind="worm")


def test_pooled_diamond_is_where_the_estimate_is():
    pooled = meta.pool(sizes())
    ax = pooled.plot()
    (diamond,) = [patch for patch in ax.patches if isinstance(patch, Polygon)]
    assert diamond.get_xy()[1][0] == pytest.approx(pooled.estimate)
