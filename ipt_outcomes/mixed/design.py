"""The rows a model uses and its columns, each as a product of what changes within a group and what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

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
from ipt_outcomes.mixed.completeness import Missing, complete_rows
from ipt_outcomes.mixed.formula import Call, Column, Formula, columns_of
from ipt_outcomes.mixed.rank import Estimable
from ipt_outcomes.mixed.transforms import arithmetic, recipe


@dataclass(frozen=True, slots=True)
class RandomColumn:
    """One column of the random part.

    Parameters
    ----------
    column : ModelColumn
    block : int
        Columns of one block are correlated.
    factor : int
        Place of its grouping factor in the design.
    """

    column: ModelColumn
    block: int
    factor: int = 0


@dataclass(frozen=True, slots=True)
class GroupFactor:
    """A grouping factor and the random columns that vary between its levels.

    Parameters
    ----------
    name : str
        Its column, or columns as in ``a:b``.
    levels : tuple
        The groups, in order.
    codes : numpy.ndarray of int, shape (n,)
        Group of each row used; -1 where a row has no group, and no random effect of this factor.
    columns : tuple of RandomColumn
    """

    name: str
    levels: tuple[object, ...]
    codes: np.ndarray
    columns: tuple[RandomColumn, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """What a formula and data give, before any fit.

    Parameters
    ----------
    formula : Formula
    variables : dict of str to Variable
    fixed : tuple of ModelColumn
    factors : tuple of GroupFactor
        The one with the most levels first.
    y : numpy.ndarray, shape (n,)
    kept : numpy.ndarray of int, shape (n,), or None
        Positions of the rows used in the data; None where these are all.
    n_dropped : int
    columns : dict of str to numpy.ndarray or Factor
        The data columns behind the variables, rows used.
    everything : tuple of ModelColumn
        All columns the formula stands for, those that the data cannot tell apart from others among them.
    estimable : Estimable
        Which of them are in `fixed`.
    missing : Missing
        What the rows left out lack.
    """

    formula: Formula
    variables: dict[str, Variable]
    fixed: tuple[ModelColumn, ...]
    factors: tuple[GroupFactor, ...]
    y: np.ndarray
    kept: np.ndarray | None
    n_dropped: int
    columns: dict[str, np.ndarray | Factor]
    everything: tuple[ModelColumn, ...]
    estimable: Estimable
    missing: Missing = field(default_factory=Missing)

    @property
    def n_rows(self) -> int:
        """Rows used."""
        return int(self.y.size)

    @property
    def rows(self) -> np.ndarray:
        """Positions of the rows used in the data, shape (n,)."""
        return np.arange(self.n_rows) if self.kept is None else self.kept

    @property
    def random(self) -> tuple[RandomColumn, ...]:
        """All random columns, in the order of the factors."""
        return tuple(column for factor in self.factors for column in factor.columns)

    @property
    def group(self) -> str:
        """Name of the grouping factor with the most levels."""
        return self.factors[0].name

    @property
    def group_levels(self) -> tuple[object, ...]:
        """Levels of that factor."""
        return self.factors[0].levels

    @property
    def codes(self) -> np.ndarray:
        """Level of each row used of that factor, shape (n,); -1 where a row has none."""
        return self.factors[0].codes

    def row_values(self, column: ModelColumn) -> np.ndarray:
        """Return the values of a column on the rows used, shape (n,)."""
        values = product_of_parts(self, column.parts)
        return np.ones(self.n_rows) if values is None else values

    def fixed_matrix(self) -> np.ndarray:
        """Return the columns in the model as they are, shape (n, p)."""
        return np.column_stack([self.row_values(column) for column in self.fixed])

    def random_matrix(self, factor: int) -> np.ndarray:
        """Return the random columns of one factor, shape (n, q); 0 where a row has no group."""
        found = np.column_stack([self.row_values(random.column) for random in self.factors[factor].columns])
        return np.where(self.factors[factor].codes[:, None] >= 0, found, 0.0)

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
        An unknown column, no random term, or one random effect twice.
    DataError
        A column that is neither numbers nor levels.
    DesignError
        No row is complete, a factor with one level, or fewer than two groups.
    """
    groups = _groups(formula) if subject is None else ((subject,),)
    names = [name for group in groups for name in group]
    require_columns(frame, [*formula.columns, *formula.group_columns, *names, *needed])
    raw = {name: _raw(frame[name]) for name in formula.columns}
    read = {name: factor(frame[name]) for name in dict.fromkeys(names)}
    kept, missing = complete_rows(raw, frame, needed if subject is None else (subject, *needed))
    if len(frame) == 0 or (kept is not None and kept.size == 0):
        raise DesignError(
            f"none of the {len(frame)} rows has a value in every column of the formula",
            hint="The columns are: " + ", ".join(formula.columns) + ".",
        )
    if kept is not None:
        raw = {name: _taken(values, kept) for name, values in raw.items()}
        read = {name: Factor(found.codes[kept], found.levels) for name, found in read.items()}
    variables = {name: _variable(name, node, raw) for name, node in formula.variables.items()}
    fixed = code_terms(formula.terms, variables)
    design = Design(
        formula=formula,
        variables=variables,
        fixed=fixed,
        factors=_factors(formula, groups, read, variables),
        y=_response(formula, raw),
        kept=kept,
        n_dropped=0 if kept is None else len(frame) - kept.size,
        columns=raw,
        everything=fixed,
        estimable=Estimable(np.arange(len(fixed)), np.empty((len(fixed), 0))),
        missing=missing,
    )
    _check_sizes(design)
    return design


def _groups(formula: Formula) -> tuple[tuple[str, ...], ...]:
    """Columns of each grouping factor; ``a:b`` and ``b:a`` are one factor."""
    groups: dict[frozenset[str], tuple[str, ...]] = {}
    for part in formula.random:
        groups.setdefault(frozenset(part.group), part.group)
    if not groups:
        raise OptionError(
            "the formula has no random term", hint="A mixed model needs one, for example (1 | patient_id)."
        )
    return tuple(groups.values())


def _factors(
    formula: Formula,
    groups: tuple[tuple[str, ...], ...],
    read: Mapping[str, Factor],
    variables: Mapping[str, Variable],
) -> tuple[GroupFactor, ...]:
    """The grouping factors with their columns, the one with the most levels first."""
    grouping = [combined([read[name] for name in group]) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: -len(grouping[place].levels))
    found = []
    for number, place in enumerate(order):
        columns = tuple(
            RandomColumn(column, block, number)
            for block, part in enumerate(formula.random)
            if set(part.group) == set(groups[place])
            for column in code_terms(part.terms, variables)
        )
        _require_once(groups[place], columns)
        codes = _group_codes(grouping[place].codes)
        found.append(GroupFactor(":".join(groups[place]), grouping[place].levels, codes, columns))
    _require_different(found)
    return tuple(found)


def _group_codes(codes: np.ndarray) -> np.ndarray:
    """Codes of 4 or 8 bytes: of millions of rows the difference counts, and shorter ones are no good in arithmetic."""
    return np.asarray(codes, dtype=np.int64 if codes.dtype.itemsize > 4 else np.int32)


def _require_different(factors: Sequence[GroupFactor]) -> None:
    """Two factors that group the rows alike have effects of which only the sum is known."""
    for place, one in enumerate(factors):
        for other in factors[place + 1 :]:
            names = {frozenset(random.column.parts) for random in one.columns}
            if len(one.levels) != len(other.levels) or not names & {
                frozenset(own.column.parts) for own in other.columns
            }:
                continue
            pairs = np.unique(one.codes.astype(np.int64) * (len(other.levels) + 1) + other.codes)
            if pairs.size == len(one.levels) + int(bool((one.codes < 0).any())):
                raise DesignError(
                    f"{one.name} and {other.name} group the rows used in the same way, so their effects cannot be told "
                    "apart",
                    hint=f"Leave out the random term of {other.name}.",
                )


def _require_once(group: tuple[str, ...], columns: tuple[RandomColumn, ...]) -> None:
    """Two effects of one column and factor cannot be told apart: only the sum of their variances is known."""
    names = [frozenset(random.column.parts) for random in columns]
    twice = [random.column.name for random, parts in zip(columns, names, strict=True) if names.count(parts) > 1]
    if twice:
        raise OptionError(
            f"the random effect {twice[0]} of {':'.join(group)} stands twice in the formula",
            hint=f"Write one term, or keep one of them as (0 + ... | {':'.join(group)}).",
        )


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
    n = design.n_rows
    for group in design.factors:
        groups = len(group.levels)
        if groups < 2:
            found = f"{groups} group" + ("" if groups == 1 else "s")
            raise DesignError(f"{group.name} has {found} in the {n} rows used; at least 2 are needed")
        for block in {random.block for random in group.columns}:
            effects = groups * sum(random.block == block for random in group.columns)
            if effects >= n:
                raise DesignError(
                    f"{n} rows cannot tell {effects} random effects of {group.name} from the residual",
                    hint="Use fewer random effects, for example (1 | group) instead of (week | group).",
                )
    if n <= len(design.fixed):
        raise DesignError(f"{n} rows are too few for {len(design.fixed)} fixed effects")
    if not np.ptp(design.y) > 0:
        raise DesignError("the outcome has the same value in every row used")


def product_of_parts(design: Design, parts: tuple[Part, ...]) -> np.ndarray | None:
    """Return the product of parts on the rows used, shape (n,); None for the empty product, which is 1."""
    product: np.ndarray | None = None
    for name, place in parts:
        values = design.variables[name].column_values(place)
        product = values if product is None else product * values
    return product
