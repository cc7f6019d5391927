"""Which incident an alert belongs to, from its labels alone.

An incident is one memory problem of one workload's container over time (docs/architecture.md). The key never holds a
startsAt, a groupKey, or, where the workload is known, a pod name. The workload is inferred from the pod's name here,
because asking the API for each of 1,000 alerts of one Deployment would cost 1,000 requests; the incident's enrichment
confirms it, and a better key then becomes an alias (never a re-keying).
"""

from __future__ import annotations

from receiver.domain import drill
from receiver.domain.alerts import Alert
from receiver.domain.kube_names import UNKNOWN_KIND, Workload, kind_named, workload_from_pod_name
from receiver.domain.subject import LabelNames, Subject, subject_of

__all__ = [
    "UNKNOWN_KIND",
    "LabelNames",
    "Subject",
    "Workload",
    "incident_key",
    "kind_named",
    "pod_key",
    "subject_of",
    "workload_from_pod_name",
    "workload_key",
]


def workload_key(subject: Subject, workload: Workload) -> str:
    """The key of a workload's container."""
    return _join("workload", subject.cluster, subject.namespace, workload.kind, workload.name, subject.container)


def pod_key(subject: Subject) -> str:
    """The key of one pod's container."""
    return _join("pod", subject.cluster, subject.namespace, subject.pod, subject.container)


def incident_key(subject: Subject, alert: Alert) -> str:
    """The first identity that applies: workload, pod, node, namespace and alert, alert alone. A test alert has its own."""
    if test := drill.id_of(alert.labels):
        return drill.key_of(test)
    if subject.names_a_pod or (subject.namespace and subject.workload):
        if subject.workload is not None:
            return workload_key(subject, subject.workload)
        return pod_key(subject)
    if subject.node and not subject.namespace:
        return _join("node", subject.cluster, subject.node)
    if subject.namespace:
        return _join("namespace", subject.cluster, subject.namespace, alert.name)
    return _join("alert", subject.cluster, alert.name, alert.fingerprint)


def _join(*parts: str) -> str:
    # "/" cannot stand in a Kubernetes name; in a foreign label it is escaped so that two keys never collide.
    return "/".join(p.replace("%", "%25").replace("/", "%2F") for p in parts)
