"""Since when nothing has arrived in a channel although something is due there: what health and a metric tell of a sender."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

TELL_AFTER_S = 60.0  # a channel at its pace, a pause that Slack asked for: nothing to tell yet

Place = tuple[str, str]  # sink, channel


class DeliveryWatch:
    """Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._since: dict[Place, float] = {}
        self._why: dict[Place, str] = {}

    def unsent(self, places: Iterable[Place]) -> None:
        """Something is to be sent in these places now, and in no others."""
        kept = set(places)
        with self._lock:
            for place in self._since.keys() - kept:
                self._forget(place)

    def due(self, place: Place) -> None:
        """Something should have been sent there by now."""
        with self._lock:
            self._since.setdefault(place, self._monotonic())

    def arrived(self, place: Place) -> None:
        """Something arrived there."""
        with self._lock:
            self._forget(place)

    def refused(self, place: Place, why: str) -> None:
        """Something was tried there, and did not arrive."""
        with self._lock:
            self._why[place] = why

    def stalled_s(self, sink: str) -> float:
        """For how long in that of its channels which has waited longest."""
        with self._lock:
            return max((self._monotonic() - since for (name, _), since in self._since.items() if name == sink), default=0.0)

    def said(self, sink: str) -> str:
        """The same in a sentence; empty when it is not worth telling."""
        with self._lock:
            waiting = sorted((since, place) for place, since in self._since.items() if place[0] == sink)
            late = [(since, place) for since, place in waiting if self._monotonic() - since > TELL_AFTER_S]
            if not late:
                return ""
            since, place = late[0]
            where = f" in {place[1]}" if place[1] else ""
            others = f" (and {len(late) - 1} more channels)" if len(late) > 1 else ""
            why = self._why.get(place, "it is still being sent")
            return f"nothing has arrived{where} for {self._monotonic() - since:.0f} s{others}: {why}"

    def _forget(self, place: Place) -> None:
        self._since.pop(place, None)
        self._why.pop(place, None)
