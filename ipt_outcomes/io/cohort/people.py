"""Persons and episodes: random keys for ids, and what may not differ within one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray, IntArray, Texts
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.dictionary import CODED, in_table
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.identity import People
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.keys import draw_keys

_PREFIX = {"patient_id": "p", "episode_id": "e", "therapist_id": "t", "therapy_group_id": "g", "cluster_id": "c"}
_PATIENTS = tuple(name for name in in_table("patients") if name != "patient_id")
_EPISODES = tuple(name for name in in_table("episodes") if name not in ("patient_id", "episode_id", *_PATIENTS))
_SESSIONS = tuple(
    name
    for name in in_table("sessions")
    if name not in ("patient_id", "episode_id", "session_no", "day", "week", "format")
)


@dataclass(slots=True)
class Tables:
    """The tables of persons, episodes and sessions, and what of them differs from row to row."""

    patients: pd.DataFrame
    episodes: pd.DataFrame
    sessions: pd.DataFrame
    by_row: dict[str, Texts]


def make_tables(
    people: People, values: Values, columns: Columns, sha256: str, faults: Faults, *,
    covariates: tuple[str, ...] = (), varies: tuple[str, ...] = (), sessions_in: BoolArray | None = None,
) -> Tables:  # fmt: skip
    """Make one row per person, per episode and per session.

    Parameters
    ----------
    people : People
    values : Values
    columns : Columns
    sha256 : str
    faults : Faults
        Takes columns that differ where they may not.
    covariates, varies : tuple of str
        As in the mapping.
    sessions_in : numpy.ndarray of bool, shape (n,), optional
        Records of sessions, where a folder has them in a table of their own. Default: all with a number.

    Returns
    -------
    Tables
    """
    collapse = _Collapse(values, columns, faults)
    patients: dict[str, object] = {"patient_id": _text(people.person_keys)}
    episodes: dict[str, object] = {
        "episode_id": _text(people.episode_keys),
        "patient_id": _text(people.person_keys[people.episode_person]),
    }
    keys = _keyed(values, sha256)
    n_episodes = len(people.episode_keys)
    whole = "episode" if "episode_id" in values.texts else "person"
    by_row = _by_row(people, values, collapse, varies, keys)
    for name in (*_PATIENTS, *covariates):
        if name in by_row:
            episodes[name] = collapse.commonest(name, people.episode, n_episodes, keys)
        elif name == "site_id" and whole == "episode" and collapse.varies(name, people.person, people.n_people):
            episodes[name] = collapse.column(name, people.episode, n_episodes, "episode", keys)
        elif collapse.has(name):
            patients[name] = collapse.column(name, people.person, people.n_people, "person", keys)
    if "age_90_plus" in patients:
        patients["age_90_plus"] = pd.Series(patients["age_90_plus"]).eq("yes")
    if values.is_top_age is not None:
        top = np.zeros(people.n_people, dtype=bool)
        top[people.person[values.is_top_age & (people.person >= 0)]] = True
        patients["age_90_plus"] = top
    of_sessions = np.zeros(len(people.episode), dtype=bool) if sessions_in is None else sessions_in
    treated = np.where(of_sessions, -1, people.episode)
    per_session = sessions_in is not None and collapse.known("format", of_sessions)
    if not per_session:
        per_session = "session_no" in values.numbers and collapse.varies("format", treated, n_episodes) > 0
    own_format = sessions_in is not None and collapse.known("format", ~of_sessions)
    for name in _EPISODES:
        if name in by_row:
            episodes[name] = collapse.commonest(name, people.episode, n_episodes, keys)
        elif collapse.has(name) and not (name == "format" and per_session and not own_format):
            group = treated if name == "format" else people.episode
            episodes[name] = collapse.column(name, group, n_episodes, whole, keys)
    sessions = _sessions(people, values, collapse, per_session, keys, sessions_in)
    return Tables(pd.DataFrame(patients), pd.DataFrame(episodes), sessions, by_row)


def _by_row(
    people: People, values: Values, collapse: _Collapse, varies: tuple[str, ...], keys: dict[str, np.ndarray]
) -> dict[str, Texts]:
    """Therapists and sites that change within an episode: each score keeps the one of its row."""
    found: dict[str, Texts] = {}
    for name, short in (("therapist_id", "therapist"), ("site_id", "site")):
        count = collapse.varies(name, people.episode, len(people.episode_keys))
        if not count or (short == "site" and "site" not in varies):
            continue
        texts = values.texts[name]
        found[name] = Texts(texts.codes, tuple(keys[name])) if name in keys else texts
        detail = (
            f"{collapse.source(name)}: {count} {'person has' if count == 1 else 'people have'} rows of more than one "
            f"{short}; each score keeps that of its row, the person counts to the commonest"
        )
        people.gate.append(
            GateEntry(rule="L12", action="warned", column=collapse.source(name), detail=detail, count=count)
        )
        people.notes.append(detail)
    return found


def _keyed(values: Values, sha256: str) -> dict[str, np.ndarray]:
    """Random keys for the other ids."""
    names = [name for name in _PREFIX if name not in ("patient_id", "episode_id") and name in values.texts]
    return {
        name: draw_keys(len(values.texts[name].values), sha256=sha256, purpose=name, prefix=_PREFIX[name])
        for name in names
    }


def _sessions(
    people: People, values: Values, collapse: _Collapse, per_session: bool, keys: dict[str, np.ndarray],
    sessions_in: BoolArray | None,
) -> pd.DataFrame:  # fmt: skip
    names = [name for name in (*_SESSIONS, *(("format",) if per_session else ())) if collapse.has(name)]
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in ("episode_id", "patient_id")})
    number = values.numbers.get("session_no")
    if number is None:
        for name in names:
            collapse.faults.add(
                f"{collapse.source(name)}: {name} is about a session, but no column numbers the sessions",
                rule="required", column=collapse.source(name), expected="a column 'session_no'",
                hint='Map the number of the session: [columns] session_no = "...".',
            )  # fmt: skip
        return empty.assign(session_no=pd.Series(dtype="float64"))
    here = (people.episode >= 0) & ~np.isnan(number)
    if sessions_in is not None:
        here &= sessions_in
    group = np.full(len(number), -1, dtype=np.int64)
    pairs = pd.DataFrame({"e": people.episode[here], "s": number[here]})
    group[here] = pairs.groupby(["e", "s"], sort=False).ngroup().to_numpy()
    first = pairs.drop_duplicates()
    episode = first["e"].to_numpy()
    table: dict[str, object] = {
        "episode_id": _text(people.episode_keys[episode]),
        "patient_id": _text(people.person_keys[people.episode_person[episode]]),
        "session_no": first["s"].to_numpy(),
    }
    for name in ("day", "week", *names):
        if collapse.has(name):
            table[name] = collapse.column(name, group, len(first), "session", keys)
    return pd.DataFrame(table)


@dataclass(slots=True)
class _Collapse:
    """Takes one value per person, episode or session out of the records."""

    values: Values
    columns: Columns
    faults: Faults

    def has(self, name: str) -> bool:
        return name in self.values.texts or name in self.values.numbers

    def known(self, name: str, where: BoolArray) -> bool:
        """Whether any of some records has a value."""
        return name in self.values.texts and bool((self.values.texts[name].codes[where] >= 0).any())

    def source(self, name: str) -> str:
        own = self.columns.source_of(name)
        return own or next((s[0] for t, s in self.columns.sources.items() if t.name == name), name)

    def _codes(self, name: str) -> tuple[IntArray, object]:
        if name in self.values.texts:
            texts = self.values.texts[name]
            return texts.codes, texts
        codes, levels = pd.factorize(self.values.numbers[name])
        return np.asarray(codes, dtype=np.int64), np.asarray(levels, dtype=float)

    def varies(self, name: str, group: IntArray, size: int) -> int:
        """In how many groups a column has different values."""
        return _first_known(group, size, self._codes(name)[0])[1] if self.has(name) else 0

    def commonest(self, name: str, group: IntArray, size: int, keys: dict[str, np.ndarray]) -> pd.Series:
        """The value most rows of a group have; of several, the one that comes first."""
        texts = self.values.texts[name]
        known = (texts.codes >= 0) & (group >= 0)
        pairs = pd.DataFrame({"group": group[known], "code": texts.codes[known]})
        counts = pairs.groupby(["group", "code"], sort=False).size().reset_index(name="n")
        top = counts.sort_values(["group", "n"], ascending=[True, False], kind="stable").drop_duplicates("group")
        codes = np.full(size, -1, dtype=np.int64)
        codes[top["group"]] = top["code"]
        return Texts(codes, tuple(keys.get(name, texts.values))).to_series()

    def column(self, name: str, group: IntArray, size: int, unit: str, keys: dict[str, np.ndarray]) -> object:
        codes, levels = self._codes(name)
        first, conflicts = _first_known(group, size, codes)
        if conflicts:
            self._refuse(name, conflicts, unit)
        if not isinstance(levels, Texts):
            known: FloatArray = np.append(np.asarray(levels, dtype=float), np.nan)
            return known[first]
        texts = Texts(first, levels.values)
        if name in keys:
            return Texts(first, tuple(keys[name])).to_series()
        if name in CODED:
            return texts.to_categorical(tuple(member.value for member in CODED[name]))
        if name in self.values.labelled:
            return texts.to_categorical(self.values.labelled[name])
        return texts.to_series()

    def _refuse(self, name: str, count: int, unit: str) -> None:
        plural = {"person": "people"}.get(unit, f"{unit}s")
        number = f"1 {unit}" if count == 1 else f"{count} {plural}"
        hint = {
            "person": "If ids start anew in each site or sample, make one id of both columns: [columns] patient_id = "
            '["site", "id"]. If people have several treatments, map episode_id. If they change site: '
            'varies = ["site"].',
            "episode": "Every episode needs an id of its own (episode_id).",
            "session": "Every session needs a number of its own within its episode (session_no).",
        }[unit]
        self.faults.add(
            f"{self.source(name)}: {name} differs between rows of one {unit} for {number} (L12)",
            rule="L12", column=self.source(name), expected=f"one {name} per {unit}", hint=hint,
        )  # fmt: skip


def _first_known(group: IntArray, size: int, codes: IntArray) -> tuple[IntArray, int]:
    """First known code of each group, and how many groups have different ones."""
    known = (codes >= 0) & (group >= 0)
    mine, cells = group[known], codes[known]
    first = np.full(size, -1, dtype=np.int64)
    where, position = np.unique(mine, return_index=True)
    first[where] = cells[position]
    return first, len(np.unique(mine[cells != first[mine]]))


def _text(values: np.ndarray) -> pd.Series:
    return pd.Series(pd.array(values, dtype=pd.StringDtype(na_value=np.nan)))
