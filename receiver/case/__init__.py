"""Reading a case: from what the APIs answered to `Facts`. Pure: no clock, no I/O; a saved case reads the same for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from receiver.case.access import mapping, objects, quantity_bytes, text
from receiver.case.coverage import alert_coverage
from receiver.case.events import event_facts
from receiver.case.heap import heap_of
from receiver.case.history import busiest_container, child_kills, container_by_metrics, memory_history
from receiver.case.killed import pick_killed_container
from receiver.case.log import log_facts
from receiver.case.policies import limit_range_max, node_facts, quota_free
from receiver.case.rate import rate_source
from receiver.case.remains import pod_or_remains
from receiver.case.replicas import replicas_of
from receiver.case.since import since_of
from receiver.case.workload import workload_facts
from receiver.domain.case import HELD, LIFE, Case, Missing
from receiver.domain.change import Known
from receiver.domain.facts import Facts, MemoryHistory, PodFacts, WorkloadFacts
from receiver.domain.replicas import Replicas
from receiver.domain.typed_json import from_json
from receiver.domain.units import parse_time

__all__ = ["facts_of", "pick_killed_container"]

_REPLACED_AFTER = timedelta(minutes=1)  # clocks differ, and an alert cannot begin before its pod


def facts_of(case: Case) -> Facts:
    """Everything a case says, understood. Never raises for what an API answered: what cannot be read is as if not answered.

    The subject is made whole: its container is the one that was killed, its node the pod's.
    """
    answers = case.answers
    pod = pod_or_remains(answers, case.subject)
    events = event_facts({"items": [*objects(answers, "events", "items"), *objects(answers, "nodeevents", "items")]})
    subject, killed = case.subject, None
    if pod is not None:
        busiest = busiest_container(answers, pod.name)
        killed = pick_killed_container(pod, subject.container, events, busiest=busiest)
        subject = replace(subject, container=killed.name if killed else subject.container, node=subject.node or pod.node)
    elif subject.pod and not subject.container:
        subject = replace(subject, container=container_by_metrics(answers, subject.pod))
    workload = workload_facts(answers, subject, subject.container)
    history = memory_history(answers, pod=pod, pod_name=subject.pod, container=subject.container, now_s=_read_at(case, "history"))
    log = log_facts(answers.get("log"))
    has_died = killed is not None and killed.newest_termination is not None
    replicas = replicas_of(answers, container=subject.container, revisions=workload.revisions if workload is not None else ())
    missing = (
        case.missing
        + _replaced_pod(pod, case)
        + _unseen_replicas(answers, workload, replicas)
        + _silent_gaps(answers, history, subject.container, is_log_of_survivor=log is not None and log.is_current and has_died)
    )
    return Facts(
        now=case.gathered_at,
        subject=subject,
        alerts=case.alerts,
        pod=pod,
        events=events,
        log=log,
        workload=workload,
        history=history,
        node=node_facts(answers, subject.pod, case.gathered_at),
        usage_bytes=_usage(answers.get("metrics"), subject.container),
        quota_max_limit_bytes=limit_range_max(answers.get("limitrange")),
        quota_free_limit_bytes=quota_free(answers.get("resourcequota"), "limits.memory"),
        quota_free_request_bytes=quota_free(answers.get("resourcequota"), "requests.memory"),
        coverage=alert_coverage(answers, subject, frozenset(a.fingerprint for a in case.alerts)),
        child_kills=child_kills(answers, pod=pod, pod_name=subject.pod, container=subject.container),
        redactions=case.redactions,
        missing=missing,
        known=_known(case),
        is_pod_gone=_is_pod_gone(case),
        since=since_of(answers.get("since"), container=subject.container),
        heap=heap_of(answers.get("heap"), container=subject.container, pod=subject.pod),
        replicas=replicas,
        rate=rate_source(answers.get("traffic")),
    )


def _known(case: Case) -> Known:
    """What the incident remembers; nothing where a note was written by another release and cannot be read."""
    try:
        return from_json(Known, case.notes.get(LIFE) or {})
    except ValueError:
        return Known()


def _is_pod_gone(case: Case) -> bool:
    """Whether Kubernetes told of the owner and had no such pod: it was replaced, and the API is not merely away."""
    held = case.notes.get(HELD) or {}
    has_fresh_pod = "pod" in case.answers and "pod" not in held
    return bool(case.subject.pod) and not has_fresh_pod and "owners" in case.answers and "owners" not in held


def _read_at(case: Case, source: str) -> float:
    """When that answer was read, seconds since 1970: by this look, or by the one that it is held from."""
    at = parse_time((case.notes.get(HELD) or {}).get(source))
    return (at or case.gathered_at).timestamp()


def _usage(metrics: object, container: str) -> int | None:
    """What kubectl top shows for the container."""
    found = (c for c in objects(metrics, "containers") if text(c, "name") == container)
    return next((used for c in found if (used := quantity_bytes(c, "usage", "memory")) is not None), None)


def _silent_gaps(
    answers: Mapping[str, Any], history: MemoryHistory | None, container: str, *, is_log_of_survivor: bool
) -> tuple[Missing, ...]:
    """What was answered without an error and still is not there: an empty history is not a flat one."""
    gaps = []
    if is_log_of_survivor:
        gaps.append(Missing(source="log", why="already removed by the runtime", hint="shown is the log of the container that runs now"))
    was_answered = "history" in answers or "recent" in answers
    if was_answered and (history is None or not history.samples):
        gaps.append(_no_samples(answers, container))
    for source in ("history", "recent", "traffic", "peaks"):
        answer = answers.get(source)
        said = answer.get("warnings") if isinstance(answer, Mapping) else None
        if isinstance(said, list) and said:
            why = f"Prometheus warns that its answer is partial: {str(said[0])[:200]}"
            gaps.append(Missing(source=source, why=why, hint="lives and peaks may be missing from it"))
            break
    return tuple(gaps)


def _replaced_pod(pod: PodFacts | None, case: Case) -> tuple[Missing, ...]:
    """A StatefulSet's pod may be a successor of the one that the alert is about: its status then tells nothing of the kill."""
    began = max((a.starts_at for a in case.alerts), default=None)
    if pod is None or pod.created_at is None or began is None or pod.created_at - began <= _REPLACED_AFTER:
        return ()
    why = f"created at {pod.created_at:%H:%M:%S} UTC, after the alert began: what was killed may be an earlier pod of that name"
    return (Missing(source="pod", why=why, hint="its status and log ended with it"),)


def _unseen_replicas(answers: Mapping[str, Any], workload: WorkloadFacts | None, replicas: Replicas | None) -> tuple[Missing, ...]:
    """Replicas that run and that Prometheus tells nothing of: that they do not grow is not known."""
    others = [s for s in workload.siblings if s.is_running] if workload is not None else []
    if not others or replicas is not None or not mapping(answers.get("history"), "series"):
        return ()
    why, hint = "Prometheus has no memory samples of the other replicas", "is every node's kubelet scraped, and no pod dropped?"
    return (Missing(source="siblings", why=why, hint=hint, is_normal=True, is_configuration=True),)


def _no_samples(answers: Mapping[str, Any], container: str) -> Missing:
    knows_pod = any(series for source in ("history", "recent") for series in mapping(answers.get(source), "series").values())
    if knows_pod:
        why = f"Prometheus has no memory sample of {f'container {container}' if container else 'this pod'}"
        return Missing(source="history", why=why, hint="its lives may have been shorter than the scrape interval")
    return Missing(
        source="history",
        why="Prometheus knows nothing of this pod",
        hint="is the kubelet's /metrics/cadvisor scraped, and are its labels called namespace, pod and container?",
        is_configuration=True,
    )
