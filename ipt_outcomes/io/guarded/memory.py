"""How much memory another process holds, on systems that do not limit it themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

_SIZES = "peak_set set peak_paged paged peak_pool pool file peak_file"


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process.

    Parameters
    ----------
    pid : int

    Returns
    -------
    int or None
        Bytes; None where the system does not tell, or the process has ended.
    """
    system = str(sys.platform)
    if system == "win32":
        return _on_windows(pid)
    if system.startswith("linux"):
        try:
            import resource

            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * resource.getpagesize()
    return _by_ps(pid)


def _by_ps(pid: int) -> int | None:
    try:
        told = subprocess.run(  # noqa: S603
            ["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, timeout=5, check=False
        )
        return int(told.stdout) * 1024
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _on_windows(pid: int) -> int | None:
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
    done = windows.psapi.GetProcessMemoryInfo(ctypes.c_void_p(handle), ctypes.byref(counters), counters.cb)
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return int(counters.set) if done else None
