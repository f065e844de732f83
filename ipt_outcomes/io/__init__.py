"""Guarded reading: text tables, mappings to the data dictionary, study tables."""

from ipt_outcomes.io.cohort import Cohort, CohortMapping, load_cohort, read_cohort_mapping
from ipt_outcomes.io.load import load_studies
from ipt_outcomes.io.mapping import Mapping, read_mapping
from ipt_outcomes.io.studies import Source, Studies
from ipt_outcomes.io.suspicion import Suspicion
from ipt_outcomes.io.table import Table, read_table

__all__ = [
    "Cohort",
    "CohortMapping",
    "Mapping",
    "Source",
    "Studies",
    "Suspicion",
    "Table",
    "load_cohort",
    "load_studies",
    "read_cohort_mapping",
    "read_mapping",
    "read_table",
]
