"""One million rows of scores through the load gate, and through the validator of the dictionary.

Budget: under 2 s CPU and under 1 GB at most for validating and gating. ``python benchmarks/load.py``
"""

from __future__ import annotations

import resource
import time

import numpy as np
import pandas as pd

import ipt_outcomes as ipt
from ipt_outcomes.schemas import load_schema, validate

ROWS, VISITS = 1_000_000, 10
SECONDS, GIGABYTES = 2.0, 1.0


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


def main() -> None:
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
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{ROWS:,} rows, {len(cohort.patients):,} people, {len(failures)} faults")
    print(f"dictionary: {validated:.2f} s CPU;  load_cohort (validate, gate, keys, tables): {gated:.2f} s CPU")
    print(f"most memory: {gigabytes:.2f} GB, with the table itself and the libraries")
    good = validated < SECONDS and gated < SECONDS and gigabytes < GIGABYTES
    print(f"budget {SECONDS:g} s and {GIGABYTES:g} GB: {'kept' if good else 'not kept'}")


if __name__ == "__main__":
    main()
