"""Figures as pictures: one drawing function, an SVG for a page, an SVG for a phone, and pixels.

The SVG goes inline into pages that hold other drawings, so its ids are made its own; tips that the drawing
hides in ids become SVG titles, which a browser shows without a script.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TYPE_CHECKING

import matplotlib as mpl

from ipt_outcomes.errors import IptError
from ipt_outcomes.figures import tip_text, to_png, to_svg
from ipt_outcomes.report.document import Picture
from ipt_outcomes.results import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PIXELS_PER_INCH = 200

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# As matplotlib names clips and marks: a letter and a digest.
_LONG = re.compile(r"[pmh][0-9a-f]{8,}")
# Places, in hundredths of a point; the scales of letters keep all their digits.
_PLACE = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\)")
_ID = re.compile(r"[a-z][a-z0-9-]*")


def picture(draw: Callable[[float], Axes], *, id: str, wide: float = 7.2, narrow: float = 3.5) -> Picture:
    """Draw a figure for a page and for a phone.

    Parameters
    ----------
    draw : callable
        Takes the width in inches and returns the Axes of a figure of that width, as `ipt_outcomes.figures` does.
    id : str
        Prefix of every id inside the SVG, unique in the document: small letters, digits, hyphens.
    wide, narrow : float
        Widths in inches.

    Returns
    -------
    Picture
        The same figure always gives the same bytes: no dates, no random ids, no fonts of the machine.

    Raises
    ------
    IptError
        `id` holds other characters.
    """
    if not _ID.fullmatch(id):
        raise IptError(f"a picture's id must be small letters, digits and hyphens; got {visible(id)!r}")
    with mpl.rc_context():
        # A user's own style must not change a report.
        mpl.rcdefaults()
        large = draw(wide)
        return Picture(
            svg_wide=own_svg(to_svg(large), prefix=f"{id}-w"),
            svg_narrow=own_svg(to_svg(draw(narrow)), prefix=f"{id}-n"),
            png=to_png(large, dpi=PIXELS_PER_INCH),
            width_inches=wide,
        )


def own_svg(text: str, *, prefix: str) -> str:
    """Make a drawing fit to stand inline beside others.

    Parameters
    ----------
    text : str
        A whole SVG file as matplotlib writes it.
    prefix : str
        Put before every id and every reference to one.

    Returns
    -------
    str
        One ``svg`` element without prolog, metadata and style sheet; tips are titles, sizes CSS pixels.
    """
    # matplotlib repeats every text in a comment; a control character there would not be XML.
    root = ET.fromstring(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))  # noqa: S314 - our own drawing, written a moment ago
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                parent.remove(child)
    # matplotlib sets these two by a rule for "*", which would reach the whole page.
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    _shorten(root)
    _unwrap(root)
    # Of thousands of ids only those that something points at are needed.
    named = _pointed_at(root)
    tips = 0
    for element in root.iter():
        _rename(element, prefix)
        tip = tip_text(element.get("id"))
        if tip is not None:
            tips += 1
            element.set("id", f"{prefix}-tip-{tips}")
            title = ET.Element(f"{{{_SVG}}}title")
            title.text = visible(tip)
            element.insert(0, title)
        elif "id" in element.attrib:
            if element.attrib["id"] in named:
                element.set("id", f"{prefix}-{element.attrib['id']}")
            else:
                del element.attrib["id"]
    _size(root)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")


def _shorten(root: ET.Element) -> None:
    """Give clips and marks short names, and leave blanks out of styles: they stand in every line of a drawing."""
    names: dict[str, str] = {}
    for element in root.iter():
        own = element.get("id", "")
        if _LONG.fullmatch(own):
            names[own] = f"{own[0]}{len(names)}"
    for element in root.iter():
        for name, value in list(element.attrib.items()):
            if name == "style":
                element.set(name, value.replace(": ", ":").replace("; ", ";"))
            elif name == "transform":
                element.set(name, _PLACE.sub(_hundredths, value))
            elif name == "id" and value in names:
                element.set(name, names[value])
            elif value.startswith("#") and value[1:] in names:
                element.set(name, f"#{names[value[1:]]}")
            elif "url(#" in value:
                element.set(name, _REFERENCE.sub(lambda found: f"url(#{names.get(found[1], found[1])})", value))


def _hundredths(found: re.Match[str]) -> str:
    return f"translate({float(found[1]):.2f} {float(found[2]):.2f})"


def _unwrap(root: ET.Element) -> None:
    """Put the parts of a group that says nothing in its place."""
    for parent in list(root.iter()):
        parts: list[ET.Element] = []
        for child in parent:
            plain = child.tag == f"{{{_SVG}}}g" and not child.attrib
            parts += list(child) if plain else [child]
        parent[:] = parts


def _pointed_at(root: ET.Element) -> set[str]:
    """The ids that some element of a drawing points at."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    found = {value[1:] for value in values if value.startswith("#")}
    return found | {name for value in values for name in _REFERENCE.findall(value)}


def _rename(element: ET.Element, prefix: str) -> None:
    """Point every reference of one element at the prefixed ids."""
    for name, value in list(element.attrib.items()):
        if name in {f"{{{_XLINK}}}href", "href"} and value.startswith("#"):
            del element.attrib[name]
            element.set("href", f"#{prefix}-{value[1:]}")
        elif "url(#" in value:
            element.set(name, _REFERENCE.sub(rf"url(#{prefix}-\1)", value))


def _size(root: ET.Element) -> None:
    """Give the drawing its natural size in CSS pixels (matplotlib writes points)."""
    for name in ("width", "height"):
        points = float(root.get(name, "0").removesuffix("pt"))
        root.set(name, f"{points * 96 / 72:.6g}")


def aspect(svg: str) -> float:
    """Width over height of a drawing, from its view box.

    Parameters
    ----------
    svg : str
        An ``svg`` element.

    Returns
    -------
    float

    Raises
    ------
    IptError
        The element has no view box.
    """
    found = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', svg)
    if found is None or float(found.group(2)) <= 0:
        raise IptError("a picture's SVG must have a viewBox of positive height")
    return float(found.group(1)) / float(found.group(2))
