"""CPU time of one REML fit with Knapp-Hartung test at k = 13, beside statsmodels in the same run.

Run as ``python benchmarks/pool.py``. Prints the median of several rounds and exits with 1 above the budget.
statsmodels' ``combine_effects`` iterates Paule and Mandel's estimator, so its time is a yardstick of the
machine, not of the same computation; ours is timed for that estimator too.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from statsmodels.stats.meta_analysis import combine_effects

from ipt_outcomes.meta import pool

K = 13
BUDGET_MS = 0.5
ROUNDS, FITS = 7, 200


def milliseconds(task: Callable[[], object]) -> float:
    """Median CPU time of one call, after a warm-up."""
    task()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(FITS):
            task()
        times.append((time.process_time() - start) / FITS * 1e3)
    return statistics.median(times)


def main() -> int:
    rng = np.random.default_rng(1)
    v = rng.uniform(0.02, 0.4, K)
    y = rng.normal(0.5, np.sqrt(v + 0.15))
    ours = milliseconds(lambda: pool(y, v))
    ours_pm = milliseconds(lambda: pool(y, v, tau2="PM"))
    peer = milliseconds(lambda: combine_effects(y, v, method_re="iterated", use_t=True))
    print(f"pool, REML, Knapp-Hartung, k = {K}: {ours:.3f} ms (budget {BUDGET_MS} ms)")
    print(f"pool, Paule-Mandel, Knapp-Hartung: {ours_pm:.3f} ms")
    print(f"statsmodels combine_effects, Paule-Mandel: {peer:.3f} ms")
    print(f"ratio statsmodels / pool: {peer / ours:.1f} (REML), {peer / ours_pm:.1f} (Paule-Mandel)")
    return 0 if ours < BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
