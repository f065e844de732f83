"""How numbers are written: the one home of rounding, signs and p values."""

from __future__ import annotations

import math
from typing import Literal

Style = Literal["number", "integer", "decimal1", "decimal2", "decimal3", "percent", "p"]

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"

_DIGITS: dict[str, int] = {"integer": 0, "decimal1": 1, "decimal2": 2, "decimal3": 3, "percent": 0}


def format_number(value: float | None, style: Style = "decimal2") -> str:
    """Write a number as a paper prints it.

    Parameters
    ----------
    value : float or None
        The unrounded number. `percent` takes 0-100, as the results store percentages.
    style : {"number", "integer", "decimal1", "decimal2", "decimal3", "percent", "p"}
        ``"number"`` prints whole numbers whole and others with two decimals.

    Returns
    -------
    str
        With a true minus sign and never "-0.00"; an en dash where there is no value.

    Examples
    --------
    >>> format_number(-0.0049), format_number(None), format_number(41.7, "percent")
    ('0.00', '–', '42%')
    """
    if value is None or math.isnan(value):
        return MISSING
    if style == "p":
        return format_p(value)
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if style == "number":
        style = "integer" if float(value).is_integer() else "decimal2"
    digits = _DIGITS[style]
    text = f"{abs(value):,.{digits}f}"
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS if negative else ''}{text}{'%' if style == 'percent' else ''}"


def format_p(value: float | None) -> str:
    """Write a p value: three decimals, no zero before the point, "< .001" below that (APA style).

    Parameters
    ----------
    value : float or None
        Between 0 and 1.

    Returns
    -------
    str

    Examples
    --------
    >>> format_p(0.0004), format_p(0.0426), format_p(0.99996)
    ('< .001', '.043', '> .999')
    """
    if value is None or math.isnan(value):
        return MISSING
    if value < 0.001:
        return "< .001"
    if value > 0.9994999:
        return "> .999"
    return f"{value:.3f}".removeprefix("0")


def p_in_words(value: float | None) -> str:
    """Write a p value for a sentence, with its sign.

    Examples
    --------
    >>> p_in_words(0.0004), p_in_words(0.0426)
    ('p < .001', 'p = .043')
    """
    text = format_p(value)
    return f"p {text}" if text[:1] in "<>" else f"p = {text}"


def format_interval(low: float | None, high: float | None, style: Style = "decimal2") -> str:
    """Write an interval as "low to high", which stays readable with minus signs.

    Parameters
    ----------
    low, high : float or None
        Limits.
    style : str
        As in `format_number`.

    Returns
    -------
    str

    Examples
    --------
    >>> format_interval(-0.26, 1.24)
    '−0.26 to 1.24'
    """
    return f"{format_number(low, style)} to {format_number(high, style)}"
