"""From a user's file to a `Cohort`: mapping, gate, validation, scores."""

from ipt_outcomes.io.cohort.cohort import AreaSet, Cohort, baselines

__all__ = ["AreaSet", "Cohort", "baselines"]
