"""Guarded reading of statistical files: in a child process, with limits, one clear error for everything else."""

from ipt_outcomes.io.guarded.formats import FORMATS, Format, format_of
from ipt_outcomes.io.guarded.reader import Reading, read_statistical
from ipt_outcomes.io.guarded.session import Limits, Session, reading_session

__all__ = [
    "FORMATS",
    "Format",
    "Limits",
    "Reading",
    "Session",
    "format_of",
    "read_statistical",
    "reading_session",
]
