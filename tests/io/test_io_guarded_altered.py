"""One altered byte where a format says a thing twice: found, and refused or warned of."""

import struct

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import reading_session

FRAME = pd.DataFrame({"who": ["P01 a", "P02 b", "P03 c"], "arm": [1.0, 2.0, 2.0], "day": [5.0, 6.0, 7.0]})
LABELS = {"arm": {1.0: "ipt", 2.0: "usual care"}}


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


@pytest.fixture
def made(tmp_path):
    """Return how to write the table in a format, with some bytes replaced by others."""

    def _made(suffix, old=b"", new=b"", *, nth=0, frame=FRAME, **options):
        path = tmp_path / f"trial.{suffix}"
        if suffix in ("sav", "zsav"):
            pyreadstat.write_sav(
                frame, str(path), variable_value_labels=LABELS, compress=suffix == "zsav",
                row_compress=suffix == "sav", missing_ranges={"day": [{"lo": 7, "hi": 9}]}, **options,
            )  # fmt: skip
        elif suffix == "dta":
            pyreadstat.write_dta(frame, str(path), variable_value_labels=LABELS)
        elif suffix == "por":
            pyreadstat.write_por(frame, str(path))
        elif suffix == "xpt":
            pyreadstat.write_xport(frame, str(path), file_format_version=8)
        else:
            pq.write_table(pa.Table.from_pandas(frame), path, **options)
        content, at = path.read_bytes(), -1
        for _ in range(nth + 1):
            at = content.index(old, at + 1)
        path.write_bytes(content[:at] + new + content[at + len(old) :])
        return path

    return _made


def refused(path):
    with pytest.raises(DataError) as caught:
        read_table(path)
    error = caught.value
    assert error.hint
    assert "P01" not in str(error)
    assert str(path.parent) not in str(error)
    return error.message


@pytest.mark.parametrize("suffix", ["sav", "zsav", "dta", "por", "xpt", "parquet"])
def test_nothing_is_said_of_files_as_they_were_written(made, suffix):
    table = read_table(made(suffix))
    assert len(table) == 3
    assert not any("damaged" in warning for warning in table.warnings)


@pytest.mark.parametrize("suffix", ["sav", "zsav"])
@pytest.mark.parametrize("bias", [99.0, 100.5, 0.0, 1e300])
def test_the_number_taken_off_all_scores(made, suffix, bias):
    path = made(suffix, struct.pack("<d", 100.0), struct.pack("<d", bias))
    assert "its header does not fit its content" in refused(path)


@pytest.mark.parametrize("suffix", ["sav", "zsav"])
@pytest.mark.parametrize(
    ("old", "new"),
    [(b"ARM     ", b"ARN     "), (b"ARM=arm", b"ARN=arm"), (b"WHO=", b"WHP="), (b"ARM     ", b"ARm     ")],
)
def test_the_two_lists_of_names_of_spss(made, suffix, old, new):
    assert "its header does not fit its content" in refused(made(suffix, old, new))


def test_a_missing_range_from_high_to_low(made):
    path = made("sav", struct.pack("<2d", 7, 9), struct.pack("<2d", 9, 7))
    assert "its header does not fit its content" in refused(path)


def test_a_label_shorter_than_its_letters(made):
    table = read_table(made("sav", b"\x0ausual care", b"\x08usual care"))
    assert any("letters stand behind the end of a label" in warning for warning in table.warnings)


def test_a_number_that_became_a_time(made):
    shown, written = struct.pack("<i", 0x00050802), struct.pack("<i", 0x00150802)
    table = read_table(made("sav", shown, written))
    assert any("by one of its two formats" in warning and "SHA-256" in warning for warning in table.warnings)
    both = read_table(made("sav", variable_format={"day": "DATE11"}))
    assert not any("two formats" in warning for warning in both.warnings)


def test_the_number_that_stands_for_missing(made):
    extremes = struct.pack("<2d", -np.finfo(float).max, np.finfo(float).max)
    for place in (7, 15):
        wrong = extremes[:place] + bytes([extremes[place] ^ 1]) + extremes[place + 1 :]
        assert "its header does not fit its content" in refused(made("sav", extremes, wrong))


def test_parts_of_unknown_kinds(made):
    names = struct.pack("<3i", 7, 13, 1)
    table = read_table(made("sav", names, struct.pack("<3i", 7, 45, 1)))
    assert any("of a kind that is not known here" in warning for warning in table.warnings)
    assert "does not fit its content" in refused(made("sav", names, struct.pack("<3i", 7, 13 | 1 << 20, 1)))


def test_a_text_column_of_two_widths(made):
    content = made("sav").read_bytes()
    at = content.index(struct.pack("<2i", 2, 5), 176)
    table = read_table(made("sav", content[at : at + 8], struct.pack("<2i", 2, 4)))
    assert table.frame["who"].tolist() == ["P01", "P02", "P03"]
    assert any("its cells may be cut" in warning for warning in table.warnings)


def test_an_encoding_said_twice_and_not_the_same(made):
    content = made("sav").read_bytes()
    # The record of whole numbers (seven before the code page), and the one of the encoding's name.
    at = content.index(struct.pack("<4i", 7, 3, 4, 8)) + 16 + 28
    assert struct.unpack_from("<i", content, at) == (65001,)
    old = content[at - 28 : at + 4]
    table = read_table(made("sav", old, old[:28] + struct.pack("<i", 1252)))
    assert any("says its encoding twice" in warning for warning in table.warnings)
    assert len(table) == 3


@pytest.mark.parametrize(
    ("suffix", "old", "new"),
    [
        ("sav", b"=arm", b"=a m"),
        ("sav", b"=arm", b"=a\x01m"),
        ("dta", b"arm\0", b"arm\x04"),
        ("por", b"ARM", b"A\xc3M"),
    ],
)
def test_names_that_no_program_writes(made, suffix, old, new):
    message = refused(made(suffix, old, new))
    assert "names of columns" in message or "the reader stopped" in message
    assert "damaged" in message


def test_characters_nobody_types(made):
    table = read_table(made("sav", b"P02 b", b"P02\x01b"))
    assert any("who: 1 cell holds characters that nobody can see or type" in warning for warning in table.warnings)
    spaced = pd.DataFrame({"note": ["line\none", "tab\tbed", "line\r\ntwo"]})
    path = made("dta", frame=spaced.assign(arm=1.0))
    assert not any("nobody can see" in warning for warning in read_table(path).warnings)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<varnames>", b"<varnamez>"),
        (b"</formats>", b"</formatz>"),
        (b"<lbl>", b"<lbm>"),
        (b"</lbl>", b"</lbm>"),
        (b"%8.2g", b"#8.2g"),
        (b"ipt\0usual", b"iptxusual"),
        (struct.pack("<2i", 2, 15), struct.pack("<2i", 2, 16)),
        (struct.pack("<2i", 0, 4), struct.pack("<2i", 0, 5)),
        (struct.pack("<2i", 0, 4), struct.pack("<2i", 0, 400)),
    ],
)
def test_sections_formats_and_lists_of_labels_of_stata(made, old, new):
    if old.startswith(b"%"):
        content = made("dta").read_bytes()
        at = content.index(b"<formats>") + len(b"<formats>")
        old, new = content[at : at + 5], b"#" + content[at + 1 : at + 5]
    message = refused(made("dta", old, new))
    assert "its header does not fit its content" in message or "ends before its header says" in message


def test_a_section_that_the_map_of_stata_does_not_show(made):
    content = made("dta").read_bytes()
    begins = content.index(b"<map>") + 5
    places = list(struct.unpack_from("<14Q", content, begins))
    for entry in range(1, 13):
        wrong = [*places[:entry], places[entry] + 1, *places[entry + 1 :]]
        path = made("dta", struct.pack("<14Q", *places), struct.pack("<14Q", *wrong))
        assert "does not fit its content" in refused(path) or entry in (9, 10)


def test_stata_13_leaves_one_place_of_its_map_empty(made):
    content = made("dta").read_bytes()
    places = list(struct.unpack_from("<14Q", content, content.index(b"<map>") + 5))
    empty = [*places[:7], 0, *places[8:]]
    path = made("dta", struct.pack("<14Q", *places), struct.pack("<14Q", *empty))
    assert read_table(path).frame.equals(read_table(made("dta")).frame)


def test_line_ends_after_everything_are_no_damage_and_other_bytes_are(made):
    path = made("dta")
    whole = path.read_bytes()
    path.write_bytes(whole + b"\r\n")
    assert len(read_table(path)) == 3
    path.write_bytes(whole + b"\nx")
    assert "holds data after its end" in refused(path)


def test_the_table_of_letters_of_a_portable_file(made):
    assert "its header does not fit its content" in refused(made("por", b"WXYZabc", b"WxYZabc"))
    assert "its header does not fit its content" in refused(made("por", b"WXYZabc", b"W#YZabc"))


@pytest.mark.parametrize(("old", "new"), [(b"P02 b", b"P02 bb"), (b"P02 b", b"P02b"), (b"\r\n", b"x\n")])
def test_lines_of_a_portable_file(made, old, new):
    message = refused(made("por", old, new, nth=6 if old == b"\r\n" else 0))
    assert "lines of another length" in message or "could not be read safely" in message


@pytest.mark.parametrize("end", [b"\n", b""])
def test_line_ends_of_a_portable_file_are_what_the_system_has(made, end):
    path = made("por")
    whole = read_table(path).frame
    path.write_bytes(path.read_bytes().replace(b"\r\n", end))
    assert read_table(path).frame.equals(whole)


@pytest.mark.parametrize("nth", [0, 1])
def test_the_two_names_of_a_transport_file(made, nth):
    assert "its header does not fit its content" in refused(made("xpt", b"arm", b"art", nth=nth))


def test_longer_names_of_a_transport_file_are_shortened(made):
    frame = FRAME.rename(columns={"arm": "treatment_arm"})
    assert "treatment_arm" in read_table(made("xpt", frame=frame)).frame


def test_names_of_parquet_stand_in_every_group(made):
    content = made("parquet").read_bytes()
    places = [at for at in range(len(content)) if content.startswith(b"\x18\x03arm", at)]
    path = made("parquet", b"\x18\x03arm", b"\x18\x03art", nth=0)
    assert places
    assert "could not be read safely" in refused(path)


@pytest.mark.parametrize(
    ("wrong", "columns"),
    [
        ({"who": ["P01 a", None, "P03 c"]}, "who"),
        ({"arm": [1.0, 2.0, 9.0]}, "arm"),
        ({"arm": [0.0, 2.0, 9.0], "day": [5.0, None, 7.0]}, "arm, day"),
    ],
)
def test_what_parquet_sums_up(tmp_path, wrong, columns):
    """The footer of one table over the cells of another one of the same size."""
    paths = [tmp_path / "one.parquet", tmp_path / "other.parquet"]
    options = {"compression": "none", "use_dictionary": False, "store_schema": False, "column_encoding": "PLAIN"}
    rows = 200
    for path, frame in zip(paths, (FRAME, FRAME.assign(**wrong)), strict=True):
        frame = pd.concat([frame] * rows, ignore_index=True)
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, **options)
    metas = [pq.ParquetFile(path).metadata.row_group(0) for path in paths]
    table = pq.read_table(paths[1])
    from ipt_outcomes.io.guarded.child.summaries import wrong_summaries

    assert wrong_summaries(table, pq.ParquetFile(paths[1]).metadata) == []
    found = wrong_summaries(table, pq.ParquetFile(paths[0]).metadata)
    assert ", ".join(found) == columns
    assert metas[0].num_rows == metas[1].num_rows


def test_summaries_of_many_kinds_hold(tmp_path):
    path = tmp_path / "kinds.parquet"
    columns = {
        "i8": pa.array([-3, None, 5], pa.int8()), "u64": pa.array([2**63, 0, None], pa.uint64()),
        "f": pa.array([float("nan"), 1.5, None]), "f32": pa.array([0.1, -0.0, 3.0], pa.float32()),
        "nans": pa.array([float("nan")] * 3), "d": pa.array(["a", "b", None]).dictionary_encode(),
        "n": pa.nulls(3), "b": pa.array([True, None, False]),
    }  # fmt: skip
    pq.write_table(pa.table(columns), path, row_group_size=2)
    assert read_table(path).frame.shape == (3, 8)
    np.testing.assert_array_equal(read_table(path).frame["f32"], np.array([0.1, -0.0, 3.0], np.float32))
