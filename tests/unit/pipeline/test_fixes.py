"""A fix in an incident's life: seen by whatever look comes first, followed up once at each step, failed, undone, said to an older release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case, Missing, case_from_json
from receiver.domain.identity import Subject
from receiver.domain.incident_memory import FixNote, IncidentMemory
from receiver.domain.report import Report
from receiver.domain.units import format_time, from_epoch
from receiver.pipeline import kinds
from receiver.pipeline.actions import FIXED, NOT_FIXED, Act, Actions
from receiver.pipeline.held import with_held_evidence
from receiver.pipeline.life import Update, remember, with_life
from receiver.store import incident_lists, incidents, jobs
from receiver.store.store import Store
from tests.places import FIXTURES
from tests.support import alert
from tests.unit.pipeline.kit import Desk, container_status, pod

H, DAY_S = 3600.0, 86_400.0
STEPS = (DAY_S, 2 * DAY_S)
MIB = 1024 * 1024
POD = pod(0)


# --- recorded: a real cluster, Kubernetes 1.36, two fixes with the thread's own command


def recorded(name: str) -> Case:
    return case_from_json(json.loads((FIXTURES / "cluster" / name).read_text(encoding="utf-8")))


def before(case: Case, *, at: str, limit: str, words: dict[str, str]) -> Case:
    """The same workload as an earlier look saw it: before the rollout, in the pod that was there then."""
    text = json.dumps(case.to_json())
    for new, old in words.items():
        text = text.replace(new, old)
    document = json.loads(text)
    document["gathered_at"] = at
    answers = document["answers"]
    answers["replicasets"]["items"] = answers["replicasets"]["items"][-1:]
    for owner in (*answers["owners"], *answers["replicasets"]["items"]):
        owner["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = limit
    for where in (answers["pod"]["spec"]["containers"][0], answers["pod"]["status"]["containerStatuses"][0]):
        where.setdefault("resources", {}).setdefault("limits", {})["memory"] = limit
    return case_from_json(document)


def look(case: Case, memory: IncidentMemory, *, state: str) -> tuple[Report, IncidentMemory, Update]:
    report = diagnose(facts_of(with_life(case, memory)))
    after, update = remember(memory, report, [], state=state, severity="warning", now=case.gathered_at)
    return report, after, update


def state_of(report: Report, item: str) -> str:
    return next(i.state for i in report.checklist if i.id == item)


def test_the_pod_was_replaced_and_its_limit_raised() -> None:
    """report-batch: 96Mi to 200Mi at 15:10:54, resolved at 15:16 with the old pod gone. It was called `not fixed`."""
    new, gone = recorded("report-batch-fixed-new-pod.json"), recorded("report-batch-fixed-old-pod.json")
    first = before(
        new, at="2026-11-30T15:05:15Z", limit="96Mi",
        words={"report-batch-776fd5bc97-fws9s": "report-batch-68c9d4ffd6-pcrjk", "report-batch-776fd5bc97": "report-batch-68c9d4ffd6"},
    )  # fmt: skip
    status = first.answers["pod"]["status"]["containerStatuses"][0]
    status["restartCount"] = 1
    status["state"] = {"running": {"startedAt": "2026-11-30T15:04:28Z"}}
    status["lastState"] = {
        "terminated": {"reason": "OOMKilled", "exitCode": 137, "startedAt": "2026-11-30T15:00:27Z", "finishedAt": "2026-11-30T15:04:27Z"}
    }
    _, memory, _ = look(first, IncidentMemory(), state="firing")
    resolved = with_held_evidence(replace(gone, gathered_at=datetime(2026, 11, 30, 15, 16, 11, tzinfo=UTC)), first)
    report, memory, update = look(resolved, memory, state="resolved")

    watched = memory.standing_watch
    assert watched is not None
    (change,) = watched.changes
    assert (change.what, change.before_bytes, change.after_bytes) == ("limit", 96 * MIB, 200 * MIB)
    assert format_time(watched.since) == "2026-11-30T15:10:54Z"
    assert report.kill.reason == "OOMKilled"
    assert (state_of(report, "apply_fix"), state_of(report, "monitor_48h")) == ("done", "todo")
    assert (report.proposal.role, report.proposal.limit_bytes) == ("keep", 200 * MIB)
    assert update.news is not None
    assert (update.news.slot, update.news.is_broadcast) == (f"fix:limit-raised:{200 * MIB}", False)


def test_a_warning_was_answered_by_a_raise() -> None:
    """session-store: 96Mi to 112Mi at 15:41:01; the look at 15:48 is at the new pod. It was called `nothing was changed`."""
    new = recorded("session-store-fixed.json")
    words = {
        "session-store-5b467fdcf9-kvdpk": "session-store-5b4947b4b9-pstcc", "session-store-5b467fdcf9": "session-store-5b4947b4b9",
    }  # fmt: skip
    _, memory, _ = look(before(new, at="2026-11-30T15:36:00Z", limit="96Mi", words=words), IncidentMemory(), state="firing")
    report, memory, _ = look(new, memory, state="resolved")

    watched = memory.standing_watch
    assert watched is not None
    assert (format_time(watched.since), watched.changes[0].after_bytes) == ("2026-11-30T15:41:01Z", 112 * MIB)
    assert memory.kill_count == 0
    assert [i.result.code for i in report.checklist if i.id == "apply_fix" and i.result] == ["check.limit_raised_in_time"]
    assert state_of(report, "apply_fix") == "done"
    assert "-       memory: 96Mi\n+       memory: 112Mi" in report.proposal.diff


# --- a Deployment that is changed under the receiver's eyes


class World:
    """orders-api: killed at 09:00 with 80Mi; what its template and pods say can be changed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.template = "80Mi"
        self.old, self.new = "655779759d", "7c9d8f6b54"
        self.rolled_at: float | None = None
        self.killed_again_at: float | None = None
        self.is_measured = True
        self.made_at: float | None = None  # the new pod
        desk.evidence = self.answers

    def raise_to(self, limit: str) -> None:
        self.template, self.rolled_at = limit, self.desk.clock.now()

    def answers(self, subject: Subject) -> dict[str, Any]:
        container = {"name": "orders-api", "image": "shop:1", "resources": {"limits": {"memory": self.template}}}
        old = {**container, "resources": {"limits": {"memory": "80Mi"}}}
        sets = [self._set(self.old, 1, "2024-11-01T00:00:00Z", old)]
        if self.rolled_at is not None:
            sets.insert(0, self._set(self.new, 2, format_time(from_epoch(self.rolled_at)), container))
        deployment = {
            "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "orders-api", "namespace": "shop", "uid": "d"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": {"spec": {"containers": [container]}}},
        }  # fmt: skip
        found: dict[str, Any] = {"owners": [deployment], "replicasets": {"items": sets}}
        if self.rolled_at is None:
            found["pod"] = self._pod(POD, self.old, old, container_status("orders-api"))
        else:
            status = {"name": "orders-api", "restartCount": 0, "ready": True, "state": {"running": {}}, "lastState": {}}
            if self.killed_again_at is not None:
                status = container_status("orders-api", finished=format_time(from_epoch(self.killed_again_at)))
            found["siblings"] = {"items": [self._pod(POD.replace(self.old, self.new), self.new, container, status)]}
        if self.desk.fixed_at is not None and self.is_measured:
            found["since"] = self._since(self.desk.fixed_at.timestamp())
        self.desk.missing = (Missing(source="pod", why="gone"),) if "pod" not in found else ()
        return found

    def _since(self, begun: float) -> dict[str, Any]:
        now = self.desk.clock.now()
        values = [[begun + i * 300, str(50 * MIB)] for i in range(int((now - begun) / 300))]
        series = [{"metric": {"pod": "new", "container": "orders-api", "id": "1"}, "values": values}]
        return {"start": begun - DAY_S, "end": now, "step_s": 300, "series": {"working_set": series}}

    def _set(self, name: str, number: int, created: str, container: dict[str, Any]) -> dict[str, Any]:
        return {
            "metadata": {
                "name": f"orders-api-{name}", "creationTimestamp": created, "uid": name,
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "ownerReferences": [{"kind": "Deployment", "name": "orders-api", "controller": True, "apiVersion": "apps/v1", "uid": "d"}],
            },
            "spec": {"template": {"spec": {"containers": [container]}}},
        }  # fmt: skip

    def _pod(self, name: str, own: str, container: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        reference = {"kind": "ReplicaSet", "name": f"orders-api-{own}", "controller": True, "apiVersion": "apps/v1", "uid": own}
        labels = {"pod-template-hash": own}
        made = {"creationTimestamp": format_time(from_epoch(self.made_at))} if self.made_at is not None else {}
        return {
            "metadata": {"namespace": "shop", "name": name, "uid": name, "ownerReferences": [reference], "labels": labels, **made},
            "spec": {"nodeName": "node-1", "containers": [container]}, "status": {"phase": "Running", "containerStatuses": [status]},
        }  # fmt: skip


class Case_:
    """A desk with one incident of such a world."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.desk = Desk(path, follow_ups_s=STEPS)
        self.world = World(self.desk)
        self.desk.take(alert(pod=POD, started=self.desk.clock.now()))

    @property
    def memory(self) -> IncidentMemory:
        return self.incident().memory

    def incident(self) -> incidents.Incident:
        with self.desk.store.read() as tx:
            return incident_lists.newest(tx, 1)[0]

    def later(self, seconds: float) -> None:
        self.desk.clock.advance(seconds)
        self.desk.work()

    def look(self) -> None:
        incident_id = self.incident().id
        with self.desk.store.write() as tx:
            jobs.schedule(tx, kinds.COLLECT, incident_id, now=self.desk.clock.now())
        self.desk.work()

    def replies(self) -> list[str]:
        return [slot for m in self.desk.messages() if (slot := m.partition("/")[2].partition(": ")[0]).startswith(("fix", "followup"))]

    def due_in_h(self) -> float | None:
        incident_id = self.incident().id
        with self.desk.store.read() as tx:
            due = jobs.due_of(tx, kinds.FOLLOW_UP, incident_id)
        return None if due is None else round((due - self.desk.clock.now()) / H, 1)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case_]:
    made = Case_(tmp_path / "state.db")
    yield made
    made.desk.store.close()


def fixed(case: Case_, limit: str = "200Mi") -> None:
    case.desk.clock.advance(1800)
    case.world.raise_to(limit)
    case.later(60)
    case.look()


def test_a_fix_plans_its_follow_ups_and_each_is_told_once(case: Case_) -> None:
    """24 h and 48 h after the change, not after it was seen."""
    fixed(case)
    assert (case.replies(), case.due_in_h()) == ([f"fix:limit-raised:{200 * MIB}"], 24.0)
    case.later(DAY_S)
    assert (case.replies()[1:], case.due_in_h()) == (["followup:1:24h"], 24.0)
    case.later(DAY_S)
    assert (case.replies()[2:], case.due_in_h()) == (["followup:1:48h"], None)
    assert [f.outcome for f in (case.memory.watched.done if case.memory.watched else ())] == ["held", "held"]


def test_a_process_that_dies_in_a_follow_up_tells_it_once(case: Case_) -> None:
    """Claimed, looked, killed before the commit: the next process looks again."""
    fixed(case)
    case.desk.clock.advance(DAY_S)
    with case.desk.store.write() as tx:
        claimed = [j for j in jobs.claim(tx, now=case.desk.clock.now(), epoch=case.desk.store.epoch, limit=9) if j.kind == kinds.FOLLOW_UP]
    assert len(claimed) == 1
    case.desk.store.close()
    case.desk.store = Store.open_sqlite(case.path, clock=case.desk.clock.now)
    case.desk.reopened()
    case.desk.work()
    case.desk.work()

    assert case.replies().count("followup:1:24h") == 1
    assert case.due_in_h() == 24.0


def test_an_incident_stays_open_while_a_follow_up_is_planned(case: Case_) -> None:
    """The reopen window alone would close it after a day."""
    fixed(case)
    firing = alert(pod=POD, started=case.desk.clock.now())
    case.desk.take(replace(firing, status="resolved", ends_at=from_epoch(case.desk.clock.now())))
    case.later(30 * H)
    case.desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    assert case.incident().closed_at is None
    case.later(20 * H)
    case.desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    assert case.incident().closed_at is not None


def test_killed_again_is_said_at_once_and_ends_the_watch(case: Case_) -> None:
    """By whatever look comes first, aloud, with its own slot; a newer raise is another fix."""
    fixed(case)
    case.desk.clock.advance(4 * H)
    case.world.killed_again_at = case.desk.clock.now() - 30
    case.look()

    assert case.replies()[1:] == ["followup:1:failed"]
    assert case.memory.watched is not None
    assert case.memory.watched.ended is not None
    assert (case.memory.watched.ended.outcome, case.due_in_h()) == ("did_not_hold", None)
    assert case.memory.settings_change is None


def test_undone_by_a_deploy(case: Case_) -> None:
    """The template is as it was: told, and nothing is followed any more."""
    fixed(case)
    case.desk.clock.advance(4 * H)
    case.world.raise_to("80Mi")
    case.look()

    assert case.replies()[1:] == ["followup:1:undone"]
    assert case.due_in_h() is None


def test_what_cannot_be_read_is_not_undone(case: Case_) -> None:
    """The API is away: the fix stands."""
    fixed(case)
    case.desk.evidence = lambda subject: {}
    case.desk.missing = tuple(Missing(source=s, why="connection refused") for s in ("pod", "owners", "replicasets"))
    case.desk.clock.advance(4 * H)
    case.look()

    assert case.memory.standing_watch is not None
    assert case.replies() == [f"fix:limit-raised:{200 * MIB}"]


def test_a_pod_of_before_that_dies_in_the_rollout_is_no_failure(case: Case_) -> None:
    """It was made before the change."""
    fixed(case)
    case.desk.clock.advance(60)
    case.world.killed_again_at = case.desk.clock.now() - 10
    case.world.new = case.world.old  # the sibling that died is of the old ReplicaSet
    case.world.made_at = case.world.rolled_at - 5 * H if case.world.rolled_at else None
    case.look()

    assert case.memory.standing_watch is not None


def test_a_newer_change_begins_the_count_anew(case: Case_) -> None:
    """As another fix."""
    fixed(case)
    case.desk.clock.advance(10 * H)
    case.world.raise_to("300Mi")
    case.later(60)
    case.look()

    assert case.memory.standing_watch is not None
    assert (case.memory.standing_watch.number, case.due_in_h()) == (2, 24.0)


def test_without_evidence_it_is_asked_again_and_then_told(case: Case_) -> None:
    """Prometheus is away at 24 h: an hour later, three times; then nobody can tell."""
    fixed(case)
    case.world.is_measured = False
    case.later(DAY_S)
    assert (case.replies()[1:], case.due_in_h()) == ([], 1.0)
    for _ in range(3):
        case.later(H)
    assert case.replies()[1:] == ["followup:1:24h"]
    assert case.memory.watched is not None
    assert [f.outcome for f in case.memory.watched.done] == ["no_evidence"]


def test_said_is_watched_in_the_same_transaction_and_taken_back(case: Case_) -> None:
    """Nothing was seen to change: it is followed up all the same."""
    actions = Actions(case.desk.store, follow_ups_s=STEPS)
    actions.take(case.incident().id, Act(what=FIXED, by="Ines"))
    assert case.due_in_h() == 24.0
    actions.take(case.incident().id, Act(what=NOT_FIXED, by="Ines"))
    case.desk.work()
    assert case.memory.watched is None


def test_what_was_said_to_an_older_release_is_followed_up(case: Case_) -> None:
    """Its state file knows the fix and no follow-up."""
    at = from_epoch(case.desk.clock.now())
    incident = case.incident()
    with case.desk.store.write() as tx:
        incidents.save_memory(tx, incident.id, replace(incident.memory, fix=FixNote(by="Ines", at=at)))
    case.desk.collector.adopt_fixes()

    assert case.due_in_h() == 24.0
    assert case.memory.watched is not None
    assert case.memory.watched.since == at


def test_a_pod_of_a_statefulset_that_was_made_anew_is_the_successor() -> None:
    """The same name, another uid, nothing died in it: the death that was read stays, the new pod is among the others."""
    status = container_status("db")
    old = {"metadata": {"name": "db-0", "namespace": "shop", "uid": "1"}, "spec": {}, "status": {"containerStatuses": [status]}}
    fresh = {"name": "db", "restartCount": 0, "state": {"running": {}}}
    new = {"metadata": {"name": "db-0", "namespace": "shop", "uid": "2"}, "spec": {}, "status": {"containerStatuses": [fresh]}}
    subject = Subject(namespace="shop", pod="db-0", container="db")
    at = datetime(2024, 11, 10, 9, tzinfo=UTC)
    known = Case(gathered_at=at, subject=subject, answers={"pod": old, "owners": []})
    held = with_held_evidence(Case(gathered_at=at + timedelta(hours=1), subject=subject, answers={"pod": new, "owners": []}), known)

    assert held.answers["pod"]["metadata"]["uid"] == "1"
    assert [p["metadata"]["uid"] for p in held.answers["siblings"]["items"]] == ["2"]
    assert facts_of(held).is_pod_gone
