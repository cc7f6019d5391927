"""Which container of a pod the incident is about, when several could be meant."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta

from receiver.domain.facts import ContainerFacts, EventFact, PodFacts, Termination

# A kill for memory this much older than the pod's newest death is not what the alert is about.
SAME_TROUBLE = timedelta(hours=1)
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_OOM_WORDS = ("oom", "memory limit too low")


def pick_killed_container(pod: PodFacts, hint: str = "", events: Iterable[EventFact] = (), *, busiest: str = "") -> ContainerFacts | None:
    """The container that died, or that the alert names, or that most likely is meant; None for a pod without containers.

    `hint`: the alert's container label; it wins when the pod has such a container (a kube-state-metrics scraped without
    honor_labels puts its own name there). `busiest`: the container using most memory, for pods where nothing died.
    """
    named = pod.container(hint) if hint else None
    if named is not None:
        return named
    evicted = _named_by_eviction(pod)
    if evicted is not None:
        return evicted
    deaths = [(c, t) for c in pod.containers if (t := _death(c)) is not None]
    if deaths:
        return _most_telling(deaths)
    restarted = max((c for c in pod.containers if c.restart_count), key=lambda c: c.restart_count, default=None)
    if restarted is not None:
        return restarted
    for event in sorted(events, key=lambda e: _or_oldest(e.at), reverse=True):
        if event.is_memory_relevant and event.container and (found := pod.container(event.container)):
            return found
    candidates = (busiest, pod.annotations.get(_DEFAULT_CONTAINER, ""))
    named = next((found for name in candidates if name and (found := pod.container(name))), None)
    return named or next((c for c in pod.containers if c.kind == "regular"), next(iter(pod.containers), None))


def is_memory_death(death: Termination) -> bool:
    """Whether a termination itself says memory. A StartError may: the restart died of what the last life left in a tmpfs."""
    if death.reason == "OOMKilled":
        return True
    return death.reason == "StartError" and any(word in death.message.lower() for word in _OOM_WORDS)


def _death(container: ContainerFacts) -> Termination | None:
    """The newest termination that was not a normal end (init containers end with Completed)."""
    death = container.newest_termination
    if death is None or (death.exit_code == 0 and death.reason in ("Completed", "")):
        return None
    return death


def _most_telling(deaths: list[tuple[ContainerFacts, Termination]]) -> ContainerFacts:
    newest = max(_or_oldest(t.finished_at) for _, t in deaths)

    def rank(entry: tuple[ContainerFacts, Termination]) -> tuple[bool, datetime, int]:
        container, death = entry
        at = _or_oldest(death.finished_at)
        is_current = newest - at <= SAME_TROUBLE or death.finished_at is None
        return is_memory_death(death) and is_current, at, container.restart_count

    return max(deaths, key=rank)[0]


def _named_by_eviction(pod: PodFacts) -> ContainerFacts | None:
    """The container an eviction message blames: "Container renderer was using 180Mi, request is 64Mi"."""
    if pod.reason != "Evicted":
        return None
    words = pod.message.replace(",", " ").split()
    for before, name in itertools.pairwise(words):
        if before == "Container" and (found := pod.container(name)):
            return found
    return None


def _or_oldest(at: datetime | None) -> datetime:
    return at if at is not None else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
