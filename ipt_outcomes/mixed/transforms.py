"""The functions a formula may call, computed; what they learn from the rows (means, knots) is kept for new values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.errors import DataError, DesignError, OptionError
from ipt_outcomes.mixed.formula import Binary, Call, Column, Node, Number, Unary
from ipt_outcomes.mixed.splines import Spline, fit_spline

Columns = Mapping[str, np.ndarray]

_SIMPLE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "abs": np.abs,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a numeric variable is computed from columns.

    Parameters
    ----------
    name : str
        As the formula writes it.
    tree : Node
        Arithmetic on columns; means and SDs of the rows used stand in it as numbers.
    basis : Polynomial, Spline or None
        What is made of the result, where it is several columns.
    """

    name: str
    tree: Node
    basis: Polynomial | Spline | None = None

    @property
    def width(self) -> int:
        """Number of columns."""
        return 1 if self.basis is None else self.basis.width

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns."""
        if self.basis is None:
            return (self.name,)
        return tuple(f"{self.name}[{place + 1}]" for place in range(self.width))

    def evaluate(self, columns: Columns) -> np.ndarray:
        """Return the columns, shape (n, width).

        Raises
        ------
        DataError
            The result is not a finite number in some row.
        """
        values = arithmetic(self.tree, columns, self.name)
        return values[:, None] if self.basis is None else self.basis.evaluate(values, self.name)


def recipe(node: Node, columns: Columns) -> Recipe:
    """Return how to compute a numeric variable, with everything learned from the rows given.

    Parameters
    ----------
    node : Node
    columns : mapping of str to numpy.ndarray, shape (n,)
        Values of the rows used.

    Returns
    -------
    Recipe

    Raises
    ------
    OptionError
        A function with the wrong number of arguments.
    DataError
        Values outside a function's domain.
    """
    name = str(node)
    if isinstance(node, Call) and node.function in {"poly", "ns", "bs"}:
        most = 2 if node.function == "poly" else 1
        if not 1 <= len(node.arguments) <= most:
            raise OptionError(f"{name}: {node.function} takes one column" + (" and a degree" if most == 2 else ""))
        inner = _learned(node.arguments[0], columns, name)
        values = arithmetic(inner, columns, name)
        if node.function == "poly":
            return Recipe(name, inner, fit_polynomial(values, _degree(node), name))
        return Recipe(name, inner, fit_spline(node.function, values, dict(node.options), name))
    return Recipe(name, _learned(node, columns, name))


def _degree(node: Call) -> int:
    given = dict(node.options).get("degree")
    if len(node.arguments) == 2 and given is None and isinstance(node.arguments[1], Number):
        given = (node.arguments[1].value,)
    elif len(node.arguments) == 2:
        raise OptionError(f"{node}: the degree is one whole number")
    degree = 1.0 if given is None else given[0]
    if degree not in {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}:
        raise OptionError(f"{node}: the degree must be a whole number from 1 to 6")
    return int(degree)


def _learned(node: Node, columns: Columns, name: str) -> Node:
    """The tree with center and scale written out as arithmetic with numbers, and I taken off."""
    if isinstance(node, Binary):
        return Binary(node.operator, _learned(node.left, columns, name), _learned(node.right, columns, name))
    if isinstance(node, Unary):
        return Unary(node.operator, _learned(node.operand, columns, name))
    if not isinstance(node, Call):
        return node
    if node.function == "cbind":
        raise OptionError(f"{name}: events and failures are an outcome of glmm(..., family='binomial') only")
    if len(node.arguments) != 1 or node.options:
        raise OptionError(f"{name}: {node.function} takes one argument")
    inner = _learned(node.arguments[0], columns, name)
    if node.function == "I":
        return inner
    if node.function in _SIMPLE:
        return Call(node.function, (inner,))
    if node.function not in {"center", "scale"}:
        raise OptionError(f"{name}: {node.function} cannot stand here")
    values = arithmetic(inner, columns, name)
    centred: Node = Binary("-", inner, Number(float(values.mean())))
    if node.function == "center":
        return centred
    sd = float(values.std(ddof=1)) if values.size > 1 else 0.0
    if not sd > 0:
        raise DesignError(f"{name}: the values do not vary, so they cannot be scaled")
    return Binary("/", centred, Number(sd))


def arithmetic(node: Node, columns: Columns, name: str) -> np.ndarray:
    """Compute an arithmetic tree.

    Parameters
    ----------
    node : Node
    columns : mapping of str to numpy.ndarray, shape (n,)
    name : str
        What is computed, for messages.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    DataError
        The result is not a finite number in some row (a logarithm of 0, a division by 0).
    """
    with np.errstate(all="ignore"):
        values = np.asarray(_compute(node, columns, name), dtype=float)
    if values.ndim == 0:
        raise OptionError(f"{name} reads no column")
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise DataError(
            f"{name} is no finite number in {int(wrong.sum())} of {values.size} rows",
            rows=np.flatnonzero(wrong)[:1000].tolist(),
            column=name,
            hint="A logarithm or root needs values above 0; a division must not be by 0.",
        )
    return values


def _compute(node: Node, columns: Columns, name: str) -> np.ndarray:
    if isinstance(node, Number):
        return np.float64(node.value)  # type: ignore[return-value]
    if isinstance(node, Column):
        values = columns[node.name]
        if values.dtype.kind not in "fiu":
            raise DataError(f"{node.name} holds levels, not numbers, but {name} needs numbers", column=node.name)
        return values
    if isinstance(node, Unary):
        inner = _compute(node.operand, columns, name)
        return inner if node.operator == "+" else -inner
    if isinstance(node, Call):
        return _SIMPLE[node.function](_compute(node.arguments[0], columns, name))
    left, right = _compute(node.left, columns, name), _compute(node.right, columns, name)
    if node.operator == "+":
        return np.asarray(left + right)
    if node.operator == "-":
        return np.asarray(left - right)
    if node.operator == "*":
        return np.asarray(left * right)
    if node.operator == "/":
        return np.asarray(left / right)
    return np.asarray(left**right)


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Orthonormal polynomials over the rows used.

    Parameters
    ----------
    centres : tuple of float
        Constants of the three-term recurrence.
    norms : tuple of float
        Sums of squares, of the constant 1 first.

    References
    ----------
    Kennedy and Gentle (1980), Statistical Computing, 343-4 (three-term recurrence).
    """

    centres: tuple[float, ...]
    norms: tuple[float, ...]

    @property
    def width(self) -> int:
        """Degree."""
        return len(self.centres)

    def evaluate(self, values: np.ndarray, name: str) -> np.ndarray:
        """Return the polynomials of degree 1 and up, shape (n, degree)."""
        previous, current = np.zeros_like(values), np.ones_like(values)
        found = []
        for degree, centre in enumerate(self.centres):
            ratio = self.norms[degree] / self.norms[degree - 1] if degree else 0.0
            previous, current = current, (values - centre) * current - ratio * previous
            found.append(current / np.sqrt(self.norms[degree + 1]))
        return np.column_stack(found)


def fit_polynomial(values: np.ndarray, degree: int, name: str) -> Polynomial:
    """Learn orthogonal polynomials from the rows used.

    Raises
    ------
    DesignError
        Fewer distinct values than the degree needs.
    """
    distinct = np.unique(values).size
    if distinct <= degree:
        raise DesignError(f"{name}: degree {degree} needs more than {degree} distinct values; there are {distinct}")
    previous, current = np.zeros_like(values), np.ones_like(values)
    centres: list[float] = []
    norms = [float(values.size)]
    for place in range(degree):
        centre = float((values * current**2).sum() / norms[-1])
        ratio = norms[-1] / norms[-2] if place else 0.0
        previous, current = current, (values - centre) * current - ratio * previous
        centres.append(centre)
        norms.append(float(current @ current))
    return Polynomial(tuple(centres), tuple(norms))
