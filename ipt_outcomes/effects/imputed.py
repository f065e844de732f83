"""Response rates that a paper does not print, from its means and SDs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from ipt_outcomes.effects.columns import Columns
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows, read_signs
from ipt_outcomes.effects.proportions import check_level
from ipt_outcomes.effects.smd import BETTER_SIGNS, Better
from ipt_outcomes.errors import require_choice


class _ImputedResponse(NamedTuple):
    rate: FloatArray
    event: FloatArray
    method: str


def response_from_cutoff(
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    cutoff: npt.ArrayLike,
    better: Better | Sequence[str],
) -> ImputedResponse:
    """People at or beyond a cut-off, from the mean and SD at the end.

    Parameters
    ----------
    mean, sd, n : array_like, shape (k,)
        Mean and SD in instrument points and participants at the end of treatment.
    cutoff : array_like, shape (k,)
        The response: at or below it where lower is better, at or above it where higher is. For a 50%
        reduction, half the mean at baseline.
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one.

    Returns
    -------
    ImputedResponse
        Rate Phi((cutoff - mean)/SD), or its complement.

    Raises
    ------
    DesignError
        n below 2, an SD not above 0; ``.rows`` lists all rows.
    OptionError
        `better` is missing or unknown in a row.

    Notes
    -----
    The outcome is taken as normal. An imputed rate is no observed one: keep it apart from those.

    References
    ----------
    Furukawa, Cipriani, Barbui et al (2005), Int Clin Psychopharmacol 20(1):49-52,
    doi:10.1097/00004850-200501000-00010.

    Examples
    --------
    >>> response_from_cutoff(12.6, 6.0, 50, cutoff=11.75, better="lower").rate.round(3)
    array([0.444])
    """
    signs = read_signs("better", better, BETTER_SIGNS)
    rows = _read({"mean": mean, "sd": sd, "n": n, "cutoff": cutoff}, signs.lengths)
    rate = ndtr(signs.values * (rows["mean"] - rows["cutoff"]) / rows["sd"])
    return _rounded(rate, rows["n"], "normal outcome, at or beyond the cut-off")


def response_from_reliable_change(
    mean_pre: npt.ArrayLike,
    sd_pre: npt.ArrayLike,
    mean_post: npt.ArrayLike,
    sd_post: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    r: npt.ArrayLike,
    reliability: npt.ArrayLike,
    better: Better | Sequence[str],
    kind: Literal["improved", "deteriorated"] = "improved",
    level: float = 0.95,
) -> ImputedResponse:
    """People with a reliable change, from means and SDs before and after.

    Parameters
    ----------
    mean_pre, sd_pre, mean_post, sd_post, n : array_like, shape (k,)
        Mean and SD in instrument points at both times and participants.
    r : array_like, shape (k,)
        Correlation of pre and post, in (-1, 1).
    reliability : array_like, shape (k,)
        Reliability of the instrument, from 0 to below 1.
    better : {"lower", "higher"} or sequence of these, shape (k,)
        Which end of the scale is the good one.
    kind : {"improved", "deteriorated"}
        Direction of the change counted.
    level : float
        0.95 sets the least reliable change at 1.96 standard errors of a difference.

    Returns
    -------
    ImputedResponse
        Share of a normal change that goes beyond z SDpre sqrt(2 (1 - reliability)).

    Raises
    ------
    DesignError
        n below 2, an SD not above 0, r or reliability outside its range; ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices.

    References
    ----------
    Jacobson, Truax (1991), J Consult Clin Psychol 59(1):12-19, doi:10.1037/0022-006X.59.1.12;
    Furukawa, Cipriani, Barbui et al (2005), doi:10.1097/00004850-200501000-00010 (normal outcome).

    Examples
    --------
    >>> response_from_reliable_change(
    ...     23.5, 4.1, 12.6, 6.0, 50, r=0.4, reliability=0.8, better="lower").rate.round(3)
    array([0.844])
    """
    require_choice("kind", kind, ("improved", "deteriorated"))
    check_level(level)
    signs = read_signs("better", better, BETTER_SIGNS)
    columns = {"mean_pre": mean_pre, "sd_pre": sd_pre, "mean_post": mean_post, "sd_post": sd_post, "n": n}
    rows = _read({**columns, "r": r, "reliability": reliability}, signs.lengths)
    pre, post = rows["sd_pre"], rows["sd_post"]
    spread = np.sqrt(pre**2 + post**2 - 2 * rows["r"] * pre * post)
    least = ndtri(0.5 + level / 2) * pre * np.sqrt(2 * (1 - rows["reliability"]))
    gain = signs.values * (rows["mean_post"] - rows["mean_pre"]) * (1.0 if kind == "improved" else -1.0)
    return _rounded(ndtr((gain - least) / spread), rows["n"], f"normal change, reliably {kind} at {100 * level:g}%")


def _read(columns: Mapping[str, npt.ArrayLike], lengths: Mapping[str, int]) -> Rows:
    rows = read_rows(columns, lengths=lengths)
    for name, values in rows.columns.items():
        if name.startswith("sd"):
            rows.require_at_least(name, 0, strict=True)
        elif name == "n":
            rows.require_at_least(name, 2)
        elif name == "r":
            rows.require(name, "must lie between -1 and 1, both excluded", np.abs(values) < 1)
        elif name == "reliability":
            rows.require(name, "must be 0 or more and below 1", (values >= 0) & (values < 1))
        else:
            rows.require_finite(name)
    rows.check()
    return rows


def _rounded(rate: FloatArray, n: FloatArray, method: str) -> ImputedResponse:
    rate = np.where(np.isnan(n), np.nan, rate)
    return ImputedResponse(rate, np.asarray(np.rint(rate * n)), method)


class ImputedResponse(Columns, _ImputedResponse):
    """Response rate imputed from a normal outcome.

    Parameters
    ----------
    rate : numpy.ndarray, shape (k,)
        Proportion with the response, 0 to 1.
    event : numpy.ndarray, shape (k,)
        Rate times n, rounded to a whole number of people.
    method : str
        The rule used.
    """

    __slots__ = ()
    about = "Imputed response rates"
