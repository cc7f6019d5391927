"""Whether a container that restarts has ever been up: what the API remembers of Ready, and what its log shows of work."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.case import facts_of
from receiver.case.pod import pod_facts
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.death.up import has_come_up
from receiver.domain.case import Case
from receiver.domain.identity import Subject
from receiver.domain.units import parse_time

STARTED = "2026-11-30T15:00:00Z"
LATER = "2026-11-30T15:20:12Z"
PROBE = {"httpGet": {"path": "/ready", "port": 8080}}


def a_pod(
    *, ready: str = "False", since: str = STARTED, probe: str = "", kind: str = "regular", neighbour: bool | None = None
) -> dict[str, Any]:
    """A pod whose container `app` waits in its back-off. `neighbour`: whether a second container is Ready; None for no second one."""
    spec: dict[str, Any] = {"name": "app"} | ({probe: PROBE} if probe else {})
    died = {"reason": "OOMKilled", "exitCode": 137, "startedAt": "2026-11-30T15:20:00Z", "finishedAt": LATER}
    status = {
        "name": "app",
        "ready": False,
        "restartCount": 7,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": died},
    }
    others = (
        [] if neighbour is None else [{"name": "mesh", "ready": neighbour, "restartCount": 0, "state": {"running": {"startedAt": STARTED}}}]
    )
    where = {"regular": ("containers", "containerStatuses"), "init": ("initContainers", "initContainerStatuses")}[kind]
    pod: dict[str, Any] = {
        "metadata": {"name": "app-1", "namespace": "shop"}, "spec": {"containers": [{"name": o["name"]} for o in others]},
        "status": {"startTime": STARTED, "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": since}], "containerStatuses": others},
    }  # fmt: skip
    pod["spec"][where[0]] = [spec, *pod["spec"].get(where[0], [])]
    pod["status"][where[1]] = [status, *pod["status"].get(where[1], [])]
    return pod


def come_up(pod: dict[str, Any], *log: str) -> bool | None:
    now = parse_time("2026-11-30T15:21:00Z")
    assert now is not None
    answers: dict[str, Any] = {"pod": pod}
    if log:
        answers["log"] = {"container": "app", "text": "\n".join(log) + "\n"}
    case = Case(gathered_at=now, subject=Subject(namespace="shop", pod="app-1", container="app"), answers=answers)
    return has_come_up(clues_of(facts_of(case)))


def test_a_pod_that_lost_its_ready_was_up() -> None:
    """The condition moves only with the status: a False of its last death was a True before."""
    assert come_up(a_pod(since=LATER)) is True
    assert come_up(a_pod(since=LATER, probe="readinessProbe")) is True


def test_a_pod_that_never_became_ready_was_not() -> None:
    assert come_up(a_pod()) is False
    assert come_up(a_pod(neighbour=True)) is False


def test_another_container_that_held_the_pod_back_hides_it() -> None:
    assert come_up(a_pod(neighbour=False)) is None


def test_running_is_not_up_while_the_log_ends_in_loading() -> None:
    """Without a probe, Ready says no more than that the process ran; with one, it did what the probe asks."""
    loading = ("starting", "loading model weights into memory (200 MiB)", "loaded 50/200 MiB")
    assert come_up(a_pod(since=LATER), *loading) is False
    assert come_up(a_pod(since=LATER, probe="readinessProbe"), *loading) is True
    assert come_up(a_pod(since=LATER, probe="startupProbe"), *loading) is True


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.7 - - [30/Nov/2026:15:20:01 +0000] "GET /cart HTTP/1.1" 200 512',
        '{"level":"info","msg":"GET /orders/17 200 3.1ms"}',
        "INFO handled 40 requests, heap 30 MiB",
        "consumed 12 messages from orders",
        "level=info requests=117 in_flight=2",
        "POST /checkout -> 201 in 12ms",
    ],
)
def test_work_in_the_log_is_up(line: str) -> None:
    """A failing probe makes no difference to those whom it served."""
    assert come_up(a_pod(probe="readinessProbe"), "starting", line) is True


@pytest.mark.parametrize(
    "line", ["loaded 12 plugins", "max requests: 0", "listening on :8080", "registered GET /health", "pool of 20 connections"]
)
def test_a_start_up_is_no_work(line: str) -> None:
    assert come_up(a_pod(probe="readinessProbe"), "starting", line) is False


def test_an_init_container_is_up_when_it_has_completed() -> None:
    assert come_up(a_pod(kind="init")) is False


def test_ready_now_was_ready() -> None:
    pod = a_pod()
    pod["status"]["containerStatuses"][0] |= {"ready": True, "state": {"running": {"startedAt": LATER}}}
    read = pod_facts(pod)
    assert read is not None
    assert read.containers[0].was_ready is True
