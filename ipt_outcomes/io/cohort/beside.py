"""Tables beside the four of patient data: goals of episodes, arms of studies."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import Texts
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.identity import People
from ipt_outcomes.io.cohort.parts import Opened, Part
from ipt_outcomes.io.cohort.values import refuse_personal
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.schemas import load_schema


class _Read(Protocol):
    people: People
    episode_ids: Texts
    gate: list[GateEntry]


def tables_beside(opened: Opened, read: _Read, faults: Faults) -> dict[str, pd.DataFrame]:
    """Take the goals and arms of a folder: checked before, ids replaced by the keys of the episodes.

    Parameters
    ----------
    opened : Opened
    read : with ``people``, ``episode_ids`` and ``gate``
        Persons and episodes of the patient data.
    faults : Faults
        Takes columns the dictionary does not have, and texts that may be about a person.

    Returns
    -------
    dict of str to pandas.DataFrame
    """
    found = {}
    for name, part in opened.beside.items():
        schema = load_schema(name)
        unknown = [column for column in part.raw.columns if column not in schema]
        if unknown:
            part.faults.add(
                f"columns that are not in the data dictionary (L1): {', '.join(unknown)}",
                rule="L1", column=unknown, expected=f"a column of {name}",
            )  # fmt: skip
        frame = part.raw.frame[[column for column in part.raw.columns if column in schema]].copy()
        _refuse_texts(part, frame)
        if "episode_id" in frame:
            frame = _with_keys(frame, read)
        faults.take_over(part.faults)
        found[name] = frame
    return found


def _refuse_texts(part: Part, frame: pd.DataFrame) -> None:
    """Names of studies are published; any other text that is no code is looked at as in the other tables."""
    schema = load_schema(part.table)
    for column in frame:
        entry = schema[str(column)]
        if entry.is_number or entry.enum or entry.privacy == "identifier" or part.table == "arms":
            continue
        texts = Texts.of(frame[column])
        refuse_personal(texts, str(column), texts, part.faults)


def _with_keys(frame: pd.DataFrame, read: _Read) -> pd.DataFrame:
    ids, episode = read.episode_ids, read.people.episode
    known = (ids.codes >= 0) & (episode >= 0)
    where, position = np.unique(ids.codes[known], return_index=True)
    key_of = {
        ids.values[code]: read.people.episode_keys[episode[known][at]] for code, at in zip(where, position, strict=True)
    }
    keys = Texts.of(frame["episode_id"]).mapped(key_of.get)
    return frame.assign(episode_id=keys.to_series())
