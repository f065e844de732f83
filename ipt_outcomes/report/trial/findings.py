"""What was found: the first screen of the report."""

from __future__ import annotations

from ipt_outcomes.report.document import Block, Bullets, Note, Paragraph
from ipt_outcomes.report.trial.shown import Shown, arm_name
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.results import listed
from ipt_outcomes.tables import Content, Strong
from ipt_outcomes.trial import Comparison

_MAIN = {"source": "model", "standardiser": "endpoint"}


def findings(shown: Shown) -> tuple[Block, ...]:
    """Return the main result of each comparison in sentences, and what a reader must know before using it."""
    blocks: list[Block] = []
    for item in shown.analysis.comparisons:
        blocks.append(Paragraph(_lead(shown, item)))
        more = [part for part in (_points(shown, item), _response(shown, item)) if part]
        if more:
            blocks.append(Bullets(tuple(more)))
    blocks.append(Paragraph(_who(shown)))
    notes: list[Content] = [_seen(shown), *((note,) for note in shown.analysis.notes)]
    several = len(shown.analysis.comparisons)
    if several > 1:
        notes.append(
            (
                f"There are {several} comparisons. Their p values are not adjusted for that; the table of comparisons "
                "gives the adjusted ones (Holm), too.",
            )
        )
    blocks.append(Note("Before you use these numbers", tuple(notes)))
    return tuple(blocks)


def _who(shown: Shown) -> Content:
    arms = listed([arm_name(arm) for arm in shown.analysis.arms])
    return say(
        "{n} people were randomised to {arms}. The outcome is {outcome} ({title}; {better}) at {end}.",
        n=shown.value("flow", "randomised", "integer"),
        arms=arms,
        outcome=shown.outcome,
        title=shown.instrument.title,
        better=shown.better,
        end=shown.end,
    )


def _seen(shown: Shown) -> Content:
    """How many were observed at the end point, per arm: what every effect rests on."""
    parts: list[Content] = []
    for arm in shown.analysis.arms:
        observed = shown.value("flow", "observed_at_last_visit", "integer", arm=arm)
        randomised = shown.value("flow", "randomised", "integer", arm=arm)
        parts.append((f"{arm_name(arm)} ", observed, " of ", randomised))
    content: Content = ("Observed at the end point: ",)
    for number, part in enumerate(parts):
        content += ((", " if number else ""), *part)
    mixed = not isinstance(shown.analysis.model, str) and shown.analysis.model.is_mixed
    how = (
        ". The model uses the earlier scores of those who left and takes what is missing as missing at random; "
        "response depends on the rule for missing scores."
        if mixed
        else ". People without a score at the end point are not in the model."
    )
    return (*content, how)


def _lead(shown: Shown, item: Comparison) -> Content:
    """The comparison, its g and what the interval says."""
    names = Strong(f"{capital(arm_name(item.arm1))} against {arm_name(item.arm2)}: ")
    pair = {"arm1": item.arm1, "arm2": item.arm2}
    if not item.difference:
        return (names, f"not computed: {item.gap}.")
    if shown.hidden("comparison", "estimate", **pair):
        return (names, "hidden, because an arm has too few people for this audience.")
    if item.effect is None:
        return (names, f"no g: {item.gap}. ", Strong(verdict(item)))
    if not shown.has("effect_size", "estimate", **pair, **_MAIN):
        return (names, "g is hidden, because too few people of an arm were observed at the end point.")
    return say(
        "{names}g = {estimate} ({level} CI {low} to {high}; {p}). {verdict}",
        names=names,
        estimate=shown.value("effect_size", "estimate", **pair, **_MAIN),
        level=shown.level,
        low=shown.value("effect_size", "ci_low", **pair, **_MAIN),
        high=shown.value("effect_size", "ci_high", **pair, **_MAIN),
        p=shown.p("comparison", **pair),
        verdict=Strong(verdict(item)),
    )


def verdict(item: Comparison) -> str:
    """Say which arm the interval favours, and never more than it does."""
    if item.favours is not None:
        return f"The whole interval favours {arm_name(item.favours)}."
    return "The interval includes no difference: these data do not show that one is better than the other."


def _points(shown: Shown, item: Comparison) -> Content:
    """The difference in points, with the arm the estimate favours."""
    pair = {"arm1": item.arm1, "arm2": item.arm2}
    if not shown.has("comparison", "estimate", **pair):
        return ()
    estimate = shown.number("comparison", "estimate", **pair)
    lower = estimate is not None and estimate < 0
    ahead = item.arm1 if lower == (shown.analysis.options.better == "lower") else item.arm2
    return say(
        "{outcome} at {end}: {estimate} points ({level} CI {low} to {high}), {arm1} minus {arm2}; {better}, so the "
        "estimate favours {ahead}.",
        outcome=shown.outcome,
        end=shown.end,
        better=shown.better,
        estimate=shown.value("comparison", "estimate", **pair),
        level=shown.level,
        low=shown.value("comparison", "ci_low", **pair),
        high=shown.value("comparison", "ci_high", **pair),
        arm1=arm_name(item.arm1),
        arm2=arm_name(item.arm2),
        ahead=arm_name(ahead),
    )


def _response(shown: Shown, item: Comparison) -> Content:
    where = {"arm1": item.arm1, "arm2": item.arm2, "rule": "non_responder", "measure": "OR"}
    if shown.row("response_comparison", "estimate", **where) is None:
        return ()
    if not shown.has("response_comparison", "estimate", **where):
        return ("Response: hidden, because of small numbers.",)
    outcome = shown.analysis.response
    counts: list[Content] = []
    for arm in (item.arm1, item.arm2):
        levels = {"arm": arm, "rule": "non_responder"}
        responded = shown.share(
            ("response", "responders"), ("response", "denominator"), ("response", "percent"), **levels
        )
        counts.append((*responded, *_without_score(shown, arm)))
    return say(
        "Response, {rule}: {arm1} {one} against {arm2} {two}; whoever has no score counts as not having responded. "
        "Odds ratio {odds} ({level} CI {low} to {high}; {p}). {verdict}",
        rule=outcome.short_rule,
        one=counts[0],
        two=counts[1],
        odds=shown.value("response_comparison", "estimate", **where),
        level=shown.level,
        low=shown.value("response_comparison", "ci_low", **where),
        high=shown.value("response_comparison", "ci_high", **where),
        arm1=arm_name(item.arm1),
        arm2=arm_name(item.arm2),
        p=shown.p("response_comparison", **where),
        verdict=_response_verdict(shown, item, where),
    )


def _without_score(shown: Shown, arm: str) -> Content:
    """How many of an arm have no score; where that is hidden the table of responders says so."""
    if not shown.has("response", "missing", arm=arm):
        return ()
    return (" (", shown.value("response", "missing", "integer", arm=arm), " with no score)")


def _response_verdict(shown: Shown, item: Comparison, where: dict[str, str]) -> str:
    low, high = (shown.number("response_comparison", name, **where) for name in ("ci_low", "ci_high"))
    if low is None or high is None or low <= 1 <= high:
        return "The interval includes no difference."
    return f"The whole interval favours {arm_name(item.arm1 if low > 1 else item.arm2)}."
