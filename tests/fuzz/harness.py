"""One damaged file read, and what came of it."""

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field, fields

import mutations
import pandas as pd

from ipt_outcomes.errors import IptError
from ipt_outcomes.io import Table, read_table
from ipt_outcomes.io.exchange import is_saved, read_saved
from ipt_outcomes.io.folder import read_folder

OUTCOMES = ("runs", "crashes", "time", "memory", "refusals", "same", "warned", "changed", "survived")
"""What is counted; ``warned`` is changed data of which the reader says that they may be damaged."""
WHAT = ("names", "types", "cells", "missing", "labels")


@dataclass
class Tally:
    """What came of the runs, by kind of file."""

    counts: dict[str, Counter] = field(default_factory=dict)
    changes: dict[str, Counter] = field(default_factory=dict)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)

    def note(self, kind, outcome):
        self.counts.setdefault(kind, Counter())[outcome] += 1

    def total(self, outcome):
        return sum(counts[outcome] for counts in self.counts.values())

    def lines(self):
        """Return the table of the outcomes, and of what was changed without a word."""
        out = [f"{'file':20}" + "".join(f"{name:>10}" for name in OUTCOMES)]
        for kind, counts in [*sorted(self.counts.items()), ("all", sum(self.counts.values(), Counter()))]:
            out.append(f"{kind:20}" + "".join(f"{counts[name]:10}" for name in OUTCOMES))
        out.append(f"\n{'changed unseen':20}" + "".join(f"{name:>10}" for name in WHAT))
        for kind, counts in sorted(self.changes.items()):
            out.append(f"{kind:20}" + "".join(f"{counts[name]:10}" for name in WHAT))
        return out


def tables_of(path):
    """Read a file, the folder it belongs to, or the data set whose labels it holds."""
    if is_saved(path.parent) or path.parent.name.startswith("saved"):
        return _of_cohort(read_saved(path.parent))
    if path.name == "datapackage.json":
        return dict(read_folder(path.parent))
    if path.suffix == ".sas7bcat":
        return {"": read_table(next(path.parent.glob("*.sas7bdat")), catalog=path)}
    return {"": read_table(path)}


def _of_cohort(cohort):
    parts = {entry.name: getattr(cohort, entry.name) for entry in fields(cohort)}
    tables = {name: part for name, part in parts.items() if isinstance(part, pd.DataFrame)}
    rest = pd.DataFrame({"record": [str({name: part for name, part in parts.items() if name not in tables})]})
    return {
        name: Table(frame=frame, rows=frame.index.to_numpy(), name=name, encoding=None, sha256="")
        for name, frame in {**tables, "rest": rest}.items()
    }


def differences(first, second):
    """Say in what two readings differ; nothing where they hold the same cells, labels and missing codes."""
    if first.keys() != second.keys():
        return {"names"}
    found = set()
    for one, other in ((first[name], second[name]) for name in first):
        a, b = one.frame, other.frame
        if list(a.columns) != list(b.columns):
            found.add("names")
        elif not a.equals(b):
            found.add("types" if list(a.dtypes) != list(b.dtypes) else "cells")
        if not one.missing.drop(columns="column").equals(other.missing.drop(columns="column")):
            found.add("missing")
        if list(one.value_labels.values()) != list(other.value_labels.values()):
            found.add("labels")
    return found


def _warns(found):
    return any("may be damaged" in warning for table in found.values() for warning in table.warnings)


class Fuzzer:
    """Damages copies of a file and reads them.

    Parameters
    ----------
    path : Path
        The file as it should be; what it needs beside it stands in its folder.
    folder : Path
        Where the damaged copy is written.
    limit : float
        Seconds after which a reading counts as hung.
    kind : str, optional
        What it is counted as. Default: its suffix.
    beside : list of Path
        Further files the reading needs.
    """

    def __init__(self, path, folder, limit, kind=None, beside=()):
        self.whole = path.read_bytes()
        self.kind = kind or path.suffix
        self.ways = mutations.ways(path)
        self.limit = limit
        self.folder = folder
        own = folder / (path.parent.name if path.parent.name.startswith("saved") else "copy")
        own.mkdir()
        self.copy = own / path.name
        together = kind in ("folder", "saved, its record", "saved, a table")
        for other in [*(path.parent.iterdir() if together else []), path, *beside]:
            shutil.copy(other, own / other.name)
        self.expected = tables_of(self.copy)

    def run(self, seed, tally):
        """Damage, read, note what came of it."""
        dice = random.Random(seed)
        way = dice.choice(self.ways)
        damaged = way(self.whole, dice)
        self.copy.write_bytes(damaged)
        begun = time.monotonic()
        try:
            found = tables_of(self.copy)
        except IptError as error:
            outcome = outcome_of(error)
            if "secret" in error.message or str(self.folder) in str(error):
                tally.faults.append(f"{self.kind} seed {seed}: a cell or a path in a message")
        except BaseException as error:
            tally.faults.append(f"{self.kind} seed {seed}: {type(error).__name__}")
            outcome = "raised"
        else:
            outcome = self._compared(found, way, seed, tally)
        taken = time.monotonic() - begun
        tally.slowest = max(tally.slowest, taken)
        if taken > self.limit:
            tally.faults.append(f"{self.kind} seed {seed}: {taken:.1f} s")
        for name in ("runs", outcome, "survived"):
            tally.note(self.kind, name)

    def _compared(self, found, way, seed, tally):
        other = differences(found, self.expected)
        if not other:
            return "same"
        if _warns(found):
            return "warned"
        tally.changes.setdefault(self.kind, Counter()).update(other)
        if self.is_checked(way):
            tally.faults.append(f"{self.kind} seed {seed}: changed data not found by the checksum")
        return "changed"

    def is_checked(self, way):
        """Whether checksums cover every cell of the format, so that what was changed must be found."""
        if self.kind.startswith("saved"):
            return True
        # A workbook packed anew has the right checksums again.
        return self.kind in (".xlsx", "xlsx") and way is mutations.by_bytes


def outcome_of(error):
    """Tell a crash, a hang and a memory limit from a refusal."""
    for words, outcome in (
        ("the reader crashed", "crashes"), ("in the time allowed", "time"), ("more memory than is allowed", "memory"),
    ):  # fmt: skip
        if words in error.message:
            return outcome
    return "refusals"
