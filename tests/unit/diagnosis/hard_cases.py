"""Hard cases as facts: situations in which a hasty reading is wrong. Tests and people read the reports they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from receiver.domain.case import Missing
from receiver.domain.facts import Facts, MemoryHistory, NodeFacts, Revision, SiblingFact
from receiver.domain.units import GIB, MIB
from tests.unit.diagnosis.facts_kit import ago, container, death, facts, history, killing, log

NEAR = tuple(0.86 + 0.02 * (i % 4) for i in range(360))  # six hours, flat at 86 to 92 %


def _plateau(limit: int, *, until_s: float = 120) -> MemoryHistory:
    """Six hours flat at 86 to 92 % of the limit, then the kill, half a minute after the last scrape."""
    seen = history(*NEAR, 0.99, limit=limit, until=ago(until_s + 30))
    return replace(seen, kill_times_s=(ago(until_s).timestamp(),), starts_s=(ago(until_s + 6 * 3600).timestamp(),))


def several_died() -> Facts:
    """Two containers of one pod OOMKilled, the alert names none: the one that died last is the subject."""
    first = container("api", limit=256 * MIB, dead=death(at=ago(900), lived_s=4000), restart_count=1)
    second = container("worker", limit=512 * MIB, dead=death(lived_s=21600), restart_count=3)
    base = facts(first, second, workload="shop", history=_plateau(512 * MIB))
    return replace(base, subject=replace(base.subject, container=""), alerts=base.alerts[:1])


def init_and_main() -> Facts:
    """An init container died once, days ago; the main container is what dies now."""
    migrate = container(
        "migrate", kind="init", limit=128 * MIB, dead=death(at=ago(3 * 86400), lived_s=3), restart_count=1, state="terminated"
    )
    main = container("api", limit=512 * MIB, dead=death(lived_s=21600), restart_count=4)
    return facts(migrate, main, workload="api", killed="api", history=_plateau(512 * MIB))


def raised_yesterday() -> Facts:
    """Raised from 512Mi to 768Mi twenty hours ago, killed at 768Mi now, flat below it: the raise was not enough."""
    revisions = (
        Revision(name="api-2", revision=2, created_at=ago(20 * 3600), limits_bytes={"api": 768 * MIB}),
        Revision(name="api-1", revision=1, created_at=ago(40 * 86400), limits_bytes={"api": 512 * MIB}),
    )
    one = container("api", limit=768 * MIB, request=512 * MIB, dead=death(lived_s=21600), restart_count=1)
    return facts(one, workload="api", history=_plateau(768 * MIB), owner={"revisions": revisions})


def hpa_at_max() -> Facts:
    """Peaks that follow traffic, and an HPA that has nothing left to add."""
    one = container("api", limit=512 * MIB, request=256 * MIB, dead=death(lived_s=7200), restart_count=2)
    peaks = tuple(0.3 if i % 120 < 100 else 0.97 for i in range(720))
    seen = history(*peaks, 0.99, limit=512 * MIB)
    samples = tuple(replace(s, request_rate=400.0 * s.working_set_bytes / (512 * MIB)) for s in seen.samples)
    kills = tuple(samples[i].t_s + 20 for i in (119, 359, 720))
    seen = replace(seen, samples=samples, kill_times_s=kills)
    owner = {"hpa": {"name": "api", "min": 3, "max": 6, "current": 6, "metrics": ["cpu"]}}
    return facts(one, workload="api", history=seen, owner=owner)


def one_of_twelve() -> Facts:
    """One replica of twelve grows and dies; the other eleven run the same code without a kill."""
    siblings = tuple(SiblingFact(pod=f"api-655779759d-{i:05d}", node=f"n{i}", is_ready=True) for i in range(11))
    one = container("api", limit=512 * MIB, dead=death(lived_s=6 * 3600), restart_count=2)
    ramp = tuple(0.2 + 0.78 * i / 359 for i in range(360))
    seen = history(*ramp, *ramp, limit=512 * MIB)
    middle, end = seen.samples[359].t_s + 20, seen.samples[-1].t_s + 20
    seen = replace(seen, kill_times_s=(middle, end), starts_s=(seen.samples[0].t_s, middle + 30))
    base = facts(one, workload="api", history=seen, owner={"siblings": siblings})
    assert base.workload is not None
    return replace(base, workload=replace(base.workload, replicas_desired=12))


def node_took_it() -> Facts:
    """OOMKilled at a fifth of its own limit while the node was under pressure and the kubelet saw a system OOM."""
    one = container("batch", limit=2 * GIB, request=128 * MIB, dead=death(lived_s=3600), restart_count=1)
    event = replace(
        killing("System OOM encountered, victim process: java, pid: 4711", reason="SystemOOM", container=""), object_kind="Node"
    )
    node = NodeFacts(name="lab-node-1", allocatable_bytes=4 * GIB, has_memory_pressure=True, other_oom_kills=("shop/hungry-1 (hungry)",))
    return facts(one, workload="batch", history=history(*(0.2,) * 60, limit=2 * GIB), events=(event,), node=node)


def job_at_backoff_limit() -> Facts:
    """A Job's last pod was OOMKilled after 40 min; the Job gives up (backoffLimit)."""
    one = container("export", limit=1 * GIB, request=1 * GIB, restart_count=0, state="terminated", terminated=death(lived_s=2400))
    ramp = tuple(0.1 + 0.88 * i / 39 for i in range(40))
    pod = {"phase": "Failed", "qos_class": "Guaranteed"}
    return facts(one, kind="Job", workload="export", history=history(*ramp, limit=GIB), pod=pod)


def pod_deleted() -> Facts:
    """The pod is gone from the API; Prometheus still has its last hours and the kill."""
    gone = Missing(source="pod", why="not found: it was deleted before it could be read")
    return replace(facts(workload="api", killed="api", history=_plateau(512 * MIB), node=None, missing=(gone,)), node=None)


def guaranteed() -> Facts:
    """Guaranteed QoS: limit and request are equal and have to stay so."""
    one = container("ledger", limit=512 * MIB, request=512 * MIB, dead=death(lived_s=21600), restart_count=2)
    return facts(one, workload="ledger", history=_plateau(512 * MIB), pod={"qos_class": "Guaranteed"})


def pod_level() -> Facts:
    """Two containers share the pod's limit: neither has one of its own."""
    one = container("app", limit=None, request=None, dead=death(lived_s=21600), restart_count=2)
    other = container("proxy", limit=None, request=None)
    return facts(one, other, workload="podlevel", pod={"pod_limit_bytes": 512 * MIB, "pod_request_bytes": 256 * MIB})


def jvm_near_limit() -> Facts:
    """-Xmx900m under a limit of 1Gi: the heap may fill what leaves no room for the rest of the JVM."""
    one = container(
        "pricing", limit=GIB, request=GIB, dead=death(lived_s=21600), restart_count=2, command=("java", "-Xmx900m", "-jar", "a.jar")
    )
    return facts(
        one, workload="pricing", history=_plateau(GIB), log=log("INFO OrderService started, max heap 900 MiB", container="pricing")
    )


HARD: Mapping[str, Callable[[], Facts]] = {
    f.__name__: f
    for f in (several_died, init_and_main, raised_yesterday, hpa_at_max, one_of_twelve, node_took_it, job_at_backoff_limit, pod_deleted,
              guaranteed, pod_level, jvm_near_limit)
}  # fmt: skip
