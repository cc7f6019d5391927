"""Each permission, by what the API's access review answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.doctor.checks import permissions
from receiver.doctor.site import Own, Site
from receiver.evidence.gatherers import ALL
from receiver.evidence.kube import Kube, KubeConfig
from receiver.evidence.rbac import union
from tests.unit.doctor.kit import site, told

EVERY = len(union(p for g in ALL for p in g.permissions))


class Reviews(Standin):
    """An API server that only reviews access."""

    def __init__(self, may: Callable[[str, str, str], bool]) -> None:
        super().__init__()
        self.may, self.status = may, 201

    def answer(self, asked: Asked) -> Reply:
        wanted = json.loads(asked.body)["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (wanted["resource"], wanted.get("subresource"))))
        return json_reply({"status": {"allowed": self.may(wanted["verb"], resource, wanted.get("namespace", ""))}}, self.status)


@pytest.fixture
def api() -> Iterator[Reviews]:
    with Reviews(lambda verb, resource, namespace: True) as running:
        yield running


def examined(api: Reviews, namespace: str = "ops") -> Site:
    return site(Own(namespace=namespace), kube=Kube(KubeConfig(api_url=api.url)))


def test_all_are_asked_for_the_whole_cluster(api: Reviews) -> None:
    """The union of what the gatherers declare, each once, subresources as such."""
    found = told(permissions.each(examined(api)))

    assert found == [("ok", "doctor.permissions.granted")] * EVERY
    assert len(api.asked) == EVERY
    assert {a.path for a in api.asked} == {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}


def test_a_missing_one_says_what_is_lost(api: Reviews) -> None:
    """First in the list; of an add-on it is advice."""
    api.may = lambda verb, resource, namespace: resource not in ("pods/log", "scaledobjects")
    log, scaling, *rest = permissions.each(examined(api))

    assert told([log, scaling]) == [("problem", "doctor.permissions.denied"), ("advice", "doctor.permissions.denied")]
    assert (log.part, log.what["sources"], scaling.part) == ("get pods/log", ("log",), "list scaledobjects.keda.sh")
    assert len(rest) == EVERY - 2


def test_roles_in_our_own_namespace_are_one_line(api: Reviews) -> None:
    """Somebody wanted it so; what no Role can grant is then advice as well."""
    api.may = lambda verb, resource, namespace: namespace == "ops" and resource != "nodes"

    assert told(permissions.each(examined(api))) == [
        ("advice", "doctor.permissions.denied"),
        ("advice", "doctor.permissions.own_namespace"),
    ]


def test_one_that_is_only_granted_here_stands_out(api: Reviews) -> None:
    """Beside a ClusterRole it is a mistake: incidents elsewhere lack it."""
    api.may = lambda verb, resource, namespace: namespace == "ops" or resource != "pods/log"
    found = [(f.state.value, f.what.code) for f in permissions.each(examined(api)) if f.state.value != "ok"]

    assert found == [("advice", "doctor.permissions.own_namespace")]


def test_no_answer_is_no_grant(api: Reviews) -> None:
    """A server that does not review access, or not us."""
    api.status = 403

    assert set(told(permissions.each(examined(api)))) == {("unknown", "doctor.permissions.not_answered")}
