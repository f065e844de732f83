"""Group levels in words: what a reader of the spreadsheet sees in place of codes."""

from __future__ import annotations

import pytest

from ipt_outcomes.report.levels import in_words


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (
            {"measure": "nhs_talking_therapies", "rate": "recovery"},
            "measure: PHQ-9 and GAD-7 together; rate: Recovered",
        ),
        ({"measure": "gad7", "rule": "starters"}, "measure: GAD-7; rule: All starters, no last score = not improved"),
        (
            {"arm1": "ipt", "arm2": "cbt"},
            "first arm: interpersonal psychotherapy; second arm: cognitive behaviour therapy",
        ),
        ({"rule": "locf", "measure": "OR"}, "rule: Last score carried forward; measure: OR"),
        (
            {"area": "role_dispute", "variable": "hrsd17_baseline"},
            "problem area: role dispute; variable: HRSD-17 at baseline",
        ),
        ({"study": "recovery"}, "study: recovery"),
        ({}, ""),
    ],
)
def test_levels_are_told_in_words(groups: dict[str, str], words: str) -> None:
    assert in_words(groups) == words
