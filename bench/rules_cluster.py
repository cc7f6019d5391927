"""The series of a synthetic cluster, as kube-prometheus-stack's scrapes label them: kubelet, kube-state-metrics, node_exporter.

Shares that matter to the cost: 90 % of the containers have a limit, 13 % are above 80 % of it, a fifth died at some time
(1 in 200 by an OOM kill in the last ten minutes), 3 % of the pods are finished Jobs, a fifth have an init container. Pod
slices and pause containers are there as containerd reports them. Everything follows from the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.lab.remote_write import Series

MI = 2.0**20
PODS_PER_CONTAINER = 0.8
CONTAINERS_PER_NODE = 30
CONTAINERS_PER_NAMESPACE = 50
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
REASONS = ("Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError")
CONDITIONS = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "Ready")
KSM = {"job": "kube-state-metrics", "instance": "10.2.0.7:8080", "endpoint": "http", "service": "monitoring-kube-state-metrics"}
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod and what is common to its series."""

    namespace: str
    name: str
    uid: str
    node: int
    containers: int
    is_finished: bool
    age_s: float

    @property
    def labels(self) -> dict[str, str]:
        """As kube-state-metrics has them."""
        return {**KSM, "namespace": self.namespace, "pod": self.name, "uid": self.uid}


class Cluster:
    """`containers` ordinary containers at the time `end_s`; `samples` a series, one a minute."""

    def __init__(self, containers: int, *, end_s: float, samples: int) -> None:
        self._containers = containers
        self._end_s = end_s
        self._samples = samples
        self._nodes = max(3, containers // CONTAINERS_PER_NODE)
        self._namespaces = max(3, containers // CONTAINERS_PER_NAMESPACE)

    def series(self) -> Iterator[Series]:
        """All of them."""
        rng = Random(f"cluster of {self._containers}")
        for pod in self._pods(rng):
            yield from self._pod(pod)
            for index in range(pod.containers):
                yield from self._container(pod, index, rng)
            if rng.random() < 0.2:
                yield from self._init_container(pod, rng)
        for node in range(self._nodes):
            yield from self._node(node, rng)
        for index in range(self._namespaces):
            labels = {**KSM, "namespace": f"team-{index}"}
            yield Series({**labels, "__name__": "kube_namespace_labels", "label_team": f"team-{index}"}, 1)

    def _pods(self, rng: Random) -> Iterator[Pod]:
        left, number = self._containers, 0
        while left > 0:
            containers = min(left, 2 if rng.random() < 1 / PODS_PER_CONTAINER - 1 else 1)
            digest = hashlib.sha256(f"pod {number}".encode()).hexdigest()
            yield Pod(
                namespace=f"team-{number % self._namespaces}",
                name=f"service-{number // 4}-{digest[:9]}-{digest[9:14]}",
                uid=f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}",
                node=number % self._nodes,
                containers=containers,
                is_finished=rng.random() < 0.03,
                age_s=rng.uniform(60, 600) if rng.random() < 0.02 else rng.uniform(600, 30 * 86400),
            )
            left, number = left - containers, number + 1

    def _noisy(self, base: float, rng: Random, share: float = 0.02) -> Sequence[float]:
        return [float(round(base * (1 + share * rng.random()))) for _ in range(self._samples)]

    # -- kube-state-metrics ---------------------------------------------------------------------------------------------

    def _pod(self, pod: Pod) -> Iterator[Series]:
        labels = pod.labels
        phase = "Succeeded" if pod.is_finished else "Running"
        start_s = float(int(self._end_s - pod.age_s))
        yield Series(
            {**labels, "__name__": "kube_pod_info", "node": f"node-{pod.node}", "host_ip": "10.1.0.1", "pod_ip": "10.3.0.1",
             "created_by_kind": "ReplicaSet", "created_by_name": pod.name[:-6], "priority_class": "", "host_network": "false"}, 1
        )  # fmt: skip
        owner = {"owner_kind": "ReplicaSet", "owner_name": pod.name[:-6], "owner_is_controller": "true"}
        yield Series({**labels, "__name__": "kube_pod_owner", **owner}, 1)
        yield Series({**labels, "__name__": "kube_pod_labels", "label_app": pod.name.rsplit("-", 2)[0]}, 1)
        yield Series({**labels, "__name__": "kube_pod_start_time"}, start_s)
        yield Series({**labels, "__name__": "kube_pod_created"}, start_s)
        for one in PHASES:
            yield Series({**labels, "__name__": "kube_pod_status_phase", "phase": one}, float(one == phase))
        for one in REASONS:
            yield Series({**labels, "__name__": "kube_pod_status_reason", "reason": one}, 0)
        for one in ("true", "false", "unknown"):
            yield Series(
                {**labels, "__name__": "kube_pod_status_ready", "condition": one}, float(one == ("false" if pod.is_finished else "true"))
            )
        if pod.is_finished:
            yield Series({**labels, "__name__": "kube_pod_completion_time"}, start_s + 30)

    def _container(self, pod: Pod, index: int, rng: Random) -> Iterator[Series]:
        name = ("app", "proxy")[index]
        labels = {**pod.labels, "container": name}
        limit = rng.choice((128, 256, 512, 1024, 4096)) * MI if rng.random() < 0.9 else 0.0
        yield from _resources("kube_pod_container", labels, pod, limit)
        running = not pod.is_finished
        for state, is_so in (("running", running), ("waiting", False), ("terminated", not running), ("ready", running)):
            yield Series({**labels, "__name__": f"kube_pod_container_status_{state}"}, float(is_so))
        if not running:
            yield Series({**labels, "__name__": "kube_pod_container_status_terminated_reason", "reason": "Completed"}, 1)
        yield from self._deaths(labels, rng)
        if running:
            yield from self._cadvisor(pod, name, limit, rng)

    def _deaths(self, labels: Labels, rng: Random) -> Iterator[Series]:
        has_died, is_recent = rng.random() < 0.2, rng.random() < 0.005
        restarts = float(rng.randrange(1, 40)) if has_died or is_recent else 0.0
        grown = [restarts - 1] * (self._samples - 5) + [restarts] * 5 if is_recent else restarts
        yield Series({**labels, "__name__": "kube_pod_container_status_restarts_total"}, grown)
        if not (has_died or is_recent):
            return
        reason = "OOMKilled" if is_recent else rng.choice(("OOMKilled", "Error", "Error", "Completed"))
        code = {"OOMKilled": 137.0, "Error": float(rng.choice((1, 137))), "Completed": 0.0}[reason]
        ago = 280 if is_recent else rng.uniform(3600, 20 * 86400)
        yield Series({**labels, "__name__": "kube_pod_container_status_last_terminated_reason", "reason": reason}, 1)
        yield Series({**labels, "__name__": "kube_pod_container_status_last_terminated_timestamp"}, float(int(self._end_s - ago)))
        yield Series({**labels, "__name__": "kube_pod_container_status_last_terminated_exitcode"}, code)

    def _init_container(self, pod: Pod, rng: Random) -> Iterator[Series]:
        labels = {**pod.labels, "container": "prepare"}
        yield from _resources("kube_pod_init_container", labels, pod, rng.choice((64, 128)) * MI)
        yield Series({**labels, "__name__": "kube_pod_init_container_status_restarts_total"}, 0)
        yield Series({**labels, "__name__": "kube_pod_init_container_status_ready"}, 1)
        yield Series({**labels, "__name__": "kube_pod_init_container_status_running"}, 0)
        yield Series({**labels, "__name__": "kube_pod_init_container_status_terminated"}, 1)
        yield Series({**labels, "__name__": "kube_pod_init_container_status_terminated_reason", "reason": "Completed"}, 1)

    # -- kubelet and node_exporter --------------------------------------------------------------------------------------

    def _kubelet(self, node: int, path: str) -> dict[str, str]:
        return {
            "job": "kubelet", "metrics_path": path, "endpoint": "https-metrics", "service": "monitoring-kubelet",
            "instance": f"10.1.{node // 250}.{node % 250}:10250", "node": f"node-{node}",
        }  # fmt: skip

    def _cadvisor(self, pod: Pod, container: str, limit: float, rng: Random) -> Iterator[Series]:
        common = {**self._kubelet(pod.node, "/metrics/cadvisor"), "namespace": pod.namespace, "pod": pod.name}
        slice_ = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{pod.uid.replace('-', '_')}.slice"
        full = limit or 512 * MI
        started_s = float(int(self._end_s - pod.age_s))
        use = full * (rng.uniform(0.8, 0.99) if rng.random() < 0.13 else rng.uniform(0.1, 0.78))
        name = hashlib.sha256(f"{pod.uid} {container}".encode()).hexdigest()
        image = f"registry.example/{pod.namespace}/{container}:v1.{len(pod.name)}.0"
        yield from self._cgroup(
            {**common, "id": f"{slice_}/cri-containerd-{name}.scope", "name": name, "image": image, "container": container},
            use, limit, started_s, rng,
        )  # fmt: skip
        if container != "app":
            return
        pause = hashlib.sha256(f"{pod.uid} pause".encode()).hexdigest()
        pause_labels = {"id": f"{slice_}/cri-containerd-{pause}.scope", "name": pause, "image": "registry.k8s.io/pause:3.9"}
        yield from self._cgroup({**common, **pause_labels}, 0.3 * MI, 0.0, started_s, rng)
        yield from self._cgroup({**common, "id": slice_}, use, limit, started_s, rng)

    def _cgroup(self, labels: Labels, use: float, limit: float, started_s: float, rng: Random) -> Iterator[Series]:
        yield Series({**labels, "__name__": "container_memory_working_set_bytes"}, self._noisy(use, rng))
        yield Series({**labels, "__name__": "container_memory_total_active_file_bytes"}, self._noisy(use * 0.1, rng))
        yield Series({**labels, "__name__": "container_memory_rss"}, self._noisy(use * 0.7, rng))
        yield Series({**labels, "__name__": "container_oom_events_total"}, 0)
        yield Series({**labels, "__name__": "container_spec_memory_limit_bytes"}, limit)
        yield Series({**labels, "__name__": "container_start_time_seconds"}, started_s)

    def _node(self, node: int, rng: Random) -> Iterator[Series]:
        exporter = {"job": "node-exporter", "instance": f"10.1.{node // 250}.{node % 250}:9100"}
        total = 64 * 1024 * MI
        yield Series({**exporter, "__name__": "node_memory_MemTotal_bytes"}, total)
        yield Series({**exporter, "__name__": "node_memory_MemAvailable_bytes"}, self._noisy(total * 0.4, rng))
        yield Series({**exporter, "__name__": "node_vmstat_oom_kill"}, float(rng.randrange(50)))
        yield Series({**exporter, "__name__": "node_uname_info", "nodename": f"node-{node}", "release": "6.1.0", "sysname": "Linux"}, 1)
        kubelet = self._kubelet(node, "/metrics")
        yield Series({**kubelet, "__name__": "kubelet_evictions", "eviction_signal": "memory.available"}, float(rng.randrange(3)))
        for path in ("/metrics", "/metrics/cadvisor", "/metrics/resource"):
            yield Series({**self._kubelet(node, path), "__name__": "up"}, 1)
        for condition in CONDITIONS:
            for status in ("true", "false", "unknown"):
                is_so = status == ("true" if condition == "Ready" else "false")
                labels = {**KSM, "node": f"node-{node}", "condition": condition, "status": status}
                yield Series({**labels, "__name__": "kube_node_status_condition"}, float(is_so))


def _resources(prefix: str, labels: Labels, pod: Pod, limit: float) -> Iterator[Series]:
    """Limits and requests, of CPU as well, as the selectors meet them."""
    node = {"node": f"node-{pod.node}"}
    memory, cpu = {"resource": "memory", "unit": "byte"}, {"resource": "cpu", "unit": "core"}
    if limit:
        yield Series({**labels, **node, **memory, "__name__": f"{prefix}_resource_limits"}, limit)
        yield Series({**labels, **node, **cpu, "__name__": f"{prefix}_resource_limits"}, 1)
    yield Series({**labels, **node, **memory, "__name__": f"{prefix}_resource_requests"}, (limit or 128 * MI) / 2)
    yield Series({**labels, **node, **cpu, "__name__": f"{prefix}_resource_requests"}, 0.25)
