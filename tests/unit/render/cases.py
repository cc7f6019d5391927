"""Reports and incidents for the message tests: a few stories, written out as diagnoses would state them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

from receiver.domain.alerts import Alert
from receiver.domain.case import Missing
from receiver.domain.facts import (
    ContainerFacts,
    EventFact,
    Facts,
    LogFacts,
    MemoryHistory,
    NodeFacts,
    PodFacts,
    Sample,
    SiblingFact,
    Termination,
    WorkloadFacts,
)
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import LogEntry
from receiver.domain.reason import reason
from receiver.domain.report import (
    Cause,
    CauseName,
    CheckItem,
    Hpa,
    Kill,
    KillKind,
    Life,
    LongTerm,
    Proposal,
    Report,
    Sender,
    Shape,
    Signature,
    TreeStep,
    Warn,
)
from receiver.domain.units import MIB, format_quantity
from receiver.render.wording import CHECKLIST
from tests.support import said

NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
PAGE = "https://oomtriage.example.net/incidents/inc_01K8ORDERS"
CAUSES = "https://oomtriage.example.net/causes"
LOW = "The node was low on resource: memory. Threshold quantity: 150Mi, available: 66Mi. "

ACKNOWLEDGED = reason("incident.log.acknowledged", by="Ines")
RESOLVED_THEN = reason("incident.log.resolved")
FIX_APPLIED = reason("incident.log.fix_applied", by="Ines")


def at(clock: str, day: int = 23) -> datetime:
    """`03:14` or `03:14:05` on a day of November 2026, UTC."""
    return datetime.combine(date(2026, 11, day), time.fromisoformat(clock), tzinfo=UTC)


def mib(n: float) -> int:
    return int(n * MIB)


def subject(workload: str = "orders-api", container: str = "", *, kind: str = "Deployment", pod: str | None = None) -> Subject:
    name = pod if pod is not None else f"{workload}-7d9c5b8f6d-x2x9k"
    return Subject(
        cluster="lab", namespace="shop", pod=name, container=container or workload, node="", workload=Workload(kind=kind, name=workload)
    )


def alert(
    name: str = "OOMKilled", severity: str = "critical", *, status: str = "firing", starts: datetime | None = None, **labels: str
) -> Alert:
    base = {"alertname": name, "severity": severity, "cluster": "lab", "namespace": "shop"}
    return Alert(
        status=status, labels=base | labels, annotations={"summary": "Container killed for memory"}, starts_at=starts or at("03:14:30"),
        ends_at=None, fingerprint="f00d",
    )  # fmt: skip


def container(name: str, *, limit: float | None = 80, request: float | None = 64, restarts: int = 0, state: str = "running", reason: str = "",
              last: Termination | None = None) -> ContainerFacts:  # fmt: skip
    return ContainerFacts(
        name=name, limit_bytes=mib(limit) if limit else None, request_bytes=mib(request) if request else None, restart_count=restarts,
        state=state, state_reason=reason, last_terminated=last, is_ready=state == "running", image=f"registry/{name}:1.4.2",
    )  # fmt: skip


def pod(who: Subject, *containers: ContainerFacts, qos: str = "Burstable", **more: object) -> PodFacts:
    return PodFacts(namespace=who.namespace, name=who.pod, uid="u-1", node="lab-node-1", phase="Running", qos_class=qos,
                    containers=containers, **more)  # type: ignore[arg-type]  # fmt: skip


def ended(reason: str, code: int, start: datetime, end: datetime) -> Termination:
    return Termination(reason=reason, exit_code=code, started_at=start, finished_at=end)


def steps(*rows: tuple[str, str, str, str]) -> tuple[TreeStep, ...]:
    return tuple(
        TreeStep(id=f"step{i}", question=said(q), answer=a, because=said(b), leads_to=leads) for i, (q, a, b, leads) in enumerate(rows)
    )


def no_change(why: str) -> Proposal:
    """No proposal, for this reason."""
    return Proposal(none=said(why))


def checklist(**results: str | tuple[str, str]) -> tuple[CheckItem, ...]:
    """The nine items; each given result is `done` unless it says otherwise as (state, result)."""
    items = []
    for key in CHECKLIST:
        given = results.get(key, ("todo", "yours"))
        state, result = given if isinstance(given, tuple) else ("done", given)
        items.append(CheckItem(id=key, state=state, result=said(result)))
    return tuple(items)


def view_of(report: Report, **more: object) -> IncidentView:
    fields: dict[str, object] = {
        "id": "inc_01K8ORDERS", "state": "firing", "subject": report.subject, "severity": "critical", "opened_at": at("18:52", 22),
        "alerts": report.facts.alerts, "kill_count": 1, "last_kill_at": report.kill.at, "pods": (report.subject.pod,), "page_url": PAGE, "causes_url": CAUSES,
    }  # fmt: skip
    return IncidentView(**(fields | more))  # type: ignore[arg-type]


def raised(
    before: float,
    after: float,
    *,
    role: str = "fix",
    buys_h: float | None = None,
    workload: str = "orders-api",
    why: str = "",
    checks: tuple[str, ...] = (),
) -> Proposal:
    old, new = format_quantity(mib(before)), format_quantity(mib(after))
    return Proposal(
        role=role, limit_before_bytes=mib(before), limit_bytes=mib(after), request_before_bytes=mib(64), buys_h=buys_h,
        patch=f"spec:\n  template:\n    spec:\n      containers:\n        - name: {workload}\n          resources:\n            limits:\n              memory: {new}\n",
        diff=f"        - name: {workload}\n          resources:\n            limits:\n-             memory: {old}\n+             memory: {new}",
        commands=(f"kubectl -n shop set resources deploy/{workload} \\\n  -c {workload} --limits=memory={new}",), why=said(why) if why else None, checks=tuple(said(c) for c in checks),
    )  # fmt: skip


def ramps(clocks: list[tuple[str, int]], *, first: tuple[str, int], low: float, high: float) -> tuple[tuple[Life, ...], MemoryHistory]:
    """Lives that rise from `low` to `high` MiB, each ended by a kill at the given clock, with their samples."""
    lives, samples = [], []
    start = at(*first)
    for clock in clocks:
        end = at(*clock)
        span_s = (end - start).total_seconds()
        for i in range(40):
            samples.append(
                Sample(t_s=start.timestamp() + span_s * i / 40, working_set_bytes=mib(low + (high - low) * i / 39), limit_bytes=mib(80))
            )
        lives.append(
            Life(
                start_s=start.timestamp(), end_s=end.timestamp(), is_killed=True, peak_bytes=mib(high), floor_start_bytes=mib(low),
                floor_end_bytes=mib(high), growth_bytes_per_h=mib(high - low) / (span_s / 3600), is_ramp=True,
            )
        )  # fmt: skip
        start = end
    return tuple(lives), MemoryHistory(samples=tuple(samples), step_s=60, pod="p")


def leak() -> tuple[IncidentView, Report]:
    """(a) Four ramps, four kills."""
    who = subject()
    kills = [("18:51", 22), ("21:31", 22), ("00:16", 23), ("03:14", 23)]
    lives, history = ramps(kills, first=("16:04", 22), low=22, high=74)
    facts = Facts(
        now=NOW, subject=who, alerts=(alert(pod=who.pod, container="orders-api"),),
        pod=pod(who, container("orders-api", restarts=4, last=ended("OOMKilled", 137, at("00:16:05"), at("03:14:00")))),
        events=(EventFact(object_kind="Pod", object_name=who.pod, reason="Started", message="Container started", count=5, at=at("03:14:05")),),
        log=LogFacts(
            container="orders-api",
            lines=tuple(f"2026-11-23T03:13:{47 + i}.123456789Z INFO orders: GET /orders 200 cache_entries={25 + 5 * i}" for i in range(12)),
        ),
        workload=WorkloadFacts(workload=Workload(kind="Deployment", name="orders-api"), replicas_desired=1),
        history=history, node=NodeFacts(name="lab-node-1", allocatable_bytes=mib(2400)),
        missing=(
            Missing(source="metrics", why="404: the container has just restarted", is_normal=True, hint="normal at this moment"),
            Missing(source="request_rate", why="none of the usual request counters exists for this workload", hint="set REQUEST_RATE_QUERY", is_configuration=True),
        ),
    )  # fmt: skip
    shape = Shape(
        cause=CauseName.LEAK, confidence=0.95, lives=lives, history_s=11 * 3600 + 660, missing_s=1920,
        limit_bytes=mib(80), peak_bytes=mib(74), median_bytes=mib(48), current_bytes=mib(74), growth_bytes_per_h=mib(20.7),
        growth_range_bytes_per_h=(mib(20.1), mib(20.9)), kills=tuple(at(*k).timestamp() for k in kills), near_limit_share=0.2,
        numbers={"tau": 0.97},
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.CONTAINER_OOM, reason="OOMKilled", exit_code=137, signal=9, at=at("03:14"), started_at=at("00:16:05"), restarts=4,
                  is_sure=True, because=(reason("death.oom_killed", exit_code=137),)),
        cause=Cause(name=CauseName.LEAK, confidence=0.95, because=(said("the floor rose in 4 of 4 lives"),), against=()), shape=shape,
        tree=steps(
            ("Killed for memory?", "yes", "reason OOMKilled, exit 137", ""),
            ("In the first minutes after start?", "no", "lives of 2 h 40 to 2 h 58", ""),
            ("Growing steadily?", "yes", "20-21 MiB/h in 4 of 4 lives", "memory leak"),
        ),
        checklist=checklist(
            describe_pod="OOMKilled, 4 restarts", exit_code="137, and reason OOMKilled", memory_limits="80 MiB / 64 MiB, Burstable",
            previous_logs="read, no memory error", memory_history="11 h, 4 lives, 32 min missing", root_cause="likely leak",
            apply_fix=("todo", "for you: fix the code; stop-gap patch below"), monitor_48h=("todo", "starts once the fix is applied"),
            alerts_in_place=("could_not_check", "could not list rules: 403, grant get on prometheusrules"),
        ),
        proposal=raised(80, 160, role="stop_gap", buys_h=6.67, why="(160 - 22) MiB at 20.7 MiB/h",
                        checks=("Fits: lab-node-1 has room for 1 replica at 160Mi (request stays 64Mi)",
                                "No LimitRange or quota in namespace shop forbids it")),
        long_term=(LongTerm(id="profile", advice=said("Take a heap profile before the next kill"), commands=("py-spy dump --pid 1",)),),
        warnings=(Warn(id="restart_hides", mistake=said("The restarts hide the leak: users lose their requests every 3 h")),),
        missing=facts.missing, runtime="python",
    )  # fmt: skip
    return view_of(report, kill_count=4, first_kill_at=at("18:51", 22)), report


def too_early() -> tuple[IncidentView, Report]:
    """(b) A sidecar dies after 13 s, six times."""
    who = subject("cart", "log-shipper")
    facts = Facts(
        now=at("00:51"), subject=who, alerts=(alert(pod=who.pod, container="log-shipper", starts=at("00:48")),),
        pod=pod(who, container("cart", limit=64), container(
            "log-shipper", limit=48, request=32, restarts=6, state="waiting", reason="CrashLoopBackOff",
            last=ended("OOMKilled", 137, at("00:50:44"), at("00:50:57")))),
        missing=(Missing(source="log", why="already removed by the runtime", hint="ship logs off the node", is_configuration=True),),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.CONTAINER_OOM, reason="OOMKilled", exit_code=137, at=at("00:50:57"), started_at=at("00:50:44"), restarts=6, is_sure=True),
        cause=Cause(name=CauseName.UNKNOWN, confidence=0.3, because=(said("lives of 13 s are too short to see a shape"),),
                    settle_by=reason("memory.fast_leak_or_startup", limit_bytes=mib(48)), detail="too_short"),
        shape=Shape(cause=CauseName.UNKNOWN, confidence=0.3, detail="too_short", history_s=300, limit_bytes=mib(48)),
        tree=steps(("Growing steadily?", "cannot_tell", "5 min of history", "")),
        checklist=checklist(describe_pod="OOMKilled, 6 restarts", exit_code="137, and reason OOMKilled", memory_limits="48 MiB / 32 MiB",
                            memory_history="5 min", previous_logs=("could_not_check", "already removed"),
                            root_cause=("could_not_check", "cannot tell yet")),
        proposal=no_change("the cause is not known yet"), missing=facts.missing,
    )  # fmt: skip
    return view_of(report, kill_count=6, first_kill_at=at("00:48"), looks_at=(at("01:18"), at("02:48"))), report


def limit_too_low() -> tuple[IncidentView, Report]:
    """(c) A steady level just under the limit."""
    who = subject("session-store")
    facts = Facts(
        now=at("20:30", 22), subject=who, alerts=(alert(pod=who.pod, starts=at("16:20", 22)),),
        pod=pod(who, container("session-store", limit=96, restarts=5, last=ended("OOMKilled", 137, at("19:10", 22), at("19:50", 22)))),
        missing=(Missing(source="request_rate", why="none of the usual request counters exists for this workload", hint="set REQUEST_RATE_QUERY", is_configuration=True),),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.CONTAINER_OOM, reason="OOMKilled", exit_code=137, at=at("19:50", 22), started_at=at("19:10", 22), restarts=5, is_sure=True),
        cause=Cause(name=CauseName.LIMIT_TOO_LOW, confidence=0.9, because=(said("the level is 88 % of the limit"),), against=(said("growth is under 2 MiB/h"),)),
        shape=Shape(cause=CauseName.LIMIT_TOO_LOW, confidence=0.9, limit_bytes=mib(96), median_bytes=mib(85), peak_bytes=mib(95.6),
                    current_bytes=mib(85), history_s=8 * 3600, kills=tuple(at(c, 22).timestamp() for c in ("16:19", "17:05", "18:00", "19:09", "19:50"))),
        tree=steps(("Growing steadily?", "no", "under 2 MiB/h", ""), ("Near the limit all the time?", "yes", "88 %", "limit too low")),
        checklist=checklist(describe_pod="OOMKilled, 5 restarts", exit_code="137, and reason OOMKilled", memory_limits="96 MiB / 64 MiB",
                            previous_logs="read, no memory error", memory_history="8 h, 6 lives", root_cause="limit likely too low",
                            alerts_in_place="both rules match"),
        proposal=raised(96, 200, workload="session-store", why="the limit x 2, because demand above it cannot be seen"), missing=facts.missing,
    )  # fmt: skip
    return view_of(report, kill_count=5, first_kill_at=at("16:19", 22)), report


def not_oom() -> tuple[IncidentView, Report]:
    """(d) Exit 137 by the liveness probe."""
    who = subject("search")
    facts = Facts(
        now=at("01:10"), subject=who, alerts=(alert(pod=who.pod, starts=at("00:30")),),
        pod=pod(who, container("search", limit=64, request=32, restarts=14, state="waiting", reason="CrashLoopBackOff",
                               last=ended("Error", 137, at("01:05"), at("01:08:39")))),
        events=(EventFact(object_kind="Pod", object_name=who.pod, reason="Killing",
                          message="Container search failed liveness probe, will be restarted", count=14, at=at("01:08:09")),),
        log=LogFacts(container="search", lines=("INFO boot", "INFO serving")),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.SIGKILL_NOT_OOM, reason="Error", exit_code=137, signal=9, at=at("01:08:39"), restarts=14, is_sure=True,
                  sender=Sender.LIVENESS_PROBE, because=(reason("death.event", message="Container search failed liveness probe, will be restarted"),)),
        cause=Cause(name=CauseName.NOT_MEMORY, confidence=0.95, because=(said("the liveness probe killed it"),)),
        shape=Shape(cause=CauseName.UNKNOWN, confidence=0.5, detail="flat", limit_bytes=mib(64), peak_bytes=mib(2.4), median_bytes=mib(2.2), current_bytes=mib(2.2)),
        tree=steps(("Killed for memory?", "no", "reason Error, and a failed liveness probe", "not memory")),
        checklist=checklist(describe_pod="Error, 14 restarts", exit_code="137, but reason Error", memory_limits="64 MiB / 32 MiB",
                            previous_logs='ends at "INFO serving"', memory_history="flat at 2.2 MiB", root_cause="not memory",
                            apply_fix=("not_applicable", "no memory fix"), monitor_48h=("not_applicable", ""), alerts_in_place=("not_applicable", "")),
        proposal=Proposal(none=reason("advice.not_an_oom")),
    )  # fmt: skip
    return view_of(report, kill_count=14), report


def child() -> tuple[IncidentView, Report]:
    """(e) Workers die inside a container that lives on."""
    who = subject("checkout", "gunicorn")
    line = "[1] [ERROR] Worker (pid:132) was sent SIGKILL! Perhaps out of memory?"
    facts = Facts(
        now=at("01:14"), subject=who, alerts=(alert("ContainerOomEvents", pod=who.pod, container="gunicorn", starts=at("00:51")),),
        pod=pod(who, container("gunicorn", limit=80, restarts=0)), child_kills=81,
        log=LogFacts(container="gunicorn", lines=("01:13:14 [132] [INFO] Booting worker", f"01:13:20 {line}") * 100, is_current=True, is_previous=False),
        redactions={"token": 2, "e-mail": 1},
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who, kill=Kill(kind=KillKind.CHILD_PROCESS_OOM, at=at("01:07"), restarts=0, is_sure=True,
                                            because=(reason("death.oom_counter_rose", kills=81),)),
        cause=Cause(name=CauseName.UNKNOWN, confidence=0.4, because=(said("each worker dies about 7 s after boot, near 78 of 80 MiB (98 %)"),),
                    settle_by=reason("unknown.half_an_hour_settles")),
        shape=None, tree=steps(("Killed for memory?", "yes", "81 child processes", ""),),
        checklist=checklist(describe_pod="Running, 0 restarts", exit_code=("not_applicable", "no container ended")),
        proposal=no_change("the need of one worker is not known"),
        signature=Signature(id="gunicorn-worker", runtime="python", meaning="gunicorn: worker killed with SIGKILL",
                            advice="fewer workers, or a higher limit", line=f"01:13:20 {line}", line_index=199, kind="child_killed", count=100),
    )  # fmt: skip
    return view_of(report, kill_count=81), report


def warning() -> tuple[IncidentView, Report]:
    """(f1) 84 % and rising, nothing killed."""
    who = subject()
    start, end = at("16:04", 22).timestamp(), at("18:17", 22).timestamp()
    life = Life(
        start_s=start, end_s=end, is_killed=False, peak_bytes=mib(67), floor_start_bytes=mib(22), floor_end_bytes=mib(67), is_ramp=True
    )
    facts = Facts(now=at("18:17", 22), subject=who, alerts=(alert("HighMemoryUsage", "warning", pod=who.pod, starts=at("18:16", 22)),),
                  pod=pod(who, container("orders-api")))  # fmt: skip
    report = Report(
        facts=facts, subject=who, kill=Kill(kind=KillKind.NONE),
        cause=Cause(name=CauseName.LEAK, confidence=0.5, because=(said("one life that grows"),), settle_by=reason("memory.settle.plateau_or_second_life")),
        shape=Shape(cause=CauseName.LEAK, confidence=0.5, lives=(life,), limit_bytes=mib(80), current_bytes=mib(67), peak_bytes=mib(67),
                    median_bytes=mib(45), growth_bytes_per_h=mib(20.3), time_to_limit_s=2220, history_s=7980),
        tree=steps(("Killed for memory?", "no", "no kill so far", "")), checklist=(), proposal=no_change("nothing was killed"),
    )  # fmt: skip
    return view_of(report, kill_count=0, severity="warning", opened_at=at("18:16", 22), looks_at=(at("18:47", 22),)), report


def file_cache() -> tuple[IncidentView, Report]:
    """(f2) High use that is file cache."""
    who = subject("file-indexer")
    facts = Facts(now=at("18:17", 22), subject=who, alerts=(alert("HighMemoryUsage", "warning", pod=who.pod, starts=at("18:16", 22)),),
                  pod=pod(who, container("file-indexer", limit=64, request=32)))  # fmt: skip
    report = Report(
        facts=facts, subject=who, kill=Kill(kind=KillKind.NONE),
        cause=Cause(name=CauseName.UNKNOWN, confidence=0.8, because=(said("the process is flat, file cache grows"),), detail="page_cache"),
        shape=Shape(cause=CauseName.UNKNOWN, confidence=0.8, detail="page_cache", limit_bytes=mib(64), current_bytes=mib(54), peak_bytes=mib(54),
                    median_bytes=mib(40), cache_share=0.61, history_s=10800),
        tree=(), checklist=(), proposal=no_change("no action is needed"),
    )  # fmt: skip
    return view_of(report, kill_count=0, severity="warning"), report


def startup() -> tuple[IncidentView, Report]:
    """(g) Dies in its first second."""
    who = subject("model-server")
    facts = Facts(
        now=at("01:12"), subject=who, alerts=(alert(pod=who.pod, starts=at("00:40")),),
        pod=pod(who, container("model-server", limit=128, request=128, restarts=12, state="waiting", reason="CrashLoopBackOff",
                               last=ended("OOMKilled", 137, at("01:11:56"), at("01:11:56")))),
        log=LogFacts(container="model-server", lines=("INFO loading model weights into memory (200 MiB)", "INFO loaded 100/200 MiB")),
        missing=(Missing(source="history", why="lives under 1 s, scraped every 5 s: Prometheus never saw them"),),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.CONTAINER_OOM, reason="OOMKilled", exit_code=137, at=at("01:11:56"), started_at=at("01:11:56"), restarts=12, is_sure=True),
        cause=Cause(name=CauseName.STARTUP, confidence=0.9, because=(said("its log says it loads 200 MiB and stops after 100"),), against=()),
        shape=None, tree=steps(("In the first minutes after start?", "yes", "under 1 s after start", "start-up")),
        checklist=checklist(describe_pod="OOMKilled, 12 restarts", exit_code="137, and reason OOMKilled", memory_limits="128 MiB / 128 MiB",
                            previous_logs="loads 200 MiB", root_cause="start-up", memory_history=("could_not_check", "never scraped")),
        proposal=raised(128, 256, workload="model-server", why="the 200 MiB that it loads, and room"), missing=facts.missing,
        has_come_up=False,
    )  # fmt: skip
    return view_of(report, kill_count=12, first_kill_at=at("00:40")), report


def node() -> tuple[IncidentView, Report]:
    """(h) The node ran out of memory; the evicted pod is a bystander."""
    who = replace(subject("renderer"), namespace="shop-v2")
    facts = Facts(
        now=at("01:05"), subject=who, alerts=(alert("PodEvicted", "warning", pod=who.pod, starts=at("01:03")),),
        pod=PodFacts(namespace="shop-v2", name=who.pod, node="lab-node-2", phase="Failed", reason="Evicted", containers=(container("renderer", limit=64, state="terminated"),),
                     message=LOW),
        events=(EventFact(object_kind="Pod", object_name=who.pod, reason="Evicted", type="Warning", at=at("01:03"), is_memory_relevant=True,
                          message=LOW),),
        node=NodeFacts(name="lab-node-2", allocatable_bytes=mib(2355), has_memory_pressure=True, other_oom_kills=("shop-v2/hungry (hungry)",)),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who, kill=Kill(kind=KillKind.EVICTION, reason="Evicted", at=at("01:03"), is_sure=True,
                                            because=(reason("death.evicted", message=LOW),)),
        cause=Cause(name=CauseName.NODE_PRESSURE, confidence=0.9, because=(said("the node had 66 MiB left, its threshold is 150 MiB"),
                                                                            said("hungry has no limit and took 2 GiB; renderer was a bystander"))),
        shape=None, tree=(), checklist=(), proposal=no_change("the node is short, not this container"),
    )  # fmt: skip
    return view_of(report, kill_count=1, severity="warning"), report


def resolved() -> tuple[IncidentView, Report]:
    """(j) The leak's alert resolved; nothing was fixed."""
    view, report = leak()
    later = replace(report, facts=replace(report.facts, now=at("04:02")))
    return replace(
        view, state="resolved", resolved_at=at("04:02"),
        alerts=(replace(view.alerts[0], status="resolved", ends_at=at("04:02")),),
        log=(LogEntry(at=at("03:14"), what=said("4th kill")), LogEntry(at=at("03:16"), what=ACKNOWLEDGED), LogEntry(at=at("04:02"), what=RESOLVED_THEN)),
    ), later  # fmt: skip


def unknown() -> tuple[IncidentView, None]:
    """(m) An alert nobody taught us."""
    labels = {"pod": "checkout-75668d5dd9-k2gr7", "container": "gunicorn", "node": "lab-node-1", "job": "kubelet", "instance": "10.0.0.7:10250",
              "endpoint": "https-metrics", "image": "registry/checkout:1", "id": "/kubepods/burstable/pod1", "team": "shop"}  # fmt: skip
    seen = replace(
        alert("ContainerOomEvents", starts=at("00:50:58"), **labels), annotations={"summary": "kernel OOM kill in shop/checkout (gunicorn)"}
    )
    view = IncidentView(
        id="inc_01K8UNKNOWN", state="firing", subject=Subject(cluster="lab", namespace="shop"), severity="critical", opened_at=at("00:51"),
        alerts=(seen,), page_url=PAGE,
    )  # fmt: skip
    return view, None


def hostile() -> tuple[IncidentView, None]:
    """(m2) The same with text that tries to ping and to break the message."""
    view, _ = unknown()
    text = '<!channel> ``` <https://evil.example|click> *bold* & <@U123> :tada: "quoted" `tick` \x1b[31mred\u202egnp.exe'
    return replace(view, alerts=(replace(view.alerts[0], annotations={"summary": text}),)), None


def spike() -> tuple[IncidentView, Report]:
    """Traffic peaks over a level that is fine; three of twelve replicas."""
    who = subject("search-api")
    facts = Facts(
        now=at("12:10"), subject=who, alerts=(alert(pod=who.pod, starts=at("12:05")),),
        pod=pod(who, container("search-api", limit=512, request=256, restarts=1, last=ended("OOMKilled", 137, at("08:00"), at("12:04")))),
        workload=WorkloadFacts(workload=Workload(kind="Deployment", name="search-api"), replicas_desired=12, siblings=(
            SiblingFact(pod="search-api-7d9c5b8f6d-bbbbb", last_reason="OOMKilled"), SiblingFact(pod="search-api-7d9c5b8f6d-ccccc", last_reason="OOMKilled"))),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.CONTAINER_OOM, reason="OOMKilled", exit_code=137, at=at("12:04"), started_at=at("08:00"), restarts=1, is_sure=True),
        cause=Cause(name=CauseName.SPIKE, confidence=0.8, because=(said("memory follows the request rate"),), against=(said("one of the peaks had no traffic"),), detail="traffic"),
        shape=Shape(cause=CauseName.SPIKE, confidence=0.8, detail="traffic", limit_bytes=mib(512), median_bytes=mib(210), peak_bytes=mib(500), rate_correlation=0.91),
        tree=steps(("Follows the traffic?", "yes", "correlation 0.91", "traffic spike")),
        checklist=checklist(describe_pod="OOMKilled, 1 restart"), proposal=raised(512, 768, workload="search-api"),
        hpa=Hpa(manifest="apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n  minReplicas: 12\n  maxReplicas: 24\n", why=said("traffic drives memory")),
    )  # fmt: skip
    return view_of(report, kill_count=3, first_kill_at=at("12:01")), report


def suspected() -> tuple[IncidentView, Report]:
    """Error/137 that the runtime did not call an OOM."""
    view, report = leak()
    kill = replace(report.kill, kind=KillKind.SUSPECTED_OOM, reason="Error", is_sure=False,
                   because=(reason("death.sender_unknown", reason="Error", exit_code=137), reason("death.memory_before", usage_ratio=0.97)))  # fmt: skip
    return view, replace(
        report, kill=kill, cause=replace(report.cause, confidence=0.7, against=(said("only two of the lives reached the limit"),))
    )


def own_limit() -> tuple[IncidentView, Report]:
    """Java ends itself: its own heap is full, the container's limit was never reached."""
    who = subject("java-pricing")
    last = ended("Error", 3, at("04:55:09"), at("04:55:20"))
    line = "Terminating due to java.lang.OutOfMemoryError: Java heap space"
    facts = Facts(
        now=at("04:56"), subject=who, alerts=(alert("KubePodCrashLooping", "warning", pod=who.pod),),
        pod=pod(who, container("java-pricing", limit=256, restarts=10, state="waiting", reason="CrashLoopBackOff", last=last)),
        log=LogFacts(container="java-pricing", lines=(*(f"INFO cached {n} MiB" for n in (10, 20, 30, 40)), line)),
    )  # fmt: skip
    report = Report(
        facts=facts, subject=who,
        kill=Kill(kind=KillKind.NONE, reason="Error", exit_code=3, at=at("04:55:20"), started_at=at("04:55:09"), restarts=10, is_sure=True,
                  because=(reason("death.log_line", line=line), reason("death.ended_itself", exit_code=3, reason="Error"))),
        cause=Cause(name=CauseName.LEAK, confidence=0.6, because=(said("the program ran into a limit of its own: the Java heap is full"),
                    said("its log up to its end: cached rises in every line from 10 MiB to 40 MiB")), detail="runtime_limit"),
        shape=Shape(cause=CauseName.UNKNOWN, confidence=0.0, detail="too_short", limit_bytes=mib(256), peak_bytes=mib(61)),
        tree=(), checklist=(), proposal=no_change("the program stopped at a limit of its own, not at the container's"),
        signature=Signature(id="jvm-heap", runtime="jvm", meaning="the Java heap is full", line=line, line_index=4, kind="own_limit",
                            advice="Take a heap dump to see what fills it. If all of it is needed, raise -Xmx: a higher limit alone changes nothing."),
    )  # fmt: skip
    return view_of(report, kill_count=0, severity="warning"), report


def reported() -> tuple[IncidentView, Report]:
    """Only the alert tells of a kill: the pod that died is gone."""
    view, report = limit_too_low()
    kill = Kill(
        kind=KillKind.SUSPECTED_OOM, restarts=0, because=(reason("death.alert_says", alert="OOMKilled"), reason("death.no_death_in_status"))
    )
    cause = Cause(
        name=CauseName.UNKNOWN,
        confidence=0.5,
        because=(reason("memory.cannot_tell_yet", because=reason("memory.history_too_short", history_s=1080.0)),),
        settle_by=reason("memory.settle.history", history_s=1800.0),
    )
    return replace(view, kill_count=0, first_kill_at=None, last_kill_at=None), replace(report, kill=kill, cause=cause, shape=None)


def calm() -> tuple[IncidentView, Report]:
    """An alert about something else, on a pod whose memory is fine."""
    view, report = warning()
    assert report.shape is not None
    seen = alert("KubePodNotReady", "warning", pod=report.subject.pod, starts=at("18:16", 22))
    facts = replace(report.facts, alerts=(seen,))
    return replace(view, alerts=(seen,)), replace(
        report, facts=facts, shape=replace(report.shape, current_bytes=mib(20), cause=CauseName.UNKNOWN)
    )


CASES = {
    "a-leak": leak, "b-too-early": too_early, "c-limit-too-low": limit_too_low, "d-not-oom": not_oom, "e-child": child, "f1-warning": warning,
    "f2-page-cache": file_cache, "g-startup": startup, "h-node": node, "j-resolved": resolved, "m-unknown": unknown, "m2-hostile": hostile,
    "n-spike": spike, "o-suspected": suspected, "p-own-limit": own_limit, "q-reported": reported, "r-calm": calm,
}  # fmt: skip
