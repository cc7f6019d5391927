"""What our account may do in the cluster, against what the gatherers declare (`receiver/evidence/rbac.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from receiver.case.access import get
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.errors import Unreadable
from receiver.evidence.gatherers import ALL
from receiver.evidence.rbac import Permission, union

# Of add-ons that many clusters do not have: what is lost without them is little, and nothing where they are not installed.
ADD_ONS = frozenset({"argoproj.io", "keda.sh", "autoscaling.k8s.io", "metrics.k8s.io"})
CLUSTER_WIDE = frozenset({"nodes"})  # no Role can grant them
GRANTED, OWN_NAMESPACE, DENIED, NOT_ANSWERED = "granted", "own_namespace", "denied", "not_answered"


def each(site: Site) -> Iterator[Finding]:
    """A line a permission, those that are missing first. What Roles grant in our own namespace, and nothing cluster-wide beside it, is
    how somebody wanted it: one line, and no problem.
    """
    wanted = union(p for g in ALL for p in g.permissions)
    answers = dict(zip(wanted, site.at_once([partial(_answer, site, p) for p in wanted]), strict=True))
    of = {answer: [p for p, found in answers.items() if found == answer] for answer in (GRANTED, OWN_NAMESPACE, DENIED, NOT_ANSWERED)}
    has_roles = bool(of[OWN_NAMESPACE]) and not of[GRANTED]
    yield from (_denied(p, is_meant=has_roles and p.resource in CLUSTER_WIDE) for p in of[DENIED])
    yield from (unknown(reason("doctor.permissions.not_answered", permission=str(p)), part=str(p)) for p in of[NOT_ANSWERED])
    if of[OWN_NAMESPACE]:
        what = reason("doctor.permissions.own_namespace", permissions=tuple(map(str, of[OWN_NAMESPACE])), namespace=site.own.namespace)
        yield advice(what, reason("doctor.do.cluster_role"), part=site.own.namespace)
    yield from (ok(reason("doctor.permissions.granted", permission=str(p)), part=str(p)) for p in of[GRANTED])


def _answer(site: Site, permission: Permission) -> str:
    answer = _ask(site, permission, "")
    if answer == DENIED and site.own.namespace and _ask(site, permission, site.own.namespace) == GRANTED:
        return OWN_NAMESPACE
    return answer


def _denied(permission: Permission, *, is_meant: bool) -> Finding:
    lost = tuple(g.source for g in ALL if permission in g.permissions)
    what = reason("doctor.permissions.denied", permission=str(permission), sources=lost)
    make = advice if is_meant or permission.group in ADD_ONS else problem
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
