"""Limits the child puts on itself before it touches a file."""

from __future__ import annotations

import sys
import time
from typing import Any

_PR_SET_DUMPABLE = 4


def apply_limits(memory: int | None) -> bool:
    """Limit memory, forbid core dumps and written files.

    Parameters
    ----------
    memory : int or None
        Address space in bytes; None where the parent watches.

    Returns
    -------
    bool
        Whether the system enforces the memory limit; if not, the parent has to watch.
    """
    _forbid_dumps()
    try:
        import resource
    except ImportError:
        return False
    _lower(resource, resource.RLIMIT_CORE, 0)
    # Pipes are not files: the child can still answer, but can leave nothing on the disk.
    _lower(resource, resource.RLIMIT_FSIZE, 0)
    enforced = memory is not None and _lower(resource, resource.RLIMIT_AS, memory)
    # macOS takes the number and does not keep to it.
    return enforced and sys.platform.startswith("linux")


def allow_seconds(seconds: int) -> None:
    """Allow so many more seconds of processor time, counted from now.

    Parameters
    ----------
    seconds : int
        The system ends the process when they are used up.
    """
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(time.process_time()) + 1 + seconds
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    except (OSError, ValueError):
        return


def _lower(resource: Any, kind: int, value: int) -> bool:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError):
        return False
    return True


def _forbid_dumps() -> None:
    """A dump of a crashed reader would hold patients' data; a crash service ignores the core limit, not this."""
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return
