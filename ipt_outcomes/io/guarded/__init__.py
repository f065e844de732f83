"""Guarded reading of statistical files and workbooks: in a child process, with limits, one clear error for all else."""

from ipt_outcomes.io.guarded.formats import FORMATS, Format, format_of
from ipt_outcomes.io.guarded.reader import Wish, read_columns, read_guarded
from ipt_outcomes.io.guarded.result import Reading
from ipt_outcomes.io.guarded.session import Limits, Session, reading_session

__all__ = [
    "FORMATS",
    "Format",
    "Limits",
    "Reading",
    "Session",
    "Wish",
    "format_of",
    "read_columns",
    "read_guarded",
    "reading_session",
]
