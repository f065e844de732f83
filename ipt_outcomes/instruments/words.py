"""What is known of an instrument, in words; what was not confirmed says so wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipt_outcomes.errors import OptionError

if TYPE_CHECKING:
    from ipt_outcomes.instruments.instrument import Instrument

_DEFAULT = " (a default, not confirmed in a source)"
CUTS = (
    "caseness_min",
    "caseness_max",
    "remission_max",
    "reliable_change",
    "response_pct",
    "minimal_difference",
    "minimal_difference_pct",
)


def mark(known: Instrument, field: str) -> str:
    """Return what has to stand behind a fact: that it is a default, or that a user set it.

    Parameters
    ----------
    known : Instrument
    field : str

    Returns
    -------
    str
        Begins with a blank; empty where the fact was confirmed.
    """
    own = known.override(field)
    if own is not None:
        return f" (set by the user: {own.source})"
    return _DEFAULT if known.doubts(field) else ""


def cut_in_words(known: Instrument, field: str) -> str | None:
    """Return a cut-off in words, without the name of the instrument.

    Parameters
    ----------
    known : Instrument
    field : str
        One of `CUTS`.

    Returns
    -------
    str or None
        None where the field has no value.

    Raises
    ------
    OptionError
        The field is no cut-off.
    """
    words = {
        "caseness_min": "a total of {} or more",
        "caseness_max": "a total of {} or less",
        "remission_max": "a total of {} or less",
        "reliable_change": "a change of {} points or more",
        "response_pct": f"a {'rise' if known.better == 'higher' else 'fall'} of {{}}% or more",
        "minimal_difference": "a change of {} points",
        "minimal_difference_pct": "a change of {}% of the baseline",
    }
    if field not in words:
        raise OptionError(f"field must be one of {', '.join(map(repr, words))}; got {field!r}")
    value = getattr(known, field)
    return None if value is None else f"{words[field].format(f'{value:g}')}{mark(known, field)}"


def description(known: Instrument) -> str:
    """Return what is known of an instrument in plain text, one line per fact."""
    lines = [f"{known.short} ({known.name}): {known.title}", f"    measures {known.construct}; rated by {known.rater}"]
    if known.better is not None:
        lines.append(f"    {known.better} is better")
    if known.minimum is not None and known.maximum is not None:
        lines.append(f"    total {known.minimum:g} to {known.maximum:g}{mark(known, 'maximum')}")
    if known.n_items is not None and known.item_min is not None and known.item_max is not None:
        lines.append(f"    {known.n_items} items, {known.item_min:g} to {known.item_max:g}{mark(known, 'item_max')}")
    lines += scoring_lines(known)
    bands = [f"{b.minimum:g}-{b.maximum:g} {b.label.replace('_', ' ')}" for b in known.bands]
    lines += [f"    bands: {', '.join(bands)}{mark(known, 'bands')}"] if bands else []
    for field in CUTS:
        words = cut_in_words(known, field)
        if words is not None:
            lines.append(f"    {field}: {words}")
    if known.functional_mean is not None and known.functional_sd is not None:
        told = f"mean {known.functional_mean:g}, SD {known.functional_sd:g}"
        lines.append(f"    people without the disorder: {told}{mark(known, 'functional_mean')}")
    lines += [f"    sources differ: {text}" for text in known.conflicts]
    lines += [f"    not confirmed: {'; '.join(known.unverified)}"] if known.unverified else []
    lines += [f"    source: {text}" for text in known.sources]
    return "\n".join(lines)


def scoring_lines(known: Instrument) -> list[str]:
    """Return how items make a total, which are reversed, what unanswered ones do, and which are about safety.

    Parameters
    ----------
    known : Instrument

    Returns
    -------
    list of str
        Empty for process measures.
    """
    from ipt_outcomes.instruments.items import why_not_scored

    if known.kind == "process":
        return []
    reason = why_not_scored(known)
    if reason is None:
        lines = [f"    scoring: {total_in_words(known)}", f"    unanswered items: {missing_in_words(known)}"]
    else:
        lines = [f"    no total is computed from items: {reason}"]
    if known.items_reversed:
        order = f"{mark(known, 'items_reversed')}{order_in_words(known)}"
        lines.append(f"    run the other way on the form: items {_numbers(known.items_reversed)}{order}")
    for part in known.subscales:
        lines.append(f"    subscale {part.name.replace('_', ' ')}: {part.method} of items {_numbers(part.items)}")
    if known.risk_items:
        told = ", ".join(f"item {one.item} answered {one.flag_min:g} or more" for one in known.risk_items)
        source = f"; {known.risk_source}" if known.risk_source else ""
        lines.append(f"    safety flag: {told}{mark(known, 'risk_items')}{source}")
    lines += [f"    scoring as in: {known.scoring_source}"] if known.scoring_source else []
    lines += [f"    note: {known.note}"] if known.note else []
    return lines


def total_in_words(known: Instrument) -> str:
    """Return how a total is made of its items."""
    times = f", times {known.total_multiplier:g}" if known.total_multiplier != 1 else ""
    if known.domains:
        parts = [f"the highest of items {_numbers(d)}" if len(d) > 1 else f"item {d[0]}" for d in known.domains]
        return f"sum of {'; '.join(parts)}"
    if known.total_rule == "mean_of_subscales":
        return f"mean of the {len(known.subscales)} subscales"
    which = f"items {_numbers(known.scored_items)}" if known.scored_items else f"all {known.n_items} items"
    return f"{'mean' if known.total_rule == 'mean' else 'sum'} of {which}{times}"


def missing_in_words(known: Instrument) -> str:
    """Return what unanswered items do to a total."""
    source = f" (source: {known.max_missing_source})" if known.max_missing_source else ""
    if known.total_rule == "mean_of_subscales":
        return f"a subscale is the mean of those answered where more than half are; all of them are needed{source}"
    if known.max_missing is None:
        return "a form with one has no total (no rule for them was confirmed)"
    if known.max_missing == 0:
        return f"a form with one has no total{mark(known, 'max_missing')}"
    up_to = "1 is" if known.max_missing == 1 else f"up to {known.max_missing} are"
    return f"{up_to} taken as the mean of the others{source}{mark(known, 'max_missing')}"


def order_in_words(known: Instrument) -> str:
    """Return whether files are taken to hold reversed items as on the form."""
    if known.raw_order is None:
        return "; files hold them either way, so that raw_order has to be given"
    return "; taken as on the form and turned" if known.raw_order else "; taken as turned already"


def _numbers(items: Iterable[int]) -> str:
    """Write numbers of items, runs of three and more as a range.

    Examples
    --------
    >>> _numbers([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9, 10'
    """
    runs: list[list[int]] = []
    for item in items:
        if runs and item == runs[-1][-1] + 1:
            runs[-1].append(item)
        else:
            runs.append([item])
    parts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(parts)
