"""Made-up incidents, one for every kind of message, for a look at templates before an incident needs them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from receiver.diagnosis.causes.leaf import Leaf, Whose
from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.diagnosis.causes.settings import CEILING
from receiver.domain.alerts import FIRING, RESOLVED, Alert
from receiver.domain.case import Missing
from receiver.domain.change import Change, What
from receiver.domain.facts import ContainerFacts, EventFact, Facts, LogFacts, NodeFacts, PodFacts, Termination, WorkloadFacts
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident import CommonFactor, DigestEntry, DigestView, IncidentView
from receiver.domain.incident_memory import FollowUp, LogEntry, WatchedFix
from receiver.domain.reason import Fact, Reason, reason
from receiver.domain.report import (
    Cause,
    CauseName,
    CheckItem,
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
from receiver.domain.units import MIB

NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
KILLED_AT = NOW - timedelta(minutes=1)
STARTED_AT = NOW - timedelta(hours=3)
NAME = "sample-api"
SUBJECT = Subject(
    cluster="sample-cluster", namespace="sample", pod=f"{NAME}-7d9c5b8f6d-x2x9k", container=NAME, workload=Workload(kind="Deployment", name=NAME)
)  # fmt: skip
LIMIT = 256 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A made-up incident. `report` is None for an alert that is passed on."""

    name: str
    view: IncidentView
    report: Report | None


def samples() -> tuple[Sample, ...]:
    """One incident for each root template, and the states that lay another template over it."""
    reports: tuple[tuple[str, Callable[[], Report]], ...] = (
        ("leak", _leak),
        *((leaf.root, partial(_of_leaf, leaf)) for leaf in LEAVES if leaf.root not in ("leak", "not_oom", "node")),
        ("child", _child),
        ("ceiling", _ceiling),
        ("own_limit", _own_limit),
        ("not_oom", _not_oom),
        ("elsewhere", _elsewhere),
        ("ended", _ended),
        ("warning", _warning),
        ("file_cache", _file_cache),
        ("node", _node),
        ("volume", _volume),
    )
    found = [Sample(name=name, view=view_of(report), report=report) for name, report in ((n, make()) for n, make in reports)]
    leak = found[0]
    ended = tuple(replace(a, status=RESOLVED, ends_at=NOW) for a in leak.view.alerts)
    log = (
        LogEntry(at=KILLED_AT, what=reason("incident.log.acknowledged", by="Ines")),
        LogEntry(at=NOW, what=reason("incident.log.resolved")),
    )
    resolved = replace(leak.view, state=RESOLVED, resolved_at=NOW, alerts=ended, log=log)
    unknown = replace(
        leak.view, subject=Subject(namespace="sample"), alerts=(_alert("CertificateExpires"),), kill_count=0, last_kill_at=None
    )
    job = replace(SUBJECT, workload=Workload(kind="Job", name=NAME))
    of_job = replace(leak.report, subject=job) if leak.report is not None else None
    degraded = replace(leak.view, notes=(reason("incident.note.failed_twice"),))
    return (
        *found,
        Sample(name="unknown", view=unknown, report=None),
        Sample(name="resolved", view=resolved, report=leak.report),
        *(Sample(name=name, view=replace(resolved, fix=fix), report=leak.report) for name, fix in _fixes()),
        Sample(name="job", view=replace(leak.view, subject=job), report=of_job),
        Sample(name="without_evidence", view=degraded, report=None),
    )


def _fixes() -> tuple[tuple[str, WatchedFix], ...]:
    """A fix that is watched, one that held, and one that did not."""
    raised = Change(what=What.LIMIT, at=KILLED_AT, before_bytes=LIMIT, after_bytes=2 * LIMIT, by="kubectl-set")
    watched = WatchedFix(number=1, since=KILLED_AT, changes=(raised,), pods=reason("fix.rolled_out", desired=1, limit_bytes=2 * LIMIT))
    numbers: dict[str, Fact] = {
        "after_s": 172_800.0, "peak_bytes": float(LIMIT), "limit_bytes": 2 * LIMIT, "before_bytes_per_h": 65.0 * MIB,
        "after_bytes_per_h": 0.0, "restarts": 0, "evicted": 0, "throttled_ratio": None, "is_tight": False,
    }  # fmt: skip
    held = FollowUp(after_s=172_800.0, at=NOW, outcome="held", because=reason("follow_up.held", **numbers))
    again = reason("follow_up.only_delayed", what=raised.as_reason(), after_s=23_400.0, growth=65.0 * MIB)
    failed = FollowUp(after_s=23_400.0, at=NOW, outcome="only_delayed", because=again)
    return (
        ("watched", watched),
        ("held", replace(watched, done=(held,))),
        ("only_delayed", replace(watched, ended=failed)),
    )


def sample_storm() -> DigestView:
    """A storm of a dozen workloads."""
    causes = [leaf.name.value for leaf in LEAVES]
    entries = tuple(
        DigestEntry(
            incident_id=f"inc_{i}", subject=replace(SUBJECT, workload=Workload(kind="Deployment", name=f"sample-{i}"), container="app"),
            cause=causes[i % len(causes)], summary=_summary(causes[i % len(causes)], i + 1), kill_count=i + 1, kills_per_h=float(i + 1), is_never_up=i == 3,
            is_all_replicas=i == 1, is_quiet=i > 9, node="sample-node-1" if i < 8 else "sample-node-2",
            is_acknowledged=i < 6, acknowledged_by="Ines", silenced_until=NOW + timedelta(hours=1) if i < 2 else None, silenced_by="Otto",
            not_silenced=reason("silence.refused", error="Alertmanager cannot be reached") if i == 7 else None,
        )
        for i in range(12)
    )  # fmt: skip
    return DigestView(
        id="storm", opened_at=NOW - timedelta(minutes=6), now=NOW, entries=entries, new_last_5_min=4, cluster="sample-cluster",
        common=CommonFactor(kind="node", name="sample-node-1", count=8, expected=2.4),
    )  # fmt: skip


def sample_inventory() -> DigestView:
    """The same dozen, which were dying before the receiver was installed."""
    return replace(sample_storm(), is_inventory=True)


def _summary(cause: str, kills: int) -> Reason:
    return reason("storm.kills", kills=kills, verdict=reason("incident.verdict", cause=cause, confidence=0.7, detail=""))


def view_of(report: Report) -> IncidentView:
    """An incident around a report, as the receiver would know it after four kills."""
    is_kill = report.kill.kind is not KillKind.NONE
    return IncidentView(
        id="inc_SAMPLE", state=FIRING, subject=report.subject, severity="critical" if is_kill else "warning",
        opened_at=STARTED_AT, alerts=report.facts.alerts or (_alert("OOMKilled"),), kill_count=4 if is_kill else 0,
        first_kill_at=NOW - timedelta(hours=8) if is_kill else None, last_kill_at=report.kill.at, pods=(report.subject.pod,),
        page_url="https://oomtriage.example/incidents/inc_SAMPLE", causes_url="https://oomtriage.example/causes", looks_at=(NOW + timedelta(minutes=30),),
    )  # fmt: skip


def _alert(name: str, severity: str = "critical") -> Alert:
    return Alert(
        status=FIRING, labels={"alertname": name, "severity": severity, "namespace": "sample", "team": "sample"},
        annotations={"summary": "What the rule's annotation says"}, starts_at=KILLED_AT, ends_at=None, fingerprint="sample",
    )  # fmt: skip


def _facts(*, alert: str = "OOMKilled", reason: str = "OOMKilled", exit_code: int = 137, restarts: int = 4, **more: object) -> Facts:
    last = Termination(reason=reason, exit_code=exit_code, started_at=STARTED_AT, finished_at=KILLED_AT) if restarts else None
    container = ContainerFacts(
        name=NAME, image="registry.example/sample:1", limit_bytes=LIMIT, request_bytes=LIMIT // 2, state="running", is_ready=True,
        restart_count=restarts, last_terminated=last,
    )  # fmt: skip
    known: dict[str, object] = {
        "alerts": (_alert(alert, "critical" if restarts else "warning"),),
        "pod": PodFacts(
            namespace="sample", name=SUBJECT.pod, node="sample-node-1", phase="Running", qos_class="Burstable", containers=(container,)
        ),
        "workload": WorkloadFacts(workload=Workload(kind="Deployment", name=NAME), replicas_desired=3),
        "log": LogFacts(container=NAME, lines=tuple(f"INFO handled request {n}" for n in range(6))),
        "events": (EventFact(object_kind="Pod", object_name=SUBJECT.pod, reason="Started", message="Container started", at=KILLED_AT),),
        "missing": (
            Missing(
                source="request_rate",
                why="none of the usual request counters exists for this workload",
                hint="set REQUEST_RATE_QUERY",
                is_configuration=True,
            ),
        ),
    }
    return Facts(now=NOW, subject=SUBJECT, **(known | more))  # type: ignore[arg-type]


_RAISED_OFTEN = reason(
    "advice.raised_often", count=2, steps=tuple(reason("advice.step", before_bytes=n, after_bytes=2 * n) for n in (LIMIT // 4, LIMIT // 2))
)
_NO_ROOM = reason("advice.no_room", limit_bytes=2 * LIMIT, because=reason("advice.limit_range_allows", most_bytes=LIMIT))


def _checks(cause: Cause) -> tuple[tuple[str, str, Reason], ...]:
    return (
        ("describe_pod", "done", reason("check.container_state", state="OOMKilled", restarts=4)),
        ("exit_code", "done", reason("check.exit_oom", exit_code=137)),
        (
            "memory_limits",
            "done",
            reason("check.limits", limit_bytes=LIMIT, request_bytes=LIMIT // 2, is_pod_level=False, qos_class="Burstable"),
        ),
        ("previous_logs", "done", reason("check.log_without_error", is_current=False)),
        ("memory_history", "done", reason("check.history", span_s=11 * 3600.0, lives=4, missing_s=0.0)),
        ("root_cause", "done", leaf_of(cause.name).said(cause.confidence, cause.detail)),
        ("apply_fix", "todo", reason("check.apply_patch")),
        ("monitor_48h", "todo", reason("check.watch_from_fix")),
        ("alerts_in_place", "could_not_check", reason("check.rules_not_listed")),
    )


def _report(
    facts: Facts, kill: Kill, cause: Cause, *, proposal: Proposal, shape: Shape | None = None, signature: Signature | None = None
) -> Report:
    return Report(
        facts=facts, subject=SUBJECT, kill=kill, cause=cause, shape=shape, proposal=proposal, signature=signature, missing=facts.missing,
        tree=(
            TreeStep(
                id="killed_for_memory", question=reason("leaf.not_memory.question"), answer="yes",
                because=kill.because[0] if kill.because else reason("node.nothing_killed"), leads_to=cause.name.value,
            ),
        ),
        checklist=tuple(CheckItem(id=i, state=s, result=found) for i, s, found in _checks(cause)),
        long_term=(LongTerm(id="python_memray", advice=reason("fix.python_memray"), commands=("memray run -o /tmp/app.bin app.py",)),),
        warnings=(Warn(id="no_hpa", mistake=reason("mistake.no_hpa")),),
    )  # fmt: skip


_KILL = Kill(
    kind=KillKind.CONTAINER_OOM, reason="OOMKilled", exit_code=137, signal=9, at=KILLED_AT, started_at=STARTED_AT, restarts=4, is_sure=True,
    because=(reason("death.oom_killed", exit_code=137),),
)  # fmt: skip

_LOW = "The node was low on resource: memory. Threshold quantity: 150Mi, available: 66Mi"
_EVICTION = Kill(kind=KillKind.EVICTION, reason="Evicted", at=KILLED_AT, is_sure=True, because=(reason("death.evicted", message=_LOW),))
_BECAUSE = {
    CauseName.LEAK: reason(
        "memory.grew_in_lives", growth_bytes_per_h=65.0 * MIB, lives_grown=4, lives_tested=4, floor_start_bytes=60 * MIB, floor_end_bytes=LIMIT,
        is_lower_bound=True,
    ),
    CauseName.LIMIT_TOO_LOW: reason("memory.usually_at", usual_bytes=0.92 * LIMIT, limit_bytes=LIMIT),
    CauseName.SPIKE: reason("memory.follows_request_rate", correlation=0.91, scrapes=1320),
    CauseName.STARTUP: reason("startup.ends_loading", line="INFO loading model (400 MiB)"),
    CauseName.UNKNOWN: reason("unknown.lives_too_short", lives_s=(13.0,)),
}  # fmt: skip
_DETAIL = {CauseName.SPIKE: "traffic"}


def _killed(cause: CauseName, *, confidence: float = 0.9, role: str, detail: str = "") -> Report:
    change = Proposal(
        role=role, limit_before_bytes=LIMIT, limit_bytes=2 * LIMIT, request_before_bytes=LIMIT // 2, buys_h=6.5 if role == "stop_gap" else None,
        patch="spec: {template: {spec: {containers: [{name: sample-api, resources: {limits: {memory: 512Mi}}}]}}}",
        diff="-   memory: 256Mi\n+   memory: 512Mi", why=reason("advice.raise_measured", factor=2.0, enough_ratio=1.0),
        commands=(f"kubectl -n sample set resources deploy/{NAME} -c {NAME} --limits=memory=512Mi",),
        checks=(reason("advice.node_gives", node="sample-node-1", allocatable_bytes=2400 * MIB),),
    )  # fmt: skip
    shape = Shape(
        cause=cause, confidence=confidence, limit_bytes=LIMIT, peak_bytes=LIMIT - MIB, median_bytes=LIMIT * 0.9,
        current_bytes=LIMIT * 0.5, history_s=11 * 3600, detail=detail,
    )  # fmt: skip
    because = _BECAUSE.get(cause, reason("tree.by_shape"))
    found = Cause(name=cause, confidence=confidence, because=(because,), settle_by=reason("unknown.half_an_hour_settles"), detail=detail)
    return _report(_facts(), _KILL, found, shape=shape, proposal=change if role else Proposal(none=_RAISED_OFTEN))


def _of_leaf(leaf: Leaf) -> Report:
    """A kill that ends at that leaf."""
    if leaf.question is None:
        return _killed(leaf.name, confidence=0.3, role="")
    report = _killed(leaf.name, role="fix", detail=_DETAIL.get(leaf.name, ""))
    return replace(report, kill=_EVICTION) if leaf.whose is Whose.NODE else report


def _leak() -> Report:
    report = _killed(CauseName.LEAK, role="stop_gap")
    starts = [(NOW - timedelta(hours=h)).timestamp() for h in (12, 9, 6, 3)]
    lives = tuple(
        Life(start_s=s, end_s=s + 3 * 3600 - 60, is_killed=True, peak_bytes=LIMIT - MIB, floor_start_bytes=60 * MIB, floor_end_bytes=LIMIT - MIB,
             growth_bytes_per_h=65 * MIB, is_ramp=True)
        for s in starts
    )  # fmt: skip
    assert report.shape is not None
    shape = replace(
        report.shape, lives=lives, kills=tuple(life.end_s for life in lives), growth_bytes_per_h=65 * MIB, growth_range_bytes_per_h=(64 * MIB, 66 * MIB)
    )  # fmt: skip
    return replace(report, shape=shape)


def _child() -> Report:
    line = "[ERROR] Worker (pid:132) was sent SIGKILL! Perhaps out of memory?"
    facts = _facts(
        restarts=0, child_kills=81, log=LogFacts(container=NAME, lines=("booting worker", line), is_current=True, is_previous=False)
    )
    kill = Kill(
        kind=KillKind.CHILD_PROCESS_OOM, at=KILLED_AT, restarts=0, is_sure=True, because=(reason("death.oom_counter_rose", kills=81),)
    )
    cause = Cause(
        name=CauseName.UNKNOWN, confidence=0.4, because=(reason("unknown.workers_die_young", life_s=7.0),),
        settle_by=reason("unknown.half_an_hour_settles"),
    )  # fmt: skip
    signature = Signature(id="gunicorn-worker", runtime="python", meaning="gunicorn: worker killed with SIGKILL", advice="fewer workers, or a higher limit",
                          line=line, line_index=1, kind="child_killed")  # fmt: skip
    return _report(facts, kill, cause, proposal=Proposal(none=_NO_ROOM), signature=signature)


def _ceiling() -> Report:
    setting = reason("ceiling.setting", flag="-Xmx2g", source="JAVA_OPTS", is_in_log=False, times_flag="", part="heap")
    allows = 2048 * MIB
    cause = Cause(
        name=CauseName.LIMIT_TOO_LOW, confidence=0.9, detail=CEILING,
        because=(reason("ceiling.above", setting=setting, part="heap", allows_bytes=allows, limit_bytes=LIMIT),),
        headline=reason(
            "ceiling.headline", flag="-Xmx2g", fit="above", limit_bytes=LIMIT, times=1, noun="", each_bytes=allows, short=reason("ceiling.headline_short", part="heap", fit="above")
        ),
        remedy=reason(
            "ceiling.lower", before=("-Xmx2g",), sources=("JAVA_OPTS",), after=("-Xmx192m",), covering_bytes=3072 * MIB, soft="", is_leak=False
        ),
    )  # fmt: skip
    none = reason("advice.setting_defeats_raise", covering_bytes=3072 * MIB)
    return _report(
        _facts(), _KILL, cause, proposal=Proposal(none=none, commands=("kubectl -n sample set env deploy/sample JAVA_OPTS=-Xmx192m",))
    )


def _own_limit() -> Report:
    line = "java.lang.OutOfMemoryError: Java heap space"
    facts = _facts(
        alert="KubePodCrashLooping", reason="Error", exit_code=3, log=LogFacts(container=NAME, lines=("INFO cached 40 MiB", line))
    )
    kill = Kill(
        kind=KillKind.NONE,
        reason="Error",
        exit_code=3,
        at=KILLED_AT,
        started_at=STARTED_AT,
        restarts=4,
        is_sure=True,
        because=(reason("death.ended_itself", exit_code=3, reason="Error"),),
    )
    cause = Cause(
        name=CauseName.LEAK, confidence=0.6, because=(reason("tree.own_limit", meaning="the Java heap is full"),), detail="runtime_limit"
    )
    signature = Signature(id="jvm-heap", runtime="jvm", meaning="the Java heap is full", advice="Raise -XX:MaxRAMPercentage.", line=line, line_index=1,
                          kind="own_limit")  # fmt: skip
    return _report(facts, kill, cause, proposal=Proposal(none=reason("advice.stopped_at_own_limit")), signature=signature)


def _elsewhere() -> Report:
    line = "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4403.49 MiB on device 0: cudaMalloc failed: out of memory"
    facts = _facts(alert="KubePodCrashLooping", reason="Error", exit_code=2, log=LogFacts(container=NAME, lines=("INFO loading", line)))
    kill = Kill(
        kind=KillKind.NONE, reason="Error", exit_code=2, at=KILLED_AT, started_at=STARTED_AT, restarts=4, is_sure=True,
        because=(reason("death.other_end", exit_code=2, reason="Error"),),
    )  # fmt: skip
    meaning = "the GPU's memory was full, not the container's"
    cause = Cause(
        name=CauseName.NOT_MEMORY, confidence=0.85, because=(reason("elsewhere.log_says", meaning=meaning), reason("elsewhere.gpu")), detail="gpu"
    )  # fmt: skip
    signature = Signature(id="gpu-cuda-call", runtime="gpu", meaning=meaning, advice="A smaller batch, context or model precision, or a larger GPU.",
                          line=line, line_index=1, kind="gpu")  # fmt: skip
    return _report(facts, kill, cause, proposal=Proposal(none=reason("advice.not_an_oom")), signature=signature)


def _ended() -> Report:
    facts = _facts(alert="KubePodCrashLooping", reason="Error", exit_code=1, log=LogFacts(container=NAME, lines=("INFO loading rules",)))
    kill = Kill(
        kind=KillKind.NONE, reason="Error", exit_code=1, at=KILLED_AT, started_at=STARTED_AT, restarts=4,
        because=(reason("death.other_end", exit_code=1, reason="Error"),),
    )  # fmt: skip
    cause = Cause(
        name=CauseName.UNKNOWN, confidence=0.3, detail="open_end", because=(*kill.because, reason("unknown.log_silent"), reason("death.memory_before_unknown")),
        settle_by=reason("unknown.memory_or_words_settle"),
    )  # fmt: skip
    return _report(facts, kill, cause, proposal=Proposal(none=reason("advice.memory_not_excluded")))


def _not_oom() -> Report:
    event = EventFact(
        object_kind="Pod", object_name=SUBJECT.pod, reason="Killing", message="failed liveness probe, will be restarted", at=KILLED_AT
    )
    kill = replace(
        _KILL,
        kind=KillKind.SIGKILL_NOT_OOM,
        reason="Error",
        sender=Sender.LIVENESS_PROBE,
        because=(reason("death.event", message=event.message),),
    )
    cause = Cause(name=CauseName.NOT_MEMORY, confidence=0.95, because=kill.because)
    shape = Shape(cause=CauseName.UNKNOWN, confidence=0.5, detail="flat", limit_bytes=LIMIT, peak_bytes=10 * MIB, median_bytes=9 * MIB)
    return _report(_facts(reason="Error", events=(event,)), kill, cause, shape=shape, proposal=Proposal(none=reason("advice.not_an_oom")))


def _warning() -> Report:
    start_s, end_s = STARTED_AT.timestamp(), NOW.timestamp()
    life = Life(
        start_s=start_s,
        end_s=end_s,
        is_killed=False,
        peak_bytes=LIMIT * 0.84,
        floor_start_bytes=60 * MIB,
        floor_end_bytes=LIMIT * 0.84,
        is_ramp=True,
    )
    shape = Shape(cause=CauseName.LEAK, confidence=0.5, lives=(life,), limit_bytes=LIMIT, current_bytes=LIMIT * 0.84, peak_bytes=LIMIT * 0.84,
                  median_bytes=LIMIT * 0.6, growth_bytes_per_h=50 * MIB, time_to_limit_s=2400.0, history_s=10_800)  # fmt: skip
    grows = reason(
        "memory.growing_since_start",
        growth_bytes_per_h=50.0 * MIB,
        span_s=10_800.0,
        floor_start_bytes=60 * MIB,
        floor_end_bytes=0.84 * LIMIT,
    )
    settle_by = reason("memory.settle.plateau_or_second_life")
    cause = Cause(name=CauseName.LEAK, confidence=0.5, because=(grows,), settle_by=settle_by)
    facts = _facts(alert="HighMemoryUsage", restarts=0)
    return _report(facts, Kill(kind=KillKind.NONE), cause, shape=shape, proposal=Proposal(none=reason("advice.leak_not_stopped")))


def _file_cache() -> Report:
    shape = Shape(cause=CauseName.UNKNOWN, confidence=0.8, detail="page_cache", limit_bytes=LIMIT, current_bytes=LIMIT * 0.84, peak_bytes=LIMIT * 0.84,
                  median_bytes=LIMIT * 0.7, cache_share=0.61, history_s=10_800)  # fmt: skip
    cause = Cause(name=CauseName.UNKNOWN, confidence=0.8, because=(reason("growing.file_cache"),), detail="page_cache")
    facts = _facts(alert="HighMemoryUsage", restarts=0)
    return _report(facts, Kill(kind=KillKind.NONE), cause, shape=shape, proposal=Proposal(none=reason("advice.mostly_file_cache")))


def _node() -> Report:
    facts = _facts(
        alert="PodEvicted", restarts=0,
        node=NodeFacts(name="sample-node-1", allocatable_bytes=2400 * MIB, has_memory_pressure=True, other_oom_kills=("sample/hungry (hungry)",)),
    )  # fmt: skip
    cause = Cause(name=CauseName.NODE_PRESSURE, confidence=0.9, because=_EVICTION.because)
    return _report(facts, _EVICTION, cause, proposal=Proposal(none=reason("advice.eviction_not_prevented")))


def _volume() -> Report:
    message = 'Usage of EmptyDir volume "cache" exceeds the limit "64Mi".'
    because = (reason("death.evicted", message=message), reason("death.volume_is_memory", volume="cache"))
    cause = Cause(
        name=CauseName.UNKNOWN, confidence=0.95, detail="memory_volume", because=(reason("node.own_volume", volume="cache", size_limit="64Mi"), because[1])
    )  # fmt: skip
    kill = replace(_EVICTION, because=because)
    return _report(_facts(), kill, cause, proposal=Proposal(none=reason("advice.volume_over_size_limit")))
