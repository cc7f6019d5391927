"""The page of an incident as JSON, `oomtriage.incident/v1`: the same facts, without pictures and without what can be pressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from receiver.domain.units import format_time
from receiver.render.page.model import IncidentPage, Line, Part
from receiver.render.page.parts import text_of

SCHEMA = "oomtriage.incident/v1"
_LEFT_OUT = frozenset({"svg", "svg_phone", "buttons", "press", "used_bytes"})


def page_document(page: IncidentPage) -> dict[str, Any]:
    """Plain JSON values. Times are RFC 3339 in UTC; messages and lines are text. Fields may be added, none is renamed or removed."""
    return {"schema": SCHEMA, **_plain(page)}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return format_time(value)
        case Part():
            return [_plain(line) for line in value.lines]
        case Line():
            return f"{value.label}: {text_of(value)}" if value.label else text_of(value)
        case tuple() if value and all(isinstance(v, Part) for v in value):
            return [line for part in value for line in _plain(part)]
        case tuple():
            return [_plain(v) for v in value]
        case Mapping():
            return {k: _plain(v) for k, v in value.items()}
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name not in _LEFT_OUT}
    return value
