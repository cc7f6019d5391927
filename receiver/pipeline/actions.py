"""People's actions, from the command line and from Slack's buttons, recorded in the incident and then done.

Taking one is a single transaction, so it is safe in a request. What needs another service (a silence) is a wish in the
incident's memory and a job that makes Alertmanager agree with the newest wish; anything else is shown by a `publish` job,
which asks nothing of the cluster. What is asked of a storm: pipeline/storm_acts.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from receiver.diagnosis.advice.checklist import APPLY_FIX, NOT_APPLICABLE, OPEN
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.reason import Reason, reason
from receiver.domain.units import from_epoch
from receiver.pipeline import people, request_steps
from receiver.pipeline.kinds import PUBLISH, REQUEST, SILENCE
from receiver.pipeline.plan import plan_follow_up
from receiver.pipeline.repositories import Repository, repository_of
from receiver.store import incidents, jobs
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.store import Store

log = logging.getLogger(__name__)

ACKNOWLEDGE, FIXED, NOT_FIXED, WRONG, QUIET, LOUD = "acknowledge", "fixed", "not_fixed", "wrong", "quiet", "loud"
TICK, UNTICK = "tick", "untick"
PROPOSE = "request"
RIGHTS = {
    ACKNOWLEDGE: "acknowledge", FIXED: "fixed", NOT_FIXED: "fixed", WRONG: "verdict", QUIET: "silence", LOUD: "silence",
    TICK: "checklist", UNTICK: "checklist", PROPOSE: "request",
}  # fmt: skip
_DOES_IT = {QUIET: SILENCE, LOUD: SILENCE, PROPOSE: REQUEST}  # what another service has to do
_STEPS = {
    ACKNOWLEDGE: people.acknowledge,
    FIXED: people.note_fix,
    NOT_FIXED: people.take_back_fix,
    WRONG: people.mark_wrong,
    LOUD: people.want_no_silence,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody wants. `duration_s`: of a silence. `item`: of the checklist, for ticks. `click_id`: the same for every
    delivery of one click. `is_outsider`: of another workspace.
    """

    what: str
    by: str = ""
    duration_s: float = 0.0
    item: str = ""
    click_id: str = ""
    user_id: str = ""
    is_outsider: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`state`: `done`, `already` (nothing to do), `unknown` (no such incident, or item of its checklist), `closed` or `refused`."""

    state: str
    what: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Who may do what in Slack: a right (a value of RIGHTS) and the user ids that have it. A right not named here is everybody's
    in the workspace; people of other workspaces, in a shared channel, have only what names them.
    """

    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def allow(self, act: Act) -> bool:
        """Whether somebody in Slack may do this. Without a user id the command line asks, which ADMIN_TOKEN let in."""
        if not act.user_id:
            return True
        named = self.users.get(RIGHTS[act.what])
        return act.user_id in named if named is not None else not act.is_outsider


class Actions:
    """Takes actions. Safe to call from any thread."""

    def __init__(
        self, store: Store, permissions: Permissions | None = None, *, follow_ups_s: Sequence[float] = (),
        repositories: Sequence[Repository] = (),
    ) -> None:  # fmt: skip
        """`follow_ups_s`: how long after a fix it is looked at again. `repositories`: where changes can be proposed."""
        self._repositories = repositories
        self._store = store
        self._follow_ups_s = follow_ups_s
        self._permissions = permissions or Permissions()

    def take(self, incident_id: str, act: Act) -> Outcome:
        """Record an action and ask for what follows from it. StoreError when it could not be written down."""
        act = _about_the_fix(act)
        now = self._store.now()
        with self._store.record() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is None:
                return Outcome(state="unknown", what=reason("action.no_such_incident"))
            if outcome := _why_not(incident, act):
                return outcome
            if not self._permissions.allow(act):
                return self._refuse(tx, incident, act, now=now)
            if act.what in (TICK, UNTICK) and (outcome := _why_no_tick(incident, act)):
                return outcome
            if act.what == PROPOSE and repository_of(self._repositories, incident.subject) is None:
                return Outcome(state="unknown", what=reason("request.no_repository"))
            after = after_act(incident.memory, act, incident.id, at=from_epoch(now))
            _save(tx, incident, after, act)
            if after is None and act.what == PROPOSE:
                jobs.schedule(tx, REQUEST, incident.id, now=now)  # somebody asks for it: how it stands is looked up at once
            if after is None:
                return Outcome(state="already", what=_already(incident.memory, act))
            if act.what == WRONG:
                incidents.keep_case(tx, incident.id)
            plan_follow_up(tx, incident.id, after, self._follow_ups_s, now=now)
            jobs.schedule(tx, _DOES_IT.get(act.what, PUBLISH), incident.id, now=now)
        log.info("action taken", extra={"incident": incident_id, "what": act.what, "by": act.by})
        return Outcome(state="done", what=reason("action.asked_for") if act.what in _DOES_IT else after.log[-1].what)

    def _refuse(self, tx: Tx, incident: Incident, act: Act, *, now: float) -> Outcome:
        log.warning("action refused", extra={"incident": incident.id, "what": act.what, "by": act.by})
        after = people.refuse(incident.memory, what=act.what, by=act.by, at=from_epoch(now))
        _save(tx, incident, after, act)
        if after is None:
            return Outcome(state="refused", what=reason("action.not_allowed"))
        jobs.schedule(tx, PUBLISH, incident.id, now=now)
        return Outcome(state="refused", what=after.log[-1].what)


def after_act(memory: IncidentMemory, act: Act, incident_id: str, *, at: datetime) -> IncidentMemory | None:
    """The incident's memory after somebody did that then; None when there is nothing to do."""
    by = people.name_of(act.by)
    if act.what == QUIET:
        return people.want_silence(memory, by=by, at=at, until=at + timedelta(seconds=act.duration_s))
    if act.what == PROPOSE:
        return request_steps.want(memory, incident_id, by=by, at=at)
    if act.what in (TICK, UNTICK):
        change = people.tick if act.what == TICK else people.untick
        return change(memory, item=act.item, by=by, at=at)
    return _STEPS[act.what](memory, by=by, at=at)


def _about_the_fix(act: Act) -> Act:
    """`Apply the fix` is ticked by saying that the fix is applied: one thing, which starts the watch, and not two."""
    if act.item != APPLY_FIX or act.what not in (TICK, UNTICK):
        return act
    return replace(act, what=FIXED if act.what == TICK else NOT_FIXED, item="")


def _why_not(incident: Incident, act: Act) -> Outcome | None:
    """Why nobody can do that any more, or again; None when somebody may."""
    if people.is_known_click(incident.memory.clicks, act.click_id):
        return Outcome(state="already", what=reason("action.done_already"))
    if incident.closed_at is not None and act.what != WRONG:
        return Outcome(state="closed", what=reason("action.closed"))
    return None


def _why_no_tick(incident: Incident, act: Act) -> Outcome | None:
    """Why an item cannot be ticked or not; None when it can."""
    items: Mapping[str, Mapping[str, Any]] = {str(i["id"]): i for i in (incident.report or {}).get("checklist", ())}
    item = items.get(act.item)
    if not items:
        return Outcome(state="unknown", what=reason("action.no_checklist"))
    if item is None:
        return Outcome(state="unknown", what=reason("action.no_such_item", known=tuple(items)))
    if act.what == UNTICK or "ticked" in item or item["state"] in OPEN:
        return None
    result = str(item["result"])
    if item["state"] == NOT_APPLICABLE:
        return Outcome(state="already", what=reason("action.item_not_applicable", result=result))
    return Outcome(state="already", what=reason("action.item_done", result=result))


def _already(memory: IncidentMemory, act: Act) -> Reason:
    known = {ACKNOWLEDGE: memory.acknowledged, FIXED: memory.fix, WRONG: memory.wrong, TICK: memory.ticks.get(act.item)}.get(act.what)
    return reason("action.already_done", by=known.by) if known is not None else reason("action.nothing_to_do")


def _save(tx: Tx, incident: Incident, after: IncidentMemory | None, act: Act) -> None:
    memory = after or incident.memory
    incidents.save_memory(tx, incident.id, replace(memory, clicks=people.with_click(memory.clicks, act.click_id)))
