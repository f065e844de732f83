"""Small studies and missing studies: what the methods say, in sentences."""

from __future__ import annotations

from ipt_outcomes.report.document import Block, Bullets, Paragraph
from ipt_outcomes.report.evidence.shown import Shown
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Content


def bias_words(shown: Shown) -> tuple[Block, ...]:
    """Return a sentence per method, the naive answer beside it where rows of a study depend on one another.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
    """
    blocks: list[Block] = [Paragraph(_egger(shown))]
    items = [*_trim(shown), *_adjusted(shown), *_begg(shown)]
    if items:
        blocks.append(Bullets(tuple(items)))
        blocks.append(
            Paragraph(
                (
                    "Small studies can show larger effects for other reasons than missing ones, and with few or varied "
                    "studies none of these methods is dependable: they show how far the result could move.",
                )
            )
        )
    return tuple(blocks)


def _egger(shown: Shown) -> Content:
    if shown.battery.egger is None:
        return ("Egger's test is not defined for these studies: too few, or all of one precision.",)
    words = say(
        "Egger's test on one effect per study: t = {t}, df = {df}, {p}.",
        t=shown.value("egger", "statistic"),
        df=shown.value("egger", "df", "integer"),
        p=shown.p("egger"),
    )
    if shown.has("egger_robust", "p_value"):
        words += say(
            " On all rows with standard errors robust to their dependence: t = {t}, df = {df}, {p}.",
            t=shown.value("egger_robust", "statistic"),
            df=shown.value("egger_robust", "df", "decimal1"),
            p=shown.p("egger_robust"),
        )
    if shown.battery.egger_rows is not None:
        words += say(
            " On all rows as if independent it would be {p} (naive: not to be used).",
            p=shown.p("egger_rows"),
        )
    return words


def _naive(shown: Shown, analysis: str) -> Content:
    twin = f"{analysis}_rows"
    if not shown.has(twin, "k"):
        return ()
    return say("; on rows as if independent {effect} (naive: not to be used)", effect=shown.effect(twin))


def _trim(shown: Shown) -> list[Content]:
    result = shown.battery.bias.trim_and_fill
    if result is None:
        return []
    words = say(
        "Trim and fill: {k0} {studies} filled in on the {side} of the funnel, {symbol} = {effect}{naive}.",
        k0=shown.value("trim_and_fill", "k0", "integer"),
        studies=plural(result.k0, "study", "studies"),
        side=result.side,
        symbol=shown.symbol,
        effect=shown.effect("trim_and_fill"),
        naive=_naive(shown, "trim_and_fill"),
    )
    return [words]


def _adjusted(shown: Shown) -> list[Content]:
    bias = shown.battery.bias
    items: list[Content] = []
    if bias.limit is not None:
        items.append(_line(shown, "Limit meta-analysis (the effect of an endlessly large study)", "limit"))
    if bias.selection is not None:
        words = _line(shown, "Selection model (one step at a one-sided p of 0.025)", "selection")
        if shown.has("selection", "lrt_p_value"):
            test = say("; test of selection {p}.", p=shown.p("selection", "lrt_p_value"))
            words = words[:-1] + test
        items.append(words)
    if bias.pet_peese is not None:
        taken = bias.pet_peese.chosen.upper()
        items.append(_line(shown, f"PET-PEESE, where {taken} is the one to take", "pet_peese"))
    if bias.waap is not None:
        items.append(_line(shown, "WAAP-WLS (studies with adequate power, weighted least squares)", "waap"))
    return items


def _line(shown: Shown, name: str, analysis: str) -> Content:
    words = say(
        "{name}: {symbol} = {effect}{naive}",
        name=name,
        symbol=shown.symbol,
        effect=shown.effect(analysis),
        naive=_naive(shown, analysis),
    )
    return (*words, ".")


def _begg(shown: Shown) -> list[Content]:
    if not shown.has("begg", "p_value"):
        return []
    return [say("Begg's rank test: tau = {tau}, {p}.", tau=shown.value("begg", "tau"), p=shown.p("begg"))]
