"""Group levels of result rows in words, for readers of a spreadsheet; the codes stay in ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_outcomes.clinic import PAIR
from ipt_outcomes.clinic.words import RATE_WORDS, RULE_WORDS
from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.vocabulary import label

RESPONSE_RULES = {
    "non_responder": "Missing as no response (main)",
    "completer": "Observed only",
    "locf": "Last score carried forward",
}
"""How missing scores count when responders of a trial are counted."""

_LEVELS = {
    "rate": RATE_WORDS,
    "rule": {**RULE_WORDS, **RESPONSE_RULES},
    "measure": {PAIR: "PHQ-9 and GAD-7 together"},
    "group": {"patient_id": "person"},
}
_NAMES = {"arm1": "first arm", "arm2": "second arm", "area": "problem area"}
# Their levels are names of instruments, perhaps at baseline.
_INSTRUMENTS = frozenset(("measure", "variable", "instrument"))


def in_words(groups: Mapping[str, str]) -> str:
    """Return the group levels of a row as a reader says them.

    Parameters
    ----------
    groups : mapping of str to str

    Returns
    -------
    str

    Examples
    --------
    >>> in_words({"measure": "phq9", "rule": "last_observation"})
    'measure: PHQ-9; rule: All starters, last observation'
    """
    return "; ".join(
        f"{_NAMES.get(name, name.replace('_', ' '))}: {_level(name, level)}" for name, level in groups.items()
    )


def _level(name: str, level: str) -> str:
    known = _LEVELS.get(name, {}).get(level)
    if known is not None:
        return known
    stem = level.removesuffix("_baseline")
    if name in _INSTRUMENTS and instrument_name(stem) is not None:
        return f"{instrument(stem).short}{' at baseline' if stem != level else ''}"
    return label(level)
