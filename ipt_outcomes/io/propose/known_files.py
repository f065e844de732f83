"""Files for which a mapping comes with the package."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_outcomes.io.cohort.mapping import read_cohort_mapping
from ipt_outcomes.io.mapping import read_mapping
from ipt_outcomes.io.toml_text import shipped_mappings


def shipped_hints(columns: Sequence[str], *, cohort: bool) -> tuple[str, ...]:
    """Say which of the package's own mappings fits a file with these columns.

    Parameters
    ----------
    columns : sequence of str
    cohort : bool
        Mappings of patient files; else those of study tables.

    Returns
    -------
    tuple of str
        Sentences; empty where none fits.
    """
    found = []
    for name in shipped_mappings(cohort=cohort):
        if cohort:
            plan = read_cohort_mapping(name)
            wanted = {source for _, sources in plan.targets() for source in sources} | set(plan.left_out)
            fits = wanted == set(columns)
        else:
            study_plan = read_mapping(name)
            fits = {*study_plan.columns.values(), *study_plan.left_out} <= set(columns)
        if fits:
            found.append(f"a mapping for this file comes with the package: --mapping {name}")
    return tuple(found)
