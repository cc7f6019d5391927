"""Histories of workloads: written with their incidents, kept when those are gone, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.domain.incident_memory import FollowUp, GivenVerdict, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.domain.workload_history import DAY_S, MOST_LIMITS, PastIncident, SeenLimit, WorkloadName, day_of
from receiver.store import move, workloads
from receiver.store.store import Store
from tests.support import Clock

ORDERS = WorkloadName(cluster="lab", namespace="shop", kind="Deployment", name="orders-api")
MIB = 1024**2


@pytest.fixture
def clock() -> Clock:
    """Turned by hand."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """Of its own."""
    made = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    yield made
    made.close()


def _past(incident_id: str = "inc_1", *, at: float, **changed: object) -> PastIncident:
    held = FollowUp(after_s=DAY_S, at=from_epoch(at), outcome="held", because=reason("fix.said"))
    fixes = (WatchedFix(number=1, since=from_epoch(at - DAY_S), done=(held,)),)
    verdict = GivenVerdict(cause="leak", confidence=0.9, detail="")
    given: dict[str, object] = {
        "workload": ORDERS,
        "container": "app",
        "opened_at": at - 2 * DAY_S,
        "seen_at": at,
        "state": "firing",
        "kills": 3,
        "fixes": fixes,
    }
    return PastIncident(id=incident_id, verdict=verdict, **given | changed)  # type: ignore[arg-type]


def _limit(since: float, limit_bytes: int | None, *, peak: int | None = None, wanted: int | None = None) -> SeenLimit:
    return SeenLimit(container="app", since=since, seen_at=since, limit_bytes=limit_bytes, peak_bytes=peak, wanted_bytes=wanted)


def test_what_is_written_is_read(store: Store, clock: Clock) -> None:
    """An incident with its verdict and fixes, and its kills by day, which add up."""
    now = clock.now()
    with store.write() as tx:
        workloads.save(tx, _past(at=now))
        workloads.add_kills(tx, "inc_1", {day_of(now) - 1: 2})
        workloads.add_kills(tx, "inc_1", {day_of(now) - 1: 1, day_of(now): 4})
        found = workloads.of_workload(tx, ORDERS.id, limit=10)
        kills = {k.day - day_of(now): k.kills for k in workloads.kills_of(tx, ORDERS.id, since_at=now - 30 * DAY_S)}

    assert found == [_past(at=now)]
    assert kills == {-1: 3, 0: 4}


def test_sums_and_fits(store: Store, clock: Clock) -> None:
    """Kills of the span alone; and whether something was killed since the day of the newest limit."""
    now = clock.now()
    other = replace(ORDERS, name="other")
    with store.write() as tx:
        workloads.save(tx, _past("inc_1", at=now))
        workloads.save(tx, _past("inc_2", at=now, state="resolved"))
        workloads.save(tx, _past("inc_3", at=now, workload=other))
        workloads.add_kills(tx, "inc_1", {day_of(now) - 40: 9, day_of(now) - 1: 2})
        workloads.add_kills(tx, "inc_2", {day_of(now): 1})
        workloads.note_limit(tx, ORDERS.id, _limit(now - 2 * DAY_S, MIB))
        workloads.note_limit(tx, other.id, _limit(now, MIB))
        sums = {one.name.name: one for one in workloads.sums(tx, seen_since=now - DAY_S, first_day=day_of(now) - 29)}
        fits = {place[0]: killed for place, (_, killed) in workloads.newest_fits(tx).items()}
        workloads.add_kills(tx, "inc_3", {day_of(now) - 1: 5})
        before = workloads.newest_fits(tx)[other.id, "app"][1]
        workloads.add_kills(tx, "inc_3", {day_of(now): 1})
        after = workloads.newest_fits(tx)[other.id, "app"][1]

    assert (sums["orders-api"].kills, sums["orders-api"].incidents, sums["orders-api"].firing) == (3, 2, 1)
    assert (sums["other"].kills, sums["other"].name) == (0, other)
    assert fits == {ORDERS.id: True, other.id: False}
    assert (before, after) == (False, True)


def test_a_limit_goes_on_until_it_is_another_one(store: Store, clock: Clock) -> None:
    """With the highest use that any look saw, and what the newest look proposes; more than an INTEGER of PostgreSQL holds."""
    now = clock.now()
    with store.write() as tx:
        for look in (
            _limit(now, 80 * MIB, peak=70 * MIB, wanted=160 * MIB), _limit(now + 60, 80 * MIB, peak=60 * MIB), _limit(now + 120, 5 * 1024**3),
            _limit(now + 180, None), _limit(now + 240, 80 * MIB),
        ):  # fmt: skip
            workloads.note_limit(tx, ORDERS.id, look)
        found = workloads.limits_of(tx, ORDERS.id)
        newest = workloads.newest_limits(tx)

    assert [(one.since - now, one.seen_at - now, one.limit_bytes) for one in found] == [
        (0, 60, 80 * MIB), (120, 120, 5 * 1024**3), (180, 180, None), (240, 240, 80 * MIB)
    ]  # fmt: skip
    assert (found[0].peak_bytes, found[0].wanted_bytes) == (70 * MIB, None)
    assert newest == {(ORDERS.id, "app"): found[-1]}


def test_a_container_keeps_its_newest_limits(store: Store, clock: Clock) -> None:
    """An autoscaler that changes one all day costs no more."""
    with store.write() as tx:
        for i in range(MOST_LIMITS + 5):
            workloads.note_limit(tx, ORDERS.id, _limit(clock.now() + i, (i + 1) * MIB))
        found = workloads.limits_of(tx, ORDERS.id)

    assert [one.limit_bytes for one in found] == [(i + 1) * MIB for i in range(5, MOST_LIMITS + 5)]


def test_what_is_old_goes_with_its_kills(store: Store, clock: Clock) -> None:
    """After three months, with the tidying of the store."""
    begin = clock.now()
    with store.write() as tx:
        workloads.save(tx, _past("inc_old", at=begin))
        workloads.add_kills(tx, "inc_old", {day_of(begin): 1})
        workloads.note_limit(tx, ORDERS.id, _limit(begin, MIB))
    clock.advance(workloads.KEPT_S - DAY_S)
    with store.write() as tx:
        workloads.save(tx, _past("inc_new", at=clock.now()))
    store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    with store.read() as tx:
        before = {one.id for one in workloads.since(tx, 0.0)}
    clock.advance(2 * DAY_S)
    store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    with store.read() as tx:
        after = [one.id for one in workloads.since(tx, 0.0)]
        left = [tx.run(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] for table in ("history_kills", "history_limit")]

    assert before == {"inc_old", "inc_new"}
    assert after == ["inc_new"]
    assert left == [0, 0]


def test_of_too_many_the_oldest_go(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many workloads die."""
    monkeypatch.setattr(workloads, "MOST_INCIDENTS", 3)
    with store.write() as tx:
        for i in range(5):
            workloads.save(tx, _past(f"inc_{i}", at=clock.now() + i))
            workloads.note_limit(tx, f"w{i}", _limit(clock.now() + i, MIB))
        workloads.tidy(tx, now=clock.now() + 5, limit=500)
        left = [one.id for one in workloads.since(tx, 0.0)]
        limits = tx.run("SELECT COUNT(*) AS n FROM history_limit")[0]["n"]

    assert left == ["inc_4", "inc_3", "inc_2"]
    assert limits == 3


def test_fixes_of_a_release_that_is_not_ours_cost_only_themselves(store: Store, clock: Clock) -> None:
    """The rest of the row is shown."""
    with store.write() as tx:
        workloads.save(tx, _past(at=clock.now()))
        tx.run("UPDATE history_incident SET fixes = :torn", torn='[{"number": "one"}')
        (found,) = workloads.of_workload(tx, ORDERS.id, limit=10)

    assert (found.fixes, found.kills) == ((), 3)


def test_every_table_is_moved(store: Store) -> None:
    """A table that migrate-store forgets is lost without a word."""
    with store.read() as tx:
        tables = {row["name"] for row in tx.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")}

    assert tables - set(move.TABLES) == {"meta", "leader"}  # which move() takes over in its own way
