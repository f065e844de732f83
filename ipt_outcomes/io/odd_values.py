"""Values that look wrong in a study table without being impossible: reported, never changed."""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
import pandas as pd

from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.io.suspicion import Suspicion, bounded, key, name_of, names_of, rows_of, sized
from ipt_outcomes.results import format_number

# Characters that do not print or turn the direction of writing; line breaks and tabs are common and harmless.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)

# A trial that says of itself that clusters, not people, were randomised.
_CLUSTERS = re.compile(r"cluster[- ]?(?:randomi[sz]|controlled|RCT|trial)", re.IGNORECASE)


def cluster_trials(frame: pd.DataFrame) -> list[Suspicion]:
    """Find trials that randomised clusters: their printed numbers may take people for the unit.

    Rule: a text of the row (its reference, a description, a note) says cluster-randomised, cluster controlled,
    cluster RCT or cluster trial.
    """
    said = np.zeros(len(frame), dtype=bool)
    columns = []
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name].dtype):
            continue
        hit = frame[name].map(lambda text: isinstance(text, str) and _CLUSTERS.search(text) is not None)
        if hit.any():
            said |= hit.to_numpy(dtype=bool)
            columns.append(str(name))
    found = []
    for _, rows in frame[said].groupby("study", sort=False):
        message = (
            f"{name_of(rows.iloc[0])}: randomised clusters: unless its numbers allow for them, its standard error is "
            f"too small (adjust_for_clusters, with a stated intraclass correlation): {rows_in_words(rows_of(rows))}"
        )
        found.append(
            Suspicion(
                kind="cluster", message=message, studies=names_of(rows), rows=rows_of(rows), columns=tuple(columns)
            )
        )
    return bounded("cluster", found, "randomised clusters: their standard errors may be too small")


def standard_errors_as_sds(frame: pd.DataFrame) -> list[Suspicion]:
    """Find standard errors typed in the columns of SDs.

    Rule: both SDs of the row are below 0.4 of the usual SD (the median over the other studies with the same
    instrument; over all other studies where the table names no instrument; at least two of them), and both
    multiplied by the root of n are within 0.6 to 1.8 times that usual SD.
    """
    needed = ["sd_arm1", "sd_arm2", "n_arm1", "n_arm2"]
    if not set(needed) <= set(frame.columns):
        return []
    table = frame.dropna(subset=needed)
    sds = table[["sd_arm1", "sd_arm2"]].to_numpy()
    grown = sds * np.sqrt(table[["n_arm1", "n_arm2"]].to_numpy())
    size = np.sqrt(sds.prod(axis=1))
    study = table["study"].map(key).to_numpy(dtype=object)
    measure = table["instrument"].map(key) if "instrument" in table else pd.Series("", index=table.index)
    found = []
    for members in table.groupby(measure, sort=False).indices.values():
        by_study = pd.Series(size[members]).groupby(study[members]).median()
        names, medians = by_study.index.to_numpy(dtype=object), by_study.to_numpy()
        for position in members:
            others = medians[names != study[position]]
            if others.size < 2:
                continue
            usual = float(np.median(others))
            low, high = grown[position].min(), grown[position].max()
            if sds[position].max() < 0.4 * usual and 0.6 * usual <= low and high <= 1.8 * usual:
                found.append(_se_message(table.iloc[position]))
    return bounded("se_as_sd", found, "have SDs that are possibly standard errors")


def _se_message(row: pd.Series) -> Suspicion:
    sds = [float(row["sd_arm1"]), float(row["sd_arm2"])]
    fits = [sd * float(n) ** 0.5 for sd, n in zip(sds, (row["n_arm1"], row["n_arm2"]), strict=True)]
    message = (
        f"{name_of(row)}: SDs {format_number(sds[0])} and {format_number(sds[1])} are far below "
        f"the other studies' on the same measure and SD*sqrt(n) fits "
        f"({format_number(fits[0])}, {format_number(fits[1])}): possibly standard errors"
    )
    return Suspicion(
        kind="se_as_sd",
        message=message,
        studies=(name_of(row),),
        rows=(int(row["row"]),),
        columns=("sd_arm1", "sd_arm2"),
    )


def signs(frame: pd.DataFrame) -> list[Suspicion]:
    """Find effects whose sign contradicts the means of their row.

    Rule: positive must favour arm 1; rows with change scores are passed over (their effect may rest on those);
    lower means are taken as better unless ``better`` says "higher". Effects
    nearer to 0 than 0.01 are passed over. Where at least four rows can be compared and 80% contradict, the
    whole table runs the other way and gets one message.
    """
    if not {"mean_arm1", "mean_arm2"} <= set(frame.columns):
        return []
    higher = (frame["better"] == "higher").to_numpy() if "better" in frame else np.zeros(len(frame), dtype=bool)
    favours = np.where(higher, -1.0, 1.0) * (frame["mean_arm2"] - frame["mean_arm1"]).to_numpy()
    if "mean_change_arm1" in frame:
        favours[frame["mean_change_arm1"].notna().to_numpy()] = np.nan
    found: list[Suspicion] = []
    for column in (".g", "precalc_g"):
        if column not in frame:
            continue
        effect = frame[column].to_numpy()
        if column == ".g" and "precalc_g" in frame:
            # The databank's effect of such a row is the printed one: it is named once.
            effect = np.where(frame["precalc_g"].notna(), np.nan, effect)
        compared = (np.abs(effect) >= 0.01) & (favours != 0) & ~np.isnan(favours)
        against = frame[compared & (effect * favours < 0)]
        if compared.sum() >= 4 and len(against) >= 0.8 * compared.sum():
            found.append(_reversed_file(against, column, int(compared.sum())))
        else:
            one_by_one = [_sign_message(rows, column) for _, rows in against.groupby("study", sort=False)]
            found += bounded("sign", one_by_one, f"have a {column} whose sign is opposite to their means")
    return found


def _reversed_file(against: pd.DataFrame, column: str, compared: int) -> Suspicion:
    message = (
        f"the whole table is reversed: in {len(against)} of {compared} rows with means the sign of {column} "
        f"says the opposite of the means{_assumption(against)}. Elsewhere positive favours arm 1"
    )
    return Suspicion(kind="sign", message=message, studies=names_of(against), rows=rows_of(against), columns=(column,))


def _sign_message(rows: pd.DataFrame, column: str) -> Suspicion:
    first = rows.iloc[0]
    message = (
        f"{name_of(first)}: the sign of {column} ({sized(first[column])}) is opposite to the means "
        f"({sized(first['mean_arm1'])} in arm 1, {sized(first['mean_arm2'])} in arm 2)"
        f"{_assumption(rows)}: {rows_in_words(rows_of(rows))}"
    )
    return Suspicion(kind="sign", message=message, studies=(name_of(first),), rows=rows_of(rows), columns=(column,))


def _assumption(rows: pd.DataFrame) -> str:
    known = "better" in rows and rows["better"].notna().all()
    return "" if known else " if lower scores are better"


def invisible_characters(frame: pd.DataFrame) -> list[Suspicion]:
    """Find text with characters that do not print; one message for the table."""
    hits: dict[str, list[int]] = {}
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            mask = frame[column].map(lambda cell: isinstance(cell, str) and bool(_INVISIBLE.search(cell))).astype(bool)
            if mask.any():
                hits[str(column)] = [int(row) for row in frame.loc[mask, "row"]]
    if not hits:
        return []
    rows = sorted(set(chain.from_iterable(hits.values())))
    studies = names_of(frame[frame["row"].isin(rows)])
    where = f"{', '.join(hits)}: {rows_in_words(rows)}"
    message = f"characters that do not print in {where}; kept, and shown as a replacement mark"
    return [
        Suspicion(
            kind="invisible_characters",
            message=message,
            studies=studies,
            rows=tuple(rows),
            columns=tuple(hits),
        )
    ]


_WHOLE = (
    ("mean_arm1", "sd_arm1", "n_arm1"), ("mean_change_arm1", "sd_change_arm1", "n_change_arm1"),
    ("event_arm1", "totaln_arm1"), ("precalc_g", "precalc_g_se"), ("precalc_log_rr", "precalc_log_rr_se"),
    (".g", ".g_se"), (".log_rr", ".log_rr_se"),
)  # fmt: skip


# Headings of other software for an effect and its standard error or variance.
_UNMEASURED = (("yi", "sei"), ("te", "sete"), ("yi", "vi"))


def _unmeasured(effect: str, error: str) -> str:
    start = f"{effect} and {error} are there, but not what they measure: "
    if error.casefold() == "vi":
        return (
            f'{start}if it is Hedges\' g and its variance, rename them "g" and "v"; otherwise add a column with the '
            f'square root of {error} and map that: [columns] ".log_rr" = "{effect}" and ".log_rr_se" = your column'
        )
    return (
        f'{start}map them, [columns] ".g" = "{effect}" and ".g_se" = "{error}" if it is Hedges\' g, or '
        f'".log_rr" and ".log_rr_se" if it is the log risk ratio'
    )


def nothing_to_pool(frame: pd.DataFrame) -> list[Suspicion]:
    """Say so where no set of columns could give an effect."""
    if any(set(columns) <= set(frame.columns) for columns in _WHOLE):
        return []
    lower = {str(column).casefold(): str(column) for column in frame.columns}
    for effect, error in _UNMEASURED:
        if {effect, error} <= set(lower):
            return [Suspicion(kind="no_effect", message=_unmeasured(lower[effect], lower[error]))]
    sets = "; ".join(", ".join(columns) for columns in _WHOLE)
    message = f"no columns that give an effect: one of these sets is needed (and the same for arm 2): {sets}"
    return [Suspicion(kind="no_effect", message=message)]
