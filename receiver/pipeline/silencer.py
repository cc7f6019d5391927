"""Makes Alertmanager agree with what people want: `silence` jobs.

A silence is a wish in the incident's data (pipeline/people.py); what is done about it, and what could not be, is written there too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from receiver.domain.alerts import FIRING, RESOLVED, Alert
from receiver.domain.identity import LabelNames
from receiver.domain.silence import Matcher, matchers_of
from receiver.domain.units import from_epoch
from receiver.errors import SourceError
from receiver.pipeline import people, storm
from receiver.pipeline.storm import StormConfig
from receiver.store import alerts as alert_table
from receiver.store import incidents, jobs
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)

SILENCE = "silence"  # the kind of job
AFTER_SILENCE_S = 30.0  # after its end: then Alertmanager has dropped what ended meanwhile
ASK_AGAIN_S = 600.0


class SilenceKeeper(Protocol):
    """What holds silences: Alertmanager, or a test. Errors are SourceErrors."""

    def hold(
        self, matchers: tuple[Matcher, ...], *, mark: str, known_id: str, now: float, until: float, by: str, comment: str
    ) -> tuple[str, float]:
        """One silence until then, extended where there is one; its id and its real end."""

    def release(self, silence_id: str, *, mark: str) -> None:
        """No silence any more."""

    def firing(self, matchers: tuple[Matcher, ...], *, now: float) -> frozenset[str] | None:
        """The fingerprints of the alerts that fire and match, silenced ones too; None when that cannot be told yet."""


class Silencer:
    """Handles `silence` jobs: makes Alertmanager agree with the newest wish.

    When a silence is over, it asks which alerts still fire: Alertmanager never tells of a resolve that it kept silent, and
    the incident would be shown as firing for ever.
    """

    def __init__(self, *, store: Store, keeper: SilenceKeeper | None, label_names: LabelNames, config: StormConfig | None = None) -> None:
        """`config`: how often a storm's digest may be edited; its members are silenced one by one."""
        self._store = store
        self._keeper = keeper
        self._storm = config or StormConfig()
        self._label_names = label_names

    def run(self, job: Job) -> None:
        """Set, extend or undo. A SourceError that may pass goes up, so that the dispatcher tries again."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
            alerts = alert_table.newest_of(tx, job.subject_id)
        wish = dict((incident.data.get("silence") if incident else None) or {})
        if incident is None or not wish:
            self._end(job)
            return
        firing = tuple(a for a in alerts if a.status == FIRING)
        matchers = matchers_of(incident.subject, firing or alerts, self._label_names)
        if wish.get("is_settled"):
            self._look_after(job, firing, matchers, until=float(wish.get("until", 0.0)))
            return
        until = float(wish.get("wanted_until", 0.0))
        try:
            done_id, done_until = self._agree(incident, wish, matchers, until=until)
        except SourceError as exc:
            is_final = not exc.retryable or job.is_last_attempt
            log.warning("a silence could not be changed", extra={"incident": incident.id, "error": str(exc), "is_final": is_final})
            if is_final:
                self._record(job, incident.id, wish, why=str(exc))
                return
            raise
        if until and not done_id:
            self._record(job, incident.id, wish, why=self._why_not(matchers))
            return
        self._record(job, incident.id, wish, silence_id=done_id, until=done_until)

    def _why_not(self, matchers: tuple[Matcher, ...]) -> str:
        if self._keeper is None:
            return "ALERTMANAGER_URL is not set"
        return "its time was over before Alertmanager could be asked" if matchers else "no labels tell this workload's alerts from others"

    def _look_after(self, job: Job, firing: tuple[Alert, ...], matchers: tuple[Matcher, ...], *, until: float) -> None:
        """Nothing while it is silent; then resolve what ended meanwhile, as if Alertmanager had said so."""
        now = self._store.now()
        if self._keeper is None or not firing or not matchers:
            self._end(job)
            return
        if until > now:
            self._end(job, again_at=until + AFTER_SILENCE_S)
            return
        try:
            held = self._keeper.firing(matchers, now=now)
        except SourceError as exc:
            if exc.retryable and not job.is_last_attempt:
                raise
            log.warning("whether silenced alerts still fire could not be asked", extra={"incident": job.subject_id, "error": str(exc)})
            self._end(job)
            return
        if held is None:
            self._end(job, again_at=now + ASK_AGAIN_S)
            return
        gone = [replace(a, status=RESOLVED, ends_at=from_epoch(now)) for a in firing if a.fingerprint not in held]
        if gone:
            self._store.accept(gone)
        self._end(job)

    def _end(self, job: Job, *, again_at: float | None = None) -> None:
        with self._store.write() as tx:
            jobs.finish(tx, job)
            if again_at is not None:
                jobs.schedule(tx, SILENCE, job.subject_id, now=self._store.now(), due_at=again_at)

    def _agree(self, incident: Incident, wish: Mapping[str, Any], matchers: tuple[Matcher, ...], *, until: float) -> tuple[str, float]:
        now = self._store.now()
        known_id, by = str(wish.get("id", "")), str(wish.get("by", ""))
        if self._keeper is None or (until and (not matchers or until <= now)):
            return "", 0.0
        if not until:
            self._keeper.release(known_id, mark=incident.id)
            return "", 0.0
        comment = f"{incident.id}: asked for{people.by_words(by)} in the incident's Slack message"
        return self._keeper.hold(matchers, mark=incident.id, known_id=known_id, now=now, until=until, by=by or "oomtriage", comment=comment)

    def _record(
        self, job: Job, incident_id: str, wish: Mapping[str, Any], *, silence_id: str = "", until: float = 0.0, why: str = ""
    ) -> None:
        now = self._store.now()
        with self._store.write() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is not None:
                if why:
                    data = people.give_up_silence(incident.data, wish, why=why, at=now)
                else:
                    data = people.settle_silence(incident.data, wish, silence_id=silence_id, until=until, at=now)
                incidents.save_data(tx, incident_id, data)
            jobs.finish(tx, job)
            storm.show_again(tx, incident_id, self._storm, now=now)
            if not why:
                jobs.schedule(tx, SILENCE, incident_id, now=now, due_at=(until or now) + AFTER_SILENCE_S)
