"""What the columns of a source hold, as their types."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ipt_outcomes.io.cohort.cells import FloatArray, Texts
from ipt_outcomes.privacy.gate import GateEntry


@dataclass(slots=True)
class Values:
    """What the columns hold, one entry per record.

    Parameters
    ----------
    people : Texts
        The person of each record, as the source writes it.
    texts : dict of str to Texts
        Ids, codes and texts.
    numbers : dict of str to numpy.ndarray of float
    labelled : dict of str to tuple of str
        Covariates and texts that carry value labels: the labels in the order of their codes.
    is_top_age : numpy.ndarray of bool or None
    items_named : numpy.ndarray of float or None
        Number of the item that the name of the instrument says, 0 where it names none.
    dated : dict of str to numpy.ndarray of bool
        Fields of days that were dates: the records whose number is still one of days from 1970.
    """

    people: Texts
    texts: dict[str, Texts] = field(default_factory=dict)
    numbers: dict[str, FloatArray] = field(default_factory=dict)
    labelled: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_top_age: np.ndarray | None = None
    items_named: FloatArray | None = None
    dated: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gate: list[GateEntry] = field(default_factory=list)
