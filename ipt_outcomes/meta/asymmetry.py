"""Tests of funnel asymmetry for events, whose log odds ratios are tied to their own variances."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ipt_outcomes.effects.association import arcsine_difference
from ipt_outcomes.effects.binary import odds_ratio, peto
from ipt_outcomes.effects.zero_cells import read_tables
from ipt_outcomes.errors import require_choice
from ipt_outcomes.meta.bias import EggerTest, line_test
from ipt_outcomes.meta.inputs import Rows, require_level, unpack

EventTest = Literal["harbord", "peters", "arcsine"]
_WORDS: dict[EventTest, str] = {
    "harbord": "Harbord's test: regression of the score over its variance on the standard error of that.",
    "peters": "Peters' test: regression of the log odds ratio on 1/N, weights m (N − m)/N.",
    "arcsine": "Ruecker's test: weighted regression of the arcsine difference on its standard error.",
}


def egger_events(
    event_arm1: ArrayLike,
    totaln_arm1: ArrayLike,
    event_arm2: ArrayLike,
    totaln_arm2: ArrayLike,
    *,
    method: EventTest = "harbord",
    level: float = 0.95,
) -> EggerTest:
    """Regression test for funnel asymmetry of two-by-two tables.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Participants with the event and all participants of each arm.
    method : {"harbord", "peters", "arcsine"}
        "harbord": score test of the log odds ratio. "peters": log odds ratio on 1/N (0.5 added to all cells of a row
        that has a cell of 0). "arcsine": difference of arcsine-transformed risks.
    level : float
        Level of the interval.

    Returns
    -------
    EggerTest
        Studies without events, or with nothing but events, are left out of "harbord" and "peters" and counted.

    Raises
    ------
    DesignError
        Impossible counts, fewer than 3 studies with information; ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices.

    Notes
    -----
    The standard error of a log odds ratio grows with the odds ratio itself, so Egger's test of it rejects too often.

    References
    ----------
    Harbord, Egger, Sterne (2006), Stat Med 25(20):3443-3457, doi:10.1002/sim.2380;
    Peters, Sutton, Jones, Abrams, Rushton (2006), JAMA 295(6):676-680, doi:10.1001/jama.295.6.676;
    Ruecker, Schwarzer, Carpenter (2008), Stat Med 27(5):746-763, doi:10.1002/sim.2971.

    Examples
    --------
    >>> from ipt_outcomes.meta import egger_events
    >>> counts = [5, 8, 12, 3], [30, 40, 50, 12], [9, 10, 20, 8], [30, 38, 52, 13]
    >>> round(egger_events(*counts).statistic, 2)
    -1.27
    """
    require_choice("method", method, tuple(_WORDS))
    require_level(level)
    four = (event_arm1, totaln_arm1, event_arm2, totaln_arm2)
    options = {"model": "lm", "predictor": "se", "tau2": "common", "test": "z", "level": float(level)}
    if method == "arcsine":
        rows = unpack(arcsine_difference(*four, event="good"), None)
        return line_test(rows, rows.v, np.sqrt(rows.v), None, options, _WORDS[method])
    if method == "harbord":
        rows = unpack(peto(*four, event="good", zero_cells="none", double_zero="drop"), None)
        return line_test(rows, rows.v, np.sqrt(rows.v), None, options, _WORDS[method])
    effects = odds_ratio(*four, event="good", double_zero="drop")
    tables = read_tables(*four, zero_cells="none", double_zero="drop")
    total, events = tables.n1 + tables.n2, tables.a + tables.c
    used = np.flatnonzero(~np.isnan(effects.yi))
    rows = Rows(effects.yi, effects.vi, used, effects)
    weight = (events * (total - events) / total)[used]
    return line_test(rows, 1 / weight, 1 / total[used], None, {**options, "predictor": "inverse-n"}, _WORDS[method])
