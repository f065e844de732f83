"""Whether arms can be compared within the levels of a column: levels set before randomisation, for nearly everybody."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed.columns import factor
from ipt_outcomes.sums import too_many_lack


def arms_compared(data: pd.DataFrame, arm: str, arm1: str | None, arm2: str | None) -> tuple[str, ...]:
    """Return arm 1, then the arms it is compared with."""
    known = [str(name) for name in factor(data[arm].dropna()).levels]
    for name in (arm1, arm2):
        if name is not None and name not in known:
            raise OptionError(f"{arm} has no {name!r}; it has {', '.join(known)}")
    if not known:
        raise DesignError(f"nobody has a value of {arm}")
    if arm1 is not None and arm1 == arm2:
        raise OptionError(f"arm1 and arm2 are the same: {arm1!r}")
    first = arm1 if arm1 is not None else next(name for name in reversed(known) if name != arm2)
    others = (arm2,) if arm2 is not None else tuple(name for name in known if name != first)
    return (first, *others)


def check_levels(data: pd.DataFrame, by: str, subject: str, set_day: str | None) -> None:
    """Refuse people with several levels, and a declaration that the days contradict."""
    changing = int((data.groupby(subject)[by].nunique() > 1).sum())
    if changing:
        raise DesignError(
            f"{by} differs between the rows of {changing} people: change is described by one level a person",
            column=by,
            hint="Use the level first set, or the one before randomisation.",
        )
    if set_day is not None:
        late = data.loc[pd.to_numeric(data[set_day], errors="coerce") > 0, subject].nunique()
        if late:
            raise DesignError(
                f"{by} is declared as set before randomisation, but {set_day} is later for {late} people",
                column=set_day,
                hint="Leave out set_before, so that the days decide.",
            )


def people_with_levels(data: pd.DataFrame, *, by: str, subject: str, arm: str | None) -> pd.DataFrame:
    """Return the people of each arm, and how many have no level: ``arm people without_level``."""
    columns = [subject, by] if arm is None else [subject, by, arm]
    one = data[columns].dropna(subset=[subject]).sort_values(by, na_position="last", kind="stable")
    one = one.drop_duplicates(subject).assign(arm="everyone" if arm is None else one[arm].astype("string"))
    found = one.groupby("arm", sort=True)[by].agg(people="size", without_level=lambda values: int(values.isna().sum()))
    return found.reset_index()


def why_not_compared(
    data: pd.DataFrame, by: str, arm: str, set_day: str | None, people: pd.DataFrame, *, set_before: bool
) -> str:
    """Return why arms cannot be compared within levels; empty where they can."""
    empty = people.loc[people["people"].eq(people["without_level"]), "arm"]
    if len(empty):
        return f"nobody of {', '.join(empty)} has a value of {by}"
    lacking = people[too_many_lack(people["without_level"], people["people"])]
    if len(lacking):
        told = ", ".join(
            f"{row['without_level']} of {row['people']} in {row['arm']}" for row in lacking.to_dict("records")
        )
        return f"{by} is not known for many people ({told})"
    if set_before:
        return ""
    if set_day is None:
        return f"it is not known whether {by} was set before randomisation"
    days = pd.to_numeric(data.loc[data[by].notna() & data[arm].notna(), set_day], errors="coerce")
    if (days > 0).any():
        return f"{by} was set after randomisation"
    return f"the day on which {by} was set is not known for everyone" if days.isna().any() else ""


def comparison_label(arm: str | None, arms: tuple[str, ...], *, randomised: bool) -> str:
    """Return what kind of comparison it is, in words."""
    if randomised:
        return "randomised comparison"
    return (
        "description of change, no comparison of arms"
        if arm is None
        else f"within {arms[0]}: not a randomised comparison"
    )
