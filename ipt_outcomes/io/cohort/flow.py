"""Who is in the cohort and who is not, in people and rows; when problem areas were set."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.cohort.cohort import AreaSet, baselines
from ipt_outcomes.io.cohort.mapping import BaselineRule
from ipt_outcomes.results import listed
from ipt_outcomes.sums import MOST_LACKING, too_many_lack
from ipt_outcomes.vocabulary import label


def flow_table(
    *,
    people_in_file: int,
    rows_in_file: int,
    excluded: list[tuple[str, int, int]],
    people: int,
    rows: int,
    assessments: pd.DataFrame,
    episodes: pd.DataFrame,
    rule: BaselineRule = "last_before_start",
) -> pd.DataFrame:
    """Count people and rows at each step.

    Parameters
    ----------
    people_in_file, rows_in_file : int
        Before any was set aside.
    excluded : list of (reason, people, rows)
    people, rows : int
        Loaded.
    assessments, episodes : pandas.DataFrame
        Tables of the cohort.
    rule : {"last_before_start", "screening", "first"}
        Which score is the baseline.

    Returns
    -------
    pandas.DataFrame
        ``step reason people rows``; rows are missing where a step is about people only.
    """
    lines: list[tuple[str, str, int, int | None]] = [("in the file", "", people_in_file, rows_in_file)]
    lines += [("set aside", reason, n_people, n_rows) for reason, n_people, n_rows in excluded]
    lines.append(("loaded", "", people, rows))
    return pd.concat([_frame(lines), after_loading(people, assessments, episodes, rule)], ignore_index=True)


def after_loading(
    people: int, assessments: pd.DataFrame, episodes: pd.DataFrame, rule: BaselineRule = "last_before_start"
) -> pd.DataFrame:
    """Count, among the people loaded, those without an arm, a score, a baseline, a score after it.

    Parameters
    ----------
    people : int
    assessments, episodes : pandas.DataFrame
    rule : {"last_before_start", "screening", "first"}
        Which score is the baseline.

    Returns
    -------
    pandas.DataFrame
        ``step reason people rows``; the reason names the instrument.
    """
    lines: list[tuple[str, str, int, int | None]] = []
    if "arm" in episodes:
        unknown = int(episodes.loc[episodes["arm"].isna(), "patient_id"].nunique())
        lines.append(("arm not known", "", unknown, None))
    totals = assessments[assessments["item"].eq(0)]
    owner = episodes.set_index("episode_id")["patient_id"]
    with_score = totals[totals["value"].notna()]
    lines.append(("without any score", "", people - int(with_score["patient_id"].nunique()), None))
    for name in sorted(totals["instrument"].unique()):
        mine = with_score[with_score["instrument"].eq(name)]
        early = baselines(mine, rule)["episode_id"]
        based = int(owner.reindex(early).nunique())
        after = int(mine.loc[mine["week"] > 0, "patient_id"].nunique())
        lines.append(("without any score", name, people - int(mine["patient_id"].nunique()), None))
        lines.append(("without a baseline", name, people - based, None))
        lines.append(("without a score after baseline", name, people - after, None))
    return _frame(lines)


def _frame(lines: list[tuple[str, str, int, int | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=["step", "reason", "people", "rows"])
    return frame.astype({"people": np.int64, "rows": "Int64"})


def areas_set(episodes: pd.DataFrame, declared: str | None, name: str) -> tuple[AreaSet, list[str]]:
    """Tell whether every arm's problem area was set before randomisation.

    Parameters
    ----------
    episodes : pandas.DataFrame
    declared : {"before", "after"} or None
        What the mapping says.
    name : str
        Name of the source, for the error.

    Returns
    -------
    area_set : {"before", "after", "unknown"}
        ``"before"`` if declared so, or if ``area_set_day`` is at most 0 wherever an area is set; in both cases only if
        no more than a tenth of the episodes of any arm lack an area (`sums.too_many_lack`).
    notes : list of str

    Raises
    ------
    DataError
        Declared as set before, but a day after randomisation is recorded.
    """
    if "problem_area_primary" not in episodes:
        return "unknown", []
    has_area = episodes["problem_area_primary"].notna()
    day = episodes["area_set_day"] if "area_set_day" in episodes else pd.Series(np.nan, index=episodes.index)
    late = int((day > 0).sum())
    if declared == "before" and late:
        raise DataError(
            f"{name}: [areas] declares that problem areas were set before randomisation, but {late} were set after it "
            "by area_set_day",
            column="area_set_day",
            hint='Take the declaration out, or write set = "after".',
        )
    lacking = _arms_lacking(episodes, has_area)
    if declared is not None:
        note = f"problem areas: declared as set {declared} randomisation"
        if declared == "before" and lacking:
            return "unknown", [
                f"{note}, but more than {MOST_LACKING} of the people have none ({listed(lacking)}): what is not there "
                "was not set for everybody, so arms are not compared by it"
            ]
        return ("before" if declared == "before" else "after"), [note]
    if late:
        return "after", [f"problem areas: {late} were set after the start"]
    if not has_area.any() or day[has_area].isna().any() or "arm" not in episodes:
        return "unknown", []
    return ("unknown" if lacking else "before"), []


def _arms_lacking(episodes: pd.DataFrame, has_area: pd.Series) -> list[str]:
    """Arms (everybody, where there are none) of which too many episodes lack an area."""
    arm = episodes["arm"].astype(object) if "arm" in episodes else pd.Series("everybody", index=episodes.index)
    counts = has_area.groupby(arm).agg(["size", "sum"])
    many = too_many_lack(counts["size"] - counts["sum"].astype(int), counts["size"])
    return [str(name) if str(name) == "everybody" else label(str(name)) for name in counts.index[many.to_numpy(bool)]]
