"""Instruments out of the files of the data dictionary: facts, rules for items, names."""

from __future__ import annotations

from typing import Any

from ipt_outcomes.instruments.facts import Band, RiskItem, Subscale
from ipt_outcomes.instruments.instrument import Instrument

_FORM_ORDER = {"ask": None, "form": True, "turned": False}


def outcome_measure(
    name: str, raw: dict[str, Any], rules: dict[str, Any], sources: dict[str, str], spellings: dict[str, Any]
) -> Instrument:
    """Make an instrument.

    Parameters
    ----------
    name : str
    raw : dict
        Its entry in ``instruments.yaml``.
    rules : dict
        Its entry in ``instrument_scoring.toml``; it goes before `raw`.
    sources : dict of str to str
        Key of a source and the source in words.
    spellings : dict
        ``instrument_names.toml``.

    Returns
    -------
    Instrument
    """
    return Instrument(
        name=name,
        short=spellings["short"][name],
        title=raw["name"],
        construct=raw["construct"],
        rater=raw["rater"],
        better="lower" if raw["direction"] == "higher_worse" else "higher",
        minimum=_number(raw.get("total_min")),
        maximum=_number(raw.get("total_max")),
        n_items=raw.get("n_items"),
        item_min=_number(raw.get("item_min")),
        item_max=_number(raw.get("item_max")),
        alpha=_number(raw.get("alpha")),
        retest=_number(raw.get("retest")),
        window_days=raw.get("window_days"),
        licence=raw.get("licence"),
        note=raw.get("scoring_note") or raw.get("note") or raw.get("item_note"),
        sources=tuple(sources[key] for key in raw["sources"]),
        unverified=tuple(_statement(entry) for entry in raw.get("unverified", ())),
        conflicts=tuple(_statement(entry) for entry in raw.get("conflicts", ())),
        aliases=(*raw.get("aliases", ()), *spellings["aliases"].get(name, ())),
        **_cuts(raw),
        **_rules(raw, rules),
    )


def process_measure(name: str, raw: dict[str, Any]) -> Instrument:
    """Make a measure of process, of which no cut-off and no good end is known.

    Parameters
    ----------
    name : str
    raw : dict
        Its entry in ``instrument_names.toml``.

    Returns
    -------
    Instrument
    """
    return Instrument(
        name=name,
        short=raw["name"],
        title=raw["name"],
        construct=raw["construct"],
        rater=raw["rater"],
        better=None,
        kind="process",
        minimum=_number(raw.get("minimum")),
        unverified=("range", "which end is the good one"),
        aliases=tuple(raw["aliases"]),
    )


def _cuts(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "bands": tuple(Band(label=b["label"], minimum=b["min"], maximum=b["max"]) for b in raw.get("bands", ())),
        "caseness_min": _number(raw.get("caseness_min")),
        "caseness_max": _number(raw.get("caseness_max")),
        "caseness_alternatives": tuple(float(cut) for cut in raw.get("caseness_alternatives", ())),
        "remission_max": _number(raw.get("remission_max")),
        "remission_alternatives": tuple(raw.get("remission_alternatives", ())),
        "response_pct": _number(raw.get("response_pct")),
        "response_base_min": _number(raw.get("response_base_min")),
        "reliable_change": _number(raw.get("reliable_change")),
        "reliable_change_system": raw.get("reliable_change_system"),
        "objective_drop": _number(raw.get("objective_drop")),
        "minimal_difference": _number(raw.get("mcid_points")),
        "minimal_difference_pct": _number(raw.get("mcid_pct")),
        "functional_mean": _number(raw.get("functional_mean", raw.get("norm_mean"))),
        "functional_sd": _number(raw.get("functional_sd", raw.get("norm_sd"))),
    }


def _rules(raw: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    domains = raw.get("scoring", {}).get("domains", ())
    missing = rules.get("max_missing", raw.get("missing", {}).get("max_missing"))
    risky = [*raw.get("risk_items", ()), *rules.get("risk_items", ())]
    times = raw.get("total_multiplier", raw.get("total_is_mean_times", 1))
    return {
        "items_reversed": tuple(rules.get("items_reversed", raw["items_reversed"])),
        "raw_order": _FORM_ORDER[rules.get("raw_order", "form")],
        "max_missing": missing,
        "max_missing_source": rules.get("max_missing_source"),
        "risk_items": tuple(RiskItem(item=r["item"], flag_min=r["flag_min"]) for r in risky),
        "risk_source": rules.get("risk_source"),
        "total_rule": rules.get("total", "sum"),
        "total_multiplier": float(times),
        "domains": tuple(tuple(part["max_of"]) if "max_of" in part else (part["item"],) for part in domains),
        "either_or": tuple(tuple(pair) for pair in rules.get("either_or", ())),
        "subscales": _subscales(raw, rules),
        "scored_items": tuple(rules.get("scored_items", ())),
        "form_items": tuple(rules.get("form_items", ())),
        "usually_to_2": tuple(rules.get("usually_to_2", ())),
        "scoring_source": rules.get("scoring_source"),
    }


def _subscales(raw: dict[str, Any], rules: dict[str, Any]) -> tuple[Subscale, ...]:
    """Subscales of either file; instruments.yaml writes them as first and last item."""
    found = {name: tuple(range(first, last + 1)) for name, (first, last) in raw.get("subscales", {}).items()}
    found |= {name: tuple(items) for name, items in rules.get("subscales", {}).items()}
    least = rules.get("cluster_least", {})
    missing = rules.get("subscale_missing", {})
    half = rules.get("subscale_answered") == "more than half"
    return tuple(
        Subscale(
            name=name,
            items=items,
            method=rules["subscale_method"],
            max_missing=(len(items) - 1) // 2 if half else missing.get(name, 0),
            least=least.get(name),
        )
        for name, items in found.items()
    )


def _statement(entry: Any) -> str:
    """A statement of the registry; YAML reads "a: b" without quotes as a mapping of one entry."""
    return "; ".join(f"{key}: {text}" for key, text in entry.items()) if isinstance(entry, dict) else str(entry)


def _number(value: Any) -> float | None:
    """One number; a list of values found in several samples is no single value."""
    return None if value is None or isinstance(value, list) else float(value)
