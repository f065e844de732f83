"""What a figure says is what the numbers are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from ipt_outcomes import figures
from ipt_outcomes.errors import DesignError, IptError, OptionError
from ipt_outcomes.figures.scale import robust_scale, sides
from ipt_outcomes.figures.words import fit, literal, text_width
from ipt_outcomes.results import format_interval, format_number


def words(ax):
    return [text.get_text() for text in ax.texts]


def tips(ax):
    found = ax.get_figure(root=True).findobj(lambda artist: figures.tip_text(artist.get_gid()) is not None)
    return {figures.tip_text(artist.get_gid()): artist for artist in found}


@pytest.mark.parametrize("width", [7.2, 3.5])
@pytest.mark.parametrize("measure", ["SMD", "MD", "RD", "OR", "RR"])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_printed_and_drawn_numbers_are_the_effects(measure, width, level, some, names):
    effects = some(measure, "good" if measure in {"OR", "RR", "RD"} else None)
    ax = figures.forest(effects, labels=names, width=width, level=level)
    low, high = effects.ci(level)
    to = np.exp if measure in {"OR", "RR"} else np.asarray
    said, marks = words(ax), tips(ax)
    for i in (0, 1, 3):
        text = f"{format_number(to(effects.yi[i]))} ({format_interval(to(low[i]), to(high[i]))})"
        assert text in said
        drawn = marks[f"{names[i]}: {text}"].get_xdata()
        np.testing.assert_allclose(drawn, to([low[i], effects.yi[i], high[i]]), rtol=1e-12)
    assert f"({round(level * 100)}% CI)" in " ".join(said)
    assert ax.get_xscale() == ("log" if measure in {"OR", "RR"} else "linear")


def test_missing_effect_is_listed_not_drawn(some, names):
    ax = figures.forest(some(), labels=names)
    assert words(ax).count("not computed") == 1
    assert "$lost$" in words(ax)
    assert not any(tip.startswith("$lost$") for tip in tips(ax))


def test_all_missing_still_gives_a_figure(some):
    ax = figures.forest(some(yi=np.full(3, np.nan), vi=np.full(3, np.nan)))
    assert words(ax).count("not computed") == 3
    assert np.isfinite(ax.get_xlim()).all()
    assert figures.to_png(figures.funnel(some(yi=np.full(3, np.nan), vi=np.full(3, np.nan)))).startswith(b"\x89PNG")


def test_pooled_diamond_and_prediction_bar(make_pooled, some):
    ax = figures.forest(some(), pooled=make_pooled())
    marks = tips(ax)
    diamond = marks["Pooled estimate (k = 31): 0.48 (0.31 to 0.65)"]
    assert isinstance(diamond, Polygon)
    xs = sorted({round(float(x), 6) for x in diamond.get_xy()[:, 0]})
    assert xs == [0.311, 0.482, 0.653]
    bar = marks["95% prediction interval: −0.35 to 1.32"]
    assert isinstance(bar, Rectangle)
    assert bar.get_x() == pytest.approx(-0.35)
    assert bar.get_x() + bar.get_width() == pytest.approx(1.32)
    assert "τ² = 0.159, I² = 66%" in words(ax)


def test_ratio_pooled_is_printed_and_drawn_as_ratio(make_pooled, some):
    ax = figures.forest(some("OR", "good"), pooled=make_pooled())
    text = f"{format_number(np.exp(0.482))} ({format_interval(np.exp(0.311), np.exp(0.653))})"
    diamond = tips(ax)[f"Pooled estimate (k = 31): {text}"]
    assert diamond.get_xy()[:, 0].min() == pytest.approx(np.exp(0.311))


def test_no_prediction_interval_no_row(make_pooled, some):
    ax = figures.forest(some(), pooled=make_pooled(prediction_low=None, prediction_high=None))
    assert not any("prediction" in word for word in words(ax))
    ax = figures.forest(some(), pooled=make_pooled(estimate=np.nan))
    assert words(ax).count("not computed") == 2
    assert not any("prediction" in word for word in words(ax))


def test_one_study_has_no_heterogeneity_line(make_pooled, some):
    assert any("I²" in word for word in words(figures.forest(some(), pooled=make_pooled(k=2))))
    assert not any("I²" in word for word in words(figures.forest(some(), pooled=make_pooled(k=1))))


def test_square_areas_follow_the_weights(make_pooled, some, names):
    effects = some()
    marks = tips(figures.forest(effects, labels=names, pooled=make_pooled(tau2=0.1)))
    sizes = {tip.split(":")[0]: mark.get_markersize() for tip, mark in marks.items() if isinstance(mark, Line2D)}
    expected = (0.04 + 0.1) ** -1 / (0.02 + 0.1) ** -1
    assert (sizes["Klein 2002"] / sizes["<b>Roe</b>"]) ** 2 == pytest.approx(expected)


def test_no_effect_line_stands_at_one_for_ratios(some):
    for measure, null in (("SMD", 0.0), ("RR", 1.0)):
        ax = figures.forest(some(measure, "good" if measure == "RR" else None))
        xs = {float(path.vertices[0, 0]) for item in ax.collections for path in item.get_paths()}
        assert null in xs


def test_ratio_ticks_are_ratios_and_readable(some):
    ax = figures.forest(some("OR", "good", np.log([0.5, 2.0, 4.0]), np.array([0.1, 0.1, 0.2])))
    ticks = ax.get_xticks()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert 1.0 in [round(float(tick), 9) for tick in ticks]
    assert [float(label) for label in labels] == pytest.approx(list(ticks))
    assert len(ticks) >= 3


@pytest.mark.parametrize(
    ("measure", "event", "better", "expected"),
    [
        ("SMD", None, None, ("Favours TAU", "Favours IPT")),
        ("SMDC", None, None, ("Favours TAU", "Favours IPT")),
        ("OR", "good", None, ("Favours TAU", "Favours IPT")),
        ("OR", "bad", None, ("Favours IPT", "Favours TAU")),
        ("RR", "bad", None, ("Favours IPT", "Favours TAU")),
        ("RD", "good", None, ("Favours TAU", "Favours IPT")),
        ("RD", None, None, ("Fewer events in IPT", "More events in IPT")),
        ("MD", None, None, ("Lower in IPT", "Higher in IPT")),
        ("MD", None, "lower", ("Favours IPT", "Favours TAU")),
        ("MD", None, "higher", ("Favours TAU", "Favours IPT")),
        (None, None, None, None),
    ],
)
def test_sides(measure, event, better, expected, some):
    assert sides(measure, event, better, ("IPT", "TAU")) == expected
    if measure is not None:
        ax = figures.forest(some(measure, event), better=better, favours=("IPT", "TAU"))
        place = {text.get_text(): text.get_window_extent().x0 for text in ax.texts}
        assert place[f"← {expected[0]}"] < place[f"{expected[1]} →"]


def test_groups_keep_a_categoricals_order_and_sort_plain_text(some):
    group = ["wl", "cau", "wl", "cau"]
    plain = words(figures.forest(some(), groups=group))
    assert plain.index("cau") < plain.index("wl")
    own = pd.Series(pd.Categorical(group, categories=["wl", "cau", "unused"]))
    ordered = words(figures.forest(some(), groups=own))
    assert ordered.index("wl") < ordered.index("cau")
    assert "unused" not in ordered
    missing = words(figures.forest(some(), groups=["b", None, "a", "b"]))
    assert missing.index("a") < missing.index("b") < missing.index("not reported")


def test_every_study_stands_in_its_own_group(make_pooled, some, names):
    ax = figures.forest(some(), labels=names, groups=["b", "a", "b", "a"], subtotals={"a": make_pooled(k=2)})
    said = [word for word in words(ax) if word in {*names, "a", "b", "Subtotal (k = 2)"}]
    assert said == ["a", "Novak & Lind", "<b>Roe</b>", "Subtotal (k = 2)", "b", "Klein 2002", "$lost$"]
    assert "a: Subtotal (k = 2): 0.48 (0.31 to 0.65)" in tips(ax)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [(None, [0, 1, 2, 3]), ("effect", [3, 0, 1, 2]), ("label", [2, 3, 0, 1])],
)
def test_sort(sort, expected, some, names):
    said = words(figures.forest(some(), labels=names, sort=sort))
    assert [word for word in said if word in names] == [names[i] for i in expected]


def test_clipped_intervals_get_arrowheads_and_a_note(some):
    yi = np.array([0.3, 0.4, 0.5, 0.2, 30.0])
    ax = figures.forest(some(yi=yi, vi=np.array([0.04, 0.04, 0.04, 90.0, 1.0])), labels=list("abcde"))
    low, high = ax.get_xlim()
    heads = [line for line in ax.lines if line.get_marker() in "<>" and line.get_linestyle() == "None"]
    at = sorted(x for line in heads for x in line.get_xdata())
    assert at == pytest.approx([low, high, high])
    assert any("beyond the axis" in word for word in words(ax))
    assert "e: 30.00 (28.04 to 31.96)" in tips(ax)
    assert not any("beyond the axis" in word for word in words(figures.forest(some())))


def test_scale_always_holds_no_effect():
    far = np.array([30.0, 31.0])
    scale = robust_scale(far, far - 1, far + 1, ratio=False)
    assert scale.low < 0 < 32 < scale.high


def test_huge_log_ratios_do_not_overflow(make_pooled, some):
    effects = some("OR", "good", np.array([0.1, 800.0, -900.0]), np.array([0.1, 0.1, 4e5]))
    ax = figures.forest(effects, pooled=make_pooled(ci_high=np.inf, prediction_high=np.inf))
    assert np.isfinite(ax.get_xlim()).all()
    assert figures.to_png(ax).startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [7.2, 3.5])
def test_cut_names_keep_their_full_name_in_a_tip(width, some, names):
    name = "Long " * 30 + "end"
    ax = figures.forest(some(), labels=[name, *names[1:]], width=width)
    assert any(word.endswith("…") for word in words(ax))
    assert name in tips(ax)
    assert any(tip.startswith(f"{name}: ") for tip in tips(ax))


def test_tags_are_unique_and_decode(some):
    ax = figures.forest(some(), labels=["王明", "\U0001f469 x", "c", 'd"<>&']).figure.axes[0]
    ids = [a.get_gid() for a in ax.get_figure(root=True).findobj() if figures.tip_text(a.get_gid())]
    assert len(ids) == len(set(ids)) == 3
    assert {tip.split(":")[0] for tip in tips(ax)} == {"王明", "\U0001f469 x", 'd"<>&'}
    assert all(f'id="{gid}"' in figures.to_svg(ax) for gid in ids)
    with pytest.raises(IptError, match="part of a figure"):
        figures.tag(Line2D([0], [0]), "x")


def test_literal_text_is_never_markup(some):
    ax = figures.forest(some(), labels=["$\\frac{1}$", "$bad", "_^\\", "d"], xlabel="$x$", title="$t$")
    assert {"$\\frac{1}$", "$bad", "_^\\", "$x$", "$t$"} <= set(words(ax))
    assert all(not text.get_parse_math() for text in ax.texts)
    assert literal("a\x00b") == "a\N{REPLACEMENT CHARACTER}b"
    assert literal(None) == "–"
    assert literal("王 2015") == "\N{REPLACEMENT CHARACTER} 2015"


def test_fit_breaks_and_cuts():
    assert fit("short", 3.0) == ["short"]
    lines = fit("one two three four five six seven eight nine ten", 0.9, lines=2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(text_width(line) <= 0.9 for line in lines)
    whole = fit("one two three four", 0.7, lines=9)
    assert " ".join(whole) == "one two three four"


def test_funnel_draws_points_pooled_line_and_regions(make_pooled, some, names):
    effects = some()
    ax = figures.funnel(effects, labels=names, pooled=make_pooled())
    low, high = effects.ci()
    for i in (0, 1, 3):
        text = f"{names[i]}: {format_number(effects.yi[i])} ({format_interval(low[i], high[i])})"
        mark = tips(ax)[f"{text}, standard error {format_number(effects.se[i])}"]
        assert float(mark.get_xdata()[0]) == pytest.approx(effects.yi[i])
        assert float(mark.get_ydata()[0]) == pytest.approx(effects.se[i])
    bottom, top = ax.get_ylim()
    assert top == 0.0
    assert bottom > 0.3
    said = words(ax)
    for text in (
        "p > .10",
        ".05 < p < .10",
        ".01 < p < .05",
        "p < .01",
        "Pooled estimate",
        "Pseudo 95% limits",
    ):
        assert text in said
    assert "Not computed, and not drawn: 1." in said
    # The innermost region ends where a two-sided p is .10.
    inner = next(c for c in ax.collections if c.get_zorder() == pytest.approx(0.4))
    edge = inner.get_paths()[0].vertices
    at = edge[np.isclose(edge[:, 1], edge[:, 1].max()) & (edge[:, 0] > 0)]
    assert at[:, 0].min() == pytest.approx(min(1.6448536 * edge[:, 1].max(), ax.get_xlim()[1]), rel=1e-6)


def test_funnel_of_ratios_has_a_log_axis(make_pooled, some):
    ax = figures.funnel(some("OR", "bad"), pooled=make_pooled())
    assert ax.get_xscale() == "log"
    assert "1" in [label.get_text() for label in ax.get_xticklabels()]
    first = next(mark for tip, mark in tips(ax).items() if tip.startswith("Study 1"))
    assert float(first.get_xdata()[0]) == pytest.approx(np.exp(0.2))


def test_pseudo_limits_are_drawn_and_named_at_their_level(make_pooled, some, names):
    effects = some()
    ax = figures.funnel(effects, labels=names, pooled=make_pooled(level=0.9), level=0.9)
    assert "Pseudo 90% limits" in words(ax)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--" and line.get_ydata()[0] == 0.0]
    ends = sorted(float(line.get_xdata()[-1]) for line in dashed)
    deepest = float(dashed[0].get_ydata()[-1])
    assert ends == pytest.approx([0.482 - 1.644853627 * deepest, 0.482 + 1.644853627 * deepest])
    low, high = effects.ci(0.9)
    said = f"Novak & Lind: 0.61 ({format_interval(low[1], high[1])}), standard error 0.30"
    assert said in tips(ax)


@pytest.mark.parametrize("width", [7.2, 3.5])
@pytest.mark.parametrize(("level", "name"), [(0.9, "90%"), (0.95, "95%"), (0.975, "97.5%")])
def test_summaries_name_their_level(make_pooled, level, name, width):
    pooled = make_pooled(level=level)
    said = words(figures.analyses([("All rows", pooled)], measure="SMD", level=level, width=width))
    assert f"g ({name} CI)" in said
    assert (f"{name} PI" in said) == (width > 5)
    assert f"Thick line: {name} CI. Thin line: {name} prediction interval (PI)." in " ".join(said)
    frame = pd.DataFrame({"left_out": ["a"], "estimate": [0.4], "ci_low": [0.2], "ci_high": [0.6]})
    said = words(figures.leave_one_out(frame, pooled=pooled, measure="SMD", level=level, width=width))
    assert f"g ({name} CI)" in said
    with pytest.raises(OptionError, match=r"asked for 0\.8"):
        figures.analyses([("All rows", pooled)], measure="SMD", level=0.8)
    with pytest.raises(OptionError, match=r"asked for 0\.8"):
        figures.leave_one_out(frame, pooled=pooled, measure="SMD", level=0.8)


def test_analyses_prints_k_interval_and_prediction(make_pooled):
    ax = figures.analyses([("All rows", make_pooled()), ("Low risk", make_pooled(estimate=np.nan))], measure="SMD")
    for word in (
        "31",
        "0.48 (0.31 to 0.65)",
        "−0.35 to 1.32",
        "not computed",
        "g (95% CI)",
        "Favours arm 1 →",
    ):
        assert word in words(ax)
    plain = words(figures.analyses([("All rows", make_pooled())]))
    assert "Effect (95% CI)" in plain
    assert not any("Favours" in word for word in plain)
    own = figures.analyses([("All rows", make_pooled(measure="OR"))], event="bad", favours=("IPT", "CBT"))
    assert "← Favours IPT" in words(own)
    assert own.get_xscale() == "log"


def test_analyses_take_the_event_from_the_results(make_pooled):
    ax = figures.analyses([("a", make_pooled(measure="OR", event="bad"))], favours=("IPT", "CBT"))
    assert "← Favours IPT" in words(ax)
    with pytest.raises(OptionError, match="event is"):
        figures.analyses([("a", make_pooled(measure="OR", event="bad"))], event="good")


def test_analyses_draws_both_intervals(make_pooled):
    ax = figures.analyses([("All rows", make_pooled())], measure="SMD")
    ends = [tuple(np.round(line.get_xdata(), 6)) for line in ax.lines]
    assert (-0.35, 1.32) in ends
    assert (0.311, 0.482, 0.653) in ends


def test_leave_one_out_draws_the_band_of_all_studies(make_pooled):
    frame = pd.DataFrame(
        {"left_out": ["a", "b"], "estimate": [0.4, np.nan], "ci_low": [0.2, np.nan], "ci_high": [0.6, np.nan]}
    )
    ax = figures.leave_one_out(frame, pooled=make_pooled(), measure="SMD")
    band = next(patch for patch in ax.patches if isinstance(patch, Rectangle))
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((0.311, 0.653))
    assert "Without a: 0.40 (0.20 to 0.60)" in tips(ax)
    assert words(ax).count("not computed") == 1
    with pytest.raises(DesignError, match="ci_high"):
        figures.leave_one_out(frame.drop(columns="ci_high"), pooled=make_pooled())


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (DesignError, {"labels": ["a"]}, "expected 4, got 1"),
        (DesignError, {"groups": ["a"] * 5}, "expected 4, got 5"),
        (DesignError, {"labels": "abcd"}, "one value per study"),
        (OptionError, {"sort": "size"}, "sort must be one of"),
        (OptionError, {"level": 95}, "level must be"),
        (OptionError, {"width": 0.5}, "width must be"),
        (OptionError, {"favours": "IPT"}, "two names"),
        (OptionError, {"better": "lower"}, "only for mean differences"),
    ],
)
def test_refusals(kind, options, message, some):
    with pytest.raises(kind, match=message):
        figures.forest(some(), **options)


def test_refusals_of_pooled_effects(make_pooled, some):
    with pytest.raises(OptionError, match="need groups"):
        figures.forest(some(), subtotals={"a": make_pooled()})
    with pytest.raises(OptionError, match="no study has: 'z'"):
        figures.forest(some(), groups=list("aabb"), subtotals={"z": make_pooled()})
    with pytest.raises(OptionError, match=r"at level 0\.9"):
        figures.forest(some(), pooled=make_pooled(level=0.9))
    with pytest.raises(OptionError, match="scale of OR"):
        figures.forest(some(), pooled=make_pooled(measure="OR"))


def test_refusals_of_the_others(make_pooled, some):
    with pytest.raises(OptionError, match="contours"):
        figures.funnel(some(), contours=(0.99, 0.9))
    with pytest.raises(DesignError, match="at least one"):
        figures.analyses([])
    with pytest.raises(OptionError, match="different scales"):
        figures.analyses([("a", make_pooled(measure="OR")), ("b", make_pooled(measure="SMD"))])


def test_the_effects_own_plot_method(some, names):
    ax = some().plot(labels=names, width=3.5)
    assert "Klein 2002" in words(ax)


def test_a_flipped_effect_mirrors_the_figure(some):
    one, two = figures.forest(some()), figures.forest(some(yi=-some().yi))
    np.testing.assert_allclose(one.get_xlim(), [-x for x in reversed(two.get_xlim())])


def test_pooled_is_not_changed(make_pooled, some):
    pooled = make_pooled()
    figures.forest(some(), pooled=pooled)
    assert pooled == replace(pooled)


@pytest.mark.parametrize(
    ("measure", "better", "event"), [("SMD", None, None), ("MD", "lower", None), ("MD", "higher", None)]
)
def test_what_favours_the_first_arm_stands_on_the_right(measure, better, event):
    good = -1.0 if better == "lower" else 1.0
    rows = [figures.Contrast(label="a", estimate=good, low=good - 0.5, high=good + 0.5)]
    ax = figures.contrasts(rows, measure=measure, better=better, event=event, favours=("IPT", "CBT"), name="Points")
    assert {"← Favours CBT", "Favours IPT →", "Points (95% CI)"} <= set(words(ax))
    assert ax.transData.transform((good, 0))[0] > ax.transData.transform((0, 0))[0]


def test_an_arrowhead_points_out_of_a_falling_axis():
    rows = [figures.Contrast(label=str(i), estimate=-0.1, low=-0.2, high=0.0) for i in range(9)]
    rows.append(figures.Contrast(label="far", estimate=-0.1, low=-0.2, high=90.0))
    ax = figures.contrasts(rows, measure="MD", better="lower")
    heads = [line for line in ax.lines if line.get_marker() in {"<", ">"} and line.get_linestyle() == "None"]
    assert [line.get_marker() for line in heads] == ["<"]
    # The high end of a falling axis is the left one.
    left = min(ax.transData.transform((x, 0))[0] for x in ax.get_xlim())
    assert ax.transData.transform((heads[0].get_xdata()[0], 0))[0] == pytest.approx(left)
