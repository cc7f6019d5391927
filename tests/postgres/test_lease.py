"""One of several receivers dispatches at a time, and what an earlier one left half done is never written."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from receiver.errors import StoreAway, StoreError, StoreFenced
from receiver.store import jobs
from receiver.store.database import Lane
from receiver.store.lease import SAFE_SHARE, Lease
from receiver.store.postgres import PostgresDatabase
from receiver.store.schema import get_meta, set_meta
from receiver.store.store import Store

TTL_S = 30.0


class Replica:
    """A receiver's store, its lease, and a clock of its own that tests turn."""

    def __init__(self, url: str, *, ttl_s: float = TTL_S) -> None:
        self.at = 1000.0
        self.database = PostgresDatabase(lambda: url)
        self.lease = Lease(self.database, ttl_s=ttl_s, monotonic=lambda: self.at)
        self.store = Store.open_shared(self.database, self.lease, clock=self.database.now)

    def note(self, value: str) -> None:
        with self.store.write() as tx:
            set_meta(tx, "note", value)

    def noted(self) -> str | None:
        with self.store.read() as tx:
            return get_meta(tx, "note")

    def expire(self) -> None:
        """Time passes at the database: the lease has run out a while ago."""
        with self.database.transaction(lane=Lane.READ) as tx:
            tx.run("UPDATE leader SET expires_at = 1 WHERE id = 1")


@pytest.fixture
def a(database_url: str) -> Iterator[Replica]:
    replica = Replica(database_url)
    yield replica
    replica.store.close()


@pytest.fixture
def b(database_url: str) -> Iterator[Replica]:
    replica = Replica(database_url)
    yield replica
    replica.store.close()


def test_the_first_that_asks_leads_and_the_other_waits(a: Replica, b: Replica) -> None:
    waits_s = a.lease.step(), b.lease.step()

    assert (a.store.may_act(), b.store.may_act()) == (True, False)
    assert waits_s == (TTL_S / 4, 1.0)
    with pytest.raises(StoreFenced):
        b.note("from the standby")


def test_many_that_ask_at_once_are_one_leader(database_url: str) -> None:
    """However they race for the row."""
    replicas = [Replica(database_url) for _ in range(6)]
    threads = [threading.Thread(target=replica.lease.step) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leaders = [replica for replica in replicas if replica.lease.is_held]
    for replica in replicas:
        replica.store.close()

    assert [replica.lease.epoch for replica in leaders] == [1]


def test_who_resigns_is_followed_at_the_next_look(a: Replica, b: Replica) -> None:
    a.lease.step()
    a.lease.resign()
    b.lease.step()

    assert b.store.may_act()
    with pytest.raises(StoreFenced):
        a.note("late")


def test_it_acts_only_while_nobody_else_can(a: Replica, b: Replica) -> None:
    """By its own clock, without asking: whoever froze finds that it may not, before the next one may."""
    a.lease.step()
    a.at += SAFE_SHARE * TTL_S - 0.1
    before = a.store.may_act()
    a.at += 0.2

    assert (before, a.store.may_act()) == (True, False)
    with pytest.raises(StoreAway):
        a.note("late")
    b.lease.step()
    assert not b.store.may_act()


def test_a_renewal_that_comes_late_is_as_good_while_nobody_took_over(a: Replica) -> None:
    """A database that was away for a minute has no other leader."""
    a.lease.step()
    epoch = a.lease.epoch
    a.at += 10 * TTL_S
    a.expire()
    a.lease.step()
    a.note("goes on")

    assert (a.lease.epoch, a.noted(), a.store.is_fenced) == (epoch, "goes on", False)


def test_who_wakes_too_late_learns_it_by_its_next_word(a: Replica, b: Replica) -> None:
    """It does not stand again: it is built anew."""
    a.lease.step()
    a.expire()
    b.lease.step()
    with pytest.raises(StoreFenced):
        a.note("late")
    b.note("in time")
    a.lease.step()

    assert (a.noted(), a.store.is_fenced, a.lease.epoch, b.lease.epoch) == ("in time", True, 1, 2)


def test_a_half_done_write_holds_off_the_next_leader(a: Replica, b: Replica) -> None:
    """So that what it claims is there when the other one sweeps."""
    a.lease.step()
    a.expire()
    with a.store.write() as tx:
        jobs.schedule(tx, "collect", "inc_1", now=1.0)
        jobs.claim(tx, now=2.0, epoch=a.store.epoch, limit=1)
        b.lease.step()
        while_it_writes = b.lease.is_held
    b.lease.step()
    with b.store.write() as tx:
        claimed = jobs.claim(tx, now=3.0, epoch=b.store.epoch, limit=1)

    assert (while_it_writes, b.lease.is_held) == (False, True)
    assert [job.attempts for job in claimed] == [2]


def test_what_people_do_is_written_down_anywhere(a: Replica, b: Replica) -> None:
    """And never between what the dispatcher reads and what it writes."""
    a.lease.step()
    order: list[str] = []
    is_reading = threading.Event()

    def press() -> None:
        is_reading.wait(10)
        with b.store.record() as tx:
            order.append("pressed")
            set_meta(tx, "note", f"{get_meta(tx, 'note')} pressed")

    thread = threading.Thread(target=press)
    thread.start()
    with a.store.write() as tx:
        is_reading.set()
        tx.run("SELECT pg_sleep(0.2)")
        order.append("looked")
        set_meta(tx, "note", "looked")
    thread.join()

    assert (order, a.noted()) == (["looked", "pressed"], "looked pressed")


def test_an_edit_waits_where_one_of_the_other_may_still_be_on_its_way(a: Replica, b: Replica) -> None:
    """Of a leader that vanished; one that resigned has nothing on its way."""
    a.lease.step()
    with a.store.write() as tx:
        tx.run("INSERT INTO conversation (id, kind, sink, channel, opened_at) VALUES ('c', 'notice', 's', 'C1', 0)")
        for slot, ts in (("edited", "'1.0'"), ("posted", "NULL")):
            tx.run(
                f"""INSERT INTO message (id, conversation_id, slot, position, is_reply, desired_body, desired_rev, sent_rev, state, ts, created_at)
                    VALUES ('{slot}', 'c', '{slot}', 0, 0, '{{}}', 2, 1, 'sent', {ts}, 0)"""
            )
    now = a.store.now()
    with a.store.write() as tx:
        tx.run("UPDATE leader SET expires_at = :at", at=now - 1)
    b.lease.step()
    with b.store.read() as tx:
        due = {row["id"]: row["due_at"] - now for row in tx.run("SELECT id, due_at FROM message")}

    assert b.lease.is_held
    assert 0 < due["edited"] < 10
    assert due["posted"] < 0


def test_a_database_that_is_away_is_no_news_to_whoever_waits(a: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks again soon, and says so once."""

    def away(*_: object, **__: object) -> None:
        raise StoreAway("away")

    with monkeypatch.context() as patch:
        patch.setattr(a.database, "transaction", away)
        waits_s = [a.lease.step(), a.lease.step()]
    a.lease.step()

    assert waits_s == [0.5, 0.5]
    assert a.lease.is_held
    monkeypatch.setattr(a.database, "transaction", away)
    with pytest.raises(StoreError):
        a.lease.resign()
