"""The form of IPT an arm gets, where its name says so: IPT-A is IPT, in the form for adolescents."""

from __future__ import annotations

import re

from ipt_outcomes.vocabulary.arms import arm_of
from ipt_outcomes.vocabulary.codes import Adaptation
from ipt_outcomes.vocabulary.names import code_of
from ipt_outcomes.vocabulary.spelling import bare

_BETWEEN = re.compile(r"\s*(?:\+|/|\bplus\b|\bwith\b|\band\b|[(),;:])\s*")
# Words beside a form's name that say nothing about the form. "group" is not among them: it is one.
_BESIDE = re.compile(
    r"\b(therapy|treatment|arm|condition|sessions?|telephone|phone|online|internet|video|weekly|manualised|"
    r"manualized|individual)\b"
)


def adaptation_of(text: object) -> Adaptation | None:
    """Recognise the form of IPT in the name of what an arm gets.

    Parameters
    ----------
    text : object
        The name of an arm, or of a form of IPT; anything that is not text gives None.

    Returns
    -------
    Adaptation or None
        None where the text is not IPT, names no form of its own ("IPT"), or names two: it is never guessed.

    Examples
    --------
    >>> adaptation_of("IPT-A"), adaptation_of("FB-IPT + sertraline"), adaptation_of("IPT")
    (<Adaptation.IPT_A: 'ipt_a'>, <Adaptation.FB_IPT: 'fb_ipt'>, None)
    >>> adaptation_of("metacognitive interpersonal therapy (MIT)") is None
    True
    """
    if not isinstance(text, str):
        return None
    arm = arm_of(text)
    whole = code_of(text, Adaptation)
    if arm is None:
        # A form may have a name that is no name of an arm ("adolescent skills training").
        return whole if whole not in (Adaptation.IPT, Adaptation.OTHER) else None
    if not arm.holds_ipt:
        return None
    name = bare(text)
    parts = [re.sub(r"[()]", " ", name), *_BETWEEN.split(name)]
    cleaned = (re.sub(r"\s+", " ", _BESIDE.sub(" ", part)).strip() for part in parts)
    found = {code for part in cleaned if (code := code_of(part, Adaptation)) is not None}
    found -= {Adaptation.IPT, Adaptation.OTHER}
    return next(iter(found)) if len(found) == 1 else None
