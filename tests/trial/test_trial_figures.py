"""Trajectories and contrasts: what is drawn is what was given, and nothing is cut on a page or a phone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from ipt_outcomes import figures
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures import Contrast

NAMES = {
    "usual_care": "usual care",
    "medication": "medication",
    "cbt": "cognitive behaviour therapy",
    "ipt_medication": "interpersonal psychotherapy with medication",
    "ipt": "interpersonal psychotherapy",
}
WIDTHS = (7.2, 3.5)


def frames(arms: int = 4, weeks: Any = range(1, 13), hidden: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    means, seen = [], []
    for number, arm in enumerate(list(NAMES)[-arms:]):
        seen.append((arm, 0.0, 90, 16.2 + 0.1 * number))
        for week in weeks:
            mean = 15 - (0.3 + 0.1 * number) * week
            means.append((arm, week, mean, mean - 1, mean + 1))
            gone = hidden and number == arms - 1 and week > 6
            seen.append((arm, week, np.nan if gone else 90 - 4 * week, np.nan if gone else mean + 0.2))
    return (
        pd.DataFrame(means, columns=["arm", "week", "estimate", "ci_low", "ci_high"]),
        pd.DataFrame(seen, columns=["arm", "week", "n", "mean"]),
    )


def texts(ax: Axes) -> list[Text]:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]  # type: ignore[attr-defined]


def assert_nothing_is_cut(ax: Axes) -> None:
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [(text, text.get_window_extent()) for text in texts(ax)]
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
        assert text.get_fontsize() >= 8.5
    for number, (one, a) in enumerate(boxes):
        for other, b in boxes[number + 1 :]:
            apart = a.x1 - 1 <= b.x0 or b.x1 - 1 <= a.x0 or a.y1 - 1.5 <= b.y0 or b.y1 - 1.5 <= a.y0
            assert apart, (one.get_text(), other.get_text())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("arms", [2, 3, 5])
@pytest.mark.parametrize("weeks", [range(1, 13), (26,), (26, 52, 104), range(1, 41)])
def test_nothing_is_cut_or_overlaps(width: float, arms: int, weeks: Any) -> None:
    means, seen = frames(arms, weeks)
    ax = figures.trajectory(
        means, seen, names=NAMES, better="lower", ylabel="PHQ-9 total", title="A trial", width=width
    )
    assert_nothing_is_cut(ax)
    said = " ".join(text.get_text() for text in texts(ax))
    assert "lower is better" in said
    assert "Observed (n)" in said


def test_the_numbers_drawn_are_those_given() -> None:
    means, seen = frames()
    ax = figures.trajectory(means, seen, names=NAMES, better="lower")
    lines = [line for line in ax.lines if len(line.get_xdata()) == 12]
    drawn = {tuple(np.asarray(line.get_ydata(), dtype=float)) for line in lines}
    assert drawn == {tuple(rows["estimate"]) for _, rows in means.groupby("arm")}
    points = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))  # type: ignore[index]
        for line in ax.lines
        if len(line.get_xdata()) == 1 and line.get_markerfacecolor() == "white"
    }
    assert points == set(zip(seen["week"], seen["mean"], strict=True))


def test_every_mark_says_its_numbers() -> None:
    ax = figures.trajectory(*frames(2), names=NAMES, better="lower")
    tips = [tip for line in ax.lines if (tip := figures.tip_text(line.get_gid()))]
    assert "interpersonal psychotherapy, week 12: observed mean 10.40, n = 42" in tips
    assert "interpersonal psychotherapy, week 12: model mean 10.20 (95% CI 9.20 to 11.20)" in tips
    assert len(tips) == 2 * (13 + 12)


def test_hidden_numbers_are_not_drawn_and_said() -> None:
    ax = figures.trajectory(*frames(hidden=True), names=NAMES)
    said = [text.get_text() for text in texts(ax)]
    assert said.count("–") == 6
    assert any("hidden" in text for text in said)
    tips = [figures.tip_text(line.get_gid()) or "" for line in ax.lines]
    assert not any("interpersonal psychotherapy, week 7: observed" in tip for tip in tips)


def test_arms_differ_in_more_than_colour() -> None:
    ax = figures.trajectory(*frames(5), names=NAMES)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 12]
    assert len({str(line.get_linestyle()) + str(line._unscaled_dash_pattern) for line in lines}) == 5  # type: ignore[attr-defined]
    assert len({line.get_color() for line in lines}) == 5


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert figures.to_svg(figures.trajectory(*frames())) == figures.to_svg(figures.trajectory(*frames()))


def test_observed_means_alone_are_drawn() -> None:
    means, seen = frames(2)
    ax = figures.trajectory(means.iloc[:0], seen, names=NAMES, better="higher")
    assert any("higher is better" in text.get_text() for text in texts(ax))
    assert_nothing_is_cut(ax)


def test_hostile_names_are_drawn_literally() -> None:
    names = {"usual_care": "$x^2$ <b>", "ipt": "\\alpha_{x}\x07" + "W" * 90}
    means, seen = frames(5)
    kept = means["arm"].isin(names), seen["arm"].isin(names)
    for width in WIDTHS:
        ax = figures.trajectory(means[kept[0]], seen[kept[1]], names=names, width=width)
        assert_nothing_is_cut(ax)
        assert any("$x^2$ <b>" in text.get_text() for text in texts(ax))


def test_bad_input_is_refused() -> None:
    means, seen = frames(2)
    with pytest.raises(DesignError, match="without ci_low"):
        figures.trajectory(means.drop(columns="ci_low"), seen)
    with pytest.raises(DesignError, match="at least one arm"):
        figures.trajectory(means.iloc[:0], seen.iloc[:0])
    with pytest.raises(DesignError, match="all are missing or hidden"):
        figures.trajectory(means.iloc[:0], seen.assign(mean=np.nan))
    with pytest.raises(OptionError, match="better must be one of"):
        figures.trajectory(means, seen, better="down")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="level must be between"):
        figures.trajectory(means, seen, level=95)


ROWS = [
    Contrast(label="Grief", estimate=-3.2, low=-6.7, high=0.4, group="IPT against usual care"),
    Contrast(label="Role dispute", group="IPT against usual care", without="hidden"),
    Contrast(label="Role transition", estimate=-3.7, low=-6.7, high=-0.7, group="IPT against medication"),
]


@pytest.mark.parametrize("width", WIDTHS)
def test_contrasts(width: float) -> None:
    favours = ("IPT", "usual care")
    ax = figures.contrasts(ROWS, measure="MD", header="Area", better="lower", favours=favours, width=width)
    assert_nothing_is_cut(ax)
    said = [text.get_text() for text in texts(ax)]
    assert "−3.20 (−6.70 to 0.40)" in said
    assert "hidden" in said
    # What favours the first arm stands on the right in every figure of a report, whatever is the good end.
    assert any(text.replace("\n", " ").endswith("→") for text in said if "IPT" in text)
    assert not any(text.startswith("← Favours IPT") for text in said)
    assert ax.transData.transform((-3.2, 0))[0] > ax.transData.transform((0, 0))[0]
    assert {"IPT against usual care", "IPT against medication"} <= set(said)


def test_numbers_that_compare_nothing_favour_nobody() -> None:
    ax = figures.contrasts(ROWS, header="Area", xlabel="Change in points")
    assert not any("Favours" in text.get_text() for text in texts(ax))
    with pytest.raises(DesignError, match="at least one row"):
        figures.contrasts([])
    with pytest.raises(OptionError, match="measure must be one of"):
        figures.contrasts(ROWS, measure="points")
