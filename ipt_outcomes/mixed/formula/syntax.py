"""The grammar of formulas: text into a tree of numbers, columns, calls and operators. Nothing is ever run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipt_outcomes.errors import OptionError

LONGEST, DEEPEST = 4000, 60

FUNCTIONS = (
    "I",
    "log",
    "log2",
    "log10",
    "sqrt",
    "exp",
    "abs",
    "poly",
    "ns",
    "bs",
    "factor",
    "center",
    "scale",
    "cbind",
)
"""The only functions a formula may call; ``cbind`` only as the outcome."""

KEYWORDS = {
    "ns": ("df", "knots", "Boundary.knots"),
    "bs": ("df", "knots", "degree", "Boundary.knots"),
    "poly": ("degree",),
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|`(?P<quoted>[^`\x00-\x1f]+)`"
    r"|(?P<keyword>Boundary\.knots)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>\|\||[-+*/:^()|~,=]))"
)
_BINARY = {"~": 1, "|": 2, "||": 2, "+": 3, "-": 3, "*": 4, "/": 4, ":": 5, "^": 7}
_UNARY = 6


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:.15g}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the data."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Call:
    """One of the known functions; ``options`` holds keyword arguments, each a tuple of numbers."""

    function: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __str__(self) -> str:
        parts = [str(argument) for argument in self.arguments]
        for name, values in self.options:
            shown = [f"{value:.15g}" for value in values]
            parts.append(f"{name} = {shown[0] if len(shown) == 1 else 'c(' + ', '.join(shown) + ')'}")
        return f"{self.function}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides and an operator."""

    operator: str
    left: Node
    right: Node

    def __str__(self) -> str:
        tight = self.operator in "^:"
        gap = "" if tight else " "
        return f"{_bracketed(self.left, self)}{gap}{self.operator}{gap}{_bracketed(self.right, self)}"


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before an operand."""

    operator: str
    operand: Node

    def __str__(self) -> str:
        return f"{self.operator}{_bracketed(self.operand, self)}"


Node = Number | Column | Call | Binary | Unary


def _bracketed(part: Node, whole: Binary | Unary) -> str:
    rank = _BINARY[whole.operator] if isinstance(whole, Binary) else _UNARY
    inner = _BINARY[part.operator] if isinstance(part, Binary) else _UNARY if isinstance(part, Unary) else 9
    return f"({part})" if inner <= rank else str(part)


def columns_of(node: Node) -> Iterator[str]:
    """Yield the columns a tree reads, in the order written (repeats included)."""
    if isinstance(node, Column):
        yield node.name
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from columns_of(argument)
    elif isinstance(node, Binary):
        yield from columns_of(node.left)
        yield from columns_of(node.right)
    elif isinstance(node, Unary):
        yield from columns_of(node.operand)


def refuse(text: str, why: str, at: int | None = None) -> OptionError:
    """Return the error for a formula that cannot be read."""
    where = "" if at is None else f" at character {at + 1}"
    return OptionError(
        f"formula not understood{where}: {why}",
        hint=f"Allowed: columns, + - * : / ^ ( ), (1 | group), (x | group), and the functions {', '.join(FUNCTIONS)}. "
        "A column whose name is no plain word stands in backticks.",
    )


@dataclass(slots=True)
class _Reader:
    """Tokens of one formula, read from left to right by precedence."""

    text: str
    tokens: list[tuple[str, str, int]] = field(default_factory=list)
    place: int = 0
    depth: int = 0
    brackets: int = 0

    def __post_init__(self) -> None:
        position = 0
        end = len(self.text.rstrip())
        while position < end:
            found = _TOKEN.match(self.text, position)
            if found is None:
                start = position + len(self.text[position:]) - len(self.text[position:].lstrip())
                raise refuse(self.text, f"unexpected {self.text[start]!r}", start)
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind), found.start(kind)))
            position = found.end()

    def peek(self) -> tuple[str, str, int]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "", len(self.text))

    def take(self, expected: str | None = None) -> tuple[str, str, int]:
        kind, text, at = self.peek()
        if expected is not None and (kind != "operator" or text != expected):
            raise refuse(self.text, f"expected {expected!r}, found {text or 'the end'!r}", at)
        self.place += 1
        return kind, text, at

    def expression(self, rank: int = 0) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise refuse(self.text, "brackets nested too deep")
        left = self.operand()
        while True:
            kind, operator, at = self.peek()
            if kind != "operator" or operator not in _BINARY or _BINARY[operator] <= rank:
                break
            if operator == "~" and rank > 0:
                raise refuse(self.text, "a second or misplaced '~'", at)
            if _BINARY[operator] == 2 and not self.brackets:
                raise refuse(self.text, "a random term stands in brackets: (x | group)", at)
            self.take()
            # ^ binds to the right, everything else to the left.
            left = Binary(operator, left, self.expression(_BINARY[operator] - (operator == "^")))
        self.depth -= 1
        return left

    def operand(self) -> Node:
        kind, text, at = self.take()
        if kind == "number":
            value = float(text)
            if value > 1e300:
                raise refuse(self.text, f"the number {text} is too large", at)
            return Number(value)
        if kind == "operator" and text in "+-":
            return Unary(text, self.expression(_UNARY))
        if kind == "operator" and text == "(":
            self.brackets += 1
            inner = self.expression()
            self.take(")")
            self.brackets -= 1
            return inner
        if kind == "quoted":
            return Column(text)
        if kind == "name":
            following = self.peek()
            return self.call(text, at) if following[:2] == ("operator", "(") else Column(text)
        raise refuse(self.text, f"expected a column, a number or a bracket, found {text or 'the end'!r}", at)

    def call(self, name: str, at: int) -> Call:
        if name not in FUNCTIONS:
            raise refuse(self.text, f"{name!r} is none of the functions a formula may call", at)
        self.take("(")
        arguments: list[Node] = []
        options: list[tuple[str, tuple[float, ...]]] = []
        while True:
            kind, text, where = self.peek()
            follows = self.tokens[self.place + 1] if self.place + 1 < len(self.tokens) else ("end", "", 0)
            if kind in {"name", "keyword"} and follows[:2] == ("operator", "="):
                if text not in KEYWORDS.get(name, ()):
                    raise refuse(self.text, f"{name} takes no option {text!r}", where)
                self.place += 2
                options.append((text, self.numbers()))
            elif options:
                raise refuse(self.text, "an argument after an option", where)
            else:
                arguments.append(self.expression())
            if self.peek()[:2] != ("operator", ","):
                break
            self.take(",")
        self.take(")")
        return Call(name, tuple(arguments), tuple(options))

    def numbers(self) -> tuple[float, ...]:
        """One number, or ``c(1, 2)``."""
        if self.peek()[1] != "c":
            return (self.number(),)
        self.take()
        self.take("(")
        values = [self.number()]
        while self.peek()[:2] == ("operator", ","):
            self.take(",")
            values.append(self.number())
        self.take(")")
        return tuple(values)

    def number(self) -> float:
        sign = 1.0
        if self.peek()[:2] == ("operator", "-"):
            self.take()
            sign = -1.0
        kind, text, at = self.take()
        if kind != "number":
            raise refuse(self.text, f"expected a number, found {text or 'the end'!r}", at)
        return sign * float(text)


def parse_tree(text: str) -> Node:
    """Read a formula into a tree.

    Parameters
    ----------
    text : str

    Returns
    -------
    Number, Column, Call, Binary or Unary

    Raises
    ------
    OptionError
        Anything outside the grammar; the message says where and what.
    """
    if not isinstance(text, str):
        raise OptionError(f"the formula must be text; got {type(text).__name__}")
    if len(text) > LONGEST:
        raise OptionError(f"the formula has {len(text)} characters; at most {LONGEST} are read")
    reader = _Reader(text)
    tree = reader.expression()
    kind, found, at = reader.peek()
    if kind != "end":
        raise refuse(text, f"unexpected {found!r}", at)
    return tree
