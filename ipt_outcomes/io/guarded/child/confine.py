"""No network, no other program, no written file: what a damaged file could make of its reader stays in the child.

On Linux the kernel refuses the calls (a seccomp filter, which also holds for code in C and cannot be taken off);
everywhere the interpreter refuses them to Python code (an audit hook, which cannot be taken off either).
"""

from __future__ import annotations

import os
import struct
import sys
from typing import Any

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # the second: an error, number 1 (not permitted)
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4
# Sockets of every kind, other programs, other processes' memory, and the ring of calls that gets round such filters.
_EVERYWHERE = (425, 426, 427, 438)
_CALLS = {
    "x86_64": (
        0xC000003E,
        (41, 42, 43, 44, 45, 46, 47, 49, 50, 53, 59, 101, 288, 299, 307, 310, 311, 322, *_EVERYWHERE),
    ),
    "aarch64": (
        0xC00000B7,
        (117, 198, 199, 200, 201, 202, 203, 206, 207, 211, 212, 221, 242, 243, 269, 270, 271, 281, *_EVERYWHERE),
    ),
}
_OTHER_TABLE = 0x40000000
"""Numbers from here on are a second table of calls on x86-64, which would get round the list."""
_EVENTS = (
    "socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "os.fork", "pty.",
    "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "os.remove", "os.rename", "os.mkdir", "os.rmdir",
    "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "shutil.",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def confine() -> bool:
    """Give up network, other programs and written files, for good.

    Returns
    -------
    bool
        Whether the system refuses them; otherwise only the interpreter does.
    """
    by_system = _refuse_by_system()
    sys.addaudithook(_refuse)
    return by_system


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_EVENTS) or (event == "open" and _writes(arguments)):
        raise PermissionError


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & _WRITES)


def _refuse_by_system() -> bool:
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return False
    known = _CALLS.get(os.uname().machine)
    if known is None:
        return False
    steps = _program(*known)
    try:
        import ctypes

        class Program(ctypes.Structure):
            _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

        kernel = ctypes.CDLL(None)
        if kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        program = Program(len(steps) // 8, steps)
        return bool(kernel.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def _program(machine: int, calls: tuple[int, ...]) -> bytes:
    """Return the filter: a call of another machine's table, or one of the list, is an error; others are allowed."""
    checks = [(_EQUAL, number) for number in calls]
    if machine == _CALLS["x86_64"][0]:
        checks.insert(0, (_AT_LEAST, _OTHER_TABLE))
    steps = [(_LOAD, 0, 0, _MACHINE_AT), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, _NUMBER_AT)]
    # Each check jumps over those that are left, and over the permission, to the refusal at the end.
    steps += [(code, len(checks) - place, 0, number) for place, (code, number) in enumerate(checks)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
