"""The child's loop: one request, one answer, until the parent closes the pipe."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

from .confine import confine
from .frames import parse_json, read_frame, write_frame, write_json
from .limits import allow_seconds, apply_limits
from .refused import RefusedError

_REQUEST_LIMIT = 1 << 20


def main() -> None:
    """Serve requests from standard input; answers go where standard output went."""
    requests, answers = _own_pipes()
    first = read_frame(requests, _REQUEST_LIMIT)
    if first is None:
        return
    start = parse_json(first)
    enforced = apply_limits(start["memory"] if start.get("enforce", True) else None)
    # Before any library comes in: what they start is bound by it, too.
    confined = confine()
    write_json(answers, {"ready": _can_read(), "enforced": enforced, "confined": confined})
    while (frame := read_frame(requests, _REQUEST_LIMIT)) is not None:
        allow_seconds(start["cpu"])
        _answer(answers, parse_json(frame))


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from everybody else: what a library prints must not land between the frames."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


class _WithoutPandas:
    """Keeps pandas out: pyarrow looks for it at the first array, which costs half of the child's start."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ImportError


def _can_read() -> bool:
    sys.meta_path.insert(0, _WithoutPandas)
    try:
        import pyarrow  # noqa: F401
        import pyreadstat  # noqa: F401
    except ImportError:
        return False
    return True


def _answer(answers: BinaryIO, request: dict[str, Any]) -> None:
    try:
        from .dispatch import read

        told, content = read(request)
    except RefusedError as refused:
        write_json(answers, {"refused": refused.kind, "facts": refused.facts, "sound": refused.sound})
    except MemoryError:
        write_json(answers, {"refused": "memory", "facts": {}})
    except Exception as error:
        # Other libraries' messages can carry a cell; only whether memory ran out is told.
        kind = "memory" if "allocate memory" in str(error) else "reader"
        write_json(answers, {"refused": kind, "facts": {}})
    else:
        write_json(answers, told)
        write_frame(answers, content)
