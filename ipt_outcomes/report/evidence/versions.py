"""Published estimates beside ours, and what changed since an earlier version of the table."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.evidence import EvidenceSynthesis, column_in_words
from ipt_outcomes.report.document import Block, Heading, Note, Paragraph, Table
from ipt_outcomes.report.numbers import Numbers
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.results import Results, listed, plural
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec

_OLD_NEW = ("old", "new")


class _Found(Numbers):
    """The numbers of the whole synthesis."""

    __slots__ = ("results",)

    def __init__(self, results: Results) -> None:
        self.results = results


def published_blocks(synthesis: EvidenceSynthesis) -> tuple[Block, ...]:
    """Return the published estimates, each beside what the tables give.

    Parameters
    ----------
    synthesis : EvidenceSynthesis

    Returns
    -------
    tuple of Block
        Empty where they were not asked for.
    """
    made = synthesis.regeneration
    if made is None:
        return ()
    found = _Found(synthesis.results)
    computed = made.frame[made.frame["estimate"].notna()]
    blocks: list[Block] = [
        Heading("Published estimates", "published-section"),
        Paragraph(
            (
                "Each published estimate of interpersonal psychotherapy stands beside what the study tables of this "
                "report give under its rule. A number near the printed one is no reproduction where it cannot be told "
                "that the trials are the same.",
            )
        ),
    ]
    if len(computed):
        blocks.append(_beside_table(found, computed, several=computed["table"].nunique() > 1))
    if len(made.nnt):
        blocks.append(_needed_table(found, made.nnt, made.frame))
    rest = made.frame[made.frame["estimate"].isna()]
    if len(rest):
        blocks.append(_rest_table(found, rest))
    return tuple(blocks)


def _paper(row: pd.Series) -> str:
    """Author and year, without the journal."""
    return str(row["paper"]).split(",")[0].strip()


def _what(row: pd.Series) -> str:
    subgroup = row["subgroup"]
    told = isinstance(subgroup, str) and subgroup
    return f"{row['comparison']}{f', {subgroup}' if told else ''}; {row['measure']}"


def _number(found: _Found, row: pd.Series, names: tuple[str, str, str]) -> Content:
    """An estimate with its interval, as far as they are told."""
    where = {"id": str(row["id"]), "table": str(row["table"])}
    estimate, low, high = names
    if not found.has("regeneration", estimate, **where):
        return ("–",)
    words: Content = (found.value("regeneration", estimate, **where),)
    if found.has("regeneration", low, **where) and found.has("regeneration", high, **where):
        limits = [found.value("regeneration", name, **where) for name in (low, high)]
        words += (" (", limits[0], " to ", limits[1], ")")
    return words


def _studies(found: _Found, where: dict[str, str]) -> Content:
    printed, ours = (found.cell("regeneration", name, "integer", **where) for name in ("printed_k", "k"))
    return (*printed, ", ", *ours)


def _verdict(words: str) -> str:
    """What may be said, short enough for a column; the reason stands above the table."""
    if words.startswith("beside it, not a reproduction"):
        return "Not a reproduction: its trials are not listed."
    return f"{capital(words)}."


_PRINTED = ("printed", "printed_low", "printed_high")
_OURS = ("estimate", "ci_low", "ci_high")


def _beside_table(found: _Found, frame: pd.DataFrame, *, several: bool) -> Table:
    rows = []
    for _, row in frame.iterrows():
        name = f"{_paper(row)}: {_what(row)}" + (f" [{row['table']}]" if several else "")
        where = {"id": str(row["id"]), "table": str(row["table"])}
        cells: tuple[Content, ...] = (
            (name,),
            _number(found, row, _PRINTED),
            _number(found, row, _OURS),
            _studies(found, where),
            found.cell("regeneration", "difference", **where),
            (_verdict(str(row["verdict"])),),
        )
        rows.append(TableRow(cells))
    rules = list(dict.fromkeys(f"{_paper(row)}, {row['comparison']}: {row['rule']}." for _, row in frame.iterrows()))
    return Table(
        spec=TableSpec(
            id="published-table",
            caption="Published estimates and what these studies give",
            columns=(
                Column("Published estimate"),
                Column("As printed (interval)", "right"),
                Column("These studies (95% CI)", "right"),
                Column("Studies: printed, here", "right"),
                Column("Difference", "right"),
                Column("What may be said"),
            ),
            rows=tuple(rows),
            notes=(
                (
                    "Signs as the paper has them. The difference is ours minus the printed one; of ratios it is ours "
                    "over the printed one.",
                ),
                *((rule,) for rule in rules),
            ),
        )
    )


def _needed_table(found: _Found, needed: pd.DataFrame, frame: pd.DataFrame) -> Table:
    known = frame.drop_duplicates("id").set_index("id")
    rows = []
    for name in needed["id"]:
        where = {"id": str(name)}
        cells: tuple[Content, ...] = (
            (f"{_paper(known.loc[name])}: {known.loc[name, 'comparison']}",),
            *(found.cell("published_nnt", column, "decimal2", **where) for column in ("printed", "exact", "truncated")),
        )
        rows.append(TableRow(cells))
    return Table(
        spec=TableSpec(
            id="published-nnt-table",
            caption="Printed numbers needed to treat, and those of Kraemer and Kupfer for the printed effect",
            columns=(
                Column("Published estimate"),
                Column("Printed", "right"),
                Column("Exact", "right"),
                Column("Difference of rates cut to three decimals", "right"),
            ),
            rows=tuple(rows),
        )
    )


def _rest_table(found: _Found, frame: pd.DataFrame) -> Table:
    rows = tuple(
        TableRow(
            (
                (f"{_paper(row)}: {_what(row)}",),
                _number(found, row, _PRINTED),
                (capital(str(row["verdict"])) + ".",),
            )
        )
        for _, row in frame.iterrows()
    )
    spec = TableSpec(
        id="published-rest-table",
        caption="Published estimates with nothing to compute beside them",
        columns=(Column("Published estimate"), Column("As printed (interval)", "right"), Column("Why")),
        rows=rows,
    )
    return Table(spec=spec, folded=True)


def version_blocks(synthesis: EvidenceSynthesis) -> tuple[Block, ...]:
    """Return what differs from an earlier version of the table, and what that did to each pooled number.

    Parameters
    ----------
    synthesis : EvidenceSynthesis

    Returns
    -------
    tuple of Block
        Empty where no earlier version was given.
    """
    made = synthesis.comparison
    if made is None:
        return ()
    found = _Found(synthesis.results)
    counted = [
        say("{n} {change}", n=found.value("version_rows", "rows", "integer", change=change), change=change)
        for change in made.counts
    ]
    words: list[str | object] = ["Rows of the table: "]
    for i, part in enumerate(counted):
        words += [", " if i else "", *part]
    blocks: list[Block] = [
        Heading("Since the earlier version", "versions-section"),
        Paragraph((*words, ".")),  # type: ignore[arg-type]
    ]
    blocks += _main_change(synthesis, found)
    if made.notes:
        blocks.append(Note("What could not be compared", tuple((note,) for note in made.notes), "warning"))
    if len(made.numbers):
        blocks.append(_numbers_table(synthesis, found, made.numbers))
    differing = made.differing
    if len(differing):
        blocks.append(_rows_table(differing))
    return tuple(blocks)


def _main_change(synthesis: EvidenceSynthesis, found: _Found) -> list[Block]:
    """The main result before and after, in a sentence per measure."""
    blocks: list[Block] = []
    for battery in synthesis.batteries:
        where = {"measure": str(battery.combined.measure), "analysis": "combined"}
        if not all(found.has("version_numbers", f"{age}_estimate", **where) for age in _OLD_NEW):
            continue
        words = say(
            "The main result was {old} and is now {new}, a difference of {difference}.",
            old=_pooled(found, "old", where),
            new=_pooled(found, "new", where),
            difference=found.value("version_numbers", "difference", **where),
        )
        blocks.append(Paragraph(words))
        break
    return blocks


def _numbers_table(synthesis: EvidenceSynthesis, found: _Found, numbers: pd.DataFrame) -> Table:
    rows = []
    for record in numbers.to_dict("records"):
        names = ("measure", "analysis", "variable", "level")
        where = {name: str(record[name]) for name in names if record[name]}
        cells: tuple[Content, ...] = (
            (_analysis_words(record),),
            *(_pooled(found, age, where) for age in _OLD_NEW),
            found.cell("version_numbers", "difference", **where),
        )
        rows.append(TableRow(cells, "total" if record["analysis"] == "combined" else "body"))
    ratio = any(measure in {"OR", "RR"} for measure in synthesis.options.measures)
    level = f"{100 * synthesis.options.level:g}%"
    return Table(
        spec=TableSpec(
            id="versions-table",
            caption="Every pooled effect before and after",
            columns=(
                Column("Analysis"),
                Column(f"Earlier version ({level} CI; k)", "right"),
                Column(f"This version ({level} CI; k)", "right"),
                Column("Difference", "right"),
            ),
            rows=tuple(rows),
            notes=(("Ratios are logarithms here.",),) if ratio else (),
        ),
        folded=len(rows) > 30,
    )


def _analysis_words(record: dict[object, object]) -> str:
    words = str(record["label"])
    if record["variable"]:
        return f"{capital(column_in_words(str(record['variable'])))}: {record['level']}"
    return words


def _pooled(found: _Found, age: str, where: dict[str, str]) -> Content:
    if not found.has("version_numbers", f"{age}_estimate", **where):
        return ("–",)
    estimate, low, high = (
        found.value("version_numbers", f"{age}_{n}", **where) for n in ("estimate", "ci_low", "ci_high")
    )
    k = found.cell("version_numbers", f"{age}_k", "integer", **where)
    return (estimate, " (", low, " to ", high, "; ", *k, ")")


def _rows_table(differing: pd.DataFrame) -> Table:
    rows = tuple(
        TableRow(
            (
                (str(r["study"]),),
                (str(r["change"]),),
                (listed([str(r[name]) for name in ("condition_arm1", "condition_arm2") if r[name]]) or "–",),
                (str(r["instrument"]) or "–",),
                (_how(r),),
            )
        )
        for r in differing.to_dict("records")
    )
    count = len(rows)
    spec = TableSpec(
        id="versions-rows-table",
        caption=f"{plural(count, 'The row', 'The rows')} added, changed or removed",
        columns=(Column("Study"), Column("Change"), Column("Arms"), Column("Instrument"), Column("What differs")),
        rows=rows,
    )
    return Table(spec=spec, folded=count > 20)


def _how(record: dict[object, object]) -> str:
    if not record["columns"]:
        return "–"
    names, before, after = (str(record[name]).split(", ") for name in ("columns", "before", "after"))
    if len(names) == len(before) == len(after):
        return "; ".join(f"{n}: {b} → {a}" for n, b, a in zip(names, before, after, strict=True))
    return f"{record['columns']}: {record['before']} → {record['after']}"
