"""A cgroup without a limit reports one of about 9.2e18 bytes. That is no limit, wherever it comes from."""

from __future__ import annotations

from dataclasses import replace

from receiver.domain.facts import ContainerFacts, Facts, MemoryHistory, MemorySetting, PodFacts, Revision, WorkloadFacts
from receiver.domain.units import UNLIMITED_BYTES


def without_unlimited(facts: Facts) -> Facts:
    """The same facts, with None for every limit that limits nothing."""
    return replace(
        facts,
        pod=_pod(facts.pod) if facts.pod is not None else None,
        history=_history(facts.history) if facts.history is not None else None,
        workload=_workload(facts.workload) if facts.workload is not None else None,
        quota_max_limit_bytes=_real(facts.quota_max_limit_bytes),
        quota_free_limit_bytes=_real(facts.quota_free_limit_bytes),
        quota_free_request_bytes=_real(facts.quota_free_request_bytes),
    )


def _real(limit_bytes: int | None) -> int | None:
    return limit_bytes if limit_bytes is not None and limit_bytes < UNLIMITED_BYTES else None


def _pod(pod: PodFacts) -> PodFacts:
    return replace(pod, pod_limit_bytes=_real(pod.pod_limit_bytes), containers=tuple(_container(c) for c in pod.containers))


def _container(container: ContainerFacts) -> ContainerFacts:
    return replace(container, limit_bytes=_real(container.limit_bytes), asked=_setting(container.asked))


def _setting(setting: MemorySetting) -> MemorySetting:
    return replace(setting, limit_bytes=_real(setting.limit_bytes))


def _history(history: MemoryHistory) -> MemoryHistory:
    if not any(s.limit_bytes is not None and s.limit_bytes >= UNLIMITED_BYTES for s in history.samples):
        return history  # nearly always, and a history has thousands of samples
    samples = (
        replace(s, limit_bytes=None) if s.limit_bytes is not None and s.limit_bytes >= UNLIMITED_BYTES else s for s in history.samples
    )
    return replace(history, samples=tuple(samples))


def _workload(workload: WorkloadFacts) -> WorkloadFacts:
    template = workload.template
    known = {name: _setting(s) for name, s in template.items()} if template is not None else None
    return replace(workload, revisions=tuple(_revision(r) for r in workload.revisions), template=known)


def _revision(revision: Revision) -> Revision:
    return replace(revision, limits_bytes={name: _real(limit) for name, limit in revision.limits_bytes.items()})
