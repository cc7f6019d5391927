"""Events: which are the newest, which are about memory, and what two series of one event come to."""

from __future__ import annotations

import json

from receiver.case.events import about, event_facts
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
