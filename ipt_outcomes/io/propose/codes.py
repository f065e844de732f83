"""What the codes of a column stand for: by the words, by the file's value labels; the rest is asked."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.io.cohort.cells import same_code
from ipt_outcomes.io.cohort.codes import recogniser
from ipt_outcomes.io.cohort.dictionary import CODED, fields
from ipt_outcomes.io.cohort.reader import shown_label
from ipt_outcomes.io.propose.headings import take_apart
from ipt_outcomes.io.propose.lines import CodeLine
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE
from ipt_outcomes.vocabulary import adaptation_of, ambiguous_area, doubtful_letters, nearest

_MOST_CODES = 20
# These are shown also where the loader would know the word by itself.
_ALWAYS_SHOWN = frozenset(("arm", "problem_area_primary", "problem_area_secondary"))
# Numbers that files write for "missing" where no score can be.
SENTINELS = frozenset(
    (-999.0, -99.0, -98.0, -97.0, -9.0, -8.0, -7.0, -1.0, 88.0, 96.0, 97.0, 98.0, 99.0, 997.0, 998.0, 999.0, 9999.0)
)


def codes_of_field(field: str, profile: Profile) -> list[CodeLine]:
    """Return what the codes of a coded field stand for.

    Parameters
    ----------
    field : str
    profile : Profile

    Returns
    -------
    list of CodeLine
        Empty for a field without a closed set, and where the column may be about persons.
    """
    if profile.personal is not None or len(profile.levels) > _MOST_CODES:
        return []
    if field == "instrument":
        return _instruments(profile)
    if field not in CODED and not fields()[field].enum:
        return []
    known = recogniser(field)
    doubtful = doubtful_letters(profile.levels) if field == "sex" and not profile.labels else {}
    declared = {code for code, _ in profile.missing_codes}
    shared = Counter(profile.labels.get(same_code(text), "") for text in profile.levels)
    found = []
    for text in profile.levels:
        label = profile.labels.get(same_code(text), "")
        if same_code(text) in declared:
            found.append(_missing(profile.column, text, label))
            continue
        code = known(label or text)
        letter = doubtful.get(text.strip().casefold())
        if letter is not None:
            why = "a letter that means different things in different languages"
            found.append(CodeLine(part="codes", name=field, written=text, code=letter.value, sure=GUESS, why=why))
        elif code is not None and label and shared[label] > 1:
            why = f"labelled {shown_label(label)}, as another code is: are they the same?"
            found.append(CodeLine(part="codes", name=field, written=text, code=code, sure=GUESS, why=why))
        elif code is not None and (label or field in _ALWAYS_SHOWN or known(text) is None):
            why = f"labelled {shown_label(label)}" if label else "a name that is known"
            form = adaptation_of(label or text) if field == "arm" else None
            why += f"; its form, {form.value}, is kept as the adaptation" if form is not None else ""
            found.append(CodeLine(part="codes", name=field, written=text, code=code, sure=SURE, why=why))
        elif code is None:
            found.append(CodeLine(part="codes", name=field, written=text, code=None, sure=GUESS,
                                  why=_asked(field, label or text, label)))  # fmt: skip
    return found


def choices(field: str) -> tuple[str, ...]:
    """Return the codes of a field of a closed set.

    Parameters
    ----------
    field : str

    Returns
    -------
    tuple of str
        Empty for a field without one.
    """
    if field in CODED:
        return tuple(member.value for member in CODED[field])
    return tuple(fields()[field].enum) if field in fields() else ()


def _asked(field: str, text: str, label: str) -> str:
    told = f"labelled {shown_label(label)}; " if label else ""
    if field.startswith("problem_area"):
        ambiguous = ambiguous_area(text)
        if ambiguous:
            return told + ambiguous
    near = nearest(text, CODED[field]) if field in CODED else ()
    return told + (f"near: {', '.join(near)}" if near else "no code that is known")


def _instruments(profile: Profile) -> list[CodeLine]:
    found = []
    for text in profile.levels:
        if instrument_name(text) is not None:
            continue
        read = take_apart(profile.labels.get(same_code(text), text))
        name = read.named.options[0] if read.named is not None else None
        sure = GUESS if name is None or (read.named is not None and read.named.family) else LIKELY
        why = "a name that is known" if sure == LIKELY else "which instrument is it?"
        found.append(CodeLine(part="codes", name="instrument", written=text, code=name, sure=sure, why=why))
    return found


def missing_codes(profile: Profile, name: str = "", *, is_item: bool = False) -> list[CodeLine]:
    """Return the codes of a column that stand for missing cells.

    Parameters
    ----------
    profile : Profile
    name : str
        Instrument of a column of scores: what cannot be a score and is a usual code for missing is a guess.
    is_item : bool
        Whether the column holds answers to one of its items.

    Returns
    -------
    list of CodeLine
    """
    found = [_missing(profile.column, code, label) for code, label in profile.missing_codes]
    if not name:
        return found
    known = instrument(name)
    lowest, highest = (known.item_min, known.item_max) if is_item else (known.minimum, known.maximum)
    low = -np.inf if lowest is None else lowest
    high = np.inf if highest is None else highest
    said = "no answer to an item" if is_item else "no score"
    for value in sorted(set(profile.known[(profile.known < low) | (profile.known > high)]) & SENTINELS):
        why = f"{said} of {known.short}, and a usual code for missing"
        code = f"code {value:g}"
        found.append(
            CodeLine(part="missing", name=profile.column, written=f"{value:g}", code=code, sure=GUESS, why=why)
        )
    return found


def _missing(column: str, code: str, label: str) -> CodeLine:
    why = "the file labels it so, but does not declare it as missing"
    return CodeLine(part="missing", name=column, written=code, code=shown_label(label), sure=SURE, why=why)
