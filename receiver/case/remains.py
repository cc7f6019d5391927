"""A pod that cannot be read, pieced together from what outlives it: its owner's template and kube-state-metrics' series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from receiver.case.access import mapping, objects, string_map, text
from receiver.case.pod import container_facts, pod_facts
from receiver.case.series import Stairs, Track, tracks
from receiver.domain.facts import ContainerFacts, PodFacts, Termination
from receiver.domain.identity import Subject
from receiver.domain.units import UNLIMITED_BYTES, from_epoch

_SOURCES = ("recent", "history")
_KINDS = (("initContainers", "init"), ("containers", "regular"))


def pod_or_remains(answers: Mapping[str, Any], subject: Subject) -> PodFacts | None:
    """The pod as the API has it; else what Prometheus saw of it, in the shape that its owner's template gives it. None: neither knows it.

    The limit is the one that was in force, where a series tells it. How it ended is as kube-state-metrics told it last: without
    an exit code where that version does not export one.
    """
    pod = pod_facts(answers.get("pod"))
    if pod is not None or not subject.pod:
        return pod
    seen = {t.container for name in ("last_terminated_reason", "restarts", "limit") for t in _tracks(answers, name, subject.pod)} - {""}
    if not seen:
        return None
    template = _template(answers)
    containers = [
        container_facts(spec, {}, kind) for key, kind in _KINDS for spec in objects(template, "spec", key) if text(spec, "name") in seen
    ]
    containers += [ContainerFacts(name=name) for name in sorted(seen - {c.name for c in containers})]
    return PodFacts(
        namespace=subject.namespace,
        name=subject.pod,
        node=subject.node,
        labels=string_map(template, "metadata", "labels"),
        annotations=string_map(template, "metadata", "annotations"),
        containers=tuple(_as_seen(c, answers, subject.pod) for c in containers),
        is_pieced_together=True,
    )


def _template(answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod template of the owner that has one, its own before that of what owns it."""
    owners = objects(answers, "owners")
    found = (mapping(o, "spec", "template") or mapping(o, "spec", "jobTemplate", "spec", "template") for o in owners)
    return next((t for t in found if t), {})


def _as_seen(container: ContainerFacts, answers: Mapping[str, Any], pod: str) -> ContainerFacts:
    limits = [_last(_tracks(answers, name, pod, container.name)) for name in ("enforced_limit", "limit")]
    limit = next((v for v in limits if v and v < UNLIMITED_BYTES), None)
    restarts = _last(_tracks(answers, "restarts", pod, container.name))
    return replace(
        container,
        limit_bytes=int(limit) if limit else container.limit_bytes,
        restart_count=int(restarts or 0),
        last_terminated=_end(answers, pod, container.name),
    )


def _end(answers: Mapping[str, Any], pod: str, container: str) -> Termination | None:
    told = [t for t in _tracks(answers, "last_terminated_reason", pod, container) if t.reason and t.points[-1][1] > 0]
    if not told:
        return None
    newest = max(told, key=lambda t: t.points[-1][0])
    at_s = _last(_tracks(answers, "last_terminated_at", pod, container)) or next(t for t, value in newest.points if value > 0)
    code = _last(_tracks(answers, "last_exit_code", pod, container))
    return Termination(reason=newest.reason, exit_code=int(code) if code is not None else None, finished_at=from_epoch(at_s))


def _tracks(answers: Mapping[str, Any], name: str, pod: str, container: str = "") -> tuple[Track, ...]:
    return tuple(t for source in _SOURCES for t in tracks(answers.get(source), name, pod=pod, container=container))


def _last(found: tuple[Track, ...]) -> float | None:
    """The newest value, the highest where several series end together."""
    newest = max((t.points[-1][0] for t in found), default=0.0)
    return Stairs(found).at(newest) if found else None
