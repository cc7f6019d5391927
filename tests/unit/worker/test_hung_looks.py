"""A look that hangs or spins costs its thread at most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.errors import ComputedTooLong
from receiver.pipeline.judge import Judge
from receiver.process.cpu_guard import CpuGuard
from receiver.store import jobs
from receiver.store.jobs import Job
from receiver.store.store import Store
from receiver.worker.dispatcher import Dispatcher, DispatcherConfig, Handler
from tests.support import Clock, wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open_sqlite(tmp_path / "state.db")
    yield store
    store.close()


def dispatcher_of(store: Store, clock: Clock, run: Callable[[Job], None], **handler: float) -> Dispatcher:
    return Dispatcher(
        store=store, handlers={"look": Handler(run=run, **handler)}, config=DispatcherConfig(workers=1), monotonic=clock.monotonic  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_thread_that_does_not_come_back_loses_its_place(store: Store) -> None:
    """With one thread at a time, the next work is done all the same; what comes back late does not undo what was done since."""
    clock, released, done = Clock(), threading.Event(), list[str]()

    def run(job: Job) -> None:
        if job.subject_id == "inc_1" and job.attempts == 1:
            released.wait(60)
        with store.write() as tx:
            if jobs.finish(tx, job):
                done.append(f"{job.subject_id} {job.attempts}")

    dispatcher = dispatcher_of(store, clock, run, limit_s=60.0)
    for subject in ("inc_1", "inc_2"):
        with store.write() as tx:
            jobs.schedule(tx, "look", subject, now=0.0)
    dispatcher.step()
    dispatcher.step()
    assert done == []
    clock.advance(61)
    dispatcher.step()
    wait_until(lambda: done == ["inc_2 1"], what="the other look is done")
    assert dispatcher.lost == 1
    with store.write() as tx:
        tx.run("UPDATE job SET due_at = 0")
    wait_until(lambda: dispatcher.running == 0, what="its thread is free")
    dispatcher.step()
    wait_until(lambda: "inc_1 2" in done, what="the first look was tried again")
    released.set()
    wait_until(lambda: dispatcher.lost == 0, what="the lost thread ended")
    dispatcher.close()

    assert done == ["inc_2 1", "inc_1 2"]


def test_threads_that_hang_one_after_the_other_are_seen(store: Store) -> None:
    """Each costs memory, and only a new start takes it back."""
    clock, released = Clock(), threading.Event()
    dispatcher = dispatcher_of(store, clock, lambda job: [released.wait(60)].clear(), limit_s=60.0)
    with store.write() as tx:
        jobs.schedule(tx, "look", "inc_1", now=0.0)
    dispatcher.step()
    assert not dispatcher.is_stuck()
    clock.advance(61)
    dispatcher.step()
    assert dispatcher.is_stuck()
    released.set()
    wait_until(lambda: not dispatcher.is_stuck(), what="it came back")
    dispatcher.close()


def test_a_look_that_computes_on_and_on_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, begun = CpuGuard(0.05), threading.Event()

    def spin(facts: object) -> None:
        begun.set()
        while True:
            sum(range(1000))

    monkeypatch.setattr("receiver.pipeline.judge.diagnose", spin)
    monkeypatch.setattr("receiver.pipeline.judge.facts_of", lambda case: case)
    ended: list[BaseException] = []

    def look() -> None:
        try:
            Judge(guard).report_of(object())  # type: ignore[arg-type]
        except ComputedTooLong as exc:
            ended.append(exc)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    begun.wait(10)
    wait_until(lambda: guard.check() > 0 or not thread.is_alive(), what="it has used up its budget")
    thread.join(10)

    assert len(ended) == 1
    assert guard.check() == 0


def test_waiting_is_not_computing() -> None:
    """A slow source is bounded by its deadline; only CPU is counted here."""
    guard = CpuGuard(0.05, cpu_s_of=lambda thread: 0.0)
    with guard.within("evidence"):
        assert guard.check() == 0
