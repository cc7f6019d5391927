"""Whose memory it was: the node's, the container's, a volume's, or nobody's. Kinds of evictions, refusals and kernel lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from receiver.diagnosis.clues import clues_of, memory_ratio_before
from receiver.diagnosis.death.kernel_lines import victim_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.facts import EventFact, Facts, MemoryHistory, NodeFacts
from receiver.domain.report import CauseName, KillKind, Report
from receiver.domain.units import GIB, KIB, MIB
from receiver.render.kinds import kind_of
from tests.unit.diagnosis.facts_kit import DIED, codes, container, death, facts, history, log

UID = "7f442d5a-9e86-4f71-9b2f-a615e44b62b6"
HASH = "0123456789abcdef0123456789abcdef"
OTHER_UID = "2b8ea0d0-f7c7-4a82-a5b9-56bb2f52961b"
NODE = NodeFacts(name="lab-node-2", allocatable_bytes=5 * GIB // 2, has_memory_pressure=False)


def _ended(reason: str, message: str, **pod: object) -> Report:
    return diagnose(
        facts(container(state="terminated"), alerts=("PodEvicted",), pod={"reason": reason, "message": message, "phase": "Failed", **pod})
    )


# --- evictions and refusals -------------------------------------------------------------------------------------------------

FOR_OTHERS = [
    "The node was low on resource: ephemeral-storage. Threshold quantity: 3219965180, available: 2867396Ki. ",
    "The node was low on resource: inodes. Threshold quantity: 65536, available: 12. Container app was using 90000, request is 0, has larger consumption of inodes. ",
    "The node was low on resource: pids. Threshold quantity: 1000, available: 12. ",
    "The node was low on resource: [DiskPressure]. ",
    "Container app exceeded its local ephemeral storage limit \"2Gi\". ",
    "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. ",
    'Usage of EmptyDir volume "scratch" exceeds the limit "64Mi". ',
    "The node had condition: [DiskPressure]. ",
    "The node had condition: [PIDPressure]. ",
]  # fmt: skip


@pytest.mark.parametrize("message", FOR_OTHERS)
def test_eviction_for_another_resource_says_nothing_of_the_nodes_memory(message: str) -> None:
    """Disk, inodes, process ids: not memory, and the message is the one that says so."""
    report = _ended("Evicted", message)

    assert (report.kill.kind, report.cause.name) == (KillKind.EVICTION, CauseName.NOT_MEMORY)
    assert kind_of(report, is_memory_alert=True) == "not_oom"
    assert report.proposal.none is not None
    assert report.proposal.none.code == "advice.not_an_oom"


@pytest.mark.parametrize(
    "message",
    [
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container app was using 180Mi, request is 64Mi. ",
        "The node was low on resource: [MemoryPressure]. ",
        "The node was low on compute resources. ",
        "",
    ],
)
def test_eviction_for_memory_is_the_nodes(message: str) -> None:
    """Of any kubelet's wording, and of none."""
    report = _ended("Evicted", message)

    assert (report.kill.kind, report.cause.name) == (KillKind.EVICTION, CauseName.NODE_PRESSURE)


@pytest.mark.parametrize(
    "message", ["The node had condition: [MemoryPressure]. ", "The node had condition: [MemoryPressure, DiskPressure]. "]
)
def test_pod_refused_under_memory_pressure_never_ran(message: str) -> None:
    """The node's memory, but nothing was killed: a request is the remedy."""
    report = _ended("Evicted", message)

    assert (report.cause.name, report.cause.detail) == (CauseName.NODE_PRESSURE, "refused")
    assert "death.refused_before_start" in codes(report.kill.because)
    assert "death.evicted_for_other_resource" not in codes(report.kill.because)
    assert "honest_request" in [entry.id for entry in report.long_term]


def test_volume_in_memory_over_its_size_limit_is_the_pods_own_memory() -> None:
    """It is memory, not the node's: neither `not memory` nor a hunt for who filled the node."""
    report = _ended("Evicted", 'Usage of EmptyDir volume "scratch" exceeds the limit "64Mi". ', memory_volumes=("scratch",))

    assert report.kill.kind is KillKind.EVICTION
    assert report.cause.name not in (CauseName.NODE_PRESSURE, CauseName.NOT_MEMORY)
    assert report.tree[0].answer == "yes"
    assert kind_of(report, is_memory_alert=True) == "volume"
    assert [entry.id for entry in report.long_term] == ["bound_memory_volume"]


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "OutOfmemory",
            "Pod was rejected: Node didn't have enough resource: memory, requested: 2097152000, used: 65865462583, capacity: 66388008960",
        ),
        ("OutOfmemory", "Pod Node didn't have enough resource: memory, requested: 524288000, used: 7802806272, capacity: 8038715392"),
        ("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 3800, capacity: 3920"),
        ("OutOfpods", "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110"),
        (
            "OutOfephemeral-storage",
            "Node didn't have enough resource: ephemeral-storage, requested: 10737418240, used: 0, capacity: 9663676416",
        ),
        ("OutOfnvidia.com/gpu", "Pod was rejected: Node didn't have enough resource: nvidia.com/gpu, requested: 1, used: 0, capacity: 0"),
        ("UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present, which is unexpected"),
        ("TopologyAffinityError", "Pod was rejected: Resources cannot be allocated with Topology locality"),
    ],
)
def test_pod_refused_for_its_request_is_no_kill(reason: str, message: str) -> None:
    """OutOfmemory sounds like an OOM: nothing ran, nothing was killed, and a limit is no remedy."""
    report = _ended(reason, message)

    assert (report.kill.kind, report.kill.is_sure) == (KillKind.NONE, True)
    assert (report.cause.name, report.cause.detail) == (CauseName.NOT_MEMORY, "refused")
    assert report.proposal.none is not None
    is_for_room = reason.startswith("OutOf")
    assert report.proposal.none.code == ("advice.refused_for_request" if is_for_room else "advice.refused_for_another_reason")
    assert [entry.id for entry in report.long_term] == (["fit_request"] if is_for_room else [])


def test_refusal_for_memory_tells_what_was_asked_and_what_there_was() -> None:
    """In bytes, from the kubelet's message."""
    report = _ended(
        "OutOfmemory", "Node didn't have enough resource: memory, requested: 2147483648, used: 6442450944, capacity: 8589934592"
    )
    said = next(b for b in report.kill.because if b.code == "death.refused_for_request")

    assert (said["requested_bytes"], said["used_bytes"], said["capacity_bytes"]) == (2 * GIB, 6 * GIB, 8 * GIB)


# --- the kernel's lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "process", "pid", "anon_kib", "uid"),
    [
        ("Memory cgroup out of memory: Killed process 1012 (heapster) total-vm:146500kB, anon-rss:98688kB, file-rss:10920kB, shmem-rss:0kB, UID:0 pgtables:252kB", "heapster", 1012, 98688, ""),
        ("Memory cgroup out of memory: Kill process 1012 (my app) score 1035 or sacrifice child", "my app", 1012, None, ""),
        ("Killed process 1012 (runc:[2:INIT]) total-vm:1089708kB, anon-rss:744kB, file-rss:4536kB", "runc:[2:INIT]", 1012, 744, ""),
        ("Killed process 1012, UID 0, (java) total-vm:146500kB, anon-rss:98688kB", "java", 1012, 98688, ""),
        (f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/kubepods/pod{UID},task_memcg=/kubepods/pod{UID}/ab,task=memlab,pid=496,uid=0", "memlab", 496, None, UID),
        (f"oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice/cri-containerd-ab.scope,task=java,pid=7,uid=0", "java", 7, None, UID),
        (f"Task in /kubepods/burstable/pod{UID}/ab killed as a result of limit of /kubepods/burstable/pod{UID}", "", None, None, UID),
        (f"oom-kill:constraint=CONSTRAINT_MEMCG,mems_allowed=0,oom_memcg=/kubepods/burstable/pod{UID},task_memcg=/kubepods/burstable/pod7", "", None, None, UID),
        ("System OOM encountered, victim process: memlab, pid: 3765", "memlab", 3765, None, ""),
        ("System OOM encountered", "", None, None, ""),
    ],
)  # fmt: skip
def test_victim_is_read(line: str, process: str, pid: int | None, anon_kib: int | None, uid: str) -> None:
    """Process, pid, memory and pod, in the words of old and new kernels."""
    victim = victim_of(line)

    assert (victim.process, victim.pid, victim.pod_uid) == (process, pid, uid)
    assert victim.anon_rss_bytes == (anon_kib * KIB if anon_kib is not None else None)


def _node_event(message: str, *, reason: str = "OOMKilling", after_s: float = 1.0) -> EventFact:
    at = DIED + timedelta(seconds=after_s)
    return EventFact(object_kind="Node", object_name="lab-node-2", reason=reason, message=message, at=at, first_at=at)


def _system_oom(process: str = "memlab", *, after_s: float = 1.0) -> EventFact:
    return _node_event(f"System OOM encountered, victim process: {process}, pid: 3765", reason="SystemOOM", after_s=after_s)


def _oom(*events: EventFact, lived_s: float = 13, reason: str = "OOMKilled", **more: object) -> Report:
    fields: dict[str, object] = {"events": events, "node": NODE, "pod": {"uid": UID}, **more}
    return diagnose(facts(container(dead=death(reason, lived_s=lived_s)), **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("after_s", [-110.0, -26.0, 20.0, 113.0])
def test_system_oom_of_another_minute_is_another_death(after_s: float) -> None:
    """One event is one victim, within seconds."""
    assert _oom(_system_oom(after_s=after_s)).kill.kind is KillKind.CONTAINER_OOM


@pytest.mark.parametrize("after_s", [-3.0, 0.0, 5.0])
def test_system_oom_of_the_same_seconds_with_nothing_against_it_is_the_node(after_s: float) -> None:
    """A container with a limit may be the victim of a node that ran out."""
    assert _oom(_system_oom(after_s=after_s)).kill.kind is KillKind.NODE_OOM


def test_system_oom_of_a_process_that_cannot_be_its_own_is_another_death() -> None:
    """In a JVM's container no `memlab` runs."""
    java = container(dead=death(), command=("java", "-jar", "app.jar"))

    assert diagnose(facts(java, events=(_system_oom("memlab"),))).kill.kind is KillKind.CONTAINER_OOM
    assert diagnose(facts(java, events=(_system_oom("java"),))).kill.kind is KillKind.NODE_OOM


def test_log_that_runs_up_to_the_limit_beats_a_system_oom_of_the_same_second() -> None:
    """40 of 48 MiB in its last line: its own limit."""
    lines = tuple(f"INFO handled {n}00 requests, session cache size {10 * n} MiB" for n in range(1, 9))
    report = _oom(_system_oom(), log=log(*lines))

    assert report.kill.kind is KillKind.CONTAINER_OOM
    assert "death.log_reaches_limit" in codes(report.kill.because)


def _killed_before(*ago_s: float) -> MemoryHistory:
    return replace(history(0.05), kill_times_s=tuple(DIED.timestamp() - s for s in ago_s))


def test_lives_that_ended_at_the_limit_before_beat_a_system_oom() -> None:
    """Killed twice while the node had memory left: the third time is no other."""
    assert _oom(_system_oom(), history=_killed_before(60, 120, 180)).kill.kind is KillKind.CONTAINER_OOM
    assert _oom(_system_oom(), history=_killed_before(60)).kill.kind is KillKind.NODE_OOM


def test_one_scrape_before_a_short_life_decides_nothing() -> None:
    """7 % fifteen seconds before the death of a container that lived twelve: not of this life."""
    early = history(0.07, until=DIED - timedelta(seconds=15))
    report = _oom(_system_oom(), lived_s=12, history=early)

    assert not report.kill.is_sure
    assert "death.own_memory_before" not in codes(report.kill.because)


def _memcg(uid: str = UID, *, oom_memcg: str = "", task: str = "memlab", pid: int = 3765) -> EventFact:
    return _node_event(
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg={oom_memcg or f'/kubepods/burstable/pod{uid}'},"
        f"task_memcg=/kubepods/burstable/pod{uid}/ab,task={task},pid={pid},uid=0"
    )


def _global(uid: str = UID) -> EventFact:
    return _node_event(
        f"oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/kubepods/burstable/pod{uid}/ab,task=memlab,pid=3765,uid=0"
    )


def test_kernel_line_of_the_pods_cgroup_decides() -> None:
    """CONSTRAINT_MEMCG is its own limit, CONSTRAINT_NONE the node, whatever else there was."""
    own = _oom(_memcg(), _system_oom())
    lines = tuple(f"INFO session cache size {10 * n} MiB" for n in range(1, 9))
    nodes = _oom(_global(), log=log(*lines))

    assert (own.kill.kind, own.kill.is_sure) == (KillKind.CONTAINER_OOM, True)
    assert "death.kernel_memcg" in codes(own.kill.because)
    assert (nodes.kill.kind, nodes.kill.is_sure) == (KillKind.NODE_OOM, True)


def test_kernel_line_of_another_pod_takes_its_system_oom_with_it() -> None:
    """The same pid in both events: the SystemOOM is the other pod's too."""
    assert _oom(_global(OTHER_UID), _system_oom()).kill.kind is KillKind.CONTAINER_OOM


def test_limit_above_all_pods_is_the_nodes() -> None:
    """The kubelet caps all pods together at the node's allocatable memory."""
    assert _oom(_memcg(oom_memcg="/kubepods.slice")).kill.kind is KillKind.NODE_OOM


@pytest.mark.parametrize("path", ["/system.slice/foo.service", "/docker/0123abcd", "/user.slice/user-1000.slice"])
def test_limit_beside_the_pods_is_somebody_elses(path: str) -> None:
    """A service of the node reached its own limit in the same second: neither the node's memory nor ours."""
    service = _node_event(
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg={path},task_memcg={path},task=memlab,pid=3765,uid=0"
    )
    victim = _node_event("Memory cgroup out of memory: Killed process 3765 (memlab) total-vm:9kB, anon-rss:9kB, file-rss:0kB")

    assert _oom(service, victim).kill.kind is KillKind.CONTAINER_OOM


def test_limit_of_a_node_that_is_a_container_is_the_nodes() -> None:
    """kind and k3d: the cgroup above kubepods is the node's own container."""
    line = f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/ab,task_memcg=/docker/ab/kubelet/kubepods/burstable/pod{UID}/cd,task=memlab,pid=3765,uid=0"

    assert _oom(_node_event(line)).kill.kind is KillKind.NODE_OOM


def test_static_pod_is_known_by_the_hash_of_its_file() -> None:
    """Its cgroup is named after kubernetes.io/config.hash, not after the mirror pod's uid."""
    line = _node_event(
        f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/kubepods/burstable/pod{HASH},task_memcg=/kubepods/burstable/pod{HASH}/ab,task=memlab,pid=3765,uid=0"
    )
    report = _oom(line, reason="Error", pod={"uid": UID, "annotations": {"kubernetes.io/config.hash": HASH}})

    assert (report.kill.kind, report.kill.is_sure) == (KillKind.CONTAINER_OOM, True)


def test_victim_that_holds_more_than_the_limit_is_not_in_the_container() -> None:
    """2 GiB of a process do not fit under 96 MiB."""
    big = _node_event("Out of memory: Killed process 3765 (memlab) total-vm:2500732kB, anon-rss:2491988kB, file-rss:4kB")

    assert _oom(big).kill.kind is KillKind.CONTAINER_OOM


@pytest.mark.parametrize(
    ("events", "kind", "sure"),
    [
        ((_memcg(),), KillKind.CONTAINER_OOM, True),
        ((_global(),), KillKind.NODE_OOM, True),
        ((_node_event("Memory cgroup out of memory: Killed process 9 (orders-api) total-vm:9kB, anon-rss:9kB, file-rss:0kB"),), KillKind.SUSPECTED_OOM, False),
    ],
)  # fmt: skip
def test_kernel_line_tells_what_the_runtime_missed(events: tuple[EventFact, ...], kind: KillKind, sure: bool) -> None:
    """Reason Error with 137, and the kernel's line of the same second."""
    report = _oom(*events, reason="Error", alerts=())

    assert (report.kill.kind, report.kill.is_sure) == (kind, sure)


# --- who took the node, and what scrapes cannot see ---------------------------------------------------------------------------


def _unlimited(used: int, **more: object) -> Report:
    samples = history(*(used * part / GIB for part in (0.5, 0.8, 1.0)), limit=GIB)
    plain = replace(samples, samples=tuple(replace(s, limit_bytes=None) for s in samples.samples))
    fields: dict[str, object] = {"node": NODE, "history": plain, "events": (_system_oom(),), **more}
    return diagnose(facts(container(limit=None, request=None, dead=death(lived_s=600)), **fields))  # type: ignore[arg-type]


def test_what_filled_the_node_is_told_to_get_a_limit() -> None:
    """1.9 of 2.5 GiB and no limit: it is not sent to look for itself."""
    report = _unlimited(19 * GIB // 10)

    assert (report.kill.kind, report.cause.detail) == (KillKind.NODE_OOM, "took_the_node")
    assert [entry.id for entry in report.long_term] == ["set_limit"]


def test_small_victim_without_limit_is_a_bystander() -> None:
    """100 MiB of 2.5 GiB: something else took the node."""
    report = _unlimited(100 * MIB)

    assert report.cause.detail != "took_the_node"
    assert "find_the_hungry" in [entry.id for entry in report.long_term]


def _ratio(case: Facts, at: datetime, lived_s: float) -> float | None:
    return memory_ratio_before(clues_of(case), at, at - timedelta(seconds=lived_s))


def test_life_of_few_scrapes_has_no_known_peak() -> None:
    """A low share of two scrapes is no level; a high one tells, and so do many."""
    low, high = facts(container(), history=history(0.3, 0.3, 0.3)), facts(container(), history=history(0.2, 0.95))

    assert _ratio(low, DIED, 60) is None
    assert _ratio(low, DIED, 600) == pytest.approx(0.3)
    assert _ratio(high, DIED, 30) == pytest.approx(0.95)


def test_many_short_lives_that_no_scrape_saw_near_the_limit_are_likely_no_oom() -> None:
    """Error 137 again and again at 4 %: not sure, and no memory is told as the peak of a life. With fewer scrapes it is open."""
    many = diagnose(facts(container(dead=death("Error")), history=history(*[0.04] * 6), alerts=()))
    few = diagnose(facts(container(dead=death("Error")), history=history(0.04, 0.04), alerts=()))

    assert (many.kill.kind, many.kill.is_sure) == (KillKind.SIGKILL_NOT_OOM, False)
    assert "death.memory_before" not in codes(many.kill.because)
    assert few.kill.kind is KillKind.SUSPECTED_OOM
