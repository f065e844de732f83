"""The load gate: identifiers in headings and values, keys, ages, ZIP codes; nothing of a person in what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.privacy.identifiers import identifier_in
from ipt_outcomes.privacy.keys import draw_keys, look_alikes
from ipt_outcomes.privacy.patterns import looks_like, scan
from ipt_outcomes.privacy.quasi import anonymity, small_groups, top_age_band, top_ages, zip3

SHA = "ab" * 32


@pytest.mark.parametrize(
    "heading",
    [
        "name", "Patient Name", "patient_name", "surname", "FirstName", "initials", "dob", "Date of Birth",
        "birth_date", "mrn", "NHS Number", "nhs_no", "SSN", "social security number", "e-mail", "email2", "phone",
        "home phone", "tel", "address", "address1", "Postcode", "zip", "zip_code", "url", "ip", "account", "licence",
        "photo", "username", "geburtsdatum", "Geburtsdatum", "Nachname", "vorname", "PLZ", "Straße", "Prénom",
        "date de naissance", "adresse", "apellidos", "fecha nacimiento", "teléfono", "cognome", "codice fiscale",
        "achternaam", "geboortedatum", "bsn", "sobrenome", "data nascimento", "cpf", "name_of_therapist",
        "passport number", "mother_birth_date",
    ],
)  # fmt: skip
def test_headings_that_promise_an_identifier(heading):
    assert identifier_in(heading) is not None


@pytest.mark.parametrize(
    "heading",
    ["homework_name", "phone_sessions", "notes", "site", "ipt", "id", "phq9", "birth_order", "study_name", "group",
     "zipper_task", "streetwise", "mailing_wave", "address_of_grief", "age", "arm", "week", "madrsv1",
     "photosensitive"],
)  # fmt: skip
def test_headings_that_promise_none(heading):
    assert identifier_in(heading) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a.b@example.org", "an e-mail address"),
        ("https://example.org/x", "a web address"),
        ("www.example.org", "a web address"),
        ("192.168.1.10", "an IP address"),
        ("123-45-6789", "a social security number"),
        ("943 476 5919", "an NHS number"),
        ("9434765919", "an NHS number"),
        ("SW1A 1AA", "a postcode"),
        ("m1 1ae", "a postcode"),
        ("10025-1234", "a ZIP code"),
        ("+44 20 7946 0958", "a telephone number"),
        ("020 7946 0958", "a telephone number"),
        ("(212) 555-0199", "a telephone number"),
        ("2019-03-04", "a full date"),
        ("2019-03-04T10:00", "a full date"),
        ("4/3/2019", "a full date"),
        ("04.03.19", "a full date"),
        ("4 March 2019", "a full date"),
        ("Mar 4, 2019", "a full date"),
        ("seen on 4-Mar-2019 at home", "a full date"),
    ],
)
def test_values_that_look_like_identifiers(value, kind):
    assert looks_like(value) == kind


@pytest.mark.parametrize(
    "value",
    ["12.5 (3.1-18.2)", "9434765918", "S01", "week 12", "month_6", "F32.1", "296.22", "12-24", "IPT-2024", "1.2.3", "",
     "usual care", "3/4", "2019", "group 3 of 12", "DSM-5"],
)  # fmt: skip
def test_values_that_do_not(value):
    assert looks_like(value) is None


def test_free_text_is_found_by_length_and_by_variety():
    counts = np.ones(12, dtype=int)
    assert [f.kind for f in scan([f"word {i}" for i in range(12)], counts)] == ["12 different values, as free text has"]
    assert scan(["a", "b", "c"], np.array([1, 1, 1])) == []
    (long,) = scan(["x" * 41, "b"], np.array([2, 9]))
    assert (long.rule, long.count) == ("L4", 2)
    assert scan([f"level {i}" for i in range(21)], np.full(21, 9), most_levels=20)[0].rule == "L4"
    assert scan([f"level {i}" for i in range(20)], np.full(20, 9), most_levels=20) == []


def test_keys_are_different_reproducible_and_of_no_id():
    keys = draw_keys(5000, sha256=SHA, purpose="patient_id", prefix="p")
    assert len(set(keys)) == 5000
    assert keys.tolist() == draw_keys(5000, sha256=SHA, purpose="patient_id", prefix="p").tolist()
    assert set(keys).isdisjoint(draw_keys(5000, sha256="cd" * 32, purpose="patient_id", prefix="p"))
    assert not {k[1:] for k in keys} & {k[1:] for k in draw_keys(5000, sha256=SHA, purpose="therapist_id", prefix="t")}
    # No order to read anything from.
    assert list(keys) != sorted(keys)


@given(st.integers(0, 300))
def test_any_number_of_keys(n):
    assert len(set(draw_keys(n, sha256=SHA, purpose="x", prefix="x"))) == n


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["007", "07", "7"], (1, 3)),
        (["a1", "A1", "a01", "b"], (1, 3)),
        (["x 1", "x1", "y", "y "], (2, 4)),
        (["100", "10", "1"], (0, 0)),
        (["0", "00"], (1, 2)),
        ([], (0, 0)),
    ],
)
def test_ids_that_look_alike(ids, expected):
    assert look_alikes(ids) == expected


def test_ages_and_bands():
    ages, is_top = top_ages(np.array([89.0, 89.9, 90.0, 103.0, np.nan]))
    assert ages.tolist()[:4] == [89.0, 89.9, 90.0, 90.0]
    assert is_top.tolist() == [False, False, True, True, False]
    assert [top_age_band(b) for b in ("18-29", "85-89", "90-94", "95+")] == ["18-29", "85-89", "90+", "90+"]


def test_zip_codes():
    codes = ["10025", "10025-1234", "03601", "036", "SW1A 1AA", "1002", ""]
    assert [zip3(code) for code in codes] == ["100", "100", "000", "000", None, None, None]


def test_small_groups():
    people = pd.DataFrame({"sex": ["f"] * 6 + ["m"], "age": [31, 32, 33, 34, 35, 36, 37], "arm": "ipt"})
    found = small_groups(people, ("sex", "age", "absent"))
    assert found is not None
    assert (found.columns, found.k, found.people, found.unique) == (("sex", "age"), 1, 1, 1)
    assert small_groups(people, ("absent",)) is None
    assert small_groups(people.head(0), ("sex",)) is None


# ---- the whole gate


IDS = ["Q7-Wilhelmina", "Q8-Bartholomew"]
GOOD = pd.DataFrame(
    {
        "patient_id": [IDS[0]] * 2 + [IDS[1]] * 2,
        "week": [0, 8, 0, 8],
        "arm": ["IPT", "IPT", "TAU", "TAU"],
        "phq9": [18, 9, 21, 20],
    }
)
SECRETS = (*IDS, "Wilhelmina", "Bartholomew", "example.org", "Broadmoor", "1931", "SW1A", "55555")


def said_by(error):
    failures = error.failures
    of_scores = failures["column"].isin(["phq9"])
    return "\n".join(
        [str(error), repr(error), failures[~of_scores].to_csv(), failures.loc[of_scores].drop(columns="found").to_csv()]
    )


BAD = {
    "mail": GOOD.assign(stratum="w@example.org"),
    "date": GOOD.assign(stratum=["4 March 1931", "x", "x", "x"]),
    "postcode": GOOD.assign(site="SW1A 1AA"),
    "free text": GOOD.assign(education=["was at Broadmoor for a long time, and came back in spring", "b", "b", "b"]),
    "dob": GOOD.assign(dob="4/3/1931"),
    "name": GOOD.assign(full_name=IDS[0]),
    "unknown": GOOD.assign(remarks=IDS[0]),
    "arm": GOOD.assign(arm=["w@example.org", "IPT", "TAU", "TAU"]),
    "site": GOOD.assign(site=["Wilhelmina", "Bartholomew", "Wilhelmina", "Bartholomew"]),
    "repeats": pd.concat([GOOD, GOOD.assign(phq9=1)]),
    "restart": GOOD.assign(sex=["f", "m", "f", "m"]),
    "no id": GOOD.assign(patient_id=[IDS[0], None, IDS[1], IDS[1]]),
    "score": GOOD.assign(phq9=[55555, 9, 21, 20]),
    "word": GOOD.assign(phq9=["Bartholomew", "9", "21", "20"]),
    "day": GOOD.assign(week=["4/3/1931", "5/3/1931", "4/3/1931", "5/3/1931"]),
    "age": GOOD.assign(age=1931),
    "visit": GOOD.drop(columns="week").assign(visit=["seen by Wilhelmina 4/3/1931", "b", "c", "d"]),
}


@pytest.mark.parametrize("what", BAD)
def test_no_refusal_says_anything_of_a_person(what):
    with pytest.raises(DataError) as caught:
        load_cohort(BAD[what])
    text = said_by(caught.value)
    for secret in SECRETS:
        assert secret not in text, secret
    assert caught.value.__cause__ is None


def test_what_each_refusal_does_say():
    expected = {
        "mail": "stratum: what looks like an e-mail address in 4 cells (L3)",
        "date": "stratum: what looks like a full date in 1 cell (L3)",
        "postcode": "site: what looks like a postcode in 4 cells (L3)",
        "free text": "education: text longer than 40 characters in 1 cell (L4)",
        "dob": "dob: the heading promises a date of birth (L2)",
        "name": "full_name: the heading promises a name (L2)",
        "arm": "what does not look like a code is not shown",
    }
    for what, part in expected.items():
        with pytest.raises(DataError) as caught:
            load_cohort(BAD[what])
        assert part in str(caught.value)


def test_no_original_id_is_anywhere_in_a_cohort():
    table = GOOD.assign(
        therapist=["Dr Wilhelmina"] * 2 + ["Dr Bartholomew"] * 2,
        episode_id=["Bartholomew-1"] * 2 + ["Bartholomew-2"] * 2,
        therapy_group_id="Wilhelmina group",
        cluster_id="Broadmoor",
        assessment_id=["1931-1", "1931-2", "1931-3", "1931-4"],
    )
    cohort = load_cohort(table)
    texts = [
        cohort.summary(),
        repr(cohort),
        cohort._repr_html_(),
        *cohort.notes,
        cohort.gate.to_frame().to_csv(),
        cohort.flow.to_csv(),
    ]
    texts += [frame.to_csv() for frame in (cohort.patients, cohort.episodes, cohort.sessions, cohort.assessments)]
    texts.append(cohort.outcome("phq9", include_baseline=True).to_csv())
    for secret in SECRETS:
        assert secret not in "\n".join(texts), secret
    keyed = [entry.column for entry in cohort.gate.entries if entry.rule == "L8"]
    assert keyed == ["patient_id", "episode_id", "therapist", "therapy_group_id", "cluster_id"]


def test_keys_cannot_be_computed_from_ids():
    one = load_cohort(GOOD).patients["patient_id"].tolist()
    other = load_cohort(GOOD.assign(phq9=[18, 9, 21, 19])).patients["patient_id"].tolist()
    assert set(one).isdisjoint(other)
    assert one == load_cohort(GOOD).patients["patient_id"].tolist()


def test_a_heading_that_promises_an_identifier_is_refused_under_any_name_but_an_id():
    table = GOOD.rename(columns={"patient_id": "nhs_number"}).assign(dob=1, zip="10025")
    with pytest.raises(DataError) as caught:
        load_cohort(table, {"patient_id": "nhs_number", "covariates": {"born": "dob", "area_code": "zip"}})
    text = str(caught.value)
    assert "dob: the heading promises a date of birth (L2); it cannot be read as born" in text
    assert "zip: the heading promises an address (L2)" in text
    assert "nhs_number" not in text
    cohort = load_cohort(table, {"patient_id": "nhs_number", "covariates": {"zip3": "zip"}, "left_out": ["dob"]})
    assert cohort.patients["zip3"].tolist() == ["100", "100"]
    rules = {(entry.rule, entry.action, entry.column) for entry in cohort.gate.entries}
    assert {("L7", "changed", "zip"), ("L2", "left out", "dob")} <= rules


def test_zip_codes_of_other_countries_are_refused():
    with pytest.raises(DataError, match=r"zip: no US ZIP code \(L7\) in 4 of 4 rows"):
        load_cohort(GOOD.assign(zip="D-10115"), {"covariates": {"zip3": "zip"}})


def test_high_ages_are_one_group():
    cohort = load_cohort(GOOD.assign(age=[97, 97, 40, 40]))
    assert cohort.patients["age"].tolist() == [90.0, 40.0]
    assert cohort.patients["age_90_plus"].tolist() == [True, False]
    entry = next(entry for entry in cohort.gate.entries if entry.rule == "L6")
    assert entry.action == "changed"
    assert "97" not in cohort.gate.summary()


def test_covariates_that_number_people_are_refused():
    table = pd.DataFrame({"patient_id": range(10), "phq9": 5, "ref": [7_000_123 + 17 * i for i in range(10)]})
    with pytest.raises(DataError, match="as ids and dates are"):
        load_cohort(table, {"covariates": {"ref": "ref"}})
    with pytest.raises(DataError, match="10 different values, as free text has"):
        load_cohort(table.assign(ref=[f"word{i}" for i in "abcdefghij"]), {"covariates": {"ref": "ref"}})


def test_rare_combinations_are_warned_of():
    cohort = load_cohort(GOOD.assign(sex=["f", "f", "m", "m"], age=[30, 30, 50, 50]))
    entry = next(entry for entry in cohort.gate.entries if entry.rule == "L9")
    assert (entry.action, entry.count) == ("warned", 2)
    assert "k = 1" in entry.detail
    many = pd.DataFrame({"patient_id": range(20), "sex": ["f", "m"] * 10, "phq9": 3})
    assert not any(entry.rule == "L9" for entry in load_cohort(many).gate.entries)


def test_the_name_of_the_file_is_looked_at(tmp_path):
    path = tmp_path / "w@example.org.csv"
    GOOD.to_csv(path, index=False)
    entry = next(entry for entry in load_cohort(path).gate.entries if entry.rule == "L10")
    assert "an e-mail address" in entry.detail
    assert "example.org" not in entry.detail


def test_gate_entries_are_in_the_order_of_the_rules():
    table = GOOD.assign(age=[97, 97, 40, 40], zz=1, sex="f")
    rules = [entry.rule for entry in load_cohort(table, {"left_out": ["zz"]}).gate.entries]
    assert rules == sorted(rules, key=lambda rule: int(rule[1:])) == ["L1", "L6", "L8", "L9"]


def test_words_of_a_person_are_counted_once_per_person():
    table = pd.DataFrame({"patient_id": np.repeat(range(8), 5), "week": list(range(5)) * 8, "phq9": 3})
    remarks = np.repeat([f"remark {letter}" for letter in "abcdefgh"], 5)
    with pytest.raises(DataError, match="8 different values, as free text has"):
        load_cohort(table.assign(education=remarks))
    with pytest.raises(DataError, match="as ids and dates are"):
        load_cohort(table.assign(ref=np.repeat([7_000_000 + i for i in range(8)], 5)), {"covariates": {"ref": "ref"}})
    visits = load_cohort(table.head(5).assign(visit=["one", "two", "three", "four", "five"]))
    assert visits.assessments["visit"].nunique() == 5


# ---- rare combinations, what passed


def test_k_l_and_unique_rows_are_those_of_the_reference(reference):
    found = reference("io/kanonymity")
    table = pd.DataFrame(found["data"])
    quasi = found["quasi_identifiers"]
    banded = table.assign(
        age=[f"{min(int(age // 10 * 10), 90)}+" if age >= 90 else f"{age // 10 * 10}-{age // 10 * 10 + 9}"
             for age in top_ages(table["age"].to_numpy(dtype=float))[0].astype(int)],
        zip=[zip3(code) for code in table["zip"]],
    )  # fmt: skip
    small = banded.groupby(["age", "sex"])["area"].transform("size") < 3
    for data, columns, name in (
        (table, quasi, "as_is"),
        (banded, quasi, "age_bands_zip3"),
        (banded, ["age", "sex"], "age_bands_no_zip"),
        (banded[~small], ["age", "sex"], "age_bands_no_zip_small_groups_removed"),
    ):
        got = anonymity(data, columns, sensitive=found["sensitive"])
        want = found[name]
        assert (got.rows, got.k, got.l, got.unique_rows) == (want["rows"], want["k"], want["l"], want["unique_rows"])
        sizes = {" / ".join(str(part) for part in key): int(size) for key, size in got.sizes.items()}
        assert sizes == want["group_sizes"]


def test_missing_quasi_identifiers_are_a_level():
    assert anonymity(pd.DataFrame({"sex": ["f", "f", None]}), ["sex"]).k == 1


def test_the_column_that_makes_people_rare_is_named():
    table = pd.DataFrame({"patient_id": range(12), "sex": ["f", "m"] * 6, "age": range(20, 80, 5), "phq9": 3})
    cohort = load_cohort(table)
    entry = next(entry for entry in cohort.gate.entries if entry.rule == "L9")
    assert "without age it would be 0" in entry.detail
    assert "rows of persons must not be passed on" in entry.detail
    assert not any(entry.rule == "L9" for entry in load_cohort(table.drop(columns="age")).gate.entries)


def test_the_gate_says_what_it_checked_and_never_that_nobody_can_be_found(tmp_path):
    path = tmp_path / "t.csv"
    GOOD.assign(age=30).to_csv(path, index=False)
    gate = load_cohort(path).gate
    outcome = gate.checks().set_index("rule")["outcome"].to_dict()
    assert list(outcome) == [f"L{n}" for n in range(1, 15)]
    assert (outcome["L8"], outcome["L9"], outcome["L7"], outcome["L6"]) == (
        "changed", "warned", "nothing to check", "passed",
    )  # fmt: skip
    assert gate.passed == ("L1", "L2", "L3", "L4", "L5", "L6", "L10", "L11", "L12", "L13", "L14")
    assert "L14 the file was read safely" in gate.summary()
    assert "L13" not in load_cohort(GOOD).gate.passed
    for text in (gate.summary(), gate.checks().to_csv(), gate.to_frame().to_csv()):
        assert "anonym" not in text.casefold()
