"""The branches `replicas` and `replica_peaks` of Prometheus' answers: the lives of some pods of the workload, with the rollout of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from receiver.case.access import get, mapping, objects, string_map, text
from receiver.case.series import Track, alive, tracks
from receiver.domain.facts import Revision
from receiver.domain.replicas import ReplicaLife, Replicas
from receiver.domain.units import from_epoch

_LATE_STEPS = 1.5  # after the beginning of what was asked: what is first seen later has begun since
_HASHES = ("pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash")
_STEPS_S = {"peaks": 1800.0, "history": 300.0}  # of the floors in each answer, the coarse ones first


def replicas_of(answers: Mapping[str, Any], *, container: str, revisions: Sequence[Revision]) -> Replicas | None:
    """The lives of the subject's pod and of some others; None where Prometheus knows of one pod alone, or was not asked."""
    found: dict[tuple[str, str], ReplicaLife] = {}
    whose = _Whose(answers, revisions)
    for source, step_s in _STEPS_S.items():
        asked_from_s = get(answers.get(source), "start")
        begin_s = float(asked_from_s) if isinstance(asked_from_s, (int, float)) else 0.0
        for track in _of_lives(tracks(answers.get(source), "replicas", container=container)):
            key, points = (track.pod, track.id), tuple(p for p in track.points if p[1] > 0)
            if not points:
                continue
            is_begun = points[0][0] > begin_s + _LATE_STEPS * step_s
            start_s = points[0][0] - step_s / 2 if is_begun else None
            earlier = found.get(key)
            if earlier is not None:  # a week by the half hour, and its last day finer
                points = tuple(p for p in earlier.floors if p[0] < points[0][0]) + points
                start_s = start_s if is_begun else earlier.start_s
            found[key] = ReplicaLife(
                pod=track.pod, floors=points, start_s=start_s, revision=whose.revision(track, start_s if start_s is not None else points[0][0])
            )  # fmt: skip
    if len({life.pod for life in found.values()}) < 2:
        return None
    return Replicas(
        lives=tuple(sorted(found.values(), key=lambda life: life.floors[0][0])),
        peaks={t.pod: t.points for t in tracks(answers.get("history"), "replica_peaks", container=container)},
        rates=_rates(answers.get("traffic")),
    )


def _rates(traffic: object) -> dict[str, float]:
    """By pod, the mean request rate of the day."""
    found = (t for name in mapping(traffic, "series") if name.startswith("replicas:") for t in tracks(traffic, name))
    return {t.pod: sum(v for _, v in t.points) / len(t.points) for t in found}


def _of_lives(series: Iterable[Track]) -> list[Track]:
    """The series that tell lives apart, where a pod has any; each without what lingers after its end."""
    by_pod: dict[str, list[Track]] = {}
    for track in series:
        by_pod.setdefault(track.pod, []).append(track)
    kept = []
    for pod, of_pod in by_pod.items():
        told = [t for t in of_pod if t.id] or of_pod
        kept += [
            Track(pod=pod, container=t.container, id=t.id, reason="", points=points)
            for t, points in zip(told, alive(told, ()), strict=True)
            if points
        ]
    return kept


class _Whose:
    """Which rollout a life is of: by its pod's name, by the label of its pod, or by when it began."""

    def __init__(self, answers: Mapping[str, Any], revisions: Sequence[Revision]) -> None:
        pods = (*objects(answers, "siblings", "items"), answers.get("pod"))
        self._revisions = revisions
        self._hashes = {
            text(p, "metadata", "uid"): next((labels[name] for name in _HASHES if labels.get(name)), "")
            for p in pods
            if text(p, "metadata", "uid") and (labels := string_map(p, "metadata", "labels"))
        }

    def revision(self, track: Track, began_s: float) -> str:
        """Its name; empty where nothing tells."""
        if by_name := next((r.name for r in self._revisions if r.name and track.pod.startswith(f"{r.name}-")), ""):
            return by_name
        cgroup = track.id.replace("_", "-")
        label = next((hashed for uid, hashed in self._hashes.items() if uid in cgroup), "")
        if label:
            return next((r.name for r in self._revisions if r.name == label or r.name.endswith(f"-{label}")), "")
        return self._by_time(from_epoch(began_s)) if track.id and self._hashes else ""

    def _by_time(self, began: datetime) -> str:
        """Of a pod that is gone: the newest rollout before it. A life shortly after a rollout may be the one before's."""
        older = [r for r in self._revisions if r.created_at is not None and r.created_at <= began]
        return max(older, key=lambda r: r.created_at or began).name if older else ""
