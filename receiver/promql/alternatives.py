"""An expression taken apart at `or`: what each of its alternatives says, without what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from receiver.errors import ConfigError
from receiver.promql.tokens import Token, closing, words

MAX_DEPTH = 8  # brackets in brackets; deeper ones are one alternative

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


def operands(expr: str) -> tuple[str, ...]:
    """What `or` joins outside of all brackets. ConfigError when the expression cannot be read."""
    return tuple(_text(expr, part) for part in _split(words(expr), "or"))


def alternatives(expr: str) -> tuple[str, ...]:
    """The operands of `or`, each without what it leaves out by `unless`; also inside brackets that hold a whole operand.

    An expression that cannot be read is one alternative.
    """
    try:
        return tuple(_text(expr, part) for part in _alternatives(words(expr), 0))
    except ConfigError:
        return (expr,)


def _alternatives(found: Sequence[Token], depth: int) -> Iterator[Sequence[Token]]:
    for operand in _split(found, "or"):
        part = next(_split(operand, "unless"), operand)
        if depth < MAX_DEPTH and part and part[0].text == "(" and closing(part, 0) == len(part) - 1:
            yield from _alternatives(part[1:-1], depth + 1)
        else:
            yield part


def _split(found: Sequence[Token], operator: str) -> Iterator[Sequence[Token]]:
    depth, begin = 0, 0
    for index, token in enumerate(found):
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        if depth == 0 and token.text.lower() == operator:
            yield found[begin:index]
            begin = index + 1
    yield found[begin:]


def _text(expr: str, part: Sequence[Token]) -> str:
    return expr[part[0].start : part[-1].end] if part else ""
