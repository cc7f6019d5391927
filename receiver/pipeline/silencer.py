"""Makes Alertmanager agree with what people want: `silence` jobs.

A silence is a wish in the incident's memory (pipeline/people.py); what is done about it, and what could not be, is written there too.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from receiver.domain.alerts import FIRING, RESOLVED, Alert
from receiver.domain.identity import LabelNames
from receiver.domain.incident_memory import Silence
from receiver.domain.reason import Reason, reason
from receiver.domain.silence import Matcher, matchers_of
from receiver.domain.units import from_epoch
from receiver.errors import SourceError
from receiver.pipeline import people, storm
from receiver.pipeline.kinds import SILENCE
from receiver.pipeline.storm import StormConfig
from receiver.render.wording import say
from receiver.store import alerts as alert_table
from receiver.store import incidents, jobs
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)

AFTER_SILENCE_S = 30.0  # after its end: then Alertmanager has dropped what ended meanwhile
ASK_AGAIN_S = 600.0
MAX_ERROR = 160  # characters of Alertmanager's refusal that are kept


class SilenceKeeper(Protocol):
    """What holds silences: Alertmanager, or a test. Errors are SourceErrors."""

    def hold(
        self, matchers: tuple[Matcher, ...], *, mark: str, known_id: str, now: float, until: float, by: str, comment: str
    ) -> tuple[str, float]:
        """One silence until then, extended where there is one; its id and its real end."""

    def release(self, silence_id: str, *, mark: str) -> None:
        """No silence any more."""

    def firing(self, matchers: tuple[Matcher, ...], *, now: float) -> frozenset[str] | None:
        """The fingerprints of the alerts that fire and match, silenced ones too; None when that is not known yet."""


class Silencer:
    """Handles `silence` jobs: makes Alertmanager agree with the newest wish.

    When a silence is over, it asks which alerts still fire: Alertmanager never notifies of a resolve that it kept silent, and
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
            alerts = alert_table.newest_of(tx, job.subject_id, limit=alert_table.ALL)
        wish = incident.memory.silence if incident else None
        if incident is None or wish is None:
            self._end(job)
            return
        firing = tuple(a for a in alerts if a.status == FIRING)
        matchers = matchers_of(incident.subject, firing or alerts, self._label_names)
        if wish.is_settled:
            self._look_after(job, firing, matchers, until=wish.until.timestamp() if wish.until else 0.0)
            return
        try:
            silence_id, until = self._agree(incident, wish, matchers)
        except SourceError as exc:
            is_final = not exc.retryable or job.is_last_attempt
            log.warning("a silence could not be changed", extra={"incident": incident.id, "error": str(exc), "is_final": is_final})
            if is_final:
                self._record(job, incident.id, wish, why=reason("silence.refused", error=str(exc)[:MAX_ERROR]))
                return
            raise
        if wish.wanted_until is not None and not silence_id:
            self._record(job, incident.id, wish, why=self._why_not(matchers))
            return
        self._record(job, incident.id, wish, silence_id=silence_id, until=until)

    def _why_not(self, matchers: tuple[Matcher, ...]) -> Reason:
        if self._keeper is None:
            return reason("silence.no_alertmanager")
        return reason("silence.too_late") if matchers else reason("silence.no_matchers")

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

    def _agree(self, incident: Incident, wish: Silence, matchers: tuple[Matcher, ...]) -> tuple[str, datetime | None]:
        """The silence that there is then: its id and its end; none when it cannot be, or is not wanted."""
        now, until = self._store.now(), wish.wanted_until
        if self._keeper is None or (until is not None and (not matchers or until <= from_epoch(now))):
            return "", None
        if until is None:
            self._keeper.release(wish.id, mark=incident.id)
            return "", None
        comment = say(reason("silence.comment", incident=incident.id, by=wish.by))
        silence_id, ends_at = self._keeper.hold(
            matchers, mark=incident.id, known_id=wish.id, now=now, until=until.timestamp(), by=wish.by or "oomtriage", comment=comment
        )
        return silence_id, from_epoch(ends_at)

    def _record(
        self, job: Job, incident_id: str, wish: Silence, *, silence_id: str = "", until: datetime | None = None, why: Reason | None = None
    ) -> None:
        now = self._store.now()
        at = from_epoch(now)
        with self._store.write() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is not None:
                if why is not None:
                    memory = people.give_up_silence(incident.memory, wish, why=why, at=at)
                else:
                    memory = people.settle_silence(incident.memory, wish, silence_id=silence_id, until=until, at=at)
                incidents.save_memory(tx, incident_id, memory)
            jobs.finish(tx, job)
            storm.show_again(tx, incident_id, self._storm, now=now)
            if why is None:
                over_at = until.timestamp() if until is not None else now
                jobs.schedule(tx, SILENCE, incident_id, now=now, due_at=over_at + AFTER_SILENCE_S)
