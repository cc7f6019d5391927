"""An API server that replays recordings: what this program asks, answered as the real one did."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from receiver.demo.standins.recordings import PodRecording, Recordings
from receiver.demo.standins.server import Asked, Reply, Standin, api_status, json_reply

_KINDS = {
    "replicasets": "ReplicaSet", "deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "jobs": "Job",
    "cronjobs": "CronJob", "nodes": "Node", "controllerrevisions": "ControllerRevision", "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "verticalpodautoscalers": "VerticalPodAutoscaler", "limitranges": "LimitRange", "resourcequotas": "ResourceQuota", "rollouts": "Rollout",
    "scaledobjects": "ScaledObject",
}  # fmt: skip
_OPTIONAL_GROUPS = ("autoscaling.k8s.io", "argoproj.io", "keda.sh")  # CRDs: the API knows them when a recording holds such an object


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
        if asked.path == "/apis" or (len(parts) == 3 and parts[0] == "apis"):
            return self._discovery("/".join(parts[1:]))
        if len(parts) < 3 or parts[0] not in ("api", "apis"):
            return api_status(404, "the server could not find the requested resource", "NotFound")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        return self._resource(group, namespace, rest, asked.params)

    def _discovery(self, version: str) -> Reply:
        """The groups that recorded objects are of and recorded resource lists name; or one such list."""
        lists = {o["groupVersion"]: o for o in self.recordings.objects if o.get("kind") == "APIResourceList"}
        if version:
            return json_reply(lists[version]) if version in lists else api_status(404, "the server could not find the requested resource")
        versions = {*lists, *(o["apiVersion"] for o in self.recordings.objects if "/" in str(o.get("apiVersion")))}
        groups = [{"name": v.partition("/")[0], "preferredVersion": {"groupVersion": v}} for v in sorted(versions)]
        return json_reply({"kind": "APIGroupList", "groups": groups})

    def _resource(self, group: str, namespace: str, rest: tuple[str, ...], params: Mapping[str, str]) -> Reply:
        resource, name, sub = (*rest, "", "", "")[:3]
        if group == "metrics.k8s.io" and resource == "pods":
            return self._metrics(namespace, name)
        if resource == "pods":
            return self._pods(namespace, name, sub, params)
        if resource == "events":
            items = [e for e in self.recordings.events if e.get("involvedObject") and _is_in(e, namespace) and _has_fields(e, params)]
            return json_reply({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items})
        return self._object(group, namespace, resource, name, params)

    def _object(self, group: str, namespace: str, resource: str, name: str, params: Mapping[str, str]) -> Reply:
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
            found = [p for p in pods if _has_labels(p, params) and _has_fields(p, params)]
            page = len(found) if "resourceVersion" in params else int(params.get("limit") or len(found))  # the watch cache does not page
            metadata = {"continue": "next"} if page < len(found) else {}
            return json_reply({"kind": "PodList", "metadata": metadata, "items": found[:page]})
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
