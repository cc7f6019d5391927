"""What only whoever configures the installation can close: the hints of all looks, for /readyz instead of every thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from receiver.domain.case import Missing
from receiver.domain.units import format_time

MOST_HINTS = 50  # distinct ones: the gatherers have about as many; more would be a hint that is never the same


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationGap:
    """One hint: which sources lack for it, in how many looks, and when it was last so."""

    hint: str
    sources: tuple[str, ...]
    seen: int
    last_seen: datetime

    def to_json(self) -> dict[str, Any]:
        """As /readyz tells it."""
        return {"hint": self.hint, "sources": list(self.sources), "seen": self.seen, "last_seen": format_time(self.last_seen)}


@dataclass(slots=True)
class ConfigurationGaps:
    """Those that this process has met, at most `MOST_HINTS`: a restart forgets them, and the next look tells them again. Safe between threads."""

    _by_hint: dict[str, ConfigurationGap] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, missing: Iterable[Missing], *, now: datetime) -> None:
        """The gaps of one look."""
        sources: dict[str, list[str]] = {}
        for gap in missing:
            if gap.is_configuration and gap.hint:
                sources.setdefault(gap.hint, []).append(gap.source)
        with self._lock:
            for hint, lacking in sources.items():
                known = self._by_hint.get(hint) or ConfigurationGap(hint=hint, sources=(), seen=0, last_seen=now)
                self._by_hint[hint] = replace(
                    known, sources=tuple(sorted({*known.sources, *lacking})), seen=known.seen + 1, last_seen=max(known.last_seen, now)
                )
            while len(self._by_hint) > MOST_HINTS:
                del self._by_hint[min(self._by_hint.values(), key=lambda gap: gap.last_seen).hint]

    def to_json(self) -> list[dict[str, Any]]:
        """All of them, the most often met first."""
        with self._lock:
            return [gap.to_json() for gap in sorted(self._by_hint.values(), key=lambda gap: (-gap.seen, gap.hint))]
