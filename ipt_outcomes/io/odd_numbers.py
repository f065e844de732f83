"""Numbers that no trial of psychotherapy finds: missing codes, totals among the studies, slips of the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.io.suspicion import Suspicion, bounded, key, name_of, names_of, rows_of, sized
from ipt_outcomes.results import Style, format_number

LARGEST_EFFECT = 4.0
LARGEST_GAP = 1.0
LARGEST_N = 100_000
# True ones exist: large databanks have several, and they must not bury the other warnings.
_LARGE_EFFECTS_NAMED = 3

_CODES = (-9.0, -99.0, -999.0, -9999.0, 999.0, 9999.0)
_MEASURED = ("mean", "sd", "n", "mean_change", "sd_change", "n_change", "baseline_m", "baseline_sd", "baseline_n")
_COUNTED = ("event", "totaln")
_SUMS = frozenset(
    {
        "total",
        "totals",
        "grandtotal",
        "subtotal",
        "sum",
        "overall",
        "pooled",
        "summary",
        "allstudies",
        "average",
        "mean",
    }
)


def _in_arms(frame: pd.DataFrame, stems: Iterable[str]) -> list[str]:
    return [name for stem in stems for arm in "12" if (name := f"{stem}_arm{arm}") in frame]


def _whole(values: pd.Series) -> pd.Series:
    return values.notna() & (values % 1 == 0)


def _cells(
    frame: pd.DataFrame, columns: Iterable[str], is_bad: Callable[[str], pd.Series], style: Style
) -> tuple[list[list[str]], tuple[str, ...]]:
    """Say of each row which cells are bad, and in which columns there are any."""
    said: list[list[str]] = [[] for _ in range(len(frame))]
    hit = []
    for column in columns:
        places = np.flatnonzero(np.asarray(is_bad(column), dtype=bool))
        for place in places:
            said[int(place)].append(f"{column} is {format_number(frame[column].iloc[int(place)], style)}")
        hit += [column] if len(places) else []
    return said, tuple(hit)


def _one_by_one(
    kind: str, frame: pd.DataFrame, said: list[list[str]], columns: tuple[str, ...], end: str, *, begin: str = ""
) -> list[Suspicion]:
    """Make a message per study of what is said of its rows."""
    at = np.array([bool(words) for words in said], dtype=bool)
    found = []
    for _, positions in frame.assign(position=np.arange(len(frame)))[at].groupby("study", sort=False)["position"]:
        rows = frame.iloc[positions.to_numpy()]
        words = dict.fromkeys(word for position in positions for word in said[position])
        listed = ", ".join(list(words)[:4]) + (" and more" if len(words) > 4 else "")
        message = f"{name_of(rows.iloc[0])}: {begin}{listed}{end}: {rows_in_words(rows_of(rows))}"
        found.append(Suspicion(kind=kind, message=message, studies=names_of(rows), rows=rows_of(rows), columns=columns))
    return found


def missing_codes(frame: pd.DataFrame) -> list[Suspicion]:
    """Find codes for a missing value that were read as numbers.

    Rule: a mean, SD, number of participants or count is exactly -9, -99, -999, -9999, 999 or 9999; -9 counts
    only outside of change scores, in a column without other values below 0.
    """

    def is_code(column: str) -> pd.Series:
        values = frame[column]
        bad = values.isin(_CODES)
        if "change" in column or ((values < 0) & ~values.isin(_CODES)).any():
            bad &= values != -9
        return bad

    columns = _in_arms(frame, (*_MEASURED, *_COUNTED))
    said, hit = _cells(frame, columns, is_code, "integer")
    found = _one_by_one("missing_code", frame, said, hit, ", a usual code for a missing value")
    return bounded("missing_code", found, "hold numbers that are usual codes for a missing value")


def _own_effect(frame: pd.DataFrame) -> np.ndarray:
    """Difference of the row's means over its pooled SD, lower means better; NaN where it cannot be told."""
    needed = ["mean_arm1", "sd_arm1", "n_arm1", "mean_arm2", "sd_arm2", "n_arm2"]
    if not set(needed) <= set(frame.columns):
        return np.full(len(frame), np.nan)
    mean1, sd1, n1, mean2, sd2, n2 = (frame[name].to_numpy(dtype=float) for name in needed)
    with np.errstate(all="ignore"):
        pooled = np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))
        effect = (mean2 - mean1) / pooled
    return np.where(np.isfinite(effect), effect, np.nan)


def effects_out_of_line(frame: pd.DataFrame, told: Iterable[Suspicion] = ()) -> list[Suspicion]:
    """Find effects larger than trials find, and printed effects far from the means beside them.

    Rule 1: the difference of the means over the pooled SD (else ``precalc_g``, else ``.g``) is beyond 4 in
    either direction. Rule 2: the sizes of ``precalc_g`` and of the effect of the row's means differ by more
    than 1; signs are compared by `odd_values.signs`, and rows with change scores are passed over.

    Parameters
    ----------
    frame : pandas.DataFrame
        Comparisons, typed.
    told : iterable of Suspicion
        What was seen already: a row whose SDs or means are doubted is not named again for its effect.

    Returns
    -------
    list of Suspicion
    """
    known = {(study.strip(), row) for one in told for study in one.studies for row in one.rows}
    new = np.array([(str(s).strip(), int(r)) not in known for s, r in zip(frame["study"], frame["row"], strict=True)])
    own = _own_effect(frame)
    nothing = np.full(len(frame), np.nan)
    printed = frame["precalc_g"].to_numpy(dtype=float) if "precalc_g" in frame else nothing
    given = frame[".g"].to_numpy(dtype=float) if ".g" in frame else nothing
    effect = np.where(~np.isnan(own), own, np.where(~np.isnan(printed), printed, given))
    large = new & (np.abs(effect) > LARGEST_EFFECT)
    said = [[sized(abs(x))] if bad else [] for x, bad in zip(effect, large, strict=True)]
    begin, end = "an effect of ", " standard deviations is larger than psychotherapy trials find"
    words = f"have effects beyond {LARGEST_EFFECT:g} standard deviations, larger than psychotherapy trials find"
    one_by_one = _one_by_one("large_effect", frame, said, (), end, begin=begin)
    found = bounded("large_effect", one_by_one, words, most=_LARGE_EFFECTS_NAMED)
    apart = new & (np.abs(np.abs(printed) - np.abs(own)) > LARGEST_GAP)
    if "mean_change_arm1" in frame:
        apart &= frame["mean_change_arm1"].isna().to_numpy()
    said = [
        [f"precalc_g is {sized(a)}, the means give {sized(b)}"] if bad else []
        for a, b, bad in zip(printed, own, apart, strict=True)
    ]
    differ = _one_by_one("effect_differs", frame, said, ("precalc_g",), "")
    return [
        *found,
        *bounded("effect_differs", differ, "have a precalc_g more than 1 away from the effect of their means"),
    ]


def total_rows(frame: pd.DataFrame) -> list[Suspicion]:
    """Find rows that are no study but a sum of the studies.

    Rule: the study's whole name is total, subtotal, sum, overall, pooled, summary, all studies, average or
    mean; or, in tables of three rows or more, the row's events and totals (or both numbers of participants)
    are the sums of those columns over all other rows.
    """
    named = frame["study"].map(key).isin(_SUMS).to_numpy(dtype=bool)
    sums = np.zeros(len(frame), dtype=bool)
    for columns in (("event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2"), ("n_arm1", "n_arm2")):
        if set(columns) <= set(frame.columns):
            counts = frame[list(columns)]
            full = counts.notna().all(axis=1).to_numpy(dtype=bool)
            if full.sum() >= 3:
                equal = np.isclose(2 * counts.to_numpy(), counts[full].sum().to_numpy(), rtol=1e-9, atol=0)
                sums |= full & equal.all(axis=1)
    found = []
    for mask, why in ((named & ~sums, "by its name"), (sums, "its counts are the sums of all other rows")):
        for position in np.flatnonzero(mask):
            row = frame.iloc[[int(position)]]
            message = f"{name_of(row.iloc[0])}: possibly no study but a total ({why}): {rows_in_words(rows_of(row))}"
            found.append(Suspicion(kind="total_row", message=message, studies=names_of(row), rows=rows_of(row)))
    return bounded("total_row", found, "are possibly no studies but totals")


def fractional_events(frame: pd.DataFrame) -> list[Suspicion]:
    """Find proportions and percentages typed as numbers of events.

    Rule: the events of an arm are no whole number while its total is one.
    """
    columns = [name for name in _in_arms(frame, ("event",)) if name.replace("event", "totaln") in frame]

    def is_share(column: str) -> pd.Series:
        return frame[column].notna() & ~_whole(frame[column]) & _whole(frame[column.replace("event", "totaln")])

    said, _ = _cells(frame, columns, is_share, "decimal2")
    end = ", no whole number though the total is: possibly a proportion or percentage"
    found = _one_by_one("fractional_events", frame, said, ("event_arm1", "event_arm2"), end)
    return bounded(
        "fractional_events", found, "have events that are no whole numbers: possibly proportions or percentages"
    )


def large_samples(frame: pd.DataFrame) -> list[Suspicion]:
    """Find numbers of participants no trial has.

    Rule: the participants of an arm, or its total, are above 100,000.
    """
    columns = _in_arms(frame, ("n", "n_change", "baseline_n", "totaln"))
    said, hit = _cells(frame, columns, lambda column: frame[column] > LARGEST_N, "integer")
    found = _one_by_one("large_n", frame, said, hit, ", more than any trial of psychotherapy has")
    return bounded("large_n", found, "have more participants than any trial of psychotherapy")
