"""Memories as the store keeps them: one JSON object with a version. Without one, a release before there was any wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from receiver.domain import memory_v0
from receiver.domain.conversation_memory import ConversationMemory
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.typed_json import from_json, to_json
from receiver.errors import UnreadableMemory

VERSION = 1

T = TypeVar("T")


def memory_to_json(memory: IncidentMemory | ConversationMemory) -> dict[str, Any]:
    """The object to store."""
    return {"version": VERSION, **to_json(memory)}


def incident_memory(document: Mapping[str, Any]) -> IncidentMemory:
    """An incident's. UnreadableMemory when it is none."""
    return _read(IncidentMemory, document, memory_v0.incident_memory)


def conversation_memory(document: Mapping[str, Any]) -> ConversationMemory:
    """A conversation's. UnreadableMemory when it is none."""
    return _read(ConversationMemory, document, memory_v0.conversation_memory)


def _read(kind: type[T], document: Mapping[str, Any], upgrade: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        version = document.get("version", 0)
        if version not in (0, VERSION):
            raise UnreadableMemory(f"its version is {version!r}, and this release knows {VERSION}")
        return upgrade(document) if version == 0 else from_json(kind, document)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as exc:
        raise UnreadableMemory(f"{kind.__name__}: {exc}") from exc
