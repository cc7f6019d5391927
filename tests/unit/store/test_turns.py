"""Accepts that come together are made durable together, and nobody waits behind a backlog."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from receiver.errors import StoreError
from receiver.store import away
from receiver.store.store import Store
from receiver.store.turns import FairLock, Together
from tests.support import wait_until


class Work:
    """Doubles numbers; the first go waits until it is let on."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.goes.append(list(numbers))
        self.has_begun.set()
        self.may_end.wait(10)
        if 13 in numbers:
            raise ValueError("unlucky")
        if 99 in numbers:
            raise StoreError("full")
        return [n * 2 for n in numbers]


def _all_at_once(numbers: Sequence[int]) -> tuple[list[list[int]], list[object]]:
    """The goes it took, and what each got, when all but the first come while the first go is under way."""
    work = Work()
    together = Together(work)

    def one(n: int) -> object:
        try:
            return together.do(n)
        except (ValueError, StoreError) as exc:
            return str(exc)

    with ThreadPoolExecutor(len(numbers)) as pool:
        first = pool.submit(one, numbers[0])
        assert work.has_begun.wait(10)
        others = [pool.submit(one, n) for n in numbers[1:]]
        wait_until(lambda: len(together._gathered) == len(others), what="all others wait")
        work.may_end.set()
        return work.goes, [f.result(10) for f in (first, *others)]


def test_what_comes_while_a_commit_is_under_way_shares_the_next() -> None:
    """Ten who wait cost one commit, and each gets its own answer."""
    goes, got = _all_at_once(range(11))

    assert [len(go) for go in goes] == [1, 10]
    assert got == [n * 2 for n in range(11)]


def test_a_store_that_refuses_refuses_each() -> None:
    """Nobody is told that something is stored which is not."""
    _, got = _all_at_once([1, 2, 99, 3])

    assert got == [2, "full", "full", "full"]


def test_what_cannot_be_stored_costs_only_its_own_request() -> None:
    """The others of its group are stored."""
    _, got = _all_at_once([1, 2, 13, 3])

    assert got == [2, 4, "unlucky", 6]


def _count(lock: FairLock, n: int) -> bool:
    return len(lock._waiting) + len(lock._urgent) == n


def _order(*wanted: str) -> list[str]:
    """In which order threads get a lock that they ask for in the order of `wanted`, while it is held; `!`: urgent."""
    lock, order = FairLock(), []

    def other(name: str) -> None:
        with lock.turn(is_urgent=name.startswith("!")):
            order.append(name)

    threads = []
    with lock.turn():
        for n, name in enumerate(wanted, 1):
            threads.append(threading.Thread(target=other, args=(name,)))
            threads[-1].start()
            wait_until(partial(_count, lock, n), what=f"{name} waits")
    with lock.turn():
        order.append("again")
    for thread in threads:
        thread.join(10)
    return order


def test_the_lock_goes_to_who_waited_longest() -> None:
    """A thread that lets go and asks again at once stands behind those who wait."""
    assert _order("a", "b") == ["a", "b", "again"]


def test_who_is_urgent_waits_for_one_other_at_most() -> None:
    """An accept goes before the looks that wait to be written; and they are not kept waiting for ever."""
    assert _order("a", "b", "!c", "!d", "!e") == ["!c", "a", "!d", "b", "!e", "again"]


def test_a_transaction_inside_a_transaction_is_an_error() -> None:
    """And not a thread that waits for itself for ever."""
    lock = FairLock()

    with lock.turn(), pytest.raises(RuntimeError, match="inside"), lock.turn():
        pass
    with lock.turn():
        pass


def test_a_sender_that_is_known_waits_for_no_writer(tmp_path: Path) -> None:
    """Each body says what Alertmanager calls us: behind a backlog of writers, that must not cost an answer."""
    with closing(Store.open_sqlite(tmp_path / "state.db")) as store:
        store.note_receiver("oomtriage")
        with store.write(), ThreadPoolExecutor(1) as pool:
            pool.submit(store.note_receiver, "oomtriage").result(10)
        with store.read() as tx:
            assert away.receivers(tx) == ("oomtriage",)
