"""The rows a model uses and its columns, each as a product of what changes within a group and what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed.coding import ModelColumn, Part, Variable, code_terms
from ipt_outcomes.mixed.columns import (
    MOST_LEVELS,
    Factor,
    combined,
    factor,
    is_numeric,
    numbers,
    require_columns,
    used_levels,
)
from ipt_outcomes.mixed.formula import Call, Column, Formula, columns_of
from ipt_outcomes.mixed.rank import Estimable
from ipt_outcomes.mixed.transforms import arithmetic, recipe
from ipt_outcomes.sums import Groups


@dataclass(frozen=True, slots=True)
class RandomColumn:
    """One column of the random part.

    Parameters
    ----------
    column : ModelColumn
    block : int
        Columns of one block are correlated.
    """

    column: ModelColumn
    block: int


@dataclass(frozen=True, slots=True)
class Design:
    """What a formula and data give, before any fit.

    Parameters
    ----------
    formula : Formula
    variables : dict of str to Variable
    fixed : tuple of ModelColumn
    random : tuple of RandomColumn
    group : str
        Name of the grouping factor.
    group_levels : tuple
        The groups, in order.
    codes : numpy.ndarray of int, shape (n,)
        Group of each row used; -1 where a row has no group.
    y : numpy.ndarray, shape (n,)
    rows : numpy.ndarray of int, shape (n,)
        Positions of the rows used in the data.
    n_dropped : int
    columns : dict of str to numpy.ndarray or Factor
        The data columns behind the variables, rows used.
    everything : tuple of ModelColumn
        All columns the formula stands for, those that the data cannot tell apart from others among them.
    estimable : Estimable
        Which of them are in `fixed`.
    """

    formula: Formula
    variables: dict[str, Variable]
    fixed: tuple[ModelColumn, ...]
    random: tuple[RandomColumn, ...]
    group: str
    group_levels: tuple[object, ...]
    codes: np.ndarray
    y: np.ndarray
    rows: np.ndarray
    n_dropped: int
    columns: dict[str, np.ndarray | Factor]
    everything: tuple[ModelColumn, ...]
    estimable: Estimable

    @property
    def n_rows(self) -> int:
        """Rows used."""
        return int(self.y.size)

    @property
    def dropped(self) -> tuple[ModelColumn, ...]:
        """Columns that are not in the model, since others give them."""
        return tuple(self.everything[place] for place in self.estimable.dropped)

    def without_given(self, found: Estimable) -> Design:
        """Return the design with those columns only that the data can tell apart."""
        return replace(self, fixed=tuple(self.everything[place] for place in found.kept), estimable=found)


def build_design(
    formula: Formula, frame: pd.DataFrame, *, subject: str | None = None, needed: Sequence[str] = ()
) -> Design:
    """Turn a formula and a frame into the columns of a model.

    Parameters
    ----------
    formula : Formula
    frame : pandas.DataFrame
    subject : str, optional
        The grouping factor, where the formula has no random part to name it; rows without it are dropped.
    needed : sequence of str
        Further columns without which a row is dropped.

    Returns
    -------
    Design

    Raises
    ------
    OptionError
        An unknown column, no random term, or several grouping factors.
    DataError
        A column that is neither numbers nor levels.
    DesignError
        No row is complete, a factor with one level, or fewer than two groups.
    """
    group = _one_group(formula) if subject is None else (subject,)
    require_columns(frame, [*formula.columns, *formula.group_columns, *group, *needed])
    raw = {name: _raw(frame[name]) for name in formula.columns}
    grouping = combined([factor(frame[name]) for name in group])
    complete = np.ones(len(frame), dtype=bool)
    for values in raw.values():
        complete &= values.codes >= 0 if isinstance(values, Factor) else ~np.isnan(values)
    for name in needed if subject is None else (subject, *needed):
        complete &= frame[name].notna().to_numpy()
    rows = np.flatnonzero(complete)
    if rows.size == 0:
        raise DesignError(
            f"none of the {len(frame)} rows has a value in every column of the formula",
            hint="The columns are: " + ", ".join(formula.columns) + ".",
        )
    if rows.size < len(frame):
        raw = {name: _taken(values, rows) for name, values in raw.items()}
        grouping = Factor(grouping.codes[rows], grouping.levels)
    grouping = used_levels(grouping)
    variables = {name: _variable(name, node, raw) for name, node in formula.variables.items()}
    random = tuple(
        RandomColumn(column, block)
        for block, part in enumerate(formula.random)
        for column in code_terms(part.terms, variables)
    )
    fixed = code_terms(formula.terms, variables)
    design = Design(
        formula=formula,
        variables=variables,
        fixed=fixed,
        random=random,
        group=":".join(group),
        group_levels=grouping.levels,
        codes=np.asarray(grouping.codes, dtype=np.int64),
        y=_response(formula, raw),
        rows=rows,
        n_dropped=len(frame) - rows.size,
        columns=raw,
        everything=fixed,
        estimable=Estimable(np.arange(len(fixed)), np.empty((len(fixed), 0))),
    )
    _check_sizes(design)
    return design


def _one_group(formula: Formula) -> tuple[str, ...]:
    groups = list(dict.fromkeys(part.group for part in formula.random))
    if not groups:
        raise OptionError(
            "the formula has no random term", hint="A mixed model needs one, for example (1 | patient_id)."
        )
    if len(groups) > 1:
        named = ", ".join(":".join(group) for group in groups)
        raise OptionError(
            f"random terms for several grouping factors are not supported yet: {named}",
            hint="Keep the terms of one grouping factor.",
        )
    return groups[0]


def _raw(series: pd.Series) -> np.ndarray | Factor:
    return numbers(series) if is_numeric(series) else factor(series)


def _taken(values: np.ndarray | Factor, rows: np.ndarray) -> np.ndarray | Factor:
    return Factor(values.codes[rows], values.levels) if isinstance(values, Factor) else values[rows]


def _numeric_columns(raw: Mapping[str, np.ndarray | Factor], names: set[str]) -> dict[str, np.ndarray]:
    """Columns for arithmetic; codes of a factor are integers of kind object, so that arithmetic refuses them."""
    return {
        name: np.asarray(values.levels, dtype=object) if isinstance(values, Factor) else values
        for name, values in raw.items()
        if name in names
    }


def _variable(name: str, node: object, raw: Mapping[str, np.ndarray | Factor]) -> Variable:
    if isinstance(node, Column):
        values = raw[node.name]
        if isinstance(values, Factor):
            return _factor_variable(name, node.name, values)
    if isinstance(node, Call) and node.function == "factor":
        if len(node.arguments) != 1 or not isinstance(node.arguments[0], Column):
            raise OptionError(f"{name}: factor takes one column")
        inner = raw[node.arguments[0].name]
        if not isinstance(inner, Factor):
            levels, codes = np.unique(inner, return_inverse=True)
            inner = Factor(codes, tuple(int(x) if float(x).is_integer() else float(x) for x in levels))
        return _factor_variable(name, node.arguments[0].name, inner)
    columns = _numeric_columns(raw, set(columns_of(node)))  # type: ignore[arg-type]
    made = recipe(node, columns)  # type: ignore[arg-type]
    return Variable(name, made, "", (), made.evaluate(columns))


def _factor_variable(name: str, column: str, values: Factor) -> Variable:
    used = used_levels(values)
    if len(used.levels) > MOST_LEVELS:
        raise DesignError(
            f"{name} has {len(used.levels)} levels; more than {MOST_LEVELS} are not modelled",
            column=column,
            hint="Ids belong behind the bar of a random term; numbers stored as text must be made numbers.",
        )
    return Variable(name, None, column, used.levels, np.asarray(used.codes))


def _response(formula: Formula, raw: Mapping[str, np.ndarray | Factor]) -> np.ndarray:
    name = str(formula.response)
    columns = _numeric_columns(raw, set(columns_of(formula.response)))
    made = recipe(formula.response, columns)
    if made.width != 1 or made.basis is not None:
        raise OptionError(f"the outcome {name} must be one column")
    return arithmetic(made.tree, columns, name)


def _check_sizes(design: Design) -> None:
    groups, n = len(design.group_levels), design.n_rows
    if groups < 2:
        raise DesignError(f"{design.group} has {groups} groups in the {n} rows used; at least 2 are needed")
    for block in {random.block for random in design.random}:
        effects = groups * sum(random.block == block for random in design.random)
        if effects >= n:
            raise DesignError(
                f"{n} rows cannot tell {effects} random effects of {design.group} from the residual",
                hint="Use fewer random effects, for example (1 | group) instead of (week | group).",
            )
    if n <= len(design.fixed):
        raise DesignError(f"{n} rows are too few for {len(design.fixed)} fixed effects")
    if not np.ptp(design.y) > 0:
        raise DesignError("the outcome has the same value in every row used")


@dataclass(frozen=True, slots=True)
class Split:
    """Columns written as (what changes within groups) times (what is constant in a group).

    Parameters
    ----------
    groups : Groups
    basis : tuple of numpy.ndarray, shape (n,), or None
        Columns of rows; None is the column of ones, which stands first.
    constants : tuple of numpy.ndarray, shape (g,), or None
        Values of groups; None is 1 in every group and stands first.
    fixed, random : tuple of (int, int)
        Place of each column's basis column and constant.
    """

    groups: Groups
    basis: tuple[np.ndarray | None, ...]
    constants: tuple[np.ndarray | None, ...]
    fixed: tuple[tuple[int, int], ...]
    random: tuple[tuple[int, int], ...]


def split_columns(design: Design) -> Split:
    """Write every column as basis column times constant.

    Notes
    -----
    A row without a group is a group of its own, whose random columns are 0: it has no random effect and is not
    dropped.
    """
    known, codes = len(design.group_levels), design.codes.copy()
    alone = np.flatnonzero(codes < 0)
    codes[alone] = known + np.arange(alone.size)
    groups = Groups.from_codes(codes, known + alone.size)
    constant = {name: _is_constant(groups, variable.values) for name, variable in design.variables.items()}
    basis: dict[tuple[Part, ...], int] = {(): 0}
    constants: dict[tuple[Part, ...], int] = {(): 0}

    def place(column: ModelColumn) -> tuple[int, int]:
        varying = tuple(sorted(part for part in column.parts if not constant[part[0]]))
        fixed = tuple(sorted(part for part in column.parts if constant[part[0]]))
        return basis.setdefault(varying, len(basis)), constants.setdefault(fixed, len(constants))

    fixed = tuple(place(column) for column in design.fixed)
    random = tuple(place(random.column) for random in design.random)
    values: list[np.ndarray | None] = [_group_values(design, groups, parts) for parts in constants]
    if alone.size:
        random, values = _without_effect(random, values, groups.n_groups, known)
    columns = tuple(_row_values(design, parts) for parts in basis)
    ordered = groups.in_order([*(column for column in columns if column is not None), design.y])
    return Split(ordered, columns, tuple(values), fixed, random)


def _without_effect(
    random: tuple[tuple[int, int], ...], values: list[np.ndarray | None], n_groups: int, known: int
) -> tuple[tuple[tuple[int, int], ...], list[np.ndarray | None]]:
    """Give random columns constants that are 0 from group `known` on."""
    has_group = (np.arange(n_groups) < known).astype(float)
    places: dict[int, int] = {}
    for _, constant in random:
        if constant not in places:
            own = values[constant]
            places[constant] = len(values)
            values.append(has_group if own is None else own * has_group)
    return tuple((basis, places[constant]) for basis, constant in random), values


def _is_constant(groups: Groups, values: np.ndarray) -> bool:
    if values.ndim == 1:
        return groups.is_constant(values)
    return all(groups.is_constant(values[:, place]) for place in range(values.shape[1]))


def _row_values(design: Design, parts: tuple[Part, ...]) -> np.ndarray | None:
    product: np.ndarray | None = None
    for name, place in parts:
        values = design.variables[name].column_values(place)
        product = values if product is None else product * values
    return product


def _group_values(design: Design, groups: Groups, parts: tuple[Part, ...]) -> np.ndarray | None:
    product: np.ndarray | None = None
    for name, place in parts:
        variable = design.variables[name]
        values = variable.column_values(place, groups.first(variable.values))
        product = values if product is None else product * values
    return product
