"""Trial and clinic from the command line, on real layouts, on simulated data, and on what has to be refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import ipt_outcomes as ipt
from ipt_outcomes.cli import main

SECRET = "Zaphod-7781"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(result: Result, code: int = 1) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stderr.count("Error:") == 1
    assert SECRET not in result.output
    return result.stderr


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def numbers(folder: Path) -> pd.DataFrame:
    rows = json.loads((folder / "results.json").read_text())
    assert len({row["id"] for row in rows}) == len(rows)
    return pd.DataFrame(rows)


def one(rows: pd.DataFrame, analysis: str, statistic: str, **groups: str) -> float:
    own = rows[rows["analysis"].eq(analysis) & rows["statistic"].eq(statistic)]
    own = own[[groups.items() <= found.items() for found in own["groups"]]]
    assert len(own) == 1, own
    return own["value"].iloc[0]


@pytest.mark.shared
def test_trial_in_spss_with_three_arms(shared: Path, here: Path) -> None:
    """MADRS at six months: responders, missing counted as none, are the published counts of this file."""
    file = shared / "data" / "clinic" / "browne_simulated_missing_data.sav"
    options = ("--mapping", "browne-dysthymia", "--outcome", "madrs", "--at", "month_6", "--audience", "publication")
    result = run("trial", file, *options, "--out", "b", "--format", "html")
    assert result.exit_code == 0, result.output
    rows = numbers(here / "b")
    expected = {"medication": (104, 215), "ipt_medication": (114, 238), "ipt": (87, 210)}
    for arm, (responders, people) in expected.items():
        own = rows[rows["analysis"].eq("response") & rows["unit"].eq("people")]
        own = own[[g.get("arm") == arm and g.get("rule") == "non_responder" for g in own["groups"]]]
        assert {responders, people} <= set(own["value"]), own[["statistic", "value"]]
    summary = result.output
    for arm in ("interpersonal psychotherapy with medication", "interpersonal psychotherapy"):
        assert f"{arm} against medication: g = " in summary
    assert run("verify", "b", "--data", file).exit_code == 0
    assert "sertraline" not in (here / "b" / "results.json").read_text()


@pytest.mark.shared
def test_trial_with_aliases_equals_lme4(shared: Path, reference: object) -> None:
    """From file through mapping and gate to the model: the same numbers as lme4 on the file itself."""
    case = reference("mixed/ipt_A")  # type: ignore[operator]
    cohort = ipt.load_cohort(shared / "reference" / "mixed" / "ipt_trial.csv", mapping="ipt-trial")
    fit = ipt.mixed.lmm(case["formula"], cohort.outcome("phq9"))
    codes = {"IPT": "ipt", "CBT": "cbt", "TAU": "usual_care", "role_disputes": "role_dispute"}
    codes |= {"role_transitions": "role_transition", "interpersonal_deficits": "interpersonal_deficits"}

    def ours(name: str) -> set[str]:
        parts = name.split(":")
        for column in ("problem_area", "arm"):
            parts = [f"{column}[{codes[p[len(column) :]]}]" if p.startswith(column) else p for p in parts]
        return set(parts)

    terms = [set(term.split(":")) for term in fit.fixed["term"]]
    order = [terms.index(ours(name)) for name in case["names"]]
    own = fit.fixed.iloc[order]
    np.testing.assert_allclose(own["estimate"], case["beta"], rtol=1e-6)
    np.testing.assert_allclose(own["se"], case["se"], rtol=1e-6)
    np.testing.assert_allclose(own["df"], case["df_satterthwaite"], rtol=1e-4)
    assert fit.log_likelihood == pytest.approx(case["loglik"], rel=1e-9)
    theirs = [row["vcov"] for row in case["varcorr"] if row["grp"] != "Residual"]
    np.testing.assert_allclose(sorted(fit.random["variance_or_cov"]), sorted(theirs), rtol=5e-6)
    assert fit.n_obs == case["nobs"]
    assert fit.n_dropped == 2052 - case["nobs"]


@pytest.mark.shared
def test_clinic_with_days_duplicates_and_one_instrument(shared: Path, here: Path) -> None:
    file = shared / "data" / "clinic" / "enrichd_bdi.csv"
    result = run("clinic", file, "--mapping", "enrichd-bdi", "--out", "e", "--format", "html")
    assert result.exit_code == 0, result.output
    page = (here / "e" / "report.html").read_text()
    assert "153 rows fewer" in page or "rule 'mean'" in page or "mean" in page
    assert "no problem areas" in result.output
    assert run("verify", "e", "--data", file).exit_code == 0
    check = run("check", file, "--mapping", "enrichd-bdi")
    assert "31 people have different values at the same time" in check.output
    assert "153 rows fewer" in check.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    ipt.simulate.trial_table(n=160).to_csv(folder / "trial.csv", index=False)
    ipt.simulate.trial_table(n=160, areas="after").to_csv(folder / "after.csv", index=False)
    ipt.simulate.clinic_table(n=150).to_csv(folder / "clinic.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("name", "label", "other"),
    [
        ("trial.csv", "randomised comparison", "not a randomised comparison"),
        ("after.csv", "not a randomised comparison", "(randomised comparison)"),
    ],
)
def test_the_area_section_says_what_kind_of_comparison_it_is(
    name: str, label: str, other: str, made: Path, here: Path
) -> None:
    result = run("trial", made / name, "--out", "r", "--format", "html", "--audience", "publication")
    assert result.exit_code == 0, result.output
    page = (here / "r" / "report.html").read_text()
    assert label in page
    assert label in result.output
    assert other not in result.output


def test_every_option_reaches_the_analysis_and_can_be_run_again(made: Path, here: Path) -> None:
    trial = (
        "--outcome",
        "hrsd17",
        "--at",
        "8",
        "--response",
        "0.4",
        "--level",
        "0.9",
        "--where",
        "sex=female",
        "--by",
        "sex",
    )
    result = run("trial", made / "trial.csv", *trial, "--title", "Ours", "--out", "t", "--format", "html,xlsx")
    assert result.exit_code == 0, result.output
    manifest = json.loads((here / "t" / "manifest.json").read_text())
    assert manifest["analysis"]["options"] == {
        "outcome": "hrsd17",
        "at": 8.0,
        "response": 0.4,
        "level": 0.9,
        "by": "sex",
    }
    assert manifest["analysis"]["where"] == {"sex": ["female"]}
    assert manifest["audience"] == "public"
    assert "Ours" in (here / "t" / "report.html").read_text()
    assert run("verify", "t", "--data", made / "trial.csv").exit_code == 0
    clinic = (
        "--instrument",
        "phq9",
        "--response",
        "0.4",
        "--min-sessions",
        "3",
        "--by",
        "format",
        "--audience",
        "board",
    )
    result = run("clinic", made / "clinic.csv", *clinic, "--out", "c", "--format", "html")
    assert result.exit_code == 0, result.output
    assert run("verify", "c", "--data", made / "clinic.csv").exit_code == 0
    assert json.loads(run("clinic", made / "clinic.csv", "--json", "--out", "j", "--format", "html").stdout)["results"]


def test_specs_of_both_jobs_run(made: Path, here: Path) -> None:
    from ipt_outcomes.resources import shipped

    for job in ("trial", "clinic"):
        spec = made / f"{job}.toml"
        spec.write_bytes(shipped("reports", f"{job}.toml").read_bytes())
        result = run("render", spec, "--out", job, "--format", "html")
        assert result.exit_code == 0, result.output


def frame(**changes: object) -> pd.DataFrame:
    """A small valid trial, with changes."""
    people = [f"{SECRET}-{number:02d}" for number in range(12)]
    table = pd.DataFrame(
        [
            {
                "patient_id": person,
                "arm": "ipt" if place % 2 else "tau",
                "week": week,
                "phq9": 18 - week - place % 3 + week * place % 5,
            }
            for place, person in enumerate(people)
            for week in (0, 4, 8)
        ]
    )
    return table.assign(**changes)


BAD = {
    "arms nobody mapped": (lambda: frame().assign(arm=lambda d: d["arm"] + "-X"), "codes of arm"),
    "PHQ-9 of 31": (lambda: frame(phq9=[31, *[12] * 35]), "phq9"),
    "a patient twice in one visit": (lambda: pd.concat([frame(), frame().head(1).assign(phq9=3)]), "different values"),
    "one arm only": (lambda: frame(arm="ipt"), "arm"),
    "no IPT arm": (lambda: frame().assign(arm=lambda d: d["arm"].replace("ipt", "cbt")), "interpersonal"),
    "nobody after baseline": (lambda: frame().query("week == 0"), "baseline"),
    "no baseline": (lambda: frame().query("week > 0"), "baseline"),
    "unknown column": (lambda: frame(remarks="x"), "remarks"),
    "e-mail addresses": (lambda: frame(site_id="zaphod@example.org"), "site_id"),
    "people who were not randomised": (lambda: frame(randomised="no"), "not randomised"),
    "a sentence among the areas": (
        lambda: frame(problem_area=["grief"] * 35 + [f"after the death of {SECRET}"]),
        "problem_area",
    ),
    "a sentence among the scores": (lambda: frame(phq9=[f"mild, says {SECRET}", *["12"] * 35]), "phq9"),
    "no arm": (lambda: frame().drop(columns="arm"), "arm"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_message_nothing_written_and_nobody_named(name: str, tmp_path: Path, here: Path) -> None:
    make, words = BAD[name]
    path = tmp_path / "bad.csv"
    make().to_csv(path, index=False)
    message = refused(run("trial", path))
    assert words in message
    assert "zaphod@" not in message
    assert list(here.iterdir()) == []


@pytest.mark.shared
@pytest.mark.parametrize("job", ["trial", "clinic", "check"])
def test_a_file_that_kills_its_reader_is_one_message(job: str, shared: Path, here: Path) -> None:
    for path in sorted((shared / "data" / "statfiles" / "made").glob("crash_*")):
        message = refused(run(job, path))
        assert "could not be read safely" in message
    assert list(here.iterdir()) == []


def test_leading_zeros_and_the_site_na_are_kept(tmp_path: Path, here: Path) -> None:
    table = frame()
    names = ["007", "07", "7", *(str(number) for number in range(20, 29))]
    ids = dict(zip(table["patient_id"].unique(), names, strict=True))
    table = table.assign(patient_id=table["patient_id"].map(ids), site_id=["NA"] * 18 + ["ZA"] * 18)
    table.to_csv(tmp_path / "t.csv", index=False)
    result = run("check", tmp_path / "t.csv")
    assert result.exit_code == 0, result.output
    assert "people: 12" in result.output
    assert "leading zeros" in result.output
    assert "007" not in result.output
    cohort = ipt.load_cohort(tmp_path / "t.csv")
    assert cohort.patients["site_id"].value_counts().to_dict() == {"NA": 6, "ZA": 6}


def test_no_id_of_the_file_is_anywhere_in_a_report(tmp_path: Path, here: Path) -> None:
    frame().to_csv(tmp_path / "t.csv", index=False)
    for job in ("trial", "clinic"):
        written = ("--format", "html,docx,xlsx", "--audience", "internal")
        result = run(job, tmp_path / "t.csv", "--out", job, *written)
        assert result.exit_code == 0, result.output
        assert SECRET not in result.output
        for path in (here / job).iterdir():
            assert SECRET.encode() not in path.read_bytes()


def test_check_shows_no_text_of_a_person_and_says_what_patients_need(tmp_path: Path, here: Path) -> None:
    frame(phq9=[f"mild, says {SECRET}", *["12"] * 35]).to_csv(tmp_path / "t.csv", index=False)
    assert "phq9" in refused(run("check", tmp_path / "t.csv", "-o", tmp_path / "faults.csv"))
    assert SECRET not in (tmp_path / "faults.csv").read_text()
    frame().rename(columns={"patient_id": "person"}).to_csv(tmp_path / "p.csv", index=False)
    assert 'patient_id = "your column"' in refused(run("check", tmp_path / "p.csv"))


def test_several_sessions_in_one_week_are_first_and_last(tmp_path: Path, here: Path) -> None:
    rows = [
        {"patient_id": f"{SECRET}-{person}", "session_no": session, "week": 0, "phq9": score}
        for person in range(40)
        for session, score in ((1, 18), (2, 14), (3, 9))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "w.csv", index=False)
    mapping = tmp_path / "m.toml"
    mapping.write_text('table = "cohort"\n[columns]\npatient_id = "patient_id"\n')
    result = run("clinic", tmp_path / "w.csv", "--mapping", mapping, "--out", "w", "--format", "html")
    assert result.exit_code == 0, result.output
    assert "Recovered (completers): 40 of 40" in result.output


def test_the_json_of_a_trial_hides_what_its_report_hides(made: Path, here: Path) -> None:
    result = run("trial", made / "trial.csv", "--json", "--out", "j", "--format", "html")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["results"] == json.loads((here / "j" / "results.json").read_text())


def test_instruments_are_listed_and_described() -> None:
    assert "phq9" in run("instruments").output
    assert "0 to 27" in run("instruments", "PHQ-9").output
    assert "hrsd17" in run("instruments", "hamd17").output
    assert run("instruments", "nothing").exit_code == 2


def test_the_terminal_says_words_and_not_codes(made: Path, here: Path) -> None:
    result = run("clinic", made / "clinic.csv", "--audience", "internal", "--out", "c", "--format", "xlsx")
    assert result.exit_code == 0, result.output
    assert "Improved reliably (all starters, last observation): " in result.stdout
    check = run("check", made / "clinic.csv")
    for code in ("last_observation", "reliable_improvement"):
        assert code not in result.stdout
    assert "in the file" in check.stdout
    assert " phq9 " not in check.stdout.split("Who is in, who is not and why:")[1]
