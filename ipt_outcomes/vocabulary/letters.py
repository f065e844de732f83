"""Single letters for sex that mean different things in different languages."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_outcomes.vocabulary.codes import Sex
from ipt_outcomes.vocabulary.names import code_of
from ipt_outcomes.vocabulary.spelling import bare

# "h" is a man in Spanish and Portuguese (hombre, homem). "v" is a woman in Dutch (vrouw) and a man in Spanish (varon).
# "m" beside "h" is a woman (mujer, mulher); beside "f" or "w", and beside the Dutch "v", a man.
_PAIRS = {
    frozenset("hm"): {"h": Sex.MALE, "m": Sex.FEMALE},
    frozenset("vm"): {"v": Sex.FEMALE, "m": Sex.MALE},
    frozenset("h"): {"h": Sex.MALE},
    frozenset("v"): {"v": Sex.FEMALE},
    frozenset("m"): {"m": Sex.MALE},
}


def doubtful_letters(texts: Iterable[str]) -> dict[str, Sex]:
    """Return the letters of a column of sex that could be either, and what each is likeliest to be.

    Parameters
    ----------
    texts : iterable of str
        All different texts of the column.

    Returns
    -------
    dict of str to Sex
        By the letter in small: to be asked, never taken for decided. Empty where the texts beside it make every
        letter plain ("f" and "m").

    Examples
    --------
    >>> sorted(doubtful_letters(["H", "M"])), doubtful_letters(["F", "M"]), sorted(doubtful_letters(["M"]))
    (['h', 'm'], {}, ['m'])
    """
    names = {bare(text) for text in texts}
    letters = names & {"h", "v", "m"}
    told = {code for name in names - letters if (code := code_of(name, Sex)) in (Sex.FEMALE, Sex.MALE)}
    if Sex.FEMALE in told:
        letters -= {"m"}
    return dict(_PAIRS.get(frozenset(letters), dict.fromkeys(sorted(letters), Sex.UNKNOWN))) if letters else {}
