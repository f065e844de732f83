"""One file with 30 different faults: all are found at once, and the README shows the table the code gives.

``python tests/schemas/test_schemas_thirty_faults.py`` writes the table anew into data_schemas/README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.schemas import summarise

README = Path(__file__).parents[2] / "data_schemas" / "README.md"
BEGIN, END = "<!-- 30 faults: begin -->", "<!-- 30 faults: end -->"

GOOD = {
    "patient_id": "A{person:02d}", "week": "{week}", "arm": "ipt", "randomised": "yes", "sex": "female", "age": "40",
    "imd_decile": "5", "population": "adult", "indication": "mdd", "problem_area_primary": "grief",
    "problem_area_secondary": "none_set", "dispute_stage": "impasse", "format": "individual", "adaptation": "ipt",
    "planned_sessions": "16", "end_reason": "completed", "medication_concurrent": "no", "caution_mania": "no",
    "education": "school", "stratum": "1", "age_band": "40-49", "employment": "employed", "phq9": "12", "gad7": "8",
    "hrsd17": "15", "madrs": "20", "mode": "self", "blinded": "yes",
}  # fmt: skip

# Row of the file (the header is row 1), column, what stands there.
FAULTS = [
    (2, "patient_id", ""), (4, "arm", "Group X"), (6, "randomised", "perhaps"), (8, "sex", "q"), (10, "age", "412"),
    (12, "imd_decile", "11"), (14, "population", "everyone"), (16, "indication", "flu"),
    (18, "problem_area_primary", "sadness"), (20, "problem_area_secondary", "adjustment difficulties"),
    (22, "dispute_stage", "shouting"), (24, "format", "by pigeon"), (26, "adaptation", "ipt-zz"),
    (28, "planned_sessions", "0"), (30, "end_reason", "bored"), (32, "medication_concurrent", "rarely"),
    (34, "caution_mania", "unclear"), (36, "education", "left school early and went to work on the farm"),
    (38, "stratum", "anna@example.org"), (40, "employment", "since 4 March 2019"), (42, "phq9", "31"),
    (43, "phq9", "very ill"), (44, "gad7", "-1"), (45, "hrsd17", "99"), (46, "madrs", "6o"), (48, "mode", "by ear"),
    (50, "imd_decile", "2.5"), (52, "age", "old"),
]  # fmt: skip


def thirty_faults() -> pd.DataFrame:
    """30 people, two visits each; some cells changed, three columns added that no table has."""
    rows = [{name: text.format(person=n, week=w) for name, text in GOOD.items()} for n in range(30) for w in (0, 8)]
    table = pd.DataFrame(rows)
    for row, column, text in FAULTS:
        # What is of the person stands in both rows of the person.
        both = column not in ("patient_id", "phq9", "gad7", "hrsd17", "madrs", "mode")
        table.loc[[row - 2, row - 1] if both else [row - 2], column] = text
    # The same person at the same time twice; two spellings of one id.
    table.loc[len(table)] = {**table.loc[56], "phq9": "13"}
    table.loc[59, "patient_id"] = "a29"
    return table.assign(dob="1980-01-01", first_seen="04.03.2019", remarks="said that all is well")


def failure_table(folder: Path) -> pd.DataFrame:
    path = folder / "clinic.csv"
    thirty_faults().to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        load_cohort(path)
    assert caught.value.failures is not None
    return caught.value.failures


def markdown(failures: pd.DataFrame) -> str:
    table = summarise(failures)
    lines = ["| " + " | ".join(table.columns) + " |", "| " + " | ".join("---" for _ in table) + " |"]
    cells = table.astype(str).replace({r"\|": "or"}, regex=True)
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells.itertuples(index=False))])


def test_thirty_different_faults_are_found_at_once(tmp_path):
    failures = failure_table(tmp_path)
    kinds = summarise(failures)
    assert len(kinds.drop_duplicates(["column", "rule", "expected"])) >= 30
    found = set(zip(failures["column"], failures["row"], strict=True))
    of_cells = {
        (column, row) for row, column, _ in FAULTS if column in ("patient_id", "phq9", "gad7", "hrsd17", "madrs")
    }
    assert of_cells <= found
    assert {column for _, column, _ in FAULTS} | {"dob", "first_seen", "remarks"} <= set(failures["column"])
    assert {"L1", "L2", "L3", "L4", "L5", "L12"} <= set(failures["rule"])


def test_values_stand_there_only_where_they_are_scores(tmp_path):
    failures = failure_table(tmp_path)
    shown = failures[failures["found"].ne("")]
    assert set(shown["column"]) <= {"phq9", "gad7", "hrsd17", "madrs"}
    assert set(shown["found"]) == {"31", "-1", "99", "text"}
    for secret in ("anna", "example.org", "2019", "1980", "farm", "very ill", "said that", "A03"):
        assert secret not in failures.to_csv()


def test_the_readme_shows_what_the_code_gives(tmp_path):
    shown = re.search(f"{BEGIN}\n(.*?)\n{END}", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert shown.group(1) == markdown(failure_table(tmp_path))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        made = markdown(failure_table(Path(place)))
    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(f"{BEGIN}\n.*?{END}", lambda _: f"{BEGIN}\n{made}\n{END}", text, flags=re.DOTALL))
