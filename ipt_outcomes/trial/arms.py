"""The arms of a trial, and which of them are compared."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_outcomes.errors import DesignError
from ipt_outcomes.results import listed
from ipt_outcomes.vocabulary import Arm, label

_HOW = (
    'Say in the mapping which column holds the arm (arm = "group" under [columns]) and what its codes mean, for '
    'example under [codes.arm]: "1" = "medication", "2" = "ipt".'
)


def holds_ipt(arm: str) -> bool:
    """Whether an arm gets interpersonal psychotherapy, alone or with something else.

    Parameters
    ----------
    arm : str
        A code of `Arm`.

    Returns
    -------
    bool

    Examples
    --------
    >>> holds_ipt("ipt"), holds_ipt("cbt")
    (True, False)
    """
    return arm in {code.value for code in Arm} and Arm(arm).holds_ipt


def comparisons_of(arms: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs compared: each arm that holds IPT against each that does not.

    Parameters
    ----------
    arms : sequence of str
        In the order of the vocabulary.

    Returns
    -------
    tuple of (arm1, arm2)
        IPT in arm 1.

    Raises
    ------
    DesignError
        Fewer than two arms, no arm with IPT, or nothing to compare it with; the message names what was found.
    """
    named = listed([label(arm) for arm in arms]) if arms else "none"
    if len(arms) < 2:
        raise DesignError(f"expected at least two arms to compare; found {named}", column="arm", hint=_HOW)
    treated = [arm for arm in arms if holds_ipt(arm)]
    others = [arm for arm in arms if not holds_ipt(arm)]
    if not treated:
        raise DesignError(f"expected an arm with interpersonal psychotherapy; found {named}", column="arm", hint=_HOW)
    if not others:
        raise DesignError(
            f"expected an arm without interpersonal psychotherapy to compare with; found {named}",
            column="arm",
            hint=_HOW,
        )
    return tuple((arm1, arm2) for arm1 in treated for arm2 in others)
