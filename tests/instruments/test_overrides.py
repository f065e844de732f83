"""A user's own facts: checked, marked wherever they are shown, never without a source."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import SETTABLE, instrument, instruments, instruments_with, score


def test_a_default_is_marked_until_somebody_gives_a_source():
    known = instrument("core10")
    assert known.rule("caseness_min") == "CORE-10: a total of 11 or more (a default, not confirmed in a source)"
    own = known.with_(cutoff=12, source="Steverson 2024")
    assert own.rule("caseness_min") == "CORE-10: a total of 12 or more (set by the user: Steverson 2024)"
    assert own.doubts("caseness_min") == ()
    assert own.doubts("reliable_change")
    assert "caseness_min: a total of 12 or more (set by the user: Steverson 2024)" in own.describe()
    assert own.override("caseness_min").before == 11
    assert known.caseness_min == 11


def test_the_cutoff_of_a_scale_where_higher_is_better():
    own = instrument("who5").with_(cutoff=50, source="Topp 2015")
    assert (own.caseness_max, own.caseness_min) == (50, None)
    assert own.rule("caseness_max") == "WHO-5: a total of 50 or less (set by the user: Topp 2015)"


def test_an_own_rule_for_unanswered_items_is_used_and_said():
    own = instrument("gad7").with_(max_missing=1, source="our protocol")
    found = score(own, [[1, 1, 1, 1, 1, 1, None]])
    assert found.total.tolist() == [7.0]
    assert "set by the user: our protocol" in found.notes[0]
    ranged = instrument("hamd21").with_(item_max=4, source="our manual")
    assert score(ranged, [[1] * 21]).total.tolist() == [21]
    turned = instrument("core10").with_(raw_order=False, source="export of our system")
    assert score(turned, [[1] * 10]).total.tolist() == [10]


def test_tables_of_a_mapping():
    own = instruments_with({"PHQ-9": {"cutoff": 12, "source": "A"}, "hamd17": {"remission": 6, "source": "B"}})
    assert sorted(own) == ["hrsd17", "phq9"]
    assert own["hrsd17"].rule("remission_max") == "HRSD-17: a total of 6 or less (set by the user: B)"
    assert instruments_with(None) == {}


def test_all_faults_at_once():
    with pytest.raises(OptionError) as caught:
        instruments_with({
            "phq9": {"cutoff": 40, "alpha": 2, "colour": 1},
            "phq-9": {"cutoff": 12, "source": "x"},
            "hdrs": {"cutoff": 3, "source": "x"},
            "gad7": 3,
            "epds": {"source": "x"},
        })  # fmt: skip
    for words in (
        "a source is needed", "colour", "caseness_min must be within 0 to 27; got 40", "alpha must be within 0 to 1",
        "no instrument is named 'hdrs'", "[instruments.gad7] must be a table", "EPDS: nothing to set",
    ):  # fmt: skip
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"max_missing": 9}, "within 0 to 8"),
        ({"max_missing": 1.5}, "a whole number"),
        ({"reliable_change": 0}, "above 0"),
        ({"reliable_change": True}, "a number"),
        ({"response_pct": 120}, "within 0 to 100"),
        ({"items_reversed": [10]}, "items of 1 to 9"),
        ({"items_reversed": [1, 1]}, "items of 1 to 9"),
        ({"raw_order": "yes"}, "true or false"),
        ({"risk_items": [{"item": 30, "flag_min": 1}]}, "a list of"),
        ({"better": "up"}, "'lower' or 'higher'"),
        ({"cutoff": float("nan")}, "a number"),
        ({"cutoff": 10, "caseness_min": 11}, "given twice"),
    ],
)
def test_values_a_field_cannot_have(values, words):
    with pytest.raises(OptionError, match=words):
        instrument("phq9").with_(source="x", **values)


def test_none_takes_a_value_away_and_the_latest_word_counts():
    own = instrument("phq9").with_(remission=None, source="A")
    assert own.rule("remission_max") is None
    again = own.with_(remission=3, source="B")
    assert again.rule("remission_max") == "PHQ-9: a total of 3 or less (set by the user: B)"
    assert len(again.overrides) == 1


@pytest.mark.parametrize("name", instruments())
def test_every_cut_that_is_shown_is_marked_if_it_was_not_confirmed(name):
    known = instrument(name)
    for line in known.describe().splitlines():
        field = line.strip().split(":")[0]
        if field in SETTABLE:
            assert ("a default" in line) == bool(known.doubts(field))


@given(st.text(min_size=1), st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers())))
def test_no_table_raises_anything_else(name, value):
    with contextlib.suppress(OptionError):
        assert set(instruments_with({"phq9": {name: value, "source": "x"}})) == {"phq9"}
