"""Two rows of one person, visit and instrument (L12), and the baseline that stands in a column of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import instrument
from ipt_outcomes.io.cohort.assess import BASELINE, Assessments
from ipt_outcomes.io.cohort.cells import FloatArray
from ipt_outcomes.io.cohort.cohort import eligible
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.identity import People
from ipt_outcomes.io.cohort.mapping import BaselineRule
from ipt_outcomes.io.cohort.scores import Scores
from ipt_outcomes.io.cohort.totals import Totals
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.results import plural

_KEY = ["episode", "instrument", "item", "visit", "session_no", "day", "week"]
_WORDS = {
    "exact": "the same value twice counts once",
    "first": "the first row of the file counts",
    "last": "the last row of the file counts",
    "mean": "their mean counts",
    "lowest": "the lowest value counts",
    "highest": "the highest value counts",
}


def settle_duplicates(
    table: pd.DataFrame, rule: str, collected: Assessments, faults: Faults
) -> tuple[pd.DataFrame, list[GateEntry]]:
    """Make one row of several for the same person, time and instrument, or refuse them.

    Parameters
    ----------
    table : pandas.DataFrame
        Working table of scores.
    rule : str
        As in the mapping's ``[duplicates]``.
    collected : Assessments
    faults : Faults

    Returns
    -------
    table : pandas.DataFrame
    gate : list of GateEntry
    """
    repeated = table.duplicated(_KEY, keep=False).to_numpy()
    if not repeated.any():
        return table, []
    part = table[repeated].sort_values("record", kind="stable")
    group = part.groupby(_KEY, dropna=False, sort=False).ngroup()
    grouped = part["value"].groupby(group)
    differ = grouped.nunique().to_numpy() > 1
    owner = collected.people.episode_person[part["episode"].groupby(group).first().to_numpy(dtype=np.int64)]
    names = sorted({collected.instruments[int(number)] for number in part["instrument"].unique()})
    counts = _counts(differ, owner)
    conflict = bool(differ.any())
    if rule == "refuse" or (rule == "exact" and conflict):
        _refuse(rule, counts, names, part, group, differ, collected, faults)
        rule = "first"
    dropped = len(part) - len(differ)
    chosen = _chosen(part, group, differ, rule)
    settled = f"settled by the rule {rule!r}: {_WORDS[rule]}; {dropped} {plural(dropped, 'row', 'rows')} fewer"
    detail = f"{', '.join(names)}: {counts}; {settled}"
    entry = GateEntry(rule="L12", action="changed", column=", ".join(names), detail=detail, count=dropped)
    kept = pd.concat([table[~repeated], chosen]).sort_values("record", kind="stable", ignore_index=True)
    return kept, [entry]


def _counts(differ: np.ndarray, owner: np.ndarray) -> str:
    """How many times and people have different values, and how many the same value twice."""
    parts = []
    for mask, words in ((differ, "different values"), (~differ, "an exact repeat")):
        if mask.any():
            people, times = len(np.unique(owner[mask])), int(mask.sum())
            have = "person has" if people == 1 else "people have"
            parts.append(f"{people} {have} {words} at the same time ({times} {'time' if times == 1 else 'times'})")
    return ", ".join(parts)


def _refuse(
    rule: str, counts: str, names: list[str], part: pd.DataFrame, group: pd.Series, differ: np.ndarray,
    collected: Assessments, faults: Faults,
) -> None:  # fmt: skip
    conflict = bool(differ.any())
    if conflict:
        way = 'rule = "mean" (or "lowest", "highest", "first", "last") settles them'
        way += '; "exact" drops exact repeats only' if rule == "refuse" and not differ.all() else ""
    else:
        way = 'rule = "exact" drops the repeats'
    hint = f"Correct the file, or say what counts: [duplicates] {way}, and counts them."
    if collected.is_wide:
        hint = (
            "The file has one row per person ([wide]), and people stand in it twice. Delete the repeats, or say "
            f"what counts: [duplicates] {way}, and counts them. If people have several treatments, map episode_id."
        )
    elif not collected.times.known:
        hint += " No column tells the time: map week, day, visit or session_no."
    records = part["record"].to_numpy(dtype=np.int64)
    shown = records if not conflict or rule == "refuse" else records[differ[group.to_numpy()]]
    faults.add(
        f"{', '.join(names)}: {counts}", rule="L12", column=", ".join(names),
        expected="one row per person, visit and instrument", records=np.unique(shown[shown >= 0]), hint=hint,
    )  # fmt: skip


def _chosen(part: pd.DataFrame, group: pd.Series, differ: np.ndarray, rule: str) -> pd.DataFrame:
    """One row per group; a row without a value counts only where no other has one."""
    ordered = part.assign(group=group, empty=part["value"].isna())
    if rule in ("lowest", "highest"):
        ordered = ordered.sort_values(
            ["group", "empty", "value"], ascending=[True, True, rule == "lowest"], kind="stable"
        )
    else:
        ordered = ordered.sort_values(["group", "empty"], kind="stable")
    if rule == "last":
        known = ordered[~ordered["empty"] | ordered.groupby("group")["empty"].transform("all")]
        chosen = known.drop_duplicates("group", keep="last")
    else:
        chosen = ordered.drop_duplicates("group", keep="first")
    if rule == "mean":
        means = part["value"].groupby(group).mean()
        chosen = chosen.assign(value=np.where(differ[chosen["group"]], means[chosen["group"]], chosen["value"]))
        # A mean belongs to no row: its items are in none.
        chosen = chosen.assign(record=np.where(differ[chosen["group"]], -1, chosen["record"]))
    return chosen.drop(columns=["group", "empty"])


def add_baselines(table: pd.DataFrame, scores: Scores, collected: Assessments, faults: Faults) -> pd.DataFrame:
    """Put scores of baseline columns in as rows of week 0; where there is such a row, both must say the same.

    Parameters
    ----------
    table : pandas.DataFrame
        Working table, without duplicates.
    scores : Scores
    collected : Assessments
    faults : Faults

    Returns
    -------
    pandas.DataFrame
    """
    for name, totals in scores.baseline.items():
        value, n_conflicts = _per_episode(totals, collected.people)
        short = instrument(name).short
        if n_conflicts:
            faults.add(
                f"the baseline of {short} differs between rows of one person for {n_conflicts} "
                f"{plural(n_conflicts, 'person', 'people')} (L12)",
                rule="L12", column=name, expected="one baseline per person",
            )  # fmt: skip
        number = collected.instruments.number(name)
        mine = table[(table["instrument"] == number) & (table["item"] == 0) & (table["week"] == 0)]
        there = pd.Series(value).reindex(mine["episode"].astype(int)).to_numpy()
        differ = mine["value"].notna().to_numpy() & ~np.isnan(there) & (mine["value"].to_numpy() != there)
        if differ.any():
            people = len(np.unique(collected.people.episode_person[mine["episode"].to_numpy(dtype=np.int64)[differ]]))
            who = f"{people} {'person' if people == 1 else 'people'}"
            faults.add(
                f"the baseline of {short} is not the score at week 0 for {who}",
                rule="baseline", column=name, expected="the score at week 0",
                hint=f"Take {name} out of [baseline] (its column: left_out), or correct the file.",
            )  # fmt: skip
        known = mine[mine["value"].notna()]
        empty = mine[mine["value"].isna()]
        new = np.setdiff1d(np.flatnonzero(~np.isnan(value)), known["episode"].to_numpy(dtype=np.int64))
        replaced = empty.index[empty["episode"].isin(new)]
        parts = [table.drop(index=replaced), _baseline_rows(new, value[new], number, collected)]
        filled = [part for part in parts if len(part)]
        table = pd.concat(filled, ignore_index=True) if filled else table
        collected.notes.append(
            f"{short}: the baseline of {len(new)} {plural(len(new), 'person', 'people')} is a score at week 0"
        )
    return table


def _baseline_rows(episodes: np.ndarray, value: FloatArray, number: int, collected: Assessments) -> pd.DataFrame:
    nothing = np.full(len(episodes), np.nan)
    return pd.DataFrame(
        {
            "record": np.full(len(episodes), -1),
            "episode": episodes,
            "instrument": np.full(len(episodes), number),
            "item": np.zeros(len(episodes)),
            "visit": np.full(len(episodes), collected.visits.number(BASELINE)),
            "session_no": nothing,
            "day": nothing,
            "week": np.zeros(len(episodes)),
            "value": value,
            "status": np.full(len(episodes), collected.statuses.number("observed")),
            "reason": np.full(len(episodes), -1),
            "form": np.full(len(episodes), -1),
        }
    )


def _per_episode(totals: Totals, people: People) -> tuple[FloatArray, int]:
    """First known baseline of each episode, and how many people have different ones."""
    known = ~np.isnan(totals.values) & (people.episode >= 0)
    episode, cells = people.episode[known], totals.values[known]
    value = np.full(len(people.episode_keys), np.nan)
    where, position = np.unique(episode, return_index=True)
    value[where] = cells[position]
    return value, len(np.unique(people.episode_person[episode[cells != value[episode]]]))


_WHEN = {
    "last_before_start": "the last time at or before week 0",
    "screening": "the last screening",
    "first": "their first time",
}


def refuse_unclear_baselines(table: pd.DataFrame, rule: BaselineRule, collected: Assessments, faults: Faults) -> None:
    """Refuse two different scores that by the rule are both the baseline."""
    known = table[table["value"].notna() & (table["item"] == 0)]
    named = known.assign(visit=collected.visits.text(known["visit"].to_numpy(dtype=np.int64)).to_numpy())
    early = known[eligible(named, rule).to_numpy()]
    if early.empty:
        if rule == "screening" and len(known):
            faults.add(
                "no visit is named screening, which the baseline is to be by [baseline] rule", rule="baseline",
                column="visit", expected="a visit screening", hint="Name the visits so, or take another rule.",
            )  # fmt: skip
        return
    key = ["episode", "instrument"]
    if rule == "first":
        early = early.assign(week=-early["week"], session_no=-early["session_no"])
    order = early.assign(session=early["session_no"].fillna(-1e9)).sort_values([*key, "week", "session"], kind="stable")
    last = order.drop_duplicates(key, keep="last")
    both = order.merge(last[[*key, "week", "session", "value"]], on=[*key, "week", "session"], suffixes=("", "_last"))
    unclear = both[both["value"] != both["value_last"]]
    if len(unclear):
        people = len(np.unique(collected.people.episode_person[unclear["episode"].to_numpy(dtype=np.int64)]))
        names = sorted({collected.instruments[int(number)] for number in unclear["instrument"].unique()})
        have = f"{people} {'person has' if people == 1 else 'people have'}"
        faults.add(
            f"{', '.join(names)}: {have} two different scores at {_WHEN[rule]}, so that the baseline is "
            "undecided (L12)",
            rule="L12", column=", ".join(names), expected="one baseline",
            hint="Give the visits different weeks ([visits] screening = -1, baseline = 0).",
        )  # fmt: skip
