"""Letters of drawings: each outline stands once on a page instead of once per drawing.

A drawing holds its letters as outlines, so that it looks the same everywhere; a page holds dozens of drawings with the
same letters. The outlines are taken out of the drawings, and the drawings point at one place that has them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# As `report.pictures` writes an outline: its id is that of the drawing, then the letter.
_OUTLINE = re.compile(r'<path id="([a-z0-9-]+)-(f-[A-Za-z0-9-]+)" (d="[^"]*" transform="scale\([\d.]+\)") ?/>')
# A blank has an outline of nothing, which nobody misses.
_BLANK = re.compile(r'<path id="([a-z0-9-]+-f-[A-Za-z0-9-]+)" transform="scale\([\d.]+\)" ?/>')
_USE = re.compile(r'<use(?: x="([-\d.]+)")? href="#([^"]+)" ?/>')
_TIP = re.compile(r' id="[a-z0-9-]+-tip-\d+"')
_OWN = re.compile(r'( id="|="#|url\(#)([a-z0-9-]+)-([pmh]\d+)(?=["\)])')
_EMPTY = re.compile(r"<defs>\s*</defs>|<defs ?/>")


@dataclass(frozen=True, slots=True)
class Letters:
    """Outlines shared by the drawings of a page.

    Parameters
    ----------
    outlines : dict of str to str
        Attributes of the path of each letter, by its name.
    """

    outlines: dict[str, str]

    @classmethod
    def of(cls, drawings: Iterable[str]) -> Letters:
        """Collect the outlines of drawings; a letter that is drawn in two ways is shared the first way only.

        Parameters
        ----------
        drawings : iterable of str
            ``svg`` elements as `ipt_outcomes.report.pictures.picture` makes them.

        Returns
        -------
        Letters
        """
        found: dict[str, str] = {}
        for drawing in drawings:
            for _, letter, outline in _OUTLINE.findall(drawing):
                found.setdefault(letter, outline)
        return cls(found)

    def without(self, drawing: str, short: str) -> str:
        """Return a drawing that points at the shared outlines in place of its own.

        Parameters
        ----------
        drawing : str
        short : str
            Start of the ids that are left, unique among the drawings of the page.

        Returns
        -------
        str
        """
        own: dict[str, str] = {}
        names = self.names
        blanks = set(_BLANK.findall(drawing))

        def taken(match: re.Match[str]) -> str:
            prefix, letter, outline = match.groups()
            if self.outlines.get(letter) != outline:
                return match[0]
            own[f"{prefix}-{letter}"] = names[letter]
            return ""

        def pointed(match: re.Match[str]) -> str:
            x, target = match.groups()
            if target in blanks:
                return ""
            if target not in own:
                return match[0]
            # Letters are drawn in hundredths of their size: whole numbers are fine enough.
            place = f' x="{float(x):.0f}"' if x else ""
            return f'<use{place} href="#{own[target]}"/>'

        lean = _USE.sub(pointed, _EMPTY.sub("", _BLANK.sub("", _OUTLINE.sub(taken, drawing))))
        # Nothing points at a tip, and what is left of the ids needs no long name.
        return _OWN.sub(lambda found: f"{found[1]}{short}-{found[3]}", _TIP.sub("", lean))

    @property
    def names(self) -> dict[str, str]:
        """Ids of the letters on the page: as short as they can be, and no anchor (those have small letters)."""
        return {letter: f"G{number:x}" for number, letter in enumerate(sorted(self.outlines))}

    def svg(self) -> str:
        """Return the element that holds the outlines; it takes no room and says nothing."""
        names = self.names
        paths = "".join(f'<path id="{names[letter]}" {outline}/>' for letter, outline in sorted(self.outlines.items()))
        hidden = 'width="0" height="0" style="position: absolute" aria-hidden="true" focusable="false"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {hidden}><defs>{paths}</defs></svg>'
