"""Change by problem area: a randomised comparison only where every arm's area was set before randomisation."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort import AreaSet
from ipt_outcomes.results import ResultObject, format_interval, format_number
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import ProblemArea, label

AREA = "problem_area"
# Known of a person before treatment, so that comparing arms within their levels is a randomised comparison.
_BEFORE = {
    "sex",
    "age",
    "age_band",
    "population",
    "education",
    "employment",
    "ethnicity_group",
    "imd_decile",
    "site",
    "stratum",
    "indication",
}
_LINE = ("estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPart:
    """Change by area in one comparison of arms, or within one arm.

    Parameters
    ----------
    arms : tuple of str
        Arm 1 and arm 2 of a randomised comparison, or the one arm.
    label : str
        As it has to be printed: "randomised comparison", "within ipt: not a randomised comparison".
    lines : pandas.DataFrame
        ``area estimate se df statistic p_value ci_low ci_high`` and, with two arms, ``p_holm``: the arms' difference
        at the end point in each area (arm 1 minus arm 2), or the mean at the end point in each area of the arm.
    people : pandas.DataFrame
        ``arm area n``: people with a baseline and a score after it.
    test : dict of str to float
        Whether the areas differ: ``statistic num_df den_df p_value``; empty where there is no test.
    shrunken : pandas.DataFrame
        ``area estimate se ci_low ci_high``, drawn towards their mean; may have no rows.
    shrunken_tau2 : float or None
    formula : str
    too_few : tuple of str
        Areas left out of the model for want of people.
    gap : str
        Why there are no numbers; empty where there are.
    """

    arms: tuple[str, ...]
    label: str
    lines: pd.DataFrame
    people: pd.DataFrame
    test: dict[str, float]
    shrunken: pd.DataFrame
    shrunken_tau2: float | None
    formula: str
    too_few: tuple[str, ...]
    gap: str

    @property
    def where(self) -> dict[str, str]:
        """Group levels of its result rows: the two arms, or the one."""
        return dict(zip(("arm1", "arm2"), self.arms, strict=True)) if len(self.arms) == 2 else {"arm": self.arms[0]}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaChange(ResultObject):
    """Change by problem area (or another column), with the label its design allows.

    Parameters
    ----------
    by : str
        Column compared by.
    randomised : bool
        Whether arms are compared within levels.
    parts : tuple of AreaPart
        One per comparison of arms, or per arm that holds IPT.
    not_set : dict of str to int
        People per arm without a level: in the IPT arm those who left before their area was set.
    gap : str
        Why there is nothing to show; empty where there is.
    """

    by: str
    randomised: bool
    parts: tuple[AreaPart, ...]
    not_set: dict[str, int]
    gap: str

    @property
    def name(self) -> str:
        """The column in words."""
        return self.by.replace("_", " ")

    @property
    def label(self) -> str:
        """What kind of comparison it is, to stand in headings."""
        if self.randomised:
            return "randomised comparison"
        return "within IPT: not a randomised comparison"

    @property
    def method(self) -> str:
        """How it was computed and what it may be taken for, for a methods section."""
        if not self.parts:
            return ""
        formula = next((part.formula for part in self.parts if part.formula), "")
        if self.randomised:
            why = (
                "it was set before or at randomisation in every arm, so arms are compared within each level"
                if self.by == AREA
                else "it was known before randomisation, so arms are compared within each level"
            )
        else:
            why = (
                "it was not shown to be set before randomisation in every arm, so arms are not compared by it: the "
                "numbers describe people within an arm with IPT, who differ in more than this; those who left before "
                "it was set are counted"
            )
        return (
            f"Change by {self.name}: {why}. Model: {formula.replace('patient_id', 'person')}. The test asks whether "
            "the levels differ; p values of single levels are adjusted after Holm. Shrunken estimates are drawn "
            "towards the mean of the levels as far as the spread between them (REML) can be told from chance; a spread "
            "of 0 does not show that the levels are alike."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the lines of every part, with the arms."""
        frames = [part.lines.assign(arms=" - ".join(part.arms)) for part in self.parts if len(part.lines)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["area", *_LINE, "arms"])

    def summary(self, digits: int = 2) -> str:
        """Return the label and a line per level."""
        if self.gap:
            return f"Change by {self.name}: {self.gap}"
        lines = [f"Change by {self.name} ({self.label})"]
        for part in self.parts:
            names = " minus ".join(label(arm) for arm in part.arms)
            if part.gap:
                lines.append(f"{names}: {part.gap}")
            for row in part.lines.to_dict(orient="records"):
                limits = format_interval(row["ci_low"], row["ci_high"])
                lines.append(f"{names}, {label(row['area'])}: {format_number(row['estimate'])} ({limits}) points")
        return "\n".join(lines)


def change_by_area(
    data: TrialData,
    end: Visit,
    pairs: tuple[tuple[str, str], ...],
    *,
    by: str,
    area_set: AreaSet,
    level: float,
) -> AreaChange:
    """Describe change by problem area.

    Parameters
    ----------
    data : TrialData
        Visits up to the end point.
    end : Visit
    pairs : tuple of (arm1, arm2)
    by : str
        Column of the people.
    area_set : {"before", "after", "unknown"}
        When the area was set.
    level : float

    Returns
    -------
    AreaChange

    Raises
    ------
    OptionError
        `by` is no column, unless it is the problem area, which data may lack.
    """
    if by not in data.people:
        if by != AREA:
            columns = ", ".join(str(name) for name in data.people.columns if name not in ("patient_id", "episode_id"))
            raise OptionError(
                f"there is no column {by!r} to compare by", column=by, hint=f"The columns are: {columns}."
            )
        return _nothing(by, "the data name no problem area")
    randomised = area_set == "before" if by == AREA else by in _BEFORE
    not_set = {arm: int((data.people["arm"].eq(arm) & _unset(data.people[by])).sum()) for arm in data.arms}
    return _nothing(by, "pending", not_set)


def _nothing(by: str, gap: str, not_set: dict[str, int] | None = None) -> AreaChange:
    return AreaChange(by=by, randomised=False, parts=(), not_set=not_set or {}, gap=gap)


def _unset(values: pd.Series) -> pd.Series:
    return values.isna() | values.astype(str).eq(ProblemArea.NONE_SET.value)
