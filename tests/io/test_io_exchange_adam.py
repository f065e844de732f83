"""ADaM data sets against values worked by hand, and the files they are written to."""

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from ipt_outcomes import simulate
from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.instruments import instruments, instruments_with
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.exchange import adam_files, adam_tables, to_adam
from ipt_outcomes.io.exchange.adam_spec import DATASETS, dataset, parameter_code

# id, week, phq9: one responds at week 4, one only at 8, one never, one is never seen again, one has no baseline.
ROWS = [
    ("a", 0, 20), ("a", 4, 10), ("a", 8, 4),
    ("b", 0, 20), ("b", 4, 11), ("b", 8, 9),
    ("c", 0, 20), ("c", 4, 19), ("c", 8, None),
    ("d", 0, 20),
    ("e", 4, 12), ("e", 8, 3),
    ("f", -1, 9), ("f", 0, 8), ("f", 4, 2),
]  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    table = pd.DataFrame(ROWS, columns=["patient_id", "week", "phq9"])
    table["arm"] = np.where(table["patient_id"].isin(["a", "b", "f"]), "ipt", "usual_care")
    table["sex"] = "female"
    return load_cohort(table)


@pytest.fixture(scope="module")
def tables(cohort):
    return adam_tables(cohort, study_id="IPT-1")


def of(frame, cohort, letter):
    """Rows of a person; keys are random, so the person is found by the order of the file."""
    order = list(dict.fromkeys(row[0] for row in ROWS))
    key = cohort.patients["patient_id"].iloc[order.index(letter)]
    return frame[frame["USUBJID"] == f"IPT-1-{key}"].reset_index(drop=True)


def test_subjects(cohort, tables):
    assert len(tables.adsl) == 6
    assert tables.adsl["STUDYID"].unique().tolist() == ["IPT-1"]
    assert tables.adsl["SEX"].unique().tolist() == ["F"]
    assert of(tables.adsl, cohort, "a")["TRT01P"].tolist() == ["interpersonal psychotherapy"]
    assert of(tables.adsl, cohort, "c")["TRT01PN"].tolist() == [1]
    assert "TRT02P" not in tables.adsl
    assert not tables.adsl["USUBJID"].str.contains(r"-[a-f]$").any()


def test_questionnaires(cohort, tables):
    mine = of(tables.adqs, cohort, "a")
    assert mine[["AVISIT", "AVISITN", "ADY", "AVAL", "BASE"]].values.tolist() == [
        ["Week 0", 0, 1, 20, 20], ["Week 4", 4, 29, 10, 20], ["Week 8", 8, 57, 4, 20],
    ]  # fmt: skip
    assert mine["CHG"].tolist()[1:] == [-10, -16]
    assert mine["PCHG"].tolist()[1:] == [-50, -80]
    assert np.isnan(mine["CHG"][0])
    assert mine["ABLFL"].tolist() == ["Y", "", ""]
    assert mine["ANL01FL"].tolist() == ["Y", "Y", "Y"]
    assert mine["PARAMCD"].unique().tolist() == ["PHQ9"]
    assert mine["TRTP"].unique().tolist() == ["interpersonal psychotherapy"]
    two = of(tables.adqs, cohort, "f")
    assert two["ABLFL"].tolist() == ["", "Y", ""]
    assert two["ADY"].tolist() == [-7, 1, 29]
    assert two["BASE"].unique().tolist() == [8]
    gone = of(tables.adqs, cohort, "c")
    assert gone["QSSTAT"].tolist() == ["", "", "NOT DONE"]
    assert gone["ANL01FL"].tolist() == ["Y", "Y", ""]
    assert of(tables.adqs, cohort, "e")["BASE"].isna().all()


def test_times_to_events(cohort, tables):
    tte = tables.adtte
    response = tte[tte["PARAMCD"] == "RSPHQ9"]
    expected = {"a": (29, 0), "b": (57, 0), "c": (29, 1), "d": (1, 2)}
    for letter, (day, censored) in expected.items():
        assert of(response, cohort, letter)[["AVAL", "CNSR"]].values.tolist() == [[day, censored]]
    # No baseline; and a baseline below the least at which response counts.
    assert of(response, cohort, "e").empty
    assert of(response, cohort, "f").empty
    remission = tte[tte["PARAMCD"] == "RMPHQ9"]
    assert of(remission, cohort, "a")[["AVAL", "CNSR"]].values.tolist() == [[57, 0]]
    assert of(remission, cohort, "b")[["AVAL", "CNSR", "CNSDTDSC"]].values.tolist() == [
        [57, 1, "LAST ASSESSMENT WITH A VALUE"]
    ]
    assert of(remission, cohort, "f")[["AVAL", "CNSR"]].values.tolist() == [[29, 0]]
    assert any("RSPHQ9: left out: 1 episodes without a baseline, 1 whose baseline" in note for note in tables.notes)
    rule = next(rule for rule in tables.rules if rule.code == "RSPHQ9")
    assert rule.rule == "a fall of 50% or more; baseline of 10 or more"
    assert rule.confirmed


def test_the_user_s_own_cut_is_used_and_named(cohort):
    own = instruments_with({"phq9": {"remission": 9, "source": "our protocol"}})
    made = adam_tables(cohort, study_id="IPT-1", own=own)
    remission = made.adtte[made.adtte["PARAMCD"] == "RMPHQ9"]
    assert of(remission, cohort, "b")[["AVAL", "CNSR"]].values.tolist() == [[57, 0]]
    rule = next(rule for rule in made.rules if rule.code == "RMPHQ9")
    assert rule.sources == ("our protocol",)
    assert "set by the user: our protocol" in rule.rule


def test_a_minimum_above_zero_is_taken_off_the_baseline():
    table = pd.DataFrame({"patient_id": ["a", "a", "b", "b"], "week": [0, 4, 0, 4], "k10": [30, 20, 30, 21]})
    own = instruments_with({"k10": {"response_pct": 50, "source": "x"}})
    made = adam_tables(load_cohort(table), own=own)
    response = made.adtte[made.adtte["PARAMCD"] == "RSK10"]
    # (30 - 10) / 2 = 10 points: met by 20, not by 21 - though 21 is no fall of 50% of 30, and neither is 20.
    assert sorted(response["CNSR"]) == [0, 1]
    assert "PCHG" not in made.adqs


def test_dropout(tmp_path):
    made = adam_tables(simulate.clinic(120))
    cohort = simulate.clinic(120)
    dropout = made.adtte[made.adtte["PARAMCD"] == "DROPOUT"]
    reasons = cohort.episodes["end_reason"].astype(object)
    assert (dropout["CNSR"] == 0).sum() == reasons.isin(["dropout_choice", "dropout_unreachable"]).sum()
    assert (dropout["CNSR"] == 3).sum() == (
        reasons.notna() & ~reasons.isin(["dropout_choice", "dropout_unreachable"])
    ).sum()
    assert (dropout["AVAL"] >= 1).all()
    assert len(dropout) == len(cohort.episodes)
    assert set(made.adsl["EOTSTT"]) <= {"COMPLETED", "DISCONTINUED", "ONGOING"}


def test_items_and_safety_flags():
    columns = {f"phq9_{n}": [n % 3, 0] for n in range(1, 9)} | {"phq9_9": [2, 0]}
    table = pd.DataFrame({"patient_id": ["a", "b"], "week": [0, 0], **columns})
    adqs = adam_tables(load_cohort(table)).adqs
    assert set(adqs["PARAMCD"]) == {"PHQ9", *(f"PHQ90{n}" for n in range(1, 10))}
    assert sorted(adqs.loc[adqs["PARAMCD"] == "PHQ909", "RISKFL"]) == ["N", "Y"]
    assert (adqs.loc[adqs["PARAMCD"] != "PHQ909", "RISKFL"] == "").all()


class TestStandard:
    @pytest.mark.parametrize("name", DATASETS)
    def test_names_and_labels_fit_a_transport_file(self, name):
        spec = dataset(name)
        for variable in spec.variables:
            assert re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", variable.name)
            assert 0 < len(variable.label) <= 40
        assert set(spec.keys) <= {variable.name for variable in spec.variables}

    def test_codes_of_parameters_are_short_and_different(self):
        codes = [parameter_code(name) for name in instruments()]
        assert len(set(codes)) == len(codes)
        assert all(re.fullmatch(r"[A-Z][A-Z0-9]{0,5}", code) for code in codes)
        every = {parameter_code(name, item) for name in instruments() for item in range(100)}
        assert len(every) == 100 * len(codes)

    @pytest.mark.parametrize("made", [simulate.trial, simulate.clinic])
    def test_keys_are_keys(self, made):
        tables = adam_tables(made(80))
        for name in DATASETS:
            frame = getattr(tables, name.lower())
            keys = [key for key in dataset(name).keys if key in frame]
            assert not frame.duplicated(keys).any()
        pairs = tables.adqs[["AVISIT", "AVISITN"]].drop_duplicates()
        assert pairs["AVISIT"].is_unique
        assert pairs["AVISITN"].is_unique

    def test_the_page_lists_every_variable(self):
        from pathlib import Path

        page = (Path(__file__).parents[2] / "docs" / "adam.md").read_text(encoding="utf-8")
        for name in DATASETS:
            for variable in dataset(name).variables:
                assert f"| `{variable.name}` | {variable.label} | {variable.origin} |" in page


class TestFiles:
    def test_all_formats_hold_the_same(self, tmp_path):
        cohort = simulate.trial(60)
        folder = to_adam(cohort, tmp_path / "adam", study_id="T1")
        tables = adam_tables(cohort, study_id="T1")
        for name in DATASETS:
            expected = getattr(tables, name.lower())
            parquet = pd.read_parquet(folder / f"{name.lower()}.parquet")
            pd.testing.assert_frame_equal(parquet, expected, check_dtype=False)
            xpt, meta = pyreadstat.read_xport(folder / f"{name.lower()}.xpt")
            assert list(xpt.columns) == list(expected.columns)
            assert meta.table_name == name
            for column in expected:
                if expected[column].dtype == np.float64:
                    np.testing.assert_array_equal(xpt[column].astype(float), expected[column])
                else:
                    assert xpt[column].fillna("").tolist() == expected[column].tolist()
            rows = list(csv.reader(io.StringIO((folder / f"{name.lower()}.csv").read_text(encoding="utf-8"))))
            assert rows[0] == list(expected.columns)
            assert len(rows) == len(expected) + 1

    def test_define_says_what_everything_is(self, tmp_path):
        folder = to_adam(simulate.trial(60), tmp_path / "adam", formats=["csv"])
        define = json.loads((folder / "define.json").read_text(encoding="utf-8"))
        assert define["simulated"] is True
        assert [one["name"] for one in define["datasets"]] == list(DATASETS)
        for one in define["datasets"]:
            assert list(one["files"]) == [f"{one['name'].lower()}.csv"]
            assert all(variable["origin"] for variable in one["variables"])
        unsure = [rule for rule in define["time_to_event_rules"] if not rule["confirmed"]]
        assert [rule["PARAMCD"] for rule in unsure] == ["RMHRSD17"]
        assert "a default" in unsure[0]["rule"]
        assert sorted(path.name for path in folder.iterdir()) == ["adqs.csv", "adsl.csv", "adtte.csv", "define.json"]

    def test_equal_cohorts_give_equal_bytes(self, tmp_path):
        one = to_adam(simulate.trial(60), tmp_path / "one")
        other = to_adam(simulate.trial(60), tmp_path / "other")
        for path in one.iterdir():
            assert path.read_bytes() == (other / path.name).read_bytes()

    def test_a_spreadsheet_runs_nothing(self, tmp_path):
        table = pd.DataFrame({"patient_id": [f"p{n}" for n in range(12)], "week": 0, "phq9": 9, "site": "=1+1"})
        folder = to_adam(load_cohort(table), tmp_path / "adam", formats="csv")
        text = (folder / "adsl.csv").read_text(encoding="utf-8")
        assert "'=1+1" in text
        assert ",=1+1" not in text

    def test_rows_of_persons_are_refused_as_in_a_saved_cohort(self, tmp_path):
        table = pd.DataFrame({"patient_id": ["a", "b"], "week": [0, 0], "phq9": [9, 8], "age": [30, 60]})
        cohort = load_cohort(table)
        with pytest.raises(DataError, match="L9"):
            to_adam(cohort, tmp_path / "adam")
        folder = to_adam(cohort, tmp_path / "adam", rows_for="data_agreement")
        define = json.loads((folder / "define.json").read_text(encoding="utf-8"))
        assert define["release"]["rows_for"] == "data_agreement"
        with pytest.raises(OptionError, match="written over"):
            to_adam(cohort, tmp_path / "adam", rows_for="data_agreement")

    @pytest.mark.parametrize("study", ["", "a b", "x" * 21, 3, "=1"])
    def test_study_ids(self, study):
        with pytest.raises(OptionError, match="study_id"):
            adam_tables(simulate.trial(40), study_id=study)

    def test_formats(self, tmp_path):
        with pytest.raises(OptionError, match="formats"):
            to_adam(simulate.trial(40), tmp_path / "adam", formats=["sas"])
        with pytest.raises(OptionError, match="at least one format"):
            to_adam(simulate.trial(40), tmp_path / "adam", formats=[])

    def test_a_transport_file_that_would_lose_something_is_not_written(self, tmp_path, monkeypatch):
        real = adam_files.read_table

        def altered(path, **options):
            table = real(path, **options)
            table.frame.iloc[0, 0] = "other"
            return table

        monkeypatch.setattr(adam_files, "read_table", altered)
        with pytest.raises(IptError, match="does not read back"):
            to_adam(simulate.trial(40), tmp_path / "adam", formats=["xpt"])
        assert not list(tmp_path.iterdir())
