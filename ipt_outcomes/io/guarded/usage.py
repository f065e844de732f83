"""How much memory and processor time another process has used, on systems that do not limit it themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SIZES = "peak_set set peak_paged paged peak_pool pool file peak_file"
_TICKS_PER_SECOND = 1e7
_PS_TIME = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used.

    Parameters
    ----------
    memory : int
        Bytes it holds now.
    seconds : float
        Of processor time, since its start.
    """

    memory: int
    seconds: float


def usage_of(pid: int) -> Usage | None:
    """Return what a process has used.

    Parameters
    ----------
    pid : int

    Returns
    -------
    Usage or None
        None where the system does not tell, or the process has ended.
    """
    system = str(sys.platform)
    if system == "win32":
        return _on_windows(pid)
    return _on_linux(pid) if system.startswith("linux") else _by_ps(pid)


def _on_linux(pid: int) -> Usage | None:
    try:
        folder = Path(f"/proc/{pid}")
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        # The name of the program, in brackets, may hold blanks.
        told = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        ticks = int(told[11]) + int(told[12])
    except (OSError, ValueError, IndexError):
        return None
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))


def _by_ps(pid: int) -> Usage | None:
    command = ["/bin/ps", "-o", "rss=", "-o", "time=", "-p", str(pid)]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
        size, spent = told.stdout.split()
        return Usage(int(size) * 1024, seconds_of(spent))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def seconds_of(told: str) -> float:
    """Return the seconds of ``[[days-]hours:]minutes:seconds``, as ``ps`` tells them.

    Examples
    --------
    >>> seconds_of("1:02.50"), seconds_of("1-00:00:01")
    (62.5, 86401.0)
    """
    match = _PS_TIME.fullmatch(told)
    if match is None:
        raise ValueError
    days, hours, minutes = (int(part or 0) for part in match.groups()[:3])
    return ((days * 24 + hours) * 60 + minutes) * 60 + float(match[4])


def _on_windows(pid: int) -> Usage | None:
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", ctypes.c_uint32), ("faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in _SIZES.split()),
        )  # fmt: skip

    windows: Any = getattr(ctypes, "windll")  # noqa: B009
    kernel = windows.kernel32
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x1000 | 0x0010, False, pid)
    if not handle:
        return None
    counters = Counters()
    counters.cb = ctypes.sizeof(Counters)
    begun, ended, inside, own = (ctypes.c_uint64(0) for _ in range(4))
    process = ctypes.c_void_p(handle)
    done = windows.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb) and kernel.GetProcessTimes(
        process, ctypes.byref(begun), ctypes.byref(ended), ctypes.byref(inside), ctypes.byref(own)
    )
    kernel.CloseHandle(process)
    return Usage(int(counters.set), (inside.value + own.value) / _TICKS_PER_SECOND) if done else None
