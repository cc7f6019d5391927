"""Events: which are the newest, which are about memory, and what two series of one event come to."""

from __future__ import annotations

import json

import pytest

from receiver.case.events import about, event_facts, for_the_pod
from tests.fakes.kube import FIXTURES


def recorded_events(path: str):
    return event_facts(json.loads((FIXTURES / path).read_text()))


def test_recorded_events_are_newest_first_and_all_have_a_time():
    """Scheduled has an eventTime only, series have their own last time, the kubelet writes lastTimestamp."""
    events = recorded_events("a-leak-crashloop/t3/pod/events-core-v1.json")

    assert {e.reason for e in events} >= {"Scheduled", "Pulled", "Created", "Started", "BackOff"}
    times = [e.at for e in events]
    assert None not in times
    assert times == sorted(times, reverse=True)
    assert events[-1].reason == "Scheduled"


def test_restarts_are_counted_in_the_events():
    """ "Container started" eleven times is one line with its count; the container comes from the field path."""
    started = next(e for e in recorded_events("a-leak-crashloop/t3/pod/events-core-v1.json") if e.reason == "Started")

    assert started.count >= 5
    assert started.container == "orders-api"
    assert started.first_at < started.at


def test_no_event_of_a_container_oom_says_oom():
    """What documentation suggests is not there: an OOM kill leaves no event of its own."""
    events = recorded_events("a-leak-crashloop/t3/pod/events-core-v1.json")

    assert not any("oom" in f"{e.reason} {e.message}".lower() for e in events)
    assert {e.reason for e in events if e.is_memory_relevant} == {"BackOff"}


def test_a_liveness_kill_is_marked():
    """Unhealthy and Killing tell that a probe sent the SIGKILL."""
    marked = {e.reason for e in recorded_events("e-liveness-137/t3/pod/events-core-v1.json") if e.is_memory_relevant}

    assert {"Unhealthy", "Killing"} <= marked


def test_a_nodes_eviction_events():
    """Memory pressure stands with the node, not with the pod."""
    events = recorded_events("_cluster/node-events.json")

    node = about(events, "Node", "lab-node-2")
    assert {e.reason for e in node if e.is_memory_relevant} >= {"EvictionThresholdMet", "NodeHasInsufficientMemory"}


def test_two_series_of_one_event_are_one():
    """After a kubelet restart the same event begins anew with count 1."""
    event = {
        "involvedObject": {"kind": "Pod", "name": "a", "fieldPath": "spec.containers{app}"}, "reason": "BackOff", "message": "back-off",
        "type": "Warning", "count": 7, "firstTimestamp": "2026-11-23T00:10:00Z", "lastTimestamp": "2026-11-23T00:20:00Z",
    }  # fmt: skip
    later = {**event, "count": None, "series": {"count": 3, "lastObservedTime": "2026-11-23T00:40:00.123456Z"}, "firstTimestamp": None}

    (only,) = event_facts({"items": [event, later]})

    assert (only.count, only.container) == (10, "app")
    assert (only.first_at.minute, only.at.minute) == (10, 40)


def event_of(kind: str, reason: str, message: str = "", type_: str = "Normal") -> dict[str, object]:
    return {
        "involvedObject": {"kind": kind, "name": "n1"}, "reason": reason, "message": message, "type": type_,
        "lastTimestamp": "2026-11-23T01:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "message", "type_"),
    [
        ("RegisteredNode", "Node boomtown-3 event: Registered Node boomtown-3 in Controller", "Normal"),
        ("CgroupV1", "cgroup v1 support is in maintenance mode, please migrate to cgroup v2", "Warning"),
        ("NodeHasSufficientMemory", "Node n1 status is now: NodeHasSufficientMemory", "Normal"),
        ("MissingClusterDNS", "kubelet does not have ClusterDNS IP configured", "Warning"),
    ],
)
def test_what_a_node_says_of_itself_is_nobodys_incident(reason: str, message: str, type_: str):
    """A warning of the kubelet about its own configuration is on every pod of the node, and explains none."""
    assert for_the_pod(event_facts({"items": [event_of("Node", reason, message, type_)]})) == ()


@pytest.mark.parametrize("reason", ["SystemOOM", "EvictionThresholdMet", "NodeHasInsufficientMemory", "NodeNotReady", "Rebooted"])
def test_what_a_node_says_of_memory_or_its_end_stays(reason: str):
    """It may be why the pod died."""
    assert len(for_the_pod(event_facts({"items": [event_of("Node", reason)]}))) == 1


def test_events_of_the_pod_and_its_owners_all_stay():
    """Whatever is said of them is about the incident's subject."""
    events = event_facts({"items": [event_of("Pod", "Pulled"), event_of("ReplicaSet", "SuccessfulCreate")]})

    assert for_the_pod(events) == events
