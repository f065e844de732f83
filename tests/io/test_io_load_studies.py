"""Loading study tables: recognition, validation, refusal, exclusion."""

import tomllib

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import load_studies, read_mapping

GOOD = """study,condition_arm1,condition_arm2,instrument,mean_arm1,sd_arm1,n_arm1,\
mean_arm2,sd_arm2,n_arm2,site
"A, 2001",ipt,cau,bdi-1,9.1,5.2,30,12.0,5.4,31,007
"B, 2002",ipt,wl,bdi-1,8.5,5.0,40,12.5,5.6,38,NA
"""


@pytest.fixture
def write(tmp_path):
    def _write(content, name="studies.csv"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return _write


def test_a_table_in_the_standard(write):
    studies = load_studies(write(GOOD))
    table = studies.comparisons
    assert list(table.columns[:2]) == ["row", "study"]
    assert table["row"].tolist() == [2, 3]
    assert table["sd_arm1"].tolist() == [5.2, 5.0]
    assert (len(studies), studies.n_studies) == (2, 2)
    assert studies.extra_columns == ("site",)
    assert table["site"].tolist() == ["007", "NA"]
    assert studies.warnings == ()
    assert studies.excluded.empty
    assert not studies.simulated
    assert (studies.source.name, studies.source.rows, studies.source.delimiter) == ("studies.csv", 2, ",")
    assert len(studies.source.sha256) == 64
    assert "better" not in table


def test_frame_and_file_give_the_same(write):
    path = write(GOOD)
    from_file = load_studies(path).comparisons
    from_frame = load_studies(pd.read_csv(path, keep_default_na=False, dtype={"site": str}))
    assert from_frame.comparisons["row"].tolist() == [0, 1]
    pd.testing.assert_frame_equal(
        from_frame.comparisons.drop(columns="row"), from_file.drop(columns="row"), check_dtype=False
    )
    assert from_frame.source.name == "data frame"
    assert load_studies(pd.read_csv(path), simulated=True).simulated


def test_the_callers_frame_is_not_changed():
    frame = pd.DataFrame({" study": ["A"], "g": [0.5], "v": [0.04]}, index=[9])
    before = frame.copy()
    load_studies(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_standard_error_from_variance():
    studies = load_studies(pd.DataFrame({"study": ["A", "B"], "g": ["0.5", "0.2"], "v": ["0.04", "0.09"]}))
    assert studies.comparisons[".g_se"].tolist() == [0.2, 0.3]
    assert any("square root of v" in note for note in studies.notes)
    with pytest.raises(DataError) as caught:
        load_studies(pd.DataFrame({"study": ["A", "B"], "g": ["0.5", "0.2"], "v": ["-0.04", "x"]}))
    assert caught.value.failures[["row", "column", "rule"]].values.tolist() == [
        [0, "v", "exclusiveMinimum"],
        [1, "v", "type"],
    ]


def test_v_alone_is_no_variance_of_g():
    studies = load_studies(pd.DataFrame({"study": ["A"], "precalc_g": [0.5], "v": [0.04]}))
    assert studies.extra_columns == ("v",)


def test_databank_headings(write):
    content = "Study,source_g,source_g_se\nA,0.5,0.2\n"
    studies = load_studies(write(content))
    assert studies.comparisons.loc[0, ["study", ".g", ".g_se"]].tolist() == ["A", 0.5, 0.2]
    assert studies.headings == {"Study": "study", "source_g": ".g", "source_g_se": ".g_se"}
    assert studies.where(source_g=0.5).comparisons.shape[0] == 1


def test_the_dictionarys_own_name_goes_first():
    studies = load_studies(pd.DataFrame({"study": ["A"], "source_g": [9.0], ".g": [0.5], ".g_se": [0.1]}))
    assert studies.comparisons.loc[0, ".g"] == 0.5
    assert studies.extra_columns == ("source_g",)


def test_two_headings_for_one_column_are_asked():
    frame = pd.DataFrame({"study": ["A"], "source_g": [0.5], "hedges_g": [0.4]})
    with pytest.raises(DataError, match="more than one column") as caught:
        load_studies(frame)
    assert "left_out" in str(caught.value)
    mapping = {"columns": {".g": "hedges_g"}, "left_out": ["source_g"]}
    studies = load_studies(frame, mapping)
    assert studies.comparisons[".g"].tolist() == [0.4]
    assert "source_g" not in studies.comparisons


def test_bad_rows_are_refused_with_all_of_them(write):
    bad = GOOD.replace("5.2,30", "-5.2,0").replace("40,12.5", "n/a?,12.5")
    with pytest.raises(DataError) as caught:
        load_studies(write(bad))
    error = caught.value
    assert error.failures[["row", "column", "rule"]].values.tolist() == [
        [2, "sd_arm1", "exclusiveMinimum"],
        [2, "n_arm1", "exclusiveMinimum"],
        [3, "n_arm1", "type"],
    ]
    assert error.rows == (2, 3)
    assert "2 of 2 rows fail" in error.message
    assert "sd_arm1, row 2: must be above 0" in error.message
    assert "ipt-outcomes check FILE" in error.hint
    # The tables are published data: what stands there is shown.
    assert "found 'n/a?'" in str(error)


def test_bad_rows_can_be_set_aside(write):
    studies = load_studies(write(GOOD.replace("5.2,30", "-5.2,30")), invalid="exclude")
    assert studies.comparisons["study"].tolist() == ["B, 2002"]
    assert studies.excluded[["row", "column"]].values.tolist() == [[2, "sd_arm1"]]
    assert studies.source.rows == 2
    assert "rows set aside: 1" in studies.describe()


def test_nothing_left_or_no_study_is_always_refused(write):
    with pytest.raises(DataError, match="all of 2 rows fail"):
        load_studies(write(GOOD.replace("5.2,30", "-5.2,30").replace("5.0,40", "0,40")), invalid="exclude")
    with pytest.raises(DataError, match="there must be a column 'study'") as caught:
        load_studies(write("id,g\nA,0.5\n"), invalid="exclude")
    assert "mapping" in caught.value.hint
    with pytest.raises(OptionError, match="invalid must be one of"):
        load_studies(write(GOOD), invalid="ignore")


def test_a_mapping_with_codes_and_constants(write):
    path = write("Trial;Therapy;M1;rob\nA;Interpersonal Therapy ;7,25;low\nB;CBT;8,5;high\n")
    mapping = {
        "columns": {"study": "Trial", "condition_arm1": "Therapy", "mean_arm1": "M1", "rob_rating": "rob"},
        "constants": {"condition_arm2": "control", "better": "lower", "time_weeks": 12.5},
        "codes": {"condition_arm1": {"interpersonal therapy": "ipt", "yoga": "oth"}},
    }
    studies = load_studies(path, mapping)
    table = studies.comparisons
    assert table["condition_arm1"].tolist() == ["ipt", "CBT"]
    assert table["mean_arm1"].tolist() == [7.25, 8.5]
    assert table["time_weeks"].tolist() == [12.5, 12.5]
    assert table["better"].tolist() == ["lower", "lower"]
    assert [w.kind for w in studies.warnings if "yoga" in str(w)] == ["reading"]
    # By dictionary name or by the file's own, by code or as written.
    for name, value in (("condition_arm1", "IPT"), ("Therapy", "Interpersonal Therapy"), ("therapy", "ipt")):
        assert studies.where({name: value}).comparisons["study"].tolist() == ["A"]
    assert studies.where(rob="low").comparisons["study"].tolist() == ["A"]


def test_a_failure_is_named_by_the_files_own_heading(write):
    with pytest.raises(DataError) as caught:
        load_studies(write("Trial,SD one\nA,-1\n"), {"study": "Trial", "sd_arm1": "SD one"})
    assert caught.value.failures["column"].tolist() == ["SD one"]
    assert caught.value.column == "SD one"


def test_a_mapping_that_does_not_fit_names_all_faults(write):
    with pytest.raises(OptionError) as caught:
        load_studies(write(GOOD), {"study": "Study name", "sd_arm1": "sd_arm_1"})
    assert "2 faults" in str(caught.value)
    assert "near: sd_arm1" in str(caught.value)


def test_constant_goes_before_a_column_of_that_name():
    frame = pd.DataFrame({"study": ["A"], "event": ["bad"], "row": ["x"]})
    studies = load_studies(frame, {"constants": {"event": "good"}})
    assert studies.comparisons["event"].tolist() == ["good"]
    assert studies.extra_columns == ("event (source)", "row (source)")
    assert studies.comparisons["row (source)"].tolist() == ["x"]


def test_several_files(write):
    first, second = write(GOOD, "a.csv"), write(GOOD.replace("2001", "2011").replace("2002", "2012"), "b.csv")
    studies = load_studies([first, second])
    table = studies.comparisons
    assert list(table.columns[:3]) == ["row", "file", "study"]
    assert table["file"].tolist() == ["a.csv", "a.csv", "b.csv", "b.csv"]
    assert [part.name for part in studies.source.parts] == ["a.csv", "b.csv"]
    assert studies.source.rows == 4
    write(GOOD.replace("5.2,30", "-5.2,30"), "b.csv")
    with pytest.raises(DataError, match=r"1 of 4 rows fail: b\.csv, sd_arm1, row 2") as caught:
        load_studies([first, second])
    assert caught.value.failures["file"].tolist() == ["b.csv"]
    kept = load_studies([first, second], invalid="exclude")
    assert kept.comparisons["file"].tolist() == ["a.csv", "a.csv", "b.csv"]
    with pytest.raises(OptionError, match="given twice"):
        load_studies([first, first])


@pytest.mark.parametrize("source", [[], 3, None, {"study": ["A"]}])
def test_wrong_sources(source):
    with pytest.raises(IptError):
        load_studies(source)


def test_wrong_frames():
    with pytest.raises(DataError, match="same name"):
        load_studies(pd.DataFrame([["A", "B"]], columns=["study", "study"]))
    with pytest.raises(DataError, match="no rows"):
        load_studies(pd.DataFrame({"study": []}))


def test_case_12_directions_are_read_never_inferred(cases):
    studies = load_studies(cases / "12-sign-follows-column-order" / "studies.csv")
    assert studies.comparisons["better"].tolist() == ["lower", "higher", "lower"]
    assert studies.comparisons["mean_arm2"].tolist() == [12.9, 61.0, 14.1]
    turned = studies.orient("ipt").comparisons
    assert turned["turned"].tolist() == [False, False, True]
    assert turned.loc[2, ["mean_arm1", "sd_arm1", "n_arm1", "mean_arm2"]].tolist() == [14.1, 9.1, 30.0, 19.5]


def test_case_15_names_stay_as_typed(cases):
    studies = load_studies(cases / "15-hostile-names" / "studies.csv")
    assert studies.comparisons["study"].tolist() == [
        "=1+1",
        "@SUM(A1)",
        "<script>document.title='x'</script>",
        "A & B <i>2011</i>",
        "-1 (n=3)",
    ]
    assert studies.comparisons[".g_se"].tolist() == np.sqrt([0.04, 0.05, 0.03, 0.06, 0.05]).tolist()
    table = pd.DataFrame({"study": ["A", "B"], "instrument": ["<script>x</script>", "=1+1"]})
    html = load_studies(table)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_response_mapping(write):
    header = "study.es,study,year,country,rob,disorder,therapy,patient,improved.ig,n.ig,improved.cg,n.cg,logrr,"
    row = '"A, 2003 - ipt","A, 2003",2003,Europe,high,Depression,Interpersonal Therapy,Adults,8,20,4,20,0.69,'
    row += '0.5,"A (2003)."'
    studies = load_studies(write(f"{header}se.logrr,reference\n{row}\n"), "metapsy-total-response")
    got = studies.comparisons.loc[0]
    wanted = {
        "study": "A, 2003",
        "effect_label": "A, 2003 - ipt",
        "condition_arm1": "ipt",
        "condition_arm2": "control",
        "event_arm1": 8.0,
        "totaln_arm2": 20.0,
        "event": "good",
        "outcome_type": "response",
        "rob_rating": "high",
        ".log_rr": 0.69,
        "disorder": "Depression",
    }
    assert {name: got[name] for name in wanted} == wanted
    assert len(studies.where(rob="High", therapy="Interpersonal Therapy", disorder="depression")) == 1
    assert tomllib.loads(read_mapping("metapsy-total-response").to_toml())["constants"]["event"] == "good"


def test_a_blank_study_is_a_fault_like_any_other(write):
    path = write(GOOD.replace('"A, 2001",ipt', ",ipt"))
    with pytest.raises(DataError) as caught:
        load_studies(path)
    assert "1 of 2 rows fail: study, row 2: must be a value; found nothing" in caught.value.message
    kept = load_studies(path, invalid="exclude")
    assert kept.comparisons["study"].tolist() == ["B, 2002"]
    assert kept.excluded[["row", "column", "rule"]].values.tolist() == [[2, "study", "required"]]


@pytest.mark.parametrize("blank", [None, pd.NA, float("nan"), "", " "])
def test_a_blank_study_in_a_frame(blank):
    # Row 1 of a frame is a record, not the header.
    frame = pd.DataFrame({"study": ["A", blank], "precalc_g": [0.1, 0.2], "precalc_g_se": [0.1, 0.1]})
    with pytest.raises(DataError, match="1 of 2 rows fail: study, row 1: must be a value; found nothing"):
        load_studies(frame)
    assert load_studies(frame, invalid="exclude").comparisons["study"].tolist() == ["A"]


def test_the_message_shows_what_was_found(write):
    with pytest.raises(DataError, match=r"sd_arm1, row 2: must be a number with decimal point; found '10\.5%'"):
        load_studies(write(GOOD.replace("9.1,5.2", "9.1,10.5%")))
    with pytest.raises(DataError) as caught:
        load_studies(write(GOOD.replace("9.1,5.2", "9.1,\x1b[31m" + "x" * 60)))
    assert f"found '\N{REPLACEMENT CHARACTER}[31m{'x' * 32}...'" in caught.value.message
    assert "\x1b" not in str(caught.value)
    with pytest.raises(DataError, match=r"must be above 0; found -2\.5"):
        load_studies(pd.DataFrame({"study": ["A"], "sd_arm1": [-2.5]}))


def test_ratings_in_rob_are_to_be_mapped():
    frame = pd.DataFrame({"study": ["A", "B"], "RoB": ["high", "some concerns"], ".g": [0.1, 0.2], ".g_se": [0.1, 0.1]})
    with pytest.raises(DataError) as caught:
        load_studies(frame)
    assert '[columns] rob_rating = "RoB"' in caught.value.hint
    assert load_studies(frame, {"rob_rating": "RoB"}).comparisons["rob_rating"].notna().all()


def test_a_mapping_that_fits_is_named(write):
    plan = read_mapping("metapsy-total-response")
    cells = dict.fromkeys(plan.columns.values(), "1") | {"rob": "high"}
    path = write(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    with pytest.raises(DataError) as caught:
        load_studies(path)
    assert "The mapping metapsy-total-response, which comes with the package, fits" in caught.value.hint
    with pytest.raises(DataError) as caught:
        load_studies(write(GOOD.replace("5.2,30", "-5.2,0")))
    assert "which comes with" not in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "# my table\n" + GOOD,
        "My table" + "," * 10 + "\n" + GOOD,
        "My table\nstudy;mean_arm1\nA;9.1\n",
        "My table\nstudy,mean_arm1\nA,9.1\n",
    ],
)
def test_a_title_above_the_column_names(write, content):
    with pytest.raises(DataError) as caught:
        load_studies(write(content))
    assert "If a title or a comment stands above the row of column names, delete it." in caught.value.hint


def test_a_cell_too_many_is_no_title(write):
    with pytest.raises(DataError) as caught:
        load_studies(write(GOOD.replace("5.2,30", "5,2,30")))
    assert "title" not in caught.value.hint


def test_hints_name_the_options_of_the_command_line(write, tmp_path):
    with pytest.raises(DataError) as caught:
        load_studies(write('study,mean_arm1\nA,"1,234"\nB,"2,345"\n'))
    assert "--decimal" in caught.value.hint
    path = tmp_path / "letters.csv"
    path.write_bytes(b"study,g\n\x81\x8d,1\n")
    with pytest.raises(IptError) as caught:
        load_studies(path)
    assert "--encoding" in caught.value.hint
