"""The first screen of a clinic report: what share recovered, improved or got worse, of whom, and how sure that is."""

from __future__ import annotations

from ipt_outcomes.clinic import COMPLETERS, STARTERS, Measure
from ipt_outcomes.clinic.words import RATE_WORDS
from ipt_outcomes.privacy import Audience, describe
from ipt_outcomes.report.clinic.shown import Shown, whom
from ipt_outcomes.report.document import Block, Bullets, Note, Paragraph
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Content, Inline, Strong


def finding(shown: Shown, audience: Audience) -> tuple[Block, ...]:
    """Return the main result in sentences, whom the report is for, and what to know before using it.

    Parameters
    ----------
    shown : Shown
    audience : {"internal", "board", "public", "publication"}

    Returns
    -------
    tuple of Block
    """
    measure = shown.review.measures[0]
    blocks: list[Block] = [
        Paragraph(_who(shown, measure)),
        Bullets(tuple(_item(shown, measure, rate) for rate in measure.headline)),
        *_starters(shown, measure),
        Paragraph((f"In brackets: {shown.level} confidence intervals, the shares that chance alone makes plausible.",)),
        Note("Whom this report is for", (_audience(shown, audience),)),
    ]
    if shown.review.notes:
        blocks.append(Note("Before you use these numbers", tuple((note,) for note in shown.review.notes)))
    return tuple(blocks)


def _who(shown: Shown, measure: Measure) -> Content:
    courses = shown.review.courses
    start = say(
        "{label}. {n} people are in the data; {ended} ",
        label=Strong(f"Judged by {measure.label}"),
        n=shown.count("courses", "courses"),
        ended=shown.count("courses", "ended"),
    )
    over = "started treatment and have ended it" if courses.knows_end or courses.knows_sessions else "count as ended"
    least = shown.review.options.min_sessions
    sessions = f"{least} {plural(least, 'session', 'sessions')}"
    finished = f"attended at least {sessions} and " if courses.knows_sessions else ""
    return start + say(
        "{over}, and {completers} of these {finished}have a first and a last score (the completers).",
        over=over,
        completers=shown.count("scores", "completers", measure=measure.name),
        finished=finished,
    )


def _item(shown: Shown, measure: Measure, rate: str) -> Content:
    ids = shown.ids(measure.name, rate, COMPLETERS)
    people = whom(shown, measure, rate, COMPLETERS)
    lead = Strong(f"{RATE_WORDS[rate]}: ")
    if shown.nobody(ids):
        return (lead, f"no rate, since there are no {people}.")
    if shown.is_hidden(ids.percent):
        return (lead, f"hidden, of the {people}: the number is small, or would give a small one away.")
    return (lead, *shown.share(ids), ", ", *shown.counts(ids), f" {people}.")


def _starters(shown: Shown, measure: Measure) -> tuple[Block, ...]:
    """The same rates if everyone who started counts."""
    parts: list[Inline] = []
    for rate in measure.headline:
        ids = shown.ids(measure.name, rate, STARTERS)
        if shown.nobody(ids) or shown.is_hidden(ids.percent):
            continue
        # Nobody knows whether those without a last score got worse.
        least = "at least " if rate == "reliable_deterioration" else ""
        name = RATE_WORDS[rate]
        parts += ["; " if parts else "", f"{name[:1].lower()}{name[1:]} {least}", *shown.share(ids)]
    if not parts:
        return ()
    lead = "If everyone who started counts, and whoever has no last score counts as not improved: "
    return (Paragraph((lead, *parts, ".")),)


def _audience(shown: Shown, audience: Audience) -> Content:
    words = describe(audience)
    if shown.anything_hidden:
        return (f'{words} Where a number is hidden, the word "hidden" stands in its place.',)
    return (f"{words} Nothing had to be hidden here.",)
