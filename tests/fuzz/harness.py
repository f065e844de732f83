"""One damaged file read, and what came of it."""

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field

import mutations

from ipt_outcomes.errors import IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.folder import read_folder

CHECKED = (".xlsx",)
"""Formats whose checksums cover every cell: a byte changed there must be found."""


@dataclass
class Tally:
    """What came of the runs, by kind of file."""

    counts: dict[str, Counter] = field(default_factory=dict)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)

    def note(self, kind, outcome):
        self.counts.setdefault(kind, Counter())[outcome] += 1

    def total(self, outcome):
        return sum(counts[outcome] for counts in self.counts.values())

    def lines(self):
        """Return the table of the outcomes."""
        head = ("runs", "crashes", "time", "memory", "refusals", "same", "changed", "survived")
        out = ["".join([f"{'file':14}", *(f"{name:>10}" for name in head)])]
        for kind, counts in [*sorted(self.counts.items()), ("all", sum(self.counts.values(), Counter()))]:
            out.append("".join([f"{kind:14}", *(f"{counts[name]:10}" for name in head)]))
        return out


def tables_of(path):
    """Read a file, or the folder its descriptor describes."""
    return dict(read_folder(path.parent)) if path.name == "datapackage.json" else {"": read_table(path)}


def alike(first, second):
    """Whether two readings hold the same cells, labels and missing codes."""
    return first.keys() == second.keys() and all(
        a.frame.equals(b.frame)
        and list(a.frame.dtypes) == list(b.frame.dtypes)
        and a.missing.equals(b.missing)
        and a.value_labels == b.value_labels
        for a, b in ((first[name], second[name]) for name in first)
    )


class Fuzzer:
    """Damages copies of a file and reads them.

    Parameters
    ----------
    path : Path
        The file as it should be.
    folder : Path
        Where the damaged copy is written.
    limit : float
        Seconds after which a reading counts as hung.
    """

    def __init__(self, path, folder, limit):
        self.whole = path.read_bytes()
        self.kind = path.suffix if path.name != "datapackage.json" else path.name
        self.ways = mutations.ways(path)
        self.expected = tables_of(path)
        self.limit = limit
        self.folder = folder
        self.copy = folder / path.name
        if path.name == "datapackage.json":
            shutil.copytree(path.parent, folder, dirs_exist_ok=True)

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
            outcome = "same" if alike(found, self.expected) else "changed"
            if outcome == "changed" and self.kind in CHECKED and way is mutations.by_bytes:
                tally.faults.append(f"{self.kind} seed {seed}: changed data not found by the checksum")
        taken = time.monotonic() - begun
        tally.slowest = max(tally.slowest, taken)
        if taken > self.limit:
            tally.faults.append(f"{self.kind} seed {seed}: {taken:.1f} s")
        for name in ("runs", outcome, "survived"):
            tally.note(self.kind, name)


def outcome_of(error):
    """Tell a crash, a hang and a memory limit from a refusal."""
    for words, outcome in (
        ("the reader crashed", "crashes"), ("in the time allowed", "time"), ("more memory than is allowed", "memory"),
    ):  # fmt: skip
        if words in error.message:
            return outcome
    return "refusals"
