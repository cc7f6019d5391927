"""All witnesses of one container's memory beside its own series."""

from __future__ import annotations

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.heap import heap_witnesses
from receiver.diagnosis.memory.replicas import replica_witnesses
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.facts import ContainerFacts, Facts


def witnesses_of(facts: Facts, container: ContainerFacts | None, name: str) -> tuple[Witness, ...]:
    """What the runtime's heap metrics and the workload's other pods say about this container's memory."""
    if facts.history is None or not facts.history.samples:
        return ()
    scale = _scale(facts, container)
    revisions = facts.workload.revisions if facts.workload is not None else ()
    return (
        *heap_witnesses(facts.heap, facts.history, scale=scale),
        *replica_witnesses(facts.replicas, pod=facts.subject.pod, container=name, scale=scale, revisions=revisions),
    )


def _scale(facts: Facts, container: ContainerFacts | None) -> float:
    """The limit in bytes, or what stands in for it where none is known."""
    samples = facts.history.samples if facts.history is not None else ()
    limit = (container.limit_bytes if container is not None else None) or (samples[-1].limit_bytes if samples else None)
    return float(limit or th.NO_LIMIT_SCALE * max((s.working_set_bytes for s in samples), default=0.0))
