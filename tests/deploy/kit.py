"""What the manifests become: kustomize and Helm, both real, and Kubernetes' own schema."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import fastjsonschema
import yaml
from helm_python.chart import Chart

from tests.e2e.binaries import binary
from tests.places import REPO

DEPLOY = REPO / "deploy"
CHART = DEPLOY / "helm" / "oomtriage"
SCHEMAS = REPO / "tests" / "fixtures" / "kubernetes"  # tools/custom_resources.py makes that of the operators' kinds
OVERLAYS = ("single", "ha", "kube-prometheus-stack", "namespaced", "no-volume")

Object = dict[str, Any]


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
    return tuple(one for text in texts for one in yaml.load_all(text, Loader=_Loader) if one)


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
    known = json.loads((SCHEMAS / "openapi-1.33.json").read_text())
    checkers: dict[str, Callable[[Any], Any]] = {}
    for kind, definition in known["kinds"].items():
        schema = {"$ref": f"#/definitions/{definition}", "definitions": known["definitions"]}
        checkers[kind] = fastjsonschema.compile(schema, use_formats=False)
    for kind, schema in json.loads((SCHEMAS / "custom-resources.json").read_text()).items():
        checkers[kind] = fastjsonschema.compile(schema)
    return checkers


_QUANTITY = re.compile(r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")


def _quantities(node: Any) -> Iterator[Any]:
    """Amounts of resources: to the schema they are any text."""
    if isinstance(node, dict):
        for key, below in node.items():
            if key in ("requests", "limits") and isinstance(below, dict):
                yield from below.values()
            elif key == "sizeLimit":
                yield below
            else:
                yield from _quantities(below)
    elif isinstance(node, list):
        for below in node:
            yield from _quantities(below)


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
        found += [f"{name}: {quantity!r} is no quantity" for quantity in _quantities(each) if not _QUANTITY.match(str(quantity))]
    return found
