"""PromQL as a tree, as far as judging and rewriting rules needs it. promtool says whether an expression is valid; this says
what joins what and which labels are kept. A bracket that groups has no node of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from receiver.errors import ConfigError
from receiver.promql.quoting import unquoted
from receiver.promql.selectors import Selector, selectors
from receiver.promql.tokens import Kind, Token, words

AGGREGATIONS = frozenset(
    {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile", "limitk",
     "limit_ratio"}
)  # fmt: skip
SET_OPERATORS = frozenset({"and", "or", "unless"})
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
# How tightly an operator binds; `^` alone groups from the right.
_BINDS = {"or": 1, "and": 2, "unless": 2, **dict.fromkeys(COMPARISONS, 3), "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as written."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string; `token` is where, with its quotes."""

    token: Token

    @property
    def value(self) -> str:
        """What the string means."""
        return unquoted(self.token.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A selector, instant or with a range. `is_shifted`: offset or @ follows it."""

    selector: Selector
    is_shifted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subquery:
    """`inner[5m:1m]`."""

    inner: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """`sum by (...) (...)`. Without a clause all labels go: `labels` is empty and `is_without` false."""

    name: str
    labels: frozenset[str]
    is_without: bool
    arguments: tuple[Node, ...]

    @property
    def inner(self) -> Node:
        """What is aggregated: the last argument."""
        return self.arguments[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """Two expressions and what joins them.

    `labels` of on(...) or ignoring(...), None without such a clause. `group`: left, right or empty; `include`: its labels.
    """

    operator: str
    left: Node
    right: Node
    labels: frozenset[str] | None = None
    is_ignoring: bool = False
    group: str = ""
    include: frozenset[str] = frozenset()


Node = Number | Text | Series | Subquery | Call | Aggregation | Binary


def parse(expr: str) -> Node:
    """The expression as a tree. ConfigError where it cannot be read."""
    parser = _Parser(expr)
    try:
        node = parser.expression(0)
    except RecursionError as exc:
        raise ConfigError("not PromQL that a person can read: it is nested too deeply") from exc
    parser.end()
    return node


def children(node: Node) -> tuple[Node, ...]:
    """The expressions right below."""
    match node:
        case Subquery(inner=inner):
            return (inner,)
        case Call(arguments=arguments) | Aggregation(arguments=arguments):
            return arguments
        case Binary(left=left, right=right):
            return (left, right)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


class _Parser:
    """Reads one expression from left to right."""

    def __init__(self, expr: str) -> None:
        self._words = words(expr)
        self._selectors = {selector.start: selector for selector in selectors(expr)}
        self._at = 0

    def end(self) -> None:
        if self._at < len(self._words):
            raise self._unexpected()

    def expression(self, weakest: int) -> Node:
        left = self._operand()
        while (operator := self._peek().lower()) in _BINDS and _BINDS[operator] > weakest:
            self._at += 1
            left = self._binary(operator, left)
        return left

    def _binary(self, operator: str, left: Node) -> Binary:
        if self._peek().lower() == "bool":
            self._at += 1
        labels, is_ignoring, group, include = None, False, "", frozenset[str]()
        if self._peek().lower() in ("on", "ignoring"):
            is_ignoring = self._next().text.lower() == "ignoring"
            labels = self._labels()
            if self._peek().lower() in ("group_left", "group_right"):
                group = self._next().text.lower().removeprefix("group_")
                include = self._labels() if self._peek() == "(" else include
        right = self.expression(_BINDS[operator] - (operator == "^"))
        return Binary(operator=operator, left=left, right=right, labels=labels, is_ignoring=is_ignoring, group=group, include=include)

    def _operand(self) -> Node:
        if self._peek() in ("-", "+"):
            self._at += 1
            return self.expression(_BINDS["*"])
        return self._after(self._atom())

    def _atom(self) -> Node:
        if self._at >= len(self._words):
            raise self._unexpected()
        token = self._words[self._at]
        if token.start in self._selectors:
            return self._series(self._selectors[token.start])
        self._at += 1
        name = token.text.lower()
        if token.text == "(":
            inner = self.expression(0)
            self._expect(")")
            return inner
        if token.kind in (Kind.NUMBER, Kind.DURATION) or name in ("inf", "nan"):
            return Number(text=token.text)
        if token.kind is Kind.STRING:
            return Text(token=token)
        if token.kind is Kind.NAME and name in AGGREGATIONS:
            return self._aggregation(name)
        if token.kind is Kind.NAME and self._peek() == "(":
            return Call(name=token.text, arguments=self._arguments())
        self._at -= 1
        raise self._unexpected()

    def _series(self, selector: Selector) -> Series:
        while self._at < len(self._words) and self._words[self._at].start < selector.end:
            self._at += 1
        if self._peek() == "[" and self._peek(2) == "]":  # [5m]; [5m:] is a subquery over the instant selector
            self._at += 3
            return Series(selector=selector)
        return Series(selector=replace(selector, window=""))

    def _after(self, node: Node) -> Node:
        """What may follow an operand: a subquery, offset and @."""
        while True:
            word = self._peek().lower()
            if word == "[":
                while self._next().text != "]":
                    pass
                node = Subquery(inner=node)
            elif word in ("offset", "@"):
                self._at += 1
                if self._peek() in ("-", "+"):
                    self._at += 1
                if self._next().text in ("start", "end"):
                    self._expect("(")
                    self._expect(")")
                node = Series(selector=node.selector, is_shifted=True) if isinstance(node, Series) else node
            else:
                return node

    def _aggregation(self, name: str) -> Aggregation:
        clause = self._clause()
        arguments = self._arguments()
        is_without, labels = clause or self._clause() or (False, frozenset[str]())
        if not arguments:
            raise ConfigError(f"not PromQL: {name} of nothing")
        return Aggregation(name=name, labels=labels, is_without=is_without, arguments=arguments)

    def _clause(self) -> tuple[bool, frozenset[str]] | None:
        if self._peek().lower() not in ("by", "without"):
            return None
        is_without = self._next().text.lower() == "without"
        return is_without, self._labels()

    def _labels(self) -> frozenset[str]:
        self._expect("(")
        found = set()
        while (token := self._next()).text != ")":
            if token.kind is Kind.NAME:
                found.add(token.text)
        return frozenset(found)

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        found: list[Node] = []
        while self._peek() != ")":
            found.append(self.expression(0))
            if self._peek() != ")":
                self._expect(",")
        self._at += 1
        return tuple(found)

    def _peek(self, further: int = 0) -> str:
        index = self._at + further
        if index >= len(self._words) or self._words[index].kind is Kind.STRING:
            return ""
        return self._words[index].text

    def _next(self) -> Token:
        if self._at >= len(self._words):
            raise self._unexpected()
        self._at += 1
        return self._words[self._at - 1]

    def _expect(self, text: str) -> None:
        if self._peek() != text:
            raise self._unexpected(f", expected {text!r}")
        self._at += 1

    def _unexpected(self, expected: str = "") -> ConfigError:
        found = " ".join(token.text for token in self._words[self._at : self._at + 4]) or "the end"
        return ConfigError(f"not PromQL at {found!r}{expected}")
