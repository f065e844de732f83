"""Guarded reading: text tables, mappings to the data dictionary, study tables."""

from ipt_outcomes.io.cohort import Cohort, CohortMapping, load_cohort, read_cohort_mapping
from ipt_outcomes.io.days import to_days
from ipt_outcomes.io.folder import TableFolder, read_folder
from ipt_outcomes.io.load import load_studies
from ipt_outcomes.io.mapping import Mapping, read_mapping
from ipt_outcomes.io.propose import ProposedMapping, propose_mapping, read_map_workbook, write_map_workbook
from ipt_outcomes.io.studies import Source, Studies
from ipt_outcomes.io.suspicion import Suspicion
from ipt_outcomes.io.table import Table, read_table

__all__ = [
    "Cohort",
    "CohortMapping",
    "Mapping",
    "ProposedMapping",
    "Source",
    "Studies",
    "Suspicion",
    "Table",
    "TableFolder",
    "load_cohort",
    "load_studies",
    "propose_mapping",
    "read_cohort_mapping",
    "read_folder",
    "read_map_workbook",
    "read_mapping",
    "read_table",
    "to_days",
    "write_map_workbook",
]
