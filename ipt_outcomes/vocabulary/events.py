"""The meaning of an event, by its name."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

_GOOD = re.compile(
    r"\b(respon(se|ders?|ded)|remission|remit(ted|ters?)|recover(y|ed)|improve(ment|d)|"
    r"reliable (improvement|recovery)|reduc score|sign\. change|1 sd|community norms|no diagnosis)(?!\w)"
)
_BAD = re.compile(
    r"\b(relapsed?|recurrences?|recurred|deteriorat(ion|ed)|drop[ -]?outs?|attrition|discontinuation|"
    r"worsen(ing|ed)|harm|adverse events?|deaths?|suicides?|suicide attempts?|"
    r"hospitali[sz]ation|readmission)(?!\w)"
)
_NOT = r"\b(no|not|non|without|never|lack of|loss of|free of|free from)[ -]+(a |any )?"
_NOT_GOOD = re.compile(rf"({_NOT}|\b(non|un))(respon(se|ders?|ded)|remission|remitt|recover|improve)")
_NOT_BAD = re.compile(rf"{_NOT}{_BAD.pattern}|{_BAD.pattern}[ -]+free")


def event_of(outcome_type: object) -> Literal["good", "bad"] | None:
    """Say whether an event of this kind is good news, by its name.

    Parameters
    ----------
    outcome_type : object
        As in the Metapsy column, for example ``"response (50%)"``, ``"other dich (reduc score)"``. The words
        decide, bad before good ("no response", "relapse after remission"); "no relapse" is left to the user.

    Returns
    -------
    {"good", "bad"} or None
        None where the name says nothing ("msd", "change", missing): the user has to say.

    Examples
    --------
    >>> event_of("remission (cut-off)"), event_of("recurrence"), event_of("msd")
    ('good', 'bad', None)
    """
    if not isinstance(outcome_type, str):
        return None
    text = unicodedata.normalize("NFKC", outcome_type).casefold()
    if _NOT_BAD.search(text):
        return None
    if _NOT_GOOD.search(text) or _BAD.search(text):
        return "bad"
    return "good" if _GOOD.search(text) else None
