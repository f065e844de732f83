"""What a fit on the boundary means, in words: in which part of their course people hardly differ."""

from __future__ import annotations

from ipt_outcomes.mixed import MixedFit

CAREFUL = "Intervals of such a model may be too narrow."
"""What a reader has to know of it."""

# Below this share of the residual SD a spread is none.
_NONE = 1e-3
_WORDS = {"(Intercept)": "in their level", "week": "in their rate of change"}


def boundary_words(fit: MixedFit) -> str:
    """Say in which part of their course people hardly differ, for a reader who knows no mixed models.

    Parameters
    ----------
    fit : MixedFit
        A singular fit (`MixedFit.singular`).

    Returns
    -------
    str
    """
    own = fit.random[fit.random["term2"].eq("")]
    flat = [str(term) for term, sd in zip(own["term1"], own["sd_or_corr"], strict=True) if sd < _NONE * fit.sigma]
    if flat:
        parts = " or ".join(_WORDS.get(term, "in a part of their course") for term in flat)
        return f"People of the same arm hardly differ {parts}: the model finds no spread beyond chance. {CAREFUL}"
    return (
        "People of the same arm differ in one way only: the model ties their level and their rate of change together "
        f"entirely, so that it cannot tell the two apart. {CAREFUL}"
    )
