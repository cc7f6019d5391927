"""config/values.yaml beside the rules: it lists every number that can be changed, with the value that the rules carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.errors import ConfigError
from receiver.rulepack.files import VALUES_FILE, Rule
from receiver.rulepack.marks import Parameter, same, stray_words
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.schema import RESERVED
from receiver.rulepack.values import own_values, read_values, values_path


def check_marks(pack: Pack) -> Iterator[Problem]:
    """Marks in the expressions that would not do what they look like."""
    for rule in pack.rules:
        try:
            stray = stray_words(rule.expr)
        except ConfigError:
            continue  # said elsewhere
        for word in stray:
            yield Problem(where=rule.where, text=f"`# {word}` marks nothing: no number before it on its line", level=Level.WARNING)
    for parameter in pack.parameters.values():
        if parameter.word in RESERVED and parameter.alert:
            yield Problem(
                where=parameter.places[0][0].where, text=f"`# {parameter.word}`: no parameter may be called so", hint=", ".join(RESERVED)
            )
        for rule, mark in parameter.disagreeing:
            text = f"`# {mark.word}` is {mark.value} here and {parameter.value} in {parameter.places[0][0].where}"
            yield Problem(where=rule.where, text=text, hint=f"{parameter.key} sets both")


def check_values(pack: Pack) -> Iterator[Problem]:
    """What differs between the rule files and the values that stand beside them."""
    if values_path(pack) is None:
        return
    where = VALUES_FILE
    try:
        read_values(pack)
    except ConfigError as exc:
        yield Problem(where=where, text=str(exc))
        return
    content = own_values(pack)
    for parameter in pack.parameters.values():
        yield from _parameter(parameter, content)
    for name, rule in pack.alerts.items():
        yield from _alert(rule, _below(_below(content, "alerts"), name))


def _parameter(parameter: Parameter, content: Mapping[str, Any]) -> Iterator[Problem]:
    above = _below(_below(content, "alerts"), parameter.alert) if parameter.alert else _below(content, "parameters")
    value = above.get(parameter.word)
    if value is None:
        text = f"{parameter.key} is missing"
        yield Problem(where=VALUES_FILE, text=text, hint=f"{parameter.places[0][0].where} carries {parameter.value}")
    elif not same(value, parameter.value):
        text = f"{parameter.key} is {value}, and the rule carries {parameter.value}"
        yield Problem(where=VALUES_FILE, text=text, hint="who reads one must know the other")


def _alert(rule: Rule, content: Mapping[str, Any]) -> Iterator[Problem]:
    carried = {"for": str(rule.body.get("for", "0s")), "keep_firing_for": str(rule.body.get("keep_firing_for", "0s"))}
    for key, duration in carried.items():
        value = content.get(key)
        try:
            is_same = value is not None and same(value, duration)
        except ConfigError:
            continue  # a bad duration in the rule is said elsewhere
        if not is_same:
            yield _differs(rule, key, value, duration)
    severity = rule.labels.get("severity", "")
    if content.get("severity") != severity:
        yield _differs(rule, "severity", content.get("severity"), severity)


def _differs(rule: Rule, key: str, value: object, carried: str) -> Problem:
    is_now = "is missing" if value is None else f"is {value}, and the rule carries {carried}"
    return Problem(where=VALUES_FILE, text=f"alerts.{rule.alert}.{key} {is_now}", hint="who reads one must know the other")


def _below(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = content.get(key)
    return found if isinstance(found, Mapping) else {}
