"""A proposed mapping as TOML, with a remark on each line: how sure it is, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipt_outcomes.io.propose.codes import choices
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.words import GUESS
from ipt_outcomes.io.toml_text import key, quoted
from ipt_outcomes.results import visible

if TYPE_CHECKING:
    from ipt_outcomes.io.propose.proposal import ProposedMapping

ASKED = "?"
_HEAD = """\
# A proposed mapping of {source}: {layout}.
# Look through it: each line says how sure it is (sure, likely, guess) and why. Then:
# - correct what is wrong; put a code or a week in place of every "?";
# - map each column under undecided ([columns] name = "column"), declare it ([covariates] name = "column"), or move it
#   to left_out; a name in brackets is a table that holds a guess: look at it;
# - take out of undecided what you have decided. Nothing is loaded as long as anything stands there.
"""
_STUDIES = """\
# A proposed mapping of {source}: {layout}.
# Look through it and correct what is wrong. Columns that are not named here stay as they are.
"""


def commented_toml(proposal: ProposedMapping) -> str:
    """Return a proposal as TOML with remarks.

    Parameters
    ----------
    proposal : ProposedMapping

    Returns
    -------
    str
        Reads back as ``proposal.mapping`` once every ``?`` is replaced.
    """
    head = (_HEAD if proposal.kind == "cohort" else _STUDIES).format(
        source=visible(proposal.source), layout=proposal.layout
    )
    parts = [head + f"table = {quoted(proposal.kind)}"]
    if proposal.kind == "cohort":
        parts.append(_list("undecided", [(name, _why_waiting(name, proposal)) for name in proposal.undecided]))
        left_out = [(line.column, line.why) for line in proposal.lines if line.part == "left_out"]
        parts.append(_list("left_out", left_out))
    parts += [_table(part, _named(proposal.lines, part)) for part in ("columns", "baseline", "covariates")]
    parts.append(
        _table(
            "unseen",
            [
                (x.column, quoted(x.form), "a 0 where its form was not filled in is missing")
                for x in proposal.lines
                if x.form
            ],
        )
    )
    forms = [("column", quoted(x.column), x.why) for x in proposal.lines if x.part == "forms"]
    parts += [_table("forms", forms), _dates(proposal)]
    parts += _coded(proposal.codes, "codes") + _coded(proposal.codes, "missing")
    weeks = [(v.name, f'"{ASKED}"' if v.week is None else f"{v.week:g}", f"{v.sure}: {v.why}") for v in proposal.visits]
    parts.append(_table("visits", weeks))
    parts += _wide(proposal)
    parts += [f"# {visible(told)}" for told in (*proposal.questions, *proposal.hints)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _why_waiting(name: str, proposal: ProposedMapping) -> str:
    line = next((one for one in proposal.lines if one.column == name), None)
    if line is not None:
        return line.why if line.part == "undecided" else f"{line.words}? {line.why}"
    return "holds guesses: look at it below"


def _remark(text: str) -> str:
    # A remark ends with its line, whatever a label holds.
    return f"  # {visible(' '.join(text.split()))}" if text else ""


def _list(name: str, entries: list[tuple[str, str]]) -> str:
    if not entries:
        return f"{name} = []"
    return "\n".join([f"{name} = [", *(f"    {quoted(entry)},{_remark(why)}" for entry, why in entries), "]"])


def _table(title: str, entries: Iterable[tuple[str, str, str]]) -> str:
    rows = [f"{key(name)} = {value}{_remark(why)}" for name, value, why in entries]
    return "\n".join([f"[{title}]", *rows]) if rows else ""


def _named(lines: Iterable[Line], part: str) -> list[tuple[str, str, str]]:
    return [(line.name, quoted(line.column), f"{line.sure}: {line.why}") for line in lines if line.part == part]


def _coded(codes: Iterable[CodeLine], part: str) -> list[str]:
    tables: dict[str, list[tuple[str, str, str]]] = {}
    for code in codes:
        if code.part == part:
            value = f'"{ASKED}"' if code.code is None else quoted(code.code)
            tables.setdefault(code.name, []).append((code.written, value, f"{code.sure}: {code.why}"))
    return [_known(part, name) + _table(f"{part}.{key(name)}", rows) for name, rows in tables.items()]


def _known(part: str, name: str) -> str:
    """The codes there are, where a person has to choose."""
    known = choices(name) if part == "codes" else ()
    return f"# Codes: {', '.join(known)}. What sets people aside belongs under [exclude.{name}].\n" if known else ""


def _dates(proposal: ProposedMapping) -> str:
    dates = [line for line in proposal.lines if line.part == "dates"]
    rows = [(line.name, quoted(line.column), f"{line.sure}: {line.why}") for line in dates]
    if rows and proposal.order is not None:
        rows.append(("order", quoted(proposal.order), "how the dates are written"))
    return _table("dates", rows)


def _wide(proposal: ProposedMapping) -> list[str]:
    order = {visit.name: place for place, visit in enumerate(proposal.visits)}
    tables: dict[str, list[Line]] = {}
    for line in proposal.lines:
        if line.part == "wide":
            tables.setdefault(line.name, []).append(line)
    found = []
    for name, lines in tables.items():
        rows = sorted(lines, key=lambda line: order.get(line.visit, 0))
        why = rows[0].why if rows[0].sure == GUESS else ""
        title = _table(f"wide.{key(name)}", [(x.visit, quoted(x.column), f"{x.sure}: {x.why}") for x in rows])
        found.append(f"#{_remark(why)[3:]}\n{title}" if why else title)
    return found
