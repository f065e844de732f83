"""Who is still measured when: people with a score by arm (or any group) and visit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.refusing import refuse_rows
from ipt_outcomes.errors import DesignError


def attrition(
    data: pd.DataFrame,
    *,
    arm: str = "arm",
    visit: str = "visit",
    id: str = "patient_id",
    value: str = "value",
) -> pd.DataFrame:
    """Count who has a score, by group and visit.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and visit; a person without a row, or with a missing score, has none at that visit.
    arm, visit, id, value : str
        Columns of the group, the visit, the person and the score.

    Returns
    -------
    pandas.DataFrame
        One row per group and visit: group and visit columns, ``n`` (people with a score), ``mean``, ``sd``, ``n_group``
        (people of the group), ``percent`` (n of n_group), ``mean_first_of_lost`` (mean first score of those without a
        score at this visit: leavers who began worse make the mean look better). Groups and visits in the order of the
        data (of its categories, where it has some). Means and SDs are empty where nobody, or one person, has a score.

    Raises
    ------
    DesignError
        A column is missing, a score is no number, a person has two scores at a visit or is in two groups.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"arm": "ipt", "patient_id": [1, 2, 1, 2], "visit": [0, 0, 1, 1]})
    >>> rows["value"] = [20, 24, 9, None]
    >>> attrition(rows)[["visit", "n", "mean"]].to_dict("records")
    [{'visit': 0, 'n': 2, 'mean': 22.0}, {'visit': 1, 'n': 1, 'mean': 9.0}]
    """
    lacking = [name for name in (arm, visit, id, value) if name not in data.columns]
    if lacking:
        raise DesignError(f"expected the columns {arm}, {visit}, {id} and {value}; not there: {', '.join(lacking)}")
    scores = pd.to_numeric(data[value], errors="coerce")
    rows = data[[arm, visit, id]].assign(score=scores.astype(float))
    refuse_rows((scores.isna() & data[value].notna()).to_numpy(), "have a score that is no number", value)
    refuse_rows(rows[[arm, visit, id]].isna().any(axis=1).to_numpy(), "have no group, visit or person", id)
    refuse_rows(data.duplicated([id, visit], keep=False).to_numpy(), "share their person and visit with another", visit)
    groups_of = rows.groupby(id, observed=True)[arm].transform("nunique")
    refuse_rows((groups_of > 1).to_numpy(), "are of people who are in two groups", arm)
    visits, groups = _ordered(rows[visit]), _ordered(rows[arm])
    table = rows.pivot(index=id, columns=visit, values="score").reindex(columns=visits)
    group = rows.drop_duplicates(id).set_index(id)[arm].reindex(table.index)
    first = table.bfill(axis=1).iloc[:, 0]
    found = []
    for name in groups:
        here = table[(group == name).to_numpy()]
        began = first[(group == name).to_numpy()]
        for moment in visits:
            there = here[moment].dropna()
            found.append(
                {
                    arm: name,
                    visit: moment,
                    "n": len(there),
                    "mean": float(there.mean()) if len(there) else np.nan,
                    "sd": float(there.std(ddof=1)) if len(there) > 1 else np.nan,
                    "n_group": len(here),
                    "percent": 100 * len(there) / len(here),
                    "mean_first_of_lost": float(began[here[moment].isna()].mean()),
                }
            )
    return pd.DataFrame(found)


def _ordered(column: pd.Series) -> list[object]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        there = set(column.dropna())
        return [level for level in column.cat.categories if level in there]
    levels = list(dict.fromkeys(column.tolist()))
    return sorted(levels) if pd.api.types.is_numeric_dtype(column) else levels
