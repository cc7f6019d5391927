"""Checklist item 9: do Prometheus' rules watch this container, and does Alertmanager let the alerts through?

A rule counts when it is healthy, says something about OOM kills or about use against the limit, and none of its selectors
excludes this container. Rules often read recorded series, so a recording rule's expression is read in the place of its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from receiver.diagnosis.reading.access import mapping, objects, text, texts
from receiver.domain.facts import AlertCoverage
from receiver.domain.identity import Subject

_OOM = re.compile(r"OOMKilled|oom_events_total|OOMKilling|last_terminated_exitcode")
_USE = re.compile(r"container_memory_(working_set_bytes|rss|usage_bytes)")
_LIMIT = re.compile(r"resource_limits|container_spec_memory_limit_bytes")
_NODE_ONLY = re.compile(r"node_memory_|kube_node_")
_MATCHER = re.compile(
    r'\b(?P<label>cluster|namespace|exported_namespace|pod|exported_pod|container|exported_container)\s*(?P<op>=~|!~|!=|=)\s*"(?P<value>(?:[^"\\]|\\.)*)"'
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NESTED_REPEAT = re.compile(r"[+*}]\)[+*{]")
_DEPTH = 4


def alert_coverage(answers: Mapping[str, Any], subject: Subject, fingerprints: frozenset[str]) -> AlertCoverage | None:
    """What is known of rules and silences; None when neither could be asked. `fingerprints`: of the incident's alerts."""
    rules, silences = answers.get("rules"), answers.get("silences")
    if rules is None and silences is None:
        return None
    is_silenced = _is_muted(silences, fingerprints) if silences is not None else None
    if rules is None:
        return AlertCoverage(is_silenced=is_silenced)
    every = [r for g in objects(rules, "groups") for r in objects(g, "rules")]
    recorded = {text(r, "name"): text(r, "query") for r in every if text(r, "type") == "recording"}
    oom, use = [], []
    for rule in every:
        if text(rule, "type") != "alerting" or text(rule, "health") == "err":
            continue
        expression = expanded(text(rule, "query"), recorded)
        if not covers(expression, subject):
            continue
        if _OOM.search(expression):
            oom.append(text(rule, "name"))
        elif _USE.search(expression) and _LIMIT.search(expression) and not _NODE_ONLY.search(expression):
            use.append(text(rule, "name"))
    names = tuple(dict.fromkeys((*oom[:2], *use[:2], *oom[2:], *use[2:])))
    return AlertCoverage(has_oom_rule=bool(oom), has_usage_rule=bool(use), rule_names=names, is_silenced=is_silenced)


def expanded(query: str, recorded: Mapping[str, str]) -> str:
    """An expression together with those of the recorded series it reads, and so on."""
    parts, todo, seen = [query], [query], set[str]()
    for _ in range(_DEPTH):
        names = {n for q in todo for n in _NAME.findall(q)} & recorded.keys() - seen
        seen |= names
        todo = [recorded[n] for n in sorted(names)]
        parts += todo
    return "\n".join(parts)


def covers(expression: str, subject: Subject) -> bool:
    """Whether no selector of the expression excludes the subject."""
    known = {"cluster": subject.cluster, "namespace": subject.namespace, "pod": subject.pod, "container": subject.container}
    for match in _MATCHER.finditer(expression):
        value = known[match["label"].removeprefix("exported_")]
        if value and not _matches(match["op"], match["value"].replace("\\\\", "\\"), value):
            return False
    return True


def _matches(operator: str, wanted: str, value: str) -> bool:
    if operator in ("=", "!="):
        return (wanted == value) is (operator == "=")
    if len(wanted) > 1000 or _NESTED_REPEAT.search(wanted):
        return True  # RE2 takes it in linear time, Python may not: not judged here
    try:
        return (re.fullmatch(wanted, value) is not None) is (operator == "=~")
    except re.error:
        return True  # RE2 knows forms that Python does not: not a reason to call the container unwatched


def _is_muted(silences: object, fingerprints: frozenset[str]) -> bool:
    """Whether every alert of the incident that Alertmanager holds is silenced or inhibited."""
    alerts = objects(silences, "alerts")
    own = [a for a in alerts if text(a, "fingerprint") in fingerprints] or list(alerts)
    muted = [bool(texts(mapping(a, "status"), "silencedBy") or texts(mapping(a, "status"), "inhibitedBy")) for a in own]
    return bool(muted) and all(muted)
