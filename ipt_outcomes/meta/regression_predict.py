"""Effects expected at values of the moderators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.design import make_design, read_moderators
from ipt_outcomes.meta.inference import quantile
from ipt_outcomes.meta.inputs import require_level

if TYPE_CHECKING:
    from ipt_outcomes.meta.regression import MetaRegression

METHODS = ("fit", "S", "V", "HTS", "HK", "HK-PR")


def predict(fit: MetaRegression, moderators: Any, level: float, prediction: str) -> pd.DataFrame:
    """Return the effect expected at values of the moderators; options as in `MetaRegression.predict`.

    Parameters
    ----------
    fit : MetaRegression
    moderators : DataFrame, mapping, Series or array_like
    level : float
    prediction : str

    Returns
    -------
    pandas.DataFrame
        ``estimate se ci_low ci_high prediction_low prediction_high``.

    Raises
    ------
    DesignError
        A level that the fit did not have; no degrees of freedom left.
    OptionError
        A moderator is missing, or an option is not one of the choices.
    """
    require_level(level)
    require_choice("prediction", prediction, METHODS)
    columns = moderators if isinstance(moderators, pd.DataFrame | dict) else None
    if columns is not None and not set(fit.design.names) <= set(columns):
        absent = [name for name in fit.design.names if name not in columns]
        raise OptionError(f"moderators lack {', '.join(absent)}")
    size = len(next(iter(moderators.values()))) if isinstance(moderators, dict) else len(moderators)
    frame = read_moderators(moderators, size)
    if columns is None:
        frame.columns = list(fit.design.names)
    new = make_design(frame[list(fit.design.names)], fit.design.interactions, fit.design.levels).matrix
    estimate = new @ fit.coefficients["estimate"].to_numpy()
    variance = np.einsum("ip,pq,iq->i", new, fit.vcov, new)
    df = None if fit.test == "z" else float(fit.qe_df)
    half = quantile(df, level) * np.sqrt(variance)
    factor, free = _factor_and_df(fit, prediction, df)
    wide = quantile(free, level) * np.sqrt(variance / fit.factor * factor + fit.tau2)
    return pd.DataFrame(
        {
            "estimate": estimate,
            "se": np.sqrt(variance),
            "ci_low": estimate - half,
            "ci_high": estimate + half,
            "prediction_low": estimate - wide,
            "prediction_high": estimate + wide,
        }
    )


def _factor_and_df(fit: MetaRegression, prediction: str, df: float | None) -> tuple[float, float | None]:
    """Factor on the plain variance, and the degrees of freedom of t."""
    if prediction == "fit":
        return fit.factor, df
    if prediction == "S":
        return 1.0, None
    free = float(fit.qe_df - (prediction in {"HTS", "HK-PR"}))
    if free <= 0:
        raise DesignError(
            f"prediction {prediction!r} leaves no degrees of freedom: {fit.k} studies, "
            f"{len(fit.coefficients)} coefficients",
            hint='Use prediction="S", or fewer moderators.',
        )
    if prediction in {"V", "HTS"}:
        return 1.0, free
    return (1.0 if fit.scale is None else fit.scale), free
