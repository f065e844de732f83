"""Fields and covariates read as their types: numbers in range, codes of closed sets, texts without identifiers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import instrument_name
from ipt_outcomes.io.cohort.adaptations import add_adaptations
from ipt_outcomes.io.cohort.alike import same_person
from ipt_outcomes.io.cohort.cells import FloatArray, IntArray, Texts, joined, same_code
from ipt_outcomes.io.cohort.codes import Decoder, listed_codes
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.dates import read_dates, read_start
from ipt_outcomes.io.cohort.dictionary import CODED, IDS, Target, fields, near_names, target_of
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.reader import Reader, refuse_bad_numbers, shown_label
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.keys import look_alikes
from ipt_outcomes.privacy.patterns import scan
from ipt_outcomes.privacy.quasi import top_age_band, top_ages, zip3
from ipt_outcomes.results import plural

MOST_LEVELS = 20
_WHOLE = ("session_no", "item", "imd_decile", "planned_sessions")
# From so many digits on, mostly different whole numbers are numbers of persons or dates.
_ID_FROM = 1e6


def read_values(reader: Reader, columns: Columns, people: Texts, faults: Faults) -> Values:
    """Read every field and covariate; scores are read elsewhere.

    Parameters
    ----------
    reader : Reader
    columns : Columns
    people : Texts
        The person of each record.
    faults : Faults
        Takes everything that is no number, out of range, no code, or an identifier.

    Returns
    -------
    Values
    """
    values = Values(people=people)
    decoder = Decoder(reader, faults)
    for target, sources in columns.sources.items():
        if target.kind == "covariate":
            _covariate(target.name, sources[0], reader, values, faults)
        elif target.kind == "field" and target.name != "value":
            _field(target.name, sources, reader, decoder, values, faults)
    for name, constant in reader.plan.constants.items():
        _constant(name, constant, reader, values)
    add_adaptations(reader, columns, values)
    read_start(reader, values, faults)
    _join_items(values, columns, faults)
    values.notes += decoder.notes
    values.gate += decoder.gate
    return values


def _field(
    name: str, sources: tuple[str, ...], reader: Reader, decoder: Decoder, values: Values, faults: Faults
) -> None:
    entry = fields()[name]
    source = sources[0]
    if name in IDS:
        if name != "assessment_id":
            texts = joined([reader.texts(one) for one in sources])
            values.texts[name] = _merged(texts, source, values) if _is_merged(name, reader) else texts
        return
    if name in CODED or entry.enum or name == "techniques":
        values.texts[name] = decoder.decode(name, source)
    elif reader.plan.dates is not None and source in reader.plan.dates.days.values():
        read_dates(name, source, reader, values, faults)
    elif entry.type in ("number", "integer"):
        values.numbers[name] = _number_field(name, source, reader, faults)
        if name == "age":
            _top_ages(source, values)
    elif name == "instrument":
        values.texts[name], values.items_named = _instruments(source, reader, faults)
    else:
        texts = _labelled(name, source, reader, values) or reader.texts(source)
        given = {same_code(k): code for k, code in reader.plan.codes_of(name).items()}
        texts = texts.mapped(lambda text: given.get(same_code(text), text))
        refuse_personal(texts, source, values.people, faults, variety=name != "visit")
        values.texts[name] = texts.mapped(top_age_band) if name == "age_band" else texts


def _is_merged(name: str, reader: Reader) -> bool:
    return name == "patient_id" and reader.plan.alike == "same"


def _merged(texts: Texts, source: str, values: Values) -> Texts:
    groups, members = look_alikes(texts.values)
    if groups:
        detail = (
            f"{source}: {members} ids that differ only by leading zeros, case or blanks are {groups} "
            f"{plural(groups, 'person', 'people')}, as the mapping says"
        )
        values.gate.append(GateEntry(rule="L12", action="changed", column=source, detail=detail, count=members))
        values.notes.append(detail)
    return same_person(texts)


def _number_field(name: str, source: str, reader: Reader, faults: Faults) -> FloatArray:
    entry = fields()[name]
    read, bad = reader.numbers(source)
    refuse_bad_numbers(faults, bad, reader.raw.frame[source], source, is_score=False, is_time=name in ("week", "day"))
    outside = np.zeros(len(read), dtype=bool)
    limits = []
    if entry.minimum is not None:
        outside |= read < entry.minimum
        limits.append(f"at least {entry.minimum:g}")
    if entry.exclusive_minimum is not None:
        outside |= read <= entry.exclusive_minimum
        limits.append(f"above {entry.exclusive_minimum:g}")
    if entry.maximum is not None:
        outside |= read > entry.maximum
        limits.append(f"at most {entry.maximum:g}")
    if reader.plan.first_day and entry.unit == "days":
        read = _from_day_one(source, read, faults)
    told = " and ".join(limits)
    faults.cells(outside, column=source, rule="range", expected=told, what=f"{name} that is not {told}")
    fractional = (read % 1 != 0) & ~np.isnan(read) if name in _WHOLE else np.zeros(len(read), dtype=bool)
    faults.cells(fractional, column=source, rule="whole", expected="a whole number", what="no whole number")
    return np.where(outside | fractional, np.nan, read)


def _from_day_one(source: str, read: FloatArray, faults: Faults) -> FloatArray:
    """Days in which the start is day 1 and the day before it -1, counted from 0."""
    faults.cells(
        read == 0, column=source, rule="days", expected="no day 0",
        what="day 0, though the mapping says that the start is day 1 and no day is 0 ([days] first = 1),",
        hint="If day 0 is the start, take [days] first = 1 out of the mapping.",
    )  # fmt: skip
    return np.where(read > 0, read - 1, np.where(read == 0, np.nan, read))


def _top_ages(source: str, values: Values) -> None:
    ages, is_top = top_ages(values.numbers["age"])
    values.numbers["age"] = ages
    if is_top.any():
        values.is_top_age = is_top
        detail = f"{source}: ages of 90 and more are one group (age 90, age_90_plus true)"
        values.gate.append(
            GateEntry(rule="L6", action="changed", column=source, detail=detail, count=int(is_top.sum()))
        )


def _instruments(source: str, reader: Reader, faults: Faults) -> tuple[Texts, FloatArray]:
    """Read names of instruments; one that names an item ("gad7_3") is of its instrument, and says which item."""
    given = {same_code(k): code for k, code in reader.plan.codes_of("instrument").items()}
    written = reader.texts(source)
    targets = {text: _scored_as(given.get(same_code(text), text)) for text in written.values}
    unknown = [text for text, count in zip(written.values, written.counts, strict=True) if count and not targets[text]]
    items = np.array([*(int(t.part or 0) if (t := targets[text]) else 0 for text in written.values), 0], dtype=float)
    named = items[written.codes]
    texts = written.mapped(lambda text: t.name if (t := targets[text]) else None)
    if unknown:
        counts = {text: int(count) for text, count in zip(written.values, written.counts, strict=True)}
        told = listed_codes(unknown, {text: counts[text] for text in unknown}, len(written.values), is_near=_is_near)
        listed = f": {', '.join(repr(shown_label(text)) for text, _ in told)}" if told else ""
        faults.add(
            f"{source}: {len(unknown)} {plural(len(unknown), 'name that is', 'names that are')} no instrument{listed}",
            rule="enum", column=source, expected="names of instruments", records=written.where(set(unknown)),
            hint='Say which they are: [codes.instrument] "as written" = "phq9". ipt-outcomes instruments lists them. '
            'Rows of other measures are set aside with [exclude.instrument] "as written" = "not analysed".',
        )  # fmt: skip
    return texts, named


def _scored_as(text: str) -> Target | None:
    name = instrument_name(text)
    if name is not None:
        return Target("total", name)
    target = target_of(text)
    return target if target is not None and target.kind == "item" else None


def _join_items(values: Values, columns: Columns, faults: Faults) -> None:
    """Items named with their instrument, and those of a column of item numbers: both must say the same."""
    named = values.items_named
    if named is None or not named.any():
        return
    item = values.numbers.get("item", np.full(len(named), np.nan))
    differ = (named > 0) & ~np.isnan(item) & (item != named)
    faults.cells(
        differ, column=columns.source_of("item") or "item", rule="items", expected="the item that the name says",
        what="another item than the name of the instrument says",
    )  # fmt: skip
    values.numbers["item"] = np.where(named > 0, named, item)


def _is_near(name: str) -> bool:
    return bool(near_names(name))


def _told(codes: IntArray, people: Texts) -> int:
    """How many different pairs of person and value there are."""
    known = (codes >= 0) & ~people.missing
    return len(np.unique(people.codes[known] * (codes.max(initial=0) + 1) + codes[known]))


def refuse_personal(
    texts: Texts, source: str, people: Texts, faults: Faults, *, most_levels: int | None = None, variety: bool = True
) -> None:
    """Refuse values that look like identifiers (L3) or free text (L4).

    Parameters
    ----------
    texts : Texts
    source : str
        Source column.
    people : Texts
        Person of each record: words of one person count once.
    faults : Faults
    most_levels : int, optional
        More different values than this are free text.
    variety : bool
        Whether many different values make free text of them.
    """
    units = _told(texts.codes, people)
    for finding in scan(texts.values, texts.counts, units=units, most_levels=most_levels, variety=variety):
        said = "what looks like " if finding.rule == "L3" else ""
        cells = "1 cell" if finding.count == 1 else f"{finding.count} cells"
        faults.add(
            f"{source}: {said}{finding.kind} in {cells} ({finding.rule})",
            rule=finding.rule, column=source, expected="codes without identifiers or free text",
            records=texts.where(finding.values),
            hint=f"Leave such columns out (left_out), or group them before loading: {source}.",
        )  # fmt: skip


def _labelled(name: str, source: str, reader: Reader, values: Values) -> Texts | None:
    """Labels in place of codes where each code has one of its own; None otherwise."""
    labels = reader.labels(source)
    if not labels or reader.plan.codes_of(name):
        return None
    texts = reader.texts(source)
    present = [same_code(text) for text in texts.values]
    told = [labels.get(code) for code in present]
    if None in told or len(set(told)) < len(told):
        return None
    order = tuple(labels[code] for code in sorted(present, key=_code_order))
    values.labelled[name] = order
    values.notes.append(f"{source}: value labels stand for the codes")
    return texts.mapped(lambda text: labels[same_code(text)])


def _code_order(code: str) -> tuple[float, str]:
    return (float(code), "") if re.fullmatch(r"[+-]?\d+(\.\d+)?", code) else (np.inf, code)


def _covariate(name: str, source: str, reader: Reader, values: Values, faults: Faults) -> None:
    if name == "zip3":
        values.texts[name] = _zip3(source, reader, values, faults)
        return
    given = {same_code(k): code for k, code in reader.plan.codes_of(name).items()}
    labelled = _labelled(name, source, reader, values)
    if labelled is None and not given and not pd.api.types.is_bool_dtype(reader.raw.frame[source]):
        read, bad = reader.numbers(source)
        if not bad.any():
            if _like_ids(read, values.people):
                faults.add(
                    f"{source}: long whole numbers, mostly different, as ids and dates are (L2)",
                    rule="L2", column=source, expected="a measure",
                    hint=f'Leave it out: left_out = ["{source}"].',
                )  # fmt: skip
            values.numbers[name] = read
            return
    texts = labelled or reader.texts(source).mapped(lambda text: given.get(same_code(text), text))
    refuse_personal(texts, source, values.people, faults, most_levels=MOST_LEVELS)
    values.texts[name] = texts


def _like_ids(read: FloatArray, people: Texts) -> bool:
    known = read[~np.isnan(read)]
    if not known.size or (known % 1 != 0).any() or np.median(np.abs(known)) < _ID_FROM:
        return False
    codes, levels = pd.factorize(read)
    return len(levels) > 5 and len(levels) * 2 > _told(codes.astype(np.int64), people)


def _zip3(source: str, reader: Reader, values: Values, faults: Faults) -> Texts:
    texts = reader.texts(source)
    read = texts.mapped(zip3)
    faults.cells(
        read.missing & ~texts.missing, column=source, rule="L7", expected="a ZIP code", what="no US ZIP code (L7)",
        hint="Postcodes of other countries are left out, or made a region before loading.",
    )  # fmt: skip
    detail = f"{source}: ZIP codes are cut to three digits, 000 for areas of few people"
    count = int((~read.missing).sum())
    values.gate.append(GateEntry(rule="L7", action="changed", column=source, detail=detail, count=count))
    return read


def _constant(name: str, constant: str | float, reader: Reader, values: Values) -> None:
    from ipt_outcomes.io.cohort.codes import recogniser

    target = target_of(name) or Target("field", name)
    entry = fields()[target.name]
    if entry.type in ("number", "integer"):
        values.numbers[target.name] = np.full(reader.size, float(constant))
        return
    text = str(constant)
    if target.name in CODED or entry.enum:
        text = recogniser(target.name)(text) or text
    values.texts[target.name] = Texts.constant(text, reader.size)
    values.notes.append(f"by the mapping: {target.name} = {text} in every row")
