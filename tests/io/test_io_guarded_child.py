"""The child process: it may crash, hang or eat memory; this process lives on and says one sentence."""

import ast
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

import ipt_outcomes.io.guarded as guarded
from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import read_table
from ipt_outcomes.io.guarded import Limits, Session, reading_session, session, usage
from ipt_outcomes.io.guarded.child import frames
from ipt_outcomes.io.guarded.child.limits import allow_seconds, apply_limits

FOLDER = Path(guarded.__file__).parent
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system's own limits are Linux's")

# Stands in for the child: answers the greeting, then does what the test wants with the request.
PRETEND = """\
import importlib.util as u, json, os, sys
folder = sys.argv[1]
spec = u.spec_from_file_location("ipt_guarded_child", folder + "/__init__.py", submodule_search_locations=[folder])
package = u.module_from_spec(spec)
sys.modules["ipt_guarded_child"] = package
spec.loader.exec_module(package)
from ipt_guarded_child import frames, limits
pipe, answers = sys.stdin.buffer, sys.stdout.buffer
start = frames.parse_json(frames.read_frame(pipe, 1 << 20))
enforced = limits.apply_limits(start["memory"]) if {enforced} else False
frames.write_json(answers, {{"ready": True, "enforced": enforced, "confined": False}})
request = frames.parse_json(frames.read_frame(pipe, 1 << 20))
limits.allow_seconds(start["cpu"])
{deed}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secret-folder" / "trial.sav"
    path.parent.mkdir()
    pyreadstat.write_sav(pd.DataFrame({"id": ["P-0001", "P-0002"], "score": [1.0, 2.0]}), str(path))
    return path


@pytest.fixture
def pretend(monkeypatch):
    def _pretend(deed, *, enforced=True):
        monkeypatch.setattr(session, "_START", PRETEND.format(deed=deed, enforced=enforced))

    return _pretend


def sentence(path, **limits):
    begun = time.monotonic()
    with reading_session(Limits(**limits)), pytest.raises(DataError) as caught:
        read_table(path)
    error = caught.value
    assert time.monotonic() - begun < 20
    assert error.message.startswith("trial.sav could not be read safely: ")
    assert error.__cause__ is None
    for private in ("secret-folder", "P-0001", "Traceback", "Error"):
        assert private not in str(error)
    assert "save it again" in error.hint
    return error.message


def test_a_segmentation_fault(file, pretend):
    pretend("import ctypes; ctypes.string_at(0)")
    assert "the reader crashed" in sentence(file)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_this_process_reads_on_after_a_crash(file, monkeypatch):
    with reading_session() as one:
        assert len(read_table(file)) == 2
        first = one.pid
        os.kill(first, signal.SIGSEGV)
        deadline = time.monotonic() + 10
        while one._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(read_table(file)) == 2
        assert one.pid != first


@pytest.mark.parametrize(
    "deed",
    [
        "sys.exit(3)",
        "answers.write(b'123'); answers.flush()",
        "frames.write_frame(answers, b'no json')",
        "frames.write_frame(answers, b'[1]')",
        "answers.write(b'\\xff' * 8); answers.flush()",
        "frames.write_json(answers, {'rows': 1})",
        "frames.write_json(answers, {}); frames.write_frame(answers, b'no arrow')",
        "frames.write_json(answers, {'refused': 'something new', 'facts': {}})",
        "raise ValueError('P-0001 secret-folder')",
    ],
)
def test_an_answer_that_is_none(file, pretend, deed):
    pretend(deed)
    sentence(file)


def test_an_answer_without_its_facts(file, pretend):
    pretend("from hashlib import sha256; d = sha256(open(request['path'], 'rb').read()).hexdigest()\n"
            "frames.write_json(answers, {'sha256': d}); frames.write_frame(answers, b'no arrow')")  # fmt: skip
    assert "the reader stopped" in sentence(file)


def test_a_hang_ends_at_the_wall_clock(file, pretend):
    pretend("import time; time.sleep(600)")
    assert "in the time allowed" in sentence(file, seconds=1.0)


@ON_LINUX
def test_a_busy_loop_ends_at_the_processor_limit(file, pretend):
    pretend("while True: pass")
    assert "in the time allowed" in sentence(file, cpu=1)


@ON_LINUX
def test_too_much_memory_ends_at_the_system_limit(file, pretend):
    pretend(
        "try:\n    x = bytearray(1 << 30)\n"
        "except MemoryError:\n    frames.write_json(answers, {'refused': 'memory', 'facts': {}})"
    )
    assert "more memory" in sentence(file, memory=600 * 1024**2)


def test_too_much_memory_is_watched_where_the_system_does_not_limit(file, pretend):
    pretend("x = b'x' * (400 << 20)\nimport time; time.sleep(600)", enforced=False)
    assert "more memory" in sentence(file, memory=200 * 1024**2)


def test_a_hang_is_seen_by_the_watch_too(file, pretend):
    pretend("import time; time.sleep(600)", enforced=False)
    assert "in the time allowed" in sentence(file, seconds=1.0)


@ON_LINUX
def test_memory_limit_of_the_real_child(file, tmp_path):
    with reading_session() as one:
        read_table(file)
        status = Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
    needed = int(status.split("VmPeak:")[1].split()[0]) * 1024
    path = tmp_path / "trial.sav"
    pyreadstat.write_sav(pd.DataFrame({"score": [float(i % 7) for i in range(600_000)]}), str(path), row_compress=True)
    assert "more memory" in sentence(path, memory=needed + 8 * 1024**2)


def test_a_limit_too_low_to_start(file):
    """Where memory runs out is the system's choice: before the child speaks, or while it loads what reads."""
    with (
        reading_session(Limits(memory=1024**2)),
        pytest.raises(IptError, match=r"ended at its start|could not be loaded") as refused,
    ):
        read_table(file)
    assert "memory limit may be too low" in str(refused.value.hint)


@pytest.mark.skipif(sys.platform == "win32", reason="reads the environment as POSIX has it")
def test_the_environment_holds_no_secrets(file, pretend, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "x.py"))
    pretend(
        "told = {'environment': dict(os.environ), 'argv': sys.argv, 'path': sys.path, 'cwd': os.getcwd()}\n"
        "frames.write_json(answers, told | {'isolated': sys.flags.isolated})\n"
        "frames.write_frame(answers, b'')"
    )
    with reading_session() as one:
        told, _ = one.ask({"path": str(file)})
    assert set(told["environment"]) <= {*session._OWN, *session._PASSED_ON, "LC_CTYPE"}
    assert told["isolated"] == 1
    assert str(tmp_path) not in " ".join([*told["argv"], *told["path"], told["cwd"]])


@ON_LINUX
def test_limits_of_the_child(tmp_path):
    code = """
import ctypes, resource, sys
sys.path.insert(0, sys.argv[1])
from limits import allow_seconds, apply_limits
done = apply_limits(3 << 30)
allow_seconds(7)
print(done, [resource.getrlimit(kind) for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_AS)])
print(resource.getrlimit(resource.RLIMIT_CPU)[0] < 60, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
try:
    with open(sys.argv[2], "wb") as file:
        file.write(b"a cell")
except OSError:
    print("nothing is written")
"""
    command = [sys.executable, "-c", code, str(FOLDER / "child"), str(tmp_path / "left-behind")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [
        f"True [(0, 0), (0, 0), ({3 << 30}, {3 << 30})]", "True 0", "nothing is written",
    ]  # fmt: skip


def test_limits_where_the_system_has_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(sys, "platform", "win32")
    assert apply_limits(1 << 30) is False
    allow_seconds(5)


def test_sessions_keep_one_child_and_end_it(file):
    with reading_session() as one:
        assert one.pid is None
        read_table(file)
        first = one.pid
        read_table(file)
        assert one.pid == first
        process = one._process
    assert one.pid is None
    assert process.poll() is not None
    with reading_session(Limits(cells=1)) as one, pytest.raises(IptError):
        read_table(file)
    # Whatever a refused file did to the reader's memory is not taken to the next file.
    assert one.pid is None


def test_without_a_session_no_child_is_left(file, monkeypatch):
    started = []
    real = session.subprocess.Popen

    def popen(*args, **kwargs):
        started.append(real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(session.subprocess, "Popen", popen)
    read_table(file)
    (process,) = started
    assert process.poll() is not None
    assert str(file.parent) not in " ".join(process.args)


def test_an_interrupt_ends_the_child(file, monkeypatch):
    with reading_session() as one:
        read_table(file)
        process = one._process
        monkeypatch.setattr(Session, "_watch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            read_table(file)
        assert process.poll() is not None
        assert one.pid is None


def test_a_python_that_cannot_be_started(file, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(IptError, match="no Python to start"):
        read_table(file)
    monkeypatch.setattr(sys, "executable", str(file))
    with pytest.raises(IptError, match="could not be started"):
        read_table(file)


def test_a_child_without_its_libraries(file, pretend, monkeypatch):
    monkeypatch.setattr(
        session, "_START", PRETEND.format(deed="", enforced=False).replace('"ready": True', '"ready": False')
    )
    with pytest.raises(IptError, match="need pyreadstat and pyarrow"):
        read_table(file)


def test_a_file_changed_while_it_is_read(file, monkeypatch):
    real = Session.ask

    def ask(self, request):
        file.write_bytes(file.read_bytes().replace(b"P-0002", b"P-0003"))
        return real(self, request)

    monkeypatch.setattr(Session, "ask", ask)
    assert "changed while it was read" in sentence(file)


def test_nothing_of_the_reading_is_pickle_or_evaluated():
    forbidden = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "multiprocessing", "concurrent"}
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not forbidden & {alias.name.split(".")[0] for alias in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, path


def test_the_child_imports_nothing_of_the_package_and_no_pandas():
    allowed = {"pyarrow", "pyreadstat", "resource", "ctypes", *sys.stdlib_module_names}
    for path in (FOLDER / "child").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed, path
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module.split(".")[0] in allowed, path


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 3_000_000])
def test_frames_go_through_a_pipe_whole(content):
    pipe = io.BytesIO()
    frames.write_frame(pipe, content)
    frames.write_json(pipe, {"path": "\udcff/ä", "n": 1})
    pipe.seek(0)
    assert frames.read_frame(pipe, 1 << 22) == content
    assert frames.parse_json(frames.read_frame(pipe, 1 << 22)) == {"path": "\udcff/ä", "n": 1}
    assert frames.read_frame(pipe, 1 << 22) is None


@pytest.mark.parametrize("content", [b"\0\0", b"\0" * 7 + b"\5abc", b"\0" * 7 + b"\x40" + b"a" * 64])
def test_frames_that_are_broken(content):
    with pytest.raises(frames.BrokenFrameError):
        frames.read_frame(io.BytesIO(content), 32)


def test_what_a_process_has_used():
    used = usage.usage_of(os.getpid())
    assert used is None or (used.memory > 10_000_000 and used.seconds > 0.1)
    assert usage.usage_of(2**22 + 5) is None


def test_what_a_process_has_used_as_ps_tells_it():
    if not Path("/bin/ps").exists():
        pytest.skip("there is no ps")
    told, own = usage._by_ps(os.getpid()), usage.usage_of(os.getpid())
    assert told.memory == pytest.approx(own.memory, rel=0.2)
    assert told.seconds == pytest.approx(own.seconds, abs=1.5)
    assert usage._by_ps(2**22 + 5) is None


@pytest.mark.parametrize(
    ("told", "seconds"), [("0:00.07", 0.07), ("12:03", 723), ("01:00:09", 3609), ("2-03:00:00", 183_600)]
)
def test_times_of_ps(told, seconds):
    assert usage.seconds_of(told) == pytest.approx(seconds)


@ON_LINUX
def test_a_path_of_any_bytes(file):
    odd = os.fsencode(file.parent) + b"/\xff \xe4;$(x).sav"
    file.rename(os.fsdecode(odd))
    assert len(read_table(os.fsdecode(odd))) == 2


def test_a_session_inside_another_is_that_one_unless_it_has_limits_of_its_own(file):
    with reading_session(Limits(cells=3)) as outer:
        with reading_session() as inner:
            assert inner is outer
        with pytest.raises(IptError, match="up to 3 cells are read"):
            read_table(file)
        with reading_session(Limits(cells=4)) as own:
            assert own is not outer
            assert len(read_table(file)) == 2
        with pytest.raises(IptError, match="up to 3 cells are read") as caught:
            read_table(file)
    assert "allow more in Python" in caught.value.hint


def test_no_module_but_the_child_reads_such_files():
    """Writing is done with our own data; reading is done with somebody else's bytes."""
    package = Path(guarded.__file__).parent.parent.parent
    found = []
    for path in package.rglob("*.py"):
        # A model fits prepared tables larger than memory (DuckDB over Parquet); nothing of a clinic's or a colleague's.
        if FOLDER / "child" in path.parents or package / "mixed" in path.parents:
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                called = f"{ast.unparse(node.value)}.{node.attr}"
                if called.startswith(("pyreadstat.", "pd.read_", "pandas.read_", "pq.read", "pq.ParquetFile")):
                    found.append((path.name, called))
                if node.attr in ("load_workbook", "read_parquet", "read_excel", "read_feather", "open_file"):
                    found.append((path.name, called))
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                if any(name.split(".")[0] == "pyreadstat" for name in names):
                    found.append((path.name, "pyreadstat"))
    assert found == []
