"""Recorded incidents, from files as the real servers wrote them.

One folder an incident, in it one folder a moment (`t1`, `t3`), in it a folder per pod (`pod.json`, `logs-NAME.txt`, ...);
beside the moments `prometheus/*.json`, range answers by metric. `_cluster/` may hold nodes and further pods. A time shift
makes a recording look current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_STAMP = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(?!\d)")
_LOG_FILE = re.compile(r"logs-(?P<previous>previous-)?(?P<container>.+)\.txt")
_API_ERROR = re.compile(r"HTTP (\d{3})\n", re.ASCII)
# Metrics whose values are times: they move with a time shift.
_TIME_METRICS = ("_timestamp", "_start_time", "start_time_seconds")


@dataclass(slots=True, kw_only=True)
class PodRecording:
    """One pod at one moment. Logs by (container, previous) as (HTTP status, text); `metrics` as (HTTP status, document)."""

    pod: dict[str, Any]
    logs: dict[tuple[str, bool], tuple[int, str]] = field(default_factory=dict)
    metrics: tuple[int, dict[str, Any]] = (404, {})
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Incident:
    """One recorded incident at one moment. `taken_at`: when; `objects`: owners and revisions by kind."""

    name: str
    moment: str
    taken_at: datetime
    pods: list[PodRecording]
    objects: list[dict[str, Any]]
    events: list[dict[str, Any]]
    series: list[dict[str, Any]]

    @property
    def namespace(self) -> str:
        """Where it happened."""
        first = self.pods[0].pod if self.pods else self.objects[0]
        return str(first["metadata"]["namespace"])


@dataclass(slots=True, kw_only=True)
class Recordings:
    """Everything that the stand-ins replay."""

    incidents: list[Incident] = field(default_factory=list)
    pods: dict[tuple[str, str], PodRecording] = field(default_factory=dict)
    objects: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)

    def incident(self, name: str) -> Incident:
        """The incident of that name."""
        return next(i for i in self.incidents if i.name == name)

    def add(self, incident: Incident) -> None:
        """One more incident."""
        self.incidents.append(incident)
        for recording in incident.pods:
            metadata = recording.pod["metadata"]
            self.pods[metadata["namespace"], metadata["name"]] = recording
            self.events += recording.events
        self.objects += incident.objects
        self.events += incident.events
        self.series += incident.series


def load(
    root: Path, *, moment: str = "", only: Iterable[str] = (), shift: timedelta | None = None, now: datetime | None = None
) -> Recordings:
    """The incidents of a folder, each at the named moment or its last one.

    `shift` moves every time of the recordings; with `now` instead they move so that the newest was taken at `now`.
    """
    wanted = set(only)
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("_") and (not wanted or p.name in wanted))
    if now is not None:
        shift = now - max(taken for f in folders if (taken := _taken_at(_moment_of(f, moment))) is not None)
    move = Shift(shift or timedelta())
    recordings = Recordings()
    for folder in folders:
        recordings.add(_incident(folder, _moment_of(folder, moment), move))
    _add_cluster(recordings, root / "_cluster", move)
    return recordings


class Shift:
    """Moves the times of texts, documents and series by one span."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def text(self, text: str) -> str:
        """A text with every RFC 3339 (or log) time moved, fractions kept. The year 1970 stays: it means "never"."""
        return _STAMP.sub(self._moved, text) if self._by else text

    def document(self, path: Path) -> Any:
        """A JSON file with its times moved."""
        return json.loads(self.text(path.read_text(encoding="utf-8")))

    def time(self, at: datetime) -> datetime:
        """One moment moved."""
        return at + self._by

    def series(self, entry: dict[str, Any]) -> dict[str, Any]:
        """A Prometheus series moved, together with values that are times."""
        by = self._by.total_seconds()
        if not by:
            return entry
        is_time = str(entry["metric"].get("__name__", "")).endswith(_TIME_METRICS)
        values = [[t + by, str(float(v) + by) if is_time else v] for t, v in entry["values"]]
        return {"metric": entry["metric"], "values": values}

    def _moved(self, match: re.Match[str]) -> str:
        if match[1].startswith(("1970", "0001")):
            return match[0]
        at = datetime.fromisoformat(f"{match[1]}T{match[3]}") + self._by
        return at.strftime(f"%Y-%m-%d{match[2]}%H:%M:%S")


def _moment_of(folder: Path, wanted: str) -> Path:
    moments = sorted(p for p in folder.iterdir() if p.is_dir() and p.name != "prometheus")
    with_pods = [m for m in moments if any(m.glob("pod*/pod.json"))]
    return next((m for m in moments if m.name == wanted), (with_pods or moments)[-1])


def _incident(folder: Path, moment: Path, move: Shift) -> Incident:
    pods = [_pod(p, move) for p in sorted(moment.glob("pod*")) if (p / "pod.json").exists()]
    objects: list[dict[str, Any]] = []
    for path in sorted(moment.glob("*.json")):
        document = move.document(path)
        if path.stem == "events-owner":
            continue
        kind = str(document.get("kind") or "")
        if kind.endswith("List") or "items" in document:
            objects += [{"kind": kind.removesuffix("List"), **item} for item in document.get("items") or ()]
        else:
            objects.append(document)
    owner_events = moment / "events-owner.json"
    taken_at = _taken_at(moment)
    return Incident(
        name=folder.name,
        moment=moment.name,
        taken_at=move.time(taken_at) if taken_at is not None else datetime.fromtimestamp(0, UTC),
        pods=pods,
        objects=objects,
        events=list((move.document(owner_events).get("items") or ()) if owner_events.exists() else ()),
        series=[move.series(s) for p in sorted((folder / "prometheus").glob("*.json")) for s in _series_of(p)],
    )


def _pod(folder: Path, move: Shift) -> PodRecording:
    recording = PodRecording(pod=move.document(folder / "pod.json"))
    for path in sorted(folder.glob("logs-*.txt")):
        match = _LOG_FILE.fullmatch(path.name)
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        refused = _API_ERROR.match(text)
        if match is not None:
            body = text[refused.end() :] if refused else move.text(text)
            recording.logs[match["container"], bool(match["previous"])] = (int(refused[1]) if refused else 200, body)
    if (folder / "metrics.k8s.io.json").exists():
        metrics = move.document(folder / "metrics.k8s.io.json")
        recording.metrics = (int(metrics.get("code", 404)) if metrics.get("kind") == "Status" else 200, metrics)
    if (folder / "events-core-v1.json").exists():
        recording.events = list(move.document(folder / "events-core-v1.json").get("items") or ())
    return recording


def _taken_at(moment: Path) -> datetime | None:
    """The newest time that the moment's pods, events and logs tell."""
    files = [
        f for pattern in ("pod*/pod.json", "pod*/events-core-v1.json", "pod*/logs-*.txt", "events-owner.json") for f in moment.glob(pattern)
    ]
    stamps = (f"{m[1]}T{m[3]}" for f in files for m in _STAMP.finditer(f.read_text(encoding="utf-8", errors="replace")))
    newest = max(stamps, default=None)
    return datetime.fromisoformat(f"{newest}+00:00") + timedelta(seconds=2) if newest is not None else None


def _series_of(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    return list((document.get("response") or document).get("data", {}).get("result") or ())


def _add_cluster(recordings: Recordings, folder: Path, move: Shift) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("node-*.json")):
        document = move.document(path)
        if path.stem == "node-events":
            recordings.events += document.get("items") or ()
        else:
            recordings.objects.append(document)
    if (folder / "podlist.json").exists():
        for pod in move.document(folder / "podlist.json").get("items") or ():
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            recordings.pods.setdefault(key, PodRecording(pod=pod))
