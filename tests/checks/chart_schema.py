"""values.schema.json of the chart: the values' own types, and every setting that `config` takes.

pytest --update-golden tests/deploy/test_chart.py     writes it
"""

from __future__ import annotations

from typing import Any

from receiver.settings.model import KEYS, YAML_ONLY

DECIDED_BY_THE_CHART = ("listen", "store_url")
# Maps and lists that Kubernetes or a person fills.
_MAPS = ("annotations", "labels", "nodeSelector", "podAnnotations", "podLabels")  # of strings
_FREE_OBJECTS = ("affinity", "resources")
_ENUMS = {
    "pullPolicy": ["Always", "IfNotPresent", "Never"],
    "accessMode": ["ReadWriteOnce", "ReadWriteOncePod"],
}


def chart_schema(values: dict[str, Any]) -> dict[str, Any]:
    """Draft 7, as Helm reads it. An unknown key is an error: a misspelt one would silently do nothing."""
    schema = _of("", {**values, "config": None, "secretKeys": None})
    schema["properties"]["config"] = _config()
    schema["properties"]["secretKeys"] = _secret_keys()
    schema["properties"]["global"] = {"type": "object"}  # Helm adds it where the chart is part of another
    schema["properties"]["existingSecret"]["minLength"] = 1
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def _of(name: str, value: Any) -> dict[str, Any]:
    if name in _MAPS:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if name in _FREE_OBJECTS:
        return {"type": "object"}
    if name in _ENUMS:
        return {"type": "string", "enum": _ENUMS[name]}
    if isinstance(value, dict):
        return {"type": "object", "additionalProperties": False, "properties": {key: _of(key, below) for key, below in value.items()}}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "minimum": 1}
    if isinstance(value, list):
        return {"type": "array"}
    return {"type": "string"}


def _config() -> dict[str, Any]:
    """No secret among them: those come from files of the Secret."""
    open_ = {key.name.lower(): {"description": key.meaning} for key in KEYS if not key.is_secret}
    names = {**open_, **{name: {} for name in YAML_ONLY}}
    kept = {name: about for name, about in sorted(names.items()) if name not in DECIDED_BY_THE_CHART}
    return {"type": "object", "additionalProperties": False, "properties": kept}


def _secret_keys() -> dict[str, Any]:
    names = sorted(key.name.lower() for key in KEYS if key.is_secret)
    return {"type": "object", "additionalProperties": False, "properties": {name: {"type": "string"} for name in names}}
