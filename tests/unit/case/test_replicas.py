"""Which lives of which rollout the answers tell of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from receiver.case import facts_of
from receiver.case.replicas import replicas_of
from receiver.domain.case import Case
from receiver.domain.facts import Revision
from receiver.domain.identity import Subject, Workload
from tests.fakes.prometheus import series
from tests.support import NOW

END = NOW.timestamp()
UID_NOW, UID_GONE = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
REVISIONS = [
    Revision(name="db-new", revision=2, created_at=NOW - timedelta(hours=5)),
    Revision(name="db-old", revision=1, created_at=NOW - timedelta(days=9)),
]


def of(pod: str, cgroup: str, since_h: float, until_h: float, value: float = 50.0, step_s: int = 300) -> dict[str, Any]:
    times = range(int(END - since_h * 3600), int(END - until_h * 3600) + 1, step_s)
    labels = {"id": cgroup} if cgroup else {}
    return series("", [(float(t), value + (t - times[0]) / 1e4) for t in times], pod=pod, container="db", **labels)


def answers(
    *day: dict[str, Any], week: tuple[dict[str, Any], ...] = (), traffic: dict[str, Any] | None = None, pods: Any = ()
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "history": {"start": END - 86_400, "end": END, "step_s": 60, "series": {"replicas": list(day)}},
        "peaks": {"start": END - 7 * 86_400, "end": END, "step_s": 1800, "series": {"replicas": list(week)}},
        "siblings": {"items": list(pods)},
    }
    return found if traffic is None else {**found, "traffic": traffic}


def pod(name: str, uid: str, revision: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid, "labels": {"controller-revision-hash": revision}}}


def test_a_statefulsets_pod_keeps_its_name_over_rollouts():
    """Its uid in the cgroup's path tells which rollout each life is of; what no living pod has is told by its time."""
    found = replicas_of(
        answers(
            of("db-0", f"/kubepods.slice/kubepods-burstable-pod{UID_NOW.replace('-', '_')}.slice/cri-containerd-1.scope", 4, 0),
            of("db-0", f"/kubepods/burstable/pod{UID_GONE}/2", 24, 5),
            of("db-1", "/kubepods/burstable/podzzz/3", 24, 6),
            pods=[pod("db-0", UID_NOW, "db-new")],
        ),
        container="db",
        revisions=REVISIONS,
    )

    assert found is not None
    assert {(r.pod, r.start_s is None, r.revision) for r in found.lives} == {
        ("db-0", False, "db-new"),
        ("db-0", True, "db-old"),
        ("db-1", True, "db-old"),
    }


def test_a_week_by_the_half_hour_goes_on_as_a_day_by_five_minutes():
    """One life, seen twice."""
    week = of("db-0", "/a", 40, 0, step_s=1800)
    found = replicas_of(answers(of("db-0", "/a", 24, 0), of("db-1", "/b", 3, 0), week=(week,)), container="db", revisions=[])

    assert found is not None
    life = next(r for r in found.lives if r.pod == "db-0")
    assert round((END - life.floors[0][0]) / 3600) == 40
    assert life.start_s is not None
    assert (life.floors[1][0] - life.floors[0][0], life.floors[-1][0] - life.floors[-2][0]) == (1800, 300)


def test_series_without_ids_count_only_where_a_pod_has_no_others():
    """A kubelet scraped at /metrics/resource too exports the same memory with its file cache, and no id."""
    found = replicas_of(answers(of("db-0", "/a", 3, 0), of("db-0", "", 3, 0, 900.0), of("db-1", "", 3, 0)), container="db", revisions=[])

    assert found is not None
    assert [(r.pod, max(v for _, v in r.floors) < 900) for r in found.lives] == [("db-0", True), ("db-1", True)]


def test_one_pod_is_nothing_to_compare():
    assert replicas_of(answers(of("db-0", "/a", 3, 0), of("db-0", "/b", 9, 4)), container="db", revisions=[]) is None
    assert replicas_of({}, container="db", revisions=[]) is None


def test_rates_are_the_days_mean_by_pod():
    traffic = {"series": {"replicas:http_requests_total": [series("", [(1.0, 4), (2.0, 8)], pod="db-0")], "pod:http_requests_total": []}}
    found = replicas_of(answers(of("db-0", "/a", 3, 0), of("db-1", "/b", 3, 0), traffic=traffic), container="db", revisions=[])

    assert found is not None
    assert found.rates == {"db-0": 6.0}


@pytest.mark.parametrize(
    ("state", "is_missing"),
    [({"running": {"startedAt": "2026-11-29T10:00:00Z"}}, True), ({"waiting": {"reason": "CrashLoopBackOff"}}, False)],
)
def test_replicas_that_run_unseen_are_missing_and_not_steady(state, is_missing):
    """Nothing is concluded from a series that is not there."""
    status = {"containerStatuses": [{"name": "db", "state": state, "restartCount": 0}]}
    other = {"metadata": {"name": "db-1", "uid": UID_GONE}, "spec": {"containers": [{"name": "db"}]}, "status": status}
    subject = Subject(namespace="shop", pod="db-0", container="db", workload=Workload(kind="StatefulSet", name="db"))
    case = Case(gathered_at=NOW, subject=subject, answers=answers(of("db-0", "/a", 3, 0), pods=[other]))

    assert ("siblings" in {m.source for m in facts_of(case).missing}) is is_missing
