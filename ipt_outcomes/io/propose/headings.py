"""Take a heading apart: which instrument, which measurement time, total or item."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from ipt_outcomes.io.propose.words import Named, instrument_words, pieces

_UNKNOWN = 6.0
_LONGEST = 60
# Units of one letter mean something only right before or right behind a number.
_SHORT_BEHIND = frozenset("wmdy")


@dataclass(frozen=True, slots=True)
class When:
    """A measurement time as a heading or a cell names it.

    Parameters
    ----------
    kind : str
        ``baseline``, ``post``, ``followup``, ``screening``, ``mid``, ``week``, ``month``, ``year``, ``day``,
        ``session``, ``point`` (a numbered time: t2, visit 3), ``number`` (only a number), ``followup_month`` ...
    number : float or None
    """

    kind: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a heading says.

    Parameters
    ----------
    named : Named or None
        The instrument.
    word : str
        The instrument's name as it stands in the heading, folded.
    when : When or None
    item : int or None
    lone : int or None
        A number of which the heading does not say what it counts.
    is_total : bool
        Whether the heading says that it is a total.
    rest : str
        What was not understood, folded.
    """

    named: Named | None = None
    word: str = ""
    when: When | None = None
    item: int | None = None
    lone: int | None = None
    is_total: bool = False
    rest: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: str
    text: str
    value: str = ""
    # Whether it goes on where the last piece ended, without a separator.
    is_glued: bool = False


@lru_cache(maxsize=8192)
def take_apart(heading: str) -> Heading:
    """Read a heading.

    Parameters
    ----------
    heading : str

    Returns
    -------
    Heading

    Examples
    --------
    >>> read = take_apart("hamd17_total_v2")
    >>> read.named.options, read.is_total, read.when
    (('hrsd17',), True, When(kind='point', number=2.0))
    >>> take_apart("weeeek8bdi").when
    When(kind='week', number=8.0)
    """
    best = None
    for text, breaks in _spellings(heading):
        cost, found = _cheapest(text, breaks)
        if best is None or cost < best[0]:
            best = (cost, found)
    return Heading() if best is None else _interpreted(list(best[1]))


def when_of(text: str) -> When | None:
    """Read a measurement time that stands alone: ``"Week 8"``, ``"t2"``, ``"Katamnese"``, ``"baseline_arm_1"``.

    Parameters
    ----------
    text : str

    Returns
    -------
    When or None
        None where anything in the text was not understood.

    Examples
    --------
    >>> when_of("6-month follow-up"), when_of("Nachher"), when_of("red")
    (When(kind='followup_month', number=6.0), When(kind='post', number=None), None)
    """
    # REDCap writes its arm behind the event: "week_8_arm_1", "Week 8 (Arm 1: Main)".
    bare = re.sub(r"_arm_\d+$|\s*\(arm \d+:.*\)$", "", text.strip(), flags=re.IGNORECASE)
    found = take_apart(bare)
    if found.named is not None or found.rest or found.item is not None:
        return None
    return found.when or (None if found.lone is None else When("number", float(found.lone)))


def _spellings(heading: str) -> list[tuple[str, frozenset[int]]]:
    """The heading in small letters and digits, with the places where words end; capitals may or may not start one."""
    plain = unicodedata.normalize("NFKD", heading.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))[:_LONGEST]
    plain = re.sub(r"([A-Za-z])\1{2,}", r"\1\1", plain)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    found = []
    for form in dict.fromkeys((plain, spaced)):
        text, breaks = "", {0}
        for word in re.split(r"[^a-z0-9]+", form.casefold()):
            text += word
            breaks.add(len(text))
        if text:
            found.append((text, frozenset(breaks)))
    return found


def _cheapest(text: str, breaks: frozenset[int]) -> tuple[float, tuple[_Piece, ...]]:
    """The cheapest way to make the text of known words; what is unknown costs most."""
    # What may follow depends on the kind of the last word: the cheapest way is kept for each.
    best: list[dict[str, tuple[float, tuple[_Piece, ...]]]] = [{"": (0.0, ())}, *({} for _ in text)]
    for start in range(len(text)):
        for cost, before in list(best[start].values()):
            for end in range(start + 1, len(text) + 1):
                for piece, price in _options(text, start, end, breaks, before[-1] if before else None):
                    total = cost + price + _seam(text, end, breaks)
                    if total < best[end].get(piece.kind, (float("inf"),))[0]:
                        best[end][piece.kind] = (total, (*before, piece))
    return min(best[-1].values(), key=lambda way: way[0], default=(float("inf"), ()))


def _seam(text: str, end: int, breaks: frozenset[int]) -> float:
    """Words that end in the middle of letters are less likely than at a separator or a digit."""
    if end in breaks or end == len(text) or text[end - 1].isdigit() != text[end].isdigit():
        return 0.0
    return 8.0 if text[end].isdigit() else 0.9


def _options(
    text: str, start: int, end: int, breaks: frozenset[int], before: _Piece | None
) -> list[tuple[_Piece, float]]:
    part, glued = text[start:end], start not in breaks
    crossed = 0.15 * sum(start < place < end for place in breaks)
    found: list[tuple[_Piece, float]] = []
    if part in instrument_words():
        found.append((_Piece("instrument", part, is_glued=glued), 1.0 + crossed))
    for kind, words in pieces().items():
        if part in words and not _stray(text, part, kind, end, before):
            price = 1.0 + crossed + (0.3 if kind == "filler" else 0.0)
            found.append((_Piece(kind, part, words[part], glued), price))
    if part.isdigit() and len(part) <= 4 and not crossed:
        found.append((_Piece("number", part, str(int(part)), glued), 0.5))
    if not found and part.isalpha() and (end == len(text) or end in breaks or text[end].isdigit()):
        found.append((_Piece("rest", part), _UNKNOWN + 0.5 * len(part)))
    elif not found and part.isalpha():
        found.append((_Piece("rest", part), _UNKNOWN + 1 + 0.5 * len(part)))
    return found


def _stray(text: str, part: str, kind: str, end: int, before: _Piece | None) -> bool:
    """Whether a word of one letter (or a number word) stands where it can mean nothing."""
    if kind == "number":
        return before is None
    if len(part) > 1 or kind not in ("unit", "item"):
        return False
    follows = end < len(text) and text[end].isdigit()
    behind = kind == "unit" and part in _SHORT_BEHIND and before is not None and before.kind == "number"
    return not (follows or behind)


def _interpreted(found: list[_Piece]) -> Heading:
    read = Heading(rest="".join(piece.text for piece in found if piece.kind == "rest"))
    numbers: list[int] = []
    place = 0
    while place < len(found):
        piece = found[place]
        after = found[place + 1] if place + 1 < len(found) else None
        if piece.kind == "instrument":
            if read.named is None:
                read = replace(read, named=instrument_words()[piece.text], word=piece.text)
            else:
                read = replace(read, rest=read.rest + piece.text)
        elif piece.kind == "visit" and _is_measured(found[place + 1 : place + 4]):
            read = replace(read, when=_merged(read.when, When(piece.value)))
        elif piece.kind in ("unit", "item", "visit") and after is not None and after.kind == "number":
            place += 1
            read = _numbered(read, piece, int(after.value))
        elif piece.kind == "number" and after is not None and after.kind == "unit":
            behind = found[place + 2] if place + 2 < len(found) else None
            if behind is not None and behind.kind == "number" and _is_before(after, behind):
                # "phq_1_t2", "phq9_1_w12": the number in front is no part of the time.
                numbers.append(int(piece.value))
            else:
                place += 1
                read = _numbered(read, after, int(piece.value))
        elif piece.kind == "number":
            numbers.append(int(piece.value))
        elif piece.kind == "visit":
            read = replace(read, when=_merged(read.when, When(piece.value)))
        elif piece.kind == "total":
            read = replace(read, is_total=True)
        place += 1
    return _with_versions(read, numbers)


def _is_before(unit: _Piece, number: _Piece) -> bool:
    """Whether a unit between two numbers belongs to the second: "1_w12", but not "12w_1"."""
    if unit.value == "point" or number.is_glued:
        return True
    # With separators all around, "week 12" is written more often than "12 week", and "12 months" than "month 12".
    return not unit.is_glued and unit.value in ("week", "session", "day")


def _is_measured(behind: list[_Piece]) -> bool:
    """Whether a number and its unit follow, as in "followup 3 months": the number belongs to the unit."""
    kinds = [piece.kind for piece in behind]
    return kinds[:2] == ["number", "unit"] and behind[1].value != "point" and kinds[2:3] != ["number"]


def _numbered(read: Heading, piece: _Piece, number: int) -> Heading:
    if piece.kind == "item":
        return replace(read, item=number)
    return replace(read, when=_merged(read.when, When(piece.value, float(number))))


def _merged(known: When | None, more: When) -> When:
    """Two words on one time: a follow-up "after six months" counts from the end of treatment, or from its start."""
    if known is None:
        return more
    pair = {known.kind: known, more.kind: more}
    for name in ("followup", "post"):
        other = next((when for kind, when in pair.items() if kind != name), None)
        if name in pair and other is not None:
            measured = other.kind in ("week", "month", "year", "day") and other.number is not None
            return When(f"{name}_{other.kind}", other.number) if measured else _fuller(pair[name], other)
    return _fuller(known, more)


def _fuller(known: When, more: When) -> When:
    """A numbered time says more than a word ("s12_end" is session 12), but for the baseline ("t0_baseline")."""
    for when in (known, more):
        if when.kind == "baseline":
            return when
    return known if known.number is not None else more


def _with_versions(read: Heading, numbers: list[int]) -> Heading:
    """A number that is the version of an instrument ("HAMD ... 17") is no visit; what is left counts something."""
    left = list(numbers)
    named = read.named
    if named is not None and named.versions:
        version = next((number for number in left if number in named.versions), None)
        if version is not None and (len(left) > 1 or read.when is not None or version > 9 or read.is_total):
            left.remove(version)
            options = (named.versions[version],)
            read = replace(read, named=replace(named, options=options, family="", versions={}))
    if len(left) == 1:
        return replace(read, lone=left[0])
    if len(left) == 2 and read.named is not None and read.when is None:
        # "phq9_2_1": time and item, in which order the file shows.
        return replace(read, lone=left[0], item=left[1]) if read.item is None else replace(read, rest=read.rest + "2")
    return read if not left else replace(read, rest=read.rest + "".join(map(str, left)))
