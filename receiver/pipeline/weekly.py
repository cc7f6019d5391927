"""Once a week, each channel is told in one message what it was told of in the week: off unless WEEKLY_SUMMARY is set.

A job that waits for the moment, as durable as every other. What it wrote, the note up to when weeks are summed up, and the job for the next
week are one transaction: a restart tells nothing twice, and a receiver that was away at that moment tells it when it is back. Which channels:
those in which the incidents stand, which is where their routes led.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from receiver.domain.incident import Message
from receiver.domain.units import from_epoch
from receiver.domain.weekly import DAY_S, WEEK_S, WeeklyLine, WeeklyTime, WeeklyView
from receiver.domain.workload_history import PastIncident, SeenLimit, day_of
from receiver.pipeline.kinds import EVERYTHING, WEEKLY
from receiver.pipeline.workload_board import WorkloadLine, board, fix_count
from receiver.store import conversations, jobs, outbox, workloads
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.schema import get_meta, set_meta
from receiver.store.store import Store
from receiver.store.workloads import KillDay

NOTE = "weekly_summary"  # up to when weeks are summed up, seconds since 1970
LEAST_S = 4 * DAY_S  # between two summaries: another day of the week that is set in between waits for its next turn
LONGEST_S = 2 * WEEK_S  # who was away for longer is told of the newest days


class WeeklyRendering(Protocol):
    """Makes the message of one channel."""

    def __call__(self, view: WeeklyView) -> Message:
        """One root."""


class Weekly:
    """Handles the `weekly` job. `moment` None: nobody wants it. `silent_sinks`: those that are read by programs."""

    def __init__(
        self, *, store: Store, moment: WeeklyTime | None, render: WeeklyRendering, public_url: str = "", silent_sinks: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._store = store
        self._moment = moment
        self._render = render
        self._public_url = public_url
        self._silent_sinks = silent_sinks

    def begin(self) -> None:
        """See to it that the next summary is planned as the settings have it, or none."""
        with self._store.write() as tx:
            self._plan(tx)

    def run(self, job: Job) -> None:
        """Tell every channel of the days that are over."""
        now = self._store.now()
        with self._store.read() as tx:
            covered = float(get_meta(tx, NOTE) or 0.0)
        if self._moment is None or self._due_at(self._moment, now, covered) > now:
            with self._store.write() as tx:
                jobs.finish(tx, job)
                self._plan(tx)
            return
        until = self._moment.last(now)
        views = self._views(day_of(max(covered, until - LONGEST_S)), day_of(until))
        with self._store.write() as tx:
            if not jobs.finish(tx, job):
                return
            for (sink, channel), view in views.items():
                conversation = conversations.open_new(
                    tx, kind=conversations.NOTICE, incident_id=None, sink=sink, channel=channel, mention="", now=now
                )
                outbox.desire(tx, conversation.id, self._render(view), now=now)
            set_meta(tx, NOTE, str(until))
            self._plan(tx)

    def _plan(self, tx: Tx) -> None:
        now = self._store.now()
        due_at = None
        if self._moment is not None:
            if get_meta(tx, NOTE) is None:  # switched on just now: the first one tells of what is still to come
                set_meta(tx, NOTE, str(self._moment.last(now)))
            due_at = self._due_at(self._moment, now, float(get_meta(tx, NOTE) or 0.0))
        jobs.replan(tx, WEEKLY, EVERYTHING, now=now, due_at=due_at)

    @staticmethod
    def _due_at(moment: WeeklyTime, now: float, covered: float) -> float:
        """The moment after what was summed up last. A clock that was far ahead has told of weeks to come: those are not waited for."""
        return moment.next(min(covered, now) + LEAST_S - 1)

    def _views(self, first_day: int, end_day: int) -> dict[tuple[str, str], WeeklyView]:
        before_day = 2 * first_day - end_day
        with self._store.read() as tx:
            past = workloads.since(tx, before_day * DAY_S, opened_before=end_day * DAY_S)
            kills = [kill for kill in workloads.kills_since(tx, before_day) if kill.day < end_day]
            limits = workloads.newest_limits(tx)
            channels = {one.id: self._channels(tx, one.id) for one in past}
        of_channel: dict[tuple[str, str], list[PastIncident]] = defaultdict(list)
        for one in past:
            for place in channels[one.id]:
                of_channel[place].append(one)
        found = {place: self._view(mine, kills, limits, first_day, end_day) for place, mine in sorted(of_channel.items())}
        return {place: view for place, view in found.items() if view.kills or view.held or view.failed}

    def _channels(self, tx: Tx, incident_id: str) -> set[tuple[str, str]]:
        told = (*conversations.of_incident(tx, incident_id), *conversations.digests_of(tx, incident_id))
        return {(c.sink, c.channel) for c in told if c.sink not in self._silent_sinks}

    def _view(
        self, past: Sequence[PastIncident], kills: Iterable[KillDay], limits: Mapping[tuple[str, str], SeenLimit], first_day: int, end_day: int
    ) -> WeeklyView:  # fmt: skip
        ids, since, until = {one.id for one in past}, first_day * DAY_S, end_day * DAY_S
        of_them = [kill for kill in kills if kill.incident_id in ids]
        mine = [one for one in past if one.seen_at >= since]
        of_now = [kill for kill in of_them if kill.day >= first_day]
        shown = board(mine, of_now, limits, now=until - 1, days=end_day - first_day)
        fixes = [fix for one in mine for fix in one.fixes]
        results = fix_count(fix for fix in fixes if fix.newest is not None and since <= fix.newest.at.timestamp() < until)
        return WeeklyView(
            since=from_epoch(since), until=from_epoch(until), lines=tuple(self._line(line) for line in shown.workloads),
            kills_before=sum(kill.kills for kill in of_them if kill.day < first_day), held=results.held, failed=results.failed,
            watched=fix_count(fixes).open, wasted_bytes=sum(line.wasted_bytes or 0 for line in shown.workloads),
            missing_bytes=sum(line.missing_bytes or 0 for line in shown.workloads),
            page_url=f"{self._public_url}/workloads" if self._public_url else "",
        )  # fmt: skip

    def _line(self, line: WorkloadLine) -> WeeklyLine:
        url = f"{self._public_url}/workloads/{line.name.id}" if self._public_url else ""
        name = line.name
        return WeeklyLine(
            namespace=name.namespace, name=name.name, kills=line.kills, verdict=line.verdict, newest_fix=line.newest_fix, page_url=url
        )
