"""What watching costs: requests to Kubernetes and Prometheus in an hour with 1, 100 and 1,000 open incidents, by whom.

A whole receiver over stand-ins, its clock injected, whose incidents were looked at before; half an hour is counted (ten minutes in loops)
and scaled. Quiet: nothing happens after the first kill. Loops: every container is killed again every five minutes, which is
Kubernetes' longest back-off. The looks that every incident gets half an hour and two hours after its first are not among these.
"""

from __future__ import annotations

import io
import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from receiver.app.build import Application, build
from receiver.domain.case import Case
from receiver.domain.identity import Subject, workload_key
from receiver.domain.identity import Workload as Owner
from receiver.domain.incident import FIRING
from receiver.domain.incident_memory import GivenVerdict, IncidentMemory, LookSummary
from receiver.domain.units import from_epoch
from receiver.settings import load_settings
from receiver.store import incidents, jobs
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from tests.fakes.prometheus import series
from tests.stories.cluster import Cluster, Life, Pod, Workload, kill
from tests.support import Clock

BEGIN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SETTLE_S = 120.0  # the first rounds, which only remember
COUNTED_S = {False: 1800.0, True: 600.0}
END_S = BEGIN.timestamp() + SETTLE_S + max(COUNTED_S.values())
LOOP_S = 300.0
SIZES = (1, 100, 1000)
WORKLOADS_A_NAMESPACE = 25
PODS_A_NODE = 20


def name_of(i: int) -> str:
    """A workload's name, as long as usual."""
    return f"orders-service-{i:04d}"


def pod_of(i: int) -> str:
    """Its pod's."""
    return f"{name_of(i)}-655779759d-jst99"


def lives_of(i: int, *, is_loop: bool) -> list[Life]:
    """A life of two hours that ends in a kill at the begin, and what follows."""
    at = BEGIN.timestamp() - 60 - i % 60
    lives = [kill(at - 7200, at, ())]
    while is_loop and at < END_S:
        start, at = at + 5, at + LOOP_S
        lives.append(kill(start, at, ()))
    return [*lives, Life(start=at + 5, end=None, points=())]


def metrics_of(i: int, lives: list[Life]) -> Iterator[dict[str, object]]:
    """What kube-state-metrics tells of a workload's container, every 15 s."""
    labels = {"namespace": namespace_of(i), "pod": pod_of(i), "container": name_of(i)}
    begin = BEGIN.timestamp() - 600
    times = [begin + t * 15 for t in range(int((END_S - begin) / 15))]
    ends = [life.end for life in lives if life.end is not None]
    told = [(t, [end for end in ends if end + 5 <= t]) for t in times]
    yield series("kube_pod_container_status_restarts_total", [(t, len(dead)) for t, dead in told], **labels)
    yield series("kube_pod_container_status_last_terminated_timestamp", [(t, int(dead[-1])) for t, dead in told if dead], **labels)
    yield series("kube_pod_container_status_last_terminated_reason", [(t, 1) for t, dead in told if dead], reason="OOMKilled", **labels)
    yield series("kube_pod_container_resource_limits", [(t, 80 * 1024**2) for t in times], resource="memory", unit="byte", **labels)


def namespace_of(i: int) -> str:
    """Some workloads share a namespace."""
    return f"team-{i // WORKLOADS_A_NAMESPACE:02d}"


def node_of(i: int) -> str:
    """A node has so many pods that anybody counts."""
    return f"node-{i // PODS_A_NODE:03d}"


def open_incident(tx: Tx, i: int, *, now: float) -> None:
    """An incident that fires, and that was looked at a moment ago."""
    workload = Owner(kind="Deployment", name=name_of(i))
    subject = Subject(cluster="lab", namespace=namespace_of(i), pod=pod_of(i), container=name_of(i), workload=workload)
    key = workload_key(subject, workload)
    look = LookSummary(verdict=GivenVerdict(cause="unknown", confidence=0.0), kill_kind="container_oom")
    memory = IncidentMemory(state=FIRING, severity="warning", look=look, kills={pod_of(i): 1})
    incident = Incident(
        id=f"inc_{i:015d}",
        key=key,
        state=FIRING,
        severity="warning",
        subject=subject,
        opened_at=now,
        first_seen=now,
        last_seen=now,
        memory=memory,
    )
    incidents.insert(tx, incident)
    case = Case(gathered_at=from_epoch(now), subject=subject)
    incidents.save_diagnosis(tx, incident, subject=subject, memory=memory, report=None, case=case)


@contextmanager
def running(n: int, *, is_loop: bool, has_prometheus: bool) -> Iterator[tuple[Application, Cluster, Clock]]:
    """A receiver over a cluster in which n workloads were just killed."""
    lives = [lives_of(i, is_loop=is_loop) for i in range(n)]
    cluster = Cluster(
        Workload(namespace=namespace_of(i), name=name_of(i), pods=[Pod(name=pod_of(i), lives=lives[i], node=node_of(i))], is_measured=False)
        for i in range(n)
    )
    node = next(o for o in cluster.kube.recordings.objects if o["kind"] == "Node")
    names = sorted({node_of(i) for i in range(n)})
    cluster.kube.recordings.objects += [{**node, "metadata": {**node["metadata"], "name": name}} for name in names]
    for i in range(n):
        cluster.prometheus.add(metrics_of(i, lives[i]))
    clock = Clock(BEGIN)
    cluster.at(clock.now())
    with tempfile.TemporaryDirectory() as folder, cluster:
        environ = {
            "STORE_URL": f"sqlite:///{Path(folder)}/state.db",
            "KUBE_API_URL": cluster.kube.url,
            "CLUSTER_NAME": "lab",
            "WORKERS": "4",
        }
        environ |= {"PROMETHEUS_URL": cluster.prometheus.url} if has_prometheus else {}
        receiver = build(load_settings(environ), clock=clock.now, monotonic=clock.monotonic, console=io.StringIO())
        yield receiver, cluster, clock
        receiver.close()


class Drive:
    """Moves the clock from one due job to the next."""

    def __init__(self, receiver: Application, cluster: Cluster, clock: Clock) -> None:
        self._receiver, self._cluster, self._clock = receiver, cluster, clock
        self._is_done = threading.Event()
        receiver.worker.dispatcher.when_done(self._is_done.set)
        self.busy_s = 0.0

    def until(self, end: float) -> None:
        """Do all that is due until then."""
        while True:
            started = time.perf_counter()
            self._receiver.worker.dispatcher.step()
            while self._receiver.worker.dispatcher.running:
                self._is_done.wait(30)
                self._is_done.clear()
            self.busy_s += time.perf_counter() - started
            with self._receiver.store.read() as tx:
                due = jobs.next_due(tx)
            if due is not None and due <= self._clock.now():
                continue
            to = min(due if due is not None else end, end)
            self._clock.advance(max(0.0, to - self._clock.now()))
            self._cluster.at(self._clock.now())
            if to >= end:
                return

    def own(self) -> dict[str, int]:
        """Requests of the watch itself, by source."""
        text = self._receiver.web.test_client().get("/metrics").text
        found = {}
        for source in ("kubernetes", "prometheus"):
            line = next((row for row in text.splitlines() if row.startswith(f'oomtriage_watch_requests_total{{source="{source}"}}')), "x 0")
            found[source] = int(float(line.split()[-1]))
        return found

    def looks(self) -> int:
        """How many so far."""
        text = self._receiver.web.test_client().get("/metrics").text
        return int(float(next(row for row in text.splitlines() if row.startswith("oomtriage_enrichment_seconds_count")).split()[-1]))


def measure(n: int, *, is_loop: bool, has_prometheus: bool = True) -> str:
    """One row of the table."""
    with running(n, is_loop=is_loop, has_prometheus=has_prometheus) as (receiver, cluster, clock):
        with receiver.store.write() as tx:
            for i in range(n):
                open_incident(tx, i, now=clock.now())
        drive = Drive(receiver, cluster, clock)
        drive.until(BEGIN.timestamp() + SETTLE_S)
        kube, prometheus = len(cluster.kube.asked), len(cluster.prometheus.asked)
        own, looks, drive.busy_s = drive.own(), drive.looks(), 0.0
        drive.until(BEGIN.timestamp() + SETTLE_S + COUNTED_S[is_loop])
        factor = 3600 / COUNTED_S[is_loop]
        own_now = drive.own()
        cells = [
            int((len(cluster.kube.asked) - kube) * factor), int((own_now["kubernetes"] - own["kubernetes"]) * factor),
            int((len(cluster.prometheus.asked) - prometheus) * factor), int((own_now["prometheus"] - own["prometheus"]) * factor),
            int((drive.looks() - looks) * factor),
        ]  # fmt: skip
        what = f"{'loops' if is_loop else 'quiet'}{'' if has_prometheus else ', no Prometheus'}"
        return f"{what:<22} {n:>9} {cells[0]:>11} {cells[1]:>9} {cells[2]:>11} {cells[3]:>9} {cells[4]:>8} {drive.busy_s / (COUNTED_S[is_loop] / 60):>12.2f}"


def main() -> None:
    """Quiet, in crash loops, and without Prometheus."""
    logging.disable(logging.WARNING)
    print(
        f"{'an hour':<22} {'incidents':>9} {'Kubernetes':>11} {'of watch':>9} {'Prometheus':>11} {'of watch':>9} {'looks':>8} {'s a minute':>12}"
    )
    for n in SIZES:
        for is_loop, has_prometheus in ((False, True), (True, True), (False, False)):
            print(measure(n, is_loop=is_loop, has_prometheus=has_prometheus), flush=True)
