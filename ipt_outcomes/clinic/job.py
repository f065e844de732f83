"""The review of a clinic as data: what a report keeps to run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.review import ClinicReview, review
from ipt_outcomes.io.cohort import Cohort, CohortJob
from ipt_outcomes.io.job import is_list, is_number

_NUMBERS = ("level", "response", "min_sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicJob(CohortJob):
    """A clinic review, ready to run on a file; options are arguments of `ipt_outcomes.clinic.review`."""

    kind: ClassVar[str] = "clinic"
    option_names: ClassVar[tuple[str, ...]] = tuple(entry.name for entry in fields(ReviewOptions))

    def option_faults(self) -> list[str]:
        """Return what in the options is of the wrong kind."""
        found = []
        for name, value in self.options.items():
            if name in _NUMBERS and not is_number(value):
                found.append(f"{name} must be a number")
            elif name == "instruments" and value is not None and not is_list(value) and not isinstance(value, str):
                found.append("instruments must be a list of names")
            elif name == "cutoffs" and not isinstance(value, Mapping | None):
                found.append("cutoffs must be a table of tables")
            elif name == "by" and not isinstance(value, str | None):
                found.append("by must be text")
        return found

    def run(self, cohort: Cohort) -> ClinicReview:
        """Review a cohort as `load` gives it.

        Parameters
        ----------
        cohort : Cohort

        Returns
        -------
        ClinicReview
        """
        return review(cohort, **self.options)
