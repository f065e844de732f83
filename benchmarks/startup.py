"""CPU seconds of `import ipt_outcomes` and of `ipt-outcomes --help`, beside those of Python alone.

The budgets of the design: under 0.3 s each. Exit 1 above them.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

BUDGET = 0.3
RUNS = 7


def cpu_seconds(*arguments: str) -> float:
    """Median CPU seconds of a fresh interpreter."""
    seconds = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return statistics.median(seconds)


def main() -> int:
    """Print the figures; return 1 if a budget is not kept."""
    python = cpu_seconds("-c", "pass")
    worst = 0.0
    for name, code in {
        "import ipt_outcomes": "import ipt_outcomes",
        "ipt-outcomes --help": "from ipt_outcomes.cli import main; main(['--help'])",
    }.items():
        seconds = cpu_seconds("-c", code)
        worst = max(worst, seconds)
        print(f"{name}: {seconds:.3f} CPU s, {seconds / python:.1f} times Python alone; budget {BUDGET} s")
    return int(worst > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
