"""A study table of trials that never were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io import Studies, load_studies

_COMPARATORS = ("cau", "wl", "other ctr")
_EFFECT = {"cau": 0.40, "wl": 0.70, "other ctr": 0.30}
# Mean and SD at the end of treatment in the comparator arm: plausible, of no real trial.
_INSTRUMENTS = {"hdrs-17": (14.5, 6.8), "bdi-2": (21.0, 10.5), "phq-9": (11.5, 5.6), "epds": (13.0, 5.2)}
_OUTCOME_CORRELATION = 0.6
_HETEROGENEITY = 0.2
_BEFORE_TREATMENT = 24.0

_Row = dict[str, Any]


def studies(n_studies: int = 24, seed: int = 1) -> Studies:
    """Simulate a study table in the Metapsy standard: trials of IPT against controls.

    The table has what real tables have: several outcomes in a study, change scores, responders in place of
    means, an effect known only as printed, a row without SDs, two IPT arms that share one control group.

    Parameters
    ----------
    n_studies : int
        Number of trials, at least 6.
    seed : int
        Seed of the generator; the same seed gives the same table.

    Returns
    -------
    Studies
        With ``.simulated`` true.

    Raises
    ------
    OptionError
        Fewer than 6 trials.
    """
    if n_studies < 6:
        raise OptionError(f"n_studies must be at least 6, to hold every kind of row; got {n_studies}")
    rng = np.random.default_rng(seed)
    trials = [_trial(number, rng) for number in range(1, n_studies + 1)]
    first = [trial[0] for trial in trials]
    _as_change(first[0])
    _as_events(first[1])
    _as_printed(first[2])
    _without_sds(first[3])
    _sharing_a_control(first[4], first[5])
    table = pd.DataFrame([row for trial in trials for row in trial])
    return load_studies(table, simulated=True)


def _trial(number: int, rng: np.random.Generator) -> list[_Row]:
    """Rows of one trial: one to three outcomes, correlated within the trial."""
    comparator = str(rng.choice(_COMPARATORS, p=(0.5, 0.25, 0.25)))
    true_effect = rng.normal(_EFFECT[comparator], _HETEROGENEITY)
    n_arm1, n_arm2 = (int(n) for n in rng.integers(14, 70, size=2))
    study = {
        "study": f"Simulated trial {number:02d}",
        "condition_arm1": "ipt",
        "condition_arm2": comparator,
        "multi_arm1": None,
        "format": str(rng.choice(("ind", "grp", "tel"), p=(0.6, 0.25, 0.15))),
        "rob": int(rng.integers(0, 5)),
        "year": int(rng.integers(1990, 2024)),
        "time": "post",
        "n_sessions_arm1": int(rng.integers(8, 17)),
    }
    sampling_se = np.sqrt(1 / n_arm1 + 1 / n_arm2)
    shared = rng.normal(0, sampling_se * np.sqrt(_OUTCOME_CORRELATION))
    names = rng.choice(list(_INSTRUMENTS), size=int(rng.integers(1, 4)), replace=False)
    rows = []
    for name in sorted(str(name) for name in names):
        own = rng.normal(0, sampling_se * np.sqrt(1 - _OUTCOME_CORRELATION))
        mean, sd = _INSTRUMENTS[name]
        sds = sd * np.sqrt(rng.chisquare(40, size=2) / 40)
        arm1 = {"mean_arm1": round(mean - (true_effect + shared + own) * sd, 2), "sd_arm1": round(sds[0], 2)}
        arm2 = {"mean_arm2": mean, "sd_arm2": round(sds[1], 2)}
        rows.append(
            study | {"instrument": name, "outcome_type": "msd"} | arm1 | arm2 | {"n_arm1": n_arm1, "n_arm2": n_arm2}
        )
    return rows


def _as_change(row: _Row) -> None:
    """Change scores in place of means."""
    for arm in (1, 2):
        row[f"mean_change_arm{arm}"] = round(row.pop(f"mean_arm{arm}") - _BEFORE_TREATMENT, 2)
        row[f"sd_change_arm{arm}"] = row.pop(f"sd_arm{arm}")
        row[f"n_change_arm{arm}"] = row.pop(f"n_arm{arm}")
    row["outcome_type"] = "change"


def _as_events(row: _Row) -> None:
    """Responders in place of means."""
    for arm, share in ((1, 0.48), (2, 0.27)):
        n = row.pop(f"n_arm{arm}")
        del row[f"mean_arm{arm}"], row[f"sd_arm{arm}"]
        row[f"event_arm{arm}"], row[f"totaln_arm{arm}"] = round(n * share), n
    row["outcome_type"] = "response (50%)"


def _as_printed(row: _Row) -> None:
    """An effect known only as a paper prints it."""
    for arm in (1, 2):
        del row[f"mean_arm{arm}"], row[f"sd_arm{arm}"]
    row |= {"outcome_type": "other statistic", "precalc_g": 0.52, "precalc_g_se": 0.24}


def _without_sds(row: _Row) -> None:
    del row["sd_arm1"], row["sd_arm2"]


def _sharing_a_control(one: _Row, other: _Row) -> None:
    """Two formats of IPT in one trial, each compared with the same control group."""
    for column in ("study", "condition_arm2", "instrument", "mean_arm2", "sd_arm2", "n_arm2", "sd_arm1", "rob", "year"):
        other[column] = one[column]
    # The other format did a little less well on the same scale.
    other["mean_arm1"] = round(one["mean_arm1"] + 0.1 * one["sd_arm1"], 2)
    one |= {"multi_arm1": "ipt (individual)", "format": "ind"}
    other |= {"multi_arm1": "ipt (group)", "format": "grp"}
