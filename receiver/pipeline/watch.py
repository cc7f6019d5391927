"""The watch: between two notifications nobody tells the receiver anything, so it looks by itself whether something happened.

One job for the whole installation. A round asks for the pulse of all open incidents together, compares it with what it remembers
of each, and asks for a look where something happened: at a pace, and at once where a fix is watched. What a change means is the
look's to say. A round plans the next one before it begins, so that nothing ends the watch; what goes wrong for one incident costs
that one. What it costs: docs/watch.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from receiver.domain.identity import Subject
from receiver.domain.incident import FIRING
from receiver.domain.pulse import ContainerPulse, OwnerPulse, Pulses, Wanted, WatchMemory
from receiver.domain.units import format_time, from_epoch
from receiver.errors import SourceError
from receiver.pipeline import changes
from receiver.pipeline.kinds import COLLECT, EVERYTHING, PUBLISH, WATCH
from receiver.store import alerts as alert_table
from receiver.store import incident_lists, incidents, jobs, quarantine
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store
from receiver.telemetry import Metrics

log = logging.getLogger(__name__)

PAGE = 100  # incidents in one transaction: alerts are accepted between two
ROUND_DEADLINE_S = 10.0  # for all pods of a round, and as much again for the owners
SOON_S = 10.0  # after a look another one waits at least so long
ALERT_FIRST_S = 90.0  # after a death, three quarters of the interval at most: its alert says how bad it is, and one look serves both
LOOK_EVERY_S = 2.0  # on average at most, of the looks that the watch asks for: 30 in a minute
LOOKS_AT_ONCE = 10  # that many may come together
OWNER_EVERY_S = 1800.0
OWNER_FOR_S = 7 * 86_400.0  # after the opening
MOST_OWNERS = 40  # read in a round


class PulseSource(Protocol):
    """What asks the cluster: the evidence layer, or a test."""

    def take(self, wanted: Sequence[Wanted], *, now: datetime, deadline_s: float) -> Pulses:
        """The pods of these incidents as they are now, those first whose turn it is; never raises for a source that fails."""

    def owner(self, subject: Subject, *, deadline_s: float) -> tuple[str, int]:
        """A mark that is another one after each change of the owner, empty for none, and how many requests it cost. SourceError."""

    def forget(self, subject: Subject) -> None:
        """The next look asks anew for what looks keep for minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """`interval_s`: between two looks that the watch asks for at one incident; a round takes place twice in it."""

    interval_s: float = 120.0

    @property
    def round_s(self) -> float:
        """Between two rounds."""
        return max(self.interval_s / 2, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One incident in a round. `pods` None: nobody knew. `owner` None: not read."""

    incident: Incident
    pods: Mapping[str, ContainerPulse] | None
    found: frozenset[str]
    owner: OwnerPulse | None = None


class Watch:
    """Handles the `watch` job."""

    def __init__(
        self, *, store: Store, source: PulseSource, metrics: Metrics, config: WatchConfig | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._store = store
        self._source = source
        self._metrics = metrics
        self._config = config or WatchConfig()
        self._monotonic = monotonic
        self._next_look_at = 0.0
        self._known_at: dict[str, float] = {}  # when each incident's pulse was last had
        self._problems: Mapping[str, str] = {}
        self._last: dict[str, Any] = {}

    def begin(self) -> None:
        """See to it that there is a next round: after a first start, an upgrade, or an end in the middle of one."""
        with self._store.write() as tx:
            self._plan(tx)

    def run(self, job: Job) -> None:
        """One round. The next one is planned before it begins, and is not begun before this one has ended."""
        started = self._monotonic()
        with self._store.write() as tx:
            self._plan(tx)
        try:
            self._round()
        finally:
            self._metrics.watch_seconds.observe(self._monotonic() - started)
            with self._store.write() as tx:
                jobs.finish(tx, job)

    def to_json(self) -> Mapping[str, Any]:
        """As /readyz tells it: the newest round, and which source does not answer."""
        return {**self._last, **({"problems": dict(self._problems)} if self._problems else {})}

    def _plan(self, tx: Tx) -> None:
        now = self._store.now()
        jobs.schedule(tx, WATCH, EVERYTHING, now=now, due_at=now + self._config.round_s)

    def _round(self) -> None:
        now = self._store.now()
        open_ = sorted(self._open_incidents(), key=lambda i: self._known_at.get(i.id, 0.0))
        pulses = Pulses(pods={})
        if open_:
            wanted = [Wanted(id=i.id, subject=i.subject) for i in open_]
            pulses = self._source.take(wanted, now=from_epoch(now), deadline_s=ROUND_DEADLINE_S)
        problems = dict(pulses.problems)
        self._known_at = {i.id: now if i.id in pulses.pods else self._known_at.get(i.id, 0.0) for i in open_}
        seen = self._with_owners([self._compared(i, pulses) for i in open_], problems, now=now)
        for first in range(0, len(seen), PAGE):
            with self._store.write() as tx:
                for one in seen[first : first + PAGE]:
                    quarantine.attempt(tx, quarantine.INCIDENT, one.incident.id, partial(self._note, tx, one, now=now))
        self._tell(problems)
        for source, n in pulses.requests.items():
            self._metrics.watch_requests.labels(source).inc(n)
        self._metrics.watch_incidents.set(len(open_))
        self._metrics.watch_rounds.labels("partial" if problems else "ok").inc()
        if not problems:
            self._metrics.watch_success.set(now)
        self._last = {"newest_round": format_time(from_epoch(now)), "incidents": len(open_)}

    def _open_incidents(self) -> Iterator[Incident]:
        """Those that were looked at, and are shown somewhere."""
        after = ""
        while True:
            with self._store.read() as tx:
                page = incident_lists.open_after(tx, after, PAGE)
            if not page:
                return
            yield from (i for i in page if i.gathered_at is not None and i.severity != "info")
            after = page[-1].id

    def _compared(self, incident: Incident, pulses: Pulses) -> _Seen:
        pods, before = pulses.pods.get(incident.id), incident.memory.watch.pods
        if pods is None:
            return _Seen(incident=incident, pods=None, found=frozenset())
        pods = changes.settled(before, pods)
        if incident.id in pulses.partial:
            pods = {**(before or {}), **pods}
        looked_at = from_epoch(incident.gathered_at or 0.0)
        return _Seen(incident=incident, pods=pods, found=changes.changes(before, pods, pod=incident.subject.pod, looked_at=looked_at))

    # -- owners

    def _with_owners(self, seen: Sequence[_Seen], problems: dict[str, str], *, now: float) -> list[_Seen]:
        """The same, with the owners that were read: where something changed, and from time to time."""
        chosen = {s.incident.id for s in sorted(filter(partial(_wants_owner, now=now), seen), key=_owner_turn)[:MOST_OWNERS]}
        until = self._monotonic() + ROUND_DEADLINE_S
        found = []
        for one in seen:
            is_chosen = one.incident.id in chosen and "owners" not in problems
            left_s = until - self._monotonic()
            found.append(self._with_owner(one, problems, left_s=left_s, now=now) if is_chosen and left_s > 0 else one)
        return found

    def _with_owner(self, one: _Seen, problems: dict[str, str], *, left_s: float, now: float) -> _Seen:
        before = one.incident.memory.watch.owner
        if one.found & changes.STRUCTURE:
            self._source.forget(one.incident.subject)
        try:
            mark, requests = self._source.owner(one.incident.subject, deadline_s=left_s)
        except SourceError as exc:
            if exc.retryable:  # it is away: the others are not asked in vain
                problems["owners"] = str(exc)
            mark, requests = before.mark if before is not None else "", 1
        self._metrics.watch_requests.labels("kubernetes").inc(requests)
        owner = OwnerPulse(read_at=from_epoch(now), mark=mark)
        is_changed = before is not None and bool(before.mark and mark) and before.mark != mark
        if is_changed:
            self._source.forget(one.incident.subject)
        return replace(one, owner=owner, found=one.found | {changes.OWNER} if is_changed else one.found)

    # -- what follows

    def _note(self, tx: Tx, one: _Seen, *, now: float) -> None:
        """Remember what was seen, and ask for a look where something happened."""
        incident = incidents.load(tx, one.incident.id)
        if incident is None or incident.closed_at is not None:
            return
        found = one.found if one.pods is not None else one.found | _repeated(tx, incident, now=now, after_s=self._config.interval_s)
        memory = incident.memory
        watch = _remembered(memory.watch, one, known=memory.kills)
        if watch != memory.watch:
            incidents.save_memory(tx, incident.id, replace(memory, watch=watch))
        if not found:
            return
        for kind in found:
            self._metrics.watch_changes.labels(kind).inc()
        due_at = self._look_due_at(tx, incident, one, now=now)
        if due_at > now + self._config.interval_s and watch.kills != memory.watch.kills:
            jobs.schedule(tx, PUBLISH, incident.id, now=now)  # its turn comes late: the count is true before the rest is
        jobs.schedule(tx, COLLECT, incident.id, now=now, due_at=due_at)
        log.info(
            "something happened to an incident", extra={"incident": incident.id, "changes": sorted(found), "look_in_s": round(due_at - now)}
        )

    def _look_due_at(self, tx: Tx, incident: Incident, one: _Seen, *, now: float) -> float:
        """When to look: at the incident's pace, and at that of all looks together. At once where somebody counts on quiet."""
        memory = incident.memory
        is_watched = incident.state != FIRING or memory.standing_watch is not None or memory.standing_fix is not None
        pace_s = SOON_S if is_watched or one.found & changes.STRUCTURE else self._config.interval_s
        due_at = max(now, (incident.gathered_at or 0.0) + pace_s)
        if changes.DEATH in one.found:
            due_at = max(due_at, min(_newest_death(one), now) + min(ALERT_FIRST_S, 0.75 * self._config.interval_s))
        planned = jobs.due_of(tx, COLLECT, incident.id)
        if planned is not None and planned <= due_at:
            return planned
        slot = max(self._next_look_at, now - LOOKS_AT_ONCE * LOOK_EVERY_S)
        if planned is not None and planned <= max(due_at, slot):
            return planned
        self._next_look_at = slot + LOOK_EVERY_S
        return max(due_at, slot)

    def _tell(self, problems: Mapping[str, str]) -> None:
        """A source that stops answering, and one that answers again: once each."""
        for source in sorted(problems.keys() - self._problems.keys()):
            log.warning("the watch has no answer: nothing is concluded from it", extra={"source": source, "error": problems[source]})
        for source in sorted(self._problems.keys() - problems.keys()):
            log.info("the watch has answers again", extra={"source": source})
        self._problems = dict(problems)


def _wants_owner(one: _Seen, *, now: float) -> bool:
    incident, known = one.incident, one.incident.memory.watch.owner
    workload = incident.subject.workload
    if workload is None or workload.is_inferred:
        return False
    if one.found & changes.STRUCTURE:
        return True
    if now - incident.opened_at > OWNER_FOR_S:
        return False
    return known is None or now - known.read_at.timestamp() >= OWNER_EVERY_S


def _owner_turn(one: _Seen) -> tuple[bool, float]:
    known = one.incident.memory.watch.owner
    return not one.found & changes.STRUCTURE, known.read_at.timestamp() if known is not None else 0.0


def _newest_death(one: _Seen) -> float:
    """When, in seconds since 1970; 0 where no source tells."""
    times = [pulse.died_at.timestamp() for pulse in (one.pods or {}).values() if pulse.died_at is not None]
    return max(times, default=0.0)


def _repeated(tx: Tx, incident: Incident, *, now: float, after_s: float) -> frozenset[str]:
    """Nobody knows the pods, but the alert came again: that is worth a look, when the last one is a while ago."""
    if incident.state != FIRING or now - (incident.gathered_at or 0.0) < after_s:
        return frozenset()
    came_at = alert_table.last_repeat(tx, incident.id)
    return frozenset({changes.REPEAT}) if came_at is not None and came_at > (incident.gathered_at or 0.0) else frozenset()


def _remembered(watch: WatchMemory, one: _Seen, *, known: Mapping[str, int]) -> WatchMemory:
    if one.pods is not None:
        watch = replace(changes.with_kills(watch, one.pods, known=known), pods=one.pods)
    return replace(watch, owner=one.owner) if one.owner is not None else watch
