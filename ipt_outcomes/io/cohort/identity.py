"""Which person and which episode a record is about, and the random keys in place of their ids (L8)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import BoolArray, IntArray, nothing
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.keys import draw_keys, look_alikes, read_as_missing
from ipt_outcomes.results import plural

_WHOSE = {
    "patient_id": ("person", "people"), "episode_id": ("episode", "episodes"),
    "therapist_id": ("therapist", "therapists"), "therapy_group_id": ("therapy group", "therapy groups"),
    "cluster_id": ("cluster", "clusters"),
}  # fmt: skip
_NO_PERSON = (
    "Every row needs the id of its person. Fill it in, delete rows that are about nobody (blank or total rows), or say "
    "by which code to set them aside ([exclude])."
)

_NULL_WORD = "All such rows would become one person. Fill in the ids, or delete the rows that are about nobody."


@dataclass(slots=True)
class People:
    """Who the records are about.

    Parameters
    ----------
    person, episode : numpy.ndarray of int, shape (n,)
        Number of the person and of the episode of each record, in order of appearance; -1 where not known.
    episode_person : numpy.ndarray of int, shape (n_episodes,)
        Person of each episode.
    person_keys, episode_keys : numpy.ndarray of str
    """

    person: IntArray
    episode: IntArray
    episode_person: IntArray
    person_keys: np.ndarray
    episode_keys: np.ndarray
    gate: list[GateEntry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def n_people(self) -> int:
        """Number of persons."""
        return len(self.person_keys)


@dataclass(frozen=True, slots=True)
class Tables:
    """What of a folder's tables matters to who is who.

    Parameters
    ----------
    named : numpy.ndarray of bool, shape (n,)
        Records of tables with a column of episodes.
    of_one_time : numpy.ndarray of bool, shape (n,)
        Records about a session or an assessment, which belong to an episode.
    is_checked : bool
        Whether empty and unknown ids were found before.
    """

    named: BoolArray
    of_one_time: BoolArray
    is_checked: bool


def find_people(values: Values, columns: Columns, sha256: str, faults: Faults, folder: Tables | None = None) -> People:
    """Number persons and episodes and draw their keys.

    Parameters
    ----------
    values : Values
    columns : Columns
    sha256 : str
        Digest of the source.
    faults : Faults
        Takes rows without a person.
    folder : Tables, optional
        For several tables: a record may name its episode only, or its person only.

    Returns
    -------
    People
    """
    size = len(faults.rows)
    ids = values.texts.get("patient_id", nothing(size)).codes
    own = values.texts["episode_id"].codes if "episode_id" in values.texts else None
    if folder is not None and own is not None:
        ids = _persons_of_episodes(ids, own, columns, faults)
    person, n_people = _numbered(ids)
    if "patient_id" in values.texts and not (folder is not None and folder.is_checked):
        faults.cells(
            person < 0, column=columns.source_of("patient_id") or "patient_id", rule="required",
            expected="an id", what="no person's id", hint=_NO_PERSON,
        )  # fmt: skip
    _refuse_null_words(values, columns, faults)
    if own is None:
        episode, n_episodes = person, n_people
    else:
        known = person >= 0 if folder is None else (person >= 0) & folder.named
        if folder is None or not folder.is_checked:
            faults.cells(
                (own < 0) & known, column=columns.source_of("episode_id") or "episode_id", rule="required",
                expected="an id", what="no episode's id",
            )  # fmt: skip
        pairs = np.where((person < 0) | (own < 0), -1, person * (own.max(initial=0) + 1) + own)
        episode, n_episodes = _numbered(pairs)
        if folder is not None:
            episode = _only_episodes(person, episode, n_people, folder, columns, faults)
    episode_person = np.full(n_episodes, -1, dtype=np.int64)
    episode_person[episode[episode >= 0]] = person[episode >= 0]
    found = People(
        person=person,
        episode=episode,
        episode_person=episode_person,
        person_keys=draw_keys(n_people, sha256=sha256, purpose="patient_id", prefix="p"),
        episode_keys=draw_keys(n_episodes, sha256=sha256, purpose="episode_id", prefix="e"),
    )
    _say_keys(found, values, columns)
    return found


def _refuse_null_words(values: Values, columns: Columns, faults: Faults) -> None:
    """Refuse ids that say that there is none: people would become one person."""
    for name in ("patient_id", "episode_id"):
        if name in values.texts:
            texts = values.texts[name]
            words = np.append(read_as_missing(texts.values), False)
            faults.cells(
                words[texts.codes], column=columns.source_of(name) or name, rule="required",
                expected="an id", what="a word for a missing id (such as NA or null)", hint=_NULL_WORD,
            )  # fmt: skip


def _numbered(codes: IntArray) -> tuple[IntArray, int]:
    """Number codes anew in order of appearance; what is below 0 stays -1."""
    numbered = np.full(len(codes), -1, dtype=np.int64)
    known = codes >= 0
    numbered[known] = pd.factorize(codes[known])[0]
    return numbered, int(numbered.max(initial=-1)) + 1


def _persons_of_episodes(ids: IntArray, own: IntArray, columns: Columns, faults: Faults) -> IntArray:
    """Persons of records that name their episode only, by the table that names both."""
    both = (ids >= 0) & (own >= 0)
    of_episode = np.full(own.max(initial=-1) + 1, -1, dtype=np.int64)
    where, position = np.unique(own[both], return_index=True)
    of_episode[where] = ids[both][position]
    torn = np.unique(own[both][ids[both] != of_episode[own[both]]])
    if len(torn):
        column = columns.source_of("episode_id") or "episode_id"
        faults.add(
            f"{column}: {len(torn)} {plural(len(torn), 'episode is', 'episodes are')} of more than one person (L12)",
            rule="L12", column=column, expected="one person per episode",
            records=np.flatnonzero(np.isin(own, torn)),
        )  # fmt: skip
    return np.where((ids < 0) & (own >= 0), np.append(of_episode, -1)[own], ids)


def _only_episodes(
    person: IntArray, episode: IntArray, n_people: int, folder: Tables, columns: Columns, faults: Faults
) -> IntArray:
    """Episodes of records that name their person only: the person's, where there is one."""
    pairs = np.unique(np.stack([person[episode >= 0], episode[episode >= 0]]), axis=1)
    several = np.bincount(pairs[0], minlength=n_people)
    only = np.full(n_people + 1, -1, dtype=np.int64)
    only[pairs[0]] = pairs[1]
    only[:-1][several != 1] = -1
    filled = np.where((episode < 0) & (person >= 0) & ~folder.named, only[person], episode)
    lost = folder.of_one_time & ~folder.named & (person >= 0) & (filled < 0)
    faults.cells(
        lost, column=columns.source_of("patient_id") or "patient_id", rule="episode", expected="one episode",
        what="a person of several episodes, or of none,", hint="Such tables need a column episode_id.",
    )  # fmt: skip
    return filled


def _say_keys(people: People, values: Values, columns: Columns) -> None:
    counts = {"patient_id": people.n_people}
    for name in ("episode_id", "therapist_id", "therapy_group_id", "cluster_id"):
        if name in values.texts:
            different = int((values.texts[name].counts > 0).sum())
            counts[name] = len(people.episode_keys) if name == "episode_id" else different
    for name, count in counts.items():
        source = columns.source_of(name) or name
        one, several = _WHOSE[name]
        told = plural(count, f"the id of 1 {one} was", f"the ids of {count} {several} were")
        detail = f"{source}: {told} replaced by random keys; no list of them is kept"
        people.gate.append(GateEntry(rule="L8", action="changed", column=source, detail=detail, count=count))
        if name not in values.texts:
            continue
        texts = values.texts[name]
        groups, members = look_alikes([texts.values[code] for code in np.flatnonzero(texts.counts)])
        if groups:
            detail = (
                f"{source}: {members} ids differ only by leading zeros, case or blanks ({groups} "
                f"{plural(groups, 'group', 'groups')}); each counts as its own"
            )
            people.gate.append(GateEntry(rule="L12", action="warned", column=source, detail=detail, count=members))
            people.notes.append(detail)
