"""What each rate means: cut-offs, boundaries, sources, and which of them are defaults nobody confirmed."""

from __future__ import annotations

from ipt_outcomes.clinic import GIVEN, LAST, STARTERS, Cuts, ReviewOptions
from ipt_outcomes.clinic.outcomes import ABOVE, ALL_BASE, CASES, DEFINED
from ipt_outcomes.clinic.words import RATE_WORDS, RULE_WORDS
from ipt_outcomes.report.clinic.shown import Shown
from ipt_outcomes.report.document import Block, Bullets, Table
from ipt_outcomes.report.sources import Work, named, works_on
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Column, Content, Strong, TableRow, TableSpec

_CUT_WORDS = {"caseness": "case", "reliable_change": "reliable change", "remission": "remission"}
_PAIR_RULES = {
    "recovery": "a case on either measure at the first score; below both cut-offs (strictly) at the last",
    "reliable_improvement": "at least one measure improved by its reliable change, and neither got worse by it",
    "reliable_recovery": "recovered, and improved reliably",
    "reliable_deterioration": "at least one measure got worse by its reliable change, and neither improved by it",
}


def definitions_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the rules of counting, and cut-offs and rates of each measure with their sources.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
    """
    return (
        Bullets(_rules(shown)),
        _rates_table(shown),
        _cuts_table(shown),
    )


def _rules(shown: Shown) -> tuple[Content, ...]:
    courses, options = shown.review.courses, shown.review.options
    finished, first = "ended", "ended, with a first score"
    if courses.knows_sessions:
        least = options.min_sessions
        finished = f"ended with at least {least} {plural(least, 'session', 'sessions')} attended"
        first = "started (at least one session attended), ended, with a first score"
    return (
        (
            Strong("First and last score: "),
            "the earliest and the latest of the course, at different times; follow-up visits do not count, maintenance "
            "sessions do.",
        ),
        (Strong("Completers: "), f"courses that {finished}, with a first and a last score."),
        (
            Strong(f"{RULE_WORDS[STARTERS]}: "),
            f"courses that {first}; whoever is no completer counts as not recovered, not improved, not in remission, "
            "and not worse.",
        ),
        (
            Strong(f"{RULE_WORDS[LAST]}: "),
            "the same courses; the last score there is counts, the first one where there is no other (no change).",
        ),
    )


def _cuts_table(shown: Shown) -> Table:
    rows: list[TableRow] = []
    for cuts in cuts_used(shown):
        for name, words in _CUT_WORDS.items():
            value = getattr(cuts, name)
            if value is None:
                rows.append(TableRow(((f"{cuts.label}: {words}",), ("not known: no such rate",), ("–",), ("–",))))
                continue
            cells = (f"{cuts.label}: {words}", _cut_words(cuts, name, value), f"{value:g} counts", _source(cuts, name))
            rows.append(TableRow(tuple((cell,) for cell in cells)))
    return Table(
        spec=TableSpec(
            id="cuts-table",
            caption="Cut-offs used, with their boundaries and sources",
            columns=(Column("Cut-off"), Column("Rule"), Column("Boundary"), Column("Source")),
            rows=tuple(rows),
            notes=(("The works are in the list of references.",),),
        )
    )


def cuts_used(shown: Shown) -> tuple[Cuts, ...]:
    """Return the cut-offs of every instrument judged, each once."""
    return tuple({cuts.name: cuts for measure in shown.review.measures for cuts in measure.cuts}.values())


def cited_for(cuts: Cuts) -> tuple[Work, ...]:
    """Return the works that define the cut-offs that were used; none for those a user gave."""
    used = [name for name in _CUT_WORDS if getattr(cuts, name) is not None and not cuts.is_own(name)]
    return tuple(dict.fromkeys(work for name in used for work in works_on(cuts.name, name)))


def _source(cuts: Cuts, name: str) -> str:
    if cuts.sources.get(name) == GIVEN:
        return "given by whoever made this report"
    if cuts.is_own(name):
        return cuts.sources[name]
    source = named(works_on(cuts.name, name)) or "no source known"
    return f"a default, not confirmed in a source ({source})" if name in cuts.unverified else source


def _cut_words(cuts: Cuts, name: str, value: float) -> str:
    worse = "or more" if cuts.better == "lower" else "or less"
    better = "or less" if cuts.better == "lower" else "or more"
    return {
        "caseness": f"a score of {value:g} {worse}",
        "reliable_change": f"a change of {value:g} points or more",
        "remission": f"a score of {value:g} {better}",
    }[name]


def _rates_table(shown: Shown) -> Table:
    """What each rate counts, out of whom; instruments with the same rule share a row."""
    bases = {
        ALL_BASE: "everyone counted",
        CASES: "cases at the first score",
        ABOVE: "those not in remission at the first score",
        DEFINED: "those with symptoms at the first score (above the scale's minimum)",
    }
    found: dict[tuple[str, str, str], list[str]] = {}
    for measure in shown.review.measures:
        for rate, base in measure.bases.items():
            alone = len(measure.cuts) == 1
            rule = _single_rule(measure.cuts[0], rate, shown.review.options) if alone else _PAIR_RULES[rate]
            found.setdefault((RATE_WORDS[rate], rule, bases[base]), []).append(measure.label)
    rows = [TableRow(((rate,), (rule,), (base,), (", ".join(labels),))) for (rate, rule, base), labels in found.items()]
    return Table(
        spec=TableSpec(
            id="definitions-table",
            caption="What each rate counts, and out of whom",
            columns=(Column("Rate"), Column("Counts who"), Column("Out of"), Column("Judged by")),
            rows=tuple(rows),
        )
    )


def _single_rule(cuts: Cuts, rate: str, options: ReviewOptions) -> str:
    side = "below" if cuts.better == "lower" else "above"
    minimum = f" above the scale's minimum of {cuts.minimum:g}" if cuts.minimum else ""
    rules = {
        "recovery": f"a case at the first score, {side} the cut-off (strictly) at the last",
        "reliable_improvement": "improved by the reliable change or more (inclusive)",
        "reliable_recovery": "recovered, and improved by the reliable change or more",
        "reliable_deterioration": "got worse by the reliable change or more (inclusive)",
        "response": f"the score fell by {100 * options.response:g}% or more (inclusive) of the first score{minimum}",
        "remission": "the last score is within the cut-off for remission (inclusive)",
    }
    return rules[rate]
