"""A proposed mapping as TOML, with a remark on each line: how sure it is, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ipt_outcomes.io.propose.assemble import in_visit_order
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
# - map each column under undecided ({columns} name = "column"), declare it ({covariates} name = "column"), or move it
#   to left_out; a name in brackets is a table that holds a guess: look at it;
# - take out of undecided what you have decided. Nothing is loaded as long as anything stands there.
"""
_STUDIES = """\
# A proposed mapping of {source}: {layout}.
# Look through it and correct what is wrong. Columns that are not named here stay as they are.
"""
_LONGEST_LINE = 110


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
    where = {"columns": "[columns]", "covariates": "[covariates]"}
    if proposal.files:
        where = {part: f"[tables.NAME.{part}]" for part in where}
    head = (_HEAD if proposal.kind == "cohort" else _STUDIES).format(
        source=visible(proposal.source), layout=proposal.layout, **where
    )
    parts = [head + f"table = {quoted(proposal.kind)}"]
    own = [line for line in proposal.lines if not line.table]
    if proposal.kind == "cohort":
        if proposal.sheet is not None:
            parts.append(f"sheet = {quoted(proposal.sheet) if isinstance(proposal.sheet, str) else proposal.sheet}")
        parts.append(_list("undecided", [(name, _why_waiting(name, proposal)) for name in proposal.undecided]))
        if not proposal.files:
            parts.append(_left_out(own))
        aside = [(line.column, line.why) for line in proposal.lines if line.part == "aside"]
        parts.append(_list("exclude_rows", aside) if aside else "")
    parts += _tables_of(own, "", proposal) if not proposal.files else []
    parts += [_dates(proposal), _first_day(proposal), _session_numbers(proposal)]
    for part in ("codes", "missing", "exclude"):
        parts += _coded([code for code in proposal.codes if not code.table], part)
    weeks = [(v.name, f'"{ASKED}"' if v.week is None else f"{v.week:g}", f"{v.sure}: {v.why}") for v in proposal.visits]
    parts += [_table("visits", weeks), *_facts(proposal)]
    for table in proposal.files:
        parts += _file(table, proposal)
    parts += [f"# {visible(told)}" for told in (*proposal.questions, *proposal.hints)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _tables_of(lines: Sequence[Line], before: str, proposal: ProposedMapping) -> list[str]:
    """What the columns of one file become."""
    parts = [_table(f"{before}{part}", _named(lines, part)) for part in ("columns", "baseline", "covariates")]
    unseen = [(x.column, quoted(x.form), "a 0 where its form was not filled in is missing") for x in lines if x.form]
    forms = [("column", quoted(line.column), line.why) for line in lines if line.part == "forms"]
    parts += [_table(f"{before}unseen", unseen), _table(f"{before}forms", forms)]
    return parts + _wide(lines, before, proposal) + _items(lines, before, proposal)


def _file(table: str, proposal: ProposedMapping) -> list[str]:
    """One file of a folder."""
    lines = [line for line in proposal.lines if line.table == table]
    before = f"tables.{table}."
    days = [(x.name, quoted(x.column), f"{x.sure}: {x.why}") for x in lines if x.part == "dates" and x.name != "start"]
    where = f"file = {quoted(proposal.files[table])}"
    if table in proposal.sheets:
        where = f"sheet = {quoted(proposal.sheets[table])}"
    head = f"[tables.{table}]\n{where}\n{_left_out(lines)}"
    missing = _coded([code for code in proposal.codes if code.table == table], "missing", before)
    return [head, *_tables_of(lines, before, proposal), _table(f"{before}dates", days), *missing]


def _why_waiting(name: str, proposal: ProposedMapping) -> str:
    line = next((one for one in proposal.lines if one.key == name), None)
    if line is not None:
        return line.why if line.part == "undecided" else f"{line.words}? {line.why}"
    return "holds guesses: look at it below"


def _remark(text: str) -> str:
    # A remark ends with its line, whatever a label holds.
    return f"  # {visible(' '.join(text.split()))}" if text else ""


def _left_out(lines: Sequence[Line]) -> str:
    return _list("left_out", [(line.column, line.why) for line in lines if line.part == "left_out"])


def _list(name: str, entries: list[tuple[str, str]]) -> str:
    if not entries:
        return f"{name} = []"
    return "\n".join([f"{name} = [", *(f"    {quoted(entry)},{_remark(why)}" for entry, why in entries), "]"])


def _table(title: str, entries: Iterable[tuple[str, str, str]]) -> str:
    rows = [f"{key(name)} = {value}{_remark(why)}" for name, value, why in entries]
    return "\n".join([f"[{title}]", *rows]) if rows else ""


def _named(lines: Iterable[Line], part: str) -> list[tuple[str, str, str]]:
    return [(line.name, quoted(line.column), f"{line.sure}: {line.why}") for line in lines if line.part == part]


def _coded(codes: Iterable[CodeLine], part: str, before: str = "") -> list[str]:
    tables: dict[str, list[tuple[str, str, str]]] = {}
    for code in codes:
        if code.part == part:
            value = f'"{ASKED}"' if code.code is None else quoted(code.code)
            tables.setdefault(code.name, []).append((code.written, value, f"{code.sure}: {code.why}"))
    return [_known(part, name) + _table(f"{before}{part}.{key(name)}", rows) for name, rows in tables.items()]


def _known(part: str, name: str) -> str:
    """The codes there are, where a person has to choose."""
    if part == "exclude":
        return "# Rows with these codes are set aside, and counted. Take out what is to stay.\n"
    known = choices(name) if part == "codes" else ()
    return f"# Codes: {', '.join(known)}. What sets people aside belongs under [exclude.{name}].\n" if known else ""


def _dates(proposal: ProposedMapping) -> str:
    dates = [line for line in proposal.lines if line.part == "dates" and (not line.table or line.name == "start")]
    rows = [(line.name, quoted(line.column), f"{line.sure}: {line.why}") for line in dates]
    if rows and proposal.order is not None:
        rows.append(("order", quoted(proposal.order), "how the dates are written"))
    return _table("dates", rows)


def _first_day(proposal: ProposedMapping) -> str:
    why = "CDISC counts the start as day 1, and knows no day 0"
    return _table("days", [("first", "1", why)]) if proposal.counts_from_one else ""


def _session_numbers(proposal: ProposedMapping) -> str:
    why = "likely: no column numbers the sessions: they are numbered in the order of their days"
    return _table("sessions", [("number", quoted("by_day"), why)]) if proposal.numbers_sessions else ""


def _facts(proposal: ProposedMapping) -> list[str]:
    found = []
    for fact in proposal.facts:
        if fact.raw_order is None:
            # A table without its answer would be read: it stands as a remark until there is one.
            told = f"# [instruments.{fact.name}]\n# raw_order = {ASKED}{_remark(f'{fact.sure}: {fact.why}')}"
            found.append(told)
        else:
            value = "true" if fact.raw_order else "false"
            found.append(_table(f"instruments.{fact.name}", [("raw_order", value, f"{fact.sure}: {fact.why}")]))
    return found


def _wide(lines: Sequence[Line], before: str, proposal: ProposedMapping) -> list[str]:
    found = []
    for name, forms in in_visit_order(lines, "wide", proposal.visits).items():
        rows = [one[0] for one in forms.values()]
        title = f"{before}wide.{key(name)}"
        text = _table(title, [(x.visit, quoted(x.column), f"{x.sure}: {x.why}") for x in rows])
        found.append(f"# {visible(rows[0].why)}\n{text}" if rows[0].sure == GUESS else text)
    return found


def _items(lines: Sequence[Line], before: str, proposal: ProposedMapping) -> list[str]:
    found = []
    for name, forms in in_visit_order(lines, "wide_items", proposal.visits).items():
        first = next(iter(forms.values()))[0]
        rows = [f"# {first.sure}: {visible(first.why)}", f"[{before}wide_items.{key(name)}]"]
        rows += [f"{key(visit)} = {_columns([line.column for line in form])}" for visit, form in forms.items()]
        found.append("\n".join(rows))
    return found


def _columns(columns: Sequence[str]) -> str:
    """A list of columns, on several lines where one would be too long."""
    one = f"[{', '.join(quoted(column) for column in columns)}]"
    if len(one) <= _LONGEST_LINE:
        return one
    return "\n".join(["[", *(f"    {quoted(column)}," for column in columns), "]"])
