"""Formulas as in lme4, read by a grammar of our own: text never reaches an evaluator."""

from ipt_outcomes.mixed.formula.syntax import FUNCTIONS, Binary, Call, Column, Node, Number, Unary, columns_of
from ipt_outcomes.mixed.formula.terms import Formula, RandomPart, Term, parse

__all__ = [
    "FUNCTIONS",
    "Binary",
    "Call",
    "Column",
    "Formula",
    "Node",
    "Number",
    "RandomPart",
    "Term",
    "Unary",
    "columns_of",
    "parse",
]
