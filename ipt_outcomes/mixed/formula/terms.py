"""From the tree of a formula to its terms: outcome, fixed effects, random effects."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from ipt_outcomes.errors import OptionError
from ipt_outcomes.mixed.formula.syntax import Binary, Call, Column, Node, Number, Unary, columns_of, parse_tree

MOST_TERMS = 500

Term = tuple[str, ...]
"""Names of the variables a term multiplies, in the order written; the empty term is the intercept."""


@dataclass(frozen=True, slots=True)
class RandomPart:
    """One bracket ``(terms | group)``.

    Parameters
    ----------
    terms : tuple of Term
        The empty term first where there is a random intercept.
    group : tuple of str
        Columns whose combinations are the groups; one, unless ``a:b`` was written.
    """

    terms: tuple[Term, ...]
    group: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, taken apart.

    Parameters
    ----------
    text : str
        As given.
    response : Node
        The left side.
    terms : tuple of Term
        Fixed effects ordered by degree, then as written; the empty term first where there is an intercept.
    random : tuple of RandomPart
    variables : dict of str to Node
        Every variable of the terms under its name, such as ``log(week)``.
    """

    text: str
    response: Node
    terms: tuple[Term, ...]
    random: tuple[RandomPart, ...]
    variables: dict[str, Node]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns read outside the grouping factors, in order of appearance."""
        found = list(columns_of(self.response))
        for node in self.variables.values():
            found.extend(columns_of(node))
        return tuple(dict.fromkeys(found))

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Columns of the grouping factors."""
        return tuple(dict.fromkeys(name for part in self.random for name in part.group))


def parse(text: str) -> Formula:
    """Read a formula as lme4 does.

    Parameters
    ----------
    text : str
        For example ``"phq9 ~ week * arm + baseline + (week | patient_id)"``.

    Returns
    -------
    Formula

    Raises
    ------
    OptionError
        The text is outside the grammar, has no outcome, or no term stays.

    Notes
    -----
    ``a*b`` is ``a + b + a:b``, ``a/b`` is ``a + a:b``, ``(a + b)^2`` all terms up to degree 2, ``-`` takes a term
    away, ``0 +`` or ``- 1`` the intercept. ``(x || g)`` is ``(1 | g) + (0 + x | g)``. ``a:b`` and ``b:a`` are one
    term, named as first written.

    Examples
    --------
    >>> [":".join(term) for term in parse("y ~ week * arm + (1 | id)").terms]
    ['', 'week', 'arm', 'week:arm']
    """
    tree = parse_tree(text)
    if not (isinstance(tree, Binary) and tree.operator == "~"):
        raise OptionError("the formula needs an outcome and '~', for example 'phq9 ~ week + (1 | patient_id)'")
    builder = _Builder()
    random: list[RandomPart] = []
    fixed = builder.fixed(tree.right, random)
    for part in _outcomes(tree.left):
        _check_arithmetic(part, "the outcome")
    if not any(columns_of(tree.left)):
        raise OptionError("the outcome of the formula reads no column")
    return Formula(
        text=" ".join(text.split()),
        response=tree.left,
        terms=_sorted(fixed),
        random=tuple(random),
        variables=builder.variables,
    )


def _outcomes(node: Node) -> tuple[Node, ...]:
    """The outcome, or events and failures where it is ``cbind(events, failures)``."""
    if not (isinstance(node, Call) and node.function == "cbind"):
        return (node,)
    if len(node.arguments) != 2 or node.options:
        raise OptionError(
            f"{node}: cbind takes events and failures",
            hint="For example cbind(responders, treated - responders) ~ arm + (1 | site).",
        )
    return node.arguments


def _sorted(terms: list[Term]) -> tuple[Term, ...]:
    return tuple(sorted(terms, key=len))


class _Builder:
    """Terms of a tree; remembers every variable."""

    def __init__(self) -> None:
        self.variables: dict[str, Node] = {}

    def fixed(self, node: Node, random: list[RandomPart]) -> list[Term]:
        """Fixed terms of the right side; brackets with a bar are put into `random`."""
        terms: list[Term] = [()]
        for sign, part in _summands(node):
            if isinstance(part, Binary) and part.operator in {"|", "||"}:
                if sign == "-":
                    raise OptionError(f"a random term cannot be taken away: ({part})")
                random.extend(self.random(part))
            else:
                terms = _apply(terms, sign, self._signed(part))
        return terms

    def random(self, node: Binary) -> list[RandomPart]:
        groups = self.groups(node.right)
        terms: list[Term] = [()]
        for sign, part in _summands(node.left):
            terms = _apply(terms, sign, self._signed(part))
        if not terms:
            raise OptionError(f"the random term ({node}) has neither an intercept nor a slope")
        ordered = _sorted(terms)
        split = [(term,) for term in ordered] if node.operator == "||" else [ordered]
        return [RandomPart(part, group) for group in groups for part in split]

    def groups(self, node: Node) -> list[tuple[str, ...]]:
        if isinstance(node, Column):
            return [(node.name,)]
        if isinstance(node, Binary) and node.operator == ":":
            left, right = self.groups(node.left), self.groups(node.right)
            if len(left) == len(right) == 1:
                return [tuple(dict.fromkeys(left[0] + right[0]))]
        if isinstance(node, Binary) and node.operator == "/":
            left, right = self.groups(node.left), self.groups(node.right)
            return [*left, *(tuple(dict.fromkeys(left[-1] + part)) for part in right)]
        raise OptionError(f"a grouping factor is a column, a:b or a/b; got {node}")

    def _signed(self, node: Node) -> tuple[list[Term], bool | None]:
        """Terms of a summand, and whether it is the intercept (True: 1, False: 0)."""
        if isinstance(node, Number):
            if node.value not in {0.0, 1.0}:
                raise OptionError(f"a number in a formula is 0 or 1 (the intercept); got {node}", hint="Use I(...).")
            return [], bool(node.value)
        return self.terms(node), None

    def terms(self, node: Node) -> list[Term]:
        """Terms of an expression without an intercept."""
        if isinstance(node, Column | Call):
            if isinstance(node, Call):
                if node.function == "cbind":
                    raise OptionError(f"{node}: cbind stands on the left of '~' only")
                for argument in node.arguments:
                    _check_arithmetic(argument, str(node))
            name = str(node)
            if self.variables.setdefault(name, node) != node:
                raise OptionError(f"the column `{name}` and the function {name} have the same name")
            return [(name,)]
        if isinstance(node, Binary):
            return self._combined(node)
        raise OptionError(f"a formula cannot hold {node} here", hint="Arithmetic on columns stands in I(...).")

    def _combined(self, node: Binary) -> list[Term]:
        if node.operator in {"|", "||", "~"}:
            raise OptionError(f"a random term stands in brackets of its own, added with +: ({node})")
        if node.operator == "^":
            if not isinstance(node.right, Number) or node.right.value not in {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}:
                raise OptionError(f"the power in {node} must be a whole number from 1 to 6", hint="Or use I(...).")
            base = self.terms(node.left)
            found = list(base)
            for _ in range(int(node.right.value) - 1):
                found = _unique([*found, *_crossed(found, base)])
            return found
        if node.operator in "+-":
            collected: list[Term] = []
            for sign, part in _summands(node):
                if isinstance(part, Number):
                    raise OptionError(f"the intercept cannot be set inside ({node})")
                collected = _apply(collected, sign, (self.terms(part), None))
            return collected
        left, right = self.terms(node.left), self.terms(node.right)
        crossed = _crossed(left, right)
        if node.operator == ":":
            return crossed
        if node.operator == "*":
            return _unique([*left, *right, *crossed])
        everything = tuple(dict.fromkeys(itertools.chain.from_iterable(left)))
        return _unique([*left, *_crossed([everything], right)])


def _summands(node: Node, sign: str = "+") -> list[tuple[str, Node]]:
    """Parts of a sum with their signs, in the order written."""
    if isinstance(node, Binary) and node.operator in "+-":
        right = node.operator if sign == "+" else ("-" if node.operator == "+" else "+")
        return [*_summands(node.left, sign), *_summands(node.right, right)]
    if isinstance(node, Unary):
        return _summands(node.operand, sign if node.operator == "+" else ("-" if sign == "+" else "+"))
    return [(sign, node)]


def _apply(terms: list[Term], sign: str, part: tuple[list[Term], bool | None]) -> list[Term]:
    """Add terms to those so far, or take them away; the intercept is the empty term."""
    found, intercept = part
    if intercept is not None:
        wanted = intercept if sign == "+" else not intercept
        rest = [term for term in terms if term]
        return [(), *rest] if wanted else rest
    if sign == "-":
        gone = {frozenset(term) for term in found}
        return [term for term in terms if frozenset(term) not in gone]
    return _unique([*terms, *found])


def _crossed(left: list[Term], right: list[Term]) -> list[Term]:
    return _unique([tuple(dict.fromkeys(one + other)) for one in left for other in right])


def _unique(terms: list[Term]) -> list[Term]:
    """Each set of variables once, as first written."""
    kept: dict[frozenset[str], Term] = {}
    for term in terms:
        kept.setdefault(frozenset(term), term)
    if len(kept) > MOST_TERMS:
        raise OptionError(f"the formula stands for more than {MOST_TERMS} terms")
    return list(kept.values())


def _check_arithmetic(node: Node, where: str) -> None:
    """Raise unless a tree is arithmetic on columns and numbers."""
    if isinstance(node, Binary):
        if node.operator not in "+-*/^":
            raise OptionError(f"{where}: {node.operator!r} is no arithmetic")
        _check_arithmetic(node.left, where)
        _check_arithmetic(node.right, where)
    elif isinstance(node, Unary):
        _check_arithmetic(node.operand, where)
    elif isinstance(node, Call):
        if node.function in {"poly", "ns", "bs", "factor", "cbind"}:
            raise OptionError(f"{where}: {node.function} cannot stand inside another function")
        for argument in node.arguments:
            _check_arithmetic(argument, where)
