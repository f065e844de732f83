"""Small-study effects and publication bias on one effect per study, the row-level answer beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import as_effects, attempt
from ipt_outcomes.meta import BeggTest, EggerTest, LimitEffect, PetPeese, SelectionModel, TrimAndFill, WaapEffect
from ipt_outcomes.results import ResultObject

# One-sided p of a "significant" result in the expected direction.
STEP = 0.025
# Methods that adjust the pooled effect, in the order tables show them.
ADJUSTED = ("trim_and_fill", "limit", "selection", "pet_peese", "waap")


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasAnalyses(ResultObject):
    """What is left of the pooled effect when small-study effects are allowed for.

    Parameters
    ----------
    trim_and_fill : TrimAndFill or None
        All are made on one effect per study (PET-PEESE and Egger: on all effects with standard errors robust to
        their dependence); ``.naive`` is the answer that takes every row for a study. None where not possible.
    limit : LimitEffect or None
    selection : SelectionModel or None
        Step function at a one-sided p of 0.025 for results that favour arm 1.
    pet_peese : PetPeese or None
    waap : WaapEffect or None
    begg : BeggTest or None
        On one effect per study.
    egger_robust : EggerTest or None
        On all rows, standard errors robust by study; None where each study gives one.
    """

    trim_and_fill: TrimAndFill | None = None
    limit: LimitEffect | None = None
    selection: SelectionModel | None = None
    pet_peese: PetPeese | None = None
    waap: WaapEffect | None = None
    begg: BeggTest | None = None
    egger_robust: EggerTest | None = None

    def adjusted(self) -> dict[str, tuple[str, Any]]:
        """Return the adjusted effects by analysis, each with its method: PET and PEESE beside the one taken.

        Returns
        -------
        dict of str to tuple of str, object
            The object has ``estimate se ci_low ci_high p_value``; the naive twins have ``_rows`` at the end of
            their names.
        """
        found: dict[str, tuple[str, Any]] = {}
        for name in ADJUSTED:
            result = getattr(self, name)
            for suffix, one in (("", result), ("_rows", getattr(result, "naive", None))):
                if one is None:
                    continue
                if name == "pet_peese":
                    found |= {f"{line}{suffix}": (one.method, getattr(one, line)) for line in ("pet", "peese")}
                    found[f"{name}{suffix}"] = (f"{one.method} Taken: {one.chosen.upper()}.", getattr(one, one.chosen))
                else:
                    found[f"{name}{suffix}"] = (one.method, one)
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return one row per adjusted effect: ``analysis k estimate se ci_low ci_high p_value``."""
        columns = ("k", "estimate", "se", "ci_low", "ci_high", "p_value")
        records = [
            {"analysis": name, **{column: getattr(one, column) for column in columns}}
            for name, (_, one) in self.adjusted().items()
        ]
        return pd.DataFrame(records, columns=["analysis", *columns])

    def summary(self, digits: int = 2) -> str:
        """Return a paragraph per method."""
        results = [getattr(self, name) for name in (*ADJUSTED, "begg", "egger_robust")]
        return "\n".join(result.summary(digits) for result in results if result is not None)


def bias_analyses(
    rows: pd.DataFrame, studies: pd.DataFrame, effects: EffectSizes, options: Options, not_run: dict[str, str]
) -> BiasAnalyses:
    """Run every method; what is not possible is named with the reason.

    Parameters
    ----------
    rows, studies : pandas.DataFrame
        Effects per row, and combined per study.
    effects : EffectSizes
    options : Options
    not_run : dict of str to str
        Takes the reasons.

    Returns
    -------
    BiasAnalyses
    """
    dependent = len(studies) < len(rows)
    sizes, combined = as_effects(rows, effects), as_effects(studies, effects)
    several: dict[str, Any] = {"study": rows["study"].astype(str)} if dependent else {}
    combining: dict[str, Any] = {**several, "rho": options.rho} if dependent else {}
    good: Literal["greater", "less"] = "less" if effects.event == "bad" else "greater"
    pooling: dict[str, Any] = {"tau2": options.tau2, "level": options.level}
    work: dict[str, Callable[[], Any]] = {
        "trim_and_fill": lambda: meta.trim_and_fill(sizes, test=options.test, **pooling, **combining),
        "limit": lambda: meta.limit_meta_analysis(sizes, **pooling, **combining),
        "selection": lambda: meta.selection_model(
            sizes, steps=(STEP,), alternative=good, level=options.level, **combining
        ),
        "pet_peese": lambda: meta.pet_peese(sizes, test=options.test, alternative=good, **pooling, **several),
        "waap": lambda: meta.waap_wls(sizes, level=options.level, **combining),
        "begg": lambda: meta.begg(combined),
    }
    if dependent:
        work["egger_robust"] = lambda: meta.egger(sizes, **several)
    if len(studies) < 3:
        not_run |= dict.fromkeys(work, "methods for small-study effects need at least 3 studies")
        return BiasAnalyses()
    return BiasAnalyses(**{name: attempt(name, not_run, method) for name, method in work.items()})
