"""Damaged, cut, renamed and self-contradicting statistical files: one clear error, no traceback, no cell, no path."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import Limits, reading_session

HERE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


DAMAGED = {
    "crash_duplicate_labels_4_bytes.sav": "could not be read safely",
    "crash_trial_usermissing_1_byte.zsav": "could not be read safely",
    "crash_variable_label_1_byte.sav": "could not be read safely",
    "bitflip.zsav": "could not be read safely",
    "header_ncases_wrong.sav": "its header says 7 rows, its data hold 300 rows",
    "header_says_2e9_cases.sav": "its header says 2,000,000,000 rows, its data hold 300 rows",
    "truncated_60pct.sav": "cut short",
    "truncated_60pct.zsav": "cut short",
    "truncated_60pct.dta": "cut short",
    "truncated_half.sas7bdat": "cut short",
    "truncated_lastbyte.sav": "cut short",
    "truncated_lastbyte.zsav": "cut short",
    "truncated_lastbyte.dta": "cut short",
    "csv_renamed.sav": "is not an SPSS file, whatever its name: its content looks like text",
    "xlsx_renamed.dta": "is not a Stata file, whatever its name: its content looks like a ZIP archive",
    "empty.sav": "is empty",
}


def refused(path, **options):
    with pytest.raises(IptError) as caught:
        read_table(path, **options)
    error = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert str(path.parent) not in str(error)
    assert error.hint
    return error


@pytest.mark.shared
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(shared, name):
    error = refused(shared / "data" / "statfiles" / "made" / name)
    assert DAMAGED[name] in error.message
    assert error.message.startswith(name)
    assert isinstance(error, DataError)


@pytest.mark.shared
def test_every_file_that_should_be_refused_is_in_the_list(shared, reference):
    for path in (HERE / "reference" / "io").glob("made__*.json"):
        told = reference(f"io/{path.stem}")
        should = told.get("what_a_trusted_loader_should_do", "")
        if should.startswith("refuse") or "error" in told["pyreadstat_1.3.7"]:
            assert Path(told["file"]).name in DAMAGED
    assert {p.name for p in (shared / "data" / "statfiles" / "made").glob("crash_*")} <= set(DAMAGED)


@pytest.fixture
def intact(tmp_path):
    """Write a small whole file and hand over its path."""

    def _intact(name, rows=20, **options):
        rng = np.random.default_rng(7)
        frame = pd.DataFrame(
            {
                "who": [f"person {i}, secret" for i in range(rows)],
                "score": rng.integers(0, 27, rows).astype(float),
                "x": rng.normal(size=rows),
            }
        )
        path = tmp_path / name
        if path.suffix in (".sav", ".zsav"):
            pyreadstat.write_sav(frame, str(path), compress=path.suffix == ".zsav", **options)
        elif path.suffix == ".dta":
            pyreadstat.write_dta(frame, str(path), **options)
        elif path.suffix == ".xpt":
            pyreadstat.write_xport(frame, str(path), **options)
        else:
            pyreadstat.write_por(frame, str(path), **options)
        return path

    return _intact


def patched(path, place, new):
    content = bytearray(path.read_bytes())
    content[place : place + len(new)] = new
    path.write_bytes(content)
    return path


KINDS = {
    "row.sav": {"row_compress": True},
    "plain.sav": {},
    "folded.zsav": {},
    "new.dta": {},
    "s13.dta": {"version": 13},
    "s12.dta": {"version": 12},
    "s10.dta": {"version": 10},
    "s8.dta": {"version": 8},
}


@pytest.mark.parametrize("name", KINDS)
def test_whole_files_are_read(intact, name):
    table = read_table(intact(name, **KINDS[name]))
    assert table.frame.shape == (20, 3)
    assert table.frame["who"].tolist()[3] == "person 3, secret"


@pytest.mark.parametrize("name", KINDS)
def test_a_file_cut_anywhere_is_refused(intact, name):
    path = intact(name, **KINDS[name])
    whole = path.read_bytes()
    for cut in (1, 3, 8, 200):
        path.write_bytes(whole[:-cut])
        assert "secret" not in str(refused(path))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("more", [1, 8, 160])
def test_a_file_that_goes_on_is_refused(intact, name, more):
    path = intact(name, **KINDS[name])
    path.write_bytes(path.read_bytes() + b"x" * more)
    refused(path)


@pytest.mark.parametrize("name", ["row.sav", "plain.sav", "folded.zsav"])
@pytest.mark.parametrize("count", [0, 1, 19, 21, 2_000_000_000])
def test_case_count_of_spss_is_compared(intact, name, count):
    path = patched(intact(name, **KINDS[name]), 80, struct.pack("<i", count))
    error = refused(path)
    assert f"its header says {count:,} row" in error.message
    assert "hold 20 rows" in error.message


@pytest.mark.parametrize("name", ["row.sav", "plain.sav", "folded.zsav"])
def test_a_case_count_that_is_not_known_is_allowed(intact, name):
    path = patched(intact(name, **KINDS[name]), 80, struct.pack("<i", -1))
    assert len(read_table(path)) == 20


def test_case_count_of_stata_is_compared(intact):
    path = intact("new.dta")
    place = path.read_bytes().index(b"<N>") + 3
    error = refused(patched(path, place, struct.pack("<Q", 7)))
    assert "its header says 7 rows, its data hold 20 rows" in error.message
    old = intact("s10.dta", version=10)
    assert "counts too few rows" in refused(patched(old, 6, struct.pack("<i", 7))).message
    assert "hold 20 rows" in refused(patched(old, 6, struct.pack("<i", 900))).message


def test_portable_and_transport_files_that_are_cut(intact):
    for name in ("t.por", "t.xpt"):
        path = intact(name)
        assert len(read_table(path)) == 20
        path.write_bytes(path.read_bytes()[:-100])
        assert "cut short" in refused(path).message


def test_formats_without_a_row_count_ask_for_one(intact):
    for name, options in (("t.por", {}), ("t.xpt", {"file_format_version": 5})):
        assert any("give expect_rows" in text for text in read_table(intact(name, **options)).warnings)
    # Version 8 counts its rows.
    assert not any("expect_rows" in text for text in read_table(intact("t.xpt", file_format_version=8)).warnings)


def test_a_folded_block_that_is_not_as_long_as_it_says(intact):
    path = intact("folded.zsav")
    content = bytearray(path.read_bytes())
    (trailer,) = struct.unpack_from("<q", content, _data_start(content) + 8)
    start, unfolded, folded = struct.unpack_from("<qii", content, trailer + 32)
    assert len(zlib.decompress(bytes(content[start : start + folded]))) == unfolded
    struct.pack_into("<i", content, trailer + 40, unfolded - 8)
    path.write_bytes(content)
    assert "could not be read safely" in refused(path).message


def _data_start(content):
    return bytes(content).index(struct.pack("<ii", 999, 0)) + 8


@pytest.mark.parametrize("cells", [59, 10])
@pytest.mark.parametrize("name", ["plain.sav", "folded.zsav", "new.dta", "t.xpt", "t.por"])
def test_too_many_cells(intact, name, cells):
    path = intact(name)
    with reading_session(Limits(cells=cells)):
        error = refused(path)
    assert f"up to {cells} cells are read" in error.message


def test_too_many_bytes(intact):
    with reading_session(Limits(size=100)):
        assert "files up to 100 bytes" in refused(intact("plain.sav")).message


def test_bytes_of_another_encoding_are_counted(tmp_path):
    frame = pd.DataFrame(
        {"name": ["Zoë", "José", "plain", "José"], "town": ["Köln", "a", "b", "c"], "n": [1.0, 2, 3, 4]}
    )
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(frame, str(path))
    for letter in "ëéö":
        # One byte of windows-1252 and a blank for the two bytes of UTF-8 keeps all lengths.
        path.write_bytes(path.read_bytes().replace(letter.encode(), letter.encode("cp1252") + b" "))
    error = refused(path)
    assert "column name: 3 cells" in error.message
    assert "1 more column" in error.message
    assert error.column == "name"
    assert not any(name in str(error) for name in ("Zo", "Jos", "ln"))
    assert read_table(path, encoding="cp1252").frame["name"].str.strip().tolist()[:2] == ["Zoë", "José"]


def test_ids_that_would_become_one_are_refused(tmp_path):
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": ["éa日", "éaX"]}), str(path))
    # The last letter of both is cut in the file, in different places: without it they are one id.
    content = path.read_bytes().replace("éa日".encode(), "éa".encode() + b"\xe6\x97 ")
    path.write_bytes(content.replace(b"\xc3\xa9aX  ", b"\xc3\xa9a\xe6  "))
    error = refused(path)
    assert "column id: 2 cells" in error.message


def test_statistical_content_in_a_text_file_is_told_its_suffix(intact, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(intact("plain.sav").read_bytes())
    assert "(.sav)" in refused(path).hint


def test_other_content_under_a_statistical_name(tmp_path):
    for content, word in (
        (b"%PDF-1.7 x", "a PDF"),
        (b"<html><body>", "web page"),
        (bytes(range(128, 256)), "does not begin"),
    ):
        path = tmp_path / "t.sav"
        path.write_bytes(content)
        assert word in refused(path).message


@pytest.mark.parametrize(("name", "place"), [("v8.xpt", 21), ("row.sav", 1)])
def test_a_damaged_beginning_is_not_told_to_be_the_same_kind(intact, name, place):
    path = intact(name, **({"row_compress": True} if name.endswith("sav") else {}))
    message = refused(patched(path, place, bytes([path.read_bytes()[place] ^ 1]))).message
    assert "damaged" in message
    assert "looks like a SAS transport file" not in message


@pytest.mark.shared
def test_catalogs_are_checked_too(shared, tmp_path):
    data = shared / "data" / "statfiles" / "haven" / "hadley.sas7bdat"
    catalog = (shared / "data" / "statfiles" / "haven" / "formats.sas7bcat").read_bytes()
    path = tmp_path / "formats.sas7bcat"
    path.write_bytes(catalog[:9000])
    error = refused(data, catalog=path)
    assert error.message.startswith("formats.sas7bcat")
    with pytest.raises(IptError, match="is not a SAS catalog"):
        read_table(data, catalog=data)


def test_a_random_bit_never_kills_this_process(intact):
    """What comes is a table or one of our errors; the formats have no checksum, so some tables differ."""
    path = intact(
        "plain.sav", variable_value_labels={"score": {0: "none", 26: "worst"}}, missing_ranges={"score": [99]}
    )
    whole = path.read_bytes()
    rng = np.random.default_rng(11)
    outcomes = []
    for _ in range(25):
        place = int(rng.integers(0, 900))
        patched(path, place, bytes([whole[place] ^ (1 << int(rng.integers(8)))]))
        try:
            outcomes.append(len(read_table(path)))
        except IptError as error:
            outcomes.append("secret" in str(error))
        path.write_bytes(whole)
    assert set(outcomes) <= {20, False}
    assert len(read_table(path)) == 20


def test_two_columns_of_one_name(tmp_path):
    path = tmp_path / "t.dta"
    pyreadstat.write_dta(pd.DataFrame({"first": [1.0, 2.0], "secnd": [3.0, 4.0]}), str(path))
    path.write_bytes(path.read_bytes().replace(b"secnd", b"first"))
    assert "several columns of the same name" in refused(path).message


@pytest.mark.parametrize("version", [5, 8])
def test_missing_letters_of_a_transport_file(intact, version):
    path = intact("t.xpt")
    frame = pd.DataFrame({"who": ["a", "b", "c", "d"], "x": [1.0, np.nan, np.nan, np.nan]})
    pyreadstat.write_xport(frame, str(path), file_format_version=version)
    content = bytearray(path.read_bytes())
    missing = [place for place in range(len(content) - 8) if content[place : place + 8] == b"." + b"\0" * 7]
    assert len(missing) == 3
    content[missing[0]], content[missing[1]] = ord("A"), ord("_")
    path.write_bytes(content)
    table = read_table(path)
    assert table.missing[["row", "column", "code"]].to_numpy().tolist() == [[2, "x", ".A"], [3, "x", "._"]]
    assert table.frame["x"].isna().tolist() == [False, True, True, True]


def test_row_count_of_a_transport_file_is_compared(intact):
    path = intact("t.xpt", file_format_version=8)
    place = path.read_bytes().index(b"OBSV8") + 28
    assert path.read_bytes()[place : place + 15].strip() == b"20"
    assert "its header says 7 rows, its data hold 20 rows" in refused(patched(path, place, b"%15d" % 7)).message


def test_a_transport_file_of_several_tables_is_refused(intact):
    path = intact("t.xpt", file_format_version=5)
    content = path.read_bytes()
    path.write_bytes(content + content[240:])
    assert "holds several tables" in refused(path).message


@pytest.mark.parametrize("suffix", ["sav", "zsav"])
def test_a_size_that_the_header_tells_is_refused_before_unfolding(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    frame = pd.DataFrame({f"x{i}": np.zeros(5000) for i in range(10)})
    pyreadstat.write_sav(frame, str(path), compress=suffix == "zsav", row_compress=suffix == "sav")
    content = bytearray(path.read_bytes())
    # What stands behind the header is spoilt: nobody may get there.
    if suffix == "zsav":
        start = _data_start(content) + 24
        content[start : start + 8] = b"x" * 8
        path.write_bytes(content)
    with reading_session(Limits(cells=49_999)):
        assert "unfolds to 5,000 rows and 10 columns" in refused(path).message


def test_a_changed_bit_of_folded_data_is_always_found(intact):
    """The blocks of a .zsav carry a checksum; no other part of an SPSS, Stata or SAS file does."""
    path = intact("folded.zsav", rows=40)
    whole, frame, found = path.read_bytes(), read_table(path).frame, 0
    (trailer,) = struct.unpack_from("<q", whole, _data_start(whole) + 8)
    start, _, folded = struct.unpack_from("<qii", whole, trailer + 32)
    for place in np.random.default_rng(2).integers(start, start + folded, 40):
        for bit in (0, 7):
            patched(path, place, bytes([whole[place] ^ (1 << bit)]))
            try:
                # A bit that says nothing (between the end of the last code and the next byte) changes nothing.
                assert read_table(path).frame.equals(frame)
            except DataError:
                found += 1
            path.write_bytes(whole)
    assert found >= 75
