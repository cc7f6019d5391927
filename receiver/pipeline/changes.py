"""What happened to an incident between two rounds of the watch, and how many kills that were. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from receiver.domain.kube_names import workload_from_pod_name
from receiver.domain.pulse import COMPLETED, KILLED, MOST_PODS, ContainerPulse, WatchMemory

DEATH, PROCESSES, LIMIT, PODS, READY, OWNER, REPEAT = "death", "processes", "limit", "pods", "ready", "owner", "repeat"
STRUCTURE = frozenset({LIMIT, PODS, OWNER})  # what runs is another thing: what was kept of the owner is old

SAME_DEATH = timedelta(seconds=2)  # the kubelet and kube-state-metrics round the same moment differently
ROUNDED = timedelta(seconds=1)  # times of death are whole seconds
MOST_KEPT = 200  # pods whose kills are remembered

Pods = Mapping[str, ContainerPulse]


def settled(before: Pods | None, now: Pods) -> Pods:
    """The pods of this round, completed by what was known before: an exporter that is away for a moment changes nothing."""
    return {name: _settled((before or {}).get(name), pulse) for name, pulse in now.items()}


def changes(before: Pods | None, now: Pods, *, pod: str, looked_at: datetime) -> frozenset[str]:
    """What is new since the round before; where there was none, since the newest look. Both settled. `pod`: the incident's own."""
    found = {DEATH} if any(_has_died(before, name, pulse, looked_at) for name, pulse in now.items()) else set[str]()
    if before is None:
        return frozenset(found)
    both = [(before[name], pulse) for name, pulse in now.items() if name in before]
    if any((pulse.oom_events or 0) > (was.oom_events or 0) for was, pulse in both):
        found.add(PROCESSES)
    if any(_differ(was.limit_bytes, pulse.limit_bytes) for was, pulse in both) or not _limits(now) <= (_limits(before) or _limits(now)):
        found.add(LIMIT)
    if (pod in before and pod not in now) or _templates(now) - _templates(before) or any(_is_namesake(was, pulse) for was, pulse in both):
        found.add(PODS)
    if any(_differ(was.was_ready, pulse.was_ready) for was, pulse in both):
        found.add(READY)
    return frozenset(found)


def with_kills(watch: WatchMemory, now: Pods, *, known: Mapping[str, int]) -> WatchMemory:
    """The memory with the kills that were seen since its round. `known`: by pod, what looks have counted.

    A lower bound: of several deaths between two rounds only the newest says why, and a death that one source has counted is
    not counted again when another tells of it later.
    """
    if watch.pods is None:
        return watch
    kills, last_at = dict(watch.kills), watch.last_kill_at
    for name, pulse in now.items():
        was = watch.pods.get(name)
        new = _deaths_since(was, pulse, is_new=len(watch.pods) < MOST_PODS) if pulse.reason == KILLED else 0
        if not new:
            continue
        at_most = max(_deaths(pulse), _deaths(was) + 1 if was is not None else 1)
        kills[name] = max(kills.get(name, 0), min(max(kills.get(name, 0), known.get(name, 0)) + new, at_most))
        last_at = max((t for t in (pulse.died_at, last_at) if t is not None), default=None)
    kept = sorted(kills, key=lambda name: -kills[name])[:MOST_KEPT]
    return replace(watch, kills={name: kills[name] for name in kept}, last_kill_at=last_at)


def _settled(was: ContainerPulse | None, pulse: ContainerPulse) -> ContainerPulse:
    if was is None or _is_namesake(was, pulse):
        return replace(pulse, was_ready=pulse.is_ready)
    restarts = pulse.restarts if pulse.restarts is not None else was.restarts
    is_steady = pulse.is_ready is not None and pulse.is_ready == was.is_ready
    return replace(
        pulse,
        restarts=restarts,
        died_at=pulse.died_at or was.died_at,
        reason=pulse.reason or was.reason,
        oom_events=pulse.oom_events if pulse.oom_events is not None else was.oom_events,
        limit_bytes=pulse.limit_bytes if pulse.limit_bytes is not None else was.limit_bytes,
        is_ready=pulse.is_ready if pulse.is_ready is not None else was.is_ready,
        was_ready=pulse.is_ready if is_steady else was.was_ready,
    )


def _has_died(before: Pods | None, name: str, pulse: ContainerPulse, looked_at: datetime) -> bool:
    """Whether a container died, and the newest look could not know yet."""
    if pulse.died_at is not None and pulse.died_at + ROUNDED <= looked_at:
        return False
    if before is None:
        return pulse.died_at is not None and pulse.reason != COMPLETED
    return _deaths_since(before.get(name), pulse, is_new=len(before) < MOST_PODS) > 0


def _deaths_since(was: ContainerPulse | None, pulse: ContainerPulse, *, is_new: bool) -> int:
    """How often it died since. `is_new`: a pod that was not there before has come, and was not merely left out."""
    if pulse.reason == COMPLETED:
        return 0
    if was is None and not is_new:
        return int(pulse.died_at is not None)
    if was is None or _is_namesake(was, pulse):
        return max(_deaths(pulse), int(pulse.died_at is not None))
    if was.restarts is not None and _deaths(pulse) > _deaths(was):
        return _deaths(pulse) - _deaths(was)
    return int(pulse.died_at is not None and (was.died_at is None or pulse.died_at - was.died_at > SAME_DEATH))


def _deaths(pulse: ContainerPulse) -> int:
    """The end of what has never been started again counts; later ones with their restart, because an old end may be told for minutes."""
    return pulse.restarts or int(pulse.is_ended)


def _is_namesake(was: ContainerPulse, pulse: ContainerPulse) -> bool:
    """A new pod of the same name (StatefulSets): its restarts are counted anew."""
    return pulse.restarts is not None and was.restarts is not None and pulse.restarts < was.restarts


def _differ(was: object, now: object) -> bool:
    return was is not None and now is not None and was != now


def _limits(pods: Pods) -> set[int]:
    return {pulse.limit_bytes for pulse in pods.values() if pulse.limit_bytes is not None}


def _templates(pods: Pods) -> set[str]:
    """What the pods of one template are called after: more replicas, or the next run of a CronJob, are no other one."""
    found = set()
    for name in pods:
        owner = workload_from_pod_name(name)
        found.add(owner.name if owner is not None and owner.kind == "CronJob" else name.rpartition("-")[0] or name)
    return found
