"""CPU time of the meta-analysis beside its budgets, and beside other packages where they are installed.

Run as ``python benchmarks/meta.py``. Prints milliseconds (median of several rounds) and exits with 1 above a
budget. pimeta, PyMetaAnalysis (``meta_analyze``) and R's metafor are timed in the same run where they are there.
"""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from ipt_outcomes.meta import che_covariance, influence, leave_one_out, multilevel, network, pool, selection_model

ROUNDS = 5


def milliseconds(task: Callable[[], object], times: int = 1) -> float:
    """Median CPU time of one call, after a warm-up."""
    task()
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            task()
        found.append((time.process_time() - start) / times * 1e3)
    return statistics.median(found)


def studies(k: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.4, k)
    return rng.normal(0.4, np.sqrt(v + 0.1)), v


def trials(k: int = 93, treatments: int = 22) -> dict[str, list[object]]:
    """Trials of two arms, the first ones a ring through all treatments, and some of three."""
    rng = np.random.default_rng(2)
    columns: dict[str, list[object]] = {name: [] for name in ("estimate", "se", "study", "arm1", "arm2")}
    for trial in range(k):
        first = trial % treatments
        others = (
            [(first + 1 + int(rng.integers(0, 5))) % treatments] if trial >= treatments else [(first + 1) % treatments]
        )
        if trial % 6 == 5:
            others.append((others[0] + 1) % treatments)
        arms = [first, *[one for one in others if one != first]]
        y, a = rng.normal(0, 0.5, len(arms)), rng.uniform(0.02, 0.1, len(arms))
        for i in range(len(arms)):
            for j in range(i + 1, len(arms)):
                row = (y[i] - y[j], np.sqrt(a[i] + a[j]), trial, f"t{arms[i]:02d}", f"t{arms[j]:02d}")
                for name, value in zip(columns, row, strict=True):
                    columns[name].append(value)
    return columns


def peers() -> None:
    y, v = studies(13)
    if importlib.util.find_spec("pimeta"):
        import pimeta

        print(f"pimeta rma, k = 13: {milliseconds(lambda: pimeta.rma(y, v, test='knha'), 50):.2f} ms")
    if importlib.util.find_spec("meta_analyze"):
        import meta_analyze

        print(f"PyMetaAnalysis {getattr(meta_analyze, '__version__', '')} is installed: see its own timings")
    rscript = shutil.which("Rscript")
    if rscript:
        code = (
            "suppressMessages(library(metafor)); set.seed(1); v <- runif(13,.02,.4); y <- rnorm(13,.4,sqrt(v+.1));"
            "t <- system.time(for (i in 1:200) rma(y, v, test='knha'))[[1]]; cat('metafor rma, k = 13:', t*5, 'ms\\n')"
        )
        subprocess.run([rscript, "-e", code], check=False)


def main() -> int:
    y13, v13 = studies(13)
    y48, v48 = studies(48)
    y500, v500 = studies(500)
    study = np.arange(48) // 2
    working = che_covariance(v48, study=study, rho=0.6)
    net = trials()
    tasks: list[tuple[str, Callable[[], object], int, float]] = [
        ("pool, REML, Knapp-Hartung, k = 13", lambda: pool(y13, v13), 200, 0.5),
        ("leave one out, k = 500", lambda: leave_one_out(y500, v500), 1, 200.0),
        ("influence, k = 48", lambda: influence(y48, v48), 1, 100.0),
        ("CHE with CR2, 48 effects of 24 studies", lambda: multilevel(y48, working, study=study), 3, 100.0),
        ("step selection model, k = 48", lambda: selection_model(y48, v48), 1, 200.0),
        ("network, 93 trials, 22 treatments", lambda: network(**net, reference="t00"), 2, 100.0),
        (
            "network by REML",
            lambda: network(**net, reference="t00", tau2="REML"),
            1,
            500.0,
        ),
    ]
    late = False
    for name, task, times, budget in tasks:
        took = milliseconds(task, times)
        late |= took > budget
        print(f"{name}: {took:.2f} ms (budget {budget:g} ms){'  TOO SLOW' if took > budget else ''}")
    peers()
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
