"""May rows of persons leave (rule L9)? Only where nobody stands out, or for somebody the user names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ipt_outcomes.errors import DataError, require_choice
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.privacy.quasi import QUASI_IDENTIFIERS, SMALLEST_GROUP, small_groups

RowsFor = Literal["own_team", "data_agreement"]

RELEASES: dict[str, str] = {
    "own_team": "the people who hold the source under the same consent or approval; not passed on",
    "data_agreement": "recipients whom the consent, an ethics approval or a data sharing agreement names",
}


@dataclass(frozen=True, slots=True)
class Release:
    """What was decided about rows of persons.

    Parameters
    ----------
    rows_for : str or None
        Who may have them, as the user said.
    k : int or None
        Size of the smallest group of people alike; None without quasi-identifiers.
    columns : tuple of str
        The quasi-identifiers.
    """

    rows_for: str | None
    k: int | None
    columns: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON values, in words that promise no more than was checked."""
        return {
            "rows_for": self.rows_for,
            "meaning": RELEASES.get(self.rows_for or "", "nobody named: nobody stands out by the columns checked"),
            "smallest_group": self.k,
            "columns_checked": list(self.columns),
        }


def require_release(cohort: Cohort, rows_for: RowsFor | None) -> Release:
    """Refuse to write rows of persons who stand out, unless the user names who may have them.

    Parameters
    ----------
    cohort : Cohort
    rows_for : {"own_team", "data_agreement"}, optional
        ``"own_team"``: the rows stay with the people who hold the source under the same consent or approval.
        ``"data_agreement"``: consent, an ethics approval or an agreement names the recipients. It is written
        into the folder.

    Returns
    -------
    Release

    Raises
    ------
    DataError
        People share their quasi-identifiers with fewer than four others, and nobody was named. Simulated data
        are exempt: nobody stands behind them.
    OptionError
        `rows_for` is something else.
    """
    if rows_for is not None:
        require_choice("rows_for", rows_for, tuple(RELEASES))
    found = small_groups(cohort.patients, QUASI_IDENTIFIERS)
    if found is None:
        return Release(rows_for, None, ())
    if found.k < SMALLEST_GROUP and rows_for is None and not cohort.simulated:
        raise DataError(
            f"rows of persons are not written (L9): {found.sentence}",
            column=found.columns[0],
            hint='Load the file with fewer columns or wider bands; or say who may have them: rows_for="own_team" (the '
            'people who hold the source under the same consent) or rows_for="data_agreement" (recipients named in '
            "consent, approval or agreement).",
        )
    return Release(rows_for, found.k, found.columns)
