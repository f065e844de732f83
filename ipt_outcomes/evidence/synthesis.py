"""The meta-analytic summary: one battery of analyses per comparison and measure, and every number as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ipt_outcomes.effects.zero_cells import ZeroCells
from ipt_outcomes.errors import IptError, OptionError, require_choice
from ipt_outcomes.evidence.battery import Battery, run_battery
from ipt_outcomes.evidence.compute import MEASURES, Convention, MeasureName
from ipt_outcomes.evidence.effects import study_effects
from ipt_outcomes.evidence.given import check_given
from ipt_outcomes.evidence.numbers import result_rows
from ipt_outcomes.evidence.sides import rows_set_aside
from ipt_outcomes.meta.inputs import Tau2Method, Test
from ipt_outcomes.results import Provenance, ResultObject, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ipt_outcomes.io import Studies

DEFAULT_BY = "condition_arm2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every choice that can change a number, as `synthesise` takes them."""

    by: str | None
    measures: tuple[MeasureName, ...]
    convention: Convention
    better: Literal["lower", "higher"] | None
    event: Literal["good", "bad"] | None
    zero_cells: ZeroCells
    tau2: Tau2Method
    test: Test
    level: float
    rho: float
    low_risk_above: float
    towards: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


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
    provenance : Provenance
    """

    batteries: tuple[Battery, ...]
    sources: Mapping[str, Studies]
    given: Mapping[str, pd.DataFrame | None]
    options: Options
    results: Results
    provenance: Provenance

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
) -> EvidenceSynthesis:
    """Run the whole battery of a meta-analytic summary.

    For each comparison and measure: all rows, effects combined per study (the main analysis), per level of
    `by`, low risk of bias only, each study left out, other estimators, other assumed correlations, and a test
    of funnel asymmetry.

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

    Returns
    -------
    EvidenceSynthesis

    Raises
    ------
    OptionError
        An option is not one of its choices, or `by` is no column.
    DataError
        No row gives an effect, or a direction is not known.
    """
    named = isinstance(studies, Mapping)
    tables = dict(studies) if isinstance(studies, Mapping) else {"": studies}
    if not tables:
        raise OptionError("studies is empty: give one study table, or several by name")
    chosen: tuple[MeasureName, ...] = (measures,) if isinstance(measures, str) else tuple(measures)
    if not chosen:
        raise OptionError(f"measures is empty: choose among {', '.join(MEASURES)}")
    if len(set(chosen)) != len(chosen):
        raise OptionError("measures names one measure twice")
    for measure in chosen:
        require_choice("measure", measure, MEASURES)
    if not 0 <= rho < 1:
        raise OptionError(f"rho must be at least 0 and below 1; got {rho}")
    if towards is not None:
        tables = {name: _oriented(table, towards) for name, table in tables.items()}
    if not named:
        tables = {_default_name(table): table for table in tables.values()}
    _require_column(by, tables)
    options = Options(
        by=by,
        measures=chosen,
        convention=convention,
        better=better,
        event=event,
        zero_cells=zero_cells,
        tau2=tau2,
        test=test,
        level=level,
        rho=rho,
        low_risk_above=low_risk_above,
        towards=towards,
    )
    batteries = tuple(
        _battery(name, table, measure, options, several=len(tables) > 1)
        for name, table in tables.items()
        for measure in chosen
    )
    given = {name: _given(table, options) for name, table in tables.items()}
    return EvidenceSynthesis(
        batteries=batteries,
        sources=tables,
        given=given,
        options=options,
        results=result_rows(batteries, given, tables, options),
        provenance=Provenance(function="evidence.synthesise", options=options.to_dict()),
    )


def _battery(name: str, table: Studies, measure: MeasureName, options: Options, *, several: bool) -> Battery:
    if options.towards is None:
        # Nothing settles which side is which: rows that point both ways are refused.
        rows_set_aside(table.comparisons, None)
    effects = study_effects(
        table,
        measure=measure,
        convention=options.convention,
        better=options.better,
        event=options.event,
        zero_cells=options.zero_cells,
        towards=options.towards,
    )
    groups = ({"comparison": name} if several else {}) | ({"measure": measure} if len(options.measures) > 1 else {})
    return run_battery(name, effects, options, groups)


def _oriented(table: Studies, towards: str) -> Studies:
    """Turn the rows round; a table that does not say what its arms are stays as it is, and says so."""
    if {"condition_arm1", "condition_arm2"} <= set(table.comparisons.columns):
        return table.orient(towards=towards)
    return replace(table, notes=(*table.notes, "the table does not say what the arms are: positive favours arm 1"))


def _given(table: Studies, options: Options) -> pd.DataFrame | None:
    """Rows off the databank's own g; None where the table has none, or g cannot be computed from it."""
    if not {".g", ".g_se"} <= set(table.comparisons.columns):
        return None
    try:
        return check_given(table, better=options.better, event=options.event)
    except IptError:
        return None


def _require_column(by: str | None, tables: Mapping[str, Studies]) -> None:
    """The default column may be absent; one the user asked for may not."""
    if by is None or by == DEFAULT_BY:
        return
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
