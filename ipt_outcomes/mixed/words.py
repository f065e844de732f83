"""Methods and degrees of freedom as a paper writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipt_outcomes.results import format_number, plural

if TYPE_CHECKING:
    from ipt_outcomes.mixed.design import Design
    from ipt_outcomes.mixed.fit import MixedFit

MOST_LEVELS_NAMED = 6
_DF = {
    "satterthwaite": "Satterthwaite's degrees of freedom",
    "kenward-roger": "Kenward and Roger's standard errors and degrees of freedom",
    "kenward-roger-linear": "Kenward and Roger's standard errors and degrees of freedom (linear form)",
    "between-within": "between-within degrees of freedom",
    "residual": "residual degrees of freedom",
    "normal": "large-sample tests",
}


def method_in_words(fit: MixedFit) -> str:
    """Return the kind of model, how it was fitted and where its degrees of freedom come from.

    Parameters
    ----------
    fit : MixedFit

    Returns
    -------
    str
    """
    structure = getattr(fit, "covariance_structure", None)
    covariance = "" if structure is None else f" with {structure} covariance"
    title = f"{fit.title[0].lower()}{fit.title[1:]}"
    how = "restricted maximum likelihood" if fit.reml else "maximum likelihood"
    return f"{title}{covariance}, {how}, {_DF[fit.df_method]}"


def df_in_words(df: float) -> str:
    """Return degrees of freedom with one decimal; infinity in a word."""
    return format_number(df, "decimal1") if np.isfinite(df) else "infinity"


def left_out_in_words(design: Design) -> str:
    """Return how many rows were left out, for which column, and from which levels of short factors; or nothing."""
    if not design.n_dropped:
        return ""
    missing = design.missing
    text = f"; {design.n_dropped} {plural(design.n_dropped, 'row', 'rows')} with a missing value left out"
    reasons = ", ".join(f"{name} {count}" for name, count in missing.by_column.items())
    text += f" (missing: {reasons})" if reasons else ""
    for name, counts in missing.by_level.items():
        if 1 < len(counts) <= MOST_LEVELS_NAMED:
            text += f"; by {name}: " + ", ".join(f"{level} {count}" for level, count in counts.items())
    return text
