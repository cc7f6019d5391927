"""What the manifests become: kustomize and Helm, both real, and Kubernetes' own schema."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import fastjsonschema
import yaml
from helm_python.chart import Chart

from tests.e2e.binaries import binary
from tests.places import REPO

DEPLOY = REPO / "deploy"
CHART = DEPLOY / "helm" / "oomtriage"
OVERLAYS = ("single", "kube-prometheus-stack", "namespaced", "no-volume")

Object = dict[str, Any]

# What these fields of the operator's kinds may be; its own schema is 1.5 MB. More keys than these are an error here.
_LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
_META = {"type": "object", "required": ["name", "namespace"], "properties": {"labels": _LABELS}}
_RULE_KEYS = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_GROUP = {
    "type": "object", "required": ["name", "rules"], "additionalProperties": False,
    "properties": {
        "name": {"type": "string"}, "interval": {"type": "string", "pattern": "^[0-9]+[smh]$"},
        "rules": {"type": "array", "items": {
            "type": "object", "required": ["expr"], "additionalProperties": False,
            "properties": {key: _LABELS if key in ("labels", "annotations") else {"type": "string"} for key in _RULE_KEYS},
        }},
    },
}  # fmt: skip
_ENDPOINT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {key: {"type": "string"} for key in ("port", "path", "interval")},
}
OPERATOR: dict[str, Any] = {
    "monitoring.coreos.com/v1/ServiceMonitor": {
        "type": "object", "additionalProperties": False, "required": ["selector", "endpoints"],
        "properties": {"selector": {"type": "object"}, "endpoints": {"type": "array", "items": _ENDPOINT}},
    },
    "monitoring.coreos.com/v1/PrometheusRule": {
        "type": "object", "additionalProperties": False, "required": ["groups"], "properties": {"groups": {"type": "array", "items": _GROUP}},
    },
    "monitoring.coreos.com/v1alpha1/AlertmanagerConfig": {
        "type": "object", "additionalProperties": False, "required": ["route", "receivers"],
        "properties": {"route": {"type": "object"}, "receivers": {"type": "array"}, "inhibitRules": {"type": "array"}},
    },
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """YAML 1.1 gives a bare `=` a meaning of its own; kustomize writes it so."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


@cache
def kustomized(folder: str) -> tuple[Object, ...]:
    """The objects of deploy/FOLDER as `kubectl apply -k` sends them."""
    built = subprocess.run([binary("kustomize", "trixie"), "build", str(DEPLOY / folder)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert built.stderr == "", "kustomize warns"
    return tuple(yaml.load_all(built.stdout, Loader=_Loader))


@cache
def _charted(values_json: str, name: str, namespace: str) -> tuple[Object, ...]:
    with Chart.load(CHART) as chart:
        chart.validate_schema(chart.merge_values(json.loads(values_json)))
        rendered = chart.render(json.loads(values_json), name=name, namespace=namespace)
    texts = [text for path, text in sorted(rendered.items()) if not path.endswith("NOTES.txt")]
    return tuple(one for text in texts for one in yaml.safe_load_all(text) if one)


def charted(values: Object | None = None, *, name: str = "oomtriage", namespace: str = "oomtriage") -> tuple[Object, ...]:
    """The objects that `helm install NAME --namespace NAMESPACE` makes of these values."""
    return _charted(json.dumps(values or {}), name, namespace)


def notes(values: Object | None = None) -> str:
    """What Helm prints after the installation."""
    with Chart.load(CHART) as chart:
        rendered = chart.render(values or {}, name="oomtriage", namespace="oomtriage")
    return next(text for path, text in rendered.items() if path.endswith("NOTES.txt"))


def one(objects: Iterable[Object], kind: str) -> Object:
    """The only object of a kind."""
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


@cache
def _checkers() -> dict[str, Callable[[Any], Any]]:
    path = REPO / "tests" / "fixtures" / "kubernetes" / "openapi-1.33.json"
    known = json.loads(Path(path).read_text())
    checkers: dict[str, Callable[[Any], Any]] = {}
    for kind, definition in known["kinds"].items():
        schema = {"$ref": f"#/definitions/{definition}", "definitions": known["definitions"]}
        checkers[kind] = fastjsonschema.compile(schema, use_formats=False)
    for kind, spec in OPERATOR.items():
        schema = {"type": "object", "required": ["metadata", "spec"], "properties": {"metadata": _META, "spec": spec}}
        checkers[kind] = fastjsonschema.compile(schema)
    return checkers


def faults(objects: Iterable[Object]) -> list[str]:
    """What Kubernetes' API would refuse or drop, and kinds that nobody here knows."""
    found = []
    for each in objects:
        name = f"{each['apiVersion']}/{each['kind']} {each['metadata']['name']}"
        checker = _checkers().get(f"{each['apiVersion']}/{each['kind']}")
        if checker is None:
            found.append(f"{name}: unknown kind")
            continue
        try:
            checker(each)
        except fastjsonschema.JsonSchemaException as exc:
            found.append(f"{name}: {exc}")
    return found
