"""Propose a mapping for a file nobody documented: by headings, labels and values, with reasons."""

from ipt_outcomes.io.propose.job import propose_mapping
from ipt_outcomes.io.propose.proposal import ProposedMapping
from ipt_outcomes.io.propose.workbook import write_map_workbook
from ipt_outcomes.io.propose.workbook_reading import read_map_workbook

__all__ = ["ProposedMapping", "propose_mapping", "read_map_workbook", "write_map_workbook"]
