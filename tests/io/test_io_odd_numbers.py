"""Missing codes, totals, impossible effects and slips are named, once; sound numbers near them are not."""

import pandas as pd
import pytest

from ipt_outcomes.io import load_studies

NEW = ("missing_code", "large_effect", "effect_differs", "total_row", "fractional_events", "large_n")


def means(**columns):
    frame = {
        "study": ["A", "B", "C"],
        "mean_arm1": [9.0, 10, 8],
        "sd_arm1": [5.0, 5.5, 6],
        "n_arm1": [30.0, 31, 28],
        "mean_arm2": [12.0, 13, 12],
        "sd_arm2": [5.1, 5.6, 6.1],
        "n_arm2": [29.0, 33, 27],
    }
    return pd.DataFrame(frame | columns)


def counts(**columns):
    frame = {
        "study": ["A", "B", "C"],
        "event_arm1": [5.0, 6, 12],
        "totaln_arm1": [50.0, 60, 40],
        "event_arm2": [15.0, 20, 11],
        "totaln_arm2": [50.0, 58, 41],
    }
    return pd.DataFrame(frame | columns)


def found(frame):
    return [(w.kind, w.studies, w.rows) for w in load_studies(frame).warnings if w.kind in NEW]


def test_sound_tables_are_not_named():
    assert found(means()) == []
    assert found(counts()) == []


@pytest.mark.parametrize("code", [-9, -99, -999, -9999, 999, 9999])
@pytest.mark.parametrize("column", ["mean_arm1", "mean_arm2"])
def test_missing_codes_among_means(column, code):
    assert found(means(**{column: [9.0, code, 8.0]})) == [("missing_code", ("B",), (1,))]


@pytest.mark.parametrize("column", ["sd_arm1", "n_arm2"])
@pytest.mark.parametrize("code", [999, 9999])
def test_missing_codes_among_sds_and_numbers(column, code):
    (warning,) = found(means(**{column: [30.0, 31.0, code]}))
    assert warning == ("missing_code", ("C",), (2,))


def test_missing_code_message():
    (warning,) = load_studies(means(mean_arm1=[-999.0, 10, 8])).warnings
    assert str(warning) == "A: mean_arm1 is −999, a usual code for a missing value: row 0"
    assert warning.columns == ("mean_arm1",)


def test_numbers_like_codes_that_are_none():
    assert found(means(mean_arm1=[99.0, 98, 97], mean_arm2=[99.0, 99, 99])) == []
    assert found(means(mean_arm1=[-9.0, -8, -7], mean_arm2=[-7.0, -6, -4])) == []
    assert found(means(mean_change_arm1=[-9.0, 1, 2])) == []


def test_effects_no_trial_finds():
    frame = means(mean_arm1=[9.0, 36, 8])
    assert found(frame) == [("large_effect", ("B",), (1,))]
    assert "an effect of 4.14 standard deviations is larger" in str(load_studies(frame).warnings[0])
    assert found(means(mean_arm1=[9.0, 35, 8])) == []
    printed = pd.DataFrame({"study": ["A", "B"], "precalc_g": [-4.5, 3.9], "precalc_g_se": [0.3, 0.3]})
    assert found(printed) == [("large_effect", ("A",), (0,))]
    given = pd.DataFrame({"study": ["A", "B"], ".g": [0.5, 4.5], ".g_se": [0.3, 0.3]})
    assert found(given) == [("large_effect", ("B",), (1,))]


def test_more_than_three_large_effects_are_one_message():
    frame = pd.DataFrame({"study": list("ABCDE"), "precalc_g": [5.0, 5, 5, 5, 0.4], "precalc_g_se": [0.3] * 5})
    assert found(frame) == [("large_effect", ("A", "B", "C", "D"), (0, 1, 2, 3))]


def test_a_row_named_for_its_sds_is_not_named_for_its_effect():
    frame = means(sd_arm1=[0.6, 5.5, 6], sd_arm2=[0.6, 5.6, 6.1])
    frame["n_arm1"] = frame["n_arm2"] = 60.0
    assert [w.kind for w in load_studies(frame).warnings] == ["se_as_sd"]


def test_printed_effects_far_from_the_means():
    assert found(means(precalc_g=[1.7, 0.6, None])) == [("effect_differs", ("A",), (0,))]
    assert found(means(precalc_g=[1.5, 0.6, 0.2])) == []
    # Change scores may be what the printed effect rests on.
    assert found(means(precalc_g=[1.7, 0.6, None], mean_change_arm1=[-3.0, None, None])) == []
    # The sign is another check's.
    kinds = [w.kind for w in load_studies(means(precalc_g=[-0.6, 0.5, 0.6])).warnings]
    assert kinds == ["sign"]


@pytest.mark.parametrize(
    "name",
    [
        "Total",
        "TOTAL:",
        " Overall ",
        "Pooled",
        "All studies",
        "all-studies",
        "Sum",
        "Subtotal",
        "Summary",
        "Mean",
        "Average",
    ],
)
def test_totals_by_name(name):
    assert found(means(study=["A", "B", name])) == [("total_row", (name,), (2,))]


@pytest.mark.parametrize("name", ["Sumner, 2001", "Overall, 1962", "Meaney, 2010", "Totals Trial 2"])
def test_authors_are_no_totals(name):
    assert found(means(study=["A", "B", name])) == []


def test_totals_by_their_counts():
    frame = counts(
        event_arm1=[5.0, 6, 11], totaln_arm1=[50.0, 60, 110], event_arm2=[15.0, 20, 35], totaln_arm2=[50.0, 58, 108]
    )
    assert found(frame) == [("total_row", ("C",), (2,))]
    assert found(means(n_arm1=[30.0, 40, 70], n_arm2=[31.0, 41, 72])) == [("total_row", ("C",), (2,))]
    # Two rows with the same counts are sums of each other.
    same = counts().iloc[[0, 0]].assign(study=["A", "B"])
    assert found(same) == []
    assert found(means(n_arm1=[30.0, 40, 70], n_arm2=[31.0, 41, 73])) == []


def test_events_that_are_no_whole_numbers():
    frame = counts(event_arm1=[0.55, 6, 12], event_arm2=[15.2, 20, 11])
    assert found(frame) == [("fractional_events", ("A",), (0,))]
    assert "event_arm1 is 0.55, event_arm2 is 15.20, no whole number" in str(load_studies(frame).warnings[0])
    # Halves of a shared control have totals that are no whole numbers either.
    assert found(counts(event_arm2=[7.5, 20, 11], totaln_arm2=[25.5, 58, 41])) == []


def test_more_participants_than_any_trial():
    assert found(means(n_arm1=[100_001.0, 31, 28])) == [("large_n", ("A",), (0,))]
    assert found(means(n_arm1=[100_000.0, 31, 28])) == []


def test_subsets_keep_what_was_seen():
    studies = load_studies(means(mean_arm1=[-999.0, 10, 8]))
    assert [w.kind for w in studies.where(study=["A", "B"]).warnings] == ["missing_code"]
    assert studies.where(study=["B", "C"]).warnings == ()


def test_huge_effects_are_not_written_out():
    (warning,) = load_studies(pd.DataFrame({"study": ["A"], "precalc_g": [-1e200], "precalc_g_se": [0.1]})).warnings
    assert str(warning).startswith("A: an effect of above 1,000,000 standard deviations is larger")


def clusters(frame):
    return [(w.studies, w.rows, w.columns) for w in load_studies(frame).warnings if w.kind == "cluster"]


@pytest.mark.parametrize(
    "title",
    ["A cluster randomized controlled trial", "a Cluster-Randomised trial", "cluster RCT in villages", "Cluster trial"],
)
def test_a_trial_that_randomised_clusters_is_named(title):
    titles = ["A randomised trial", title, None]
    assert clusters(means(full_ref=titles)) == [(("B",), (1,), ("full_ref",))]
    message = next(str(w) for w in load_studies(means(full_ref=titles)).warnings if w.kind == "cluster")
    assert "adjust_for_clusters" in message


@pytest.mark.parametrize(
    "title", ["Clusters of symptoms in depression", "cluster analysis of trials", "random clusters"]
)
def test_other_clusters_are_not(title):
    assert clusters(means(full_ref=[title] * 3)) == []


def test_many_cluster_trials_become_one_message():
    frame = pd.concat([means(study=[f"S{3 * i + j}" for j in range(3)]) for i in range(4)], ignore_index=True)
    found = clusters(frame.assign(note="cluster-randomised"))
    assert len(found) == 1
    assert len(found[0][0]) == 12
