"""First rows of the file about each episode: right, and nowhere but in memory."""

from __future__ import annotations

import dataclasses

import pandas as pd

from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.exchange import read_saved, save_cohort
from ipt_outcomes.simulate import trial as simulated


def test_each_episode_has_the_row_of_the_file_it_begins_in(tmp_path):
    path = tmp_path / "extract.csv"
    path.write_text("patient_id,week,phq9\nb,0,11\na,0,12\nb,4,9\na,4,8\nc,0,20\n", encoding="utf-8")
    cohort = load_cohort(path)
    first = cohort.assessments.groupby("episode_id")["value"].first()
    rows = {int(first[key]): row for key, row in cohort.first_rows.items()}
    assert rows == {11: 2, 12: 3, 20: 6}


def test_rows_are_in_nothing_printed_and_in_no_saved_folder(tmp_path):
    cohort = simulated(40)
    marked = dataclasses.replace(cohort, first_rows=dict.fromkeys(cohort.episodes["episode_id"], 987_654_321))
    folder = save_cohort(marked, tmp_path / "saved")
    for file in folder.iterdir():
        assert b"987654321" not in file.read_bytes()
        if file.suffix == ".parquet":
            assert not (pd.read_parquet(file) == 987_654_321).any(axis=None)
    assert read_saved(folder).first_rows == {}
    assert "987654321" not in repr(marked) + marked._repr_html_() + marked.summary()
