"""The long table of scores, out of long and wide sources."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import instruments_with, risk_flags
from ipt_outcomes.io.cohort.cells import FloatArray, IntArray, Texts
from ipt_outcomes.io.cohort.identity import People
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.scores import Scores
from ipt_outcomes.io.cohort.times import Times
from ipt_outcomes.io.cohort.totals import Totals, with_status
from ipt_outcomes.io.cohort.typed import Values

BASELINE = "baseline"
_EXTRA = ("mode", "blinded")

# Columns of the working table: everything numbers, so that a million rows are quick; texts come last.
WORKING = (
    "record", "episode", "instrument", "item", "visit", "session_no", "day", "week", "value", "status", "reason",
    "form",
)  # fmt: skip


class Names:
    """Numbers texts (instruments, visits, reasons), in order of appearance."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the number of a text."""
        return self._place.setdefault(text, len(self._place))

    def numbers(self, texts: Texts) -> IntArray:
        """Return the numbers of a column; -1 where missing."""
        own = np.array([*(self.number(text) for text in texts.values), -1], dtype=np.int64)
        return np.asarray(own[texts.codes], dtype=np.int64)

    def text(self, numbers: IntArray) -> pd.Series:
        """Return the texts of numbers."""
        return Texts(numbers, tuple(self._place)).to_series()

    def __getitem__(self, number: int) -> str:
        return list(self._place)[number]


class Assessments:
    """Collects scores from all kinds of columns into one working table.

    Parameters
    ----------
    people : People
    times : Times
    plan : CohortMapping
        With the user's own facts of instruments.
    """

    def __init__(self, people: People, times: Times, plan: CohortMapping) -> None:
        self.people = people
        self.times = times
        self.plan = plan
        self.instruments, self.visits, self.reasons, self.statuses = Names(), Names(), Names(), Names()
        self.parts: list[pd.DataFrame] = []
        # Items in columns, one array per form; the working table's `form` says which a total was made of.
        self.forms: list[FloatArray] = []
        self.notes: list[str] = []
        self.is_wide = False

    def _part(
        self, totals: Totals, where: IntArray, *, visit: IntArray, week: FloatArray, at_visit: bool
    ) -> pd.DataFrame:
        status = totals.status.take(where)
        size = len(where)
        times = self.times
        form = -1
        if totals.items is not None:
            form = len(self.forms)
            self.forms.append(totals.items)
        return pd.DataFrame(
            {
                "record": where,
                "episode": self.people.episode[where],
                "instrument": np.full(size, self.instruments.number(totals.instrument)),
                "item": np.zeros(size),
                "visit": visit,
                "session_no": times.session_no[where] if at_visit else np.full(size, np.nan),
                "day": times.day[where] if at_visit else np.full(size, np.nan),
                "week": week,
                "value": totals.values[where],
                "status": self.statuses.numbers(status),
                "reason": self.reasons.numbers(totals.reasons.take(where)),
                "form": np.full(size, form),
            },
            copy=False,
        )

    def add_long(self, totals: Totals) -> None:
        """Take a column of scores at the rows' own times.

        Rows at times at which nobody has a score are no visits; where visits have names they were planned, not done.
        """
        here = self.people.episode >= 0
        if totals.own is not None:
            here &= totals.own
        known = ~np.isnan(totals.values)
        planned = self._times_with(known & here) if not known.all() else here
        # Somebody who answered some items, too few for a total, was there.
        told = planned | ~totals.reasons.missing | ~totals.status.missing
        named = ~self.times.visit.missing if len(self.times.visit.values) else np.zeros(len(known), dtype=bool)
        totals.status = with_status(totals.status, ~told & named, "not_done")
        where = np.flatnonzero(here & (told | named))
        visit = self.visits.numbers(self.times.visit)[where]
        self.parts.append(self._part(totals, where, visit=visit, week=self.times.week[where], at_visit=True))

    def _times_with(self, known: np.ndarray) -> np.ndarray:
        """Records at a visit (else session, else week) at which somebody has a score."""
        times = self.times
        if len(times.visit.values):
            keys: np.ndarray = times.visit.codes
        elif not np.isnan(times.session_no).all():
            keys = times.session_no
        else:
            keys = np.floor(times.week + 0.5)
        if np.issubdtype(keys.dtype, np.floating):
            keys = np.where(np.isnan(keys), -1e9, keys)
        return np.isin(keys, np.unique(keys[known]))

    def add_wide(self, totals: Totals, visit: str, week: float) -> None:
        """Take the column of one visit; an empty cell does not say that the visit took place."""
        self.is_wide = True
        here = self.people.episode >= 0
        where = np.flatnonzero(here if totals.own is None else here & totals.own)
        totals.status = with_status(totals.status, np.isnan(totals.values) & totals.status.missing, "not_done")
        size = len(where)
        number = np.full(size, self.visits.number(visit))
        self.parts.append(self._part(totals, where, visit=number, week=np.full(size, week), at_visit=False))

    def add_rows(self, rows: Totals, values: Values) -> None:
        """Take scores that stand in rows of their own, with the name of the instrument beside them."""
        names = values.texts["instrument"]
        item = values.numbers.get("item", np.zeros(len(rows.values)))
        item = np.where(np.isnan(item), 0.0, item)
        here = (self.people.episode >= 0) & ~names.missing
        where = np.flatnonzero(here if rows.own is None else here & rows.own)
        part = self._part(
            rows, where, visit=self.visits.numbers(self.times.visit)[where], week=self.times.week[where], at_visit=True
        )
        part["instrument"] = self.instruments.numbers(names)[where]
        part["item"] = item[where]
        self.parts.append(part)

    def table(self) -> pd.DataFrame:
        """Return the working table of all scores collected."""
        parts = [part for part in self.parts if len(part)]
        if not parts:
            return pd.DataFrame({name: pd.Series(dtype="float64") for name in WORKING})
        return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]

    def finished(self, table: pd.DataFrame, values: Values, by_row: dict[str, Texts]) -> pd.DataFrame:
        """Return the table of the dictionary: texts in place of numbers, items beside totals, in order of the file."""
        if self.forms:
            table = pd.concat([table, *self._item_rows(table)], ignore_index=True)
        place = table["record"].where(table["record"] >= 0, -1)
        order = np.lexsort((table["item"], place, table["week"].fillna(np.inf), table["instrument"], table["episode"]))
        table = table.iloc[order].reset_index(drop=True)
        episode = table["episode"].to_numpy(dtype=np.int64)
        people = self.people
        frame = pd.DataFrame(
            {
                "episode_id": _keys(people.episode_keys, episode),
                "patient_id": _keys(people.person_keys, people.episode_person[episode]),
                "instrument": self.instruments.text(table["instrument"].to_numpy(dtype=np.int64)),
                "item": table["item"].astype(np.int64),
                "visit": self.visits.text(table["visit"].to_numpy(dtype=np.int64)),
                "session_no": table["session_no"].astype(np.float64),
                "day": table["day"].astype(np.float64),
                "week": table["week"].astype(np.float64),
                "value": table["value"].astype(np.float64),
                "value_status": self.statuses.text(table["status"].to_numpy(dtype=np.int64)),
            }
        )
        if (table["reason"] >= 0).any():
            frame["missing_reason"] = self.reasons.text(table["reason"].to_numpy(dtype=np.int64))
        record = table["record"].to_numpy(dtype=np.int64)
        for name, texts in {**values.texts, **by_row}.items():
            if name in _EXTRA or name in by_row:
                codes = np.where(record >= 0, np.append(texts.codes, -1)[record], -1)
                frame[name] = Texts(codes, texts.values).to_series()
        return self._with_risk(frame)

    def _with_risk(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Flag answers about harm to oneself, where there are any."""
        own = instruments_with(self.plan.instruments)
        flags = risk_flags(frame, own) if frame["item"].gt(0).any() else None
        if flags is None or not flags.notna().any():
            return frame
        self.notes.append("answers about harm to oneself are flagged (column risk of the assessments)")
        return frame.assign(risk=flags)

    def _item_rows(self, table: pd.DataFrame) -> list[pd.DataFrame]:
        parts = []
        known = table[(table["form"] >= 0) & (table["record"] >= 0)]
        for place, items in enumerate(self.forms):
            mine = known[known["form"] == place]
            answers = items[mine["record"].to_numpy(dtype=np.int64)]
            where, number = np.nonzero(~np.isnan(answers))
            part = mine.iloc[where].assign(item=number + 1.0, value=answers[where, number])
            part["status"] = self.statuses.number("observed")
            parts.append(part.assign(reason=-1))
        return [part for part in parts if len(part)]


def _keys(keys: np.ndarray, where: IntArray) -> pd.Series:
    return Texts(where, tuple(keys)).to_series()


def add_scores(collected: Assessments, scores: Scores, weeks: dict[str, float], values: Values) -> None:
    """Put every score of a source into the working table; columns of the baseline are put in later."""
    for totals in scores.totals.values():
        collected.add_long(totals)
    for (_, visit), totals in scores.wide.items():
        collected.add_wide(totals, visit, weeks[visit])
    if scores.rows is not None:
        collected.add_rows(scores.rows, values)
