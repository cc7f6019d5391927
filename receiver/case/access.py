"""Careful access into JSON of others: what is absent or of another type reads as empty, never as an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.domain.units import parse_bytes_or_none

_MAPPINGS = (dict, Mapping)  # parsed JSON is dicts, and they are told at a fifth of an abstract class's cost


def get(obj: object, *path: str) -> Any:
    """The value at a path of keys, or None."""
    for key in path:
        if not isinstance(obj, _MAPPINGS):
            return None
        obj = obj.get(key)
    return obj


def mapping(obj: object, *path: str) -> Mapping[str, Any]:
    """The object at a path; empty when there is none."""
    value = get(obj, *path)
    return value if isinstance(value, _MAPPINGS) else {}


def objects(obj: object, *path: str) -> tuple[Mapping[str, Any], ...]:
    """The objects of the list at a path; empty when there is none."""
    value = get(obj, *path)
    return tuple(v for v in value if isinstance(v, _MAPPINGS)) if isinstance(value, list) else ()


def texts(obj: object, *path: str) -> tuple[str, ...]:
    """The strings of the list at a path."""
    value = get(obj, *path)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def text(obj: object, *path: str) -> str:
    """The string at a path; empty when there is none."""
    value = get(obj, *path)
    return value if isinstance(value, str) else ""


def whole(obj: object, *path: str) -> int | None:
    """The integer at a path, or None."""
    value = get(obj, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def string_map(obj: object, *path: str) -> dict[str, str]:
    """The object at a path, its string values only (labels, annotations)."""
    return {k: v for k, v in mapping(obj, *path).items() if isinstance(v, str)}


def quantity_bytes(obj: object, *path: str) -> int | None:
    """The Kubernetes quantity at a path in bytes, or None."""
    return parse_bytes_or_none(get(obj, *path))


def controller_of(obj: object) -> Mapping[str, Any]:
    """The ownerReference that controls an object; empty when nothing does."""
    return next((r for r in objects(obj, "metadata", "ownerReferences") if r.get("controller") is True), {})
