"""Proposed mappings: fields by heading, label and values, in several languages; guesses wait for a person."""

from __future__ import annotations

import tomllib

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import OptionError
from ipt_outcomes.io import CohortMapping, Mapping, ProposedMapping, propose_mapping, read_cohort_mapping


def becomes(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Column to what it becomes and how sure that is."""
    frame = propose_mapping(table).to_frame()
    return {row.column: (row.becomes, row.confidence) for row in frame.itertuples()}


def long_table(**columns: list[object]) -> pd.DataFrame:
    """Three people at two weeks, with further columns of six cells."""
    return pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "week": [0, 8] * 3, "phq9": [18, 9, 21, 12, 15, 4], **columns})


def per_person(*cells: object) -> list[object]:
    return [cell for cell in cells for _ in range(2)]


@pytest.mark.parametrize("heading", [
    "patient_id", "id", "PID", "Patient", "subject", "USUBJID", "record_id", "study_no", "Probanden-ID",
    "Patientencode", "deelnemer", "paciente", "id_participante", "sujeito",
])  # fmt: skip
def test_the_person(heading):
    table = long_table().rename(columns={"id": heading})
    assert becomes(table)[heading][0] == "patient_id"


@pytest.mark.parametrize(
    ("heading", "cells", "field"),
    [
        ("Gruppe", ("IPT", "Warteliste", "IPT"), "arm"),
        ("Behandlung", ("IPT", "übliche Behandlung", "KVT"), "arm"),
        ("conditie", ("IPT", "wachtlijst", "gebruikelijke zorg"), "arm"),
        ("grupo", ("IPT", "lista de espera", "grupo control"), "arm"),
        ("tratamento", ("terapia interpessoal", "tratamento usual", "lista de espera"), "arm"),
        ("treatment", ("IPT", "TAU", "CBT"), "arm"),
        ("tx", ("IPT", "Control", "IPT"), "arm"),
        ("Problembereich", ("Trauer", "Rollenkonflikt", "Rollenwechsel"), "problem_area_primary"),
        ("probleemgebied", ("rouw", "rolovergang", "eenzaamheid"), "problem_area_primary"),
        ("área problemática", ("duelo", "disputa interpersonal", "transición de rol"), "problem_area_primary"),
        ("foco IPT", ("luto", "disputa interpessoal", "solidão"), "problem_area_primary"),
        ("focus area", ("complicated grief", "relational conflict", "life change"), "problem_area_primary"),
        ("secondary focus", ("grief", "role dispute", "none"), "problem_area_secondary"),
        ("Geschlecht", ("weiblich", "männlich", "divers"), "sex"),
        ("geslacht", ("vrouw", "man", "vrouw"), "sex"),
        ("sexo", ("mujer", "hombre", "mujer"), "sex"),
        ("gênero", ("feminino", "masculino", "feminino"), "sex"),
        ("gender", ("F", "M", "F"), "sex"),
    ],
)
def test_coded_fields_in_several_languages_are_sure_where_every_code_is_known(heading, cells, field):
    table = long_table(**{heading: per_person(*cells)})
    assert becomes(table)[heading] == (field, "sure")
    cohort = ipt.load_cohort(table, propose_mapping(table).mapping)
    found = {**cohort.patients, **cohort.episodes}[field]
    assert found.notna().all()


@pytest.mark.parametrize(
    ("heading", "cells", "field"),
    [
        ("Alter", (31, 45, 62), "age"), ("leeftijd", (31, 45, 62), "age"), ("edad", (31, 45, 62), "age"),
        ("idade", (31, 45, 62), "age"), ("Zentrum", ("A", "B", "A"), "site_id"), ("sede", ("A", "B", "A"), "site_id"),
        ("Therapeut", ("T1", "T2", "T1"), "therapist_id"), ("behandelaar", ("T1", "T2", "T1"), "therapist_id"),
        ("terapeuta", ("T1", "T2", "T1"), "therapist_id"), ("centre", ("A", "B", "A"), "site_id"),
        ("IMD decile", (1, 5, 10), "imd_decile"),
    ],
)  # fmt: skip
def test_other_fields(heading, cells, field):
    assert becomes(long_table(**{heading: per_person(*cells)}))[heading][0] == field


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Messzeitpunkt", ["Aufnahme", "Entlassung"]), ("Zeitpunkt", ["Vorher", "Katamnese"]),
        ("meetmoment", ["voormeting", "nameting"]), ("momento", ["línea base", "seguimiento"]),
        ("avaliação", ["linha de base", "pós-tratamento"]), ("timepoint", ["pre", "post"]),
        ("visit", ["baseline", "week 8"]),
        ("Welle", ["t0", "t1"]),
    ],
)  # fmt: skip
def test_visits_in_rows(heading, cells):
    table = long_table().drop(columns="week").assign(**{heading: cells * 3})
    found = propose_mapping(table)
    assert becomes(table)[heading] == ("visit", "sure") or becomes(table)[heading] == ("visit", "likely")
    weeks = {visit.name: visit.week for visit in found.visits}
    assert weeks[cells[0]] == 0.0
    assert weeks[cells[1]] == (8.0 if cells[1] == "week 8" else None)


def test_values_decide_between_candidates():
    # A group that people change is hardly an arm; a mean score is no session number; scores out of range are no PHQ-9.
    table = long_table(group=[f"g{n}" for n in range(6)], session=[1.5, 2.5] * 3, phq9_week=[40, 41] * 3)
    found = becomes(table)
    assert found["group"] == ("arm", "guess")
    assert found["session"][0] == "to decide"
    assert found["phq9_week"][0] == "to decide"


def test_a_guess_is_written_marked_and_does_not_load():
    table = long_table().rename(columns={"phq9": "bdi", "week": "time"})
    proposal = propose_mapping(table)
    assert set(proposal.undecided) == {"bdi", "time", "[visits]"}
    text = proposal.to_toml()
    assert 'bdi2 = "bdi"  # guess' in text
    with pytest.raises(OptionError, match="not decided yet"):
        ipt.load_cohort(table, proposal.mapping)
    with pytest.raises(OptionError, match="not decided yet"):
        read_cohort_mapping(tomllib.loads(text))


def test_what_is_not_recognised_never_passes():
    table = long_table(shoe_size=[41, 41, 38, 38, 44, 44])
    proposal = propose_mapping(table)
    assert proposal.undecided == ("shoe_size",)
    with pytest.raises(OptionError, match="shoe_size"):
        ipt.load_cohort(table, proposal.mapping)
    assert "shoe_size" not in ipt.load_cohort(table, proposal.decided(left_out=["shoe_size"])).patients
    kept = ipt.load_cohort(table, proposal.decided(covariates={"shoe_size": "shoe_size"}))
    assert kept.patients["shoe_size"].tolist() == [41, 38, 44]
    assert (
        ipt.load_cohort(table, proposal.leaving_out_unknown().mapping).gate.to_frame()["column"].eq("shoe_size").any()
    )


def test_an_ambiguous_area_is_asked_and_never_an_alias():
    table = long_table(area=per_person("grief", "adjustment difficulties", "role dispute"))
    proposal = propose_mapping(table)
    codes = {code.written: code for code in proposal.codes}
    assert codes["adjustment difficulties"].code is None
    assert "say which code" in codes["adjustment difficulties"].why
    assert '"adjustment difficulties" = "?"' in proposal.to_toml()
    assert "[codes.problem_area_primary]" in proposal.undecided


def test_metacognitive_interpersonal_therapy_is_not_ipt():
    table = long_table(arm=per_person("IPT", "MIT", "metacognitive interpersonal therapy"))
    codes = {code.written: code.code for code in propose_mapping(table).codes}
    assert codes == {
        "IPT": "ipt",
        "MIT": "other_psychotherapy",
        "metacognitive interpersonal therapy": "other_psychotherapy",
    }


def test_unknown_codes_are_asked_with_the_nearest():
    table = long_table(arm=per_person("IPT", "usualcare", "zzz"))
    codes = {code.written: code for code in propose_mapping(table).codes}
    assert codes["usualcare"].code is None
    assert "usual_care" in codes["usualcare"].why
    assert codes["zzz"].code is None


def test_two_codes_of_one_label_are_asked(tmp_path):
    import pyreadstat

    table = pd.DataFrame({"pid": [1.0, 2.0, 3.0], "tx": [1.0, 2.0, 3.0], "phq9": [4.0, 8.0, 9.0]})
    labels = {"tx": {1.0: "Usual care", 2.0: "Usual care", 3.0: "IPT"}}
    pyreadstat.write_sav(table, str(tmp_path / "t.sav"), variable_value_labels=labels)
    codes = {code.written: (code.code, code.sure) for code in propose_mapping(tmp_path / "t.sav").codes}
    assert codes == {"1": ("usual_care", "guess"), "2": ("usual_care", "guess"), "3": ("ipt", "sure")}


def test_numbers_without_labels_are_asked():
    proposal = propose_mapping(long_table(sex=per_person(1, 2, 2), group=per_person(1, 2, 3)))
    text = proposal.to_toml()
    assert '[codes.sex]\n"1" = "?"' in text
    assert {"[codes.sex]", "[codes.arm]"} <= set(proposal.undecided)


def test_letters_that_mean_opposite_things_in_two_languages_are_asked():
    # H and M: hombre and mujer in Spanish; M alone would be read as male.
    proposal = propose_mapping(long_table(sexo=per_person("H", "M", "M")))
    codes = {code.written: (code.code, code.sure) for code in proposal.codes}
    assert codes["M"][1] == "guess"
    assert codes["H"][1] == "guess"
    assert "[codes.sex]" in proposal.undecided


def test_items_and_visits_are_told_apart_by_their_values():
    items = {f"phq_{n}": [0, 1, 2, 3, 1, 2] for n in range(1, 10)}
    found = becomes(long_table(**items).drop(columns="phq9"))
    assert [found[f"phq_{n}"][0] for n in range(1, 10)] == [f"phq9_{n}" for n in range(1, 10)]
    wide = pd.DataFrame({"id": [1, 2, 3], **{f"madrs_{n}": [30, 20 + n, 12] for n in (1, 2, 3)}})
    found = becomes(wide)
    assert [found[f"madrs_{n}"][0] for n in (1, 2, 3)] == [f"madrs at visit_{n}" for n in (1, 2, 3)]


def test_a_total_beside_its_items():
    items = {f"phq9_{n:02d}": [2, 1, 2, 1, 2, 0] for n in range(1, 10)}
    table = long_table(**items).assign(phq9=lambda t: t[[f"phq9_{n:02d}" for n in range(1, 10)]].sum(axis=1))
    found = becomes(table)
    assert found["phq9"][0] == "phq9"
    assert found["phq9_03"][0] == "phq9_3"
    cohort = ipt.load_cohort(table, propose_mapping(table).mapping)
    assert cohort.outcome("phq9")["phq9"].tolist() == [9, 9, 0]


def test_a_baseline_column_is_recognised_by_what_it_repeats():
    found = becomes(long_table(baseline=per_person(18, 21, 15)))
    assert found["baseline"] == ("phq9 at baseline, in every row", "sure")
    # Other numbers are asked about.
    assert becomes(long_table(baseline=per_person(11, 12, 13)))["baseline"][1] == "guess"


def test_codes_for_missing_scores_are_asked():
    proposal = propose_mapping(long_table().replace({"phq9": {12: -9}}))
    assert proposal.undecided == ("[missing.phq9]",)
    plan = proposal.decided(accept=["[missing.phq9]"])
    assert ipt.load_cohort(long_table().replace({"phq9": {12: -9}}), plan).outcome("phq9")["phq9"].notna().sum() == 2


def test_dates_become_days_once_the_start_is_confirmed():
    table = long_table(
        start_date=per_person("2020-01-06", "2020-02-03", "2020-03-02"),
        visit_date=["2020-01-06", "2020-03-02", "2020-02-03", "2020-03-30", "2020-03-02", "2020-04-27"],
    ).drop(columns="week")
    proposal = propose_mapping(table)
    assert proposal.undecided == ("[dates]",)
    assert 'order = "iso"' in proposal.to_toml()
    cohort = ipt.load_cohort(table, proposal.decided(accept="all"))
    assert cohort.assessments["day"].tolist() == [0, 56, 0, 56, 0, 56]


def test_nothing_of_persons_is_shown():
    table = long_table(
        Surname=per_person("Weatherby", "Oyelaran", "Zylberstein"),
        email=per_person("a@example.org", "b@example.org", "c@example.org"),
        remarks=["came late", "lives with his aunt in the hills", "x", "y", "z", "w"],
        nhs_no=per_person(9434765919, 9434765870, 9434765828),
        born=per_person("1980-02-03", "1975-05-06", "1990-10-11"),
    )
    proposal = propose_mapping(table)
    assert {"Surname", "email", "remarks", "nhs_no", "born"} <= set(proposal.undecided)
    for text in (proposal.to_toml(), proposal.summary(), proposal._repr_html_(), proposal.to_frame().to_string()):
        for value in ("Weatherby", "example.org", "aunt", "9434765919", "1980"):
            assert value not in text


def test_hostile_headings_stay_text():
    heading = 'x"]\nundecided = []\n# <script>alert(1)</script>'
    proposal = propose_mapping(long_table(**{heading: [1] * 6}))
    read = tomllib.loads(proposal.to_toml())
    assert read["undecided"] == [heading]
    assert "<script>" not in proposal._repr_html_()


def test_the_toml_reads_back_as_the_mapping():
    table = long_table(arm=per_person("IPT", "TAU", "IPT"), sex=per_person("f", "m", "f"))
    proposal = propose_mapping(table)
    assert proposal.undecided == ()
    read = read_cohort_mapping(tomllib.loads(proposal.to_toml()))
    assert read.to_dict() == proposal.mapping.to_dict()
    assert isinstance(proposal.mapping, CohortMapping)


def test_a_table_of_studies_gets_its_own_mapping():
    table = pd.DataFrame({"studlab": ["A", "B"], "arm1": ["ipt"] * 2, "arm2": ["cau"] * 2, "m1": [9, 8], "sd1": [5, 5],
                          "n1": [30, 30], "m2": [12, 12], "sd2": [5, 5], "n2": [30, 30], "note": ["", ""]})  # fmt: skip
    proposal = propose_mapping(table)
    assert proposal.kind == "comparisons"
    assert isinstance(proposal.mapping, Mapping)
    assert dict(proposal.mapping.columns)["mean_arm1"] == "m1"
    assert tomllib.loads(proposal.to_toml())["columns"] == dict(proposal.mapping.columns)
    with pytest.raises(OptionError, match="studies"):
        proposal.decided(accept="all")


def test_decisions_that_do_not_fit_are_refused():
    proposal = propose_mapping(long_table(shoe_size=[1] * 6))
    with pytest.raises(OptionError, match="nothing proposed to accept: shoe_size"):
        proposal.decided(accept=["shoe_size"])
    with pytest.raises(OptionError, match="not decided yet"):
        proposal.decided(accept="all")


def test_it_is_found_at_the_top():
    assert ipt.propose_mapping is propose_mapping
    assert isinstance(propose_mapping(long_table()), ProposedMapping)


def test_the_order_of_rows_does_not_matter():
    table = long_table(arm=per_person("IPT", "TAU", "CBT"), area=per_person("grief", "loss", "none"))
    shuffled = table.sample(frac=1, random_state=3).reset_index(drop=True)
    assert propose_mapping(shuffled).to_toml() == propose_mapping(table).to_toml()


@pytest.mark.parametrize(
    ("cells", "field", "sure"),
    [
        (["Grief", "Role dispute", "Role transition", "Grief"], "problem_area_primary", "likely"),
        (["Trauer", "Rollenwechsel", "Trauer", "Einsamkeit"], "problem_area_primary", "likely"),
        (["female", "male", "female", "male"], "sex", "likely"),
        (["IPT", "Warteliste", "IPT", "Warteliste"], "arm", "guess"),
        (["attended", "did not attend", "attended", "attended"], "attended", "likely"),
    ],
)
def test_values_tell_where_the_heading_says_nothing(cells, field, sure):
    table = pd.DataFrame({"id": list("abcd"), "v07": cells, "phq9_pre": 12, "phq9_w8": 8})
    line = next(one for one in propose_mapping(table).lines if one.column == "v07")
    assert (line.name, line.sure) == (field, sure)
    assert "every one is a code of" in line.why


@pytest.mark.parametrize(
    "cells", [["yes", "no", "yes", "no"], ["f", "m", "f", "m"], ["1", "2", "1", "2"], ["Grief", "tea", "Grief", "tea"]]
)
def test_values_that_may_be_anything_tell_nothing(cells):
    table = pd.DataFrame({"id": list("abcd"), "v07": cells, "phq9_pre": 12, "phq9_w8": 8})
    assert next(one for one in propose_mapping(table).lines if one.column == "v07").part == "undecided"


def test_labels_of_columns_are_read_past_words_that_say_whose(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    labels = {"v1": "Patient number", "v2": "Sex of the patient", "v3": "Age (years)", "v5": "PHQ-9 total, baseline",
              "v4": "Primary problem area (IPT)", "v6": "PHQ-9 total, week 12"}  # fmt: skip
    table = pd.DataFrame({"v1": [1, 2, 3.0], "v2": [1, 2, 1.0], "v3": [33, 44, 55.0], "v4": [1, 2, 1.0],
                          "v5": [18, 12, 9.0], "v6": [9, 8, 3.0]})  # fmt: skip
    values = {"v2": {1: "male", 2: "female"}, "v4": {1: "Grief", 2: "Role dispute"}}
    file = tmp_path / "v.sav"
    pyreadstat.write_sav(table, file, column_labels=labels, variable_value_labels=values)
    named = {line.column: (line.name, line.visit) for line in propose_mapping(file).lines}
    assert named == {"v1": ("patient_id", ""), "v2": ("sex", ""), "v3": ("age", ""), "v4": ("problem_area_primary", ""),
                     "v5": ("phq9", "baseline"), "v6": ("phq9", "week_12")}  # fmt: skip
