"""Which field a column is by what stands in it, where its heading says nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ipt_outcomes.io.cohort.cells import Texts, same_code
from ipt_outcomes.io.cohort.codes import recogniser
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, LIKELY, Sure

_FEWEST, _MOST = 2, 8
_MOST_TEXTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A column that may be a field.

    Parameters
    ----------
    column, field : str
    sure : {"sure", "likely", "guess"}
    why : str
    """

    column: str
    field: str
    sure: Sure
    why: str


# Fields whose codes are words of their own. What an arm gets may as well be what was had before, or would be liked.
_BY_VALUES: tuple[tuple[str, Sure], ...] = (
    ("problem_area_primary", LIKELY),
    ("attended", LIKELY),
    ("sex", LIKELY),
    ("phase", GUESS),
    ("arm", GUESS),
)
_OF_A_PERSON = ("problem_area_primary", "sex", "arm")


def by_values(profile: Profile, people: Texts | None) -> Candidate | None:
    """Return the field whose codes all cells (or their value labels) are; None where there is none.

    Parameters
    ----------
    profile : Profile
    people : Texts or None
        Person of each record.

    Returns
    -------
    Candidate or None
        At most ``likely``.
    """
    # Numbers without labels say nothing; nor do more texts than a closed set has (and no text is made of a million).
    if (profile.is_numeric and not profile.labels) or len(profile.texts.values) > _MOST_TEXTS:
        return None
    texts = [profile.labels.get(same_code(text), text) for text in profile.levels]
    # Numbers and single letters are codes of many things.
    if not _FEWEST <= len(texts) <= _MOST or any(len(text.strip()) < 2 or text.strip().isdigit() for text in texts):
        return None
    for field, sure in _BY_VALUES:
        known = recogniser(field)
        codes = {known(text) for text in texts}
        if None in codes or len(codes) < _FEWEST:
            continue
        if field in _OF_A_PERSON and people is not None and not profile.is_constant_within(people):
            continue
        where = "its value labels" if profile.labels else "what stands in it"
        return Candidate(column=profile.column, field=field, sure=sure, why=f"{where}: every one is a code of {field}")
    return None
