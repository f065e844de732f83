"""CPU time of a linear mixed model from a pandas frame with text columns, beside glmm in the same run.

Run as ``python benchmarks/lmm.py [PEOPLE ...]``. Formula parsed, standard errors and Satterthwaite degrees of freedom
included for both. Prints the median of several rounds; exits with 1 where the last ratio, at 200,000 people or more,
is below the budget.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import glmm
import numpy as np
import pandas as pd

from ipt_outcomes.mixed import lmm

BUDGET = 5.0
ROUNDS = 3
FORMULA = "phq9 ~ week*problem_area + arm:week + baseline + (week | patient_id)"
AREAS = np.array(["grief", "interpersonal_deficits", "role_dispute", "role_transition"])


def made(people: int) -> pd.DataFrame:
    """About 11.6 weekly rows per person."""
    rng = np.random.default_rng(1)
    rows = rng.integers(7, 17, people)
    person = np.repeat(np.arange(people), rows)
    week = np.arange(person.size) - np.repeat(np.cumsum(rows) - rows, rows) + rng.integers(0, 7, person.size) / 7
    start, slope = rng.normal(0, 2.5, people)[person], rng.normal(-0.5, 0.25, people)[person]
    baseline = rng.integers(8, 25, people)[person].astype(float)
    return pd.DataFrame(
        {
            "patient_id": np.char.add("P", person.astype(str)),
            "problem_area": AREAS[rng.integers(0, 4, people)][person],
            "arm": np.array(["ipt", "usual"])[rng.integers(0, 2, people)][person],
            "baseline": baseline,
            "week": week,
            "phq9": 6 + 0.6 * baseline + start + slope * week + rng.normal(0, 2, person.size),
        }
    )


def seconds(task: Callable[[], object]) -> float:
    """Median CPU time."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        task()
        times.append(time.process_time() - begun)
    return statistics.median(times)


def main(sizes: list[int]) -> int:
    ratio = 0.0
    for people in sizes:
        frame = made(people)
        ours = seconds(lambda frame=frame: lmm(FORMULA, frame))
        peer = seconds(lambda frame=frame: glmm.fit(frame, FORMULA))
        ratio = peer / ours
        print(f"{people} people, {len(frame)} rows: lmm {ours:.3f} s, glmm {peer:.3f} s, ratio {ratio:.1f}")
    print(f"budget at 200,000 people: at least {BUDGET:g} times faster than glmm")
    return 0 if ratio >= BUDGET or max(sizes) < 200_000 else 1


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or [2_000, 20_000]))
