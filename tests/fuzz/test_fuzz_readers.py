"""A bounded run: every reader with damaged files. The long one is `long_run.py`."""

import time

import harness
import mutations
import pytest

from ipt_outcomes.io.guarded import Limits, reading_session

SECONDS = 2.2
LIMITS = Limits(seconds=8.0, cpu=6, memory=1_500 * 1024**2)
KINDS = ("sav", "zsav", "por", "dta", "xpt", "xlsx", "parquet", "csv", "json")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return {path.suffix[1:]: path for path in mutations.samples(tmp_path_factory.mktemp("samples"))}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_read_this_process_lives_and_says_one_sentence(written, tmp_path, kind):
    tally = harness.Tally()
    with reading_session(LIMITS):
        fuzzer = harness.Fuzzer(written[kind], tmp_path, LIMITS.seconds + 4)
        end, seed = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            fuzzer.run(seed, tally)
            seed += 1
    assert tally.faults == []
    # Every refusal by a reader written in C costs a new child: some formats get further than others.
    assert tally.total("runs") >= 3
    assert tally.total("refusals") + tally.total("crashes") > tally.total("runs") // 10


def test_the_harness_sees_what_it_looks_for(written, tmp_path, monkeypatch):
    tally = harness.Tally()
    with reading_session(LIMITS):
        fuzzer = harness.Fuzzer(written["csv"], tmp_path, -1.0)
        fuzzer.ways = [lambda content, dice: content.replace(b"P000", b"P999")]
        fuzzer.run(0, tally)
        assert tally.total("changed") == 1
        assert any(" s" in fault for fault in tally.faults)
        monkeypatch.setattr(harness, "tables_of", lambda path: 1 // 0)
        fuzzer.run(1, tally)
    assert any("ZeroDivisionError" in fault for fault in tally.faults)
