"""What looks wrong is named, once, and nothing is changed."""

import tomllib

import pandas as pd
import pytest

from ipt_outcomes.io import load_studies


def found(frame, kind):
    return [warning for warning in load_studies(pd.DataFrame(frame)).warnings if warning.kind == kind]


def arms(**columns):
    """Five sound trials of one instrument, with columns replaced."""
    frame = {
        "study": ["A", "B", "C", "D", "E"],
        "condition_arm1": ["ipt"] * 5,
        "condition_arm2": ["cau"] * 5,
        "instrument": ["bdi-1"] * 5,
        "mean_arm1": [9.0, 10, 8, 9, 11],
        "sd_arm1": [5.0, 5.5, 6, 5.2, 5.8],
        "n_arm1": [30.0, 31, 28, 40, 36],
        "mean_arm2": [12.0, 13, 12, 11, 14],
        "sd_arm2": [5.1, 5.6, 6.1, 5.3, 5.9],
        "n_arm2": [29.0, 33, 27, 41, 35],
        ".g": [0.6, 0.5, 0.7, 0.4, 0.5],
        ".g_se": [0.2] * 5,
    }
    return pd.DataFrame(frame | columns)


def test_case_11_standard_error_typed_as_sd(cases):
    case = cases / "11-se-typed-as-sd"
    expected = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))["expected"]
    studies = load_studies(case / "studies.csv")
    (warning,) = studies.warnings
    assert str(warning) == expected["warning"]
    assert (warning.kind, warning.studies, warning.rows) == ("se_as_sd", ("Study B",), (3,))
    assert warning.columns == ("sd_arm1", "sd_arm2")
    # Never silently changed.
    assert studies.comparisons["sd_arm1"].tolist() == [5.2, 0.98, 5.6]


def test_case_11_with_a_mapping(cases):
    mapping = {"study": "study", "mean_arm1": "mt", "sd_arm1": "sdt", "n_arm1": "nt"}
    mapping |= {"mean_arm2": "mc", "sd_arm2": "sdc", "n_arm2": "nc"}
    studies = load_studies(cases / "11-se-typed-as-sd" / "studies.csv", mapping)
    assert [warning.studies for warning in studies.warnings] == [("Study B",)]


def test_sound_tables_give_no_warning():
    assert load_studies(arms()).warnings == ()


def test_small_sds_that_are_no_standard_errors():
    # SD * sqrt(n) does not fit: another scale, not an SE.
    tiny = arms(sd_arm1=[0.1, 5.5, 6, 5.2, 5.8], sd_arm2=[0.1, 5.6, 6.1, 5.3, 5.9])
    assert found(tiny, "se_as_sd") == []
    # Another instrument: nothing to compare with.
    other = arms(instrument=["cgi", *["bdi-1"] * 4], sd_arm1=[0.9, 5.5, 6, 5.2, 5.8], sd_arm2=[1.0, 5.6, 6.1, 5.3, 5.9])
    assert found(other, "se_as_sd") == []


def test_sign_of_one_study():
    (warning,) = found(arms(**{".g": [0.6, -0.5, 0.7, 0.4, 0.5]}), "sign")
    assert (warning.studies, warning.rows, warning.columns) == (("B",), (1,), (".g",))
    assert "if lower scores are better" in str(warning)


def test_sign_obeys_better():
    assert found(arms(better=["lower"] * 5), "sign") == []
    (warning,) = found(arms(better=["higher", *["lower"] * 4]), "sign")
    assert warning.studies == ("A",)
    assert "if lower" not in str(warning)


def test_a_reversed_table_gets_one_message():
    (warning,) = found(arms(**{".g": [-0.6, -0.5, -0.7, -0.4, -0.5]}), "sign")
    assert "5 of 5 rows" in str(warning)
    assert "whole table is reversed" in str(warning)


def test_control_group_used_twice():
    frame = pd.concat([arms(), arms().loc[[1]].assign(condition_arm1="cbt", mean_arm1=10.5)])
    (warning,) = found(frame, "shared_control")
    assert (warning.studies, warning.rows) == (("B",), (1, 5))
    for words in ("B:", "cau, n = 33", "ipt and cbt"):
        assert words in str(warning)


def test_control_group_by_multi_arm():
    frame = pd.concat([arms(multi_arm1=None), arms().loc[[1]].assign(multi_arm1="ipt (group)", mean_arm1=10.5)])
    frame["multi_arm1"] = frame["multi_arm1"].where(frame["study"] != "B", ["ipt (individual)"] * 5 + ["ipt (group)"])
    (warning,) = found(frame, "shared_control")
    assert "ipt (individual) and ipt (group)" in str(warning)


def test_two_outcomes_or_split_controls_are_not_used_twice():
    two_outcomes = pd.concat([arms(), arms().assign(instrument="hdrs-17")])
    assert found(two_outcomes, "shared_control") == []
    split = pd.concat([arms(), arms().loc[[1]].assign(condition_arm1="cbt", n_arm2=16)])
    assert found(split, "shared_control") == []


def test_names_that_differ_in_blanks_only():
    (warning,) = found(arms(study=["Power, 2012", "Power, 2012 ", "Müller 2001", "Muller, 2001", "E"]), "names")[:1]
    assert '"Power, 2012" and "Power, 2012 "' in str(warning)
    assert found(arms(study=["Power, 2012a", "Power, 2012b", "C", "D", "E"]), "names") == []


def test_names_without_letters_are_not_thrown_together():
    assert found(arms(study=["!", "?", "C", "D", "E"]), "names") == []


def test_duplicate_rows():
    (warning,) = found(pd.concat([arms(), arms().loc[[2]]]), "duplicate")
    assert (warning.studies, warning.rows) == (("C",), (2, 5))
    assert found(pd.concat([arms(), arms().loc[[2]].assign(mean_arm1=8.1)]), "duplicate") == []


@pytest.mark.parametrize("char", ["\x07", "\x1b", "\u202e", "\u200b", "\x7f"])
def test_invisible_characters_are_reported_and_kept(char):
    studies = load_studies(arms(study=["A", f"B{char}", "C", "D", "E"]))
    (warning,) = [w for w in studies.warnings if w.kind == "invisible_characters"]
    assert (warning.rows, warning.columns) == ((1,), ("study",))
    assert studies.comparisons.loc[1, "study"] == f"B{char}"


def test_nothing_to_pool():
    (warning,) = found({"study": ["A"], "year": [2001]}, "no_effect")
    assert "mean_arm1, sd_arm1, n_arm1" in str(warning)


def test_words_where_weeks_are_wanted():
    (warning,) = found(arms(time_weeks=["12", "5  months", "nr", None, "NA"]), "words")
    assert (warning.rows, warning.columns) == ((1, 2), ("time_weeks",))


def test_many_alike_become_one_message():
    frame = pd.concat([arms(study=[f"S{i}{j}" for j in range(5)]) for i in range(4)], ignore_index=True)
    twice = pd.concat([frame, frame.assign(condition_arm1="cbt", mean_arm1=frame["mean_arm1"] + 1)])
    (warning,) = found(twice, "shared_control")
    assert str(warning).startswith("20 studies use one control group")
    assert len(warning.studies) == 20


def test_subsets_keep_what_the_whole_showed_and_lose_what_is_gone():
    sds = {"sd_arm1": [0.95, 5.5, 6, 5.2, 5.8], "sd_arm2": [1.0, 5.6, 6.1, 5.3, 5.9]}
    frame = pd.concat([arms(**sds), arms().loc[[1]].assign(condition_arm1="cbt", mean_arm1=10.5)])
    studies = load_studies(frame)
    assert [w.kind for w in studies.warnings] == ["se_as_sd", "shared_control"]
    assert [w.kind for w in studies.where(study=["A", "C"]).warnings] == ["se_as_sd"]
    assert [w.kind for w in studies.where(condition_arm1="ipt").warnings] == ["se_as_sd"]
    assert [w.kind for w in studies.where(study="B").warnings] == ["shared_control"]


@pytest.mark.parametrize(("effect", "error"), [("yi", "sei"), ("TE", "seTE"), ("Yi", "SEI")])
def test_effects_of_unknown_measure_are_to_be_mapped(effect, error):
    frame = {"study": ["A", "B"], effect: [0.5, 0.4], error: [0.2, 0.1]}
    (warning,) = found(frame, "no_effect")
    assert str(warning).startswith(f"{effect} and {error} are there, but not what they measure: map them")
    assert f'".g" = "{effect}" and ".g_se" = "{error}"' in str(warning)
    assert load_studies(pd.DataFrame(frame), {".g": effect, ".g_se": error}).warnings == ()


def test_a_variance_is_not_to_be_mapped_as_a_standard_error():
    frame = {"study": ["A", "B"], "yi": [0.5, 0.4], "vi": [0.04, 0.09]}
    (warning,) = found(frame, "no_effect")
    assert 'rename them "g" and "v"' in str(warning)
    assert '"vi"' not in str(warning)
    renamed = load_studies(pd.DataFrame(frame).rename(columns={"yi": "g", "vi": "v"}))
    assert renamed.comparisons[".g_se"].tolist() == [0.2, 0.3]
    # Where there is something to pool, nothing is said.
    assert found(arms(yi=[0.1] * 5, vi=[0.1] * 5), "no_effect") == []
