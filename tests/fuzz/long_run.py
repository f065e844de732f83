"""Fuzz the readers for as long as you like: ``python tests/fuzz/long_run.py --seconds 300 [FOLDER ...]``.

Damages files made on the spot and, where folders are given, every file in them that can be read whole. Ends with 1
where this process raised anything but the one error type, hung past its limit, told a cell, or where changed cells
got through a format whose checksums cover them.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import harness
import mutations

from ipt_outcomes.errors import IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import FORMATS, Limits, reading_session

SUFFIXES = {*FORMATS, ".csv", ".tsv", ".sas7bcat"}
LARGEST = 300_000


def sources(folders, made):
    """Return the files to damage, each with its kind and what it needs beside it."""
    found = [(path, kind, ()) for kind, path in mutations.samples(made).items()]
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.stat().st_size < LARGEST:
                beside = _beside(path)
                if beside is not None:
                    found.append((path, path.suffix[1:].lower(), beside))
    return found


def _beside(path):
    """What else the reading needs; None where the file cannot be read as it is."""
    if path.suffix.lower() != ".sas7bcat":
        try:
            read_table(path)
        except IptError:
            return None
        return ()
    for data in sorted(path.parent.glob("*.sas7bdat")):
        try:
            if read_table(data, catalog=path).value_labels:
                return (data,)
        except IptError:
            continue
    return None


def main():
    """Run, print the table, say what went wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", nargs="*", help="folders with further files")
    options.add_argument("--seconds", type=float, default=60.0, help="how long")
    options.add_argument("--seed", type=int, default=0, help="where the seeds begin")
    options.add_argument("--limit", type=float, default=10.0, help="seconds for one reading")
    given = options.parse_args()
    limits = Limits(seconds=given.limit, cpu=int(given.limit), memory=2 * 1024**3)
    tally, begun = harness.Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as made, reading_session(limits):
        fuzzers = []
        for place, (path, kind, beside) in enumerate(sources(given.folders, Path(made))):
            own = Path(made) / f"copy{place}"
            own.mkdir()
            fuzzers.append(harness.Fuzzer(path, own, given.limit + 5, kind, beside))
        seed = given.seed
        while time.monotonic() - begun < given.seconds:
            fuzzers[seed % len(fuzzers)].run(seed, tally)
            seed += 1
    print("\n".join(tally.lines()))
    print(f"{len(fuzzers)} files, {time.monotonic() - begun:.0f} s, slowest reading {tally.slowest:.1f} s")
    print("\n".join(tally.faults) or "nothing else went wrong")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
