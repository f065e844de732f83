"""Which end of a scale is the good one."""

import pytest

from ipt_outcomes.instruments import direction_of


@pytest.mark.parametrize(
    "name", ["HDRS-17", "hdrs", "bdi-1", "BDI II", "phq9", "PHQ-9", "ces-d", "hamd17", "LSAS", "qids_sr16"]
)
def test_symptom_scales_are_better_when_lower(name: str) -> None:
    assert direction_of(name) == "lower"


@pytest.mark.parametrize("name", ["WHO-5", "who5", "GAF", "SF-12", "sf12_mcs"])
def test_wellbeing_scales_are_better_when_higher(name: str) -> None:
    assert direction_of(name) == "higher"


@pytest.mark.parametrize("name", ["", "17", "our own list", None, 17.0, "-"])
def test_what_is_not_known_is_not_guessed(name: object) -> None:
    assert direction_of(name) is None
