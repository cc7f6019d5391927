"""Who died in a list of pods, as their status tells: a line each, before anybody looks into one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.case.access import controller_of, text
from receiver.case.killed import is_memory_death
from receiver.case.pod import pod_facts
from receiver.case.workload import guessed_owner
from receiver.domain.facts import ContainerFacts, PodFacts, Termination
from receiver.domain.kube_names import Workload, workload_from_pod_name

SIGKILL = 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """The newest end of one container, or of a pod that was evicted (`container` empty). `lived_s` None: not known.

    `is_memory`: its status says memory; `may_be_memory`: SIGKILL, which says no more than that. `is_gone`: its pod is deleted.
    """

    namespace: str
    pod: str
    container: str
    reason: str
    at: datetime | None
    workload: Workload | None = None
    exit_code: int | None = None
    lived_s: float | None = None
    restarts: int = 0
    limit_bytes: int | None = None
    is_memory: bool = False
    is_gone: bool = False

    @property
    def may_be_memory(self) -> bool:
        """Whether somebody killed it, and memory is a usual reason for that."""
        return self.is_memory or self.exit_code == SIGKILL


def deaths_of(pods: Iterable[object], *, now: datetime, since: timedelta | None) -> tuple[Death, ...]:
    """Deaths among these v1 Pods, what says memory first, then the newest. `since` None: however long ago; normal ends are none."""
    found = [death for pod in pods for death in _of_pod(pod)]
    recent = [d for d in found if since is None or (d.at is not None and now - d.at <= since)]
    return tuple(sorted(recent, key=lambda d: (not d.is_memory, not d.may_be_memory, -(d.at or now).timestamp(), d.namespace, d.pod)))


def _of_pod(pod: object) -> Iterator[Death]:
    facts = pod_facts(pod)
    if facts is None:
        return
    workload = _owner(pod, facts)
    if facts.reason == "Evicted":
        yield _evicted(facts, workload)
        return
    for container in facts.containers:
        end = container.newest_termination
        if end is not None and not (end.exit_code == 0 and end.reason in ("Completed", "")):
            yield _death(facts, container, end, workload)


def _death(facts: PodFacts, container: ContainerFacts, end: Termination, workload: Workload | None) -> Death:
    lived_s = (end.finished_at - end.started_at).total_seconds() if end.started_at and end.finished_at else None
    return Death(
        namespace=facts.namespace, pod=facts.name, container=container.name, reason=end.reason, at=end.finished_at, workload=workload,
        exit_code=end.exit_code, lived_s=lived_s, restarts=container.restart_count, limit_bytes=container.limit_bytes or facts.pod_limit_bytes,
        is_memory=is_memory_death(end),
    )  # fmt: skip


def _evicted(facts: PodFacts, workload: Workload | None) -> Death:
    """An evicted pod has no containers' ends any more, only its own reason and when it was chosen."""
    at = facts.disruption.at if facts.disruption is not None else None
    ends = [c.newest_termination.finished_at for c in facts.containers if c.newest_termination and c.newest_termination.finished_at]
    at = at or max(ends, default=None) or facts.started_at
    return Death(
        namespace=facts.namespace, pod=facts.name, container="", reason="Evicted", at=at, workload=workload,
        is_memory="memory" in facts.message.lower(),
    )  # fmt: skip


def _owner(pod: object, facts: PodFacts) -> Workload | None:
    """What a person edits, without another request: the ReplicaSet's owner by its name, else the controller."""
    guess = guessed_owner(pod)
    if guess is not None:
        return guess
    reference: Mapping[str, object] = controller_of(pod)
    kind, name = text(reference, "kind"), text(reference, "name")
    return Workload(kind=kind, name=name) if kind and name and kind != "Node" else workload_from_pod_name(facts.name)
