"""Transport files of our own making: read by three readers, every number exact."""

import io

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.exchange.transport import ibm_bytes, transport_bytes
from ipt_outcomes.io.guarded import reading_session

# Worked by hand: sign, exponent of 16 above 64, fraction of 56 bits.
KNOWN = {
    1.0: "4110000000000000", -1.0: "c110000000000000", 0.0: "0000000000000000", 16.0: "4210000000000000",
    0.5: "4080000000000000", 100.0: "4264000000000000", -118.625: "c276a00000000000", 0.1: "401999999999999a",
    float("nan"): "2e00000000000000",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


@pytest.mark.parametrize("value", KNOWN)
def test_numbers_of_ibm(value):
    assert ibm_bytes(np.array([value])).tobytes().hex() == KNOWN[value]


def value_of(word):
    """An IBM number by its definition (TS-140), another way than it was made."""
    number = int.from_bytes(word, "big")
    sign, exponent, fraction = number >> 63, number >> 56 & 127, number & (1 << 56) - 1
    return (-1) ** sign * np.ldexp(float(fraction), 4 * (exponent - 64) - 56)


@given(st.lists(st.floats(min_value=-7e75, max_value=7e75, allow_nan=False), min_size=1, max_size=50))
def test_every_double_in_reach_is_exact(values):
    for value, word in zip(values, ibm_bytes(np.array(values)), strict=True):
        told = value_of(word.tobytes())
        assert told == value or (abs(value) < 5.4e-79 and told == 0)


@pytest.mark.parametrize(("value", "words"), [(1e76, "numbers beyond 7e75"), (float("-inf"), "infinite numbers")])
def test_numbers_out_of_reach_are_refused_by_column(value, words):
    frame = pd.DataFrame({"AVAL": [1.0, value], "CHG": [value, 1.0], "T": ["x" * 201, ""]})
    with pytest.raises(DataError) as caught:
        transport_bytes(frame, name="ADQS", label="", labels={})
    for part in (f"AVAL: {words}", f"CHG: {words}", "T: texts of 201 bytes, of which 200 are the most"):
        assert part in caught.value.message


@pytest.mark.parametrize("name", ["LONGERTHAN8", "A B", "1A", "Ä", ""])
def test_names_that_do_not_fit(name):
    with pytest.raises(DataError, match="names that do not fit"):
        transport_bytes(pd.DataFrame({name: [1.0]}), name="ADQS", label="", labels={})


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(lambda text: text.rstrip())
NUMBERS = st.one_of(
    st.just(float("nan")),
    st.floats(-1e9, 1e9).filter(lambda x: not 0 < abs(x) < 1e-70),
    st.integers(-999, 999).map(float),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(NUMBERS, TEXTS, NUMBERS), min_size=1, max_size=12))
def test_what_is_written_is_read(tmp_path_factory, rows):
    frame = pd.DataFrame(rows, columns=["AVAL", "AVALC", "N_3"])
    # A row of nothing but blanks at the end is no row in this format; a number never is blank.
    data = transport_bytes(frame, name="ADQS", label="scores", labels={"AVAL": "Analysis value"})
    assert len(data) % 80 == 0
    path = tmp_path_factory.mktemp("xpt") / "adqs.xpt"
    path.write_bytes(data)
    table = read_table(path, encoding="utf-8")
    assert table.column_labels["AVAL"] == "Analysis value"
    other, meta = pyreadstat.read_xport(path)
    assert (meta.table_name, meta.file_label) == ("ADQS", "scores")
    for name in ("AVAL", "N_3"):
        for found in (table.frame, other):
            read = pd.to_numeric(found[name]).to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_array_equal(read, frame[name])
    for found in (table.frame, other):
        texts = ["" if pd.isna(cell) else cell for cell in found["AVALC"]]
        assert texts == frame["AVALC"].tolist()


def test_a_reader_of_other_make_reads_the_same():
    frame = pd.DataFrame({"AVAL": [1.5, -0.1, np.nan, 1e-9, 123456.789], "AVALC": ["a", "", "ü", "word", "z"]})
    data = transport_bytes(frame, name="ADQS", label="scores", labels={})
    third = pd.read_sas(io.BytesIO(data), format="xport", encoding="utf-8")
    # The reader of pandas computes the last bit in another way.
    np.testing.assert_allclose(third["AVAL"], frame["AVAL"], rtol=1e-15)
    assert third["AVALC"].fillna("").tolist() == frame["AVALC"].tolist()


def test_no_rows(tmp_path):
    frame = pd.DataFrame({"A": pd.Series(dtype=float), "B": pd.Series(dtype=str)})
    path = tmp_path / "adtte.xpt"
    path.write_bytes(transport_bytes(frame, name="ADTTE", label="", labels={}))
    assert read_table(path, encoding="utf-8").frame.shape == (0, 2)


def test_missing_texts_are_blank():
    texts = pd.DataFrame({"B": pd.Series(["a", None, pd.NA], dtype=object)})
    assert transport_bytes(texts, name="X", label="", labels={}).endswith(b"a" + b" " * 79)
