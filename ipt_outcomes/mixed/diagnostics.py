"""Whether the assumptions of a mixed model hold: what its figures show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ipt_outcomes.errors import OptionError, require_choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ipt_outcomes.mixed.fit import MixedFit

PlotKind = Literal["coefficients", "residuals", "residual-quantiles", "random-quantiles"]


def plot(fit: MixedFit, kind: PlotKind, ax: Axes | None) -> Axes:
    """Draw one of the figures of a fit.

    Parameters
    ----------
    fit : MixedFit
    kind : {"coefficients", "residuals", "residual-quantiles", "random-quantiles"}
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    OptionError
        A kind that the model does not have.
    """
    from ipt_outcomes.figures import diagnostics

    require_choice("kind", kind, ("coefficients", "residuals", "residual-quantiles", "random-quantiles"))
    if kind == "coefficients":
        shown = fit.fixed[fit.fixed["term"].ne("(Intercept)")]
        return diagnostics.coefficients(shown if len(shown) else fit.fixed, level=fit.level, ax=ax)
    if kind == "random-quantiles":
        return diagnostics.quantile_plot(random_quantiles(fit), "Random effect, in its SDs", ax=ax)
    residuals = getattr(fit, "residuals", None)
    if residuals is None:
        raise OptionError(
            f"a {type(fit).__name__} has no residuals of its own to draw", hint="Use kind='coefficients'."
        )
    values = np.asarray(residuals(standardised=True))
    if kind == "residual-quantiles":
        return diagnostics.quantile_plot(values, "Residual, in its SDs", ax=ax)
    return diagnostics.residual_plot(np.asarray(fit.predict()), values, ax=ax)  # type: ignore[attr-defined]


def random_quantiles(fit: MixedFit) -> np.ndarray:
    """Return predicted random effects over the SD they were predicted to have, all terms and groups together.

    Parameters
    ----------
    fit : MixedFit

    Returns
    -------
    numpy.ndarray, shape (k,)

    Raises
    ------
    OptionError
        The model has no random effects.
    """
    effects = getattr(fit, "random_effects", None)
    if effects is None:
        raise OptionError(f"a {type(fit).__name__} has no random effects to draw", hint="Use kind='residuals'.")
    table = effects()
    found = []
    variances = fit.random[fit.random["term2"].eq("")]
    for row in variances.to_dict("records"):
        variance = float(row["variance_or_cov"])
        own = table[table["group"].eq(row["group"]) & table["term"].eq(row["term1"])]
        # A prediction varies by what the data told of the effect: its variance less the conditional one.
        told = variance - own["sd"].to_numpy() ** 2
        known = told > 1e-8 * max(variance, 1e-300)
        found.append(own["estimate"].to_numpy()[known] / np.sqrt(told[known]))
    return np.concatenate(found) if found else np.empty(0)
