"""One rule, broken one way at a time: everything a person could get wrong while editing it, made from its words.

Reads the expression with receiver/promql/tokens.py and no grammar: what binds closer than `and`, `unless` and `or` is
never taken apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.promql.selectors import CLAUSES, clause_labels
from receiver.promql.tokens import Kind, Token, words
from receiver.rulepack.files import Rule

LOGICAL = ("and", "or", "unless")
OTHER_OPERATORS = {
    ">": (">=", "<"), "<": ("<=", ">"), ">=": (">", "<="), "<=": ("<", ">="), "==": ("!=",), "!=": ("==",),
    "and": ("unless",), "unless": ("and",),
}  # fmt: skip
OTHER_ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*"}
OTHER_FUNCTIONS = {
    "max": ("min", "sum"), "min": ("max",), "max_over_time": ("min_over_time",), "min_over_time": ("max_over_time",),
    "last_over_time": ("max_over_time",),
}  # fmt: skip
OTHER_SEVERITY = {"critical": "warning", "warning": "critical", "info": "warning", "none": "info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One broken rule. `name` says how, and stays the same as long as the rule's own words do."""

    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters [start, end) of an expression and what stands there instead."""

    start: int
    end: int
    new: str


def mutants_of(rule: Rule) -> Iterator[Mutant]:
    """Every one of them, each with a name of its own."""
    seen: Counter[str] = Counter()
    for what, body in _broken(rule):
        name = f"{rule.name}: {what}"
        seen[name] += 1
        yield Mutant(name=name if seen[name] == 1 else f"{name} (no. {seen[name]})", body=body)


def _broken(rule: Rule) -> Iterator[tuple[str, Mapping[str, Any]]]:
    expr = rule.expr
    for edit in edits_of(expr):
        text = f"{expr[: edit.start]}{edit.new}{expr[edit.end :]}"
        old, new, line = _short(expr[edit.start : edit.end]), _short(edit.new), _line(expr, edit.start)
        what = f"{old} -> {new}" if new else f"without {old}"
        yield what if old == line else f"{what} in `{line}`", {**rule.body, "expr": text}
    if rule.alert:
        yield from _durations(rule.body)
        yield from _texts(rule.body)


def _line(expr: str, at: int) -> str:
    """The line of that place, which tells where it is and stays the same when other lines change."""
    line = expr[expr.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    return _short(line.partition(" # ")[0])


def _short(text: str) -> str:
    joined = " ".join(text.split()).strip(", ")
    return joined if len(joined) <= 100 else f"{joined[:60]} ... {joined[-30:]}"


def _durations(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key in ("for", "keep_firing_for"):
        without = {k: v for k, v in body.items() if k != key}
        value = str(body.get(key, "0s"))
        if value in ("0", "0s"):
            yield f"{key} added", {**without, key: "1m"}
            continue
        yield f"no {key}", without
        for new in _other_durations(value):
            yield f"{key}: {value} -> {new}", {**body, key: new}


def _texts(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in ("labels", "annotations"):
        for key, value in (body.get(part) or {}).items():
            rest = {k: v for k, v in body[part].items() if k != key}
            yield f"no {part[:-1]} {key}", {**body, part: rest}
            yield f"{part[:-1]} {key} changed", {**body, part: {**rest, key: OTHER_SEVERITY.get(value, f"{value} x")}}


def edits_of(expr: str) -> Iterator[Edit]:
    """Every way to break the expression."""
    found = words(expr)
    for index, token in enumerate(found):
        yield from _edits_at(found, index, token)
    yield from _dropped_labels(found, {label.start for label in clause_labels(expr)})
    yield from _dropped_operands(found)


def _edits_at(found: Sequence[Token], index: int, token: Token) -> Iterator[Edit]:
    after = found[index + 1].text if index + 1 < len(found) else ""
    if token.kind is Kind.NUMBER:
        yield from (Edit(token.start, token.end, new) for new in _other_numbers(token.text))
    elif token.kind is Kind.DURATION:
        yield from (Edit(token.start, token.end, new) for new in _other_durations(token.text))
    elif token.kind is Kind.STRING and index > 1 and found[index - 1].text in ("=", "!=", "=~", "!~"):
        yield from _matcher(found, index)
    elif token.text in OTHER_OPERATORS and not (
        index and found[index - 1].kind is Kind.NAME and after and found[index + 1].kind is Kind.STRING
    ):
        yield from (Edit(token.start, token.end, new) for new in OTHER_OPERATORS[token.text])
    elif token.text in OTHER_ARITHMETIC:
        yield Edit(token.start, token.end, OTHER_ARITHMETIC[token.text])
    elif token.text in OTHER_FUNCTIONS and after in ("(", "by", "without"):
        yield from (Edit(token.start, token.end, new) for new in OTHER_FUNCTIONS[token.text])


def _other_numbers(text: str) -> Iterator[str]:
    value = float(text)
    if value == 0:
        yield from ("1", "-1")
    else:
        yield from (f"{value * 0.9:.12g}", f"{value * 1.1:.12g}")


def _other_durations(text: str) -> Iterator[str]:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]] * int(text[:-1])
    yield from (f"{seconds // 2}s", f"{seconds * 2}s")


def _matcher(found: Sequence[Token], index: int) -> Iterator[Edit]:
    """The matcher whose value is at `index`: gone, and with each of its alternatives gone. A name must stay a name."""
    label, value = found[index - 2], found[index]
    alternatives = value.text[1:-1].split("|")
    if len(alternatives) > 1:
        for gone in alternatives:
            yield Edit(value.start, value.end, f'"{"|".join(one for one in alternatives if one != gone)}"')
    if label.text == "__name__":
        return
    before, after = found[index - 3], found[index + 1]
    end = after.end if after.text == "," else value.end
    yield Edit(before.start if before.text == "," and after.text != "," else label.start, end, "")


def _dropped_labels(found: Sequence[Token], labels: set[int]) -> Iterator[Edit]:
    for index, token in enumerate(found):
        if token.start not in labels:
            continue
        before, after = found[index - 1], found[index + 1]
        if after.text == ",":
            yield Edit(token.start, after.end, "")
        else:
            yield Edit(before.start if before.text == "," else token.start, token.end, "")


def _dropped_operands(found: Sequence[Token]) -> Iterator[Edit]:
    """Without what follows each `and`, `unless` and `or`, and without what stands before the first `or` of its brackets."""
    for index, token in enumerate(found):
        if token.text not in LOGICAL:
            continue
        stops = ("or",) if token.text == "or" else LOGICAL
        end = _until(found, _operand(found, index), stops, +1)
        yield Edit(token.start, found[end].end, "")
        if token.text == "or":
            start = _until(found, index - 1, ("or",), -1)
            if start == 0 or found[start - 1].text != "or":
                yield Edit(found[start].start, found[_operand(found, index) - 1].end, "")


def _operand(found: Sequence[Token], index: int) -> int:
    """Where the right operand of the operator at `index` begins: after its `on (...)` and `group_left (...)`."""
    index += 1
    while found[index].text in CLAUSES:
        index += 1
        if found[index].text == "(":
            while found[index].text != ")":
                index += 1
            index += 1
    return index


def _until(found: Sequence[Token], index: int, stops: Sequence[str], step: int) -> int:
    """The last word from `index` on, in the direction of `step`, before one of `stops`, a comma or the brackets' end."""
    depth = 0
    opening, closing = ("({[", ")}]") if step > 0 else (")}]", "({[")
    while True:
        depth += (found[index].text in opening) - (found[index].text in closing)
        beyond = index + step
        if not 0 <= beyond < len(found):
            return index
        if depth == 0 and (found[beyond].text in (*stops, ",") or found[beyond].text in closing):
            return index
        index = beyond
