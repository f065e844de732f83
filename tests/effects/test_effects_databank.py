"""The Metapsy databank's own effect sizes, reproduced from its means, changes and events."""

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.effects import smd, smd_change, smd_from_events

pytestmark = pytest.mark.shared

ARMS = ["mean_arm1", "sd_arm1", "n_arm1", "mean_arm2", "sd_arm2", "n_arm2"]
CHANGES = [f"{stem}_change_{arm}" for arm in ("arm1", "arm2") for stem in ("mean", "sd", "n")]
EVENTS = ["event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2"]


@pytest.fixture(scope="module")
def databank(shared):
    path = shared / "data" / "metapsy-depression-psyctr" / "data.csv"
    return pd.read_csv(path, sep=";", decimal=",", encoding="utf-8", low_memory=False)


def off(effect, rows):
    """Return which rows differ from the databank by more than 1e-9 in effect or SE."""
    gap = np.maximum(np.abs(effect.yi - rows[".g"]), np.abs(effect.se - rows[".g_se"]))
    return ~(gap <= 1e-9)


def test_change_rows(databank):
    rows = databank[databank["outcome_type"] == "change"]
    effect = smd_change(*(rows[name] for name in CHANGES), better="lower", convention="metapsy")
    assert len(rows) == 19
    assert not off(effect, rows).any()


def test_response_and_remission_rows(databank):
    rows = databank[databank["outcome_type"].str.match("response|remission") & databank["event_arm1"].notna()]
    effect = smd_from_events(*(rows[name] for name in EVENTS), event="good", convention="metapsy")
    assert len(rows) == 49
    assert rows["study"][off(effect, rows)].tolist() == ["Kivi, 2014"]
    kivi = (rows["study"] == "Kivi, 2014").to_numpy()
    # the databank has this row's sign the other way round
    np.testing.assert_allclose(effect.yi[kivi], -rows[".g"][kivi], atol=1e-9)
    np.testing.assert_allclose(effect.se[kivi], rows[".g_se"][kivi], atol=1e-9)


def test_ipt_mean_and_sd_rows(databank):
    rows = databank[(databank["outcome_type"] == "msd") & (databank["condition_arm1"] == "ipt")]
    effect = smd(*(rows[name] for name in ARMS), better="lower", convention="metapsy")
    assert len(rows) == 35
    assert not off(effect, rows).any()


def test_nearly_all_mean_and_sd_rows(databank):
    rows = databank[databank["outcome_type"] == "msd"]
    effect = smd(*(rows[name] for name in ARMS), better="lower", convention="metapsy")
    different = off(effect, rows)
    assert len(rows) == 810
    assert int(different.sum()) == 11
    rohde = (rows["study"] == "Rohde, 2014b").to_numpy() & different.to_numpy()
    np.testing.assert_allclose(effect.yi[rohde], -rows[".g"][rohde], atol=1e-9)
