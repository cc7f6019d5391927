"""A small cluster that lives through a story: workloads whose containers start, use memory and die at set times.

Pods, owners and logs are recorded ones (receiver/demo/recordings), renamed and with the state they have at the clock's time;
series are written for the whole story at the start, because a query ends at the clock's time anyway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from receiver.demo.standins import Asked, Incident, KubeStandin, PodRecording, PrometheusStandin, Recordings, Reply, json_reply, load
from receiver.demo.standins.recordings import Shift
from receiver.domain.units import MIB, format_time, from_epoch

RECORDINGS = Path(__file__).parents[2] / "receiver" / "demo" / "recordings"
SCRAPE_S = 60.0
POINTS = tuple[tuple[float, float], ...]  # (seconds since the start of the life, bytes)


@dataclass(frozen=True, kw_only=True)
class Life:
    """One life of a container. `end` None: it lives on. `points`: its memory, by seconds since its start."""

    start: float
    end: float | None
    points: POINTS
    reason: str = "OOMKilled"
    exit_code: int = 137
    limit_bytes: int = 80 * MIB
    image: str = ""
    resized: tuple[float, int] | None = None  # (when, to how many bytes): the limit, in place

    def limit_at(self, now: float) -> int:
        """The limit at that time."""
        return self.resized[1] if self.resized is not None and now >= self.resized[0] else self.limit_bytes


@dataclass(kw_only=True)
class Pod:
    """A pod of a workload and the lives of its container, oldest first."""

    name: str
    lives: Sequence[Life]
    node: str = "lab-node-1"
    gone_at: float | None = None  # a rollout replaced it
    events: Callable[[float], list[dict[str, Any]]] = lambda now: []


@dataclass(kw_only=True)
class Workload:
    """A Deployment. `like`: the recording whose pod, owners and log it copies."""

    namespace: str
    name: str
    pods: list[Pod]
    replicas: int = 1
    like: str = "orders-api-leak"
    is_measured: bool = True  # Prometheus has its series
    log: str = ""  # before each death, instead of the recorded one
    command: tuple[str, ...] = ()  # instead of the recorded one


class Cluster:
    """Stand-ins for Kubernetes and Prometheus in front of some workloads. `at` sets the time they show."""

    def __init__(self, workloads: Iterable[Workload], *, rule_groups: Iterable[dict[str, Any]] = ()) -> None:
        self.workloads = list(workloads)
        self._known: dict[str, Incident] = {}
        self._pods = _Pods(self._pod, {(w.namespace, p.name): (w, p) for w in self.workloads for p in w.pods})
        self._recordings = Recordings(pods=self._pods)  # type: ignore[arg-type]  # looks like the dict that it stands for
        self.kube = KubeStandin(self._recordings)
        self.prometheus = _CountingPrometheus(self.workloads, rule_groups=rule_groups)
        for workload in self.workloads:
            self._recordings.objects += self._owners(workload)
            if workload.is_measured:
                for pod in workload.pods:
                    self.prometheus.add(_series(workload, pod))
        self._recordings.objects += [o for o in load(RECORDINGS, only=["orders-api-leak"]).objects if o["kind"] == "Node"]

    def at(self, now: float) -> None:
        """Show the pods as they are at that time."""
        self._pods.now = now
        self._recordings.events[:] = [e for w in self.workloads for p in w.pods for e in p.events(now)]

    def __enter__(self) -> Cluster:
        self.kube.start()
        self.prometheus.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kube.stop()
        self.prometheus.stop()

    def _like(self, workload: Workload) -> Incident:
        if workload.like not in self._known:
            self._known[workload.like] = load(RECORDINGS, only=[workload.like]).incidents[0]
        return self._known[workload.like]

    def _owners(self, workload: Workload) -> list[dict[str, Any]]:
        recorded = self._like(workload)
        words = _words(recorded, workload)
        objects: list[dict[str, Any]] = _renamed([o for o in recorded.objects if o["kind"] in ("Deployment", "ReplicaSet")], words)
        for owner in objects:
            owner["spec"]["replicas"] = workload.replicas
            owner["metadata"]["creationTimestamp"] = format_time(from_epoch(min(p.lives[0].start for p in workload.pods) - 14 * 86_400))
        return objects

    def _pod(self, workload: Workload, pod: Pod, now: float) -> PodRecording:
        recorded = self._like(workload).pods[0]
        words = _words(self._like(workload), workload)
        document: dict[str, Any] = _renamed(recorded.pod, words)
        lived = [life for life in pod.lives if life.start <= now]
        current = lived[-1]
        metadata, spec = document["metadata"], document["spec"]
        metadata |= {"name": pod.name, "uid": f"uid-{pod.name}", "creationTimestamp": format_time(from_epoch(pod.lives[0].start))}
        spec["nodeName"] = pod.node
        container = spec["containers"][0]
        container["resources"].setdefault("limits", {})["memory"] = f"{current.limit_at(now) // MIB}Mi"
        container["image"] = current.image or container["image"]
        container["command"] = list(workload.command) or container.get("command", [])
        status = document["status"]
        status["startTime"] = metadata["creationTimestamp"]
        status["containerStatuses"] = [_status(container["name"], container["image"], lived, now)]
        status.pop("resources", None)
        status.pop("allocatedResources", None)
        is_dead = current.end is not None and current.end <= now
        logs = {key: log for key, log in recorded.logs.items() if key[1] and (len(lived) > 1 or is_dead)}
        died = [life.end for life in lived if life.end is not None and life.end <= now]
        move = Shift(from_epoch(died[-1]) - self._like(workload).taken_at if died else timedelta())
        renamed = {(container["name"], previous): (code, move.text(text)) for (_, previous), (code, text) in logs.items()}
        if workload.log:
            renamed = dict.fromkeys(renamed, (200, workload.log))
        return PodRecording(pod=document, logs=renamed, metrics=(404, {}), events=[])


class _CountingPrometheus(PrometheusStandin):
    """Knows besides how many pods, workloads and containers there are, as kube-state-metrics would say."""

    def __init__(self, workloads: Sequence[Workload], *, rule_groups: Iterable[dict[str, Any]]) -> None:
        super().__init__([], rule_groups=rule_groups)
        self.fired: list[
            tuple[dict[str, str], float, float]
        ] = []  # the alerts that Prometheus evaluated, and when they fired first and last
        self._nodes = [pod.node for w in workloads for pod in w.pods]
        self._namespaces = [w.namespace for w in workloads]

    def answer(self, asked: Asked) -> Reply:
        """The counts for a storm's digest, what fired before, else what is recorded."""
        query = asked.params.get("query", "")
        if "timestamp(ALERTS" in query:
            fired: list[dict[str, Any]] = []
            for labels, first, last in self.fired:
                fired += [{"metric": {**labels, "q": q}, "value": [0, str(at)]} for q, at in (("first", first), ("last", last))]
            return json_reply({"status": "success", "data": {"resultType": "vector", "result": fired}})
        if "kube_pod_info" not in query and "kube_pod_container_info" not in query:
            return super().answer(asked)
        counts: dict[str, int] = {}
        for kind, all_of in (("node", self._nodes), ("namespace", self._namespaces)):
            wanted = re.search(rf'{kind}="([^"]+)"', query)
            if wanted is not None and f'"{kind}_part"' in query:
                counts |= {f"{kind}_part": all_of.count(wanted[1]), f"{kind}_whole": len(all_of), f"{kind}_values": len(set(all_of))}
        if '"image_part"' in query:  # all are copies of one recording
            counts |= {"image_part": len(self._nodes), "image_whole": len(self._nodes), "image_values": 1}
        result = [{"metric": {"q": name}, "value": [0, str(n)]} for name, n in counts.items() if n]
        return json_reply({"status": "success", "data": {"resultType": "vector", "result": result}})


class _Pods:
    """The pods that there are now, made when they are asked for. `make`: a pod at a time."""

    def __init__(self, make: Callable[[Workload, Pod, float], PodRecording], known: dict[tuple[str, str], tuple[Workload, Pod]]) -> None:
        self.now = 0.0
        self._make = make
        self._known = known
        self._made: dict[tuple[str, str], tuple[list[float], PodRecording]] = {}

    def get(self, key: tuple[str, str]) -> PodRecording | None:
        """That pod; None before its first life."""
        workload, pod = self._known.get(key, (None, None))
        if workload is None or pod is None or pod.lives[0].start > self.now or (pod.gone_at is not None and pod.gone_at <= self.now):
            return None
        changes = [t for life in pod.lives for t in (life.start, life.end, life.resized and life.resized[0]) if t and t <= self.now]
        if key not in self._made or self._made[key][0] != changes:
            self._made[key] = (changes, self._make(workload, pod, self.now))
        return self._made[key][1]

    def items(self) -> list[tuple[tuple[str, str], PodRecording]]:
        """All of them."""
        return [(key, made) for key in self._known if (made := self.get(key)) is not None]


def kill(start: float, end: float, points: POINTS, **over: Any) -> Life:
    """A life that ends in an OOM kill."""
    return Life(start=start, end=end, points=points, **over)


def ramp(hours: float, low_mib: float, high_mib: float) -> POINTS:
    """Memory that grows evenly."""
    n = max(2, int(hours * 3600 / SCRAPE_S))
    return tuple((i * SCRAPE_S, (low_mib + (high_mib - low_mib) * i / (n - 1)) * MIB) for i in range(n))


def recorded_lives(start: float) -> list[Life]:
    """The four recorded lives of orders-api, a leak that was really killed four times; the first begins at `start`."""
    series = load(RECORDINGS, only=["orders-api-leak"]).incidents[0].series
    used = [s["values"] for s in series if s["metric"]["__name__"] == "container_memory_working_set_bytes"]
    begun = used[0][0][0]
    lives = []
    for values, after in zip(used, [*used[1:], None], strict=True):
        first = values[0][0]
        is_of_the_one_before = float(values[0][1]) > 1.3 * float(values[1][1])  # a sample taken as the lives changed
        points = tuple((t - first, float(v)) for t, v in values[1 if is_of_the_one_before else 0 :])
        down_at = (values[-1][0] + after[0][0]) / 2 if after else values[-1][0] + 980
        lives.append(Life(start=start + first - begun, end=start + down_at - begun, points=points))
    return lives


def moved(life: Life, start: float, **over: Any) -> Life:
    """The same life at another time."""
    end = life.end - life.start + start if life.end is not None else None
    return replace(life, **{"start": start, "end": end, **over})


def _words(recorded: Incident, workload: Workload) -> dict[str, str]:
    deployment = next(o["metadata"]["name"] for o in recorded.objects if o["kind"] == "Deployment")
    replica_set = next(o["metadata"]["name"] for o in recorded.objects if o["kind"] == "ReplicaSet")
    return {
        replica_set: f"{workload.name}-{replica_set.rpartition('-')[2]}", deployment: workload.name,
        f'"namespace": "{recorded.namespace}"': f'"namespace": "{workload.namespace}"',
    }  # fmt: skip


def _renamed(value: Any, words: dict[str, str]) -> Any:
    text = json.dumps(value)
    for old, new in words.items():
        text = text.replace(old, new)
    return json.loads(text)


def _status(name: str, image: str, lived: list[Life], now: float) -> dict[str, Any]:
    current = lived[-1]
    dead = [life for life in lived if life.end is not None and life.end <= now]
    last = [_terminated(life) for life in dead]
    is_dead = bool(dead) and dead[-1] is current
    status: dict[str, Any] = {
        "name": name, "ready": not is_dead, "restartCount": len(lived) - 1, "image": image, "imageID": f"sha256:{image}",
        "state": {"terminated": last[-1]} if is_dead else {"running": {"startedAt": format_time(from_epoch(current.start))}}, "lastState": {},
    }  # fmt: skip
    before = last[:-1] if is_dead else last
    if before:
        status["lastState"] = {"terminated": before[-1]}
    return status


def _terminated(life: Life) -> dict[str, Any]:
    assert life.end is not None
    return {
        "exitCode": life.exit_code, "reason": life.reason, "startedAt": format_time(from_epoch(life.start)),
        "finishedAt": format_time(from_epoch(life.end)), "containerID": f"containerd://{int(life.start):064d}",
    }  # fmt: skip


def _series(workload: Workload, pod: Pod) -> list[dict[str, Any]]:
    base = {"namespace": workload.namespace, "pod": pod.name, "container": workload.name}
    found: list[dict[str, Any]] = []
    state: dict[str, list[list[Any]]] = {"restarts_total": [], "ended": [], "reason": [], "limit": []}
    for number, life in enumerate(pod.lives):
        of_container = {"id": f"/kubepods/burstable/pod{pod.name}/{number:064x}", "image": "x", "name": f"{number:064x}"}
        times = [life.start + t for t, _ in life.points]
        used = [v for _, v in life.points]
        for metric, values in (
            ("container_memory_working_set_bytes", used),
            ("container_memory_rss", used),
            ("container_memory_cache", [0.0] * len(used)),
            ("container_spec_memory_limit_bytes", [life.limit_at(t) for t in times]),
        ):
            points = [[t, str(int(v))] for t, v in zip(times, values, strict=True)]
            found.append({"metric": {"__name__": metric, **base, **of_container}, "values": points})
        before = pod.lives[number - 1] if number else None
        for t in sorted({SCRAPE_S * -(-t // SCRAPE_S) for t in times}):  # on the minute, where a query by the minute finds it
            state["restarts_total"].append([t, str(number)])
            state["limit"].append([t, str(life.limit_at(t))])
            if before is not None and before.end is not None:
                state["ended"].append([t, str(int(before.end))])
                state["reason"].append([t, "1"])
    reason = pod.lives[0].reason
    told: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("kube_pod_container_status_restarts_total", "restarts_total", {}),
        ("kube_pod_container_status_last_terminated_timestamp", "ended", {}),
        ("kube_pod_container_status_last_terminated_reason", "reason", {"reason": reason}),
        ("kube_pod_container_resource_limits", "limit", {"resource": "memory", "unit": "byte"}),
    )
    for metric, key, more in told:
        if state[key]:
            found.append({"metric": {"__name__": metric, **base, **more}, "values": state[key]})
    return found
