"""A job on one file of patient data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.cohort.load import load_cohort
from ipt_outcomes.io.job import FileJob


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortJob(FileJob):
    """A job on patient data: `mapping` as `read_cohort_mapping` takes it, `where` chooses people."""

    def load(self, sources: Sequence[str | Path]) -> Cohort:
        """Read the file.

        Parameters
        ----------
        sources : sequence of path
            One file.

        Returns
        -------
        Cohort
            People chosen by `where`.

        Raises
        ------
        OptionError
            Not one file, or a condition that nobody meets.
        DataError
            As `ipt_outcomes.load_cohort`.
        """
        if len(sources) != 1:
            raise OptionError(f"a {self.kind} report is of one file; got {len(sources)}")
        cohort = load_cohort(
            sources[0],
            mapping=self.mapping,
            encoding=self.encoding,
            decimal=self.decimal,  # type: ignore[arg-type]
        )
        return cohort.where(self.where) if self.where else cohort
