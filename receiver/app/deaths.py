"""What died in a namespace (or the cluster, or among what a selector names), and a look at the worst of it.

The list costs one request for 200 pods, of which only the deaths are kept, and two to Prometheus for pods that are gone. A look costs what it costs an incident, so that
only the first few workloads get one, several at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from receiver.case import facts_of
from receiver.case.access import objects, text
from receiver.case.deaths import Death, deaths_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.away import RECEIVER, Gap
from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.domain.report import Report
from receiver.domain.target import Target
from receiver.domain.units import MIB
from receiver.errors import NotFound, SourceError, Unavailable
from receiver.evidence import Evidence
from receiver.evidence.kube import Kube, object_path
from receiver.evidence.missed import Missed
from receiver.render.deaths import Deaths, Row
from receiver.transport import several

PAGE = 200  # pods of a request: one is 10 to 30 KB, and the receiver that answers for a command has little room
MOST_PAGES = 100
PAGE_BYTES = 32 * MIB
MOST_LOOKS = 8  # workloads that are looked into
LOOKS_AT_A_TIME = 4  # each asks with a dozen threads of its own

Progress = Callable[[str], None]


def find_deaths(
    evidence: Evidence, target: Target, *, since_s: float | None, cluster_name: str = "", progress: Progress = lambda text: None,
    most_looks: int = MOST_LOOKS,
) -> Deaths:  # fmt: skip
    """All deaths among the target's pods within `since_s`. A SourceError when the pods cannot be listed, or there are none."""
    now = datetime.now(UTC)
    where = f"namespace {target.namespace}" if target.namespace else "all namespaces"
    there: set[tuple[str, str]] = set()

    def passing() -> Iterator[Mapping[str, Any]]:
        for pod in list_pods(kube_of(evidence), target, progress=progress, where=where):
            there.add((text(pod, "metadata", "namespace"), text(pod, "metadata", "name")))
            yield pod

    found = deaths_of(passing(), now=now, since=timedelta(seconds=since_s) if since_s is not None else None)
    if not there:
        raise NotFound(_no_pods(evidence, target, where))
    gone: tuple[Death, ...] = ()
    missing: tuple[str, ...] = ()
    if len(there) >= MOST_PAGES * PAGE:
        missing = (f"pods after the first {len(there):,}: name a namespace",)
    if since_s is not None and not target.selector:
        if evidence.prometheus is not None:
            progress("asking Prometheus for pods that are gone")
        gone, unseen = _gone(evidence, target, there, now=now, since_s=since_s)
        missing = (*missing, *unseen)
    deaths = (*found, *gone)
    reports = _looks(evidence, deaths, cluster_name=cluster_name, progress=progress, most=most_looks)
    return Deaths(
        where=f"{where}, {target.selector}" if target.selector else where, now=now, pods=len(there), since_s=since_s,
        rows=tuple(Row(death=death, report=reports.get(_kind_of(death))) for death in deaths),
        is_many_namespaces=not target.namespace, missing=missing,
    )  # fmt: skip


def kube_of(evidence: Evidence) -> Kube:
    """The Kubernetes client. Unavailable says how to get one."""
    if evidence.kube is None:
        raise Unavailable("no way into Kubernetes: set KUBE_API_URL, or install kubectl and a kubeconfig")
    return evidence.kube


def list_pods(kube: Kube, target: Target, *, where: str = "", progress: Progress = lambda text: None) -> Iterator[Mapping[str, Any]]:
    """The pods of a namespace (of all, when it is empty) that a selector names, page by page."""
    path = object_path("api/v1", "pods", namespace=target.namespace)
    params: dict[str, Any] = {"limit": PAGE, **({"labelSelector": target.selector} if target.selector else {})}
    n = 0
    for _ in range(MOST_PAGES):
        progress(f"reading the pods of {where}" + (f": {n:,} so far" if n else ""))
        answer = kube.get(path, params, max_bytes=PAGE_BYTES)
        page = objects(answer, "items")
        yield from page
        n += len(page)
        params["continue"] = text(answer, "metadata", "continue")
        if not params["continue"]:
            return


def _no_pods(evidence: Evidence, target: Target, where: str) -> str:
    kube = kube_of(evidence)
    if target.selector:
        return f"no pod in {where} has the labels {target.selector}; `kubectl get pods --show-labels` shows what they have"
    if target.namespace:
        try:
            kube.get(object_path("api/v1", "namespaces", name=target.namespace))
        except NotFound:
            return f"there is no namespace {target.namespace}; `kubectl get namespaces` lists them"
        except SourceError:
            return f"{where} has no pods, or there is no such namespace"
    return f"{where} has no pods"


def _gone(
    evidence: Evidence, target: Target, there: Collection[tuple[str, str]], *, now: datetime, since_s: float
) -> tuple[tuple[Death, ...], tuple[str, ...]]:
    """OOM kills of pods that the API does not have any more, as Prometheus knows them."""
    if evidence.prometheus is None:
        return (), ("pods that were deleted meanwhile: PROMETHEUS_URL is not set",)
    since = now - timedelta(seconds=since_s)
    try:
        past = Missed(None, evidence.prometheus).past(Gap(since=since, until=now, whose=RECEIVER), now=now.timestamp())
    except SourceError as exc:
        return (), (f"pods that were deleted meanwhile: {exc}",)
    kills = [(kill.labels["namespace"], kill.labels["pod"], kill.labels["container"], kill.at) for kill in past.kills] if past else []
    found = [
        Death(
            namespace=namespace, pod=pod, container=container, reason="OOMKilled", at=at, workload=workload_from_pod_name(pod), is_memory=True,
            is_gone=True,
        )
        for namespace, pod, container, at in kills
        if (namespace, pod) not in there and target.namespace in ("", namespace) and (at is None or at >= since)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda d: -(d.at or now).timestamp())), ()


def _kind_of(death: Death) -> tuple[str, ...]:
    """Deaths that one look speaks for: of one container of one workload, for the same reason."""
    owner = f"{death.workload.kind}/{death.workload.name}" if death.workload is not None else death.pod
    return death.namespace, owner, death.container, death.reason


def _looks(
    evidence: Evidence, deaths: Sequence[Death], *, cluster_name: str, progress: Progress, most: int
) -> Mapping[tuple[str, ...], Report]:
    first = {_kind_of(death): death for death in reversed(deaths)}
    chosen = [(kind, first[kind]) for kind in dict.fromkeys(_kind_of(death) for death in deaths)][:most]

    def told(n: int) -> None:
        death = chosen[n - 1][1]
        progress(f"looking into {n} of {len(chosen)}: {death.namespace}/{death.pod}")

    calls = [partial(_report, evidence, death, cluster_name) for _, death in chosen]
    reports = several(calls, at_a_time=LOOKS_AT_A_TIME, told=told)
    return {kind: report for (kind, _), report in zip(chosen, reports, strict=True) if report is not None}


def _report(evidence: Evidence, death: Death, cluster_name: str) -> Report | None:
    subject = Subject(
        cluster=cluster_name,
        namespace=death.namespace,
        pod=death.pod,
        container=death.container,
        workload=workload_from_pod_name(death.pod),
    )
    facts = facts_of(evidence.gather(subject, (), datetime.now(UTC)))
    return diagnose(facts) if facts.pod is not None or facts.history is not None else None
