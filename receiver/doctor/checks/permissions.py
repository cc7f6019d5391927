"""What our account may do in the cluster, against what the gatherers declare (`receiver/evidence/rbac.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from receiver.case.access import get
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, State, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.errors import Unreadable
from receiver.evidence.gatherers import ALL
from receiver.evidence.rbac import Permission, union

# Of add-ons that many clusters do not have: what is lost without them is little, and nothing where they are not installed.
ADD_ONS = frozenset({"argoproj.io", "keda.sh", "autoscaling.k8s.io", "metrics.k8s.io"})
GRANTED, DENIED, NOT_ANSWERED = "granted", "denied", "not_answered"


def each(site: Site) -> Iterator[Finding]:
    """A line a permission, those that are missing first. One that is granted in our own namespace only is told as that: Roles
    instead of a ClusterRole.
    """
    wanted = union(p for g in ALL for p in g.permissions)
    found = site.at_once([partial(_one, site, p) for p in wanted])
    yield from sorted(found, key=lambda finding: finding.state is State.OK)


def _one(site: Site, permission: Permission) -> Finding:
    part = str(permission)
    answer = _ask(site, permission, "")
    if answer == GRANTED:
        return ok(reason("doctor.permissions.granted", permission=part), part=part)
    if answer == NOT_ANSWERED:
        return unknown(reason("doctor.permissions.not_answered", permission=part), part=part)
    if site.own.namespace and _ask(site, permission, site.own.namespace) == GRANTED:
        what = reason("doctor.permissions.own_namespace", permission=part, namespace=site.own.namespace)
        return advice(what, reason("doctor.do.cluster_role"), part=part)
    return _denied(permission)


def _denied(permission: Permission) -> Finding:
    lost = tuple(g.source for g in ALL if permission in g.permissions)
    what = reason("doctor.permissions.denied", permission=str(permission), sources=lost)
    make = advice if permission.group in ADD_ONS else problem
    return make(what, reason("doctor.do.rbac", permission=str(permission)), part=str(permission))


def _ask(site: Site, permission: Permission, namespace: str) -> str:
    resource, _, sub = permission.resource.partition("/")
    attributes: Mapping[str, Any] = {
        "verb": permission.verb, "group": permission.group, "resource": resource, "subresource": sub, "namespace": namespace,
    }  # fmt: skip
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
    }
    response = site.review(body)
    if response.status not in (200, 201):
        return NOT_ANSWERED
    try:
        allowed = get(response.json(), "status", "allowed")
    except Unreadable:
        return NOT_ANSWERED
    return NOT_ANSWERED if not isinstance(allowed, bool) else GRANTED if allowed else DENIED
