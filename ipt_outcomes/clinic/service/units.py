"""Sites and therapists against their case mix, for the service's own eyes: never a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.case_mix import CaseMix, case_mix
from ipt_outcomes.clinic.courses import Courses, people_of
from ipt_outcomes.clinic.funnel_limits import Funnel, funnel
from ipt_outcomes.clinic.judging import Judged
from ipt_outcomes.clinic.ledger import Ledger
from ipt_outcomes.clinic.outcomes import COMPLETERS
from ipt_outcomes.errors import IptError
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.privacy import Derived

ANALYSIS = "unit"
UNITS = {"site": ("site", "site_id"), "therapist": ("therapist", "therapist_id")}
"""What units are called, and the columns that may hold them."""

MIN_CASELOAD = 10
"""People of a unit from which on it is shown."""

_FEWEST, _MOST_DRAWN = 3, 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """Units of one kind and how they compare.

    Parameters
    ----------
    by : str
        Key of `UNITS`.
    rate : str
        Which rate, of completers.
    measure : str
    compared : CaseMix
        All units, those with a small caseload among them.
    funnel : Funnel
        Units shown, in the order of `shown`; limits with the spread between units.
    shown : tuple of str
        Units with at least `MIN_CASELOAD` people who count.
    n_small : int
        Units with fewer.
    covariates : tuple of str
        What the case mix is made of.
    """

    by: str
    rate: str
    measure: str
    compared: CaseMix
    funnel: Funnel
    shown: tuple[str, ...]
    n_small: int
    covariates: tuple[str, ...]


def units_of(cohort: Cohort, courses: Courses, judged: Judged, notes: list[str]) -> tuple[Units, ...]:
    """Compare sites and therapists, where the data name at least three of them with enough people.

    Parameters
    ----------
    cohort : Cohort
    courses : Courses
    judged : Judged
    notes : list of str
        Gets why units could not be compared.

    Returns
    -------
    tuple of Units
    """
    measure, sets = judged.measures[0], judged.sets[0]
    rate = measure.headline[0]
    counts = sets.denominator(rate, COMPLETERS)
    people = people_of(cohort)
    frame = pd.DataFrame({"outcome": sets.numerator(rate, COMPLETERS).astype(float)})
    covariates = []
    for cuts in measure.cuts:
        frame[f"first_{cuts.name}"] = judged.scores[cuts.name].first
        covariates.append(f"first_{cuts.name}")
    area = next((name for name in ("problem_area", "problem_area_primary") if name in people), None)
    if area is not None:
        frame["area"] = _joined(people[area].astype("string").fillna("unknown").to_numpy(dtype=object), frame, counts)
        if frame.loc[counts, "area"].nunique() > 1:
            covariates.append("area")
    found = []
    for by, columns in UNITS.items():
        column = next((name for name in columns if name in people), None)
        if column is None:
            continue
        named = frame.assign(unit=people[column].astype("string").to_numpy(dtype=object))[counts]
        units = _compared(by, named, covariates, rate, measure.name, notes)
        if units is not None:
            found.append(units)
    return tuple(found)


def _joined(level: np.ndarray, frame: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
    """Join levels of few people, or of one outcome only, with the most common one.

    What to expect of them alone no model can tell, and together they can be of one outcome again.
    """
    if not counts.any():
        return level.astype(str)
    mine = frame["outcome"][counts].groupby(level[counts])
    alike = mine.agg(["size", "min", "max"])
    few = alike.index[(alike["size"] < MIN_CASELOAD) | (alike["min"] == alike["max"])]
    return np.where(np.isin(level.astype(str), few.astype(str)), str(alike["size"].idxmax()), level.astype(str))


def _compared(
    by: str, frame: pd.DataFrame, covariates: Sequence[str], rate: str, measure: str, notes: list[str]
) -> Units | None:
    sizes = frame["unit"].value_counts()
    if (sizes >= MIN_CASELOAD).sum() < _FEWEST or (sizes >= MIN_CASELOAD).sum() > _MOST_DRAWN:
        return None
    try:
        compared = case_mix(frame, f"outcome ~ {' + '.join(covariates)}", by="unit")
    except IptError as fault:
        notes.append(f"Case mix of units ({by}) could not be worked out: {fault.message}.")
        return None
    table = compared.units[compared.units["n"] >= MIN_CASELOAD]
    # Drawn at the rate it would have with everyone's case mix, kept within the scale.
    adjusted = np.clip(np.rint(table["adjusted_rate"] * table["n"]), 0, table["n"])
    return Units(
        by=by,
        rate=rate,
        measure=measure,
        compared=compared,
        funnel=funnel(adjusted, table["n"], target=compared.overall, limits="over-dispersed"),
        shown=tuple(str(unit) for unit in table["unit"]),
        n_small=int((compared.units["n"] < MIN_CASELOAD).sum()),
        covariates=tuple(covariates),
    )


def add_units(ledger: Ledger, found: Sequence[Units]) -> None:
    """Add observed, expected and adjusted rate of each unit shown; for the internal report only.

    Parameters
    ----------
    ledger : Ledger
    found : sequence of Units
    """
    for units in found:
        table = units.compared.units.assign(unit=units.compared.units["unit"].astype(str)).set_index("unit")
        numbers_of = table.to_dict("index")
        for name, outside in zip(units.shown, units.funnel.units["outside"], strict=True):
            row, own = {key: float(value) for key, value in numbers_of[name].items()}, {"by": units.by, "unit": name}
            counts = (
                ledger.unpublished(ANALYSIS, "n", int(row["n"]), own),
                ledger.unpublished(ANALYSIS, "observed", int(row["observed"]), own),
            )
            method = f"logistic regression on {', '.join(units.covariates)}"
            numbers = {
                "expected": (float(row["expected"]), "people expected"),
                "adjusted_percent": (100 * float(row["adjusted_rate"]), "percent"),
                "outside": (float(outside), "level in percent"),
            }
            ids = tuple(
                ledger.builder.add(ANALYSIS, statistic, value, unit=unit, method=method, groups=own, n=int(row["n"]))
                for statistic, (value, unit) in numbers.items()
            )
            ledger.links.append(Derived(ids, counts))
