"""What the shipped ClusterRole grants is what the gatherers need."""

from __future__ import annotations

import yaml

from receiver.evidence.gatherers import ALL
from receiver.evidence.rbac import may, union
from tests.places import REPO

RBAC = REPO / "deploy" / "base" / "rbac.yaml"


def test_the_cluster_role_grants_exactly_what_the_gatherers_declare():
    """Neither is a permission missing, nor is one granted that nothing uses."""
    role = next(d for d in yaml.safe_load_all(RBAC.read_text()) if d["kind"] == "ClusterRole")
    granted = [may(v, r, g) for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]]

    assert sorted(granted) == list(union(p for g in ALL for p in g.permissions))


def test_nothing_but_reading_is_asked_for():
    """The receiver cannot change, watch or enter anything, and sees no secret."""
    wanted = union(p for g in ALL for p in g.permissions)

    assert {p.verb for p in wanted} <= {"get", "list"}
    assert not {p.resource for p in wanted} & {"secrets", "configmaps", "pods/exec"}


def test_a_permission_reads_as_kubectl_would_say_it():
    """`get pods/log` and `list replicasets.apps` can be typed after `kubectl auth can-i`."""
    assert str(may("get", "pods/log")) == "get pods/log"
    assert str(may("list", "replicasets", "apps")) == "list replicasets.apps"
