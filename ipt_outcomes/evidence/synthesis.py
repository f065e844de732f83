"""The meta-analytic summary: one battery of analyses per comparison and measure, and every number as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ipt_outcomes.effects.zero_cells import ZeroCells
from ipt_outcomes.errors import IptError, OptionError, require_known
from ipt_outcomes.evidence.battery import Battery
from ipt_outcomes.evidence.certainty import findings_row, read_judgements
from ipt_outcomes.evidence.compute import Convention, MeasureName
from ipt_outcomes.evidence.flow import SearchFlow, read_flow
from ipt_outcomes.evidence.given import check_given
from ipt_outcomes.evidence.grid import (
    DEFAULT_RHO,
    DEFAULT_RULES,
    DEFAULT_TAU2,
    Risk,
    RowRule,
    Specifications,
    grid_of_effects,
)
from ipt_outcomes.evidence.numbers import people_in_all, result_rows
from ipt_outcomes.evidence.options import DEFAULT_BY, Options, Profile, checked_options
from ipt_outcomes.evidence.prepare import oriented, prepared
from ipt_outcomes.evidence.profile import metapsytools
from ipt_outcomes.evidence.run import run_battery
from ipt_outcomes.evidence.subgroup import RISK_OF_BIAS
from ipt_outcomes.meta.inputs import Tau2Method, Test
from ipt_outcomes.results import Provenance, ResultObject, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ipt_outcomes.evidence.regeneration import Regeneration
    from ipt_outcomes.evidence.versions import VersionComparison
    from ipt_outcomes.io import Studies


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSynthesis(ResultObject):
    """The meta-analytic summary of one or several study tables.

    Parameters
    ----------
    batteries : tuple of Battery
        One per comparison and measure, in the order given.
    sources : mapping of str to Studies
        The study table of each comparison.
    given : mapping of str to pandas.DataFrame or None
        Rows whose databank effect does not follow from their numbers, per comparison
        (`ipt_outcomes.evidence.check_given`); None where there was nothing to check.
    options : Options
        The choices used.
    results : Results
        Every number of the synthesis.
    flow : SearchFlow or None
        Figures of the search, as the user gave them.
    regeneration : Regeneration or None
        Published estimates beside what the tables give, where asked for (`with_more`).
    comparison : VersionComparison or None
        What changed since an earlier version of the table, where one was given (`with_more`).
    provenance : Provenance
    """

    batteries: tuple[Battery, ...]
    sources: Mapping[str, Studies]
    given: Mapping[str, pd.DataFrame | None]
    options: Options
    results: Results
    flow: SearchFlow | None = None
    regeneration: Regeneration | None = None
    comparison: VersionComparison | None = None
    provenance: Provenance

    def with_more(
        self, *, regeneration: Regeneration | None = None, comparison: VersionComparison | None = None
    ) -> EvidenceSynthesis:
        """Return the synthesis with published estimates or an earlier version beside it, and their numbers.

        Parameters
        ----------
        regeneration : Regeneration, optional
            As `ipt_outcomes.evidence.regenerate` gives it.
        comparison : VersionComparison, optional
            As `ipt_outcomes.evidence.compare_versions` gives it.

        Returns
        -------
        EvidenceSynthesis
        """
        rows = [*self.results]
        for made in (regeneration, comparison):
            rows += [] if made is None else [*made.results]
        return replace(
            self,
            results=Results(tuple(rows)),
            regeneration=regeneration or self.regeneration,
            comparison=comparison or self.comparison,
        )

    @property
    def simulated(self) -> bool:
        """Whether any table is simulated."""
        return any(studies.simulated for studies in self.sources.values())

    def protected(self, audience: str) -> Results:
        """Return the numbers an audience may see: all of them, since study tables are published data.

        Parameters
        ----------
        audience : str
            As the report names it.

        Returns
        -------
        Results
        """
        return self.results

    def to_frame(self) -> pd.DataFrame:
        """Return one row per comparison, measure and analysis, with the pooled columns."""
        frames = [
            battery.to_frame().assign(comparison=battery.name, measure=battery.combined.measure)
            for battery in self.batteries
        ]
        table = pd.concat(frames, ignore_index=True)
        first = ["comparison", "measure"]
        return table[[*first, *(name for name in table.columns if name not in first)]]

    def to_dict(self) -> dict[str, Any]:
        """Return options and results as JSON values."""
        return {
            "options": self.options.to_dict(),
            "results": [row.to_dict() for row in self.results],
            "provenance": self.provenance.to_dict(),
        }

    def summary(self, digits: int = 2) -> str:
        """Return the main result of each comparison, a paragraph each."""
        return "\n".join(battery.summary(digits) for battery in self.batteries)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the forest plot of the first comparison; options as in `ipt_outcomes.figures.forest`."""
        from ipt_outcomes.figures import forest

        battery = self.batteries[0]
        labels = list(battery.studies["study"])
        return forest(battery.effects, labels=labels, pooled=battery.combined, ax=ax, **options)


def synthesise(
    studies: Studies | Mapping[str, Studies],
    *,
    by: str | None = DEFAULT_BY,
    measures: Sequence[MeasureName] | MeasureName = ("g",),
    convention: Convention = "metapsy",
    better: Literal["lower", "higher"] | None = None,
    event: Literal["good", "bad"] | None = None,
    zero_cells: ZeroCells = "add-half",
    tau2: Tau2Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
    rho: float = 0.6,
    low_risk_above: float = 2,
    towards: str | None = "ipt",
    priority: Sequence[str] = (),
    window: Sequence[float | None] | None = None,
    times: Sequence[str] = (),
    years: Sequence[float | None] | None = None,
    subgroups: Sequence[str] | None = None,
    control_rate: float = 0.2,
    profile: Profile = "ours",
    grid: bool = True,
    flow: SearchFlow | Mapping[str, Any] | str | Path | None = None,
    judgements: Mapping[str, Any] | str | Path | None = None,
) -> EvidenceSynthesis:
    """Run the whole battery of a meta-analytic summary.

    For each comparison and measure: all rows, effects combined per study (the main analysis), lowest and highest,
    three-level and correlated-and-hierarchical-effects models, per level of `by` and of other columns, low risk of
    bias only, without outliers, without influential studies, each study left out, year by year, other estimators,
    other assumed correlations, tests and adjustments for small-study effects, numbers needed to treat, a grid of
    specifications, risk of bias by domain, and a row for a summary of findings.

    Parameters
    ----------
    studies : Studies or mapping of str to Studies
        One study table, or several by the name of their comparison; each gets its own battery.
    by : str or None
        Column to compare within each table, by default the comparator.
    measures : sequence of {"g", "OR", "RR", "RD"}
        Effect measures; each gets its own battery.
    convention, better, event, zero_cells
        As in `ipt_outcomes.evidence.study_effects`.
    tau2, test, level
        As in `ipt_outcomes.meta.pool`.
    rho : float
        Correlation assumed between effects of one study, from 0 to below 1.
    low_risk_above : float
        A study has a low risk of bias when more than this number of items is rated so (the word "low"
        counts too).
    towards : str or None
        Treatment to orient every row to, so that positive favours it; None leaves rows as they are.
    priority : sequence of str
        Instruments, the most wanted first: one row per study is used, that of the first instrument it has ("hdrs"
        stands for every version). Empty: all rows.
    window : (float or None, float or None), optional
        Weeks of assessment to use, limits included; rows that do not tell the week are left out.
    times : sequence of str
        Values of the column ``time`` to use, as "post"; empty: all.
    years : (float or None, float or None), optional
        Years of publication to use, limits included.
    subgroups : sequence of str, optional
        Columns to pool by beside `by`; by default comparator, disorder, format, population, country and
        "risk_of_bias" (low or not), as far as the table has them.
    control_rate : float
        Rate of good outcomes in arm 2 that numbers needed to treat assume, beside the pooled one.
    profile : {"ours", "metapsytools"}
        "metapsytools" adds the models as that package runs them, beside ours.
    grid : bool
        Whether to pool under a grid of specifications.
    flow : SearchFlow, mapping or path, optional
        Figures of the search, as `ipt_outcomes.evidence.read_flow` takes them.
    judgements : mapping or path, optional
        Judgements for the summary of findings, as `ipt_outcomes.evidence.read_judgements` takes them; without
        them its cells stay empty.

    Returns
    -------
    EvidenceSynthesis

    Raises
    ------
    OptionError
        An option is not one of its choices, or `by` or one of `subgroups` is no column.
    DataError
        No row gives an effect, a direction is not known, or no row is left of those asked for.
    """
    tables = dict(studies) if isinstance(studies, Mapping) else {"": studies}
    if not tables:
        raise OptionError("studies is empty: give one study table, or several by name")
    given_options = {
        name: value for name, value in locals().items() if name in Options.__dataclass_fields__ and name != "measures"
    }
    options = checked_options(measures, **given_options)
    tables = {name: oriented(table, towards) for name, table in tables.items()}
    if not isinstance(studies, Mapping):
        tables = {_default_name(table): table for table in tables.values()}
    _require_columns(options, tables)
    batteries = _judged(
        [
            _battery(name, table, measure, options, several=len(tables) > 1)
            for name, table in tables.items()
            for measure in options.measures
        ],
        judgements,
    )
    given = {name: _given(table, options) for name, table in tables.items()}
    search = None if flow is None else read_flow(flow)
    return EvidenceSynthesis(
        batteries=batteries,
        sources=tables,
        given=given,
        options=options,
        results=result_rows(batteries, given, tables, search),
        flow=search,
        provenance=Provenance(function="evidence.synthesise", options=options.to_dict()),
    )


def specification_grid(
    source: Studies | Battery,
    *,
    measure: MeasureName = "g",
    tau2: Sequence[Tau2Method] = DEFAULT_TAU2,
    rho: Sequence[float] = DEFAULT_RHO,
    comparators: Sequence[str] | None = None,
    risk_of_bias: Sequence[Risk] = ("all", "low"),
    rows: Sequence[RowRule] = DEFAULT_RULES,
    test: Test | None = None,
    **options: Any,
) -> Specifications:
    """Pool under every combination of choices.

    Parameters
    ----------
    source : Studies or Battery
        A study table, or a battery that has been run (its rows and options are used).
    measure : {"g", "OR", "RR", "RD"}
        For a study table.
    tau2, rho, comparators, risk_of_bias, rows, test
        The choices, as in `ipt_outcomes.evidence.grid_of_effects`.
    **options
        For a study table: other options of `synthesise`.

    Returns
    -------
    Specifications

    Raises
    ------
    OptionError, DataError
        As `synthesise`, and where no combination can be fitted.
    """
    if isinstance(source, Battery):
        if options:
            raise OptionError(f"a battery has its options already; got {', '.join(options)}")
        effects, settings = source.study_effects, source.options
    else:
        known = Options()
        require_known("specification_grid has no option", options, list(Options.__dataclass_fields__))
        given = {name: options.get(name, getattr(known, name)) for name in Options.__dataclass_fields__}
        settings = checked_options(measure, **{name: value for name, value in given.items() if name != "measures"})
        effects, _ = prepared(oriented(source, settings.towards), measure, settings)
    return grid_of_effects(
        effects,
        settings,
        tau2=tau2,
        rho=rho,
        comparators=comparators,
        risk_of_bias=risk_of_bias,
        rows=rows,
        test=test,
    )


def _battery(name: str, table: Studies, measure: MeasureName, options: Options, *, several: bool) -> Battery:
    effects, choice = prepared(table, measure, options)
    groups = ({"comparison": name} if several else {}) | ({"measure": measure} if len(options.measures) > 1 else {})
    beside = None
    if options.profile == "metapsytools":
        theirs = replace(options, convention="metapsy", zero_cells="treatment-arm")
        beside = metapsytools(prepared(table, measure, theirs)[0], theirs)
    return run_battery(name, effects, options, groups, choice=choice, profile=beside)


def _judged(batteries: Sequence[Battery], judgements: Mapping[str, Any] | str | Path | None) -> tuple[Battery, ...]:
    """The batteries with their rows of a summary of findings."""
    read = read_judgements(judgements, [battery.name for battery in batteries])
    return tuple(
        replace(
            battery,
            findings=findings_row(battery, people_in_all(battery), read.get(battery.name, {})),
        )
        for battery in batteries
    )


def _given(table: Studies, options: Options) -> pd.DataFrame | None:
    """Rows off the databank's own g; None where the table has none, or g cannot be computed from it."""
    if not {".g", ".g_se"} <= set(table.comparisons.columns):
        return None
    try:
        return check_given(table, better=options.better, event=options.event)
    except IptError:
        return None


def _require_columns(options: Options, tables: Mapping[str, Studies]) -> None:
    """The default columns may be absent; ones the user asked for may not."""
    asked = [options.by] if options.by not in {None, DEFAULT_BY} else []
    asked += [name for name in options.subgroups or () if name != RISK_OF_BIAS]
    for by in asked:
        lacking = [name for name, table in tables.items() if by not in table.comparisons]
        if lacking:
            columns = ", ".join(str(name) for name in tables[lacking[0]].comparisons.columns)
            raise OptionError(f"there is no column {by!r} to compare by", column=by, hint=f"The columns are: {columns}")


def _default_name(studies: Studies) -> str:
    """Title of a single table: the treatment, if all rows share it."""
    table = studies.comparisons
    if "condition_arm1" not in table:
        return "All comparisons"
    arms = table["condition_arm1"].dropna().astype(str).str.strip().unique()
    return f"{arms[0].upper()} compared with other conditions" if len(arms) == 1 else "All comparisons"
