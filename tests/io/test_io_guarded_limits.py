"""Limits of the real child: the system's and this process's own watch, what it inherits, what a file costs."""

import os
import sys
import time
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import Limits, reading_session, session, usage

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at the child as Linux shows it")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "trial.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": ["P-0001", "P-0002"], "score": [1.0, 2.0]}), str(path))
    return path


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.sav"
    frame = pd.DataFrame({f"x{i}": [i + 0.5 * j for j in range(300_000)] for i in range(6)})
    pyreadstat.write_sav(frame, str(path), row_compress=True)
    return path


@pytest.fixture
def no_limits_of_the_system(monkeypatch):
    """The real child, on a system without the module `resource`, as Windows is."""
    monkeypatch.setattr(session, "_START", 'import sys; sys.modules["resource"] = None\n' + session._START)


def _after_a_small_file(one, file):
    assert len(read_table(file)) == 2
    assert not one._enforced
    used = usage.usage_of(one.pid)
    if used is None:
        pytest.skip("the system does not tell what a process uses")
    return used


def _ended(one, path, how):
    process = one._process
    with pytest.raises(DataError, match=how) as caught:
        read_table(path)
    assert "save it again" in caught.value.hint
    assert process.poll() is not None
    assert one.pid is None


def test_without_limits_of_the_system_this_process_sees_to_memory(file, large, no_limits_of_the_system):
    with reading_session() as one:
        used = _after_a_small_file(one, file)
        one.limits = Limits(memory=used.memory + 30 * 1024**2)
        _ended(one, large, "more memory than is allowed")
        assert len(read_table(file)) == 2


def test_without_limits_of_the_system_this_process_sees_to_the_clock(file, large, no_limits_of_the_system):
    with reading_session() as one:
        _after_a_small_file(one, file)
        one.limits = Limits(seconds=0.02)
        _ended(one, large, "in the time allowed")
        one.limits = Limits()
        assert len(read_table(file)) == 2


def test_without_limits_of_the_system_this_process_sees_to_processor_time(file, large, no_limits_of_the_system):
    with reading_session() as one:
        _after_a_small_file(one, file)
        one.limits = Limits(cpu=0)
        _ended(one, large, "in the time allowed")
        one.limits = Limits()
        assert len(read_table(large)) == 300_000


def test_a_session_may_be_watched_where_the_system_has_limits_too(file, large):
    with reading_session(watched=True) as one:
        used = _after_a_small_file(one, file)
        one.limits = Limits(memory=used.memory + 30 * 1024**2)
        _ended(one, large, "more memory than is allowed")


@ON_LINUX
def test_open_files_are_not_handed_on(file, tmp_path):
    secret = os.open(tmp_path / "secret.txt", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(secret, True)
    with reading_session() as one:
        read_table(file)
        # A process that may not be dumped hides its files even from its own user; root sees them.
        try:
            held = [str(link.readlink()) for link in Path(f"/proc/{one.pid}/fd").iterdir()]
        except PermissionError:
            pytest.skip("the child's files can be seen by root only")
    os.close(secret)
    assert held
    assert all(name.startswith("pipe:") or name == os.devnull for name in held)


def test_the_child_keeps_pandas_out(file):
    with reading_session() as one:
        read_table(file)
        if sys.platform.startswith("linux"):
            try:
                maps = Path(f"/proc/{one.pid}/maps").read_text(encoding="utf-8")
            except PermissionError:
                pytest.skip("the child's memory can be seen by root only")
            assert "pyarrow" in maps
            assert "site-packages/pandas/" not in maps


def test_second_and_later_files_cost_little(file):
    with reading_session():
        read_table(file)
        taken = []
        for _ in range(9):
            begun = time.perf_counter()
            read_table(file)
            taken.append(time.perf_counter() - begun)
    # The best of nine: other processes share the machine.
    assert min(taken) < 0.05


def test_a_refusal_before_the_reader_keeps_the_child(file, tmp_path):
    cut = tmp_path / "cut.sav"
    cut.write_bytes(file.read_bytes()[:-1])
    with reading_session() as one:
        read_table(file)
        first = one.pid
        with pytest.raises(DataError, match="cut short"):
            read_table(cut)
        assert one.pid == first


def test_millions_of_rows_are_read_or_refused_by_their_header(tmp_path):
    path = tmp_path / "trial.zsav"
    frame = pd.DataFrame({f"x{i}": [float(i)] * 3_000_000 for i in range(2)})
    pyreadstat.write_sav(frame, str(path), compress=True)
    assert path.stat().st_size < 100_000
    begun = time.process_time()
    with reading_session(Limits(cells=5_999_999)), pytest.raises(IptError) as caught:
        read_table(path)
    assert "unfolds to 3,000,000 rows and 2 columns: up to 5,999,999 cells are read" in caught.value.message
    assert time.process_time() - begun < 2
    table = read_table(path, expect_rows=3_000_000)
    assert table.frame["x1"].sum() == 3_000_000
