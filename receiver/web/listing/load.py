"""Reads the list from the store: the rows of a page, how many there are of each state, what can be filtered by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from receiver.domain.units import from_epoch
from receiver.pipeline.view import view_of
from receiver.render.page.listing import ListKnown
from receiver.store import incidents, listing
from receiver.store.database import Tx
from receiver.store.listing import Listed
from receiver.store.store import Store
from receiver.web.listing.asked import Asked

PAGE_SIZE = 50
EXPORT_ROWS = 200  # read at a time: whoever accepts alerts waits no longer than that takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of the list. `counts`: by state, whichever was asked for; `total`: of what was asked for."""

    rows: tuple[ListKnown, ...]
    counts: Mapping[str, int]
    namespaces: tuple[str, ...]
    total: int
    page: int
    pages: int
    now: float

    @property
    def tag(self) -> str:
        """Changes when anything on the page does, and each hour."""
        rows = [(r.view.id, r.stage, r.memory, r.kills, r.view.severity, r.view.state, r.last_seen, r.closed_at) for r in self.rows]
        said = repr((rows, sorted(self.counts.items()), self.namespaces, self.total, self.page, int(self.now // 3600)))
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:24]


class IncidentList:
    """The list as it is now. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> float:
        """The store's clock, in seconds since 1970."""
        return self._store.now()

    def page(self, asked: Asked) -> Found:
        """The page that is asked for; the last one when there are not so many."""
        now = self.now()
        with self._store.read() as tx:
            counts = listing.counts(tx, asked.wanted, now=now)
            total = listing.how_many(counts, asked.wanted.stage)
            pages = max(-(-total // PAGE_SIZE), 1)
            page = min(asked.page, pages)
            found = listing.page(tx, asked.wanted, now=now, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
            return Found(
                rows=tuple(_known(tx, found, now)), counts=counts, namespaces=tuple(listing.namespaces(tx)), total=total, page=page, pages=pages,
                now=now,
            )  # fmt: skip

    def all(self, asked: Asked) -> Iterator[ListKnown]:
        """Every row of what is asked for, a part at a time. Whatever moves meanwhile comes once."""
        now, seen, offset = self.now(), set[str](), 0
        while True:
            with self._store.read() as tx:
                found = listing.page(tx, asked.wanted, now=now, limit=EXPORT_ROWS, offset=offset)
                rows = list(_known(tx, [one for one in found if one.id not in seen], now))
            yield from rows
            seen.update(one.id for one in found)
            offset += len(found)
            if len(found) < EXPORT_ROWS:
                return


def _known(tx: Tx, found: list[Listed], now: float) -> Iterator[ListKnown]:
    for one in found:
        incident = incidents.load_brief(tx, one.id)
        if incident is None:
            continue
        yield ListKnown(
            view=view_of(incident, (), now=from_epoch(now)), memory=incident.memory, stage=one.stage, kills=one.kills, now=from_epoch(now),
            last_seen=from_epoch(round(incident.last_seen)), closed_at=from_epoch(round(incident.closed_at)) if incident.closed_at is not None else None,
        )  # fmt: skip
