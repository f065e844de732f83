"""Which columns are scores: the instrument, the time, total or item; values decide between candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ipt_outcomes.instruments import instrument
from ipt_outcomes.io.cohort.dictionary import item_count, items_on_form
from ipt_outcomes.io.propose.codes import SENTINELS
from ipt_outcomes.io.propose.headings import Heading, When, take_apart
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE, Named, Sure, instrument_words, lexicon, weakest

_HIGHEST_ITEM = 8.0
_FEW_OUTSIDE = 0.05
_FEWEST_MIXED = 4
_SHORTEST = 3
_BY_LABEL = "by its label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A column of scores.

    Parameters
    ----------
    column : str
    name : str
        Instrument; "" where none of its candidates fits.
    when : When or None
    item : int or None
    sure : {"sure", "likely", "guess"}
    why : str
    """

    column: str
    name: str
    when: When | None = None
    item: int | None = None
    sure: Sure = SURE
    why: str = ""


@dataclass(slots=True)
class _Series:
    """Columns of one name of an instrument."""

    key: str
    named: Named
    columns: dict[str, Heading] = field(default_factory=dict)


def find_scores(profiles: Mapping[str, Profile], taken: set[str]) -> list[Score]:
    """Return the columns that hold scores of an instrument.

    Parameters
    ----------
    profiles : mapping of str to Profile
    taken : set of str
        Columns that are something else already.

    Returns
    -------
    list of Score
        In the order of the file.
    """
    read: dict[str, Heading] = {}
    for column, profile in profiles.items():
        if column in taken or not profile.is_numeric or profile.holds_dates:
            continue
        heading = _heading(column, profile)
        if heading.named is not None:
            read[column] = heading
    found: dict[str, Score] = {}
    read = _bare_versions(read)
    made = {column: why for column, heading in read.items() if (why := _made_of(heading))}
    for column, why in made.items():
        found[column] = Score(column=column, name="", sure=GUESS, why=why)
    for series in _series({column: heading for column, heading in read.items() if column not in made}):
        name, sure, why = _instrument(series, profiles)
        if not name:
            outside = {c: Score(column=c, name="", sure=GUESS, why=why) for c in series.columns}
            found |= outside
            continue
        headings = _items(name, series.columns, profiles)
        odd = _few_points(name, headings, profiles) | _half_understood(name, headings)
        for column, why_odd in odd.items():
            found[column] = Score(column=column, name="", sure=GUESS, why=why_odd)
        for column, heading in _mixed_times({c: h for c, h in headings.items() if c not in odd}).items():
            found[column] = _score(column, name, heading, profiles[column], sure, why)
    return [found[column] for column in profiles if column in found]


def _heading(column: str, profile: Profile) -> Heading:
    """What the heading says; what it leaves open, the label may say."""
    read = take_apart(column)
    if not profile.label:
        return read
    label = take_apart(profile.label)
    if label.named is None or len(label.named.options) != 1:
        return read
    if read.named is None:
        return replace(label, rest=_BY_LABEL) if not label.rest else read
    if read.named.family and label.named.options[0] in read.named.options:
        return replace(read, named=replace(label.named, family="", versions={}), word=label.word)
    return read


def _bare_versions(read: dict[str, Heading]) -> dict[str, Heading]:
    """In a row of bdi1, bdi2, bdi3 ... (or phq_8, phq_9) the number is no version of the instrument."""
    words = instrument_words()
    families = {h.named.family for h in read.values() if h.named is not None and h.named.family}
    families |= {
        family for family in lexicon()["families"]
        if {f"{family}1", f"{family}2"} <= {h.word for h in read.values()}
    }  # fmt: skip
    changed = {}
    for column, heading in read.items():
        stem = heading.word.rstrip("0123456789")
        number = heading.word[len(stem) :]
        named = words.get(stem)
        simple = heading.when is None and heading.item is None and heading.lone is None
        if named is not None and named.family in families and number and simple and heading.named is not None:
            own = number == str(int(number)) and heading.is_total
            if not own:
                heading = replace(heading, named=named, word=stem, lone=int(number))
        changed[column] = heading
    return changed


def _made_of(heading: Heading) -> str:
    """Why a column is something made of scores (a change, a class), or another person's; "" where nothing says so."""
    assert heading.named is not None  # noqa: S101  only named headings come here
    words = lexicon()["made_of_scores"]["words"]
    rest = heading.rest
    word = next((word for word in words if rest == word or (len(word) >= _SHORTEST and word in rest)), None)
    if word is None:
        return ""
    short = instrument(heading.named.options[0]).short
    return f"named {short}, but {word!r} in its heading says that it is no score of the person: leave it out?"


def _few_points(name: str, columns: dict[str, Heading], profiles: Mapping[str, Profile]) -> dict[str, str]:
    """Numbered columns in which nobody has more points than one item: items of a form that is not whole, or times."""
    lone = {c: h.lone for c, h in columns.items() if h.lone is not None and h.when is None and h.item is None}
    numbers = sorted(number for number in lone.values() if number is not None)
    n_items = item_count(name)
    if not _FEWEST_MIXED <= len(numbers) < n_items or numbers[-1] > n_items:
        return {}
    if not all(_is_item(name, profiles[column]) for column in lone):
        return {}
    told = f"{len(numbers)} of the {n_items} items of {instrument(name).short}, or its scores at {len(numbers)} times?"
    return dict.fromkeys(lone, f"{told} No cell has more points than one item")


def _half_understood(name: str, columns: dict[str, Heading]) -> dict[str, str]:
    """Headings with words nobody knows, beside others of the instrument without: they are something else."""
    odd = {column: heading.rest for column, heading in columns.items() if not _is_plain(heading)}
    if len(odd) == len(columns):
        return {}
    short = instrument(name).short
    return {column: f"named {short}, but {rest!r} in its heading was not understood" for column, rest in odd.items()}


def _series(read: dict[str, Heading]) -> list[_Series]:
    found: dict[str, _Series] = {}
    for column, heading in read.items():
        assert heading.named is not None  # noqa: S101  only named headings come here
        key = heading.named.family or heading.named.options[0]
        series = found.setdefault(key, _Series(key, heading.named))
        series.columns[column] = heading
    return list(found.values())


def _instrument(series: _Series, profiles: Mapping[str, Profile]) -> tuple[str, Sure, str]:
    """Choose between the versions of an instrument by the range of all its columns."""
    plain = [c for c, heading in series.columns.items() if heading.item is None and _is_plain(heading)]
    totals = [profiles[c] for c in plain or [c for c, heading in series.columns.items() if heading.item is None]]
    fitting = [name for name in series.named.options if all(_fits(name, profile) for profile in totals)]
    span = _span(totals, series.named.options)
    if not fitting:
        shorts = " or ".join(instrument(name).short for name in series.named.options)
        return "", GUESS, f"named like {shorts}, but {span} does not fit {_range(series.named.options[0])}"
    name = fitting[0]
    short = instrument(name).short
    if not series.named.family:
        return name, SURE, f"named {short}, {span} fits {_range(name)}"
    if lexicon()["families"][series.key].get("likely") and max((p.highest for p in totals), default=0) > 6:
        return name, LIKELY, f"named {series.key.upper()}, {span} fits {short}"
    others = ", ".join(instrument(other).short for other in fitting[1:])
    asked = f"{short} or {others}?" if others else f"{short}, or another version?"
    return name, GUESS, f"named {series.key.upper()} without its version: {asked} ({span} fits)"


def _is_plain(heading: Heading) -> bool:
    """Whether all of the heading was understood."""
    return heading.rest in ("", _BY_LABEL)


def _fits(name: str, profile: Profile) -> bool:
    known = instrument(name)
    values = profile.known
    low = -np.inf if known.minimum is None else known.minimum
    high = np.inf if known.maximum is None else known.maximum
    # A usual code for missing does not speak against the instrument: it is asked about by itself.
    outside = ((values < low) | (values > high)) & ~np.isin(values, list(SENTINELS))
    return not len(values) or float(outside.mean()) <= _FEW_OUTSIDE


def _span(profiles: list[Profile], names: tuple[str, ...]) -> str:
    """From where to where the scores run, without what usually stands for missing."""
    highest = max((instrument(name).maximum or np.inf for name in names), default=np.inf)
    lowest = min((instrument(name).minimum or 0.0 for name in names), default=0.0)
    values = np.concatenate([profile.known for profile in profiles]) if profiles else np.array([])
    outside = (values < lowest) | (values > highest)
    values = values[~(outside & np.isin(values, list(SENTINELS)))]
    return f"{values.min():g} to {values.max():g}" if len(values) else "no value"


def _range(name: str) -> str:
    from ipt_outcomes.io.cohort.totals import range_words

    return range_words(name)


def _items(name: str, columns: dict[str, Heading], profiles: Mapping[str, Profile]) -> dict[str, Heading]:
    """Decide whether lone numbers count items or times: items are few points wide, and all there."""
    n_items = item_count(name)
    columns = _time_and_item(name, columns)
    lone = {c: h for c, h in columns.items() if h.lone is not None and h.when is None and h.item is None}
    small = {c: h for c, h in lone.items() if _is_item(name, profiles[c])}
    numbers = {h.lone for h in small.values()}
    if n_items < 2 or not set(range(1, n_items + 1)) <= numbers:
        return columns
    on_form = items_on_form(name)
    return {
        c: replace(h, item=h.lone, lone=None) if c in small and h.lone is not None and 1 <= h.lone <= on_form else h
        for c, h in columns.items()
    }


def _time_and_item(name: str, columns: dict[str, Heading]) -> dict[str, Heading]:
    """Of two bare numbers ("phq9_2_1") the one that runs from 1 to the number of items is the item."""
    both = {c: h for c, h in columns.items() if h.when is None and h.lone is not None and h.item is not None}
    whole = [set(range(1, n + 1)) for n in {item_count(name), items_on_form(name)} if n > 1]
    second, first = {h.item for h in both.values()}, {h.lone for h in both.values()}
    if second in whole or first not in whole:
        return columns
    return {c: replace(h, lone=h.item, item=h.lone) if c in both else h for c, h in columns.items()}


def _is_item(name: str, profile: Profile) -> bool:
    known = instrument(name)
    high = known.item_max if known.item_max is not None else _HIGHEST_ITEM
    low = known.item_min if known.item_min is not None else 0.0
    values = profile.known
    outside = (values < low) | (values > high)
    # A usual code for missing does not speak against an item: it is asked about by itself.
    return profile.is_whole and not (outside & ~np.isin(values, list(SENTINELS))).any()


def _mixed_times(columns: dict[str, Heading]) -> dict[str, Heading]:
    """Sessions, weeks and bare numbers that together count on: one kind of time, written in several ways."""
    counted = ("session", "week", "number")
    times: dict[str, When] = {}
    for column, heading in columns.items():
        if heading.item is None and heading.when is not None and heading.when.kind in counted:
            times[column] = heading.when
        elif heading.item is None and heading.when is None and heading.lone is not None:
            times[column] = When("number", float(heading.lone))
    numbers = [when.number for when in times.values() if when.number is not None]
    kinds = {when.kind for when in times.values()}
    if len(kinds) < 2 or len(numbers) < _FEWEST_MIXED or len(set(numbers)) < len(times):
        return columns
    if max(numbers) - min(numbers) > 1.5 * len(numbers):
        return columns
    kind = "session" if "session" in kinds else "week"
    return {
        c: replace(h, when=When(kind, times[c].number), lone=None, rest=h.rest or "mixed") if c in times else h
        for c, h in columns.items()
    }


def _score(column: str, name: str, heading: Heading, profile: Profile, sure: Sure, why: str) -> Score:
    when = heading.when
    if when is None and heading.lone is not None:
        when = When("number", float(heading.lone))
    if heading.rest == "mixed":
        sure, why = GUESS, f"{why}; the names mix sessions, weeks and bare numbers, which together count on"
    elif heading.rest == _BY_LABEL:
        sure, why = weakest(sure, LIKELY), f"{why}; by its label"
    elif heading.rest:
        sure, why = GUESS, f"{why}; {heading.rest!r} in its heading was not understood"
    elif not profile.is_whole and heading.item is None:
        sure, why = weakest(sure, LIKELY), f"{why}; not all are whole numbers"
    item = heading.item
    if item is None and heading.lone is not None and heading.when is not None and _is_item(name, profile):
        item = heading.lone
    return Score(column=column, name=name, when=when, item=item, sure=sure, why=why)
