"""CPU time of linear mixed models from a pandas frame with text columns, beside the package glmm in the same run.

Run as ``python benchmarks/mixed.py [--people 250 2000 20000 200000] [--peer-up-to 200000] [--page docs]``. Like for
like: the same frame, the same formula, standard errors and Satterthwaite's degrees of freedom for both; the difference
of their log-likelihoods stands beside the ratio. The peer is skipped where it is not installed. Exits with 1 where a
budget is missed: nested levels at 20,000 people, one level at 200,000. With ``--page`` writes the page and the plot of
how cost grows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ipt_outcomes.mixed import lmm

BUDGETS = {("nested", 20_000): 5.0, ("one level", 200_000): 5.0}
AREAS = np.array(["grief", "interpersonal_deficits", "role_dispute", "role_transition"])
BASE = "phq9 ~ week*problem_area + arm:week + baseline + (week | patient_id)"
FORMULAS = {
    "one level": BASE,
    "nested": f"{BASE} + (1 | therapist) + (1 | site)",
    "crossed": f"{BASE} + (1 | helper) + (1 | site)",
}
CROSSED = "5% of patients change therapist"


def made(people: int) -> pd.DataFrame:
    """About 11.5 rows per person, 40 people per therapist, 10 therapists per site; in `helper` 5% change therapist."""
    rng = np.random.default_rng(1)
    rows = rng.integers(7, 17, people)
    person = np.repeat(np.arange(people), rows)
    week = np.arange(person.size) - np.repeat(np.cumsum(rows) - rows, rows) + rng.integers(0, 7, person.size) / 7
    therapist, site = person // 40, person // 400
    other = np.minimum(site * 10 + rng.integers(0, 10, people)[person], therapist.max())
    helper = np.where((rng.random(people) < 0.05)[person] & (week > 6), other, therapist)
    start, slope = rng.normal(0, 2.5, people)[person], rng.normal(-0.5, 0.25, people)[person]
    baseline = rng.integers(8, 25, people)[person].astype(float)
    outcome = 6 + 0.6 * baseline + start + slope * week + rng.normal(0, 2, person.size)
    outcome += rng.normal(0, 1, therapist.max() + 1)[helper] + rng.normal(0, 0.6, site.max() + 1)[site]
    text = {"patient_id": ("P", person), "therapist": ("T", therapist), "helper": ("T", helper), "site": ("S", site)}
    return pd.DataFrame({
        **{name: np.char.add(letter, codes.astype(str)) for name, (letter, codes) in text.items()},
        "problem_area": AREAS[rng.integers(0, 4, people)][person],
        "arm": np.array(["ipt", "usual"])[rng.integers(0, 2, people)][person],
        "baseline": baseline, "week": week, "phq9": outcome,
    })  # fmt: skip


def seconds(task: Callable[[], object], rounds: int) -> tuple[float, object]:
    """Median CPU time (all threads), and the last result."""
    times, found = [], None
    for _ in range(rounds):
        begun = time.process_time()
        found = task()
        times.append(time.process_time() - begun)
    return statistics.median(times), found


def measured(people: int, peer_up_to: int) -> list[dict[str, float | str]]:
    """Time every model on one frame."""
    frame, rows = made(people), []
    rounds = 3 if people <= 20_000 else 1
    lmm(BASE, frame.head(2_000))
    for name, formula in FORMULAS.items():
        if name != "one level" and people < 1_000:
            continue
        ours, fit = seconds(lambda formula=formula: lmm(formula, frame), rounds)
        row = {"model": name, "people": people, "rows": len(frame), "ours": ours}
        if people <= peer_up_to and importlib.util.find_spec("glmm"):
            import glmm

            theirs, other = seconds(lambda formula=formula: glmm.fit(frame, formula), rounds)
            row |= {"peer": theirs, "ratio": theirs / ours, "difference": fit.log_likelihood - other.loglik}
        rows.append(row)
        beside = ""
        if "peer" in row:
            beside = f", glmm {row['peer']:.3f} s, ratio {row['ratio']:.1f}, log-likelihood {row['difference']:+.1e}"
        print(f"{name}, {people} people, {len(frame)} rows: lmm {ours:.3f} s{beside}", flush=True)
    return rows


FROM_FILE = """
import json, sys, time
from ipt_outcomes.mixed import lmm
begun = time.process_time()
lmm(sys.argv[1], sys.argv[2])
# The peak that getrusage gives is the parent's where that was larger.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps({"seconds": time.process_time() - begun, "peak_mb": peak}))
"""


def from_file(people: int) -> dict[str, float]:
    """CPU time and peak memory of a process that fits the model of one level from a Parquet file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visits.parquet"
        made(people).to_parquet(path)
        done = subprocess.run(
            [sys.executable, "-c", FROM_FILE, BASE, str(path)], capture_output=True, text=True, check=True
        )
    found = {"people": people, **json.loads(done.stdout)}
    print(f"from Parquet, {people} people: {found['seconds']:.2f} s, peak {found['peak_mb']:.0f} MB", flush=True)
    return found


def draw(rows: list[dict], path: Path) -> None:
    """Draw seconds over people."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams |= {"svg.hashsalt": "mixed", "svg.fonttype": "none", "font.size": 11}
    figure, ax = plt.subplots(figsize=(7, 4.4))
    for name, colour in (("one level", "#0f766e"), ("nested", "#b45309"), ("crossed", "#6d28d9")):
        own = [row for row in rows if row["model"] == name]
        ax.plot([row["people"] for row in own], [row["ours"] for row in own], "o-", color=colour, label=f"lmm, {name}")
        peer = [row for row in own if "peer" in row]
        if peer:
            there = [row["people"] for row in peer]
            ax.plot(there, [row["peer"] for row in peer], "s:", color=colour, label=f"glmm, {name}", markersize=4)
    ax.set(
        xscale="log", yscale="log", xlabel="Patients (about 11.5 rows each)", ylabel="CPU seconds, from frame to fit"
    )
    ax.grid(color="0.9")
    ax.legend(frameon=False, fontsize=10)
    figure.tight_layout()
    figure.savefig(
        path, metadata={"Date": None, "Title": "CPU seconds of a linear mixed model over the number of patients"}
    )


PAGE = """# What a linear mixed model costs

Made by `python benchmarks/mixed.py --page docs`: CPU seconds (all threads) from a pandas frame with text columns to a
fitted model with standard errors and Satterthwaite's degrees of freedom, on simulated data of about 11.5 visits per
patient at day resolution. The peer is the package `glmm`, on the same frame with the same formula; *difference* is our
log-likelihood less the peer's. Seconds are of one machine with two shared cores: read the ratios, and how the curve
grows. For a few hundred patients both take some milliseconds, ours more of them.

![CPU seconds over the number of patients, both axes logarithmic: lmm and glmm with one level, nested levels and crossed
levels. Both grow in proportion to the rows.](mixed_cost.svg)

Model with one level: `{base}`; *nested* adds `(1 | therapist) + (1 | site)`; in *crossed*, {crossed}.

| model | patients | rows | lmm, s | glmm, s | ratio | difference |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
{table}

From a Parquet file, in a process of its own (importing is in the memory, not in the seconds):

| patients | CPU, s | peak memory, MB |
| ---: | ---: | ---: |
{files}

## Why it grows as it does

The rows are read once: every column of the model is what changes within a patient (time) times what does not (arm,
problem area, baseline), so six sums per patient say all that the rows say. Each step of the search then costs a few
operations per patient, whatever the number of visits. Patients are eliminated first, then therapists, then sites;
where patients change therapists, the therapists that share patients are taken together in one matrix, and sets of
therapists that share none stay apart. Above 4,000 patients the search starts from the optimum in a part of them, so a
large data set needs a few steps only.

## Where it ends

Levels of crossed factors that hang together through shared patients are held in one dense matrix: above 8,000 of them
the model is refused in words. Residuals correlated over time (`residual="car1"`) or with a variance of each group
(`residual_by=`) are fitted anew for each value of their parameters. The rows are held in memory, from a file only the
columns that the formula names, read one after the other; numbers take 8 bytes a row, levels 1 to 4. Products of columns
are added up in portions of whole patients and never held for all rows. The table above says how much it takes.
"""


def page(rows: list[dict], files: list[dict], folder: Path) -> None:
    """Write the page and its plot."""
    rows = sorted(rows, key=lambda row: (list(FORMULAS).index(row["model"]), row["people"]))
    draw(rows, folder / "mixed_cost.svg")
    table = []
    for row in rows:
        peer = f"{row['peer']:.3f} | {row['ratio']:.1f} | {row['difference']:.0e}" if "peer" in row else "not run | |"
        table.append(f"| {row['model']} | {row['people']:,} | {row['rows']:,} | {row['ours']:.3f} | {peer} |")
    read = [f"| {row['people']:,} | {row['seconds']:.2f} | {row['peak_mb']:.0f} |" for row in files]
    text = PAGE.format(base=BASE, crossed=CROSSED, table="\n".join(table), files="\n".join(read))
    (folder / "mixed_cost.md").write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="*", default=[250, 2_000, 20_000])
    parser.add_argument("--peer-up-to", type=int, default=200_000)
    parser.add_argument("--files", type=int, nargs="*", default=[])
    parser.add_argument("--page", type=Path)
    parser.add_argument("--keep", type=Path, help="JSON that earlier measurements stand in; these are added")
    given = parser.parse_args()
    rows: list[dict] = []
    files: list[dict] = []
    if given.keep is not None and given.keep.is_file():
        rows, files = json.loads(given.keep.read_text(encoding="utf-8"))
    rows += [row for people in given.people for row in measured(people, given.peer_up_to)]
    files += [from_file(people) for people in given.files]
    if given.keep is not None:
        given.keep.write_text(json.dumps([rows, files]), encoding="utf-8")
    if given.page is not None:
        page(rows, files, given.page)
    missed = False
    for (model, people), least in BUDGETS.items():
        own = [row for row in rows if row["model"] == model and row["people"] == people and "ratio" in row]
        for row in own:
            missed |= row["ratio"] < least
            print(f"budget, {model}, {people} people: at least {least:g} times faster; {row['ratio']:.1f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
