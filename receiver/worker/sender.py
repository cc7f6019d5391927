"""Makes channels agree with the store: a pace per channel, an intent before each post, reconcile on doubt.

A post is not idempotent at Slack, so the order is: commit "about to post", post, commit "arrived". Whatever leaves the
outcome open (a crash between the two commits, a timeout, a 5xx) keeps the row `sending`; after a grace it is looked for
in the channel by its delivery id, and only re-posted when it is not there. Edits are idempotent and just repeated. What becomes
of a message that was refused is a table: receiver/worker/transitions.py.

Within a channel one message goes after the other; a channel whose exchange takes its time holds up no other channel.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from receiver.errors import DeliveryError, RetryLater, SinkMisconfigured, StoreAway, StoreError
from receiver.pipeline.kinds import PUBLISH
from receiver.sinks.base import CannotReconcile, Sink
from receiver.store import conversations, jobs, outbox, quarantine, sending
from receiver.store.database import Tx
from receiver.store.outbox import Outgoing
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.worker import told
from receiver.worker.delivery_watch import DeliveryWatch
from receiver.worker.pictures import Pictures, has_picture, without_picture
from receiver.worker.tasks import Tasks
from receiver.worker.transitions import RESULTS, Failure, Situation, Step, failure_of, step_for

log = logging.getLogger(__name__)

BACKOFF_CAP_S = 300.0
RETRY_AFTER_CAP_S = 300.0  # a sink may ask for a day; it is asked again after this long all the same
MISCONFIGURED_PAUSE_S = 30.0
STORE_TROUBLE_S = 1.0
CLOCK_STEP_S = 60.0
CHECK_INTERVAL_S = 60.0
IDLE_S = 5.0
MOST_AT_A_TIME = 8  # channels of a sink in which something is being sent
CHECK = "(check)"  # among what a sender is at, beside channels
HANGS_S = 150.0  # longer than all exchanges of one message may take: its sink's deadlines do not hold
LATE_SHARE = 0.3  # of the grace: a post that begins later could still be on its way when it is looked for
END_WAIT_S = 12.0  # longer than one POST may take
PICTURE_TRIES = 2
PICTURE_WAIT_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderConfig:
    """`grace_s` must exceed the HTTP timeout. `on_ambiguous`: resend or hold, where the channel cannot be read back.

    `elsewhere`: sinks that another sender serves, so that one which hangs does not hold up the others.
    """

    min_interval_s: float = 1.1
    grace_s: float = 15.0
    retry_max_age_s: float = 86_400.0
    on_ambiguous: str = "resend"
    elsewhere: frozenset[str] = frozenset()


class Sender:
    """Sends what is due, one message a channel and step. One thread calls `step`.

    `is_threaded`: each channel's message is sent on a thread of its own, and `step` does not wait for it; otherwise, in turn.
    `checks`: for a sink, a question whose SinkMisconfigured tells what is wrong with its settings before a message does.
    """

    def __init__(
        self, *, store: Store, sinks: Mapping[str, Sink], metrics: Metrics, config: SenderConfig,
        plain_body: Callable[[Mapping[str, Any]], Mapping[str, Any]], monotonic: Callable[[], float],
        png_of: Callable[[str], bytes | None] = lambda _: None, checks: Mapping[str, Callable[[], object]] | None = None,
        is_threaded: bool = False,
    ) -> None:  # fmt: skip
        self._store = store
        self._sinks = sinks
        self._metrics = metrics
        self._config = config
        self._plain_body = plain_body
        self._pictures = Pictures(png_of)
        self._monotonic = monotonic
        self._checks = checks or {}
        self._check_at: dict[str, float] = {}
        self._next_at: dict[tuple[str, str], float] = {}
        self._newest_ts: dict[tuple[str, str], str] = {}  # the last post of ours that is known to stand in a channel
        self._paused_until: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._channel_problems: dict[str, str] = {}
        self._picture_refusals: Counter[str] = Counter()  # by message; a restart tries again, which costs two posts
        self._capped: set[str] = set()  # sinks that ask for longer pauses than they get: logged once
        self._is_threaded = is_threaded
        self._tasks: Tasks[tuple[str, str]] = Tasks("send", monotonic=monotonic)
        self._watch = DeliveryWatch(monotonic)
        self._on_done: Callable[[], None] = lambda: None
        self._last_step = monotonic()
        self._clock_offset = store.now() - monotonic()

    def begin(self) -> None:
        """The first step comes now: what the clocks did before is no affair of ours."""
        self._last_step = self._monotonic()
        self._clock_offset = self._store.now() - self._monotonic()

    @property
    def problems(self) -> Mapping[str, str]:
        """Sinks that refuse everything now, and why: detail for /readyz."""
        return dict(self._problems)

    @property
    def channel_problems(self) -> Mapping[str, str]:
        """Channels that refused their last message because of a setting, or in which messages cannot be edited, and why: detail
        for /readyz.
        """
        try:
            with self._store.read() as tx:
                settled = [outbox.settled_channels(tx, sink=name) for name in self._sinks]
        except StoreError:  # /readyz says that itself
            settled = []
        return {**{channel: why for channels in settled for channel, why in channels.items()}, **self._channel_problems}

    def step(self) -> float:
        """Send at most one message per channel; returns the seconds until there is something to do again."""
        self._last_step = self._monotonic()
        self._follow_the_clock()
        with self._store.read() as tx:
            ours = [entry for entry in outbox.channels_due(tx) if entry[0] not in self._config.elsewhere]
        self._watch.unsent((sink, channel) for sink, channel, _ in ours)
        now, wait_s = self._store.now(), IDLE_S
        for sink_name, channel, due_at in sorted(ours, key=lambda entry: self._next_at.get(entry[:2], 0.0)):  # who waited longest first
            key = (sink_name, channel)
            if key in self._tasks:
                continue
            free_at = max(self._next_at.get(key, 0.0), self._paused_until.get(sink_name, 0.0))
            delay_s = max(due_at - now, free_at - self._monotonic())
            if due_at <= now:
                self._watch.due(key)
            if delay_s <= 0 and len(self._tasks) < MOST_AT_A_TIME:
                delay_s = self._begin(key)
            wait_s = min(wait_s, delay_s)
        if wait_s > 0:
            self._check_sinks()
        return max(0.0, wait_s)

    def _follow_the_clock(self) -> None:
        """A wall clock that is set ahead makes nothing older: no message is given up for it. (Set back: the dispatcher's affair.)"""
        offset = self._store.now() - self._monotonic()
        ahead_s, self._clock_offset = offset - self._clock_offset, offset
        if ahead_s > CLOCK_STEP_S:
            log.warning("the clock was set ahead", extra={"seconds": round(ahead_s)})
            with self._store.write() as tx:
                for name in self._sinks:
                    outbox.make_younger(tx, sink=name, by_s=ahead_s)

    def when_done(self, call: Callable[[], None]) -> None:
        """Call this when a message that `step` did not wait for has been sent or refused."""
        self._on_done = call

    @property
    def stalls(self) -> Mapping[str, float]:
        """By sink: for how many seconds something has been due in one of its channels and nothing has arrived there. 0: nothing stalls."""
        return {name: self._watch.stalled_s(name) for name in self._sinks}

    @property
    def stalled(self) -> Mapping[str, str]:
        """Sinks in which nothing arrives though something is due, and why: detail for /healthz and /readyz."""
        return {name: why for name in self._sinks if (why := self._watch.said(name))}

    def is_stuck(self) -> bool:
        """Whether the sender itself makes no progress: not what a sink that is away looks like, which is answered by deadlines."""
        return self._monotonic() - self._last_step > HANGS_S or self._tasks.running_longer_than(HANGS_S) > 0

    def close(self) -> None:
        """Wait a while for the messages that are being sent; what is not written down then is looked for at the next start."""
        self._tasks.join(END_WAIT_S)

    def _done(self) -> None:
        self._on_done()

    def _begin(self, key: tuple[str, str]) -> float:
        if not self._is_threaded:
            return self._send_one(*key)
        self._tasks.start(key, lambda: self._send_one_aside(*key), then=self._done)
        return IDLE_S

    def _send_one_aside(self, sink_name: str, channel: str) -> None:
        try:
            self._send_one(sink_name, channel)
        except StoreError as exc:  # `step` meets it too, and says so
            log.warning("a message could not be written down", extra={"sink": sink_name, "error": str(exc)})
            self._next_at[(sink_name, channel)] = self._monotonic() + STORE_TROUBLE_S
        except Exception:
            log.exception("sending failed", extra={"sink": sink_name})
            self._next_at[(sink_name, channel)] = self._monotonic() + STORE_TROUBLE_S

    def _check_sinks(self) -> None:
        """Ask each sink once whether its settings work, and again while they do not: nobody should learn it from a lost alert."""
        for name, check in self._checks.items():
            is_known = name in self._check_at and name not in self._problems
            if is_known or self._monotonic() < self._check_at.get(name, 0.0):
                continue
            self._check_at[name] = self._monotonic() + CHECK_INTERVAL_S
            if self._is_threaded:
                self._tasks.start((name, CHECK), partial(self._check_sink, name, check), then=self._done)
            else:
                self._check_sink(name, check)

    def _check_sink(self, name: str, check: Callable[[], object]) -> None:
        try:
            check()
        except SinkMisconfigured as exc:
            self._problems[name] = str(exc)
            log.error("a sink's settings do not work", extra={"sink": name, "error": str(exc)})
        except DeliveryError as exc:
            log.info("a sink's settings could not be checked now", extra={"sink": name, "error": str(exc)})
        else:
            self._problems.pop(name, None)
            log.info("a sink's settings work", extra={"sink": name})

    def _send_one(self, sink_name: str, channel: str) -> float:
        with self._store.write() as tx:
            outgoing = outbox.next_outgoing(tx, sink=sink_name, channel=channel, now=self._store.now())
        if outgoing is None:
            return IDLE_S
        sink = self._sinks.get(sink_name)
        if sink is None:
            self._bury(outgoing, f"no sink {sink_name!r} is configured any more")
            return 0.0
        self._next_at[(sink_name, channel)] = self._monotonic() + self._config.min_interval_s
        try:
            self._deliver(sink, outgoing)
        except DeliveryError as exc:
            self._note_failure(outgoing, exc)
        except quarantine.UNREADABLE as exc:  # something in it that neither Slack nor we can take: it would stop all that wait behind it
            log.exception("a message cannot be sent as it is stored", extra={"sink": sink_name, "slot": outgoing.slot})
            with self._store.write() as tx:
                quarantine.put(tx, quarantine.MESSAGE, outgoing.id, exc)
        return max(0.0, self._next_at[(sink_name, channel)] - self._monotonic())

    def _deliver(self, sink: Sink, outgoing: Outgoing) -> None:
        if outgoing.ts is not None:
            body = self._body(sink, outgoing)
            self._make_sure_of_the_lead()
            sink.update(outgoing.channel, outgoing.ts, body)
            self._arrived(outgoing, ts=None)
        elif not outgoing.is_doubtful or self._must_be_sent_again(sink, outgoing):
            self._post(sink, outgoing)

    def _post(self, sink: Sink, outgoing: Outgoing) -> None:
        body = self._body(sink, outgoing)  # before the intent: an upload takes its time, and repeats harmlessly
        intended_at = self._monotonic()
        with self._store.write(must_last=True) as tx:
            newest_ts = self._newest_ts.get((outgoing.sink, outgoing.channel))
            is_wanted = sending.intend(tx, outgoing, now=self._store.now(), grace_s=self._config.grace_s, newest_ts=newest_ts)
        if not is_wanted:
            return
        self._make_sure_of_the_lead()
        if self._monotonic() - intended_at > self._config.grace_s * LATE_SHARE:
            log.warning("a post comes too late and is left to be looked for", extra={"sink": outgoing.sink, "slot": outgoing.slot})
            return
        ts = sink.post(
            outgoing.channel, body, thread_ts=outgoing.root_ts if outgoing.is_reply else None,
            broadcast=outgoing.is_broadcast, delivery_id=outgoing.delivery_id,
        )  # fmt: skip
        self._arrived(outgoing, ts=ts)

    def _make_sure_of_the_lead(self) -> None:
        """The last moment before something goes out. Whoever froze may no longer be the one who sends."""
        if not self._store.may_act():
            raise StoreAway("this receiver may have been succeeded; it sends nothing until it knows")

    def _must_be_sent_again(self, sink: Sink, outgoing: Outgoing) -> bool:
        """Look for a doubtful post in its channel. False when it was found, or must not be sent again (now)."""
        if self._is_too_old(outgoing, self._store.now()):
            self._bury(outgoing, "gave up: it may have arrived, and the channel could not be read back to see")
            return False
        try:
            ts = sink.find(
                outgoing.channel, outgoing.delivery_id, thread_ts=outgoing.root_ts if outgoing.is_reply else None,
                oldest=_seconds(outgoing.intent_after),
            )  # fmt: skip
        except CannotReconcile as exc:
            if self._config.on_ambiguous != "hold":
                return True
            self._bury(outgoing, f"it may have arrived, and the channel cannot be read back to see ({exc}); ON_AMBIGUOUS=hold")
            return False
        except SinkMisconfigured:
            raise
        except DeliveryError as exc:
            with self._store.write() as tx:
                sending.doubtful(tx, outgoing, error=str(exc), due_at=self._store.now() + self._backoff_s(outgoing, exc))
            return False
        if ts is None:
            return True
        with self._store.write(must_last=True) as tx:
            sending.found(tx, outgoing, ts=ts, now=self._store.now())
        self._note_success(outgoing)
        self._say_told(outgoing)
        return False

    def _body(self, sink: Sink, outgoing: Outgoing) -> Mapping[str, Any]:
        if outgoing.is_plain:
            return self._plain_body(outgoing.body)
        if has_picture(outgoing.body) and self._picture_refusals[outgoing.id] >= PICTURE_TRIES:
            return without_picture(outgoing.body)
        return self._pictures.fill(sink, outgoing.body)

    def _arrived(self, outgoing: Outgoing, *, ts: str | None) -> None:
        self._picture_refusals.pop(outgoing.id, None)
        # A sink without timestamps still has a root: replies never happen there, edits are new messages.
        with self._store.write(must_last=True) as tx:
            sending.arrived(tx, outgoing, ts=ts, revision=outgoing.revision, now=self._store.now())
            if ts is not None and outgoing.slot == "root":
                sending.drop_overtaken(tx, outgoing)
        if ts is not None:
            self._newest_ts[(outgoing.sink, outgoing.channel)] = ts
        self._note_success(outgoing)
        self._say_told(outgoing)

    def _say_told(self, outgoing: Outgoing) -> None:
        if outgoing.is_first and outgoing.slot == "root":
            told.say_told(self._store, outgoing)

    def _note_success(self, outgoing: Outgoing) -> None:
        self._watch.arrived((outgoing.sink, outgoing.channel))
        self._metrics.deliveries.labels(outgoing.sink, "ok").inc()
        self._channel_problems.pop(outgoing.channel or outgoing.sink, None)
        self._capped.discard(outgoing.sink)
        if self._problems.pop(outgoing.sink, None):
            log.info("sink works again", extra={"sink": outgoing.sink})

    def _note_failure(self, outgoing: Outgoing, exc: DeliveryError) -> None:
        failure = failure_of(exc)
        self._watch.refused((outgoing.sink, outgoing.channel), str(exc))
        result = RESULTS.get(failure, "refused")
        self._metrics.deliveries.labels(outgoing.sink, result).inc()
        if result != "misconfigured" or outgoing.sink not in self._problems:
            fields = {"sink": outgoing.sink, "channel": outgoing.channel, "slot": outgoing.slot, "code": exc.code, "error": str(exc)}
            log.log(logging.INFO if failure is Failure.RATE_LIMIT else logging.WARNING, "message not delivered", extra=fields)
        step = step_for(self._situation(outgoing, failure))
        if failure is Failure.CHANNEL:
            self._channel_problems[outgoing.channel or outgoing.sink] = str(exc)
        if step is Step.BURY:
            n = outgoing.attempts + 1
            self._bury(outgoing, f"gave up after {n} attempts: {exc}" if self._is_too_old(outgoing, self._store.now()) else str(exc))
            return
        with self._store.write() as tx:
            self._take(tx, step, outgoing, exc)

    def _situation(self, outgoing: Outgoing, failure: Failure) -> Situation:
        return Situation(
            failure=failure,
            is_edit=outgoing.ts is not None,
            is_reply=outgoing.is_reply,
            is_broadcast=outgoing.is_broadcast,
            is_plain=outgoing.is_plain,
            can_await_picture=has_picture(outgoing.body) and self._picture_refusals[outgoing.id] < PICTURE_TRIES,
            can_repost=outgoing.times_reposted == 0,
            can_repost_root=outgoing.root_times_reposted == 0,
            is_too_old=self._is_too_old(outgoing, self._store.now()),
        )

    def _take(self, tx: Tx, step: Step, outgoing: Outgoing, exc: DeliveryError) -> None:
        """Write what one step of the table means; all but BURY."""
        now, error = self._store.now(), str(exc)
        if step in _REWRITES:
            _REWRITES[step](tx, outgoing, error=error)
            if step is Step.SETTLE and outgoing.slot == "root":
                _publish_again(tx, outgoing, now=now)
        elif step is Step.LOOK_FIRST:
            sending.doubtful(tx, outgoing, error=error, due_at=now + self._config.grace_s)
        elif step is Step.AWAIT_PICTURE:
            self._picture_refusals[outgoing.id] += 1
            sending.not_sent(tx, outgoing, error=error, due_at=now + PICTURE_WAIT_S, counts=True)
        elif step is Step.RETRY:
            sending.not_sent(tx, outgoing, error=error, due_at=now + self._backoff_s(outgoing, exc), counts=True)
        elif step is Step.PAUSE_CHANNEL:
            self._next_at[(outgoing.sink, outgoing.channel)] = self._monotonic() + self._backoff_s(outgoing, exc)
            sending.not_sent(tx, outgoing, error=error, due_at=now, counts=False)
        elif step is Step.PAUSE_SINK:
            self._problems[outgoing.sink] = error
            self._paused_until[outgoing.sink] = self._monotonic() + MISCONFIGURED_PAUSE_S
            sending.not_sent(tx, outgoing, error=error, due_at=now, counts=False)

    def _bury(self, outgoing: Outgoing, error: str) -> None:
        self._picture_refusals.pop(outgoing.id, None)
        log.error("message put aside as a dead letter", extra={"sink": outgoing.sink, "slot": outgoing.slot, "error": error})
        self._metrics.deliveries.labels(outgoing.sink, "dead").inc()
        with self._store.write() as tx:
            sending.bury(tx, outgoing, error=error)

    def _is_too_old(self, outgoing: Outgoing, now: float) -> bool:
        max_age_s = self._config.retry_max_age_s
        if outgoing.ts is None and not outgoing.times_reposted:
            return now - outgoing.created_at > max_age_s
        return outgoing.attempts > max_age_s / BACKOFF_CAP_S  # of a message that stood there before: count its own tries

    def _backoff_s(self, outgoing: Outgoing, exc: DeliveryError) -> float:
        if isinstance(exc, RetryLater) and exc.retry_after_s is not None:
            if exc.retry_after_s > RETRY_AFTER_CAP_S and outgoing.sink not in self._capped:
                self._capped.add(outgoing.sink)
                fields = {"sink": outgoing.sink, "channel": outgoing.channel, "asked_s": exc.retry_after_s, "pause_s": RETRY_AFTER_CAP_S}
                log.warning("the sink asks for a longer pause than it gets", extra=fields)
            return min(exc.retry_after_s, RETRY_AFTER_CAP_S)
        return min(BACKOFF_CAP_S, 2.0 ** min(outgoing.attempts + 1, 10)) * random.uniform(0.8, 1.2)  # noqa: S311  # jitter


def _seconds(ts: str | None) -> float:
    """A sink's ts as its time; 0 where none is known: from the beginning."""
    try:
        return float(ts or 0.0)
    except ValueError:
        return 0.0


def _publish_again(tx: Tx, root: Outgoing, *, now: float) -> None:
    """What its edit would have shown may need a reply now."""
    conversation = conversations.load(tx, root.conversation_id)
    if conversation is not None and conversation.incident_id is not None:
        jobs.schedule(tx, PUBLISH, conversation.incident_id, now=now)


# The steps that change nothing but the message's own row, and those of its thread.
_REWRITES: Mapping[Step, Callable[..., None]] = {
    Step.SEND_PLAIN: sending.make_plain,
    Step.REPOST: sending.repost,
    Step.REPOST_ROOT: sending.repost_root,
    Step.POST_ALONE: sending.post_alone,
    Step.SETTLE: sending.settle,
}
