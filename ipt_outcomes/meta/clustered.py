"""A regression line of effects on their precision, with errors robust to several effects per study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.meta.inference import Inference, infer
from ipt_outcomes.meta.inputs import Rows, read_labels, require_labels
from ipt_outcomes.meta.multilevel.blocks import make_blocks
from ipt_outcomes.meta.multilevel.likelihood import gls
from ipt_outcomes.meta.multilevel.robust import robust_covariance
from ipt_outcomes.results import plural


def study_codes(study: Any, rows: Rows) -> np.ndarray | None:
    """Return the study of each row used as a number, or None where none is given or none has two effects.

    Parameters
    ----------
    study : array_like, shape (n,), or None
    rows : Rows

    Returns
    -------
    numpy.ndarray of int, shape (k,), or None

    Raises
    ------
    DesignError
        A name is missing, or there is not one per effect.
    """
    if study is None:
        return None
    labels = read_labels("study", study, rows.yi.size)
    require_labels("study", labels)
    codes, names = pd.factorize(labels.iloc[rows.used])
    return None if len(names) == codes.size else np.asarray(codes)


def combined_first(effects: int, studies: int, rho: float) -> str:
    """Say that effects were combined per study, and where the row-level answer is."""
    words = plural(studies, "study", "studies")
    return (
        f"{effects} effects were combined into {studies} {words} first (rho {rho:g}); the answer that takes every "
        "effect for a study is in `naive`."
    )


def robust_lines(
    y: np.ndarray, variances: np.ndarray, design: np.ndarray, codes: np.ndarray, level: float
) -> list[Inference]:
    """Weighted regression with CR2 standard errors by study and Satterthwaite degrees of freedom.

    Parameters
    ----------
    y, variances : numpy.ndarray, shape (k,)
        Effects and their working variances: weights are the reciprocals.
    design : numpy.ndarray, shape (k, p)
    codes : numpy.ndarray of int, shape (k,)
        Study of each effect.
    level : float

    Returns
    -------
    list of Inference
        One per coefficient.

    Raises
    ------
    DesignError
        No more studies than coefficients.
    """
    blocks = make_blocks(y, variances, design, (), codes)
    fitted = gls(blocks, np.zeros(0), restricted=True)
    robust = robust_covariance(blocks, fitted, "CR2")
    se = np.sqrt(np.diag(robust.covariance))
    unit = np.eye(design.shape[1])
    return [
        infer(float(b), float(s), robust.df(unit[i]), level)
        for i, (b, s) in enumerate(zip(fitted.coefficients, se, strict=True))
    ]
