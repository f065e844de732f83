"""The child has no network, starts no program and writes no file, whatever runs in it."""

import struct
import sys
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import reading_session, session
from ipt_outcomes.io.guarded.child import confine

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a filter of Linux")

# The real start of the child, and then code of ours in place of the reading.
INSIDE = """\
import ctypes, os, socket, subprocess, sys, urllib.request
from ipt_guarded_child import confine, frames
pipe, answers = sys.stdin.buffer, sys.stdout.buffer
frames.read_frame(pipe, 1 << 20)
confined = confine.confine()
frames.write_json(answers, {{"ready": True, "enforced": False, "confined": confined}})
frames.read_frame(pipe, 1 << 20)
def attempt():
    {deed}
try:
    told = str(attempt())
except BaseException as error:
    told = type(error).__name__
frames.write_json(answers, {{"told": told, "confined": confined}})
frames.write_frame(answers, b"")
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "trial.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": ["P-0001", "P-0002"], "score": [1.0, 2.0]}), str(path))
    return path


@pytest.fixture
def inside(monkeypatch):
    def _inside(deed):
        start = session._START.partition("from ipt_guarded_child.main")[0]
        monkeypatch.setattr(session, "_START", start + INSIDE.format(deed=deed))
        with reading_session() as one:
            return one.ask({})[0]

    return _inside


@pytest.mark.parametrize(
    "deed",
    [
        "socket.socket()",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socketpair()",
        "socket.create_connection(('127.0.0.1', 9), 1)",
        "socket.getaddrinfo('localhost', 80)",
        "urllib.request.urlopen('http://127.0.0.1:9')",
        "subprocess.run([sys.executable, '-c', ''])",
        "os.execv(sys.executable, [sys.executable])",
        "os.posix_spawn(sys.executable, [sys.executable], {})",
        "os.system('true')",
        "os.fork()",
    ],
)
def test_python_code_is_refused(inside, deed):
    assert inside(f"return {deed}")["told"] == "PermissionError"


def test_nothing_is_written_or_removed(inside, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("kept", encoding="utf-8")
    new = tmp_path / "new.txt"
    for deed in (
        f"open({str(new)!r}, 'w')", f"os.open({str(new)!r}, os.O_CREAT)", f"open({str(kept)!r}, 'ab')",
        f"os.remove({str(kept)!r})", f"os.rename({str(kept)!r}, {str(new)!r})", f"os.mkdir({str(new)!r})",
    ):  # fmt: skip
        assert inside(f"return {deed}")["told"] == "PermissionError", deed
    assert kept.read_text(encoding="utf-8") == "kept"
    assert not new.exists()


def test_a_file_can_still_be_read(inside, file):
    assert inside(f"return open({str(file)!r}, 'rb').read(4)")["told"] == "b'$FL2'"


@ON_LINUX
@pytest.mark.parametrize("call", ["socket(2, 1, 0)", "socket(1, 1, 0)", "socket(10, 2, 0)", "socket(16, 3, 0)"])
def test_code_in_c_is_refused_sockets_by_the_kernel(inside, call):
    told = inside(f"libc = ctypes.CDLL(None, use_errno=True); return (libc.{call}, ctypes.get_errno())")
    if not told["confined"]:
        pytest.skip("this kernel takes no filter")
    assert told["told"] == "(-1, 1)"


@ON_LINUX
def test_code_in_c_starts_no_program(inside):
    deed = (
        "libc = ctypes.CDLL(None, use_errno=True); "
        "return (libc.execv(sys.executable.encode(), (ctypes.c_char_p * 2)(b'x', None)), ctypes.get_errno())"
    )
    told = inside(deed)
    if not told["confined"]:
        pytest.skip("this kernel takes no filter")
    assert told["told"] == "(-1, 1)"


@ON_LINUX
def test_the_real_child_is_confined_before_it_reads(file):
    with reading_session() as one:
        read_table(file)
        if not one.confined:
            pytest.skip("this kernel takes no filter")
        status = Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_what_it_lists_and_nothing_else(machine):
    """Run the filter as the kernel does: no jump may leave it, and the calls of reading stay allowed."""
    number_of_machine, calls = confine._CALLS[machine]
    steps = list(struct.iter_unpack("=HBBI", confine._program(number_of_machine, calls)))

    def verdict(call, of=number_of_machine):
        held, at = 0, 0
        while True:
            code, yes, no, number = steps[at]
            if code == 0x20:
                held = {0: call, 4: of}[number]
            elif code == 0x06:
                return number
            else:
                at += yes if (held == number if code == 0x15 else held >= number) else no
            at += 1

    refused = {call for call in range(600) if verdict(call) != 0x7FFF0000}
    assert refused == set(calls)
    assert verdict(0, of=0x40000003) != 0x7FFF0000
    if machine == "x86_64":
        assert verdict(0x40000000 + 41) != 0x7FFF0000


def test_where_the_system_has_no_filter_the_interpreter_refuses_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert confine._refuse_by_system() is False


def test_a_machine_without_a_list_has_no_filter(monkeypatch):
    monkeypatch.setattr(confine, "_CALLS", {"other": confine._CALLS["x86_64"]})
    assert confine._refuse_by_system() is False


def test_the_reader_still_reads_where_only_the_interpreter_refuses(file, monkeypatch):
    start = session._START.replace(
        "from ipt_guarded_child.main import main",
        "from ipt_guarded_child import confine; confine._refuse_by_system = lambda: False\n"
        "from ipt_guarded_child.main import main",
    )
    monkeypatch.setattr(session, "_START", start)
    with reading_session() as one:
        assert len(read_table(file)) == 2
        assert not one.confined
