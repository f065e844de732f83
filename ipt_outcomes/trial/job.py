"""The analysis of a trial as data: what a report keeps to run again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from ipt_outcomes.io.cohort import Cohort, CohortJob
from ipt_outcomes.io.job import is_number
from ipt_outcomes.trial.analysis import Options, TrialAnalysis, analyse

_NUMBERS = ("level", "response")
_TEXTS = ("outcome", "by", "better", "strata")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob(CohortJob):
    """The analysis of a trial, ready to run on a file; options are arguments of `ipt_outcomes.trial.analyse`."""

    kind: ClassVar[str] = "trial"
    option_names: ClassVar[tuple[str, ...]] = tuple(entry.name for entry in fields(Options))

    def option_faults(self) -> list[str]:
        """Return what in the options is of the wrong kind."""
        found = []
        for name, value in self.options.items():
            if name in _NUMBERS and not is_number(value):
                found.append(f"{name} must be a number")
            elif name == "window" and not (value is None or is_number(value)):
                found.append("window must be a number of weeks")
            elif name == "at" and not (is_number(value) or isinstance(value, str)):
                found.append("at must be a week or the name of a visit")
            elif name in _TEXTS and not isinstance(value, str):
                found.append(f"{name} must be text")
        return found

    def run(self, cohort: Cohort) -> TrialAnalysis:
        """Analyse a cohort as `load` gives it.

        Parameters
        ----------
        cohort : Cohort

        Returns
        -------
        TrialAnalysis
        """
        return analyse(cohort, **self.options)
