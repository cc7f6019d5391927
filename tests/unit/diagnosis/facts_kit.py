"""Facts written by hand: short builders, and recorded incidents of a real cluster (Kubernetes 1.36) retold in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from receiver.domain.facts import (
    ContainerFacts,
    EventFact,
    Facts,
    LogFacts,
    MemoryHistory,
    NodeFacts,
    PodFacts,
    Sample,
    Termination,
    WorkloadFacts,
)
from receiver.domain.identity import Subject, Workload
from receiver.domain.reason import Reason, codes_of, reason
from receiver.domain.report import CauseName, Life, Shape
from receiver.domain.units import GIB, MIB
from tests.support import NOW, alert

DIED = NOW - timedelta(minutes=2)


def ago(seconds: float) -> datetime:
    """That many seconds before now."""
    return NOW - timedelta(seconds=seconds)


def death(
    reason: str = "OOMKilled", code: int | None = 137, *, lived_s: float | None = 13, at: datetime | None = DIED, message: str = ""
) -> Termination:
    """How a life ended; `lived_s` None leaves the start out."""
    started = at - timedelta(seconds=lived_s) if at is not None and lived_s is not None else None
    return Termination(reason=reason, exit_code=code, started_at=started, finished_at=at, message=message)


def container(
    name: str = "orders-api",
    *,
    limit: int | None = 96 * MIB,
    request: int | None = 64 * MIB,
    dead: Termination | None = None,
    **more: object,
) -> ContainerFacts:
    """A running container; `dead` is its lastState."""
    fields: dict[str, object] = {
        "state": "running", "restart_count": 6 if dead is not None else 0, "last_terminated": dead, "limit_bytes": limit, "request_bytes": request,
        "cpu_request": "20m", **more,
    }  # fmt: skip
    return ContainerFacts(name=name, **fields)  # type: ignore[arg-type]


def facts(
    *containers: ContainerFacts,
    kind: str = "Deployment",
    workload: str = "orders-api",
    killed: str = "",
    alerts: tuple[str, ...] = ("OOMKilled",),
    **more: object,
) -> Facts:
    """Facts about one pod of one workload; `killed` names the container (else the first)."""
    name = killed or (containers[0].name if containers else "")
    pod_name = f"{workload}-655779759d-jst99" if kind == "Deployment" else f"{workload}-0"
    pod_more = more.pop("pod", {})
    workload_more = more.pop("owner", {})
    assert isinstance(pod_more, dict)
    assert isinstance(workload_more, dict)
    pod = PodFacts(namespace="shop", name=pod_name, node="lab-node-1", phase="Running", qos_class="Burstable", containers=containers)
    fields: dict[str, object] = {
        "now": NOW,
        "subject": Subject(cluster="lab", namespace="shop", pod=pod_name, container=name),
        "alerts": tuple(alert(a, pod=pod_name, container=name) for a in alerts),
        "pod": replace(pod, **pod_more) if containers else None,
        "workload": WorkloadFacts(workload=Workload(kind=kind, name=workload), replicas_desired=1, **workload_more),
        "node": NodeFacts(name="lab-node-1", allocatable_bytes=4 * GIB, has_memory_pressure=False),
        **more,
    }
    return Facts(**fields)  # type: ignore[arg-type]


def log(*lines: str, container: str = "orders-api", current: bool = False) -> LogFacts:
    """The log of the dead instance, or of the running one."""
    return LogFacts(container=container, lines=lines, is_previous=not current, is_current=current)


def killing(message: str, *, at: datetime = DIED, reason: str = "Killing", container: str = "orders-api") -> EventFact:
    """An event of the kubelet about the container."""
    return EventFact(object_kind="Pod", object_name="p", reason=reason, message=message, at=at, first_at=at, container=container)


def history(*ratios: float, limit: int = 96 * MIB, step_s: float = 60.0, until: datetime = DIED) -> MemoryHistory:
    """Samples of use as shares of the limit, the last one at `until`."""
    end = until.timestamp()
    samples = tuple(
        Sample(t_s=end - step_s * (len(ratios) - 1 - i), working_set_bytes=r * limit, rss_bytes=r * limit, limit_bytes=limit)
        for i, r in enumerate(ratios)
    )
    return MemoryHistory(samples=samples, step_s=step_s)


def shape(cause: CauseName, confidence: float, *because: Reason, **more: object) -> Shape:
    """A verdict of the memory shape with its reasons, and the numbers a test needs."""
    return Shape(cause=cause, confidence=confidence, because=because, **more)  # type: ignore[arg-type]


def codes(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The codes of these reasons, with those of the reasons inside them."""
    return codes_of(*reasons)


def fact(reasons: Iterable[Reason], code: str, name: str) -> object:
    """A fact of the first of these reasons that has that code."""
    return next(r for r in reasons if r.code == code)[name]


GREW = reason(
    "memory.grew_in_lives", growth_bytes_per_h=(20.0 * MIB, 21.0 * MIB), lives_grown=4, lives_tested=4, floor_start_bytes=22.0 * MIB,
    floor_end_bytes=74.0 * MIB, is_lower_bound=True,
)  # fmt: skip
FLAT = reason("memory.usually_at", usual_bytes=85.0 * MIB, limit_bytes=96.0 * MIB)
SHORT_PEAKS = reason(
    "memory.usual_and_peaks", usual_bytes=160.0 * MIB, limit_bytes=512.0 * MIB, peak_bytes=511.0 * MIB, is_lower_bound=True
)
LEAK_SHAPE = Shape(
    cause=CauseName.LEAK, confidence=0.9, because=(GREW,),
    detail="steady", growth_bytes_per_h=20.7 * MIB, peak_bytes=79.2 * MIB, median_bytes=52 * MIB, limit_bytes=80.0 * MIB, history_s=11 * 3600.0, missing_s=1920.0,
    lives=tuple(Life(start_s=i * 1e4, end_s=i * 1e4 + 9e3, is_killed=True, peak_bytes=79 * MIB, floor_start_bytes=22 * MIB, is_ramp=True) for i in range(4)),
)  # fmt: skip


def the(code: str, *reasons: Reason | None) -> Reason:
    """The reason of this code among these, or inside one of them."""
    waiting = [r for r in reasons if r is not None]
    for one in waiting:
        if one.code == code:
            return one
        inner = [fact if isinstance(fact, tuple) else (fact,) for _, fact in one.facts]
        waiting += [r for group in inner for r in group if isinstance(r, Reason)]
    raise AssertionError(f"no {code} among {codes_of(*reasons)}")
