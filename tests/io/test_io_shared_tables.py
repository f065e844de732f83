"""Real study tables load without refusal, and their known traps are found."""

import numpy as np
import pytest

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import load_studies

pytestmark = pytest.mark.shared

EVIDENCE = {
    "ipt_vs_control": (48, 31),
    "ipt_vs_control_all_outcomes": (80, 34),
    "ipt_vs_control_other_populations": (9, 5),
    "ipt_vs_cbt_and_other_psychotherapy": (18, 8),
    "ipt_vs_medication": (21, 14),
    "combination_vs_medication": (18, 10),
    "combination_vs_ipt": (13, 7),
    "ipt_placebo_and_other_pairings": (16, 6),
}
METAPSY = {"depression-psyctr": (900, 480), "depression-inpatients": (143, 34), "total-response": (569, 437)}


def evidence(shared, name):
    return load_studies(shared / "data" / "ipt-evidence" / f"{name}.csv")


def metapsy(shared, name):
    mapping = "metapsy-total-response" if name == "total-response" else None
    return load_studies(shared / "data" / f"metapsy-{name}" / "data.csv", mapping)


def kinds(studies, kind):
    return [warning for warning in studies.warnings if warning.kind == kind]


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_tables_load(shared, name):
    studies = evidence(shared, name)
    assert (len(studies), studies.n_studies) == EVIDENCE[name]
    assert {".g", ".g_se", "mean_arm1"} <= set(studies.comparisons.columns)
    assert studies.excluded.empty


def test_evidence_tables_load_together(shared):
    folder = shared / "data" / "ipt-evidence"
    studies = load_studies([folder / f"{name}.csv" for name in EVIDENCE])
    assert len(studies) == sum(rows for rows, _ in EVIDENCE.values())
    assert studies.comparisons["file"].nunique() == len(EVIDENCE)


@pytest.mark.parametrize("name", METAPSY)
def test_metapsy_tables_load(shared, name):
    studies = metapsy(shared, name)
    assert (len(studies), studies.n_studies) == METAPSY[name]
    assert (studies.source.delimiter, studies.source.decimal) == (";", ",")
    assert len(studies.warnings) <= 20


def test_metapsy_numbers_have_not_lost_a_digit(shared):
    table = metapsy(shared, "depression-psyctr").comparisons
    assert table.loc[0, ".g_se"] == 0.231455024943138
    assert table["n_arm1"].min() == 5.96
    assert (table["condition_arm1"] == "ipt").sum() == 48
    # Published formula, README of the set: 800 of 810 rows reproduce.
    rows = table[table["outcome_type"] == "msd"]
    n = rows["n_arm1"] + rows["n_arm2"]
    squares = (rows["n_arm1"] - 1) * rows["sd_arm1"] ** 2 + (rows["n_arm2"] - 1) * rows["sd_arm2"] ** 2
    g = (rows["mean_arm2"] - rows["mean_arm1"]) / np.sqrt(squares / (n - 2)) * (1 - 3 / (4 * n - 9))
    assert (np.abs(g - rows[".g"]) < 1e-9).sum() >= 798


@pytest.mark.parametrize("name", ["ipt_vs_control", "ipt_vs_control_all_outcomes"])
def test_lenze_2017_sds_look_like_standard_errors(shared, name):
    (warning,) = kinds(evidence(shared, name), "se_as_sd")
    assert warning.studies == ("Lenze, 2017",)
    assert "SDs 1.22 and 1.72" in str(warning)
    assert "(5.59, 7.88)" in str(warning)


def test_rohde_2014b_has_the_opposite_sign(shared):
    studies = {name for w in kinds(metapsy(shared, "depression-psyctr"), "sign") for name in w.studies}
    assert "Rohde, 2014b" in studies
    assert len(studies) == 2


def test_inpatients_are_reversed_as_a_whole(shared):
    (warning,) = kinds(metapsy(shared, "depression-inpatients"), "sign")
    assert "whole table is reversed: in 106 of 106 rows" in str(warning)


def test_shared_controls_of_the_databank(shared):
    whole = metapsy(shared, "depression-psyctr")
    (warning,) = kinds(whole, "shared_control")
    assert {"Power, 2012", "Elkin, 1989"} <= set(warning.studies)
    assert kinds(whole.where(condition_arm1="ipt"), "shared_control") == []
    (power,) = kinds(whole.where(study="Power, 2012"), "shared_control")
    assert str(power).startswith("Power, 2012: one control group (wl, n = 10) is compared with")


def test_ipt_rows_of_the_response_set(shared):
    whole = metapsy(shared, "total-response").where(therapy="Interpersonal Therapy")
    copy = load_studies(shared / "data" / "ipt-evidence" / "ipt_response.csv", "metapsy-total-response")
    assert len(whole) == len(copy) == 19
    for column in ("event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2", ".log_rr"):
        ours, theirs = (s.comparisons.sort_values("effect_label")[column].to_numpy() for s in (whole, copy))
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    assert set(whole.comparisons["event"]) == {"good"}
    assert set(whole.comparisons["condition_arm2"]) == {"control"}


def test_orient_the_combination_file(shared):
    studies = evidence(shared, "combination_vs_ipt").orient("ipt")
    # Nine rows have IPT alone as arm 1 already; in the others no arm is IPT alone (IPT with pill placebo is not).
    assert not studies.comparisons["turned"].any()
    turned = evidence(shared, "combination_vs_ipt").orient("combination").comparisons
    assert turned["turned"].sum() == 9
    assert turned.loc[turned["turned"], ".g"].tolist() == [
        -g for g in evidence(shared, "combination_vs_ipt").comparisons[".g"][:9]
    ]


@pytest.mark.parametrize("name", ["linde2016_full", "published_pooled"])
def test_tables_of_another_kind_say_what_is_missing(shared, name):
    with pytest.raises(DataError, match="there must be a column 'study'"):
        evidence(shared, name)
