"""Analysis results data: the row every reported number is, how numbers are written, how results show."""

from ipt_outcomes.results.display import ResultObject, frame_to_html, visible
from ipt_outcomes.results.format import Style, format_interval, format_number, format_p, p_in_words
from ipt_outcomes.results.provenance import Provenance
from ipt_outcomes.results.rows import ResultRow, Results, ResultsBuilder
from ipt_outcomes.results.words import listed, plural

__all__ = [
    "Provenance",
    "ResultObject",
    "ResultRow",
    "Results",
    "ResultsBuilder",
    "Style",
    "format_interval",
    "format_number",
    "format_p",
    "frame_to_html",
    "listed",
    "p_in_words",
    "plural",
    "visible",
]
