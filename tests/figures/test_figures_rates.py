"""The figure of rates: what it says of each row, and that hidden rows leave no trace."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures import rates, tip_text, to_svg


def frame(**columns: object) -> pd.DataFrame:
    base: dict[str, object] = {
        "group": ["Recovered"] * 3,
        "label": ["Everyone", "Grief", "Role dispute"],
        "numerator": [30, 1, 7],
        "denominator": [188, 43, 0],
        "percent": [15.957, 2.326, np.nan],
        "ci_low": [11.4, 0.4, np.nan],
        "ci_high": [21.9, 12.1, np.nan],
        "bold": [True, False, False],
    }
    return pd.DataFrame(base | columns)


def texts(ax: object) -> list[str]:
    return [text.get_text() for text in ax.texts]  # type: ignore[attr-defined]


def tips(ax: object) -> list[str]:
    return [tip for artist in ax.get_children() if (tip := tip_text(artist.get_gid()))]  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [7.2, 3.5])
def test_counts_and_intervals_stand_beside_the_marks(width: float) -> None:
    ax = rates(frame(), width=width, label_header="Problem area")
    shown = " ".join(texts(ax))
    assert "30/188" in shown
    assert "16.0% (11.4 to 21.9)" in shown
    assert "2.3% (0.4 to 12.1)" in shown
    assert "nobody to count" in shown
    assert "Recovered, Grief: 1/43, 2.3% (0.4 to 12.1), 95% interval" in tips(ax)
    assert len(tips(ax)) == 2


def test_a_hidden_row_leaves_no_trace_of_its_numbers() -> None:
    hidden = frame(hidden=[False, True, True], numerator=[30, 1, 77], percent=[15.957, 2.326, 41.0])
    ax = rates(hidden)
    assert texts(ax).count("hidden") == 2
    assert not any("1/43" in text or "77" in text for text in (*texts(ax), *tips(ax)))
    assert len(tips(ax)) == 1
    empty = hidden.assign(numerator=[30, None, None], percent=[15.957, None, None], ci_low=[11.4, None, None])
    assert to_svg(ax) == to_svg(rates(empty))
    assert any(text.startswith("Hidden: small numbers") for text in texts(ax))


def test_the_axis_is_the_whole_range_and_ends_stay_whole() -> None:
    ends = frame(percent=[0.0, 100.0, 50.0], ci_low=[0.0, 90.0, 40.0], ci_high=[9.0, 100.0, 60.0], denominator=[20] * 3)
    low, high = rates(ends).get_xlim()
    assert low < 0 < 100 < high


def test_groups_come_in_the_order_of_the_frame() -> None:
    ax = rates(frame(group=["Worse", "Recovered", "Worse"]))
    shown = texts(ax)
    assert shown.index("Worse") < shown.index("Recovered")
    assert shown.index("Everyone") < shown.index("Recovered") < shown.index("Grief")


def test_frames_that_are_none_are_refused() -> None:
    with pytest.raises(DesignError, match="no rows"):
        rates(frame().iloc[:0])
    with pytest.raises(DesignError, match="no column ci_low"):
        rates(frame().drop(columns="ci_low"))
    with pytest.raises(OptionError, match="from 0 to 100"):
        rates(frame(percent=[159.6, 2.0, np.nan]))
    with pytest.raises(OptionError):
        rates(frame(), level=95)


def test_the_same_frame_gives_the_same_drawing() -> None:
    assert to_svg(rates(frame())) == to_svg(rates(frame()))
