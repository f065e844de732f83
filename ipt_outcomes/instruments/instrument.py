"""What is known of one instrument, and which of it was confirmed in a source."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments.direction import Better
from ipt_outcomes.instruments.facts import Band, Override, RiskItem, Subscale, TotalRule
from ipt_outcomes.instruments.words import cut_in_words, description

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
    "functional_mean": r"functional mean|community mean|norms",
    "functional_sd": r"functional mean|norms",
    "licence": r"licence",
}
# A number as such: not the end of a range ("0-3") nor part of a name ("PCL-5").
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?")


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
    total_rule : {"sum", "mean", "mean_of_subscales", "none"}
        What of the items makes the total; "none" where that was not confirmed.
    total_multiplier : float
        Total = sum (or mean) of items times this.
    domains : tuple of tuple of int
        Where the total sums domains: the items of each, of which the highest counts.
    either_or : tuple of tuple of int
        Items of which only one is answered.
    subscales : tuple of Subscale
    scored_items : tuple of int
        Items that count, where not all do.
    form_items : tuple of int
        Numbers of the items on a form that holds other scales, too (HADS).
    usually_to_2 : tuple of int
        Items usually rated 0 to 2 where others end at 4 (HRSD-17); flagged, never refused.
    raw_order : bool or None
        Whether files hold reversed items as on the form; None where it has to be said.
    scoring_source, max_missing_source, risk_source : str or None
        Where the rule for items, for unanswered items, and the item on harm come from, if not in `sources`.
    minimal_difference, minimal_difference_pct : float or None
        Least difference a person notices, in points or in percent of the baseline.
    functional_mean, functional_sd : float or None
        Of people without the disorder, for cut-offs.
    licence : str or None
    note : str or None
        What to know when scoring.
    sources : tuple of str
    unverified : tuple of str
        What was not confirmed: a default to be overridden, never an established cut. See `is_verified`.
    conflicts : tuple of str
        Where sources differ.
    aliases : tuple of str
    overrides : tuple of Override
        What a user set in place of the registry's; see `with_`.
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
    total_rule: TotalRule = "sum"
    total_multiplier: float = 1.0
    domains: tuple[tuple[int, ...], ...] = ()
    either_or: tuple[tuple[int, ...], ...] = ()
    subscales: tuple[Subscale, ...] = ()
    scored_items: tuple[int, ...] = ()
    form_items: tuple[int, ...] = ()
    usually_to_2: tuple[int, ...] = ()
    raw_order: bool | None = True
    scoring_source: str | None = None
    max_missing_source: str | None = None
    risk_source: str | None = None
    minimal_difference: float | None = None
    minimal_difference_pct: float | None = None
    functional_mean: float | None = None
    functional_sd: float | None = None
    licence: str | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

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
        if self.override(field) is not None:
            return ()
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
        field : str
            One of ``caseness_min``, ``caseness_max``, ``remission_max``, ``reliable_change``, ``response_pct``,
            ``minimal_difference``, ``minimal_difference_pct``.

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
        found = cut_in_words(self, field)
        return None if found is None else f"{self.short}: {found}"

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

    def numbers_scored(self) -> tuple[int, ...]:
        """Return the numbers of the items that count, from 1."""
        return self.scored_items or tuple(range(1, (self.n_items or 0) + 1))

    def override(self, field: str) -> Override | None:
        """Return what a user set in place of a field of the registry, or None."""
        return next((entry for entry in self.overrides if entry.field == field), None)

    def with_(self, *, source: str, **values: Any) -> Instrument:
        """Return the instrument with facts of the user's own, marked as such wherever they are shown.

        Parameters
        ----------
        source : str
            Where they come from: "Matthey 2004", "manual of the German version".
        **values
            Fields by name; ``cutoff`` stands for the caseness cut-off and ``remission`` for `remission_max`. None
            takes a value away. Which can be set: `instruments.SETTABLE`.

        Returns
        -------
        Instrument

        Raises
        ------
        OptionError
            No source, no such field, or a value the field cannot have; all faults are named.

        Examples
        --------
        >>> from ipt_outcomes.instruments import instrument
        >>> instrument("epds").with_(reliable_change=4, source="Matthey 2004").rule("reliable_change")
        'EPDS: a change of 4 points or more (set by the user: Matthey 2004)'
        """
        from ipt_outcomes.instruments.overrides import overridden

        return overridden(self, values, source)

    def describe(self) -> str:
        """Return what is known of the instrument in plain text; what was not confirmed says so."""
        return description(self)
