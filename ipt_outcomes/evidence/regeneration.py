"""Published estimates beside what a study table gives: never more is said than can be told of the trials."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ipt_outcomes import effects, meta
from ipt_outcomes.errors import IptError, OptionError, require_known
from ipt_outcomes.evidence.compute import COLUMNS
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.prepare import oriented, prepared
from ipt_outcomes.evidence.published import PublishedEstimate, Rule, published_estimates
from ipt_outcomes.evidence.rows import instrument_rank
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import Provenance, ResultObject, Results, ResultsBuilder, listed, plural
from ipt_outcomes.vocabulary import label, study_arm_of

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies

# One row per trial, as the reviews took the Hamilton scale first.
PRIORITY = ("hdrs", "hrsd", "hamd", "madrs", "bdi")
# Estimates on symptoms are of the end of treatment; relapse is counted later.
_AFTER_TREATMENT = frozenset(("g", "MD"))
CANNOT_TELL = "cannot be told: the part of the paper that was read does not list its trials"
_NUMBERS = (
    "printed", "printed_low", "printed_high", "printed_k", "estimate", "ci_low", "ci_high", "k", "difference",
)  # fmt: skip
_COLUMNS = (
    "id", "paper", "year", "comparison", "subgroup", "measure", "scale", "direction", "printed", "printed_low",
    "printed_high", "printed_k", "table", "estimate", "ci_low", "ci_high", "k", "difference", "inside", "trials",
    "verdict", "rule",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Regeneration(ResultObject):
    """Published estimates, each beside what the tables give.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per published estimate and table with rows for it (one row without a table where none has any):
        ``id paper year comparison subgroup measure scale direction``; ``printed printed_low printed_high
        printed_k``; ``table estimate ci_low ci_high k``, in the printed direction, ratios as ratios;
        ``difference`` (ours minus printed; of ratios, ours over printed); ``inside`` (whether ours lies in the
        printed interval; missing without one); ``trials`` (whether they can be told to be the same);
        ``verdict``; ``rule`` (how ours was pooled).
    nnt : pandas.DataFrame
        ``id printed exact truncated``: printed numbers needed to treat beside Kraemer and Kupfer's for the
        printed effect, exact and with the difference of rates cut to three decimals.
    results : Results
        Every number of both frames.
    provenance : Provenance
    """

    frame: pd.DataFrame
    nnt: pd.DataFrame
    results: Results
    provenance: Provenance = field(default_factory=lambda: Provenance(function="evidence.regenerate"))

    def to_frame(self) -> pd.DataFrame:
        """Return `frame`."""
        return self.frame.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many estimates have something beside them, and what that means."""
        computed = int(self.frame["estimate"].notna().sum())
        known = int(self.frame["trials"].str.startswith("the same").sum())
        return (
            f"{self.frame['id'].nunique()} published estimates; {computed} "
            f"{plural(computed, 'line', 'lines')} computed beside them, {known} on trials known to be the same. "
            "A number near the printed one is no reproduction where the trials cannot be told."
        )


def regenerate(
    tables: Studies | Mapping[str, Studies],
    *,
    only: Sequence[str] = (),
    trials: Mapping[str, Sequence[str]] | None = None,
    convention: Literal["metapsy", "metafor"] = "metapsy",
    priority: Sequence[str] = PRIORITY,
) -> Regeneration:
    """Set published estimates of IPT beside what study tables give.

    Parameters
    ----------
    tables : Studies or mapping of str to Studies
        Study tables; each published estimate is looked for in each of them.
    only : sequence of str
        Ids of the estimates wanted (`ipt_outcomes.evidence.published`); empty: all.
    trials : mapping of str to sequence of str, optional
        Names of the trials that an estimate pooled, where you know them: with them it can be told whether the
        trials are the same, and only these trials of the table are pooled.
    convention : {"metapsy", "metafor"}
        Formulas of g.
    priority : sequence of str
        Instruments for the one row per trial.

    Returns
    -------
    Regeneration

    Raises
    ------
    OptionError
        An id is not known, or there is no table.

    Notes
    -----
    Each estimate has its own rule: treatments, years, estimator of the between-study variance. Numbers that agree
    on trials that cannot be told to be the same may agree by chance: the verdict says so.
    """
    given = dict(tables) if isinstance(tables, Mapping) else {"the table": tables}
    if not given:
        raise OptionError("tables is empty: give one study table, or several by name")
    known = published_estimates()
    lists = {name: tuple(names) for name, names in (trials or {}).items()}
    require_known("there is no published estimate", [*only, *lists], list(known))
    chosen = [known[name] for name in only] if only else list(known.values())
    chosen = [replace(one, trials=lists.get(one.id, one.trials)) for one in chosen]
    settings = Options(convention=convention, priority=tuple(priority), grid=False, by=None)
    frame = pd.DataFrame([line for one in chosen for line in _lines(one, given, settings)], columns=list(_COLUMNS))
    needed = pd.DataFrame([_needed(one) for one in chosen if one.nnt is not None and one.scale == "g"])
    needed = needed.reindex(columns=["id", "printed", "exact", "truncated"])
    return Regeneration(
        frame=frame,
        nnt=needed,
        results=_results(frame, needed),
        provenance=Provenance(
            function="evidence.regenerate", options={"convention": convention, "priority": list(priority)}
        ),
    )


def _lines(one: PublishedEstimate, tables: Mapping[str, Studies], settings: Options) -> list[dict[str, Any]]:
    """A line per table with rows for the estimate; one that says why not where there is none."""
    base = _printed(one)
    if one.rule is None:
        why = one.why_not or "no rule says which rows of a study table it is about"
        return [{**base, "trials": _same_trials(one, None), "verdict": f"not computed: {why}", "rule": ""}]
    lines = []
    for name, table in tables.items():
        try:
            pooled, studies = _pooled(one, table, settings)
        except IptError:
            # The table has other columns, or nothing that this estimate is about.
            continue
        if pooled is not None:
            lines.append({**base, "table": name, **_beside(one, pooled, studies), "rule": _rule_words(one, settings)})
    if lines:
        return lines
    return [
        {**base, "trials": _same_trials(one, None), "verdict": "not computed: no table has rows for it", "rule": ""}
    ]


def _printed(one: PublishedEstimate) -> dict[str, Any]:
    names = ("id", "paper", "year", "comparison", "subgroup", "measure", "scale", "direction")
    return {name: getattr(one, name) for name in names} | {
        "printed": one.estimate,
        "printed_low": one.ci_low,
        "printed_high": one.ci_high,
        "printed_k": one.k,
        "table": "",
    }


def _pooled(one: PublishedEstimate, table: Studies, settings: Options) -> tuple[PooledEffect | None, tuple[str, ...]]:
    """Pool what the table has for an estimate, one row per trial; None where it has nothing."""
    rule = one.rule
    if rule is None or not {"condition_arm1", "condition_arm2"} <= set(table.comparisons.columns):
        return None, ()
    turned = oriented(table, rule.treatment)
    mask = _concerned(turned.comparisons, rule, after_treatment=one.scale in _AFTER_TREATMENT)
    if one.trials:
        wanted = {plain_name(name) for name in one.trials}
        mask &= turned.comparisons["study"].map(plain_name).isin(wanted)
    if not mask.any():
        return None, ()
    part = replace(turned, comparisons=turned.comparisons[mask].reset_index(drop=True))
    if one.scale == "MD":
        return _mean_difference(part, rule, settings)
    options = replace(settings, towards=rule.treatment, tau2=rule.tau2, test=rule.test)
    if "instrument" not in part.comparisons or part.comparisons["instrument"].isna().all():
        options = replace(options, priority=())
    found, _ = prepared(part, one.scale, options)
    rows = found.rows[~found.rows["study"].astype(str).duplicated()]
    sizes = replace(
        found.effects, yi=rows["yi"].to_numpy(float), vi=rows["vi"].to_numpy(float), flags=("",) * len(rows)
    )
    return meta.pool(sizes, tau2=rule.tau2, test=rule.test), tuple(rows["study"].astype(str))


def _concerned(rows: pd.DataFrame, rule: Rule, *, after_treatment: bool) -> pd.Series:
    """Rows of the arms, years, times, populations and kinds of outcome that an estimate is about."""
    first, second = (rows[f"condition_arm{arm}"].map(lambda text: str(study_arm_of(text))) for arm in (1, 2))
    mask = (first == rule.treatment) & second.isin(rule.against)
    if rule.until is not None:
        if "year" not in rows:
            return mask & False
        mask &= pd.to_numeric(rows["year"], errors="coerce") <= rule.until
    if after_treatment and "time" in rows:
        # Symptoms right after treatment, not at follow-up; a table that does not tell is taken as it is.
        mask &= rows["time"].isna() | (rows["time"].astype(str).str.strip().str.casefold() == "post")
    for column in ("population", "disorder"):
        if rule.populations and column in rows:
            mask &= rows[column].isna() | _holds(rows[column], rule.populations)
    if rule.outcomes:
        if "outcome_type" not in rows:
            return mask & False
        mask &= _holds(rows["outcome_type"], rule.outcomes)
    return mask


def _holds(values: pd.Series, words: tuple[str, ...]) -> pd.Series:
    """Which texts hold one of the words; an empty cell holds none."""
    texts = values.astype(object).where(values.notna(), "")
    return texts.map(lambda text: any(word in str(text).casefold() for word in words)).astype(bool)


def _mean_difference(table: Studies, rule: Rule, settings: Options) -> tuple[PooledEffect | None, tuple[str, ...]]:
    """Pool raw differences, arm 1 minus arm 2, on one instrument."""
    rows = table.comparisons
    columns = list(COLUMNS["means"])
    if not {"instrument", *columns} <= set(rows.columns):
        return None, ()
    rank = rows["instrument"].map(lambda name: instrument_rank(name, rule.instruments))
    usable = rows[columns].notna().all(axis=1) & (rank < len(rule.instruments))
    part = rows[usable].assign(rank=rank[usable]).sort_values("rank", kind="stable")
    part = part[~part["study"].astype(str).duplicated()].sort_index()
    if part.empty:
        return None, ()
    sizes = effects.mean_difference(*(part[name].to_numpy(float) for name in columns))
    return meta.pool(sizes, tau2=rule.tau2, test=rule.test), tuple(part["study"].astype(str))


def _beside(one: PublishedEstimate, pooled: PooledEffect, studies: tuple[str, ...]) -> dict[str, Any]:
    """Our numbers in the printed direction, and what may be said of them."""
    sign = one.rule.sign if one.rule is not None else 1
    ends = sorted(sign * limit for limit in (pooled.ci_low, pooled.ci_high))
    numbers = [sign * pooled.estimate, *ends]
    if one.scale in {"OR", "RR"}:
        numbers = [math.exp(value) for value in numbers]
    estimate, low, high = numbers
    ratio = one.scale in {"OR", "RR"}
    difference = estimate / one.estimate if ratio else estimate - one.estimate
    inside = None
    if one.ci_low is not None and one.ci_high is not None:
        inside = one.ci_low <= estimate <= one.ci_high
    same = _same_trials(one, studies)
    return {
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "k": pooled.k,
        "difference": difference,
        "inside": inside,
        "trials": same,
        "verdict": _verdict(one, estimate, same),
    }


def _same_trials(one: PublishedEstimate, studies: tuple[str, ...] | None) -> str:
    """Whether the trials can be told to be the same, in words."""
    if not one.trials:
        return CANNOT_TELL
    if studies is None:
        return "not compared"
    theirs, ours = {plain_name(name): name for name in one.trials}, {plain_name(name) for name in studies}
    missing = [name for key, name in theirs.items() if key not in ours]
    if missing:
        return f"{len(theirs) - len(missing)} of {len(theirs)} trials are in the table; not in it: {listed(missing)}"
    return "the same trials" if len(theirs) > 1 else "the same trial"


def _verdict(one: PublishedEstimate, estimate: float, same: str) -> str:
    """What a number beside a printed one means; agreement is claimed only on trials known to be the same."""
    if same == CANNOT_TELL:
        words = "beside it, not a reproduction: the trials cannot be told to be the same"
        return words if one.k is None else f"{words} (the paper has k = {one.k})"
    if not same.startswith("the same"):
        return "not comparable: trials of the paper are not in the table"
    agrees = abs(estimate - one.estimate) <= 0.5 * 10.0**-one.decimals + 1e-12
    return f"{same}, {'the printed number' if agrees else 'another number than printed'}"


def _rule_words(one: PublishedEstimate, settings: Options) -> str:
    rule = one.rule
    if rule is None:
        return ""
    until = "" if rule.until is None else f", published to {rule.until}"
    against = listed([label(name) for name in rule.against], "or")
    which = rule.instruments or settings.priority
    row = f"one row per trial ({', then '.join(which)} first)" if which else "one row per trial"
    turned = "; sign turned to the printed one" if rule.sign < 0 else ""
    at = ", after treatment" if one.scale in _AFTER_TREATMENT else ""
    return f"{label(rule.treatment)} against {against}{until}{at}; {row}; tau2 {rule.tau2}, {rule.test}{turned}"


def _needed(one: PublishedEstimate) -> dict[str, Any]:
    benefit = abs(float(effects.nnt_from_smd(abs(one.estimate), method="kraemer-kupfer").benefit[0]))
    cut = math.floor(benefit * 1000) / 1000
    return {"id": one.id, "printed": one.nnt, "exact": 1 / benefit, "truncated": 1 / cut if cut else math.inf}


def _results(frame: pd.DataFrame, needed: pd.DataFrame) -> Results:
    """Analyses: ``regeneration`` (groups ``id table``), ``published_nnt`` (group ``id``)."""
    builder = ResultsBuilder()
    for record in frame.to_dict("records"):
        groups = {"id": str(record["id"]), "table": str(record["table"])}
        for name in _NUMBERS:
            value = record.get(name)
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            unit = "studies" if name in {"k", "printed_k"} else str(record["scale"])
            number = None if missing else int(value) if unit == "studies" else float(value)  # type: ignore[arg-type]
            method = str(record["paper"]) if name.startswith("printed") else str(record["rule"])
            builder.add("regeneration", name, number, unit=unit, method=method, groups=groups)
    for record in needed.to_dict("records"):
        for name in ("printed", "exact", "truncated"):
            builder.add(
                "published_nnt",
                name,
                record[name],
                unit="number needed to treat",
                method="Kraemer and Kupfer (2006) for the printed effect",
                groups={"id": str(record["id"])},
            )
    return builder.build()


def plain_name(name: object) -> str:
    """A trial's name without blanks, stops and letter case."""
    return re.sub(r"[\W_]+", "", str(name).casefold())
