"""Columns in which every outcome is the same: their coefficients are infinite, or nearly so."""

from __future__ import annotations

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.generalized.family import FamilyName
from ipt_outcomes.mixed.generalized.optimise import Peak
from ipt_outcomes.mixed.generalized.problem import Problem

# Log odds from one end of a column to the other beyond which outcomes are all but certain.
_LARGE = 12.0


def refuse_separation(design: Design, x: np.ndarray, y: np.ndarray, size: np.ndarray, family: FamilyName) -> None:
    """Raise where the rows of a level all have the same outcome.

    Parameters
    ----------
    design : Design
    x : numpy.ndarray, shape (n, p)
    y, size : numpy.ndarray, shape (n,)
    family : {"binomial", "poisson"}

    Raises
    ------
    DesignError
        All such columns are named.

    References
    ----------
    Albert and Anderson (1984), Biometrika 71(1):1-10, doi:10.1093/biomet/71.1.1.
    """
    faults = []
    for column, values in zip(design.fixed, x.T, strict=True):
        if not column.parts or not np.isin(values, (0.0, 1.0)).all():
            continue
        inside = values == 1
        # A level that all rows but few have is separated where the others are all the same.
        for rows, where in ((inside, "with"), (~inside, "without")):
            events, trials = float(y[rows].sum()), float(size[rows].sum())
            if not trials or (where == "without" and len(column.parts) > 1):
                continue
            if events == 0 and where == "with":
                faults.append(f"none of the {rows.sum()} rows with {column.name} has an event")
            elif events == trials and family == "binomial" and where == "with":
                faults.append(f"all of the {rows.sum()} rows with {column.name} have the event")
            elif _alone(design, column.parts) and (events == 0 or (events == trials and family == "binomial")):
                faults.append(f"the {rows.sum()} rows without {column.name} all have the same outcome")
    if faults:
        raise DesignError(
            "a coefficient would be infinite: " + "; ".join(faults),
            hint="Leave the term out, or merge levels; compare such a level by its counts.",
        )


def _alone(design: Design, parts: tuple[tuple[str, int], ...]) -> bool:
    """Whether a factor has two levels, so that rows without the one are the rows of the other."""
    return len(design.variables[parts[0][0]].levels) == 2


def separated(design: Design, problem: Problem, peak: Peak) -> tuple[str, ...]:
    """Return columns whose coefficient makes outcomes all but certain from one end of the column to the other."""
    span = np.ptp(problem.x, axis=0)
    reach = np.abs(peak.beta) * span
    blown = np.sqrt(np.diag(peak.covariance)[: peak.beta.size]) * span > _LARGE
    return tuple(
        column.name for column, far, wide in zip(design.fixed, reach > _LARGE, blown, strict=True) if far and wide
    )
