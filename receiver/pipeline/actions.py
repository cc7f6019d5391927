"""People's actions, from the command line and from Slack's buttons, recorded in the incident and then done.

Taking one is a single transaction, so it is safe in a request. What needs another service (a silence) is a wish in the
incident's data and a job that makes Alertmanager agree with the newest wish. What is asked of a storm: pipeline/storm_acts.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from receiver.diagnosis.advice.checklist import APPLY_FIX, NOT_APPLICABLE, OPEN
from receiver.pipeline import people
from receiver.pipeline.fold import ENRICH
from receiver.pipeline.silencer import SILENCE
from receiver.store import incidents, jobs
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.store import Store

log = logging.getLogger(__name__)

ACKNOWLEDGE, FIXED, NOT_FIXED, WRONG, QUIET, LOUD = "acknowledge", "fixed", "not_fixed", "wrong", "quiet", "loud"
TICK, UNTICK = "tick", "untick"
RIGHTS = {
    ACKNOWLEDGE: "acknowledge", FIXED: "fixed", NOT_FIXED: "fixed", WRONG: "verdict", QUIET: "silence", LOUD: "silence",
    TICK: "checklist", UNTICK: "checklist",
}  # fmt: skip
WORDS = {
    ACKNOWLEDGE: "acknowledge",
    FIXED: "say that it is fixed",
    NOT_FIXED: "take back a fix",
    WRONG: "mark the verdict as wrong",
    QUIET: "silence",
    LOUD: "undo a silence",
    TICK: "tick the checklist",
    UNTICK: "take back a tick",
}

_STEPS = {
    ACKNOWLEDGE: people.acknowledge,
    FIXED: people.note_fix,
    NOT_FIXED: people.take_back_fix,
    WRONG: people.mark_wrong,
    LOUD: people.want_no_silence,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody wants. `item`: of the checklist, for ticks. `click_id`: the same for every delivery of one click.
    `is_outsider`: of another workspace.
    """

    what: str
    by: str = ""
    seconds: float = 0.0
    item: str = ""
    click_id: str = ""
    user_id: str = ""
    is_outsider: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`state`: `done`, `already` (nothing to do), `unknown` (no such incident, or item of its checklist), `closed` or `refused`."""

    state: str
    text: str


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

    def __init__(self, store: Store, permissions: Permissions | None = None) -> None:
        self._store = store
        self._permissions = permissions or Permissions()

    def take(self, incident_id: str, act: Act) -> Outcome:
        """Record an action and ask for what follows from it. StoreError when it could not be written down."""
        act = _about_the_fix(act)
        now = self._store.now()
        with self._store.write() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is None:
                return Outcome(state="unknown", text="there is no such incident here (any more)")
            if people.is_known_click(incident.data, act.click_id):
                return Outcome(state="already", text="done already")
            if incident.closed_at is not None and act.what != WRONG:
                return Outcome(state="closed", text="the incident is closed")
            if not self._permissions.allow(act):
                return self._refuse(tx, incident, act, now=now)
            if act.what in (TICK, UNTICK) and (outcome := _why_no_tick(incident, act)):
                return outcome
            after = after_act(incident, act, now=now)
            incidents.save_data(tx, incident.id, people.with_click(after or incident.data, act.click_id))
            if after is None:
                return Outcome(state="already", text=_already(incident, act))
            if act.what == WRONG:
                incidents.keep_case(tx, incident.id)
            jobs.schedule(tx, SILENCE if act.what in (QUIET, LOUD) else ENRICH, incident.id, now=now)
        log.info("action taken", extra={"incident": incident_id, "what": act.what, "by": act.by})
        return Outcome(state="done", text="asked for" if act.what in (QUIET, LOUD) else after["log"][-1][1])

    def _refuse(self, tx: Tx, incident: Incident, act: Act, *, now: float) -> Outcome:
        log.warning("action refused", extra={"incident": incident.id, "what": act.what, "by": act.by})
        after = people.refuse(incident.data, what=WORDS[act.what], by=act.by, at=now)
        incidents.save_data(tx, incident.id, people.with_click(after or incident.data, act.click_id))
        if after is None:
            return Outcome(state="refused", text="not allowed")
        jobs.schedule(tx, ENRICH, incident.id, now=now)
        return Outcome(state="refused", text=after["log"][-1][1])


def after_act(incident: Incident, act: Act, *, now: float) -> dict[str, Any] | None:
    """The incident's data after somebody did that at `now`; None when there is nothing to do."""
    data, by = incident.data, people.name_of(act.by)
    if act.what == QUIET:
        return people.want_silence(data, by=by, at=now, until=now + act.seconds)
    if act.what in (TICK, UNTICK):
        change = people.tick if act.what == TICK else people.untick
        return change(data, item=act.item, text=_items(incident)[act.item]["text"], by=by, at=now)
    return _STEPS[act.what](data, by=by, at=now)


def _about_the_fix(act: Act) -> Act:
    """`Apply the fix` is ticked by saying that the fix is applied: one thing, which starts the watch, and not two."""
    if act.item != APPLY_FIX or act.what not in (TICK, UNTICK):
        return act
    return replace(act, what=FIXED if act.what == TICK else NOT_FIXED, item="")


def _items(incident: Incident) -> dict[str, Mapping[str, Any]]:
    """The checklist as the newest report has it, by item id."""
    return {str(item["id"]): item for item in (incident.report or {}).get("checklist", ())}


def _why_no_tick(incident: Incident, act: Act) -> Outcome | None:
    """Why an item cannot be ticked or not; None when it can."""
    items = _items(incident)
    item = items.get(act.item)
    if item is None:
        known = f"known are {', '.join(items)}" if items else "it has no checklist (yet)"
        return Outcome(state="unknown", text=f"the incident has no such item in its checklist: {known}")
    if act.what == UNTICK or "ticked" in item or item["state"] in OPEN:
        return None
    reason = "does not apply" if item["state"] == NOT_APPLICABLE else "done already"
    return Outcome(state="already", text=f"{reason}: {item['result']}")


def _already(incident: Incident, act: Act) -> str:
    data = incident.data
    known = data.get({ACKNOWLEDGE: "acknowledged", FIXED: "fixed", WRONG: "wrong"}.get(act.what, ""))
    if act.what == TICK:
        known = data.get("ticks", {}).get(act.item)
    return f"already done{people.by_words(str(known['by']))}" if known else "nothing to do"
