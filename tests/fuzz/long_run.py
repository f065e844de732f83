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
from ipt_outcomes.io.guarded import FORMATS, Limits, reading_session

SUFFIXES = {*FORMATS, ".csv", ".tsv"}


def sources(folders, made):
    """Return the files to damage: those made here, and those of the folders that can be read."""
    found = mutations.samples(made)
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.stat().st_size < 300_000:
                try:
                    harness.tables_of(path)
                except IptError:
                    continue
                found.append(path)
    return found


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
        for place, path in enumerate(sources(given.folders, Path(made))):
            own = Path(made) / f"copy{place}"
            own.mkdir()
            fuzzers.append(harness.Fuzzer(path, own, given.limit + 5))
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
