"""CPU seconds of the whole battery of a meta-analytic summary on 48 rows, beside one pooling of the same rows.

The budget of the design: under 0.5 s. Exit 1 above it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from ipt_outcomes import evidence, meta, simulate

BUDGET = 0.5
RUNS = 5


def cpu_seconds(work: Callable[[], object]) -> float:
    """Median CPU seconds, after one run that fills caches."""
    work()
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def main() -> int:
    """Print the figures; return 1 if the budget is not kept."""
    studies = simulate.studies()
    rows = evidence.study_effects(studies).effects
    battery = cpu_seconds(lambda: evidence.synthesise(studies))
    once = cpu_seconds(lambda: meta.pool(rows))
    print(f"battery of {len(studies)} rows: {battery:.3f} CPU s (budget {BUDGET} s)")
    print(f"that is {battery / once:.0f} times one pooling")
    return int(battery > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
