"""Which table of the dictionary a file of a folder is: by its name, then by what stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.io.cohort.dictionary import TABLES, in_table, target_of
from ipt_outcomes.io.propose.draft import Draft
from ipt_outcomes.io.propose.words import folded, lexicon

Table = Literal["patients", "episodes", "sessions", "assessments"]
_OF_A_SESSION = frozenset(
    ("attended", "phase", "minutes", "techniques", "adherence_score", "competence_score", "alliance_score", "rater")
)
_OF_A_SCORE = frozenset(("value", "instrument"))
_SCORES = ("total", "item", "baseline")


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a file fits a table.

    Parameters
    ----------
    table : str
    points : int
        More is better.
    why : str
    """

    table: Table
    points: int
    why: str


def fits_of(draft: Draft, stem: str) -> list[Fit]:
    """Return the tables a file may be, the likeliest first.

    Parameters
    ----------
    draft : Draft
    stem : str
        Name of the file (or resource) without its ending.

    Returns
    -------
    list of Fit
    """
    found = dict.fromkeys(TABLES, 0)
    why: dict[str, list[str]] = {table: [] for table in TABLES}
    named = _by_name(stem)
    if named is not None:
        found[named] += 2
        why[named].append("by its name")
    for table, points, told in _by_content(draft):
        found[table] += points
        why[table].append(told)
    fits = [Fit(table, found[table], " and ".join(why[table])) for table in _ORDER if found[table]]
    return sorted(fits, key=lambda fit: -fit.points)


_ORDER: tuple[Table, ...] = ("assessments", "sessions", "episodes", "patients")


def _by_name(stem: str) -> Table | None:
    name = folded(stem)
    found: tuple[int, Table] | None = None
    for table in _ORDER:
        for word in lexicon()["tables"][table]:
            if word in name and (found is None or len(word) > found[0]):
                found = (len(word), table)
    return None if found is None else found[1]


def _by_content(draft: Draft) -> list[tuple[Table, int, str]]:
    lines = draft.lines.values()
    names = {line.name for line in lines if line.part in ("columns", "dates")}
    targets = [target_of(line.name) for line in lines if line.part == "columns"]
    has_scores = any(line.part in ("wide", "wide_items", "baseline") for line in lines) or any(
        target is not None and target.kind in _SCORES for target in targets
    )
    found: list[tuple[Table, int, str]] = []
    if names & _OF_A_SESSION and not draft.is_wide:
        found.append(("sessions", 3, "by its columns of sessions"))
    if has_scores or names >= _OF_A_SCORE:
        found.append(("assessments", 3, "by its scores"))
    if not draft.is_wide:
        return found
    of_episode = names & (set(in_table("episodes")) - set(in_table("patients")) - {"patient_id", "therapist_id"})
    of_person = names & (set(in_table("patients")) - {"patient_id", "study_id", "site_id"})
    if of_episode:
        found.append(("episodes", 1 + ("episode_id" in names), "by its columns of episodes"))
    if of_person and "episode_id" not in names:
        found.append(("patients", 1 + (len(of_person) > len(of_episode)), "by its columns about persons"))
    return found
