"""The meta-analyst's job as data: which rows of which tables, compared how. What a report keeps to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from ipt_outcomes.errors import OptionError
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.regeneration import regenerate
from ipt_outcomes.evidence.synthesis import EvidenceSynthesis, synthesise
from ipt_outcomes.evidence.versions import compare_versions
from ipt_outcomes.io import Studies, load_studies
from ipt_outcomes.io.job import FileJob, is_list, is_number

_NUMBERS = ("level", "rho", "low_risk_above", "control_rate")
_LISTS = ("priority", "times", "subgroups")
_SPANS = ("window", "years")
_FLAGS = ("grid",)
# Under this name `load` gives the earlier version of the first table.
OLDER = "earlier version"
_OTHER_KINDS = frozenset((*_NUMBERS, *_LISTS, *_SPANS, *_FLAGS, "measures"))
_ABBREVIATIONS = frozenset(("ipt", "cbt", "cau", "tau", "wl", "ssri", "tca", "snri", "bdi", "hdrs", "phq"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaJob(FileJob):
    """A meta-analytic summary; options are arguments of `ipt_outcomes.evidence.synthesise`.

    Parameters
    ----------
    comparisons : tuple of str
        A title per file; empty: one table takes its own title, several the names of their files.
    invalid : {"refuse", "exclude"}
        What to do with rows whose cells are not valid.
    flow : mapping or None
        Figures of the search, as `ipt_outcomes.evidence.read_flow` takes them.
    judgements : mapping or None
        Judgements for the summary of findings, as `ipt_outcomes.evidence.read_judgements` takes them.
    published : bool
        Whether to set published estimates beside what the tables give.
    older : bool
        Whether the last file is an earlier version of the first one, to be compared with it.
    **entries
        As `ipt_outcomes.io.job.FileJob`: `mapping` in the form of `ipt_outcomes.io.read_mapping`, for every
        file; `where` chooses rows.
    """

    comparisons: tuple[str, ...] = ()
    invalid: str = "refuse"
    flow: Mapping[str, Any] | None = None
    judgements: Mapping[str, Any] | None = None
    published: bool = False
    older: bool = False

    kind: ClassVar[str] = "meta"
    option_names: ClassVar[tuple[str, ...]] = tuple(entry.name for entry in fields(Options))

    def entry_faults(self) -> list[str]:
        """Return what is of the wrong kind in the entries."""
        found = []
        if not is_list(self.comparisons) or not all(isinstance(name, str) for name in self.comparisons):
            found.append("comparisons must be a list of names")
        if self.invalid not in ("refuse", "exclude"):
            found.append("invalid must be 'refuse' or 'exclude'")
        for name in ("flow", "judgements"):
            if not isinstance(getattr(self, name), Mapping | None):
                found.append(f"{name} must be a table")
        for name in ("published", "older"):
            if not isinstance(getattr(self, name), bool):
                found.append(f"{name} must be true or false")
        return found

    def option_faults(self) -> list[str]:
        """Return what in the options is of the wrong kind."""
        found = []
        for name, value in self.options.items():
            if name in _NUMBERS and not is_number(value):
                found.append(f"{name} must be a number")
            elif name == "measures" and not is_list(value) and not isinstance(value, str):
                found.append("measures must be a list of measures")
            elif name in _LISTS and not (is_list(value) and all(isinstance(item, str) for item in value)):
                found.append(f"{name} must be a list of names")
            elif name in _SPANS and not _is_span(value):
                found.append(f"{name} must be a list of two numbers (inf leaves a side open)")
            elif name in _FLAGS and not isinstance(value, bool):
                found.append(f"{name} must be true or false")
            elif name not in _OTHER_KINDS and not isinstance(value, str | None):
                found.append(f"{name} must be text")
        return found

    def load(self, sources: Sequence[str | Path]) -> dict[str, Studies]:
        """Read the study tables.

        Parameters
        ----------
        sources : sequence of path
            One file per comparison; with `older` one more, the earlier version of the first.

        Returns
        -------
        dict of str to Studies
            In the order given, rows chosen by `where`; the earlier version under `OLDER`.

        Raises
        ------
        DataError, OptionError
            As `ipt_outcomes.load_studies`.
        """
        if self.older and len(sources) < 2:
            raise OptionError("older needs a second file: the earlier version of the table")
        newer = sources[:-1] if self.older else sources
        names = [*self._names(newer), *([OLDER] if self.older else [])]
        tables = {}
        for name, source in zip(names, sources, strict=True):
            table = load_studies(
                source,
                mapping=self.mapping,
                invalid=self.invalid,  # type: ignore[arg-type]
                encoding=self.encoding,
                decimal=self.decimal,  # type: ignore[arg-type]
            )
            tables[name] = table.where(**self.where) if self.where else table
        return tables

    def run(self, tables: Mapping[str, Studies]) -> EvidenceSynthesis:
        """Run the battery on tables as `load` gives them.

        Parameters
        ----------
        tables : mapping of str to Studies

        Returns
        -------
        EvidenceSynthesis
        """
        current = {name: table for name, table in tables.items() if not (self.older and name == OLDER)}
        first = next(iter(current.values()))
        source = first if len(current) == 1 and not self.comparisons else current
        synthesis = synthesise(source, flow=self.flow, judgements=self.judgements, **self.options)
        return synthesis.with_more(
            regeneration=regenerate(source) if self.published else None,
            comparison=compare_versions(tables[OLDER], first, **self.options) if self.older else None,
        )

    def _names(self, sources: Sequence[str | Path]) -> list[str]:
        names = list(self.comparisons) or [_title_of(Path(source).stem) for source in sources]
        if len(names) != len(sources):
            raise OptionError(f"{len(names)} names for {len(sources)} files: give one name per file, or none")
        if len(set(names)) != len(names):
            raise OptionError("two comparisons have the same name: give each file a name of its own (--name)")
        return names


def _is_span(value: object) -> bool:
    """Two limits; an open side is infinite where it was written by hand, and missing where it was kept as JSON."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    return all(limit is None or is_number(limit) for limit in value)


def _title_of(stem: str) -> str:
    """A file's name as a title: abbreviations of treatments in capitals."""
    words = [word.upper() if word in _ABBREVIATIONS else word for word in stem.replace("_", " ").split()]
    return " ".join(words) or stem
