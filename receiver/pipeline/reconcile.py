"""What was missed: while the receiver or Alertmanager was away, or because a webhook body was cut short: `reconcile` jobs.

Alertmanager brings by itself whatever still fires, as soon as it reaches us. It never brings what fired and ended in between,
nor a resolve of what it was told to forget, nor the alerts that `max_alerts` cuts off. So after such a time it is asked what it
holds, and Prometheus what fired and died. Whatever they add is accepted like a webhook body, with the fingerprint and start that
Alertmanager would give it: an alert that both bring is one row. What began in a gap is marked as late where alerts are stored,
whoever brings it (store/alerts.py).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from receiver.domain.alerts import FIRING, RESOLVED, Alert, alertmanager_fingerprint
from receiver.domain.away import RECEIVER, Gap
from receiver.domain.identity import LabelNames, incident_key, subject_of
from receiver.domain.missed import Episode, Held, Past, SeenKill
from receiver.domain.reason import reason
from receiver.domain.typed_json import from_json, to_json
from receiver.domain.units import from_epoch
from receiver.errors import SourceError
from receiver.pipeline.kinds import COLLECT, RECONCILE
from receiver.store import alerts as alert_table
from receiver.store import away, incidents, jobs, outbox
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)

SUBJECT = "alertmanager"  # of the job: there is one
SHORTEST_GAP_S = 90.0  # a restart, an upgrade: Alertmanager tries again before anything is lost
LONGEST_GAP_S = 86_400.0  # of what is older nobody needs to hear now
OURS = ("incident", "memory")  # the label by which the shipped routes lead here (docs/alertmanager.md)
HEARTBEAT = "none"  # a severity
SLACK_S = 60.0  # between what Alertmanager and what Prometheus say of an alert's start and end, beside the latter's resolution
SOON_S = 5.0
KNOWN = 100  # alerts that came last, on which labels are learnt that Prometheus adds
ONCE = 99  # a turn after which none follows


class MissedSource(Protocol):
    """What remembers: Alertmanager and Prometheus, or a test. Errors are SourceErrors."""

    def held(self, *, now: float) -> Held | None:
        """What Alertmanager holds; None without one."""

    def past(self, gap: Gap, *, now: float) -> Past | None:
        """What Prometheus knows of a gap; None without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileConfig:
    """`delays_s`: after a start; the second time for what Alertmanager brought late itself. `young_s`: see `Missed`."""

    label_names: LabelNames = field(default_factory=LabelNames)
    cluster_name: str = ""
    delays_s: tuple[float, ...] = (20.0, 400.0)
    young_s: float = 600.0


class Reconciler:
    """Keeps the heartbeat by which a gap is known, and handles `reconcile` jobs."""

    def __init__(self, *, store: Store, source: MissedSource, config: ReconcileConfig) -> None:
        self._store = store
        self._source = source
        self._config = config
        self._is_known = False  # whether this process has looked for a gap before it

    def beat(self) -> None:
        """Note that the receiver runs; the first time, whether it was away. Called now and then by the dispatcher, and at the end."""
        now = self._store.now()
        with self._store.record() as tx:
            last = away.last_beat(tx)
            if not self._is_known and last is not None:
                self._begin(tx, last, now=now)
            away.beat(tx, now=now)
        self._is_known = True

    def _begin(self, tx: Tx, last: float, *, now: float) -> None:
        if last > now:
            log.warning("the clock was set back while the receiver was away", extra={"seconds": round(last - now)})
            jobs.move_due(tx, last - now)
            outbox.move_due(tx, last - now)
        gap = Gap(since=from_epoch(min(last, now)), until=from_epoch(now), whose=RECEIVER)
        is_gap = now - last >= SHORTEST_GAP_S
        if is_gap:
            away.note_gap(tx, gap)
            log.warning("the receiver was away", extra={"since": gap.since.isoformat(), "seconds": round(now - last)})
        _schedule(tx, gap if is_gap else None, now=now, due_in_s=self._config.delays_s[0], turn=0)

    def run(self, job: Job) -> None:
        """Find out what was missed, and accept it. A source that is away is asked again the next time."""
        now = self._store.now()
        turn, gap = int(job.payload.get("turn", 0)), _gap(job, now=now)
        held = self._held(now=now)
        past = self._past(gap, now=now) if gap is not None else None
        with self._store.write() as tx:
            jobs.finish(tx, job)
            found = Findings(
                held=held, past=past, gap=gap, receivers=away.receivers(tx), known=tuple(alert_table.newest(tx, KNOWN)), now=from_epoch(now),
                config=self._config,
            )  # fmt: skip
            new = [*found.held_for_us(), *self._ended(tx, found), *found.told_late(partial(alert_table.began_between, tx))]
            alert_table.accept(tx, map(alert_table.Arrival.of, new), now=now, gaps=away.gaps(tx))
            self._note_late(tx, found, new)
            self._plan_next(tx, found, turn)
        if new:
            log.info("told late, or completed", extra={"alerts": len(new)})

    def _held(self, *, now: float) -> Held | None:
        try:
            return self._source.held(now=now)
        except SourceError as exc:
            log.warning("Alertmanager could not be asked what it holds", extra={"error": str(exc)})
            return None

    def _past(self, gap: Gap, *, now: float) -> Past | None:
        try:
            return self._source.past(gap, now=now)
        except SourceError as exc:
            log.warning("Prometheus could not be asked what was missed", extra={"error": str(exc)})
            return None

    def _ended(self, tx: Tx, found: Findings) -> list[Alert]:
        """What we hold as firing and Alertmanager does not know any more: over, and its end was not seen."""
        ended = []
        for incident_id, alert in alert_table.firing(tx, seen_before=found.now.timestamp()):
            ended_at = found.end_of(alert)
            if ended_at is None:
                continue
            ended.append(replace(alert, status=RESOLVED, ends_at=ended_at, late=None))
            incident = incidents.load(tx, incident_id)
            if incident is not None:
                incidents.save_memory(tx, incident_id, incident.memory.noted(found.now, reason("incident.log.end_not_seen")))
        return ended

    def _note_late(self, tx: Tx, found: Findings, new: Sequence[Alert]) -> None:
        """Incidents that were open before the gap and went on in it: they are looked at once, and say that it is seen late."""
        gap = found.gap
        if gap is None:
            return
        keys = [*map(found.key_of_kill, found.killed()), *(found.key_of(a) for a in new if a.late is not None)]
        for key in dict.fromkeys(keys):
            incident = incidents.find_open(tx, key)
            if incident is None or incident.opened_at >= gap.until.timestamp():
                continue
            late = reason("incident.log.seen_late", since=gap.since, until=gap.until, whose=gap.whose)
            if late not in [entry.what for entry in incident.memory.log]:
                incidents.save_memory(tx, incident.id, replace(incident.memory.noted(found.now, late), away=gap))
                jobs.schedule(tx, COLLECT, incident.id, now=found.now.timestamp())

    def _plan_next(self, tx: Tx, found: Findings, turn: int) -> None:
        """A second look, for what was still under way; and once more when Alertmanager is old enough to be believed."""
        delays = self._config.delays_s
        due_in_s = delays[turn + 1] if turn + 1 < len(delays) else None
        if due_in_s is None and found.held is not None and not found.held.is_complete:
            due_in_s = self._config.young_s
        if due_in_s is not None:
            _schedule(tx, found.gap, now=found.now.timestamp(), due_in_s=due_in_s, turn=turn + 1)


def ask(tx: Tx, *, now: float, gap: Gap | None = None) -> None:
    """Ask for one look at what may be missing: a body was cut short, or nothing came from Alertmanager in that gap."""
    _schedule(tx, gap, now=now, due_in_s=SOON_S, turn=ONCE)


def _schedule(tx: Tx, gap: Gap | None, *, now: float, due_in_s: float, turn: int) -> None:
    payload: dict[str, Any] = {"turn": turn}
    payload |= {"gap": to_json(gap)} if gap is not None else {}
    jobs.schedule(tx, RECONCILE, SUBJECT, now=now, due_at=now + due_in_s, payload=payload)


def _gap(job: Job, *, now: float) -> Gap | None:
    """The gap that a job is about, as far back as anybody wants to hear."""
    try:
        gap = from_json(Gap, job.payload["gap"]) if "gap" in job.payload else None
    except ValueError:  # of another release
        return None
    return replace(gap, since=max(gap.since, from_epoch(now - LONGEST_GAP_S))) if gap is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the sources say, and what follows from it. Pure. `receivers`: the names under which Alertmanager knows us. `known`: alerts
    that it sent last.
    """

    held: Held | None
    past: Past | None
    gap: Gap | None
    receivers: tuple[str, ...]
    known: tuple[Alert, ...]
    now: datetime
    config: ReconcileConfig

    def held_for_us(self) -> list[Alert]:
        """What Alertmanager would tell us, if it has not yet."""
        held = self.held.alerts if self.held is not None else ()
        return [h.alert for h in held if not h.is_muted and set(h.receivers) & set(self.receivers) and h.alert.severity != HEARTBEAT]

    def end_of(self, alert: Alert) -> datetime | None:
        """When an alert that we hold as firing ended; None while it fires, or when nobody can tell."""
        if self.held is None or not set(self.held.receivers) & set(self.receivers):
            return None  # nobody to ask, or another Alertmanager than the one that sends to us
        if any(h.alert.fingerprint == alert.fingerprint for h in self.held.alerts) or self._is_of_another_cluster(alert):
            return None
        episode = next((e for e in self._episodes if _is_of(e, alert)), None)
        if episode is not None and self._has_ended(episode):
            return episode.last
        return self.now if self.held.is_complete and episode is None else None

    def told_late(self, known_between: Callable[[float, float], Sequence[Alert]]) -> list[Alert]:
        """What fired and ended in the gap and would have come to us, as Alertmanager would have sent it: firing, then resolved.

        `known_between`: the alerts that are known to have begun in a time.
        """
        if self.gap is None:
            return []
        added, found = self._added_labels(), list[Alert]()
        slack_s = (self.past.resolution_s if self.past is not None else 0.0) + SLACK_S
        for labels, first, last in (*self._missed_alerts(), *self._missed_kills()):
            known = known_between(first.timestamp() - slack_s, first.timestamp() + slack_s)
            if any(labels.items() <= alert.labels.items() for alert in known):
                continue
            whole = {**added, **labels}
            if self.held is not None and any(m.covers(whole, first) for m in self.held.mutings):
                continue
            fired = Alert(
                status=FIRING, labels=whole, annotations={}, starts_at=first, ends_at=None, fingerprint=alertmanager_fingerprint(whole),
                late=self.gap,
            )  # fmt: skip
            found += [fired, replace(fired, status=RESOLVED, ends_at=last)]
        return found

    def killed(self) -> list[SeenKill]:
        """Who was killed in the gap, as far as its time is known."""
        kills = self.past.kills if self.past is not None else ()
        return [kill for kill in kills if self.gap is not None and kill.at is not None and self.gap.since < kill.at <= self.gap.until]

    def key_of(self, alert: Alert) -> str:
        """The key of the incident that an alert belongs to."""
        return incident_key(subject_of(alert.labels, self.config.label_names, default_cluster=self.config.cluster_name), alert)

    def key_of_kill(self, kill: SeenKill) -> str:
        """The key of the incident that a kill belongs to."""
        labels = {**self._added_labels(), **kill.labels}
        return self.key_of(Alert(status=FIRING, labels=labels, annotations={}, starts_at=self.now, ends_at=None, fingerprint=""))

    def _is_of_another_cluster(self, alert: Alert) -> bool:
        cluster = subject_of(alert.labels, self.config.label_names).cluster
        return bool(cluster and self.config.cluster_name and cluster != self.config.cluster_name)

    @property
    def _episodes(self) -> tuple[Episode, ...]:
        return self.past.episodes if self.past is not None else ()

    def _missed_alerts(self) -> Iterable[tuple[Mapping[str, str], datetime, datetime]]:
        assert self.gap is not None
        ours = {h.alert.name for h in self.held.alerts if set(h.receivers) & set(self.receivers)} if self.held is not None else set()
        for episode in self._episodes:
            is_ours = episode.labels.get(OURS[0]) == OURS[1] or episode.labels.get("alertname") in ours
            is_heartbeat = episode.labels.get("severity", "").lower() == HEARTBEAT
            if is_ours and not is_heartbeat and self.gap.may_have_lost(episode.first) and self._has_ended(episode):
                yield episode.labels, episode.first, episode.last

    def _missed_kills(self) -> Iterable[tuple[Mapping[str, str], datetime, datetime]]:
        """Kills without an alert, only where no rule was evaluated: else the rules knew why they did not fire."""
        if self._episodes:
            return
        for kill in self.killed():
            if kill.at is not None:
                yield {"alertname": "OOMKilled", "severity": "warning", **kill.labels}, kill.at, kill.at

    def _has_ended(self, episode: Episode) -> bool:
        slack_s = (self.past.resolution_s if self.past is not None else 0.0) + SLACK_S
        return self.now - episode.last > timedelta(seconds=slack_s)

    def _added_labels(self) -> Mapping[str, str]:
        """What Prometheus adds to every alert that it sends (external_labels), seen on an alert that both know."""
        extra: Counter[tuple[tuple[str, str], ...]] = Counter()
        held = [h.alert for h in self.held.alerts] if self.held is not None else []
        for alert in (*held, *(a for a in self.known if a.late is None)):
            for episode in self._episodes:
                if _is_of(episode, alert):
                    extra[tuple(sorted(set(alert.labels.items()) - set(episode.labels.items())))] += 1
        return dict(extra.most_common(1)[0][0]) if extra else {}


def _is_of(episode: Episode, alert: Alert) -> bool:
    """Whether a series of ALERTS is that alert: its labels, without those that were added on the way."""
    return episode.labels.items() <= alert.labels.items() and episode.labels.get("alertname") == alert.name
