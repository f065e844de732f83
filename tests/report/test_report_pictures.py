"""Drawings that live together on one page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ipt_outcomes.errors import IptError
from ipt_outcomes.figures import tag
from ipt_outcomes.report import Picture, picture
from ipt_outcomes.report.pictures import aspect

SVG = "{http://www.w3.org/2000/svg}"


def forest(width: float) -> Axes:
    figure = Figure(figsize=(width, 2.0))
    axes = figure.add_subplot()
    for name in ("A & B <i>", "Ünïcode 汉", 'quote"'):
        (line,) = axes.plot([0, 1], [0, 1], marker="o")
        tag(line, name)
    axes.set_title("Clipped")
    return figure.axes[0]


@pytest.fixture(scope="module")
def drawn() -> Picture:
    return picture(forest, id="forest")


def test_drawing_is_one_svg_element_with_size(drawn: Picture) -> None:
    for svg, width in ((drawn.svg_wide, 7.2), (drawn.svg_narrow, 3.5)):
        root = ET.fromstring(svg)
        assert svg.startswith("<svg ")
        assert root.tag == f"{SVG}svg"
        assert float(root.get("width", "")) == pytest.approx(width * 96)
        assert float(root.get("height", "")) == pytest.approx(2 * 96)
        assert aspect(svg) == pytest.approx(width / 2)
        assert not {element.tag for element in root.iter()} & {f"{SVG}metadata", f"{SVG}style", f"{SVG}text"}


def test_every_id_and_reference_is_the_drawings_own(drawn: Picture) -> None:
    for svg, prefix in ((drawn.svg_wide, "forest-w-"), (drawn.svg_narrow, "forest-n-")):
        ids = re.findall(r' id="([^"]*)"', svg)
        assert len(ids) == len(set(ids)) > 10
        assert all(name.startswith(prefix) for name in ids)
        targets = re.findall(r'href="#([^"]*)"', svg) + re.findall(r"url\(#([^)]*)\)", svg)
        assert len(targets) > 5
        assert set(targets) <= set(ids)
        assert "xlink" not in svg


def test_tips_become_titles(drawn: Picture) -> None:
    root = ET.fromstring(drawn.svg_wide)
    found = [(g.get("id"), g[0].text) for g in root.iter(f"{SVG}g") if len(g) and g[0].tag == f"{SVG}title"]
    assert found == [
        ("forest-w-tip-1", "A & B <i>"),
        ("forest-w-tip-2", "Ünïcode 汉"),
        ("forest-w-tip-3", 'quote"'),
    ]


def test_same_drawing_gives_same_bytes_whatever_the_user_set(drawn: Picture) -> None:
    with matplotlib.rc_context(
        {"axes.facecolor": "red", "font.size": 30, "svg.fonttype": "none", "lines.linewidth": 9}
    ):
        again = picture(forest, id="forest")
    assert again == drawn


def test_drawing_changes_no_setting_of_the_user() -> None:
    with matplotlib.rc_context({"font.size": 30}):
        picture(forest, id="forest")
        assert matplotlib.rcParams["font.size"] == 30


def test_pixels_hold_no_date_and_no_software(drawn: Picture) -> None:
    assert drawn.png.startswith(b"\x89PNG")
    assert int.from_bytes(drawn.png[16:20], "big") == 1440
    assert b"tEXt" not in drawn.png
    assert b"Matplotlib" not in drawn.png


@pytest.mark.parametrize("name", ["", "A", "1", "a b", 'a"', "a<b"])
def test_ids_that_could_be_markup_are_refused(name: str) -> None:
    with pytest.raises(IptError, match="id must be"):
        picture(forest, id=name)


def test_nothing_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture(forest, id="forest")
    assert list(tmp_path.iterdir()) == []
