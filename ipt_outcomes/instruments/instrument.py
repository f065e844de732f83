"""What is known of one instrument, and which of it was confirmed in a source."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments.direction import Better

Kind = Literal["outcome", "process"]

# What an `unverified` statement of instruments.yaml is about, by the words it uses.
_CUT = r"\bcaseness\b|(?<!remission )\bcuts?\b"
_ITEMS = r"item ranges?\b|item count and range|scored items and range|which items are"
_TOTAL = r"\btotal\b|item count and range|scored items and range|mean or sum"
_ABOUT = {
    "n_items": r"item count|^\d+ items$|scored items",
    "item_min": _ITEMS,
    "item_max": _ITEMS,
    "minimum": _TOTAL,
    "maximum": _TOTAL,
    "items_reversed": r"reversed items|keyed no",
    "bands": r"^(severity )?bands\b",
    "caseness_min": _CUT,
    "caseness_max": _CUT,
    "remission_max": r"\bremission\b",
    "reliable_change": r"reliable change",
    "max_missing": r"missing-item rule|proration",
    "risk_items": r"\bflag|suicide item",
    "alpha": r"\balpha\b",
    "retest": r"\bretest\b",
    "window_days": r"window_days",
    "licence": r"licence",
}
_DEFAULT = " (a default, not confirmed in a source)"
# A number as such: not the end of a range ("0-3") nor part of a name ("PCL-5").
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A severity band of totals, both ends inclusive."""

    label: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskItem:
    """An item about harm to oneself; an answer of `flag_min` or more is flagged."""

    item: int
    flag_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A scale: its range, direction, cut-offs and where they come from.

    Parameters
    ----------
    name : str
        Name in the registry, as columns and results carry it: ``"phq9"``.
    short, title : str
        As reports write it ("PHQ-9") and in full.
    construct, rater : str
        What it measures, and who rates.
    better : {"lower", "higher"} or None
        Which end is the good one; None for a process measure that services score either way.
    kind : {"outcome", "process"}
        Process measures (mood thermometer, closeness circle) are kept, never analysed as an outcome by default.
    minimum, maximum : float or None
        Range of the total, in points.
    n_items : int or None
    item_min, item_max : float or None
        Range of an item as it is on the form.
    items_reversed : tuple of int
        Items (from 1) whose options run the other way on the form.
    bands : tuple of Band
    caseness_min, caseness_max : float or None
        A case at or above (or, where higher is better, at or below) this total.
    caseness_alternatives : tuple of float
        Other cuts in use.
    remission_max : float or None
        In remission at or below this total.
    remission_alternatives : tuple of str
    response_pct : float or None
        Change in percent of the baseline that is a response, inclusive.
    response_base_min : float or None
        Least baseline at which response is counted.
    reliable_change : float or None
        Change in points that is reliable, inclusive; `reliable_change_system` names who defines it.
    objective_drop : float or None
        Fall in points that the treatment plan's objective asks for.
    max_missing : int or None
        Unanswered items up to which a total is prorated; None where no rule was confirmed.
    risk_items : tuple of RiskItem
    alpha, retest : float or None
        Reliabilities, where one value is known.
    window_days : int or None
        Period the items ask about.
    total_multiplier : float
        Total = sum of items times this.
    domains : tuple of tuple of int
        Where the total sums domains: the items of each, of which the highest counts.
    licence : str or None
    note : str or None
        What to know when scoring.
    sources : tuple of str
    unverified : tuple of str
        What was not confirmed: a default to be overridden, never an established cut. See `is_verified`.
    conflicts : tuple of str
        Where sources differ.
    aliases : tuple of str
    """

    name: str
    short: str
    title: str
    construct: str
    rater: str
    better: Better | None
    kind: Kind = "outcome"
    minimum: float | None = None
    maximum: float | None = None
    n_items: int | None = None
    item_min: float | None = None
    item_max: float | None = None
    items_reversed: tuple[int, ...] = ()
    bands: tuple[Band, ...] = ()
    caseness_min: float | None = None
    caseness_max: float | None = None
    caseness_alternatives: tuple[float, ...] = ()
    remission_max: float | None = None
    remission_alternatives: tuple[str, ...] = ()
    response_pct: float | None = None
    response_base_min: float | None = None
    reliable_change: float | None = None
    reliable_change_system: str | None = None
    objective_drop: float | None = None
    max_missing: int | None = None
    risk_items: tuple[RiskItem, ...] = ()
    alpha: float | None = None
    retest: float | None = None
    window_days: int | None = None
    total_multiplier: float = 1.0
    domains: tuple[tuple[int, ...], ...] = ()
    licence: str | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def doubts(self, field: str) -> tuple[str, ...]:
        """Return what was not confirmed about a field, in the registry's words.

        Parameters
        ----------
        field : str
            A field of this class, for example ``"remission_max"``.

        Returns
        -------
        tuple of str
            Empty where nothing is in doubt.

        Raises
        ------
        OptionError
            There is no such field.
        """
        names = tuple(entry.name for entry in dataclasses.fields(self))
        if field not in names:
            raise OptionError(f"an instrument has no field {field!r}; it has {', '.join(names)}")
        about = _ABOUT.get(field)
        if about is None:
            return ()
        found = [text for text in self.unverified if re.search(about, text)]
        value = getattr(self, field)
        if about == _CUT and value is not None:
            # "4.0 cut" doubts another cut than 2.8; a statement without a number doubts the one there is.
            numbers = {text: {float(number) for number in _NUMBER.findall(text)} for text in found}
            found = [text for text in found if not numbers[text] or float(value) in numbers[text]]
        return tuple(found)

    def is_verified(self, field: str) -> bool:
        """Whether a field has a value and nothing about it is in doubt.

        Parameters
        ----------
        field : str
            As in `doubts`.

        Returns
        -------
        bool
            False also where the field has no value.

        Raises
        ------
        OptionError
            There is no such field.

        Examples
        --------
        >>> from ipt_outcomes.instruments import instrument
        >>> instrument("phq9").is_verified("remission_max"), instrument("hrsd17").is_verified("remission_max")
        (True, False)
        >>> instrument("phq9").is_verified("reliable_change"), instrument("core10").is_verified("reliable_change")
        (True, False)
        """
        if self.doubts(field):
            return False
        value = getattr(self, field)
        # No reversed item is a fact about a form; no band, no risk item are facts not known.
        return value is not None and (value != () or field == "items_reversed")

    def rule(self, field: str) -> str | None:
        """Return a cut-off in words, with its boundary and, where it is one, the word that it is a default.

        Parameters
        ----------
        field : {"caseness_min", "caseness_max", "remission_max", "reliable_change", "response_pct"}

        Returns
        -------
        str or None
            None where the field has no value.

        Raises
        ------
        OptionError
            The field is no cut-off.

        Examples
        --------
        >>> from ipt_outcomes.instruments import instrument
        >>> instrument("phq9").rule("reliable_change")
        'PHQ-9: a change of 6 points or more'
        >>> instrument("core10").rule("caseness_min")
        'CORE-10: a total of 11 or more (a default, not confirmed in a source)'
        """
        words = {
            "caseness_min": "a total of {} or more",
            "caseness_max": "a total of {} or less",
            "remission_max": "a total of {} or less",
            "reliable_change": "a change of {} points or more",
            "response_pct": f"a {'rise' if self.better == 'higher' else 'fall'} of {{}}% or more",
        }
        if field not in words:
            raise OptionError(f"field must be one of {', '.join(map(repr, words))}; got {field!r}")
        value = getattr(self, field)
        if value is None:
            return None
        return f"{self.short}: {words[field].format(f'{value:g}')}{self._doubt(field)}"

    def band(self, total: float) -> str | None:
        """Return the severity band of a total, in words; None where there is none.

        Parameters
        ----------
        total : float
            A prorated total counts to the band of its whole part, so that no total falls between two bands.

        Returns
        -------
        str or None
        """
        if total != total:
            return None
        whole = total // 1
        for entry in self.bands:
            if entry.minimum <= whole <= entry.maximum:
                return entry.label.replace("_", " ")
        return None

    def describe(self) -> str:
        """Return what is known of the instrument in plain text; what was not confirmed says so."""
        lines = [f"{self.short} ({self.name}): {self.title}", f"    measures {self.construct}; rated by {self.rater}"]
        if self.better is not None:
            lines.append(f"    {self.better} is better")
        if self.minimum is not None and self.maximum is not None:
            lines.append(f"    total {self.minimum:g} to {self.maximum:g}{self._doubt('maximum')}")
        if self.n_items is not None and self.item_min is not None and self.item_max is not None:
            doubt = self._doubt("item_max")
            lines.append(f"    {self.n_items} items, {self.item_min:g} to {self.item_max:g}{doubt}")
        if self.items_reversed:
            lines.append(f"    run the other way on the form: items {', '.join(map(str, self.items_reversed))}")
        bands = [f"{b.minimum:g}-{b.maximum:g} {b.label.replace('_', ' ')}" for b in self.bands]
        lines += [f"    bands: {', '.join(bands)}{self._doubt('bands')}"] if bands else []
        for field in ("caseness_min", "caseness_max", "remission_max", "reliable_change", "response_pct"):
            words = self.rule(field)
            if words is not None:
                lines.append(f"    {field}: {words.removeprefix(f'{self.short}: ')}")
        lines += [f"    sources differ: {text}" for text in self.conflicts]
        lines += [f"    not confirmed: {'; '.join(self.unverified)}"] if self.unverified else []
        lines += [f"    source: {text}" for text in self.sources]
        return "\n".join(lines)

    def _doubt(self, field: str) -> str:
        return _DEFAULT if self.doubts(field) else ""
