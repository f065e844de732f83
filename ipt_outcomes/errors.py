"""The errors a user can meet: each says what was expected, what was found, where, and how to go on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class IptError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    message : str
        What was expected and what was found. Never a patient's value, id or name.
    rows : iterable of int, optional
        Rows concerned: row numbers of the file where data came from a file, else positions from 0.
    column : str, optional
        Column concerned.
    hint : str, optional
        How to go on; printed after the message.
    """

    def __init__(
        self,
        message: str,
        *,
        rows: Iterable[int] = (),
        column: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rows = tuple(int(row) for row in rows)
        self.column = column
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class OptionError(IptError):
    """An argument is not one of the choices, or two arguments contradict each other (wrong usage)."""


class DataError(IptError):
    """The user's data were refused.

    Parameters
    ----------
    message, rows, column, hint
        As in `IptError`.
    failures : pandas.DataFrame, optional
        The failure table, one row per fault: ``row column rule expected found``.
    """

    def __init__(
        self,
        message: str,
        *,
        rows: Iterable[int] = (),
        column: str | None = None,
        hint: str | None = None,
        failures: pd.DataFrame | None = None,
    ) -> None:
        super().__init__(message, rows=rows, column=column, hint=hint)
        self.failures = failures


class DesignError(IptError):
    """The analysis asked for is not defined for these inputs (too few studies, n below 2, an SD of 0)."""


class ConvergenceError(IptError):
    """No attempt at an iterative fit converged.

    Parameters
    ----------
    message, rows, column, hint
        As in `IptError`.
    attempts : sequence of str
        What was tried and how each attempt ended.
    """

    def __init__(
        self,
        message: str,
        *,
        rows: Iterable[int] = (),
        column: str | None = None,
        hint: str | None = None,
        attempts: Sequence[str] = (),
    ) -> None:
        super().__init__(message, rows=rows, column=column, hint=hint)
        self.attempts = tuple(attempts)


def require_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise `OptionError` unless `value` is one of `choices`.

    Parameters
    ----------
    name : str
        Name of the argument, as the user typed it.
    value : object
        What was given.
    choices : iterable of str
        The choices allowed, in the order to print them.

    Raises
    ------
    OptionError
        The message lists the choices.
    """
    allowed = tuple(choices)
    if value not in allowed:
        listed = ", ".join(repr(choice) for choice in allowed)
        raise OptionError(f"{name} must be one of {listed}; got {value!r}")


def require_known(what: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raise `OptionError` unless every name given is known; near names are offered.

    Parameters
    ----------
    what : str
        What holds the names, for the message: ``"a meta job has no option"``.
    given : iterable of str
        Names as the user typed them.
    known : sequence of str
        The names there are.

    Raises
    ------
    OptionError
        All unknown names are listed.
    """
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    near = list(dict.fromkeys(match for name in unknown for match in near_names(name, known)))
    hint = f"Near: {', '.join(near)}." if near else f"Known: {', '.join(known)}."
    raise OptionError(f"{what} {', '.join(repr(name) for name in unknown)}", hint=hint)


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Return up to three of the known names that look like a name, for messages.

    Parameters
    ----------
    name : str
        As the user typed it.
    known : sequence of str

    Returns
    -------
    list of str
        The nearest first; case does not matter.

    Examples
    --------
    >>> near_names("Comparison", ["comparisons", "patients"])
    ['comparisons']
    """
    plain = {one.casefold(): one for one in reversed(known)}
    return [plain[one] for one in difflib.get_close_matches(name.casefold(), list(plain), n=3, cutoff=0.6)]
