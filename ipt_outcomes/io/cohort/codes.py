"""Columns of a closed set: codes by the mapping, by the file's value labels, by the names found in practice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ipt_outcomes.io.cohort.cells import Texts, same_code
from ipt_outcomes.io.cohort.dictionary import CODED, fields
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.reader import Reader, shown_label
from ipt_outcomes.io.toml_text import quoted
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.patterns import LONGEST_CODE, looks_like
from ipt_outcomes.results import plural
from ipt_outcomes.vocabulary import Technique, ambiguous_area, code_of, doubtful_letters, nearest

_YES_NO = {"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "no": "no", "n": "no", "false": "no", "0": "no"}
# A text of more letters than this is told only where it stands in this many rows.
_SHORT, _OFTEN = 12, 20
# A word of more letters in fewer rows may be the name of the one person it stands beside.
_TINY, _FEW = 4, 5
_MOST_LISTED = 20


@dataclass(slots=True)
class Decoder:
    """Turns the texts of coded columns into codes of the dictionary, and says how.

    Parameters
    ----------
    reader : Reader
    faults : Faults
    """

    reader: Reader
    faults: Faults
    notes: list[str] = field(default_factory=list)
    gate: list[GateEntry] = field(default_factory=list)

    def decode(self, name: str, column: str) -> Texts:
        """Return a column in codes of the dictionary; what is not known is a fault, listed with its near codes."""
        texts = self.reader.texts(column)
        given = {same_code(written): code for written, code in self.reader.plan.codes_of(name).items()}
        labels = self.reader.labels(column)
        known = recogniser(name)
        self._double_labels(column, labels, texts)
        by_label: dict[str, str] = {}
        unknown: list[str] = []
        doubtful = _doubtful(texts) if name == "sex" else frozenset()

        def change(text: str) -> str | None:
            key = same_code(text)
            if key in given:
                return known(given[key]) or given[key]
            code = known(labels[key]) if key in labels else None
            if code is not None:
                by_label[text] = code
                return code
            code = None if text.strip().casefold() in doubtful else known(text)
            if code is None:
                unknown.append(text)
            return code

        decoded = texts.mapped(change)
        if by_label:
            said = ", ".join(
                f"{text} = {code} ({shown_label(labels[same_code(text)])})" for text, code in by_label.items()
            )
            self.notes.append(f"{column}: codes recognised by the file's value labels: {said}")
        if unknown:
            self._refuse(name, column, texts, unknown, labels)
        return decoded

    def _double_labels(self, column: str, labels: dict[str, str], texts: Texts) -> None:
        present = {same_code(text) for text in texts.values}
        users: dict[str, list[str]] = {}
        for code, label in labels.items():
            if code in present:
                users.setdefault(label, []).append(code)
        for label, codes in users.items():
            if len(codes) > 1:
                said = f"value label {shown_label(label)!r} is used for codes {' and '.join(codes)} of {column}"
                self.gate.append(GateEntry(rule="L11", action="warned", column=column, detail=said))

    def _refuse(self, name: str, column: str, texts: Texts, unknown: list[str], labels: dict[str, str]) -> None:
        counts = dict(zip(texts.values, texts.counts.tolist(), strict=True))
        told = listed_codes(unknown, counts, len(texts.values), is_near=lambda text: bool(_near(text, name)))
        if told is None:
            self.faults.add(
                f"{column}: {len(unknown)} {plural(len(unknown), 'text that is', 'different texts that are')} no "
                f"{plural(len(unknown), 'code', 'codes')} of {name}; what does not look like a code is not shown",
                rule="enum", column=column, expected=f"codes of {name}", records=texts.where(set(unknown)),
                hint=f"Check that {column} is the column of {name}.",
            )  # fmt: skip
            return
        parts = []
        for text, count in told:
            label = labels.get(same_code(text))
            why = (ambiguous_area(label or text) if name.startswith("problem_area") else None) or _near(
                label or text, name
            )
            shown = f"{text!r}" + (f" (labelled {shown_label(label)!r})" if label else "")
            parts.append(f"{shown} in {count} {'row' if count == 1 else 'rows'}{f': {why}' if why else ''}")
        lines = "\n".join(f'{quoted(text)} = "..."' for text, _ in told)
        choices = ", ".join(member.value for member in CODED[name]) if name in CODED else ", ".join(fields()[name].enum)
        self.faults.add(
            f"{column}: codes of {name} that are not known: {'; '.join(parts)}",
            rule="enum", column=column, expected=f"codes of {name}", records=texts.where(set(unknown)),
            hint=f"Say what they are, in the mapping:\n[codes.{name}]\n{lines}\nCodes: {choices}. A code that stands "
            "for a missing value belongs under [missing], one that sets people aside under [exclude].",
        )  # fmt: skip


def _doubtful(texts: Texts) -> frozenset[str]:
    """Letters that may be either sex: M beside H or V is the woman (mujer) in some languages, the man in others."""
    letters = doubtful_letters(texts.values)
    return frozenset(letters) if {"h", "v"} & letters.keys() else frozenset()


def listed_codes(
    unknown: list[str], counts: dict[str, int], different: int, *, is_near: Callable[[str], bool]
) -> list[tuple[str, int]] | None:
    """Texts to list with their counts, or None where they may be about persons (names in a column mapped wrongly).

    Parameters
    ----------
    unknown : list of str
    counts : dict of str to int
        Rows of each.
    different : int
        Different texts of the column.
    is_near : callable
        Whether a text looks like something known, and so is no name.
    """
    total = sum(counts.values())
    # A code is short, or stands in many rows; a long text in a few rows may be about the person they are of.
    personal = any(
        looks_like(text) is not None
        or len(text) > LONGEST_CODE
        or (counts[text] < _OFTEN and len(text) > _SHORT and not ambiguous_area(text))
        or (counts[text] < _FEW and len(text) > _TINY and not ambiguous_area(text) and not is_near(text))
        for text in unknown
    )
    if personal or len(unknown) > _MOST_LISTED or (different > 5 and different * 2 > total):
        return None
    return sorted(((text, counts[text]) for text in unknown), key=lambda item: (-item[1], item[0]))


def _near(text: str, name: str) -> str:
    near = nearest(text, CODED[name]) if name in CODED else ()
    return f"near: {', '.join(near)}" if near else ""


def recogniser(name: str) -> Callable[[str], str | None]:
    """Return the function that turns a text into a code of a field, or into None.

    Parameters
    ----------
    name : str
        Field with a closed set.

    Returns
    -------
    callable
    """
    if name in CODED:
        kind = CODED[name]

        def known(text: str) -> str | None:
            code = code_of(text, kind)
            return None if code is None else code.value

        return known
    enum = fields()[name].enum
    if set(enum) == {"yes", "no"}:
        return lambda text: _YES_NO.get(same_code(text))
    if name == "techniques":
        return _techniques
    return lambda text: text.strip().casefold() if text.strip().casefold() in enum else None


def _techniques(text: str) -> str | None:
    """A list of techniques, separated by ; | or a comma; None where one is not known."""
    import re

    parts = [part for part in re.split(r"[;|,]", text) if part.strip()]
    codes = [code_of(part.strip(), Technique) for part in parts]
    return None if None in codes or not codes else ";".join(str(code) for code in codes)
