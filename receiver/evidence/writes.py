"""Who wrote what of an object, and when: its managedFields, boiled down to the few fields that decide about memory.

managedFields are large and name every field; a case keeps one short entry for each manager and thing that it owns. The time is
that of the manager's last write of anything it owns, so it is never before the change that it stands for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Where containers stand, in a template and in a pod.
_PODS = (("f:spec", "f:template", "f:spec"), ("f:spec", "f:jobTemplate", "f:spec", "f:template", "f:spec"), ("f:spec",))
_LISTS = ("f:containers", "f:initContainers")
_OF_CONTAINER = (
    ("limit", ("f:resources", "f:limits", "f:memory")),
    ("request", ("f:resources", "f:requests", "f:memory")),
    ("image", ("f:image",)),
    ("flags", ("f:command",)),
    ("flags", ("f:args",)),
    ("flags", ("f:env",)),
)
_OF_OBJECT = (("replicas", ("f:spec", "f:replicas")), ("spec", ("f:spec",)))
_MAX_NAME = 128  # the API allows no longer manager


def writes_of(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """One entry for each manager and thing: `what`, `container`, `manager`, `time`, `subresource`; empties are left out."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for entry in metadata.get("managedFields") or ():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("fieldsV1"), Mapping):
            continue
        who = {key: str(entry.get(key) or "")[:_MAX_NAME] for key in ("manager", "time", "subresource")}
        if who["subresource"] == "status":
            continue
        for what, container in _owned(entry["fieldsV1"]):
            written = {"what": what, "container": container, **who}
            found[tuple(written.values())] = {key: value for key, value in written.items() if value}
    return list(found.values())


def _owned(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what, container) of everything that an entry owns; the container is empty for what is the object's."""
    for what, path in _OF_OBJECT:
        if _at(fields, path) is not None:
            yield what, ""
    for place in _PODS:
        spec = _at(fields, place)
        if _at(spec, ("f:resources", "f:limits", "f:memory")) is not None:
            yield "limit", ""
        for listed in _LISTS:
            for key, of_container in (_at(spec, (listed,)) or {}).items():
                name = _name(key)
                if name:
                    yield from ((what, name) for what, path in _OF_CONTAINER if _at(of_container, path) is not None)


def _at(fields: object, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(fields, Mapping) or key not in fields:
            return None
        fields = fields[key]
    return fields if isinstance(fields, Mapping) else None


def _name(key: str) -> str:
    """Of a list entry's key: `k:{"name":"app"}`."""
    if not key.startswith("k:"):
        return ""
    try:
        named = json.loads(key[2:])
    except ValueError:
        return ""
    return str(named.get("name") or "") if isinstance(named, dict) else ""
