"""Cohorts that travel: a folder of Parquet tables and back, and an export mapped to CDISC ADaM."""

from ipt_outcomes.io.exchange.adam import AdamTables, adam_tables
from ipt_outcomes.io.exchange.adam_files import to_adam
from ipt_outcomes.io.exchange.release import RowsFor
from ipt_outcomes.io.exchange.save import save_cohort
from ipt_outcomes.io.exchange.saved import is_saved, read_saved

__all__ = ["AdamTables", "RowsFor", "adam_tables", "is_saved", "read_saved", "save_cohort", "to_adam"]
