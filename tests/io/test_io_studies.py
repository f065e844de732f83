"""Turning arms round, filtering, describing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io import load_studies
from ipt_outcomes.io.orient import turn


@pytest.fixture
def studies():
    return load_studies(
        pd.DataFrame(
            {
                "study": ["A", "B ", "C", "D", "E"],
                "condition_arm1": ["cau", "Interpersonal Psychotherapy (IPT)", "ipt + ssri", "cbt", "ipt"],
                "condition_arm2": ["IPT", "cau", "ipt (ipt)", "wl", "ipt"],
                "multi_arm1": ["enhanced", None, None, None, "ind"],
                "multi_arm2": [None, None, "ipt", None, "grp"],
                "mean_arm1": [12.0, 9.0, 8.0, 7.0, 6.0],
                "mean_arm2": [9.0, 12.0, 8.5, 9.0, 6.5],
                "event_arm1": [1.0, 2, 3, 4, 5],
                "event_arm2": [6.0, 7, 8, 9, 10],
                "totaln_arm1": [20.0] * 5,
                "totaln_arm2": [30.0] * 5,
                "baseline_m_arm1": [20.0] * 5,
                "baseline_m_arm2": [21.0] * 5,
                ".g": [-0.5, 0.4, 0.1, 0.0, 0.2],
                ".g_se": [0.2] * 5,
                "precalc_g": [-0.5, np.nan, 0.1, 0.0, 0.2],
                ".log_rr": [-1.0, 1.0, 0.0, 0.2, 0.1],
                "n_sessions_arm1": [8.0, 12, 12, 12, 12],
                "year": [2001, 2002, 2003, 2004, 2005],
                "note_arm1": ["u", "v", "w", "x", "y"],
                "note_arm2": ["U", "V", "W", "X", "Y"],
            }
        )
    )


def test_orient(studies):
    turned = studies.orient("ipt")
    table = turned.comparisons
    assert table["turned"].tolist() == [True, False, True, False, False]
    assert table["condition_arm1"].tolist()[:3] == ["IPT", "Interpersonal Psychotherapy (IPT)", "ipt (ipt)"]
    assert table.loc[0, ["mean_arm1", "mean_arm2", "event_arm1", "totaln_arm1", "baseline_m_arm1"]].tolist() == [
        9.0,
        12.0,
        6.0,
        30.0,
        21.0,
    ]
    assert table.loc[0, ["note_arm1", "multi_arm2"]].tolist() == ["U", "enhanced"]
    assert table[".g"].tolist() == [0.5, 0.4, -0.1, 0.0, 0.2]
    assert table[".log_rr"].tolist() == [1.0, 1.0, 0.0, 0.2, 0.1]
    assert table[".g_se"].tolist() == [0.2] * 5
    assert table["n_sessions_arm1"].isna().tolist() == [True, False, True, False, False]
    notes = " | ".join(turned.notes)
    for note in (
        "2 rows turned",
        "n_sessions_arm1 is unknown",
        "1 row with",
        "in both arms",
        "in neither",
    ):
        assert note in notes
    # The original is untouched.
    assert "turned" not in studies.comparisons
    assert studies.comparisons.loc[0, ".g"] == -0.5


def test_orient_again_changes_nothing_and_back_restores(studies):
    once = studies.orient("ipt")
    twice = once.orient("ipt")
    pd.testing.assert_frame_equal(once.comparisons, twice.comparisons)
    assert twice.notes == once.notes
    back = once.orient("usual_care").comparisons
    assert back["turned"].tolist() == [False, True, True, False, False]
    known = ["condition_arm1", "mean_arm1", "event_arm2", ".g", ".log_rr", "precalc_g", "multi_arm1"]
    pd.testing.assert_series_equal(back.loc[0, known], studies.comparisons.loc[0, known])


def test_orient_towards_combination(studies):
    assert not studies.orient("combination").comparisons["turned"].any()


def test_orient_towards_what_no_row_has(studies):
    turned = studies.orient("placebo")
    assert not turned.comparisons["turned"].any()
    (note,) = turned.notes
    assert note.startswith("no row has pill placebo in any arm: nothing was turned (arms are: ")
    assert "Interpersonal Psychotherapy (IPT)" in note


@pytest.mark.parametrize(("written", "code"), [("cau", "usual_care"), ("IPT", "ipt"), ("TAU", "usual_care")])
def test_orient_takes_the_names_tables_use(studies, written, code):
    named, coded = studies.orient(written), studies.orient(code)
    pd.testing.assert_frame_equal(named.comparisons, coded.comparisons)
    assert named.notes == coded.notes


def test_orient_needs_the_arms(studies):
    with pytest.raises(OptionError, match="towards must be one of"):
        studies.orient("IPT plus")
    with pytest.raises(IptError, match="no condition_arm1 and no condition_arm2"):
        load_studies(pd.DataFrame({"study": ["A"], "g": [0.1], "v": [0.1]})).orient()


numbers = st.floats(-1e6, 1e6) | st.just(float("nan"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers, st.text(max_size=3), st.booleans()), min_size=1, max_size=8))
def test_turning_twice_is_the_identity(rows):
    frame = pd.DataFrame(
        {
            "study": [f"S{i}" for i in range(len(rows))],
            "mean_arm1": [row[0] for row in rows],
            "mean_arm2": [row[1] for row in rows],
            ".g": [row[2] + 0.0 for row in rows],
            "multi_arm1": [row[3] for row in rows],
            "multi_arm2": ["z"] * len(rows),
        }
    )
    which = np.array([row[4] for row in rows])
    once, lost = turn(frame, which)
    assert lost == ()
    np.testing.assert_array_equal(once[".g"], np.where(which, -frame[".g"], frame[".g"]))
    np.testing.assert_array_equal(once["mean_arm1"], np.where(which, frame["mean_arm2"], frame["mean_arm1"]))
    pd.testing.assert_frame_equal(turn(once, which)[0], frame)


def test_where(studies):
    assert studies.where(study="b").comparisons["study"].tolist() == ["B "]
    assert len(studies.where(condition_arm2=["CAU", " wl"])) == 2
    assert len(studies.where({".g": [0.4, "0.1"]})) == 2
    assert len(studies.where(year="2001")) == 1
    assert len(studies.where(year=[2001, 2002], condition_arm2="cau")) == 1
    kept = studies.where(study=["A", "C"])
    assert kept.comparisons["row"].tolist() == [0, 2]
    assert kept.comparisons.index.tolist() == [0, 1]
    assert kept.notes[-1] == "2 of 5 rows kept: study = A or C"


def test_where_says_what_there_is(studies):
    with pytest.raises(IptError) as caught:
        studies.where(conditon_arm1="ipt")
    assert "condition_arm1" in caught.value.hint
    with pytest.raises(IptError) as caught:
        studies.where(condition_arm2="dyn")
    assert "cau" in caught.value.hint
    with pytest.raises(IptError) as caught:
        studies.where(year=1999)
    assert "2001" in caught.value.hint
    assert "2001.0" not in caught.value.hint
    with pytest.raises(IptError, match="none that meets the other"):
        studies.where(study="A", year=2002)
    for wrong in ({}, {"study": []}, {"study": None}, {"year": float("nan")}):
        with pytest.raises(OptionError):
            studies.where(wrong)


def test_where_is_no_query_language(studies):
    with pytest.raises(IptError):
        studies.where({"study": "A' or '1'=='1"})
    with pytest.raises(IptError):
        studies.where({"@pd.read_csv('x')": "A"})


def test_describe_and_html(studies):
    text = studies.describe()
    assert text.startswith("5 comparisons of 5 studies from data frame")
    assert "note_arm1, note_arm2" in text
    html = studies._repr_html_()
    assert html.startswith("<table><caption>5 comparisons of 5 studies")
    assert "nan" not in html


def test_split_shared_control():
    frame = pd.DataFrame(
        {
            "study": ["A", "A", "B", "C", "C"],
            "condition_arm1": ["ipt", "cbt", "ipt", "ipt", "cbt"],
            "condition_arm2": ["wl"] * 5,
            "instrument": ["bdi-1"] * 5,
            "mean_arm1": [9.0, 10, 9, np.nan, np.nan],
            "mean_arm2": [12.0, 12, 12, np.nan, np.nan],
            "sd_arm2": [5.0, 5, 5, np.nan, np.nan],
            "n_arm2": [31.0, 31, 20, np.nan, np.nan],
            "event_arm2": [4.0, 4, 3, np.nan, np.nan],
            "totaln_arm2": [32.0, 32, 20, np.nan, np.nan],
            ".g": [0.6, 0.4, 0.5, 0.3, 0.2],
            ".g_se": [0.2] * 5,
        }
    )
    studies = load_studies(frame)
    assert [w.kind for w in studies.warnings] == ["shared_control"] * 2
    split = studies.split_shared_control()
    table = split.comparisons
    assert table["n_arm2"].tolist()[:3] == [15.5, 15.5, 20.0]
    assert table["event_arm2"].tolist()[:3] == [2.0, 2.0, 3.0]
    assert table["totaln_arm2"].tolist()[:3] == [16.0, 16.0, 20.0]
    assert table["mean_arm2"].tolist()[:3] == [12.0] * 3
    assert table[".g"].isna().tolist() == [True, True, False, False, False]
    assert "rows 0, 1" in split.notes[0]
    assert "could not be shared out: rows 3, 4" in split.notes[1]
    assert studies.comparisons["n_arm2"].tolist()[:2] == [31.0, 31.0]
    # Only effects that nothing can be made of anew still count their control group twice.
    assert [w.studies for w in split.warnings if w.kind == "shared_control"] == [("C",)]
    pd.testing.assert_frame_equal(split.split_shared_control().comparisons, table)
    assert studies.where(condition_arm1="ipt").split_shared_control().notes[-1].startswith("3 of 5 rows kept")


def test_where_says_which_value_no_row_has():
    frame = pd.DataFrame({"study": ["A", "B"], "outcome_type": ["response (50%)", "remission"], "year": [2001, 2002]})
    studies = load_studies(frame)
    kept = studies.where(outcome_type=["respons", "Remission"], year=[2002, 1999])
    assert kept.comparisons["study"].tolist() == ["B"]
    said = ["no row has outcome_type = respons; near: response (50%)", "no row has year = 1999"]
    assert list(kept.notes[-2:]) == said
    assert [(w.kind, str(w)) for w in kept.warnings if w.kind == "reading"] == [("reading", text) for text in said]
    assert not [w for w in studies.where(outcome_type=["remission"]).warnings if w.kind == "reading"]
