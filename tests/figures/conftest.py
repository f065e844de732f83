"""Results and effects that every test of the figures draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from ipt_outcomes.effects.effect_sizes import EffectSizes


@dataclass(frozen=True)
class Pooled:
    """A pooled effect with the fields the figures read."""

    estimate: float = 0.482
    ci_low: float = 0.311
    ci_high: float = 0.653
    prediction_low: float | None = -0.35
    prediction_high: float | None = 1.32
    k: int = 31
    tau2: float = 0.159
    i2: float = 66.2
    level: float | None = None
    measure: str | None = None
    event: str | None = None


@pytest.fixture(scope="session")
def make_pooled() -> type[Pooled]:
    """Make a pooled effect; every field may be given."""
    return Pooled


@pytest.fixture(scope="session")
def names() -> list[str]:
    """Names of the four studies of `some`."""
    return ["Klein 2002", "Novak & Lind", "$lost$", "<b>Roe</b>"]


@pytest.fixture(scope="session")
def some() -> Callable[..., EffectSizes]:
    """Make the effects of four studies, the third of them missing."""

    def make(
        measure: str = "SMD",
        event: str | None = None,
        yi: tuple[float, ...] | np.ndarray = (0.2, 0.61, np.nan, -0.35),
        vi: tuple[float, ...] | np.ndarray = (0.04, 0.09, 0.05, 0.02),
    ) -> EffectSizes:
        return EffectSizes(yi=np.array(yi), vi=np.array(vi), measure=measure, convention="test", event=event)

    return make
