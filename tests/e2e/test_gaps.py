"""Sources that fail, one by one and all together, seen from the channel: a message in time, and each gap with what to do about it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.demo.standins import Asked, Recordings, Reply, Standin, json_reply
from receiver.render import words
from tests.e2e.inside import post, receiver_inside, renamed, reports
from tests.fakes.kube import HANG, FakeKube, Faulty, body, recorded, refuse
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload

INCIDENT = "cgroupv2-k-steady-near-limit"  # its container lives, so that every source has an answer
DEADLINE_S = 3.0
FAULTS = {
    "403": refuse(403, 'things is forbidden: User "oomtriage" cannot get resource'),
    "404": refuse(404, "the server could not find the requested resource"),
    "429": refuse(429, retry_after="1"),
    "500": refuse(500, "etcdserver: leader changed"),
    "hang": HANG,
    "garbage": body(b"<html>sign in</html>"),
    "empty": body(b""),
    "50 MB": body(b"[" + b"1," * 25_000_000),
}
# source -> what tells its request about namespace ns-SOURCE from the others: part of the path, then of path or parameters.
KUBE = {
    "pod": ("/pods/app-pod-",), "log": ("/log", "ns-log"), "events": ("/namespaces/ns-events/events",), "owners": ("/deployments/app-owners",),
    "replicasets": ("/namespaces/ns-replicasets/replicasets",), "siblings": ("/namespaces/ns-siblings/pods", "app.kubernetes.io/name=app-siblings"),
    "node": ("/nodes/node-node",), "nodeevents": ("/namespaces/default/events", "name=node-nodeevents"),
    "metrics": ("/metrics.k8s.io", "ns-metrics"), "hpa": ("/namespaces/ns-hpa/horizontalpodautoscalers",),
    "limitrange": ("/namespaces/ns-limitrange/limitranges",), "resourcequota": ("/namespaces/ns-resourcequota/resourcequotas",),
    "vpa": ("/namespaces/ns-vpa/verticalpodautoscalers",),
}  # fmt: skip
PROMETHEUS = {
    "history": ("query_range", "last_terminated_reason", "ns-history"), "recent": ("/query", "[3600s]", "ns-recent"),
    "peaks": ("query_range", "[30m]", "ns-peaks"), "traffic": ("query_range", "grpc_server_handled_total", "ns-traffic"),
}  # fmt: skip
ALERTMANAGER = {"silences": ("/api/v2/alerts", "-silences")}
EVERY = (*KUBE, *PROMETHEUS, *ALERTMANAGER)
# A 404 is an answer here: there is no VPA's CRD; and a log may be any text.
NO_GAP = {("vpa", "404"), ("log", "garbage")}


class _Calm(Standin):
    def answer(self, asked: Asked) -> Reply:
        return json_reply([])


class FakeAlertmanager(Faulty, _Calm):
    """Holds no alerts, and can be made to fail."""


class World:
    """The three sources, with an incident for each of the names, and a receiver in front of them."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        recordings = recorded(INCIDENT, now=datetime.now(UTC))
        together = Recordings()
        for name in names:
            one = renamed(recordings, INCIDENT, {"shop-v2": f"ns-{name}", "session-store": f"app-{name}", "lab-node-2": f"node-{name}"})
            together.add(one)
            vpa = {"name": "other", "namespace": f"ns-{name}"}
            together.objects.append(
                {"kind": "VerticalPodAutoscaler", "metadata": vpa, "spec": {"targetRef": {"kind": "Deployment", "name": "x"}}}
            )
            if name == "siblings":
                owner = next(o for o in one.objects if o["kind"] == "Deployment")
                owner["spec"]["replicas"] = owner["status"]["replicas"] = 2
        self.names = names
        self.pods = {name: one.pods[0].pod["metadata"]["name"] for name, one in zip(names, together.incidents, strict=True)}
        self.kube, self.prometheus, self.alertmanager = FakeKube(together), FakePrometheus(together.series), FakeAlertmanager()
        self.slack = FakeSlack()
        self.folder = folder
        self.took_s = 0.0

    def tell(self) -> dict[str, tuple[dict[str, Any], str]]:
        """One alert for each name; when all is told: report and thread by name."""
        with (
            self.slack, self.kube, self.prometheus, self.alertmanager,
            receiver_inside(
                self.folder, self.slack, KUBE_API_URL=self.kube.url, PROMETHEUS_URL=self.prometheus.url, ALERTMANAGER_URL=self.alertmanager.url,
                ENRICH_DEADLINE=f"{DEADLINE_S}s",
            ) as application,
        ):  # fmt: skip
            alerts = [
                alert(pod=self.pods[n], namespace=f"ns-{n}", container=f"app-{n}", started=datetime.now(UTC).timestamp())
                for n in self.names
            ]
            began = time.monotonic()
            assert post(application, payload(*alerts)) == 202
            self.slack.wait_for(lambda: len(self.slack.channel().roots) == len(self.names), timeout_s=30)
            self.took_s = time.monotonic() - began
            self.slack.wait_for(lambda: all(len(r.replies) >= 2 for r in self.slack.channel().roots), timeout_s=30)
            threads = ["\n".join(m.shown() for m in (r.message, *r.replies)) for r in self.slack.channel().roots]
            found = reports(application)
        assert self.slack.complaints == []
        return {n: (found[f"ns-{n}"], next(t for t in threads if f"app-{n}" in t)) for n in self.names}


def gaps(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {m["source"]: m for m in report["missing"]}


def is_told(gap: dict[str, Any], thread: str) -> bool:
    """Whether a person reads what is missing, and what to do about it; but not what only configuration can mend."""
    what, said = words.source(gap["source"]), thread.lower()
    is_hint_told = bool(gap["hint"]) and gap["hint"].lower()[:60].rstrip(".") in said
    return what.lower() in said and is_hint_told is not gap.get("configuration", False)


@pytest.mark.parametrize("turn", range(4))
def test_each_source_failing_alone(tmp_path: Path, turn: int) -> None:
    """Eighteen incidents, each with another source out: all are told in time, each with its one gap, and the hint where a reader can use it.

    In four turns each source meets half of the faults; the whole table is tested on the evidence alone.
    """
    world = World(tmp_path / "receiver", EVERY)
    kinds = tuple(FAULTS)
    fault_of = {source: kinds[(i + 2 * turn) % len(kinds)] for i, source in enumerate(EVERY)}
    for server, places in ((world.kube, KUBE), (world.prometheus, PROMETHEUS), (world.alertmanager, ALERTMANAGER)):
        for source, parts in places.items():
            server.fault(parts, FAULTS[fault_of[source]])

    told = world.tell()

    for source, fault in fault_of.items():
        report, thread = told[source]
        found = gaps(report)
        if (source, fault) not in NO_GAP:
            assert source in found, (source, found)
            assert is_told(found[source], thread), (found[source], thread)
        if source != "pod":
            assert report["subject"]["container"] == f"app-{source}"
            assert not {"pod", "history"} & set(found) - {source}, source
    assert world.took_s < DEADLINE_S + 9


@pytest.mark.parametrize("fault", FAULTS)
def test_all_sources_failing_together(tmp_path: Path, fault: str) -> None:
    """Nothing can be read at all: the alert itself is told inside the deadline, with every gap."""
    world = World(tmp_path / "receiver", ("all",))
    for server in (world.kube, world.prometheus, world.alertmanager):
        server.fault("", FAULTS[fault])

    report, thread = world.tell()["all"]

    found = gaps(report)
    assert set(found) >= {"pod", "log", "events", "owners", "node", "history", "recent", "peaks", "traffic", "rules", "silences"}
    assert all(gap["hint"] for gap in found.values() if not gap["why"].startswith("not asked"))
    assert is_told(found["pod"], thread)
    assert is_told(found["history"], thread)
    assert "app-all" in thread.splitlines()[0]
    assert world.took_s < DEADLINE_S + 1.5
