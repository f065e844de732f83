"""The child process that reads statistical files, and the session that keeps one between files.

Readers of these formats crash on damaged files (signal 11), hang, or take all memory. In a process of their own
that ends one reading, not the researcher's session.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from ipt_outcomes.errors import IptError
from ipt_outcomes.io.guarded.child.frames import BrokenFrameError, parse_json, read_frame, write_json
from ipt_outcomes.io.guarded.usage import usage_of

Answer = TypeVar("Answer")

_CHILD = Path(__file__).resolve().parent / "child"
_NEEDED = ("pyreadstat", "pyarrow", "numpy", "narwhals")
# What a process needs to start and to find its libraries; everything else of the environment stays here.
_PASSED_ON = ("SYSTEMROOT", "WINDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_OWN = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2",
}  # fmt: skip
_START = """\
import importlib.util as u, sys
folder = sys.argv[1]
spec = u.spec_from_file_location("ipt_guarded_child", folder + "/__init__.py", submodule_search_locations=[folder])
package = u.module_from_spec(spec)
sys.modules["ipt_guarded_child"] = package
spec.loader.exec_module(package)
sys.path.extend(part for part in sys.argv[2:] if part not in sys.path)
from ipt_guarded_child.main import main
main()
"""
_WATCH_EVERY = 0.05
_START_SECONDS = 60.0
# The two look alike from outside: a library that finds no memory cannot be loaded.
_START_HINT = "The memory limit may be too low, or pyreadstat and pyarrow are not installed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one reading may use.

    Parameters
    ----------
    memory : int
        Bytes of the child process.
    seconds : float
        Time on the clock for one file.
    cpu : int
        Seconds of processor time for one file.
    cells : int
        Rows times columns.
    size : int
        Bytes of the file.
    """

    memory: int = 4 * 1024**3
    seconds: float = 300.0
    cpu: int = 240
    cells: int = 50_000_000
    size: int = 500_000_000


class ChildEndedError(Exception):
    """The child gave no whole answer.

    Parameters
    ----------
    how : {"crash", "time", "memory"}
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Session:
    """One child process; started at the first file, started again after one that it did not survive.

    Parameters
    ----------
    limits : Limits, optional
    watched : bool
        Whether this process watches the child's memory and time even where the system would limit them itself.
    """

    def __init__(self, limits: Limits | None = None, *, watched: bool = False) -> None:
        self.limits = limits or Limits()
        self._watched = watched
        self._process: subprocess.Popen[bytes] | None = None
        self._enforced = self._confined = False

    @property
    def confined(self) -> bool:
        """Whether the system itself refuses the child network and other programs; elsewhere its interpreter does."""
        return self._confined

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None while there is none."""
        return None if self._process is None else self._process.pid

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Have the child read a file.

        Parameters
        ----------
        request : dict
            Plain values; see ``child.dispatch.read``.

        Returns
        -------
        told : dict
        content : bytes
            An Arrow stream; empty where the file was refused.

        Raises
        ------
        ChildEndedError
            A crash, a time limit or a memory limit.
        """
        process = self._started()
        answer = self._within(self.limits.seconds, lambda: _exchange(process, request, self.limits.memory))
        if "refused" in answer[0] and answer[0].get("sound") is not True:
            # Whatever the damaged file did to the reader's memory goes with it.
            self.close()
        return answer

    def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # What is still in the buffer has no reader any more.
                try:
                    pipe.close()
                except OSError:
                    continue

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        if not sys.executable:
            raise IptError("statistical files are read in a process of their own, and no Python to start it was found")
        try:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, str(_CHILD), *_library_folders()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                cwd=_CHILD.anchor,
            )
        except OSError:
            raise IptError("statistical files are read in a process of their own, which could not be started") from None
        self._process = process
        try:
            told = self._within(_START_SECONDS, lambda: _hello(process, self.limits, enforce=not self._watched))
        except ChildEndedError:
            raise IptError(
                "statistical files are read in a process of their own, which ended at its start",
                hint=_START_HINT,
            ) from None
        if not told["ready"]:
            self.close()
            raise IptError("statistical files need pyreadstat and pyarrow, which could not be loaded", hint=_START_HINT)
        self._enforced, self._confined = told["enforced"], told["confined"]
        return process

    def _within(self, seconds: float, talk: Callable[[], Answer]) -> Answer:
        """Talk to the child in a thread, because a pipe cannot be waited for with a limit on every system."""
        answers: list[Answer] = []

        def run() -> None:
            try:
                answers.append(talk())
            except (BrokenFrameError, OSError, KeyError):
                return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            how = self._watch(thread, seconds)
        except BaseException:
            # An interrupt leaves an answer half read: the next file needs a fresh child.
            self.close()
            raise
        if answers:
            return answers[0]
        process = self._process
        self.close()
        thread.join()
        raise ChildEndedError(how or _how_it_ended(process))

    def _watch(self, thread: threading.Thread, seconds: float) -> str | None:
        """Wait for an answer; say what is used up where nobody else would end the child for it."""
        process, end = self._process, time.monotonic() + seconds
        if self._enforced or process is None:
            thread.join(seconds)
            return "time" if thread.is_alive() else None
        begun = usage_of(process.pid)
        while thread.is_alive() and time.monotonic() < end:
            thread.join(_WATCH_EVERY)
            used = usage_of(process.pid)
            if used is not None and used.memory > self.limits.memory:
                return "memory"
            if used is not None and begun is not None and used.seconds - begun.seconds > self.limits.cpu:
                return "time"
        return "time" if thread.is_alive() else None


def _hello(process: subprocess.Popen[bytes], limits: Limits, *, enforce: bool) -> dict[str, bool]:
    write_json(_to(process), {"memory": limits.memory, "cpu": limits.cpu, "enforce": enforce})
    frame = read_frame(_from(process), 1 << 16)
    if frame is None:
        raise BrokenFrameError
    told = parse_json(frame)
    return {name: bool(told[name]) for name in ("ready", "enforced", "confined")}


def _exchange(process: subprocess.Popen[bytes], request: dict[str, Any], limit: int) -> tuple[dict[str, Any], bytes]:
    write_json(_to(process), request)
    frame = read_frame(_from(process), limit)
    if frame is None:
        raise BrokenFrameError
    told = parse_json(frame)
    if "refused" in told:
        return told, b""
    content = read_frame(_from(process), limit)
    if content is None:
        raise BrokenFrameError
    return told, content


def _to(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast("BinaryIO", process.stdin)


def _from(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast("BinaryIO", process.stdout)


def _how_it_ended(process: subprocess.Popen[bytes] | None) -> str:
    """A child killed for its processor time ends by SIGXCPU; everything else is a crash."""
    import signal

    over_time = getattr(signal, "SIGXCPU", None)
    return "time" if process is not None and over_time is not None and process.returncode == -over_time else "crash"


def _environment() -> dict[str, str]:
    return {**_OWN, **{name: os.environ[name] for name in _PASSED_ON if name in os.environ}}


def _library_folders() -> list[str]:
    """Where the libraries stand; an isolated Python does not look everywhere its parent did."""
    folders: list[str] = []
    for name in _NEEDED:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(str(Path(spec.origin).resolve().parent.parent))
    return list(dict.fromkeys(folders))


_CURRENT: ContextVar[Session | None] = ContextVar("ipt_outcomes_reading_session", default=None)


@contextmanager
def reading_session(limits: Limits | None = None, *, watched: bool = False) -> Iterator[Session]:
    """Keep one child process for all files read inside the ``with`` block.

    Parameters
    ----------
    limits : Limits, optional
        What one reading may use. Default: those of a ``with`` block around this one, whose child is used; without
        one, the defaults of `Limits`.
    watched : bool
        Whether this process watches the child even where the system would limit it itself.

    Yields
    ------
    Session

    Examples
    --------
    >>> with reading_session() as session:
    ...     session.pid is None  # started at the first file
    True
    """
    outer = _CURRENT.get()
    if outer is not None and limits is None and not watched:
        yield outer
        return
    session = Session(limits, watched=watched)
    token = _CURRENT.set(session)
    try:
        yield session
    finally:
        _CURRENT.reset(token)
        session.close()
