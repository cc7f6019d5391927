"""Makes receiver/demo/recordings from tests/fixtures: what is recorded, what is joined, what is composed stands in its README.

Run it after the fixtures changed: `python tools/make_demo_recordings.py`. It is deterministic; commit what it writes.
"""

from __future__ import annotations

import copy
import csv
import gzip
import itertools
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[1]
FIXTURES = REPO / "tests" / "fixtures"
TARGET = REPO / "receiver" / "demo" / "recordings"

# folder -> the moment that is shown
COPIED = {
    "b-sidecar-oom": "t1",
    "e-liveness-137": "t3",
    "m-startup-oom": "t3",
    "d-child-oom": "t3",
    "n-page-cache": "t3",
}
LEAK, LEAK_SERIES = "a-leak-crashloop", "leak_oom_restarts_03.csv.gz"
TRAINING = "modelestimation"
KILL = datetime(2026, 11, 23, 1, 3, 10, tzinfo=UTC)  # of the recorded leak pod, and of the series' last kill once joined
BACK_OFF_S = 12
MIB = 1024**2


def main() -> None:
    """Write every folder anew."""
    for folder in (p for p in TARGET.iterdir() if p.is_dir()):
        shutil.rmtree(folder)
    for name, moment in COPIED.items():
        _copy(name, moment, TARGET / name)
    _join_leak(TARGET / "orders-api-leak")
    _compose_training(TARGET / TRAINING)
    shutil.copytree(
        FIXTURES / "kubernetes" / "_cluster", TARGET / "_cluster", ignore=shutil.ignore_patterns("podlist.json", "*.txt", "*.prom")
    )


def _copy(name: str, moment: str, target: Path) -> None:
    source = FIXTURES / "kubernetes" / name
    shutil.copytree(source / moment, target / moment, ignore=shutil.ignore_patterns("logs-previous-*") if name == LEAK else None)
    shutil.copytree(source / "prometheus", target / "prometheus")


def _join_leak(target: Path) -> None:
    """The recorded pod with the limit, the restarts and the times of the recorded series."""
    source = FIXTURES / "kubernetes" / LEAK / "t3"
    shutil.copytree(source, target / "t3", ignore=shutil.ignore_patterns("events-*"))
    rows = _rows(FIXTURES / "traces" / LEAK_SERIES)
    kills = _falls(rows)
    last, before = kills[3], kills[2]
    rows = [r for r in rows if float(r["t_seconds"]) <= last + 90]
    offset = KILL.timestamp() - last

    def at(seconds: float) -> str:
        return datetime.fromtimestamp(round(offset + seconds), UTC).isoformat().replace("+00:00", "Z")

    path = target / "t3" / "pod" / "pod.json"
    pod = _edit_limit(json.loads(path.read_text()))
    pod["metadata"]["creationTimestamp"] = pod["status"]["startTime"] = at(0)
    status = pod["status"]["containerStatuses"][0]
    status["restartCount"], status["ready"], status["started"] = 4, True, True
    status["state"] = {"running": {"startedAt": at(last + BACK_OFF_S)}}
    status["lastState"]["terminated"] |= {"startedAt": at(before + BACK_OFF_S), "finishedAt": at(last)}
    pod["status"]["conditions"] = [{**c, "status": "True"} for c in pod["status"]["conditions"]]
    path.write_text(json.dumps(pod, indent=1))
    for name in ("deployment.json", "replicasets.json"):
        document = target / "t3" / name
        document.write_text(
            json.dumps(_edit_limit(json.loads(document.read_text())), indent=1).replace("2026-11-23T00:4", "2026-11-22T12:4")
        )
    _write_series(target / "prometheus", pod, rows, offset, kills[:4])
    log = target / "t3" / "pod" / "logs-previous-orders-api.txt"
    (target / "t3" / "pod" / "logs-orders-api.txt").rename(log)  # it runs again: the dying words are the previous instance's


def _falls(rows: list[dict[str, str]]) -> list[float]:
    """When memory was gone: midway between the last scrape of a life and the first of the next. The counters lag behind it."""
    falls: list[float] = []
    for before, after in itertools.pairwise(rows):
        if float(before["working_set_bytes"]) - float(after["working_set_bytes"]) > 0.3 * float(before["limit_bytes"]):
            at = round((float(before["t_seconds"]) + float(after["t_seconds"])) / 2)
            if not falls or at - falls[-1] > 300:  # a scrape in the middle of a death makes two falls of one
                falls.append(at)
    return falls


def _edit_limit(document: Any) -> Any:
    return json.loads(json.dumps(document).replace('"memory": "96Mi"', '"memory": "80Mi"'))


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as stream:
        return list(csv.DictReader(stream))


def _write_series(folder: Path, pod: dict[str, Any], rows: list[dict[str, str]], offset: float, kills: list[float]) -> None:
    folder.mkdir(parents=True)
    metadata = pod["metadata"]
    labels = {"namespace": metadata["namespace"], "pod": metadata["name"], "container": "orders-api"}
    for column, metric in (
        ("working_set_bytes", "container_memory_working_set_bytes"),
        ("rss_bytes", "container_memory_rss"),
        ("cache_bytes", "container_memory_cache"),
        ("limit_bytes", "container_spec_memory_limit_bytes"),
    ):
        lives: dict[str, list[tuple[float, str]]] = {}
        for row in rows:
            if row[column]:
                life = f"{sum(1 for kill in kills if kill < float(row['t_seconds'])):064x}"
                lives.setdefault(life, []).append((round(offset + float(row["t_seconds"]), 3), row[column]))
        result: list[dict[str, Any]] = [
            {"metric": {"__name__": metric, **labels, "id": f"/kubepods/burstable/pod{metadata['uid']}/{life}"}, "values": values}
            for life, values in lives.items()
        ]
        _write(folder / f"{metric}.json", result)
    state = {**labels, "job": "kube-state-metrics"}
    times = [round(offset + float(r["t_seconds"]), 3) for r in rows]
    # The series was recorded 120 times faster than life, so its counters lag behind its memory: they are made to agree.
    restarts = [[t, str(sum(1 for kill in kills if offset + kill < t))] for t in times]
    _write(folder / "restarts.json", [{"metric": {"__name__": "kube_pod_container_status_restarts_total", **state}, "values": restarts}])
    ended = [[t, str(round(offset + max(k for k in kills if offset + k <= t)))] for t in times if t > offset + kills[0]]
    _write(
        folder / "ended.json", [{"metric": {"__name__": "kube_pod_container_status_last_terminated_timestamp", **state}, "values": ended}]
    )
    reasons = [[t, "1"] for t, _ in ended]
    reason = {"__name__": "kube_pod_container_status_last_terminated_reason", **state, "reason": "OOMKilled"}
    _write(folder / "reasons.json", [{"metric": reason, "values": reasons}])
    limit = {"__name__": "kube_pod_container_resource_limits", **state, "resource": "memory", "unit": "byte"}
    _write(folder / "limits.json", [{"metric": limit, "values": [[t, str(80 * MIB)] for t in times]}])


def _write(path: Path, result: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}, separators=(",", ":")))


def _compose_training(target: Path) -> None:
    """A training job that reads all its data at once, in the shape of a recorded start-up kill: names, limit and log lines are made up."""
    source = FIXTURES / "kubernetes" / "m-startup-oom" / "t3"
    (target / "t3" / "pod").mkdir(parents=True)
    pod_name = json.loads((source / "pod" / "pod.json").read_text())["metadata"]["name"]
    uids = sorted(set(re.findall(r'"uid": ?"([0-9a-f-]{36})"', "".join(p.read_text() for p in source.rglob("*.json")))))
    for name in ("deployment.json", "replicasets.json", "pod/pod.json", "pod/events-core-v1.json"):
        text = (source / name).read_text()
        text = text.replace(pod_name, f"{TRAINING}-6f8d9c7b45-x2kzr").replace("model-server", TRAINING)
        for shared in uids:  # events are found by uid: two pods must not share one
            text = text.replace(shared, f"{shared[:-4]}a7c1")
        text = re.sub(rf"{TRAINING}-c66cb7594", f"{TRAINING}-6f8d9c7b45", text)
        document = json.loads(text)
        (target / "t3" / name).write_text(json.dumps(_training_resources(document), indent=1))
    pod = json.loads((target / "t3" / "pod" / "pod.json").read_text())
    container: dict[str, Any] = pod["status"]["containerStatuses"][0]
    container["restartCount"] = 5
    for state in (container["state"], container["lastState"]):
        ended = state["terminated"]
        ended["startedAt"] = (datetime.fromisoformat(ended["finishedAt"]) - timedelta(seconds=41)).isoformat().replace("+00:00", "Z")
    ended = container["state"]["terminated"]
    (target / "t3" / "pod" / "pod.json").write_text(json.dumps(pod, indent=1))
    begun = datetime.fromisoformat(ended["startedAt"])
    lines = ((1, "INFO modelestimation: starting"), (3, "Loading full training dataset into memory... (5GB)"), (38, "Building model..."))
    log = "".join(f"{(begun + timedelta(seconds=s)).isoformat().replace('+00:00', '')}.000000000Z {text}\n" for s, text in lines)
    (target / "t3" / "pod" / f"logs-{TRAINING}.txt").write_text(log)


def _training_resources(document: Any) -> Any:
    """Every container of a document: limit 4Gi and no request, Python's image."""
    document = copy.deepcopy(document)

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for container in value.get("containers") or ():
                container["image"] = "registry.example/modelestimation:2.3.0"
                container["command"] = ["python", "-m", "modelestimation.train"]
                container["resources"] = {"limits": {"memory": "4Gi"}}
            for status in value.get("containerStatuses") or ():
                status["image"] = "registry.example/modelestimation:2.3.0"
                status.pop("allocatedResources", None)
                status["resources"] = {"limits": {"memory": "4Gi"}}
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    walk(document)
    return document


if __name__ == "__main__":
    main()
