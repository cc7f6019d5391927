"""A label selector as the API's query parameter takes it."""

from __future__ import annotations

from receiver.case.access import objects, string_map, text, texts

_OPERATORS = {"In": "in", "NotIn": "notin"}


def selector_text(owner: object) -> str:
    """`app=x,tier in (a,b)` of an owner's spec.selector; empty when it selects nothing."""
    parts = [f"{k}={v}" for k, v in sorted(string_map(owner, "spec", "selector", "matchLabels").items())]
    for expression in objects(owner, "spec", "selector", "matchExpressions"):
        key, operator, values = text(expression, "key"), text(expression, "operator"), ",".join(texts(expression, "values"))
        if operator in _OPERATORS:
            parts.append(f"{key} {_OPERATORS[operator]} ({values})")
        elif operator == "Exists":
            parts.append(key)
        elif operator == "DoesNotExist":
            parts.append(f"!{key}")
    return ",".join(parts)
