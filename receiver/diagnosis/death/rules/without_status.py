"""The API has nothing to say: the metrics, or an alert's name alone."""

from __future__ import annotations

from datetime import timedelta

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.witnesses.container_status import OOM_KILLED
from receiver.diagnosis.death.witnesses.metrics import OOM_HISTORY
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill, KillKind

# What an alert's name claims, most telling first.
CLAIMS = (
    (names.OOM_ALERTS | names.SUSPECT_ALERTS, KillKind.SUSPECTED_OOM),
    (names.CHILD_ALERTS, KillKind.CHILD_PROCESS_OOM),
    (names.NODE_OOM_ALERTS, KillKind.NODE_OOM),
    (names.EVICTION_ALERTS, KillKind.EVICTION),
)


def by_metrics(clues: Clues) -> Kill | None:
    """Kubernetes could not be asked, Prometheus had seen the OOM kill."""
    history = clues.facts.history
    times_s = history.kill_times_s if history is not None else ()
    if clues.could_ask_kubernetes or not OOM_HISTORY.matches(len(times_s)) or not look.claims_oom(clues):
        return None
    at = clues.facts.now + timedelta(seconds=max(times_s) - clues.facts.now.timestamp())
    because = (reason("death.metrics_tell"), why.pod_unread(clues))
    return Kill(kind=KillKind.CONTAINER_OOM, reason=OOM_KILLED, at=at, is_sure=False, because=because)


def by_alert(clues: Clues) -> Kill | None:
    """Only an alert's name says that something was killed."""
    for known, kind in CLAIMS:
        found = sorted(clues.alert_names & known)
        if found:
            because = (reason("death.alert_says", alert=found[0]), _beside_the_alert(clues))
            restarts = clues.container.restart_count if clues.container else None
            return Kill(kind=kind, restarts=restarts, is_sure=False, because=because)
    return None


def _beside_the_alert(clues: Clues) -> Reason:
    """What the pod's status says instead."""
    if clues.container is None:
        return why.pod_unread(clues)
    death = look.newest(clues)
    if death is None:
        return reason("death.no_death_in_status")
    return reason("death.newest_death_is_another", reason=death.reason, exit_code=death.exit_code)
