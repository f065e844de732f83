"""Citations of cut-offs: known keys only, and a work for every cut-off the registry holds as confirmed."""

from __future__ import annotations

import tomllib

import pytest
import yaml

from ipt_outcomes.clinic.measures import cuts_of
from ipt_outcomes.instruments import instruments
from ipt_outcomes.report.sources import named, works_on
from ipt_outcomes.resources import shipped

RAW = tomllib.loads(shipped("reports", "citations.toml").read_text(encoding="utf-8"))


def test_every_key_is_one_of_the_registry() -> None:
    registry = yaml.safe_load(shipped("data_schemas", "instruments.yaml").read_text(encoding="utf-8"))
    assert set(RAW["works"]) <= set(registry["source_list"])
    for name, defines in RAW["defines"].items():
        assert set(defines) <= {"range", "caseness", "reliable_change", "remission"}
        for keys in defines.values():
            assert set(keys) <= set(registry["instruments"][name]["sources"]), name


@pytest.mark.parametrize("name", instruments())
def test_a_confirmed_cut_off_has_a_work(name: str) -> None:
    cuts = cuts_of(name)
    confirmed = [cut for cut in cuts.sources if cut not in cuts.unverified]
    assert all(works_on(name, cut) for cut in confirmed), confirmed


@pytest.mark.parametrize("work", RAW["works"].values(), ids=list(RAW["works"]))
def test_a_citation_is_no_note_of_whoever_read_it(work: dict[str, str]) -> None:
    assert not any(word in work["text"] for word in ("(read)", "abstract read", ">=", "<=", "doi 10"))
    assert work["text"].endswith(".")
    assert work.get("doi", "10.").startswith("10.")


def test_works_are_named_in_one_line() -> None:
    assert named(works_on("phq9", "caseness")).startswith("Kroenke et al., 2001; ")
    assert works_on("phq9", "nothing") == ()
