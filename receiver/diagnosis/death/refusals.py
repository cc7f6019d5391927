"""What the kubelet's message about a pod that it ended or refused says in numbers and names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death.witnesses.pod_status import NOT_ENOUGH, OVER_SIZE_LIMIT
from receiver.domain.units import parse_bytes_or_none

MEMORY = "memory"
_USED = re.compile(r"\bContainer (?P<container>[a-z0-9-]{1,63}) was using (?P<used>[0-9.]{1,20}[A-Za-z]{0,2})[ ,]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A pod that did not fit: of memory and storage in bytes, of CPU in thousandths of a core, else a count."""

    resource: str
    requested: int
    used: int
    capacity: int


def refusal_in(clues: Clues) -> Refusal | None:
    """What it asked for and what the node had, where the pod was refused for its request."""
    found = NOT_ENOUGH.search(clues.facts.pod.message) if clues.facts.pod is not None else None
    if found is None:
        return None
    return Refusal(
        resource=found["resource"].lower(), requested=int(found["requested"]), used=int(found["used"]), capacity=int(found["capacity"])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverVolume:
    """An emptyDir over its sizeLimit. `limit` as it was written; `is_memory`: what is in it is the pod's own memory."""

    volume: str
    limit: str
    is_memory: bool


def over_volume_in(clues: Clues) -> OverVolume | None:
    """The volume for which the pod was evicted."""
    pod = clues.facts.pod
    found = OVER_SIZE_LIMIT.search(pod.message) if pod is not None else None
    if pod is None or found is None:
        return None
    return OverVolume(volume=found["volume"], limit=found["limit"], is_memory=found["volume"] in pod.memory_volumes)


def used_when_evicted_bytes(clues: Clues) -> int | None:
    """What the eviction message says this container was using."""
    pod = clues.facts.pod
    found = next((m for m in _USED.finditer(pod.message) if m["container"] == clues.container_name), None) if pod is not None else None
    return parse_bytes_or_none(found["used"]) if found is not None else None
