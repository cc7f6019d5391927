"""Incidents whose whole report is kept as a golden: the article's own case, and recorded ones retold as facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import report_of
from receiver.domain.case import Missing
from receiver.domain.facts import AlertCoverage, Facts, Manager, NodeFacts, WorkloadFacts
from receiver.domain.identity import Workload
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, Report, Shape
from receiver.domain.units import GIB, MIB
from receiver.render.document import report_document
from tests.unit.diagnosis.facts_kit import LEAK_SHAPE, SHORT_PEAKS, ago, container, death, facts, killing, log, shape


def article() -> Report:
    """The article's production case: option A is the quick fix, option B the real one. The request is not known."""
    lines = ("Loading full training dataset into memory... (5GB)", "Building model...")
    dead = container(
        "modelestimation", limit=4 * GIB, request=None, dead=death(lived_s=40), state="waiting", state_reason="CrashLoopBackOff", restart_count=5,
        image="solytics/modelestimation:2.3", command=("python", "-m", "modelestimation"),
    )  # fmt: skip
    gaps = (Missing(source="history", why="no Prometheus is configured", hint="set PROMETHEUS_URL"),)
    return _report(facts(dead, workload="modelestimation", log=log(*lines, container="modelestimation"), node=None, missing=gaps), None)


def leak() -> Report:
    """Recorded: orders-api, four lives, four kills."""
    coverage = AlertCoverage(has_oom_rule=True, has_usage_rule=True, rule_names=("OOMKilled", "HighMemoryUsage"))
    lines = tuple(f"INFO orders: GET /orders 200 cache_entries={n}" for n in range(5, 90, 5))
    one = container(
        limit=80 * MIB,
        dead=death(lived_s=10680),
        restart_count=4,
        image="registry.lab.local/python-orders:1.4.2",
        command=("/usr/bin/python3", "/app/leak.py"),
    )
    base = facts(one, log=log(*lines), coverage=coverage)
    assert base.workload is not None
    return _report(replace(base, workload=replace(base.workload, managed_by=Manager(tool="argo_cd", name="Argo CD app shop"))), LEAK_SHAPE)


def too_early() -> Report:
    """Recorded: log-shipper beside cart, six lives of 13 seconds, and the log of the dead one already gone."""
    shipper = container("log-shipper", limit=48 * MIB, request=16 * MIB, dead=death(lived_s=13))
    gaps = (Missing(source="log", why="already removed by the runtime", hint="normal a minute after a restart", is_normal=True),)
    return _report(
        facts(container("cart", limit=64 * MIB, request=32 * MIB), shipper, workload="cart", killed="log-shipper", missing=gaps), None
    )


def probe() -> Report:
    """Recorded: search, exit 137 by its liveness probe."""
    one = container(
        "search",
        limit=64 * MIB,
        request=32 * MIB,
        dead=death("Error", lived_s=24),
        state="waiting",
        state_reason="CrashLoopBackOff",
        restart_count=14,
    )
    event = killing("Container search failed liveness probe, will be restarted", container="search")
    return _report(
        facts(one, workload="search", events=(event,), log=log("INFO serving", container="search"), alerts=("KubePodCrashLooping",)), None
    )


def child() -> Report:
    """Recorded: gunicorn's workers die, the pod runs on (cgroup v1)."""
    lines, times = [], []
    for n in range(6):
        lines += [f"[7] [INFO] Booting worker with pid: {n}", f"[1] [ERROR] Worker (pid:{n}) was sent SIGKILL! Perhaps out of memory?"]
        times += [ago(100 - 12 * n), ago(93 - 12 * n)]
    said = replace(log(*lines, container="gunicorn", current=True), times=tuple(times))
    one = container("gunicorn", limit=80 * MIB)
    return _report(facts(one, workload="checkout", log=said, child_kills=81, alerts=("ChildProcessOOMKilled",)), None)


def startup() -> Report:
    """Recorded: model-server, killed in its first second, twelve times."""
    one = container("model-server", limit=128 * MIB, dead=death(lived_s=0), state="terminated", restart_count=11)
    lines = (
        "INFO loading model weights into memory (200 MiB)",
        "INFO loaded 0/200 MiB",
        "INFO loaded 50/200 MiB",
        "INFO loaded 100/200 MiB",
    )
    return _report(facts(one, workload="model-server", log=log(*lines, container="model-server")), None)


NODE = NodeFacts(
    name="lab-node-2", allocatable_bytes=2415919104, has_memory_pressure=True, other_oom_kills=("shop-v2/hungry-7d9 (hungry)",)
)


def node_kill() -> Report:
    """Recorded: hungry, no limit and no request, killed by the node."""
    one = container("hungry", limit=None, request=None, dead=death(lived_s=168), restart_count=1)
    return _report(facts(one, workload="hungry", node=replace(NODE, other_oom_kills=()), pod={"qos_class": "BestEffort"}), None)


def evicted() -> Report:
    """Recorded: renderer, the bystander that the kubelet evicted, with an older OOMKilled in its lastState."""
    one = container("renderer", limit=64 * MIB, request=32 * MIB, dead=death(at=ago(400), lived_s=4), restart_count=5)
    gone = replace(one, state="terminated", terminated=death("ContainerStatusUnknown", at=None, lived_s=None))
    message = "The node was low on resource: memory. Threshold quantity: 150Mi, available: 67124Ki. "
    return _report(
        facts(
            gone, workload="renderer", node=NODE, pod={"reason": "Evicted", "message": message, "phase": "Failed"}, alerts=("PodEvicted",)
        ),
        None,
    )


def memory_volume() -> Report:
    """Recorded: tmp-uploader, whose emptyDir in memory is full, so that it dies before it starts."""
    said = "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown"
    one = container(
        "tmp-uploader",
        request=32 * MIB,
        dead=death("StartError", 128, lived_s=None, message=said),
        state="waiting",
        state_reason="RunContainerError",
    )
    return _report(facts(one, workload="tmp-uploader", pod={"memory_volumes": ("d",)}), None)


def traffic_spike() -> Report:
    """Composed: peaks that follow the request rate, no HPA yet."""
    seen = shape(
        CauseName.SPIKE, 0.9, SHORT_PEAKS, reason("memory.follows_request_rate", correlation=0.92, scrapes=480), detail="traffic",
        rate_correlation=0.92, median_bytes=160.0 * MIB, peak_bytes=511.0 * MIB, limit_bytes=512.0 * MIB, history_s=86400.0,
    )  # fmt: skip
    base = facts(container("api", limit=512 * MIB, request=256 * MIB, dead=death(lived_s=20000)), workload="api")
    return _report(replace(base, workload=WorkloadFacts(workload=Workload(kind="Deployment", name="api"), replicas_desired=3)), seen)


def own_limit() -> Report:
    """Recorded: Java with ExitOnOutOfMemoryError, exit 3, no kill."""
    lines = ("INFO: OrderService started, max heap 46 MiB", "Terminating due to java.lang.OutOfMemoryError: Java heap space")
    one = container(
        "java-pricing",
        limit=256 * MIB,
        request=128 * MIB,
        dead=death("Error", 3, lived_s=11),
        command=("java", "-Xmx48m", "-jar", "app.jar"),
    )
    return _report(facts(one, workload="java-pricing", log=log(*lines, container="java-pricing"), alerts=("KubePodCrashLooping",)), None)


GOLDENS: Mapping[str, Callable[[], Report]] = {
    "article": article, "leak": leak, "too_early": too_early, "probe": probe, "child": child, "startup": startup, "node_kill": node_kill,
    "evicted": evicted, "memory_volume": memory_volume, "traffic_spike": traffic_spike, "own_limit": own_limit,
}  # fmt: skip


def _report(base: Facts, seen: Shape | None) -> Report:
    return report_of(replace(clues_of(base), shape=seen))


def golden_text(report: Report) -> str:
    """The report document as the golden keeps it."""
    document: dict[str, Any] = report_document(report)
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
