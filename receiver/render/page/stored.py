"""A report as it is stored: the document of whichever release wrote it. What is not there, or of another kind, is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain.units import parse_time
from receiver.render.text import clean_block, clean_line

TEXT_MAX = 600
BLOCK_LINES, BLOCK_COLUMNS = 200, 900


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the document, read by name."""

    document: Mapping[str, Any] = field(default_factory=dict)

    def at(self, *names: str) -> Stored:
        """The object in there; an empty one for anything else."""
        found: object = self.document
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        return Stored(found) if isinstance(found, Mapping) else Stored()

    def all(self, name: str) -> Iterator[Stored]:
        """The objects of a list."""
        found = self.document.get(name)
        yield from (Stored(entry) for entry in found if isinstance(entry, Mapping)) if isinstance(found, list) else ()

    def text(self, name: str, limit: int = TEXT_MAX) -> str:
        """One cleaned line."""
        found = self.document.get(name)
        return clean_line(found, limit) if isinstance(found, str) else ""

    def texts(self, name: str, limit: int = TEXT_MAX) -> tuple[str, ...]:
        """The cleaned lines of a list."""
        found = self.document.get(name)
        lines = (clean_line(entry, limit) for entry in found if isinstance(entry, str)) if isinstance(found, list) else ()
        return tuple(line for line in lines if line)

    def block(self, name: str) -> str:
        """Several lines, cleaned, as they are to be pasted."""
        found = self.document.get(name)
        return clean_block(found, max_lines=BLOCK_LINES, max_columns=BLOCK_COLUMNS) if isinstance(found, str) else ""

    def number(self, name: str) -> float | None:
        """A number."""
        found = self.document.get(name)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    def time(self, name: str) -> datetime | None:
        """A time."""
        return parse_time(self.document.get(name))

    def has(self, name: str) -> bool:
        """Whether there is something of that name."""
        return self.document.get(name) is not None
