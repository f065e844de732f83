"""The registry: the shared facts whole, names never guessed, doubts visible."""

import math
import tomllib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import direction_of, instrument, instrument_name, instruments
from ipt_outcomes.resources import shipped

RULES = tomllib.loads(shipped("data_schemas", "instrument_scoring.toml").read_text(encoding="utf-8"))
RAW = yaml.safe_load(shipped("data_schemas", "instruments.yaml").read_text(encoding="utf-8"))["instruments"]


@pytest.mark.shared
def test_the_facts_are_the_shared_ones(shared):
    ours = shipped("data_schemas", "instruments.yaml").read_bytes()
    assert ours == (shared / "reference" / "instruments.yaml").read_bytes()


def test_every_entry_is_there():
    assert instruments()[: len(RAW)] == tuple(RAW)
    assert len(RAW) == 35
    assert [name for name in instruments() if instrument(name).kind == "process"] == [
        "mood_thermometer",
        "closeness_inner",
        "closeness_middle",
        "closeness_outer",
    ]


@pytest.mark.parametrize("name", RAW)
def test_facts_arrive_as_they_are(name):
    known, raw = instrument(name), RAW[name]
    assert known.name == name
    assert known.title == raw["name"]
    assert known.better == ("lower" if raw["direction"] == "higher_worse" else "higher") == direction_of(name)
    for field, key in {
        "minimum": "total_min",
        "maximum": "total_max",
        "n_items": "n_items",
        "item_min": "item_min",
        "item_max": "item_max",
        "caseness_min": "caseness_min",
        "remission_max": "remission_max",
        "reliable_change": "reliable_change",
        "response_pct": "response_pct",
    }.items():
        assert getattr(known, field) == raw.get(key)
    assert list(known.items_reversed) == RULES.get(name, {}).get("items_reversed", raw["items_reversed"])
    assert list(known.unverified) == [
        str(entry) if isinstance(entry, str) else next(f"{key}: {text}" for key, text in entry.items())
        for entry in raw.get("unverified", ())
    ]
    assert len(known.sources) == len(raw["sources"])
    assert not any("read)" in source for source in known.sources)
    assert known.short


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("phq9", "phq9"),
        ("PHQ-9", "phq9"),
        ("phq9_total", "phq9"),
        ("PHQ-9 score", "phq9"),
        ("hamd17", "hrsd17"),
        ("HAM-D17", "hrsd17"),
        ("HDRS-17", "hrsd17"),
        ("hdrs21", "hamd21"),
        ("BDI-II", "bdi2"),
        ("bdi_ii", "bdi2"),
        ("bdi2", "bdi2"),
        ("BDI-I", "bdi1"),
        ("bdi-1", "bdi1"),
        ("CES-D", "cesd"),
        ("Edinburgh Postnatal Depression Scale", "epds"),
        ("QIDS-SR", "qids_sr16"),
        ("mood thermometer", "mood_thermometer"),
    ],
)
def test_names(text, name):
    assert instrument_name(text) == name
    assert instrument(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "hdrs",
        "hamd",
        "bdi",
        "BDII",
        "phq",
        "gds",
        "hads",
        "qids",
        "phq9_1",
        "phq9 change score",
        "",
        " ",
        None,
        9,
        math.nan,
    ],
)
def test_what_names_no_instrument_or_several_is_not_guessed(text):
    assert instrument_name(text) is None


@settings(deadline=None)
@given(st.one_of(st.text(), st.none(), st.integers(), st.binary()))
def test_no_text_raises(text):
    assert instrument_name(text) is None or instrument_name(text) in instruments()


def test_an_unknown_name_offers_near_ones():
    with pytest.raises(OptionError, match=r"no instrument is named 'hdrs'") as caught:
        instrument("hdrs")
    assert "hrsd17" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "field", "verified"),
    [
        ("phq9", "caseness_min", True),
        ("phq9", "reliable_change", True),
        ("phq9", "remission_max", True),
        ("phq9", "risk_items", False),
        ("phq9", "max_missing", True),
        ("gad7", "caseness_min", True),
        ("gad7", "max_missing", False),
        ("gad7", "alpha", False),
        ("hrsd17", "remission_max", False),
        ("hrsd17", "bands", True),
        ("hrsd17", "reliable_change", False),
        ("bdi2", "alpha", False),
        ("epds", "reliable_change", False),
        ("epds", "caseness_min", True),
        ("cdrs_r", "minimum", False),
        ("cdrs_r", "remission_max", False),
        ("core10", "caseness_min", False),
        ("core10", "reliable_change", False),
        ("core10", "items_reversed", False),
        ("pg13r", "caseness_min", False),
        ("oq45", "caseness_min", False),
        ("oq45", "reliable_change", True),
        ("edeq", "caseness_min", True),
        ("pcl5", "caseness_min", False),
        ("lsas", "maximum", False),
        ("phq9", "items_reversed", True),
        ("bai", "remission_max", False),
    ],
)
def test_what_was_not_confirmed_is_visible(name, field, verified):
    assert instrument(name).is_verified(field) is verified


def test_every_doubt_of_the_review_is_visible():
    """The list of what was not confirmed: EPDS reliable change, CORE-10, CDRS-R, PG-13-R, OQ-45, HADS, HRSD items."""
    assert instrument("epds").doubts("reliable_change")
    assert instrument("hads_d").doubts("items_reversed")
    assert instrument("hrsd17").doubts("item_max")
    with pytest.raises(OptionError, match="no field 'cut'"):
        instrument("phq9").doubts("cut")


@pytest.mark.parametrize(
    ("name", "field", "words"),
    [
        ("phq9", "caseness_min", "PHQ-9: a total of 10 or more"),
        ("phq9", "remission_max", "PHQ-9: a total of 4 or less"),
        ("gad7", "reliable_change", "GAD-7: a change of 4 points or more"),
        ("phq9", "response_pct", "PHQ-9: a fall of 50% or more"),
        ("hrsd17", "remission_max", "HRSD-17: a total of 7 or less (a default, not confirmed in a source)"),
        ("bdi2", "remission_max", None),
    ],
)
def test_cuts_in_words(name, field, words):
    assert instrument(name).rule(field) == words


def test_bands_hold_every_total_once():
    for name in instruments():
        known = instrument(name)
        if known.bands:
            totals = range(int(known.minimum), int(known.maximum) + 1)
            assert all(sum(b.minimum <= t <= b.maximum for b in known.bands) == 1 for t in totals)
            assert all(known.band(t) for t in totals)


def test_a_prorated_total_has_a_band():
    assert instrument("phq9").band(9.6) == "mild"
    assert instrument("phq9").band(15) == "moderately severe"
    assert instrument("phq9").band(math.nan) is None


@pytest.mark.parametrize("name", instruments())
def test_a_description_says_what_was_not_confirmed(name):
    known = instrument(name)
    text = known.describe()
    assert text.startswith(f"{known.short} ({name}): {known.title}")
    assert all(statement in text for statement in (*known.unverified, *known.sources, *known.conflicts))


def test_a_description_in_full():
    text = instrument("gad7").describe()
    assert "total 0 to 21" in text
    assert "caseness_min: a total of 8 or more" in text
    assert "default" not in text
    assert "remission_max: a total of 7 or less (a default" in instrument("hrsd17").describe()
