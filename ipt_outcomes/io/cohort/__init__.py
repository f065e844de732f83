"""From a user's file to a `Cohort`: mapping, gate, validation, scores."""

from ipt_outcomes.io.cohort.cohort import AreaSet, Cohort, baselines
from ipt_outcomes.io.cohort.job import CohortJob
from ipt_outcomes.io.cohort.load import load_cohort
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping

__all__ = ["AreaSet", "Cohort", "CohortJob", "CohortMapping", "baselines", "load_cohort", "read_cohort_mapping"]
