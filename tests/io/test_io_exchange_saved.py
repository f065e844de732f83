"""A saved cohort comes back exactly; nobody's rows leave unasked; a changed file is refused."""

import dataclasses
import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes import simulate
from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.io.cohort.cohort import IN_MEMORY
from ipt_outcomes.io.exchange import is_saved, read_saved, save, save_cohort
from ipt_outcomes.io.guarded import Session


def same(one: Cohort, other: Cohort) -> None:
    for field in dataclasses.fields(Cohort):
        if IN_MEMORY in field.metadata:
            continue
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, pd.DataFrame):
            pd.testing.assert_frame_equal(left, right, check_exact=True)
            for name in left:
                if isinstance(left[name].dtype, pd.CategoricalDtype):
                    assert list(left[name].cat.categories) == list(right[name].cat.categories)
        else:
            assert left == right, field.name


@pytest.fixture(scope="module")
def real():
    """Not simulated, with missing scores and reasons, categoricals and a person who stands out."""
    people = 24
    table = pd.DataFrame(
        {
            "patient_id": np.repeat([f"P-{n}" for n in range(people)], 3),
            "week": [0, 4, 8] * people,
            "arm": np.repeat(["ipt", "usual_care"], 3 * people // 2),
            "sex": np.repeat(["female", "male"] * (people // 2), 3),
            "age": np.repeat([*([30, 31, 32, 61] * (people // 4 - 1)), 30, 31, 32, 75], 3),
            "problem_area": np.repeat(["grief", "role_dispute", "none_set", "role_transition"] * (people // 4), 3),
            "phq9": [18.0, np.nan, 9.0, 18.0, 12.0, 9.0] * (people // 2),
        }
    )
    return load_cohort(table)


@pytest.mark.parametrize("made", [simulate.trial, simulate.clinic])
def test_simulated_cohorts_come_back_exactly(made, tmp_path):
    cohort = made(60)
    same(cohort, read_saved(save_cohort(cohort, tmp_path / "saved")))


def test_missing_values_levels_and_gate_come_back(real, tmp_path):
    folder = save_cohort(real, tmp_path / "saved", rows_for="own_team")
    back = read_saved(folder)
    same(real, back)
    assert back.assessments["value"].isna().sum() == 12
    assert back.gate.entries == real.gate.entries
    assert any(entry.rule == "L9" for entry in back.gate.entries)
    assert back.outcome("phq9").equals(real.outcome("phq9"))


def test_every_kind_of_column_comes_back(real, tmp_path):
    odd = real.patients.assign(
        ordered=pd.Categorical(["low", None] * 12, categories=["high", "low", "never"], ordered=True),
        numbers=pd.Categorical([1, 2] * 12),
        whole=pd.array([1, None] * 12, dtype="Int64"),
        truth=pd.array([True, None] * 12, dtype="boolean"),
        plain=[True, False] * 12,
        text=pd.Series(["=1+1", None] * 12, dtype="str"),
        thing=pd.Series(["é", None] * 12, dtype=object),
        real=[0.1, np.nan] * 12,
        nothing=pd.Series([None] * 24, dtype="str"),
    )
    cohort = dataclasses.replace(real, patients=odd, sessions=real.sessions.head(0))
    same(cohort, read_saved(save_cohort(cohort, tmp_path / "saved", rows_for="data_agreement")))
    mixed = dataclasses.replace(real, patients=real.patients.assign(mixed=pd.Series(["a", 1] * 12, dtype=object)))
    with pytest.raises(DataError, match="mixes texts with other values"):
        save_cohort(mixed, tmp_path / "mixed", rows_for="own_team")
    dated = dataclasses.replace(real, patients=real.patients.assign(born=pd.Timestamp("1980-01-01")))
    with pytest.raises(DataError, match="column born is of type datetime64"):
        save_cohort(dated, tmp_path / "dated", rows_for="own_team")
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_the_folder_says_what_it_is(real, tmp_path):
    folder = save_cohort(real, tmp_path / "saved", rows_for="own_team")
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    names = [resource["name"] for resource in package["resources"]]
    assert {"patients", "episodes", "sessions", "assessments", "flow"} <= set(names)
    for resource in package["resources"]:
        data = (folder / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert resource["bytes"] == len(data)
    assessments = package["resources"][names.index("assessments")]["schema"]
    assert {"name": "instrument", "type": "string"}.items() <= assessments["fields"][2].items()
    assert [key["reference"]["resource"] for key in assessments["foreignKeys"]] == ["episodes", "patients"]
    record = package["ipt:cohort"]
    assert record["simulated"] is False
    assert record["release"]["rows_for"] == "own_team"
    assert "anonymous" not in (folder / "datapackage.json").read_text(encoding="utf-8").casefold()


def test_the_package_is_valid_by_the_standard(tmp_path):
    frictionless = pytest.importorskip("frictionless", reason="the oracle is a test dependency")
    folder = save_cohort(simulate.trial(40), tmp_path / "saved")
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    frictionless.Package.from_descriptor(package)
    for resource in package["resources"]:
        schema = frictionless.Schema.from_descriptor(resource["schema"])
        assert [field.name for field in schema.fields] == [entry["name"] for entry in resource["schema"]["fields"]]
    package["resources"][0]["schema"]["fields"][0]["type"] = 3
    with pytest.raises(frictionless.FrictionlessException):
        frictionless.Schema.from_descriptor(package["resources"][0]["schema"])


def test_equal_cohorts_give_equal_bytes(tmp_path):
    one = save_cohort(simulate.clinic(60), tmp_path / "one")
    other = save_cohort(simulate.clinic(60), tmp_path / "other")
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()


class TestRowsOfPersons:
    def test_are_refused_where_people_stand_out(self, real, tmp_path):
        with pytest.raises(DataError, match=r"rows of persons are not written \(L9\)") as caught:
            save_cohort(real, tmp_path / "saved")
        assert "own_team" in caught.value.hint
        assert not (tmp_path / "saved").exists()
        assert not list(tmp_path.iterdir())

    def test_need_a_known_audience(self, real, tmp_path):
        with pytest.raises(OptionError, match="rows_for"):
            save_cohort(real, tmp_path / "saved", rows_for="everybody")

    def test_go_out_where_nobody_stands_out_or_nobody_stands_behind_them(self, real, tmp_path):
        plain = dataclasses.replace(real, patients=real.patients[["patient_id", "sex"]])
        folder = save_cohort(plain, tmp_path / "plain")
        record = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))["ipt:cohort"]
        assert record["release"] == {
            "rows_for": None,
            "meaning": "nobody named: nobody stands out by the columns checked",
            "smallest_group": 12,
            "columns_checked": ["sex"],
        }
        assert save_cohort(dataclasses.replace(real, simulated=True), tmp_path / "simulated").is_dir()


class TestNothingIsWrittenOver:
    def test_a_folder_that_exists(self, tmp_path):
        folder = save_cohort(simulate.trial(40), tmp_path / "saved")
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(OptionError, match="nothing is written over it"):
            save_cohort(simulate.trial(60), folder)
        assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(OptionError, match="does not exist"):
            save_cohort(simulate.trial(40), tmp_path / "no" / "saved")
        assert [path.name for path in tmp_path.iterdir()] == ["saved"]


class TestWhatWasChangedIsRefused:
    @pytest.fixture
    def folder(self, tmp_path):
        return save_cohort(simulate.trial(40), tmp_path / "saved")

    def test_every_changed_or_missing_file_is_named_at_once(self, folder):
        (folder / "patients.parquet").unlink()
        data = bytearray((folder / "episodes.parquet").read_bytes())
        data[10] ^= 1
        (folder / "episodes.parquet").write_bytes(data)
        with pytest.raises(DataError) as caught:
            read_saved(folder)
        assert "patients: the file is not there" in str(caught.value)
        assert "episodes: changed since it was written" in str(caught.value)

    def test_a_path_elsewhere_is_not_followed(self, folder):
        self.rewrite(folder, lambda package: package["resources"][0].update(path="../patients.parquet"))
        with pytest.raises(DataError, match="the file is not there"):
            read_saved(folder)

    @pytest.mark.parametrize(
        "change",
        [
            lambda package: package["resources"][0].pop("schema"),
            lambda package: package["resources"].pop(0),
            lambda package: package["resources"][0]["schema"]["fields"].pop(0),
            lambda package: package["resources"][0]["schema"]["fields"][0].update({"ipt:dtype": "datetime64[ns]"}),
            lambda package: package["resources"][0]["schema"].update(fields=3),
            lambda package: package["ipt:cohort"].update(gate=[{"rule": 1}]),
            lambda package: package["ipt:cohort"].update(source={"name": "x"}),
            lambda package: package["ipt:cohort"].update(layout=2),
            lambda package: package.pop("ipt:cohort"),
            lambda package: package.update(resources=3),
        ],
    )
    def test_a_package_that_describes_no_cohort(self, folder, change):
        self.rewrite(folder, change)
        with pytest.raises(IptError):
            read_saved(folder)

    @pytest.mark.parametrize(
        "change",
        [
            lambda package: package["ipt:cohort"].update(simulated=False),
            lambda package: package["ipt:cohort"]["gate"]["entries"].pop(),
            lambda package: package["resources"][0]["schema"]["fields"][0].update(name="other"),
            lambda package: package["ipt:cohort"].update(baseline_rule=[[float("inf")]]),
            lambda package: package.pop("ipt:sha256"),
        ],
    )
    def test_a_changed_record_is_seen_though_the_tables_are_whole(self, folder, change):
        path = folder / "datapackage.json"
        package = json.loads(path.read_text(encoding="utf-8"))
        change(package)
        path.write_text(json.dumps(package), encoding="utf-8")
        with pytest.raises(DataError, match=r"datapackage\.json was changed since it was written") as caught:
            read_saved(folder)
        assert "unchanged copy" in caught.value.hint

    def test_a_title_written_into_it_changes_nothing(self, folder):
        path = folder / "datapackage.json"
        package = json.loads(path.read_text(encoding="utf-8")) | {"title": "our trial", "licenses": []}
        path.write_text(json.dumps(package), encoding="utf-8")
        assert len(read_saved(folder).patients) == 40

    def test_a_table_that_is_none_of_parquet_is_read_in_the_child(self, folder, monkeypatch):
        """Its digest may be right and its bytes may still crash a reader."""
        asked = []
        real = Session.ask
        monkeypatch.setattr(Session, "ask", lambda self, request: asked.append(request["path"]) or real(self, request))
        (folder / "patients.parquet").write_bytes(b"PAR1" + b"x" * 40 + b"PAR1")
        digest = save.digest((folder / "patients.parquet").read_bytes())
        self.rewrite(folder, lambda package: package["resources"][0].update(hash=digest))
        with pytest.raises(DataError, match=r"patients\.parquet could not be read safely") as caught:
            read_saved(folder)
        assert len(asked) == 1
        assert caught.value.__cause__ is None

    @staticmethod
    def rewrite(folder, change):
        path = folder / "datapackage.json"
        package = json.loads(path.read_text(encoding="utf-8"))
        change(package)
        package["ipt:sha256"] = save.seal(package)
        path.write_text(json.dumps(package), encoding="utf-8")

    def test_what_is_no_saved_cohort(self, folder, tmp_path):
        assert is_saved(folder)
        assert is_saved(str(folder))
        assert not is_saved(tmp_path)
        assert not is_saved(folder / "patients.parquet")
        assert not is_saved(pd.DataFrame())
        (folder / "datapackage.json").write_text("[" * 5000, encoding="utf-8")
        assert not is_saved(folder)
        with pytest.raises(IptError, match="no JSON text"):
            read_saved(folder)
        with pytest.raises(IptError, match="no folder"):
            read_saved(tmp_path / "nowhere")
        (tmp_path / "empty").mkdir()
        with pytest.raises(IptError, match=r"holds no datapackage\.json"):
            read_saved(tmp_path / "empty")


def test_load_cohort_takes_a_saved_folder_as_it_is(real, tmp_path):
    folder = real.save(tmp_path / "saved", rows_for="own_team")
    same(real, load_cohort(folder))
    same(real, load_cohort(str(folder)))
    with pytest.raises(OptionError, match="no mapping"):
        load_cohort(folder, {"patient_id": "id"})


def test_facts_of_instruments_the_user_set_come_back(tmp_path):
    table = pd.DataFrame({"patient_id": ["a", "a", "b"], "week": [0, 8, 0], "phq9": [18, 9, 21]})
    cohort = load_cohort(table, {"instruments": {"phq9": {"cutoff": 12, "source": "our validation study"}}})
    back = read_saved(save_cohort(cohort, tmp_path / "saved"))
    same(cohort, back)
    assert back.instrument("phq9").rule("caseness_min") == cohort.instrument("phq9").rule("caseness_min")
    assert "our validation study" in back.instrument("phq9").rule("caseness_min")
