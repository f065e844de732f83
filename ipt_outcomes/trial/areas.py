"""Change by problem area: a randomised comparison only where every arm's area was set before randomisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ipt_outcomes.errors import ConvergenceError, DesignError, OptionError
from ipt_outcomes.io.cohort import AreaSet
from ipt_outcomes.io.cohort.levels import levels_of
from ipt_outcomes.mixed import ChangeBy, change_by
from ipt_outcomes.results import ResultObject, format_interval, format_number
from ipt_outcomes.sums import too_many_lack
from ipt_outcomes.trial.arms import holds_ipt
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.model import FEWEST, VISITS_FOR_SLOPES, ChangeModel, tried
from ipt_outcomes.trial.strata import follows_from
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

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
# Columns that group nobody, or that the comparison of arms is about already.
_NO_LEVELS = {"patient_id", "episode_id", "arm", "baseline", "value", "week", "visit"}
_LINE = ("estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPart:
    """Change by area in one comparison of arms, or within one arm.

    Parameters
    ----------
    arms : tuple of str
        Arm 1 and arm 2 of a randomised comparison, or the one arm.
    label : str
        "randomised comparison", or "within ipt: not a randomised comparison".
    lines : pandas.DataFrame
        ``quantity area estimate se df statistic p_value ci_low ci_high``, and with two arms ``p_holm``. Quantity
        "slope" is change per week, "mean" the score at the end point; with two arms both are arm 1 minus arm 2.
    people : pandas.DataFrame
        ``arm area n``: people with a baseline and a score after it.
    test : dict of str to float
        Whether the slopes (their differences) are equal over areas: ``statistic num_df den_df p_value``; empty where
        there is no test.
    shrunken : pandas.DataFrame
        ``area estimate se ci_low ci_high``: slopes (their differences) drawn towards their mean; may have no rows.
    tau : float or None
        Standard deviation between areas they were shrunken by.
    formula : str
    too_few : tuple of str
        Areas left out of the model for want of people.
    singular : bool
        Whether the model's fit lies on the boundary.
    gap : str
        Why there are no numbers; empty where there are.
    without : str
        Which covariate is not in the model, and why; empty where all are.
    """

    arms: tuple[str, ...]
    label: str
    lines: pd.DataFrame
    people: pd.DataFrame
    test: dict[str, float]
    shrunken: pd.DataFrame
    tau: float | None
    formula: str
    too_few: tuple[str, ...]
    singular: bool
    gap: str
    without: str = ""

    @property
    def areas(self) -> tuple[str, ...]:
        """Areas with numbers, in order."""
        return tuple(dict.fromkeys(str(area) for area in self.lines["area"]))

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
        formula = formula.replace("patient_id", "person").replace("area", self.by)
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
        if not formula:
            return f"Change by {self.name}: {why}."
        holm = (
            " p values of single levels are adjusted after Holm." if self.randomised else " p values are not adjusted."
        )
        without = " ".join(dict.fromkeys(f"{part.without}." for part in self.parts if part.without))
        return (
            f"Change by {self.name}: {why}. Model: {formula}. {without + ' ' if without else ''}"
            f"The test asks whether the levels differ;{holm} Shrunken estimates are drawn towards the mean of the "
            "levels as far as the spread between them (REML) can be told from chance; a spread of 0 does not show "
            "that the levels are alike."
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
            for row in part.lines[part.lines["quantity"].eq("slope")].to_dict(orient="records"):
                limits = format_interval(row["ci_low"], row["ci_high"])
                number = f"{format_number(row['estimate'])} ({limits}) points per week"
                lines.append(f"{names}, {label(row['area'])}: {number}")
        return "\n".join(lines)


def change_by_area(
    data: TrialData,
    end: Visit,
    model: ChangeModel | str,
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
    model : ChangeModel or str
        The model of change, which says which arms have enough people; the reason where there is none.
    pairs : tuple of (arm1, arm2)
    by : str
        Column of the people.
    area_set : {"before", "after", "unknown"}
        When the area was set.
    level : float

    Returns
    -------
    AreaChange
        Arms are compared only if every arm's area was set before randomisation; otherwise each arm with IPT is
        described on its own.

    Raises
    ------
    OptionError
        `by` is no column (unless it is the problem area, which data may lack), or has no few levels.
    """
    if by not in data.people or by in _NO_LEVELS:
        if by != AREA:
            raise _no_column(by, data.people)
        return _nothing(by, "the data name no problem area")
    area = levels_of(data.people[by], by)
    if isinstance(model, str) or not area.notna().any():
        return _nothing(by, model if isinstance(model, str) else f"nobody has a known {by.replace('_', ' ')}")
    not_set = {arm: int((data.people["arm"].eq(arm) & area.isna()).sum()) for arm in data.arms}
    frame = _frame(data, area, model.arms)
    known_before = area_set == "before" if by == AREA else by in _BEFORE
    sizes = {arm: int(data.people["arm"].eq(arm).sum()) for arm in model.arms}
    # As in `change_by`: where many of an arm have no level, who has one was not settled before.
    randomised = known_before and not any(too_many_lack(not_set[arm], sizes[arm]) for arm in model.arms)
    asked: list[tuple[str, ...]] = list(pairs) if randomised else [(arm,) for arm in data.arms if holds_ipt(arm)]
    fits: dict[str, ChangeBy] = {}
    parts = [_part(frame, data, end, arms, model, fits, randomised=randomised, level=level) for arms in asked]
    return AreaChange(by=by, randomised=randomised, parts=tuple(parts), not_set=not_set, gap="")


def _no_column(by: str, people: pd.DataFrame) -> OptionError:
    columns = ", ".join(str(name) for name in people.columns if name not in _NO_LEVELS)
    return OptionError(f"there is no column {by!r} to compare by", column=by, hint=f"The columns are: {columns}.")


def _nothing(by: str, gap: str) -> AreaChange:
    return AreaChange(by=by, randomised=False, parts=(), not_set={}, gap=gap)


def _frame(data: TrialData, area: pd.Series, arms: tuple[str, ...]) -> pd.DataFrame:
    """Scores of the arms in the model, each with its person's level."""
    columns = ["patient_id", "arm", "baseline", "visit", "week", "value"]
    frame = data.scores.loc[data.scores["arm"].isin(arms), columns].copy()
    of_person = dict(zip(data.people["patient_id"], area.astype(object), strict=True))
    frame["area"] = pd.Categorical(frame["patient_id"].map(of_person), categories=area.cat.categories)
    frame["arm"] = pd.Categorical(frame["arm"].astype(str), categories=list(arms))
    return frame.reset_index(drop=True)


def _part(
    frame: pd.DataFrame,
    data: TrialData,
    end: Visit,
    arms: tuple[str, ...],
    model: ChangeModel,
    fits: dict[str, ChangeBy],
    *,
    randomised: bool,
    level: float,
) -> AreaPart:
    usable = frame[frame["value"].notna() & frame["baseline"].notna() & frame["week"].notna()]
    in_model = model.arms if randomised else arms
    people = usable.drop_duplicates("patient_id")
    counts = pd.crosstab(people["area"], people["arm"], dropna=False)
    counts = counts.reindex(columns=list(in_model), fill_value=0)
    counts = counts[counts.index.notna()]
    few = counts.index[counts.min(axis=1).to_numpy() < FEWEST]
    kept = [str(one) for one in counts.index if one not in set(few)]
    table = pd.DataFrame(
        [(arm, str(one), int(counts.loc[one, arm])) for arm in arms if arm in counts for one in counts.index],
        columns=["arm", "area", "n"],
    )
    rows = frame[frame["area"].isin(kept) & frame["arm"].isin(in_model)].copy()
    rows["area"] = pd.Categorical(rows["area"].astype(str), categories=kept)
    rows["arm"] = pd.Categorical(rows["arm"].astype(str), categories=list(in_model))
    rows, covariates, without = _covariates(rows, data, randomised=randomised)
    gap = _why_none(arms, model, kept, rows)
    made: ChangeBy | None = None
    if not gap:
        try:
            # One model serves every comparison of an arm.
            if arms[0] not in fits:
                fits[arms[0]] = _change(rows, end, arms[0], covariates, randomised=randomised, level=level)
            made = fits[arms[0]]
        except (ConvergenceError, DesignError) as error:
            gap = tried(error)
    name = "randomised comparison" if randomised else f"within {arms[0]}: not a randomised comparison"
    shrunken = _shrunken(made, arms)
    return AreaPart(
        arms=arms,
        label=name,
        lines=_lines(made, arms),
        people=table,
        test={} if made is None else _test(made, arms),
        shrunken=shrunken.drop(columns="tau"),
        tau=float(shrunken["tau"].iloc[0]) if len(shrunken) else None,
        formula="" if made is None else made.fit.formula.replace("`", ""),
        too_few=tuple(str(one) for one in few),
        singular=made is not None and made.fit.singular,
        gap=gap,
        without=without,
    )


def _covariates(rows: pd.DataFrame, data: TrialData, *, randomised: bool) -> tuple[pd.DataFrame, tuple[str, ...], str]:
    """Rows with their covariates; which are in the model, and which is not and why."""
    rows, names, notes = data.covariates(rows)
    without = " ".join(note.rstrip(".") for note in notes)
    if "stratum" in names:
        known = rows[rows["value"].notna() & rows["baseline"].notna()]
        carried = follows_from(known["stratum"], known["area"])
        # A mean of one level over strata that nobody of it is in cannot be estimated; a difference of arms can.
        split = follows_from(known["area"], known["stratum"]) and not randomised
        if carried or split:
            names = tuple(name for name in names if name != "stratum")
            without = "Strata are no covariate here, since they and the levels are the same division of people"
    return rows, names, without


def _why_none(arms: tuple[str, ...], model: ChangeModel, kept: list[str], rows: pd.DataFrame) -> str:
    """Why change cannot be modelled by level; empty where it can."""
    out = [model.left_out[arm] for arm in arms if arm in model.left_out]
    if out:
        return "; ".join(out)
    visits = rows.loc[rows["value"].notna(), "visit"].nunique()
    if len(kept) < 2:
        return "fewer than two levels have enough people in every arm"
    if visits < VISITS_FOR_SLOPES:
        return f"change over weeks needs {VISITS_FOR_SLOPES} visits after baseline, there are {visits}"
    return ""


def _change(
    rows: pd.DataFrame, end: Visit, arm: str, covariates: tuple[str, ...], *, randomised: bool, level: float
) -> ChangeBy:
    rows = rows[rows["baseline"].notna()]
    common: dict[str, Any] = {"outcome": "value", "by": "area", "week": "week", "subject": "patient_id"}
    common |= {"covariates": covariates, "at": end.week, "level": level}
    if not randomised:
        return change_by(rows, **common)
    return change_by(rows, **common, arm="arm", arm1=arm, set_before=True)


def _mine(table: pd.DataFrame, arms: tuple[str, ...]) -> pd.DataFrame:
    """The rows of one comparison; all rows where arms are not compared."""
    return table[table["contrast"].eq(" - ".join(arms))] if len(arms) > 1 else table


def _lines(made: ChangeBy | None, arms: tuple[str, ...]) -> pd.DataFrame:
    two = len(arms) > 1
    columns = ["quantity", "area", *_LINE, *(["p_holm"] if two else [])]
    if made is None:
        return pd.DataFrame(columns=columns)
    table = _mine(made.contrasts if two else made.levels, arms).rename(columns={"p_adjusted": "p_holm"})
    return table[columns].astype({"area": str}).reset_index(drop=True)


def _test(made: ChangeBy, arms: tuple[str, ...]) -> dict[str, float]:
    table = made.test
    if len(arms) > 1:
        table = table[table["hypothesis"].str.startswith(f"{' - '.join(arms)}:")]
    row = table.iloc[0]
    return {name: float(row[name]) for name in ("statistic", "num_df", "den_df", "p_value")}


def _shrunken(made: ChangeBy | None, arms: tuple[str, ...]) -> pd.DataFrame:
    columns = ["area", "estimate", "se", "ci_low", "ci_high", "tau"]
    if made is None:
        return pd.DataFrame(columns=columns)
    return _mine(made.shrunken, arms)[columns].astype({"area": str}).reset_index(drop=True)
