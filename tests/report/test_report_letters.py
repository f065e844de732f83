"""Letters of drawings are shared on a page, and nothing of a drawing is lost."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np

from ipt_outcomes import figures
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.report.letters import Letters
from ipt_outcomes.report.pictures import picture

SOME = EffectSizes(yi=np.array([0.2, 0.5]), vi=np.array([0.04, 0.09]), measure="SMD", convention="test")


def drawing(name: str, label: str = "Klein") -> str:
    return picture(lambda width: figures.forest(SOME, labels=[label, "B"], width=width), id=name).svg_wide


def outlines(svg: str, shared: str = "") -> list[tuple[str, str]]:
    """What every letter of a drawing looks like, in the order drawn, with its place."""
    paths = dict(re.findall(r'<path id="([^"]+)" d="([^"]*)"', svg + shared))
    used = re.findall(r'<use(?: x="([-\d.]+)")? href="#([^"]+)"', svg)
    # A blank has no outline, and need not be drawn.
    return [(f"{float(x or 0):.0f}", paths[target]) for x, target in used if target in paths]


def test_a_drawing_shows_the_same_letters_with_shared_outlines() -> None:
    one, two = drawing("one"), drawing("two", "Novak")
    letters = Letters.of([one, two])
    for number, svg in enumerate((one, two)):
        lean = letters.without(svg, f"D{number}")
        assert outlines(lean, letters.svg()) == outlines(svg)
        assert len(lean) < 0.6 * len(svg)
        assert len(outlines(lean, letters.svg())) > 20
        ET.fromstring(lean)
        assert [t.text for t in ET.fromstring(lean).iter("{http://www.w3.org/2000/svg}title")] == [
            t.text for t in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")
        ]


def test_ids_left_in_drawings_are_their_own() -> None:
    svgs = [drawing("one"), drawing("two")]
    letters = Letters.of(svgs)
    page = letters.svg() + "".join(letters.without(svg, f"D{number}") for number, svg in enumerate(svgs))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    pointed = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert pointed
    assert pointed <= set(ids)


def test_a_letter_drawn_otherwise_keeps_its_own_outline() -> None:
    svg = drawing("one")
    other = re.sub(r'(id="one-w-f-[^"]+" d=")M', r"\1M1 1L2 2M", drawing("one"), count=1)
    letters = Letters.of([svg, other])
    assert "M1 1L2 2M" in letters.without(other, "D1")
    assert outlines(letters.without(other, "D1"), letters.svg()) == outlines(other)


def test_the_shared_outlines_take_no_room_and_say_nothing() -> None:
    root = ET.fromstring(Letters.of([drawing("one")]).svg())
    assert (root.get("width"), root.get("height"), root.get("aria-hidden")) == ("0", "0", "true")
    assert Letters.of([]).outlines == {}


def test_letters_keep_their_size_and_place() -> None:
    from ipt_outcomes.figures import to_svg

    raw = to_svg(figures.forest(SOME, labels=["Klein", "B"], width=7.2))
    own = drawing("one")
    scale = re.findall(r"scale\([^)]*\)", raw)
    assert len(scale) > 50
    assert re.findall(r"scale\([^)]*\)", own) == scale
    assert set(re.findall(r"scale\([^)]*\)", Letters.of([own]).svg())) == {"scale(0.015625)"}
    places = [float(x) for pair in re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", raw) for x in pair]
    kept = [float(x) for pair in re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", own) for x in pair]
    assert np.allclose(kept, places, atol=0.0051)
