"""Headings taken apart: instrument, time of measurement, total and item, in the forms and languages files have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.io.propose.headings import When, take_apart, when_of
from ipt_outcomes.io.propose.visits import visit_name, weeks_of
from ipt_outcomes.io.propose.words import field_words, folded


@pytest.mark.parametrize(
    ("heading", "instrument", "visit"),
    [
        ("phq9_t0", "phq9", "visit_0"),
        ("PHQ9_T0_baseline", "phq9", "baseline"),
        ("phq9t2", "phq9", "visit_2"),
        ("phq9.week8", "phq9", "week_8"),
        ("w4_phq9", "phq9", "week_4"),
        ("wk12phq9", "phq9", "week_12"),
        ("phq9score_m6", "phq9", "month_6"),
        ("phq9_6mfu", "phq9", "followup_month_6"),
        ("phq9_fu1", "phq9", "followup_1"),
        ("PHQ9_LastScore", "phq9", "post"),
        ("hamd17_total_v2", "hrsd17", "visit_2"),
        ("HAMD_v3_17", "hrsd17", "visit_3"),
        ("madrsv1", "madrs", "visit_1"),
        ("madrst2", "madrs", "visit_2"),
        ("MADRS Woche 12", "madrs", "week_12"),
        ("BDI-II_sum_post", "bdi2", "post"),
        ("bdi2_pre", "bdi2", "baseline"),
        ("epds_12wk", "epds", "week_12"),
        ("EPDS 3 maanden", "epds", "month_3"),
        ("cesd_katamnese", "cesd", "followup"),
        ("madrs_nameting", "madrs", "post"),
        ("madrs_voormeting", "madrs", "baseline"),
        ("phq9_linea_base", "phq9", "baseline"),
        ("phq9_seguimiento_3m", "phq9", "followup_month_3"),
        ("phq9_linha_de_base", "phq9", "baseline"),
        ("phq9_acompanhamento2", "phq9", "followup_2"),
        ("gad7_Sitzung4", "gad7", "session_4"),
        ("core10_s1", "core10", "session_1"),
        ("hads_d_t1", "hads_d", "visit_1"),
        ("wsas_screening", "wsas", "screening"),
    ],
)
def test_instrument_and_time(heading, instrument, visit):
    read = take_apart(heading)
    assert read.named is not None
    assert read.named.options == (instrument,)
    assert read.when is not None
    assert visit_name(read.when) == visit
    assert not read.rest


# The names of a file made to be hard, for one instrument of unknown version.
@pytest.mark.parametrize(
    ("heading", "when", "lone"),
    [
        ("bdi_intake", When("baseline"), None),
        ("wk2bdi", When("week", 2.0), None),
        ("bdi.S3", When("session", 3.0), None),
        ("bdis4", When("session", 4.0), None),
        ("bdi_session5", When("session", 5.0), None),
        ("bdi_weekSix", When("week", 6.0), None),
        ("beck.dep.inv_sess7", When("session", 7.0), None),
        ("weeeek8bdi", When("week", 8.0), None),
        ("bdi_nine", None, 9),
        ("bdii10", None, 10),
        ("bDi11", None, 11),
        ("bdi_s12_end", When("session", 12.0), None),
        ("bdi_fu1", When("followup", 1.0), None),
        ("bdi_followup2", When("followup", 2.0), None),
        ("bdi.2m", When("month", 2.0), None),
        ("bdi.pre", When("baseline"), None),
    ],
)
def test_a_name_without_its_version_stays_open(heading, when, lone):
    read = take_apart(heading)
    assert read.named is not None
    assert read.named.options == ("bdi2", "bdi1")
    assert (read.when, read.lone, read.rest) == (when, lone, "")


@pytest.mark.parametrize(
    ("heading", "item", "lone"),
    [("phq9_1", None, 1), ("phq_01", None, 1), ("phq9_item3", 3, None), ("PHQ-9 Q7", 7, None), ("gad7_2", None, 2),
     ("hamd17_i05", 5, None), ("phq9_frage_4", 4, None)],
)  # fmt: skip
def test_items(heading, item, lone):
    read = take_apart(heading)
    assert read.named is not None
    assert (read.item, read.lone) == (item, lone)


@pytest.mark.parametrize(
    "heading",
    [
        "sasb",
        "vas2",
        "famfun",
        "group",
        "numchild",
        "HAMATOTL",
        "sex",
        "age",
        "time_to_event",
        "shaps",
        "bmi",
        "sbp_t1",
        "",
    ],
)
def test_other_headings_name_no_instrument(heading):
    assert take_apart(heading).named is None


@pytest.mark.parametrize(
    ("text", "visit"),
    [
        ("Before", "baseline"), ("After", "post"), ("pre", "baseline"), ("Post-treatment", "post"),
        ("6-month follow-up", "followup_month_6"), ("week 8", "week_8"), ("baseline_arm_1", "baseline"),
        ("week_16_arm_2", "week_16"), ("VISIT 1", "visit_1"), ("t3", "visit_3"), ("end of treatment", "post"),
        ("Aufnahme", "baseline"), ("Entlassung", "post"), ("Katamnese 2", "followup_2"), ("Messzeitpunkt 3", "visit_3"),
        ("6 Monate", "month_6"), ("12. Woche", "week_12"), ("Vorher", "baseline"),
        ("nulmeting", "baseline"), ("nameting", "post"), ("3 maanden", "month_3"), ("vervolgmeting", "followup"),
        ("línea base", "baseline"), ("postratamiento", "post"), ("seguimiento 6 meses", "followup_month_6"),
        ("semana 12", "week_12"), ("linha de base", "baseline"), ("pós-tratamento", "post"),
        ("acompanhamento", "followup"), ("sessão 5", "session_5"),
    ],
)  # fmt: skip
def test_cells_that_name_a_time(text, visit):
    when = when_of(text)
    assert when is not None
    assert visit_name(when) == visit


@pytest.mark.parametrize("text", ["red", "IPT", "phq9", "n/a", "female", "Dr. May"])
def test_cells_that_name_none(text):
    assert when_of(text) is None


def test_weeks_are_sure_only_where_the_name_says_them():
    times = {name: when_of(name) for name in ("baseline", "week 8", "6 months", "session 4", "followup", "t2")}
    found = {visit.name: (visit.week, visit.sure) for visit in weeks_of(times)}  # type: ignore[arg-type]
    assert found["baseline"] == (0.0, "sure")
    assert found["week 8"] == (8.0, "sure")
    assert found["6 months"] == (26.0, "likely")
    assert found["session 4"] == (4.0, "guess")
    assert found["followup"] == (None, "guess")
    assert found["t2"] == (None, "guess")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_any_heading_can_be_read(heading):
    read = take_apart(heading)
    assert read == take_apart(heading)
    assert read.named is None or read.named.options


def test_no_heading_stands_for_two_fields():
    # A table of words is easily given the same word twice: the later one would win unseen.
    import tomllib

    from ipt_outcomes.resources import shipped

    table = tomllib.loads(shipped("data_schemas", "column_names.toml").read_text(encoding="utf-8"))
    words = [folded(word) for levels in table["fields"].values() for names in levels.values() for word in names]
    assert sorted(words) == sorted(field_words())
    for part in ("visits", "units", "numbers"):
        words = [word for names in table[part].values() for word in names]
        assert len(words) == len(set(words)), part
