"""A morning's incidents, one in each state, for pictures of the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from receiver.domain.change import Change
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident_memory import Acknowledgement, GivenVerdict, IncidentMemory, LookSummary, Owner, Silence, WatchedFix
from receiver.domain.units import from_epoch
from receiver.store import incidents, listing
from tests.unit.web.incident.kit import Site

HOUR_S = 3600.0
MI = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One incident: `kills`: how many hours ago; `state`: what people and fixes made of it."""

    name: str
    cause: str
    confidence: float
    kills: Sequence[float]
    team: str
    state: str = ""
    severity: str = "warning"
    began_h: float = 8.0
    owner: Owner = field(default_factory=Owner)


PARTS = (
    Part(name="orders-api", cause="leak", confidence=0.93, kills=(11.2, 8.1, 5.3, 2.1), team="payments", severity="critical", began_h=11.3),
    Part(name="checkout", cause="spike", confidence=0.72, kills=(3.1, 3.0, 2.9, 0.4, 0.3), team="payments", began_h=3.2),
    Part(name="log-shipper", cause="unknown", confidence=0.3, kills=(0.4, 0.3, 0.2, 0.1), team="platform", began_h=0.5),
    Part(
        name="model-server",
        cause="startup",
        confidence=0.9,
        kills=(20, 19.5, 15, 12, 9, 6, 5),
        team="search",
        state="resolved",
        began_h=20.2,
    ),
    Part(name="session-store", cause="limit_too_low", confidence=0.88, kills=(7, 4, 1.5), team="web", state="acknowledged", began_h=7.1),
    Part(name="search", cause="leak", confidence=0.8, kills=(16, 12, 8), team="search", state="silenced", began_h=16.4),
    Part(name="billing-worker", cause="limit_too_low", confidence=0.91, kills=(22, 21, 18), team="payments", state="fixed", began_h=22.5),
    Part(name="images", cause="spike", confidence=0.7, kills=(23,), team="web", state="closed", began_h=23.2),
)


def fill(site: Site) -> None:
    """Write all of them."""
    now = site.application.store.now()
    with site.application.store.write() as tx:
        for n, part in enumerate(PARTS):
            pod = f"{part.name}-655779759d-jst9{n}"
            began = now - part.began_h * HOUR_S
            one = incidents.Incident(
                id=f"inc_{n:015}", key=f"workload/lab/shop/{part.name}", state="firing", severity=part.severity, opened_at=began, first_seen=began,
                last_seen=now - n * 60, memory=_memory(part, now, pod),
                subject=Subject(
                    cluster="lab", namespace="shop", pod=pod, container=part.name, node="", workload=Workload(kind="Deployment", name=part.name)
                ),
            )  # fmt: skip
            incidents.insert(tx, one)
            times = [now - hours * HOUR_S for hours in part.kills]
            listing.note_kills(tx, one.id, len(times), times, known_until=None, newest_at=None, now=now)
            if part.state in ("resolved", "fixed", "closed"):
                incidents.touch(tx, one, state="resolved", severity=part.severity, now=now - HOUR_S)
            if part.state == "closed":
                incidents.close(tx, one.id, now=now - HOUR_S, state="resolved")


def _memory(part: Part, now: float, pod: str) -> IncidentMemory:
    at = from_epoch(now - min(part.kills) * HOUR_S)
    memory = IncidentMemory(
        state="firing", kills={pod: len(part.kills)}, first_kill_at=from_epoch(now - max(part.kills) * HOUR_S), last_kill_at=at, pods=(pod,),
        look=LookSummary(verdict=GivenVerdict(cause=part.cause, confidence=part.confidence), kill_kind="container_oom"),
        owner=Owner(labels={"team": part.team}),
    )  # fmt: skip
    later = at + timedelta(minutes=20)
    if part.state == "acknowledged":
        return replace(memory, acknowledged=Acknowledgement(by="Ines", at=later))
    if part.state == "silenced":
        return replace(memory, silence=Silence(by="Tom", asked_at=later, until=from_epoch(now + 2 * HOUR_S), is_settled=True, id="x"))
    if part.state in ("fixed", "closed"):
        change = Change(what="limit", at=later, before_bytes=96 * MI, after_bytes=160 * MI)
        return replace(memory, watched=WatchedFix(number=1, since=later, changes=(change,)), settings_change=change.as_reason())
    return memory
