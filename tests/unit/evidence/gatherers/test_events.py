"""Which events are gathered, also from a namespace that has too many."""

from __future__ import annotations

import json

import pytest

from receiver.case import facts_of
from tests.fakes.kube import body
from tests.unit.evidence.kit import lab

INCIDENT = "cgroupv2-a-leak-crashloop"


def test_the_pods_and_its_owners_events_and_no_neighbours():
    """One list of the namespace; of its many events only those that concern this pod are kept."""
    with lab(INCIDENT, "cgroupv2-b-sidecar-oom") as running:
        case = running.gather(INCIDENT)

    about = {(e["involvedObject"]["kind"], e["involvedObject"]["name"]) for e in case.answers["events"]["items"]}
    assert about == {("Pod", "orders-api-59c9d49f4-t27b8"), ("ReplicaSet", "orders-api-59c9d49f4"), ("Deployment", "orders-api")}


def test_events_of_a_namesake_are_left_out():
    """A StatefulSet's pod has had predecessors of the same name; the uid tells them apart."""
    with lab("s-statefulset-oom") as running:
        stranger = json.loads(json.dumps(running.incident().pods[0].events[0]))
        stranger["involvedObject"]["uid"] = "an-earlier-kafka-0"
        stranger["message"] = "of another life"
        running.recordings.events.append(stranger)

        case = running.gather()

    assert "of another life" not in json.dumps(case.answers["events"])


@pytest.mark.parametrize("reason", ["too many", "too large"])
def test_a_namespace_with_too_many_events_is_asked_for_the_pods_alone(reason):
    """Pages come in the order of names: the first may hold none of ours, which must not read as "no events"."""
    with lab(INCIDENT) as running:
        first = {"items": [], "metadata": {"continue": "more"}}
        reply = body(json.dumps(first).encode() if reason == "too many" else b" " * 5_000_000, times=1)
        running.kube.fault("/namespaces/shop-v2/events", reply)

        facts = facts_of(running.gather())

        asked = [a.params for a in running.kube.asked if a.path.endswith("/shop-v2/events")]
    assert asked[1]["fieldSelector"] == f"involvedObject.uid={facts.pod.uid}"
    assert {"BackOff", "Started"} <= {e.reason for e in facts.events}
