"""Results and effects that every test of the figures draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.figures import tip_text


@dataclass(frozen=True)
class Pooled:
    """A pooled effect with the fields the figures read."""

    estimate: float = 0.482
    ci_low: float = 0.311
    ci_high: float = 0.653
    prediction_low: float | None = -0.35
    prediction_high: float | None = 1.32
    k: int = 31
    tau2: float = 0.159
    i2: float = 66.2
    level: float | None = None
    measure: str | None = None
    event: str | None = None


@pytest.fixture(scope="session")
def make_pooled() -> type[Pooled]:
    """Make a pooled effect; every field may be given."""
    return Pooled


@pytest.fixture(scope="session")
def names() -> list[str]:
    """Names of the four studies of `some`."""
    return ["Klein 2002", "Novak & Lind", "$lost$", "<b>Roe</b>"]


@pytest.fixture(scope="session")
def some() -> Callable[..., EffectSizes]:
    """Make the effects of four studies, the third of them missing."""

    def make(
        measure: str = "SMD",
        event: str | None = None,
        yi: tuple[float, ...] | np.ndarray = (0.2, 0.61, np.nan, -0.35),
        vi: tuple[float, ...] | np.ndarray = (0.04, 0.09, 0.05, 0.02),
    ) -> EffectSizes:
        return EffectSizes(yi=np.array(yi), vi=np.array(vi), measure=measure, convention="test", event=event)

    return make


def drawn_texts(ax: Axes) -> list[tuple[Text, Bbox]]:
    """Every text a reader sees, with its box in pixels."""
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    hidden = [text for axis in (ax.xaxis, ax.yaxis) if not axis.get_visible() for text in axis.findobj(Text)]
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in hidden]
    return [(text, text.get_window_extent(renderer)) for text in texts]


@pytest.fixture(scope="session")
def words() -> Callable[[Axes], list[str]]:
    """Return what a figure says, in the order in which it was drawn."""
    return lambda ax: [text.get_text() for text, _ in drawn_texts(ax)]


@pytest.fixture(scope="session")
def assert_readable() -> Callable[[Axes], None]:
    """Refuse a figure whose texts touch one another, leave the page, or are too small."""

    def check(ax: Axes) -> None:
        found = drawn_texts(ax)
        figure = ax.get_figure(root=True)
        width, height = figure.get_size_inches() * figure.dpi
        assert len(found) > 2
        for text, box in found:
            assert text.get_fontsize() >= 8.5
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"{text.get_text()!r} leaves the page: {box}"
        # Half a pixel of ascender space is not ink; the box of a text is higher than its letters.
        corners = np.array([[box.x0 + 0.5, box.y0 + 1.5, box.x1 - 0.5, box.y1 - 1.5] for _, box in found])
        across = (corners[:, None, 0] < corners[None, :, 2]) & (corners[None, :, 0] < corners[:, None, 2])
        down = (corners[:, None, 1] < corners[None, :, 3]) & (corners[None, :, 1] < corners[:, None, 3])
        hits = np.argwhere(np.triu(across & down, 1))
        assert not len(hits), [(found[i][0].get_text(), found[j][0].get_text()) for i, j in hits]

    return check


@pytest.fixture(scope="session")
def tips() -> Callable[[Axes], list[str]]:
    """Return the tips of a figure, in the order in which the marks were drawn."""

    def read(ax: Axes) -> list[str]:
        gids = [artist.get_gid() for artist in ax.get_figure(root=True).findobj() if tip_text(artist.get_gid())]
        return [str(tip_text(gid)) for gid in sorted(set(gids))]

    return read
