"""Which alerts a silence of an incident covers: matchers, and the address that pre-fills them in Alertmanager's own page.

A silence must be as wide as the workload's container and no wider. A label is matched only when every alert of the
incident carries it: an alert without a container label would slip through a matcher of the container. Where the incident
is of no workload or pod, the alerts' names are matched too; without them it would silence a namespace or a node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from receiver.domain.alerts import Alert
from receiver.domain.identity import LabelNames, Subject, subject_of
from receiver.domain.subject import WORKLOAD_LABELS
from receiver.promql.quoting import quoted

LINK_MAX = 3_000  # characters that Slack takes in an address
MAX_PODS = 50

# How controllers name pods after themselves: the API server's alphabet first, which no word of a neighbour's name fits into.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_TEMPLATE_HASH = (f"-{_SAFE}{{6,10}}-{_SAFE}{{5}}", "-[a-z0-9]{6,10}-[a-z0-9]{5}")
_GENERATED = (f"-{_SAFE}{{5}}", "-[a-z0-9]{5}")
_ORDINAL = ("-[0-9]{1,4}",)
_SCHEDULED = (f"-[0-9]{{7,10}}-{_SAFE}{{5}}",)
_SUFFIXES = {
    "Deployment": _TEMPLATE_HASH,
    "Rollout": _TEMPLATE_HASH,
    "ReplicaSet": _GENERATED,
    "DaemonSet": _GENERATED,
    "Job": _GENERATED,
    "StatefulSet": _ORDINAL,
    "CronJob": _SCHEDULED,
}
_ANY_SUFFIX = (*_TEMPLATE_HASH, *_GENERATED, *_ORDINAL, *_SCHEDULED)
_CLASSED = frozenset(".+*?()|{}$")  # [.] needs no backslash, so no two readers can disagree on how often to undo it
_ESCAPED = frozenset("\\^[]")
_NOT_IN_A_NAME = re.compile(r"""[{}!=~,\\"'`\s]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One matcher of a silence. A regular expression must match the whole value (RE2)."""

    name: str
    value: str
    is_regex: bool = False

    def __str__(self) -> str:
        """As Alertmanager writes it: `pod=~"cart-[0-9]{1,4}"`."""
        return f"{self.name}{'=~' if self.is_regex else '='}{quoted(self.value)}"


def matchers_of(subject: Subject, alerts: Sequence[Alert], names: LabelNames) -> tuple[Matcher, ...]:
    """What silences this incident's alerts and their successors; empty when no labels say that narrowly enough."""
    if not alerts:
        return ()
    cluster = _shared(alerts, names.cluster, subject.cluster)
    if subject.namespace and (subject.workload or subject.pod):
        namespace, who = _shared(alerts, names.namespace, subject.namespace), _who(subject, alerts, names)
        if namespace is None or who is None:
            return ()
        return _known(cluster, namespace, who, _shared(alerts, names.container, subject.container))
    called = _alternatives("alertname", {a.name for a in alerts if a.name})
    if called is None:
        return ()
    if subject.namespace:
        namespace = _shared(alerts, names.namespace, subject.namespace)
        return _known(cluster, namespace, called) if namespace else ()
    if subject.node:
        node = _shared(alerts, names.node, subject.node)
        return _known(cluster, node, called) if node else ()
    return tuple(Matcher(name=k, value=v) for k, v in sorted(alerts[-1].labels.items()) if v)


def silence_link(public_url: str, matchers: Sequence[Matcher]) -> str:
    """Alertmanager's form for a new silence with these matchers filled in; empty when that cannot be written as a link."""
    if not public_url or not matchers or any(_NOT_IN_A_NAME.search(m.name) for m in matchers):
        return ""
    try:
        wanted = quote("{" + ",".join(str(m) for m in matchers) + "}", safe="")
    except UnicodeEncodeError:  # a lone surrogate: no such label exists at Alertmanager
        return ""
    link = f"{public_url}/#/silences/new?filter={wanted}"
    return link if len(link) <= LINK_MAX else ""


def exact_pattern(text: str) -> str:
    """A text as a regular expression (RE2) that matches it alone."""
    return "".join(f"[{c}]" if c in _CLASSED else f"\\{c}" if c in _ESCAPED else c for c in text)


def _who(subject: Subject, alerts: Sequence[Alert], names: LabelNames) -> Matcher | None:
    """The workload by its label, else its pods by their names, else the one pod."""
    if subject.workload is not None and (stated := _shared(alerts, names.workload, subject.workload.name)):
        return stated
    pods = [subject_of(a.labels, names).pod for a in alerts]
    label = next((n for n in names.pod if all(p and a.labels.get(n) == p for a, p in zip(alerts, pods, strict=True))), "")
    if not label:
        return None if any(pods) else _by_workload_label(alerts)
    workload = subject.workload
    if workload is not None and workload.kind != "Pod":
        for suffix in _SUFFIXES.get(workload.kind, _ANY_SUFFIX):
            if all(p.startswith(workload.name) and re.fullmatch(suffix, p.removeprefix(workload.name)) for p in pods):
                return Matcher(name=label, value=exact_pattern(workload.name) + suffix, is_regex=True)
    return _alternatives(label, set(pods))


def _by_workload_label(alerts: Sequence[Alert]) -> Matcher | None:
    """The label by which alerts without a pod name their workload, as they have it."""
    newest = alerts[-1].labels
    return next((found for n in WORKLOAD_LABELS if newest.get(n) and (found := _shared(alerts, (n,), newest[n]))), None)


def _alternatives(name: str, values: set[str]) -> Matcher | None:
    if not values:
        return None
    if len(values) == 1:
        return Matcher(name=name, value=next(iter(values)))
    return Matcher(name=name, value="|".join(exact_pattern(v) for v in sorted(values)[:MAX_PODS]), is_regex=True)


def _shared(alerts: Sequence[Alert], candidates: Sequence[str], value: str) -> Matcher | None:
    """The first label that has this value in every alert."""
    found = (n for n in candidates if value and all(a.labels.get(n) == value for a in alerts))
    return next((Matcher(name=n, value=value) for n in found), None)


def _known(*matchers: Matcher | None) -> tuple[Matcher, ...]:
    def every() -> Iterator[Matcher]:
        yield from (m for m in matchers if m is not None)

    return tuple(every())
