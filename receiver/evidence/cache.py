"""Answers that many incidents share, kept for minutes: owners, policies of a namespace, the node, the rules.

"There is none" and "you may not" are answers too and are kept; a failure that may pass is not. What was not asked for the longest goes
first: by number, and by size, because the objects of 500 workloads and their nodes are 40 MiB as Python holds them.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from receiver.errors import Forbidden, NotFound, SourceError, Unavailable
from receiver.transport import Deadline

MAX_ENTRIES = 4096
MAX_SIZE = 3_000_000  # characters of JSON, which are about four times as many bytes as Python holds them


class _Entry:
    __slots__ = ("error", "expires_at", "lock", "size", "value")

    def __init__(self) -> None:
        self.size = 0
        self.lock = threading.Lock()
        self.expires_at = float("-inf")
        self.value: Any = None
        self.error: SourceError | None = None


class Cache:
    """A bounded map from a question to its answer. Two threads with the same question ask once. `max_size`: of all answers, as JSON."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, max_size: int = MAX_SIZE) -> None:
        self._clock = clock
        self._max_size = max_size
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()  # the one that was asked for last at the end
        self._size = 0

    def fresh(self, key: Hashable) -> bool:
        """Whether the answer is at hand."""
        entry = self._entries.get(key)
        return entry is not None and entry.expires_at > self._clock()

    def get(self, key: Hashable, ask: Callable[[], Any], *, ttl_s: float, negative_ttl_s: float, deadline: Deadline) -> Any:
        """The kept answer, or a new one. Raises what `ask` raised; NotFound and Forbidden are kept for `negative_ttl_s`."""
        entry = self._entry(key)
        if not entry.lock.acquire(timeout=deadline.left_s()):
            raise Unavailable("another incident's same question was not answered in time")
        try:
            if entry.expires_at <= self._clock():
                self._ask(entry, ask, ttl_s, negative_ttl_s)
                self._weigh(key, entry)
            if entry.error is not None:
                again = type(entry.error)(str(entry.error))  # a new one: a raised error collects the places it was raised at
                again.said = entry.error.said
                raise again
            return entry.value
        finally:
            entry.lock.release()

    def put(self, key: Hashable, value: Any, *, ttl_s: float) -> None:
        """Keep an answer that was had otherwise. Whoever is asking the same now goes on and keeps theirs."""
        entry = self._entry(key)
        if entry.lock.acquire(blocking=False):
            entry.value, entry.error, entry.expires_at = value, None, self._clock() + ttl_s
            self._weigh(key, entry)
            entry.lock.release()

    def drop(self, is_meant: Callable[[Hashable], bool]) -> None:
        """Forget the answers to these questions."""
        with self._lock:
            for key in [k for k in self._entries if is_meant(k)]:
                self._forget(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def _ask(self, entry: _Entry, ask: Callable[[], Any], ttl_s: float, negative_ttl_s: float) -> None:
        try:
            value = ask()
        except (NotFound, Forbidden) as exc:
            entry.value, entry.error, entry.expires_at = None, exc, self._clock() + negative_ttl_s
            return
        entry.value, entry.error, entry.expires_at = value, None, self._clock() + ttl_s

    def _entry(self, key: Hashable) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                if len(self._entries) >= MAX_ENTRIES:
                    self._drop_oldest()
                entry = self._entries[key] = _Entry()
            self._entries.move_to_end(key)
            return entry

    def _weigh(self, key: Hashable, entry: _Entry) -> None:
        """Take a new answer into account, and make room for it."""
        size = len(json.dumps(entry.value, default=str)) if entry.value is not None else 0
        with self._lock:
            if self._entries.get(key) is not entry:
                return  # forgotten meanwhile: whoever asked has its answer
            self._size += size - entry.size
            entry.size = size
            while self._size > self._max_size and len(self._entries) > 1:
                self._forget(next(iter(self._entries)))

    def _drop_oldest(self) -> None:
        now = self._clock()
        stale = [k for k, e in self._entries.items() if e.expires_at <= now and not e.lock.locked()]
        for key in stale or list(self._entries)[: MAX_ENTRIES // 4]:
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        self._size -= entry.size if entry is not None else 0
