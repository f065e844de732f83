"""Guarded reading: text tables, mappings to the data dictionary, study tables."""

from ipt_outcomes.io.load import load_studies
from ipt_outcomes.io.mapping import Mapping, read_mapping
from ipt_outcomes.io.studies import Source, Studies
from ipt_outcomes.io.suspicion import Suspicion
from ipt_outcomes.io.table import Table, read_table

__all__ = [
    "Mapping",
    "Source",
    "Studies",
    "Suspicion",
    "Table",
    "load_studies",
    "read_mapping",
    "read_table",
]
