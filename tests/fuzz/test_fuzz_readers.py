"""A bounded run: every reader with damaged files. The long one is `long_run.py`."""

import time

import harness
import mutations
import pytest

from ipt_outcomes.io.guarded import Limits, reading_session

SECONDS = 1.4
LIMITS = Limits(seconds=8.0, cpu=6, memory=1_500 * 1024**2)
KINDS = (
    "sav", "zsav", "por", "dta", "xpt, version 5", "xpt, version 8", "xlsx", "parquet", "csv", "folder",
    "saved, its record", "saved, a table",
)  # fmt: skip
SAS = {"sas7bdat": "test_data_win.sas7bdat", "sas7bcat": "test_formats_win.sas7bcat"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return mutations.samples(tmp_path_factory.mktemp("samples"))


def run(path, folder, **options):
    tally = harness.Tally()
    with reading_session(LIMITS):
        fuzzer = harness.Fuzzer(path, folder, LIMITS.seconds + 4, **options)
        end, seed = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            fuzzer.run(seed, tally)
            seed += 1
    assert tally.faults == []
    # Every refusal by a reader written in C costs a new child: some formats get further than others.
    assert tally.total("runs") >= 3
    assert tally.total("survived") == tally.total("runs")
    return tally


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_read_this_process_lives_and_says_one_sentence(written, tmp_path, kind):
    tally = run(written[kind], tmp_path, kind=kind)
    assert tally.total("refusals") + tally.total("crashes") > tally.total("runs") // 10


@pytest.mark.shared
@pytest.mark.parametrize("kind", SAS)
def test_files_of_sas_that_cannot_be_written_here(shared, tmp_path, kind):
    folder = shared / "data" / "statfiles" / "pyreadstat"
    beside = [folder / SAS["sas7bdat"]] if kind == "sas7bcat" else []
    run(folder / SAS[kind], tmp_path, kind=kind, beside=beside)


def test_every_format_that_is_read_is_damaged(written):
    from ipt_outcomes.io.guarded import FORMATS

    assert set(written) == set(KINDS)
    damaged = {path.suffix for path in written.values()} | {f".{kind}" for kind in SAS}
    # A workbook with macros is a workbook.
    assert set(FORMATS) - {".xlsm"} <= damaged


def test_the_harness_sees_what_it_looks_for(written, tmp_path, monkeypatch):
    tally = harness.Tally()
    with reading_session(LIMITS):
        fuzzer = harness.Fuzzer(written["csv"], tmp_path, -1.0)
        fuzzer.ways = [lambda content, dice: content.replace(b"P000", b"P999")]
        fuzzer.run(0, tally)
        assert tally.total("changed") == 1
        assert tally.changes[".csv"]["cells"] == 1
        assert any(" s" in fault for fault in tally.faults)
        assert not any("checksum" in fault for fault in tally.faults)
        fuzzer.kind = "saved, as if"
        fuzzer.run(1, tally)
        assert any("not found by the checksum" in fault for fault in tally.faults)
        monkeypatch.setattr(harness, "tables_of", lambda path: 1 // 0)
        fuzzer.run(2, tally)
    assert any("ZeroDivisionError" in fault for fault in tally.faults)
    assert any(line.startswith("all") for line in tally.lines())
