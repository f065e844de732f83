"""Scores of files with one row per person: a column for each time, a form's items at each time, or one time only."""

from __future__ import annotations

from ipt_outcomes.instruments import instrument
from ipt_outcomes.io.cohort.dictionary import item_count, items_on_form
from ipt_outcomes.io.propose.draft import Draft
from ipt_outcomes.io.propose.headings import When
from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.io.propose.scores import Score
from ipt_outcomes.io.propose.visits import visit_name
from ipt_outcomes.io.propose.words import GUESS, LIKELY, ORDER


def wide_lines(scores: list[Score], draft: Draft) -> list[Line]:
    """Return what becomes of the columns of one instrument in a file with one row per person.

    Parameters
    ----------
    scores : list of Score
        All of one instrument.
    draft : Draft

    Returns
    -------
    list of Line
    """
    totals = [score for score in scores if score.item is None]
    items = [score for score in scores if score.item is not None]
    named = {line.visit for line in draft.lines.values() if line.part == "wide" and line.name == scores[0].name}
    if len(scores) == 1 and scores[0].when is None and not items and not named:
        one = scores[0]
        return [Line(column=one.column, part="columns", name=one.name, sure=one.sure, why=one.why)]
    if items and all(score.when is None for score in scores):
        return at_once(scores)
    return _forms(items, scores) + _totals(totals, scores, named)


def at_once(scores: list[Score]) -> list[Line]:
    """Return what becomes of items, and perhaps their total, of one time.

    Parameters
    ----------
    scores : list of Score

    Returns
    -------
    list of Line
    """
    found, seen = [], set()
    for score in scores:
        name = score.name if score.item is None else f"{score.name}_{score.item}"
        if name in seen:
            why = f"a second column for {name}"
            found.append(Line(column=score.column, part="undecided", sure=GUESS, why=why))
            continue
        seen.add(name)
        found.append(Line(column=score.column, part="columns", name=name, sure=score.sure, why=score.why))
    return found


def _totals(totals: list[Score], scores: list[Score], named: set[str]) -> list[Line]:
    found = []
    for score in sorted(totals, key=lambda one: ORDER[one.sure]):
        when = score.when or _first_time(scores)
        visit = visit_name(when)
        if visit in named:
            why = f"a second column for {score.name} at {visit}"
            found.append(Line(column=score.column, part="undecided", sure=GUESS, why=why))
            continue
        named.add(visit)
        told = "" if score.when is not None else "; no time in its name: taken for the first"
        sure = score.sure if score.when is not None else max(score.sure, LIKELY, key=lambda one: ORDER[one])
        found.append(
            Line(column=score.column, part="wide", name=score.name, visit=visit, sure=sure, why=score.why + told)
        )
    return found


def _first_time(scores: list[Score]) -> When:
    """The time of a column without one, beside numbered ones: the number before the first of them."""
    numbers = [
        score.when.number for score in scores
        if score.when is not None and score.when.kind in ("number", "point") and score.when.number is not None
    ]  # fmt: skip
    return When("number", min(numbers) - 1) if numbers and min(numbers) >= 1 else When("baseline")


def _forms(items: list[Score], scores: list[Score]) -> list[Line]:
    """The items of each time; a form with an item too few or twice is asked: which one it is, nobody can tell."""
    forms: dict[str, list[Score]] = {}
    for score in items:
        forms.setdefault(visit_name(score.when or _first_time(scores)), []).append(score)
    found = []
    for visit, form in forms.items():
        fault = _fault(form, visit)
        for score in sorted(form, key=lambda one: one.item or 0):
            if fault:
                found.append(Line(column=score.column, part="undecided", sure=GUESS, why=fault))
                continue
            told = "" if score.when is not None else "; no time in its name: taken for the first"
            short = instrument(score.name).short
            named = score.why if score.sure == GUESS else f"named {short}"
            why = f"{named}; all {len(form)} items of the form are there{told}"
            found.append(Line(column=score.column, part="wide_items", name=score.name, visit=visit,
                              item=score.item or 0, sure=score.sure, why=why))  # fmt: skip
    return found


def _fault(form: list[Score], visit: str) -> str:
    """Why the items of one time cannot be scored; "" where they can."""
    name = form[0].name
    short, n_items = instrument(name).short, item_count(name)
    numbers = sorted(score.item or 0 for score in form)
    if n_items == 0:
        return f"an item of {short} at {visit}, whose number of items is not known: give the totals"
    wanted = [list(range(1, last + 1)) for last in {n_items, items_on_form(name)}]
    if numbers in wanted:
        return ""
    if len(set(numbers)) < len(numbers):
        return f"items of {short} at {visit} stand there twice: which column is which item?"
    return f"{len(numbers)} of the {n_items} items of {short} at {visit}: give the others, or the total"
