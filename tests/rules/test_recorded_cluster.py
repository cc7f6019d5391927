"""The rules over twenty minutes of a real cluster in which real containers were really killed.

The recordings are Prometheus' own answers. They lack what was not asked for then: restarts and times of death of init
containers, and active_file. So init containers are left out here, and page cache counts as it does on an old kubelet.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator

import pytest

from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files
from tests.e2e.binaries import binary
from tests.e2e.servers import Prometheus
from tests.places import REPO

RECORDINGS = REPO / "tests" / "fixtures" / "kubernetes"
STEP_S = 15
HELD_S = 300  # HighMemoryUsage's `for`, and the keep_firing_for of both


class Recorded:
    """The recordings in a running Prometheus."""

    def __init__(self, prometheus: Prometheus, start: float, end: float) -> None:
        self._prometheus = prometheus
        self._range = {"start": str(start), "end": str(end), "step": str(STEP_S)}

    def spans(self, expr: str, *, bridged_s: float = 0.0) -> dict[tuple[str, str, str], list[float]]:
        """For each (namespace, pod, container): the lengths in seconds of its unbroken runs of samples."""
        answer = self._prometheus.get("/api/v1/query_range", query=expr, **self._range)
        found: dict[tuple[str, str, str], list[float]] = {}
        for series in answer["data"]["result"]:
            labels = series["metric"]
            key = (labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
            found[key] = lengths([float(at) for at, _ in series["values"]], bridged_s)
        return found


def lengths(times: list[float], bridged_s: float) -> list[float]:
    runs = [[times[0], times[0]]]
    for at in times[1:]:
        if at - runs[-1][1] > STEP_S + bridged_s:
            runs.append([at, at])
        runs[-1][1] = at
    return [last - first for first, last in runs]


def samples() -> tuple[str, float, float]:
    """Every recorded series as OpenMetrics, with the first and last time."""
    series: dict[str, dict[str, dict[float, str]]] = defaultdict(lambda: defaultdict(dict))
    times: set[float] = set()
    for path in sorted(RECORDINGS.glob("*/prometheus/*.json")):
        for one in json.loads(path.read_text())["response"]["data"]["result"]:
            name = one["metric"].pop("__name__", "")
            labels = ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(one["metric"].items()))
            if name:
                series[name][labels].update((float(at), value) for at, value in one["values"])
                times.update(float(at) for at, _ in one["values"])
    lines = [
        f"{name}{{{labels}}} {value} {at}"
        for name, by_labels in sorted(series.items())
        for labels, values in sorted(by_labels.items())
        for at, value in sorted(values.items())
    ]
    return "\n".join([*lines, "# EOF\n"]), min(times), max(times)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("recorded")
    text, start, end = samples()
    (folder / "samples.txt").write_text(text)
    command = [binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with Prometheus(folder, rules="groups: []") as prometheus:
        yield Recorded(prometheus, start, end)


def expression(name: str) -> str:
    """A rule's expression with the records it reads written out.

    Without what it says of dead containers: the recordings hold no staleness markers, so every death would last five minutes longer.
    """
    records: dict[str, str] = {}
    for file in read_rule_files(rules_dir()):
        for rule in file.rules():
            expr = rule.expr
            for record, of_record in records.items():
                expr = expr.replace(record, f"({of_record})")
            if rule.name == name:
                return "\n".join(line for line in expr.splitlines() if not line.endswith(("waiting_reason > 0", "terminated_reason > 0")))
            if not rule.alert:
                records[rule.name] = expr
    raise AssertionError(f"no rule {name}")


def test_every_kill_is_found_once(recorded: Recorded) -> None:
    """Restarted containers, crash loops and Jobs that Kubernetes calls OOMKilled: all found, none comes and goes, nothing else."""
    reasons = "kube_pod_container_status_last_terminated_reason|kube_pod_container_status_terminated_reason"
    called = recorded.spans(f'max by (namespace, pod, container) ({{__name__=~"{reasons}", reason="OOMKilled"}} == 1)')

    found = recorded.spans(expression("OOMKilled"), bridged_s=HELD_S)

    assert len(called) == 17
    assert found.keys() == called.keys()
    assert {subject: len(runs) for subject, runs in found.items() if len(runs) > 1} == {}


def test_the_usual_expression_would_miss_some_and_flap(recorded: Recorded) -> None:
    """The same recordings are able to show the faults: the classic rule finds fewer, and most of those again and again."""
    usual = (
        'max by (namespace, pod, container) (kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1)'
        " and max by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[5m])) > 0"
    )
    found = recorded.spans(usual)

    assert len(found) == 14
    assert sum(len(runs) > 1 for runs in found.values()) >= 7


def test_a_killed_worker_in_a_living_container_is_found(recorded: Recorded) -> None:
    """gunicorn lost a worker on a cgroup v1 node, and the pod's status never said a word."""
    found = recorded.spans(expression("ChildProcessOOMKilled"))

    assert {container for (_, pod, container), runs in found.items() if max(runs) >= 120 and pod.startswith("checkout-")} == {"gunicorn"}


def test_high_use_names_containers_with_a_limit_only(recorded: Recorded) -> None:
    """A few containers near their limits, and no pod, pause container, unlimited or file-reading one."""
    ours = recorded.spans(expression("HighMemoryUsage"))
    held = {(namespace, container) for (namespace, _, container), runs in ours.items() if max(runs) >= HELD_S}

    assert {("shop", "session-store"), ("shop-v2", "session-store"), ("shop", "orders-api"), ("shop", "kafka")} <= held
    assert {container for _, container in held} & {"", "POD", "file-indexer", "legacy-cron", "hungry"} == set()
    assert len(held) < 10
