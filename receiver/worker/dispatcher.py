"""Turns stored alerts into incidents and jobs into work: one loop, a bounded pool of threads for the work.

The loop only folds, claims and hands out; nothing slow runs in it, so a hanging API never holds up the next alert.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from receiver.errors import StoreAway, StoreBroken, StoreBusy, StoreError, StoreFenced, StoreUnwritable
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts, jobs, outbox
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.quarantine import UNREADABLE
from receiver.store.store import Store
from receiver.worker.tasks import Tasks

log = logging.getLogger(__name__)

IDLE_S = 5.0
STUCK_S = 60.0
TIDY_EVERY_S = 300.0
BEAT_EVERY_S = 30.0
UNKNOWN_KIND_DELAY_S = 300.0
STORE_RETRY_S = 5.0
CLOCK_STEP_S = 2.0
CLOCK_LEAP_S = 3600.0  # forward: wrong for a while, or a machine that slept
FORGET_NOTHING_FOR_S = 3600.0  # after a leap: time for the clock to be set right before it costs a history
_OF_THE_STORE = (StoreUnwritable, StoreBroken, StoreAway, StoreBusy, StoreFenced)  # no fault of the work's
FOLDS_A_STEP = 10
BUSY_S = 1.0  # something is being worked on: see now and then whether somebody waits too long
END_WAIT_S = 12.0  # at the end, for what is being worked on: a look has its deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """How a kind of job is done, and what is done when it failed (each attempt), so that the alert is never held back."""

    run: Callable[[Job], None]
    give_up: Callable[[Job, str], None] | None = None
    is_quick: bool = False  # no I/O but the store's: done at once, never behind the looks of a storm
    limit_s: float = 300.0  # a thread that has not come back after this is written off


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherConfig:
    """`workers`: jobs at a time."""

    workers: int = 8
    fold: FoldConfig = field(default_factory=FoldConfig)
    reopen_window_s: float = 86_400.0
    retention_s: float = 14 * 86_400.0
    store_max_bytes: int = 0


class Dispatcher:
    """Folds alerts, claims jobs and runs each on a thread. `step` is called by one thread."""

    def __init__(
        self, *, store: Store, handlers: Mapping[str, Handler], config: DispatcherConfig, monotonic: Callable[[], float],
        beat: Callable[[], None] = lambda: None, every_so_often: Callable[[], None] = lambda: None,
        before_looks: Callable[[], None] = lambda: None, after_fold: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`before_looks` and `after_fold` are called in every step, `beat` at the start and every half minute, `every_so_often` when the
        store is tidied; what fails in the first three for one row's sake costs nothing else.
        """
        self._store = store
        self._handlers = handlers
        self._config = config
        self._monotonic = monotonic
        self._on_progress: Callable[[], None] = lambda: None
        self._beat = beat
        self._every_so_often = every_so_often
        self._before_looks = before_looks
        self._after_fold = after_fold
        self._quick_kinds = tuple(kind for kind, handler in handlers.items() if handler.is_quick)
        self._tasks: Tasks[int] = Tasks("job", monotonic=monotonic)
        self._at_work: dict[int, Job] = {}  # handed out by `step`, and looked at by it alone
        self._stranded: list[tuple[Job, str, bool]] = []  # could not be written down: why, and whether it was an attempt
        self._clock_offset = store.now() - monotonic()
        self._lock = threading.Lock()
        self._last_step = monotonic()
        self._tidied_at: float | None = None
        self._beat_at: float | None = None

    def begin(self) -> None:
        """The first step comes now: what a clock did before is no affair of ours."""
        self._last_step = self._monotonic()
        self._clock_offset = self._store.now() - self._monotonic()

    def when_done(self, call: Callable[[], None]) -> None:
        """Call this after each job: there may be messages to send, and a thread is free."""
        self._on_progress = call

    def step(self) -> float:
        """Fold what came in, hand out what is due; returns the seconds until something will be due."""
        try:
            return self._step()
        finally:  # a store that refuses is no reason to kill the process: that makes no room
            self._last_step = self._monotonic()

    def _step(self) -> float:
        self._follow_the_clock()
        self._put_back_stranded()
        self._write_off_overdue()
        if self._beat_at is None or self._monotonic() - self._beat_at >= BEAT_EVERY_S:
            self._beat_at = self._monotonic()
            self._aside(self._beat)
        self._fold()
        self._aside(self._after_fold)
        self._do_quick_jobs()
        self._aside(self._before_looks)
        now = self._store.now()
        free = self._config.workers - len(self._tasks)
        with self._store.write() as tx:
            claimed = jobs.claim(tx, now=now, epoch=self._store.epoch, limit=max(free, 0), without=self._quick_kinds)
            next_due, is_behind = jobs.next_due(tx), alerts.has_unfolded(tx)
        for job in claimed:
            self._hand_out(job)
        self._tidy()
        if is_behind:
            return 0.0
        if len(claimed) >= free:
            return BUSY_S
        wait_s = IDLE_S if next_due is None else min(max(next_due - now, 0.01), IDLE_S)
        return min(wait_s, BUSY_S) if len(self._tasks) else wait_s

    def _fold(self) -> None:
        """Fold what came in, a few batches at most: in a storm there is always more."""
        for _ in range(FOLDS_A_STEP):
            fold(self._store, self._config.fold)
            with self._store.read() as tx:
                if not alerts.has_unfolded(tx):
                    return

    def is_stuck(self) -> bool:
        """Whether the loop has made no progress for a minute, or as many threads hang as may work at a time."""
        hanging = self._tasks.lost + self._tasks.running_longer_than(STUCK_S)
        return self._monotonic() - self._last_step > STUCK_S or hanging >= self._config.workers

    @property
    def running(self) -> int:
        """How many jobs are being worked on."""
        return len(self._tasks)

    @property
    def lost(self) -> int:
        """How many threads were written off and have not ended."""
        return self._tasks.lost

    def close(self) -> None:
        """Hand out no more work and wait a while for what runs; what could not finish is done again by the next receiver."""
        if not self._tasks.join(END_WAIT_S):
            log.warning("ends while something is still being worked on; it is done again at the next start", extra={"n": len(self._tasks)})

    def _hand_out(self, job: Job) -> None:
        self._at_work[job.id] = job
        self._tasks.start(job.id, lambda: self._run(job), then=self._on_progress)

    def _write_off_overdue(self) -> None:
        """A thread that does not come back: another may have its place, and the work is tried again like any that failed."""
        self._at_work = {job_id: job for job_id, job in self._at_work.items() if job_id in self._tasks}
        for job in list(self._at_work.values()):
            handler = self._handlers.get(job.kind)
            limit_s = handler.limit_s if handler is not None else STUCK_S
            if self._tasks.age_s(job.id) > limit_s:
                self._tasks.write_off(job.id)
                log.error("a job does not come back", extra={"kind": job.kind, "job": job.id, "attempts": job.attempts, "limit_s": limit_s})
                self._fail(job, handler, TimeoutError(f"still at work after {limit_s:.0f} s"))

    def _run(self, job: Job) -> None:
        try:
            handler = self._handlers.get(job.kind)
            if handler is None:  # written by a newer release that led before us: leave it for one that knows it
                with self._store.write() as tx:
                    jobs.put_back(tx, job, due_at=self._store.now() + UNKNOWN_KIND_DELAY_S)
                return
            handler.run(job)
        except StoreError as exc:
            # Neither the job's fault nor to be told in Slack now: the row stays `running` and is swept, or put back here.
            log.warning("job interrupted by the store", extra={"kind": job.kind, "job": job.id, "error": str(exc)})
            self._put_back(job, exc)
        except Exception as exc:
            log.exception("job failed", extra={"kind": job.kind, "job": job.id, "attempts": job.attempts})
            self._fail(job, handler, exc)

    def _fail(self, job: Job, handler: Handler | None, exc: Exception) -> None:
        error = f"{type(exc).__name__}: {exc}"
        try:
            if handler is not None and handler.give_up is not None:
                handler.give_up(job, type(exc).__name__)
            with self._store.write() as tx:
                if jobs.fail(tx, job, error=error, now=self._store.now()):
                    log.error("job put aside as a dead letter", extra={"kind": job.kind, "job": job.id, "error": error})
        except Exception:
            log.exception("a failed job could not be written down", extra={"kind": job.kind, "job": job.id})
            with self._lock:
                self._stranded.append((job, error, True))

    def _put_back(self, job: Job, exc: StoreError) -> None:
        try:
            with self._store.write() as tx:
                self._note_failure(tx, job, str(exc), is_attempt=not isinstance(exc, _OF_THE_STORE))
        except StoreError:
            with self._lock:
                self._stranded.append((job, str(exc), not isinstance(exc, _OF_THE_STORE)))

    def _note_failure(self, tx: Tx, job: Job, error: str, *, is_attempt: bool) -> None:
        now = self._store.now()
        if is_attempt:
            jobs.fail(tx, job, error=error, now=now)
        else:
            jobs.put_back(tx, job, due_at=now + STORE_RETRY_S)

    def _do_quick_jobs(self) -> None:
        if not self._quick_kinds:
            return
        with self._store.write() as tx:
            claimed = jobs.claim(tx, now=self._store.now(), epoch=self._store.epoch, limit=20, only=self._quick_kinds)
        for job in claimed:
            self._run(job)
        if claimed:
            self._on_progress()

    def _put_back_stranded(self) -> None:
        with self._lock:
            stranded, self._stranded = self._stranded, []
        for i, (job, error, is_attempt) in enumerate(stranded):
            try:
                with self._store.write() as tx:
                    self._note_failure(tx, job, error, is_attempt=is_attempt)
            except StoreError:
                with self._lock:
                    self._stranded += stranded[i:]
                raise

    def _aside(self, call: Callable[[], None]) -> None:
        try:
            call()
        except UNREADABLE:
            log.exception("what goes along with every step failed")

    def _follow_the_clock(self) -> None:
        """When the wall clock was set back, what is due moves back with it: nothing is parked for the difference. After a leap forward
        nothing is forgotten for a while.
        """
        offset = self._store.now() - self._monotonic()
        back_s, self._clock_offset = self._clock_offset - offset, offset
        if back_s > CLOCK_STEP_S:
            log.warning("the clock was set back", extra={"seconds": round(back_s)})
            with self._store.write() as tx:
                jobs.move_due(tx, back_s)
                outbox.move_due(tx, back_s)
        elif back_s < -CLOCK_LEAP_S:
            log.warning("the clock leapt forward; nothing is forgotten for an hour", extra={"seconds": round(-back_s)})
            self._tidied_at = self._monotonic() + FORGET_NOTHING_FOR_S - TIDY_EVERY_S

    def _tidy(self) -> None:
        now = self._monotonic()
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY_S:
            return
        self._tidied_at = now
        try:
            self._every_so_often()
            self._store.tidy(
                reopen_window_s=self._config.reopen_window_s, retention_s=self._config.retention_s, max_bytes=self._config.store_max_bytes
            )
        except StoreFenced:
            raise
        except StoreError as exc:
            log.warning("tidying the store failed", extra={"error": str(exc)})
