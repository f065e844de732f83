"""Plots of people and of a service: every mark is where its number is, and what stands out looks different."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.clinic import funnel, kaplan_meier, p_chart, xmr
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures import change_scatter, control_chart, survival, to_svg, unit_funnel, waterfall
from ipt_outcomes.figures.tips import tip_text

PRE = np.array([20.0, 18.0, 15.0, 12.0, np.nan])
POST = np.array([5.0, 12.0, 15.0, 20.0, 4.0])
CATEGORY = np.array(["recovered", "improved", "unchanged", "deteriorated", ""])


def tips(ax):
    return [text for artist in ax.get_children() if (text := tip_text(artist.get_gid())) is not None]


def test_everybody_with_both_scores_is_a_point_of_the_scatter():
    ax = change_scatter(PRE, POST, CATEGORY, band=6, cutoff=9.5)
    drawn = {
        tuple(point): collection.get_label()
        for collection in ax.collections
        if collection.get_label() in set(CATEGORY) - {""}
        for point in collection.get_offsets().tolist()
    }
    assert drawn == {(pre, post): name for pre, post, name in zip(PRE[:4], POST[:4], CATEGORY[:4], strict=True)}
    words = [text.get_text() for text in ax.texts]
    assert "Without both scores, not drawn: 1." in words
    assert "recovered (1)" in words


def test_a_waterfall_runs_from_the_worst_to_the_best():
    heights = [bar.get_height() for bar in waterfall(POST - PRE, CATEGORY, better="lower", limit=6).containers[0]]
    assert heights == [8, 0, -6, -15]
    raised = [bar.get_height() for bar in waterfall(POST - PRE, CATEGORY, better="higher").containers[0]]
    assert raised == [-15, -6, 0, 8]


def test_special_causes_of_a_control_chart_say_which_rule_they_meet():
    chart = xmr([50.0, 52.0] * 7 + [70.0, np.nan, 51.0], better="higher", target=55)
    ax = control_chart(chart, labels=[f"m{i}" for i in range(17)])
    said = tips(ax)
    assert len(said) == 16
    assert [text for text in said if "above the upper limit" in text] == ["m14: 70, above the upper limit"]
    markers = [line.get_marker() for line in ax.lines if tip_text(line.get_gid())]
    assert markers.count("^") == int((chart.points["direction"] == "improvement").sum())
    assert chart.plot() is not None


def test_a_p_chart_is_labelled_in_percent():
    ax = control_chart(p_chart([5, 6, 7] * 5, [20] * 15, better="higher"))
    assert all(label.get_text().endswith("%") for label in ax.get_yticklabels())
    assert tips(ax)[0].startswith("1: 25.0%")


def test_units_outside_the_limits_are_marked():
    found = funnel([5, 20, 9], [10, 40, 40], target=0.5)
    ax = unit_funnel(found, labels=["North", "South", "<b>East</b>"])
    points = [line for line in ax.lines if tip_text(line.get_gid())]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in points] == [(10, 0.5), (40, 0.5), (40, 0.225)]
    colours = [line.get_color() for line in points]
    assert colours[0] == colours[1] != colours[2]
    assert tips(ax)[2] == "<b>East</b>: 9 of 40, 22.5%"


def test_curves_rise_where_the_event_is_hoped_for():
    km = kaplan_meier([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 1], group=["a", "b"] * 3)
    falling, rising = survival(km), survival(km, events=True)
    down, up = ({line.get_label(): line for line in ax.lines if line.get_label() in "ab"} for ax in (falling, rising))
    for name in "ab":
        np.testing.assert_allclose(down[name].get_ydata(), 1 - np.asarray(up[name].get_ydata()))
    assert down["a"].get_ydata()[0] == 1.0
    assert down["a"].get_linestyle() != down["b"].get_linestyle()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: change_scatter(PRE, POST, CATEGORY, band=6, cutoff=9.5),
        lambda: waterfall(POST - PRE, CATEGORY, better="lower"),
        lambda: control_chart(xmr([1.0, 2.0, 3.0] * 6, better="lower")),
        lambda: unit_funnel(funnel([5, 20], [10, 40])),
        lambda: survival(kaplan_meier([1, 2], [1, 1])),
        lambda: change_scatter(PRE, POST, CATEGORY, width=3.6, title="A long title " * 6),
    ],
)
def test_a_figure_is_the_same_each_time(draw):
    assert to_svg(draw()) == to_svg(draw())


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(DesignError, match="nothing to draw"):
        change_scatter([np.nan], [1.0], [""])
    with pytest.raises(DesignError, match="one label per point"):
        control_chart(xmr([1.0, 2.0], better="lower"), labels=["a"])
    with pytest.raises(DesignError, match="no event"):
        survival(kaplan_meier([1, 2], [0, 0]))
    with pytest.raises(OptionError, match="at most 4 curves"):
        survival(kaplan_meier(range(1, 6), [1] * 5, group=list("abcde")))
    assert pd.isna(PRE[4])
