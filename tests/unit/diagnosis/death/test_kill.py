"""What killed it: the truth table, on facts as a real cluster wrote them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.death.kill import RULES, Rule
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Missing
from receiver.domain.facts import Disruption, EventFact, Facts, NodeFacts
from receiver.domain.identity import Subject
from receiver.domain.reason import reason
from receiver.domain.report import KillKind, Sender
from tests.support import NOW, alert
from tests.unit.diagnosis.facts_kit import ago, container, death, fact, facts, history, killing, log

PROBE = "Container search failed liveness probe, will be restarted"
START_OOM = "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown"
WORKER = "[2026-11-23 00:51:14,045] [1] [ERROR] Worker (pid:21) was sent SIGKILL! Perhaps out of memory?"
LOW = "The node was low on resource: memory. Threshold quantity: 150Mi, available: 67124Ki. "


def _dead(**kind: object) -> Facts:
    return facts(container(dead=death(**kind)))  # type: ignore[arg-type]


SYSTEM_OOM = EventFact(
    object_kind="Node", object_name="lab-node-1", reason="SystemOOM", message="System OOM encountered, victim process: java, pid: 7", at=ago(118)
)  # fmt: skip
UID = "7f442d5a-9e86-4f71-9b2f-a615e44b62b6"
MEMCG = EventFact(
    object_kind="Node", object_name="lab-node-1", reason="OOMKilling", at=ago(119),
    message=f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/kubepods/burstable/pod{UID}/ab,task_memcg=/kubepods/burstable/pod{UID}/ab,task=java,pid=7,uid=0",
)  # fmt: skip
NO_ROOM = "Pod was rejected: Node didn't have enough resource: memory, requested: 2097152000, used: 65865462583, capacity: 66388008960"
NO_POD = Missing(source="pod", why="403: may not get pods", hint="grant get on pods")
SEEN = replace(history(0.8, 0.9, 0.99), kill_times_s=(ago(120).timestamp(),))
UNHEALTHY = killing("Liveness probe failed: HTTP 503", at=ago(125), reason="Unhealthy")

HANDLER = '#   Executing /bin/sh -c "kill -9 7"...'
STOP = "2026/11/23 00:50:44 [notice] 1#1: signal 15 (SIGTERM) received from 1, exiting"
INIT_P = 'OCI runtime create failed: getting the final child\'s pid from pipe caused "read init-p: connection reset by peer": unknown'
PAKETO = "required memory 394176K is greater than 256M available for allocation: -XX:MaxDirectMemorySize=10M"
TIMEOUT = "[2026-11-23 00:50:44,045] [1] [CRITICAL] WORKER TIMEOUT (pid:21)"
LOOP = (  # the kubelet dropped what came after
    replace(killing(PROBE, at=ago(2000)), count=6),
    replace(killing("Liveness probe failed: HTTP 503", at=ago(900), reason="Unhealthy"), count=33),
)

# what it is, the facts, the kind, whether it is sure, the code of the reason that decided
TABLE: list[tuple[str, Facts, KillKind, bool, str]] = [
    ("oomkilled, 137", _dead(), KillKind.CONTAINER_OOM, True, "death.oom_killed"),
    ("oomkilled, no exit code", _dead(code=None), KillKind.CONTAINER_OOM, True, "death.oom_killed_without_code"),
    ("oomkilled with exit 0: a child was killed", _dead(code=0), KillKind.CONTAINER_OOM, True, "death.oom_killed"),
    ("oomkilled with exit 1", _dead(code=1), KillKind.CONTAINER_OOM, True, "death.oom_killed"),
    ("oomkilled with exit 143: SIGTERM ended it", _dead(code=143), KillKind.CONTAINER_OOM, False, "death.ended_by_sigterm"),
    ("oomkilled with exit 143 while it was drained", facts(container(dead=death(code=143)), pod={"deleted_at": ago(150)}), KillKind.SUSPECTED_OOM, False, "death.asked_to_stop"),
    ("its log ends with the request to stop, no event is left", facts(container(dead=death("Error")), log=log("INFO serving", STOP), alerts=()), KillKind.SIGKILL_NOT_OOM, False, "death.log_line"),
    ("the same, memory near the limit", facts(container(dead=death("Error")), log=log("INFO serving", STOP), alerts=(), history=history(0.8, 0.9, 0.99)), KillKind.SUSPECTED_OOM, False, "death.sender_unknown"),
    ("the same, far up in the log", facts(container(dead=death("Error")), log=log(STOP, *["INFO serving"] * 30), alerts=()), KillKind.SUSPECTED_OOM, False, "death.sender_unknown"),
    ("the same in the log of the instance that runs", facts(container(dead=death("Error")), log=log(STOP, current=True), alerts=()), KillKind.SUSPECTED_OOM, False, "death.sender_unknown"),
    ("the request to stop and an OOM kill that was recorded", facts(container(dead=death()), log=log(STOP)), KillKind.CONTAINER_OOM, True, "death.oom_killed"),
    ("the manager announced it at the end of the log", facts(container(dead=death("Error")), log=log("WORKER TIMEOUT (pid:7)"), alerts=()), KillKind.SIGKILL_NOT_OOM, False, "death.announced"),
    ("the JVM's handler killed it", facts(container(dead=death("Error")), log=log("java.lang.OutOfMemoryError: Java heap space", HANDLER), alerts=()), KillKind.SIGKILL_NOT_OOM, True, "death.announced"),
    ("its own exit with 137", facts(container(dead=death("Error")), log=log("ERROR exiting with 137"), alerts=()), KillKind.SIGKILL_NOT_OOM, False, "death.announced"),
    ("error 137, chosen to be evicted", facts(container(dead=death("Error")), pod={"disruption": Disruption(reason="EvictionByEvictionAPI", at=ago(140))}, alerts=()), KillKind.SIGKILL_NOT_OOM, True, "death.disrupted"),
    ("error 137 long after the last event of a probe's crash loop", facts(container(dead=death("Error")), events=LOOP, alerts=()), KillKind.SIGKILL_NOT_OOM, True, "death.event"),
    ("a placeholder", facts(container(dead=death("ContainerStatusUnknown", at=None, lived_s=None)), alerts=()), KillKind.NONE, False, "death.not_seen"),
    ("gone after a reboot", facts(container(dead=death("Unknown", 255)), alerts=()), KillKind.NONE, False, "death.not_seen"),
    ("a placeholder, and the alert says OOM", facts(container(dead=death("ContainerStatusUnknown", at=None, lived_s=None))), KillKind.SUSPECTED_OOM, False, "death.alert_says"),
    ("init cut short under a tiny limit", facts(container(limit=6 << 20, dead=death("StartError", 128, lived_s=None, message=INIT_P), state="waiting"), alerts=()), KillKind.SUSPECTED_OOM, False, "death.cut_short"),
    ("init cut short under a roomy limit", facts(container(dead=death("StartError", 128, lived_s=None, message=INIT_P), state="waiting"), alerts=()), KillKind.NONE, False, "death.cut_short"),
    ("the sandbox was OOM-killed", facts(container(state="waiting"), events=(killing(START_OOM, reason="FailedCreatePodSandBox", container=""),), alerts=()), KillKind.CONTAINER_OOM, True, "death.oom_before_start"),
    ("it refuses to start", facts(container(dead=death("Error", 1)), log=log(PAKETO), alerts=()), KillKind.NONE, True, "death.log_line"),
    ("a child by its manager's timeout", facts(container(), log=log(TIMEOUT, WORKER, current=True), alerts=("Unknown",)), KillKind.SIGKILL_NOT_OOM, True, "death.announced"),
    ("the same beside an early warning", facts(container(), log=log(TIMEOUT, WORKER, current=True), alerts=("HighMemoryUsage",)), KillKind.NONE, True, "death.announced"),
    ("the same, and the kernel counted a kill", facts(container(), log=log(TIMEOUT, WORKER, current=True), child_kills=1, alerts=()), KillKind.CHILD_PROCESS_OOM, True, "death.oom_counter_rose"),
    ("the timeout of another worker", facts(container(), log=log(TIMEOUT.replace("21", "22"), WORKER, current=True), alerts=()), KillKind.SUSPECTED_OOM, False, "death.log_lines"),
    ("a bare line about a child, memory at 30 % all along", facts(container(), log=log(WORKER, current=True), history=history(0.3, 0.3, 0.3), alerts=()), KillKind.SIGKILL_NOT_OOM, False, "death.log_lines"),
    ("error 137, a bare line, memory at 30 %", facts(container(dead=death("Error", lived_s=900)), log=log(WORKER), history=history(0.3, 0.3, 0.3), alerts=()), KillKind.SIGKILL_NOT_OOM, False, "death.sender_unknown"),
    ("exit 247: a child was killed", facts(container(dead=death("Error", 247)), alerts=()), KillKind.SUSPECTED_OOM, False, "death.sender_unknown"),
    ("exit 134", facts(container(dead=death("Error", 134)), alerts=()), KillKind.NONE, False, "death.other_end"),
    ("running after restarts whose end is lost", facts(container(restart_count=3), alerts=()), KillKind.NONE, False, "death.last_state_lost"),
    ("oomkilled with no limit anywhere: the node", facts(container(limit=None, request=None, dead=death())), KillKind.NODE_OOM, True, "death.oom_killed"),
    ("oomkilled under a limit of the pod", facts(container(limit=None, request=None, dead=death()), pod={"pod_limit_bytes": 96 << 20}), KillKind.CONTAINER_OOM, True, "death.oom_killed"),
    ("oomkilled at 30 % while the node ran out", facts(container(dead=death(lived_s=600)), events=(SYSTEM_OOM,), history=history(0.3, 0.3, 0.3)), KillKind.NODE_OOM, True, "death.oom_killed"),
    ("StartError whose message names an OOM", _dead(reason="StartError", code=128, lived_s=None, message=START_OOM), KillKind.CONTAINER_OOM, True, "death.oom_before_start"),
    ("StartError for another reason", _dead(reason="StartError", code=128, lived_s=None, message="no such file"), KillKind.SUSPECTED_OOM, False, "death.alert_says"),
    ("error 137 and a kill for its liveness probe", facts(container(dead=death("Error")), events=(killing(PROBE),)), KillKind.SIGKILL_NOT_OOM, True, "death.event"),
    ("error 137 and a failed liveness probe", facts(container(dead=death("Error")), events=(UNHEALTHY,)), KillKind.SIGKILL_NOT_OOM, True, "death.event"),
    ("error 137 and the pod being deleted", facts(container(dead=death("Error")), pod={"deleted_at": ago(150)}), KillKind.SIGKILL_NOT_OOM, True, "death.pod_deleted"),
    ("error 137 after it was asked to stop", facts(container(dead=death("Error")), events=(killing("Stopping container orders-api"),)), KillKind.SIGKILL_NOT_OOM, True, "death.event"),
    ("error 137 on a node that shut down", facts(container(dead=death("Error")), pod={"reason": "NodeShutdown"}), KillKind.SIGKILL_NOT_OOM, True, "death.pod_stopped"),
    ("error 137, memory at 97 % just before", facts(container(dead=death("Error")), history=history(0.8, 0.9, 0.97), alerts=()), KillKind.SUSPECTED_OOM, False, "death.sender_unknown"),
    ("error 137, memory at 30 % just before", facts(container(dead=death("Error", lived_s=600)), history=history(0.3, 0.3, 0.3), alerts=()), KillKind.SIGKILL_NOT_OOM, False, "death.sender_unknown"),
    ("the same, and the node ran out", facts(container(dead=death("Error", lived_s=600)), history=history(0.3, 0.3, 0.3), alerts=(), events=(SYSTEM_OOM,)), KillKind.NODE_OOM, False, "death.sender_unknown"),
    ("error 137, nothing else known", facts(container(dead=death("Error")), alerts=()), KillKind.SUSPECTED_OOM, False, "death.sender_unknown"),
    ("evicted for memory", facts(container(dead=death()), pod={"reason": "Evicted", "message": LOW, "phase": "Failed"}), KillKind.EVICTION, True, "death.evicted"),
    ("error 137, and the kernel names its cgroup", facts(container(dead=death("Error")), pod={"uid": UID}, alerts=(), events=(MEMCG,)), KillKind.CONTAINER_OOM, True, "death.kernel_memcg"),
    ("refused for its request", facts(container(), pod={"reason": "OutOfmemory", "message": NO_ROOM, "phase": "Failed"}, alerts=()), KillKind.NONE, True, "death.refused"),
    ("a child, by the counter", facts(container(), child_kills=81, alerts=()), KillKind.CHILD_PROCESS_OOM, True, "death.oom_counter_rose"),
    ("a child, by the counter, and its alert", facts(container(dead=death()), child_kills=81, alerts=("ChildProcessOOMKilled",)), KillKind.CHILD_PROCESS_OOM, True, "death.oom_counter_rose"),
    ("a child, by the log, and memory was full", facts(container(), log=log(WORKER, current=True), history=history(0.9, 0.95, 0.96), alerts=()), KillKind.CHILD_PROCESS_OOM, False, "death.log_lines"),
    ("a child, by the kernel's line", facts(container(), pod={"uid": UID}, events=(MEMCG,), alerts=()), KillKind.CHILD_PROCESS_OOM, True, "death.kernel_memcg"),
    ("a child by its line, then the main process, memory full", facts(container(dead=death("Error", 1, lived_s=600)), log=log(WORKER, "shutting down"), history=history(0.9, 0.95, 0.96), alerts=()), KillKind.SUSPECTED_OOM, False, "death.log_line"),
    ("asked to stop", facts(container(dead=death("Error", 143)), alerts=()), KillKind.NONE, True, "death.other_end"),
    ("a child, by the log alone", facts(container(), log=log(WORKER, current=True), alerts=()), KillKind.SUSPECTED_OOM, False, "death.log_lines"),
    ("MemoryError, exit 1", facts(container(dead=death("Error", 1)), log=log("Traceback (most recent call last):", "MemoryError"), alerts=()), KillKind.NONE, True, "death.log_line"),
    ("Java, exit 3", facts(container(dead=death("Error", 3)), log=log("Terminating due to java.lang.OutOfMemoryError: Java heap space"), alerts=()), KillKind.NONE, True, "death.log_line"),
    ("Node heap, exit 139", facts(container(dead=death("Error", 139)), log=log("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"), alerts=()), KillKind.NONE, True, "death.log_line"),
    ("exit 1 for its own reasons", facts(container(dead=death("Error", 1)), log=log("cannot reach the database"), alerts=()), KillKind.NONE, False, "death.other_end"),
    ("running, an early warning", facts(container(), alerts=("HighMemoryUsage",)), KillKind.NONE, True, "death.no_kill_so_far"),
    ("running for days since its last kill, an early warning", facts(container(dead=death(at=ago(3 * 86400))), alerts=("HighMemoryUsage",)), KillKind.NONE, True, "death.long_ago"),
    ("only the alert says so", facts(alerts=("OOMKilled",)), KillKind.SUSPECTED_OOM, False, "death.alert_says"),
    ("only the alert and the metrics say so", facts(alerts=("OOMKilled",), history=SEEN, missing=(NO_POD,)), KillKind.CONTAINER_OOM, False, "death.metrics_tell"),
    ("only a node alert says so", Facts(now=NOW, subject=Subject(node="n1"), alerts=(alert("NodeOOMKill", pod="", namespace="", container="", node="n1"),)), KillKind.NODE_OOM, False, "death.alert_says"),
    ("nothing says anything", facts(alerts=()), KillKind.NONE, False, "death.no_alert_claims_a_kill"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "kind", "sure", "code"), [pytest.param(f, k, s, c, id=name) for name, f, k, s, c in TABLE])
def test_truth_table(case: Facts, kind: KillKind, sure: bool, code: str) -> None:
    """Each row of the truth table gets its kind of kill, sure or not, and says why."""
    kill = diagnose(case).kill

    assert (kill.kind, kill.is_sure, kill.because[0].code) == (kind, sure, code)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_decides_a_row_and_says_what_it_does(rule: Rule) -> None:
    """A rule that decides nothing, here or because another always comes first, is no rule."""
    deciders = [next(r for r in RULES if r(clues_of(case)) is not None) for _, case, _, _, _ in TABLE]

    assert rule in deciders, f"no row of TABLE is decided by {rule.__name__}"
    assert rule.__doc__


def test_eviction_beats_an_older_oomkilled() -> None:
    """An evicted pod keeps its old OOMKilled in lastState; the report says eviction and quotes the kubelet."""
    gone = replace(
        container(dead=death(at=ago(400))), state="terminated", terminated=death("ContainerStatusUnknown", at=None, lived_s=None)
    )
    report = diagnose(facts(gone, pod={"reason": "Evicted", "message": LOW, "phase": "Failed"}))

    assert report.kill.kind is KillKind.EVICTION
    assert report.kill.because == (reason("death.evicted", message=LOW.strip()),)
    assert report.kill.exit_code is None


def test_eviction_for_disk_is_not_memory() -> None:
    """A pod evicted for ephemeral storage is not a memory incident."""
    report = diagnose(
        facts(container(), pod={"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."}, alerts=("PodEvicted",))
    )

    assert report.kill.kind is KillKind.EVICTION
    assert report.cause.name == "not_memory"


def test_newer_death_counts() -> None:
    """In the back-off window the current state is the newest crash and lastState the one before: the newest decides."""
    both = replace(container(dead=death(at=ago(300))), state="terminated", terminated=death("Error", 1, at=ago(30)))
    report = diagnose(facts(both, alerts=(), log=log("cannot reach the database")))

    assert report.kill.kind is KillKind.NONE
    assert report.kill.at == ago(30)


def test_oom_before_another_death_is_still_the_incident() -> None:
    """OOMKilled and then exit 1 half a minute later: the alert claims the OOM kill, and it is found in lastState."""
    both = replace(container(dead=death(at=ago(60))), state="terminated", terminated=death("Error", 1, at=ago(30)))
    report = diagnose(facts(both, alerts=("OOMKilled",)))

    assert report.kill.kind is KillKind.CONTAINER_OOM
    assert report.kill.at == ago(60)


@pytest.mark.parametrize(
    ("before_s", "lived_s", "kind"),
    [
        pytest.param(5, 13, KillKind.SIGKILL_NOT_OOM, id="moments before"),
        pytest.param(20, 13, KillKind.SUSPECTED_OOM, id="in the life before"),
        pytest.param(300, 7200, KillKind.SIGKILL_NOT_OOM, id="a grace period of five minutes before"),
        pytest.param(3600, 7200, KillKind.SUSPECTED_OOM, id="an hour before"),
    ],
)
def test_only_events_of_this_life_and_its_end_count(before_s: float, lived_s: float, kind: KillKind) -> None:
    """A probe kill explains the death that follows it within a grace period, and no later one."""
    event = killing(PROBE, at=ago(120 + before_s))
    report = diagnose(facts(container(dead=death("Error", lived_s=lived_s)), events=(event,), alerts=()))

    assert report.kill.kind is kind


def test_failed_probe_is_enough_when_the_kubelet_dropped_its_killing_event() -> None:
    """In a long crash loop the kubelet leaves out Killing events: the failed probe of this life tells, and the earlier kill confirms it."""
    events = (killing(PROBE, at=ago(700)), killing("Liveness probe failed: ", at=ago(125), reason="Unhealthy"))
    report = diagnose(facts(container(dead=death("Error")), events=events, alerts=()))

    assert report.kill.kind is KillKind.SIGKILL_NOT_OOM
    assert report.kill.is_sure
    assert report.kill.because[:2] == (reason("death.event", message="Liveness probe failed"), reason("death.earlier_event", message=PROBE))


def test_probe_that_failed_long_before_explains_nothing() -> None:
    """A liveness probe that failed once, half an hour before the end of the same life, did not kill it then."""
    events = (killing("Liveness probe failed: timeout", at=ago(120 + 1800), reason="Unhealthy"),)
    report = diagnose(facts(container(dead=death("Error", lived_s=7200)), events=events, alerts=()))

    assert report.kill.kind is KillKind.SUSPECTED_OOM


def test_readiness_never_kills() -> None:
    """A failed readiness probe takes traffic away and kills nothing."""
    events = (killing("Readiness probe failed: HTTP 503", at=ago(122), reason="Unhealthy"),)
    report = diagnose(facts(container(dead=death("Error")), events=events, alerts=()))

    assert report.kill.kind is KillKind.SUSPECTED_OOM


def test_deadline_of_a_job_that_was_oomkilled_is_still_an_oom() -> None:
    """A Job whose pods were OOMKilled until its deadline did not fail for its deadline."""
    report = diagnose(facts(container(dead=death()), kind="Job", pod={"reason": "DeadlineExceeded"}))

    assert report.kill.kind is KillKind.CONTAINER_OOM


def test_events_of_a_neighbour_container_do_not_count() -> None:
    """The probe of another container of the pod killed that one, not ours."""
    report = diagnose(facts(container(dead=death("Error")), events=(killing(PROBE, container="sidecar"),), alerts=()))

    assert report.kill.kind is KillKind.SUSPECTED_OOM


def test_probe_kill_near_the_limit_says_so() -> None:
    """A container that thrashes at its limit may fail its probe: still a probe kill, but the report mentions the memory."""
    report = diagnose(facts(container(dead=death("Error")), events=(killing(PROBE),), history=history(0.9, 0.95, 0.96), alerts=()))

    assert report.kill.kind is KillKind.SIGKILL_NOT_OOM
    assert report.kill.sender is Sender.LIVENESS_PROBE
    assert report.kill.because[-1].code == "death.thrashed"


def test_system_oom_below_its_own_limit_is_the_node() -> None:
    """The node ran out in the same minute and this container was at 30 % of its limit: a node kill, for sure."""
    report = diagnose(facts(container(dead=death(lived_s=600)), events=(SYSTEM_OOM,), history=history(0.3, 0.3, 0.3)))

    assert report.kill.kind is KillKind.NODE_OOM
    assert report.kill.is_sure


def test_system_oom_at_its_own_limit_is_the_container() -> None:
    """A system OOM somewhere else in the same minute does not take the blame from a container at 97 % of its limit."""
    report = diagnose(facts(container(dead=death()), events=(SYSTEM_OOM,), history=history(0.8, 0.9, 0.97)))

    assert report.kill.kind is KillKind.CONTAINER_OOM


def test_early_warning_is_not_about_last_weeks_kill() -> None:
    """lastState keeps a death for ever; HighMemoryUsage on a container that has run for days is not a kill."""
    report = diagnose(facts(container(dead=death(at=ago(3 * 86400))), alerts=("HighMemoryUsage",)))

    assert report.kill.kind is KillKind.NONE
    assert report.kill.because == (reason("death.long_ago", reason="OOMKilled", age_s=3 * 86400.0),)


def test_children_dying_now_beat_an_old_oomkilled() -> None:
    """An alert about killed children of a running container is not answered with its own older kill."""
    report = diagnose(facts(container(dead=death(at=ago(86400 * 2))), child_kills=3, alerts=("ChildProcessOOMKilled",)))

    assert report.kill.kind is KillKind.CHILD_PROCESS_OOM


def test_child_lines_of_a_dead_instance_do_not_count_for_the_running_one() -> None:
    """Lines about killed workers in the log of the instance before say nothing of the one that runs."""
    report = diagnose(facts(container(dead=death("Completed", 0)), log=log(WORKER), alerts=()))

    assert report.kill.kind is KillKind.NONE


def test_metrics_alone_are_not_sure() -> None:
    """Kubernetes refused, Prometheus saw an OOM kill: said, with the refusal, and not as sure."""
    kill = diagnose(facts(alerts=("OOMKilled",), history=SEEN, missing=(NO_POD,))).kill

    assert kill.kind is KillKind.CONTAINER_OOM
    assert not kill.is_sure
    assert reason("death.pod_unread", why="403: may not get pods; grant get on pods") in kill.because


def test_node_pressure_is_quoted() -> None:
    """A container without limit that the node killed: the node's pressure stands among the reasons."""
    node = NodeFacts(name="lab-node-2", allocatable_bytes=2 << 30, has_memory_pressure=True, other_oom_kills=("shop-v2/x (x)",))
    report = diagnose(facts(container(limit=None, request=None, dead=death()), node=node))

    assert reason("death.node_pressure", node="lab-node-2") in report.kill.because
    assert fact(report.cause.because, "node.also_killed", "containers") == ("shop-v2/x (x)",)
