"""Stand-ins of the Kubernetes API and of Prometheus that replay recorded incidents over real HTTP on 127.0.0.1.

They answer what this program asks, from files as the real servers wrote them: one folder an incident, in it one folder a
moment (`t1`, `t3`), in it a folder per pod (`pod.json`, `logs-NAME.txt`, ...); beside the moments `prometheus/*.json`, range
answers by metric. `_cluster/` may hold nodes and further pods. A time shift makes a recording look current.

The Prometheus stand-in is no PromQL engine: it knows selectors, `max by`, a window and a union, which is what is asked here.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_STAMP = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(?!\d)")
_LOG_FILE = re.compile(r"logs-(?P<previous>previous-)?(?P<container>.+)\.txt")
_API_ERROR = re.compile(r"HTTP (\d{3})\n", re.ASCII)
# Metrics whose values are times: they move with a time shift.
_TIME_METRICS = ("_timestamp", "_start_time", "start_time_seconds")


# --- serving -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: path parts unquoted, parameters of the address or the form, headers in lower case."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's parts."""
        return tuple(p for p in self.path.split("/") if p)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(document: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status=status, body=json.dumps(document).encode())


def api_status(status: int, message: str, reason: str = "") -> Reply:
    """An error as the API server words it."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }
    return json_reply(document, status)


class Standin:
    """An HTTP server on a free port of 127.0.0.1. Counts what it was asked; subclasses answer."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def answer(self, asked: Asked) -> Reply:
        """The answer to one request."""
        raise NotImplementedError

    def handle(self, asked: Asked, http: BaseHTTPRequestHandler) -> None:
        """Answer one request on its connection; faults that are no proper HTTP answer override this."""
        reply = self.answer(asked)
        http.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body)), **reply.headers}.items():
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(reply.body)

    @property
    def url(self) -> str:
        """Its address, once started."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> Counter[str]:
        """How often each path was asked."""
        with self._lock:
            return Counter(a.path for a in self.asked)

    def start(self) -> str:
        """Listen; returns the address."""
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def note(self, asked: Asked) -> None:
        """Count one request."""
        with self._lock:
            self.asked.append(asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _handler_of(standin: Standin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            params = {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "form-urlencoded" in (self.headers.get("Content-Type") or ""):
                params |= {k: v[-1] for k, v in parse_qs(body.decode(), keep_blank_values=True).items()}
            headers = {k.lower(): v for k, v in self.headers.items()}
            asked = Asked(method=self.command, path=parts.path, params=params, headers=headers, body=body)
            standin.note(asked)
            try:
                standin.handle(asked, self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: stdout and stderr belong to the program."""

    return Handler


# --- recordings ----------------------------------------------------------------------------------------------------------


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


# --- Kubernetes ----------------------------------------------------------------------------------------------------------

_KINDS = {
    "replicasets": "ReplicaSet", "deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "jobs": "Job",
    "cronjobs": "CronJob", "nodes": "Node", "controllerrevisions": "ControllerRevision", "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "verticalpodautoscalers": "VerticalPodAutoscaler", "limitranges": "LimitRange", "resourcequotas": "ResourceQuota", "rollouts": "Rollout",
}  # fmt: skip
_OPTIONAL_GROUPS = ("autoscaling.k8s.io", "argoproj.io")  # CRDs: the API knows them when a recording holds such an object


class KubeStandin(Standin):
    """Replays recordings as an API server would answer."""

    def __init__(self, recordings: Recordings) -> None:
        super().__init__()
        self.recordings = recordings

    def answer(self, asked: Asked) -> Reply:
        """GETs of pods, logs, events, owners, nodes and lists of them; an access review is always granted."""
        parts = asked.parts
        if asked.path == "/version":
            return json_reply({"major": "1", "minor": "36", "gitVersion": "v1.36.0 (recorded)"})
        if asked.method == "POST" and parts[-1:] == ("selfsubjectaccessreviews",):
            return json_reply({**json.loads(asked.body or b"{}"), "status": {"allowed": True}}, 201)
        if len(parts) < 3 or parts[0] not in ("api", "apis"):
            return api_status(404, "the server could not find the requested resource", "NotFound")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        return self._resource(group, namespace, rest, asked.params)

    def _resource(self, group: str, namespace: str, rest: tuple[str, ...], params: Mapping[str, str]) -> Reply:
        resource, name, sub = (*rest, "", "", "")[:3]
        if group == "metrics.k8s.io" and resource == "pods":
            return self._metrics(namespace, name)
        if resource == "pods":
            return self._pods(namespace, name, sub, params)
        if resource == "events":
            items = [e for e in self.recordings.events if e.get("involvedObject") and _is_in(e, namespace) and _has_fields(e, params)]
            return json_reply({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items})
        kind = _KINDS.get(resource)
        known = [o for o in self.recordings.objects if o.get("kind") == kind]
        if kind is None or (group in _OPTIONAL_GROUPS and not known):
            return api_status(404, "the server could not find the requested resource", "NotFound")
        own = [o for o in known if not namespace or o["metadata"].get("namespace") == namespace]
        if not name:
            items = [o for o in own if _has_labels(o, params)]
            return json_reply({"kind": f"{kind}List", "metadata": {}, "items": items})
        found = next((o for o in own if o["metadata"]["name"] == name), None)
        return json_reply(found) if found is not None else _not_found(resource, group, name)

    def _pods(self, namespace: str, name: str, sub: str, params: Mapping[str, str]) -> Reply:
        if not name:
            pods = [r.pod for (ns, _), r in self.recordings.pods.items() if not namespace or ns == namespace]
            return json_reply(
                {"kind": "PodList", "metadata": {}, "items": [p for p in pods if _has_labels(p, params) and _has_fields(p, params)]}
            )
        recording = self.recordings.pods.get((namespace, name))
        if recording is None:
            return _not_found("pods", "", name)
        return self._log(recording, params) if sub == "log" else json_reply(recording.pod)

    def _log(self, recording: PodRecording, params: Mapping[str, str]) -> Reply:
        pod = recording.pod["metadata"]["name"]
        names = [c["name"] for key in ("initContainers", "containers") for c in recording.pod["spec"].get(key) or ()]
        container = params.get("container") or (names[0] if len(names) == 1 else "")
        if not container:
            return api_status(400, f"a container name must be specified for pod {pod}, choose one of: [{' '.join(names)}]", "BadRequest")
        if container not in names:
            return api_status(400, f"container {container} is not valid for pod {pod}", "BadRequest")
        is_previous = params.get("previous") == "true"
        status, text = recording.logs.get((container, is_previous), (0, ""))
        if not status:
            return api_status(400, f'previous terminated container "{container}" in pod "{pod}" not found', "BadRequest")
        if status != 200:
            return Reply(status=status, body=text.encode())
        if params.get("timestamps") != "true":
            text = re.sub(r"(?m)^\d{4}-\S+Z ", "", text)
        if params.get("tailLines", "").isdigit():
            text = "".join(text.splitlines(keepends=True)[-int(params["tailLines"]) :])
        body = text.encode("utf-8", "surrogateescape")
        return Reply(body=body[: int(params.get("limitBytes") or len(body))], content_type="text/plain")

    def _metrics(self, namespace: str, name: str) -> Reply:
        recording = self.recordings.pods.get((namespace, name))
        if recording is None or not recording.metrics[1]:
            return _not_found("podmetrics", "metrics.k8s.io", f"{namespace}/{name}")
        return json_reply(recording.metrics[1], recording.metrics[0])


def _not_found(resource: str, group: str, name: str) -> Reply:
    return api_status(404, f'{resource}{"." + group if group else ""} "{name}" not found', "NotFound")


def _is_in(entry: Mapping[str, Any], namespace: str) -> bool:
    return not namespace or entry["metadata"].get("namespace") == namespace


def _has_labels(entry: Mapping[str, Any], params: Mapping[str, str]) -> bool:
    labels = entry["metadata"].get("labels") or {}
    pairs = (p.partition("=") for p in params.get("labelSelector", "").split(",") if "=" in p and "(" not in p)
    return all(labels.get(key) == value for key, _, value in pairs)


def _has_fields(entry: Mapping[str, Any], params: Mapping[str, str]) -> bool:
    for pair in filter(None, params.get("fieldSelector", "").split(",")):
        path, _, value = pair.partition("=")
        found: Any = entry
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if found != value:
            return False
    return True


# --- Prometheus ----------------------------------------------------------------------------------------------------------

_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^{}]*)\}")
_MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")
_WINDOW = re.compile(r"\[(\d+)([smhd])\]")
_BRANCH = re.compile(r'label_replace\((?P<expression>.*), "q", "(?P<name>[^"]*)", "", ""\)', re.DOTALL)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LOOK_BACK_S = 20.0  # recordings are range answers: Prometheus' own look-back is in them already


@dataclass(frozen=True, slots=True)
class _Line:
    """One series, its points unzipped for searching."""

    labels: Mapping[str, str]
    times: list[float]
    values: list[str]


class PrometheusStandin(Standin):
    """Answers queries from recorded series."""

    def __init__(self, series: Iterable[Mapping[str, Any]], *, rule_groups: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__()
        self._lines: list[_Line] = []
        self._rule_groups = list(rule_groups)
        self.add(series)

    def add(self, series: Iterable[Mapping[str, Any]]) -> None:
        """More series, as range answers hold them."""
        for entry in series:
            points = entry["values"]
            self._lines.append(
                _Line({str(k): str(v) for k, v in entry["metric"].items()}, [float(t) for t, _ in points], [v for _, v in points])
            )

    def answer(self, asked: Asked) -> Reply:
        """query, query_range, rules, and what says that a Prometheus is there."""
        if asked.path.startswith("/-/"):
            return Reply(body=b"Prometheus stand-in is Ready.\n", content_type="text/plain")
        match asked.parts[-1:]:
            case ("query_range",):
                start, end, step = (float(asked.params[k]) for k in ("start", "end", "step"))
                times = [start + i * step for i in range(int((end - start) / step) + 1)]
                return _success("matrix", self._range(asked.params["query"], times))
            case ("query",):
                return self._instant(asked.params.get("query", ""), float(asked.params.get("time") or datetime.now(UTC).timestamp()))
            case ("rules",):
                return json_reply({"status": "success", "data": {"groups": self._rule_groups}})
            case ("buildinfo",):
                return json_reply({"status": "success", "data": {"version": "2.42.0 (recorded)"}})
        return json_reply({"status": "success", "data": []})

    def _range(self, query: str, times: list[float]) -> list[dict[str, Any]]:
        branches = [(m["name"], m["expression"]) for part in _split_or(query) if (m := _BRANCH.fullmatch(part.strip()))]
        result = []
        for name, expression in branches or [("", query)]:
            for labels, points in self._evaluate(expression, times):
                if name:
                    labels["q"] = name
                result.append({"metric": labels, "values": [[t, v] for t, v in points]})
        return result

    def _instant(self, query: str, at: float) -> Reply:
        if query.rstrip().endswith("]"):
            window = _window_s(query)
            matrix = []
            for line in self._selected(query):
                a, b = bisect_right(line.times, at - window), bisect_right(line.times, at)
                if a < b:
                    matrix.append({"metric": line.labels, "values": [[line.times[i], line.values[i]] for i in range(a, b)]})
            return _success("matrix", matrix)
        found = self._range(query, [at])
        return _success("vector", [{"metric": s["metric"], "value": s["values"][0]} for s in found])

    def _evaluate(self, expression: str, times: list[float]) -> list[tuple[dict[str, str], list[tuple[float, str]]]]:
        """`max by` over all selected series, alternatives (`or`) filling each other's holes in order."""
        merged: dict[tuple[tuple[str, str], ...], dict[float, str]] = {}
        base = expression.split(" and on ", maxsplit=1)[0]
        for alternative in _split_or(base):
            by = _BY.search(alternative)
            names = [n.strip() for n in by[1].split(",")] if by else None
            window = _window_s(alternative) if _WINDOW.search(alternative) else LOOK_BACK_S
            found: dict[tuple[tuple[str, str], ...], dict[float, str]] = {}
            for line in self._selected(alternative):
                kept = dict(line.labels) if names is None else {n: line.labels[n] for n in names if n in line.labels}
                own = found.setdefault(tuple(sorted(kept.items())), {})
                for t in times:
                    a, b = bisect_right(line.times, t - window), bisect_right(line.times, t)
                    if a < b:
                        best = max(line.values[a:b], key=float) if "max_over_time" in alternative else line.values[b - 1]
                        if not (alternative.rstrip(" )").endswith("> 0") and float(best) <= 0):
                            own[t] = best if t not in own else max(best, own[t], key=float)
            for key, points in found.items():
                merged[key] = {**points, **merged.get(key, {})}
        return [(dict(key), sorted(points.items())) for key, points in merged.items() if points]

    def _selected(self, expression: str) -> list[_Line]:
        found = []
        for name, matchers in _SELECTOR.findall(expression):
            tests = [_test(*m) for m in _MATCHER.findall(matchers)] + ([_test("__name__", "=", name)] if name else [])
            found += [line for line in self._lines if all(test(line.labels) for test in tests)]
        return found


def _test(label: str, operator: str, wanted: str) -> Callable[[Mapping[str, str]], bool]:
    wanted = wanted.replace("\\\\", "\\")
    if operator in ("=", "!="):
        return lambda labels: (labels.get(label, "") == wanted) is (operator == "=")
    pattern = re.compile(wanted)
    return lambda labels: (pattern.fullmatch(labels.get(label, "")) is not None) is (operator == "=~")


def _split_or(text: str) -> list[str]:
    """The operands of a union, outside of brackets and strings."""
    parts, depth, begin, in_string = [], 0, 0, False
    for i, char in enumerate(text):
        if char == '"' and text[i - 1] != "\\":
            in_string = not in_string
        if in_string:
            continue
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and text.startswith(" or ", i):
            parts.append(text[begin:i])
            begin = i + 4
    return [*parts, text[begin:]]


def _window_s(expression: str) -> float:
    match = _WINDOW.search(expression)
    assert match is not None
    return int(match[1]) * _SECONDS[match[2]]


def _success(kind: str, result: list[Any]) -> Reply:
    return json_reply({"status": "success", "data": {"resultType": kind, "result": result}})
