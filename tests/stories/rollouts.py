"""A workload that is changed in the middle of a story: rolled out, scaled by an autoscaler, deployed back."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from receiver.demo.standins import PodRecording, load
from receiver.domain.units import MIB, format_time, from_epoch
from tests.stories.cluster import RECORDINGS, Cluster, Life, Pod, Workload

RECORDED_HASH = "655779759d"  # of the recorded ReplicaSet
HASHES = (RECORDED_HASH, "7c9d8f6b54", "5d4f7b9c68", "6b8c5d7f49")
SUFFIXES = ("jst99", "k2m4x", "p8w6z", "q7v5t")


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A change of the template. `by`: the field manager that writes it; `lives`: of the pod that it makes."""

    at: float
    limit_bytes: int
    by: str
    lives: Sequence[Life]
    image: str = ""


@dataclass(kw_only=True)
class Changing:
    """One workload with one replica, its first pod's lives, and what is changed about it."""

    name: str
    first: Sequence[Life]
    rollouts: Sequence[Rollout] = ()
    hpa_at: float | None = None
    log: str = ""
    command: tuple[str, ...] = ()
    namespace: str = "shop"
    pods: list[Pod] = field(default_factory=list)

    def pod(self, number: int) -> str:
        """The name of a pod: 0 is the first, 1 that of the first rollout."""
        return f"{self.name}-{HASHES[number]}-{SUFFIXES[number]}"


class ChangingCluster(Cluster):
    """Stand-ins in front of such a workload."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing
        ends = [r.at for r in changing.rollouts]
        lives = [changing.first, *(r.lives for r in changing.rollouts)]
        changing.pods = [
            Pod(name=changing.pod(i), lives=lived, gone_at=end) for i, (lived, end) in enumerate(zip(lives, [*ends, None], strict=True))
        ]
        workload = Workload(
            namespace=changing.namespace, name=changing.name, pods=changing.pods, log=changing.log, command=changing.command
        )
        super().__init__([workload])
        self._plain = self._owners(workload)
        self._nodes = [o for o in load(RECORDINGS, only=["orders-api-leak"]).objects if o["kind"] == "Node"]

    def at(self, now: float) -> None:
        """Show pods and owners as they are at that time."""
        super().at(now)
        done = [r for r in self._changing.rollouts if r.at <= now]
        deployment = copy.deepcopy(next(o for o in self._plain if o["kind"] == "Deployment"))
        replica_set = next(o for o in self._plain if o["kind"] == "ReplicaSet")
        sets = [copy.deepcopy(replica_set)]
        for number, rollout in enumerate(done, start=1):
            made = json.loads(json.dumps(replica_set).replace(RECORDED_HASH, HASHES[number]))
            made["metadata"] |= {"creationTimestamp": format_time(from_epoch(rollout.at)), "uid": f"uid-rs-{number}"}
            made["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(number + 1)
            _set(made, rollout)
            sets.append(made)
        for one in sets[:-1]:
            one["spec"]["replicas"] = 0
        if done:
            _set(deployment, done[-1])
            deployment["metadata"]["generation"] = deployment["status"]["observedGeneration"] = len(done) + 1
            deployment["metadata"]["managedFields"] = [_written(self._changing.name, r) for r in done]
        deployment["status"] |= {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        self._recordings.objects[:] = [deployment, *sets, *self._autoscaler(now), *self._nodes]

    def _autoscaler(self, now: float) -> list[dict[str, Any]]:
        at, name = self._changing.hpa_at, self._changing.name
        if at is None or at > now:
            return []
        metric = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}}
        return [
            {
                "kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2",
                "metadata": {
                    "name": name, "namespace": self._changing.namespace, "creationTimestamp": format_time(from_epoch(at)),
                    "managedFields": [
                        {
                            "manager": "kubectl-create", "operation": "Update", "time": format_time(from_epoch(at)),
                            "fieldsV1": {"f:spec": {"f:maxReplicas": {}}},
                        }
                    ],
                },
                "spec": {
                    "scaleTargetRef": {"kind": "Deployment", "name": name}, "minReplicas": 1, "maxReplicas": 4, "metrics": [metric],
                },
                "status": {"currentReplicas": 1},
            }
        ]  # fmt: skip

    def _pod(self, workload: Workload, pod: Pod, now: float) -> PodRecording:
        made = super()._pod(workload, pod, now)
        own = pod.name.removeprefix(f"{workload.name}-").partition("-")[0]
        made.pod = json.loads(json.dumps(made.pod).replace(RECORDED_HASH, own))
        return made


def _set(owner: dict[str, Any], rollout: Rollout) -> None:
    container = owner["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"]["memory"] = f"{rollout.limit_bytes // MIB}Mi"
    container["image"] = rollout.image or container["image"]


def _written(container: str, rollout: Rollout) -> dict[str, Any]:
    of_container: dict[str, Any] = {"f:image": {}} if rollout.image else {"f:resources": {"f:limits": {"f:memory": {}}}}
    containers = {f'k:{{"name":"{container}"}}': of_container}
    return {
        "manager": rollout.by, "operation": "Update", "apiVersion": "apps/v1", "time": format_time(from_epoch(rollout.at)),
        "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}},
    }  # fmt: skip
