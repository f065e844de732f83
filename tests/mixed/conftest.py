"""Data of the reference fits, with the order of levels they were made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

HERE = Path(__file__).resolve().parents[1] / "reference"


def read_data(case: dict[str, Any]) -> pd.DataFrame:
    """Read a reference's table; factors in the order it names."""
    levels = case.get("factor_levels") or {}
    name = Path(case["data"]).name
    path = next(folder / name for folder in (HERE / "mixed", HERE / "trial") if (folder / name).is_file())
    frame = pd.read_csv(path, dtype=dict.fromkeys(levels, str))
    for column, own in levels.items():
        if column in frame:
            frame[column] = pd.Categorical(frame[column], categories=own)
    return frame


@pytest.fixture(scope="session")
def read() -> Any:
    """Return the reader of reference data."""
    return read_data


@pytest.fixture(scope="session")
def trial_frame() -> pd.DataFrame:
    """Return the simulated trial of the references."""
    levels = {"arm": ["TAU", "IPT", "CBT"], "problem_area": None}
    frame = pd.read_csv(HERE / "mixed" / "ipt_trial.csv")
    frame["arm"] = pd.Categorical(frame["arm"], categories=levels["arm"])
    return frame
