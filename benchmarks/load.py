"""Loading: a million rows through validator and gate, later files of a load, three million rows in a small .zsav.

Budgets: under 2 s CPU and 1 GB for validating and gating; second and later files of a load under 50 ms; the .zsav
refused from its header in under 1 s, or read within the limits of the child. ``python benchmarks/load.py``
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

import ipt_outcomes as ipt
from ipt_outcomes.errors import IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import Limits, reading_session
from ipt_outcomes.io.guarded.usage import usage_of
from ipt_outcomes.schemas import load_schema, validate

ROWS, VISITS = 1_000_000, 10
SECONDS, GIGABYTES = 2.0, 1.0
LATER_FILES, LATER_SECONDS = 30, 0.05
CASES, REFUSED_SECONDS = 3_000_000, 1.0
# Linux counts it in kilobytes, macOS in bytes.
_UNIT = 1e9 if sys.platform == "darwin" else 1e6


def made_up() -> pd.DataFrame:
    """Scores of 100,000 people, long: ids as text, one score per row."""
    rng = np.random.default_rng(1)
    people = ROWS // VISITS
    person = np.repeat(np.arange(people), VISITS)

    def named(letter: str, number: np.ndarray) -> pd.api.extensions.ExtensionArray:
        levels = np.char.add(letter, np.arange(number.max() + 1).astype(str))
        return pd.array(levels[number], dtype="str")

    return pd.DataFrame(
        {
            "patient_id": named("P", person),
            "episode_id": named("E", person),
            "instrument": pd.array(np.full(ROWS, "phq9"), dtype="str"),
            "item": 0,
            "week": np.tile(np.arange(VISITS), people).astype(float),
            "value": rng.integers(0, 28, ROWS).astype(float),
            "arm": pd.array(np.array(["ipt", "usual_care"])[person % 2], dtype="str"),
            "site_id": named("S", person % 30),
        }
    )


def validated_and_gated() -> bool:
    """Print CPU seconds and the most memory of both."""
    table = made_up()
    assessments = table.drop(columns=["arm", "site_id"])
    assessments.insert(0, "assessment_id", pd.array(np.arange(ROWS).astype(str), dtype="str"))
    begin = time.process_time()
    failures = validate(assessments, load_schema("assessments"))[1]
    validated = time.process_time() - begin
    begin = time.process_time()
    cohort = ipt.load_cohort(table)
    gated = time.process_time() - begin
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT
    print(f"{ROWS:,} rows, {len(cohort.patients):,} people, {len(failures)} faults")
    print(f"dictionary: {validated:.2f} s CPU;  load_cohort (validate, gate, keys, tables): {gated:.2f} s CPU")
    print(f"most memory: {gigabytes:.2f} GB, with the table itself and the libraries")
    good = validated < SECONDS and gated < SECONDS and gigabytes < GIGABYTES
    return told(f"{SECONDS:g} s and {GIGABYTES:g} GB", good)


def later_files(folder: Path) -> bool:
    """Print what the first and the later small files of a load take on the clock."""
    path = folder / "small.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": ["a", "b"], "phq9": [9.0, 12.0]}), str(path))
    taken = []
    with reading_session():
        for _ in range(LATER_FILES + 1):
            begin = time.perf_counter()
            read_table(path)
            taken.append(time.perf_counter() - begin)
    middle = sorted(taken[1:])[LATER_FILES // 2]
    print(f"first file of a load: {taken[0] * 1e3:.0f} ms;  later files: {middle * 1e3:.1f} ms each, in the middle")
    return told(f"{LATER_SECONDS * 1e3:g} ms", middle < LATER_SECONDS)


def millions_of_cases(folder: Path) -> bool:
    """Print what a .zsav of three million cases costs: refused by the limits a load has, read by wider ones."""
    path = folder / "large.zsav"
    scores = {f"phq9_{item}": np.arange(CASES) % 4.0 for item in range(1, 25)}
    pyreadstat.write_sav(pd.DataFrame(scores), str(path), compress=True)
    megabytes, cells = path.stat().st_size / 1e6, CASES * len(scores)
    scores.clear()
    begin = time.perf_counter()
    try:
        with reading_session():
            read_table(path)
        refusal = "it was read"
    except IptError as error:
        refusal = error.message
    taken = time.perf_counter() - begin
    print(f"{CASES:,} cases in {megabytes:.1f} MB: {refusal} ({taken:.2f} s)")
    few = folder / "few.zsav"
    pyreadstat.write_sav(pd.DataFrame({"phq9": np.arange(CASES) % 28.0}), str(few), compress=True)
    limits = Limits()
    with reading_session(limits) as session:
        begin = time.perf_counter()
        table = read_table(few, expect_rows=CASES)
        read = time.perf_counter() - begin
        used = usage_of(session.pid or 0)
    held = "" if used is None else f", {used.seconds:.1f} s of processor time, {used.memory / 1e9:.2f} GB at the end"
    print(f"{len(table):,} cases of 1 column: read in {read:.1f} s by a child{held}")
    print(
        f"limits: {limits.cells:,} cells, {limits.seconds:g} s, {limits.memory / 1024**3:g} GB; {cells:,} cells asked"
    )
    within = used is None or (used.seconds < limits.cpu and used.memory < limits.memory)
    return told(f"refused in {REFUSED_SECONDS:g} s", taken < REFUSED_SECONDS and "unfolds to" in refusal and within)


def told(budget: str, good: bool) -> bool:
    """Print whether a budget was kept."""
    print(f"budget {budget}: {'kept' if good else 'not kept'}\n")
    return good


def main() -> int:
    """Run all; 1 where a budget was not kept."""
    kept = [validated_and_gated()]
    with tempfile.TemporaryDirectory() as folder:
        kept += [later_files(Path(folder)), millions_of_cases(Path(folder))]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
