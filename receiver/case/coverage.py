"""Checklist item 9: do Prometheus' rules watch this container, and does Alertmanager let the alerts through?

A rule counts when it is healthy, says something about OOM kills or about use against the limit, and none of its selectors
excludes this container. Rules often read recorded series, so a recording rule's expression is read in the place of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from receiver.case.access import mapping, objects, text, texts
from receiver.domain.facts import AlertCoverage
from receiver.domain.identity import Subject
from receiver.errors import ConfigError
from receiver.promql.alternatives import alternatives
from receiver.promql.selectors import selectors

# What an expression says, by what it reads.
_SIGNS = {
    "oom": re.compile(r"OOMKilled|oom_events_total|OOMKilling|last_terminated_exitcode"),
    "use": re.compile(r"container_memory_(working_set_bytes|rss|usage_bytes)"),
    "limit": re.compile(r"resource_limits|container_spec_memory_limit_bytes"),
    "node": re.compile(r"node_memory_|kube_node_"),
}
# Labels that matchers name, and what of the subject they mean.
_LABELS = {
    "cluster": "cluster", "namespace": "namespace", "pod": "pod", "container": "container", "exported_namespace": "namespace",
    "exported_pod": "pod", "exported_container": "container",
}  # fmt: skip
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_DEPTH = 8  # recordings that read recordings; deeper ones, and loops, are not followed

PLAINEST = ("OOMKilled", "HighMemoryUsage")  # of the shipped rules: named before those that look closer

Signs = frozenset[str]


def alert_coverage(answers: Mapping[str, Any], subject: Subject, fingerprints: frozenset[str]) -> AlertCoverage | None:
    """What is known of rules and silences; None when neither could be asked. `fingerprints`: of the incident's alerts."""
    rules, silences = answers.get("rules"), answers.get("silences")
    if rules is None and silences is None:
        return None
    is_silenced = _is_muted(silences, fingerprints) if silences is not None else None
    if rules is None:
        return AlertCoverage(is_silenced=is_silenced)
    every = [r for g in objects(rules, "groups") for r in objects(g, "rules")]
    reader = _Reader(every, subject)
    oom, use = [], []
    for rule in every:
        if text(rule, "type") != "alerting" or text(rule, "health") == "err":
            continue
        said = reader.alternatives(text(rule, "query"))
        if any("oom" in signs for signs in said):
            oom.append(text(rule, "name"))
        elif any(signs >= {"use", "limit"} and "node" not in signs for signs in said):
            use.append(text(rule, "name"))
    oom, use = (sorted(names, key=lambda name: name not in PLAINEST) for names in (oom, use))
    names = tuple(dict.fromkeys((*oom[:2], *use[:2], *oom[2:], *use[2:])))
    return AlertCoverage(has_oom_rule=bool(oom), has_usage_rule=bool(use), rule_names=names, is_silenced=is_silenced)


def recorded_names(query: str, recorded: Mapping[str, Any]) -> frozenset[str]:
    """The recorded series that an expression reads."""
    return frozenset(_NAME.findall(query)) & recorded.keys()


def definitions(rules: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The expressions of recording rules by the name they record; one name may be recorded by several rules."""
    recorded: dict[str, list[str]] = {}
    for rule in rules:
        if text(rule, "type") == "recording" and text(rule, "health") != "err":
            recorded.setdefault(text(rule, "name"), []).append(text(rule, "query"))
    return recorded


class _Reader:
    """What expressions say of one subject, recorded series read in the place of their names. Each name is read once."""

    def __init__(self, rules: Iterable[Mapping[str, Any]], subject: Subject) -> None:
        self._recorded = definitions(rules)
        self._subject = subject
        self._known: dict[str, Signs | None] = {}

    def alternatives(self, query: str, depth: int = 0) -> list[Signs]:
        """The signs of each alternative (`a or b`) that can speak of the subject; empty when none can."""
        found = []
        for alternative in alternatives(query):
            signs = self._of_one(alternative, depth)
            if signs is not None:
                found.append(signs)
        return found

    def _of_one(self, alternative: str, depth: int) -> Signs | None:
        if not covers(alternative, self._subject):
            return None
        signs = {name for name, pattern in _SIGNS.items() if pattern.search(alternative)}
        for name in recorded_names(alternative, self._recorded):
            inner = self._of_name(name, depth)
            if inner is None:
                return None
            signs |= inner
        return frozenset(signs)

    def _of_name(self, name: str, depth: int) -> Signs | None:
        if depth >= _DEPTH:
            return frozenset()
        if name not in self._known:
            self._known[name] = frozenset()  # what reads itself says nothing more
            said = [signs for query in self._recorded[name] for signs in self.alternatives(query, depth + 1)]
            self._known[name] = frozenset().union(*said) if said else None
        return self._known[name]


def covers(expression: str, subject: Subject) -> bool:
    """Whether no selector of the expression excludes the subject. One that cannot be read excludes nobody."""
    known = {"cluster": subject.cluster, "namespace": subject.namespace, "pod": subject.pod, "container": subject.container}
    try:
        matchers = [matcher for selector in selectors(expression) for matcher in selector.matchers if matcher.label in _LABELS]
    except ConfigError:
        return True
    values = [(matcher, known[_LABELS[matcher.label]]) for matcher in matchers]
    return all(matcher.lets_through(value) for matcher, value in values if value)


def _is_muted(silences: object, fingerprints: frozenset[str]) -> bool:
    """Whether every alert of the incident that Alertmanager holds is silenced or inhibited."""
    alerts = objects(silences, "alerts")
    own = [a for a in alerts if text(a, "fingerprint") in fingerprints] or list(alerts)
    muted = [bool(texts(mapping(a, "status"), "silencedBy") or texts(mapping(a, "status"), "inhibitedBy")) for a in own]
    return bool(muted) and all(muted)
