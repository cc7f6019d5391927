"""Are alerts in place: what Prometheus evaluates about memory, and what Alertmanager mutes right now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from receiver.case.access import objects, text
from receiver.case.coverage import definitions, recorded_names
from receiver.evidence.clean import Cleaner
from receiver.evidence.look import PROMETHEUS, Gap, Look

# What a rule about memory mentions somewhere: in its expression, or in the recorded series it reads.
_ABOUT_MEMORY = re.compile(r"memory|oom|evict|restarts_total|terminated", re.IGNORECASE)
_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_KEPT_RULE = ("name", "type", "query", "labels", "health", "lastError", "state", "duration")


def ask_rules(look: Look, clean: Cleaner) -> Any:
    """The rules that concern memory, with the recording rules they may read."""
    prometheus = look.prometheus
    if prometheus is None:
        raise Gap("no Prometheus is configured", "set PROMETHEUS_URL", is_configuration=True)

    def ask() -> list[dict[str, Any]]:
        look.meter.add(PROMETHEUS)
        return _memory_groups(prometheus.rules(deadline=look.deadline))

    config = look.config
    groups = look.cache.get(("rules",), ask, ttl_s=config.rules_ttl_s, negative_ttl_s=config.negative_ttl_s, deadline=look.deadline)
    return {"groups": groups}


def ask_silences(look: Look, clean: Cleaner) -> Any:
    """Alertmanager's view of this subject's alerts: silenced, inhibited, or neither."""
    if look.alertmanager is None:
        raise Gap("no Alertmanager is configured", "set ALERTMANAGER_URL", is_normal=True, is_configuration=True)
    wanted = _common_labels(look)
    if not wanted:
        return None
    alerts = look.alertmanager.alerts(wanted, deadline=look.deadline)
    return {"alerts": [{k: a[k] for k in ("fingerprint", "labels", "status", "startsAt") if k in a} for a in alerts]}


def _memory_groups(groups: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rules about memory by what they say or read, and the recordings that they read."""
    groups = list(groups)
    every = [rule for group in groups for rule in objects(group, "rules")]
    recorded = definitions(every)
    about = {name for name, queries in recorded.items() if _is_about_memory(name, *queries)}
    readers = {
        id(r) for r in every if _is_about_memory(text(r, "name"), text(r, "query")) or recorded_names(text(r, "query"), recorded) & about
    }
    read = {name for r in every if id(r) in readers for name in recorded_names(text(r, "query"), recorded)}
    kept = []
    for group in groups:
        rules = [
            {k: rule[k] for k in _KEPT_RULE if k in rule}
            for rule in objects(group, "rules")
            if id(rule) in readers or text(rule, "name") in read
        ]
        if rules:
            kept.append({"name": text(group, "name"), "rules": rules})
    return kept


def _is_about_memory(*texts: str) -> bool:
    return any(_ABOUT_MEMORY.search(t) for t in texts)


def _common_labels(look: Look) -> dict[str, str]:
    """The labels that pick this subject's alerts, as the alerts themselves spell them."""
    subject = look.subject
    wanted = {v for v in (subject.namespace, subject.pod) if v} or {v for v in (subject.node,) if v}
    for alert in look.alerts:
        # A name goes into the matcher unquoted (older Alertmanagers know no quoted names): only a plain one may.
        labels = {k: v for k, v in alert.labels.items() if v in wanted and _PLAIN_LABEL.fullmatch(k)}
        if labels:
            return labels
    return {"namespace": subject.namespace, "pod": subject.pod} if subject.names_a_pod else {}
