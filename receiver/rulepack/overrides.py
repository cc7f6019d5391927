"""HighMemoryUsage's threshold for some containers only, as a recording rule that the alert looks at before its own number."""

from __future__ import annotations

import re
from typing import Any

from receiver.errors import ConfigError
from receiver.promql.quoting import quoted
from receiver.promql.selectors import selectors
from receiver.rulepack.marks import number_text
from receiver.rulepack.pack import Pack
from receiver.rulepack.values import Override

RATIO = "namespace_pod_container:memory_limit_usage:ratio"
THRESHOLD = "namespace_pod_container:memory_usage_threshold:ratio"
_PLAIN = re.compile(r"[A-Za-z0-9_-]*")
# What Kubernetes appends to a workload's name: an ordinal, or a ReplicaSet's hash (or a CronJob's minute) and five
# characters, or the five alone. Its alphabet has no vowels and no 0, 1, 3.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
POD_SUFFIX = f"([0-9]+|({_SAFE}{{6,10}}-|[0-9]{{7,10}}-)?{_SAFE}{{5}})"


def override_rule(overrides: tuple[Override, ...]) -> dict[str, Any]:
    """The recording rule: one threshold a container, from the first override that fits it."""
    return {"record": THRESHOLD, "expr": "\nor\n".join(_threshold(override) for override in overrides) + "\n"}


def with_overrides(rules: list[dict[str, Any]], overrides: tuple[Override, ...]) -> list[dict[str, Any]]:
    """A group's rules, and the overrides' rule after the record that it reads, if that is among them."""
    at = next((index for index, rule in enumerate(rules) if rule.get("record") == RATIO), None)
    if at is None or not overrides:
        return rules
    return [*rules[: at + 1], override_rule(overrides), *rules[at + 1 :]]


def check_overrides(pack: Pack, overrides: tuple[Override, ...]) -> None:
    """ConfigError when overrides would do nothing with these rules, or twice."""
    if not overrides:
        return
    records = {rule.name for rule in pack.rules if not rule.alert}
    if THRESHOLD in records:
        raise ConfigError(f"overrides: the rule files record {THRESHOLD} themselves; write all of them there, or remove that rule")
    if RATIO not in records or not any(THRESHOLD in s.names for rule in pack.rules for s in selectors(rule.expr)):
        raise ConfigError(f"overrides: these rules do not read {THRESHOLD}, so they would change nothing")


def _threshold(override: Override) -> str:
    matchers = [f"{label}{_matched(pattern)}" for label, pattern in override.patterns.items()]
    if override.workload:
        matchers.append(f"pod=~{quoted(re.escape(override.workload) + '-' + POD_SUFFIX)}")
    return f"({RATIO}{{{', '.join(matchers)}}} * 0 + {number_text(override.threshold)})"


def _matched(pattern: str) -> str:
    """`=` for what is no pattern: the same, and easier to read."""
    return f"={quoted(pattern)}" if _PLAIN.fullmatch(pattern) else f"=~{quoted(pattern)}"
