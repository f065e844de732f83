"""Ids that differ only by zeros, case or blanks (L12): proven different, declared, or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import IntArray, Texts
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.times import Times
from ipt_outcomes.privacy.keys import plain_ids
from ipt_outcomes.results import plural

_HINT = (
    'Correct the ids, or say in the mapping what they are: [ids] alike = "same" (each group is one person) or '
    '"different" (each id is a person).'
)


def same_person(ids: Texts) -> Texts:
    """Return ids in which those that look alike are one and the same."""
    plain = plain_ids(ids.values)
    position = {form: place for place, form in enumerate(dict.fromkeys(plain))}
    new = np.array([*(position[form] for form in plain), -1], dtype=np.int64)
    return Texts(new[ids.codes], tuple(position))


def refuse_unproven(ids: Texts, times: Times, source: str, faults: Faults) -> None:
    """Refuse ids that look alike unless all of a group were seen at one and the same time.

    A person has one row at a time: ids that stand side by side at some time are different people, and ids that
    take turns (``0001`` at baseline, ``1`` afterwards) may be one person whose zeros were lost.

    Parameters
    ----------
    ids : Texts
        Persons as the source writes them.
    times : Times
    source : str
        Source column, for the message.
    faults : Faults
    """
    groups = _groups(ids)
    size = np.bincount(groups[groups >= 0])
    here = np.flatnonzero(ids.codes >= 0)
    here = here[groups[ids.codes[here]] >= 0]
    if not here.size:
        return
    group = groups[ids.codes[here]]
    rows = pd.DataFrame({"group": group, "id": ids.codes[here], "time": _time(times)[here]}).drop_duplicates()
    side_by_side = rows.groupby(["group", "time"])["id"].size().groupby("group").max()
    proven = (side_by_side == size[side_by_side.index]).reindex(range(len(size)), fill_value=False).to_numpy()
    if proven.all():
        return
    doubtful = here[~proven[group]]
    members, count = int(size[~proven].sum()), int((~proven).sum())
    faults.add(
        f"{source}: {members} ids differ only by leading zeros, case or blanks ({count} "
        f"{plural(count, 'group', 'groups')}) and are never seen at the same time: they may be one person each (L12)",
        rule="L12", column=source, expected="one way of writing each id", hint=_HINT, records=doubtful,
    )  # fmt: skip


def _groups(ids: Texts) -> IntArray:
    """Number of the group of look-alikes of each different id; -1 where an id is alone."""
    present = ids.counts > 0
    numbers = np.full(len(ids.values), -1, dtype=np.int64)
    forms = plain_ids([ids.values[place] for place in np.flatnonzero(present)])
    codes = pd.factorize(np.array(forms, dtype=object))[0] if forms else np.array([], dtype=np.int64)
    several = np.bincount(codes, minlength=1)[codes] > 1 if len(codes) else np.array([], dtype=bool)
    alone = np.full(len(codes), -1, dtype=np.int64)
    alone[several] = pd.factorize(codes[several])[0]
    numbers[present] = alone
    return numbers


def _time(times: Times) -> IntArray:
    """One number per different time."""
    parts = {"week": times.week, "day": times.day, "session": times.session_no, "visit": times.visit.codes}
    frame = pd.DataFrame({name: np.asarray(part, dtype=float) for name, part in parts.items()}).fillna(-1e9)
    return np.asarray(frame.groupby(list(frame), sort=False).ngroup(), dtype=np.int64)
