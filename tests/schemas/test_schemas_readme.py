"""What the README of the data dictionary shows of mappings is read as it stands there."""

import re
import tomllib

import pytest

from ipt_outcomes.io import read_cohort_mapping
from ipt_outcomes.resources import shipped

# Other sections show other files of TOML.
OF_MAPPINGS = ("A folder of tables", "Items in a mapping", "Times and baselines in a mapping")
SECTIONS = dict(
    re.findall(
        r"^## (.*?)\n(.*?)(?=^## |\Z)", shipped("data_schemas", "README.md").read_text(encoding="utf-8"), re.M | re.S
    )
)
TEXT = "\n".join(SECTIONS[title] for title in OF_MAPPINGS)
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_examples_are_mappings(block):
    raw = tomllib.loads(block)
    plan = read_cohort_mapping(raw)
    assert read_cohort_mapping(tomllib.loads(plan.to_toml())) == plan


@pytest.mark.parametrize(
    "part",
    ["wide_items", "instruments", "days", "sessions", "sheet", "exclude", "windows", "dates", "tables", "baseline"],
)
def test_every_part_a_person_may_need_is_shown(part):
    assert (
        re.search(rf"\[{part}[.\]]|^{part} = |`{part} = ", TEXT, flags=re.MULTILINE)
        or f"[tables.patients] {part}" in TEXT
    )
