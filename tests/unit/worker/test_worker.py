"""The loops outlive trouble: a store that refuses for a while, work that could not be written down, a clock set back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.errors import StoreError, StoreUnwritable
from receiver.store import jobs
from receiver.store.store import Store
from receiver.telemetry import JsonFormatter
from receiver.worker.dispatcher import Dispatcher, DispatcherConfig, Handler
from receiver.worker.worker import Worker
from tests.support import Clock, wait_until


class NoSender:
    """A sender with nothing to do."""

    def begin(self) -> None:
        """There is no clock to follow."""

    def step(self) -> float:
        return 0.01

    def when_done(self, call: object) -> None:
        """Never."""

    def is_stuck(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is under way."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open_sqlite(tmp_path / "state.db")
    yield store
    store.close()


def test_the_loops_outlive_a_store_that_refuses(store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk for a while: the same threads go on once there is room, and the log says both."""
    done: list[str] = []
    clock = Clock()
    dispatcher = Dispatcher(
        store=store,
        handlers={"enrich": Handler(run=lambda job: done.append(job.subject_id))},
        config=DispatcherConfig(),
        monotonic=clock.monotonic,
    )
    worker = Worker(dispatcher, NoSender())  # type: ignore[arg-type]
    steps = []
    original = dispatcher.step

    def step() -> float:
        steps.append(1)
        if len(steps) < 3:
            raise StoreError("database or disk is full")
        return min(original(), 0.01)

    monkeypatch.setattr(dispatcher, "step", step)
    monkeypatch.setattr("receiver.worker.worker.STORE_TROUBLE_S", 0.01)
    with store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
    with caplog.at_level(logging.INFO):
        worker.start()
        wait_until(lambda: done == ["inc_1"], what="the work is done")
        worker.stop()

    assert "the store is in trouble; trying again" in caplog.messages
    assert "the store works again" in caplog.messages
    assert all(JsonFormatter().format(record) for record in caplog.records)


def test_a_store_that_refuses_for_long_is_no_reason_to_be_killed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk for an hour: /healthz stays well, because a restart would make no room."""
    clock = Clock()
    dispatcher = Dispatcher(store=store, handlers={}, config=DispatcherConfig(), monotonic=clock.monotonic)

    def refuse() -> None:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(store, "write", refuse)
    for _ in range(120):
        clock.advance(30)
        with pytest.raises(StoreError):
            dispatcher.step()
        assert not dispatcher.is_stuck()
    clock.advance(61)
    dispatcher.close()

    assert dispatcher.is_stuck()


def test_work_that_could_not_be_written_down_is_done_again(store: Store) -> None:
    """The job fails because the store refuses, and so does writing that down: it is not left running until the next start."""
    clock = Clock()
    attempts: list[int] = []
    real_write = store.write

    def run(job: jobs.Job) -> None:
        attempts.append(job.attempts)
        if len(attempts) == 1:
            store.write = refuse  # type: ignore[method-assign,assignment]
            raise StoreError("disk is full")
        with store.write() as tx:
            jobs.finish(tx, job)

    def refuse() -> None:
        raise StoreError("disk is full")

    dispatcher = Dispatcher(store=store, handlers={"enrich": Handler(run=run)}, config=DispatcherConfig(), monotonic=clock.monotonic)
    with store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
    dispatcher.step()
    wait_until(lambda: dispatcher.running == 0, what="the first attempt ended")
    store.write = real_write  # type: ignore[method-assign]
    dispatcher.step()
    with store.write() as tx:
        tx.run("UPDATE job SET due_at = 0")
    dispatcher.step()
    wait_until(lambda: len(attempts) == 2 and dispatcher.running == 0, what="the second attempt ended")
    dispatcher.close()

    assert attempts == [1, 2]


def test_a_clock_set_back_parks_nothing(tmp_path: Path) -> None:
    """An hour back: what was due in ten seconds is due in ten seconds."""
    clock = Clock()
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    dispatcher = Dispatcher(store=store, handlers={}, config=DispatcherConfig(), monotonic=clock.monotonic)
    with store.write() as tx:
        jobs.schedule(tx, "other", "inc_1", now=clock.now(), due_at=clock.now() + 10)
    dispatcher.step()
    clock.wall -= 3600
    clock.ticks += 1
    dispatcher.step()
    with store.read() as tx:
        due = jobs.next_due(tx)
    dispatcher.close()
    store.close()

    assert due is not None
    assert due - clock.now() == pytest.approx(9, abs=1)


def test_a_clock_that_leaps_forward_costs_no_history(tmp_path: Path) -> None:
    """A year ahead for some minutes: what was closed yesterday is still there when the clock is right again."""
    clock = Clock()
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    dispatcher = Dispatcher(store=store, handlers={}, config=DispatcherConfig(), monotonic=clock.monotonic)
    with store.write() as tx:
        tx.run(
            """INSERT INTO incident (id, key, state, severity, subject, opened_at, closed_at, first_seen, last_seen)
               VALUES ('inc_1', 'k', 'resolved', 'warning', '{}', :at, :at, :at, :at)""",
            at=clock.now() - 86_400,
        )
    dispatcher.step()
    clock.wall += 365 * 86_400
    kept = []
    for minutes in (10, 20, 40, 60):
        clock.advance(minutes * 60)
        dispatcher.step()
        with store.read() as tx:
            kept.append(len(tx.run("SELECT 1 FROM incident")))
    dispatcher.close()
    store.close()

    assert kept == [1, 1, 0, 0]  # forgotten after an hour, when it is still so


def test_a_full_disk_uses_up_no_attempts(tmp_path: Path) -> None:
    """Work that could not be written down for a day is no poison: it is done when there is room."""
    clock = Clock()
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    tried: list[int] = []

    def run(job: jobs.Job) -> None:
        tried.append(job.attempts)
        if len(tried) <= 2 * jobs.MAX_ATTEMPTS:
            raise StoreUnwritable("database or disk is full")
        with store.write() as tx:
            jobs.finish(tx, job)

    dispatcher = Dispatcher(store=store, handlers={"enrich": Handler(run=run)}, config=DispatcherConfig(), monotonic=clock.monotonic)
    with store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
    drained(dispatcher, store, clock, 100)
    with store.read() as tx:
        left = tx.run("SELECT state FROM job")
    dispatcher.close()
    store.close()

    assert set(tried) == {1}
    assert left == []


def test_quick_work_does_not_wait_behind_looks(store: Store) -> None:
    """A storm's digest is written while every thread is busy looking."""
    clock = Clock()
    done: list[str] = []
    release: list[int] = []
    dispatcher = Dispatcher(
        store=store, monotonic=clock.monotonic, config=DispatcherConfig(workers=1),
        handlers={
            "enrich": Handler(run=lambda job: wait_until(lambda: bool(release), what="released")),
            "digest": Handler(run=lambda job: done.append(job.kind), is_quick=True),
        },
    )  # fmt: skip
    with store.write() as tx:
        for n in range(5):
            jobs.schedule(tx, "enrich", f"inc_{n}", now=0.0)
    dispatcher.step()
    with store.write() as tx:
        jobs.schedule(tx, "digest", "storm", now=0.0)
    dispatcher.step()
    release.append(1)
    dispatcher.close()

    assert done == ["digest"]


def drained(dispatcher: Dispatcher, store: Store, clock: Clock, seconds: float) -> None:
    """Let the dispatcher work for that long, whatever waits for a later time."""
    end = clock.ticks + seconds
    while clock.ticks < end:
        dispatcher.step()
        wait_until(lambda: dispatcher.running == 0, what="what was handed out ended")
        clock.advance(5)


@pytest.mark.parametrize("is_quick", [False, True])
def test_work_that_always_fails_is_tried_five_times_and_stops_no_other(tmp_path: Path, is_quick: bool) -> None:
    """A poison job: its alert is given up on in words each time, the others are done, and it ends as a dead letter."""
    clock = Clock()
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    tried: list[int] = []
    given_up: list[str] = []
    done: list[str] = []

    def run(job: jobs.Job) -> None:
        if job.subject_id == "poison":
            tried.append(job.attempts)
            raise KeyError("kills")
        done.append(job.subject_id)
        with store.write() as tx:
            jobs.finish(tx, job)

    def give_up(job: jobs.Job, error: str) -> None:
        given_up.append(error)
        raise TypeError("this fails too")

    handlers = {"enrich": Handler(run=run, give_up=give_up, is_quick=is_quick)}
    dispatcher = Dispatcher(store=store, handlers=handlers, config=DispatcherConfig(), monotonic=clock.monotonic)
    with store.write() as tx:
        jobs.schedule(tx, "enrich", "poison", now=0.0)
        jobs.schedule(tx, "enrich", "other", now=0.0)
    drained(dispatcher, store, clock, 3600)
    with store.read() as tx:
        dead = [row["subject_id"] for row in jobs.dead(tx)]
    dispatcher.close()
    store.close()

    assert done == ["other"]
    assert tried == [1, 2, 3, 4, 5]
    assert given_up == ["KeyError"] * 5
    assert dead == ["poison"]


def test_work_of_a_kind_that_nobody_knows_waits_for_a_release_that_does(tmp_path: Path) -> None:
    """An older release may lead for a while during an upgrade: it puts such work back, without using up its attempts."""
    clock = Clock()
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    done: list[int] = []
    old = Dispatcher(store=store, handlers={}, config=DispatcherConfig(), monotonic=clock.monotonic)
    with store.write() as tx:
        jobs.schedule(tx, "of tomorrow", "inc_1", now=0.0)
    drained(old, store, clock, 3600)
    old.close()
    with store.read() as tx:
        dead = jobs.dead(tx)
    handlers = {"of tomorrow": Handler(run=lambda job: done.append(job.attempts))}
    new = Dispatcher(store=store, handlers=handlers, config=DispatcherConfig(), monotonic=clock.monotonic)
    drained(new, store, clock, 310)
    new.close()
    store.close()

    assert dead == []
    assert done == [1]


def test_what_goes_along_with_every_step_cannot_stop_the_work(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Telling the incidents that wait fails for one of them: alerts are folded and jobs done all the same."""
    clock = Clock()
    done: list[str] = []

    def fail() -> None:
        raise AttributeError("'int' object has no attribute 'values'")

    dispatcher = Dispatcher(
        store=store, handlers={"enrich": Handler(run=lambda job: done.append(job.subject_id))}, config=DispatcherConfig(),
        monotonic=clock.monotonic, before_looks=fail, after_fold=fail,
    )  # fmt: skip
    with store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
    dispatcher.step()
    dispatcher.close()

    assert done == ["inc_1"]
    assert len(caplog.records) == 2
