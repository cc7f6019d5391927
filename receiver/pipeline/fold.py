"""Accepted alerts become incidents: found by key, opened, fired again, resolved.

Runs in the dispatcher, not in the request: accepting stays one insert an alert, and whatever goes wrong here can never
turn a stored alert into an error for Alertmanager.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from receiver.domain.alerts import FIRING, RESOLVED, SEVERITIES, Alert
from receiver.domain.identity import LabelNames, Subject, incident_key, subject_of
from receiver.pipeline.kinds import COLLECT
from receiver.store import alerts as alert_table
from receiver.store import incidents as incident_table
from receiver.store import jobs, quarantine
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.store import Store

BATCH = 500
LIMIT_S = 0.02  # of one batch: an alert that is being accepted waits behind it
REGATHER_INTERVAL_S = 10.0  # an incident that keeps changing is looked at again at most this often


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldConfig:
    """How labels are called here, and the name of our cluster ("" when alerts carry none)."""

    label_names: LabelNames = field(default_factory=LabelNames)
    cluster_name: str = ""


def fold(store: Store, config: FoldConfig, *, limit_s: float = LIMIT_S, monotonic: Callable[[], float] = time.monotonic) -> int:
    """Give the oldest unfolded alerts to their incidents; returns how many were taken, until `limit_s` are over: others want to write too.

    What cannot be done for one alert, or for one incident, costs that one and not the batch. The cost of an alert does not depend on
    how many its incident has.
    """
    now, end = store.now(), monotonic() + limit_s
    taken = 0
    with store.write(is_urgent=True) as tx:
        known: dict[str, Incident] = {}  # by key and by id: an incident is read once a batch, however many alerts it gets
        touched: dict[str, Incident] = {}
        for alert_id, alert in alert_table.unfolded(tx, BATCH):
            incident = quarantine.attempt(tx, quarantine.ALERT, alert_id, partial(_fold_one, tx, alert_id, alert, config, known, now=now))
            if incident:
                touched[incident.id] = incident
            taken += 1
            if monotonic() > end:
                break
        for incident in touched.values():
            quarantine.attempt(tx, quarantine.INCIDENT, incident.id, partial(_note_change, tx, incident, now=now))
        return taken


def _fold_one(tx: Tx, alert_id: int, alert: Alert, config: FoldConfig, known: dict[str, Incident], *, now: float) -> Incident | None:
    subject = subject_of(alert.labels, config.label_names, default_cluster=config.cluster_name)
    key = incident_key(subject, alert)
    incident = _incident_for(tx, alert, subject, key, known, now=now)
    alert_table.mark_folded(tx, alert_id, alert, incident.id if incident else None)
    if incident:
        known[key] = known[incident.id] = incident
    return incident


def _incident_for(tx: Tx, alert: Alert, subject: Subject, key: str, known: Mapping[str, Incident], *, now: float) -> Incident | None:
    if alert.severity == "none":
        return None  # a heartbeat: being seen is all it is for
    if alert.status == RESOLVED:
        # By its own firing first: the key of an alert may have changed with the settings since it fired.
        fired = alert_table.incident_of(tx, alert)
        incident = known.get(fired or key) or (incident_table.load(tx, fired) if fired else incident_table.find_open(tx, key))
        return incident if incident and incident.closed_at is None else None
    return known.get(key) or incident_table.find_open(tx, key) or _open(tx, key, subject, alert, now=now)


def _open(tx: Tx, key: str, subject: Subject, alert: Alert, *, now: float) -> Incident:
    before = incident_table.last_closed(tx, key)
    incident = Incident(
        id=new_id(now), key=key, state=FIRING, severity=SEVERITIES[alert.severity_rank], subject=subject,
        opened_at=now, first_seen=alert.starts_at.timestamp(), last_seen=now, previous_id=before.id if before else None,
    )  # fmt: skip
    incident_table.insert(tx, incident)
    return incident


def _note_change(tx: Tx, incident: Incident, *, now: float) -> None:
    state, rank = alert_table.standing(tx, incident.id)
    severity = SEVERITIES[rank]
    incident_table.touch(tx, incident, state=state, severity=severity, now=now)
    due_at = 0.0
    is_new = incident.revision == 0
    is_more_of_the_same = state == FIRING == incident.state and severity == incident.severity
    if is_more_of_the_same and not is_new:  # a look is under way, or has just been: what else comes in its wake waits a little
        due_at = (incident.gathered_at or incident.opened_at) + REGATHER_INTERVAL_S
    jobs.schedule(tx, COLLECT, incident.id, now=now, due_at=due_at)


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(now: float) -> str:
    """An incident id that sorts by time: `inc_`, 48 bits of milliseconds, 25 random bits, in Crockford's base 32."""
    number = (int(now * 1000) & (2**48 - 1)) << 25 | secrets.randbits(25)
    digits = []
    for _ in range(15):
        number, digit = divmod(number, 32)
        digits.append(_CROCKFORD[digit])
    return "inc_" + "".join(reversed(digits))
